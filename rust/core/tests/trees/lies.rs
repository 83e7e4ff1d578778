//! Each lie that arrays can tell is refused when the model is planned, with the node that tells it.

use crate::packing::chain;
use crate::random::Shape;
use crate::world::{plan, Inputs, Trees};
use serde_json::json;

/// A lie, and a part of what is said about it.
type Lie = (fn(&mut Trees), &'static str);

/// Two trees: a stump, and one with a set; 2 numbers, 5 leaves.
fn honest() -> (Trees, Inputs) {
    let (mut trees, inputs) = Shape { trees: 0, numbers: 2, ..Shape::default() }.make();
    trees.ends = vec![3, 8];
    trees.features = vec![0, -1, -1, 1, -1, 0, -1, -1];
    trees.thresholds = vec![0.5, 0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 0.0];
    trees.left = vec![1, 0, 1, 1, 2, 3, 3, 4];
    trees.right = vec![2, -1, -1, 2, -1, 4, -1, -1];
    trees.flags = vec![10, 0, 0, 1, 0, 4, 0, 0];
    trees.leaves = vec![1.0, 2.0, 3.0, 4.0, 5.0];
    trees.outputs = vec![0, 0];
    trees.start = vec![0.0];
    trees.set_ends = Some(vec![1, 2]);
    trees.set_words = vec![6, 10];
    (trees, inputs)
}

const LIES: &[Lie] = &[
    (|trees| ends(trees, vec![3, 7]), "`ends` ends at 7, of 8"),
    (|trees| ends(trees, vec![3, 9]), "`ends` has 9"),
    (|trees| ends(trees, vec![3, 3, 8]), "`ends` has 3 at 1, after 3"),
    (|trees| ends(trees, vec![-1, 8]), "`ends` has -1"),
    (|trees| ends(trees, vec![8, 3]), "`ends` has 3"),
    (|trees| ends(trees, vec![]), "`ends` ends at 0, of 8"),
    (|trees| ends(trees, vec![8]), "node 3 of tree 0 cannot be reached"),
    (|trees| trees.features.truncate(7), "`thresholds` has 8 values and `features` has 7"),
    (|trees| trees.thresholds.truncate(7), "`thresholds` has 7 values"),
    (|trees| trees.left.truncate(7), "`left` has 7 values"),
    (|trees| trees.right.truncate(7), "`right` has 7 values"),
    (|trees| trees.flags.truncate(7), "`flags` has 7 values"),
    (|trees| trees.outputs.truncate(1), "tensor `outputs` has 1 values, not 2"),
    (|trees| trees.features[3] = 2, "node 0 of tree 1 tests element 2, of 2"),
    (|trees| trees.features[3] = -2, "node 0 of tree 1 tests element -2"),
    (|trees| trees.features[3] = i32::MIN, "tests element -2147483648"),
    (|trees| trees.thresholds[0] = f64::NAN, "node 0 of tree 0 has the threshold NaN"),
    (|trees| trees.thresholds[3] = f64::NAN, "has the threshold NaN"),
    (|trees| trees.left[3] = 0, "node 0 of tree 1 has node 0 as a child"),
    (|trees| trees.left[3] = -1, "has node -1 as a child"),
    (|trees| trees.right[0] = 3, "has node 3 as a child, of 3 nodes"),
    (|trees| trees.right[0] = i32::MAX, "has node 2147483647 as a child"),
    (|trees| trees.right[0] = 1, "node 1 of tree 0 has two parents"),
    (|trees| trees.left[5] = 2, "node 2 of tree 1 has two parents"),
    (|trees| trees.left[5] = 1, "node 1 of tree 1 has two parents"),
    (cut_off_cycle, "node 2 of tree 1 cannot be reached"),
    (|trees| trees.left[1] = 5, "node 1 of tree 0 is leaf 5, of 5"),
    (|trees| trees.left[1] = -1, "is leaf -1"),
    (|trees| trees.flags[0] = 12, "node 0 of tree 0 has the unknown flags 12"),
    (|trees| trees.flags[0] = 16, "has the unknown flags 16"),
    (|trees| trees.flags[1] = 128, "node 1 of tree 0 has the unknown flags 128"),
    (|trees| trees.thresholds[3] = 2.0, "node 0 of tree 1 tests with set 2, of 2"),
    (|trees| trees.thresholds[3] = -1.0, "tests with set -1"),
    (|trees| trees.thresholds[3] = 0.5, "tests with set 0.5"),
    (|trees| trees.thresholds[3] = f64::INFINITY, "tests with set inf"),
    (|trees| trees.set_ends = Some(vec![1]), "`set_ends` ends at 1, of 2"),
    (|trees| trees.set_ends = Some(vec![1, 3]), "`set_ends` has 3"),
    (|trees| trees.set_ends = Some(vec![2, 1]), "`set_ends` has 1"),
    (|trees| trees.set_ends = Some(vec![-1, 2]), "`set_ends` has -1"),
    (|trees| trees.set_ends = None, "tests with set 1, of 0"),
    (|trees| trees.outputs[1] = 1, "adds to output 1, of 1"),
    (|trees| trees.outputs[1] = -1, "adds to output -1"),
    (|trees| trees.start = vec![], "0 starts"),
    (|trees| trees.leaf_width = 5, "leaves of 5 values and 1 starts"),
    (|trees| (trees.leaf_width, trees.leaves) = (0, vec![]), "has the shape [0, 0]"),
    (|trees| set(trees, "divisor", json!(0)), "divides by 0"),
    (|trees| set(trees, "divisor", json!(-2.5)), "divides by -2.5"),
    (|trees| set(trees, "divisor", json!(null)), "invalid type: null"),
    (|trees| set(trees, "accumulate", json!("f32")), "must have the type F32"),
    (half_start, "which is no f32"),
    (|trees| set(trees, "accumulate", json!("f16")), "unknown variant `f16`"),
    (|trees| set(trees, "comparison", json!("equal")), "unknown variant `equal`"),
    (|trees| set(trees, "other_category", json!("up")), "unknown variant `up`"),
    (|trees| set(trees, "depth", json!(3)), "unknown field `depth`"),
    (|trees| set(trees, "set_words", json!(null)), "only one of `set_ends` and `set_words`"),
    (|trees| trees.fields.retain(|field, _| field != "divisor"), "missing field `divisor`"),
    (|trees| cover(trees, "start", 0.0), "tensor `start` has 1 values, not 8"),
    (|trees| cover(trees, "thresholds", -1.0), "tensor `thresholds` has -1 at position 1"),
    (|trees| cover(trees, "thresholds", f64::NAN), "has NaN at position 1; numbers of training"),
    (|trees| cover(trees, "thresholds", f64::INFINITY), "has inf at position 1"),
    (|trees| cover(trees, "flags", 0.0), "has the type U8; it must be F64 or F32"),
    (|trees| set(trees, "cover", json!([1, 2])), "expected a string"),
    (long_set, "set 0 has 600000 words"),
    (deep, "is deeper than 4096 levels"),
];

fn set(trees: &mut Trees, field: &str, value: serde_json::Value) {
    trees.fields.insert(field.to_owned(), value);
}

/// Another array as the cover; thresholds of leaves are not read otherwise.
fn cover(trees: &mut Trees, tensor: &str, rows: f64) {
    trees.thresholds[1] = rows;
    set(trees, "cover", json!({"tensor": tensor}));
}

fn ends(trees: &mut Trees, ends: Vec<i32>) {
    trees.outputs = vec![0; ends.len()];
    trees.ends = ends;
}

/// Node 2 of the second tree is its own parent, so that every node has one.
fn cut_off_cycle(trees: &mut Trees) {
    trees.right[3] = 3;
    trees.left[5] = 2;
}

fn half_start(trees: &mut Trees) {
    set(trees, "accumulate", json!("f32"));
    trees.leaves_are_f32 = true;
    trees.start = vec![0.1];
}

fn long_set(trees: &mut Trees) {
    trees.set_words = vec![1; 600_001];
    trees.set_ends = Some(vec![600_000, 600_001]);
}

fn deep(trees: &mut Trees) {
    chain(trees, 4097);
    trees.outputs = vec![0];
}

#[test]
fn test_an_honest_ensemble_is_taken() {
    let (trees, inputs) = honest();
    plan(&trees, &inputs).expect("nothing is wrong");
}

#[test]
fn test_the_training_rows_of_nodes_may_be_there() {
    let (mut trees, inputs) = honest();
    cover(&mut trees, "thresholds", 3.0);
    plan(&trees, &inputs).expect("nothing is wrong");
}

#[test]
fn test_each_lie_is_refused_with_its_reason() {
    for (lie, expected) in LIES {
        let (mut trees, inputs) = honest();
        lie(&mut trees);
        let error =
            plan(&trees, &inputs).err().unwrap_or_else(|| panic!("`{expected}` was taken")).0;
        assert!(error.contains(expected), "`{expected}` is not in `{error}`");
        assert!(error.contains("node `trees` (operator `trees`)"), "{error}");
    }
}

#[test]
fn test_texts_and_codes_are_refused() {
    let (trees, mut inputs) = honest();
    inputs.levels = vec![(1.0, 0.0)];
    inputs.are_codes = true;
    let error = plan(&trees, &inputs).err().expect("codes are no numbers").0;
    assert!(error.contains("texts or codes"), "{error}");
}
