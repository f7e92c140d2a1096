//! The evidence equals that of an independent implementation: tests/reference/evidence.py, with `SciPy`.

use std::path::{Path, PathBuf};

use caliber_engine::evidence::{Evidence, EvidenceRows};
use caliber_engine::lists::{ListPolicy, ListRule};
use caliber_engine::recipe::{Channel, Goal, RecipeBook};
use caliber_engine::report::source::Source;
use caliber_engine::report::xls::SheetCsv;
use caliber_engine::results::Results;
use caliber_engine::{Code, Context, Error, Options, Progress, Scored};
use serde_json::Value;

/// What P may be off by: a prior is where its likelihood is greatest, and that hill is flat.
const P_TOLERANCE: f64 = 0.005;

fn no_sandbox(_: &Path, _: Option<&str>) -> caliber_engine::Result<SheetCsv> {
    Err(Error::new(Code::Machine, "no old workbook is among the reports"))
}

fn score(report: &Path, expected: &Value) -> Scored {
    let recipe = expected["recipe"].as_str().expect("a recipe");
    let mut words = recipe.split('-');
    let options = Options {
        platform: words.next().map(str::to_owned),
        channel: words.next().and_then(Channel::of),
        goal: if recipe.ends_with("action") { Goal::Action } else { Goal::Awareness },
        list_rule: ListRule { policy: ListPolicy::Evidence, ..ListRule::default() },
        ..Options::default()
    };
    let source = Source::open(report, recipe).expect("a readable report");
    let context =
        Context { book: RecipeBook::shipped(), sandbox: &no_sandbox, progress: &Progress::default() };
    caliber_engine::score(vec![source], &options, &context)
        .unwrap_or_else(|error| panic!("{}: {error}", report.display()))
}

/// A report scored by the engine, beside what the reference says of it.
struct Compared {
    report: String,
    scored: Scored,
    expected: Value,
    /// For each row of the reference that of the engine.
    rows: Vec<usize>,
}

impl Compared {
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/evidence");
        let mut reports: Vec<PathBuf> = std::fs::read_dir(folder)
            .expect("the folder of reports")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "csv"))
            .collect();
        reports.sort();
        assert_eq!(reports.len(), 8, "reports");
        reports.iter().map(|report| Self::of(report)).collect()
    }

    fn of(report: &Path) -> Self {
        let text = std::fs::read(report.with_extension("json")).expect("a file");
        let expected: Value = serde_json::from_slice(&text).expect("JSON");
        let scored = score(report, &expected);
        let names = expected["rows"]["names"].as_array().expect("names");
        let report = report.file_stem().expect("a name").to_string_lossy().into_owned();
        assert_eq!(scored.results.len(), names.len(), "{report}");
        let row_of = |name: &Value| {
            let known = scored.results.names.iter().position(|known| name == known);
            known.unwrap_or_else(|| panic!("{report}: no row {name}"))
        };
        let rows = names.iter().map(row_of).collect();
        Self { report, scored, expected, rows }
    }

    fn results(&self) -> &Results {
        &self.scored.results
    }

    fn evidence(&self) -> &Evidence {
        self.scored.evidence.as_ref().expect("evidence")
    }

    fn evidence_rows(&self) -> &EvidenceRows {
        self.results().evidence.as_ref().expect("evidence of rows")
    }

    /// Compares a column of the engine with one of the reference; `near` says whether ours is theirs.
    fn check_column(
        &self,
        what: &str,
        theirs: &Value,
        ours: impl Fn(usize) -> Option<f64>,
        near: impl Fn(f64, f64) -> bool,
    ) {
        let theirs = theirs.as_array().unwrap_or_else(|| panic!("{}: no {what}", self.report));
        assert_eq!(theirs.len(), self.rows.len(), "{} {what}", self.report);
        for (&row, theirs) in self.rows.iter().zip(theirs) {
            let name = &self.results().names[row];
            match (ours(row), theirs.as_f64()) {
                (None, None) => {}
                (Some(ours), Some(theirs)) if near(ours, theirs) => {}
                (ours, theirs) => panic!("{} {name} {what}: {ours:?}, expected {theirs:?}", self.report),
            }
        }
    }

    /// Whether the reference's P of a row is so near a threshold that either side of it is right.
    fn is_on_the_edge(&self, at: usize) -> bool {
        let below = self.expected["rows"]["p_below"][at].as_f64().expect("a probability");
        [0.05, 0.95].iter().any(|edge| (below - edge).abs() <= P_TOLERANCE)
    }
}

#[test]
fn effective_counts_are_those_of_the_formulas() {
    let near = |ours: f64, theirs: f64| (ours - theirs).abs() <= 1e-6 * theirs.abs().max(1e-9);
    for compared in Compared::all() {
        for metric in &compared.results().metrics {
            let expected = &compared.expected["metrics"][&metric.name];
            let Some(counts) = &metric.counts else {
                assert_eq!(expected["known"], true, "{} {}", compared.report, metric.name);
                continue;
            };
            compared.check_column("x_eff", &expected["x_eff"], |row| Some(counts.events[row]), near);
            compared.check_column("n_eff", &expected["n_eff"], |row| Some(counts.trials[row]), near);
            let summary = compared.scored.summary.lists.evidence.as_ref().expect("evidence");
            let rho = summary.prior[&metric.name]["rho"].as_f64().expect("a noise");
            let theirs = expected["rho"].as_f64().expect("a noise");
            assert!((rho - theirs).abs() <= 1e-6 * theirs, "{} {}: {rho}", compared.report, metric.name);
        }
    }
}

