//! Categories by their hashes, whatever they are: to numbers, to buckets, and several together to the code of a table.

use super::Lower;
use crate::budgets::MAX_WIDTH;
use crate::error::{ArtifactError, Code};
use crate::plan::access::{Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::city::{chained, city_hash};
use crate::plan::element::{CodeRegister, Element, Register, TextRegister, Vector, NO_CODE};
use crate::plan::{Lowering, TensorName};
use foldhash::HashMap;
use md5::Md5;
use serde::Deserialize;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use std::sync::Arc;

/// The largest whole number that a f64 tells from its neighbors.
const MOST: f64 = 9_007_199_254_740_992.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashCategory {}

impl Lower for HashCategory {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let mut output = Vec::new();
        for element in &lowering.one(inputs)? {
            let source = match element {
                Element::Text(_) | Element::Made(_) => Category::Text(lowering.text(element)?),
                Element::Code(_) => return Err(lowering.error("takes texts or numbers")),
                _ => Category::Number(lowering.number(element)?),
            };
            let target = lowering.output(std::slice::from_ref(element));
            let fields = lowering.builder.origin(element);
            lowering.builder.push(HashStep { source, target, fields });
            output.push(Element::Number(target));
        }
        Ok(output)
    }
}

enum Category {
    Text(TextRegister),
    Number(Register),
}

struct HashStep {
    source: Category,
    target: Register,
    fields: Arc<[usize]>,
}

/// The low 32 bits of the hash, as a signed integer.
fn hashed(text: &[u8]) -> f64 {
    f64::from(city_hash(text) as u32 as i32)
}

/// The hash of the decimal digits of a whole number.
fn hashed_number(number: f64) -> f64 {
    let mut digits = [0; 20];
    let mut rest = number.abs() as u64;
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0.0 {
        at -= 1;
        digits[at] = b'-';
    }
    hashed(&digits[at..])
}

impl HashStep {
    fn hash(&self, block: &Block<'_>, row: usize) -> Result<f64, (Code, f64)> {
        match self.source {
            Category::Text(source) => {
                let text = block.text(source, row).ok_or((Code::Missing, f64::NAN))?;
                Ok(hashed(text.as_bytes()))
            }
            Category::Number(source) => match block.number(source)[row] {
                x if x.is_nan() => Err((Code::Missing, x)),
                x if x.trunc() != x || x.abs() > MOST => Err((Code::OutOfRange, x)),
                x => Ok(hashed_number(x)),
            },
        }
    }
}

impl Step for HashStep {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let hash = self.hash(block, row).unwrap_or_else(|(code, value)| {
                block.refuse(row, code, &self.fields, value);
                0.0
            });
            block.number_mut(self.target)[row] = hash;
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        match &mut self.source {
            Category::Text(source) => visit(Access::ReadsText(source)),
            Category::Number(source) => visit(Access::Reads(source)),
        }
        visit(Access::Writes(&mut self.target));
    }

    fn refuses(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        "hash of a category".to_owned()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncodeHashes {
    hashes: TensorName,
}

impl Lower for EncodeHashes {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let halves = lowering.tensors.u32s(&self.hashes.tensor)?;
        let (pairs, rest) = halves.as_chunks::<2>();
        let codes: HashMap<u64, u32> = pairs
            .iter()
            .enumerate()
            .map(|(at, [low, high])| (u64::from(*high) << 32 | u64::from(*low), at as u32))
            .collect();
        if !rest.is_empty() || codes.len() != pairs.len() {
            return Err(lowering.error("`hashes` are no pairs, or one comes twice"));
        }
        let sources = input.iter().map(|element| lowering.number(element));
        let sources = sources.collect::<Result<Vec<Register>, ArtifactError>>()?;
        let target = lowering.builder.new_code(lowering.builder.origins(&input));
        lowering.builder.push(EncodeStep { codes, sources, target });
        Ok(vec![Element::Code(target)])
    }
}

struct EncodeStep {
    codes: HashMap<u64, u32>,
    sources: Vec<Register>,
    target: CodeRegister,
}

impl Step for EncodeStep {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let hash = self
                .sources
                .iter()
                .fold(0, |hash, source| chained(hash, block.number(*source)[row] as i64 as u64));
            block.code_mut(self.target)[row] = self.codes.get(&hash).copied().unwrap_or(NO_CODE);
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        self.sources.iter_mut().for_each(|source| visit(Access::Reads(source)));
        visit(Access::WritesCode(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("codes of {} hashes", self.codes.len())
    }

    fn memory(&self) -> usize {
        self.codes.len() * 16
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Method {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Method {
    fn bucket(self, text: &[u8], buckets: u32) -> u32 {
        match self {
            Method::Md5 => modulo(&Md5::digest(text), buckets),
            Method::Sha1 => modulo(&Sha1::digest(text), buckets),
            Method::Sha224 => modulo(&Sha224::digest(text), buckets),
            Method::Sha256 => modulo(&Sha256::digest(text), buckets),
            Method::Sha384 => modulo(&Sha384::digest(text), buckets),
            Method::Sha512 => modulo(&Sha512::digest(text), buckets),
        }
    }
}

/// What these bytes, as digits of a whole number, leave when it is divided.
fn modulo(bytes: &[u8], divisor: u32) -> u32 {
    let divisor = u64::from(divisor);
    bytes.iter().fold(0, |rest, byte| (rest << 8 | u64::from(*byte)) % divisor) as u32
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestBucket {
    method: Method,
    buckets: u32,
}

impl Lower for DigestBucket {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        if self.buckets == 0 || self.buckets as usize > MAX_WIDTH {
            return Err(lowering.error(&format!("`buckets` are 1 to {MAX_WIDTH}")));
        }
        let mut output = Vec::new();
        for element in &lowering.one(inputs)? {
            let source = lowering.text(element)?;
            let target = lowering.builder.new_code(lowering.builder.origin(element));
            let Self { method, buckets } = self;
            lowering.builder.push(DigestStep { method, buckets, source, target });
            output.push(Element::Code(target));
        }
        Ok(output)
    }
}

struct DigestStep {
    method: Method,
    buckets: u32,
    source: TextRegister,
    target: CodeRegister,
}

impl Step for DigestStep {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let text = block.text(self.source, row);
            let bucket =
                text.map_or(NO_CODE, |text| self.method.bucket(text.as_bytes(), self.buckets));
            block.code_mut(self.target)[row] = bucket;
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::ReadsText(&mut self.source));
        visit(Access::WritesCode(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("one of {} buckets by a digest", self.buckets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_divided_as_one_number() {
        // int.from_bytes(hashlib.md5(b"red").digest(), "big") % 8 and % 1000003, of sha1 % 97.
        assert_eq!(Method::Md5.bucket(b"red", 8), 4);
        assert_eq!(Method::Md5.bucket(b"red", 1_000_003), 867_293);
        assert_eq!(Method::Sha1.bucket("Straße".as_bytes(), 97), 86);
    }

    #[test]
    fn whole_numbers_are_hashed_as_their_digits() {
        for number in [0.0, -0.0, 1.0, -1.0, 10.0, -120.0, 9_007_199_254_740_991.0, MOST, -MOST] {
            let text = (number as i64).to_string();
            assert_eq!(hashed_number(number), hashed(text.as_bytes()), "{text}");
        }
    }
}
