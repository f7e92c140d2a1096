//! Which rows are strange, by six methods, and what is left of the scores without them.

mod description;
mod elliptic_envelope;
mod isolation_forest;
mod kd_tree;
mod local_outlier_factor;
mod matrix;
mod treated_summary;
mod treatment;

use caliber_engine::parallel;
use caliber_engine::statistics::quantile;
use serde::Serialize;

pub use description::{Analysis, ColumnAnalysis, Severity, TopOutlier};
pub use matrix::Skipped;
pub use treated_summary::treated_summary;
pub use treatment::{Treated, Treatment, TreatmentAnswer, treat};

use crate::error::chosen;
use crate::{ByMetric, DEFAULT_SEED, Error, Result, Subject};
use matrix::Columns;

/// The share of rows that are taken for outliers unless another is asked for.
pub const DEFAULT_CONTAMINATION: f64 = 0.1;
/// Outliers that are described unless another number is asked for.
pub const DEFAULT_LIMIT: usize = 20;
/// Rows below which nothing can be said.
const LEAST_ROWS: usize = 4;
/// The z above which a row is an outlier by `zscore`.
const LEAST_Z: f64 = 3.0;

/// How strangeness is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OutlierMethod))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// How few random cuts set the row apart (Liu, Ting and Zhou 2008).
    #[default]
    IsolationForest,
    /// How much sparser its place is than its 20 neighbours' (Breunig, Kriegel, Ng and Sander 2000).
    LocalOutlierFactor,
    /// Its distance under the covariance of the most compact half of the rows (Rousseeuw and Van Driessen 1999).
    EllipticEnvelope,
    /// Its largest distance from a metric's mean, in standard deviations.
    Zscore,
    /// In how many metrics it lies outside the interquartile fences (Tukey 1977).
    Iqr,
    /// How many of isolation forest, local outlier factor and z-score find it strange.
    Combined,
}

impl Method {
    /// Every method, by its word in options and answers.
    pub const ALL: [(&'static str, Self); 6] = [
        ("isolation_forest", Self::IsolationForest),
        ("local_outlier_factor", Self::LocalOutlierFactor),
        ("elliptic_envelope", Self::EllipticEnvelope),
        ("zscore", Self::Zscore),
        ("iqr", Self::Iqr),
        ("combined", Self::Combined),
    ];
    /// Those whose votes make [`Method::Combined`].
    const VOTERS: [Self; 3] = [Self::IsolationForest, Self::LocalOutlierFactor, Self::Zscore];

    /// The method of a word.
    ///
    /// # Errors
    /// [`Error::Option`] where there is none.
    pub fn of(word: &str) -> Result<Self> {
        chosen("method", word, &Self::ALL)
    }

    /// Its word.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, method)| *method == self).map_or("", |(word, _)| word)
    }

    /// Whether its threshold follows from the share of rows that are taken for outliers.
    pub fn uses_contamination(self) -> bool {
        !matches!(self, Self::Zscore | Self::Iqr)
    }

    /// Whether it draws.
    pub fn uses_seed(self) -> bool {
        matches!(self, Self::IsolationForest | Self::EllipticEnvelope | Self::Combined)
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// How strangeness is measured.
    pub method: Method,
    /// The share of rows taken for outliers, in (0, 0.5].
    pub contamination: f64,
    /// The seed of all draws.
    pub seed: u64,
    /// Whether the answer holds the score of every row.
    pub scores: bool,
    /// How many outliers are described.
    pub limit: usize,
    /// Threads that compute; the answer is the same with any number.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            method: Method::default(),
            contamination: DEFAULT_CONTAMINATION,
            seed: DEFAULT_SEED,
            scores: false,
            limit: DEFAULT_LIMIT,
            threads: parallel::available(),
        }
    }
}

