//! Reads `results.parquet` and `results.csv` back as they were written.
//!
//! Of Parquet, each column is decoded straight into its vector, several columns at once, so that nothing but the
//! results and a page a thread is in memory; CSV is read a row at a time.

mod cells;
mod csv;
mod file;

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use bytes::Bytes;
use caliber_engine::evidence::{Decision, EvidenceRows, Pattern};
use caliber_engine::recipe::{Dimension, WeightedMetric};
use caliber_engine::results::{EffectiveCounts, ExtraColumn, MetricColumn, Results};
use caliber_engine::{Code, Error, Result};

use crate::columns::{COUNTS, EXTRAS};
use cells::{Cells, Kind};
use file::ResultsFile;

/// Bytes of CSV read at a time.
const BUFFER: usize = 1 << 18;
const AGAIN: &str = "score the report again";

/// What the evidence says of the rows; all of them or none is there.
const EVIDENCE: [(&str, Kind); 10] = [
    ("decision_reason", Kind::Names),
    ("patterns", Kind::Flags),
    ("known_metrics", Kind::Flags),
    ("decision", Kind::Names),
    ("evidence_score", Kind::Numbers),
    ("score_low", Kind::Numbers),
    ("score_high", Kind::Numbers),
    ("p_below", Kind::Numbers),
    ("p_above", Kind::Numbers),
    ("impressions_needed", Kind::MaybeNumbers),
];

/// Reads `results.parquet` as [`write_results_parquet`](crate::write_results_parquet) left it, to the last bit.
///
/// `metrics` are those of the recipe that the rows were scored by (`recipe.metrics` of `summary.json`): the file
/// itself holds neither weights nor directions. Columns of later versions are passed over.
///
/// # Errors
/// [`Code::NotReadable`] where there is no such file, [`Code::Malformed`] where it is damaged, was not written by
/// us, or lacks a metric.
pub fn read_results_parquet(path: &Path, metrics: &[WeightedMetric]) -> Result<Results> {
    // Each thread opens the file for itself: handles that are cloned would share one position.
    let file =
        ResultsFile::open(|| File::open(path)).map_err(|error| error.in_file(path.display().to_string()))?;
    read(&file, metrics).map_err(|error| error.in_file(path.display().to_string()))
}

/// As [`read_results_parquet`], of a file that is in memory.
pub fn read_results_parquet_bytes(bytes: &Bytes, metrics: &[WeightedMetric]) -> Result<Results> {
    read(&ResultsFile::open(|| Ok(bytes.clone()))?, metrics)
}

/// Reads `results.csv` as [`write_results_csv`](crate::write_results_csv) left it, to the last bit: what was
/// neutralised is restored. The file has no effective counts. Columns that no metric needs are passed over.
///
/// `metrics` are those of the recipe that the rows were scored by.
///
/// # Errors
/// [`Code::NotReadable`] where there is no such file, [`Code::Empty`] and [`Code::HeaderOnly`] where it has no rows,
/// [`Code::TooLarge`] for a row beyond 1 MiB, [`Code::Malformed`] with line and column for what we do not write.
pub fn read_results_csv(path: &Path, metrics: &[WeightedMetric]) -> Result<Results> {
    let unreadable = |cause: std::io::Error| {
        Error::new(Code::NotReadable, format!("the file cannot be opened: {cause}"))
            .help("check the name, and that you may read it")
            .caused_by(cause)
    };
    let file = File::open(path).map_err(unreadable);
    file.and_then(|file| csv::read(BufReader::with_capacity(BUFFER, file), metrics))
        .map_err(|error| error.in_file(path.display().to_string()))
}

fn read<R: file::Source>(file: &ResultsFile<R>, metrics: &[WeightedMetric]) -> Result<Results> {
    let has = |name: &str| file.has(name);
    let dimension = dimension_of(has)?;
    let cells = file.read(&wanted(has, dimension, metrics))?;
    assemble(Columns { cells, rows: file.rows() }, dimension, metrics)
}

