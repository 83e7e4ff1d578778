//! Rows as CSV and Arrow, and answers as tables.

use crate::client::{list, post, row, send, shared, Answer};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, DictionaryArray, Float64Array, Int64Array, RecordBatch,
    UInt64Array,
};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use serde_json::{json, Value};
use std::sync::Arc;

const JSON: &str = "application/json";
const CSV: &str = "text/csv";
const ARROW: &str = "application/vnd.apache.arrow.stream";

fn ask(query: &str, sent: &str, wanted: &str, body: impl AsRef<[u8]>) -> Answer {
    let headers = [("content-type", sent), ("accept", wanted)];
    send(shared(), query, &headers, body.as_ref())
}

/// Rows in which something is missing, unseen or out of range, with an `id` that is no input.
fn csv(count: usize) -> String {
    let mut text = "id,hour,carrier,distance\n".to_owned();
    for at in 0..count {
        let carrier = ["UA", "B6", "", "\"never, \"\"seen\"\"\""][at % 4];
        text.push_str(&format!("{at},{},{carrier},{}\n", at % 24, at as f64 * 1.5 - 10.0));
    }
    text
}

fn json(count: usize) -> String {
    list((0..count).map(|at| {
        let carrier = ["\"UA\"", "\"B6\"", "null", "\"never, \\\"seen\\\"\""][at % 4];
        let distance = at as f64 * 1.5 - 10.0;
        format!(r#"{{"hour":{},"carrier":{carrier},"distance":{distance},"id":"{at}"}}"#, at % 24)
    }))
}

fn arrow(count: usize) -> Vec<u8> {
    let carriers =
        (0..count).map(|at| [Some("UA"), Some("B6"), None, Some("never, \"seen\"")][at % 4]);
    let carriers: DictionaryArray<Int32Type> = carriers.collect();
    let distances = Float64Array::from_iter_values((0..count).map(|at| at as f64 * 1.5 - 10.0));
    let hours = Int64Array::from_iter_values((0..count as i64).map(|at| at % 24));
    let ids = Int64Array::from_iter_values(0..count as i64);
    let columns: [(&str, ArrayRef); 4] = [
        ("hour", Arc::new(hours)),
        ("carrier", Arc::new(carriers)),
        ("distance", Arc::new(distances)),
        ("id", Arc::new(ids)),
    ];
    stream(&RecordBatch::try_from_iter(columns).unwrap(), 700)
}

/// A stream of batches of so many rows.
fn stream(table: &RecordBatch, rows: usize) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &table.schema()).unwrap();
    for start in (0..table.num_rows()).step_by(rows) {
        writer.write(&table.slice(start, rows.min(table.num_rows() - start))).unwrap();
    }
    writer.into_inner().unwrap()
}

fn batches(answer: &Answer) -> Vec<RecordBatch> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let reader = StreamReader::try_new(answer.body.as_slice(), None).unwrap();
    reader.map(Result::unwrap).collect()
}

fn predictions(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["predictions"].as_array().unwrap().clone()
}

#[test]
fn the_same_rows_get_the_same_answers_in_every_form() {
    for count in [5, 5_000] {
        let query = "?warnings&fields=carrier,id";
        let of_json = predictions(&ask(query, JSON, JSON, json(count)));
        let of_csv = predictions(&ask(query, CSV, JSON, csv(count)));
        let mut of_arrow = predictions(&ask(query, ARROW, JSON, arrow(count)));
        for (at, answer) in of_arrow.iter_mut().enumerate() {
            assert_eq!(answer["id"], json!(at));
            answer["id"] = json!(at.to_string());
        }
        assert_eq!(of_json.len(), count);
        assert!(of_json == of_csv);
        assert!(of_json == of_arrow);
    }
}

#[test]
fn tables_hold_the_same_numbers_as_json() {
    let expected = predictions(&ask("?fields=id", CSV, JSON, csv(5_000)));
    let expected: Vec<_> =
        expected.iter().map(|answer| answer["probability"]["late"].as_f64().unwrap()).collect();
    let text = ask("?fields=id", ARROW, CSV, arrow(5_000)).text();
    let of_csv =
        text.lines().skip(1).map(|line| line.split(',').nth(2).unwrap().parse::<f64>().unwrap());
    assert!(of_csv.eq(expected.iter().copied()));
    let answer = ask("?fields=id", JSON, ARROW, json(5_000));
    let of_arrow = batches(&answer).into_iter().flat_map(|batch| {
        let numbers = batch.column_by_name("probability_late").unwrap();
        numbers.as_primitive::<Float64Type>().values().to_vec()
    });
    assert!(of_arrow.eq(expected));
}

#[test]
fn columns_of_a_csv_are_those_of_pythons_tables() {
    let answer = ask("?fields=id,carrier&on_error=return&warnings", CSV, "*/*", csv(4));
    assert_eq!(answer.header("content-type"), Some(CSV));
    let text = answer.text();
    let header = text.lines().next().unwrap();
    let columns = "id,carrier,label,probability_late,probability_on time,error,warnings";
    assert_eq!(header, columns);
    assert!(text.lines().nth(4).unwrap().starts_with("3,\"never, \"\"seen\"\"\","), "{text}");
    assert!(text.lines().nth(1).unwrap().contains("\"\"code\"\":\"\"out_of_range\"\""), "{text}");
}

