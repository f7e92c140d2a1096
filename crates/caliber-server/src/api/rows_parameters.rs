//! Which rows of the results, in which order: the same for pages and for exports.

use std::str::FromStr;

use caliber_platform::results::{Direction, Filter, Query, SortBy};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::failure::Failure;
use crate::words::QualityStatus;

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RowsParameters {
    /// score, impressions, spend, cpm, ctr, `conversion_rate`, `percentile_rank`, domain, metric.NAME, `p_below`.
    #[param(default = "score")]
    pub(super) sort_by: Option<String>,
    /// asc or desc, which is usual.
    #[param(inline)]
    pub(super) sort_direction: Option<DirectionWord>,
    pub(super) quality_status: Option<QualityStatus>,
    /// Inclusive.
    pub(super) min_score: Option<f64>,
    /// Inclusive.
    pub(super) max_score: Option<f64>,
    /// Inclusive.
    pub(super) min_impressions: Option<f64>,
    /// Part of the domain.
    pub(super) search: Option<String>,
    pub(super) outliers_only: Option<bool>,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DirectionWord {
    Asc,
    Desc,
}

impl RowsParameters {
    /// What is asked of the results, without a page.
    pub(super) fn query(self) -> Result<Query, Failure> {
        for (field, bound) in [
            ("min_score", self.min_score),
            ("max_score", self.max_score),
            ("min_impressions", self.min_impressions),
        ] {
            if bound.is_some_and(|bound| !bound.is_finite()) {
                return Err(Failure::invalid(field, "is a number"));
            }
        }
        let sort_by = self.sort_by.as_deref().map_or(Ok(SortBy::default()), SortBy::from_str);
        Ok(Query {
            sort_by: sort_by.map_err(|error| Failure::invalid(error.field, error.message))?,
            direction: match self.sort_direction {
                Some(DirectionWord::Asc) => Direction::Ascending,
                Some(DirectionWord::Desc) | None => Direction::Descending,
            },
            filter: Filter {
                quality_status: self.quality_status.map(Into::into),
                min_score: self.min_score,
                max_score: self.max_score,
                min_impressions: self.min_impressions,
                search: self.search,
                outliers_only: self.outliers_only.unwrap_or_default(),
            },
            page: 1,
            per_page: 0,
        })
    }
}
