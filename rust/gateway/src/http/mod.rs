//! HTTP: paths, statuses, headers and bodies around the handlers.

pub mod body;
pub mod encoding;
pub mod models;
pub mod predict;
pub mod problem;
pub mod router;
pub mod stream;
