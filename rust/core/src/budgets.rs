//! Upper bounds on what an artifact may declare, so that a file that lies costs little; used wherever one is opened.

/// Version of the artifact format that this reader understands.
pub const FORMAT: u64 = 1;

/// Version of this reader; an artifact with a larger `min_reader` is refused.
pub const READER_VERSION: u64 = 1;

/// Callers read the whole file before it is opened; zip without zip64 could hold 4 GiB, but 32-bit hosts could not.
pub const MAX_ARTIFACT_BYTES: usize = 1 << 31;

/// `tensors.safetensors`: 80 million tree nodes of 25 bytes; a host needs up to three times as much memory to plan it.
pub const MAX_TENSORS_BYTES: usize = 2_000_000_000;

/// `manifest.json`: 20,000 fields with their statistics take a kilobyte each.
pub const MAX_MANIFEST_BYTES: usize = 64 << 20;

/// `examples.json`: examples are hundreds of rows, not a data set.
pub const MAX_EXAMPLES_BYTES: usize = 64 << 20;

/// `card.md` is read by people.
pub const MAX_CARD_BYTES: usize = 1 << 20;

/// `signature`: a line of Ed25519 takes 114 bytes; the largest one of ML-DSA (FIPS 204) would take 6 kB.
pub const MAX_SIGNATURE_BYTES: usize = 64 << 10;

/// Deflate cannot shrink more than this: 258 bytes take at least 2 bits (RFC 1951).
pub const MAX_DEFLATE_RATIO: usize = 1032;

/// Larger entries that shrink more than this are stored instead, so that memory stays in proportion to the file: real
/// manifests shrink 30 times, real tensors 10 times.
pub const MAX_RATIO: usize = 100;

/// Entries up to this size may shrink as far as deflate can: small arrays of zeros do.
pub const FREE_BYTES: usize = 1 << 20;

/// serde_json stops at 128; parameters of nested pipelines in `provenance` reach 20.
pub const MAX_JSON_DEPTH: usize = 64;

/// Memory of one JSON document as a tree of values: a byte of text can take a hundred bytes as a tree.
pub const MAX_JSON_MEMORY: usize = 96 << 20;

/// Input columns: the widest tables are gene expressions, about 20,000; more would not fit `MAX_JSON_MEMORY`.
pub const MAX_FIELDS: usize = 20_000;

/// Wide outputs are one output of kind `numbers` or `features`; a model has a handful.
pub const MAX_OUTPUTS: usize = 1_000;

/// Nodes of a graph: one chain of ten for each of a thousand columns.
pub const MAX_NODES: usize = 10_000;

/// Inputs of all nodes together: each field is read by a few chains.
pub const MAX_NODE_INPUTS: usize = 500_000;

/// Tensors: a node has ten at most, most have two.
pub const MAX_TENSORS: usize = 50_000;

/// The header of `tensors.safetensors`: 50,000 tensors with names of 200 bytes.
pub const MAX_TENSORS_HEADER_BYTES: usize = 16 << 20;

/// Dimensions of a tensor: the operators use two.
pub const MAX_DIMENSIONS: usize = 4;

/// Bytes of a name of a field, an output, a node, a tensor or the model: columns are sometimes survey questions.
pub const MAX_NAME_LENGTH: usize = 1_024;

/// Bytes of a regular expression: its compiled form can be a thousand times larger.
pub const MAX_PATTERN_LENGTH: usize = 1_024;

/// Elements of one value: a vocabulary of a million words, one-hot.
pub const MAX_WIDTH: usize = 1 << 20;

/// Elements of all values of a graph together: without it, 10,000 `concat` nodes of a kilobyte make 10^10.
pub const MAX_ELEMENTS: usize = 1 << 22;

/// Trees of one node: the largest boosted models in use have some ten thousand.
pub const MAX_TREES: usize = 1_000_000;

/// Nodes of all trees of one node: node positions are 32-bit, and `MAX_TENSORS_BYTES` allows no more.
pub const MAX_TREE_NODES: usize = 80_000_000;

/// Bytes of a text that a node computes; a longer one is missing. Documents as inputs may be longer.
pub const MAX_TEXT_BYTES: usize = 1 << 16;

/// Texts that the nodes of a graph compute or read for each row: features of texts are dozens.
pub const MAX_TEXTS: usize = 1 << 10;

/// States of the pattern of a token: each runs at most once at each place of a text.
pub const MAX_PATTERN_STATES: usize = 1_000;

/// Tokens or characters of an n-gram: the work of a text grows with it.
pub const MAX_TERM_LENGTH: usize = 255;

/// Bytes of all words that an operator looks for: ten dictionaries. An automaton takes forty times as much.
pub const MAX_WORDS_BYTES: usize = 16 << 20;

/// Examples: enough for every case of every column; all of them are predicted when a model is loaded.
pub const MAX_EXAMPLES: usize = 10_000;

/// Arrays may be shared by nodes, but a file must not become large by naming one array ten thousand times:
/// all arrays handed out together take at most this many times the bytes of `tensors.safetensors`...
/// Texts take 24 bytes each and 32 where they are kept, against 4 bytes for their end: 14 times.
pub const MAX_TENSOR_READS: usize = 16;

/// ... beyond a first part that every file may use.
pub const FREE_TENSOR_READS: usize = 64 << 20;
