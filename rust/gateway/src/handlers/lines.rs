//! JSON lines that are answered as they come, each on a line of its own; what is wrong with one stops no other.

use super::asked::Asked;
use super::blocks::{Room, Task, Written};
use super::shares::Who;
use super::sticky;
use crate::answers::json;
use crate::catalog::{Route, Version};
use crate::failure::{Failure, Kind};
use crate::forms::Form;
use crate::seeing::observation::{Observation, Observed};
use bytes::{Buf, BytesMut};
use penstock_core::rows::Rows;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest line that is read, in bytes.
pub const LONGEST: usize = 1 << 20;

/// Lines that are answered at a time; others get their turn after them.
const LINES: usize = 64;

/// Explaining takes a hundred times as long.
const EXPLAINED_LINES: usize = 4;

/// The rows of a body of lines; empty lines are none.
pub fn split_lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

/// Rows of a stream that are counted together, and for how long they may wait for it.
const COUNTED: usize = 1_000;
const COUNTED_WITHIN: Duration = Duration::from_secs(10);

/// Answers lines of one request.
pub struct Lines {
    route: Arc<Route>,
    who: Who,
    /// The versions that have answered so far.
    lanes: Vec<Lane>,
    asked: Asked,
    longest: usize,
    /// Lines that were answered.
    rows: usize,
    /// The rest of a line that was too long is dropped.
    is_skipping: bool,
    is_over: bool,
}

/// A version that answers lines.
struct Lane {
    seen: Observation,
    rows: usize,
    since: Instant,
    room: Room,
}

impl Lines {
    /// # Errors
    /// A version cannot do what is asked of it.
    pub fn new(route: Arc<Route>, who: Who, asked: Asked, longest: usize) -> Result<Self, Failure> {
        let (lanes, rows, is_skipping, is_over) = (Vec::new(), 0, false, false);
        let mut lines = Self { route, who, lanes, asked, longest, rows, is_skipping, is_over };
        let versions: Vec<_> = lines.who.versions(&lines.route).cloned().collect();
        for version in versions {
            let seen = Observation::begin(&lines.route, version, Instant::now());
            Task::new(&seen, &lines.asked, Form::Lines)?;
            let (since, room) = (Instant::now(), Room::default());
            lines.lanes.push(Lane { seen, rows: 0, since, room });
        }
        Ok(lines)
    }

    pub fn route(&self) -> &Arc<Route> {
        &self.route
    }

    /// Whether no more lines are answered: one was refused with `on_error=raise`.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Answers some lines from the front of `buffer` and takes them away; `None` if there is no whole line. At the end
    /// of the body, what is left is a line.
    pub fn answer(&mut self, buffer: &mut BytesMut, is_end: bool) -> Option<Vec<u8>> {
        if self.is_over {
            return None;
        }
        if self.is_skipping {
            let end = memchr::memchr(b'\n', buffer);
            buffer.advance(end.map_or(buffer.len(), |at| at + 1));
            self.is_skipping = end.is_none();
        }
        let most = if self.asked.explain.is_some() { EXPLAINED_LINES } else { LINES };
        let mut items: Vec<&[u8]> = Vec::with_capacity(most);
        let mut used = 0;
        while items.len() < most {
            let rest = buffer.get(used..).unwrap_or_default();
            let (line, length) = match memchr::memchr(b'\n', rest) {
                Some(at) => (&rest[..at], at + 1),
                None if (is_end && !rest.is_empty()) || rest.len() > self.longest => {
                    (rest, rest.len())
                }
                None => break,
            };
            if line.len() > self.longest {
                if items.is_empty() {
                    self.is_skipping = length == line.len() && !is_end;
                    buffer.advance(used + length);
                    return Some(self.too_long());
                }
                break;
            }
            used += length;
            let line = line.trim_ascii();
            if !line.is_empty() {
                items.push(line);
            }
        }
        let answer = (!items.is_empty()).then(|| self.run(&items));
        buffer.advance(used);
        answer
    }

