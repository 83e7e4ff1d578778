//! What a kernel needs of vectors of bytes.

/// Added to ranks and spans, so that comparisons of signed bytes order unsigned ones.
pub const BIAS: u8 = 0x80;

/// As many bytes as the processor handles at once.
///
/// # Safety
/// Every function needs the instructions of its kernel; pointers must be good for `WIDTH` bytes.
#[allow(clippy::missing_safety_doc, reason = "one section for all of them")]
pub trait Bytes: Copy {
    const WIDTH: usize;

    /// A table of 256 bits, ready to be looked up.
    type Table: Copy;

    unsafe fn load(from: *const u8) -> Self;

    unsafe fn store(self, to: *mut u8);

    unsafe fn splat(byte: u8) -> Self;

    /// Of each pair the first, where `self - low` is at most `span`, else the second.
    ///
    /// `low` and `span` have the `BIAS` added.
    unsafe fn choose(self, low: Self, span: Self, first: Self, second: Self) -> Self;

    unsafe fn plus(self, other: Self) -> Self;

    unsafe fn table(bits: &[u8; 32]) -> Self::Table;

    /// Zero where the bit of the table with this number is set, else another number.
    unsafe fn absent(self, table: Self::Table) -> Self;
}

/// Work for vectors of any kernel.
pub trait Job {
    /// # Safety
    /// The processor must have the instructions of the kernel. Implementations are inlined always, so that they are
    /// compiled with these instructions.
    unsafe fn run<B: Bytes>(self);
}

/// Looks `count` bytes up in a table of bits: zero where the bit is set.
pub struct Member<'a> {
    pub ranks: &'a [u8],
    pub bits: &'a [u8; 32],
    pub answers: &'a mut [u8],
}

impl Job for Member<'_> {
    #[inline(always)]
    unsafe fn run<B: Bytes>(self) {
        assert!(
            self.ranks.len() == self.answers.len() && self.ranks.len().is_multiple_of(B::WIDTH)
        );
        // SAFETY: the caller has the instructions, and both slices are whole vectors.
        unsafe {
            let table = B::table(self.bits);
            for at in (0..self.ranks.len()).step_by(B::WIDTH) {
                let ranks = B::load(self.ranks.as_ptr().add(at));
                ranks.absent(table).store(self.answers.as_mut_ptr().add(at));
            }
        }
    }
}
