//! Scored rows with other values, scored again.

use crate::dictionary::Dictionary;
use crate::normalize::{Normalization, normalize};
use crate::ranking::rank;
use crate::results::Results;
use crate::score::{contributions, fences, in_file_order, outlier_flags, quality_flags, total_scores};
use crate::{Code, Error, Result};

/// Scores rows again by the raw values in the columns of their metrics: whatever was made of values before is made
/// anew, from normalised figures to flags, and the rows are sorted as files are. Totals and the columns beside the
/// metrics stay; effective counts and evidence, which belong to the values before, are left out.
///
/// # Errors
/// `BadOption` for [`Normalization::Shrunk`], which needs the counts behind each share.
pub fn rescore(mut rows: Results, dictionary: &Dictionary, normalization: Normalization) -> Result<Results> {
    if normalization == Normalization::Shrunk {
        let message = "scores by the shrunk normalisation cannot be redone from results";
        return Err(Error::new(Code::BadOption, message).help("score the report itself again"));
    }
    let weight_sum: f64 = rows.metrics.iter().map(|metric| metric.weight).sum();
    for metric in &mut rows.metrics {
        let (normalized, _) =
            normalize(&metric.values, metric.better, normalization, None).map_err(|error| {
                Error::new(Code::Machine, format!("{} cannot be normalised", metric.name))
                    .caused_by(error.to_string())
            })?;
        metric.contributions = contributions(&normalized, metric.weight, weight_sum);
        metric.normalized = normalized;
        metric.counts = None;
    }
    rows.evidence = None;
    let fences: Vec<_> = rows.metrics.iter().map(|metric| fences(&metric.values)).collect();
    rows.outlier_flags = outlier_flags(&rows.metrics, &fences, rows.len());
    rows.quality_flags = quality_flags(&rows.metrics, &rows.extras, dictionary, rows.len());
    rows.scores = total_scores(&rows.metrics, rows.len());
    (rows.percentiles, rows.statuses) = rank(&rows.scores);
    Ok(in_file_order(&rows))
}
