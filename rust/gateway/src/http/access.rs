//! Who may come in, and how many at a time: asked of every request before its handler runs.

use super::seeing::Served;
use super::shedding;
use crate::catalog::Route;
use crate::connections::Connection;
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use axum::extract::{RawPathParams, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// What is answered without a token and however busy the server is: what probes ask for.
const OPEN: [&str; 5] = ["/livez", "/readyz", "/ping", "/v2/health/live", "/v2/health/ready"];

pub const NO_TOKEN: &str = "send a token: `Authorization: Bearer TOKEN`";

/// Whose token came with a request; among its extensions if the server asks for tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub Arc<str>);

impl Caller {
    /// # Errors
    /// The route is not for this token.
    pub fn check(&self, route: &Route) -> Result<(), Failure> {
        match &route.tokens {
            Some(names) if !names.iter().any(|name| **name == *self.0) => {
                let (token, route) = (&self.0, &route.name);
                let detail =
                    format!("token `{token}` may not use model `{route}`; ask for one that may");
                Err(Failure::new(Kind::Forbidden, detail))
            }
            _ => Ok(()),
        }
    }
}

/// Lets a request in, or answers why not.
pub async fn guard(
    State(gateway): State<Arc<Gateway>>,
    parameters: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    if OPEN.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let route = route(&gateway, &parameters);
    if let Some(tokens) = &*gateway.tokens.load() {
        let caller = bearer(request.headers()).and_then(|token| {
            let name = tokens.name(token.as_bytes()).map(|name| Caller(name.clone()));
            name.ok_or_else(|| unauthorized("the token is not known; ask for another"))
        });
        let allowed = caller.and_then(|caller| {
            route.as_ref().map_or(Ok(()), |route| caller.check(route))?;
            request.extensions_mut().insert(caller);
            Ok(())
        });
        if let Err(failure) = allowed {
            return failure.into_response();
        }
    }
    let places = match shedding::enter(&gateway, route.as_deref()) {
        Ok(places) => places,
        Err(failure) => return failure.into_response(),
    };
    let connection = request.extensions().get::<Arc<Connection>>().cloned();
    let answer = tokio::time::timeout(gateway.settings.patience(), next.run(request)).await;
    let served = answer.as_ref().ok().and_then(|answer| answer.extensions().get::<Served>());
    match served.and_then(|served| served.ongoing.as_ref()) {
        Some(ongoing) => ongoing.keep(places),
        None => drop(places),
    }
    answer.unwrap_or_else(|_| {
        let reads = |connection: Arc<Connection>| connection.is_reading.load(Ordering::Relaxed);
        late(gateway.settings.timeout, connection.is_some_and(reads)).into_response()
    })
}

/// The route that a path names, or the only one: paths of a server with one model name none.
fn route(gateway: &Gateway, parameters: &RawPathParams) -> Option<Arc<Route>> {
    let catalog = gateway.catalog.load();
    let name = parameters.iter().find(|(key, _)| *key == "name" || *key == "model");
    match name {
        Some((_, name)) => catalog.routes.get(name).cloned(),
        None if catalog.routes.len() == 1 => catalog.routes.values().next().cloned(),
        None => None,
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Failure> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = value.and_then(|value| value.split_once(' ')).unwrap_or_default();
    match scheme.eq_ignore_ascii_case("bearer") {
        true => Ok(token.trim()),
        false => Err(unauthorized(NO_TOKEN)),
    }
}

pub fn unauthorized(detail: &str) -> Failure {
    Failure::new(Kind::Unauthorized, detail)
}

/// Whose fault it is that time is up: the client's, if its body has not come, and else the server's.
fn late(seconds: f64, is_reading: bool) -> Failure {
    match is_reading {
        true => Failure::new(Kind::Timeout, format!("the body did not come in {seconds} s")),
        false => Failure::new(
            Kind::Deadline,
            format!("there was no answer after {seconds} s; send fewer rows"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::problem::status;

    #[test]
    fn who_was_slow_tells_the_status() {
        assert_eq!(status(late(1.0, true).kind), 408);
        assert_eq!(status(late(1.0, false).kind), 504);
    }
}
