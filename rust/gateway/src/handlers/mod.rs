//! Requests without their transport: bytes and options in, bytes out.

pub mod asked;
pub mod blocks;
pub mod lines;
pub mod predict;
pub mod rows;
pub mod shares;
pub mod sticky;
pub mod tables;
