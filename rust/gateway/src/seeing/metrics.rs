//! `/metrics`: everything that is counted, by OpenTelemetry's names where it has some.

use super::exposition::Exposition;
use super::process::Process;
use super::seen::{Seen, Tally, REFUSED, ROWS, STAGES};
use super::{logs, shadows};
use crate::catalog::{Catalog, Version};
use crate::gateway::Gateway;
use std::time::UNIX_EPOCH;

/// A version that is served, or a shadow.
struct Served<'a> {
    route: &'a str,
    version: &'a Version,
    is_shadow: bool,
}

/// The whole page.
pub fn page(gateway: &Gateway) -> String {
    let catalog = gateway.catalog.load();
    let served = served(&catalog);
    let mut page = Exposition::default();
    http(gateway, &mut page);
    tallies(gateway, &catalog, &mut page);
    warnings(&served, &mut page);
    stages(&served, &mut page);
    disagreements(&served, &mut page);
    models(&served, &mut page);
    queues(gateway, &mut page);
    loads(gateway, &mut page);
    process(&mut page);
    page.text
}

fn served(catalog: &Catalog) -> Vec<Served<'_>> {
    let routes = catalog.routes.values();
    let versions = routes.flat_map(|route| {
        let live = route.versions.iter().map(|(version, _)| (version, false));
        let all = live.chain(route.shadows.iter().map(|(version, _)| (version, true)));
        all.map(|(version, is_shadow)| Served { route: &route.name, version, is_shadow })
    });
    versions.collect()
}

impl Served<'_> {
    fn seen(&self) -> &Seen {
        &self.version.seen
    }

    fn labels(&self) -> [(&str, &str); 3] {
        let role = if self.is_shadow { "shadow" } else { "live" };
        [("route", self.route), ("version", &self.version.name), ("role", role)]
    }

    fn with<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        self.labels().into_iter().chain(more.iter().copied()).collect()
    }
}

fn http(gateway: &Gateway, page: &mut Exposition) {
    let name = "http_server_request_duration_seconds";
    page.family(name, "histogram", "From the head of a request to the head of its answer.");
    for series in gateway.seeing.series() {
        let status = series.status.to_string();
        let labels = [
            ("http_request_method", series.method),
            ("http_route", series.route.as_str()),
            ("http_response_status_code", &status),
        ];
        page.durations(name, &labels, &series.counts.from(0));
    }
    let name = "http_server_active_requests";
    page.single(name, "gauge", "Requests in flight.", Some(gateway.seeing.active()));
}

/// What is counted of versions, of routes where no version was chosen, and where there is no route.
fn tallies(gateway: &Gateway, catalog: &Catalog, page: &mut Exposition) {
    let mut tallies: Vec<(&str, &str, &Tally)> = vec![("", "", &gateway.seeing.tally)];
    for route in catalog.routes.values() {
        tallies.push((&route.name, "", &route.tally));
        for (version, _) in &route.versions {
            tallies.push((&route.name, &version.name, &version.seen.tally));
        }
    }
    let mut named = |name: &str, help: &str, label: &str, of: fn(&Tally) -> Vec<(String, u64)>| {
        page.family(name, "counter", help);
        for (route, version, tally) in &tallies {
            for (value, count) in of(tally) {
                let labels = [("route", *route), ("version", *version), (label, value.as_str())];
                page.sample(name, &labels, count);
            }
        }
    };
    let help = "Requests for predictions by the status of their answer.";
    named("penstock_requests_total", help, "status", Tally::by_status);
    let help = "Requests and rows that were refused, by code; without a route, anything else.";
    named("penstock_errors_total", help, "code", Tally::by_code);
    let name = "penstock_request_duration_seconds";
    page.family(name, "histogram", "Requests for predictions, from head to head, by version.");
    for (route, version, tally) in &tallies {
        page.durations(name, &[("route", route), ("version", version)], &tally.durations());
    }
}