#[test]
fn an_arrow_answer_has_labels_as_a_dictionary_and_sends_columns_back_as_they_came() {
    let answer = ask("?fields=id,carrier", ARROW, "*/*", arrow(5_000));
    let batches = batches(&answer);
    let ids = batches.iter().flat_map(|batch| {
        let ids: &Int64Array = batch.column(0).as_primitive();
        ids.values().to_vec()
    });
    assert!(ids.eq(0..5_000));
    let schema = batches[0].schema();
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["id", "carrier", "label", "probability_late", "probability_on time"]);
    assert!(batches[0].column(1).as_any_dictionary_opt().is_some());
    assert!(batches[0].column(2).as_any_dictionary_opt().is_some());
}

#[test]
fn refused_rows_are_missing_in_tables_and_say_why() {
    let rows = format!("[{},{},{}]", row(1), row("\"far\""), r#"{"colour":1}"#);
    let answer = ask("?on_error=return", JSON, ARROW, &rows);
    let batch = &batches(&answer)[0];
    let numbers = batch.column(1).as_primitive::<Float64Type>();
    let errors = batch.column(3).as_string::<i32>();
    assert!(numbers.is_valid(0) && numbers.is_null(1) && numbers.is_null(2));
    assert!(errors.is_null(0));
    assert!(errors.value(1).starts_with("row 1: column `distance` takes a number"));
    assert!(errors.value(2).starts_with("row 2: column `colour` is not an input"));
    let text = ask("?on_error=return", JSON, CSV, &rows).text();
    assert!(
        text.lines().nth(2).unwrap().starts_with(",,,\"row 1: ") || text.contains("\r\n,,,row 1: "),
        "{text}"
    );
    assert_eq!(ask("", JSON, CSV, &rows).json()["row"], json!(1));
}

#[test]
fn a_wrong_value_in_a_table_is_refused_by_its_row() {
    let text = csv(6_000).replace("\n5000,", "\n5000,x");
    let answer = post("?fields=id", CSV, &text);
    assert_eq!(
        (answer.status, answer.json()["row"].clone()),
        (422, json!(5_000)),
        "{}",
        answer.text()
    );
    let answer = ask("?fields=id&on_error=return", CSV, JSON, &text);
    let error = &predictions(&answer)[5_000]["error"];
    assert_eq!((&error["field"], &error["row"]), (&json!("hour"), &json!(5_000)));
}

#[test]
fn a_table_that_is_none_is_refused() {
    let wide = vec!["x"; 5_000].join(",") + "\n";
    let cases = [
        ("", 400, "malformed"),
        ("hour,carrier\n1,2,3\n", 400, "malformed"),
        ("hour,\"carrier\n1,2\n", 400, "malformed"),
        ("hour,hour\n1,2\n", 400, "malformed"),
        ("hour,colour\n1,2\n", 422, "wrong_columns"),
        (&wide, 422, "wrong_columns"),
    ];
    for (text, status, code) in cases {
        let answer = post("", CSV, text);
        assert_eq!((answer.status, answer.json()["code"].clone()), (status, json!(code)), "{text}");
    }
    assert_eq!(post("", CSV, b"carrier\n\xff\n").status, 400);
    assert_eq!(post("?fields=id", CSV, "hour\n1\n").json()["code"], json!("wrong_columns"));
    let whole = arrow(10);
    for body in [&b""[..], b"ARROW1", &[255; 100], &whole[..whole.len() / 2]] {
        let answer = post("?fields=id", ARROW, body);
        assert_eq!((answer.status, answer.json()["code"].clone()), (400, json!("malformed")));
    }
}

#[test]
fn tables_without_rows_have_their_columns_all_the_same() {
    assert_eq!(ask("", JSON, CSV, "[]").text(), "label,probability_late,probability_on time\r\n");
    assert_eq!(post("", CSV, "hour\n").text(), "label,probability_late,probability_on time\r\n");
    assert_eq!(ask("", CSV, JSON, "hour\n").json(), json!({"predictions": []}));
    for (sent, body) in [(JSON, b"[]".to_vec()), (ARROW, stream_of_none())] {
        let answer = ask("", sent, ARROW, body);
        assert_eq!(batches(&answer).iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
        let reader = StreamReader::try_new(answer.body.as_slice(), None).unwrap();
        assert_eq!(reader.schema().fields().len(), 3);
    }
}

fn stream_of_none() -> Vec<u8> {
    let hours: ArrayRef = Arc::new(Float64Array::from(Vec::<f64>::new()));
    stream(&RecordBatch::try_from_iter([("hour", hours)]).unwrap(), 1)
}

#[test]
fn what_texts_cannot_hold_is_sent_back_as_arrow_only() {
    let hours: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let large: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"\xff"[..]]));
    let table =
        RecordBatch::try_from_iter([("hour", hours), ("large", large), ("bytes", bytes)]).unwrap();
    let body = stream(&table, 1);
    for name in ["large", "bytes"] {
        let query = "?fields=large,bytes";
        let answer = ask(query, ARROW, JSON, &body);
        assert_eq!(
            (answer.status, answer.json()["code"].clone()),
            (422, json!("unsupported")),
            "{name}"
        );
        let batch = &batches(&ask(query, ARROW, ARROW, &body))[0];
        assert_eq!(batch.column_by_name(name), table.column_by_name(name));
    }
}

#[test]
fn more_rows_than_allowed_are_refused_in_tables_as_well() {
    let text = format!("hour\n{}", "1\n".repeat(20_001));
    assert_eq!(post("", CSV, text).status, 413);
    assert_eq!(post("", CSV, format!("hour\n{}", "1\n".repeat(20_000))).status, 200);
}
