//! HTTP: paths, statuses, headers and bodies around the handlers.

pub mod models;
pub mod predict;
pub mod problem;
pub mod router;
pub mod seeing;