/// The answer: which rows are outliers, why, and what to do about them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Outliers {
    /// How strangeness was measured.
    pub method: Method,
    /// Rows looked at.
    pub rows: usize,
    /// The metrics that took part, in recipe order.
    pub columns: Vec<String>,
    /// The metrics that took no part, and why.
    pub skipped_columns: ByMetric<Skipped>,
    /// The share of rows taken for outliers; `None` where the method uses none.
    pub contamination: Option<f64>,
    /// The seed of the draws; `None` where the method draws nothing.
    pub seed: Option<u64>,
    /// The score above which a row is an outlier.
    pub threshold: f64,
    /// Rows above it, ascending.
    pub outlier_indices: Vec<usize>,
    /// How many they are.
    pub outlier_count: usize,
    /// The score of every row, higher is stranger; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outlier_scores: Option<Vec<f64>>,
    /// The strangest rows.
    pub top_outliers: Vec<TopOutlier>,
    /// What each voter of [`Method::Combined`] found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub individual_results: Option<ByMetric<IndividualResult>>,
    /// The outliers beside the other rows.
    pub analysis: Analysis,
    /// Sentences, at least one; they name metrics.
    pub recommendations: Vec<String>,
}

/// What one of several methods found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IndividualResult {
    /// Rows above the threshold.
    pub outlier_count: usize,
    /// The score above which a row is an outlier.
    pub threshold: f64,
}

/// Finds the rows that are unlike the others in the recipe's raw metrics.
///
/// # Errors
/// [`Error::Option`]: `contamination` outside (0, 0.5]; `rows` where they are too few; `method` where the elliptic
/// envelope cannot tell metrics apart.
pub fn detect(subject: &Subject<'_>, options: &Options) -> Result<Outliers> {
    let rows = subject.results.len();
    let found = find(subject, options)?;
    let Found { columns, scored, voters } = &found;
    let uses = options.method.uses_contamination();
    let analysis = description::analysis(columns, scored);
    Ok(Outliers {
        method: options.method,
        rows,
        columns: columns.names(),
        skipped_columns: columns.skipped.clone(),
        contamination: uses.then_some(options.contamination),
        seed: options.method.uses_seed().then_some(options.seed),
        threshold: scored.threshold,
        outlier_count: scored.outliers().count(),
        outlier_indices: scored.outliers().collect(),
        outlier_scores: options.scores.then(|| scored.scores.clone()),
        top_outliers: description::top_outliers(subject, columns, scored, options.limit),
        individual_results: voters.clone(),
        recommendations: description::recommendations(subject, columns, scored, &analysis),
        analysis,
    })
}

/// What a method found.
struct Found<'a> {
    columns: Columns<'a>,
    scored: Scored,
    voters: Option<ByMetric<IndividualResult>>,
}

/// Scores of rows and the threshold above which they are outliers.
struct Scored {
    scores: Vec<f64>,
    threshold: f64,
}

impl Scored {
    /// The threshold that leaves this share of the rows above it.
    fn by_share(scores: Vec<f64>, contamination: f64) -> Self {
        let mut sorted = scores.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let threshold = quantile(&sorted, 1.0 - contamination).unwrap_or(0.0);
        Self { scores, threshold }
    }

    fn is_outlier(&self, row: usize) -> bool {
        self.scores[row] > self.threshold
    }

    fn outliers(&self) -> impl Iterator<Item = usize> {
        (0..self.scores.len()).filter(|&row| self.is_outlier(row))
    }
}

/// The outliers of a method, without a word about them.
fn find<'a>(subject: &Subject<'a>, options: &Options) -> Result<Found<'a>> {
    let rows = subject.results.len();
    check(rows, options)?;
    let mut columns = Columns::of(subject.results);
    if options.method == Method::EllipticEnvelope {
        columns = columns.without_repeated(subject.results, |width| elliptic_envelope::support(rows, width));
    }
    if options.method != Method::Combined {
        let scored = scored(subject, &columns, options.method, options)?;
        return Ok(Found { columns, scored, voters: None });
    }
    let mut scores = vec![0.0; rows];
    let mut voters = ByMetric(Vec::new());
    for method in Method::VOTERS {
        let voter = scored(subject, &columns, method, options)?;
        for row in voter.outliers() {
            scores[row] += 1.0;
        }
        let result = IndividualResult { outlier_count: voter.outliers().count(), threshold: voter.threshold };
        voters.0.push((method.name().to_owned(), result));
    }
    Ok(Found { columns, scored: Scored { scores, threshold: 0.0 }, voters: Some(voters) })
}

