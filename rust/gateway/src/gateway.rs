//! The state of a running gateway: settings, what is served now, and whether it is stopping.

use crate::catalog::Catalog;
use crate::crowd::Crowd;
use crate::limits::Gate;
use crate::seeing::Seeing;
use crate::settings::Settings;
use crate::tls::Identity;
use crate::tokens::Tokens;
use crate::watching::Look;
use arc_swap::{ArcSwap, ArcSwapOption};
use penstock_core::keys::PublicKey;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

pub struct Gateway {
    pub settings: Settings,
    pub catalog: ArcSwap<Catalog>,
    /// Who may ask; nobody is asked for a token if there is none.
    pub tokens: ArcSwapOption<Tokens>,
    pub identity: Option<Identity>,
    /// Whose signature every artifact must have. The same for as long as the gateway runs: whoever can write the folder
    /// must not be able to change it.
    key: Option<PublicKey>,
    /// Requests in flight.
    pub gate: Arc<Gate>,
    /// Where large requests are computed.
    pub crowd: Crowd,
    /// The files as they were before they were loaded first.
    pub first_look: Look,
    pub seeing: Seeing,
    is_stopping: AtomicBool,
    /// One load at a time.
    loading: Mutex<()>,
    last_load: ArcSwap<Load>,
    loads: AtomicU64,
    failed_loads: AtomicU64,
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
        let first_look = look(&settings);
        let key = settings.require_signature.as_deref().map(read_key).transpose()?;
        let (catalog, tokens) = load(&settings, key.as_ref(), &Catalog::default())?;
        let patience = Duration::from_secs_f64(settings.max_wait);
        let seeing = Seeing::start(&settings)?;
        seeing.check(&catalog);
        Ok(Self {
            identity: Identity::of(&settings)?,
            key,
            gate: Arc::default(),
            crowd: Crowd::new(settings.worker_count(), patience),
            first_look,
            seeing,
            settings,
            catalog: ArcSwap::from_pointee(catalog),
            tokens: ArcSwapOption::new(tokens.map(Arc::new)),
            is_stopping: AtomicBool::new(false),
            loading: Mutex::new(()),
            last_load: ArcSwap::from_pointee(Load { at: SystemTime::now(), error: None }),
            loads: AtomicU64::new(1),
            failed_loads: AtomicU64::new(0),
        })
    }

    /// Reads routes, artifacts, tokens and certificates again. Either all of it is served from now on, or what was served
    /// before still is.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub fn reload(&self) -> Result<(), String> {
        let _one = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded =
            load(&self.settings, self.key.as_ref(), &self.catalog.load()).and_then(|loaded| {
                let identity = self.identity.as_ref();
                identity.map_or(Ok(()), |identity| identity.reload(&self.settings))?;
                Ok(loaded)
            });
        let result = loaded.map(|(catalog, tokens)| {
            self.seeing.check(&catalog);
            // Tokens first: a route that is new must not be open for a moment to those who may not use it.
            self.tokens.store(tokens.map(Arc::new));
            self.catalog.store(Arc::new(catalog));
        });
        self.tell(result.clone().err());
        result
    }

    /// Writes down how a load went; what is wrong is told once.
    fn tell(&self, error: Option<String>) {
        let counter = if error.is_some() { &self.failed_loads } else { &self.loads };
        counter.fetch_add(1, Ordering::Relaxed);
        let now = Arc::new(Load { at: SystemTime::now(), error });
        // Before it is told: whoever reads the log and then asks gets the same.
        let before = self.last_load.swap(now.clone());
        match &now.error {
            Some(what) if now.error != before.error => {
                tracing::error!("not reloaded, what was served still is: {what}");
            }
            Some(_) => {}
            None => tracing::info!("reloaded: {}", self.catalog.load().summary()),
        }
    }

    pub fn last_load(&self) -> Arc<Load> {
        self.last_load.load_full()
    }

    /// Loads that went well, and those that did not.
    pub fn load_counts(&self) -> (u64, u64) {
        (self.loads.load(Ordering::Relaxed), self.failed_loads.load(Ordering::Relaxed))
    }

    /// The files that matter, as they are now.
    pub fn look(&self) -> Look {
        look(&self.settings)
    }

    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }
}

fn look(settings: &Settings) -> Look {
    let others = [&settings.tokens, &settings.tls_cert, &settings.tls_key];
    let others: Vec<&Path> = others.into_iter().flatten().map(|path| path.as_path()).collect();
    Look::at(&settings.sources, &others)
}

fn read_key(path: &Path) -> Result<PublicKey, String> {
    let shown = path.display();
    let file = std::fs::read(path)
        .map_err(|error| format!("`{shown}` cannot be read: {error}; check the path"))?;
    PublicKey::from_pem(&file).map_err(|error| format!("`{shown}`: {}", error.0))
}

fn load(
    settings: &Settings,
    key: Option<&PublicKey>,
    before: &Catalog,
) -> Result<(Catalog, Option<Tokens>), String> {
    let tokens = settings.tokens.as_deref().map(Tokens::read).transpose()?;
    let catalog = Catalog::load(&settings.sources, key, before)?;
    for route in catalog.routes.values() {
        for name in route.tokens.iter().flatten() {
            let name_of = &route.name;
            match &tokens {
                None => {
                    return Err(format!(
                        "route `{name_of}` names tokens, but there are none; start with --tokens"
                    ))
                }
                Some(tokens) if !tokens.has(name) => {
                    return Err(format!(
                        "route `{name_of}` names token `{name}`, which the file of tokens has not; add it there"
                    ))
                }
                Some(_) => {}
            }
        }
    }
    Ok((catalog, tokens))
}
