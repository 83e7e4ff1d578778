//! The datatypes of the Open Inference Protocol: which values each admits, and its bytes.

use crate::failure::{Failure, Kind};
use crate::protocols::values::Values;
use half::f16;
use penstock_core::cell::Cell;
use penstock_core::manifest::FieldType;
use penstock_core::rows::Sent;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datatype {
    Bool,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Int8,
    Int16,
    Int32,
    Int64,
    Fp16,
    Fp32,
    Fp64,
    Bytes,
}

const NAMES: [(&str, Datatype); 13] = [
    ("BOOL", Datatype::Bool),
    ("UINT8", Datatype::Uint8),
    ("UINT16", Datatype::Uint16),
    ("UINT32", Datatype::Uint32),
    ("UINT64", Datatype::Uint64),
    ("INT8", Datatype::Int8),
    ("INT16", Datatype::Int16),
    ("INT32", Datatype::Int32),
    ("INT64", Datatype::Int64),
    ("FP16", Datatype::Fp16),
    ("FP32", Datatype::Fp32),
    ("FP64", Datatype::Fp64),
    ("BYTES", Datatype::Bytes),
];

impl Datatype {
    /// The datatype of a name.
    ///
    /// # Errors
    /// There is no such datatype.
    pub fn parse(name: &str) -> Result<Self, Failure> {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, datatype)| *datatype).ok_or_else(|| {
            let known: Vec<_> = NAMES.iter().map(|(known, _)| *known).collect();
            let detail = format!("there is no datatype `{name}`; there are {}", known.join(", "));
            Failure::new(Kind::Value, detail)
        })
    }

    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, datatype)| *datatype == self).map_or("BYTES", |(name, _)| name)
    }

    /// As what JSON values of this datatype are read.
    pub fn field_type(self) -> FieldType {
        match self {
            Datatype::Fp16 | Datatype::Fp32 | Datatype::Fp64 => FieldType::Number,
            _ => FieldType::Text,
        }
    }

    /// The smallest and the largest integer.
    fn integers(self) -> Option<(i128, i128)> {
        match self {
            Datatype::Uint8 => Some((0, u8::MAX.into())),
            Datatype::Uint16 => Some((0, u16::MAX.into())),
            Datatype::Uint32 => Some((0, u32::MAX.into())),
            Datatype::Uint64 => Some((0, u64::MAX.into())),
            Datatype::Int8 => Some((i8::MIN.into(), i8::MAX.into())),
            Datatype::Int16 => Some((i16::MIN.into(), i16::MAX.into())),
            Datatype::Int32 => Some((i32::MIN.into(), i32::MAX.into())),
            Datatype::Int64 => Some((i64::MIN.into(), i64::MAX.into())),
            _ => None,
        }
    }

    /// The value as this datatype has it: short floats are rounded; `None` if it is none of this datatype.
    pub fn admit(self, cell: Cell<'_>) -> Option<Cell<'_>> {
        match (self, cell) {
            (_, Cell::Missing) => Some(cell),
            (Datatype::Bool, Cell::Boolean(_)) | (Datatype::Bytes, Cell::Text(_)) => Some(cell),
            (Datatype::Fp16, Cell::Number(x)) => Some(Cell::Number(f16::from_f64(x).to_f64())),
            (Datatype::Fp32, Cell::Number(x)) => Some(Cell::Number(f64::from(x as f32))),
            // The model refuses integers that it would have to round.
            (Datatype::Fp64, Cell::Number(_) | Cell::Integer(_) | Cell::HugeInteger) => Some(cell),
            (Datatype::Fp16 | Datatype::Fp32, Cell::Integer(x)) => {
                self.admit(Cell::Number(x as f64))
            }
            (Datatype::Uint64, Cell::HugeInteger) => Some(cell),
            (_, Cell::Integer(x)) => {
                let (least, most) = self.integers()?;
                (least..=most).contains(&x.into()).then_some(cell)
            }
            (_, Cell::Number(x)) if x.fract() == 0.0 => {
                let (least, most) = self.integers()?;
                (least..=most).contains(&(x as i128)).then_some(cell)
            }
            _ => None,
        }
    }

    /// Values from their bytes: little-endian, and texts after their length in four bytes.
    ///
    /// # Errors
    /// The bytes do not come out even, or a text is not UTF-8.
    pub fn decode(self, bytes: &[u8]) -> Result<Values<'_>, String> {
        match self {
            Datatype::Bool => booleans(bytes),
            Datatype::Bytes => texts(bytes),
            Datatype::Uint8 => numbers(bytes, |[x]| f64::from(u8::from_le_bytes([x]))),
            Datatype::Uint16 => numbers(bytes, |x| f64::from(u16::from_le_bytes(x))),
            Datatype::Uint32 => numbers(bytes, |x| f64::from(u32::from_le_bytes(x))),
            Datatype::Int8 => numbers(bytes, |[x]| f64::from(i8::from_le_bytes([x]))),
            Datatype::Int16 => numbers(bytes, |x| f64::from(i16::from_le_bytes(x))),
            Datatype::Int32 => numbers(bytes, |x| f64::from(i32::from_le_bytes(x))),
            Datatype::Fp16 => numbers(bytes, |x| f16::from_le_bytes(x).to_f64()),
            Datatype::Fp32 => numbers(bytes, |x| f64::from(f32::from_le_bytes(x))),
            Datatype::Fp64 => numbers(bytes, f64::from_le_bytes),
            Datatype::Uint64 => integers(bytes, |x| unsigned(u64::from_le_bytes(x))),
            Datatype::Int64 => integers(bytes, |x| Cell::Integer(i64::from_le_bytes(x))),
        }
    }
}

