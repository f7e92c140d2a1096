//! Outliers and their treatment, beside scikit-learn's and numpy's figures (reference/outliers.py).

use caliber_analysis::outliers::{Method, Options, Outliers, Severity, Skipped, Treatment, detect, treat};
use caliber_analysis::{Error, Subject};
use caliber_engine::dictionary::Dictionary;
use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::{Better, Dimension, RecipeBook};
use caliber_engine::rescore;
use caliber_engine::results::{MetricColumn, Results, Status};
use serde::Deserialize;

const METRICS: [&str; 5] =
    ["cpm", "ias_display_fully_in_view_1s_rate", "ctr", "ad_load_xl_rate", "ad_refresh_below_15s_rate"];

#[derive(Deserialize)]
struct Reference {
    sets: Vec<Set>,
}

/// Fixed data with the figures of others.
#[derive(Deserialize)]
struct Set {
    name: String,
    rows: Vec<Vec<Option<f64>>>,
    planted: Vec<usize>,
    repeated: Vec<usize>,
    zscore: Vec<f64>,
    iqr: Vec<f64>,
    local_outlier_factor: Vec<f64>,
    elliptic_envelope: Vec<f64>,
    isolation_forest: Vec<f64>,
}

fn reference() -> Vec<Set> {
    let read: Reference =
        serde_json::from_str(include_str!("reference/outliers.json")).expect("the file is well formed");
    read.sets
}

/// Rows in the order given, which scoring would sort.
fn results(rows: &[Vec<Option<f64>>]) -> Results {
    let metrics = (0..rows.first().map_or(0, Vec::len)).map(|at| MetricColumn {
        name: METRICS[at].to_owned(),
        weight: 0.2,
        better: if at == 0 { Better::Lower } else { Better::Higher },
        values: rows.iter().map(|row| row[at]).collect(),
        normalized: vec![0.0; rows.len()],
        contributions: vec![0.0; rows.len()],
        counts: None,
    });
    let unscored = Results {
        dimension: Dimension::Domain,
        names: (0..rows.len()).map(|row| format!("{row}.example")).collect(),
        scores: vec![0.0; rows.len()],
        percentiles: vec![0.0; rows.len()],
        statuses: vec![Status::Moderate; rows.len()],
        impressions: (0..rows.len()).map(|row| 1000.0 + row as f64).collect(),
        clicks: None,
        conversions: None,
        spend: None,
        extras: Vec::new(),
        metrics: metrics.collect(),
        outlier_flags: vec![Vec::new(); rows.len()],
        quality_flags: vec![Vec::new(); rows.len()],
        evidence: None,
    };
    let scored =
        rescore(unscored, Dictionary::shipped(), Normalization::Minmax).expect("min-max can be redone");
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let number =
        |row: usize| scored.names[row].trim_end_matches(".example").parse::<usize>().expect("a number");
    order.sort_by_key(|&row| number(row));
    scored.rows(&order)
}

fn full(rows: &[&[f64]]) -> Results {
    results(&rows.iter().map(|row| row.iter().copied().map(Some).collect()).collect::<Vec<_>>())
}

fn subject(results: &Results) -> Subject<'_> {
    Subject {
        results,
        recipe: RecipeBook::shipped().by_name("trade_desk-display-awareness").expect("it is shipped"),
        dictionary: Dictionary::shipped(),
        normalization: Normalization::Minmax,
    }
}

fn by(method: Method) -> Options {
    Options { method, scores: true, ..Options::default() }
}

fn scores(results: &Results, method: Method) -> Vec<f64> {
    detect(&subject(results), &by(method))
        .expect("the rows can be looked at")
        .outlier_scores
        .expect("asked for")
}

fn assert_close(name: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (row, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        let difference = (ours - theirs).abs();
        assert!(difference <= tolerance * theirs.abs(), "{name}, row {row}: {ours} beside {theirs}");
    }
}

/// What was wrong with an option, by the option.
fn refused(outcome: Result<Outliers, Error>) -> (&'static str, String) {
    match outcome {
        Err(Error::Option { option, message }) => (option, message),
        other => panic!("an option should be refused, not {other:?}"),
    }
}

