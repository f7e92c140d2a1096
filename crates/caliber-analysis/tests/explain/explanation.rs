use caliber_analysis::explanation::{
    DomainExplanation, Explanation, Method, Options, Shapley, explain, explain_domain,
};
use caliber_analysis::{DEFAULT_SEED, Error};
use caliber_engine::dictionary::Dictionary;
use caliber_engine::evidence::Evidence;
use caliber_engine::normalize::Normalization;
use caliber_engine::ranking::rank;
use caliber_engine::results::Status;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::random::runs;
use crate::scored::{Run, assert_close, fixture, keys, reference};

const FIXTURES: [&str; 4] = ["ttd_display", "ttd_display-blanks", "pp_video", "ttd_ctv"];

fn options(method: Method) -> Options {
    Options { method, values: true, seed: DEFAULT_SEED, threads: 2 }
}

fn shapley(run: &Run) -> Shapley {
    match explain(&run.subject(), options(Method::Shapley)).unwrap() {
        Explanation::Shapley(shapley) => shapley,
        other => panic!("{other:?}"),
    }
}

fn asked(run: &Run, name: &str) -> caliber_analysis::Result<DomainExplanation> {
    let subject = run.subject();
    let evidence = Evidence::of(subject.results, subject.dictionary, 2);
    explain_domain(&subject, name, evidence.as_ref().map_err(ToString::to_string))
}

fn of_row(run: &Run, name: &str) -> DomainExplanation {
    asked(run, name).unwrap()
}

#[test]
fn shapley_values_are_numpys() {
    let reference = reference();
    for name in FIXTURES {
        let run = fixture(name, Normalization::Minmax);
        let (ours, theirs) = (shapley(&run), &reference["explanations"][name]);
        assert_close(ours.base_value, &theirs["base_value"], name);
        for (metric, importance) in &ours.feature_importance.0 {
            assert_close(*importance, &theirs["feature_importance"][metric], metric);
            let derivative = ours.derivatives.get(metric).unwrap().unwrap();
            assert_close(derivative, &theirs["derivatives"][metric], metric);
            for (row, value) in ours.shap_values.as_ref().unwrap().get(metric).unwrap().iter().enumerate() {
                assert_close(*value, &theirs["shap_values"][metric][row], &run.results.names[row]);
            }
        }
    }
}

#[test]
fn correlations_are_scipys() {
    let reference = reference();
    for name in FIXTURES {
        let run = fixture(name, Normalization::Minmax);
        let ours =
            serde_json::to_value(explain(&run.subject(), options(Method::Correlation)).unwrap()).unwrap();
        assert_eq!(keys(&ours), ["method", "rows", "correlations", "top_features", "explanation"]);
        let theirs = reference["explanations"][name]["correlations"].as_object().unwrap();
        assert_eq!(keys(&ours["correlations"]).len(), theirs.len());
        for (metric, r) in theirs {
            assert_close(ours["correlations"][metric].as_f64().unwrap(), r, metric);
        }
    }
}

#[test]
fn counterfactuals_are_those_of_a_plain_search() {
    let reference = reference();
    for name in FIXTURES {
        let run = fixture(name, Normalization::Minmax);
        for (row, theirs) in
            reference["explanations"][name]["counterfactuals"].as_array().unwrap().iter().enumerate()
        {
            let domain = &run.results.names[row];
            let ours = serde_json::to_value(of_row(&run, domain).counterfactual).unwrap();
            assert_eq!(ours.is_null(), theirs.is_null(), "{name} {domain}: {ours}");
            let Some(theirs) = theirs.as_object() else { continue };
            for (key, value) in theirs {
                match value.as_f64() {
                    Some(_) => assert_close(ours[key].as_f64().unwrap(), value, &format!("{domain} {key}")),
                    None => assert_eq!(ours[key], *value, "{name} {domain} {key}"),
                }
            }
        }
    }
}

