//! The life of a gateway: how it starts, is changed, replaced and stopped, and who may come in.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod limits;
mod replacing;
mod starting;
mod sticky;
mod stopping;
mod tls;
mod tokens;
mod watching;
mod world;
