//! A sample of requests and answers as NDJSON in files that take turns, bounded in number and size.

use super::files::Files;
use super::queue::{Job, Worker};
use crate::answers::json::{self, number};
use crate::catalog::Version;
use crate::routes::CaptureEntry;
use penstock_core::artifact::hash;
use penstock_core::cell::Cell;
use penstock_core::manifest::OutputKind;
use penstock_core::plan::{OutputPlan, Plan};
use penstock_core::predict::Answer;
use serde_json::Value;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Writes what is captured.
pub struct Capturing {
    files: Files,
    /// What hashes begin with, so that nobody finds values by hashing those that are likely.
    salt: String,
    line: Vec<u8>,
    is_failing: bool,
}

/// What becomes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Treatment {
    Keep,
    Omit,
    Hash,
}

/// Checks that what is to be kept out is there: a name with a mistake in it would keep nothing out.
///
/// # Errors
/// The name that no version has.
pub fn check<'a>(
    entry: &CaptureEntry,
    versions: impl Iterator<Item = &'a Version> + Clone,
) -> Result<(), String> {
    for name in entry.omit.iter().chain(&entry.hash) {
        let mut versions = versions.clone();
        if !versions.any(|version| version.loaded.model.plan.position(name).is_some()) {
            return Err(format!("`capture` names the input `{name}`, which no version has"));
        }
    }
    Ok(())
}

impl Capturing {
    /// Begins to write into a folder; without a salt, one is drawn that ends with the process.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn open(folder: &Path, most_bytes: u64, salt: Option<&str>) -> Result<Self, String> {
        let drawn = || {
            let parts = (0..4).map(|at| RandomState::new().hash_one(at));
            parts.map(|part| format!("{part:016x}")).collect()
        };
        Ok(Self {
            files: Files::open(folder, most_bytes)?,
            salt: salt.map_or_else(drawn, str::to_owned),
            line: Vec::new(),
            is_failing: false,
        })
    }

    fn write(&mut self, job: &Job, entry: &CaptureEntry) {
        let plan = &job.version.loaded.model.plan;
        let treatments: Vec<Treatment> = plan
            .fields
            .iter()
            .map(|field| match &field.name {
                name if entry.omit.contains(name) => Treatment::Omit,
                name if entry.hash.contains(name) => Treatment::Hash,
                _ => Treatment::Keep,
            })
            .collect();
        let seconds = job.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let instant = i64::try_from(seconds.as_micros()).unwrap_or(i64::MAX);
        let texts = [
            ("{\"time\":", penstock_core::load::instant(instant)),
            (",\"request_id\":", job.id.clone()),
            (",\"route\":", job.route.name.clone()),
            (",\"version\":", job.version.name.clone()),
            (",\"digest\":", job.version.loaded.model.digest.clone()),
        ];
        let line = &mut self.line;
        line.clear();
        for (key, text) in texts {
            line.extend_from_slice(key.as_bytes());
            json::json(&text, line);
        }
        let counts = format!(",\"rows\":{},\"refused\":{},\"captured\":[", job.rows, job.refused);
        line.extend_from_slice(counts.as_bytes());
        for (at, (row, cells, answers)) in job.copied.rows().enumerate() {
            let start = format!("{}{{\"row\":{row},\"inputs\":", if at > 0 { "," } else { "" });
            line.extend_from_slice(start.as_bytes());
            inputs(plan, &treatments, &self.salt, &cells, line);
            // What is made from a secret may tell it: features are inputs in another form.
            let is_open = treatments.iter().all(|treatment| *treatment == Treatment::Keep);
            line.extend_from_slice(b",\"answer\":{");
            write_answer(plan, is_open, &answers, line);
            line.extend_from_slice(b"}}");
        }
        line.extend_from_slice(b"]}\n");
    }

    /// Says once that writing fails, and once that it works again.
    fn note(&mut self, done: std::io::Result<()>) {
        match (done, self.is_failing) {
            (Err(error), false) => {
                tracing::error!(%error, "captured requests cannot be written; make room or check the folder");
                self.is_failing = true;
            }
            (Ok(()), true) => {
                tracing::info!("captured requests are written again");
                self.is_failing = false;
            }
            _ => {}
        }
    }
}

impl Worker for Capturing {
    fn work(&mut self, job: &Job) {
        if let Some(entry) = &job.route.capture {
            self.write(job, entry);
            let done = self.files.write(&self.line);
            self.note(done);
        }
    }

    fn rest(&mut self) {
        if let Err(error) = self.files.flush() {
            self.note(Err(error));
        }
    }

    fn finishes(&self) -> bool {
        true
    }
}

fn inputs(plan: &Plan, treatments: &[Treatment], salt: &str, cells: &[Cell<'_>], to: &mut Vec<u8>) {
    let mut separator = b'{';
    for ((field, cell), treatment) in plan.fields.iter().zip(cells).zip(treatments) {
        if *cell == Cell::Absent || *treatment == Treatment::Omit {
            continue;
        }
        to.push(separator);
        separator = b',';
        json::json(&field.name, to);
        to.push(b':');
        if *treatment == Treatment::Keep || *cell == Cell::Missing {
            json::cell(*cell, to);
            continue;
        }
        let mut salted = salt.as_bytes().to_vec();
        json::cell(*cell, &mut salted);
        json::json(&format!("sha256:{}", hash(&salted)), to);
    }
    if separator == b'{' {
        to.push(b'{');
    }
    to.push(b'}');
}

fn write_answer(plan: &Plan, is_open: bool, answers: &[Answer<'_>], to: &mut Vec<u8>) {
    let mut answers = answers.iter();
    let mut is_first = true;
    for output in &plan.outputs {
        let values: Vec<_> = answers.by_ref().take(output.elements.len()).collect();
        if output.kind == OutputKind::Features && !is_open {
            continue;
        }
        let is_nested = output.kind == OutputKind::Numbers;
        let mut is_first_inside = true;
        if is_nested {
            key(&output.name, &mut is_first, to);
            to.push(b'{');
        }
        for (at, value) in values.into_iter().enumerate() {
            let name = match (output.kind, output.names.get(at)) {
                (OutputKind::Numbers | OutputKind::Features, Some(name)) => OutputPlan::plain(name),
                _ => output.name.clone(),
            };
            key(&name, if is_nested { &mut is_first_inside } else { &mut is_first }, to);
            match value {
                Answer::Number(x) => number(*x, to),
                Answer::Code(code) => {
                    json::json(output.levels.get(*code as usize).unwrap_or(&Value::Null), to);
                }
                Answer::Text(text) => json::json(text, to),
            }
        }
        if is_nested {
            to.push(b'}');
        }
    }
}

fn key(name: &str, is_first: &mut bool, to: &mut Vec<u8>) {
    if !std::mem::take(is_first) {
        to.push(b',');
    }
    json::json(&name, to);
    to.push(b':');
}
