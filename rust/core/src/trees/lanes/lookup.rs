//! What the kernel of one row needs: all nodes of a tree compared at once, with bytes that are looked up by number.

/// Bytes of a row, at most.
pub const MOST_LANES: usize = 128;

/// The bytes of a row, each with the [`BIAS`](super::BIAS) added.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub struct RowBytes(pub [u8; MOST_LANES]);

/// A byte of each node of a tree.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(32))]
pub struct NodeBytes<const NODES: usize>(pub [u8; NODES]);

/// The tests of 32 or 64 nodes: whether the byte of a lane minus `low` is above `span`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct NodeTests<const NODES: usize> {
    /// As [`RowKernel::code`](super::RowKernel::code) writes them.
    pub lanes: NodeBytes<NODES>,
    /// With the bias.
    pub spans: NodeBytes<NODES>,
    pub lows: NodeBytes<NODES>,
}

/// How tests are made of a row's bytes.
///
/// # Safety
/// Every function needs the instructions of its kernel.
#[allow(clippy::missing_safety_doc, reason = "one section for all of them")]
pub trait Lookup {
    /// The bytes of a row in registers.
    type Row: Copy;

    unsafe fn row<const PIECES: usize>(bytes: &RowBytes) -> Self::Row;

    /// A bit for each node: whether its test says that the byte is above.
    ///
    /// Lanes must be in the first `PIECES` times 16 (1, 2, 4 or 8), and lows be 0 where there are no `LOWS`.
    unsafe fn above<const PIECES: usize, const LOWS: bool, const NODES: usize>(
        row: Self::Row,
        tests: &NodeTests<NODES>,
    ) -> u64;

    /// Twice a number below 64, and one more if the bit of that number is set.
    #[inline(always)]
    unsafe fn child(outcomes: u64, number: u64) -> u64 {
        2 * number + (outcomes >> (number & 63) & 1)
    }
}

/// Work for the lookups of any kernel.
pub trait RowJob {
    /// # Safety
    /// The processor must have the instructions of the kernel. Implementations are inlined always, so that they are
    /// compiled with these instructions.
    unsafe fn run<T: Lookup>(self);
}
