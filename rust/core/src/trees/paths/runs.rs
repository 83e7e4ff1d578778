//! Which trees of a forest are run together, and how.

use std::ops::Range;

/// How the trees of a group are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Paths32,
    Paths64,
    Levels32,
    Levels64,
    Oblivious,
}

/// Groups of eight trees that are run together.
#[derive(Debug)]
pub struct Run {
    /// `None` for those that are walked.
    pub form: Option<Form>,
    pub has_lows: bool,
    /// The first of them among those of their form.
    pub start: usize,
    /// Among all.
    pub groups: Range<usize>,
}

/// Groups that are run together, at most. The leaves of so few are added while the next ones are on their way.
pub const RUN_GROUPS: usize = 16;

impl Run {
    /// So many groups that are all walked.
    pub fn walks(groups: usize) -> Vec<Self> {
        let mut runs = Vec::new();
        (0..groups).for_each(|_| Self::push(&mut runs, None));
        runs
    }

    /// Adds one group: its form, whether tests have lower bounds, and its place.
    pub fn push(runs: &mut Vec<Self>, placed: Option<(Form, bool, usize)>) {
        let form = placed.map(|(form, ..)| form);
        let (has_lows, start) = placed.map_or((false, 0), |(_, lows, start)| (lows, start));
        let end = runs.last().map_or(0, |run| run.groups.end);
        match runs.last_mut() {
            Some(run)
                if (run.form, run.has_lows) == (form, has_lows)
                    && run.groups.len() < RUN_GROUPS =>
            {
                run.groups.end += 1;
            }
            _ => runs.push(Self { form, has_lows, start, groups: end..end + 1 }),
        }
    }
}
