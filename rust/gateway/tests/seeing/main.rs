//! What a gateway tells of itself: metrics, drift, captured requests, shadows, names of requests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod capture;
mod drift;
mod metrics;
mod protocols;
mod requests;
mod shadows;
mod tongues;
mod world;
