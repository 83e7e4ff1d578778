//! A gateway with the small artifact of the golden files at a port of its own, and a client that sends what it is told.

use clap::Parser;
use penstock_gateway::connections;
use penstock_gateway::gateway::Gateway;
use penstock_gateway::http::router::router;
use penstock_gateway::server::Stop;
use penstock_gateway::settings::Settings;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock};
use tokio::net::TcpListener;

pub const ARTIFACT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/format-1.penstock");

const PATH: &str = "/v1/models/golden/predict";

/// A gateway, started with options.
pub fn start(options: &[&str]) -> SocketAddr {
    let arguments = ["penstock serve", ARTIFACT].iter().chain(options);
    let settings = Settings::try_parse_from(arguments).unwrap();
    let gateway = Arc::new(Gateway::new(settings).unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let router = router(gateway.clone());
            let (_stop, stop) = tokio::sync::watch::channel(Stop::NotYet);
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (router, gateway) = (router.clone(), gateway.clone());
                tokio::spawn(connections::serve(stream, router, gateway, stop.clone()));
            }
        });
    });
    receiver.recv().unwrap()
}

/// The gateway that most tests share.
pub fn shared() -> SocketAddr {
    static SHARED: OnceLock<SocketAddr> = OnceLock::new();
    *SHARED.get_or_init(|| start(&["--max-body", "1000000", "--max-rows", "20000"]))
}

/// An answer, without its transfer encoding.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn lines(&self) -> Vec<serde_json::Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Self { status, head, body: bytes[end + 4..].to_vec() };
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = unchunked(&answer.body);
        }
        answer
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = std::str::from_utf8(&bytes[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
}

/// The head of a request, without the empty line.
pub fn head(query: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!("POST {PATH}{query} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head
}

/// Sends bytes as they are.
pub fn send_raw(to: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(to).unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Answer::parse(&answer)
}

pub fn send(to: SocketAddr, query: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut bytes = head(query, headers).into_bytes();
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    send_raw(to, &bytes)
}

/// Sends a body of a type to the shared gateway.
pub fn post(query: &str, media_type: &str, body: impl AsRef<[u8]>) -> Answer {
    send(shared(), query, &[("content-type", media_type)], body.as_ref())
}

/// A row with some distance.
pub fn row(distance: impl std::fmt::Display) -> String {
    format!(r#"{{"carrier":"UA","distance":{distance},"hour":17}}"#)
}

pub fn list(rows: impl Iterator<Item = String>) -> String {
    format!("[{}]", rows.collect::<Vec<_>>().join(","))
}
