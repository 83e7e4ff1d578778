//! The page: lists the models, and tries one; plain files that were built in and ask the public interface only.

use super::access;
use super::models::unknown_path;
use crate::gateway::Gateway;
use axum::extract::{Path, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const INDEX: &str = include_str!("../../page/index.html");
const MODEL: &str = include_str!("../../page/model.html");

/// What the pages load, by the last part of `/page/…`.
const FILES: [(&str, &str, &str); 7] = [
    ("page.css", "text/css; charset=utf-8", include_str!("../../page/page.css")),
    ("index.js", SCRIPT, include_str!("../../page/index.js")),
    ("model.js", SCRIPT, include_str!("../../page/model.js")),
    ("client.js", SCRIPT, include_str!("../../page/client.js")),
    ("form.js", SCRIPT, include_str!("../../page/form.js")),
    ("answer.js", SCRIPT, include_str!("../../page/answer.js")),
    ("stats.js", SCRIPT, include_str!("../../page/stats.js")),
];
const SCRIPT: &str = "text/javascript; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// Nothing but what this server serves is loaded, run or asked; no other site frames the page.
const HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    // The files change with the program, which may be replaced at any time.
    (header::CACHE_CONTROL, "no-cache"),
];

/// `GET /`: the models.
pub async fn index() -> Response {
    page(StatusCode::OK, HTML, INDEX)
}

/// `GET /{name}` and `GET /models/{name}`: one model. Where tokens are asked for, nobody learns here which models there are:
/// a browser gets the page in any case, which asks for a token, and others are asked at once. Elsewhere whoever is no
/// browser is told that there is none, if there is none.
pub async fn model(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let is_browser = accept.is_some_and(|accept| accept.contains("text/html"));
    if gateway.tokens.load().is_some() {
        return match is_browser {
            true => page(StatusCode::OK, HTML, MODEL),
            false => access::unauthorized(access::NO_TOKEN).into_response(),
        };
    }
    match gateway.catalog.load().route(&name) {
        Ok(_) => page(StatusCode::OK, HTML, MODEL),
        Err(_) if is_browser => page(StatusCode::NOT_FOUND, HTML, MODEL),
        Err(_) => unknown_path(uri).await.into_response(),
    }
}

/// `GET /page/{file}`: styles and scripts.
pub async fn file(Path(name): Path<String>, uri: Uri) -> Response {
    match FILES.iter().find(|(file, _, _)| *file == name) {
        Some((_, kind, text)) => page(StatusCode::OK, kind, text),
        None => unknown_path(uri).await,
    }
}

fn page(status: StatusCode, kind: &'static str, text: &'static str) -> Response {
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