#[test]
fn laws_of_scores_are_those_of_the_formulas() {
    for compared in Compared::all() {
        let (rows, theirs) = (compared.evidence_rows(), &compared.expected["rows"]);
        let evidence = compared.evidence();
        let within = |tolerance: f64| move |ours: f64, theirs: f64| (ours - theirs).abs() <= tolerance;
        compared.check_column("mu", &theirs["mu"], |row| Some(rows.scores[row]), within(0.1));
        compared.check_column("sd", &theirs["sd"], |row| Some(evidence.law(row).sd), within(0.1));
        compared.check_column(
            "p_below",
            &theirs["p_below"],
            |row| Some(rows.below[row]),
            within(P_TOLERANCE),
        );
        compared.check_column("score_low", &theirs["score_low"], |row| Some(rows.low[row]), within(0.2));
        compared.check_column("score_high", &theirs["score_high"], |row| Some(rows.high[row]), within(0.2));
        for (row, below) in rows.below.iter().enumerate() {
            assert!((rows.above[row] - (1.0 - below)).abs() < 1e-12, "{} {row}", compared.report);
        }
        let median = compared.expected["median"].as_f64().expect("a median");
        assert!((evidence.median - median).abs() <= 0.1, "{}: {}", compared.report, evidence.median);
    }
}

#[test]
fn scales_are_quantiles_of_the_prior() {
    for compared in Compared::all() {
        for scale in &compared.evidence().metrics {
            let theirs = &compared.expected["metrics"][&scale.metric];
            let figure = |key: &str| theirs[key].as_f64().expect("a figure");
            let (lo, hi) = (scale.lo.expect("a value"), scale.hi.expect("a value"));
            // The flat hill again: what counts is small against the width of the scale.
            let tolerance = 2e-3 * (figure("hi") - figure("lo"));
            for (ours, theirs) in [(lo, figure("lo")), (hi, figure("hi"))] {
                let name = &scale.metric;
                assert!((ours - theirs).abs() <= tolerance, "{} {name}: {ours}, {theirs}", compared.report);
            }
        }
    }
}

#[test]
fn lists_are_those_of_the_formulas() {
    for compared in Compared::all() {
        for (which, ours) in
            [("block", &compared.scored.lists.block), ("allow", &compared.scored.lists.allow)]
        {
            let theirs: Vec<&str> = compared.expected[which]
                .as_array()
                .expect("a list")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let has_rows = !compared.report.ends_with("identical");
            assert_eq!(
                !theirs.is_empty(),
                has_rows,
                "{} {which}: a list that proves nothing",
                compared.report
            );
            for (at, &row) in compared.rows.iter().enumerate() {
                let name = compared.results().names[row].as_str();
                let agree = ours.contains(&row) == theirs.contains(&name);
                assert!(agree || compared.is_on_the_edge(at), "{} {which} {name}", compared.report);
            }
            let both = |name: &&str| ours.iter().any(|&row| compared.results().names[row] == *name);
            let ordered: Vec<&str> = theirs.iter().copied().filter(both).collect();
            let ours = ours.iter().map(|&row| compared.results().names[row].as_str());
            let ours: Vec<&str> = ours.filter(|name| theirs.contains(name)).collect();
            assert_eq!(ours, ordered, "{} {which}: the order", compared.report);
        }
    }
}

#[test]
fn patterns_are_those_of_the_formulas() {
    let mut found = 0;
    for compared in Compared::all() {
        let theirs = compared.expected["rows"]["patterns"].as_array().expect("patterns");
        for (&row, theirs) in compared.rows.iter().zip(theirs) {
            let patterns = &compared.evidence_rows().patterns[row];
            let ours: Vec<&str> = patterns.iter().map(|pattern| pattern.name()).collect();
            assert_eq!(Value::from(ours), *theirs, "{} {}", compared.report, compared.results().names[row]);
            found += patterns.len();
        }
    }
    assert!(found > 50, "{found} patterns prove little");
}

#[test]
fn impressions_needed_are_those_of_the_formulas() {
    let mut undecided = 0;
    for compared in Compared::all() {
        let rows = compared.evidence_rows();
        let theirs = compared.expected["rows"]["impressions_needed"].as_array().expect("impressions");
        for (at, (&row, theirs)) in compared.rows.iter().zip(theirs).enumerate() {
            if compared.is_on_the_edge(at) {
                continue;
            }
            let (ours, theirs) = (rows.impressions_needed[row], theirs.as_f64());
            let name = &compared.results().names[row];
            match (ours, theirs) {
                (None, None) => {}
                // The nearer a law stays to the threshold as its counts grow, the more a factor hangs on the last
                // digits of the prior.
                (Some(ours), Some(theirs)) if (ours / theirs - 1.0).abs() < 0.1 => undecided += 1,
                // At the end of what is tried either may be the first to give up.
                (Some(one), None) | (None, Some(one))
                    if one > 1000.0 * compared.results().impressions[row] => {}
                _ => panic!("{} {name}: {ours:?}, expected {theirs:?}", compared.report),
            }
        }
    }
    assert!(undecided > 200, "{undecided} rows prove little");
}
