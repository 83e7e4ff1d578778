//! What requests for predictions begin with: who answers them, and their limits.

use crate::catalog::Route;
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use crate::handlers::shares::{Chosen, Who};
use crate::protocols::predictions::Call;
use crate::routes::Sticky;
use axum::http::{HeaderMap, HeaderValue};
use std::sync::Arc;
use std::time::Instant;

/// Bodies from which on a request is answered beside the threads that read sockets, so that others need not wait.
pub const LARGE_BODY: usize = 64 << 10;

/// A request whose route is known, and what becomes known of it.
#[derive(Clone)]
pub struct Asking {
    pub route: Arc<Route>,
    pub chosen: Arc<Chosen>,
}

/// A request that is let in.
pub struct Admitted {
    pub most_rows: usize,
    pub most_bytes: usize,
    asking: Asking,
    who: Who,
}

impl Asking {
    pub fn new(route: Arc<Route>) -> Self {
        Self { route, chosen: Arc::default() }
    }

    /// Chooses the version by the name that the request asks for, or by its headers, if its rows need not be known.
    ///
    /// # Errors
    /// There is no such version.
    pub fn admit(
        &self,
        gateway: &Gateway,
        version: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Admitted, Failure> {
        let route = &self.route;
        let who = Who::of(route, version, sticky_header(route, headers))?;
        if let Who::One(version) = &who {
            self.chosen.get_or_init(|| version.clone());
        }
        let most_rows = route.limits.rows.unwrap_or(gateway.settings.max_rows);
        let most_bytes = route.limits.body.unwrap_or(gateway.settings.max_body);
        Ok(Admitted { most_rows, most_bytes, asking: self.clone(), who })
    }
}

impl Admitted {
    /// Runs what answers a body of so many bytes; what may take long beside the threads that read sockets, in its turn.
    ///
    /// # Errors
    /// Those of the task, or its turn did not come in time.
    pub async fn run<T: Send + 'static>(
        self,
        gateway: &Arc<Gateway>,
        size: usize,
        task: impl FnOnce(&Call<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let shared = gateway.clone();
        let task = move || {
            task(&Call {
                route: &self.asking.route,
                who: &self.who,
                chosen: &self.asking.chosen,
                most_rows: self.most_rows,
                crowd: &shared.crowd,
                started: Instant::now(),
            })
        };
        if size < LARGE_BODY {
            return task();
        }
        gateway.crowd.run(task).await?
    }
}

/// The value of the header that a route goes by.
pub fn sticky_header<'h>(route: &Route, headers: &'h HeaderMap) -> Option<&'h [u8]> {
    match &route.sticky {
        Some(Sticky::Header(name)) => headers.get(name).map(HeaderValue::as_bytes),
        _ => None,
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