/// The share of pairs of a planted and another row in which the planted one has the higher score.
fn area_under_curve(scores: &[f64], planted: &[usize]) -> f64 {
    let (mut won, mut pairs) = (0.0, 0.0);
    for &strange in planted {
        for row in (0..scores.len()).filter(|row| !planted.contains(row)) {
            pairs += 1.0;
            won += match scores[strange].total_cmp(&scores[row]) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    won / pairs
}

fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    let ranks = |values: &[f64]| -> Vec<f64> {
        let (groups, ranks) = caliber_engine::statistics::tie_groups(values, 0.0);
        groups.into_iter().map(|group| ranks[group]).collect()
    };
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() + 1) as f64 / 2.0;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

#[test]
fn z_scores_and_fences_are_numpys() {
    for set in reference() {
        let results = results(&set.rows);
        assert_close(&set.name, &scores(&results, Method::Zscore), &set.zscore, 1e-9);
        assert_eq!(scores(&results, Method::Iqr), set.iqr, "{}", set.name);
    }
}

#[test]
fn local_outlier_factors_are_scikit_learns() {
    for set in reference() {
        let ours = scores(&results(&set.rows), Method::LocalOutlierFactor);
        assert_close(&set.name, &ours, &set.local_outlier_factor, 1e-6);
    }
}

#[test]
fn the_elliptic_envelope_is_scikit_learns() {
    for set in reference() {
        let results = results(&set.rows);
        let found = detect(&subject(&results), &by(Method::EllipticEnvelope)).expect("no half is flat");
        let repeated: Vec<_> =
            set.repeated.iter().map(|&at| (METRICS[at].to_owned(), Skipped::Repeated)).collect();
        assert_eq!(found.skipped_columns.0, repeated);
        assert_close(&set.name, &found.outlier_scores.expect("asked for"), &set.elliptic_envelope, 1e-6);
    }
}

#[test]
fn the_isolation_forest_ranks_as_scikit_learns() {
    for set in reference() {
        let ours = scores(&results(&set.rows), Method::IsolationForest);
        let correlation = rank_correlation(&ours, &set.isolation_forest);
        assert!(correlation >= 0.95, "{}: {correlation}", set.name);
        let (own, other) =
            (area_under_curve(&ours, &set.planted), area_under_curve(&set.isolation_forest, &set.planted));
        assert!(own >= other - 0.01, "{}: {own} beside {other}", set.name);
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let set = reference().remove(6);
    let results = results(&set.rows);
    for (_, method) in Method::ALL {
        let with = |threads| {
            let options = Options { threads, ..by(method) };
            serde_json::to_string(&detect(&subject(&results), &options).expect("it works"))
                .expect("it is JSON")
        };
        assert_eq!(with(1), with(3));
    }
}

#[test]
fn another_seed_is_another_forest() {
    let results = results(&reference()[1].rows);
    let with = |seed| {
        detect(&subject(&results), &Options { seed, ..by(Method::IsolationForest) }).expect("it works")
    };
    assert_eq!(with(7), with(7));
    assert_ne!(with(7).outlier_scores, with(8).outlier_scores);
}

#[test]
fn the_threshold_leaves_the_contamination_above_it() {
    let results = results(&reference()[1].rows);
    for (contamination, count) in [(0.01, 3), (0.1, 30), (0.5, 150)] {
        for method in [Method::IsolationForest, Method::LocalOutlierFactor, Method::EllipticEnvelope] {
            let found =
                detect(&subject(&results), &Options { contamination, ..by(method) }).expect("it works");
            assert_eq!(found.outlier_count, count);
        }
    }
}

#[test]
fn combined_counts_the_votes_of_three() {
    let results = results(&reference()[1].rows);
    let combined = detect(&subject(&results), &by(Method::Combined)).expect("it works");
    let voters = combined.individual_results.expect("votes are told");
    let mut counted = vec![0.0; 300];
    for (name, method) in [
        ("isolation_forest", Method::IsolationForest),
        ("local_outlier_factor", Method::LocalOutlierFactor),
        ("zscore", Method::Zscore),
    ] {
        let alone = detect(&subject(&results), &by(method)).expect("it works");
        let told = voters.get(name).expect("it voted");
        assert_eq!((told.outlier_count, told.threshold), (alone.outlier_count, alone.threshold));
        for row in &alone.outlier_indices {
            counted[*row] += 1.0;
        }
        assert_eq!(alone.individual_results, None);
    }
    assert_eq!(voters.0.len(), 3);
    assert_eq!(combined.outlier_indices, (0..300).filter(|&row| counted[row] > 0.0).collect::<Vec<_>>());
    assert_eq!(combined.outlier_scores, Some(counted));
}

#[test]
fn a_missing_cell_is_never_an_outlier() {
    let mut rows: Vec<Vec<Option<f64>>> =
        (0..30).map(|row| vec![Some(f64::from(row % 5)), Some(1.0 + f64::from(row % 3))]).collect();
    rows[4] = vec![None, None];
    rows[9][1] = Some(1000.0);
    let results = results(&rows);
    for method in [Method::Zscore, Method::Iqr] {
        let found = detect(&subject(&results), &by(method)).expect("it works");
        assert_eq!(found.outlier_indices, [9]);
        assert_eq!(found.outlier_scores.expect("asked for")[4], 0.0);
    }
    let contamination = 0.5;
    let forest =
        detect(&subject(&results), &Options { contamination, limit: 30, ..by(Method::IsolationForest) })
            .expect("it works");
    assert!(forest.top_outliers.iter().all(|top| top.index != 4 || top.columns.is_empty()));
}

#[test]
fn the_answer_has_the_fields_of_the_contract_in_their_order() {
    let rows: Vec<Vec<f64>> = (0..20)
        .map(|row| vec![f64::from(row % 4), if row == 7 { 90.0 } else { 2.0 + f64::from(row % 2) }, 5.0])
        .collect();
    let results = full(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let options = Options { method: Method::Zscore, ..Options::default() };
    let found = detect(&subject(&results), &options).expect("it works");
    let told = serde_json::to_value(&found).expect("it is JSON");
    let fields: Vec<&str> = told.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "method",
            "rows",
            "columns",
            "skipped_columns",
            "contamination",
            "seed",
            "threshold",
            "outlier_indices",
            "outlier_count",
            "top_outliers",
            "analysis",
            "recommendations"
        ]
    );
    assert!(told["contamination"].is_null() && told["seed"].is_null());
    assert_eq!(told["skipped_columns"], serde_json::json!({"ctr": "constant"}));
    assert_eq!(told["outlier_indices"], serde_json::json!([7]));
    assert_eq!(told["top_outliers"][0]["domain"], "7.example");
    assert_eq!(told["top_outliers"][0]["columns"][0][0], METRICS[1]);
    let figures = &told["analysis"]["columns_analysis"][METRICS[1]];
    assert_eq!(figures["outlier_mean"], 90.0);
    assert!(figures["outlier_std"].is_null());
    assert_eq!(told["analysis"]["outlier_percentage"], 5.0);
    assert_eq!(told["analysis"]["severity"], "minimal");
    assert_eq!(
        told["recommendations"],
        serde_json::json!([
            "Check in view (IAS, 1 s): the outliers average 9000.0 %, above the 247.4 % of other rows.",
            "Check CPM: the outliers average 3.00, above the 1.42 of other rows.",
            "Start with 7.example: its in view (IAS, 1 s) of 9000.0 % is 4.4 standard deviations above the mean.",
            "The outliers are 5.0 % of the rows and 5.0 % of the impressions: read their in view (IAS, 1 s) and CPM before a list is sent, and drop them if the figures are wrong.",
            "Left out: CTR is the same in every row."
        ])
    );
}

#[test]
fn rows_by_the_thousand_that_are_all_one_have_no_outlier() {
    let results = full(&vec![[1.0, 2.0].as_slice(); 20_000]);
    for method in
        [Method::IsolationForest, Method::LocalOutlierFactor, Method::Zscore, Method::Iqr, Method::Combined]
    {
        let found = detect(&subject(&results), &by(method)).expect("it works");
        assert_eq!((found.outlier_count, found.columns.len()), (0, 0), "{method:?}");
        assert_eq!(found.analysis.severity, Severity::Minimal);
        assert!(found.recommendations[0].contains("CPM"));
    }
    let (option, message) = refused(detect(&subject(&results), &by(Method::EllipticEnvelope)));
    assert_eq!(option, "method");
    assert!(message.contains("isolation_forest"), "{message}");
}

#[test]
fn duplicates_beside_a_lonely_row_leave_it_the_outlier() {
    let mut rows = vec![[1.0, 2.0]; 5_000];
    rows.extend([[1.0, 2.5], [40.0, 80.0], [1.5, 2.0]]);
    let results = full(&rows.iter().map(<[f64; 2]>::as_slice).collect::<Vec<_>>());
    for method in [Method::IsolationForest, Method::LocalOutlierFactor, Method::Zscore] {
        let found = detect(&subject(&results), &by(method)).expect("it works");
        assert_eq!(found.top_outliers[0].index, 5_001, "{method:?}");
        assert!(found.outlier_scores.expect("asked for").iter().all(|score| score.is_finite()));
    }
}

#[test]
fn values_at_the_ends_of_the_doubles_are_no_trouble() {
    let rows: Vec<Vec<Option<f64>>> = (0..40_i32)
        .map(|row| {
            let x = f64::from(row % 7);
            vec![
                Some(if row == 0 { f64::MAX } else { -f64::MAX / (2.0 + x) }),
                Some(x * 1e-310),
                Some(f64::NAN).filter(|_| row > 0),
                None,
            ]
        })
        .collect();
    let results = results(&rows);
    for (_, method) in Method::ALL {
        let options = Options { method, scores: true, ..Options::default() };
        if let Ok(found) = detect(&subject(&results), &options) {
            assert!(
                found.outlier_scores.expect("asked for").iter().all(|score| score.is_finite()),
                "{method:?}"
            );
        }
    }
}

#[test]
fn metrics_that_say_the_same_are_named() {
    let rows: Vec<Vec<f64>> = (0..50_i32)
        .map(|row| {
            let x = f64::from(row * 37 % 50);
            vec![x, f64::from(row * row % 17), 3.0 * x + 1.0]
        })
        .collect();
    let results = full(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let (option, message) = refused(detect(&subject(&results), &by(Method::EllipticEnvelope)));
    assert_eq!(option, "method");
    assert!(message.contains("CPM and CTR say the same"), "{message}");
}

#[test]
fn what_cannot_be_answered_is_refused_with_what_is_allowed() {
    let four = full(&[&[1.0, 5.0], &[2.0, 3.0], &[3.0, 4.0], &[9.0, 1.0]]);
    for contamination in [0.0, -0.1, 0.51, f64::NAN, f64::INFINITY] {
        let (option, message) =
            refused(detect(&subject(&four), &Options { contamination, ..by(Method::Zscore) }));
        assert_eq!(option, "contamination");
        assert!(message.contains(&contamination.to_string()) && message.contains("at most 0.5"), "{message}");
    }
    assert!(detect(&subject(&four), &by(Method::IsolationForest)).is_ok());
    let (option, message) = refused(detect(&subject(&four), &by(Method::EllipticEnvelope)));
    assert_eq!(option, "rows");
    assert!(message.contains("4 rows") && message.contains("at least 6"), "{message}");
    let three = full(&[&[1.0], &[2.0], &[3.0]]);
    assert_eq!(refused(detect(&subject(&three), &by(Method::Iqr))).0, "rows");
    assert_eq!(refused(detect(&subject(&full(&[])), &by(Method::Iqr))).0, "rows");
    for word in ["", "Iqr", "lof"] {
        let Err(Error::Option { option, message }) = Method::of(word) else { panic!("{word} is no method") };
        assert_eq!(option, "method");
        assert!(message.contains("local_outlier_factor, elliptic_envelope"), "{message}");
    }
    assert!(Treatment::of("dropped").is_err());
    for (word, method) in Method::ALL {
        assert_eq!(Method::of(word).expect("it is listed"), method);
    }
}

#[test]
fn dropping_scores_the_rows_that_are_left_as_if_the_outliers_had_not_been_there() {
    let set = reference().remove(1);
    let results = results(&set.rows);
    let options = Options { contamination: 0.08, ..Options::default() };
    let outliers = detect(&subject(&results), &options).expect("it works").outlier_indices;
    let treated = treat(&subject(&results), Treatment::Drop, &options).expect("it works");
    let kept: Vec<usize> = (0..300).filter(|row| !outliers.contains(row)).collect();
    let anew = rescore(results.rows(&kept), Dictionary::shipped(), Normalization::Minmax).expect("it works");
    assert_eq!(treated.results, anew);
    let answer = serde_json::to_value(&treated.answer).expect("it is JSON");
    assert_eq!(
        answer.as_object().expect("an object").keys().collect::<Vec<_>>(),
        [
            "treatment",
            "method",
            "contamination",
            "seed",
            "rows_before",
            "rows_after",
            "cells_changed",
            "campaign_score_before",
            "campaign_score_after",
            "status_counts_before",
            "status_counts_after",
            "status_changed"
        ]
    );
    assert_eq!((treated.answer.rows_before, treated.answer.rows_after), (300, 276));
    assert_eq!(answer["method"], "isolation_forest");
    assert!(treated.answer.cells_changed.0.iter().all(|(_, changed)| *changed == 0));
    let differs = |name: &String, status: Status| {
        let row = results.names.iter().position(|before| before == name).expect("rows come from somewhere");
        results.statuses[row] != status
    };
    let changed =
        anew.names.iter().zip(&anew.statuses).filter(|(name, status)| differs(name, **status)).count();
    assert_eq!(treated.answer.status_changed, changed);
}

#[test]
fn capping_and_winsorizing_change_the_ends_of_every_metric_only() {
    let mut rows: Vec<Vec<Option<f64>>> =
        (0..101_i32).map(|row| vec![Some(f64::from(row)), Some(f64::from(row * row))]).collect();
    rows[50][1] = None;
    let results = results(&rows);
    let value = |after: &Results, metric: usize, name: &str| {
        let row = after.names.iter().position(|other| other == name).expect("no row is dropped");
        after.metrics[metric].values[row]
    };
    let capped = treat(&subject(&results), Treatment::Cap, &Options::default()).expect("it works");
    assert_eq!(value(&capped.results, 0, "0.example"), Some(1.0));
    assert_eq!(value(&capped.results, 0, "100.example"), Some(99.0));
    assert_eq!(value(&capped.results, 1, "50.example"), None);
    assert_eq!(capped.answer.cells_changed.0, [("cpm".to_owned(), 2), (METRICS[1].to_owned(), 2)]);
    assert_eq!((capped.answer.method, capped.answer.contamination, capped.answer.seed), (None, None, None));

    // 5 of 101 at either end.
    let winsorized = treat(&subject(&results), Treatment::Winsorize, &Options::default()).expect("it works");
    assert_eq!(value(&winsorized.results, 0, "2.example"), Some(5.0));
    assert_eq!(value(&winsorized.results, 0, "99.example"), Some(95.0));
    assert_eq!(winsorized.answer.cells_changed.0[0].1, 10);
    assert_eq!(winsorized.answer.rows_after, 101);
    assert_eq!(winsorized.results.impressions.iter().sum::<f64>(), results.impressions.iter().sum::<f64>());
}

#[test]
fn shrunk_scores_cannot_be_treated() {
    let results = results(&reference()[0].rows);
    let shrunk = Subject { normalization: Normalization::Shrunk, ..subject(&results) };
    let Err(Error::Option { option, message }) = treat(&shrunk, Treatment::Cap, &Options::default()) else {
        panic!("shrunk scores are refused");
    };
    assert_eq!(option, "treatment");
    assert!(message.contains("minmax, winsorized or rank"), "{message}");
}
