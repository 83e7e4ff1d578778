//! The few that are nearest so far, kept and sorted as scikit-learn does, so that it decides likewise between equals.

/// A heap of fixed size with the largest value first, and what is known by each value.
#[derive(Default)]
pub struct Heap {
    pub values: Vec<f64>,
    pub indices: Vec<u32>,
}

/// What is longer is parted before it is sorted by insertion.
const SMALL: usize = 15;

impl Heap {
    /// So many places, each with the first index and a value that is worse than all.
    pub fn reset(&mut self, count: usize, worst: f64) {
        self.values.clear();
        self.values.resize(count, worst);
        self.indices.clear();
        self.indices.resize(count, 0);
    }

    /// The value that the next one must be below.
    pub fn worst(&self) -> f64 {
        self.values.first().copied().unwrap_or(f64::NEG_INFINITY)
    }

    /// Puts this in place of the worst, if it is better (sklearn/utils/_heap.pyx, `heap_push`).
    #[inline]
    pub fn push(&mut self, value: f64, index: u32) {
        if value >= self.worst() {
            return;
        }
        self.replace(value, index);
    }

    fn replace(&mut self, value: f64, index: u32) {
        let size = self.values.len();
        let mut at = 0;
        loop {
            let left = 2 * at + 1;
            let right = left + 1;
            if left >= size {
                break;
            }
            let is_left = right >= size || self.values[left] >= self.values[right];
            let child = if is_left { left } else { right };
            if value < self.values[child] {
                self.values[at] = self.values[child];
                self.indices[at] = self.indices[child];
                at = child;
            } else {
                break;
            }
        }
        self.values[at] = value;
        self.indices[at] = index;
    }

    /// Sorts from the best on (sklearn/utils/_sorting.pyx, `simultaneous_sort`).
    pub fn sort(&mut self) {
        let depth = 2 * self.values.len().checked_ilog2().unwrap_or(0);
        introsort(&mut self.values, &mut self.indices, depth);
    }
}

fn introsort(values: &mut [f64], indices: &mut [u32], depth: u32) {
    let (mut values, mut indices, mut depth) = (values, indices, depth);
    while values.len() > SMALL {
        if depth == 0 {
            heapsort(values, indices);
            return;
        }
        depth -= 1;
        let place = part(values, indices);
        introsort(&mut values[..place], &mut indices[..place], depth);
        values = &mut values[place + 1..];
        indices = &mut indices[place + 1..];
    }
    insertion_sort(values, indices);
}

fn swap(values: &mut [f64], indices: &mut [u32], left: usize, right: usize) {
    values.swap(left, right);
    indices.swap(left, right);
}

/// Parts by the median of three; gives the place of that.
fn part(values: &mut [f64], indices: &mut [u32]) -> usize {
    let (last, middle) = (values.len() - 1, values.len() / 2);
    if values[0] > values[last] {
        swap(values, indices, 0, last);
    }
    if values[last] > values[middle] {
        swap(values, indices, last, middle);
        if values[0] > values[last] {
            swap(values, indices, 0, last);
        }
    }
    let pivot = values[last];
    let (mut left, mut right) = (1, last - 1);
    loop {
        while left <= right && values[left] < pivot {
            left += 1;
        }
        while left <= right && values[right] > pivot {
            right -= 1;
        }
        if left >= right {
            break;
        }
        swap(values, indices, left, right);
        left += 1;
        right -= 1;
    }
    swap(values, indices, left, last);
    left
}

fn heapsort(values: &mut [f64], indices: &mut [u32]) {
    let length = values.len();
    for start in (0..=(length - 2) / 2).rev() {
        sift_down(values, indices, start, length);
    }
    for end in (1..length).rev() {
        swap(values, indices, 0, end);
        sift_down(values, indices, 0, end);
    }
}

fn sift_down(values: &mut [f64], indices: &mut [u32], start: usize, end: usize) {
    let mut root = start;
    loop {
        let child = root * 2 + 1;
        let mut most = root;
        for at in [child, child + 1] {
            if at < end && values[most] < values[at] {
                most = at;
            }
        }
        if most == root {
            return;
        }
        swap(values, indices, root, most);
        root = most;
    }
}

fn insertion_sort(values: &mut [f64], indices: &mut [u32]) {
    for next in 1..values.len() {
        let (value, index) = (values[next], indices[next]);
        let mut at = next;
        while at > 0 && values[at - 1] > value {
            values[at] = values[at - 1];
            indices[at] = indices[at - 1];
            at -= 1;
        }
        values[at] = value;
        indices[at] = index;
    }
}

#[cfg(test)]
mod tests {
    use super::Heap;

    fn pushed(values: &[f64], count: usize) -> Heap {
        let mut heap = Heap::default();
        heap.reset(count, f64::INFINITY);
        for (index, value) in values.iter().enumerate() {
            heap.push(*value, index as u32);
        }
        heap
    }

    #[test]
    fn the_root_is_replaced_and_sinks() {
        let mut heap = Heap { values: vec![1.2, 0.4, 0.1], indices: vec![42, 1, 5] };
        heap.push(0.2, 4);
        assert_eq!((heap.values, heap.indices), (vec![0.4, 0.2, 0.1], vec![1, 4, 5]));
    }

    #[test]
    fn what_equals_the_worst_is_left_out() {
        assert_eq!(pushed(&[2.0, 2.0, 2.0], 1).indices, [0]);
        assert_eq!(pushed(&[f64::INFINITY; 3], 2).indices, [0, 0]);
    }

    #[test]
    fn many_values_are_sorted_with_their_indices() {
        for count in [1, 15, 16, 40, 300] {
            let values: Vec<f64> = (0..count).map(|at| f64::from(at * 7919 % 23)).collect();
            let mut heap = pushed(&values, values.len());
            heap.sort();
            assert!(heap.values.is_sorted());
            let known = heap.indices.iter().map(|index| values[*index as usize]);
            assert!(known.eq(heap.values.iter().copied()));
        }
    }
}
