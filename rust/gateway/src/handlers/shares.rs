//! Who answers which rows: one version all of them, or for each row the version of its value of an input.

use super::asked::Asked;
use super::blocks::Task;
use crate::answers::table::Names;
use crate::catalog::{Route, Version};
use crate::choosing::choose;
use crate::failure::{Failure, Kind};
use crate::forms::Form;
use crate::routes::Sticky;
use crate::seeing::observation::{Observation, Observed};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// The version that answers a request, or the first of several; known even if the request is then refused.
pub type Chosen = OnceLock<Arc<Version>>;

/// The versions that have answered rows of a request, and what each is counted for.
pub type Answered = Vec<(Arc<Version>, Observed)>;

/// The names of versions as one text.
pub fn names<'v>(versions: impl Iterator<Item = &'v Arc<Version>>) -> String {
    let mut names = String::new();
    for version in versions {
        names.push_str(if names.is_empty() { "" } else { ", " });
        names.push_str(&version.name);
    }
    names
}

/// Who answers a request, as far as its rows need not be known.
pub enum Who {
    One(Arc<Version>),
    /// For each row the version of its value of this input.
    ByInput(String),
}

impl Who {
    /// By the name of a version that the request asks for, or by the value of the route's header.
    ///
    /// # Errors
    /// There is no such version.
    pub fn of(route: &Route, named: Option<&str>, header: Option<&[u8]>) -> Result<Self, Failure> {
        match &route.sticky {
            Some(Sticky::Input(input)) if named.is_none() && route.versions.len() > 1 => {
                Ok(Self::ByInput(input.clone()))
            }
            _ => Ok(Self::One(choose(route, named, header)?)),
        }
    }

    /// All versions that may answer.
    pub fn versions<'w>(&'w self, route: &'w Route) -> impl Iterator<Item = &'w Arc<Version>> {
        let (one, all) = match self {
            Self::One(version) => (Some(version), None),
            Self::ByInput(_) => (None, Some(&route.versions)),
        };
        one.into_iter().chain(all.into_iter().flatten().map(|(version, _)| version))
    }

    /// The version that answers a row; `key` tells the value of an input.
    ///
    /// # Errors
    /// None for keys, so far.
    pub fn version<'k>(
        &self,
        route: &Route,
        key: impl FnOnce(&str) -> Cow<'k, [u8]>,
    ) -> Result<Arc<Version>, Failure> {
        match self {
            Self::One(version) => Ok(version.clone()),
            Self::ByInput(input) => choose(route, None, Some(&key(input))),
        }
    }
}

/// The rows of a request and the versions that answer them.
pub struct Shares {
    pub versions: Vec<Arc<Version>>,
    /// Rows that follow each other and have one version, by its position.
    runs: Vec<(usize, Range<usize>)>,
}

impl Shares {
    /// `key` tells the value of an input in a row.
    ///
    /// # Errors
    /// None for keys, so far.
    pub fn new<'k>(
        route: &Route,
        who: &Who,
        rows: usize,
        key: impl Fn(usize, &str) -> Cow<'k, [u8]>,
    ) -> Result<Self, Failure> {
        let mut shares = Self { versions: Vec::new(), runs: Vec::new() };
        if rows == 0 || matches!(who, Who::One(_)) {
            shares.versions.push(who.version(route, |_| Cow::Borrowed(b""))?);
            shares.runs.push((0, 0..rows));
            return Ok(shares);
        }
        for row in 0..rows {
            let version = who.version(route, |input| key(row, input))?;
            let at = shares.place(version);
            match shares.runs.last_mut() {
                Some((last, run)) if *last == at => run.end = row + 1,
                _ => shares.runs.push((at, row..row + 1)),
            }
        }
        Ok(shares)
    }

    fn place(&mut self, version: Arc<Version>) -> usize {
        let known = self.versions.iter().position(|other| Arc::ptr_eq(other, &version));
        known.unwrap_or_else(|| {
            self.versions.push(version);
            self.versions.len() - 1
        })
    }

    /// What watches each version.
    pub fn observe(&self, route: &Route, chosen: &Chosen, started: Instant) -> Vec<Observation> {
        if let Some(first) = self.versions.first() {
            chosen.get_or_init(|| first.clone());
        }
        let versions = self.versions.iter();
        versions.map(|version| Observation::begin(route, version.clone(), started)).collect()
    }

    /// What each version does.
    ///
    /// # Errors
    /// A version cannot do what is asked of it, or versions answer with different columns.
    pub fn tasks<'t>(
        &self,
        seen: &'t [Observation],
        asked: &'t Asked,
        wanted: Form,
    ) -> Result<Vec<Task<'t>>, Failure> {
        let tasks = seen.iter().map(|seen| Task::new(seen, asked, wanted));
        let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
        let mut columns = tasks.iter().map(|task| task.names.as_ref().map(Names::columns));
        let first = columns.next();
        if columns.any(|others| Some(others) != first) {
            let detail = "the rows are answered by several versions, whose answers have different \
                columns; name one by `version=`, or accept `application/json`";
            return Err(Failure::new(Kind::Unsupported, detail));
        }
        Ok(tasks)
    }

    /// Rows that are answered together, and the position of who answers them.
    pub fn parts(&self, tasks: &[Task<'_>]) -> Vec<(usize, Range<usize>)> {
        let mut parts = Vec::new();
        for (at, run) in &self.runs {
            let size = tasks.get(*at).map_or(1, Task::part_rows);
            let mut start = run.start;
            while start < run.end {
                let end = run.end.min(start + size);
                parts.push((*at, start..end));
                start = end;
            }
            if run.is_empty() {
                parts.push((*at, run.clone()));
            }
        }
        parts
    }

    /// Everything is written.
    pub fn finish(self, seen: Vec<Observation>) -> Answered {
        self.versions.into_iter().zip(seen.into_iter().map(Observation::finish)).collect()
    }
}
