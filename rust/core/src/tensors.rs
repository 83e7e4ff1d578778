//! The arrays of an artifact in the safetensors layout: checked as a whole, copied out by name and type.

use crate::archive::TENSORS;
use crate::budgets::{
    FREE_TENSOR_READS, MAX_DIMENSIONS, MAX_NAME_LENGTH, MAX_TENSORS, MAX_TENSORS_HEADER_BYTES,
    MAX_TENSOR_READS,
};
use crate::error::ArtifactError;
use crate::json;
use crate::json::shorten;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The types that operators read; safetensors has more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    F64,
    F32,
    I64,
    I32,
    I16,
    U32,
    U16,
    U8,
}

/// Names in safetensors, types, and bytes of one value.
const DTYPES: [(&str, Dtype, usize); 8] = [
    ("F64", Dtype::F64, 8),
    ("F32", Dtype::F32, 4),
    ("I64", Dtype::I64, 8),
    ("I32", Dtype::I32, 4),
    ("I16", Dtype::I16, 2),
    ("U32", Dtype::U32, 4),
    ("U16", Dtype::U16, 2),
    ("U8", Dtype::U8, 1),
];

impl fmt::Display for Dtype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// What the header says of one tensor.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Info {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

#[derive(Debug)]
struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    /// Number of values.
    length: usize,
    /// Where their bytes are.
    range: Range<usize>,
    /// Whether the plan has asked for the values.
    is_used: AtomicBool,
}

/// All tensors of an artifact; remembers which were asked for.
#[derive(Debug)]
pub struct Tensors {
    data: Vec<u8>,
    tensors: BTreeMap<String, Tensor>,
    /// Bytes of memory that may still be handed out.
    allowance: AtomicUsize,
}

impl Tensors {
    /// Takes the bytes of `tensors.safetensors`: <https://github.com/huggingface/safetensors#format>.
    pub fn parse(mut data: Vec<u8>) -> Result<Self, ArtifactError> {
        let header = header(&data)?;
        let start = 8 + header.len();
        let infos: BTreeMap<String, Info> = json::parse(header, TENSORS)?;
        if infos.len() > MAX_TENSORS {
            let count = infos.len();
            return Err(refuse(&format!("has {count} tensors; the most is {MAX_TENSORS}")));
        }
        let size = data.len() - start;
        let tensors = layout(infos, size)?;
        data.drain(..start);
        let allowance = size.saturating_mul(MAX_TENSOR_READS).saturating_add(FREE_TENSOR_READS);
        Ok(Self { data, tensors, allowance: AtomicUsize::new(allowance) })
    }

    /// The shape of a tensor; does not count as use.
    pub fn shape(&self, name: &str) -> Result<Vec<usize>, ArtifactError> {
        self.tensor(name).map(|tensor| tensor.shape.clone())
    }

    /// The type of a tensor; does not count as use.
    pub fn dtype(&self, name: &str) -> Result<Dtype, ArtifactError> {
        self.tensor(name).map(|tensor| tensor.dtype)
    }

    /// Values of F64, or of F32 widened.
    pub fn f64s(&self, name: &str) -> Result<Vec<f64>, ArtifactError> {
        match self.read::<f64>(name)? {
            (Dtype::F64, bytes) => Ok(convert(bytes, f64::from_le_bytes)),
            (Dtype::F32, bytes) => Ok(convert(bytes, |value| f32::from_le_bytes(value).into())),
            (dtype, _) => Err(wrong_dtype(name, dtype, "F64 or F32")),
        }
    }

    /// Values of F32.
    pub fn f32s(&self, name: &str) -> Result<Vec<f32>, ArtifactError> {
        match self.read::<f32>(name)? {
            (Dtype::F32, bytes) => Ok(convert(bytes, f32::from_le_bytes)),
            (dtype, _) => Err(wrong_dtype(name, dtype, "F32")),
        }
    }

