//! Rows and answers in every form, over real connections.

// What a test needs and does not get ends it.
#![allow(clippy::unwrap_used)]

mod client;
mod encoding;
mod hostile;
mod json;
mod lines;
mod negotiation;
mod property;
mod tables;
