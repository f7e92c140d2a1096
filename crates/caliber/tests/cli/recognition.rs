//! Which recipe a report is for, told by its headers, in every form a sample can have.

use crate::call::{Place, assert_says};

/// Platform and channel of a sample, the recipe it is for, and the channel that is said.
const RECOGNISED: [(&str, &str, &str); 8] = [
    ("trade_desk display", "trade_desk-display-awareness", "display"),
    ("trade_desk video", "trade_desk-video", "video"),
    // Video and audio share one recipe, which is video unless said.
    ("trade_desk audio", "trade_desk-video", "video"),
    ("trade_desk ctv", "trade_desk-ctv", "ctv"),
    ("pulsepoint display", "pulsepoint-display-awareness", "display"),
    ("pulsepoint video", "pulsepoint-video", "video"),
    ("dv360 display", "dv360-display", "display"),
    ("dv360 video", "dv360-video", "video"),
];
const FORMS: [&str; 6] = ["r.csv", "r.tsv", "r.csv.gz", "r.csv.zst", "r.xlsx", "r.parquet"];

#[test]
fn every_sample_is_recognised_and_scored_in_every_form() {
    for (layout, recipe, channel) in RECOGNISED {
        let mut first: Option<String> = None;
        for form in FORMS {
            let place = Place::new();
            place.sample(layout, 500, 40, form, &[]);
            let inspected = place.run(&["inspect", "--json", form]).done().document();
            assert_eq!(inspected["recognised"]["channel"], channel, "{layout} as {form}: {inspected}");
            assert_eq!(inspected["recognised"]["platform"], layout.split(' ').next().unwrap());
            assert!(inspected.get("candidates").is_none_or(serde_json::Value::is_null), "{layout} as {form}");
            assert_eq!(inspected["preview"].as_array().unwrap().len(), 10, "{layout} as {form}");
            let summary = place.score(&[form]);
            assert_eq!(summary["recipe"]["name"], recipe, "{layout} as {form}");
            assert_eq!(summary["channel"], channel, "{layout} as {form}");
            let results = place.read("r-caliber/results.csv");
            assert!(results.lines().count() > 10, "{layout} as {form}: {results}");
            match &first {
                None => first = Some(results),
                Some(first) => assert_eq!(*first, results, "{layout}: CSV and {form} score alike"),
            }
        }
    }
}

#[test]
fn what_a_file_is_stands_in_the_quality_report() {
    for (form, format, compression) in [
        ("r.csv", "csv", None),
        ("r.csv.gz", "csv", Some("gzip")),
        ("r.csv.zst", "csv", Some("zstd")),
        ("r.xlsx", "xlsx", None),
        ("r.parquet", "parquet", None),
    ] {
        let place = Place::new();
        place.sample("trade_desk display", 300, 30, form, &[]);
        place.score(&[form, "--out", "out"]);
        let file = place.json("out/quality.json")["files"][0].clone();
        assert_eq!(file["format"], format, "{file}");
        assert_eq!(file["compression"].as_str(), compression, "{file}");
        assert_eq!(file["sheet"].is_string(), format == "xlsx", "{file}");
    }
}

#[test]
fn the_kind_of_a_file_goes_by_its_bytes_and_not_by_its_name() {
    let place = Place::new();
    for form in FORMS {
        place.sample("pulsepoint display", 300, 30, form, &[]);
        std::fs::rename(place.path(form), place.path("report.dat")).unwrap();
        let summary = place.score(&["report.dat", "--out", "out"]);
        assert_eq!(summary["recipe"]["name"], "pulsepoint-display-awareness", "{form} under another name");
    }
}

#[test]
fn the_generic_recipe_is_never_recognised_only_asked_for() {
    let place = Place::new();
    place.sample("generic display", 500, 40, "r.csv", &[]);
    let recognised = place.score(&["r.csv", "--out", "out"]);
    assert_ne!(recognised["platform"], "generic");
    let asked = place.score(&["r.csv", "--out", "out", "--platform", "generic", "--channel", "display"]);
    assert_eq!(asked["recipe"]["name"], "generic-display-awareness");
}

#[test]
fn a_report_that_fits_nothing_is_shown_the_nearest_recipe_and_what_it_lacks() {
    let place = Place::new();
    place.write("r.csv", "Site,Impressions,Advertiser Cost\na.example,1000,2\nb.example,900,3\n");
    let error = place.refusal(&["r.csv"]);
    assert_eq!(error["code"], "not_recognised", "{error}");
    assert_eq!(error["file"], "r.csv");
    assert!(
        error.to_string().contains("Clicks") || error.to_string().contains("CTR"),
        "no column named: {error}"
    );
}

#[test]
fn recipes_that_fit_equally_well_are_named_with_the_flag_that_settles_it() {
    let place = Place::new();
    // Names of everybody: nothing tells the two channels of DV360 from each other.
    place.write(
        "r.csv",
        "Domain,Impressions,Cost,Clicks,Conversions,viewable rate,Completion Rate\n\
         a.example,1000,2,3,1,0.5,0.6\nb.example,900,3,4,2,0.4,0.7\n",
    );
    let error = place.refusal(&["r.csv", "--platform", "dv360"]);
    assert_eq!(error["code"], "several_recipes", "{error}");
    assert_says(&error, "message", &["dv360-display", "dv360-video"]);
    assert_says(&error, "help", &["--channel"]);
    let inspected = place.run(&["inspect", "--json", "r.csv", "--platform", "dv360"]).done().document();
    assert!(inspected["candidates"].as_array().unwrap().len() >= 2, "{inspected}");
    let summary = place.score(&["r.csv", "--platform", "dv360", "--channel", "video"]);
    assert_eq!(summary["recipe"]["name"], "dv360-video");
}
