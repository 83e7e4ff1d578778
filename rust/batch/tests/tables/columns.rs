use crate::{cells, numbers};
use penstock_batch::cells::Cells;
use penstock_batch::columns::Columns;
use penstock_core::cell::{Cell, Column};

#[test]
fn columns_of_unequal_lengths_are_refused() {
    let mut columns = Columns::default();
    columns.add("a".to_owned(), Box::new(Cells(vec![Cell::Missing; 2]))).expect("is the first");
    let error = columns.add("b".to_owned(), Box::new(Cells(vec![Cell::Missing]))).unwrap_err();
    assert_eq!(error.0, "column `b` has 1 rows, not 2; send equal columns");
    let mut other = Columns::default();
    other.add("c".to_owned(), Box::new(Cells(vec![Cell::Missing; 3]))).expect("is the first");
    assert!(columns.append(other).is_err());
    assert_eq!((columns.names(), columns.rows()), (["a".to_owned()].as_slice(), 2));
}

#[test]
fn a_table_without_columns_has_the_rows_that_were_said() {
    let mut columns = Columns::default();
    columns.set_rows(3);
    assert_eq!(columns.rows(), 3);
    assert!(columns.add("a".to_owned(), Box::new(Cells(Vec::new()))).is_err());
}

#[test]
fn only_texts_become_lexical() {
    let mut columns = Columns::default();
    let values = vec![Cell::Text("1"), Cell::Integer(1), Cell::Missing];
    columns.add("a".to_owned(), Box::new(Cells(values))).expect("is the first");
    columns.set_lexical();
    let expected = [Cell::Lexical("1"), Cell::Integer(1), Cell::Missing];
    assert_eq!(cells(columns.get(0).expect("is there")), expected);
}

#[test]
fn cells_are_numbers_if_all_of_them_are() {
    let plain = Cells(vec![Cell::Number(0.5), Cell::Integer(1 << 53), Cell::Missing]);
    let found = numbers(&plain).expect("are numbers");
    assert_eq!(found[..2], [0.5, 9007199254740992.0]);
    assert!(found[2].is_nan());
    assert_eq!(cells(&plain), plain.0);
    for other in [Cell::Text("1"), Cell::Boolean(true), Cell::Integer((1 << 53) + 1), Cell::Absent]
    {
        assert_eq!(numbers(&Cells(vec![Cell::Number(1.0), other])), None);
    }
    assert!(Cells(Vec::new()).is_empty());
}
