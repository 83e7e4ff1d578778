//! Clients that lie, stop, or send what nobody should.

use crate::client::{head, post, row, send, send_raw, shared, start};
use serde_json::json;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

const JSON: &str = "application/json";

#[test]
fn a_body_that_ends_early_is_refused() {
    let request = format!("{}content-length: 500\r\n\r\n{}", head("", &[]), row(1));
    let mut stream = TcpStream::connect(shared()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 400"), "{text}");
}

#[test]
fn a_body_that_never_comes_is_not_waited_for() {
    let gateway = start(&["--timeout", "0.2"]);
    let mut stream = TcpStream::connect(gateway).unwrap();
    let request = format!("{}content-length: 500\r\n\r\n{{", head("", &[]));
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 408") && text.contains("\"timeout\""), "{text}");
}

#[test]
fn a_body_that_says_to_be_too_long_is_refused_before_it_is_read() {
    let mut stream = TcpStream::connect(shared()).unwrap();
    let request = format!("{}content-length: 99999999999\r\n\r\n", head("", &[]));
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 413"), "{text}");
}

#[test]
fn a_body_in_pieces_that_is_too_long_is_refused() {
    let request = head("", &[("transfer-encoding", "chunked")]);
    let mut bytes = format!("{request}\r\n").into_bytes();
    for _ in 0..20 {
        bytes.extend_from_slice(b"10000\r\n");
        bytes.extend(std::iter::repeat_n(b' ', 0x10000));
        bytes.extend_from_slice(b"\r\n");
    }
    let answer = send_raw(shared(), &bytes);
    assert_eq!(answer.status, 413);
}

#[test]
fn json_of_any_depth_is_answered() {
    for (open, close) in [("[", "]"), ("{\"carrier\":", "}"), ("{\"rows\":[", "]}")] {
        let deep = open.repeat(50_000) + "1" + &close.repeat(50_000);
        for body in [deep.clone(), row(&deep), format!("[{}]", row(&deep)), open.repeat(90_000)] {
            let status = post("?fields=distance", JSON, body).status;
            assert!((400..500).contains(&status), "{open}: {status}");
        }
    }
}

#[test]
fn bytes_that_are_no_utf8_are_refused() {
    for text in [&b"\xff"[..], b"\xed\xa0\x80", b"\xc0\x80"] {
        let body = [b"{\"carrier\":\"", text, b"\"}"].concat();
        assert_eq!(post("", JSON, &body).status, 400);
        assert_eq!(post("?fields=carrier", JSON, [b"[", &body[..], b"]"].concat()).status, 400);
        let line = post("", "application/x-ndjson", &body).lines();
        assert_eq!(line[0]["error"]["code"], json!("malformed"));
    }
    assert_eq!(post("", JSON, r#"{"carrier":"\ud800"}"#).status, 400);
}

#[test]
fn a_million_rows_are_answered() {
    let gateway = start(&[]);
    let body = format!("[{}{{}}]", "{},".repeat(999_999));
    let answer = send(gateway, "", &[("content-type", JSON)], body.as_bytes());
    assert_eq!(answer.status, 200);
    let labels = answer.body.windows(8).filter(|some| some == b"\"label\":").count();
    assert_eq!(labels, 1_000_000);
    let more = format!("[{}{{}}]", "{},".repeat(1_000_000));
    assert_eq!(send(gateway, "", &[("content-type", JSON)], more.as_bytes()).status, 413);
}

#[test]
fn options_that_there_are_not_are_refused() {
    for query in ["?explain=many", "?on_error=ignore", "?colour=red", "?warnings=perhaps"] {
        let answer = post(query, JSON, row(1));
        assert_eq!((answer.status, answer.json()["code"].clone()), (400, json!("invalid_option")));
    }
    assert_eq!(post("?version=9", "application/x-ndjson", row(1)).status, 404);
}

#[test]
fn a_name_of_any_length_is_refused_in_a_short_answer() {
    let name = "x".repeat(400_000);
    for (media_type, body) in [
        (JSON, format!("[{{\"{name}\":1}}]")),
        ("application/x-ndjson", format!("{{\"{name}\":1}}")),
        ("text/csv", format!("{name}\n1\n")),
        ("text/csv", format!("{name},{name}\n1,1\n")),
    ] {
        let answer = post("", media_type, body);
        assert!(answer.status == 200 || answer.status == 422 || answer.status == 400);
        assert!(answer.body.len() < 2_000, "{media_type}: {}", answer.body.len());
    }
}
