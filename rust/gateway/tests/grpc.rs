//! gRPC over a real connection, beside REST on the same port; against the expected outputs of the golden artifact.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use bytes::Bytes;
use clap::Parser;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use penstock_gateway::gateway::Gateway;
use penstock_gateway::http::router::router;
use penstock_gateway::protocols::inference_grpc::{
    Choice, Contents, Empty, InferParameter, InferTensor, LiveResponse, ModelInferRequest,
    ModelInferResponse, ModelMetadataResponse, ModelRequest, ReadyResponse, RequestedOutput,
    ServerMetadataResponse,
};
use penstock_gateway::settings::Settings;
use std::sync::Arc;
use tokio::net::TcpListener;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

const ARTIFACT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/format-1.penstock");

/// A gateway on a port of its own, and a connection to it.
async fn connect(options: &[&str]) -> Grpc<Channel> {
    let arguments = ["penstock serve", ARTIFACT].iter().chain(options);
    let gateway = Arc::new(Gateway::new(Settings::try_parse_from(arguments).unwrap()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let service = router(gateway);
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            let builder = Builder::new(TokioExecutor::new());
            tokio::spawn(builder.serve_connection(TokioIo::new(stream), service).into_owned());
        }
    });
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    Grpc::new(endpoint.connect().await.unwrap())
}

async fn call<T, U>(client: &mut Grpc<Channel>, method: &str, message: T) -> Result<U, Status>
where
    T: prost::Message + Default + 'static,
    U: prost::Message + Default + 'static,
{
    client.ready().await.unwrap();
    let path = format!("/inference.GRPCInferenceService/{method}").parse().unwrap();
    let codec = ProstCodec::<T, U>::default();
    client.unary(Request::new(message), path, codec).await.map(tonic::Response::into_inner)
}

async fn infer(
    client: &mut Grpc<Channel>,
    request: ModelInferRequest,
) -> Result<ModelInferResponse, Status> {
    call(client, "ModelInfer", request).await
}

fn tensor(name: &str, datatype: &str, rows: i64, contents: Option<Contents>) -> InferTensor {
    let (name, datatype) = (name.to_owned(), datatype.to_owned());
    InferTensor { name, datatype, shape: vec![rows], contents, ..InferTensor::default() }
}

fn texts(texts: &[&str]) -> Option<Contents> {
    let texts = texts.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect();
    Some(Contents { texts, ..Contents::default() })
}

fn doubles(doubles: &[f64]) -> Option<Contents> {
    Some(Contents { doubles: doubles.to_vec(), ..Contents::default() })
}

/// Two rows in typed contents; the second carrier is missing.
fn request() -> ModelInferRequest {
    let mut carrier = tensor("carrier", "BYTES", 2, texts(&["UA", ""]));
    let missing = InferParameter { choice: Some(Choice::Text("1".to_owned())) };
    carrier.parameters.insert("missing".to_owned(), missing);
    let hour = Contents { unsigned: vec![5, 12], ..Contents::default() };
    ModelInferRequest {
        model_name: "golden".to_owned(),
        id: "seven".to_owned(),
        inputs: vec![
            carrier,
            tensor("distance", "FP64", 2, doubles(&[1400.0, 300.5])),
            tensor("hour", "UINT8", 2, Some(hour)),
        ],
        ..ModelInferRequest::default()
    }
}

/// The probabilities and labels of the same rows by the core.
fn expected() -> (Vec<f64>, Vec<String>) {
    use penstock_core::cell::Cell;
    use penstock_core::plan::block::Scratch;
    use penstock_core::predict::Answer;
    let model =
        penstock_core::model::Model::open(&std::fs::read(ARTIFACT).unwrap(), false).unwrap();
    let rows = [
        [Cell::Text("UA"), Cell::Number(1400.0), Cell::Number(5.0)],
        [Cell::Missing, Cell::Number(300.5), Cell::Number(12.0)],
    ];
    let (mut probabilities, mut labels) = (Vec::new(), Vec::new());
    let mut scratch = Scratch::default();
    for cells in rows {
        model.plan.predict_row(&cells, &mut scratch, &mut None).unwrap();
        for output in &model.plan.outputs {
            for element in &output.elements {
                match model.plan.answer(element, &cells, &scratch) {
                    Answer::Number(x) => probabilities.push(x),
                    Answer::Code(code) => {
                        labels.push(output.levels[code as usize].as_str().unwrap().to_owned());
                    }
                    Answer::Text(_) => panic!("the artifact has no such output"),
                }
            }
        }
    }
    (probabilities, labels)
}

#[tokio::test]
async fn the_server_and_its_model_tell_what_they_are() {
    let mut client = connect(&[]).await;
    let live: LiveResponse = call(&mut client, "ServerLive", Empty {}).await.unwrap();
    let ready: ReadyResponse = call(&mut client, "ServerReady", Empty {}).await.unwrap();
    assert!(live.live && ready.ready);
    let server: ServerMetadataResponse =
        call(&mut client, "ServerMetadata", Empty {}).await.unwrap();
    assert_eq!(server.name, "penstock");
    for version in ["", "1"] {
        let asked = ModelRequest { name: "golden".to_owned(), version: version.to_owned() };
        let ready: ReadyResponse = call(&mut client, "ModelReady", asked.clone()).await.unwrap();
        assert!(ready.ready);
        let model: ModelMetadataResponse = call(&mut client, "ModelMetadata", asked).await.unwrap();
        assert_eq!((model.name.as_str(), model.versions), ("golden", vec!["1".to_owned()]));
        let names: Vec<_> =
            model.inputs.iter().map(|it| (it.name.as_str(), it.datatype.as_str())).collect();
        assert_eq!(names, [("carrier", "BYTES"), ("distance", "FP64"), ("hour", "FP64")]);
        assert_eq!(model.outputs[1].shape, [-1, 2]);
    }
}

