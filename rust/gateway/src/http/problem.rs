//! Failures as `application/problem+json` (RFC 9457), with a status and a stable code.

use crate::answers::json;
use crate::failure::{Failure, Kind};
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// The status of each kind of failure.
pub fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed | Kind::Option => StatusCode::BAD_REQUEST,
        Kind::Columns | Kind::Value | Kind::Unsupported => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::UnknownModel | Kind::UnknownVersion | Kind::UnknownPath => StatusCode::NOT_FOUND,
        Kind::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
        Kind::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Overloaded | Kind::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Timeout => StatusCode::REQUEST_TIMEOUT,
        Kind::Deadline => StatusCode::GATEWAY_TIMEOUT,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Whether a response is a failure in this form; other protocols have their own.
pub fn is_problem(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE) == Some(&PROBLEM)
}

/// The body of a failure, with the id of its request where that is known.
pub fn body(failure: &Failure, status: StatusCode, request_id: Option<&str>) -> Vec<u8> {
    let mut body = Vec::with_capacity(256);
    body.extend_from_slice(b"{\"type\":\"about:blank\",\"title\":");
    json::json(&status.canonical_reason().unwrap_or_default(), &mut body);
    body.extend_from_slice(b",\"status\":");
    json::json(&status.as_u16(), &mut body);
    body.extend_from_slice(b",\"code\":");
    json::json(&failure.code, &mut body);
    body.extend_from_slice(b",\"detail\":");
    json::json(&failure.detail, &mut body);
    if let Some(field) = &failure.field {
        body.extend_from_slice(b",\"field\":");
        json::json(field, &mut body);
    }
    if let Some(row) = failure.row {
        body.extend_from_slice(b",\"row\":");
        json::json(&row, &mut body);
    }
    if let Some(id) = request_id {
        body.extend_from_slice(b",\"request_id\":");
        json::json(&id, &mut body);
    }
    body.push(b'}');
    body
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = status(self.kind);
        let mut response = Response::new(Body::from(body(&self, status, None)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM);
        if matches!(self.kind, Kind::Overloaded | Kind::TooMany | Kind::NotReady) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.kind == Kind::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // What watches all requests counts it, and writes the id of the request into the body.
        response.extensions_mut().insert(self);
        response
    }
}
