//! Which recipe a report is for, told by its headers alone.

use std::path::Path;

use caliber_engine::recipe::{
    Asked, Channel, Goal, Headers, Recipe, RecipeBook, Recognised, candidates, recognise,
};
use caliber_engine::report::mapping::{HeadersOnly, Override};
use caliber_engine::{Code, Error, Result};

const NOTHING: Asked<'static> =
    Asked { platform: None, channel: None, goal: Goal::Awareness, ctr_sensitive: false };

fn texts(headers: &str) -> Vec<String> {
    headers.split(", ").map(str::to_owned).collect()
}

fn recognised<'b>(book: &'b RecipeBook, headers: &str, asked: &Asked<'_>) -> Result<Recognised<'b>> {
    let texts = texts(headers);
    recognise(book, asked, &Headers { texts: &texts, peek: &HeadersOnly, overrides: &[] })
}

#[track_caller]
fn recipe_of(headers: &str, asked: &Asked<'_>) -> (&'static str, Channel) {
    let found = recognised(RecipeBook::shipped(), headers, asked).unwrap_or_else(|error| panic!("{error}"));
    (&found.recipe.name, found.channel)
}

#[track_caller]
fn refused(headers: &str, asked: &Asked<'_>) -> Error {
    let error = recognised(RecipeBook::shipped(), headers, asked).map(|found| found.recipe.name.clone());
    let error = error.expect_err(headers);
    assert!(error.help.as_ref().is_some_and(|help| !help.is_empty()), "{error}: no help");
    error
}

/// A recipe of one's own for display and either goal.
fn own(name: &str, platform: &str, columns: &str, metrics: &[&str]) -> Recipe {
    let weight = 1.0 / metrics.len() as f64;
    let metrics: Vec<String> = metrics
        .iter()
        .map(|metric| format!("[[metrics]]\nmetric = \"{metric}\"\nweight = {weight}\nbetter = \"higher\"\n"))
        .collect();
    let head = format!(
        "version = 1\nname = \"{name}\"\nplatform = \"{platform}\"\nchannel = \"display\"\ngoal = \"either\"\n"
    );
    Recipe::parse(&format!("{head}[columns]\n{columns}\n{}", metrics.concat())).unwrap()
}

const TTD: &str = "Site, Impressions, Advertiser Cost, Clicks, IAS Display Fully In View 1 Second Rate, \
                   Ad Load XL, Ad Refresh Below 15s";
const PULSEPOINT: &str = "Domain, Impressions, Total Spend, eCPM, CTR, Conversions";
const DV360: &str = "App/URL, Impressions, Media Cost (Advertiser Currency), Clicks, Click Rate (CTR), \
                     Active View: % Viewable Impressions, Total Conversions";

#[test]
fn each_platform_is_known_by_its_own_report() {
    use Channel::{Ctv, Display, Video};
    let with = |headers: &str, more: &str| format!("{headers}, {more}");
    for (headers, recipe, channel) in [
        (TTD.to_owned(), "trade_desk-display-awareness", Display),
        (
            "Site, Impressions, CPM, Sampled In-View Rate, Player Completion Rate, Player Errors, Player Mute"
                .to_owned(),
            "trade_desk-video",
            Video,
        ),
        ("Supply Vendor, Impressions, TV Quality Index, Unique IDs".to_owned(), "trade_desk-ctv", Ctv),
        (PULSEPOINT.to_owned(), "pulsepoint-display-awareness", Display),
        (with(PULSEPOINT, "Completion Rate"), "pulsepoint-video", Video),
        (DV360.to_owned(), "dv360-display", Display),
        (with(DV360, "Starts (Video), Complete Views (Video)"), "dv360-video", Video),
    ] {
        assert_eq!(recipe_of(&headers, &NOTHING), (recipe, channel), "{headers}");
        let reversed: Vec<&str> = headers.split(", ").collect::<Vec<_>>().into_iter().rev().collect();
        assert_eq!(recipe_of(&reversed.join(", "), &NOTHING), (recipe, channel), "reversed {headers}");
    }
}

#[test]
fn most_metrics_in_a_platforms_own_spelling_win_over_more_metrics() {
    // All of PulsePoint's three metrics are there, and more of Trade Desk's in its own words.
    let both = format!("{TTD}, Conversions, eCPM");
    assert_eq!(recipe_of(&both, &NOTHING).0, "trade_desk-display-awareness");
    // Trade Desk's video needs five metrics, a recipe in its own two words fewer: own words win.
    let book = RecipeBook::shipped()
        .clone()
        .with_recipe(own("acme", "acme", "clicks = [\"Klicks\"]\nspend = [\"Kosten\"]", &["cpm", "ctr"]))
        .unwrap();
    let headers = "Domain, Impressions, Kosten, Klicks, Conversions, Viewable Rate";
    assert_eq!(recognised(&book, headers, &NOTHING).unwrap().recipe.name, "acme");
}

