//! `inference.GRPCInferenceService` on the same port: paths, statuses and the frames of gRPC around the protocol.

use super::access::Caller;
use super::messages::Messages;
use super::served::{run, Served, LARGE_BODY};
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use crate::protocols::inference::{metadata, EXTENSIONS, SERVER, SERVER_VERSION};
use crate::protocols::inference_grpc::{
    answer, Empty, LiveResponse, ModelInferRequest, ModelInferResponse, ModelMetadataResponse,
    ModelRequest, ReadyResponse, ServerMetadataResponse,
};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{post, MethodRouter};
use axum::Router;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tonic::codec::CompressionEncoding;
use tonic::server::{Grpc, UnaryService};
use tonic::{Code, Extensions, Request, Status};

type HttpRequest = axum::http::Request<Body>;
type Answer<T> = Pin<Box<dyn Future<Output = Result<tonic::Response<T>, Status>> + Send>>;

/// All methods of the service.
pub fn routes() -> Router<Arc<Gateway>> {
    let path = |method: &str| format!("/inference.GRPCInferenceService/{method}");
    Router::new()
        .route(&path("ServerLive"), unary(server_live))
        .route(&path("ServerReady"), unary(server_ready))
        .route(&path("ModelReady"), unary(model_ready))
        .route(&path("ServerMetadata"), unary(server_metadata))
        .route(&path("ModelMetadata"), unary(model_metadata))
        .route(&path("ModelInfer"), unary(model_infer))
        .route(&path("{method}"), post(unknown_method))
}

/// The status of each kind of failure.
fn code(kind: Kind) -> Code {
    match kind {
        Kind::Malformed | Kind::Option | Kind::Columns | Kind::Value | Kind::Unsupported => {
            Code::InvalidArgument
        }
        Kind::MediaType | Kind::NotAcceptable | Kind::TooLarge => Code::InvalidArgument,
        Kind::UnknownModel | Kind::UnknownVersion | Kind::UnknownPath => Code::NotFound,
        Kind::WrongMethod => Code::Unimplemented,
        Kind::Unauthorized => Code::Unauthenticated,
        Kind::Forbidden => Code::PermissionDenied,
        Kind::TooMany => Code::ResourceExhausted,
        Kind::Overloaded | Kind::NotReady => Code::Unavailable,
        Kind::Timeout | Kind::Deadline => Code::DeadlineExceeded,
        Kind::Internal => Code::Internal,
    }
}

fn status(failure: &Failure) -> Status {
    Status::new(code(failure.kind), failure.text())
}

/// Answers one message by another.
type Function<T, U> = fn(Arc<Gateway>, Request<T>) -> Answer<U>;

struct Unary<T, U> {
    gateway: Arc<Gateway>,
    function: Function<T, U>,
}

impl<T, U> UnaryService<T> for Unary<T, U> {
    type Response = U;
    type Future = Answer<U>;

    fn call(&mut self, request: Request<T>) -> Self::Future {
        (self.function)(self.gateway.clone(), request)
    }
}

/// Reads one message, answers it and writes the answer.
fn unary<T, U>(function: Function<T, U>) -> MethodRouter<Arc<Gateway>>
where
    T: prost::Message + Default + 'static,
    U: prost::Message + Default + 'static,
{
    post(move |State(gateway): State<Arc<Gateway>>, request: HttpRequest| async move {
        let mut grpc = Grpc::new(Messages::<T, U>::default())
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(gateway.settings.max_body)
            .max_encoding_message_size(usize::MAX);
        grpc.unary(Unary { gateway, function }, request).await.map(Body::new)
    })
}

/// What is known at once.
fn now<T: Send + 'static>(answer: Result<T, Failure>) -> Answer<T> {
    let answer = answer.map(tonic::Response::new).map_err(|failure| status(&failure));
    Box::pin(std::future::ready(answer))
}

/// Triton's service has more methods under this name.
async fn unknown_method(Path(method): Path<String>) -> Response {
    let message = format!("there is no method `{method}` in this server");
    Status::new(Code::Unimplemented, message).into_http()
}

fn server_live(_: Arc<Gateway>, _: Request<Empty>) -> Answer<LiveResponse> {
    now(Ok(LiveResponse { live: true }))
}

fn server_ready(gateway: Arc<Gateway>, _: Request<Empty>) -> Answer<ReadyResponse> {
    now(Ok(ReadyResponse { ready: !gateway.is_stopping() }))
}

fn server_metadata(_: Arc<Gateway>, _: Request<Empty>) -> Answer<ServerMetadataResponse> {
    now(Ok(ServerMetadataResponse {
        name: SERVER.to_owned(),
        version: SERVER_VERSION.to_owned(),
        extensions: EXTENSIONS.map(str::to_owned).to_vec(),
    }))
}

/// Whether the token that came may use a route: no path of this service names one, so that whoever guards paths cannot know.
fn check(extensions: &Extensions, route: &crate::catalog::Route) -> Result<(), Failure> {
    extensions.get::<Caller>().map_or(Ok(()), |caller| caller.check(route))
}

/// An empty text stands for none.
fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn model_ready(gateway: Arc<Gateway>, asked: Request<ModelRequest>) -> Answer<ReadyResponse> {
    let (_, extensions, asked) = asked.into_parts();
    let catalog = gateway.catalog.load();
    let found = catalog.route(&asked.name).and_then(|route| {
        check(&extensions, route)?;
        given(&asked.version).map_or(Ok(()), |version| route.version(version).map(drop))
    });
    now(found.map(|()| ReadyResponse { ready: !gateway.is_stopping() }))
}

fn model_metadata(
    gateway: Arc<Gateway>,
    asked: Request<ModelRequest>,
) -> Answer<ModelMetadataResponse> {
    let (_, extensions, asked) = asked.into_parts();
    let catalog = gateway.catalog.load();
    let found = catalog.route(&asked.name).and_then(|route| {
        check(&extensions, route)?;
        metadata(route, given(&asked.version))
    });
    now(found.map(ModelMetadataResponse::from))
}

fn model_infer(
    gateway: Arc<Gateway>,
    asked: Request<ModelInferRequest>,
) -> Answer<ModelInferResponse> {
    Box::pin(async move {
        let answered = infer(&gateway, asked).await;
        answered.map(tonic::Response::new).map_err(|failure| status(&failure))
    })
}

async fn infer(
    gateway: &Gateway,
    asked: Request<ModelInferRequest>,
) -> Result<ModelInferResponse, Failure> {
    let (headers, extensions, asked) = asked.into_parts();
    let version = given(&asked.model_version);
    let served = Served::new(gateway, (&asked.model_name, version), &headers.into_headers())?;
    check(&extensions, &served.route)?;
    let size = prost::Message::encoded_len(&asked);
    if size > served.most_bytes {
        let detail = format!("the message is longer than {} bytes", served.most_bytes);
        return Err(Failure::new(Kind::TooLarge, detail + "; send the rows in parts"));
    }
    run(gateway, size >= LARGE_BODY, move || answer(&asked, &served.version, served.most_rows))
        .await
}
