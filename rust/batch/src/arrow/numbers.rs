//! Arrow arrays of numbers, read without a cell for each.

use super::validity::each_missing;
use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray};
use arrow_schema::DataType;
use penstock_core::cell::LARGEST_INTEGER;

/// Writes the numbers of rows `from..from + numbers.len()` of one array, missing ones as NaN; `false` if some value is
/// no number, or an integer that an f64 may not hold.
pub(super) fn read(array: &dyn Array, from: usize, numbers: &mut [f64]) -> bool {
    match array.data_type() {
        DataType::Float64 => floats(array.as_primitive::<Float64Type>(), from, numbers, |x| x),
        DataType::Float32 => floats(array.as_primitive::<Float32Type>(), from, numbers, f64::from),
        DataType::Int64 => {
            let array = array.as_primitive::<Int64Type>();
            floats(array, from, numbers, |x| x as f64) && hold(numbers)
        }
        DataType::UInt64 => {
            let array = array.as_primitive::<UInt64Type>();
            floats(array, from, numbers, |x| x as f64) && hold(numbers)
        }
        DataType::Int32 => floats(array.as_primitive::<Int32Type>(), from, numbers, f64::from),
        DataType::Int16 => floats(array.as_primitive::<Int16Type>(), from, numbers, f64::from),
        DataType::Int8 => floats(array.as_primitive::<Int8Type>(), from, numbers, f64::from),
        DataType::UInt32 => floats(array.as_primitive::<UInt32Type>(), from, numbers, f64::from),
        DataType::UInt16 => floats(array.as_primitive::<UInt16Type>(), from, numbers, f64::from),
        DataType::UInt8 => floats(array.as_primitive::<UInt8Type>(), from, numbers, f64::from),
        _ => false,
    }
}

fn floats<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    from: usize,
    numbers: &mut [f64],
    number: impl Fn(T::Native) -> f64,
) -> bool {
    let values = &array.values()[from..][..numbers.len()];
    numbers.iter_mut().zip(values).for_each(|(to, value)| *to = number(*value));
    each_missing(array.nulls(), from, numbers.len(), |row| numbers[row] = f64::NAN);
    true
}

/// Whether all integers are below the first that stands for its neighbor as well.
fn hold(numbers: &[f64]) -> bool {
    let most = LARGEST_INTEGER as f64;
    numbers.iter().fold(true, |hold, x| hold & ((x.abs() < most) | x.is_nan()))
}
