//! What makes the scores of a campaign, and the score of one of its rows.

mod certainty;
mod correlations;
mod counterfactual;
mod domain;
mod shapley;
mod words;

use serde::Serialize;

use crate::error::chosen;
use crate::importance::{self, Importance, feature_importance};
use crate::{Error, Result, Subject};

pub use correlations::Correlations;
pub use counterfactual::Counterfactual;
pub use domain::{Breakdown, DomainExplanation, explain_domain};
pub use shapley::Shapley;

/// How a campaign's scores are explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// The exact Shapley values of the score.
    #[default]
    Shapley,
    /// What a random forest needs to tell the scores apart.
    FeatureImportance,
    /// The correlation of each raw metric with the score.
    Correlation,
}

impl Method {
    /// Every method by its words in options; the first word of each is its name.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("shapley", Self::Shapley),
        ("shap", Self::Shapley),
        ("feature_importance", Self::FeatureImportance),
        ("correlation", Self::Correlation),
    ];

    /// The method of a word.
    ///
    /// # Errors
    /// [`Error::Option`] `method`, with the words there are.
    pub fn of(word: &str) -> Result<Self> {
        chosen("method", word, &Self::WORDS)
    }
}

/// What is asked about a campaign.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How it is explained.
    pub method: Method,
    /// Whether the Shapley values of every row are wanted; other methods have none.
    pub values: bool,
    /// The seed of methods that draw.
    pub seed: u64,
    /// Threads that work side by side.
    pub threads: usize,
}

/// A campaign explained, as its method does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Explanation {
    /// By Shapley values.
    Shapley(Shapley),
    /// By a random forest.
    FeatureImportance(Importance),
    /// By correlations.
    Correlation(Correlations),
}

/// Explains the scores of a campaign.
///
/// # Errors
/// [`Error::Option`] where there are too few rows.
pub fn explain(subject: &Subject<'_>, options: Options) -> Result<Explanation> {
    refuse_no_rows(subject)?;
    Ok(match options.method {
        Method::Shapley => Explanation::Shapley(Shapley::of(subject, options)),
        Method::FeatureImportance => {
            let options = importance::Options { seed: options.seed, threads: options.threads };
            Explanation::FeatureImportance(feature_importance(subject, options)?)
        }
        Method::Correlation => Explanation::Correlation(Correlations::of(subject, options.threads)),
    })
}

fn refuse_no_rows(subject: &Subject<'_>) -> Result<()> {
    if subject.results.is_empty() {
        return Err(Error::option("results", "they hold no row; at least one is needed"));
    }
    Ok(())
}
