//! Which version of a route answers a request: the one that it names, the one of its sticky key, or one by weight.

use crate::catalog::{Route, Version};
use crate::failure::Failure;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

/// Fixed, so that a key stays with its version over restarts and on every machine.
const SEED: u64 = 0x70656e73746f636b;

/// Steps around the circle by the golden ratio: shares of any window are as even as can be, without randomness.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

static TURN: AtomicU64 = AtomicU64::new(0);

/// The version that answers.
///
/// # Errors
/// The request names a version that there is not.
pub fn choose(
    route: &Route,
    named: Option<&str>,
    key: Option<&[u8]>,
) -> Result<Arc<Version>, Failure> {
    if let Some(name) = named {
        return route.version(name).cloned();
    }
    if let [(version, _)] = route.versions.as_slice() {
        return Ok(version.clone());
    }
    let point = match key {
        Some(key) => {
            let mut hasher = foldhash::quality::FixedState::with_seed(SEED).build_hasher();
            hasher.write(key);
            hasher.finish()
        }
        None => TURN.fetch_add(GOLDEN, Ordering::Relaxed),
    };
    Ok(at(route, point as f64 / u64::MAX as f64).clone())
}

/// The version at a point from 0 to 1 of all weights side by side.
fn at(route: &Route, point: f64) -> &Arc<Version> {
    let total: f64 = route.versions.iter().map(|(_, weight)| weight).sum();
    let mut left = point * total;
    let mut last = &route.versions[0].0;
    for (version, weight) in route.versions.iter().filter(|(_, weight)| *weight > 0.0) {
        last = version;
        left -= weight;
        if left < 0.0 {
            break;
        }
    }
    last
}
