//! What is served: routes with their versions, loaded as a whole and swapped as a whole.

use crate::answers::json::Shapes;
use crate::failure::{Failure, Kind};
use crate::limits::Gate;
use crate::protocols::outputs::OutputTensor;
use crate::routes::{is_name, CaptureEntry, Limits, RouteEntry, Routes, Sticky, ROUTES};
use crate::seeing::capture;
use crate::seeing::copied::MOST_SHADOWS;
use crate::seeing::seen::{Seen, Tally};
use penstock_core::explain::{Explainer, NoMethod};
use penstock_core::keys::PublicKey;
use penstock_core::manifest::Manifest;
use penstock_core::model::Model;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A model under a version's name.
pub struct Version {
    pub name: String,
    /// What was counted of it; over reloads as long as it stays.
    pub seen: Arc<Seen>,
    pub loaded: Arc<Loaded>,
}

/// An artifact that was loaded and has verified its examples; shared by all versions that name it.
pub struct Loaded {
    pub model: Model,
    pub manifest: Manifest,
    pub shapes: Shapes,
    /// The outputs for protocols that know tensors.
    pub tensors: Vec<OutputTensor>,
    /// The bytes of the file, which are planned again when the first row is explained.
    bytes: Vec<u8>,
    explainer: OnceLock<Result<Explainer, NoMethod>>,
    pub load_seconds: f64,
}

/// A name and what answers under it.
pub struct Route {
    pub name: String,
    pub versions: Vec<(Arc<Version>, f64)>,
    pub shadows: Vec<(Arc<Version>, f64)>,
    pub sticky: Option<Sticky>,
    pub tokens: Option<Vec<String>>,
    pub limits: Limits,
    /// Requests in flight, over reloads.
    pub gate: Arc<Gate>,
    pub capture: Option<CaptureEntry>,
    /// Requests that were refused before a version was chosen.
    pub tally: Arc<Tally>,
}

/// Everything that is served at one time. Immutable: a change makes another one.
#[derive(Default)]
pub struct Catalog {
    pub routes: BTreeMap<String, Arc<Route>>,
}

impl Loaded {
    /// Opens an artifact, runs its examples and one row to warm up. With a key, it must be one that this key has signed.
    pub fn open(bytes: Vec<u8>, key: Option<&PublicKey>) -> Result<Self, String> {
        let started = std::time::Instant::now();
        let model = match key {
            Some(key) => Model::open_signed(&bytes, true, key),
            None => Model::open(&bytes, true),
        };
        let model = model.map_err(|error| error.0)?;
        let manifest = Manifest::parse(model.manifest.as_bytes()).map_err(|error| error.0)?;
        let shapes = Shapes::new(&model.plan);
        let tensors = OutputTensor::all(&model.plan);
        let load_seconds = started.elapsed().as_secs_f64();
        let explainer = OnceLock::new();
        Ok(Self { model, manifest, shapes, tensors, bytes, explainer, load_seconds })
    }

    /// What explains the rows of this model; made when it is asked for first.
    pub fn explainer(&self) -> Result<&Explainer, Failure> {
        let explainer = self.explainer.get_or_init(|| Explainer::open(&self.bytes));
        explainer.as_ref().map_err(|error| Failure::new(Kind::Unsupported, error.0.clone()))
    }
}

