use caliber_analysis::Error;
use caliber_analysis::what_if::{ListRules, Options, WhatIf, what_if};
use caliber_engine::lists::Lists;
use caliber_engine::normalize::Normalization;
use proptest::prelude::*;

use crate::random::runs;
use crate::scored::{Run, assert_close, fixture, keys, reference};

const RULES: ListRules<'_> = ListRules { share: 0.25, min_impressions: 250.0, protected: &[] };

fn ask(run: &Run, weights: &[(String, f64)], page: usize, per_page: usize) -> Result<WhatIf, Error> {
    what_if(&run.subject(), Options { weights, lists: RULES, page, per_page })
}

fn weights(pairs: &[(&str, f64)]) -> Vec<(String, f64)> {
    pairs.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect()
}

#[test]
fn other_weights_score_as_numpy_scores_them() {
    let run = fixture("ttd_display", Normalization::Minmax);
    let theirs = &reference()["what_if"];
    let given: Vec<(String, f64)> = theirs["given"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, w)| (name.clone(), w.as_f64().unwrap()))
        .collect();
    let ours = serde_json::to_value(ask(&run, &given, 1, 100).unwrap()).unwrap();
    #[rustfmt::skip]
    assert_eq!(keys(&ours), [
        "weights", "campaign_score_before", "campaign_score_after", "campaign_score_change", "status_counts",
        "status_changed", "rank_correlation", "whitelist", "blacklist", "results", "total", "page", "per_page",
    ]);
    #[rustfmt::skip]
    assert_eq!(keys(&ours["results"][0]), [
        "domain", "impressions", "score", "score_before", "percentile", "quality_status", "quality_status_before",
        "rank", "rank_before",
    ]);
    for (metric, weight) in theirs["weights"].as_object().unwrap() {
        assert_close(ours["weights"][metric].as_f64().unwrap(), weight, metric);
    }
    for key in ["campaign_score_after", "rank_correlation"] {
        assert_close(ours[key].as_f64().unwrap(), &theirs[key], key);
    }
    for key in ["status_counts", "status_changed", "whitelist", "blacklist"] {
        assert_eq!(ours[key], theirs[key], "{key}");
    }
    for (at, row) in theirs["rows"].as_array().unwrap().iter().enumerate() {
        let ours = &ours["results"][at];
        assert_eq!((&ours["domain"], &ours["quality_status"]), (&row[0], &row[3]), "{at}");
        assert_eq!(ours["rank"], at + 1);
        assert_close(ours["score"].as_f64().unwrap(), &row[1], "score");
        assert_close(ours["percentile"].as_f64().unwrap(), &row[2], "percentile");
        let name = ours["domain"].as_str().unwrap();
        assert_eq!(
            ours["rank_before"],
            run.row(name) + 1,
            "rows of a run stand in the order of their scores"
        );
    }
}

#[test]
fn pages_are_parts_of_one_order() {
    let run = fixture("ttd_display", Normalization::Minmax);
    let given = weights(&[("ctr", 1.0)]);
    let whole = ask(&run, &given, 1, 33).unwrap();
    let parts: Vec<_> = (1..=4).flat_map(|page| ask(&run, &given, page, 10).unwrap().results).collect();
    assert_eq!(parts, whole.results);
    let beyond = ask(&run, &given, usize::MAX, usize::MAX).unwrap();
    assert_eq!((beyond.results.len(), beyond.total), (0, 33));
}

#[test]
fn protected_names_are_on_neither_blocklist() {
    let run = fixture("ttd_display", Normalization::Minmax);
    let given = weights(&[("ctr", 1.0)]);
    let entered = ask(&run, &given, 1, 1).unwrap().blacklist.entered;
    let rules = ListRules { protected: &entered[..1], ..RULES };
    let answer =
        what_if(&run.subject(), Options { weights: &given, lists: rules, page: 1, per_page: 1 }).unwrap();
    assert_eq!(answer.blacklist.entered, entered[1..]);
}

