//! Rows and answers in every form, over real connections.

mod client;
mod encoding;
mod hostile;
mod json;
mod lines;
mod negotiation;
mod property;
mod tables;
