use caliber_analysis::Error;
use caliber_analysis::importance::{Importance, Options, feature_importance};

use crate::reference::{Spread, cases};
use crate::rows::{Rows, cells};

fn importance(rows: &Rows) -> Importance {
    feature_importance(&rows.subject(), Options { threads: 2, ..Options::default() }).unwrap()
}

/// Within what scikit-learn's own figures differ by from seed to seed, and in its order where that is plain.
fn assert_like(found: &[f64], expected: &Spread<Vec<f64>>, what: &str) {
    for (at, found) in found.iter().enumerate() {
        let allowed = (5.0 * expected.sd[at]).max(0.01);
        assert!(
            (found - expected.mean[at]).abs() <= allowed,
            "{what}, metric {at}: {found}, {}",
            expected.mean[at]
        );
    }
    for (a, mean_a) in expected.mean.iter().enumerate() {
        for (b, mean_b) in expected.mean.iter().enumerate() {
            assert!(mean_a - mean_b <= 0.05 || found[a] > found[b], "{what}: metrics {a} and {b}");
        }
    }
}

#[test]
fn the_forest_finds_what_scikit_learns_finds() {
    for (name, case) in cases() {
        let found = importance(&case.rows());
        let figures = |figures: &caliber_analysis::ByMetric<f64>| -> Vec<f64> {
            figures.0.iter().map(|(_, figure)| *figure).collect()
        };
        let impurity = figures(&found.feature_importance);
        println!("{name} {impurity:?} {:?} {:?}", figures(&found.permutation_importance), found.r_squared);
        assert!((impurity.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{name}");
        assert_like(&impurity, &case.forest.impurity, &format!("{name}, impurity"));
        assert_like(
            &figures(&found.permutation_importance),
            &case.forest.permutation,
            &format!("{name}, permutation"),
        );
        let (r_squared, expected) = (found.r_squared.unwrap(), &case.forest.r_squared);
        assert!(
            (r_squared - expected.mean).abs() <= 5.0 * expected.sd,
            "{name}: {r_squared}, {}",
            expected.mean
        );
        assert!(found.top_features.is_sorted_by(|(_, a), (_, b)| a >= b));
        assert_eq!((found.rows, found.rows_used), (case.rows().results.len(), case.rows().results.len()));
    }
}

#[test]
fn the_same_seed_grows_the_same_forest_whatever_the_threads() {
    let rows = cases()["continuous"].rows();
    let with = |seed, threads| feature_importance(&rows.subject(), Options { seed, threads }).unwrap();
    assert_eq!(with(5, 1), with(5, 3));
    assert_ne!(with(5, 1).feature_importance, with(6, 1).feature_importance);
}

#[test]
fn more_than_ten_thousand_rows_are_sampled_by_seed() {
    let rows = 10_050;
    // Few values, so that the trees are small.
    let column = |step: usize| (0..rows).map(|row| Some((row / step % 5) as f64 * 25.0)).collect();
    let rows = Rows::of(vec![("ctr", column(1)), ("cpm", column(5))], vec![None; rows]);
    let found = importance(&rows);
    assert_eq!((found.rows, found.rows_used), (10_050, 10_000));
    assert!((found.feature_importance.get("ctr").unwrap() - 0.5).abs() < 0.03);
    assert!(found.r_squared.unwrap() > 0.999_999);
}

#[test]
fn a_split_that_gains_nothing_is_made_where_those_below_it_gain() {
    // Exclusive or: neither metric alone tells the scores apart.
    let corners = |of: fn(usize) -> f64| (0..40).map(|row| Some(of(row % 4))).collect();
    let mut rows = Rows::of(
        vec![("ctr", corners(|corner| (corner % 2) as f64)), ("cpm", corners(|corner| (corner / 2) as f64))],
        vec![None; 40],
    );
    rows.results.scores = (0..40).map(|row| if matches!(row % 4, 0 | 3) { 0.0 } else { 100.0 }).collect();
    assert!(importance(&rows).r_squared.unwrap() > 0.99);
}

#[test]
fn scores_that_do_not_vary_have_no_importance() {
    let rows = Rows::of(vec![("ctr", cells(&[50.0; 3])), ("cpm", vec![None; 3])], vec![None; 3]);
    let found = importance(&rows);
    assert_eq!(found.feature_importance.0, [("ctr".to_owned(), 0.0), ("cpm".to_owned(), 0.0)]);
    assert_eq!(found.permutation_importance.0, [("ctr".to_owned(), 0.0), ("cpm".to_owned(), 0.0)]);
    assert_eq!(found.r_squared, None);
    assert!(found.explanation.contains("same score"));
}

#[test]
fn one_row_is_too_few() {
    let rows = Rows::of(vec![("ctr", cells(&[50.0]))], vec![None]);
    let refused = feature_importance(&rows.subject(), Options::default()).unwrap_err();
    assert!(matches!(refused, Error::Option { option: "method", .. }), "{refused}");
}

#[test]
fn the_answer_has_the_fields_of_the_contract_in_their_order() {
    let rows = cases()["continuous"].rows();
    let answer = serde_json::to_value(importance(&rows)).unwrap();
    let keys: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys.join(" "),
        "method rows rows_used seed feature_importance permutation_importance r_squared top_features explanation"
    );
    assert_eq!(answer["method"], "feature_importance");
    assert!(answer["explanation"].as_str().unwrap().contains(" %)"));
}
