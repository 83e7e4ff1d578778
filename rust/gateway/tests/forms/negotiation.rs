//! Which form a body has, and which an answer gets.

use crate::client::{post, row, send, shared};
use penstock_gateway::forms::{Form, Sent, Wanted};
use serde_json::json;

fn wanted(accept: &str, sent: Form) -> Option<&'static str> {
    Wanted::by_accept([accept.as_bytes()].into_iter(), sent).ok().map(|wanted| wanted.media_type)
}

#[test]
fn the_form_that_is_accepted_most_is_the_answers() {
    let cases = [
        ("*/*", Form::Csv, Some("text/csv")),
        ("", Form::Json, Some("application/json")),
        ("text/*", Form::Json, Some("text/csv")),
        ("application/*", Form::Lines, Some("application/x-ndjson")),
        ("text/csv;q=0.5, application/json;q=0.6", Form::Csv, Some("application/json")),
        ("text/csv, application/json", Form::Csv, Some("text/csv")),
        ("text/html, application/xhtml+xml, */*;q=0.8", Form::Json, Some("application/json")),
        ("application/jsonl", Form::Json, Some("application/jsonl")),
        ("APPLICATION/JSON", Form::Csv, Some("application/json")),
        ("application/json;q=0, */*", Form::Json, Some("application/x-ndjson")),
        ("text/html", Form::Json, None),
        ("application/json;q=0", Form::Json, None),
        ("application/json;q=nan", Form::Json, None),
        (
            "application/vnd.apache.arrow.stream",
            Form::Json,
            Some("application/vnd.apache.arrow.stream"),
        ),
    ];
    for (accept, sent, expected) in cases {
        assert_eq!(wanted(accept, sent), expected, "{accept}");
    }
}

#[test]
fn a_body_has_the_form_that_its_type_says() {
    let form = |header: &str| Sent::by_type(Some(header.as_bytes())).map(|sent| sent.form).ok();
    let cases = [
        ("application/json; charset=UTF-8", Some(Form::Json)),
        ("Application/X-NDJSON", Some(Form::Lines)),
        ("text/csv; header=present", Some(Form::Csv)),
        ("text/csv; header=absent", None),
        ("application/json; charset=\"latin-1\"", None),
        ("application/vnd.apache.arrow.stream", Some(Form::Arrow)),
        ("text/plain", None),
    ];
    for (header, expected) in cases {
        assert_eq!(form(header), expected, "{header}");
    }
}

#[test]
fn an_unknown_type_is_told_what_is_read() {
    let answer = post("", "application/xml", "<row/>");
    assert_eq!(
        (answer.status, answer.json()["code"].clone()),
        (415, json!("unsupported_media_type"))
    );
    assert!(answer.json()["detail"].as_str().unwrap().contains("`text/csv`"));
}

#[test]
fn a_body_that_curl_calls_a_form_is_json_if_it_looks_so() {
    let form = "application/x-www-form-urlencoded";
    assert_eq!(post("", form, row(1)).status, 200);
    assert_eq!(post("", form, "distance=1").status, 415);
    assert_eq!(send(shared(), "", &[], row(1).as_bytes()).status, 200);
}

#[test]
fn what_cannot_be_written_is_refused_before_the_body_is_read() {
    let answer = send(shared(), "", &[("accept", "image/png")], row(1).as_bytes());
    assert_eq!((answer.status, answer.json()["code"].clone()), (406, json!("not_acceptable")));
}
