//! Paths of a server with one model: SageMaker's, MLflow's, and those that Vertex AI names when it starts a container.

use super::body::whole;
use super::seeing::{AnsweredAs, Served};
use super::served::{only_route, Asking};
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use crate::handlers::shares::Answered;
use crate::protocols::invocations::{answer, Form};
use crate::protocols::nans::without_nans;
use crate::protocols::payloads::Reader;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::middleware::{from_fn_with_state, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::Router;
use penstock_core::plan::Plan;
use std::borrow::Cow;
use std::sync::Arc;
use tower_service::Service;

/// All paths that have fixed names.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/ping", get(ping))
        .route("/health", get(ping))
        .route("/version", get(version))
        .route("/invocations", post(invocations))
}

/// What answers the paths that Vertex AI chose.
#[derive(Clone)]
struct Vertex {
    gateway: Arc<Gateway>,
    /// All of the server: what Vertex AI asks is guarded as it is under the fixed names.
    router: Router,
}

/// Answers the paths that Vertex AI chose, whatever they are, before all others.
pub fn on_vertex(router: Router, gateway: &Arc<Gateway>) -> Router {
    let settings = &gateway.settings;
    match (&settings.vertex_health_route, &settings.vertex_predict_route) {
        (None, None) => router,
        _ => {
            let vertex = Vertex { gateway: gateway.clone(), router: router.clone() };
            router.layer(from_fn_with_state(vertex, under_fixed_names))
        }
    }
}

async fn under_fixed_names(
    State(vertex): State<Vertex>,
    mut request: Request,
    next: Next,
) -> Response {
    let settings = &vertex.gateway.settings;
    let is_health = is(&request, Method::GET, settings.vertex_health_route.as_deref());
    let is_predict = is(&request, Method::POST, settings.vertex_predict_route.as_deref());
    let path = match (is_health, is_predict) {
        (true, _) => "/ping",
        (_, true) => "/invocations",
        _ => return next.run(request).await,
    };
    *request.uri_mut() = Uri::from_static(path);
    let mut router = vertex.router;
    let mut response = router.call(request).await.into_response();
    response.extensions_mut().insert(AnsweredAs(path));
    response
}

fn is(request: &Request, method: Method, route: Option<&str>) -> bool {
    *request.method() == method && route == Some(request.uri().path())
}

/// 200 with an empty body, as SageMaker asks for it.
async fn ping(State(gateway): State<Arc<Gateway>>) -> Response {
    match only_route(&gateway) {
        Err(failure) => failure.into_response(),
        Ok(_) if gateway.is_stopping() => {
            Failure::new(Kind::NotReady, "the server is stopping").into_response()
        }
        Ok(_) => ().into_response(),
    }
}

async fn version(State(gateway): State<Arc<Gateway>>) -> Response {
    match only_route(&gateway) {
        Ok(_) => env!("CARGO_PKG_VERSION").into_response(),
        Err(failure) => failure.into_response(),
    }
}

async fn invocations(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let asking = match only_route(&gateway) {
        Ok(route) => Asking::new(route),
        Err(failure) => return failure.into_response(),
    };
    let (mut response, answered) = match predictions(&gateway, &asking, &headers, body).await {
        Ok((form, body, answered)) => {
            let media_type = HeaderValue::from_static(form.media_type());
            (([(CONTENT_TYPE, media_type)], body).into_response(), answered)
        }
        Err(failure) => (failure.into_response(), Answered::new()),
    };
    response.extensions_mut().insert(Served::new(asking.route, &asking.chosen, answered));
    response
}

async fn predictions(
    gateway: &Arc<Gateway>,
    asking: &Asking,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Form, Vec<u8>, Answered), Failure> {
    let admitted = asking.admit(gateway, None, headers)?;
    let sent = Sent::of(headers)?;
    let wanted = wanted(headers, sent.form)?;
    let body = whole(headers, body, admitted.most_bytes).await?;
    let (shared, size) = (gateway.clone(), body.len());
    let answered = admitted.run(gateway, size, move |call| {
        let text = match sent.form {
            Form::Csv => Cow::default(),
            _ => without_nans(&body),
        };
        let read = |plan: &Plan| {
            let reader = Reader { plan, most_rows: call.most_rows };
            match sent.form {
                Form::Predictions => reader.body(&text),
                Form::JsonLines => reader.lines(&text),
                Form::Csv => reader.csv(&body, sent.has_header),
            }
        };
        answer(call, read, shared.settings.invocations_output.as_deref(), wanted)
    });
    let (body, answered) = answered.await?;
    Ok((wanted, body, answered))
}

/// How a body is written.
#[derive(Debug, Clone, Copy)]
struct Sent {
    form: Form,
    /// What the media type says of a header line of CSV, if it says so.
    has_header: Option<bool>,
}

impl Sent {
    fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        let Some(value) = headers.get(CONTENT_TYPE) else {
            return Ok(Self { form: Form::Predictions, has_header: None });
        };
        let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
        let mut parts = value.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let form = Form::of(media_type).filter(|_| !media_type.contains('*')).ok_or_else(|| {
            let known = Form::ALL.map(|form| format!("`{}`", form.media_type())).join(", ");
            let detail = format!("the media type `{media_type}` is not read here; send {known}");
            Failure::new(Kind::MediaType, detail)
        })?;
        let has_header = parts.find_map(|part| match part {
            "header=present" => Some(true),
            "header=absent" => Some(false),
            _ => None,
        });
        Ok(Self { form, has_header })
    }
}

/// How the answer is to be written: by `Accept`, or as MLflow does, unless lines of JSON were sent.
fn wanted(headers: &HeaderMap, sent: Form) -> Result<Form, Failure> {
    let by_default = if sent == Form::JsonLines { sent } else { Form::Predictions };
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut accepted = accepted.flat_map(|value| value.split(',')).peekable();
    if accepted.peek().is_none() {
        return Ok(by_default);
    }
    let form = |value: &str| {
        let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "*/*" | "application/*" => Some(by_default),
            media_type => Form::of(media_type),
        }
    };
    let mut asked = Vec::new();
    for value in accepted {
        match form(value) {
            Some(form) => return Ok(form),
            None => asked.push(value.trim()),
        }
    }
    let known = Form::ALL.map(|form| format!("`{}`", form.media_type())).join(", ");
    let detail = format!("answers cannot be `{}`; accept one of {known}", asked.join(", "));
    Err(Failure::new(Kind::NotAcceptable, detail))
}
