//! The state of a running gateway: settings, what is served now, and whether it is stopping.

use crate::catalog::Catalog;
use crate::crowd::Crowd;
use crate::settings::Settings;
use arc_swap::ArcSwap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

pub struct Gateway {
    pub settings: Settings,
    pub catalog: ArcSwap<Catalog>,
    /// Threads for large requests.
    pub crowd: Crowd,
    is_stopping: AtomicBool,
    /// One load at a time; how the last one went.
    last_load: Mutex<Load>,
}

/// How reading the folder went.
#[derive(Debug, Clone)]
pub struct Load {
    pub at: SystemTime,
    /// Why what is served is not what the folder says.
    pub error: Option<String>,
}

impl Gateway {
    /// Loads everything that the settings name.
    ///
    /// # Errors
    /// What is wrong with a route or an artifact.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let catalog = Catalog::load(&settings.sources, &Catalog::default())?;
        let crowd = Crowd::new(settings.worker_count());
        Ok(Self {
            settings,
            crowd,
            catalog: ArcSwap::from_pointee(catalog),
            is_stopping: AtomicBool::new(false),
            last_load: Mutex::new(Load { at: SystemTime::now(), error: None }),
        })
    }

    /// Reads the folder again. Either all of it is served from now on, or what was served before still is.
    ///
    /// # Errors
    /// What is wrong with a route or an artifact.
    pub fn reload(&self) -> Result<(), String> {
        let mut last = self.last_load.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = Catalog::load(&self.settings.sources, &self.catalog.load());
        *last = Load { at: SystemTime::now(), error: loaded.as_ref().err().cloned() };
        self.catalog.store(Arc::new(loaded?));
        Ok(())
    }

    pub fn last_load(&self) -> Load {
        self.last_load.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }
}
