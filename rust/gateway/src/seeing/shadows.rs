//! Shadows: artifacts that answer a copy of the traffic, and how far they disagree with what was sent.

use super::counts::Counts;
use super::observation::{count_row, Stage};
use super::queue::{Job, Worker};
use super::seen::Seen;
use crate::catalog::Version;
use penstock_core::cell::Cell;
use penstock_core::manifest::OutputKind;
use penstock_core::plan::block::Scratch;
use penstock_core::plan::{OutputPlan, Plan};
use penstock_core::predict::Answer;
use std::time::{Duration, Instant};

/// Upper ends of the buckets of absolute differences, inclusive.
pub const ENDS: [f64; 16] =
    [0.0, 1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 10.0, 100.0, 1000.0];

/// Counters of a histogram of differences: its buckets, one beyond, and the sum in billionths.
const HISTOGRAM: usize = ENDS.len() + 2;

/// Outputs that are compared.
const MOST_OUTPUTS: usize = 8;

const REQUESTS: usize = 0;
const ROWS: usize = 1;
const REFUSED: usize = 2;
const SAME: usize = 3;
const DIFFERENT: usize = 4;
const NUMBERS: usize = 5;

/// How a shadow's answers compare with those that were sent.
pub struct Disagreement {
    counts: Counts,
    /// Names of the outputs that are numbers.
    names: Vec<String>,
}

impl Disagreement {
    pub fn new(plan: &Plan) -> Self {
        let is_number =
            |output: &&OutputPlan| matches!(output.kind, OutputKind::Number | OutputKind::Numbers);
        let outputs = plan.outputs.iter().filter(is_number).take(MOST_OUTPUTS);
        let names: Vec<String> = outputs.map(|output| output.name.clone()).collect();
        Self { counts: Counts::new(NUMBERS + names.len() * HISTOGRAM), names }
    }

    /// Counters by their names.
    pub fn named(&self) -> [(&'static str, u64); 5] {
        [
            ("requests", self.counts.get(REQUESTS)),
            ("rows", self.counts.get(ROWS)),
            ("refused_rows", self.counts.get(REFUSED)),
            ("same_labels", self.counts.get(SAME)),
            ("different_labels", self.counts.get(DIFFERENT)),
        ]
    }

    /// For each output of numbers its buckets, and the sum of all differences.
    pub fn differences(&self) -> impl Iterator<Item = (&str, Vec<u64>, f64)> {
        self.names.iter().enumerate().map(|(at, name)| {
            let first = NUMBERS + at * HISTOGRAM;
            let buckets = (first..=first + ENDS.len()).map(|at| self.counts.get(at)).collect();
            (name.as_str(), buckets, self.counts.get(first + HISTOGRAM - 1) as f64 / 1e9)
        })
    }

    fn label(&self, is_same: bool) {
        self.counts.add(if is_same { SAME } else { DIFFERENT }, 1);
    }

    fn number(&self, output: &str, was: f64, is: f64) {
        let Some(at) = self.names.iter().position(|name| name == output) else { return };
        let first = NUMBERS + at * HISTOGRAM;
        // Missing or infinite both times is the same; on one side only, it is as far as can be.
        let is_same = was == is || (was.is_nan() && is.is_nan());
        let difference = if is_same { 0.0 } else { (was - is).abs() };
        let bucket = match difference.is_nan() {
            true => ENDS.len(),
            false => ENDS.partition_point(|end| *end < difference),
        };
        self.counts.add(first + bucket, 1);
        if difference.is_finite() {
            self.counts.add(first + HISTOGRAM - 1, (difference * 1e9) as u64);
        }
    }
}

/// Answers copies of requests, half of its time at most.
#[derive(Default)]
pub struct Shadowing {
    scratch: Scratch,
}

impl Worker for Shadowing {
    fn work(&mut self, job: &Job) {
        let started = Instant::now();
        for (at, (shadow, _)) in job.route.shadows.iter().enumerate() {
            if job.copied.is_for(at) {
                self.answer(job, shadow);
            }
        }
        // Answers come first: the other half of the time is theirs.
        std::thread::sleep(started.elapsed().min(Duration::from_millis(100)));
    }

    fn finishes(&self) -> bool {
        false
    }
}

impl Shadowing {
    fn answer(&mut self, job: &Job, shadow: &Version) {
        let (before, plan) = (&job.version.loaded.model.plan, &shadow.loaded.model.plan);
        let seen: &Seen = &shadow.seen;
        let disagreement = &seen.disagreement;
        disagreement.counts.add(REQUESTS, 1);
        // Inputs by name: a shadow may have others, or the same in another order.
        let positions: Vec<_> =
            plan.fields.iter().map(|field| before.position(&field.name)).collect();
        let pairs = pairs(before, plan);
        let started = Instant::now();
        let (mut rows, mut refused) = (0, 0);
        for (_, cells, answers) in job.copied.rows() {
            let cell = |at: &Option<usize>| at.and_then(|at| cells.get(at).copied());
            let cells: Vec<Cell<'_>> =
                positions.iter().map(|at| cell(at).unwrap_or(Cell::Absent)).collect();
            rows += 1;
            if let Err(fault) = plan.predict_row(&cells, &mut self.scratch, &mut None) {
                refused += 1;
                seen.tally.error(fault.code.as_str());
                continue;
            }
            let values = seen.values();
            count_row(seen, plan, &cells, &self.scratch, |at| values.add(at, 1));
            for pair in &pairs {
                pair.compare(disagreement, &answers, (plan, &cells, &self.scratch));
            }
        }
        disagreement.counts.add(ROWS, rows as u64);
        disagreement.counts.add(REFUSED, refused as u64);
        seen.tally.rows(rows, refused);
        seen.tally.stage(Stage::Predict as usize, started.elapsed());
    }
}

/// Elements of the same name in the answers of two plans.
struct Pair<'a> {
    /// Position among all elements of the plan that has answered.
    was: usize,
    /// Output and element of the shadow.
    is: (&'a OutputPlan, usize),
    before: &'a OutputPlan,
}

fn pairs<'a>(before: &'a Plan, plan: &'a Plan) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    let mut first = 0;
    for output in &before.outputs {
        let same = |other: &&OutputPlan| (&other.name, other.kind) == (&output.name, output.kind);
        if let Some(other) = plan.outputs.iter().find(same) {
            for at in 0..output.elements.len() {
                let element = match output.names.get(at) {
                    Some(name) => other.names.iter().position(|other| other == name),
                    None => Some(0),
                };
                if let Some(element) = element {
                    pairs.push(Pair { was: first + at, is: (other, element), before: output });
                }
            }
        }
        first += output.elements.len();
    }
    pairs
}

impl Pair<'_> {
    fn compare(
        &self,
        disagreement: &Disagreement,
        answers: &[Answer<'_>],
        (plan, cells, scratch): (&Plan, &[Cell<'_>], &Scratch),
    ) {
        let (output, element) = self.is;
        let (Some(was), Some(element)) = (answers.get(self.was), output.elements.get(element))
        else {
            return;
        };
        match (was, plan.answer(element, cells, scratch)) {
            (Answer::Number(was), Answer::Number(is)) => {
                disagreement.number(&output.name, *was, is);
            }
            (Answer::Code(was), Answer::Code(is)) => {
                let was = self.before.levels.get(*was as usize);
                disagreement.label(was == output.levels.get(is as usize));
            }
            _ => {}
        }
    }
}
