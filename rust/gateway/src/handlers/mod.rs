//! Requests without their transport: bytes and options in, bytes out.

pub mod asked;
pub mod predict;
pub mod sticky;
