//! The forms in which rows come in and answers go out, and how a request says which.

use crate::failure::{Failure, Kind};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    Json,
    /// One JSON object a line.
    Lines,
    Csv,
    /// A stream of Arrow record batches.
    Arrow,
}

/// Every media type that is read and written; the first of a form is the one that an answer has by default.
const MEDIA_TYPES: [(&str, Form); 9] = [
    (JSON, Form::Json),
    ("application/x-ndjson", Form::Lines),
    ("application/ndjson", Form::Lines),
    ("application/jsonl", Form::Lines),
    ("application/jsonlines", Form::Lines),
    ("application/x-jsonlines", Form::Lines),
    ("text/csv", Form::Csv),
    ("application/csv", Form::Csv),
    ("application/vnd.apache.arrow.stream", Form::Arrow),
];

const JSON: &str = "application/json";

/// What `curl --data` says of a body that it knows nothing of.
const URL_ENCODED: &str = "application/x-www-form-urlencoded";

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    pub form: Form,
    /// The header does not say so; the body must begin as JSON does.
    pub is_guess: bool,
}

/// The form of an answer and the media type under which it goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub form: Form,
    pub media_type: &'static str,
}

impl Form {
    /// The media type of answers in this form.
    pub fn media_type(self) -> &'static str {
        MEDIA_TYPES.iter().find(|(_, form)| *form == self).map_or(JSON, |(name, _)| name)
    }
}

impl Sent {
    /// The form of a body by its `Content-Type`; a body without one is JSON.
    ///
    /// # Errors
    /// A type that is not read, a text that is not UTF-8, or a CSV without its header.
    pub fn by_type(header: Option<&[u8]>) -> Result<Self, Failure> {
        let Some(header) = header else { return Ok(Self { form: Form::Json, is_guess: false }) };
        if header == JSON.as_bytes() {
            return Ok(Self { form: Form::Json, is_guess: false });
        }
        let header = std::str::from_utf8(header).map_err(|_| unread("that is no text"))?;
        let mut parts = header.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let is_guess = name.eq_ignore_ascii_case(URL_ENCODED) || name.is_empty();
        let form = match MEDIA_TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, form)) => *form,
            None if is_guess => Form::Json,
            None => return Err(unread(&format!("`{}`", shorten(name)))),
        };
        for parameter in parts {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim_matches('"');
            let is = |other: &str| value.eq_ignore_ascii_case(other);
            if key.eq_ignore_ascii_case("charset") && !is("utf-8") && !is("utf8") && !is("us-ascii")
            {
                let value = shorten(value);
                let detail = format!("texts in `{value}` are not read; send UTF-8");
                return Err(Failure::new(Kind::MediaType, detail));
            }
            if key.eq_ignore_ascii_case("header") && is("absent") && form == Form::Csv {
                let detail = "CSV is read by the names of its first line; send a header";
                return Err(Failure::new(Kind::MediaType, detail));
            }
        }
        Ok(Self { form, is_guess })
    }

    /// Refuses a body of which it was only guessed that it is JSON.
    ///
    /// # Errors
    /// The body begins neither as an object nor as a list.
    pub fn check(self, body: &[u8]) -> Result<(), Failure> {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        if self.is_guess && !matches!(first, Some(b'{' | b'[')) {
            return Err(unread(&format!("`{URL_ENCODED}` that is not JSON")));
        }
        Ok(())
    }
}

fn unread(what: &str) -> Failure {
    let detail = format!("a body of type {what} is not read; send one of {}", known());
    Failure::new(Kind::MediaType, detail)
}

/// The default media types, for messages.
fn known() -> String {
    let forms = [Form::Json, Form::Lines, Form::Csv, Form::Arrow];
    forms.map(|form| format!("`{}`", form.media_type())).join(", ")
}

fn shorten(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

impl Wanted {
    /// The form that is asked for by the values of `Accept`; that of the body if nothing else is preferred.
    ///
    /// # Errors
    /// Nothing that is accepted can be written.
    pub fn by_accept<'h>(
        headers: impl Iterator<Item = &'h [u8]>,
        sent: Form,
    ) -> Result<Self, Failure> {
        let same = Self { form: sent, media_type: sent.media_type() };
        let mut ranges = Vec::new();
        for header in headers {
            if header == b"*/*" || header == same.media_type.as_bytes() {
                return Ok(same);
            }
            ranges.extend(header.split(|byte| *byte == b',').filter_map(Range::parse));
        }
        if ranges.is_empty() {
            return Ok(same);
        }
        let quality = |name: &str| {
            let closest = ranges
                .iter()
                .filter(|range| range.takes(name))
                .max_by_key(|range| range.closeness());
            closest.map_or(0.0, |range| range.quality)
        };
        let mut best = (quality(same.media_type), same);
        for (media_type, form) in MEDIA_TYPES {
            let quality = quality(media_type);
            if quality > best.0 {
                best = (quality, Self { form, media_type });
            }
        }
        if best.0 <= 0.0 {
            let detail =
                format!("no form that is accepted can be written; accept one of {}", known());
            return Err(Failure::new(Kind::NotAcceptable, detail));
        }
        Ok(best.1)
    }
}

/// One entry of an `Accept` header (RFC 9110, section 12.5.1).
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    quality: f32,
}

impl<'a> Range<'a> {
    fn parse(entry: &'a [u8]) -> Option<Self> {
        let entry = std::str::from_utf8(entry).ok()?;
        let mut parts = entry.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        let quality = quality.map_or(1.0, |text| text.parse::<f32>().unwrap_or(0.0));
        // Also where it is no number.
        let quality = if quality > 0.0 { quality.min(1.0) } else { 0.0 };
        Some(Self { kind, subtype, quality })
    }

    fn takes(&self, name: &str) -> bool {
        let is = |range: &str, part: &str| range == "*" || range.eq_ignore_ascii_case(part);
        name.split_once('/')
            .is_some_and(|(kind, subtype)| is(self.kind, kind) && is(self.subtype, subtype))
    }

    /// A range counts less than what it contains.
    fn closeness(&self) -> usize {
        usize::from(self.kind != "*") + usize::from(self.subtype != "*")
    }
}
