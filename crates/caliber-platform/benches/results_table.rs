//! Questions to a campaign of a million domains: `cargo bench -p caliber-platform`.
//!
//! First what happens once (the file is read, the first page made, each order built), with the memory it takes; then
//! each kind of question, warm.

#![expect(clippy::print_stdout, reason = "figures are printed")]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use caliber_engine::dictionary::Dictionary;
use caliber_engine::recipe::{Better, Dimension, WeightedMetric};
use caliber_engine::results::{EffectiveCounts, ExtraColumn, MetricColumn, Results, Status};
use caliber_platform::results::{
    Direction, Filter, ListRequest, ListRule, ListType, Query, ResultsTable, SortBy,
};
use caliber_reports::{read_results_parquet, write_results_parquet};
use criterion::{Criterion, criterion_group, criterion_main};

const ROWS: usize = 1_000_000;
const METRICS: [&str; 5] =
    ["cpm", "ctr", "conversion_rate", "ias_display_fully_in_view_1s_rate", "unique_id_ratio"];
const SHARES: [&str; 2] = ["ctr", "conversion_rate"];

/// Numbers that look random and are the same each time (splitmix64).
struct Numbers(u64);

impl Numbers {
    /// In 0..1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) as f64 / u64::MAX as f64
    }

    fn column(&mut self, cell: impl Fn(f64) -> f64) -> Vec<f64> {
        (0..ROWS).map(|_| cell(self.next())).collect()
    }
}

fn a_name(numbers: &mut Numbers, row: usize) -> String {
    const WORDS: [&str; 16] = [
        "news", "sport", "daily", "game", "cook", "travel", "auto", "tech", "home", "music", "film", "kids",
        "health", "money", "garden", "photo",
    ];
    const ENDS: [&str; 6] = ["com", "com", "net", "org", "co.uk", "de"];
    let mut word = || WORDS[(numbers.next() * 15.99) as usize];
    let (first, second) = (word(), word());
    let end = ENDS[(numbers.next() * 5.99) as usize];
    match row % 50 {
        0 => format!("xn--{first}-{row:x}ya.{end}"),
        1 => format!("{row:09}"),
        _ => format!("{first}-{second}{row:x}.{end}"),
    }
}

fn results() -> Results {
    let mut numbers = Numbers(7);
    let mut metric = |name: &str| {
        let values = numbers.column(|share| share * share);
        let normalized: Vec<f64> = values.iter().map(|value| value * 100.0).collect();
        let counts = SHARES.contains(&name).then(|| EffectiveCounts {
            events: values.iter().map(|value| value * 500.0).collect(),
            trials: vec![500.0; ROWS],
        });
        MetricColumn {
            name: name.into(),
            weight: 0.2,
            better: Better::Higher,
            contributions: normalized.iter().map(|value| value * 0.2).collect(),
            values: values.iter().map(|value| (*value > 0.001).then_some(*value)).collect(),
            normalized,
            counts,
        }
    };
    let metrics: Vec<MetricColumn> = METRICS.into_iter().map(&mut metric).collect();
    let scores: Vec<f64> =
        (0..ROWS).map(|row| metrics.iter().map(|metric| metric.contributions[row]).sum()).collect();
    let mut order: Vec<usize> = (0..ROWS).collect();
    order.sort_unstable_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let impressions = numbers.column(|share| (250.0 / (share + 1e-5)).floor());
    let results = Results {
        dimension: Dimension::Domain,
        names: (0..ROWS).map(|row| a_name(&mut numbers, row)).collect(),
        scores,
        percentiles: vec![0.0; ROWS],
        statuses: vec![Status::Poor; ROWS],
        clicks: Some(impressions.iter().map(|count| (count / 200.0).floor()).collect()),
        conversions: Some(impressions.iter().map(|count| (count / 9000.0).floor()).collect()),
        spend: Some(impressions.iter().map(|count| count / 400.0).collect()),
        impressions,
        extras: vec![ExtraColumn {
            name: "cost_per_conversion",
            values: vec![Some(2.5); ROWS],
            counts: None,
        }],
        metrics,
        outlier_flags: (0..ROWS)
            .map(|row| if row % 20 == 0 { vec!["cpm_outlier".to_owned()] } else { Vec::new() })
            .collect(),
        quality_flags: vec![Vec::new(); ROWS],
        evidence: None,
    };
    let mut results = results.rows(&order);
    results.percentiles = (0..ROWS).map(|row| (ROWS - row) as f64 / ROWS as f64 * 100.0).collect();
    results.statuses = (0..ROWS)
        .map(|row| [Status::Good, Status::Moderate, Status::Moderate, Status::Poor][row * 4 / ROWS])
        .collect();
    results
}

fn recipe() -> Vec<WeightedMetric> {
    METRICS.map(|name| WeightedMetric { metric: name.into(), weight: 0.2, better: Better::Higher }).to_vec()
}

/// Resident bytes now and at their highest, in MB, where the system says so.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let megabytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes >> 10)
    };
    format!("resident {:?} MB, highest {:?} MB", megabytes("VmRSS:"), megabytes("VmHWM:"))
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    println!("{what}: {:.1} ms; {}", started.elapsed().as_secs_f64() * 1000.0, memory());
    done
}