fn warnings(served: &[Served<'_>], page: &mut Exposition) {
    let name = "penstock_warnings_total";
    let help = "Values of inputs that are worth a warning, whether one was asked for or not.";
    page.family(name, "counter", help);
    for one in served {
        let plan = &one.version.loaded.model.plan;
        for (field, code, count) in one.seen().warnings(plan) {
            page.sample(name, &one.with(&[("field", field), ("code", code)]), count);
        }
    }
}

fn stages(served: &[Served<'_>], page: &mut Exposition) {
    for (name, help, counter) in [
        ("penstock_rows_total", "Rows that were answered or refused.", ROWS),
        ("penstock_refused_rows_total", "Rows that were refused within an answer.", REFUSED),
    ] {
        page.family(name, "counter", help);
        for one in served {
            page.sample(name, &one.labels(), one.seen().tally.get(counter));
        }
    }
    let name = "penstock_stage_duration_seconds";
    page.family(name, "histogram", "Parts of answering a request: parse, predict, write.");
    for one in served {
        for (at, stage) in STAGES.iter().enumerate() {
            let counters = one.seen().tally.stage_durations(at);
            page.durations(name, &one.with(&[("stage", stage)]), &counters);
        }
    }
}

fn disagreements(served: &[Served<'_>], page: &mut Exposition) {
    let shadows: Vec<_> = served.iter().filter(|one| one.is_shadow).collect();
    if shadows.is_empty() {
        return;
    }
    for (at, help) in [
        "Requests that a shadow has answered as well.",
        "Rows that a shadow was given.",
        "Rows that a shadow has refused although they were answered.",
        "Labels of a shadow that are those of the answer.",
        "Labels of a shadow that are not those of the answer.",
    ]
    .into_iter()
    .enumerate()
    {
        for (place, one) in shadows.iter().enumerate() {
            let Some((word, count)) = one.seen().disagreement.named().into_iter().nth(at) else {
                continue;
            };
            let name = format!("penstock_shadow_{word}_total");
            if place == 0 {
                page.family(&name, "counter", help);
            }
            page.sample(&name, &one.labels()[..2], count);
        }
    }
    let name = "penstock_shadow_difference";
    page.family(name, "histogram", "How far numbers of a shadow are from those of the answer.");
    for one in shadows {
        for (output, buckets, sum) in one.seen().disagreement.differences() {
            let labels = [("route", one.route), ("version", &one.version.name), ("output", output)];
            page.histogram(name, &labels, &shadows::ENDS, (&buckets, sum));
        }
    }
}

fn models(served: &[Served<'_>], page: &mut Exposition) {
    let name = "penstock_model_info";
    page.family(name, "gauge", "What is served; the value is always 1.");
    for one in served {
        let model = &one.version.loaded;
        let more = [("model", model.manifest.name.as_str()), ("digest", &model.model.digest)];
        page.sample(name, &one.with(&more), 1);
    }
    let name = "penstock_model_load_seconds";
    page.family(name, "gauge", "How long it took to load and verify the artifact.");
    for one in served {
        page.sample(name, &one.labels(), one.version.loaded.load_seconds);
    }
}

fn queues(gateway: &Gateway, page: &mut Exposition) {
    let name = "penstock_dropped_copies_total";
    let help = "Copies of requests that were dropped because too many waited.";
    page.family(name, "counter", help);
    for (queue, dropped) in gateway.seeing.dropped() {
        page.sample(name, &[("queue", queue)], dropped);
    }
    let name = "penstock_panics_total";
    page.single(name, "counter", "Mistakes of this program; report them.", Some(logs::panics()));
}

fn loads(gateway: &Gateway, page: &mut Exposition) {
    let load = gateway.last_load();
    let seconds = load.at.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let name = "penstock_last_load_success";
    let is_good = u8::from(load.error.is_none());
    let help = "Whether what is served is what the folder says.";
    page.single(name, "gauge", help, Some(is_good));
    let name = "penstock_last_load_timestamp_seconds";
    page.single(name, "gauge", "When the folder was last read.", Some(seconds));
    let name = "penstock_build_info";
    page.family(name, "gauge", "The version of the server; the value is always 1.");
    page.sample(name, &[("version", env!("CARGO_PKG_VERSION"))], 1);
}

fn process(page: &mut Exposition) {
    let process = Process::now();
    for (name, kind, help, value) in [
        ("process_cpu_seconds_total", "counter", "CPU time.", process.cpu_seconds),
        ("process_resident_memory_bytes", "gauge", "Memory in use.", process.resident_bytes),
        ("process_virtual_memory_bytes", "gauge", "Address space.", process.virtual_bytes),
        ("process_threads", "gauge", "Threads.", process.threads),
        ("process_open_fds", "gauge", "Open files and sockets.", process.open_files),
        ("process_max_fds", "gauge", "How many may be open.", process.most_open_files),
        ("process_start_time_seconds", "gauge", "When it began.", process.start_seconds),
    ] {
        page.single(name, kind, help, value);
    }
}
