//! Values of Arrow arrays as cells, by the types of the arrays.

use super::validity::each_missing;
use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::Array;
use arrow_schema::{DataType, TimeUnit};
use penstock_core::cell::Cell;

macro_rules! read_values {
    ($array:expr, $from:expr, $cells:expr, $cell:expr) => {{
        let array = $array;
        for (at, cell) in $cells.iter_mut().enumerate() {
            *cell = $cell(array.value($from + at));
        }
        each_missing(array.nulls(), $from, $cells.len(), |at| $cells[at] = Cell::Missing);
    }};
}

macro_rules! read_primitive {
    ($array:expr, $from:expr, $cells:expr, $type:ty, $cell:expr) => {
        read_values!($array.as_primitive::<$type>(), $from, $cells, $cell)
    };
}

/// Writes the cells of rows `from..from + cells.len()` of one array.
pub(super) fn read_array<'a>(array: &'a dyn Array, from: usize, cells: &mut [Cell<'a>]) {
    let integer = Cell::Integer;
    match array.data_type() {
        DataType::Float64 => read_primitive!(array, from, cells, Float64Type, Cell::Number),
        DataType::Float32 => {
            read_primitive!(array, from, cells, Float32Type, |x| Cell::Number(f64::from(x)));
        }
        DataType::Float16 => {
            read_primitive!(array, from, cells, Float16Type, |x| Cell::Number(f64::from(x)));
        }
        DataType::Int64 => read_primitive!(array, from, cells, Int64Type, integer),
        DataType::Int32 => {
            read_primitive!(array, from, cells, Int32Type, |x| integer(i64::from(x)))
        }
        DataType::Int16 => {
            read_primitive!(array, from, cells, Int16Type, |x| integer(i64::from(x)))
        }
        DataType::Int8 => read_primitive!(array, from, cells, Int8Type, |x| integer(i64::from(x))),
        DataType::UInt64 => read_primitive!(array, from, cells, UInt64Type, |x| {
            i64::try_from(x).map_or(Cell::HugeInteger, Cell::Integer)
        }),
        DataType::UInt32 => {
            read_primitive!(array, from, cells, UInt32Type, |x| integer(i64::from(x)));
        }
        DataType::UInt16 => {
            read_primitive!(array, from, cells, UInt16Type, |x| integer(i64::from(x)));
        }
        DataType::UInt8 => {
            read_primitive!(array, from, cells, UInt8Type, |x| integer(i64::from(x)))
        }
        DataType::Boolean => read_values!(array.as_boolean(), from, cells, Cell::Boolean),
        DataType::Utf8 => read_values!(array.as_string::<i32>(), from, cells, Cell::Text),
        DataType::LargeUtf8 => read_values!(array.as_string::<i64>(), from, cells, Cell::Text),
        DataType::Utf8View => read_values!(array.as_string_view(), from, cells, Cell::Text),
        DataType::Null => cells.fill(Cell::Missing),
        DataType::Dictionary(_, _) => read_dictionary(array, from, cells),
        DataType::Date32 => read_primitive!(array, from, cells, Date32Type, |x| {
            Cell::Timestamp(i64::from(x) * 86_400_000_000)
        }),
        DataType::Date64 => read_primitive!(array, from, cells, Date64Type, |x: i64| {
            x.checked_mul(1_000).map_or(Cell::HugeInteger, Cell::Timestamp)
        }),
        DataType::Timestamp(unit, _) => read_timestamps(array, *unit, from, cells),
        DataType::Decimal32(..) => read_decimals::<Decimal32Type>(array, from, cells),
        DataType::Decimal64(..) => read_decimals::<Decimal64Type>(array, from, cells),
        DataType::Decimal128(..) => read_decimals::<Decimal128Type>(array, from, cells),
        DataType::Decimal256(..) => read_decimals::<Decimal256Type>(array, from, cells),
        _ => read_unsupported(array, from, cells),
    }
}

/// Decimals with a fraction as the closest number, others as integers.
fn read_decimals<T: DecimalType>(array: &dyn Array, from: usize, cells: &mut [Cell<'_>]) {
    let array = array.as_primitive::<T>();
    for (at, cell) in cells.iter_mut().enumerate() {
        let row = from + at;
        *cell = match (array.is_null(row), array.scale()) {
            (true, _) => Cell::Missing,
            (false, ..=0) => {
                array.value_as_string(row).parse().map_or(Cell::HugeInteger, Cell::Integer)
            }
            // The text is exact, so that parsing rounds once.
            _ => array.value_as_string(row).parse().map_or(Cell::Other("a decimal"), Cell::Number),
        };
    }
}

fn read_dictionary<'a>(array: &'a dyn Array, from: usize, cells: &mut [Cell<'a>]) {
    let dictionary = array.as_any_dictionary();
    let (keys, values) = (dictionary.keys(), dictionary.values().as_ref());
    let mut key_cells = [Cell::Missing];
    for (at, cell) in cells.iter_mut().enumerate() {
        read_array(keys, from + at, &mut key_cells);
        let key = match key_cells {
            [Cell::Integer(key)] => usize::try_from(key).ok(),
            _ => None,
        };
        match key {
            Some(key) if key < values.len() => read_array(values, key, std::slice::from_mut(cell)),
            _ => *cell = Cell::Missing,
        }
    }
}

fn read_timestamps<'a>(array: &'a dyn Array, unit: TimeUnit, from: usize, cells: &mut [Cell<'a>]) {
    let time =
        |x: i64, factor: i64| x.checked_mul(factor).map_or(Cell::HugeInteger, Cell::Timestamp);
    match unit {
        TimeUnit::Second => {
            read_primitive!(array, from, cells, TimestampSecondType, |x| time(x, 1_000_000));
        }
        TimeUnit::Millisecond => {
            read_primitive!(array, from, cells, TimestampMillisecondType, |x| time(x, 1_000));
        }
        TimeUnit::Microsecond => {
            read_primitive!(array, from, cells, TimestampMicrosecondType, |x| time(x, 1));
        }
        TimeUnit::Nanosecond => {
            read_primitive!(array, from, cells, TimestampNanosecondType, |x: i64| {
                Cell::Timestamp(x.div_euclid(1_000))
            });
        }
    }
}

fn read_unsupported<'a>(array: &'a dyn Array, from: usize, cells: &mut [Cell<'a>]) {
    let kind = match array.data_type() {
        DataType::Time32(_) | DataType::Time64(_) => "a time of day",
        DataType::Duration(_) | DataType::Interval(_) => "a duration",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "bytes",
        DataType::FixedSizeBinary(_) => "bytes",
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => "a list",
        DataType::Struct(_) => "a struct",
        _ => "a value of an Arrow type that no column takes",
    };
    for (at, cell) in cells.iter_mut().enumerate() {
        *cell = if array.is_null(from + at) { Cell::Missing } else { Cell::Other(kind) };
    }
}
