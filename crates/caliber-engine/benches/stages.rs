//! What each stage of the line costs: `cargo bench -p caliber-engine`.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use caliber_engine::dictionary::Dictionary;
use caliber_engine::evidence::Evidence;
use caliber_engine::explain::Explainer;
use caliber_engine::lists::{ListPolicy, ListRule, Lists};
use caliber_engine::names;
use caliber_engine::normalize::{Normalization, normalize};
use caliber_engine::recipe::{Better, Dimension, RecipeBook};
use caliber_engine::report::number::{self, Decimal};
use caliber_engine::report::source::Source;
use caliber_engine::report::xls::SheetCsv;
use caliber_engine::{Code, Context, Error, Options, Progress, Scored, inspect, score};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const ROWS: u64 = 100_000;

fn no_sandbox(_: &Path, _: Option<&str>) -> caliber_engine::Result<SheetCsv> {
    Err(Error::new(Code::Machine, "no old workbook is read here"))
}

fn scored(path: &Path, threads: usize) -> Scored {
    let context =
        Context { book: RecipeBook::shipped(), sandbox: &no_sandbox, progress: &Progress::default() };
    let source = Source::open(path, "sample").expect("the sample just written");
    score(vec![source], &Options { threads, ..Options::default() }, &context).expect("a sample that scores")
}

/// A file to its results, by format; the bytes are those of the file.
fn reading(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut request = caliber_sample::Request::new("trade_desk", "display");
    request.rows = Some(ROWS);
    request.domains = Some(5_000);
    let mut group = criterion.benchmark_group("report to results");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    for name in ["report.csv", "report.csv.gz", "report.csv.zst", "report.parquet", "report.xlsx"] {
        let path = folder.path().join(name);
        caliber_sample::write(&request, &path).expect("a sample");
        group.throughput(Throughput::Bytes(std::fs::metadata(&path).expect("a file").len()));
        group.bench_function(name, |bencher| bencher.iter(|| scored(&path, 2)));
    }
    let path = folder.path().join("report.csv");
    group.bench_function("report.csv on one thread", |bencher| bencher.iter(|| scored(&path, 1)));
    group.bench_function("report.csv, inspected", |bencher| {
        let context =
            Context { book: RecipeBook::shipped(), sandbox: &no_sandbox, progress: &Progress::default() };
        bencher.iter(|| {
            let source = Source::open(&path, "sample").expect("the sample just written");
            inspect(source, &Options::default(), &context).expect("a sample")
        });
    });
    group.finish();
}

/// Cells to values.
fn cells(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cell");
    for cell in ["1234", "0.4595", "1,234,567.5", "$12.50", "45.95%", "n/a"] {
        group.bench_function(format!("number {cell}"), |bencher| {
            bencher.iter(|| number::parse(black_box(cell.as_bytes()), Decimal::Point));
        });
    }
    for cell in
        ["pacificnews.example", "https://www.PacificNews.example/a?b", "com.hulu.plus", "Very Local: News"]
    {
        let mut scratch = String::new();
        group.bench_function(format!("name {cell}"), |bencher| {
            bencher
                .iter(|| names::normalise(black_box(cell.as_bytes()), Dimension::Domain, &mut scratch).len());
        });
    }
    group.finish();
}

/// What the counts prove: the laws of the scores, and what they decide.
fn evidence(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut request = caliber_sample::Request::new("trade_desk", "display");
    request.rows = Some(ROWS);
    request.domains = Some(20_000);
    let path = folder.path().join("report.csv");
    caliber_sample::write(&request, &path).expect("a sample");
    let results = scored(&path, 2).results;
    let dictionary = Dictionary::shipped();
    let weighed = || Evidence::of(&results, dictionary, 2).expect("a recipe of shares");
    let rule = ListRule { policy: ListPolicy::Evidence, ..ListRule::default() };
    let mut group = criterion.benchmark_group(format!("evidence of {} rows", results.len()));
    group.bench_function("laws", |bencher| bencher.iter(weighed));
    let evidence = weighed();
    group.bench_function("decisions", |bencher| {
        bencher.iter(|| evidence.decide(&results, dictionary, &rule, &|_| false, 2).expect("finite counts"));
    });
    group.finish();
}

/// Sums to lists.
fn scoring(criterion: &mut Criterion) {
    let values: Vec<Option<f64>> =
        (0..ROWS).map(|row| Some((row.wrapping_mul(2_654_435_761) % 10_007) as f64)).collect();
    let mut group = criterion.benchmark_group("100,000 rows");
    for (name, method) in Normalization::ALL {
        group.bench_function(format!("normalise {name}"), |bencher| {
            bencher.iter(|| normalize(black_box(&values), Better::Lower, method, None));
        });
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut request = caliber_sample::Request::new("trade_desk", "display");
    request.rows = Some(ROWS);
    request.domains = Some(50_000);
    let path = folder.path().join("report.csv");
    caliber_sample::write(&request, &path).expect("a sample");
    let results = scored(&path, 2).results;
    group.bench_function("lists", |bencher| bencher.iter(|| Lists::quartile(&results, 0.25, &|_| false)));
    group.bench_function("reasons", |bencher| {
        let explainer = Explainer::new(&results, Dictionary::shipped());
        bencher.iter(|| {
            (0..1000.min(results.len())).map(|row| explainer.worst_reason(row).len()).sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, cells, scoring, evidence, reading);
criterion_main!(benches);
