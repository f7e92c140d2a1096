use caliber_analysis::weights::{Method, Options, learn, learned_recipe};
use caliber_analysis::{ByMetric, Error};
use caliber_engine::recipe::{Better, Recipe};

use crate::reference::cases;

#[test]
fn learned_weights_make_a_recipe_that_can_be_read() {
    let case = &cases()["tied"];
    let rows = case.rows();
    let options = Options {
        target: Some("cost_per_conversion".to_owned()),
        method: Method::MutualInfo,
        ..Options::default()
    };
    let learned = learn(&rows.subject(), &options).unwrap();
    let recipe = learned_recipe(&rows.recipe, &learned.weights, "own-learned").unwrap();
    assert_eq!(Recipe::parse(&recipe.to_toml().unwrap()).unwrap(), recipe);
    assert_eq!(recipe.name, "own-learned");
    for metric in &recipe.metrics {
        assert!((metric.weight - learned.weights.get(&metric.metric).unwrap()).abs() < 1e-15);
    }
    let as_it_was = Recipe { name: rows.recipe.name.clone(), metrics: rows.recipe.metrics.clone(), ..recipe };
    assert_eq!(as_it_was, rows.recipe);
}

#[test]
fn a_metric_without_a_weight_is_not_in_the_recipe() {
    let rows = cases()["tied"].rows();
    let weights = [("cpm", 0.25), ("ctr", 0.75), ("ad_load_xl_rate", 0.0)];
    let weights: ByMetric<f64> =
        weights.into_iter().map(|(name, weight)| (name.to_owned(), weight)).collect();
    let recipe = learned_recipe(&rows.recipe, &weights, "own-learned").unwrap();
    let metrics: Vec<_> =
        recipe.metrics.iter().map(|metric| (metric.metric.as_str(), metric.weight, metric.better)).collect();
    assert_eq!(metrics, [("cpm", 0.25, Better::Lower), ("ctr", 0.75, Better::Higher)]);
}

#[test]
fn a_name_that_no_recipe_may_have_is_refused() {
    let rows = cases()["tied"].rows();
    let weights: ByMetric<f64> = [("ctr".to_owned(), 1.0)].into_iter().collect();
    for name in ["", "two words", "../up", "own-display"] {
        let refused = learned_recipe(&rows.recipe, &weights, name).unwrap_err();
        assert!(matches!(refused, Error::Option { option: "save_as", .. }), "{name}: {refused}");
    }
}
