//! The operators of the graph: one list, from which parsing, versions and completeness tests are made.

mod binning;
mod blending;
mod calibrating;
mod composing;
mod coupling;
mod deciding;
mod densities;
mod deriving;
mod distances;
mod donating;
mod encoding;
mod entries;
mod expanding;
mod hashing;
mod heap;
mod imputing;
mod leaves;
mod linear;
mod links;
mod measuring;
mod neighbors;
mod pairwise;
mod points;
mod reshaping;
mod scaling;
mod searching;
mod sparse;
mod tables;
mod terms;
mod texts;
mod times;
mod topics;
mod tree_search;
mod trees;
mod writing;

pub(crate) use sparse::Weights;

use crate::error::ArtifactError;
use crate::plan::element::Vector;
use crate::plan::Lowering;
use serde_json::{Map, Value};

/// Turns a node into elements and steps.
trait Lower {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError>;
}

macro_rules! operators {
    ($($name:literal, $version:literal, $operator:ty;)*) => {
        /// Name and version of every operator that this engine knows.
        pub const OPERATORS: &[(&str, u32)] = &[$(($name, $version)),*];

        fn lower_known(
            name: &str,
            fields: Map<String, Value>,
            lowering: &mut Lowering<'_>,
            inputs: Vec<Vector>,
        ) -> Result<Vector, ArtifactError> {
            match name {
                $($name => {
                    let operator: $operator = serde_json::from_value(Value::Object(fields))
                        .map_err(|error| lowering.error(&error.to_string()))?;
                    operator.lower(lowering, inputs)
                })*
                _ => Err(lowering.error("unknown operator; upgrade penstock")),
            }
        }
    };
}

operators! {
    "above", 1, deciding::Above;
    "argmax", 1, deciding::Argmax;
    "arithmetic", 1, scaling::Arithmetic;
    "binarize", 1, binning::Binarize;
    "change_case", 1, texts::ChangeCase;
    "choose", 1, deriving::Choose;
    "clip", 1, scaling::Clip;
    "combine", 1, deriving::Combine;
    "compare_text", 1, measuring::CompareText;
    "complement", 1, links::Complement;
    "concat", 1, composing::Concat;
    "constant", 1, composing::Constant;
    "constant_text", 1, texts::ConstantText;
    "couple", 1, coupling::Couple;
    "count_words", 1, measuring::CountWords;
    "count_terms", 1, terms::CountTerms;
    "digitize", 1, binning::Digitize;
    "digest_bucket", 1, hashing::DigestBucket;
    "distance", 1, distances::Distance;
    "encode_hashes", 1, hashing::EncodeHashes;
    "encode_number", 1, encoding::EncodeNumber;
    "encode_text", 1, encoding::EncodeText;
    "exp_normalize", 1, links::ExpNormalize;
    "extract_text", 1, texts::ExtractText;
    "find_text", 1, measuring::FindText;
    "floor_time", 1, times::FloorTime;
    "hash_bucket", 1, measuring::HashBucket;
    "hash_category", 1, hashing::HashCategory;
    "hash_entries", 1, entries::HashEntries;
    "hash_terms", 1, terms::HashTerms;
    "impute", 1, imputing::Impute;
    "impute_nearest", 1, donating::ImputeNearest;
    "impute_text", 1, imputing::ImputeText;
    "indicate_missing", 1, imputing::IndicateMissing;
    "interpolate", 1, calibrating::Interpolate;
    "join_text", 1, texts::JoinText;
    "kernel_density", 1, densities::KernelDensity;
    "linear", 1, linear::Linear;
    "linear_f32", 1, linear::LinearF32;
    "linear_leaves", 1, leaves::LinearLeaves;
    "link", 1, links::Link;
    "lookup", 1, encoding::Lookup;
    "lookup_text", 1, tables::LookupText;
    "map", 1, scaling::MapFunction;
    "match_text", 1, measuring::MatchText;
    "math", 1, deriving::Math;
    "mean", 1, pairwise::Mean;
    "measure_text", 1, measuring::MeasureText;
    "nearest", 1, neighbors::Nearest;
    "neighbors", 1, neighbors::Neighbors;
    "neighbors_within", 1, neighbors::NeighborsWithin;
    "normalize", 1, scaling::Normalize;
    "one_hot", 1, encoding::OneHot;
    "pair_codes", 1, tables::PairCodes;
    "parse_time", 1, times::ParseTime;
    "part_text", 1, texts::PartText;
    "power", 1, reshaping::Power;
    "products", 1, expanding::Products;
    "proportion", 1, links::Proportion;
    "quantile_rank", 1, reshaping::QuantileRank;
    "replace_text", 1, texts::ReplaceText;
    "require", 1, imputing::Require;
    "round", 1, deriving::Round;
    "select", 1, composing::Select;
    "sigmoid_f32", 1, links::SigmoidF32;
    "slice_text", 1, texts::SliceText;
    "softmax", 1, links::Softmax;
    "strip_text", 1, texts::StripText;
    "sum", 1, blending::Sum;
    "time_part", 1, times::TimePart;
    "topics", 1, topics::Topics;
    "trees", 1, trees::Trees;
    "weighted_median", 1, blending::WeightedMedian;
    "write_number", 1, writing::WriteNumber;
    "zone_time", 1, times::ZoneTime;
}

/// Lowers one node; the error names the node and its operator.
pub fn lower(
    name: &str,
    fields: Map<String, Value>,
    lowering: &mut Lowering<'_>,
    inputs: Vec<Vector>,
) -> Result<Vector, ArtifactError> {
    let is_aware = sparse::AWARE.contains(&name);
    let dense = |input: Vector| if is_aware { Ok(input) } else { sparse::dense(lowering, input) };
    let inputs = inputs.into_iter().map(dense).collect::<Result<Vec<_>, _>>()?;
    lower_known(name, fields, lowering, inputs)
}
