//! JSON rows as their bytes: where each begins and ends in a body, and the cells of one after the other.

use super::asked::{Asked, Batch};
use super::predict::Request;
use crate::catalog::Route;
use crate::failure::{Failure, Kind};
use penstock_core::plan::Plan;
use penstock_core::rows::{hint, Rows, WrongRow};

/// How the rows of a JSON body are packed.
pub enum Packing<'a> {
    Row,
    List(&'a [u8]),
}

/// Tells how the rows are packed, and takes the options that stand beside them. An object whose key `rows` is a list is
/// a batch, unless the model has an input of that name.
///
/// # Errors
/// The body has `rows`, and is not JSON or has options that it cannot have.
pub fn unpack<'a>(
    route: &Route,
    body: &'a [u8],
    asked: &mut Asked,
) -> Result<Packing<'a>, Failure> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') {
        return Ok(Packing::List(body));
    }
    // Most rows do not even mention the word, and are not read twice.
    if memchr::memmem::find(body, b"\"rows\"").is_none() {
        return Ok(Packing::Row);
    }
    let mut plans = route.versions.iter().map(|(version, _)| &version.loaded.model.plan);
    if plans.any(|plan| plan.position("rows").is_some()) {
        return Ok(Packing::Row);
    }
    match serde_json::from_slice::<Batch<'a>>(body) {
        Ok(batch) => {
            let rows = batch.rows.get().as_bytes();
            asked.take(batch)?;
            Ok(Packing::List(rows))
        }
        Err(error) if has_rows(body) => Err(malformed(body, &error, None)),
        Err(_) => Ok(Packing::Row),
    }
}

/// Whether the body is an object with a key `rows`.
fn has_rows(body: &[u8]) -> bool {
    type Keys<'a> = std::collections::HashMap<String, serde::de::IgnoredAny>;
    serde_json::from_slice::<Keys<'_>>(body).is_ok_and(|keys| keys.contains_key("rows"))
}

/// The items of a JSON list, at most `most`. Whether they are JSON is not looked at.
///
/// # Errors
/// No list, one that does not end, or more rows than allowed.
pub fn split_list(list: &[u8], most: usize) -> Result<Vec<&[u8]>, Failure> {
    let wrong =
        |what: &str| Failure::new(Kind::Malformed, format!("the body is not JSON rows: {what}"));
    let list = list.trim_ascii();
    let Some(inside) = list.strip_prefix(b"[") else { return Err(wrong("`rows` is not a list")) };
    let mut items = Vec::new();
    let (mut start, mut depth, mut at) = (0, 0usize, 0);
    while let Some(byte) = inside.get(at) {
        at += 1;
        match byte {
            b'"' => at = after_text(inside, at).ok_or_else(|| wrong("a text does not end"))?,
            b'{' | b'[' => depth += 1,
            b',' if depth == 0 => {
                items.push(&inside[start..at - 1]);
                start = at;
                if items.len() >= most {
                    return Err(too_many(most));
                }
            }
            b']' if depth == 0 => {
                let last = &inside[start..at - 1];
                if !items.is_empty() || !last.trim_ascii().is_empty() {
                    items.push(last);
                }
                return match inside[at..].trim_ascii() {
                    [] if items.len() > most => Err(too_many(most)),
                    [] => Ok(items),
                    _ => Err(wrong("something comes after the list")),
                };
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1).ok_or_else(|| wrong("a `}` ends nothing"))?
            }
            _ => {}
        }
    }
    Err(wrong("the list does not end"))
}

/// Where a text ends whose first byte is at `at`.
pub fn after_text(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(found) == Some(&b'"') {
            return Some(found + 1);
        }
        at = found + 2;
    }
}

/// Refuses more rows than a request may have.
///
/// # Errors
/// There are more.
pub fn check_count(rows: usize, request: &Request<'_>) -> Result<(), Failure> {
    let (most, explained) = (request.most_rows, request.most_explained);
    match request.asked.explain {
        _ if rows > most => Err(too_many(most)),
        Some(_) if rows > explained => {
            let detail =
                format!("more than {explained} rows are to be explained; send them in parts");
            Err(Failure::new(Kind::TooLarge, detail))
        }
        _ => Ok(()),
    }
}

fn too_many(most: usize) -> Failure {
    let detail = format!("the request has more than {most} rows; send them in parts");
    Failure::new(Kind::TooLarge, detail)
}

/// Adds one row to `rows`, in any case; its cells are absent if it is refused. `at`: its number for messages.
///
/// # Errors
/// It is no JSON object, or has a key that is no input, or has one twice.
pub fn read_row<'a>(
    plan: &Plan,
    rows: &mut Rows<'a>,
    bytes: &'a [u8],
    at: Option<usize>,
) -> Result<(), Failure> {
    rows.read(plan, bytes).map_err(|wrong| match wrong {
        WrongRow::Json(error) => malformed(bytes, &error, at),
        WrongRow::Key(wrong) => Failure::columns(&wrong, at),
    })
}

/// What is wrong with JSON, and what many mean by it.
pub fn malformed(bytes: &[u8], error: &serde_json::Error, at: Option<usize>) -> Failure {
    let what = if at.is_some() { "the row" } else { "the body" };
    let detail = format!("{what} is not JSON: {error}{}", hint(bytes, error));
    Failure::new(Kind::Malformed, detail).at_row(at)
}