impl Catalog {
    /// Loads a folder by its `routes.json`, or artifacts by their names. What `before` has loaded from the same bytes is
    /// taken over.
    ///
    /// # Errors
    /// What is wrong with the routes or an artifact; nothing is served then.
    pub fn load(
        sources: &[PathBuf],
        key: Option<&PublicKey>,
        before: &Catalog,
    ) -> Result<Self, String> {
        let mut shelf = Shelf { loaded: HashMap::new(), key, before };
        let routes = match sources {
            [folder] if folder.is_dir() => {
                let path = folder.join(ROUTES);
                let bytes = read(&path)?;
                let routes = Routes::parse(&bytes)?.routes;
                let load = |entry| Route::load(entry, folder, &mut shelf);
                routes.into_iter().map(load).collect::<Result<Vec<_>, _>>()?
            }
            files => {
                let load = |path: &PathBuf| Route::of_file(path, &mut shelf);
                files.iter().map(load).collect::<Result<Vec<_>, _>>()?
            }
        };
        let mut catalog = Self::default();
        for route in routes {
            let name = route.name.clone();
            if catalog.routes.insert(name.clone(), Arc::new(route)).is_some() {
                return Err(format!(
                    "two artifacts are called `{name}`; serve a folder whose `{ROUTES}` names them"
                ));
            }
        }
        Ok(catalog)
    }

    /// Names and versions, for people.
    pub fn summary(&self) -> String {
        let routes = self.routes.values().map(|route| {
            let versions = route.versions.iter().map(|(version, _)| version.name.as_str());
            format!("`{}` ({})", route.name, versions.collect::<Vec<_>>().join(", "))
        });
        routes.collect::<Vec<_>>().join(", ")
    }

    pub fn route(&self, name: &str) -> Result<&Arc<Route>, Failure> {
        self.routes.get(name).ok_or_else(|| {
            let names: Vec<_> = self.routes.keys().map(|name| format!("`{name}`")).collect();
            let detail = match names.as_slice() {
                [] => "no model is served".to_owned(),
                names => format!("there is no model `{name}`; served: {}", names.join(", ")),
            };
            Failure::new(Kind::UnknownModel, detail)
        })
    }
}

impl Route {
    fn load(entry: RouteEntry, folder: &Path, shelf: &mut Shelf<'_>) -> Result<Self, String> {
        let place = |what: String| format!("route `{}`: {what}", entry.name);
        let name = Some(entry.name.as_str());
        let mut load = |artifact: &str, version: &Option<String>, role| {
            let path = folder.join(artifact);
            shelf.version((name, role), &path, version.as_deref()).map_err(place)
        };
        let mut versions: Vec<(Arc<Version>, f64)> = Vec::new();
        for version in &entry.versions {
            let loaded = load(&version.artifact, &version.version, Role::Live)?;
            if versions.iter().any(|(other, _)| other.name == loaded.name) {
                return Err(place(format!(
                    "version `{}` is there twice; give one another `version`",
                    loaded.name
                )));
            }
            versions.push((Arc::new(loaded), version.weight));
        }
        let mut shadows = Vec::new();
        for shadow in &entry.shadows {
            let loaded = load(&shadow.artifact, &shadow.version, Role::Shadow)?;
            shadows.push((Arc::new(loaded), shadow.share));
        }
        if let Some(entry) = &entry.capture {
            capture::check(entry, versions.iter().map(|(version, _)| &**version)).map_err(place)?;
        }
        if shadows.len() > MOST_SHADOWS {
            return Err(place(format!("a route has at most {MOST_SHADOWS} shadows")));
        }
        let tally = shelf.tally(&entry.name);
        let RouteEntry { name, sticky, tokens, limits, capture, .. } = entry;
        check_sticky(&sticky, &versions).map_err(|what| format!("route `{name}`: {what}"))?;
        let gate = shelf.gate(&name);
        Ok(Self { name, versions, shadows, sticky, tokens, limits, gate, capture, tally })
    }

    /// A route for a file of its own, under the name of its model.
    fn of_file(path: &Path, shelf: &mut Shelf<'_>) -> Result<Self, String> {
        let version = shelf.version((None, Role::Live), path, None)?;
        let name = version.loaded.manifest.name.clone();
        if !is_name(&name) {
            let path = path.display();
            return Err(format!(
                "`{path}`: the name `{name}` cannot stand in a URL; serve a folder whose `{ROUTES}` gives it another"
            ));
        }
        let tally = shelf.tally(&name);
        Ok(Self {
            gate: shelf.gate(&name),
            name,
            tally,
            versions: vec![(Arc::new(version), 1.0)],
            shadows: Vec::new(),
            sticky: None,
            tokens: None,
            limits: Limits::default(),
            capture: None,
        })
    }

