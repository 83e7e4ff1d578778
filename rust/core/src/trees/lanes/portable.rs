//! Bytes in plain Rust, for every processor; compilers make of it what the architecture has at least.

use super::bytes::Bytes;

const WIDTH: usize = 32;

#[derive(Clone, Copy)]
pub struct Portable([u8; WIDTH]);

impl Bytes for Portable {
    const WIDTH: usize = WIDTH;

    type Table = [u8; 32];

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: the caller promises `WIDTH` bytes.
        Self(unsafe { from.cast::<[u8; WIDTH]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8) {
        // SAFETY: as above.
        unsafe { to.cast::<[u8; WIDTH]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn splat(byte: u8) -> Self {
        Self([byte; WIDTH])
    }

    #[inline(always)]
    unsafe fn choose(self, low: Self, span: Self, first: Self, second: Self) -> Self {
        let mut chosen = [0; WIDTH];
        for (at, chosen) in chosen.iter_mut().enumerate() {
            let above = self.0[at].wrapping_sub(low.0[at]) as i8;
            // Bits and not a branch: a choice of values becomes one of addresses, and no vector.
            let mask = u8::from(above > span.0[at] as i8).wrapping_neg();
            *chosen = first.0[at] ^ ((first.0[at] ^ second.0[at]) & mask);
        }
        Self(chosen)
    }

    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        let mut sum = self.0;
        sum.iter_mut().zip(other.0).for_each(|(sum, other)| *sum = sum.wrapping_add(other));
        Self(sum)
    }

    #[inline(always)]
    unsafe fn table(bits: &[u8; 32]) -> Self::Table {
        *bits
    }

    #[inline(always)]
    unsafe fn absent(self, table: Self::Table) -> Self {
        Self(self.0.map(|rank| !table[usize::from(rank >> 3)] >> (rank & 7) & 1))
    }
}
