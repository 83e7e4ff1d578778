//! JSON rows for a model that was loaded: cells, keys that are wrong, and integers that no float holds.

use crate::world::{entries, examples, manifest, node, output, safetensors};
use penstock_core::archive;
use penstock_core::cell::Cell;
use penstock_core::model::Model;
use penstock_core::rows::{Rows, WrongRow};
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

/// Its fields are `age` (number), `carrier` (text) and `id` (ignored).
static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let mut manifest = manifest();
    manifest["graph"]["nodes"] = json!([node("all", "concat", &["field:age"])]);
    manifest["schema"]["outputs"] = json!([output("value", "number", "all")]);
    manifest["operators"] = json!({"concat": 1});
    let data = archive::write(&entries(manifest, safetensors(&[]), examples(), b""));
    Model::open(&data, false).expect("valid")
});

/// What is said of a row that is refused.
#[track_caller]
fn refusal(row: &str) -> String {
    let mut rows = Rows::new(&MODEL.plan, Vec::new());
    let wrong = rows.read(&MODEL.plan, row.as_bytes()).expect_err("must be refused");
    assert!(rows.cells(0).all(|cell| cell == Cell::Absent), "{row}");
    wrong.into_schema_error(row.as_bytes()).0
}

#[track_caller]
fn assert_age(row: &str, expected: Cell<'_>) {
    let mut rows = Rows::new(&MODEL.plan, Vec::new());
    rows.read(&MODEL.plan, row.as_bytes()).expect("is a row");
    assert_eq!(rows.cells(0).next(), Some(expected), "{row}");
}

#[test]
fn values_become_cells_in_the_order_of_the_fields() {
    let mut rows = Rows::new(&MODEL.plan, Vec::new());
    rows.read(&MODEL.plan, br#"{"carrier":"\u0055A","age":-3}"#).expect("is a row");
    rows.read(&MODEL.plan, br#" {"id":[{}],"carrier":null,"age":{"a":1}} "#).expect("is a row");
    let cells: Vec<Cell<'_>> = rows.cells(0).chain(rows.cells(1)).collect();
    let first = [Cell::Integer(-3), Cell::Text("UA"), Cell::Absent];
    let second = [Cell::Other("an object"), Cell::Missing, Cell::Other("a list")];
    assert_eq!(cells, [first, second].concat());
}

#[test]
fn an_integer_that_fits_no_64_bits_is_no_float() {
    for digits in [
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775809",
        "100000000000000000000000000000",
    ] {
        assert_age(&format!(r#"{{"age":{digits}}}"#), Cell::HugeInteger);
        // Beside a key with an escape, and in a value that is kept.
        assert_age(&format!(r#"{{"\u0061ge" : {digits} , "carrier":"a\"b"}}"#), Cell::HugeInteger);
        let row = format!(r#"{{"age":{digits}}}"#);
        let mut rows = Rows::new(&MODEL.plan, vec!["age".to_owned()]);
        rows.read(&MODEL.plan, row.as_bytes()).expect("is a row");
        assert_eq!(rows.cells(0).next(), Some(Cell::HugeInteger));
    }
    assert_age(r#"{"age":9223372036854775807}"#, Cell::Integer(i64::MAX));
    assert_age(r#"{"age":-9223372036854775808}"#, Cell::Integer(i64::MIN));
    for (text, x) in [
        ("1e20", 1e20),
        ("100000000000000000000.0", 1e20),
        ("-1E300", -1e300),
        ("9223372036854775808.5", 9_223_372_036_854_775_808.0),
    ] {
        assert_age(&format!(r#"{{"age":{text}}}"#), Cell::Number(x));
    }
    assert_age(
        r#"{"age":"Infinity","carrier":"99999999999999999999"}"#,
        Cell::Number(f64::INFINITY),
    );
}

#[test]
fn the_first_wrong_key_is_told() {
    let said = refusal(r#"{"zzz":1,"aaa":2,"age":1,"age":2}"#);
    assert!(said.starts_with("column `zzz` is not an input of the model"), "{said}");
    assert_eq!(refusal(r#"{"age":1,"age":2}"#), "key `age` is there twice; send it once");
    assert_eq!(
        refusal(r#"{"age":null,"\u0061ge":1e20}"#),
        "key `age` is there twice; send it once"
    );
}

#[test]
fn what_is_no_json_object_is_refused_and_leaves_an_absent_row() {
    for row in ["", "[1]", "1", "null", "{", r#"{"age":1"#, r#"{"age":1} x"#, r#"{"age":01}"#] {
        let said = refusal(row);
        assert!(said.starts_with("the row is not a JSON object: "), "{said}");
    }
    for row in [r#"{"age":NaN}"#, r#"{"age":-Infinity}"#, r#"{"age":nan}"#] {
        assert!(refusal(row).ends_with("send null, or the texts \"NaN\" and \"Infinity\""));
    }
    let mut rows = Rows::new(&MODEL.plan, vec!["id".to_owned()]);
    rows.read(&MODEL.plan, br#"{"age":1,"id":7}"#).expect("is a row");
    let wrong = rows.read(&MODEL.plan, br#"{"id":8,"age":2,"#);
    assert!(matches!(wrong, Err(WrongRow::Json(_))));
    rows.read(&MODEL.plan, br#"{"age":3}"#).expect("is a row");
    let ages: Vec<_> = (0..3).filter_map(|row| rows.cells(row).next()).collect();
    assert_eq!(ages, [Cell::Integer(1), Cell::Absent, Cell::Integer(3)]);
    let ids: Vec<_> = (0..3).filter_map(|row| rows.kept(row).next()).collect();
    let ids: Vec<_> = ids.iter().map(|(_, raw)| raw.map(|raw| raw.get())).collect();
    assert_eq!(ids, [Some("7"), None, None]);
}

#[test]
fn a_value_is_kept_though_a_key_before_it_is_wrong() {
    let kept = ["id", "note"].map(str::to_owned).to_vec();
    let mut rows = Rows::new(&MODEL.plan, kept);
    let wrong = rows.read(&MODEL.plan, br#"{"agee":1,"id":"a","note":[1, 2]}"#);
    assert!(matches!(wrong, Err(WrongRow::Key(wrong)) if wrong.key == "agee"));
    let kept: Vec<_> = rows.kept(0).map(|(_, raw)| raw.map(|raw| raw.get())).collect();
    assert_eq!(kept, [Some(r#""a""#), Some("[1, 2]")]);
    let wrong = rows.read(&MODEL.plan, br#"{"note":1,"note":2}"#);
    assert!(matches!(wrong, Err(WrongRow::Key(wrong)) if wrong.key == "note"));
}

proptest! {
    #[test]
    fn numbers_are_read_as_rust_reads_them(x in any::<f64>(), whole in any::<i128>()) {
        prop_assume!(x.is_finite());
        assert_age(&format!(r#"{{"age":{x:e}}}"#), number(&format!("{x:e}")));
        for whole in [whole, whole >> 40, whole >> 64, whole >> 66, whole >> 80] {
            let cell = i64::try_from(whole).map_or(Cell::HugeInteger, Cell::Integer);
            assert_age(&format!(r#"{{"age":{whole}}}"#), cell);
            assert_age(&format!(r#"{{"age":{whole}.0}}"#), Cell::Number(whole as f64));
        }
    }
}

fn number(text: &str) -> Cell<'static> {
    text.parse().map_or(Cell::Absent, Cell::Number)
}
