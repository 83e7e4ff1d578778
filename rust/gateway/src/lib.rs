//! The gateway: serves artifacts over HTTP. A folder tells it everything; it knows neither Python nor the hub.

pub mod answers;
pub mod catalog;
pub mod choosing;
pub mod crowd;
pub mod failure;
pub mod forms;
pub mod gateway;
pub mod handlers;
pub mod http;
pub mod routes;
pub mod server;
pub mod settings;

use clap::Parser;
use settings::Settings;
use std::ffi::OsString;

/// Runs a gateway until it is told to stop; returns the exit code. `arguments` begin with the name of the program.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> i32 {
    let settings = match Settings::try_parse_from(arguments) {
        Ok(settings) => settings,
        Err(error) => {
            let _ = error.print();
            return error.exit_code();
        }
    };
    match server::serve(settings) {
        Ok(()) => 0,
        Err(message) => {
            eprintln!("Error: {message}");
            3
        }
    }
}
