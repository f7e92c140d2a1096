//! Times each writer over made-up results: `cargo run --release --example measure_writers [ROWS] [WRITER]`.
//! Numbers are medians of 9, into memory and through an output folder.

use std::hint::black_box;
use std::path::Path;
use std::thread;
use std::time::Instant;

use caliber_engine::dictionary::Dictionary;
use caliber_engine::recipe::{Better, Dimension, RecipeBook};
use caliber_engine::results::{EffectiveCounts, ExtraColumn, MetricColumn, Results, Status};
use caliber_reports::{
    CampaignReport, ListRow, OutputFile, OutputFolder, QualityFacts, RunFacts, write_list_csv,
    write_list_text, write_results_csv, write_results_json, write_results_parquet, write_results_xlsx,
};
use chrono::DateTime;

#[expect(clippy::print_stdout, reason = "the answer of a measurement")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows = std::env::args().nth(1).map_or(Ok(20_000), |rows| rows.parse())?;
    let results = made_up(rows);
    let (run, quality) = (facts()?, QualityFacts::default());
    let listed: Vec<ListRow> =
        (0..rows / 4).map(|row| ListRow::scored(&results, row, "cpm 1.2 is low".to_owned())).collect();
    let report = CampaignReport {
        name: "Spring",
        results: &results,
        dictionary: Dictionary::shipped(),
        run: &run,
        quality: &quality,
        allowlist: &listed,
        blocklist: &listed,
        scored_at: None,
        generated_at: DateTime::UNIX_EPOCH,
    };
    let only = std::env::args().nth(2).unwrap_or_default();
    let scratch = std::env::temp_dir();
    let rounds = if rows > 100_000 { 1 } else { 9 };
    let time = |name: &str, run: &dyn Fn() -> caliber_engine::Result<usize>| -> caliber_engine::Result<()> {
        if !name.starts_with(&only) {
            return Ok(());
        }
        let mut millis = Vec::new();
        let mut bytes = 0;
        for _ in 0..rounds {
            let start = Instant::now();
            bytes = black_box(run()?);
            millis.push(start.elapsed().as_secs_f64() * 1e3);
        }
        millis.sort_by(f64::total_cmp);
        println!("{name:32} {:8.1} ms  {:9} KB", millis[rounds / 2], bytes / 1024);
        Ok(())
    };
    time("csv", &|| into_memory(|bytes| write_results_csv(&results, bytes)))?;
    time("parquet", &|| into_memory(|bytes| write_results_parquet(&results, bytes)))?;
    time("json", &|| into_memory(|bytes| write_results_json(&results, bytes)))?;
    time("xlsx", &|| into_memory(|bytes| write_results_xlsx(&report, &scratch, bytes)))?;
    let dir = scratch.join("caliber-measure-writers");
    time("folder: csv, parquet, lists", &|| into_folder(&dir, &results))?;
    let _ = std::fs::remove_dir_all(&dir);
    println!("peak memory {}", peak());
    Ok(())
}

fn facts() -> caliber_engine::Result<RunFacts> {
    let recipe = RecipeBook::shipped().by_name("generic-display-awareness")?;
    RunFacts::of(serde_json::json!({
        "recipe": recipe, "normalization": "minmax", "currency": "USD", "platform": "generic",
        "channel": "display", "goal": "awareness", "dimension": "domain",
        "lists": {"share": 0.25, "min_impressions": 250},
    }))
}

fn into_memory(write: impl Fn(&mut Vec<u8>) -> caliber_engine::Result<()>) -> caliber_engine::Result<usize> {
    let mut bytes = Vec::new();
    write(&mut bytes).map(|()| bytes.len())
}

fn into_folder(dir: &Path, results: &Results) -> caliber_engine::Result<usize> {
    let folder = OutputFolder::create(dir)?;
    let list: Vec<usize> = (0..results.len() / 4).collect();
    thread::scope(|scope| {
        let csv =
            scope.spawn(|| folder.write(OutputFile::ResultsCsv, |file| write_results_csv(results, file)));
        folder.write(OutputFile::ResultsParquet, |file| write_results_parquet(results, file))?;
        for (text, table) in [
            (OutputFile::AllowlistTxt, OutputFile::AllowlistCsv),
            (OutputFile::BlocklistTxt, OutputFile::BlocklistCsv),
        ] {
            folder.write(text, |file| write_list_text(results, &list, file))?;
            folder.write(table, |file| write_list_csv(results, &list, |_| "cpm 1.2 is low".into(), file))?;
        }
        csv.join().unwrap_or(Ok(()))
    })?;
    Ok(folder.publish()?.len() * 1024)
}

/// Five metrics, two of them shares, three other columns: 27 columns and 4 of counts.
fn made_up(rows: usize) -> Results {
    let mut state = 1_u64;
    let mut unit = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut floats = |scale: f64| (0..rows).map(|_| unit() * scale).collect::<Vec<f64>>();
    let maybe =
        |values: Vec<f64>| values.into_iter().map(|value| (value > 0.0005).then_some(value)).collect();
    let whole = |values: Vec<f64>| values.into_iter().map(f64::floor).collect::<Vec<f64>>();
    let metrics = ["cpm", "viewable_rate", "ctr", "ad_load_xl_rate", "ad_refresh_below_15s_rate"]
        .iter()
        .enumerate()
        .map(|(position, name)| MetricColumn {
            name: (*name).into(),
            weight: 0.2,
            better: Better::Higher,
            values: maybe(floats(1.0)),
            normalized: floats(100.0),
            contributions: floats(20.0),
            counts: (position > 2)
                .then(|| EffectiveCounts { events: floats(1e3), trials: whole(floats(1e6)) }),
        })
        .collect();
    Results {
        dimension: Dimension::Domain,
        names: (0..rows).map(|row| format!("news-{row}.site-{}.example", row % 977)).collect(),
        scores: floats(100.0),
        percentiles: floats(100.0),
        statuses: (0..rows).map(|row| [Status::Good, Status::Moderate, Status::Poor][row % 3]).collect(),
        impressions: whole(floats(1e6)),
        clicks: Some(whole(floats(1e3))),
        conversions: Some(whole(floats(50.0))),
        spend: Some(floats(5e3)),
        extras: vec![
            ExtraColumn { name: "conversion_rate", values: maybe(floats(0.01)), counts: None },
            ExtraColumn { name: "cost_per_conversion", values: maybe(floats(90.0)), counts: None },
        ],
        metrics,
        outlier_flags: (0..rows)
            .map(|row| if row % 20 == 0 { vec!["cpm_outlier".into()] } else { Vec::new() })
            .collect(),
        quality_flags: vec![Vec::new(); rows],
        evidence: None,
    }
}

/// `VmHWM` of this process, on Linux.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("unknown");
    line.trim_start_matches("VmHWM:").trim().to_owned()
}
