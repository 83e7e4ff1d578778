//! Nodes as walks read them: four words, of one, two or four bytes.

use crate::plan::block::{Lane, Workspace};

/// The largest rank: a missing number, no code, a category beyond all sets. Narrow words take it for their own
/// largest value, which no cut, code or category that is tested may reach.
pub const LAST_RANK: u32 = u32::MAX;

/// The unsigned integers that ranks and nodes are made of.
pub trait Word: Copy + Ord + Default + Send + Sync + 'static {
    const NAME: &'static str;
    const MAX: u32;

    /// The low bits of a number that fits, or of [`LAST_RANK`].
    fn truncate(x: u32) -> Self;

    fn index(self) -> usize;

    /// How far above `low`, wrapping around.
    fn above(self, low: Self) -> Self;

    /// The sum, wrapping around.
    fn plus(self, other: Self) -> Self;

    /// Room for ranks that lives as long as a thread predicts.
    fn room(workspace: &mut Workspace) -> &mut Vec<Self>;

    /// Room for the ranks of a block, likewise.
    fn lanes(workspace: &mut Workspace) -> &mut Vec<Lane<Self>>;

    /// The number, or the largest one.
    #[inline(always)]
    fn saturate(x: u32) -> Self {
        Self::truncate(x.min(Self::MAX))
    }
}

macro_rules! words {
    ($($word:ty, $name:literal, $room:ident, $lanes:ident;)*) => {$(
        impl Word for $word {
            const NAME: &'static str = $name;
            const MAX: u32 = <$word>::MAX as u32;

            #[inline(always)]
            fn truncate(x: u32) -> Self {
                x as Self
            }

            #[inline(always)]
            fn index(self) -> usize {
                self as usize
            }

            #[inline(always)]
            fn above(self, low: Self) -> Self {
                self.wrapping_sub(low)
            }

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            fn room(workspace: &mut Workspace) -> &mut Vec<Self> {
                &mut workspace.$room
            }

            fn lanes(workspace: &mut Workspace) -> &mut Vec<Lane<Self>> {
                &mut workspace.$lanes
            }
        }
    )*};
}

words! {
    u8, "u8", ranks8, lanes8;
    u16, "u16", ranks16, lanes16;
    u32, "u32", ranks32, lanes32;
}

/// A row goes on to node `here + offset` if its rank is within `span` of `low`, else to the node after that.
///
/// A leaf has offset 0 and a span that holds all ranks, so that a walk stays there; `low` tells its row of the leaves.
/// Where a set is tested, `low` and `span` tell the table instead.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Node<W> {
    pub plane: W,
    pub low: W,
    pub span: W,
    pub offset: W,
}

impl<W: Word> Node<W> {
    /// `row` is counted from the first leaf of the tree.
    pub fn leaf(row: u32) -> Self {
        let zero = W::truncate(0);
        Self { plane: zero, low: W::truncate(row), span: W::truncate(W::MAX), offset: zero }
    }

    /// Ranks from `low` to `last` go to the first child.
    pub fn range(plane: u32, low: u32, last: u32, offset: u32) -> Self {
        let [plane, low, last, offset] = [plane, low, last, offset].map(W::truncate);
        Self { plane, low, span: last.above(low), offset }
    }

    /// Ranks whose bit is set in a table go to the first child.
    pub fn set(plane: u32, table: u32, offset: u32) -> Self {
        let (low, span) = (table & W::MAX, (u64::from(table) >> W::MAX.count_ones()) as u32);
        let [plane, low, span, offset] = [plane, low, span, offset].map(W::truncate);
        Self { plane, low, span, offset }
    }

    /// The table of a set test.
    #[inline(always)]
    pub fn table(&self) -> usize {
        // A table that fits 32 bits fits `low` alone there.
        self.low.index() | (self.span.index() << (W::MAX.count_ones() % 32))
    }

    pub fn is_leaf(&self) -> bool {
        self.offset.index() == 0
    }
}
