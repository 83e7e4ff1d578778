//! A gateway as a process, a folder that it serves, and a client that sees every byte.

use rustix::process::{kill_process, Pid, Signal};
use serde_json::{json, Value};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

pub const ROW: &str = r#"{"carrier":"UA","distance":1400.0,"hour":17.0}"#;
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/format-1.penstock");

pub struct World {
    folder: TempDir,
}

impl World {
    /// A folder whose route `golden` has one version, `1`.
    pub fn new() -> Self {
        let world = Self { folder: TempDir::new().unwrap() };
        world.put("a.penstock", &artifact());
        world.serve_version("1");
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces a file in one step, as the hub does.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let fresh = self.path("fresh");
        std::fs::write(&fresh, bytes).unwrap();
        std::fs::rename(fresh, self.path(name)).unwrap();
    }

    pub fn routes(&self, routes: Value) {
        self.put("routes.json", json!({"routes": routes}).to_string().as_bytes());
    }

    pub fn serve_version(&self, version: &str) {
        let versions = json!([{"artifact": "a.penstock", "version": version}]);
        self.routes(json!([{"name": "golden", "versions": versions}]));
    }

    /// A gateway at a free port.
    pub fn start(&self, options: &[&str]) -> Gateway {
        let mut all = vec!["--port", "0"];
        all.extend(options);
        self.try_start(&all).expect("the gateway starts")
    }

    /// A gateway that listens, or what it said before it ended.
    pub fn try_start(&self, options: &[&str]) -> Result<Gateway, String> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_penstock-gateway"))
            .arg(self.folder.path())
            .args(options)
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("PENSTOCK_WORKERS", "2")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        let mut gateway = Gateway { child, lines, told: Vec::new(), port: 0 };
        match gateway.tells("listening at ") {
            Some(line) => {
                gateway.port = line.rsplit(':').next().unwrap().trim().parse().unwrap();
                Ok(gateway)
            }
            None => Err(gateway.told.concat()),
        }
    }
}

pub fn artifact() -> Vec<u8> {
    std::fs::read(Path::new(GOLDEN)).unwrap()
}

pub struct Gateway {
    child: Child,
    lines: BufReader<ChildStderr>,
    pub told: Vec<String>,
    pub port: u16,
}

impl Gateway {
    /// Waits for a line with this word; none if the process ends before.
    pub fn tells(&mut self, word: &str) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            self.told.push(line.clone());
            if line.contains(word) {
                return Some(line);
            }
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The exit code, once it has ended.
    pub fn ended(&mut self) -> Option<i32> {
        while self.tells("\u{0}").is_some() {}
        self.child.wait().unwrap().code()
    }

    pub fn connect(&self) -> Client {
        Client::new(self.port).unwrap()
    }

    /// Waits until nobody accepts connections any more.
    pub fn until_closed(&self) {
        while Client::new(self.port).is_ok() {
            std::thread::yield_now();
        }
    }

    pub fn ask(&self, request: &str) -> Answer {
        let mut client = self.connect();
        client.send(request);
        client.answer().expect("an answer")
    }

    pub fn predict(&self, body: &str) -> Answer {
        self.ask(&prediction(body, ""))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n")
}

/// A request for predictions, with more headers.
pub fn prediction(body: &str, headers: &str) -> String {
    let length = body.len();
    format!(
        "POST /v1/models/golden/predict HTTP/1.1\r\nhost: test\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

pub struct Client(pub BufReader<TcpStream>);

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Client {
    pub fn new(port: u16) -> std::io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        // So that a test that fails ends.
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self(BufReader::new(stream)))
    }

    pub fn send(&mut self, bytes: &str) {
        self.0.get_mut().write_all(bytes.as_bytes()).unwrap();
    }

    /// Sends the head of a prediction alone and waits until the server, having let it in, asks for
    /// the body.
    pub fn take_a_place(&mut self, body: &str) {
        let whole = prediction(body, "expect: 100-continue\r\n");
        self.send(whole.strip_suffix(body).unwrap());
        let told = self.answer().unwrap();
        assert_eq!(told.status, 100, "{}", told.head);
    }

    pub fn answer(&mut self) -> std::io::Result<Answer> {
        read_answer(&mut self.0)
    }

    /// An answer up to the end of the connection, also if it came in chunks.
    pub fn whole_answer(&mut self) -> std::io::Result<Answer> {
        let mut text = String::new();
        self.0.read_to_string(&mut text)?;
        let wrong = || std::io::Error::other("no head");
        let (head, mut body) = text.split_once("\r\n\r\n").ok_or_else(wrong)?;
        let status = head.get(9..12).and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
        let mut answer = Answer { status, head: head.to_owned(), body: body.to_owned() };
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body.clear();
            while let Some((size, rest)) = body.split_once("\r\n") {
                let size = usize::from_str_radix(size, 16).map_err(std::io::Error::other)?;
                answer.body.push_str(rest.get(..size).ok_or_else(wrong)?);
                body = rest.get(size + 2..).unwrap_or_default();
            }
        }
        Ok(answer)
    }

    /// Whether the other side has closed the connection.
    pub fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }
}

pub fn read_answer(from: &mut impl BufRead) -> std::io::Result<Answer> {
    let wrong = |what: &str| std::io::Error::other(what.to_owned());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if from.read_line(&mut head)? == 0 {
            return Err(wrong("closed without an answer"));
        }
    }
    let status = head.get(9..12).and_then(|text| text.parse().ok());
    let status = status.ok_or_else(|| wrong("no status"))?;
    let mut answer = Answer { status, head, body: String::new() };
    let length = answer.header("content-length").and_then(|text| text.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    from.read_exact(&mut body)?;
    answer.body = String::from_utf8(body).map_err(std::io::Error::other)?;
    Ok(answer)
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap().to_owned()
    }
}
