//! What the server is told when it starts: options, which are environment variables as well.

use crate::seeing::logs::{LogFormat, LogLevel};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser};
use std::ffi::OsString;
use std::fmt::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Options whose values are not printed. Tokens and keys are named by their files, and are none.
const SECRETS: &[&str] = &["capture_salt"];

/// Serves artifacts over HTTP.
#[derive(Debug, Clone, Parser)]
#[command(name = "penstock serve", bin_name = "penstock serve", version)]
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

    /// Take over the port of a gateway of the same user that listens at it, without losing a connection; it then ends.
    #[arg(long, env = "PENSTOCK_TAKEOVER")]
    pub takeover: bool,

    /// Certificates of the server, in PEM; read again when the file changes.
    #[arg(long, env = "PENSTOCK_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of the certificate, in PEM.
    #[arg(long, env = "PENSTOCK_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Ask for tokens; the file has lines of a name and a hash, as `penstock token NAME` writes them.
    #[arg(long, env = "PENSTOCK_TOKENS", value_name = "FILE")]
    pub tokens: Option<PathBuf>,

    /// Serve only artifacts that this public key has signed, in PEM, as `penstock keygen` writes it.
    #[arg(long, env = "PENSTOCK_REQUIRE_SIGNATURE", value_name = "KEY")]
    pub require_signature: Option<PathBuf>,

    /// Let pages of this origin ask from a browser; `*` for all. Can be given several times.
    #[arg(long, env = "PENSTOCK_CORS", value_name = "ORIGIN", value_delimiter = ',')]
    pub cors: Vec<String>,

    /// Threads that answer requests; 0 for one per core.
    #[arg(long, env = "PENSTOCK_WORKERS", default_value_t = 0)]
    pub workers: usize,

    /// Largest body of a request, in bytes.
    #[arg(long, env = "PENSTOCK_MAX_BODY", default_value_t = 64 << 20)]
    pub max_body: usize,

    /// Most rows of a request.
    #[arg(long, env = "PENSTOCK_MAX_ROWS", default_value_t = 1_000_000)]
    pub max_rows: usize,

    /// Most rows of a request that are explained; a stream of lines may have more.
    #[arg(long, env = "PENSTOCK_MAX_EXPLAINED_ROWS", default_value_t = 10_000)]
    pub max_explained_rows: usize,

    /// Most requests at a time; more are refused with 503 at once.
    #[arg(long, env = "PENSTOCK_MAX_IN_FLIGHT", default_value_t = 1024)]
    pub max_in_flight: usize,

    /// Seconds that a large request may wait for its turn before it is refused with 503.
    #[arg(long, env = "PENSTOCK_MAX_WAIT", default_value_t = 1.0, value_parser = seconds)]
    pub max_wait: f64,

    /// Seconds for a request to come in and be answered.
    #[arg(long, env = "PENSTOCK_TIMEOUT", default_value_t = 30.0, value_parser = seconds)]
    pub timeout: f64,

    /// Seconds for requests in flight to end when the server is told to stop.
    #[arg(long, env = "PENSTOCK_DRAIN", default_value_t = 30.0, value_parser = seconds)]
    pub drain: f64,

    /// Let POST /v1/reload read the folder again at once.
    #[arg(long, env = "PENSTOCK_ALLOW_RELOAD")]
    pub allow_reload: bool,

    /// Each setting with its value and where it came from, as printed at the start.
    #[arg(skip)]
    pub origins: String,

    /// Folder for captured requests, of routes that say so.
    #[arg(long, env = "PENSTOCK_CAPTURE", value_name = "DIR")]
    pub capture: Option<PathBuf>,

    /// Most bytes of captured requests; the oldest go first.
    #[arg(long, env = "PENSTOCK_CAPTURE_MAX_BYTES", default_value_t = 256 << 20)]
    pub capture_max_bytes: u64,

    /// What hashes of captured values begin with; drawn anew at every start by default.
    #[arg(long, env = "PENSTOCK_CAPTURE_SALT", hide_env_values = true, value_name = "TEXT")]
    pub capture_salt: Option<String>,

    /// Form of the log.
    #[arg(long, env = "PENSTOCK_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,

    /// What is logged: this and what is worse.
    #[arg(long, env = "PENSTOCK_LOG_LEVEL", value_enum, default_value_t)]
    pub log_level: LogLevel,

    /// Log every request.
    #[arg(long, env = "PENSTOCK_ACCESS_LOG")]
    pub access_log: bool,

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
    /// The settings of a command line whose first argument is the name of the program.
    ///
    /// # Errors
    /// What clap prints: what is wrong with an option, or the help that was asked for.
    pub fn parse_arguments(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let matches = Self::options().try_get_matches_from(arguments)?;
        let mut settings = Self::from_arg_matches(&matches)?;
        settings.origins = origins(&matches);
        // What Vertex AI says in its environment variables.
        settings.port = settings.vertex_port.unwrap_or(settings.port);
        Ok(settings)
    }

    /// The page that `--help` prints.
    pub fn help() -> String {
        Self::options().render_help().to_string()
    }

    /// The options. Their help page does not depend on where it is printed, nor tells what variables hold.
    fn options() -> clap::Command {
        let help = Arg::new("help").short('h').long("help").help("Print help");
        Self::command()
            .term_width(80)
            .disable_help_flag(true)
            .arg(help.action(ArgAction::HelpShort))
            .mut_args(|option| option.hide_env_values(true))
    }

    /// Threads that answer requests.
    pub fn worker_count(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            count => count,
        }
    }

    /// Time for a request to come in and be answered.
    pub fn patience(&self) -> Duration {
        Duration::from_secs_f64(self.timeout)
    }
}

/// A line for each option.
fn origins(matches: &ArgMatches) -> String {
    let mut text = String::new();
    let command = Settings::command();
    for option in command.get_arguments() {
        let id = option.get_id().as_str();
        let (Some(name), Ok(values)) = (option.get_long(), matches.try_get_raw(id)) else {
            continue;
        };
        let values: Vec<_> =
            values.into_iter().flatten().map(|value| value.to_string_lossy()).collect();
        let value = match values.as_slice() {
            [] => "-".to_owned(),
            _ if SECRETS.contains(&name) => "(secret)".to_owned(),
            values => values.join(","),
        };
        let variable = option.get_env().map(|name| name.to_string_lossy()).unwrap_or_default();
        let origin = match matches.value_source(id) {
            Some(ValueSource::CommandLine) => "option".to_owned(),
            Some(ValueSource::EnvVariable) => variable.into_owned(),
            _ => "default".to_owned(),
        };
        let _ = writeln!(text, "  --{name:<17} {value}  ({origin})");
    }
    text
}
