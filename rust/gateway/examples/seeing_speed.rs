//! What seeing costs: one row through the handler, and only the parts that watch it. Takes an artifact with examples.

use penstock_core::cell::{Cell, Column};
use penstock_core::error::SchemaError;
use penstock_core::load::Table;
use penstock_core::plan::block::Scratch;
use penstock_core::plan::Plan;
use penstock_core::predict::Answer;
use penstock_core::rows::Rows;
use penstock_gateway::catalog::{Catalog, Version};
use penstock_gateway::crowd::Crowd;
use penstock_gateway::forms::Form;
use penstock_gateway::handlers::asked::Asked;
use penstock_gateway::handlers::predict::{predict, Request};
use penstock_gateway::seeing::observation::{Observation, Part, Stage};
use serde_json::value::RawValue;
use std::hint::black_box;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let artifact = std::env::args_os().nth(1).ok_or("name an artifact")?;
    let catalog = Catalog::load(&[artifact.into()], None, &Catalog::default())?;
    let route = catalog.routes.values().next().ok_or("no model")?;
    let version = &route.versions.first().ok_or("no version")?.0;
    let loaded = &version.loaded;
    let (chosen, crowd) = (OnceLock::new(), Crowd::new(1, Duration::from_secs(1)));
    let plan = &loaded.model.plan;
    let examples: serde_json::Value = serde_json::from_str(&loaded.model.examples)?;
    let bodies: Vec<String> = examples["rows"]
        .as_array()
        .ok_or("no examples")?
        .iter()
        .map(ToString::to_string)
        .filter(|body| predict(route, request(body, &chosen), &crowd).is_ok())
        .collect();
    let batch =
        format!("[{}]", bodies.iter().cycle().take(1000).cloned().collect::<Vec<_>>().join(","));

    let mut rows = Vec::new();
    for body in &bodies {
        let mut one = Rows::new(plan, Vec::new());
        read(plan, &mut one, body)?;
        rows.push(one);
    }
    let cells: Vec<Vec<Cell<'_>>> = rows.iter().map(|rows| rows.cells(0).collect()).collect();
    let mut scratch = Scratch::default();
    plan.predict_row(&cells[0], &mut scratch, &mut None).map_err(|fault| fault.value)?;
    println!("{} rows, best of 2,000 rounds, ns", bodies.len());
    measure("one row, all of the handler", bodies.len(), || {
        for body in &bodies {
            black_box(predict(route, request(body, &chosen), &crowd).is_ok());
        }
    });
    measure("batch of 1000, per row", 1000, || {
        black_box(predict(route, request(&batch, &chosen), &crowd).is_ok());
    });
    measure("one row, only watching", cells.len(), || {
        for cells in &cells {
            let mut seeing = Observation::begin(route, version.clone(), Instant::now());
            seeing.clock.lap(Stage::Parse);
            seeing.clock.lap(Stage::Predict);
            seeing.row(0, cells, &scratch);
            seeing.clock.lap(Stage::Write);
            black_box(seeing.finish().rows);
        }
    });
    measure("one row, only its values", cells.len(), || {
        for cells in &cells {
            let mut seeing = Observation::begin(route, version.clone(), Instant::now());
            seeing.row(0, cells, &scratch);
            black_box(&seeing);
        }
    });
    let table_rows = rows_of(&batch, plan)?;
    let columns: Vec<_> = (0..plan.fields.len()).map(|field| table_rows.column(field)).collect();
    let columns = columns.iter().map(|column| Some(column as &dyn Column)).collect();
    let table = Table::new(plan, columns, table_rows.len());
    measure("batch of 1000, only watching", 1000, || {
        let seeing = Observation::begin(route, version.clone(), Instant::now());
        let part = Part { table: &table, rows: 0..1000, first: 0, refused: Vec::new() };
        let answer = |_: usize, at: usize| Answer::Number(at as f64 / 1000.0);
        seeing.part(&part, answer);
        black_box(seeing.finish().rows);
    });
    for warnings in [false, true] {
        measure(&format!("predict, warnings asked: {warnings}"), cells.len(), || {
            for cells in &cells {
                let mut found = warnings.then(Vec::new);
                black_box(plan.predict_row(cells, &mut scratch, &mut found).is_ok());
            }
        });
    }
    println!("memory of the counters: {} bytes", version.seen.memory());
    Ok(())
}

fn request<'a>(body: &'a str, chosen: &'a OnceLock<Arc<Version>>) -> Request<'a> {
    Request {
        body: body.as_bytes(),
        sent: Form::Json,
        wanted: Form::Json,
        asked: Asked::default(),
        most_rows: 1_000_000,
        most_explained: 1_000_000,
        key: None,
        chosen,
    }
}

fn rows_of<'a>(list: &'a str, plan: &Plan) -> Result<Rows<'a>, Box<dyn std::error::Error>> {
    let mut rows = Rows::new(plan, Vec::new());
    for row in serde_json::from_str::<Vec<&RawValue>>(list)? {
        read(plan, &mut rows, row.get())?;
    }
    Ok(rows)
}

fn read<'a>(plan: &Plan, rows: &mut Rows<'a>, row: &'a str) -> Result<(), SchemaError> {
    rows.read(plan, row.as_bytes()).map_err(|wrong| wrong.into_schema_error(row.as_bytes()))
}

fn measure(name: &str, per_round: usize, mut work: impl FnMut()) {
    // Rounds are short, so that some of them are not interrupted on a busy machine.
    let mut best = f64::INFINITY;
    for _ in 0..2_000 {
        let started = Instant::now();
        work();
        best = best.min(started.elapsed().as_nanos() as f64 / per_round as f64);
    }
    println!("{name:32} {best:8.0}");
}