#[test]
fn wrong_weights_and_pages_are_refused_with_what_is_allowed() {
    let run = fixture("ttd_display", Normalization::Minmax);
    for (given, words) in [
        (&[("cpc", 1.0)][..], "`cpc` is no metric of the recipe; there are cpm, "),
        (&[("cpm", -0.1)], "-0.1 for `cpm`"),
        (&[("cpm", f64::NAN)], "NaN for `cpm`"),
        (&[("cpm", f64::INFINITY)], "inf for `cpm`"),
        (&[("cpm", 0.0)], "above 0"),
        (&[], "above 0"),
        (&[("cpm", 1.0), ("cpm", 1.0)], "twice"),
    ] {
        match ask(&run, &weights(given), 1, 10) {
            Err(Error::Option { option: "weights", message }) => {
                assert!(message.contains(words), "{message}");
            }
            other => panic!("{given:?}: {other:?}"),
        }
    }
    let given = weights(&[("cpm", 1.0)]);
    assert!(matches!(ask(&run, &given, 0, 10), Err(Error::Option { option: "page", .. })));
    assert!(matches!(ask(&run, &given, 1, 0), Err(Error::Option { option: "per_page", .. })));
}

#[test]
fn weights_of_any_size_count_by_their_proportions() {
    let run = fixture("ttd_display", Normalization::Minmax);
    let usual = ask(&run, &weights(&[("cpm", 1.0), ("ctr", 3.0)]), 1, 5).unwrap();
    for scale in [f64::MIN_POSITIVE, 1e-200, 1e200, f64::MAX / 4.0] {
        let scaled = ask(&run, &weights(&[("cpm", scale), ("ctr", 3.0 * scale)]), 1, 5).unwrap();
        for (ours, theirs) in scaled.results.iter().zip(&usual.results) {
            assert!((ours.score - theirs.score).abs() < 1e-9, "{scale}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_recipes_own_weights_change_nothing(run in runs()) {
        let given: Vec<(String, f64)> =
            run.recipe.metrics.iter().map(|metric| (metric.metric.clone(), metric.weight)).collect();
        let answer = ask(&run, &given, 1, 100).unwrap();
        prop_assert_eq!(answer.status_changed, 0);
        prop_assert!(answer.campaign_score_change.unwrap().abs() < 1e-9);
        prop_assert!(answer.results.iter().all(|row| (row.score - row.score_before).abs() < 1e-9));
        prop_assert!(answer.whitelist.entered.is_empty() && answer.blacklist.left.is_empty());
        prop_assert!(answer.rank_correlation.is_none_or(|r| (r - 1.0).abs() < 1e-9));
    }

    /// The lists are those that scoring with such a recipe would make.
    #[test]
    fn lists_are_those_of_a_run_scored_so(run in runs(), given in prop::collection::vec(0.01..1.0_f64, 3)) {
        let names = run.recipe.metrics.iter().map(|metric| metric.metric.clone());
        let answer = ask(&run, &names.zip(given).collect::<Vec<_>>(), 1, 100).unwrap();
        let mut rescored = run.results.clone();
        for row in &answer.results {
            rescored.scores[run.row(&row.domain)] = row.score;
        }
        let candidates: Vec<usize> = (0..rescored.len()).filter(|&row| rescored.impressions[row] >= 250.0).collect();
        let old = Lists::quartile_among(&run.results, &candidates, 0.25, &|_| false);
        let new = Lists::quartile_among(&rescored, &candidates, 0.25, &|_| false);
        let named = |rows: Vec<usize>| rows.into_iter().map(|row| run.results.names[row].clone()).collect::<Vec<_>>();
        let entered = new.block.iter().copied().filter(|row| !old.block.contains(row)).collect();
        let left = old.allow.iter().copied().filter(|row| !new.allow.contains(row)).collect();
        prop_assert_eq!(&answer.blacklist.entered, &named(entered));
        prop_assert_eq!(&answer.whitelist.left, &named(left));
    }
}
