//! What every request for predictions begins with, whatever its protocol: a route, a version, limits, a body.

use crate::catalog::{Route, Version};
use crate::choosing::choose;
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use crate::routes::Sticky;
use axum::http::{HeaderMap, HeaderValue};
use std::sync::Arc;

/// Bodies from which on a request is answered beside the threads that read sockets, so that others need not wait.
pub const LARGE_BODY: usize = 64 << 10;

/// What answers a request.
pub struct Served {
    pub route: Arc<Route>,
    pub version: Arc<Version>,
    pub most_rows: usize,
    pub most_bytes: usize,
}

impl Served {
    /// Chooses the version of a route by the name that the request asks for, or by its headers.
    ///
    /// # Errors
    /// There is no such route or version.
    pub fn new(
        gateway: &Gateway,
        (name, version): (&str, Option<&str>),
        headers: &HeaderMap,
    ) -> Result<Self, Failure> {
        let route = gateway.catalog.load().route(name)?.clone();
        Self::of_route(gateway, route, version, headers)
    }

    /// The only route that is served.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn only(gateway: &Gateway, headers: &HeaderMap) -> Result<Self, Failure> {
        Self::of_route(gateway, only_route(gateway)?, None, headers)
    }

    fn of_route(
        gateway: &Gateway,
        route: Arc<Route>,
        version: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Self, Failure> {
        let key = match &route.sticky {
            Some(Sticky::Header(name)) => headers.get(name).map(HeaderValue::as_bytes),
            _ => None,
        };
        let version = choose(&route, version, key)?;
        let most_rows = route.limits.rows.unwrap_or(gateway.settings.max_rows);
        let most_bytes = route.limits.body.unwrap_or(gateway.settings.max_body);
        Ok(Self { route, version, most_rows, most_bytes })
    }
}

/// The route of a server that serves one.
///
/// # Errors
/// There is none, or there are several.
pub fn only_route(gateway: &Gateway) -> Result<Arc<Route>, Failure> {
    let catalog = gateway.catalog.load();
    let mut routes = catalog.routes.values();
    match (routes.next(), routes.next()) {
        (Some(route), None) => Ok(route.clone()),
        _ => {
            let count = catalog.routes.len();
            let detail = format!(
                "this path answers only where exactly one model is served; here are {count}: \
                 use POST /v1/models/NAME/predict"
            );
            Err(Failure::new(Kind::UnknownPath, detail))
        }
    }
}

/// Runs what may take long beside the threads that read sockets, in its turn.
///
/// # Errors
/// Those of the task, or its turn did not come in time.
pub async fn run<T: Send + 'static>(
    gateway: &Gateway,
    is_large: bool,
    task: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    if !is_large {
        return task();
    }
    gateway.crowd.run(task).await?
}
