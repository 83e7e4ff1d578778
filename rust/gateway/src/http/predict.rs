//! `POST /v1/models/{name}/predict`.

use crate::catalog::Route;
use crate::choosing::choose;
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use crate::handlers::asked::Asked;
use crate::handlers::predict::{self, Predicted, Request};
use crate::routes::Sticky;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::Arc;

/// Bodies from which on a request is answered beside the threads that read sockets, so that others need not wait.
const LARGE_BODY: usize = 64 << 10;

pub async fn predict(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match answer(&gateway, &name, query.as_deref(), headers, body).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    }
}

async fn answer(
    gateway: &Gateway,
    name: &str,
    query: Option<&str>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let route = gateway.catalog.load().route(name)?.clone();
    let asked = Asked::from_query(form_urlencoded::parse(query.unwrap_or_default().as_bytes()))?;
    let limits = &route.limits;
    let body = read(body, limits.body.unwrap_or(gateway.settings.max_body)).await?;
    let most_rows = limits.rows.unwrap_or(gateway.settings.max_rows);
    let predicted = if body.len() < LARGE_BODY {
        json_body(&route, &headers, &body, asked, most_rows)
    } else {
        let task = move || json_body(&route, &headers, &body, asked, most_rows);
        let done = tokio::task::spawn_blocking(task).await;
        done.map_err(|_| Failure::new(Kind::Internal, "the prediction ended unexpectedly"))?
    }?;
    Ok(respond(predicted))
}

fn json_body(
    route: &Route,
    headers: &HeaderMap,
    body: &[u8],
    asked: Asked,
    most_rows: usize,
) -> Result<Predicted, Failure> {
    let key = match &route.sticky {
        Some(Sticky::Header(name)) => headers.get(name).map(HeaderValue::as_bytes),
        _ => None,
    };
    let request = Request { body, asked, most_rows };
    predict::json_body(route, request, |route, named| choose(route, named, key))
}

/// The whole body, if it is no longer than the limit.
pub(super) async fn read(body: Body, most: usize) -> Result<Bytes, Failure> {
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let detail = format!("the body is longer than {most} bytes; send the rows in parts");
            Err(Failure::new(Kind::TooLarge, detail))
        }
        Err(error) => {
            let detail = format!("the body could not be read: {error}");
            Err(Failure::new(Kind::Malformed, detail))
        }
    }
}

fn respond(predicted: Predicted) -> Response {
    let mut response = Response::new(Body::from(predicted.body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(version) = HeaderValue::from_str(&predicted.version.name) {
        headers.insert("penstock-version", version);
    }
    response
}
