//! Delimited text through the whole line, cut and shared out in several ways.
//!
//! The first line is a call, such as `--no-header --map domain=#1 --chunk 7`; what it does not know it passes over.
//! The report begins on the second.

use std::io::Write;
use std::path::Path;

use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::{Channel, Dimension, Goal};
use caliber_engine::report::mapping::Override;
use caliber_engine::report::source::Source;
use caliber_engine::results::Results;
use caliber_engine::{Code, Options, Scale};

use super::{is_sound, is_sound_refusal, score};

/// Whatever the chunks and the threads: the same results, or the same refusal at the same line.
pub(crate) fn check(bytes: &[u8]) {
    let call = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let report = bytes.get(call.len() + 1..).unwrap_or_default();
    let (options, chunk_bytes) = options(&String::from_utf8_lossy(call));
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(report).expect("a written file");

    let (whole, options) = match outcome(file.path(), &Options { threads: 1, ..options.clone() }) {
        (whole, Some(chosen)) => {
            (whole, Options { recipe: Some(chosen.0), channel: Some(chosen.1), ..options })
        }
        // Refused for its headers, of which chunks and threads know nothing.
        (Outcome::Refused(Code::NotRecognised | Code::SeveralRecipes | Code::NoHeader, _), _) => return,
        (whole, None) => (whole, options),
    };
    let (cut, _) = outcome(file.path(), &Options { threads: 1, chunk_bytes, ..options.clone() });
    assert_eq!(cut, whole, "in chunks of {chunk_bytes}");
    let (shared, _) = outcome(file.path(), &Options { threads: 2, chunk_bytes, ..options });
    assert_eq!(shared, whole, "in chunks of {chunk_bytes} on two threads");
}

/// What a call came to, as far as it must not depend on chunks and threads.
#[derive(Debug, PartialEq)]
enum Outcome {
    Scored { results: Box<Results>, allow: Vec<usize>, block: Vec<usize>, summary: String, quality: String },
    Refused(Code, Option<u64>),
}

/// What comes of a call, and the recipe and channel it settled on, which spare the next call recognition.
fn outcome(path: &Path, options: &Options) -> (Outcome, Option<(String, Channel)>) {
    let scored = match Source::open(path, "report").and_then(|source| score(source, options)) {
        Ok(scored) => scored,
        Err(error) => {
            is_sound_refusal(&error);
            return (Outcome::Refused(error.code, error.line), None);
        }
    };
    is_sound(&scored);
    let channel = Channel::of(&scored.summary.channel).expect("a channel");
    let chosen = (scored.summary.recipe.name.clone(), channel);
    let outcome = Outcome::Scored {
        summary: serde_json::to_string(&scored.summary).expect("a summary is JSON"),
        quality: serde_json::to_string(&scored.quality).expect("a quality report is JSON"),
        results: Box::new(scored.results),
        allow: scored.lists.allow,
        block: scored.lists.block,
    };
    (outcome, Some(chosen))
}

/// The options of a call, and how many bytes a chunk has: 1 to 64.
fn options(call: &str) -> (Options, usize) {
    let (mut options, mut chunk_bytes) = (Options::default(), 7);
    for flag in call.split("--").skip(1).map(str::trim) {
        let (name, value) = flag.split_once(' ').unwrap_or((flag, ""));
        let pair = || value.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned()));
        match name {
            "no-header" => options.no_header = true,
            "ctr-sensitive" => options.ctr_sensitive = true,
            "map" => options.overrides.extend(Override::parse(value)),
            "where" => options.filters.extend(pair()),
            "scale" => options.scales.extend(pair().map(|(name, scale)| {
                (name, if scale == "percent" { Scale::Percent } else { Scale::Fraction })
            })),
            "platform" => options.platform = Some(value.to_owned()),
            "channel" => options.channel = Channel::of(value),
            "recipe" => options.recipe = Some(value.to_owned()),
            "goal" if value == "action" => options.goal = Goal::Action,
            "dimension" if value == "supply_vendor" => options.dimension = Some(Dimension::SupplyVendor),
            "dimension" => options.dimension = Some(Dimension::Domain),
            "normalization" => {
                let known = Normalization::ALL.into_iter().find(|(word, _)| *word == value);
                options.normalization = known.map_or(options.normalization, |(_, known)| known);
            }
            "min-impressions" => options.min_impressions = value.parse().ok(),
            "protect" => options.protected.push(value.to_owned()),
            "chunk" => chunk_bytes = value.parse().unwrap_or(chunk_bytes),
            _ => {}
        }
    }
    (options, chunk_bytes.clamp(1, 64))
}
