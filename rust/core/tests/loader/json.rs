//! Strict JSON: one value, no key twice, bounded depth and memory.

use penstock_core::json::check;

fn refusal(text: &str) -> String {
    check(text.as_bytes(), "x.json").expect_err("must be refused").0
}

#[test]
fn json_of_every_kind_is_accepted() {
    let text =
        r#" {"a": [1, -2, 3e5, true, false, null, "\u00e9\ud83d\ude00"], "b": {"a": {}}, "": ""} "#;
    assert_eq!(check(text.as_bytes(), "x.json"), Ok(()));
}

#[test]
fn a_key_that_is_there_twice_is_refused_and_named() {
    assert!(refusal(r#"{"a": 1, "a": 1}"#).contains("`x.json`: key `a` is there twice"));
    assert!(refusal(r#"[{"x": {"b": 1, "a": {"b": 2}, "c": 3, "b": 4}}]"#)
        .contains("key `b` is there twice"));
    // The same key with and without an escape.
    assert!(refusal(r#"{"a": 1, "\u0061": 1}"#).contains("key `a` is there twice"));
}

#[test]
fn texts_that_are_not_json_are_refused() {
    let texts = [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\" 1}",
        "nul",
        "NaN",
        "Infinity",
        "1e999",
        "01",
        "'a'",
        "[1] [2]",
        "\u{feff}{}",
        "\"\\ud800\"",
        "\"\n\"",
        "{1: 2}",
        "/* */ 1",
    ];
    for text in texts {
        assert!(check(text.as_bytes(), "x.json").is_err(), "{text:?}");
    }
    assert!(check(b"\"\xff\"", "x.json").is_err());
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(check(nested(64).as_bytes(), "x.json"), Ok(()));
    assert!(refusal(&nested(65)).contains("nested deeper than 64 levels"));
    assert!(refusal(&"[".repeat(1_000_000)).contains("nested deeper than 64 levels"));
    assert!(refusal(&"{\"a\":".repeat(100_000)).contains("nested deeper than 64 levels"));
}

#[test]
fn memory_of_the_tree_is_bounded() {
    let many = |item: &str| format!("[{}0]", item.repeat(4_000_000));
    assert!(refusal(&many("0,")).contains("more values than fit"));
    assert!(refusal(&many("{},").replacen("0]", "{}]", 1)).contains("more values than fit"));
    assert!(refusal(&many("{\"\":0},")).contains("more values than fit"));
}
