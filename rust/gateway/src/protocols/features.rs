//! Rows in the wrappings of SageMaker's built-in algorithms.

use penstock_core::plan::Plan;
use serde::de::IgnoredAny;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped<'a> {
    #[serde(borrow)]
    features: Option<&'a RawValue>,
    data: Option<Data<'a>>,
    #[serde(rename = "configuration")]
    _configuration: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data<'a> {
    #[serde(borrow)]
    features: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dense<'a> {
    #[serde(borrow)]
    values: &'a RawValue,
}

/// The list of `{"features": […]}` or `{"data": {"features": {"values": […]}}}`, which SageMaker's "Common data
/// formats for inference" have; nothing if the model has inputs of those names.
pub fn features<'a>(plan: &Plan, item: &'a RawValue) -> Option<&'a RawValue> {
    memchr::memmem::find(item.get().as_bytes(), b"\"features\"")?;
    if plan.position("features").or(plan.position("data")).is_some() {
        return None;
    }
    let wrapped: Wrapped<'a> = serde_json::from_str(item.get()).ok()?;
    let features = wrapped.features.or(wrapped.data.map(|data| data.features))?;
    match features.get().starts_with('{') {
        true => serde_json::from_str::<Dense<'a>>(features.get()).ok().map(|dense| dense.values),
        false => Some(features),
    }
}