    /// The answers to lines; those of a version that follow each other are answered together.
    fn run(&mut self, items: &[&[u8]]) -> Vec<u8> {
        let mut answer = Vec::new();
        let mut lanes = items.iter().map(|item| self.lane(item)).collect::<Vec<_>>().into_iter();
        let mut rest = items;
        let mut next = lanes.next();
        while let Some(lane) = next.filter(|_| !self.is_over) {
            let mut count = 1;
            next = loop {
                match lanes.next() {
                    Some(other) if other == lane => count += 1,
                    other => break other,
                }
            };
            let (these, others) = rest.split_at(count.min(rest.len()));
            self.run_by(lane, these, &mut answer);
            rest = others;
        }
        answer
    }

    /// The position of who answers a line.
    fn lane(&self, item: &[u8]) -> usize {
        if self.lanes.len() == 1 {
            return 0;
        }
        let version = self.who.version(&self.route, |input| sticky::key(item, input));
        let is_it = |lane: &Lane| {
            version.as_ref().is_ok_and(|version| Arc::ptr_eq(&lane.seen.version, version))
        };
        self.lanes.iter().position(is_it).unwrap_or(0)
    }

    fn run_by(&mut self, lane: usize, items: &[&[u8]], to: &mut Vec<u8>) {
        let Some(Lane { seen, rows, room, .. }) = self.lanes.get_mut(lane) else { return };
        let mut answer = |items: &[&[u8]]| {
            let task = Task::new(seen, &self.asked, Form::Lines)?;
            let mut rows = Rows::new(&task.loaded.model.plan, self.asked.fields.clone());
            task.answer_items(items, (self.rows, true), &mut rows, room)
        };
        let (count, failure) = match answer(items) {
            Ok(written) => {
                to.extend(text(written));
                (items.len(), None)
            }
            Err(failure) => {
                let good = failure.row.and_then(|row| row.checked_sub(self.rows)).unwrap_or(0);
                to.extend(answer(&items[..good.min(items.len())]).map(text).unwrap_or_default());
                (good, Some(failure))
            }
        };
        self.rows += count;
        *rows += count;
        if let Some(failure) = failure {
            to.extend(self.refuse(lane, failure));
            self.is_over = true;
        }
    }

    fn too_long(&mut self) -> Vec<u8> {
        let most = self.longest;
        let detail = format!("the line is longer than {most} bytes; send a row in less");
        self.fail(Failure::new(Kind::TooLarge, detail))
    }

    /// Answers the next line by an error.
    pub fn fail(&mut self, failure: Failure) -> Vec<u8> {
        self.is_over |= !self.asked.returns_errors;
        self.refuse(self.lane(b""), failure)
    }

    fn refuse(&mut self, lane: usize, failure: Failure) -> Vec<u8> {
        let mut answer = Vec::new();
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.seen.refused(&failure.code);
            lane.rows += 1;
        }
        write_error(&failure.at_row(Some(self.rows)), &mut answer);
        self.rows += 1;
        answer
    }

    /// What versions have answered since it was taken last: at the end all, before it what is due.
    pub fn observed(&mut self, is_end: bool) -> Vec<(Arc<Version>, Observed)> {
        let mut observed = Vec::new();
        for lane in &mut self.lanes {
            let is_due = lane.rows >= COUNTED || lane.since.elapsed() >= COUNTED_WITHIN;
            if lane.rows == 0 || !(is_due || is_end) {
                continue;
            }
            let version = lane.seen.version.clone();
            (lane.rows, lane.since) = (0, Instant::now());
            let next = Observation::begin(&self.route, version.clone(), lane.since);
            observed.push((version, std::mem::replace(&mut lane.seen, next).finish()));
        }
        observed
    }
}

fn text(written: Written) -> Vec<u8> {
    match written {
        Written::Text(text) => text,
        Written::Batch(_) => Vec::new(),
    }
}

fn write_error(failure: &Failure, to: &mut Vec<u8>) {
    to.push(b'{');
    json::error(failure, to);
    to.extend_from_slice(b"}\n");
}
