//! Batches of JSON rows.

use crate::client::{list, post, row, send, shared, start};
use serde_json::json;

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

/// Rows of every kind: plain, odd, missing, and refused.
fn mixed(count: usize) -> Vec<String> {
    let kinds = |at: usize| match at % 7 {
        0 => row(format!("{}.5", at * 37 % 4000)),
        1 => row("null"),
        2 => row(-5),
        3 => r#"{"carrier":"never \u00e9 seen","distance":1e3,"hour":3}"#.to_owned(),
        4 => r#"{"carrier":null}"#.to_owned(),
        5 => row("\"far\""),
        _ => format!(r#"{{"carrier":"B6","distance":{},"hour":0,"id":{at}}}"#, at % 3000),
    };
    (0..count).map(kinds).collect()
}

#[test]
fn a_batch_answers_what_each_row_answers_alone() {
    let rows = mixed(500);
    let query = "?warnings&on_error=return&fields=id";
    let batch = post(query, JSON, list(rows.iter().cloned())).json();
    let answers = batch["predictions"].as_array().unwrap();
    assert_eq!(answers.len(), rows.len());
    for (at, (answer, row)) in answers.iter().zip(&rows).enumerate() {
        let mut alone = post(query, JSON, row).json();
        if alone["status"].is_number() {
            assert_eq!(answer["error"]["code"], alone["code"], "row {at}");
            assert_eq!(answer["error"]["field"], alone["field"], "row {at}");
            assert_eq!(answer["error"]["row"], json!(at));
            continue;
        }
        // Alone, a row has no id if it sends none; in a batch it has none either.
        assert_eq!(*answer, alone.take(), "row {at}");
    }
}

#[test]
fn blocks_and_single_rows_give_the_same_bytes() {
    let rows: Vec<_> = mixed(20_000).into_iter().filter(|row| !row.contains("far")).collect();
    let rows: Vec<_> = rows.into_iter().filter(|row| !row.contains("id")).take(9_000).collect();
    let large = post("", JSON, list(rows.iter().cloned())).text();
    let pieces = rows.chunks(31).map(|some| post("", JSON, list(some.iter().cloned())).text());
    let pieces: Vec<String> = pieces
        .map(|text| {
            let inside = text.strip_prefix("{\"predictions\":[").unwrap();
            inside.strip_suffix("]}").unwrap().to_owned()
        })
        .collect();
    assert!(rows.len() == 9_000);
    assert!(large == format!("{{\"predictions\":[{}]}}", pieces.join(",")));
}

#[test]
fn the_first_row_that_is_refused_fails_a_large_batch() {
    let mut rows: Vec<_> = (0..15_000).map(row).collect();
    rows[9_000] = row("\"far\"");
    rows[14_000] = row("[]");
    let answer = post("", JSON, list(rows.into_iter()));
    assert_eq!((answer.status, answer.json()["row"].clone()), (422, json!(9_000)));
}

#[test]
fn options_stand_beside_the_rows_as_well() {
    let body =
        format!(r#"{{"on_error":"return","rows":[{},{}],"fields":["hour"]}}"#, row(1), row("{}"));
    let answer = post("", JSON, body).json();
    assert_eq!(answer["predictions"][0]["hour"], json!(17));
    assert_eq!(answer["predictions"][1]["error"]["field"], json!("distance"));
}

#[test]
fn lists_are_split_where_rows_end_and_nowhere_else() {
    let odd = r#"{"carrier":"],[{\"\\","distance":1,"hour":2}"#;
    let body = format!(" [ {odd} ,\n{odd}\t] ");
    let answer = post("", JSON, body).json();
    assert_eq!(answer["predictions"].as_array().unwrap().len(), 2);
    assert_eq!(post("", JSON, "[]").json(), json!({"predictions": []}));
    for wrong in ["[{},]", "[,{}]", "[{}", "[{}]]", "[{}}]", "[{}] {}", "[\"", "[{\"a\\", "[1]", ""]
    {
        let answer = post("", JSON, wrong);
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text());
    }
}

#[test]
fn more_rows_than_allowed_are_refused() {
    let answer = post("", JSON, list((0..20_001).map(|_| "{}".to_owned())));
    assert_eq!((answer.status, answer.json()["code"].clone()), (413, json!("too_large")));
    let exact = post("", JSON, list((0..20_000).map(|_| "{}".to_owned())));
    assert_eq!(exact.status, 200);
}

#[test]
fn what_many_take_for_json_numbers_is_refused_with_a_hint() {
    for token in ["NaN", "Infinity", "-Infinity"] {
        let answer = post("", JSON, row(token));
        let detail = answer.json()["detail"].clone();
        assert_eq!(answer.status, 400);
        assert!(detail.as_str().unwrap().contains("JSON has no NaN"), "{detail}");
    }
    assert_eq!(post("", JSON, row("\"NaN\"")).status, 200);
    let infinite = post("", JSON, r#"{"hour":"Infinity"}"#).json();
    assert_eq!(infinite["code"], json!("infinite"));
}

#[test]
fn an_integer_that_fits_no_64_bits_is_refused_as_any_other_that_no_float_holds() {
    for digits in ["9007199254740993", "18446744073709551616", "-9223372036854775809"] {
        let rows = format!("[{},{}]", row(1), row(digits));
        for (media_type, body) in [(JSON, row(digits)), (LINES, row(digits)), (JSON, rows)] {
            let answer = post("?on_error=return", media_type, body).text();
            assert!(answer.contains(r#""code":"integer_too_large""#), "{media_type}: {answer}");
        }
    }
    assert_eq!(post("", JSON, row("1.8446744073709552e19")).status, 200);
}

#[test]
fn a_column_is_sent_back_though_a_key_before_it_is_wrong() {
    let rows = r#"[{"hours":1,"id":7},{"id":8,"id":9}]"#;
    let headers = [("content-type", JSON), ("accept", "text/csv")];
    let text = send(shared(), "?on_error=return&fields=id", &headers, rows.as_bytes()).text();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[1].starts_with("7,") && lines[1].contains("`hours`"), "{text}");
    assert!(lines[2].contains("key `id` is there twice"), "{text}");
}

#[test]
fn a_field_that_is_in_the_answer_already_is_refused_by_name() {
    let rows = format!("[{}]", row(1));
    for (query, name) in [
        ("?fields=label", "`label`"),
        ("?fields=hour,probability", "`probability`"),
        ("?fields=hour,hour", "`hour`"),
        ("?fields=warnings&warnings", "`warnings`"),
    ] {
        for (media_type, body) in [(JSON, row(1)), (JSON, rows.clone()), (LINES, row(1))] {
            let answer = post(query, media_type, body);
            assert_eq!(answer.status, 422, "{query} {media_type}");
            assert!(answer.json()["detail"].as_str().unwrap().contains(name), "{}", answer.text());
        }
    }
    assert_eq!(post("?fields=warnings", JSON, row(1)).status, 200);
}

#[test]
fn more_rows_than_may_be_explained_are_refused() {
    let gateway = start(&["--max-explained-rows", "10"]);
    let ask = |rows: usize, query: &str, media_type: &str| {
        let body = match media_type {
            JSON => list((0..rows).map(row)),
            _ => format!("carrier\n{}", "UA\n".repeat(rows)),
        };
        send(gateway, query, &[("content-type", media_type)], body.as_bytes())
    };
    for media_type in [JSON, "text/csv"] {
        let refused = ask(11, "?explain=1", media_type);
        assert_eq!((refused.status, &refused.json()["code"]), (413, &json!("too_large")));
        // This model cannot be explained, and that is all that is wrong then.
        assert_eq!(ask(10, "?explain=1", media_type).json()["code"], json!("unsupported"));
        assert_eq!(ask(11, "", media_type).status, 200);
    }
}
