//! What an ensemble is packed into: the narrowest words, no nodes whose outcome is known, no one-hot columns.

use crate::equality::{check, check_shape};
use crate::random::{row, Random, Shape};
use crate::world::{plan, Trees};

/// The last step of the plan, which walks the trees.
fn describe(shape: &Shape) -> String {
    let (trees, inputs) = shape.make();
    let plan = plan(&trees, &inputs).expect("the ensemble is right");
    plan.describe().pop().expect("a step")
}

fn assert_contains(text: &str, part: &str) {
    assert!(text.contains(part), "`{part}` is not in `{text}`");
}

#[test]
fn test_words_are_as_wide_as_they_must_be() {
    for (leaves, bytes, word) in [(200, 4, "u8"), (60_000, 8, "u16"), (70_000, 16, "u32")] {
        let shape = Shape { trees: 30, shared_leaves: Some(leaves), ..Shape::default() };
        let text = describe(&shape);
        assert_contains(&text, &format!("nodes of {bytes} bytes"));
        assert_contains(&text, &format!("planes of {word}"));
        check_shape(&shape, 100);
    }
}

/// Trees of one split each.
fn stumps(thresholds: impl Iterator<Item = f64>, feature: impl Fn(usize) -> i32) -> Trees {
    let (mut trees, _) = Shape { trees: 0, ..Shape::default() }.make();
    for (at, threshold) in thresholds.enumerate() {
        trees.features.extend([feature(at), -1, -1]);
        trees.thresholds.extend([threshold, 0.0, 0.0]);
        trees.left.extend([1, 0, 1]);
        trees.right.extend([2, -1, -1]);
        trees.flags.extend([[8, 0, 0], [10, 0, 0]][at % 2]);
        trees.ends.push(trees.features.len() as i32);
        trees.outputs.push(0);
    }
    trees.leaves = vec![1.0, 0.25];
    trees
}

#[test]
fn test_cuts_planes_and_offsets_widen_the_words() {
    let (_, inputs) = Shape { numbers: 70_000, ..Shape::default() }.make();
    for (count, bytes) in [(254, 4), (255, 8), (65_534, 8), (65_535, 16)] {
        let cuts = stumps((0..count).map(|at| at as f64), |_| 0);
        let text = plan(&cuts, &inputs).expect("right").describe().pop().expect("a step");
        assert_contains(&text, &format!("nodes of {bytes} bytes"));
        assert_contains(&text, &format!("{count} cuts"));
        let planes = stumps((0..count).map(|_| 0.5), |at| at as i32);
        let text = plan(&planes, &inputs).expect("right").describe().pop().expect("a step");
        assert_contains(&text, &format!("nodes of {bytes} bytes"));
    }
}

#[test]
fn test_leaves_far_apart_widen_the_words() {
    let (_, inputs) = Shape { numbers: 1, ..Shape::default() }.make();
    for (row, bytes) in [(255, 4), (256, 8), (65_535, 8), (65_536, 16)] {
        let mut trees = stumps([0.5].into_iter(), |_| 0);
        trees.leaves = (0..=row).map(f64::from).collect();
        trees.left[2] = row;
        let text = plan(&trees, &inputs).expect("right").describe().pop().expect("a step");
        assert_contains(&text, &format!("nodes of {bytes} bytes"));
        check(&trees, &inputs, &[vec![0.0], vec![1.0]]);
    }
}

#[test]
fn test_ranks_at_the_ends_of_a_word_are_right() {
    let (_, inputs) = Shape { numbers: 1, ..Shape::default() }.make();
    for count in [254, 255] {
        let trees = stumps((0..count).map(|at| at as f64), |_| 0);
        let rows: Vec<_> = (-1..=count).map(|at| vec![f64::from(at)]).collect();
        check(&trees, &inputs, &rows);
        check(&trees, &inputs, &[vec![f64::NAN], vec![f64::INFINITY], vec![f64::NEG_INFINITY]]);
    }
}

#[test]
fn test_trees_of_any_size_fit() {
    for most_leaves in [2_000, 60_000] {
        let shape = Shape { trees: 2, most_leaves, ..Shape::default() };
        check_shape(&shape, 70);
    }
}

#[test]
fn test_a_chain_of_the_greatest_depth_is_walked() {
    let (mut trees, inputs) = Shape { trees: 1, most_leaves: 1, ..Shape::default() }.make();
    chain(&mut trees, 4096);
    let mut random = Random(3);
    let rows: Vec<_> = (0..10).map(|_| row(&trees, &inputs, &mut random)).collect();
    check(&trees, &inputs, &rows);
}