    /// Values of I32, or of I16, U16, U8 widened.
    pub fn i32s(&self, name: &str) -> Result<Vec<i32>, ArtifactError> {
        match self.read::<i32>(name)? {
            (Dtype::I32, bytes) => Ok(convert(bytes, i32::from_le_bytes)),
            (Dtype::I16, bytes) => Ok(convert(bytes, |value| i16::from_le_bytes(value).into())),
            (Dtype::U16, bytes) => Ok(convert(bytes, |value| u16::from_le_bytes(value).into())),
            (Dtype::U8, bytes) => Ok(convert(bytes, |value| u8::from_le_bytes(value).into())),
            (dtype, _) => Err(wrong_dtype(name, dtype, "I32, I16, U16 or U8")),
        }
    }

    /// Values of U32.
    pub fn u32s(&self, name: &str) -> Result<Vec<u32>, ArtifactError> {
        match self.read::<u32>(name)? {
            (Dtype::U32, bytes) => Ok(convert(bytes, u32::from_le_bytes)),
            (dtype, _) => Err(wrong_dtype(name, dtype, "U32")),
        }
    }

    /// Values of U8.
    pub fn u8s(&self, name: &str) -> Result<Vec<u8>, ArtifactError> {
        match self.read::<u8>(name)? {
            (Dtype::U8, bytes) => Ok(bytes.to_vec()),
            (dtype, _) => Err(wrong_dtype(name, dtype, "U8")),
        }
    }

    /// The texts that are kept as `<name>.bytes` and `<name>.ends`.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, ArtifactError> {
        let (bytes_name, ends_name) = (format!("{name}.bytes"), format!("{name}.ends"));
        let (dtype, bytes) = self.read::<u8>(&bytes_name)?;
        if dtype != Dtype::U8 {
            return Err(wrong_dtype(&bytes_name, dtype, "U8"));
        }
        let ends = self.u32s(&ends_name)?;
        self.spend(&bytes_name, ends.len().saturating_mul(size_of::<String>() + MALLOC))?;
        let mut start = 0;
        let mut texts = Vec::with_capacity(ends.len());
        for (position, end) in ends.into_iter().enumerate() {
            let end = usize::try_from(end).unwrap_or(usize::MAX);
            let text = bytes.get(start..end).ok_or_else(|| {
                wrong(&ends_name, &format!("has {end} after {start}, of {} bytes", bytes.len()))
            })?;
            let text = str::from_utf8(text)
                .map_err(|_| wrong(&bytes_name, &format!("is not UTF-8 in text {position}")))?;
            texts.push(text.to_owned());
            start = end;
        }
        if start != bytes.len() {
            return Err(wrong(&ends_name, &format!("ends at {start}, of {} bytes", bytes.len())));
        }
        Ok(texts)
    }

    /// Names of the tensors whose values nobody asked for.
    pub fn unused(&self) -> Vec<String> {
        let is_unused = |tensor: &Tensor| !tensor.is_used.load(Ordering::Relaxed);
        let unused = self.tensors.iter().filter(|(_, tensor)| is_unused(tensor));
        unused.map(|(name, _)| name.clone()).collect()
    }

    fn tensor(&self, name: &str) -> Result<&Tensor, ArtifactError> {
        self.tensors.get(name).ok_or_else(|| wrong(name, "is not there"))
    }

    /// The bytes of a tensor that is to become values of type `T`.
    fn read<T>(&self, name: &str) -> Result<(Dtype, &[u8]), ArtifactError> {
        let tensor = self.tensor(name)?;
        // `layout` has seen that every range lies within the data.
        let bytes = self.data.get(tensor.range.clone()).unwrap_or_default();
        tensor.is_used.store(true, Ordering::Relaxed);
        self.spend(name, tensor.length.saturating_mul(size_of::<T>()))?;
        Ok((tensor.dtype, bytes))
    }

    /// A file that makes nodes share one array would otherwise cost as much as there are nodes.
    fn spend(&self, name: &str, bytes: usize) -> Result<(), ArtifactError> {
        let take = |allowance: usize| allowance.checked_sub(bytes);
        self.allowance
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .map_err(|_| wrong(name, "is read too often: too many nodes share their arrays"))?;
        Ok(())
    }
}

