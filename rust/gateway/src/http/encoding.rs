//! Compression of bodies: `Content-Encoding` of what comes in, `Accept-Encoding` for what goes out.

use crate::failure::{Failure, Kind};
use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use axum::http::{HeaderMap, HeaderValue};
use flate2::write::GzEncoder;
use flate2::Compression;
use http_body_util::BodyExt;
use std::io::{self, Write};
use tokio_util::io::{ReaderStream, StreamReader};

/// Answers shorter than this are not compressed: they fit a packet anyway.
pub const SHORT: usize = 1400;

/// Bytes that are decompressed at a time.
const PIECE: usize = 32 << 10;

/// The largest window of zstd that RFC 9659 lets a client use, as a power of two: 8 MiB.
const WINDOW_LOG: u32 = 23;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Gzip,
    Zstd,
}

/// Names of encodings, the best first.
const NAMES: [(&str, Encoding); 3] =
    [("zstd", Encoding::Zstd), ("gzip", Encoding::Gzip), ("x-gzip", Encoding::Gzip)];

impl Encoding {
    pub fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Encoding::Gzip => "gzip",
            Encoding::Zstd => "zstd",
        })
    }

    /// How an answer may be compressed: what is accepted most, zstd before gzip where both are.
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut best = None;
        let mut most = 0.0;
        let values = headers.get_all(ACCEPT_ENCODING).iter();
        for entry in values.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')) {
            let mut parts = entry.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q="));
            let quality = quality.map_or(1.0, |text| text.parse::<f32>().unwrap_or(0.0));
            let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            let Some((_, encoding)) = known else { continue };
            if quality > most || (quality == most && best == Some(Encoding::Gzip)) {
                (best, most) = (Some(*encoding), quality);
            }
        }
        best
    }

    /// Compresses a whole answer.
    ///
    /// # Errors
    /// The library fails, as when there is no memory.
    pub fn compress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut encoder = Encoder::new(self)?;
        encoder.write(bytes)?;
        encoder.finish()
    }
}

/// Decompresses a body while it is read, as its headers say.
///
/// # Errors
/// It is compressed by a method that is not known.
pub fn decompressed(headers: &HeaderMap, body: Body) -> Result<Body, Failure> {
    let Some(header) = headers.get(CONTENT_ENCODING) else { return Ok(body) };
    let name = header.to_str().unwrap_or_default().trim();
    if name.is_empty() || name.eq_ignore_ascii_case("identity") {
        return Ok(body);
    }
    let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let reader = StreamReader::new(body.map_err(io::Error::other).into_data_stream());
    Ok(match known {
        Some((_, Encoding::Gzip)) => {
            let mut decoder = GzipDecoder::new(reader);
            decoder.multiple_members(true);
            Body::from_stream(ReaderStream::with_capacity(decoder, PIECE))
        }
        Some((_, Encoding::Zstd)) => {
            let window = [DParameter::window_log_max(WINDOW_LOG)];
            let mut decoder = ZstdDecoder::with_params(reader, &window);
            decoder.multiple_members(true);
            Body::from_stream(ReaderStream::with_capacity(decoder, PIECE))
        }
        None => {
            let name: String = name.chars().take(80).collect();
            let detail = format!(
                "a body in `Content-Encoding: {name}` is not read; send gzip, zstd or neither"
            );
            return Err(Failure::new(Kind::MediaType, detail));
        }
    })
}

/// Compresses an answer piece by piece.
pub enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    /// # Errors
    /// The library fails, as when there is no memory.
    pub fn new(encoding: Encoding) -> io::Result<Self> {
        Ok(match encoding {
            Encoding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::fast())),
            Encoding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 1)?),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Encoder::Gzip(encoder) => encoder.write_all(bytes),
            Encoder::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    /// Everything so far that has not been taken before, so that it can be read at once.
    ///
    /// # Errors
    /// The library fails, as when there is no memory.
    pub fn piece(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.write(bytes)?;
        Ok(std::mem::take(match self {
            Encoder::Gzip(encoder) => {
                encoder.flush()?;
                encoder.get_mut()
            }
            Encoder::Zstd(encoder) => {
                encoder.flush()?;
                encoder.get_mut()
            }
        }))
    }

    /// What is left at the end.
    ///
    /// # Errors
    /// The library fails, as when there is no memory.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Encoder::Gzip(encoder) => encoder.finish(),
            Encoder::Zstd(encoder) => encoder.finish(),
        }
    }
}
