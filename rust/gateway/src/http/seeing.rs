//! Around every request: its name, its counts, and an answer even if the code that answers panics.

use super::problem;
use super::stream::Ongoing;
use crate::catalog::{Route, Version};
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use crate::handlers::shares::{names, Answered, Chosen};
use crate::seeing::observation::Observed;
use crate::seeing::{drift, ids, metrics};
use axum::body::Body;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::http::header::{HeaderName, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use pin_project_lite::pin_project;
use serde_json::json;
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{ready, Context, Poll};
use std::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const VERSION: HeaderName = HeaderName::from_static("penstock-version");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What a handler of predictions tells of its answer, as an extension of the response.
#[derive(Clone)]
pub struct Served {
    pub route: Arc<Route>,
    /// Unknown where the request was refused before one was chosen.
    pub version: Option<Arc<Version>>,
    pub observed: Observed,
    /// Other versions that have answered rows of the same request.
    pub others: Vec<(Arc<Version>, Observed)>,
    /// The answer is not there as a whole, and counts its rows itself.
    pub ongoing: Option<Arc<Ongoing>>,
}

/// The path whose handler has answered a request for another one, as an extension of the response.
#[derive(Clone, Copy)]
pub struct AnsweredAs(pub &'static str);

impl Served {
    /// What becomes of a request: who has answered it, or nobody where it was refused.
    pub fn new(route: Arc<Route>, chosen: &Chosen, answered: Answered) -> Self {
        let version = chosen.get().cloned();
        let mut answered = answered.into_iter();
        let observed = answered.next().map(|(_, observed)| observed).unwrap_or_default();
        Self { route, version, observed, others: answered.collect(), ongoing: None }
    }

    /// The names of all versions that have answered, as far as they are known.
    fn versions(&self) -> Option<HeaderValue> {
        let others = self.others.iter().map(|(version, _)| version);
        let names = names(self.version.iter().chain(others));
        HeaderValue::from_str(&names).ok().filter(|names| !names.is_empty())
    }
}

/// `GET /metrics`.
pub async fn metrics(State(gateway): State<Arc<Gateway>>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, kind)], metrics::page(&gateway)).into_response()
}

/// `GET /v1/models/{name}/drift`.
pub async fn drift(State(gateway): State<Arc<Gateway>>, Path(name): Path<String>) -> Response {
    let catalog = gateway.catalog.load();
    let route = match catalog.route(&name) {
        Ok(route) => route,
        Err(failure) => return failure.into_response(),
    };
    let versions = route.versions.iter().map(|(version, _)| (version, "live"));
    let versions = versions.chain(route.shadows.iter().map(|(version, _)| (version, "shadow")));
    let versions = versions.map(|(version, role)| {
        json!({
            "version": version.name,
            "role": role,
            "digest": version.loaded.model.digest,
            "windows": drift::report(&version.seen),
        })
    });
    let versions: Vec<_> = versions.collect();
    super::models::json_response(&json!({"name": route.name, "versions": versions}))
}

/// Watches all requests of a router.
#[derive(Clone)]
pub struct Watch(pub Arc<Gateway>);

impl<S> Layer<S> for Watch {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched { inner, gateway: self.0.clone() }
    }
}

#[derive(Clone)]
pub struct Watched<S> {
    inner: S,
    gateway: Arc<Gateway>,
}

impl<S: Service<Request, Response = Response>> Service<Request> for Watched<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = Watching<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let begun = Begun::new(self.gateway.clone(), &request);
        Watching { inner: self.inner.call(request), begun: Some(begun) }
    }
}

pin_project! {
    /// A request that is being answered.
    pub struct Watching<F> {
        #[pin]
        inner: F,
        begun: Option<Begun>,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for Watching<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let inner = this.inner;
        let response = match catch_unwind(AssertUnwindSafe(|| inner.poll(context))) {
            Ok(polled) => ready!(polled)?,
            Err(_) => {
                let detail =
                    "the server made a mistake; its log tells more under the id of this request";
                Failure::new(Kind::Internal, detail).into_response()
            }
        };
        Poll::Ready(Ok(match this.begun.take() {
            Some(begun) => begun.finish(response),
            None => response,
        }))
    }
}

/// What is known of a request before it is answered.
struct Begun {
    gateway: Arc<Gateway>,
    started: Instant,
    id: HeaderValue,
    trace: Option<HeaderValue>,
    method: &'static str,
    path: Option<MatchedPath>,
    /// For the access log, if there is one.
    uri: Option<Uri>,
    is_finished: bool,
}

