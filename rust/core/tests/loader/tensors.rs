//! Tensors: read by name and type, refused when the header lies; the oracle for layouts is the safetensors crate.

use crate::world::{f64s, safetensors, tensors, u32s, with_header, Tensor};
use penstock_core::tensors::{Dtype, Tensors};
use proptest::prelude::*;
use safetensors::SafeTensors;

fn parse(bytes: &[u8]) -> Tensors {
    Tensors::parse(bytes.to_vec()).expect("valid")
}

fn refusal(bytes: Vec<u8>) -> String {
    Tensors::parse(bytes).expect_err("must be refused").0
}

#[test]
fn values_of_every_type_are_read() {
    let floats: Vec<u8> = [0.1f32, f32::NAN].iter().flat_map(|x| x.to_le_bytes()).collect();
    let read = parse(&safetensors(&[
        ("f64", "F64", vec![3], f64s(&[-0.0, f64::INFINITY, 5e-324])),
        ("f32", "F32", vec![2], floats),
        ("i32", "I32", vec![2], [i32::MIN, 7].iter().flat_map(|x| x.to_le_bytes()).collect()),
        ("i16", "I16", vec![2], vec![0xfe, 0xff, 1, 0]),
        ("u16", "U16", vec![1], vec![0xfe, 0xff]),
        ("u32", "U32", vec![1], u32s(&[u32::MAX])),
        ("u8", "U8", vec![2, 1], vec![255, 0]),
        ("none", "F64", vec![0, 4], vec![]),
        ("scalar", "F64", vec![], f64s(&[2.5])),
    ]));
    let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();
    assert_eq!(read.f64s("f64").map(bits), Ok(bits(vec![-0.0, f64::INFINITY, 5e-324])));
    let wide = read.f64s("f32").expect("widened");
    assert!(wide[0] == f64::from(0.1f32) && wide[1].is_nan());
    assert_eq!(read.f32s("f32").expect("f32")[0], 0.1);
    assert_eq!(read.i32s("i32"), Ok(vec![i32::MIN, 7]));
    assert_eq!(read.i32s("i16"), Ok(vec![-2, 1]));
    assert_eq!(read.i32s("u16"), Ok(vec![65534]));
    assert_eq!(read.i32s("u8"), Ok(vec![255, 0]));
    assert_eq!(read.u32s("u32"), Ok(vec![u32::MAX]));
    assert_eq!(read.u8s("u8"), Ok(vec![255, 0]));
    assert_eq!(read.f64s("none"), Ok(vec![]));
    assert_eq!(read.f64s("scalar"), Ok(vec![2.5]));
    assert_eq!(read.shape("u8"), Ok(vec![2, 1]));
    assert_eq!(read.dtype("u8"), Ok(Dtype::U8));
}

#[test]
fn a_wrong_type_or_name_is_refused_and_named() {
    let read = parse(&tensors());
    let says = |error: penstock_core::error::ArtifactError, text: &str| {
        assert!(error.0.contains(text), "{error} does not say {text}");
    };
    says(
        read.i32s("intercepts").expect_err("F64"),
        "`intercepts` has the type F64; it must be I32",
    );
    says(read.i32s("levels.ends").expect_err("U32"), "`levels.ends` has the type U32");
    says(read.f32s("intercepts").expect_err("F64"), "it must be F32");
    says(read.f64s("absent").expect_err("absent"), "tensor `absent` is not there");
    says(read.texts("absent").expect_err("absent"), "tensor `absent.bytes` is not there");
}

#[test]
fn tensors_that_nobody_asked_for_are_listed() {
    let read = parse(&tensors());
    assert_eq!(read.unused().len(), 4);
    read.shape("intercepts").expect("there");
    read.f64s("coefficients").expect("there");
    read.texts("levels").expect("there");
    assert_eq!(read.unused(), ["intercepts"]);
}

fn texts(bytes: &[u8], ends: &[u32]) -> Result<Vec<String>, String> {
    let tensors = safetensors(&[
        ("t.bytes", "U8", vec![bytes.len()], bytes.to_vec()),
        ("t.ends", "U32", vec![ends.len()], u32s(ends)),
    ]);
    parse(&tensors).texts("t").map_err(|error| error.0)
}

#[test]
fn texts_are_split_at_their_ends() {
    assert_eq!(
        texts("aéb".as_bytes(), &[1, 1, 3, 4]),
        Ok(vec!["a".into(), "".into(), "é".into(), "b".into()])
    );
    assert_eq!(texts(b"", &[]), Ok(vec![]));
}

#[test]
fn ends_that_lie_and_texts_that_are_not_utf8_are_refused() {
    let cases: [(&[u8], &[u32], &str); 5] = [
        (b"abc", &[2, 1, 3], "`t.ends` has 1 after 2"),
        (b"abc", &[4], "`t.ends` has 4 after 0, of 3"),
        (b"abc", &[2], "`t.ends` ends at 2, of 3"),
        (b"abc", &[], "`t.ends` ends at 0, of 3"),
        ("é".as_bytes(), &[1, 2], "`t.bytes` is not UTF-8 in text 0"),
    ];
    for (bytes, ends, message) in cases {
        let is = texts(bytes, ends).expect_err("must be refused");
        assert!(is.contains(message), "{is:?} does not say {message:?}");
    }
}

