//! Any table and any query, beside a model that filters and sorts plain structs.

use std::cmp::Ordering;

use caliber_engine::names::display_unicode;
use caliber_engine::recipe::Dimension;
use caliber_engine::results::Status;
use caliber_platform::results::{Direction, Filter, Query, SortBy};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::sample::{Row, results, table_of};

fn value(row: &Row, sort_by: &SortBy, with_spend: bool) -> Option<f64> {
    match sort_by {
        SortBy::Score => Some(row.score),
        SortBy::Impressions => Some(row.impressions),
        SortBy::Spend => with_spend.then_some(row.spend),
        SortBy::Ctr => row.ctr,
        SortBy::PercentileRank => Some((row.percentile + 0.5).floor()),
        SortBy::Metric(_) => row.view_rate,
        _ => None,
    }
}

fn by_value(a: &Row, b: &Row, query: &Query, with_spend: bool) -> Ordering {
    let directed = |order: Ordering| match query.direction {
        Direction::Ascending => order,
        Direction::Descending => order.reverse(),
    };
    if query.sort_by == SortBy::Domain {
        return directed(a.name.cmp(&b.name));
    }
    match (value(a, &query.sort_by, with_spend), value(b, &query.sort_by, with_spend)) {
        (Some(a), Some(b)) => directed(a.partial_cmp(&b).unwrap()),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

fn passes(row: &Row, filter: &Filter) -> bool {
    // A line break in a name is shown as a blank, and found as one.
    let shown = |name: &str| name.replace('\n', " ").to_lowercase();
    let found = |part: &String| {
        let part = shown(part);
        shown(&row.name).contains(&part) || shown(&display_unicode(&row.name)).contains(&part)
    };
    filter.quality_status.is_none_or(|status| row.status == status)
        && filter.min_score.is_none_or(|least| row.score >= least)
        && filter.max_score.is_none_or(|most| row.score <= most)
        && filter.min_impressions.is_none_or(|least| row.impressions >= least)
        && filter.search.as_ref().is_none_or(found)
        && (!filter.outliers_only || row.outlier)
}

/// The positions of the rows that the query wants, and how many there are on all pages.
fn expected(rows: &[Row], query: &Query, with_spend: bool) -> (Vec<usize>, usize) {
    let mut kept: Vec<usize> = (0..rows.len()).filter(|&row| passes(&rows[row], &query.filter)).collect();
    kept.sort_by(|&a, &b| {
        let (a, b) = (&rows[a], &rows[b]);
        by_value(a, b, query, with_spend)
            .then_with(|| b.impressions.partial_cmp(&a.impressions).unwrap())
            .then_with(|| a.name.cmp(&b.name))
    });
    let page = kept.iter().copied().skip((query.page - 1) * query.per_page).take(query.per_page);
    (page.collect(), kept.len())
}

/// Few values, so that there are ties of every kind.
fn few() -> impl Strategy<Value = f64> {
    prop_oneof![(0..6).prop_map(f64::from), Just(-0.0), Just(2.5)]
}

const STATUSES: [Status; 3] = [Status::Good, Status::Moderate, Status::Poor];

fn a_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab]{1,3}\\.example",
        "[a-cA-C .\n]{0,4}",
        Just("xn--mnchen-3ya.example".to_owned()),
        "xn--[a-z0-9-]{1,4}",
        "[ßäÄİſ]{0,3}x"
    ]
}

prop_compose! {
    fn a_row()(
        name in a_name(),
        (score, impressions, spend) in (few(), few(), few()),
        ctr in option::of(few()),
        view_rate in option::of(few()),
        percentile in 0.0..100.0,
        status in 0_usize..3,
        outlier: bool,
    ) -> Row {
        Row { name, score, impressions, spend, ctr, view_rate, percentile, status: STATUSES[status], outlier }
    }
}

fn a_sort_key() -> impl Strategy<Value = SortBy> {
    prop::sample::select(vec![
        SortBy::Score,
        SortBy::Impressions,
        SortBy::Spend,
        SortBy::Cpm,
        SortBy::Ctr,
        SortBy::ConversionRate,
        SortBy::PercentileRank,
        SortBy::Domain,
        SortBy::Metric("view_rate".into()),
    ])
}

prop_compose! {
    fn a_filter()(
        status in option::weighted(0.2, 0_usize..3),
        min_score in option::weighted(0.2, few()),
        max_score in option::weighted(0.2, few()),
        min_impressions in option::weighted(0.2, few()),
        search in option::weighted(0.3, prop_oneof!["[abAB.]{0,2}", "[Müünch]{1,2}", "ex", "xn--", "\\PC{1,2}"]),
        outliers_only in prop::bool::weighted(0.2),
    ) -> Filter {
        Filter {
            quality_status: status.map(|status| STATUSES[status]),
            min_score, max_score, min_impressions, search, outliers_only,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_page_is_what_plain_sorting_and_filtering_gives(
        rows in vec(a_row(), 0..150),
        queries in vec((a_sort_key(), any::<bool>(), a_filter(), 1_usize..5, 1_usize..40), 1..12),
        with_spend: bool,
        in_file_order: bool,
    ) {
        let mut rows = rows;
        if in_file_order {
            let order = expected(&rows, &Query { page: 1, per_page: 1000, ..Query::default() }, with_spend).0;
            rows = order.into_iter().map(|row| rows[row].clone()).collect();
        }
        let table = table_of(results(&rows, Dimension::Domain, with_spend));
        for (sort_by, ascending, filter, page, per_page) in queries {
            let direction = if ascending { Direction::Ascending } else { Direction::Descending };
            let query = Query { sort_by, direction, filter, page, per_page };
            let (expected, total) = expected(&rows, &query, with_spend);
            // Twice: the second time what was learnt is used.
            for _ in 0..2 {
                let page = table.page(&query).unwrap();
                let found: Vec<usize> = page.rows.iter().map(|row| row.index()).collect();
                prop_assert_eq!((&found, page.total), (&expected, total), "{:?}", query);
            }
        }
    }
}
