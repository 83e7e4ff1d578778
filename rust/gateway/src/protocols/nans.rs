//! JSON as Python writes it: with `NaN`, which JSON does not know, for missing values.

use std::borrow::Cow;

const NAN: &[u8] = b"NaN";

/// The JSON with null in place of each `NaN` that is not part of a text. MLflow's own serializer writes frames with them
/// (`mlflow.models.convert_input_example_to_serving_input`, 3.17.2), and its server reads them.
pub fn without_nans(json: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memmem::find(json, NAN).is_none() {
        return Cow::Borrowed(json);
    }
    let mut written = Vec::with_capacity(json.len() + 64);
    let (mut rest, mut is_text) = (json, false);
    while let Some((first, others)) = rest.split_first() {
        match (first, is_text) {
            (b'\\', true) => {
                // Whatever is escaped, a quote among others, belongs to the text.
                written.push(*first);
                written.extend(others.first());
                rest = others.get(1..).unwrap_or_default();
                continue;
            }
            (b'"', _) => is_text = !is_text,
            (b'N', false) if rest.starts_with(NAN) => {
                written.extend_from_slice(b"null");
                rest = rest.get(NAN.len()..).unwrap_or_default();
                continue;
            }
            _ => {}
        }
        written.push(*first);
        rest = others;
    }
    Cow::Owned(written)
}

#[cfg(test)]
mod tests {
    use super::without_nans;

    #[test]
    fn nans_become_null_outside_of_texts_alone() {
        let pairs = [
            (r#"[NaN,1,NaN]"#, r#"[null,1,null]"#),
            (r#"["NaN",NaN,"\"NaN"]"#, r#"["NaN",null,"\"NaN"]"#),
            (r#"["\\",NaN]"#, r#"["\\",null]"#),
            (r#"{"NaN":NaN"#, r#"{"NaN":null"#),
            (r#"["NaN\"#, r#"["NaN\"#),
            ("[nan]", "[nan]"),
        ];
        for (sent, read) in pairs {
            assert_eq!(without_nans(sent.as_bytes()), read.as_bytes());
        }
    }
}