pub fn unsigned<'a>(x: u64) -> Cell<'a> {
    i64::try_from(x).map_or(Cell::HugeInteger, Cell::Integer)
}

fn chunks<const SIZE: usize>(bytes: &[u8]) -> Result<&[[u8; SIZE]], String> {
    match bytes.as_chunks::<SIZE>() {
        (chunks, []) => Ok(chunks),
        _ => Err(format!("has {} bytes, which {SIZE} does not divide", bytes.len())),
    }
}

fn numbers<'a, const SIZE: usize>(
    bytes: &'a [u8],
    number: impl Fn([u8; SIZE]) -> f64,
) -> Result<Values<'a>, String> {
    Ok(Values::Numbers(chunks(bytes)?.iter().map(|chunk| number(*chunk)).collect()))
}

fn integers<'a, const SIZE: usize>(
    bytes: &'a [u8],
    integer: impl Fn([u8; SIZE]) -> Cell<'a>,
) -> Result<Values<'a>, String> {
    let mut values = Values::default();
    chunks(bytes)?.iter().for_each(|chunk| values.push(Sent::Cell(integer(*chunk))));
    Ok(values)
}

fn booleans(bytes: &[u8]) -> Result<Values<'_>, String> {
    let boolean = |byte: &u8| match byte {
        0 => Ok(Sent::Cell(Cell::Boolean(false))),
        1 => Ok(Sent::Cell(Cell::Boolean(true))),
        other => Err(format!("has the byte {other}, which is no BOOL")),
    };
    Ok(Values::Mixed(bytes.iter().map(boolean).collect::<Result<_, _>>()?))
}

fn texts(mut bytes: &[u8]) -> Result<Values<'_>, String> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk().ok_or("ends within a length")?;
        let length = u32::from_le_bytes(*length) as usize;
        let (text, rest) = rest.split_at_checked(length).ok_or_else(|| {
            format!("has a text of {length} bytes, of which only {} are there", rest.len())
        })?;
        values.push(Sent::Cell(Cell::Text(utf8(text, values.len())?)));
        bytes = rest;
    }
    Ok(Values::Mixed(values))
}

/// A text from its bytes.
///
/// # Errors
/// They are not UTF-8.
pub fn utf8(bytes: &[u8], at: usize) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| format!("has a text at {at} that is not UTF-8"))
}
