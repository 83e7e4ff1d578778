//! The reader of requests against anything that bytes can be.

use crate::client::ARTIFACT;
use penstock_gateway::catalog::Catalog;
use penstock_gateway::choosing::choose;
use penstock_gateway::crowd::Crowd;
use penstock_gateway::failure::{Failure, Kind};
use penstock_gateway::handlers::asked::Asked;
use penstock_gateway::handlers::blocks::Style;
use penstock_gateway::handlers::predict::{json_body, lines_body, Request};
use penstock_gateway::handlers::rows::split_list;
use proptest::prelude::*;
use serde_json::value::RawValue;
use std::sync::LazyLock;

static WORLD: LazyLock<(Catalog, Crowd)> = LazyLock::new(|| {
    (Catalog::load(&[ARTIFACT.into()], &Catalog::default()).unwrap(), Crowd::new(2))
});

fn predict(body: &[u8], is_lines: bool, asked: Asked) -> Result<Vec<u8>, Failure> {
    let (catalog, crowd) = &*WORLD;
    let route = catalog.route("golden").unwrap();
    let request = Request { body, asked, most_rows: 100 };
    let choose = |route: &_, named: Option<&str>| choose(route, named, None);
    let predicted = match is_lines {
        true => lines_body(route, request, Style::Lines, crowd, choose),
        false => json_body(route, request, Style::List, crowd, choose),
    };
    predicted.map(|predicted| predicted.body)
}

/// What requests are made of.
const PIECES: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\n",
    b" ",
    b"null",
    b"NaN",
    b"1e999",
    b"-0",
    b"\xff",
    b"\"rows\":[",
    b"{\"rows\":[",
    b"\"carrier\":\"UA\"",
    b"\"distance\":1",
    b"\"hour\":17",
    b"{\"carrier\":\"UA\",\"distance\":5,\"hour\":17}",
    b"\"explain\":2",
    b"\"on_error\":\"return\"",
    b"\"fields\":[\"id\"]",
    b"\"id\":{\"a\":[1]}",
];

/// Pieces of requests, put together without sense.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = proptest::sample::select(PIECES);
    proptest::collection::vec(piece, 0..40).prop_map(|pieces: Vec<&[u8]>| pieces.concat())
}

fn asked() -> impl Strategy<Value = Asked> {
    let explain = proptest::option::of(0usize..4);
    let fields = proptest::sample::subsequence(vec!["id", "carrier", "rows"], 0..=3);
    (explain, any::<bool>(), any::<bool>(), fields).prop_map(
        |(explain, errors, warnings, fields)| Asked {
            version: None,
            explain,
            returns_errors: errors,
            fields: fields.into_iter().map(str::to_owned).collect(),
            warnings,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_body_is_a_mistake_of_ours(body in pieces(), is_lines: bool, asked in asked()) {
        match predict(&body, is_lines, asked) {
            Ok(answer) if is_lines => {
                for line in answer.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                    prop_assert!(serde_json::from_slice::<&RawValue>(line).is_ok());
                }
            }
            Ok(answer) => prop_assert!(serde_json::from_slice::<&RawValue>(&answer).is_ok()),
            Err(failure) => prop_assert!(failure.kind != Kind::Internal),
        }
    }

    #[test]
    fn any_bytes_are_answered(body in proptest::collection::vec(any::<u8>(), 0..200), is_lines: bool) {
        if let Err(failure) = predict(&body, is_lines, Asked::default()) {
            prop_assert!(failure.kind != Kind::Internal);
        }
    }

    #[test]
    fn a_list_is_split_as_a_json_library_reads_it(body in pieces()) {
        let body = [b"[", &body[..], b"]"].concat();
        if let Ok(items) = serde_json::from_slice::<Vec<&RawValue>>(&body) {
            let split = split_list(&body, 1_000).unwrap();
            let split: Vec<_> = split.iter().map(|item| item.trim_ascii()).collect();
            prop_assert_eq!(split, items.iter().map(|item| item.get().as_bytes()).collect::<Vec<_>>());
        }
    }
}
