//! `POST /v1/models/{name}/predict`.

use super::patience;
use super::seeing::Served;
use crate::catalog::{Route, Version};
use crate::choosing::choose;
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use crate::handlers::asked::Asked;
use crate::handlers::predict::{self, Request};
use crate::handlers::sticky::{self, Split};
use crate::routes::Sticky;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::{Arc, OnceLock};

/// Bodies from which on a request is answered beside the threads that read sockets, so that others need not wait.
const LARGE_BODY: usize = 64 << 10;

pub async fn predict(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let route = match gateway.catalog.load().route(&name) {
        Ok(route) => route.clone(),
        Err(failure) => return failure.into_response(),
    };
    let chosen = Arc::default();
    let answered = answer(&gateway, &route, query.as_deref(), (headers, body), &chosen).await;
    let (mut response, mut parts) = match answered {
        Ok(split) => {
            let versions = split.versions();
            (respond(split.body, &versions), split.parts.into_iter())
        }
        Err(failure) => (failure.into_response(), Vec::new().into_iter()),
    };
    let version = chosen.get().cloned();
    let observed = parts.next().map(|part| part.observed).unwrap_or_default();
    let others = parts.map(|part| (part.version, part.observed)).collect();
    response.extensions_mut().insert(Served { route, version, observed, others });
    response
}

/// The version that answers, once it is chosen; known even if the request is then refused.
type Chosen = Arc<OnceLock<Arc<Version>>>;

async fn answer(
    gateway: &Gateway,
    route: &Arc<Route>,
    query: Option<&str>,
    (headers, body): (HeaderMap, Body),
    chosen: &Chosen,
) -> Result<Split, Failure> {
    let asked = Asked::from_query(form_urlencoded::parse(query.unwrap_or_default().as_bytes()))?;
    let limits = &route.limits;
    let body = read(body, limits.body.unwrap_or(gateway.settings.max_body)).await?;
    let most_rows = limits.rows.unwrap_or(gateway.settings.max_rows);
    let request = Request { body: &body, asked, most_rows };
    if body.len() < LARGE_BODY {
        return json_body(route, &headers, request, chosen);
    }
    let (route, chosen, asked, body) = (route.clone(), chosen.clone(), request.asked, body.clone());
    let task =
        move || json_body(&route, &headers, Request { body: &body, asked, most_rows }, &chosen);
    gateway.bench.run(task).await?
}

fn json_body(
    route: &Route,
    headers: &HeaderMap,
    request: Request<'_>,
    chosen: &Chosen,
) -> Result<Split, Failure> {
    let key = match &route.sticky {
        Some(Sticky::Input(input)) if route.versions.len() > 1 => {
            let answer = |part: Request<'_>, version: Arc<Version>| {
                chosen.get_or_init(|| version.clone());
                predict::json_body(route, part, |_, _| Ok(version))
            };
            return sticky::json_body(route, request, input, answer);
        }
        Some(Sticky::Header(name)) => headers.get(name).map(HeaderValue::as_bytes),
        _ => None,
    };
    let predicted = predict::json_body(route, request, |route, named| {
        let version = choose(route, named, key)?;
        Ok(chosen.get_or_init(|| version).clone())
    })?;
    Ok(Split::whole(predicted))
}

/// The whole body, if it is no longer than the limit.
pub(super) async fn read(body: Body, most: usize) -> Result<Bytes, Failure> {
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let detail = format!("the body is longer than {most} bytes; send the rows in parts");
            Err(Failure::new(Kind::TooLarge, detail))
        }
        Err(error) if patience::is_stalled(error.as_ref()) => {
            Err(Failure::new(Kind::Timeout, "the body stopped coming in; send it at once"))
        }
        Err(error) => {
            let detail = format!("the body could not be read: {error}");
            Err(Failure::new(Kind::Malformed, detail))
        }
    }
}

fn respond(body: Vec<u8>, versions: &str) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(versions) = HeaderValue::from_str(versions) {
        headers.insert("penstock-version", versions);
    }
    response
}