/// Makes the only tree a chain to the right.
pub fn chain(trees: &mut Trees, depth: i32) {
    let count = 2 * depth as usize + 1;
    trees.features = vec![-1; count];
    trees.thresholds = vec![0.0; count];
    (trees.left, trees.right) = (vec![0; count], vec![-1; count]);
    trees.flags = vec![0; count];
    for level in 0..depth {
        let at = 2 * level as usize;
        trees.features[at] = level % 2;
        trees.thresholds[at] = f64::from(level) / 4096.0 - 1.0;
        (trees.left[at], trees.right[at]) = (2 * level + 1, 2 * level + 2);
        trees.left[at + 1] = level % 2;
    }
    trees.ends = vec![count as i32];
    trees.leaves = vec![0.5, 0.25];
}

/// What becomes of a row alone where there is a kernel for it, and where there is none.
fn assert_rows(text: &str, kernel: &str) {
    let rows = text.split("rows: ").nth(1).unwrap_or_default();
    if text.contains("(scalar)") {
        assert_contains(rows, "8 walks interleaved, blocks");
    } else {
        assert_contains(rows, kernel);
    }
}

#[test]
fn test_a_row_is_compared_with_all_nodes_of_small_trees() {
    let small = Shape { trees: 30, most_leaves: 65, ..Shape::default() };
    let sets = Shape { categorical: 0.3, set_words: 3, ..small.clone() };
    let outputs = Shape { outputs: 3, is_vector: true, ..small.clone() };
    let leaves = Shape { most_leaves: 2, ..small.clone() };
    let oblivious = Shape { is_oblivious: true, most_leaves: 256, ..small.clone() };
    let windows = Shape { trees: 400, numbers: 1, ..small.clone() };
    let planes = [14, 30, 60, 120].map(|numbers| Shape { numbers, ..small.clone() });
    for shape in [small, sets, outputs, leaves, oblivious, windows].iter().chain(&planes) {
        let text = describe(shape);
        assert_rows(&text, "compare and follow (");
        assert!(!text.contains("interleaved for the others"), "{text}");
        check_shape(shape, 20);
    }
}

#[test]
fn test_a_row_walks_through_trees_of_many_nodes_or_planes() {
    let nodes = Shape { trees: 32, most_leaves: 5_000, ..Shape::default() };
    let planes = Shape { trees: 96, most_leaves: 60, numbers: 1_000, ..Shape::default() };
    for shape in [nodes, planes] {
        assert_rows(&describe(&shape), "8 walks interleaved, blocks");
        check_shape(&shape, 20);
    }
}

#[test]
fn test_eight_trees_are_walked_together_if_one_must_be() {
    let (mut trees, inputs) = Shape { trees: 20, ..Shape::default() }.make();
    let (large, _) = Shape { trees: 1, seed: 2, most_leaves: 400, ..Shape::default() }.make();
    assert!(large.features.len() > 400);
    // One more tree, in the third group.
    let leaves = trees.leaves.len() as i32;
    let moved = |(feature, left): (&i32, &i32)| if *feature == -1 { left + leaves } else { *left };
    trees.left.extend(large.features.iter().zip(&large.left).map(moved));
    trees.features.extend(&large.features);
    trees.thresholds.extend(&large.thresholds);
    trees.right.extend(&large.right);
    trees.flags.extend(&large.flags);
    trees.leaves.extend(&large.leaves);
    trees.ends.push(trees.features.len() as i32);
    trees.outputs.push(0);
    let text = plan(&trees, &inputs).expect("right").describe().pop().expect("a step");
    assert_rows(&text, "for 16 trees, 8 walks interleaved for the others, blocks");
    let mut random = Random(3);
    let rows: Vec<_> = (0..20).map(|_| row(&trees, &inputs, &mut random)).collect();
    check(&trees, &inputs, &rows);
}

#[test]
fn test_trees_that_only_test_constants_are_a_constant() {
    let shape = Shape { numbers: 0, constants: 3, trees: 10, categorical: 0.2, ..Shape::default() };
    assert_contains(&describe(&shape), "constant ");
}

#[test]
fn test_indicators_become_tests_of_their_code() {
    let shape = Shape { numbers: 1, levels: 40, trees: 50, ..Shape::default() };
    let (trees, inputs) = shape.make();
    let steps = plan(&trees, &inputs).expect("right").describe();
    assert!(!steps.iter().any(|step| step.contains("indicator")), "{steps:?}");
    assert_contains(&steps[steps.len() - 1], "2 planes of u8");
    check_shape(&shape, 200);
}

#[test]
fn test_the_kernel_is_no_more_general_than_the_tests() {
    let numeric = Shape { missing_left: 0.0, ..Shape::default() };
    assert_contains(&describe(&numeric), "upper bounds");
    let missing = Shape { missing_left: 1.0, ..Shape::default() };
    assert_contains(&describe(&missing), "0 sets, ranges, rows");
    let sets = Shape { categorical: 0.5, set_words: 3, trees: 20, ..Shape::default() };
    assert_contains(&describe(&sets), "ranges and sets");
}
