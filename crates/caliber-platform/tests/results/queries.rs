use std::sync::Arc;

use caliber_engine::recipe::Dimension;
use caliber_engine::results::Status;
use caliber_platform::results::{Direction, Filter, Query, SortBy};

use crate::sample::{Row, first_page, names, results, table, table_of};

fn sorted(table: &caliber_platform::results::ResultsTable, sort_by: &str, direction: &str) -> Vec<String> {
    let (sort_by, direction) = (sort_by.parse().unwrap(), direction.parse().unwrap());
    names(table, &table.page(&Query { sort_by, direction, ..first_page() }).unwrap())
}

#[test]
fn ties_are_settled_by_impressions_and_then_the_name_both_ways() {
    let row = |name, impressions| Row::new(name, 50.0, impressions);
    let table = table(&[row("c.example", 9.0), row("b.example", 9.0), row("a.example", 1.0)]);
    for direction in ["asc", "desc"] {
        for sort_by in ["score", "ctr", "percentile_rank", "cpm"] {
            assert_eq!(sorted(&table, sort_by, direction), ["b.example", "c.example", "a.example"]);
        }
    }
}

#[test]
fn rows_without_a_value_come_last_both_ways() {
    let mut rows = [
        Row::new("none.example", 9.0, 5.0),
        Row::new("low.example", 1.0, 1.0),
        Row::new("high.example", 2.0, 1.0),
    ];
    rows[0].ctr = None;
    let table = table(&rows);
    assert_eq!(sorted(&table, "ctr", "asc"), ["low.example", "high.example", "none.example"]);
    assert_eq!(sorted(&table, "ctr", "desc"), ["high.example", "low.example", "none.example"]);
}

#[test]
fn a_column_that_the_report_lacks_leaves_the_order_of_ties() {
    let rows = [Row::new("a.example", 9.0, 1.0), Row::new("b.example", 1.0, 2.0)];
    let table = table_of(results(&rows, Dimension::Domain, false));
    assert_eq!(sorted(&table, "spend", "asc"), ["b.example", "a.example"]);
}

#[test]
fn a_metric_that_the_recipe_lacks_is_refused_with_those_there_are() {
    let table = table(&[Row::new("a.example", 1.0, 1.0)]);
    for sort_by in [SortBy::Metric("roas".into()), SortBy::PBelow] {
        let error = table.page(&Query { sort_by: sort_by.clone(), ..first_page() }).unwrap_err();
        assert_eq!(error.field, "sort_by");
        assert!(error.message.contains(&format!("`{sort_by}`")), "{error}");
        assert!(error.message.contains("view_rate"), "{error}");
    }
    assert!("size".parse::<SortBy>().unwrap_err().message.contains("percentile_rank"));
    assert!("metric.".parse::<SortBy>().is_err());
    assert_eq!("up".parse::<Direction>().unwrap_err().field, "sort_direction");
}

#[test]
fn every_word_to_sort_by_is_its_own_parse() {
    for word in [
        "score",
        "impressions",
        "spend",
        "cpm",
        "ctr",
        "conversion_rate",
        "percentile_rank",
        "domain",
        "p_below",
        "metric.x",
    ] {
        assert_eq!(word.parse::<SortBy>().unwrap().to_string(), word);
    }
}

#[test]
fn punycode_names_are_found_by_what_people_read() {
    let table = table(&[
        Row::new("xn--mnchen-3ya.example", 3.0, 1.0),
        Row::new("munich.example", 2.0, 1.0),
        Row::new("Example App", 1.0, 1.0),
    ]);
    let search = |part: &str| {
        let filter = Filter { search: Some(part.to_owned()), ..Filter::default() };
        let page = table.page(&Query { filter, ..first_page() }).unwrap();
        assert_eq!(page.total, page.rows.len());
        names(&table, &page)
    };
    assert_eq!(search("MÜNCH"), ["xn--mnchen-3ya.example"]);
    assert_eq!(search("xn--"), ["xn--mnchen-3ya.example"]);
    assert_eq!(search("example A"), ["Example App"]);
    assert_eq!(search("example").len(), 3);
    assert_eq!(search("").len(), 3);
    assert!(search("example\nmunich").is_empty(), "a part never spans two names");
}

#[test]
fn a_page_past_the_end_is_empty_and_knows_the_total() {
    let table = table(&[Row::new("a.example", 1.0, 1.0), Row::new("b.example", 2.0, 1.0)]);
    for page in [2, usize::MAX] {
        for filter in [Filter::default(), Filter { min_score: Some(0.0), ..Filter::default() }] {
            let found = table.page(&Query { page, filter, ..first_page() }).unwrap();
            assert_eq!((found.rows.len(), found.total), (0, 2));
        }
    }
}

#[test]
fn pages_put_together_are_all_rows() {
    let mut rows: Vec<Row> = (0..1000)
        .map(|at| Row::new(&format!("{at}.example"), f64::from(at % 7), f64::from(at % 11)))
        .collect();
    for (at, row) in rows.iter_mut().enumerate() {
        row.status = [Status::Good, Status::Poor][at % 2];
    }
    let table = table(&rows);
    for direction in [Direction::Ascending, Direction::Descending] {
        let filter = Filter { quality_status: Some(Status::Good), max_score: Some(5.0), ..Filter::default() };
        let query = Query { direction, filter, page: 1, per_page: 13, ..Query::default() };
        let all = table.all(&query).unwrap();
        let pages = (1..100).flat_map(|page| table.page(&Query { page, ..query.clone() }).unwrap().rows);
        assert_eq!(pages.collect::<Vec<_>>(), all);
        assert_eq!(all.len(), table.page(&query).unwrap().total);
    }
}

#[test]
fn many_who_ask_first_get_the_same() {
    let rows: Vec<Row> = (0..20_000)
        .map(|at| Row::new(&format!("{at}.example"), f64::from(at % 97), f64::from(at % 31)))
        .collect();
    let table = Arc::new(table(&rows));
    let query = Query { sort_by: SortBy::Ctr, direction: Direction::Ascending, ..first_page() };
    let pages: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| table.page(&query).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(pages.iter().all(|page| *page == pages[0]));
}

#[test]
fn more_filters_than_are_remembered_still_answer() {
    let rows: Vec<Row> = (0..200).map(|at| Row::new(&format!("{at}.example"), f64::from(at), 1.0)).collect();
    let table = table(&rows);
    for _ in 0..2 {
        for least in 0..200 {
            let filter = Filter { min_score: Some(f64::from(least)), ..Filter::default() };
            assert_eq!(table.page(&Query { filter, ..first_page() }).unwrap().total, 200 - least as usize);
        }
    }
}
