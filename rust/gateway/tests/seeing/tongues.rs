//! The same rows in the tongue of each protocol, and the labels of its answers.

use crate::world::{Answer, World};
use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use penstock_gateway::protocols::inference_grpc::{
    Choice, Contents, InferParameter, InferTensor, ModelInferRequest, ModelInferResponse,
    RequestedOutput,
};
use prost::Message;
use serde_json::{json, Value};

/// Sends rows, all of whose inputs are there, by a protocol.
pub struct Tongue {
    pub name: &'static str,
    pub ask: fn(&World, &[Value]) -> Answer,
    /// The labels of an answer, and its version where the protocol has a place for one.
    pub read: fn(&Answer) -> (Vec<String>, Option<String>),
}

pub const TONGUES: [Tongue; 3] = [
    Tongue { name: "REST", ask: rest, read: read_rest },
    Tongue { name: "gRPC", ask: grpc, read: read_grpc },
    Tongue { name: "invocations", ask: invocations, read: read_invocations },
];

fn column(rows: &[Value], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row[name].clone()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn rest(world: &World, rows: &[Value]) -> Answer {
    let tensor = |name: &str, datatype: &str| json!({"name": name, "datatype": datatype, "shape": [rows.len()], "data": column(rows, name)});
    let inputs = [("carrier", "BYTES"), ("distance", "FP64"), ("hour", "FP64")];
    let inputs = inputs.map(|(name, datatype)| tensor(name, datatype));
    let body = json!({"inputs": inputs, "outputs": [{"name": "label"}]});
    world.post("/v2/models/late/infer", body.to_string())
}

fn read_rest(answer: &Answer) -> (Vec<String>, Option<String>) {
    let answer = answer.json();
    let labels = answer["outputs"][0]["data"].as_array().unwrap();
    (labels.iter().map(text).collect(), Some(text(&answer["model_version"])))
}

/// The message of an input.
fn tensor(name: &str, values: &[Value]) -> InferTensor {
    let places = values.iter().enumerate().filter(|(_, value)| value.is_null());
    let missing = places.map(|(at, _)| at.to_string()).collect::<Vec<_>>().join(",");
    let parameter = InferParameter { choice: Some(Choice::Text(missing)) };
    let mut contents = Contents::default();
    for value in values {
        match (name, value.as_str()) {
            ("carrier", text) => {
                contents.texts.push(Bytes::copy_from_slice(text.unwrap_or_default().as_bytes()));
            }
            // The only text that a number can be.
            (_, Some(_)) => contents.doubles.push(f64::INFINITY),
            (_, None) => contents.doubles.push(value.as_f64().unwrap_or_default()),
        }
    }
    InferTensor {
        name: name.to_owned(),
        datatype: if name == "carrier" { "BYTES" } else { "FP64" }.to_owned(),
        shape: vec![values.len() as i64],
        parameters: [("missing".to_owned(), parameter)].into(),
        contents: Some(contents),
    }
}

pub fn message(rows: &[Value]) -> ModelInferRequest {
    let inputs = ["carrier", "distance", "hour"].map(|name| tensor(name, &column(rows, name)));
    let label = RequestedOutput { name: "label".to_owned(), ..RequestedOutput::default() };
    ModelInferRequest {
        model_name: "late".to_owned(),
        inputs: inputs.to_vec(),
        outputs: vec![label],
        ..ModelInferRequest::default()
    }
}

/// Sends bytes as a message of gRPC.
pub fn call(world: &World, message: &[u8]) -> Answer {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let body = [&[0][..], &length, message].concat();
    let request = Request::post("/inference.GRPCInferenceService/ModelInfer");
    let request = request.header("content-type", "application/grpc").header("te", "trailers");
    world.ask(request.body(Body::from(body)).unwrap())
}

fn grpc(world: &World, rows: &[Value]) -> Answer {
    call(world, &message(rows).encode_to_vec())
}

fn read_grpc(answer: &Answer) -> (Vec<String>, Option<String>) {
    let message = ModelInferResponse::decode(&answer.bytes[5..]).unwrap();
    let labels = message.outputs[0].contents.as_ref().unwrap().texts.iter();
    let labels = labels.map(|text| String::from_utf8(text.to_vec()).unwrap());
    (labels.collect(), Some(message.model_version))
}

fn invocations(world: &World, rows: &[Value]) -> Answer {
    let request = Request::post("/invocations").header("content-type", "application/json");
    let body = json!({"dataframe_records": rows}).to_string();
    world.ask(request.body(Body::from(body)).unwrap())
}

fn read_invocations(answer: &Answer) -> (Vec<String>, Option<String>) {
    let labels = answer.json()["predictions"].as_array().unwrap().iter().map(text).collect();
    (labels, None)
}