/// What the rows of a file with these columns are.
fn dimension_of(has: impl Fn(&str) -> bool) -> Result<Dimension> {
    let mut known = [Dimension::Domain, Dimension::SupplyVendor].into_iter();
    known.find(|dimension| has(dimension.name())).ok_or_else(|| missing("domain"))
}

fn assemble(mut columns: Columns, dimension: Dimension, metrics: &[WeightedMetric]) -> Result<Results> {
    let clicks = columns.count("clicks")?;
    let conversions = columns.count("conversions")?;
    let spend = columns.count("spend")?;
    let impressions = columns.numbers("impressions")?;
    let metrics = metrics
        .iter()
        .map(|metric| {
            let name = metric.metric.as_str();
            let summed = |sums: &Option<Vec<f64>>| match sums {
                Some(sums) => sums.iter().copied().map(Some).collect(),
                None => vec![None; columns.rows],
            };
            let values = match name {
                "impressions" => impressions.iter().copied().map(Some).collect(),
                "clicks" => summed(&clicks),
                "conversions" => summed(&conversions),
                "spend" => summed(&spend),
                _ => columns.maybe_numbers(name)?,
            };
            columns.metric(metric, values)
        })
        .collect::<Result<_>>()?;
    let mut extras = Vec::new();
    for name in EXTRAS {
        if columns.cells.contains_key(name) {
            let values = columns.maybe_numbers(name)?;
            extras.push(ExtraColumn { name, values, counts: columns.counts(name)? });
        }
    }
    let evidence =
        if columns.cells.contains_key("evidence_score") { Some(columns.evidence()?) } else { None };
    Ok(Results {
        dimension,
        names: columns.names(dimension.name())?,
        scores: columns.numbers("score")?,
        percentiles: columns.numbers("percentile")?,
        statuses: columns.statuses()?,
        outlier_flags: columns.flags("outlier_flags")?,
        quality_flags: columns.flags("quality_flags")?,
        impressions,
        clicks,
        conversions,
        spend,
        extras,
        metrics,
        evidence,
    })
}

/// The columns to decode, those that take longest first.
fn wanted(
    has: impl Fn(&str) -> bool,
    dimension: Dimension,
    metrics: &[WeightedMetric],
) -> Vec<(String, Kind)> {
    let mut wanted = vec![
        (dimension.name().to_owned(), Kind::Names),
        ("outlier_flags".to_owned(), Kind::Flags),
        ("quality_flags".to_owned(), Kind::Flags),
        ("quality_status".to_owned(), Kind::Statuses),
    ];
    let mut add = |name: &str, kind| wanted.push((name.to_owned(), kind));
    for name in ["score", "percentile", "impressions"] {
        add(name, Kind::Numbers);
    }
    for name in ["clicks", "conversions", "spend"] {
        add(name, Kind::Count);
    }
    for metric in metrics {
        let name = metric.metric.as_str();
        if !COUNTS.contains(&name) {
            add(name, Kind::MaybeNumbers);
        }
        add(&format!("{name}_normalized"), Kind::Numbers);
        add(&format!("{name}_contribution"), Kind::Numbers);
    }
    for extra in EXTRAS {
        if metrics.iter().all(|metric| metric.metric != extra) && has(extra) {
            add(extra, Kind::MaybeNumbers);
        }
    }
    let shares = metrics.iter().map(|metric| metric.metric.as_str());
    for share in shares.chain(EXTRAS) {
        for counts in ["events", "trials"].map(|what| format!("{share}_{what}")) {
            if has(&counts) && wanted.iter().all(|(name, _)| *name != counts) {
                wanted.push((counts, Kind::Numbers));
            }
        }
    }
    wanted.extend(
        EVIDENCE.into_iter().filter(|(name, _)| has(name)).map(|(name, kind)| (name.to_owned(), kind)),
    );
    wanted
}

/// What was decoded, each taken out once.
struct Columns {
    cells: HashMap<String, Cells>,
    rows: usize,
}

impl Columns {
    /// The effective counts of a share, where the file has them.
    fn counts(&mut self, name: &str) -> Result<Option<EffectiveCounts>> {
        let (events, trials) = (format!("{name}_events"), format!("{name}_trials"));
        if !self.cells.contains_key(&events) {
            return Ok(None);
        }
        Ok(Some(EffectiveCounts { events: self.numbers(&events)?, trials: self.numbers(&trials)? }))
    }

