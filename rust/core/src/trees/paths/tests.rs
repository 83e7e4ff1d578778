//! What nodes test, as ranges of the bytes of a row.

use super::super::blend::Tests;
use super::super::lanes::{RowKernel, MOST_LANES};
use super::super::nodes::{Node, Word};
use super::super::windows::Window;
use super::sets::SetTest;
use foldhash::HashMap;

/// Bytes from one to another go to the first child, past the largest and on from 0 if the last is smaller.
#[derive(Debug, Clone, Copy)]
pub struct ByteTest {
    /// The lane, as the kernel reads it.
    pub code: u8,
    pub low: u8,
    pub last: u8,
}

/// What all bytes pass: the tests of sets, which `sets` makes.
const ALL: ByteTest = ByteTest { code: 0, low: 0, last: u8::MAX };

/// The bytes of a row: a lane for each window.
#[derive(Debug)]
pub struct Lanes {
    pub windows: Vec<Window>,
    /// Whether lanes are planes as they are, from the second on.
    pub are_planes: bool,
    /// Of lanes.
    pub count: usize,
    places: HashMap<Window, u8>,
    kernel: RowKernel,
}

impl Lanes {
    pub fn new<W: Word>(tests: &Tests<'_>, kernel: RowKernel) -> Self {
        // The first plane is tested by leaves only, the last ones with sets.
        let planes = tests.plane_count.min(tests.first_set) - 1;
        let are_planes = Window::is_plane::<W>() && planes <= MOST_LANES;
        let count = if are_planes { planes } else { 0 };
        Self { windows: Vec::new(), are_planes, count, places: HashMap::default(), kernel }
    }

    /// Forgets all windows but the first.
    pub fn truncate(&mut self, count: usize) {
        if !self.are_planes {
            self.windows.truncate(count);
            self.count = count;
            self.places.retain(|_, lane| usize::from(*lane) < count);
        }
    }

    /// The tests of nodes at some positions, by position, and those that test sets; `None` if there are too many lanes.
    pub fn tests<W: Word>(
        &mut self,
        tree: &[Node<W>],
        tested: &[usize],
        tests: &Tests<'_>,
    ) -> Option<(Vec<ByteTest>, Vec<SetTest>)> {
        let (mut bytes, mut sets) = (vec![ALL; tree.len()], Vec::new());
        for at in tested {
            let (node, plane) = (&tree[*at], tree[*at].plane.index() as u32);
            if let Some(table) = tests.table(node) {
                sets.push(SetTest { node: *at, plane, table });
            } else {
                let low = if tests.has_low { node.low } else { W::default() };
                bytes[*at] = self.range(plane, low, node.span)?;
            }
        }
        Some((bytes, sets))
    }

    fn range<W: Word>(&mut self, plane: u32, low: W, span: W) -> Option<ByteTest> {
        let (window, low, last) = Window::holding(plane, low, span)?;
        // No byte is less, so that there is no need of a lower bound.
        let low = if low == window.least::<W>() && low <= last { 0 } else { low };
        let lane = match self.places.get(&window) {
            _ if self.are_planes => (plane - 1) as u8,
            Some(lane) => *lane,
            None if self.windows.len() == MOST_LANES => return None,
            None => {
                let lane = self.windows.len() as u8;
                self.places.insert(window, lane);
                self.windows.push(window);
                self.count += 1;
                lane
            }
        };
        Some(ByteTest { code: self.kernel.code(lane), low, last })
    }
}
