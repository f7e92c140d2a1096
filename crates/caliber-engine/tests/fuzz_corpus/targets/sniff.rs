//! Arbitrary bytes as a whole file: looked at, and scored where that works.

use caliber_engine::report::source::Source;
use caliber_engine::{Options, Result};

use super::{inspect, is_sound, is_sound_refusal, score};

/// The file is told apart and read or refused; nothing panics, nothing grows without bound.
pub(crate) fn check(bytes: &[u8]) {
    look_and_score(&|| Source::from_stream(bytes, "report"));
}

/// Inspects a report and scores it as `caliber inspect` and `caliber score` do.
pub(super) fn look_and_score(open: &dyn Fn() -> Result<Source>) {
    let options = Options { threads: 1, ..Options::default() };
    let looked = open().and_then(|source| inspect(source, &options));
    let recognised = match looked {
        Ok(inspection) => {
            serde_json::to_string(&inspection).expect("an inspection is JSON");
            assert_eq!(inspection.quality.files.len(), 1, "the file that was looked at");
            inspection.recognised.is_some()
        }
        Err(error) => {
            is_sound_refusal(&error);
            assert_eq!(error.file.as_deref(), Some("report"), "{error}");
            return;
        }
    };
    match open().and_then(|source| score(source, &options)) {
        Ok(scored) => {
            assert!(recognised, "scored as {} and not recognised", scored.summary.recipe.name);
            is_sound(&scored);
        }
        Err(error) => is_sound_refusal(&error),
    }
}
