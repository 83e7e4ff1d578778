//! `POST /v1/models/{name}/predict`, in every form that rows and answers can have.

use super::body;
use super::encoding::{decompressed, Encoding, SHORT};
use super::seeing::Served;
use super::served::{sticky_header, LARGE_BODY};
use super::stream::{self, Client, Ongoing};
use crate::catalog::Route;
use crate::connections::Connection;
use crate::failure::{Failure, Kind};
use crate::forms::{Form, Sent, Wanted};
use crate::gateway::Gateway;
use crate::handlers::asked::Asked;
use crate::handlers::lines::{Lines, LONGEST};
use crate::handlers::predict::{self, Predicted, Request};
use crate::handlers::shares::{Answered, Chosen, Who};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// As `LARGE_BODY` where rows are explained, which takes a hundred times as long.
const LARGE_EXPLAINED: usize = 4 << 10;

pub async fn predict(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    request: axum::extract::Request,
) -> Response {
    let route = match gateway.catalog.load().route(&name) {
        Ok(route) => route.clone(),
        Err(failure) => return failure.into_response(),
    };
    let chosen = Arc::<Chosen>::default();
    let (parts, body) = request.into_parts();
    let head = Head::new(&gateway, &route, query.as_deref(), parts, &chosen);
    let answered = match head {
        Ok(head) => head.answer(&gateway, body).await,
        Err(failure) => Err(failure),
    };
    let mut reply = answered.unwrap_or_else(|failure| Reply::new(failure.into_response()));
    let served = Served::new(route, &chosen, reply.answered);
    reply.response.extensions_mut().insert(Served { ongoing: reply.ongoing, ..served });
    reply.response
}

/// A response and what it is counted as.
struct Reply {
    response: Response,
    answered: Answered,
    ongoing: Option<Arc<Ongoing>>,
}

impl Reply {
    fn new(response: Response) -> Self {
        Self { response, answered: Vec::new(), ongoing: None }
    }
}

/// What a request says of itself before its body is read.
struct Head {
    route: Arc<Route>,
    headers: HeaderMap,
    connection: Option<Arc<Connection>>,
    sent: Sent,
    wanted: Wanted,
    asked: Asked,
    most_rows: usize,
    most_bytes: usize,
    chosen: Arc<Chosen>,
}

impl Head {
    fn new(
        gateway: &Gateway,
        route: &Arc<Route>,
        query: Option<&str>,
        mut parts: Parts,
        chosen: &Arc<Chosen>,
    ) -> Result<Self, Failure> {
        let connection = parts.extensions.remove::<Arc<Connection>>();
        let headers = parts.headers;
        let sent = Sent::by_type(headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes))?;
        let accepted = headers.get_all(ACCEPT).iter().map(HeaderValue::as_bytes);
        let wanted = Wanted::by_accept(accepted, sent.form)?;
        // A line that is refused stops no other unless that is asked for.
        let asked = Asked { returns_errors: sent.form == Form::Lines, ..Asked::default() };
        let query = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let asked = asked.with_query(query)?;
        let most_rows = route.limits.rows.unwrap_or(gateway.settings.max_rows);
        let most_bytes = route.limits.body.unwrap_or(gateway.settings.max_body);
        let (route, chosen) = (route.clone(), chosen.clone());
        Ok(Self { route, headers, connection, sent, wanted, asked, most_rows, most_bytes, chosen })
    }

    async fn answer(self, gateway: &Arc<Gateway>, body: Body) -> Result<Reply, Failure> {
        if (self.sent.form, self.wanted.form) == (Form::Lines, Form::Lines) {
            return self.stream(gateway, body);
        }
        let body = body::whole(&self.headers, body, self.most_bytes).await?;
        self.sent.check(&body)?;
        if self.is_large(&body) {
            let shared = gateway.clone();
            return gateway.crowd.run(move || self.respond(&shared, &body)).await?;
        }
        self.respond(gateway, &body)
    }

    fn is_large(&self, body: &Bytes) -> bool {
        let has_option = || memchr::memmem::find(body, b"\"explain\"").is_some();
        body.len() >= LARGE_BODY
            || (body.len() >= LARGE_EXPLAINED && (self.asked.explain.is_some() || has_option()))
    }

    fn key(&self) -> Option<&[u8]> {
        sticky_header(&self.route, &self.headers)
    }

    /// Lines are answered as they come.
    fn stream(self, gateway: &Arc<Gateway>, body: Body) -> Result<Reply, Failure> {
        let who = Who::of(&self.route, self.asked.version.as_deref(), self.key())?;
        if let Who::One(one) = &who {
            self.chosen.get_or_init(|| one.clone());
        }
        let body = decompressed(&self.headers, body)?;
        let encoding = Encoding::accepted(&self.headers);
        let longest = LONGEST.min(self.most_bytes);
        let lines = Lines::new(self.route, who, self.asked, longest)?;
        if let Some(connection) = &self.connection {
            // Whoever talks may think in between.
            connection.is_talking.store(true, Ordering::Relaxed);
        }
        let client = Client { most: self.most_bytes, patience: gateway.settings.patience() };
        let started = stream::answer(gateway.clone(), body, lines, client, encoding);
        let (body, ongoing) =
            started.map_err(|error| Failure::new(Kind::Internal, error.to_string()))?;
        let mut reply = Reply::new(response(body, self.wanted.media_type, encoding));
        reply.ongoing = Some(ongoing);
        Ok(reply)
    }

    fn respond(mut self, gateway: &Gateway, body: &[u8]) -> Result<Reply, Failure> {
        let request = Request {
            body,
            sent: self.sent.form,
            wanted: self.wanted.form,
            asked: std::mem::take(&mut self.asked),
            most_rows: self.most_rows,
            most_explained: gateway.settings.max_explained_rows,
            key: self.key(),
            chosen: &self.chosen,
        };
        let predicted = predict::predict(&self.route, request, &gateway.crowd)?;
        let Predicted { mut body, answered } = predicted;
        let mut encoding = None;
        if body.len() >= SHORT {
            encoding = Encoding::accepted(&self.headers);
            if let Some(encoding) = encoding {
                let compressed = encoding.compress(&body);
                body =
                    compressed.map_err(|error| Failure::new(Kind::Internal, error.to_string()))?;
            }
        }
        let response = response(Body::from(body), self.wanted.media_type, encoding);
        Ok(Reply { response, answered, ongoing: None })
    }
}

fn response(body: Body, media_type: &'static str, encoding: Option<Encoding>) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, encoding.header());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    response
}
