use caliber_analysis::Error;
use caliber_analysis::weights::{OptimizeOptions, Optimized, Search, optimize};

use crate::reference::{assert_close, cases};
use crate::rows::{Rows, cells};

fn options(method: Search) -> OptimizeOptions {
    let equal = ["cpm", "ctr", "ias_display_fully_in_view_1s_rate", "ad_load_xl_rate", "conversion_rate"];
    OptimizeOptions {
        target: Some("cost_per_conversion".to_owned()),
        method,
        weights: Some(equal.map(|name| (name.to_owned(), 1.0)).to_vec()),
        threads: 2,
        ..OptimizeOptions::default()
    }
}

fn last_score(optimized: &Optimized) -> f64 {
    optimized.optimization_history.last().unwrap().best_score.unwrap()
}

fn refused(rows: &Rows, options: &OptimizeOptions) -> &'static str {
    match optimize(&rows.subject(), options) {
        Err(Error::Option { option, .. }) => option,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_search_comes_within_two_hundredths_of_the_exact_optimum() {
    for (name, case) in cases() {
        for (word, method) in Search::ALL {
            let optimized = optimize(&case.rows().subject(), &options(method)).unwrap();
            let (found, optimum) = (last_score(&optimized), case.searched.optimum);
            println!("{name} {word} {found} of {optimum}, {} tried", optimized.evaluations);
            assert!(
                found >= optimum - 0.02 && found <= optimum + 1e-9,
                "{name}, {word}: {found} of {optimum}"
            );
        }
    }
}

#[test]
fn the_grid_is_tried_whole() {
    for (name, case) in cases() {
        let optimized = optimize(&case.rows().subject(), &options(Search::GridSearch)).unwrap();
        // All ways to share 20 steps among 5 metrics, and the start.
        assert!(optimized.evaluations > 10_626, "{name}");
        if case.searched.optimum - case.searched.grid <= 0.02 {
            assert_eq!(optimized.evaluations, 10_626 + 1, "{name}");
            assert_close(last_score(&optimized), case.searched.grid, 1e-9, &name);
        }
    }
}

#[test]
fn the_start_is_judged_on_the_folds_as_numpy_does() {
    for (name, case) in cases() {
        let optimized = optimize(&case.rows().subject(), &options(Search::GridSearch)).unwrap();
        assert_close(optimized.training.start.unwrap(), case.searched.start, 1e-9, &name);
        assert_close(optimized.optimization_history[0].best_score.unwrap(), case.searched.start, 1e-9, &name);
        for (fold, expected) in optimized.held_out.folds.iter().zip(&case.searched.start_by_fold) {
            assert_close(fold.start, *expected, 1e-9, &name);
        }
        let mean = case.searched.start_by_fold.iter().sum::<f64>() / 5.0;
        assert_close(optimized.held_out.start, mean, 1e-9, &name);
    }
}

#[test]
fn the_best_is_never_worse_than_the_start_on_rows_not_searched() {
    let mut improved = 0;
    for (name, case) in cases() {
        for (word, method) in Search::ALL {
            let optimized = optimize(&case.rows().subject(), &options(method)).unwrap();
            let held_out = &optimized.held_out;
            improved += u32::from(optimized.improved);
            assert_eq!(optimized.improved, held_out.best > held_out.start, "{name}, {word}");
            let sum: f64 = optimized.best_weights.0.iter().map(|(_, weight)| weight).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{name}, {word}");
            let rows: usize = held_out.folds.iter().map(|fold| fold.rows).sum();
            assert_eq!(rows, optimized.rows_used, "{name}, {word}");
            let history = &optimized.optimization_history;
            assert!(history.iter().enumerate().all(|(at, step)| step.iteration == at));
            assert!(
                history.windows(2).all(|pair| pair[0].best_score <= pair[1].best_score),
                "{name}, {word}"
            );
        }
    }
    assert!(improved >= 6, "{improved}");
}

#[test]
fn a_start_that_cannot_be_bettered_is_kept_throughout() {
    let case = &cases()["continuous"];
    let mut rows = case.rows();
    // The target is the score itself.
    rows.results.extras[0].values = rows.results.scores.iter().map(|score| Some(-score)).collect();
    for (_, method) in Search::ALL {
        let optimized =
            optimize(&rows.subject(), &OptimizeOptions { weights: None, ..options(method) }).unwrap();
        assert!(!optimized.improved);
        assert_eq!(optimized.best_weights, optimized.start_weights);
        assert_eq!(optimized.held_out.best, optimized.held_out.start);
        assert_eq!(optimized.training.best, optimized.training.start);
        let start = &optimized.start_weights;
        assert!(
            optimized.held_out.folds.iter().all(|fold| fold.weights == *start && fold.best == fold.start)
        );
        assert!(optimized.explanation.contains("stay as they are"), "{}", optimized.explanation);
    }
}

#[test]
fn the_start_is_the_recipes_over_the_features_unless_given() {
    let case = &cases()["continuous"];
    let target = Some("ctr".to_owned());
    let optimized = optimize(
        &case.rows().subject(),
        &OptimizeOptions { target: target.clone(), weights: None, ..options(Search::Genetic) },
    )
    .unwrap();
    assert_eq!(optimized.left_out, ["ctr"]);
    let found: Vec<f64> = optimized.start_weights.0.iter().map(|(_, weight)| *weight).collect();
    for (found, expected) in found.iter().zip([0.1875, 0.3125, 0.25, 0.25]) {
        assert_close(*found, expected, 1e-12, "start");
    }
    let given = optimize(
        &case.rows().subject(),
        &OptimizeOptions { target, weights: Some(vec![("cpm".to_owned(), 3.0)]), ..options(Search::Genetic) },
    );
    assert_eq!(given.unwrap().start_weights.get("cpm"), Some(&1.0));
}

#[test]
fn the_same_seed_finds_the_same_whatever_the_threads() {
    let case = &cases()["tied"];
    let with = |method, threads, seed| {
        optimize(&case.rows().subject(), &OptimizeOptions { threads, seed, ..options(method) }).unwrap()
    };
    for (_, method) in Search::ALL {
        assert_eq!(with(method, 1, 3), with(method, 5, 3));
    }
    assert_ne!(
        with(Search::Genetic, 1, 3).optimization_history,
        with(Search::Genetic, 1, 4).optimization_history
    );
}

#[test]
fn every_row_may_be_a_fold_of_its_own() {
    let rows = Rows::of(
        vec![("ctr", cells(&[0.0, 20.0, 50.0, 100.0])), ("conversion_rate", cells(&[50.0; 4]))],
        cells(&[4.0, 3.0, 2.0, 1.0]),
    );
    for (_, method) in Search::ALL {
        let given = OptimizeOptions { folds: 4, weights: None, ..options(method) };
        let optimized = optimize(&rows.subject(), &given).unwrap();
        // r of one row is undefined and counts 0.
        assert_eq!((optimized.held_out.start, optimized.improved), (0.0, false));
        assert_eq!(refused(&rows, &OptimizeOptions { folds: 5, weights: None, ..options(method) }), "folds");
        assert_eq!(refused(&rows, &OptimizeOptions { folds: 1, weights: None, ..options(method) }), "folds");
        assert_eq!(refused(&rows, &OptimizeOptions { target: None, ..options(method) }), "target");
        let zero = Some(vec![("ctr".to_owned(), 0.0)]);
        assert_eq!(
            refused(&rows, &OptimizeOptions { weights: zero, folds: 2, ..options(method) }),
            "weights"
        );
    }
}

#[test]
fn metrics_that_never_vary_leave_the_start_and_no_score() {
    let rows = Rows::of(
        vec![("ctr", cells(&[50.0; 4])), ("conversion_rate", cells(&[50.0; 4]))],
        cells(&[4.0, 3.0, 2.0, 1.0]),
    );
    for (_, method) in Search::ALL {
        let optimized =
            optimize(&rows.subject(), &OptimizeOptions { folds: 2, weights: None, ..options(method) })
                .unwrap();
        assert_eq!((optimized.improved, optimized.training.start), (false, None));
        assert_eq!(optimized.optimization_history[0].best_score, None);
    }
}

#[test]
fn eight_metrics_are_searched_in_wider_steps() {
    let names = [
        "cpm",
        "ctr",
        "conversion_rate",
        "ad_load_xl_rate",
        "ad_refresh_below_15s_rate",
        "unique_id_ratio",
        "player_errors_rate",
        "player_mute_rate",
    ];
    let figure = |row: usize, at: usize| ((row * (at + 3) * 7919 + at * 104_729) % 1009) as f64 / 10.08;
    let column = |at: usize| (0..200).map(|row| Some(figure(row, at))).collect();
    let target = (0..200).map(|row| Some(-figure(row, 0) - 2.0 * figure(row, 5) + figure(row, 7))).collect();
    let rows = Rows::of(names.iter().enumerate().map(|(at, name)| (*name, column(at))).collect(), target);
    for (word, method) in Search::ALL {
        let given = OptimizeOptions { folds: 2, weights: None, ..options(method) };
        let optimized = optimize(&rows.subject(), &given).unwrap();
        println!("{word}: {}, {} tried", last_score(&optimized), optimized.evaluations);
        assert!(optimized.improved && last_score(&optimized) > 0.85, "{word}");
        if method == Search::GridSearch {
            // All ways to share 10 steps among 8 metrics, and the start.
            assert!(optimized.evaluations > 19_448);
        }
    }
}

#[test]
fn the_answer_has_the_fields_of_the_contract_in_their_order() {
    let case = &cases()["continuous"];
    let optimized = optimize(&case.rows().subject(), &options(Search::Bayesian)).unwrap();
    let answer = serde_json::to_value(optimized).unwrap();
    let keys = |value: &serde_json::Value| {
        value.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        keys(&answer),
        "method target target_direction rows_used features left_out folds seed start_weights best_weights improved \
         held_out training optimization_history evaluations saved_as explanation"
    );
    assert_eq!(keys(&answer["held_out"]), "start best folds");
    assert_eq!(keys(&answer["held_out"]["folds"][0]), "fold rows weights start best");
    assert_eq!(keys(&answer["training"]), "start best");
    assert_eq!(keys(&answer["optimization_history"][0]), "iteration best_score average_score");
    assert_eq!(answer["method"], "bayesian");
}
