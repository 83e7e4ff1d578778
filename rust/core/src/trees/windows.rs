//! Ranks as bytes: a plane of up to 254 ranks as it is, a longer one as windows that each hold some of its ranks.

use super::nodes::Word;
use crate::plan::block::Lane;

/// Bytes of ranks above the window, and of [`LAST_RANK`](super::nodes::LAST_RANK); 0 is that of all below.
const ABOVE: u32 = 254;
const LAST: u32 = 255;
/// Ranks that have a byte of their own.
const OWN: u32 = ABOVE - 1;

/// The ranks from `base` on of one plane, as bytes: `base` is 1, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    pub plane: u32,
    base: u32,
}

impl Window {
    /// The window in which a test can be told from all others, and the test there: bytes from one to another, past
    /// the largest and on from 0 if the last is smaller.
    ///
    /// `None` where both ends of a range are in no window.
    pub fn holding<W: Word>(plane: u32, low: W, span: W) -> Option<(Self, u8, u8)> {
        let (low, last) = (low.index() as u32, low.plus(span).index() as u32);
        if W::MAX == LAST {
            return Some((Self { plane, base: 0 }, low as u8, last as u8));
        }
        // Ranks that differ in outcome from the one before; zero and the last rank have their own bytes anyway.
        let ends = [low, last.wrapping_add(1)].map(|end| (1..W::MAX).contains(&end).then_some(end));
        let first = ends.iter().flatten().min().copied().unwrap_or(1);
        let fits = |base: u32| ends.iter().flatten().all(|end| (base..=base + OWN).contains(end));
        let bases = [(first - 1) / OWN * OWN, first / OWN * OWN];
        let window = Self { plane, base: bases.into_iter().find(|base| fits(*base))? };
        Some((window, window.byte::<W>(low), window.byte::<W>(last)))
    }

    /// Whether all ranks of a plane are bytes.
    pub fn is_plane<W: Word>() -> bool {
        W::MAX == LAST
    }

    /// The window for sets with this many bits, and what is added to the ranks there.
    pub fn first<W: Word>(plane: u32, limit: u32) -> Option<(Self, u32)> {
        let added = u32::from(W::MAX != LAST);
        (limit + added <= ABOVE).then_some((Self { plane, base: 0 }, added))
    }

    /// The byte of a rank.
    #[inline(always)]
    pub fn one<W: Word>(&self, rank: W) -> u8 {
        let rank = rank.index() as u32;
        if W::MAX == LAST {
            rank as u8
        } else {
            self.byte::<W>(rank)
        }
    }

    /// The least byte of all ranks.
    pub fn least<W: Word>(&self) -> u8 {
        self.one(W::default())
    }

    fn byte<W: Word>(&self, rank: u32) -> u8 {
        let byte =
            if rank == W::MAX { LAST } else { (rank + 1).saturating_sub(self.base).min(ABOVE) };
        byte as u8
    }

    /// The bytes of so many ranks.
    pub fn fill<W: Word>(&self, ranks: &Lane<W>, bytes: &mut Lane<u8>, rows: usize) {
        let pairs = bytes.0.iter_mut().zip(&ranks.0).take(rows);
        pairs.for_each(|(byte, rank)| *byte = self.one(*rank));
    }
}

#[cfg(test)]
mod checks {
    use super::*;
    use proptest::prelude::*;

    fn is_second<W: Word>(low: W, span: W, rank: W) -> bool {
        rank.above(low) > span
    }

    fn check(low: u16, last: u16, ranks: &[u16]) -> Option<()> {
        let span = last.above(low);
        let (window, first_byte, last_byte) = Window::holding(0, low, span)?;
        for rank in ranks {
            let byte = window.byte::<u16>(u32::from(*rank));
            let expected = is_second(low, span, *rank);
            let span = last_byte.above(first_byte);
            assert_eq!(is_second(first_byte, span, byte), expected, "{low} {last} {rank}");
        }
        Some(())
    }

    fn rank() -> impl Strategy<Value = u16> {
        prop_oneof![0u16..1_000, Just(0), Just(u16::MAX), Just(u16::MAX - 1), any::<u16>()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn test_a_byte_goes_where_its_rank_goes(low in rank(), last in rank(), other in rank()) {
            let near = |rank: u16| [rank.wrapping_sub(1), rank, rank.wrapping_add(1)];
            let ranks = [near(low), near(last), near(other), [0, u16::MAX, u16::MAX - 1]].concat();
            check(low, last, &ranks);
        }
    }

    #[test]
    fn test_every_cut_and_every_level_has_a_window() {
        for rank in 0..u16::MAX {
            let ranks = [0, rank.saturating_sub(1), rank, rank.saturating_add(1), u16::MAX];
            check(0, rank, &ranks).expect("a cut");
            check(u16::MAX, rank, &ranks).expect("a cut with missing numbers");
            check(rank, rank, &ranks).expect("a level");
            check(rank.wrapping_add(1), rank.wrapping_sub(1), &ranks).expect("all but a level");
        }
    }
}
