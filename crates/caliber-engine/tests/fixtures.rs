//! Results equal those of an independent implementation, to 1e-9 on every number.

use std::path::{Path, PathBuf};

use caliber_engine::recipe::{Channel, Goal, RecipeBook};
use caliber_engine::report::source::Source;
use caliber_engine::report::xls::SheetCsv;
use caliber_engine::{Code, Context, Error, Options, Progress, Scored};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn no_sandbox(_: &Path, _: Option<&str>) -> caliber_engine::Result<SheetCsv> {
    Err(Error::new(Code::Machine, "no old workbook is among the fixtures"))
}

fn score(report: &str, options: &Options) -> Scored {
    let source = Source::open(&folder().join(report), report).expect("a readable fixture");
    let context =
        Context { book: RecipeBook::shipped(), sandbox: &no_sandbox, progress: &Progress::default() };
    caliber_engine::score(vec![source], options, &context).unwrap_or_else(|error| panic!("{report}: {error}"))
}

fn expectations() -> Vec<Value> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the folder of fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert_eq!(files.len(), 17, "fixtures");
    files
        .iter()
        .map(|path| serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON"))
        .collect()
}

fn goal(expected: &Value) -> Goal {
    if expected["goal"] == "action" { Goal::Action } else { Goal::Awareness }
}

fn close(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0)
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// The figures of a row by the names of the expectation.
fn check_row(scored: &Scored, expected: &Value, fixture: &str) {
    let results = &scored.results;
    let name = expected["entity"].as_str().expect("a name");
    let row =
        results.names.iter().position(|known| known == name).unwrap_or_else(|| panic!("{fixture}: {name}"));
    for (key, value) in expected.as_object().expect("an object") {
        let metric = |name: &str| results.metrics.iter().position(|metric| metric.name == name);
        let ours = match key.as_str() {
            "entity" => continue,
            "outlier_flags" => {
                let flags = results.outlier_flags[row].join(";");
                assert_eq!(flags, value.as_str().unwrap_or_default(), "{fixture} {name} {key}");
                continue;
            }
            "quality_status" => {
                assert_eq!(Value::from(results.statuses[row].name()), *value, "{fixture} {name}");
                continue;
            }
            "is_outlier" => {
                assert_eq!(Value::from(results.is_outlier(row)), *value, "{fixture} {name}");
                continue;
            }
            "impressions" => Some(results.impressions[row]),
            "spend" => results.spend.as_ref().map(|spend| spend[row]),
            "clicks" => results.clicks.as_ref().map(|clicks| clicks[row]),
            "conversions" => results.conversions.as_ref().map(|conversions| conversions[row]),
            "score" => Some(results.scores[row]),
            "percentile_rank" => Some(results.percentiles[row]),
            key => {
                if let Some(at) = key.strip_prefix("contribution_").and_then(metric) {
                    let contributions = &results.metrics[at].contributions;
                    Some(contributions[row] - contributions.iter().sum::<f64>() / contributions.len() as f64)
                } else if let Some(at) = key.strip_suffix("_normalized").and_then(metric) {
                    Some(results.metrics[at].normalized[row])
                } else {
                    let at = metric(key).unwrap_or_else(|| panic!("{fixture}: no metric {key}"));
                    results.metrics[at].values[row]
                }
            }
        };
        match (ours, value.as_f64()) {
            (None, None) => {}
            (Some(ours), Some(theirs)) if close(ours, theirs) => {}
            (ours, theirs) => panic!("{fixture} {name} {key}: {ours:?}, expected {theirs:?}"),
        }
    }
}

