use crate::{cells, numbers};
use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::i256;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use penstock_batch::arrow::{self, ArrowColumn};
use penstock_core::cell::Cell;
use std::sync::Arc;

const DAY: i64 = 86_400_000_000;

/// Cells of an array behind two rows that are sliced away, and of three chunks.
fn read(array: ArrayRef, expected: &[Cell<'_>]) {
    let rows = array.len();
    assert_eq!(cells(&ArrowColumn::new(vec![array.clone()])), expected, "{:?}", array.data_type());
    let sliced = ArrowColumn::new(vec![array.slice(1, rows - 1)]);
    assert_eq!(cells(&sliced), expected[1..], "{:?}", array.data_type());
    let chunks = [(0, 1), (1, 0), (1, rows - 1)];
    let chunks = chunks.map(|(from, count)| array.slice(from, count)).to_vec();
    assert_eq!(cells(&ArrowColumn::new(chunks)), expected, "{:?}", array.data_type());
}

fn primitive<T: ArrowPrimitiveType>(values: [T::Native; 2], expected: [Cell<'_>; 2]) {
    let [first, last] = values;
    let array = PrimitiveArray::<T>::from_iter([Some(first), None, Some(last)]);
    read(Arc::new(array), &[expected[0], Cell::Missing, expected[1]]);
}

#[test]
fn numbers_of_every_width_are_read() {
    primitive::<Float64Type>([0.5, f64::INFINITY], [0.5, f64::INFINITY].map(Cell::Number));
    primitive::<Float32Type>([0.1, -2.0], [f64::from(0.1_f32), -2.0].map(Cell::Number));
    let half = [0.5, -2.0].map(<Float16Type as ArrowPrimitiveType>::Native::from_f32);
    primitive::<Float16Type>(half, [0.5, -2.0].map(Cell::Number));
    primitive::<Int64Type>([i64::MIN, i64::MAX], [i64::MIN, i64::MAX].map(Cell::Integer));
    primitive::<Int32Type>([-1, 2], [-1, 2].map(Cell::Integer));
    primitive::<Int16Type>([-1, 2], [-1, 2].map(Cell::Integer));
    primitive::<Int8Type>([-1, 2], [-1, 2].map(Cell::Integer));
    primitive::<UInt64Type>([1, u64::MAX], [Cell::Integer(1), Cell::HugeInteger]);
    primitive::<UInt32Type>([1, u32::MAX], [1, 4294967295].map(Cell::Integer));
    primitive::<UInt16Type>([1, 2], [1, 2].map(Cell::Integer));
    primitive::<UInt8Type>([1, 2], [1, 2].map(Cell::Integer));
}

#[test]
fn times_are_microseconds() {
    primitive::<Date32Type>([-1, 2], [-DAY, 2 * DAY].map(Cell::Timestamp));
    primitive::<Date64Type>([5, i64::MAX], [Cell::Timestamp(5000), Cell::HugeInteger]);
    primitive::<TimestampSecondType>(
        [-1, i64::MAX],
        [Cell::Timestamp(-1_000_000), Cell::HugeInteger],
    );
    primitive::<TimestampMillisecondType>([1, -1], [1000, -1000].map(Cell::Timestamp));
    primitive::<TimestampMicrosecondType>([1, -1], [1, -1].map(Cell::Timestamp));
    primitive::<TimestampNanosecondType>([1999, -1], [1, -1].map(Cell::Timestamp));
    let zoned = TimestampSecondArray::from(vec![1, 2]).with_timezone("+02:00");
    read(Arc::new(zoned), &[1_000_000, 2_000_000].map(Cell::Timestamp));
}

#[test]
fn decimals_are_the_closest_number_or_an_integer() {
    let fraction = Decimal128Array::from(vec![Some(12345), None, Some(-5)]);
    let fraction = fraction.with_precision_and_scale(10, 2).expect("fits");
    read(Arc::new(fraction), &[Cell::Number(123.45), Cell::Missing, Cell::Number(-0.05)]);
    let whole = Decimal128Array::from(vec![Some(7), None, Some(i128::from(u64::MAX) * 10)]);
    let whole = whole.with_precision_and_scale(38, 0).expect("fits");
    read(Arc::new(whole), &[Cell::Integer(7), Cell::Missing, Cell::HugeInteger]);
    let scaled = Decimal256Array::from(vec![Some(i256::from(7)), None]);
    let scaled = scaled.with_precision_and_scale(40, 1).expect("fits");
    read(Arc::new(scaled), &[Cell::Number(0.7), Cell::Missing]);
    let small = Decimal64Array::from(vec![Some(75), None]).with_precision_and_scale(5, 1);
    read(Arc::new(small.expect("fits")), &[Cell::Number(7.5), Cell::Missing]);
    let small = Decimal32Array::from(vec![Some(75), None]).with_precision_and_scale(5, 1);
    read(Arc::new(small.expect("fits")), &[Cell::Number(7.5), Cell::Missing]);
}

#[test]
fn texts_and_booleans_are_read() {
    let texts = vec![Some("é"), None, Some(""), Some("longer than what a view holds")];
    let expected = texts.iter().map(|text| text.map_or(Cell::Missing, Cell::Text));
    let expected: Vec<_> = expected.collect();
    read(Arc::new(StringArray::from(texts.clone())), &expected);
    read(Arc::new(LargeStringArray::from(texts.clone())), &expected);
    read(Arc::new(StringViewArray::from(texts)), &expected);
    let booleans = BooleanArray::from(vec![Some(true), None, Some(false)]);
    read(Arc::new(booleans), &[Cell::Boolean(true), Cell::Missing, Cell::Boolean(false)]);
    read(Arc::new(NullArray::new(2)), &[Cell::Missing; 2]);
}

#[test]
fn values_that_no_field_takes_are_named() {
    let bytes = Cell::Other("bytes");
    read(Arc::new(BinaryArray::from(vec![Some(b"x".as_slice()), None])), &[bytes, Cell::Missing]);
    let time = Cell::Other("a time of day");
    primitive::<Time32SecondType>([1, 2], [time, time]);
    let duration = Cell::Other("a duration");
    primitive::<DurationSecondType>([1, 2], [duration, duration]);
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)]), None]);
    read(Arc::new(lists), &[Cell::Other("a list"), Cell::Missing]);
}