#[test]
fn the_objects_have_the_keys_of_the_contract() {
    let run = fixture("ttd_display", Normalization::Minmax);
    let mut options = options(Method::Shapley);
    let campaign = serde_json::to_value(explain(&run.subject(), options).unwrap()).unwrap();
    let common = ["method", "rows", "base_value", "feature_importance", "top_features", "derivatives"];
    assert_eq!(keys(&campaign), [&common[..], &["shap_values", "explanation"]].concat());
    options.values = false;
    let campaign = serde_json::to_value(explain(&run.subject(), options).unwrap()).unwrap();
    assert_eq!(keys(&campaign), [&common[..], &["explanation"]].concat(), "values only where asked for");
    assert_eq!(campaign["method"], "shapley");

    let name = &run.results.names[3];
    let row = serde_json::to_value(of_row(&run, name)).unwrap();
    #[rustfmt::skip]
    assert_eq!(keys(&row), [
        "domain", "score", "base_value", "percentile", "quality_status", "feature_contributions", "top_factors",
        "score_breakdown", "explanation", "counterfactual", "confidence", "score_low", "score_high",
        "p_below_median", "warnings",
    ]);
    assert_eq!(
        keys(&row["score_breakdown"]["cpm"]),
        ["value", "normalized", "weight", "contribution", "derivative"]
    );
    assert_eq!(row["warnings"], json!([]));
}

#[test]
fn without_counts_nobody_knows_how_sure_a_score_is() {
    let mut run = fixture("ttd_display", Normalization::Minmax);
    let name = run.results.names[3].clone();
    let sure = of_row(&run, &name);
    for metric in &mut run.results.metrics {
        metric.counts = None;
    }
    let unsure = of_row(&run, &name);
    let figures =
        |row: &DomainExplanation| [row.confidence, row.score_low, row.score_high, row.p_below_median];
    assert!(figures(&sure).iter().all(Option::is_some) && sure.warnings.is_empty());
    assert!(figures(&unsure).iter().all(Option::is_none));
    assert!(unsure.warnings.len() == 1 && unsure.warnings[0].contains("counts"), "{:?}", unsure.warnings);
    assert_eq!(unsure.explanation, sure.explanation, "what is said in words does not depend on it");
}

#[test]
fn the_figures_of_certainty_are_those_of_the_evidence() {
    let run = fixture("ttd_display", Normalization::Minmax);
    let evidence = Evidence::of(&run.results, Dictionary::shipped(), 1).unwrap();
    let mut means: Vec<f64> = evidence.laws().iter().map(|law| law.mean).collect();
    means.sort_by(f64::total_cmp);
    let cuts = [0.25, 0.75].map(|share| caliber_engine::statistics::quantile(&means, share).unwrap());
    for (row, name) in run.results.names.iter().enumerate() {
        let explained = of_row(&run, name);
        let law = evidence.law(row);
        let [low, high] = cuts.map(|cut| law.probability_below(cut));
        let stays = match run.results.statuses[row] {
            Status::Poor => low,
            Status::Moderate => high - low,
            Status::Good => 1.0 - high,
        };
        assert!((explained.confidence.unwrap() - stays).abs() < 1e-12);
        assert_eq!(explained.p_below_median, Some(evidence.p_below(row)));
        assert!((law.probability_below(explained.score_low.unwrap()) - 0.05).abs() < 1e-6);
        assert!((law.probability_below(explained.score_high.unwrap()) - 0.95).abs() < 1e-6);
    }
}

#[test]
fn a_forest_explains_under_its_own_name() {
    let run = fixture("ttd_display", Normalization::Minmax);
    let forest = explain(&run.subject(), options(Method::of("feature_importance").unwrap())).unwrap();
    let forest = serde_json::to_value(forest).unwrap();
    assert_eq!((&forest["method"], &forest["seed"]), (&json!("feature_importance"), &json!(42)));
}

#[test]
fn there_is_no_derivative_and_no_raw_value_where_no_line_leads_back() {
    for normalization in [Normalization::Rank, Normalization::Shrunk] {
        let run = fixture("ttd_display", normalization);
        assert!(shapley(&run).derivatives.0.iter().all(|(_, derivative)| derivative.is_none()));
        let changed: Vec<_> =
            run.results.names.iter().filter_map(|name| of_row(&run, name).counterfactual).collect();
        assert!(!changed.is_empty());
        assert!(changed.iter().all(|change| change.from.is_none() && change.to.is_none()));
    }
}

#[test]
fn winsorized_derivatives_are_by_the_outer_percentiles() {
    let run = fixture("ttd_display", Normalization::Winsorized);
    let cpm = &run.results.metrics[0];
    let present = caliber_engine::statistics::sorted_present(&cpm.values);
    let bound = |share| caliber_engine::statistics::quantile(&present, share).unwrap();
    let derivative = shapley(&run).derivatives.get("cpm").copied().flatten().unwrap();
    assert!((derivative + 15.0 / (bound(0.99) - bound(0.01))).abs() < 1e-9, "{derivative}");
}