#[test]
fn every_fixture_scores_as_the_independent_implementation_scores_it() {
    for expected in expectations() {
        let fixture = expected["report"].as_str().expect("a file");
        let channel = Channel::of(expected["channel"].as_str().expect("a channel"));
        let options = Options {
            platform: expected["platform"].as_str().map(str::to_owned),
            channel,
            goal: goal(&expected),
            ctr_sensitive: expected["ctr_sensitive"] == true,
            ..Options::default()
        };
        let scored = score(fixture, &options);
        let rows = expected["rows"].as_array().expect("rows");
        assert_eq!(scored.results.len(), rows.len(), "{fixture}");
        for row in rows {
            check_row(&scored, row, fixture);
        }
        let names = |rows: &[usize]| -> Vec<Value> {
            rows.iter().map(|&row| Value::from(scored.results.names[row].as_str())).collect()
        };
        assert_eq!(Value::from(names(&scored.lists.allow)), expected["whitelist"], "{fixture} allowlist");
        assert_eq!(Value::from(names(&scored.lists.block)), expected["blacklist"], "{fixture} blocklist");

        let (summary, campaign) = (&scored.summary, &expected["campaign"]);
        assert_eq!(Value::from(summary.scored), campaign["entities"], "{fixture}");
        for (ours, key) in [
            (summary.campaign_score, "campaign_level_score"),
            (Some(summary.total_impressions), "total_impressions"),
            (summary.total_spend, "total_spend"),
            (summary.average_cpm, "average_cpm"),
        ] {
            assert!(close(ours.expect("a figure"), number(&campaign[key])), "{fixture} {key}: {ours:?}");
        }
        for (ours, key) in [(&summary.top, "top"), (&summary.bottom, "bottom")] {
            for (ours, theirs) in ours.iter().zip(campaign[key].as_array().expect("an array")) {
                assert_eq!(Value::from(ours.name.as_str()), theirs["entity"], "{fixture} {key}");
                assert!(close(ours.score, number(&theirs["score"])), "{fixture} {key}");
            }
        }
    }
}

#[test]
fn every_fixture_is_recognised_by_its_headers() {
    for expected in expectations() {
        let fixture = expected["report"].as_str().expect("a file");
        let options = Options { goal: goal(&expected), ..Options::default() };
        let scored = score(fixture, &options);
        assert_eq!(Value::from(scored.summary.platform.as_str()), expected["platform"], "{fixture}");
        // Audio and video share their headers and their recipe.
        let channel =
            if expected["channel"] == "audio" { "video".into() } else { expected["channel"].clone() };
        assert_eq!(Value::from(scored.summary.channel.as_str()), channel, "{fixture}");
    }
}

/// A report with everything that a chunk's end could cut through.
const CUT: &str = "Report: all sites\r\n\r\nSite,Campaign,Impressions,Advertiser Cost,Clicks\r\n\
    a.example,\"Spring, \"\"big\"\" sale\",\"1,200\",2.50,3\r\nb.example,\"two\nlines\",900,1.25,1\n\
    a.example,15\" screens,700,oops,2\rwww.A.example,x,300,0.75,\nTotal,,3100,4.50,6\n\nReport Time:,now\n";

#[test]
fn threads_and_chunk_ends_change_no_byte() {
    let options = |threads, chunk_bytes| Options {
        platform: Some("generic".into()),
        channel: Some(Channel::Display),
        min_impressions: Some(0),
        threads,
        chunk_bytes,
        ..Options::default()
    };
    let scored = |threads, chunk_bytes| {
        let source = Source::from_stream(CUT.as_bytes(), "cut.csv").expect("text");
        let context =
            Context { book: RecipeBook::shipped(), sandbox: &no_sandbox, progress: &Progress::default() };
        let scored =
            caliber_engine::score(vec![source], &options(threads, chunk_bytes), &context).expect("a report");
        let json = (
            serde_json::to_string(&scored.summary).expect("JSON"),
            serde_json::to_string(&scored.quality).expect("JSON"),
        );
        (scored.results, scored.lists, json)
    };
    let whole = scored(1, 1 << 20);
    assert_eq!(whole.0.names, ["a.example", "b.example"]);
    for chunk_bytes in 1..=CUT.len() {
        assert_eq!(scored(1 + chunk_bytes % 3, chunk_bytes), whole, "chunks of {chunk_bytes} bytes");
    }
    for fixture in ["ttd_ctv.csv", "ttd_display-blanks.csv"] {
        let whole = score(fixture, &Options { threads: 1, ..Options::default() });
        for (threads, chunk_bytes) in [(1, 700), (2, 4096), (3, 10_000)] {
            let parts = score(fixture, &Options { threads, chunk_bytes, ..Options::default() });
            assert_eq!(parts.results, whole.results, "{fixture} {threads} {chunk_bytes}");
            assert_eq!(parts.lists, whole.lists);
        }
    }
}

#[test]
fn where_nothing_is_below_the_minimum_its_sums_are_nought_and_not_minus_nought() {
    let options = Options { min_impressions: Some(0), ..Options::default() };
    let below = score("ttd_display.csv", &options).summary.below_minimum;
    assert_eq!(below.count, 0);
    for sum in [below.impressions, below.spend] {
        assert!(sum == 0.0 && sum.is_sign_positive(), "{sum:?}");
    }
}