/// The file is written by a process of its own, so that memory is that of a server which only reads.
fn file() -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("caliber-results-{}.parquet", std::process::id()));
    let written = std::process::Command::new(std::env::current_exe().expect("the benchmark runs"))
        .env(WRITE_TO, &path)
        .status();
    assert!(written.is_ok_and(|status| status.success()), "the results are written");
    path
}

const WRITE_TO: &str = "CALIBER_BENCH_WRITE_TO";

fn write(path: &Path) {
    let file = std::fs::File::create(path).expect("a folder for temporary files");
    write_results_parquet(&results(), std::io::BufWriter::new(file)).expect("room for 300 MB");
    println!("file: {} MB", std::fs::metadata(path).map_or(0, |file| file.len() >> 20));
}

fn first_page() -> Query {
    Query { page: 1, per_page: 50, ..Query::default() }
}

fn once(path: &Path) -> ResultsTable {
    println!("before: {}", memory());
    let table = timed("first touch", || {
        let results = timed("  read", || read_results_parquet(path, &recipe()).expect("our own file"));
        let dictionary = Dictionary::shipped().clone();
        let table = timed("  table", || ResultsTable::new(results, dictionary).expect("few names"));
        timed("  first page", || table.page(&first_page()).expect("a known column"));
        table
    });
    println!("bytes(): {} MB", table.bytes() >> 20);
    for word in ["impressions", "spend", "cpm", "percentile_rank", "domain", "metric.unique_id_ratio"] {
        let query = Query { sort_by: word.parse().expect("a word to sort by"), ..first_page() };
        timed(&format!("first order by {word}"), || table.page(&query).expect("a known column"));
    }
    timed("first search", || table.page(&searching("news")).expect("a known column"));
    timed("first look-up", || table.find("news-sportff.com"));
    let request = ListRequest {
        campaign_id: String::new(),
        list_type: ListType::Blacklist,
        rule: ListRule::default(),
        min_impressions: 1000.0,
        protected: Vec::new(),
        added: Vec::new(),
        removed: Vec::new(),
    };
    timed("blacklist", || table.list(&request).expect("a fair request"));
    table
}

fn searching(part: &str) -> Query {
    Query { filter: Filter { search: Some(part.to_owned()), ..Filter::default() }, ..first_page() }
}

fn questions(criterion: &mut Criterion) {
    if let Some(path) = std::env::var_os(WRITE_TO) {
        write(Path::new(&path));
        std::process::exit(0);
    }
    let path = file();
    let table = once(&path);
    drop(std::fs::remove_file(path));
    let mut group = criterion.benchmark_group("a page of a million");
    group.sample_size(20).measurement_time(std::time::Duration::from_secs(1));
    group.warm_up_time(std::time::Duration::from_millis(300));
    let mut ask = |what: &str, query: &mut dyn FnMut() -> Query| {
        group.bench_function(what, |bencher| {
            bencher.iter(|| {
                let page = table.page(&query()).expect("a known column");
                let rows: Vec<_> = page.rows.iter().map(|&row| table.row(row)).collect();
                black_box(serde_json::to_vec(&rows).expect("rows are plain").len())
            });
        });
    };
    let by = |sort_by, direction| Query { sort_by, direction, ..first_page() };
    ask("the first", &mut first_page);
    ask("by spend", &mut || by(SortBy::Spend, Direction::Descending));
    ask("by ctr, least first", &mut || by(SortBy::Ctr, Direction::Ascending));
    ask("by domain, page 9000", &mut || Query { page: 9000, ..by(SortBy::Domain, Direction::Ascending) });
    // A bound that moves with each question, so that nothing is remembered.
    let mut numbers = Numbers(1);
    let mut bound = move || Some(numbers.next());
    let mut filtered = |sort_by: SortBy, filter: &dyn Fn(Option<f64>) -> Filter| Query {
        filter: filter(bound().map(|share| share * 10.0 + 250.0)),
        ..by(sort_by, Direction::Descending)
    };
    let status =
        |least| Filter { quality_status: Some(Status::Poor), min_impressions: least, ..Filter::default() };
    ask("new filter by status", &mut || filtered(SortBy::Score, &status));
    ask("new filter by status, by spend", &mut || filtered(SortBy::Spend, &status));
    let outliers = |least| Filter { outliers_only: true, min_impressions: least, ..Filter::default() };
    ask("new filter of outliers", &mut || filtered(SortBy::Score, &outliers));
    ask("the same filter again, page 100", &mut || Query {
        filter: status(Some(300.0)),
        page: 100,
        ..by(SortBy::Spend, Direction::Ascending)
    });
    for part in ["news-sport", "film-kids7", "no-such-name", "com", "e"] {
        ask(&format!("new search for {part}"), &mut || {
            filtered(SortBy::Score, &|least| Filter {
                search: Some(part.to_owned()),
                min_impressions: least,
                ..Filter::default()
            })
        });
    }
    group.bench_function("look-up by name", |bencher| {
        bencher.iter(|| black_box(table.find("www.news-sportff.com")));
    });
    group.bench_function("nearest of a name", |bencher| {
        bencher.iter(|| black_box(table.nearest("news-sporft1234.com")));
    });
    group.finish();
}

criterion_group!(benches, questions);
criterion_main!(benches);
