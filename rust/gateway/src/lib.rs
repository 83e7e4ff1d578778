//! The gateway: serves artifacts over HTTP. A folder tells it everything; it knows neither Python nor the hub.

pub mod answers;
pub mod catalog;
pub mod choosing;
pub mod connections;
pub mod crowd;
pub mod failure;
pub mod forms;
pub mod gateway;
pub mod handlers;
pub mod http;
pub mod limits;
pub mod openapi;
pub mod protocols;
pub mod routes;
pub mod seeing;
pub mod server;
pub mod settings;
pub mod takeover;
pub mod tls;
pub mod tokens;
pub mod watching;

use settings::Settings;
use std::ffi::OsString;

/// Runs a gateway until it is told to stop; returns the exit code. `arguments` begin with the name of the program.
///
/// With `hash-token NAME` it makes a token instead: the line for the file of tokens goes to standard output, the token
/// itself, which nobody can tell again, to standard error.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> i32 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let [_, command, name] = arguments.as_slice() {
        if command == "hash-token" {
            return ended(tokens::create(&name.to_string_lossy()).map(|(token, line)| {
                eprintln!("{token}");
                println!("{line}");
            }));
        }
    }
    let settings = match Settings::parse_arguments(arguments) {
        Ok(settings) => settings,
        Err(error) => {
            let _ = error.print();
            return error.exit_code();
        }
    };
    ended(server::serve(settings))
}

fn ended(result: Result<(), String>) -> i32 {
    match result {
        Ok(()) => 0,
        Err(message) => {
            eprintln!("Error: {message}");
            3
        }
    }
}
