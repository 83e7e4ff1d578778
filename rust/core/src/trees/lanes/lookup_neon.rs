//! Lookups by tables of 64 bytes, with NEON.

use super::lookup::{Lookup, NodeTests, RowBytes, RowJob};
use std::arch::aarch64::*;

pub struct TableLookups;

/// Runs a job with these lookups.
#[target_feature(enable = "neon")]
pub fn run<J: RowJob>(job: J) {
    // SAFETY: the function is only called where there is NEON.
    unsafe { job.run::<TableLookups>() }
}

// SAFETY of all below: the callers promise NEON; loads are of 16 bytes at multiples of 16 below the number of nodes.
#[allow(clippy::undocumented_unsafe_blocks, reason = "one comment for all of them")]
impl Lookup for TableLookups {
    /// The first and the last 64 bytes.
    type Row = (uint8x16x4_t, uint8x16x4_t);

    #[inline(always)]
    unsafe fn row<const PIECES: usize>(bytes: &RowBytes) -> Self::Row {
        let [first, last] = [0, 64].map(|at| unsafe {
            let load = |piece: usize| vld1q_u8(bytes.0.as_ptr().add(at + 16 * piece));
            uint8x16x4_t(load(0), load(1), load(2), load(3))
        });
        (first, last)
    }

    #[inline(always)]
    unsafe fn above<const PIECES: usize, const LOWS: bool, const NODES: usize>(
        row: Self::Row,
        tests: &NodeTests<NODES>,
    ) -> u64 {
        // A bit of its own for each node of eight, to be added up.
        let powers = unsafe { vreinterpretq_u8_u64(vdupq_n_u64(0x8040_2010_0804_0201)) };
        let bits = |at: usize| unsafe {
            vandq_u8(is_above::<PIECES, LOWS, NODES>(row, tests, at), powers)
        };
        unsafe {
            let first = vpaddq_u8(bits(0), bits(16));
            let second = if NODES > 32 { vpaddq_u8(bits(32), bits(48)) } else { vdupq_n_u8(0) };
            let all = vpaddq_u8(first, second);
            vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(all, all)))
        }
    }
}

#[inline(always)]
unsafe fn is_above<const PIECES: usize, const LOWS: bool, const NODES: usize>(
    (first, last): (uint8x16x4_t, uint8x16x4_t),
    tests: &NodeTests<NODES>,
    at: usize,
) -> uint8x16_t {
    // SAFETY: the caller has NEON, and 16 nodes from `at` on.
    unsafe {
        let load = |bytes: &[u8; NODES]| vld1q_u8(bytes.as_ptr().add(at));
        let lanes = load(&tests.lanes.0);
        let mut found = match PIECES {
            1 => vqtbl1q_u8(first.0, lanes),
            2 => vqtbl2q_u8(uint8x16x2_t(first.0, first.1), lanes),
            _ => vqtbl4q_u8(first, lanes),
        };
        if PIECES > 4 {
            found = vqtbx4q_u8(found, last, vsubq_u8(lanes, vdupq_n_u8(64)));
        }
        if LOWS {
            found = vsubq_u8(found, load(&tests.lows.0));
        }
        vcgtq_s8(vreinterpretq_s8_u8(found), vreinterpretq_s8_u8(load(&tests.spans.0)))
    }
}