/// Whether the contamination makes sense, also where the method does not use it.
fn check_contamination(contamination: f64) -> Result<()> {
    if !(contamination > 0.0 && contamination <= 0.5) {
        let message = format!(
            "{contamination} cannot be the share of rows that are outliers; it must be above 0 and at most 0.5"
        );
        return Err(Error::option("contamination", message));
    }
    Ok(())
}

fn check(rows: usize, options: &Options) -> Result<()> {
    check_contamination(options.contamination)?;
    if rows < LEAST_ROWS {
        let message =
            format!("{rows} rows are too few to find outliers among; at least {LEAST_ROWS} are needed");
        return Err(Error::option("rows", message));
    }
    Ok(())
}

/// The scores of one method that stands alone.
fn scored(subject: &Subject<'_>, columns: &Columns<'_>, method: Method, options: &Options) -> Result<Scored> {
    let rows = subject.results.len();
    let (seed, threads) = (options.seed, options.threads);
    let by_share = |scores| Scored::by_share(scores, options.contamination);
    Ok(match method {
        Method::IsolationForest => by_share(isolation_forest::scores(&columns.matrix(rows), seed, threads)),
        Method::LocalOutlierFactor => by_share(local_outlier_factor::scores(&columns.matrix(rows), threads)),
        Method::EllipticEnvelope => by_share(distances(subject, columns, options)?),
        Method::Zscore => Scored { scores: largest_z(columns, rows), threshold: LEAST_Z },
        Method::Iqr | Method::Combined => {
            let outside = |flags: &Vec<String>| flags.len() as f64;
            Scored { scores: subject.results.outlier_flags.iter().map(outside).collect(), threshold: 0.0 }
        }
    })
}

/// Squared distances of the elliptic envelope.
fn distances(subject: &Subject<'_>, columns: &Columns<'_>, options: &Options) -> Result<Vec<f64>> {
    let (rows, width) = (subject.results.len(), columns.used.len());
    let label = |at: usize| subject.dictionary.label(&columns.used[at].metric.name);
    if width == 0 {
        let message = "elliptic_envelope has no metric to look at: in each, most rows share one value; isolation_forest or zscore may serve";
        return Err(Error::option("method", message));
    }
    let least = 2 * width + 2;
    if rows < least {
        let message = format!(
            "{rows} rows are too few for elliptic_envelope on {width} metrics; at least {least} are needed"
        );
        return Err(Error::option("rows", message));
    }
    let matrix = columns.matrix(rows);
    elliptic_envelope::scores(&matrix, options.seed, options.threads).map_err(|singular| {
        let labels: Vec<String> = singular.0.iter().map(|&at| label(at)).collect();
        let fault = match labels.as_slice() {
            [one] => format!("{one} hardly varies"),
            several => format!("{} say the same", joined(several)),
        };
        let message = format!(
            "elliptic_envelope cannot measure distances: in half of the rows or more {fault}; another method can, such as isolation_forest"
        );
        Error::option("method", message)
    })
}

/// The largest absolute z of each row, 0 where it has none.
fn largest_z(columns: &Columns<'_>, rows: usize) -> Vec<f64> {
    let largest = |row: usize| {
        columns.used.iter().filter_map(|column| column.z(row)).fold(0.0, |a: f64, z| a.max(z.abs()))
    };
    (0..rows).map(largest).collect()
}

/// Words in a sentence: `a, b and c`.
fn joined(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
