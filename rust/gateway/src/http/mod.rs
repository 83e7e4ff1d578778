//! HTTP: paths, statuses, headers and bodies around the handlers.

pub mod access;
pub mod body;
pub mod cors;
pub mod encoding;
pub mod grpc;
pub mod inference;
pub mod invocations;
mod messages;
pub mod models;
pub mod openapi;
pub mod page;
pub mod patience;
pub mod predict;
pub mod problem;
pub mod router;
pub mod seeing;
pub mod served;
pub mod shedding;
pub mod stream;
