//! Files that try to cost much: each is refused within 200 MB and a second.
//!
//! `cargo test --release -p penstock-core --test loader_memory` tries all of them; without optimization, only the short ones.

#[path = "loader/world.rs"]
mod world;

use penstock_core::artifact::Artifact;
use penstock_core::json::check;
use penstock_core::manifest::Manifest;
use serde_json::json;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use world::{
    deflated, entries, examples, field, manifest, stored, tensors, valid, with_header, zip, Raw,
};

/// The system's allocator, counting.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The counters are those of the process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Whether the bytes open, the most memory beyond them, and the time.
fn cost(bytes: &[u8]) -> (Result<(), String>, usize, Duration) {
    let (before, start) = (NOW.load(Ordering::Relaxed), Instant::now());
    PEAK.store(before, Ordering::Relaxed);
    let opened = Artifact::open(bytes).map(drop).map_err(|error| error.0);
    (opened, PEAK.load(Ordering::Relaxed) - before, start.elapsed())
}

/// The valid artifact with one entry replaced.
fn with(entry: Raw) -> Vec<u8> {
    let mut entries = world::raw();
    for other in entries.iter_mut().filter(|other| other.name == entry.name) {
        *other = entry.clone();
    }
    zip(&entries)
}

/// The valid artifact with other parts and true hashes, all entries stored.
fn honest(manifest: serde_json::Value, tensors: Vec<u8>, examples: Vec<u8>) -> Vec<u8> {
    let entries = entries(manifest, tensors, examples, b"");
    zip(&[
        stored("manifest.json", &entries.manifest),
        stored("tensors.safetensors", &entries.tensors),
        stored("examples.json", &entries.examples),
        stored("card.md", &entries.card),
    ])
}

fn free_form(item: &str, bytes: usize) -> Vec<u8> {
    let text = manifest().to_string();
    let list = format!("\"provenance\":[{}0]", format!("{item},").repeat(bytes / (item.len() + 1)));
    text.replace("\"provenance\":{\"source\":{\"library\":\"scikit-learn\"}}", &list).into_bytes()
}

fn header_bomb() -> Vec<u8> {
    let info =
        |i: usize| format!("\"{i}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}");
    let infos: Vec<String> = (0..200_000).map(info).collect();
    with_header(format!("{{{}}}", infos.join(",")).as_bytes(), &[])
}

/// Bytes of an attack: without optimization, just enough to be refused.
const LARGE: usize = if cfg!(debug_assertions) { 1 << 20 } else { 30 << 20 };

/// Name of the attack, the file, and a part of the message.
fn attacks() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let zeros = |size: usize| deflated("tensors.safetensors", &vec![0; size]);
    let text = |text: Vec<u8>| with(stored("manifest.json", &text));
    let values = "more values than fit";
    vec![
        ("a bomb of zeros", with(zeros(2 << 20)), "declares 2097152 bytes in"),
        (
            "a bomb that understates itself",
            with(Raw { size: 100, ..zeros(1 << 20) }),
            "does not unpack",
        ),
        (
            "a small file that declares much",
            with(Raw { size: 2_000_000_000, ..zeros(100) }),
            "declares 2000000000",
        ),
        ("depth", text("[".repeat(LARGE).into_bytes()), "nested deeper"),
        ("objects of one key", text(free_form("{\"\":0}", LARGE * 2)), values),
        ("nested objects", text(free_form("{\"\":{\"\":{\"\":{\"\":{}}}}}", LARGE * 2)), values),
    ]
}

/// Attacks that must be large.
fn large_attacks() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = |text: Vec<u8>| with(stored("manifest.json", &text));
    let fields: Vec<_> = (0..60_000).map(|i| field(&i.to_string(), "number")).collect();
    let mut wide = manifest();
    wide["schema"]["inputs"] = json!(fields);
    let values = "more values than fit";
    vec![
        ("numbers", text(free_form("0", LARGE)), values),
        ("objects", text(free_form("{}", LARGE)), values),
        ("lists", text(free_form("[]", LARGE)), values),
        ("lists of one item", text(free_form("[0]", LARGE)), values),
        ("empty texts", text(free_form("\"\"", LARGE)), values),
        ("texts", text(free_form("\"abcdefghijklmnopqrstuvwxyz\"", 2 * LARGE)), values),
        ("fields", honest(wide, tensors(), examples()), values),
        ("a header of tensors", honest(manifest(), header_bomb(), examples()), values),
        ("examples", honest(manifest(), tensors(), free_form("{\"a\":1}", LARGE)), values),
    ]
}

#[test]
fn files_that_try_to_cost_much_cost_little() {
    let _alone = ALONE.lock();
    assert_eq!(cost(&valid()).0, Ok(()));
    let large = if cfg!(debug_assertions) { Vec::new() } else { large_attacks() };
    for (name, bytes, message) in attacks().into_iter().chain(large) {
        let (opened, peak, time) = cost(&bytes);
        let refusal = opened.expect_err(name);
        let (megabytes, size) = (peak >> 20, bytes.len());
        println!("{name}: {size} bytes, {megabytes} MB, {} ms", time.as_millis());
        assert!(refusal.contains(message), "{name}: {refusal:?} does not say {message:?}");
        assert!(peak < 200 << 20, "{name} takes {megabytes} MB");
        assert!(cfg!(debug_assertions) || time < Duration::from_secs(1), "{name} takes {time:?}");
    }
}

/// The largest trees of values that pass: they take hardly more than `MAX_JSON_MEMORY`.
#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimization")]
fn the_memory_of_json_is_not_underestimated() {
    let _alone = ALONE.lock();
    for item in ["0", "{\"\":0}", "[0]", "{\"a\":\"\",\"b\":[],\"c\":{}}"] {
        let (mut least, mut most) = (0, 5 << 20);
        while most - least > 1 << 17 {
            let middle = (least + most) / 2;
            let is_accepted = check(&free_form(item, middle), "x").is_ok();
            (least, most) = if is_accepted { (middle, most) } else { (least, middle) };
        }
        let text = free_form(item, least);
        let before = NOW.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        let parsed = Manifest::parse(&text);
        let megabytes = (PEAK.load(Ordering::Relaxed) - before) >> 20;
        println!("{item}: {} bytes, {megabytes} MB", text.len());
        assert!(parsed.is_ok() && megabytes < 120, "{item} takes {megabytes} MB");
    }
}
