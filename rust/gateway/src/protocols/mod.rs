//! Protocols of other servers, without their transport: bytes or messages in, answers out.

pub mod csv;
pub mod datatypes;
pub mod features;
pub mod inference;
pub mod inference_grpc;
pub mod inference_rest;
pub mod invocations;
pub mod nans;
pub mod outputs;
pub mod payload;
pub mod payloads;
pub mod predictions;
pub mod tensors;
pub mod values;
