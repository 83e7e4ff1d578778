//! Lookups by permutations of 64 bytes, with AVX-512 (F, BW and VBMI).

use super::lookup::{Lookup, NodeTests, RowBytes, RowJob};
use super::lookup_avx2;
use std::arch::x86_64::*;

pub struct Permutations;

/// Runs a job with these lookups.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi1,bmi2,lzcnt")]
pub fn run<J: RowJob>(job: J) {
    // SAFETY: the function is only called where there is AVX-512 F, BW and VBMI, BMI1, BMI2 and LZCNT.
    unsafe { job.run::<Permutations>() }
}

// SAFETY of all below: the callers promise AVX-512 F, BW and VBMI; no byte behind those of the nodes is read.
#[allow(clippy::undocumented_unsafe_blocks, reason = "one comment for all of them")]
impl Lookup for Permutations {
    /// The first and the last 64 bytes.
    type Row = (__m512i, __m512i);

    #[inline(always)]
    unsafe fn row<const PIECES: usize>(bytes: &RowBytes) -> Self::Row {
        let [first, last] =
            [0, 64].map(|at| unsafe { _mm512_load_si512(bytes.0.as_ptr().add(at).cast()) });
        (first, last)
    }

    #[inline(always)]
    unsafe fn above<const PIECES: usize, const LOWS: bool, const NODES: usize>(
        (first, last): Self::Row,
        tests: &NodeTests<NODES>,
    ) -> u64 {
        let nodes = u64::MAX >> (64 - NODES);
        let load =
            |bytes: &[u8; NODES]| unsafe { _mm512_maskz_loadu_epi8(nodes, bytes.as_ptr().cast()) };
        unsafe {
            let lanes = load(&tests.lanes.0);
            let mut found = if PIECES > 4 {
                _mm512_permutex2var_epi8(first, lanes, last)
            } else {
                _mm512_permutexvar_epi8(lanes, first)
            };
            if LOWS {
                found = _mm512_sub_epi8(found, load(&tests.lows.0));
            }
            _mm512_cmpgt_epi8_mask(found, load(&tests.spans.0))
        }
    }

    #[inline(always)]
    unsafe fn child(outcomes: u64, number: u64) -> u64 {
        lookup_avx2::child(outcomes, number)
    }
}