impl Begun {
    fn new(gateway: Arc<Gateway>, request: &Request) -> Self {
        gateway.seeing.begin();
        let headers = request.headers();
        let taken = headers.get(REQUEST_ID).filter(|name| ids::is_id(name.as_bytes()));
        let new = || HeaderValue::from_bytes(&ids::new_id());
        let id = taken.cloned().or_else(|| new().ok());
        let is_trace = |value: &&HeaderValue| ids::is_traceparent(value.as_bytes());
        Self {
            started: Instant::now(),
            id: id.unwrap_or(HeaderValue::from_static("none")),
            trace: headers.get(TRACEPARENT).filter(is_trace).cloned(),
            method: method(request.method()),
            path: request.extensions().get::<MatchedPath>().cloned(),
            uri: gateway.settings.access_log.then(|| request.uri().clone()),
            gateway,
            is_finished: false,
        }
    }

    fn finish(mut self, mut response: Response) -> Response {
        self.is_finished = true;
        let failure = response.extensions_mut().remove::<Failure>();
        let served = response.extensions_mut().remove::<Served>();
        let status = response.status();
        if let (Some(failure), true) = (&failure, problem::is_problem(response.headers())) {
            let body = problem::body(failure, status, self.id.to_str().ok());
            *response.body_mut() = Body::from(body);
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        if let (Some(served), None) = (&served, &failure) {
            let versions = served.versions();
            versions.map(|versions| response.headers_mut().insert(VERSION, versions));
        }
        self.pass_on(response.headers_mut());
        let elapsed = self.started.elapsed();
        let seeing = &self.gateway.seeing;
        let answered_as = response.extensions_mut().remove::<AnsweredAs>();
        let path = match answered_as {
            Some(AnsweredAs(path)) => path,
            None => self.path.as_ref().map_or("", MatchedPath::as_str),
        };
        seeing.request(self.method, path, status.as_u16(), elapsed);
        let tally = match &served {
            Some(Served { version: Some(version), .. }) => Some(&version.seen.tally),
            Some(Served { route, .. }) => Some(&*route.tally),
            None => None,
        };
        // gRPC tells in its own way what was refused; it counts as it does elsewhere.
        let status = failure.as_ref().map_or(status, |failure| problem::status(failure.kind));
        if let Some(tally) = tally {
            tally.request(status.as_u16(), elapsed);
        }
        if let Some(failure) = &failure {
            tally.unwrap_or(&seeing.tally).error(&failure.code);
        }
        self.log(status, failure.as_ref(), served.as_ref());
        if let Some(ongoing) = served.as_ref().and_then(|served| served.ongoing.as_ref()) {
            ongoing.tell(self.id.to_str().unwrap_or_default());
        }
        if let Some(Served { route, version: Some(version), observed, others, .. }) = served {
            let id = self.id.to_str().unwrap_or_default();
            seeing.hand_over(id, &route, &version, observed);
            for (version, observed) in others {
                seeing.hand_over(id, &route, &version, observed);
            }
        }
        response
    }

    /// The name of the request and its trace go back with the answer.
    fn pass_on(&self, headers: &mut HeaderMap) {
        headers.insert(REQUEST_ID, self.id.clone());
        if let Some(trace) = &self.trace {
            headers.insert(TRACEPARENT, trace.clone());
        }
    }

    /// Mistakes of the server always, anything else in the access log. Values of rows are in neither.
    fn log(&self, status: StatusCode, failure: Option<&Failure>, served: Option<&Served>) {
        if self.uri.is_none() && status.as_u16() != 500 {
            return;
        }
        let text = |value: Option<&HeaderValue>| {
            value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let request_id = text(Some(&self.id));
        let traceparent = text(self.trace.as_ref());
        let code = failure.map_or("", |failure| &failure.code);
        let route = self.path.as_ref().map_or("", MatchedPath::as_str);
        let (method, status) = (self.method, status.as_u16());
        if status == 500 {
            tracing::error!(request_id, traceparent, method, route, code, "a request failed");
        }
        let Some(uri) = &self.uri else { return };
        let version = served.and_then(|served| served.version.as_ref());
        let version = version.map_or("", |version| version.name.as_str());
        let rows = served.map_or(0, |served| served.observed.rows);
        let seconds = self.started.elapsed().as_secs_f64();
        let path = uri.path();
        tracing::info!(
            request_id,
            traceparent,
            method,
            path,
            status,
            code,
            version,
            rows,
            seconds,
            "answered"
        );
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.gateway.seeing.end();
        if !self.is_finished {
            // The client went away, or the time was over.
            self.gateway.seeing.tally.error("cancelled");
        }
    }
}

/// Methods that are told apart, as OpenTelemetry names them and all others.
fn method(method: &Method) -> &'static str {
    const KNOWN: [(Method, &str); 7] = [
        (Method::POST, "POST"),
        (Method::GET, "GET"),
        (Method::HEAD, "HEAD"),
        (Method::OPTIONS, "OPTIONS"),
        (Method::PUT, "PUT"),
        (Method::DELETE, "DELETE"),
        (Method::PATCH, "PATCH"),
    ];
    let known = KNOWN.iter().find(|(known, _)| known == method);
    known.map_or("_OTHER", |(_, name)| name)
}