/// What a heap allocation takes at least, beside the `String` that owns it.
const MALLOC: usize = 32;

fn refuse(what: &str) -> ArtifactError {
    ArtifactError::new(format!("`{TENSORS}` {what}; convert the model again"))
}

fn wrong(name: &str, what: &str) -> ArtifactError {
    refuse(&format!("is wrong: tensor `{}` {what}", shorten(name)))
}

fn wrong_dtype(name: &str, is: Dtype, wanted: &str) -> ArtifactError {
    wrong(name, &format!("has the type {is}; it must be {wanted}"))
}

fn convert<const SIZE: usize, T>(bytes: &[u8], value: impl Fn([u8; SIZE]) -> T) -> Vec<T> {
    bytes.as_chunks::<SIZE>().0.iter().map(|chunk| value(*chunk)).collect()
}

/// The JSON in front of the data.
fn header(data: &[u8]) -> Result<&[u8], ArtifactError> {
    let (size, rest) = data.split_first_chunk::<8>().ok_or_else(|| refuse("has no header"))?;
    let size = u64::from_le_bytes(*size);
    let within = usize::try_from(size).ok().filter(|size| *size <= MAX_TENSORS_HEADER_BYTES);
    let Some(within) = within else {
        let most = MAX_TENSORS_HEADER_BYTES;
        return Err(refuse(&format!("declares a header of {size} bytes; the most is {most}")));
    };
    rest.get(..within).ok_or_else(|| {
        refuse(&format!("declares a header of {size} bytes and has {} after that", rest.len()))
    })
}

/// Tensors fill the data from the first byte to the last: no gap, no overlap, and each as large as its shape.
fn layout(
    infos: BTreeMap<String, Info>,
    size: usize,
) -> Result<BTreeMap<String, Tensor>, ArtifactError> {
    let mut tensors = BTreeMap::new();
    let mut infos: Vec<_> = infos.into_iter().collect();
    infos.sort_by_key(|(_, info)| info.data_offsets);
    let mut at = 0;
    for (name, info) in infos {
        let tensor = tensor(info).map_err(|what| wrong(&name, &what))?;
        let Range { start, end } = tensor.range;
        if start != at {
            return Err(wrong(&name, &format!("begins at byte {start}, not at {at}")));
        }
        if end > size {
            return Err(wrong(&name, &format!("ends at byte {end}, of {size}")));
        }
        if name.is_empty() || name.len() > MAX_NAME_LENGTH {
            let what = format!("has a name of {} bytes, not 1 to {MAX_NAME_LENGTH}", name.len());
            return Err(wrong(&name, &what));
        }
        at = end;
        tensors.insert(name, tensor);
    }
    if at != size {
        return Err(refuse(&format!("has {size} bytes of data; the tensors cover {at}")));
    }
    Ok(tensors)
}

/// The tensor that the header describes, or what is wrong with it.
fn tensor(info: Info) -> Result<Tensor, String> {
    let Info { dtype, shape, data_offsets: [start, end] } = info;
    let Some((_, dtype, size)) = DTYPES.into_iter().find(|(name, _, _)| *name == dtype) else {
        let known = DTYPES.map(|(name, _, _)| name).join(", ");
        return Err(format!("has the type `{}`; it must be one of {known}", shorten(&dtype)));
    };
    if shape.len() > MAX_DIMENSIONS {
        return Err(format!("has {} dimensions; the most is {MAX_DIMENSIONS}", shape.len()));
    }
    let length = shape.iter().try_fold(1usize, |length, count| length.checked_mul(*count));
    let bytes = length.and_then(|length| length.checked_mul(size));
    match (length, bytes) {
        (Some(length), Some(bytes)) if start.checked_add(bytes) == Some(end) => {
            let is_used = AtomicBool::new(false);
            Ok(Tensor { dtype, shape, length, range: start..end, is_used })
        }
        _ => Err(format!("has bytes {start} to {end} for shape {shape:?} of {dtype}")),
    }
}