#[test]
fn missing_values_are_found_at_every_offset() {
    let values = (0..300).map(|at| (at % 3 != 0 && at % 64 != 63).then_some(f64::from(at)));
    let array: ArrayRef = Arc::new(values.clone().collect::<Float64Array>());
    let expected: Vec<_> = values.map(|x| x.map_or(Cell::Missing, Cell::Number)).collect();
    for (from, count) in [(0, 300), (1, 64), (63, 65), (65, 128), (299, 1), (300, 0)] {
        let column = ArrowColumn::new(vec![array.slice(from, count)]);
        assert_eq!(cells(&column), expected[from..from + count]);
        let found = numbers(&column).expect("are numbers");
        for (found, expected) in found.iter().zip(&expected[from..]) {
            assert_eq!(found.is_nan(), *expected == Cell::Missing);
        }
    }
}

#[test]
fn integers_that_no_number_holds_are_left_to_a_closer_look() {
    let most = 1_i64 << 53;
    let column = |value| ArrowColumn::new(vec![Arc::new(Int64Array::from(vec![1, value]))]);
    assert_eq!(numbers(&column(most - 1)), Some(vec![1.0, 9007199254740991.0]));
    assert_eq!(numbers(&column(most + 1)), None);
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
    assert_eq!(numbers(&ArrowColumn::new(vec![texts])), None);
}

fn batch(numbers: Vec<f64>) -> RecordBatch {
    let texts: StringArray = numbers.iter().map(|x| (*x > 0.0).then_some("up")).collect();
    let columns: [(&str, ArrayRef); 2] =
        [("x", Arc::new(Float64Array::from(numbers))), ("text", Arc::new(texts))];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .expect("is a batch")
}

#[test]
fn record_batches_of_one_schema_are_one_table() {
    let batches = [batch(vec![1.0, -1.0]), batch(vec![]), batch(vec![3.0])];
    let columns = arrow::columns(&batches[0].schema(), &batches).expect("have one schema");
    assert_eq!((columns.names().to_vec(), columns.rows()), (vec!["x".into(), "text".into()], 3));
    let (x, text) = (columns.get(0).expect("is there"), columns.get(1).expect("is there"));
    assert_eq!(numbers(x), Some(vec![1.0, -1.0, 3.0]));
    assert_eq!(cells(text), [Cell::Text("up"), Cell::Missing, Cell::Text("up")]);
}

#[test]
fn a_table_may_have_no_rows_or_no_columns() {
    let schema = batch(vec![]).schema();
    for batches in [vec![], vec![batch(vec![])]] {
        let columns = arrow::columns(&schema, &batches).expect("have one schema");
        assert_eq!((columns.names().len(), columns.rows()), (2, 0));
        assert!(cells(columns.get(1).expect("is there")).is_empty());
        assert_eq!(numbers(columns.get(0).expect("is there")), Some(vec![]));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(4));
    let bare = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options);
    let columns = arrow::columns(&Schema::empty(), &[bare.expect("is a batch")]);
    assert_eq!(columns.expect("have one schema").rows(), 4);
}

#[test]
fn record_batches_of_another_schema_are_refused() {
    let time = DataType::Timestamp(TimeUnit::Second, None);
    for fields in [
        vec![Field::new("x", DataType::Float64, true)],
        vec![Field::new("x", time, true), Field::new("text", DataType::Utf8, true)],
        vec![Field::new("y", DataType::Float64, true), Field::new("text", DataType::Utf8, true)],
    ] {
        let error = arrow::columns(&Schema::new(fields), &[batch(vec![1.0])]).err();
        let error = error.expect("is refused").0;
        assert_eq!(error, "record batch 0 has another schema than the table; send one");
    }
}
