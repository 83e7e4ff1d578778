//! Compressed bodies and compressed answers.

use crate::client::{list, post, row, send, shared};
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::{Read, Write};

const JSON: (&str, &str) = ("content-type", "application/json");
const LINES: (&str, &str) = ("content-type", "application/x-ndjson");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

fn rows() -> String {
    list((0..200).map(row))
}

#[test]
fn a_compressed_body_is_read_as_the_plain_one() {
    let plain = post("", "application/json", rows()).body;
    let zstd = zstd::encode_all(rows().as_bytes(), 3).unwrap();
    for (name, bytes) in [("gzip", gzip(rows().as_bytes())), ("zstd", zstd)] {
        let answer = send(shared(), "", &[JSON, ("content-encoding", name)], &bytes);
        assert_eq!((answer.status, &answer.body), (200, &plain), "{name}");
    }
    let lines: String = (0..200).map(|at| row(at) + "\n").collect();
    let bytes = gzip(lines.as_bytes());
    let answer = send(shared(), "", &[LINES, ("content-encoding", "gzip")], &bytes);
    assert_eq!(answer.lines().len(), 200);
}

#[test]
fn an_answer_is_compressed_as_the_client_likes_best() {
    let plain = post("", "application/json", rows()).body;
    let get = |accept| send(shared(), "", &[JSON, ("accept-encoding", accept)], rows().as_bytes());
    let cases = [
        ("gzip, deflate", Some("gzip")),
        ("gzip, zstd", Some("zstd")),
        ("gzip;q=1, zstd;q=0.5", Some("gzip")),
        ("br", None),
        ("gzip;q=0", None),
    ];
    for (accept, expected) in cases {
        let answer = get(accept);
        assert_eq!(answer.header("content-encoding"), expected, "{accept}");
        let body = match expected {
            Some("gzip") => gunzip(&answer.body),
            Some(_) => zstd::decode_all(answer.body.as_slice()).unwrap(),
            None => answer.body,
        };
        assert!(body == plain, "{accept}");
    }
}

#[test]
fn a_short_answer_is_not_compressed() {
    let answer = send(shared(), "", &[JSON, ("accept-encoding", "gzip")], row(1).as_bytes());
    assert_eq!(answer.header("content-encoding"), None);
}

#[test]
fn lines_are_compressed_piece_by_piece() {
    let body: String = (0..300).map(|at| row(at) + "\n").collect();
    for accept in ["gzip", "zstd"] {
        let answer = send(shared(), "", &[LINES, ("accept-encoding", accept)], body.as_bytes());
        let plain = match accept {
            "gzip" => gunzip(&answer.body),
            _ => zstd::decode_all(answer.body.as_slice()).unwrap(),
        };
        assert_eq!(plain.iter().filter(|byte| **byte == b'\n').count(), 300, "{accept}");
    }
}

#[test]
fn a_body_that_decompresses_to_more_than_allowed_is_refused() {
    let spaces = vec![b' '; 50_000_000];
    let zstd = zstd::encode_all(spaces.as_slice(), 3).unwrap();
    for (name, bytes) in [("gzip", gzip(&spaces)), ("zstd", zstd)] {
        assert!(bytes.len() < 200_000);
        let answer = send(shared(), "", &[JSON, ("content-encoding", name)], &bytes);
        assert_eq!((answer.status, answer.json()["code"].clone()), (413, json!("too_large")));
        let answer = send(shared(), "", &[LINES, ("content-encoding", name)], &bytes);
        assert_eq!(answer.lines()[0]["error"]["code"], json!("too_large"), "{name}");
    }
}

#[test]
fn a_body_that_is_not_compressed_as_it_says_is_refused() {
    let half = &gzip(rows().as_bytes())[..60];
    for (name, bytes) in [("gzip", half), ("gzip", b"plain"), ("zstd", b"plain")] {
        let answer = send(shared(), "", &[JSON, ("content-encoding", name)], bytes);
        assert_eq!((answer.status, answer.json()["code"].clone()), (400, json!("malformed")));
    }
    let answer = send(shared(), "", &[JSON, ("content-encoding", "br")], b"x");
    assert_eq!(
        (answer.status, answer.json()["code"].clone()),
        (415, json!("unsupported_media_type"))
    );
}
