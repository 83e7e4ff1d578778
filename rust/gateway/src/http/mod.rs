//! HTTP: paths, statuses, headers and bodies around the handlers.

pub mod grpc;
pub mod inference;
pub mod invocations;
mod messages;
pub mod models;
pub mod predict;
pub mod problem;
pub mod router;
pub mod served;
