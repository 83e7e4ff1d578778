//! The reader of requests against anything that bytes can be.

use crate::client::ARTIFACT;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Float64Array, RecordBatch, StringArray};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use penstock_gateway::catalog::Catalog;
use penstock_gateway::crowd::Crowd;
use penstock_gateway::failure::{Failure, Kind};
use penstock_gateway::forms::Form;
use penstock_gateway::handlers;
use penstock_gateway::handlers::asked::Asked;
use penstock_gateway::handlers::predict::Request;
use penstock_gateway::handlers::rows::split_list;
use proptest::prelude::*;
use serde_json::value::RawValue;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

static WORLD: LazyLock<(Catalog, Crowd)> = LazyLock::new(|| {
    (
        Catalog::load(&[ARTIFACT.into()], None, &Catalog::default()).unwrap(),
        Crowd::new(2, Duration::from_secs(1)),
    )
});

fn predict(body: &[u8], sent: Form, wanted: Form, asked: Asked) -> Result<Vec<u8>, Failure> {
    let (catalog, crowd) = &*WORLD;
    let route = catalog.route("golden").unwrap();
    let (most_rows, most_explained, key, chosen) = (100, 100, None, &OnceLock::new());
    let request = Request { body, sent, wanted, asked, most_rows, most_explained, key, chosen };
    handlers::predict::predict(route, request, crowd).map(|predicted| predicted.body)
}

fn form() -> impl Strategy<Value = Form> {
    proptest::sample::select(&[Form::Json, Form::Lines, Form::Csv, Form::Arrow][..])
}

/// An answer is what its form says.
fn check(answer: Result<Vec<u8>, Failure>, wanted: Form) {
    match (answer, wanted) {
        (Err(failure), _) => assert!(failure.kind != Kind::Internal, "{failure:?}"),
        (Ok(answer), Form::Json) => {
            serde_json::from_slice::<&RawValue>(&answer).unwrap();
        }
        (Ok(answer), Form::Lines) => {
            for line in answer.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                serde_json::from_slice::<&RawValue>(line).unwrap();
            }
        }
        (Ok(answer), Form::Csv) => {
            penstock_batch::csv::columns(&answer).unwrap();
        }
        (Ok(answer), Form::Arrow) => {
            let reader = StreamReader::try_new(answer.as_slice(), None).unwrap();
            reader.for_each(|batch| drop(batch.unwrap()));
        }
    }
}

/// Rows as Arrow, with a dictionary.
static STREAM: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let carriers: DictionaryArray<Int32Type> = ["UA", "B6", "UA", "x"].into_iter().collect();
    let distances = Float64Array::from(vec![Some(1.0), None, Some(700.5), Some(-1.0)]);
    let columns: [(&str, ArrayRef); 3] = [
        ("carrier", Arc::new(carriers)),
        ("distance", Arc::new(distances)),
        ("id", Arc::new(StringArray::from(vec!["a", "b", "c", "d"]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.write(&batch.slice(1, 2)).unwrap();
    writer.into_inner().unwrap()
});

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
    fn no_body_is_a_mistake_of_ours(
        body in pieces(),
        sent in form(),
        wanted in form(),
        asked in asked(),
    ) {
        check(predict(&body, sent, wanted, asked), wanted);
    }

    #[test]
    fn any_bytes_are_answered(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        sent in form(),
        wanted in form(),
    ) {
        check(predict(&body, sent, wanted, Asked::default()), wanted);
    }

    #[test]
    fn an_arrow_stream_with_wrong_bytes_is_answered(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
        wanted in form(),
        asked in asked(),
    ) {
        let mut body = STREAM.clone();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len()));
        }
        check(predict(&body, Form::Arrow, wanted, asked), wanted);
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
