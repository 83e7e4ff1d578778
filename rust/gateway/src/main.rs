//! The gateway as a program of its own, without Python.

fn main() {
    std::process::exit(penstock_gateway::run(std::env::args_os()));
}
