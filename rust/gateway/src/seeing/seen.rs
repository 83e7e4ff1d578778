//! What is counted of one version of a route: its requests, rows, errors, durations and values.

use super::bins::{ModelBins, STATES};
use super::counts::{Counts, Shard};
use super::durations;
use super::shadows::Disagreement;
use super::slots::Slots;
use super::windows::Windows;
use penstock_core::manifest::Manifest;
use penstock_core::plan::Plan;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const MOST_STATUSES: usize = 24;
const MOST_CODES: usize = 64;

/// Statuses and codes of errors that have come up since the process began; positions are the same everywhere.
pub static STATUSES: Slots<u16, MOST_STATUSES> = Slots::new();
pub static CODES: Slots<String, MOST_CODES> = Slots::new();

/// The parts of the time that a prediction takes.
pub const STAGES: [&str; 3] = ["parse", "predict", "write"];

/// Positions of the counters, one kind after the other.
const STATUS: usize = 0;
const CODE: usize = STATUS + MOST_STATUSES + 1;
pub const ROWS: usize = CODE + MOST_CODES + 1;
pub const REFUSED: usize = ROWS + 1;
const REQUEST: usize = REFUSED + 1;
const STAGE: usize = REQUEST + durations::WIDTH;
/// Number of counters that every version has; those of its values come after them.
const WIDTH: usize = STAGE + STAGES.len() * durations::WIDTH;

/// Requests, rows, errors and durations.
pub struct Tally {
    counts: Counts,
}

impl Default for Tally {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Tally {
    /// With room for other counters after those that all have.
    fn new(more: usize) -> Self {
        Self { counts: Counts::new(WIDTH + more) }
    }

    /// Counts a request that was answered with a status.
    pub fn request(&self, status: u16, duration: Duration) {
        let shard = self.counts.shard();
        shard.add(STATUS + STATUSES.place(|known| *known == status, || status), 1);
        durations::add(shard, REQUEST, duration);
    }

    /// Counts a request or a row that was refused for this reason.
    pub fn error(&self, code: &str) {
        self.counts.add(CODE + CODES.place(|known| known == code, || code.to_owned()), 1);
    }

    pub fn rows(&self, rows: usize, refused: usize) {
        let shard = self.counts.shard();
        shard.add(ROWS, rows as u64);
        if refused > 0 {
            shard.add(REFUSED, refused as u64);
        }
    }

    pub fn stages(&self, stages: [Duration; STAGES.len()]) {
        let shard = self.counts.shard();
        for (at, duration) in stages.into_iter().enumerate() {
            durations::add(shard, STAGE + at * durations::WIDTH, duration);
        }
    }

    pub fn stage(&self, stage: usize, duration: Duration) {
        durations::add(self.counts.shard(), STAGE + stage * durations::WIDTH, duration);
    }

    pub fn get(&self, counter: usize) -> u64 {
        self.counts.get(counter)
    }

    /// Requests by status, without those that never came up.
    pub fn by_status(&self) -> Vec<(String, u64)> {
        let names: Vec<String> = STATUSES.iter().map(u16::to_string).collect();
        self.named(STATUS, names, MOST_STATUSES)
    }

    /// Errors by code, without those that never came up.
    pub fn by_code(&self) -> Vec<(String, u64)> {
        self.named(CODE, CODES.iter().cloned().collect(), MOST_CODES)
    }

    fn named(&self, first: usize, names: Vec<String>, rest: usize) -> Vec<(String, u64)> {
        let places = names.into_iter().enumerate().chain([(rest, "other".to_owned())]);
        let counted = places.map(|(at, name)| (name, self.get(first + at)));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    /// Counters of the durations of requests.
    pub fn durations(&self) -> Vec<u64> {
        (REQUEST..REQUEST + durations::WIDTH).map(|at| self.get(at)).collect()
    }

    /// Counters of the durations of a stage.
    pub fn stage_durations(&self, stage: usize) -> Vec<u64> {
        let first = STAGE + stage * durations::WIDTH;
        (first..first + durations::WIDTH).map(|at| self.get(at)).collect()
    }
}

/// All that is counted of one version.
pub struct Seen {
    pub tally: Tally,
    pub bins: ModelBins,
    /// Of a shadow, with what was sent; of any other version there is none.
    pub disagreement: Disagreement,
    windows: Mutex<Windows>,
    since: Instant,
}

impl Seen {
    pub fn new(manifest: &Manifest, plan: &Plan) -> Self {
        let bins = ModelBins::new(manifest, plan);
        let windows = Mutex::new(Windows::new(bins.width));
        let disagreement = Disagreement::new(plan);
        Self { tally: Tally::new(bins.width), bins, disagreement, windows, since: Instant::now() }
    }

    /// Where values of this thread are counted.
    pub fn values(&self) -> Values<'_> {
        Values(self.tally.counts.shard())
    }

    /// Bytes of all counters and of the sums that are kept at most.
    pub fn memory(&self) -> usize {
        self.tally.counts.memory() + Windows::MOST_KEPT * self.bins.width * size_of::<u64>()
    }

    /// Counters of all values, from the beginning.
    pub fn totals(&self) -> Vec<u64> {
        self.tally.counts.from(WIDTH)
    }

    /// Values of inputs that are worth a warning: input, code, count. Those that never came are left out.
    pub fn warnings<'a>(&self, plan: &'a Plan) -> Vec<(&'a str, &'static str, u64)> {
        let mut found = Vec::new();
        for (input, field) in self.bins.inputs.iter().zip(&plan.fields) {
            let Some(input) = input else { continue };
            for (at, state) in STATES.iter().enumerate() {
                let count = self.tally.get(WIDTH + input.bins.first + at);
                if count > 0 {
                    found.push((field.name.as_str(), *state, count));
                }
            }
        }
        found
    }

    /// Keeps what was counted until now, if it is time; without this there is no last hour.
    pub fn tick(&self) {
        let now = self.since.elapsed().as_secs();
        self.windows().tick(now, || self.totals());
    }

    /// For each window its name, its seconds, and what was counted within.
    pub fn within(&self) -> Vec<(&'static str, u64, Vec<u64>)> {
        self.windows().within(self.since.elapsed().as_secs(), &self.totals())
    }

    /// Only those who look take this lock, and what ticks; no request does.
    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The counters of values, for one thread.
#[derive(Clone, Copy)]
pub struct Values<'a>(Shard<'a>);

impl Values<'_> {
    #[inline]
    pub fn add(self, at: usize, count: u64) {
        self.0.add(WIDTH + at, count);
    }
}
