//! Sticky routes: the value of an input in a row decides which version answers it.

use super::predict::{Predicted, Request};
use crate::catalog::{Route, Version};
use crate::choosing::choose;
use crate::failure::{Failure, Kind};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// An answer whose rows may have been answered by several versions.
pub struct Split {
    pub body: Vec<u8>,
    /// What each version has answered; without its body.
    pub parts: Vec<Predicted>,
}

/// Rows of a batch and what stands beside them in the body.
struct Batch<'a> {
    rows: Vec<&'a RawValue>,
    options: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// The rows that one version answers, by their place in the batch.
type Group = (Arc<Version>, Vec<usize>);

/// Answers a JSON body, each row by the version of its value of `input`; `answer` answers a body by one version.
///
/// # Errors
/// Why the request was refused; with `on_error=raise`, the first row that was.
pub fn json_body(
    route: &Route,
    request: Request<'_>,
    input: &str,
    answer: impl Fn(Request<'_>, Arc<Version>) -> Result<Predicted, Failure>,
) -> Result<Split, Failure> {
    let named = request.asked.version.as_deref();
    let Some(batch) = Batch::read(route, request.body).filter(|_| named.is_none()) else {
        let version = choose(route, named, Some(&key(request.body, input)))?;
        return answer(request, version).map(Split::whole);
    };
    let groups = batch.groups(route, input)?;
    match groups.as_slice() {
        [] => answer(request, choose(route, None, Some(b""))?).map(Split::whole),
        [(version, _)] => answer(request, version.clone()).map(Split::whole),
        _ if batch.rows.len() > request.most_rows => {
            let most = request.most_rows;
            let detail = format!("the request has more than {most} rows; send them in parts");
            Err(Failure::new(Kind::TooLarge, detail))
        }
        groups => batch.answer(groups, &request, answer),
    }
}

impl Split {
    /// The answer of one version.
    pub fn whole(mut predicted: Predicted) -> Self {
        let body = std::mem::take(&mut predicted.body);
        Self { body, parts: vec![predicted] }
    }

    /// The versions that have answered, as a header says it.
    pub fn versions(&self) -> String {
        let names: Vec<_> = self.parts.iter().map(|part| part.version.name.as_str()).collect();
        names.join(", ")
    }
}

impl<'a> Batch<'a> {
    /// The rows of a body, unless it is one row, or nothing that can be told.
    fn read(route: &Route, body: &'a [u8]) -> Option<Self> {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace())?;
        if *first == b'[' {
            let rows = serde_json::from_slice(body).ok()?;
            return Some(Self { rows, options: Vec::new() });
        }
        let plans = || route.versions.iter().map(|(version, _)| &version.loaded.model.plan);
        if plans().any(|plan| plan.position("rows").is_some()) {
            return None;
        }
        let mut reader = serde_json::Deserializer::from_slice(body);
        let entries = Entries.deserialize(&mut reader).ok()?;
        let (rows, options): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(name, _)| name == "rows");
        let [(_, rows)] = rows.as_slice() else { return None };
        Some(Self { rows: serde_json::from_str(rows.get()).ok()?, options })
    }

    /// The rows of each version. A version that the body asks for answers all of them.
    fn groups(&self, route: &Route, input: &str) -> Result<Vec<Group>, Failure> {
        let named = self.options.iter().find(|(name, _)| name == "version");
        let named = named.and_then(|(_, value)| serde_json::from_str::<&str>(value.get()).ok());
        let mut groups: Vec<Group> = Vec::new();
        for (row, at) in self.rows.iter().zip(0..) {
            let key = key(row.get().as_bytes(), input);
            let version = choose(route, named, Some(&key))?;
            match groups.iter_mut().find(|(other, _)| Arc::ptr_eq(other, &version)) {
                Some((_, rows)) => rows.push(at),
                None => groups.push((version, vec![at])),
            }
        }
        Ok(groups)
    }

    /// The body for the rows of one version.
    fn part(&self, rows: &[usize]) -> Vec<u8> {
        let mut body = b"{".to_vec();
        for (name, value) in &self.options {
            crate::answers::json::json(name, &mut body);
            body.push(b':');
            body.extend_from_slice(value.get().as_bytes());
            body.push(b',');
        }
        body.extend_from_slice(b"\"rows\":");
        let rows = rows.iter().filter_map(|at| self.rows.get(*at));
        list(rows.map(|row| row.get()), &mut body);
        body.push(b'}');
        body
    }

    fn answer(
        &self,
        groups: &[Group],
        request: &Request<'_>,
        answer: impl Fn(Request<'_>, Arc<Version>) -> Result<Predicted, Failure>,
    ) -> Result<Split, Failure> {
        let mut answers = vec![Cow::Borrowed("null"); self.rows.len()];
        let mut parts = Vec::new();
        let mut first: Option<Failure> = None;
        for (version, rows) in groups {
            let body = self.part(rows);
            let part = Request { body: &body, asked: request.asked.clone(), ..*request };
            match answer(part, version.clone()) {
                Ok(mut predicted) => {
                    let body = std::mem::take(&mut predicted.body);
                    place(&body, rows, predicted.observed.refused > 0, &mut answers)?;
                    parts.push(predicted);
                }
                Err(failure) => {
                    let row = failure.row.and_then(|row| rows.get(row).copied());
                    let failure = failure.at_row(row);
                    if first.as_ref().is_none_or(|before| row < before.row) {
                        first = Some(failure);
                    }
                }
            }
        }
        if let Some(failure) = first {
            return Err(failure);
        }
        let mut body =
            Vec::with_capacity(64 + answers.iter().map(|one| one.len() + 1).sum::<usize>());
        body.extend_from_slice(b"{\"predictions\":");
        list(answers.iter().map(Cow::as_ref), &mut body);
        body.push(b'}');
        Ok(Split { body, parts })
    }
}

fn list<'t>(items: impl Iterator<Item = &'t str>, to: &mut Vec<u8>) {
    to.push(b'[');
    for (at, item) in items.enumerate() {
        if at > 0 {
            to.push(b',');
        }
        to.extend_from_slice(item.as_bytes());
    }
    to.push(b']');
}

