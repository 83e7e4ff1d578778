//! `inference.GRPCInferenceService` on the same port: paths, statuses and the frames of gRPC around the protocol.

use super::access::Caller;
use super::messages::Messages;
use super::seeing::Served;
use super::served::Asking;
use crate::failure::{Failure, Kind};
use crate::gateway::Gateway;
use crate::handlers::shares::Answered;
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
use std::sync::{Arc, Mutex, PoisonError};
use tonic::codec::CompressionEncoding;
use tonic::server::{Grpc, UnaryService};
use tonic::{Code, Extensions, Request, Status};

type HttpRequest = axum::http::Request<Body>;
type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;
/// What watches all requests is to know of one, which no response of the library carries if it is refused.
type Seen = Arc<Mutex<axum::http::Extensions>>;

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

/// Answers one message by another.
type Function<T, U> = fn(Arc<Gateway>, Request<T>) -> Answer<U>;

struct Unary<T, U> {
    gateway: Arc<Gateway>,
    function: Function<T, U>,
    seen: Seen,
}

impl<T, U: Send + 'static> UnaryService<T> for Unary<T, U> {
    type Response = U;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<U>, Status>> + Send>>;

    fn call(&mut self, mut request: Request<T>) -> Self::Future {
        request.extensions_mut().insert(self.seen.clone());
        let answer = (self.function)(self.gateway.clone(), request);
        let seen = self.seen.clone();
        Box::pin(async move {
            answer.await.map(tonic::Response::new).map_err(|failure| {
                let status = Status::new(code(failure.kind), failure.text());
                tell(&seen, failure);
                status
            })
        })
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
        let seen = Seen::default();
        let service = Unary { gateway, function, seen: seen.clone() };
        let mut response = grpc.unary(service, request).await.map(Body::new);
        if let Some(failure) = unread(&response) {
            response.extensions_mut().insert(failure);
        }
        let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        response.extensions_mut().extend(seen);
        response
    })
}

fn tell<T: Clone + Send + Sync + 'static>(seen: &Seen, what: T) {
    seen.lock().unwrap_or_else(PoisonError::into_inner).insert(what);
}

/// Why the library has refused a message, if it has; what is told by those who answer comes instead.
fn unread(response: &Response) -> Option<Failure> {
    let status = response.extensions().get::<Status>()?;
    let kind = match status.code() {
        Code::OutOfRange | Code::ResourceExhausted => Kind::TooLarge,
        Code::Unimplemented => Kind::MediaType,
        _ => Kind::Malformed,
    };
    Some(Failure::new(kind, status.message()))
}

/// What is known at once.
fn now<T: Send + 'static>(answer: Result<T, Failure>) -> Answer<T> {
    Box::pin(std::future::ready(answer))
}

/// Triton's service has more methods under this name.
async fn unknown_method(Path(method): Path<String>) -> Response {
    let message = format!("there is no method `{method}` in this server");
    let mut response: Response = Status::new(Code::Unimplemented, message.as_str()).into_http();
    response.extensions_mut().insert(Failure::new(Kind::UnknownPath, message));
    response
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
        let seen = asked.extensions().get::<Seen>().cloned().unwrap_or_default();
        let asking = gateway.catalog.load().route(&asked.get_ref().model_name).cloned();
        let asking = Asking::new(asking?);
        let answered = infer(&gateway, &asking, asked).await;
        let (response, answered) = match answered {
            Ok((response, answered)) => (Ok(response), answered),
            Err(failure) => (Err(failure), Answered::new()),
        };
        tell(&seen, Served::new(asking.route, &asking.chosen, answered));
        response
    })
}

async fn infer(
    gateway: &Arc<Gateway>,
    asking: &Asking,
    asked: Request<ModelInferRequest>,
) -> Result<(ModelInferResponse, Answered), Failure> {
    let (headers, extensions, asked) = asked.into_parts();
    check(&extensions, &asking.route)?;
    let version = given(&asked.model_version);
    let admitted = asking.admit(gateway, version, &headers.into_headers())?;
    let size = prost::Message::encoded_len(&asked);
    if size > admitted.most_bytes {
        let detail = format!("the message is longer than {} bytes", admitted.most_bytes);
        return Err(Failure::new(Kind::TooLarge, detail + "; send the rows in parts"));
    }
    admitted.run(gateway, size, move |call| answer(call, &asked)).await
}