#[tokio::test]
async fn typed_contents_are_answered_by_typed_contents() {
    let mut client = connect(&[]).await;
    let answer = infer(&mut client, request()).await.unwrap();
    let (probabilities, labels) = expected();
    assert_eq!((answer.id.as_str(), answer.model_version.as_str()), ("seven", "1"));
    let contents: Vec<_> =
        answer.outputs.iter().map(|output| output.contents.clone().unwrap()).collect();
    let told: Vec<_> = contents[0].texts.iter().map(|text| text.as_ref()).collect();
    assert_eq!(told, labels.iter().map(String::as_bytes).collect::<Vec<_>>());
    assert_eq!(contents[1].doubles, probabilities);
    assert_eq!(answer.outputs[1].shape, [2, 2]);
    assert!(answer.raw_output_contents.is_empty());
}

#[tokio::test]
async fn raw_contents_are_answered_by_raw_contents_and_outputs_are_selected() {
    let mut client = connect(&[]).await;
    let mut request = request();
    request.inputs.iter_mut().for_each(|input| input.contents = None);
    let carriers = b"\x02\0\0\0UA\0\0\0\0".as_slice();
    let distances = [1400_f64, 300.5].map(f64::to_le_bytes).concat();
    request.raw_input_contents =
        vec![carriers.into(), distances.into(), [5_u8, 12].as_slice().to_vec().into()];
    request.outputs =
        vec![RequestedOutput { name: "probability".to_owned(), ..RequestedOutput::default() }];
    let answer = infer(&mut client, request).await.unwrap();
    let expected: Vec<u8> = expected().0.iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(answer.outputs.len(), 1);
    assert_eq!(answer.raw_output_contents, [Bytes::from(expected)]);
    assert_eq!(answer.outputs[0].contents, None);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_what_is_wrong_is_an_invalid_argument() {
    type Change = fn(&mut ModelInferRequest);
    let changes: [(Code, &str, Change); 10] = [
        (Code::NotFound, "no model `none`", |request| request.model_name = "none".to_owned()),
        (Code::NotFound, "no version `2`", |request| request.model_version = "2".to_owned()),
        (Code::InvalidArgument, "`hour` is missing", |request| drop(request.inputs.pop())),
        (Code::InvalidArgument, "did you mean `hour`?", |request| {
            request.inputs[2].name = "hours".to_owned();
        }),
        (Code::InvalidArgument, "belong into fp64_contents", |request| {
            request.inputs[1].contents = texts(&["far", "near"]);
        }),
        (Code::InvalidArgument, "row 1: column `distance`", |request| {
            request.inputs[1] = tensor("distance", "BYTES", 2, texts(&["", "near"]));
            let missing = InferParameter { choice: Some(Choice::Text("0".to_owned())) };
            request.inputs[1].parameters.insert("missing".to_owned(), missing);
        }),
        (Code::InvalidArgument, "has 2 values; its shape [3] needs 3", |request| {
            request.inputs[1].shape = vec![3];
        }),
        (Code::InvalidArgument, "that is no UINT8", |request| {
            let unsigned = vec![5, 256];
            request.inputs[2].contents = Some(Contents { unsigned, ..Contents::default() });
        }),
        (Code::InvalidArgument, "3 inputs and 1 raw_input_contents", |request| {
            request.raw_input_contents = vec![Bytes::new()];
        }),
        (Code::InvalidArgument, "is not UTF-8", |request| {
            let texts = vec![Bytes::from_static(b"UA"), Bytes::from_static(b"\xff")];
            request.inputs[0].contents = Some(Contents { texts, ..Contents::default() });
        }),
    ];
    let mut client = connect(&[]).await;
    for (code, words, change) in changes {
        let mut request = request();
        change(&mut request);
        let status = infer(&mut client, request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(words), "{status}");
    }
}

#[tokio::test]
async fn more_rows_or_bytes_than_allowed_are_refused() {
    let mut client = connect(&["--max-rows", "1"]).await;
    let status = infer(&mut client, request()).await.unwrap_err();
    assert!(status.message().contains("more than 1 rows"), "{status}");
    let mut client = connect(&["--max-body", "50"]).await;
    assert!(infer(&mut client, request()).await.is_err());
}

#[tokio::test]
async fn messages_that_would_take_much_memory_are_refused() {
    let mut client = connect(&[]).await;
    let inputs = vec![InferTensor::default(); 70_000];
    let status = infer(&mut client, ModelInferRequest { inputs, ..request() }).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("more than 65536 fields"), "{status}");
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let mut client = connect(&[]).await;
    let answered: Result<Empty, _> = call(&mut client, "RepositoryIndex", Empty {}).await;
    assert_eq!(answered.unwrap_err().code(), Code::Unimplemented);
}
