//! JSON lines: answered as they come, each for itself.

use crate::client::{head, post, row, send, shared, start};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

const LINES: &str = "application/x-ndjson";

#[test]
fn a_line_that_is_wrong_stops_no_other() {
    let body = format!("{}\n\n{{\"carrier\r\n{}\n[]\n{}", row(1), row("\"far\""), row(1));
    let answer = post("", LINES, body);
    let lines = answer.lines();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(LINES)));
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0], lines[4]);
    let codes: Vec<_> = lines.iter().map(|line| line["error"]["code"].clone()).collect();
    assert_eq!(codes[1..4], [json!("malformed"), json!("invalid"), json!("malformed")]);
    let rows: Vec<_> = lines[1..4].iter().map(|line| line["error"]["row"].clone()).collect();
    assert_eq!(rows, [json!(1), json!(2), json!(3)]);
}

#[test]
fn the_first_wrong_line_is_the_last_one_if_that_is_asked_for() {
    let body = format!("{}\n{}\n{}\n{}\n", row(1), row(2), row("[]"), row(3));
    let lines = post("?on_error=raise", LINES, body).lines();
    assert_eq!(lines.len(), 3);
    assert!(lines[1]["label"].is_string());
    assert_eq!(lines[2]["error"]["row"], json!(2));
}

#[test]
fn lines_are_answered_while_others_are_still_to_come() {
    let mut stream = TcpStream::connect(shared()).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let request = head("", &[("content-type", LINES), ("transfer-encoding", "chunked")]);
    stream.write_all(format!("{request}\r\n").as_bytes()).unwrap();
    let mut text = String::new();
    for distance in 0..3 {
        let line = row(distance) + "\n";
        // A row in two pieces is one row.
        let (first, second) = line.split_at(9);
        for piece in [first, second] {
            stream.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).unwrap();
        }
        while text.matches("\"label\"").count() <= distance {
            assert!(reader.read_line(&mut text).unwrap() > 0);
        }
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    reader.read_to_string(&mut text).unwrap();
    assert!(text.ends_with("0\r\n\r\n"), "{text}");
}

#[test]
fn a_line_that_is_too_long_is_dropped_and_the_next_is_answered() {
    let gateway = start(&["--max-body", "1000"]);
    let long = format!("{{\"carrier\":\"{}\"}}", "x".repeat(5_000));
    let body = format!("{}\n{long}\n{}\n{long}", row(1), row(2));
    let lines = send(gateway, "", &[("content-type", LINES)], body.as_bytes()).lines();
    let codes: Vec<_> = lines.iter().map(|line| line["error"]["code"].as_str()).collect();
    assert_eq!(codes, [None, Some("too_large"), None, Some("too_large")]);
}

#[test]
fn the_rest_of_a_line_that_is_too_long_is_no_line_of_its_own() {
    let gateway = start(&["--max-body", "1000"]);
    let mut stream = TcpStream::connect(gateway).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (long, rest) = ("x".repeat(2_000), format!("{}\n{}\n", "y".repeat(50), row(1)));
    let length = long.len() + rest.len();
    let request = head("", &[("content-type", LINES), ("content-length", &length.to_string())]);
    stream.write_all(format!("{request}\r\n{long}").as_bytes()).unwrap();
    let mut text = String::new();
    while !text.contains("\"too_large\"") {
        assert!(reader.read_line(&mut text).unwrap() > 0);
    }
    stream.write_all(rest.as_bytes()).unwrap();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!((text.matches("\"error\"").count(), text.matches("\"label\"").count()), (1, 1));
}

#[test]
fn a_body_of_lines_may_be_longer_than_a_body_of_json() {
    let gateway = start(&["--max-body", "2000", "--max-rows", "10"]);
    let body: String = (0..3_000).map(|at| row(at) + "\n").collect();
    let lines = send(gateway, "", &[("content-type", LINES)], body.as_bytes()).lines();
    assert_eq!(lines.len(), 3_000);
    assert!(lines.iter().all(|line| line["label"].is_string()));
}

#[test]
fn who_reads_no_answer_before_all_is_sent_gets_it_all() {
    let gateway = start(&[]);
    let body: String = (0..200_000).map(|at| row(at % 4_000) + "\n").collect();
    let lines = send(gateway, "", &[("content-type", LINES)], body.as_bytes()).text();
    assert_eq!(lines.matches("\"label\"").count(), 200_000);
}

#[test]
fn who_stops_sending_is_told_so_and_let_go() {
    let gateway = start(&["--timeout", "0.2"]);
    let mut stream = TcpStream::connect(gateway).unwrap();
    let request = head("", &[("content-type", LINES), ("content-length", "1000")]);
    stream.write_all(format!("{request}\r\n{}\n{{\"carr", row(1)).as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.contains("\"label\"") && text.contains("\"timeout\""), "{text}");
}

#[test]
fn lines_become_json_and_json_becomes_lines() {
    let rows: Vec<_> = (0..40).map(row).collect();
    let accept = |media_type, accepted, body: String| {
        let headers = [("content-type", media_type), ("accept", accepted)];
        send(shared(), "", &headers, body.as_bytes())
    };
    let json = accept(LINES, "application/json", rows.join("\n")).json();
    let lines = accept("application/json", LINES, format!("[{}]", rows.join(","))).lines();
    assert_eq!(json["predictions"].as_array().unwrap(), &lines);
    assert_eq!(accept("application/json", LINES, row(0)).lines(), lines[..1]);
    let wrong = accept(LINES, "application/json", format!("{}\n[]\n", row(1))).json();
    assert_eq!(wrong["predictions"][1]["error"]["row"], json!(1));
}
