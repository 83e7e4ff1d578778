//! Whatever the ensemble and the row: the engine gives the bits of the slow walker, row by row and in blocks.

use crate::random::{fields, row, Random, Shape};
use crate::reference;
use crate::world::{columns, plan, predict_row, predict_table, Inputs, Trees};
use penstock_core::plan::block::Scratch;
use penstock_core::trees::Kernel;
use proptest::prelude::*;
use serde_json::json;
use std::process::Command;

/// Compares rows, single and together, with the reference.
pub fn check(trees: &Trees, inputs: &Inputs, rows: &[Vec<f64>]) {
    let plan = plan(trees, inputs).expect("the ensemble is right");
    let mut scratch = Scratch::default();
    let table = predict_table(&plan, &columns(rows), &mut scratch);
    for (at, row) in rows.iter().enumerate() {
        let expected = reference::predict(trees, &inputs.elements(row));
        let single = predict_row(&plan, row, &mut scratch);
        for (output, expected) in expected.iter().enumerate() {
            let (single, block) = (single[output], table[output][at]);
            assert_eq!(single.to_bits(), expected.to_bits(), "{single} {expected} row {row:?}");
            assert_eq!(block.to_bits(), expected.to_bits(), "{block} {expected} row {row:?}");
        }
    }
}

pub fn check_shape(shape: &Shape, row_count: usize) {
    let (trees, inputs) = shape.make();
    let mut random = Random(shape.seed ^ 0xABCD);
    let rows: Vec<_> = (0..row_count).map(|_| row(&trees, &inputs, &mut random)).collect();
    check(&trees, &inputs, &rows);
}

prop_compose! {
    fn settings()(
        is_less: bool, is_f32: bool, flush_zero: bool, adds_f32: bool,
        divisor in prop::sample::select(vec![1.0, 3.0, 100.0]),
        other in prop::sample::select(vec!["left", "right", "missing"]),
    ) -> serde_json::Map<String, serde_json::Value> {
        let mut all = fields();
        all.insert("comparison".into(), json!(if is_less { "less" } else { "less_equal" }));
        all.insert("precision".into(), json!(if is_f32 { "f32" } else { "f64" }));
        all.insert("flush_zero".into(), json!(flush_zero));
        all.insert("accumulate".into(), json!(if adds_f32 { "f32" } else { "f64" }));
        all.insert("divisor".into(), json!(divisor));
        all.insert("other_category".into(), json!(other));
        all
    }
}

/// Few, or so many that the kernels of one row need more registers, and then give up.
fn numbers() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 1usize..6, 1 => prop::sample::select(vec![15, 16, 17, 32, 33, 64, 65, 128, 140])]
}

prop_compose! {
    fn shapes()(
        seed: u64, trees in 0usize..40, most_leaves in prop::sample::select(vec![1, 2, 9, 30, 40, 70, 300]),
        (numbers, levels, constants) in (numbers(), prop::sample::select(vec![0, 3, 300]), 0usize..3),
        (outputs, is_vector) in (1usize..4, any::<bool>()),
        shared_leaves in prop::sample::select(vec![None, Some(1), Some(300), Some(70_000)]),
        categorical in prop::sample::select(vec![0.0, 0.0, 0.3, 1.0]),
        set_words in prop::sample::select(vec![1, 2, 9]),
        missing_kinds in prop::sample::select(vec![vec![0], vec![1], vec![2], vec![0, 1, 2]]),
        missing_left in prop::sample::select(vec![0.0, 0.5]),
        is_oblivious in prop::bool::weighted(0.2),
        fields in settings(),
    ) -> Shape {
        Shape {
            seed, trees, most_leaves, numbers, levels, constants, outputs,
            is_vector: is_vector && outputs > 1, shared_leaves, categorical, set_words,
            missing_kinds, missing_left, is_oblivious, fields,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn test_every_ensemble_gives_the_bits_of_the_format(
        shape in shapes(), row_count in prop::sample::select(vec![1usize, 7, 8, 30, 33, 64, 65, 256, 300])
    ) {
        check_shape(&shape, row_count);
    }
}

#[test]
fn test_every_kernel_gives_the_same_bits() {
    let tests = std::env::current_exe().expect("this program");
    for kernel in Kernel::all() {
        let run = Command::new(&tests)
            .args(["test_every_ensemble_gives_the_bits", "--test-threads", "1"])
            .env("PENSTOCK_KERNEL", kernel.name())
            .output()
            .expect("it runs");
        let told = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && told.contains("1 passed"), "{kernel:?}: {told}");
    }
}

#[test]
fn test_no_trees_answer_with_the_start() {
    let shape = Shape { trees: 0, outputs: 3, ..Shape::default() };
    check_shape(&shape, 20);
}

#[test]
fn test_a_missing_value_follows_its_flag_past_an_infinite_threshold() {
    // What scikit-learn writes for a split of missing against all others.
    for flags in [8, 10] {
        let (mut trees, inputs) =
            Shape { trees: 1, most_leaves: 1, numbers: 1, ..Shape::default() }.make();
        trees.features = vec![0, -1, -1];
        trees.thresholds = vec![f64::INFINITY, 0.0, 0.0];
        (trees.left, trees.right) = (vec![1, 0, 1], vec![2, -1, -1]);
        trees.flags = vec![flags, 0, 0];
        trees.ends = vec![3];
        trees.leaves = vec![1.0, 2.0];
        trees.start = vec![0.0];
        let rows = [f64::NAN, f64::INFINITY, f64::MAX, 0.0, f64::NEG_INFINITY].map(|x| vec![x]);
        check(&trees, &inputs, &rows);
        let missing = reference::predict(&trees, &[f64::NAN]);
        assert_eq!(missing, vec![if flags == 10 { 1.0 } else { 2.0 }]);
    }
}