#[test]
fn of_as_many_own_spellings_the_recipe_with_most_metrics_wins() {
    let book = RecipeBook::shipped()
        .clone()
        .with_recipe(own("two", "acme", "clicks = [\"Klicks\"]", &["cpm", "ctr"]))
        .unwrap()
        .with_recipe(own("three", "acme", "clicks = [\"Klicks\"]", &["cpm", "ctr", "player_starts"]))
        .unwrap();
    let headers = "Domain, Impressions, Cost, Klicks, player_starts";
    assert_eq!(recognised(&book, headers, &NOTHING).unwrap().recipe.name, "three");
    let fewer = "Domain, Impressions, Cost, Klicks";
    assert_eq!(recognised(&book, fewer, &NOTHING).unwrap().recipe.name, "two");
}

#[test]
fn words_of_everybody_are_the_recipe_with_most_metrics() {
    // Nothing here is any platform's own; PulsePoint's three metrics are all there, and no other recipe's.
    let headers = "Domain, Impressions, Spend, Clicks, Conversions";
    assert_eq!(recipe_of(headers, &NOTHING).0, "pulsepoint-display-awareness");
    // With a viewable rate DV360's four are.
    assert_eq!(recipe_of(&format!("{headers}, Viewable Rate"), &NOTHING).0, "dv360-display");
}

#[test]
fn channels_that_share_a_recipe_are_one_candidate_and_video_unless_said() {
    let headers = "Site, Impressions, CPM, Sampled In-View Rate, Completion Rate, Player Errors, Player Mute";
    assert_eq!(recipe_of(headers, &NOTHING), ("trade_desk-video", Channel::Video));
    let audio = Asked { channel: Some(Channel::Audio), ..NOTHING };
    assert_eq!(recipe_of(headers, &audio), ("trade_desk-video", Channel::Audio));
    let audio = Asked { platform: Some("trade_desk"), ..audio };
    assert_eq!(recipe_of(headers, &audio), ("trade_desk-video", Channel::Audio));
}

#[test]
fn the_goal_chooses_among_recipes_of_one_platform_and_channel() {
    let action = Asked { goal: Goal::Action, ..NOTHING };
    let with_conversions = format!("{TTD}, All Last Click + View Conversions");
    assert_eq!(recipe_of(&with_conversions, &NOTHING).0, "trade_desk-display-awareness");
    assert_eq!(recipe_of(&with_conversions, &action).0, "trade_desk-display-action");
    assert_eq!(recipe_of(PULSEPOINT, &action).0, "pulsepoint-display-action");
    let sensitive = Asked { ctr_sensitive: true, ..NOTHING };
    assert_eq!(recipe_of(TTD, &sensitive).0, "trade_desk-display-awareness-ctr_sensitive");
    assert_eq!(refused(PULSEPOINT, &sensitive).code, Code::UnknownRecipe);
}

#[test]
fn what_is_still_equal_is_named_with_the_flag_that_settles_it() {
    let headers = "Domain, Impressions, Cost, Clicks, Conversions, Viewable Rate, VCR";
    let dv360 = Asked { platform: Some("dv360"), ..NOTHING };
    let error = refused(headers, &dv360);
    assert_eq!(error.code, Code::SeveralRecipes);
    assert!(error.message.contains("dv360-display, dv360-video"), "{error}");
    assert_eq!(error.help.as_deref(), Some("say which: --channel display or --channel video"));
    for channel in [Channel::Display, Channel::Video] {
        let said = Asked { channel: Some(channel), ..dv360 };
        assert_eq!(recipe_of(headers, &said).1, channel);
    }

    let twin = |name: &str, platform: &str| own(name, platform, "clicks = [\"Klicks\"]", &["cpm", "ctr"]);
    let book = |second: Recipe| {
        RecipeBook::shipped().clone().with_recipe(twin("one", "acme")).unwrap().with_recipe(second).unwrap()
    };
    let headers = "Domain, Impressions, Cost, Klicks";
    for (second, flags) in [
        (twin("two", "other"), "say which: --platform acme or --platform other"),
        (twin("two", "acme"), "say which: --recipe one or --recipe two"),
    ] {
        let error = recognised(&book(second), headers, &NOTHING).unwrap_err();
        assert_eq!(error.code, Code::SeveralRecipes);
        assert!(error.message.contains("one, two"), "{error}");
        assert_eq!(error.help.as_deref(), Some(flags));
    }
}

#[test]
fn where_none_fits_the_nearest_is_shown_with_the_columns_it_misses() {
    for (headers, nearest, misses) in [
        (
            "Site, Impressions, Advertiser Cost, Clicks, IAS Display Fully In View 1 Second Rate, Ad Load XL",
            "trade_desk-display-awareness",
            "`Ad Refresh - Below 15s - Impressions`",
        ),
        ("Supply Vendor, Impressions, TV Quality Index", "trade_desk-ctv", "`Unique IDs`"),
        ("Domain, Impressions, eCPM, CTR", "pulsepoint-display-awareness", "`Conversions`"),
        (
            "App/URL, Impressions, Media Cost, Clicks, Active View: % Viewable Impressions",
            "dv360-display",
            "`Conversions`",
        ),
    ] {
        let error = refused(headers, &NOTHING);
        assert_eq!(error.code, Code::NotRecognised, "{headers}");
        assert!(error.message.contains(&format!("the nearest is {nearest}, ")), "{headers}: {error}");
        assert!(error.message.contains(misses), "{headers}: {error}");
        let help = error.help.unwrap();
        assert!(help.contains("--map") && help.contains("--platform"), "{help}");
    }
}