#[test]
fn headers_that_lie_are_refused() {
    let info = |rest: &str| format!("{{\"t\":{{{rest}}}}}");
    let cases = [
        (info(r#""dtype":"F64","shape":[2],"data_offsets":[0,8]"#), "tensor `t` has bytes 0 to 8 for shape [2]"),
        (info(r#""dtype":"F64","shape":[2],"data_offsets":[0,16]"#), "ends at byte 16, of 8"),
        (info(r#""dtype":"F64","shape":[1],"data_offsets":[8,16]"#), "begins at byte 8, not at 0"),
        (info(r#""dtype":"F64","shape":[1],"data_offsets":[8,0]"#), "has bytes 8 to 0"),
        (info(r#""dtype":"U8","shape":[4],"data_offsets":[0,4]"#), "has 8 bytes of data; the tensors cover 4"),
        (info(r#""dtype":"BF16","shape":[4],"data_offsets":[0,8]"#), "tensor `t` has the type `BF16`"),
        (info(r#""dtype":"U8","shape":[-8],"data_offsets":[0,8]"#), "invalid value"),
        (info(r#""dtype":"U8","shape":[1,2,2,2,1],"data_offsets":[0,8]"#), "has 5 dimensions; the most is 4"),
        (info(r#""dtype":"U8","shape":[8],"data_offsets":[0,8],"x":1"#), "unknown field `x`"),
        (
            info(r#""dtype":"F64","shape":[4294967296,4294967296,2],"data_offsets":[0,8]"#),
            "tensor `t` has bytes 0 to 8 for shape",
        ),
        (
            info(r#""dtype":"U8","shape":[1],"data_offsets":[18446744073709551615,0]"#),
            "tensor `t` has bytes 18446744073709551615 to 0",
        ),
        (r#"{"__metadata__":{"a":"b"}}"#.to_owned(), "unknown field `a`"),
        ("{}".to_owned(), "has 8 bytes of data; the tensors cover 0"),
        (r#"{"t":1,"t":1}"#.to_owned(), "key `t` is there twice"),
        (
            r#"{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}"#
                .to_owned(),
            "tensor `b` begins at byte 4, not at 5",
        ),
    ];
    for (header, message) in cases {
        let is = refusal(with_header(header.as_bytes(), &[0; 8]));
        assert!(is.contains(message), "{is:?} does not say {message:?}");
    }
}

#[test]
fn header_sizes_that_lie_are_refused() {
    assert!(refusal(vec![0; 7]).contains("has no header"));
    assert!(refusal(u64::MAX.to_le_bytes().to_vec())
        .contains("declares a header of 18446744073709551615"));
    assert!(
        refusal(100u64.to_le_bytes().to_vec()).contains("declares a header of 100 bytes and has 0")
    );
}

#[test]
fn one_array_read_by_ten_thousand_nodes_is_refused() {
    let read = parse(&safetensors(&[("t", "U8", vec![1 << 20], vec![0; 1 << 20])]));
    let refused = (0..10_000).find_map(|_| read.i32s("t").err()).expect("refused");
    assert!(refused.0.contains("tensor `t` is read too often"), "{refused}");
}

fn arbitrary() -> impl Strategy<Value = Vec<(u8, usize, usize)>> {
    prop::collection::vec((0u8..4, 0usize..20, 0usize..20), 1..4)
}

proptest! {
    /// What we accept, every safetensors library accepts, and reads the same.
    #[test]
    fn an_accepted_layout_is_what_safetensors_reads(layout in arbitrary()) {
        let sizes = [("F64", 8), ("F32", 4), ("I16", 2), ("U8", 1)];
        let names = ["a", "b", "c"];
        let mut header = serde_json::Map::new();
        for (name, (dtype, start, length)) in names.iter().zip(&layout) {
            let (dtype, size) = sizes[usize::from(*dtype)];
            let offsets = [*start, start + length / size * size];
            header.insert((*name).to_owned(), serde_json::json!({
                "dtype": dtype, "shape": [length / size], "data_offsets": offsets,
            }));
        }
        let bytes = with_header(serde_json::Value::Object(header).to_string().as_bytes(), &[1; 20]);
        let oracle = SafeTensors::deserialize(&bytes);
        prop_assert_eq!(Tensors::parse(bytes.clone()).is_ok(), oracle.is_ok());
    }

    #[test]
    fn a_valid_file_is_read_as_safetensors_reads_it(values in prop::collection::vec(any::<f64>(), 0..20)) {
        let tensors: [Tensor<'_>; 1] = [("t", "F64", vec![values.len()], f64s(&values))];
        let bytes = safetensors(&tensors);
        let is = f64s(&parse(&bytes).f64s("t").expect("read"));
        let oracle = SafeTensors::deserialize(&bytes).expect("valid");
        prop_assert_eq!(&is[..], oracle.tensor("t").expect("there").data());
    }
}
