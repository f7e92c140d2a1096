use caliber_analysis::Error;
use caliber_analysis::changes::{Changes, changes};
use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::Dimension;
use proptest::prelude::*;

use crate::random::runs;
use crate::scored::{Run, assert_close, fixture, keys, reference};

/// A fixture without every so-manieth row.
fn without(name: &str, every: usize) -> Run {
    let mut run = fixture(name, Normalization::Minmax);
    let kept: Vec<usize> = (0..run.results.len()).filter(|row| row % every != 0).collect();
    run.results = run.results.rows(&kept);
    run
}

fn between(before: &Run, after: &Run) -> Changes {
    changes(&before.subject(), &after.subject()).unwrap()
}

#[test]
fn changes_are_those_of_a_plain_loop() {
    let (before, after) = (without("ttd_display", 5), without("ttd_display-ctr_sensitive", 7));
    let (ours, theirs) = (between(&before, &after), &reference()["changes"]);
    assert_close(ours.before.campaign_score, &theirs["campaign_score"][0], "before");
    assert_close(ours.after.campaign_score, &theirs["campaign_score"][1], "after");
    for (metric, change) in &ours.feature_changes.0 {
        assert_close(change.points, &theirs["points"][metric], metric);
        assert_close(change.before.unwrap(), &theirs["means"][metric][0], metric);
        assert_close(change.after.unwrap(), &theirs["means"][metric][1], metric);
    }
    assert_close(ours.volume, &theirs["volume"], "volume");
    assert_close(ours.mix.same, &theirs["mix"]["same"], "same");
    assert_close(ours.mix.new, &theirs["mix"]["new"], "new");
    assert_close(ours.mix.gone, &theirs["mix"]["gone"], "gone");
    assert_eq!(ours.counts.improved, theirs["improved"]);
    let listed = theirs["score_changes"].as_array().unwrap();
    assert_eq!(ours.score_changes.len(), listed.len());
    for (ours, theirs) in ours.score_changes.iter().zip(listed) {
        assert_eq!(ours.domain, theirs[0]);
        assert_close(ours.points, &theirs[1], &ours.domain);
    }
}

#[test]
fn the_object_has_the_keys_of_the_contract() {
    let (before, after) = (without("ttd_display", 5), without("ttd_display", 7));
    let changes = serde_json::to_value(between(&before, &after)).unwrap();
    #[rustfmt::skip]
    assert_eq!(keys(&changes), [
        "before", "after", "campaign_score_change", "feature_changes", "volume", "mix", "counts", "change_drivers",
        "score_changes", "explanation", "warnings",
    ]);
    assert_eq!(keys(&changes["before"]), ["campaign_score", "rows", "impressions", "spend"]);
    assert_eq!(keys(&changes["feature_changes"]["cpm"]), ["before", "after", "points"]);
    assert_eq!(keys(&changes["mix"]), ["same", "new", "gone"]);
    assert_eq!(keys(&changes["counts"]), ["same", "new", "gone", "improved", "declined"]);
    assert_eq!(keys(&changes["score_changes"][0]), ["domain", "before", "after", "change", "points"]);
    assert_eq!(changes["warnings"].as_array().map(Vec::len), Some(0), "{changes}");
}

#[test]
fn a_run_has_not_changed_against_itself() {
    let run = fixture("ttd_display", Normalization::Minmax);
    let changes = between(&run, &run);
    assert_eq!(changes.campaign_score_change, 0.0);
    assert!(changes.change_drivers.iter().all(|(_, points)| points.to_bits() == 0), "no -0: {changes:?}");
    assert_eq!((changes.counts.same, changes.counts.improved), (33, 0));
    assert_eq!(changes.explanation, "The campaign's score stayed at 61.5.");
}

#[test]
fn what_makes_runs_hard_to_compare_is_said() {
    let before = fixture("ttd_display", Normalization::Minmax);
    let after = fixture("pp_video", Normalization::Rank);
    let changes = between(&before, &after);
    let warnings = changes.warnings.join("\n");
    for words in [
        "two recipes",
        "CPM is scored before only",
        "scored after only",
        "CTR weighs 0.2 before and 0.1",
        "`rank`",
    ] {
        assert!(warnings.contains(words), "{words}: {warnings}");
    }
    // What one recipe lacks counts nothing there.
    assert!(changes.feature_changes.get("completion_rate").unwrap().before.is_none());
}

#[test]
fn rows_of_two_kinds_are_refused() {
    let (domains, vendors) = (without("ttd_display", 5), without("ttd_ctv", 5));
    assert_eq!(vendors.results.dimension, Dimension::SupplyVendor);
    match changes(&domains.subject(), &vendors.subject()) {
        Err(Error::Option { option: "after", message }) => {
            assert!(message.contains("supply_vendor") && message.contains("domain"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_run_without_impressions_has_no_score_to_compare() {
    let run = fixture("ttd_display", Normalization::Minmax);
    let mut empty = run.clone();
    empty.results.impressions.fill(0.0);
    assert!(matches!(changes(&empty.subject(), &run.subject()), Err(Error::Option { option: "before", .. })));
    assert!(matches!(changes(&run.subject(), &empty.subject()), Err(Error::Option { option: "after", .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_parts_sum_to_the_change(before in runs(), after in runs()) {
        let changes = between(&before, &after);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let of_metrics: f64 = changes.feature_changes.0.iter().map(|(_, change)| change.points).sum();
        prop_assert!(close(of_metrics + changes.volume, changes.mix.same));
        let mix = changes.mix;
        prop_assert!(close(mix.same + mix.new + mix.gone, changes.campaign_score_change));
        let drivers: f64 = changes.change_drivers.iter().map(|(_, points)| points).sum();
        prop_assert!(close(drivers, changes.campaign_score_change));
        let counts = changes.counts;
        prop_assert_eq!(counts.same + counts.new, after.results.len());
        prop_assert_eq!(counts.same + counts.gone, before.results.len());
        if changes.score_changes.len() < 20 {
            let points: f64 = changes.score_changes.iter().map(|change| change.points).sum();
            prop_assert!(close(points, changes.campaign_score_change));
        }
    }

    #[test]
    fn the_way_back_is_the_negative_of_the_way_there(before in runs(), after in runs()) {
        let (there, back) = (between(&before, &after), between(&after, &before));
        let close = |a: f64, b: f64| (a + b).abs() < 1e-12;
        prop_assert!(close(there.campaign_score_change, back.campaign_score_change));
        prop_assert!(close(there.volume, back.volume));
        prop_assert!(close(there.mix.new, back.mix.gone) && close(there.mix.gone, back.mix.new));
        for (metric, change) in &there.feature_changes.0 {
            prop_assert!(close(change.points, back.feature_changes.get(metric).unwrap().points));
        }
        for change in &there.score_changes {
            let back = back.score_changes.iter().find(|back| back.domain == change.domain);
            if let Some(back) = back {
                prop_assert!(close(change.points, back.points));
                prop_assert_eq!((change.before, change.after), (back.after, back.before));
            }
        }
    }
}
