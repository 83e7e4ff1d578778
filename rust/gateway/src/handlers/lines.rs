//! JSON lines that are answered as they come, each on a line of its own; what is wrong with one stops no other.

use super::asked::Asked;
use super::blocks::{Room, Task, Written};
use crate::answers::json;
use crate::catalog::Version;
use crate::failure::{Failure, Kind};
use crate::forms::Form;
use bytes::{Buf, BytesMut};
use penstock_core::rows::Rows;
use std::sync::Arc;

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

/// Answers lines of one request.
pub struct Lines {
    version: Arc<Version>,
    asked: Asked,
    longest: usize,
    /// Lines that were answered, and how many of them by an error.
    pub rows: usize,
    pub refused: usize,
    /// The rest of a line that was too long is dropped.
    is_skipping: bool,
    is_over: bool,
    room: Room,
}

impl Lines {
    /// # Errors
    /// The model cannot do what is asked of it.
    pub fn new(version: Arc<Version>, asked: Asked, longest: usize) -> Result<Self, Failure> {
        Task::new(&version.loaded, &asked, Form::Lines)?;
        let (rows, refused, room) = (0, 0, Room::default());
        let (is_skipping, is_over) = (false, false);
        Ok(Self { version, asked, longest, rows, refused, is_skipping, is_over, room })
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
        let answered = (!items.is_empty()).then(|| {
            let mut room = std::mem::take(&mut self.room);
            let (answered, refused, is_over) = self.run(&items, &mut room);
            (answered, refused, is_over, room, items.len())
        });
        buffer.advance(used);
        let (answer, refused, is_over, room, count) = answered?;
        (self.room, self.is_over) = (room, is_over);
        self.rows += count;
        self.refused += refused;
        Some(answer)
    }

    /// The answers to lines, how many were refused, and whether the request ends with them.
    fn run(&self, items: &[&[u8]], room: &mut Room) -> (Vec<u8>, usize, bool) {
        let (loaded, asked) = (&self.version.loaded, &self.asked);
        let mut rows = Rows::new(&loaded.model.plan, asked.fields.clone());
        let mut answer = |items| {
            let task = Task::new(loaded, asked, Form::Lines)?;
            task.answer_items(items, (self.rows, true), &mut rows, room)
        };
        match answer(items) {
            Ok((written, refused)) => (text(written), refused, false),
            Err(failure) => {
                let good = failure.row.and_then(|row| row.checked_sub(self.rows)).unwrap_or(0);
                let good = answer(items.get(..good).unwrap_or_default());
                let mut answer = good.map(|(written, _)| text(written)).unwrap_or_default();
                write_error(&failure, &mut answer);
                (answer, 1, true)
            }
        }
    }

    fn too_long(&mut self) -> Vec<u8> {
        let most = self.longest;
        let detail = format!("the line is longer than {most} bytes; send a row in less");
        self.fail(Failure::new(Kind::TooLarge, detail))
    }

    /// Answers the next line by an error.
    pub fn fail(&mut self, failure: Failure) -> Vec<u8> {
        let mut answer = Vec::new();
        write_error(&failure.at_row(Some(self.rows)), &mut answer);
        self.rows += 1;
        self.refused += 1;
        self.is_over |= !self.asked.returns_errors;
        answer
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