#[test]
fn a_metric_that_never_varies_has_no_slope_and_no_correlation_and_moves_nobody() {
    let mut run = fixture("ttd_display", Normalization::Minmax);
    let cpm = &mut run.results.metrics[0];
    cpm.values.fill(Some(2.0));
    cpm.normalized.fill(50.0);
    cpm.contributions.fill(7.5);
    assert_eq!(shapley(&run).derivatives.get("cpm"), Some(&Some(0.0)));
    let correlations =
        serde_json::to_value(explain(&run.subject(), options(Method::Correlation)).unwrap()).unwrap();
    assert_eq!(correlations["correlations"]["cpm"], Value::Null);
    assert!(!correlations["top_features"].to_string().contains("cpm"));
    for name in &run.results.names {
        assert!(of_row(&run, name).counterfactual.is_none_or(|change| change.feature != "cpm"));
    }
}

#[test]
fn a_domain_is_found_however_it_is_written() {
    let run = fixture("ttd_display", Normalization::Minmax);
    for written in ["primenews.example", " HTTPS://www.PrimeNews.example:443/a?b ", "primenews.example."] {
        assert_eq!(of_row(&run, written).domain, "primenews.example");
    }
    match asked(&run, "primenesw.example") {
        Err(Error::UnknownName { given, nearest }) => {
            assert_eq!(given, "primenesw.example");
            assert_eq!(nearest.first().map(String::as_str), Some("primenews.example"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unknown_method_names_those_there_are() {
    assert_eq!(Method::of("shap").unwrap(), Method::Shapley);
    let error = Method::of("lime").unwrap_err().to_string();
    assert!(
        error.contains("`lime`") && error.contains("shapley") && error.contains("correlation"),
        "{error}"
    );
}

#[test]
fn the_sentences_are_a_traders() {
    let run = fixture("ttd_display", Normalization::Minmax);
    assert_eq!(
        shapley(&run).explanation,
        "Across 33 domains, excessive ad load moves scores most, by 5.1 points up or down on average, then in view (IAS, 1 s) (4.5) and CTR (4.1)."
    );
    let worst = of_row(&run, "azurenews.example").explanation;
    assert!(worst.starts_with("Scores 30.1, "), "{worst}");
    let best = of_row(&run, "secondnews.example").explanation;
    assert!(best.contains("CTR 0.650 % adds 16.3 points"), "{best}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn values_sum_to_the_score_less_the_average(run in runs()) {
        let shapley = shapley(&run);
        let values = shapley.shap_values.unwrap();
        for (row, score) in run.results.scores.iter().enumerate() {
            let sum: f64 = values.0.iter().map(|(_, values)| values[row]).sum();
            prop_assert!((sum - (score - shapley.base_value)).abs() < 1e-9);
            let of_row = of_row(&run, &run.results.names[row]);
            let sum: f64 = of_row.feature_contributions.0.iter().map(|(_, value)| value).sum();
            prop_assert!((sum - (score - of_row.base_value)).abs() < 1e-9);
        }
    }

    /// What is promised is done: with that one metric changed, the row scores so and is in that band.
    #[test]
    fn a_counterfactual_keeps_its_promise(run in runs()) {
        for (row, name) in run.results.names.iter().enumerate() {
            let Some(change) = of_row(&run, name).counterfactual else { continue };
            let metric = run.results.metrics.iter().find(|metric| metric.name == change.feature).unwrap();
            prop_assert!((0.0..=100.0).contains(&change.to_normalized));
            let moved = metric.weight * (change.to_normalized - change.from_normalized);
            prop_assert!((run.results.scores[row] + moved - change.score_after).abs() < 1e-9);
            let mut scores = run.results.scores.clone();
            scores[row] = change.score_after;
            let status = rank(&scores).1[row];
            prop_assert_eq!(status, change.quality_status_after);
            let expected = if run.results.statuses[row] == Status::Moderate { Status::Good } else { Status::Moderate };
            prop_assert_eq!(status, expected);
        }
    }

    #[test]
    fn threads_change_nothing(run in runs()) {
        for method in [Method::Shapley, Method::Correlation] {
            let with = |threads| explain(&run.subject(), Options { threads, ..options(method) }).unwrap();
            prop_assert_eq!(with(1), with(5));
        }
    }
}