#[test]
fn generic_is_asked_for_and_never_recognised() {
    let headers = "Domain, Impressions, Cost, Clicks";
    assert_eq!(refused(headers, &NOTHING).code, Code::NotRecognised);
    let asked = Asked { platform: Some("generic"), ..NOTHING };
    assert_eq!(recipe_of(headers, &asked), ("generic-display-awareness", Channel::Display));
    let texts = texts(&format!("{headers}, Conversions"));
    let all = Headers { texts: &texts, peek: &HeadersOnly, overrides: &[] };
    let found = candidates(RecipeBook::shipped(), &NOTHING, &all).unwrap();
    assert!(found.iter().all(|candidate| candidate.platform != "generic"), "{found:?}");
    assert_eq!(found[0].recipe, "pulsepoint-display-awareness");
    assert_eq!(found[0].lacking, []);
}

#[test]
fn columns_mapped_by_hand_count() {
    let texts = texts("Seite, Einblendungen, eCPM, CTR, Abschlüsse");
    let maps = ["domain=Seite", "impressions=#2", "conversions=Abschlüsse"];
    let overrides: Vec<Override> = maps.iter().map(|map| Override::parse(map).unwrap()).collect();
    let headers = Headers { texts: &texts, peek: &HeadersOnly, overrides: &overrides };
    let found = recognise(RecipeBook::shipped(), &NOTHING, &headers).unwrap();
    assert_eq!(found.recipe.name, "pulsepoint-display-awareness");
    let unknown = [Override::parse("conversion=Abschlüsse").unwrap()];
    let error =
        recognise(RecipeBook::shipped(), &NOTHING, &Headers { overrides: &unknown, ..headers }).unwrap_err();
    assert_eq!(error.code, Code::BadOption);
    assert!(error.help.unwrap().contains("`conversions`"));
}

/// The first row of a CSV whose title lines hold fewer cells.
fn header_row(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let delimiter = if text.contains(';') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let header = reader.records().map(std::result::Result::unwrap).find(|row| row.len() > 10).unwrap();
    header.iter().map(|cell| cell.trim_start_matches('\u{feff}').to_owned()).collect()
}

#[test]
fn every_fixture_is_recognised() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        let expected: serde_json::Value =
            serde_json::from_slice(&std::fs::read(file.with_extension("expected.json")).unwrap()).unwrap();
        let asked = Asked {
            goal: if expected["goal"] == "action" { Goal::Action } else { Goal::Awareness },
            ctr_sensitive: expected["ctr_sensitive"].as_bool().unwrap_or(false),
            ..NOTHING
        };
        let texts = header_row(&file);
        let headers = Headers { texts: &texts, peek: &HeadersOnly, overrides: &[] };
        let found = recognise(RecipeBook::shipped(), &asked, &headers)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(found.recipe.platform, expected["platform"].as_str().unwrap(), "{}", file.display());
        // Nothing in headers tells audio from video.
        let channel =
            if expected["channel"] == "audio" { "video" } else { expected["channel"].as_str().unwrap() };
        assert_eq!(found.channel.name(), channel, "{}", file.display());
        seen += 1;
    }
    assert_eq!(seen, 17);
}

#[test]
fn every_sample_is_recognised_whatever_its_headers_look_like() {
    use caliber_sample::{Mess, Request, channels, platforms, write_csv};

    for platform in platforms() {
        for channel in channels(platform) {
            for mess in
                [None, Some(Mess::HeaderSpelling), Some(Mess::MoneyColumns), Some(Mess::NumberedPixels)]
            {
                let mut request = Request::new(platform.to_owned(), channel.to_owned());
                (request.rows, request.domains) = (Some(20), Some(20));
                request.mess = mess.into_iter().collect();
                let mut bytes = Vec::new();
                write_csv(&request, &mut bytes).unwrap();
                let mut reader = csv::Reader::from_reader(bytes.as_slice());
                let texts: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
                let headers = Headers { texts: &texts, peek: &HeadersOnly, overrides: &[] };
                let found = recognise(RecipeBook::shipped(), &NOTHING, &headers)
                    .unwrap_or_else(|error| panic!("{platform} {channel} {mess:?}: {error}"));
                let found = (found.recipe.platform.as_str(), found.channel.name());
                match (platform, channel) {
                    // Words of everybody are never `generic`: by most metrics they are PulsePoint's.
                    ("generic", _) => assert_eq!(found, ("pulsepoint", "display"), "{mess:?}"),
                    (platform, "audio") => assert_eq!(found, (platform, "video"), "{mess:?}"),
                    told => assert_eq!(found, told, "{mess:?}: {texts:?}"),
                }
            }
        }
    }
}
