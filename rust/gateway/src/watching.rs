//! Watches the files that are served, and reads them again when they have changed.

use crate::gateway::Gateway;
use crate::routes::{Routes, ROUTES};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Between two looks. A change is read once it has rested for one of them.
const PAUSE: Duration = Duration::from_millis(250);

/// What tells two contents of a file apart without reading them: inode, size, and when it was changed.
type Stamp = Option<(u64, u64, i64, i64, i64, i64)>;

/// The files that matter, as they were when they were looked at.
#[derive(Debug, PartialEq, Clone, Default)]
pub struct Look(Vec<(PathBuf, Stamp)>);

impl Look {
    /// Looks at artifacts, or at a folder: its routes and the artifacts that they name.
    pub fn at(sources: &[PathBuf], others: &[&Path]) -> Self {
        let mut paths: Vec<PathBuf> = match sources {
            [folder] if folder.is_dir() => of_folder(folder),
            files => files.to_vec(),
        };
        paths.extend(others.iter().map(|path| path.to_path_buf()));
        paths.sort();
        paths.dedup();
        Self(paths.into_iter().map(|path| (stamp(&path), path)).map(|(s, p)| (p, s)).collect())
    }
}

fn of_folder(folder: &Path) -> Vec<PathBuf> {
    let routes = folder.join(ROUTES);
    let parsed = std::fs::read(&routes).ok().and_then(|bytes| Routes::parse(&bytes).ok());
    let mut paths = vec![routes];
    for route in parsed.into_iter().flat_map(|parsed| parsed.routes) {
        let versions = route.versions.into_iter().map(|version| version.artifact);
        let shadows = route.shadows.into_iter().map(|shadow| shadow.artifact);
        paths.extend(versions.chain(shadows).map(|artifact| folder.join(artifact)));
    }
    paths
}

fn stamp(path: &Path) -> Stamp {
    let found = std::fs::metadata(path).ok()?;
    let (changed, modified) =
        ((found.ctime(), found.ctime_nsec()), (found.mtime(), found.mtime_nsec()));
    Some((found.ino(), found.len(), changed.0, changed.1, modified.0, modified.1))
}

/// Looks again and again, for as long as the gateway runs.
pub async fn watch(gateway: Arc<Gateway>) {
    let mut before = gateway.first_look.clone();
    let mut served = before.clone();
    let mut ticks = tokio::time::interval(PAUSE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !gateway.is_stopping() {
        ticks.tick().await;
        let about = gateway.clone();
        let looked = tokio::task::spawn_blocking(move || about.look()).await;
        let Ok(now) = looked else { continue };
        let rests = now == before;
        if rests && now != served {
            let about = gateway.clone();
            // What went wrong is told by the gateway, and tried again when a file changes.
            let _ = tokio::task::spawn_blocking(move || about.reload()).await;
            served = now.clone();
        }
        before = now;
    }
}
