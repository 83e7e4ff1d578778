//! `POST /v1/models/{name}/predict`, in every form that rows and answers can have.

use super::body::{self, Patience};
use super::encoding::{decompressed, Encoding, SHORT};
use super::stream;
use crate::catalog::{Route, Version};
use crate::choosing::choose;
use crate::failure::{Failure, Kind};
use crate::forms::{Form, Sent, Wanted};
use crate::gateway::Gateway;
use crate::handlers::asked::Asked;
use crate::handlers::lines::{Lines, LONGEST};
use crate::handlers::predict::{self, Predicted, Request};
use crate::routes::Sticky;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// Bodies from which on a request is answered beside the threads that read sockets, so that others need not wait.
const LARGE_BODY: usize = 64 << 10;

/// The same where rows are explained, which takes a hundred times as long.
const LARGE_EXPLAINED: usize = 4 << 10;

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

/// What a request says of itself before its body is read.
struct Head {
    route: Arc<Route>,
    headers: HeaderMap,
    sent: Sent,
    wanted: Wanted,
    asked: Asked,
    most_rows: usize,
}

async fn answer(
    gateway: &Arc<Gateway>,
    name: &str,
    query: Option<&str>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let route = gateway.catalog.load().route(name)?.clone();
    let sent = Sent::by_type(headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes))?;
    let accepted = headers.get_all(ACCEPT).iter().map(HeaderValue::as_bytes);
    let wanted = Wanted::by_accept(accepted, sent.form)?;
    // A line that is refused stops no other unless that is asked for.
    let asked = Asked { returns_errors: sent.form == Form::Lines, ..Asked::default() };
    let query = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let asked = asked.with_query(query)?;
    let limits = &route.limits;
    let patience = Patience {
        most: limits.body.unwrap_or(gateway.settings.max_body),
        time: Duration::from_secs_f64(gateway.settings.timeout),
    };
    let most_rows = limits.rows.unwrap_or(gateway.settings.max_rows);
    let head = Head { route, headers, sent, wanted, asked, most_rows };
    if (sent.form, wanted.form) == (Form::Lines, Form::Lines) {
        return head.stream(body, patience);
    }
    let body = body::whole(&head.headers, body, patience).await?;
    sent.check(&body)?;
    if head.is_large(&body) {
        let shared = gateway.clone();
        return gateway.crowd.run(move || head.respond(&shared, &body)).await?;
    }
    head.respond(gateway, &body)
}

impl Head {
    fn is_large(&self, body: &Bytes) -> bool {
        let has_option = || memchr::memmem::find(body, b"\"explain\"").is_some();
        body.len() >= LARGE_BODY
            || (body.len() >= LARGE_EXPLAINED && (self.asked.explain.is_some() || has_option()))
    }

    fn version(&self, route: &Route, named: Option<&str>) -> Result<Arc<Version>, Failure> {
        let key = match &route.sticky {
            Some(Sticky::Header(name)) => self.headers.get(name).map(HeaderValue::as_bytes),
            _ => None,
        };
        choose(route, named, key)
    }

    /// Lines are answered as they come.
    fn stream(self, body: Body, patience: Patience) -> Result<Response, Failure> {
        let version = self.version(&self.route, self.asked.version.as_deref())?;
        let body = decompressed(&self.headers, body)?;
        let encoding = Encoding::accepted(&self.headers);
        let longest = LONGEST.min(patience.most);
        let name = version.name.clone();
        let lines = Lines::new(version, self.asked, longest)?;
        let body = stream::answer(body, lines, patience, encoding);
        let body = body.map_err(|error| Failure::new(Kind::Internal, error.to_string()))?;
        Ok(response(body, self.wanted.media_type, &name, encoding))
    }

    fn respond(mut self, gateway: &Gateway, body: &[u8]) -> Result<Response, Failure> {
        let asked = std::mem::take(&mut self.asked);
        let predicted = self.predict(gateway, body, asked)?;
        let Predicted { mut body, version, .. } = predicted;
        let mut encoding = None;
        if body.len() >= SHORT {
            encoding = Encoding::accepted(&self.headers);
            if let Some(encoding) = encoding {
                let compressed = encoding.compress(&body);
                body =
                    compressed.map_err(|error| Failure::new(Kind::Internal, error.to_string()))?;
            }
        }
        Ok(response(Body::from(body), self.wanted.media_type, &version.name, encoding))
    }

    fn predict(&self, gateway: &Gateway, body: &[u8], asked: Asked) -> Result<Predicted, Failure> {
        let (sent, wanted) = (self.sent.form, self.wanted.form);
        let request = Request { body, sent, wanted, asked, most_rows: self.most_rows };
        let choose = |route: &Route, named: Option<&str>| self.version(route, named);
        predict::predict(&self.route, request, &gateway.crowd, choose)
    }
}

fn response(
    body: Body,
    media_type: &'static str,
    version: &str,
    encoding: Option<Encoding>,
) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Ok(version) = HeaderValue::from_str(version) {
        headers.insert("penstock-version", version);
    }
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, encoding.header());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    response
}
