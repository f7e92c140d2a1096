//! Fixtures as the engine scores them, and the figures of numpy and scipy for them.

use std::path::Path;

use caliber_analysis::Subject;
use caliber_engine::dictionary::Dictionary;
use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::{Channel, Recipe, RecipeBook};
use caliber_engine::report::source::Source;
use caliber_engine::report::xls::SheetCsv;
use caliber_engine::results::Results;
use caliber_engine::{Code, Context, Error, Options, Progress};
use serde_json::Value;

/// A scored run.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) results: Results,
    pub(crate) recipe: Recipe,
    pub(crate) normalization: Normalization,
}

impl Run {
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            results: &self.results,
            recipe: &self.recipe,
            dictionary: Dictionary::shipped(),
            normalization: self.normalization,
        }
    }

    pub(crate) fn row(&self, name: &str) -> usize {
        self.results.names.iter().position(|known| known == name).unwrap()
    }
}

fn no_sandbox(_: &Path, _: Option<&str>) -> caliber_engine::Result<SheetCsv> {
    Err(Error::new(Code::Machine, "no old workbook is among the fixtures"))
}

/// A fixture of the engine, normalised in a way.
pub(crate) fn fixture(name: &str, normalization: Normalization) -> Run {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../caliber-engine/tests/fixtures");
    let source = Source::open(&fixtures.join(format!("{name}.csv")), name).unwrap();
    let (platform, channel) = match name {
        "pp_video" => ("pulsepoint", Channel::Video),
        "ttd_ctv" => ("trade_desk", Channel::Ctv),
        _ => ("trade_desk", Channel::Display),
    };
    let options = Options {
        platform: Some(platform.into()),
        channel: Some(channel),
        ctr_sensitive: name.contains("ctr_sensitive"),
        normalization,
        ..Options::default()
    };
    let context =
        Context { book: RecipeBook::shipped(), sandbox: &no_sandbox, progress: &Progress::default() };
    let scored = caliber_engine::score(vec![source], &options, &context).unwrap();
    Run { results: scored.results, recipe: scored.summary.recipe, normalization }
}

/// The figures of tests/reference/explain.py.
pub(crate) fn reference() -> Value {
    serde_json::from_str(include_str!("../reference/explain.json")).unwrap()
}

/// A figure as close as two programs come.
#[track_caller]
pub(crate) fn assert_close(ours: f64, theirs: &Value, what: &str) {
    let theirs = theirs.as_f64().unwrap_or_else(|| panic!("{what}: {theirs} for {ours}"));
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "{what}: {ours}, expected {theirs}");
}

/// The keys of an object in their order.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
