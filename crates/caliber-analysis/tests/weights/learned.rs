use caliber_analysis::Error;
use caliber_analysis::weights::{Direction, Learned, Method, Options, learn};

use crate::reference::{assert_close, cases};
use crate::rows::{Rows, cells};

fn options(method: Method) -> Options {
    Options { target: Some("cost_per_conversion".to_owned()), method, ..Options::default() }
}

fn small() -> Rows {
    Rows::of(
        vec![
            ("ecpm", cells(&[0.0, 25.0, 75.0, 100.0, 60.0])),
            ("ctr", cells(&[100.0, 50.0, 25.0, 0.0, 50.0])),
            ("conversion_rate", cells(&[50.0; 5])),
        ],
        vec![Some(9.0), Some(7.0), Some(4.0), Some(1.0), None],
    )
}

/// The option at fault and what is said about it.
fn refused(rows: &Rows, options: &Options) -> (&'static str, String) {
    match learn(&rows.subject(), options) {
        Err(Error::Option { option, message }) => (option, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn weights_are_those_of_scikit_learn_and_numpy() {
    for (name, case) in cases() {
        let rows = case.rows();
        let figures = &case.by_metric;
        for (method, raw) in [
            (Method::Correlation, &figures.correlation),
            (Method::FScore, &figures.f_score),
            (Method::Variance, &figures.variance),
        ] {
            let learned = learn(&rows.subject(), &options(method)).unwrap();
            let sum: f64 = raw.iter().map(|raw| raw.abs()).sum();
            for (at, raw) in raw.iter().enumerate() {
                let what = format!("{name}, {method:?}, metric {at}");
                assert_close(learned.raw_weights.0[at].1, raw.abs(), 1e-9, &what);
                assert_close(learned.weights.0[at].1, raw.abs() / sum, 1e-9, &what);
                let r = learned.correlations.as_ref().unwrap().0[at].1.unwrap();
                assert_close(r, figures.correlation[at], 1e-9, &what);
            }
        }
    }
}

#[test]
fn mutual_information_is_that_of_scikit_learn_whether_or_not_values_repeat() {
    for (name, case) in cases() {
        let learned = learn(&case.rows().subject(), &options(Method::MutualInfo)).unwrap();
        for (at, (_, found)) in learned.raw_weights.0.iter().enumerate() {
            let (expected, sd) = (case.by_metric.mutual_info[at], case.by_metric.mutual_info_sd[at]);
            let what = format!("{name}, metric {at}");
            if name == "tied" {
                assert!((found - expected).abs() <= (5.0 * sd).max(0.002), "{what}: {found}, {expected}");
            } else {
                assert_close(*found, expected, 1e-9, &what);
            }
        }
    }
}

#[test]
fn what_is_paid_is_turned_and_what_is_the_target_itself_is_left_out() {
    let rows = small();
    let learned = |target: &str| {
        let options = Options { target: Some(target.to_owned()), ..Options::default() };
        learn(&rows.subject(), &options).unwrap()
    };
    let cost = learned("cost_per_conversion");
    assert_eq!(cost.target_direction, Some(Direction::LowerIsBetter));
    assert_eq!((cost.rows_used, cost.left_out.len()), (4, 0));
    // The dearer, the fewer clicks: with the cost turned, eCPM goes with it and CTR against it.
    let r = cost.correlations.unwrap();
    assert!(r.get("ecpm").unwrap().unwrap() > 0.9 && r.get("ctr").unwrap().unwrap() < -0.9);
    assert_eq!(cost.warnings.len(), 2);
    assert!(cost.warnings.iter().any(|warning| warning.contains("`ctr` runs against the target")));
    assert!(cost.warnings.iter().any(|warning| warning.contains("`conversion_rate` does not vary")));
    for name in ["cpm", "ecpm"] {
        let cpm = learned(name);
        assert_eq!(
            (cpm.target.as_deref(), cpm.target_direction),
            (Some("ecpm"), Some(Direction::LowerIsBetter))
        );
        assert_eq!(
            (cpm.features, cpm.left_out),
            (vec!["ctr".to_owned(), "conversion_rate".to_owned()], vec!["ecpm".to_owned()])
        );
    }
    assert_eq!(learned("impressions").target_direction, Some(Direction::HigherIsBetter));
}

#[test]
fn a_constant_metric_has_no_weight_and_where_none_has_one_all_are_equal() {
    let rows = small();
    for method in [Method::Correlation, Method::FScore, Method::Variance] {
        let learned = learn(&rows.subject(), &options(method)).unwrap();
        assert_eq!(learned.weights.get("conversion_rate"), Some(&0.0), "{method:?}");
        assert!((learned.summary.weight_sum - 1.0).abs() < 1e-15);
    }
    let target = vec![Some(1.0), Some(2.0), Some(3.0)];
    let flat = Rows::of(vec![("ctr", cells(&[50.0; 3])), ("ecpm", vec![None; 3])], target);
    let learned = learn(&flat.subject(), &options(Method::Correlation)).unwrap();
    assert_eq!(learned.weights.0, [("ctr".to_owned(), 0.5), ("ecpm".to_owned(), 0.5)]);
    assert_eq!(learned.raw_weights.get("ctr"), Some(&0.0));
}

#[test]
fn a_perfect_correlation_has_the_greatest_f_there_is() {
    let rows = Rows::of(
        vec![("ctr", cells(&[0.0, 30.0, 60.0, 100.0])), ("ecpm", cells(&[0.0, 100.0, 30.0, 20.0]))],
        cells(&[-0.0, -30.0, -60.0, -100.0]),
    );
    let learned = learn(&rows.subject(), &options(Method::FScore)).unwrap();
    assert_eq!(learned.raw_weights.get("ctr"), Some(&1e12));
}

#[test]
fn equal_variance_and_custom_need_no_target() {
    let rows = small();
    let without = |method, weights: Option<&[(&str, f64)]>| -> Learned {
        let weights =
            weights.map(|weights| weights.iter().map(|&(name, weight)| (name.to_owned(), weight)).collect());
        learn(&rows.subject(), &Options { method, weights, ..Options::default() }).unwrap()
    };
    let equal = without(Method::Equal, None);
    assert_eq!((equal.rows_used, equal.correlations), (5, None));
    assert!(equal.weights.0.iter().all(|(_, weight)| (weight - 1.0 / 3.0).abs() < 1e-15));
    // numpy.var([0, 25, 75, 100, 60], ddof=1) and of [100, 50, 25, 0, 50].
    let variance = without(Method::Variance, None);
    for ((_, found), expected) in variance.raw_weights.0.iter().zip([1582.5, 1375.0, 0.0]) {
        assert_close(*found, expected, 1e-12, "variance");
    }
    let given: &[(&str, f64)] = &[("conversion_rate", 0.0), ("cpm", 6.0), ("ctr", 2.0)];
    let custom = without(Method::Custom, Some(given));
    assert_eq!(custom.weights.0.iter().map(|(_, weight)| *weight).collect::<Vec<_>>(), [0.75, 0.25, 0.0]);
    assert_eq!(custom.feature_importance[0], ("ecpm".to_owned(), 0.75));
    assert_eq!(custom.summary.weight_max, 0.75);
}

#[test]
fn whatever_is_wrong_is_said_with_the_option_and_what_is_allowed() {
    let rows = small();
    let target = |target: Option<&str>| Options { target: target.map(str::to_owned), ..Options::default() };
    let allowed = "give one of impressions, spend, cost_per_conversion, ecpm, ctr, conversion_rate";
    for wrong in ["score", "percentile", "percentile_rank", "ctr_normalized", "clicks", "nonsense"] {
        let (option, message) = refused(&rows, &target(Some(wrong)));
        assert_eq!((option, message), ("target", format!("`{wrong}` cannot be the target: {allowed}")));
    }
    let (option, message) = refused(&rows, &target(None));
    assert_eq!((option, message), ("target", format!("correlation needs a target: {allowed}")));
    let (option, message) = refused(&rows, &target(Some("spend")));
    assert_eq!(option, "target");
    assert!(message.starts_with("`spend` is 7 in all 5 rows"), "{message}");
    let weights: [&[(&str, f64)]; 6] = [
        &[("ecpm", 1.0), ("ctr", -0.5), ("conversion_rate", 1.0)],
        &[("ecpm", 0.0), ("ctr", 0.0), ("conversion_rate", 0.0)],
        &[("ecpm", f64::NAN), ("ctr", 1.0), ("conversion_rate", 1.0)],
        &[("ecpm", 1.0), ("ctr", 1.0)],
        &[("ecpm", 1.0), ("cpm", 1.0), ("ctr", 1.0), ("conversion_rate", 1.0)],
        &[("ecpm", 1.0), ("clicks", 1.0), ("ctr", 1.0), ("conversion_rate", 1.0)],
    ];
    for weights in weights {
        let weights = Some(weights.iter().map(|&(name, weight)| (name.to_owned(), weight)).collect());
        let (option, message) =
            refused(&rows, &Options { method: Method::Custom, weights, ..Options::default() });
        assert_eq!(option, "weights", "{message}");
    }
    let given = Some(vec![("ctr".to_owned(), 1.0)]);
    assert_eq!(refused(&rows, &Options { weights: given, ..target(Some("impressions")) }).0, "weights");
    let one = Rows::of(vec![("ecpm", cells(&[0.0, 50.0, 100.0]))], vec![None; 3]);
    assert_eq!(refused(&one, &target(Some("cpm"))).0, "target");
    let (option, message) =
        refused(&one, &Options { method: Method::MutualInfo, ..target(Some("impressions")) });
    assert_eq!(
        (option, message.as_str()),
        ("method", "mutual_info needs at least 4 rows with a target, and there are 3")
    );
    assert!(
        Method::of("magic")
            .unwrap_err()
            .to_string()
            .contains("equal, correlation, f_score, mutual_info, variance, custom")
    );
}

#[test]
fn the_answer_has_the_fields_of_the_contract_in_their_order() {
    let rows = small();
    let answer =
        serde_json::to_value(learn(&rows.subject(), &options(Method::Correlation)).unwrap()).unwrap();
    let keys: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys.join(" "),
        "method target target_direction rows_used features left_out weights raw_weights correlations \
         feature_importance summary saved_as warnings"
    );
    assert_eq!(answer["method"], "correlation");
    assert_eq!(answer["target_direction"], "lower_is_better");
    assert_eq!(answer["correlations"]["conversion_rate"], serde_json::Value::Null);
    assert_eq!(answer["feature_importance"][0][0], "ecpm");
    let summary: Vec<&str> = answer["summary"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(summary.join(" "), "total_features weight_sum weight_mean weight_std weight_min weight_max");
}

#[test]
fn threads_change_nothing() {
    let case = &cases()["tied"];
    let with =
        |threads| learn(&case.rows().subject(), &Options { threads, ..options(Method::MutualInfo) }).unwrap();
    assert_eq!(with(1), with(7));
}
