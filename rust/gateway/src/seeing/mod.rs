//! Seeing what happens: counts, drift, samples of the traffic, shadows and logs. No request waits for any of it.

pub mod bins;
pub mod capture;
pub mod copied;
pub mod counts;
pub mod drift;
pub mod durations;
pub mod exposition;
mod files;
pub mod ids;
pub mod logs;
pub mod metrics;
pub mod observation;
pub mod process;
pub mod queue;
pub mod seen;
pub mod shadows;
pub mod slots;
pub mod windows;

use crate::catalog::{Catalog, Route, Version};
use crate::settings::Settings;
use capture::Capturing;
use counts::Counts;
use observation::Observed;
use queue::{Job, Queue};
use seen::Tally;
use shadows::Shadowing;
use slots::Slots;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

/// Methods, paths and statuses that are told apart.
const MOST_SERIES: usize = 128;

/// All that is counted beside the versions, and the queues behind the answers.
pub struct Seeing {
    series: Slots<Series, MOST_SERIES>,
    active: Counts,
    /// Requests that belong to no route.
    pub tally: Tally,
    capture: Option<Queue>,
    shadows: OnceLock<Option<Queue>>,
}

/// Durations of requests of one kind.
pub struct Series {
    pub method: &'static str,
    /// The path with names for its parts; empty where there is none.
    pub route: String,
    pub status: u16,
    pub counts: Counts,
}

impl Seeing {
    /// # Errors
    /// Captured requests cannot be written where the settings say.
    pub fn start(settings: &Settings) -> Result<Self, String> {
        let capture = match &settings.capture {
            None => None,
            Some(folder) => {
                let salt = settings.capture_salt.as_deref();
                let worker = Capturing::open(folder, settings.capture_max_bytes, salt)?;
                Some(Queue::start("capture", worker)?)
            }
        };
        Ok(Self {
            series: Slots::new(),
            active: Counts::new(1),
            tally: Tally::default(),
            capture,
            shadows: OnceLock::new(),
        })
    }

    /// Says what routes want and cannot have.
    pub fn check(&self, catalog: &Catalog) {
        for route in catalog.routes.values() {
            if route.capture.is_some() && self.capture.is_none() {
                let route = &route.name;
                tracing::warn!(route, "nothing is captured; start with --capture and a folder");
            }
        }
    }

    pub fn begin(&self) {
        self.active.add(0, 1);
    }

    pub fn end(&self) {
        self.active.subtract(0, 1);
    }

    /// Requests in flight.
    pub fn active(&self) -> u64 {
        self.active.get(0)
    }

    /// Counts a request of any kind.
    pub fn request(&self, method: &'static str, route: &str, status: u16, duration: Duration) {
        let is_it = |series: &Series| {
            series.status == status && series.method == method && series.route == route
        };
        let make = || Series {
            method,
            route: route.to_owned(),
            status,
            counts: Counts::new(durations::WIDTH),
        };
        if let Some(series) = self.series.get(self.series.place(is_it, make)) {
            durations::add(series.counts.shard(), 0, duration);
        }
    }

    pub fn series(&self) -> impl Iterator<Item = &Series> {
        self.series.iter()
    }

    /// Hands what was copied of a request to those who wait for it.
    pub fn hand_over(
        &self,
        id: &str,
        route: &Arc<Route>,
        version: &Arc<Version>,
        observed: Observed,
    ) {
        let Observed { rows, refused, copied: Some(copied) } = observed else { return };
        let (is_captured, is_shadowed) = (copied.is_captured, copied.has_shadows());
        let (id, at) = (id.to_owned(), SystemTime::now());
        let (route, version) = (route.clone(), version.clone());
        let job = Arc::new(Job { id, at, route, version, copied, rows, refused });
        if let (Some(queue), true) = (&self.capture, is_captured) {
            queue.offer(&job);
        }
        if is_shadowed {
            let start = || Queue::start("shadows", Shadowing::default()).ok();
            if let Some(queue) = self.shadows.get_or_init(start) {
                queue.offer(&job);
            }
        }
    }

    /// Copies that were dropped, by what they were for.
    pub fn dropped(&self) -> [(&'static str, u64); 2] {
        let shadows = self.shadows.get().and_then(Option::as_ref);
        let dropped = |queue: Option<&Queue>| queue.map_or(0, Queue::dropped);
        [("capture", dropped(self.capture.as_ref())), ("shadows", dropped(shadows))]
    }

    /// Keeps sums for the windows of all versions; to be called every minute or so.
    pub fn tick(&self, catalog: &Catalog) {
        for route in catalog.routes.values() {
            for (version, _) in route.versions.iter().chain(&route.shadows) {
                version.seen.tick();
            }
        }
    }

    /// Writes what was captured; leaves what shadows have not answered.
    pub fn close(&self) {
        self.capture.iter().for_each(Queue::close);
        self.shadows.get().into_iter().flatten().for_each(Queue::close);
    }
}