    fn evidence(&mut self) -> Result<EvidenceRows> {
        let words = |rows: Vec<Vec<String>>, name: &str| -> Result<Vec<Vec<Pattern>>> {
            let pattern = |word: &String| {
                Pattern::of(word).ok_or_else(|| damaged(format!("`{word}` in `{name}` is no pattern")))
            };
            rows.iter().map(|words| words.iter().map(pattern).collect()).collect()
        };
        let decision =
            |word: &String| Decision::of(word).ok_or_else(|| damaged(format!("`{word}` is no decision")));
        Ok(EvidenceRows {
            scores: self.numbers("evidence_score")?,
            low: self.numbers("score_low")?,
            high: self.numbers("score_high")?,
            below: self.numbers("p_below")?,
            above: self.numbers("p_above")?,
            decisions: self.names("decision")?.iter().map(decision).collect::<Result<_>>()?,
            reasons: self.names("decision_reason")?,
            impressions_needed: self.maybe_numbers("impressions_needed")?,
            patterns: words(self.flags("patterns")?, "patterns")?,
            known_metrics: self.flags("known_metrics")?.into_iter().next().unwrap_or_default(),
        })
    }

    fn metric(&mut self, metric: &WeightedMetric, values: Vec<Option<f64>>) -> Result<MetricColumn> {
        let name = &metric.metric;
        let counts = self.counts(name)?;
        Ok(MetricColumn {
            name: name.clone(),
            weight: metric.weight,
            better: metric.better,
            values,
            normalized: self.numbers(&format!("{name}_normalized"))?,
            contributions: self.numbers(&format!("{name}_contribution"))?,
            counts,
        })
    }

    fn numbers(&mut self, name: &str) -> Result<Vec<f64>> {
        match self.cells.remove(name) {
            Some(Cells::Numbers(numbers)) => self.whole(numbers, name),
            _ => Err(missing(name)),
        }
    }

    fn maybe_numbers(&mut self, name: &str) -> Result<Vec<Option<f64>>> {
        match self.cells.remove(name) {
            Some(Cells::MaybeNumbers(numbers)) => self.whole(numbers, name),
            _ => Err(missing(name)),
        }
    }

    /// A count, or none where every cell is missing: the report had no such column.
    fn count(&mut self, name: &str) -> Result<Option<Vec<f64>>> {
        match self.cells.remove(name) {
            Some(Cells::Numbers(numbers)) if numbers.len() == self.rows => Ok(Some(numbers)),
            Some(Cells::Numbers(numbers)) if numbers.is_empty() => Ok(None),
            Some(_) => Err(damaged(format!("`{name}` is missing in some rows only"))),
            None => Err(missing(name)),
        }
    }

    fn names(&mut self, name: &str) -> Result<Vec<String>> {
        match self.cells.remove(name) {
            Some(Cells::Names(names)) => self.whole(names, name),
            _ => Err(missing(name)),
        }
    }

    fn statuses(&mut self) -> Result<Vec<caliber_engine::results::Status>> {
        match self.cells.remove("quality_status") {
            Some(Cells::Statuses(statuses)) => self.whole(statuses, "quality_status"),
            _ => Err(missing("quality_status")),
        }
    }

    fn flags(&mut self, name: &str) -> Result<Vec<Vec<String>>> {
        match self.cells.remove(name) {
            Some(Cells::Flags(flags)) => self.whole(flags, name),
            _ => Err(missing(name)),
        }
    }

    /// Whoever goes through the rows relies on a cell for each.
    fn whole<T>(&self, cells: Vec<T>, name: &str) -> Result<Vec<T>> {
        if cells.len() == self.rows {
            return Ok(cells);
        }
        Err(damaged(format!("`{name}` has {} cells for {} rows", cells.len(), self.rows)))
    }
}

fn missing(column: &str) -> Error {
    damaged(format!("there is no column `{column}` as a results file has it"))
}

fn damaged(what: impl Into<String>) -> Error {
    Error::new(Code::Malformed, what).help(AGAIN)
}
