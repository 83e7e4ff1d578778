use crate::cells;
use arrow_array::types::*;
use arrow_array::*;
use penstock_batch::arrow::ArrowColumn;
use penstock_core::cell::{Cell, Column};
use std::sync::Arc;

/// Keys, some of them missing, into values of which one is missing.
fn dictionary<K: ArrowDictionaryKeyType>(keys: Vec<Option<K::Native>>) -> ArrayRef {
    let keys = keys.into_iter().collect::<PrimitiveArray<K>>();
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some("AA"), None, Some("UA")]));
    Arc::new(DictionaryArray::try_new(keys, values).expect("keys are in range"))
}

/// The cells by the positions of the levels.
fn by_level(column: &ArrowColumn, start: usize) -> Vec<Cell<'_>> {
    let levels = column.levels().expect("has levels");
    let mut positions = vec![0; column.len() - start];
    levels.positions(start, &mut positions);
    let cell = |at: u32| match at as usize {
        at if at < levels.count() => levels.level(at),
        _ => Cell::Missing,
    };
    positions.into_iter().map(cell).collect()
}

fn both(column: &ArrowColumn, expected: &[Cell<'_>]) {
    assert_eq!(cells(column), expected);
    for start in 0..=expected.len() {
        assert_eq!(by_level(column, start), expected[start..]);
    }
}

const EXPECTED: [Cell<'_>; 5] =
    [Cell::Text("UA"), Cell::Missing, Cell::Text("AA"), Cell::Missing, Cell::Text("UA")];

#[test]
fn dictionaries_with_a_level_that_is_missing_are_levels_by_keys_of_every_width() {
    macro_rules! all {
        ($($key:ty),*) => {
            $(let array = dictionary::<$key>(vec![Some(2), None, Some(0), Some(1), Some(2)]);
            both(&ArrowColumn::new(vec![array.clone()]), &EXPECTED);
            both(&ArrowColumn::new(vec![array.slice(1, 3)]), &EXPECTED[1..4]);)*
        };
    }
    all!(Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type);
}

#[test]
fn chunks_share_a_dictionary_or_bring_their_own() {
    let array = dictionary::<Int8Type>(vec![Some(2), None, Some(0), Some(1), Some(2)]);
    let chunks = vec![array.slice(0, 2), array.slice(2, 0), array.slice(2, 3)];
    let shared = ArrowColumn::new(chunks);
    both(&shared, &EXPECTED);
    assert_eq!(shared.levels().expect("has levels").count(), 3);
    let own: DictionaryArray<Int8Type> = vec![Some("B6"), None, Some("AA")].into_iter().collect();
    let mixed = ArrowColumn::new(vec![array.slice(0, 3), Arc::new(own)]);
    let expected = [&EXPECTED[..3], &[Cell::Text("B6"), Cell::Missing, Cell::Text("AA")]].concat();
    both(&mixed, &expected);
    assert_eq!(mixed.levels().expect("has levels").count(), 5);
}

#[test]
fn dictionaries_of_numbers_are_levels_too() {
    let keys = Int32Array::from(vec![Some(1), None, Some(0)]);
    let values: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
    let array = DictionaryArray::try_new(keys, values).expect("keys are in range");
    let column = ArrowColumn::new(vec![Arc::new(array)]);
    both(&column, &[Cell::Integer(8), Cell::Missing, Cell::Integer(7)]);
}

#[test]
fn empty_dictionaries_have_no_rows() {
    let column = ArrowColumn::new(vec![dictionary::<Int8Type>(vec![])]);
    both(&column, &[]);
    assert!(ArrowColumn::new(vec![]).levels().is_none());
    assert!(ArrowColumn::new(vec![]).is_empty());
}