/// Puts the answers of a part where its rows were. Those that were refused tell their row.
fn place(
    body: &[u8],
    rows: &[usize],
    has_refused: bool,
    answers: &mut [Cow<'static, str>],
) -> Result<(), Failure> {
    #[derive(serde::Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        predictions: Vec<&'a RawValue>,
    }
    let wrong = |_| Failure::new(Kind::Internal, "the answers of a version could not be read");
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(wrong)?;
    for (one, row) in answer.predictions.iter().zip(rows) {
        let mut text = one.get().to_owned();
        if has_refused && text.starts_with("{\"error\":") {
            let mut value: serde_json::Value = serde_json::from_str(&text).map_err(wrong)?;
            if let Some(told) = value.pointer_mut("/error/row") {
                *told = (*row).into();
                text = value.to_string();
            }
        }
        if let Some(place) = answers.get_mut(*row) {
            *place = Cow::Owned(text);
        }
    }
    Ok(())
}

/// The value of an input in a row of JSON, as bytes that are the same for all ways to write it; none if it is missing.
pub fn key<'a>(row: &'a [u8], input: &str) -> Cow<'a, [u8]> {
    let mut reader = serde_json::Deserializer::from_slice(row);
    // What is no row is refused by whoever reads it.
    let value = Value { input }.deserialize(&mut reader).ok().flatten();
    let Some(value) = value.map(RawValue::get) else { return Cow::Borrowed(b"") };
    if value == "null" {
        return Cow::Borrowed(b"");
    }
    if let Ok(text) = serde_json::from_str::<Cow<'a, str>>(value) {
        return Cow::Owned(text.into_owned().into_bytes());
    }
    match value.parse::<f64>() {
        Ok(number) => Cow::Owned(number.to_string().into_bytes()),
        Err(_) => Cow::Borrowed(value.as_bytes()),
    }
}

/// All entries of an object.
struct Entries;

impl<'de> DeserializeSeed<'de> for Entries {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            found.push(entry);
        }
        Ok(found)
    }
}

/// One value of an object.
struct Value<'i> {
    input: &'i str,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = entries.next_key::<Cow<'de, str>>()? {
            if key == self.input {
                found = Some(entries.next_value()?);
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn a_value_is_the_same_key_however_it_is_written() {
        let same = |one: &str, other: &str| {
            assert_eq!(key(one.as_bytes(), "id"), key(other.as_bytes(), "id"), "{one} {other}");
        };
        same(r#"{"a":[{"id":2}],"id":1}"#, r#"{"id":1.0,"b":null}"#);
        same(r#"{"id":"é"}"#, r#"{"id":"\u00e9"}"#);
        same(r#"{"id":null}"#, r#"{"a":1}"#);
        assert_ne!(key(br#"{"id":1}"#, "id"), key(br#"{"id":2}"#, "id"));
        assert!(key(b"[", "id").is_empty());
    }
}
