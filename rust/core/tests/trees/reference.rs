//! The operator `trees` as docs/format.md says it, one sentence after the other.

use crate::world::Trees;

/// The outputs for one row of elements.
pub fn predict(trees: &Trees, elements: &[f64]) -> Vec<f64> {
    let is_f32 = trees.fields["accumulate"] == "f32";
    let divisor = trees.fields["divisor"].as_f64().expect("a number");
    let mut doubles = trees.start.clone();
    let mut singles: Vec<f32> = trees.start.iter().map(|x| *x as f32).collect();
    for tree in 0..trees.ends.len() {
        let row = leaf(trees, tree, elements);
        for position in 0..trees.leaf_width {
            let value = trees.leaves[row * trees.leaf_width + position];
            let output =
                if trees.leaf_width == 1 { trees.outputs[tree] as usize } else { position };
            let value = if trees.leaves_are_f32 { f64::from(value as f32) } else { value };
            doubles[output] += value;
            singles[output] += value as f32;
        }
    }
    if is_f32 {
        singles.into_iter().map(|sum| f64::from((f64::from(sum) / divisor) as f32)).collect()
    } else {
        doubles.into_iter().map(|sum| sum / divisor).collect()
    }
}

/// The row of the leaves that one tree leads to.
fn leaf(trees: &Trees, tree: usize, elements: &[f64]) -> usize {
    let root = if tree == 0 { 0 } else { trees.ends[tree - 1] as usize };
    let mut node = root;
    while trees.features[node] != -1 {
        let element = elements[trees.features[node] as usize];
        let child =
            if is_left(trees, node, element) { trees.left[node] } else { trees.right[node] };
        node = root + child as usize;
    }
    trees.left[node] as usize
}

fn is_left(trees: &Trees, node: usize, element: f64) -> bool {
    let mut element = element;
    // `precision`: elements are rounded to f32 before the test
    if trees.fields["precision"] == "f32" {
        element = f64::from(element as f32);
    }
    // `flush_zero`: elements with magnitude <= 1.0000000180025095e-35 are read as 0
    if trees.fields["flush_zero"] == true && element.abs() <= 1.0000000180025095e-35 {
        element = 0.0;
    }
    let flags = trees.flags[node];
    // bit 0: categorical test; bit 1: missing goes left
    let missing_left = flags & 2 != 0;
    if flags & 1 != 0 {
        return is_category_left(trees, trees.thresholds[node] as usize, element, missing_left);
    }
    // bits 2-3: what is missing: 0 nothing (NaN is read as 0), 1 zero or NaN, 2 NaN
    let is_missing = match flags >> 2 {
        0 => {
            element = if element.is_nan() { 0.0 } else { element };
            false
        }
        1 => element.is_nan() || element.abs() <= 1.0000000180025095e-35,
        2 => element.is_nan(),
        other => panic!("{other} is not in the format"),
    };
    if is_missing {
        return missing_left;
    }
    if trees.fields["comparison"] == "less" {
        element < trees.thresholds[node]
    } else {
        element <= trees.thresholds[node]
    }
}

fn is_category_left(trees: &Trees, set: usize, element: f64, missing_left: bool) -> bool {
    // the element truncated toward zero is category c; NaN is missing
    if element.is_nan() {
        return missing_left;
    }
    let category = element.trunc();
    let ends = trees.set_ends.as_ref().expect("categorical tests have sets");
    let start = if set == 0 { 0 } else { ends[set - 1] as usize };
    let words = &trees.set_words[start..ends[set] as usize];
    // `other_category`: negative numbers and categories beyond the set's words
    if category < 0.0 || category >= words.len() as f64 * 32.0 {
        return match trees.fields["other_category"].as_str() {
            Some("left") => true,
            Some("right") => false,
            _ => missing_left,
        };
    }
    let category = category as usize;
    words[category / 32] >> (category % 32) & 1 == 1
}