    /// The version of a name.
    pub fn version(&self, name: &str) -> Result<&Arc<Version>, Failure> {
        let found = self.versions.iter().find(|(version, _)| version.name == name);
        found.map(|(version, _)| version).ok_or_else(|| {
            let names: Vec<_> =
                self.versions.iter().map(|(version, _)| format!("`{}`", version.name)).collect();
            let (route, names) = (&self.name, names.join(", "));
            let detail = format!("model `{route}` has no version `{name}`; it has {names}");
            Failure::new(Kind::UnknownVersion, detail)
        })
    }
}

/// What a version is in its route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Live,
    Shadow,
}

/// The input that decides which version answers is one of all of them.
fn check_sticky(sticky: &Option<Sticky>, versions: &[(Arc<Version>, f64)]) -> Result<(), String> {
    let Some(Sticky::Input(input)) = sticky else { return Ok(()) };
    let has = |version: &Version| version.loaded.model.plan.position(input).is_some();
    match versions.iter().find(|(version, _)| !has(version)) {
        Some((version, _)) => {
            let version = &version.name;
            Err(format!("version `{version}` has no input `{input}`; make another `sticky`"))
        }
        None => Ok(()),
    }
}

/// Artifacts by the paths that they were loaded from, and those of the catalog before.
struct Shelf<'a> {
    loaded: HashMap<PathBuf, Arc<Loaded>>,
    key: Option<&'a PublicKey>,
    before: &'a Catalog,
}

impl Shelf<'_> {
    /// The version of a route, that of its model by default.
    fn version(
        &mut self,
        (route, role): (Option<&str>, Role),
        path: &Path,
        name: Option<&str>,
    ) -> Result<Version, String> {
        let loaded = match self.loaded.get(path) {
            Some(loaded) => loaded.clone(),
            None => {
                let loaded =
                    self.open(path).map_err(|what| format!("`{}`: {what}", path.display()))?;
                self.loaded.insert(path.to_owned(), loaded.clone());
                loaded
            }
        };
        let name = name.unwrap_or(&loaded.manifest.version).to_owned();
        let route = route.unwrap_or(&loaded.manifest.name);
        let seen = self.seen(route, role, &name, &loaded);
        Ok(Version { name, loaded, seen })
    }

    /// The counts of the same version in the catalog before, or new ones.
    fn seen(&self, route: &str, role: Role, name: &str, loaded: &Arc<Loaded>) -> Arc<Seen> {
        let before = self.before.routes.get(route).map(|route| match role {
            Role::Live => &route.versions,
            Role::Shadow => &route.shadows,
        });
        let mut before = before.into_iter().flatten().map(|(version, _)| version);
        let same =
            before.find(|version| version.name == name && Arc::ptr_eq(&version.loaded, loaded));
        let new = || Arc::new(Seen::new(&loaded.manifest, &loaded.model.plan));
        same.map_or_else(new, |version| version.seen.clone())
    }

    fn tally(&self, route: &str) -> Arc<Tally> {
        self.before.routes.get(route).map(|route| route.tally.clone()).unwrap_or_default()
    }

    fn gate(&self, route: &str) -> Arc<Gate> {
        self.before.routes.get(route).map_or_else(Arc::default, |route| route.gate.clone())
    }

    fn open(&self, path: &Path) -> Result<Arc<Loaded>, String> {
        let bytes = read(path)?;
        let versions = self.before.routes.values().flat_map(|route| {
            route.versions.iter().chain(&route.shadows).map(|(version, _)| version)
        });
        let mut same = versions.filter(|version| version.loaded.bytes == bytes);
        match same.next() {
            Some(version) => Ok(version.loaded.clone()),
            None => Loaded::open(bytes, self.key).map(Arc::new),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path)
        .map_err(|error| format!("`{}` cannot be read: {error}; check the path", path.display()))
}
