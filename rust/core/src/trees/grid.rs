//! Ranks of numbers among sorted cuts: a bucket of equal width by arithmetic, then a short search in it.

/// The cuts of all planes, and for each bucket of each plane the rank where it begins.
#[derive(Debug, Default)]
pub struct Grids {
    cuts: Vec<f64>,
    ranks: Vec<u32>,
}

/// The cuts of one plane.
///
/// The bucket of a number does not fall when the number grows, as each operation rounds correctly. So cuts in earlier
/// buckets are below the number, and cuts in later buckets are not.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    origin: f64,
    scale: f64,
    /// The last bucket.
    last: f64,
    /// Where the ranks of the buckets and the cuts begin.
    rank_start: usize,
    cut_start: usize,
    /// Halvings that find a place among the cuts of any bucket.
    steps: u32,
}

impl Grids {
    /// Adds a plane; `cuts` ascend and none is NaN. So many more are `below` every number, infinite ones too.
    pub fn add(&mut self, below: usize, cuts: &[f64]) -> Grid {
        let finite = || cuts.iter().copied().filter(|cut| cut.is_finite());
        let (low, high) = (finite().next().unwrap_or(0.0), finite().next_back().unwrap_or(0.0));
        let buckets = (2 * cuts.len()).next_power_of_two().max(2);
        let width = high - low;
        let has_width = width > 0.0 && width.is_finite();
        let mut grid = Grid {
            origin: low,
            scale: if has_width { buckets as f64 / width } else { 0.0 },
            last: (buckets - 1) as f64,
            rank_start: self.ranks.len(),
            cut_start: self.cuts.len(),
            steps: 0,
        };
        if !grid.scale.is_finite() {
            grid.scale = 0.0;
        }
        let mut counts = vec![0u32; buckets];
        cuts.iter().for_each(|cut| counts[grid.bucket(*cut)] += 1);
        grid.steps = u32::BITS - counts.iter().max().map_or(0, |most| most.leading_zeros());
        let mut rank = below as u32;
        for count in counts {
            self.ranks.push(rank);
            rank += count;
        }
        // No search comes to the ones below.
        self.cuts.extend(std::iter::repeat_n(f64::NEG_INFINITY, below));
        self.cuts.extend_from_slice(cuts);
        // No number is above these; a search that begins at the last cut looks no further.
        self.cuts.extend(std::iter::repeat_n(f64::INFINITY, 1 << grid.steps));
        grid
    }

    /// The number of cuts below the number; any for NaN. The grid must be one of these.
    #[inline(always)]
    pub fn rank(&self, grid: &Grid, x: f64) -> usize {
        let bucket = grid.bucket(x);
        debug_assert!(grid.rank_start + bucket < self.ranks.len());
        // SAFETY: `add` has made a rank for each bucket; ranks are at most the number of cuts of the plane, and there
        // are `2^steps` numbers behind those.
        unsafe {
            let mut rank = *self.ranks.get_unchecked(grid.rank_start + bucket) as usize;
            for step in (0..grid.steps).rev() {
                let middle = grid.cut_start + rank + (1 << step) - 1;
                let is_below = *self.cuts.get_unchecked(middle) < x;
                rank += usize::from(is_below) << step;
            }
            rank
        }
    }

    pub fn cut_count(&self) -> usize {
        self.cuts.iter().filter(|cut| **cut != f64::INFINITY).count()
    }

    pub fn memory(&self) -> usize {
        size_of_val(self.cuts.as_slice()) + size_of_val(self.ranks.as_slice())
    }
}

impl Grid {
    #[inline(always)]
    fn bucket(&self, x: f64) -> usize {
        let place = (x - self.origin) * self.scale;
        let place = if place > 0.0 { place } else { 0.0 };
        let place = if place < self.last { place } else { self.last };
        // SAFETY: between 0 and the last bucket, and no NaN, which is not above 0.
        unsafe { place.to_int_unchecked::<u32>() as usize }
    }
}

#[cfg(test)]
mod checks {
    use super::*;
    use proptest::prelude::*;

    fn number() -> impl Strategy<Value = f64> {
        let special = vec![
            0.0,
            -0.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            5e-324,
            -5e-324,
        ];
        prop_oneof![
            prop::num::f64::ANY.prop_filter("no NaN", |x| !x.is_nan()),
            prop::sample::select(special),
            (-300i32..300).prop_map(|x| f64::from(x) / 10.0),
            0.0f64..1.0,
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn test_a_rank_is_the_number_of_cuts_below(
            planes in prop::collection::vec(prop::collection::vec(number(), 0..300), 1..4),
            below in 0usize..3,
            numbers in prop::collection::vec(number(), 50),
        ) {
            let mut grids = Grids::default();
            for mut cuts in planes {
                cuts.sort_unstable_by(f64::total_cmp);
                let grid = grids.add(below, &cuts);
                let near = cuts.iter().flat_map(|cut| [cut.next_down(), *cut, cut.next_up()]);
                for x in near.chain(numbers.iter().copied()) {
                    let expected = below + cuts.iter().filter(|cut| **cut < x).count();
                    prop_assert_eq!(grids.rank(&grid, x), expected, "{} among {:?}", x, &cuts);
                }
                grids.rank(&grid, f64::NAN);
            }
        }
    }
}
