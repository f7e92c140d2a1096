//! `page` and `per_page` of lists.

use caliber_platform::Window;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::Listing;
use crate::failure::Failure;

/// Which page of a list.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Pages {
    /// From 1.
    #[param(minimum = 1, default = 1)]
    #[serde(default = "first")]
    page: i64,
    /// 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    #[serde(default = "usual")]
    per_page: i64,
}

fn first() -> i64 {
    1
}

fn usual() -> i64 {
    20
}

/// A page that is in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageOf {
    pub(super) page: u64,
    pub(super) per_page: u64,
}

impl Pages {
    /// The page of a query that says more than the page.
    pub(super) fn new(page: Option<i64>, per_page: Option<i64>) -> Self {
        Self { page: page.unwrap_or_else(first), per_page: per_page.unwrap_or_else(usual) }
    }

    /// The page, in range.
    pub(super) fn checked(self) -> Result<PageOf, Failure> {
        let page = u64::try_from(self.page).ok().filter(|page| *page >= 1);
        let per_page = u64::try_from(self.per_page).ok().filter(|per_page| (1..=100).contains(per_page));
        match (page, per_page) {
            (None, _) => Err(Failure::invalid("page", "is a whole number from 1")),
            (_, None) => Err(Failure::invalid("per_page", "is a whole number from 1 to 100")),
            (Some(page), Some(per_page)) => Ok(PageOf { page, per_page }),
        }
    }

    /// The rows of the page.
    pub(super) fn window(self) -> Result<Window, Failure> {
        let PageOf { page, per_page } = self.checked()?;
        Ok(Window { skip: (page - 1).saturating_mul(per_page), limit: per_page })
    }

    /// The answer; the page was checked before.
    pub(super) fn listing<T>(self, rows: Vec<T>, total: u64) -> Listing<T> {
        Listing::new(rows, total, self.page.unsigned_abs(), self.per_page.unsigned_abs())
    }
}
