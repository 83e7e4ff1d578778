//! What the server is told when it starts: options, which are environment variables as well.

use clap::Parser;
use std::net::IpAddr;
use std::path::PathBuf;

/// Serves artifacts over HTTP.
#[derive(Debug, Clone, Parser)]
#[command(name = "penstock serve", bin_name = "penstock serve", version, max_term_width = 80)]
pub struct Settings {
    /// Artifacts to serve under their names, or one folder with a routes.json.
    #[arg(required = true, value_name = "ARTIFACT|FOLDER")]
    pub sources: Vec<PathBuf>,

    /// Address to listen at.
    #[arg(long, env = "PENSTOCK_HOST", default_value = "127.0.0.1")]
    pub host: IpAddr,

    /// Port to listen at; 0 takes a free one.
    #[arg(long, env = "PENSTOCK_PORT", default_value_t = 8080)]
    pub port: u16,

    /// Threads that answer requests; 0 for one per core.
    #[arg(long, env = "PENSTOCK_WORKERS", default_value_t = 0)]
    pub workers: usize,

    /// Largest body of a request, in bytes.
    #[arg(long, env = "PENSTOCK_MAX_BODY", default_value_t = 64 << 20)]
    pub max_body: usize,

    /// Most rows of a request.
    #[arg(long, env = "PENSTOCK_MAX_ROWS", default_value_t = 1_000_000)]
    pub max_rows: usize,

    /// Seconds for a request to come in and be answered.
    #[arg(long, env = "PENSTOCK_TIMEOUT", default_value_t = 30.0, value_parser = seconds)]
    pub timeout: f64,

    /// Seconds for requests in flight to end when the server is told to stop.
    #[arg(long, env = "PENSTOCK_DRAIN", default_value_t = 30.0, value_parser = seconds)]
    pub drain: f64,

    /// Let POST /v1/reload read the folder again at once.
    #[arg(long, env = "PENSTOCK_ALLOW_RELOAD")]
    pub allow_reload: bool,

    /// Output that /invocations answers with, or `all`; by default the label, or else the first output.
    #[arg(long, env = "PENSTOCK_INVOCATIONS_OUTPUT", value_name = "OUTPUT")]
    pub invocations_output: Option<String>,

    /// Port that Vertex AI chose; counts more than --port.
    #[arg(long, env = "AIP_HTTP_PORT", hide = true)]
    pub vertex_port: Option<u16>,

    /// Path of health checks that Vertex AI chose.
    #[arg(long, env = "AIP_HEALTH_ROUTE", hide = true)]
    pub vertex_health_route: Option<String>,

    /// Path of predictions that Vertex AI chose.
    #[arg(long, env = "AIP_PREDICT_ROUTE", hide = true)]
    pub vertex_predict_route: Option<String>,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(seconds),
        _ => Err("takes seconds, above 0 and at most 86400".to_owned()),
    }
}

impl Settings {
    /// The settings with what Vertex AI says in its environment variables.
    pub fn on_vertex(mut self) -> Self {
        self.port = self.vertex_port.unwrap_or(self.port);
        self
    }

    /// Threads that answer requests.
    pub fn worker_count(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            count => count,
        }
    }
}
