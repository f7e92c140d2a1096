//! The sample world: the same every time, consistent in itself, and as the figures of the trade are.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod reading;

use std::collections::BTreeMap;

use caliber_sample::{Request, SampleError, WorldKind, channels, platforms, write_csv, write_truth};
use reading::{number, roll_up, words};

fn request(platform: &str, channel: &str, rows: u64, domains: u32) -> Request {
    Request { rows: Some(rows), domains: Some(domains), ..Request::new(platform, channel) }
}

fn report(request: &Request) -> Vec<u8> {
    let mut out = Vec::new();
    write_csv(request, &mut out).unwrap();
    out
}

fn table(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The truth as name -> (class, rates by name).
fn truth(request: &Request) -> BTreeMap<String, (String, BTreeMap<String, f64>)> {
    let mut out = Vec::new();
    write_truth(request, &mut out).unwrap();
    let table = table(&out);
    let (header, sites) = table.split_first().unwrap();
    assert_eq!(header[..2], ["domain", "class"]);
    let rates = |line: &[String]| {
        header[2..].iter().cloned().zip(line[2..].iter().map(|rate| rate.parse().unwrap())).collect()
    };
    sites.iter().map(|line| (line[0].clone(), (line[1].clone(), rates(line)))).collect()
}

fn layouts() -> Vec<(&'static str, &'static str)> {
    platforms().into_iter().flat_map(|p| channels(p).into_iter().map(move |c| (p, c))).collect()
}

/// FNV-1a, so that a change of a single byte is seen.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

#[test]
fn the_same_request_gives_the_same_bytes_on_every_machine() {
    let found: Vec<_> = layouts()
        .into_iter()
        .map(|(platform, channel)| {
            let mut bytes = report(&request(platform, channel, 100, 20));
            write_truth(&request(platform, channel, 100, 20), &mut bytes).unwrap();
            (platform, channel, fingerprint(&bytes))
        })
        .collect();
    let pinned = [
        ("trade_desk", "display", 8_045_202_809_242_212_643),
        ("trade_desk", "video", 9_558_219_341_872_709_710),
        ("trade_desk", "audio", 10_075_416_826_112_376_979),
        ("trade_desk", "ctv", 1_307_314_171_052_679_960),
        ("pulsepoint", "display", 7_031_249_758_196_667_173),
        ("pulsepoint", "video", 16_455_058_676_038_360_532),
        ("dv360", "display", 15_380_187_596_881_184_250),
        ("dv360", "video", 7_584_998_092_174_583_304),
        ("generic", "display", 14_366_228_234_863_348_536),
    ];
    assert_eq!(found, pinned);
}

#[test]
fn another_seed_is_another_world() {
    let first = request("generic", "display", 100, 10);
    let second = Request { seed: 43, ..first.clone() };
    assert_eq!(report(&first), report(&first.clone()));
    assert_ne!(report(&first), report(&second));
    assert_ne!(truth(&first).keys().collect::<Vec<_>>(), truth(&second).keys().collect::<Vec<_>>());
}

#[test]
fn every_site_has_a_row_and_every_row_a_site() {
    for (platform, channel) in layouts() {
        for (rows, domains) in [(1, 1), (50, 50), (700, 60)] {
            let request = request(platform, channel, rows, domains);
            let sites = roll_up(&table(&report(&request)), false);
            assert_eq!(sites.values().map(|site| site.rows).sum::<u64>(), rows);
            let truth: Vec<String> = truth(&request).keys().map(|name| name.to_lowercase()).collect();
            let mut named: Vec<String> = sites.into_keys().collect();
            named.sort_unstable();
            let mut truth = truth;
            truth.sort_unstable();
            assert_eq!(named, truth, "{platform} {channel}");
        }
    }
}

#[test]
fn the_trade_desk_display_report_has_27_columns_and_some_220_bytes_a_row() {
    let bytes = report(&request("trade_desk", "display", 1_000, 100));
    assert!(table(&bytes).iter().all(|line| line.len() == 27));
    let per_row = bytes.len() / 1_000;
    assert!((210..235).contains(&per_row), "{per_row}");
}

/// A column of numbers, by the words of its header; missing cells are NaN.
fn column(table: &[Vec<String>], name: &str) -> Option<Vec<f64>> {
    let at = table[0].iter().position(|header| words(header) == name)?;
    Some(table[1..].iter().map(|line| number(&line[at], false).unwrap_or(f64::NAN)).collect())
}

#[test]
fn counts_agree_with_each_other_and_rates_with_counts() {
    for (platform, channel) in layouts() {
        let table = table(&report(&request(platform, channel, 800, 60)));
        let get = |name: &str| column(&table, name);
        let impressions = get("impressions").unwrap();
        assert!(impressions.iter().all(|n| *n >= 1.0 && n.fract() == 0.0));
        let at_most = |part: &str, whole: &str| {
            let (Some(parts), Some(wholes)) = (get(part), get(whole)) else { return };
            assert!(
                parts.iter().zip(&wholes).all(|(a, b)| a <= b && *a >= 0.0),
                "{platform} {channel} {whole}"
            );
        };
        for part in [
            "clicks",
            "all last click + view conversions",
            "total conversions",
            "sampled tracked impressions",
            "active view: measurable impressions",
            "ad load xl (excessive) impressions",
            "ad refresh below 15s impressions",
            "player starts",
            "starts (video)",
            "player errors",
            "player mute",
            "unique ids",
            "tv quality index measured impressions",
        ] {
            at_most(part, "impressions");
        }
        at_most("sampled viewed impressions", "sampled tracked impressions");
        at_most("active view: viewable impressions", "active view: measurable impressions");
        at_most("player completed views", "player starts");
        at_most("complete views (video)", "starts (video)");
        at_most("tv quality index", "tv quality index measured impressions");
        let agree = |rate: &str, part: &str, whole: &str, scale: f64, step: f64| {
            let (Some(rate), Some(part), Some(whole)) = (get(rate), get(part), get(whole)) else { return };
            for ((rate, part), whole) in rate.iter().zip(part).zip(whole) {
                assert!(
                    (rate - part / whole * scale).abs() <= step / 2.0 + 1e-9,
                    "{platform} {channel}: {rate}"
                );
            }
        };
        let spend = ["advertiser cost", "total spend", "spend"];
        for (spend, cpm) in spend.into_iter().flat_map(|s| ["advertiser cpm", "cpm", "ecpm"].map(|c| (s, c)))
        {
            agree(cpm, spend, "impressions", 1000.0, 1e-4);
        }
        agree("ctr", "clicks", "impressions", 1.0, 1e-6);
        agree("click rate (ctr)", "clicks", "impressions", 1.0, 1e-6);
        agree("win rate", "impressions", "bids", 1.0, 1e-6);
        agree("conversion rate", "conversions", "impressions", 1.0, 1e-6);
        let view = "all last click + view conversion rate";
        agree(view, "all last click + view conversions", "impressions", 1.0, 1e-6);
        agree("sampled in view rate", "sampled viewed impressions", "sampled tracked impressions", 1.0, 1e-6);
        agree("player completion rate", "player completed views", "player starts", 1.0, 1e-6);
        agree("video completion rate", "complete views (video)", "starts (video)", 1.0, 1e-6);
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn classes_differ_as_the_trade_says_and_overlap() {
    let truth = truth(&request("trade_desk", "display", 20_000, 5_000));
    let of = |class: &str, rate: &str| -> Vec<f64> {
        truth.values().filter(|site| site.0 == class).map(|site| site.1[&format!("true_{rate}")]).collect()
    };
    let (mfa, normal) = ("made_for_advertising", "normal");
    let cheaper = median(of(mfa, "cpm")) / median(of(normal, "cpm"));
    assert!((0.70..0.80).contains(&cheaper), "{cheaper}");
    assert!(median(of(mfa, "viewability")) >= median(of(normal, "viewability")));
    assert!(median(of(mfa, "ad_load")) > 2.0 * median(of(normal, "ad_load")));
    assert!(median(of(mfa, "ad_refresh")) > 2.0 * median(of(normal, "ad_refresh")));
    assert!(median(of(mfa, "conversion_rate")) < 0.5 * median(of(normal, "conversion_rate")));
    assert!(median(of("fraud", "ctr")) > 4.0 * median(of(normal, "ctr")));
    assert!(of("fraud", "conversion_rate").iter().all(|rate| *rate == 0.0));
    assert!(median(of("premium", "cpm")) > median(of(normal, "cpm")));
    for rate in ["cpm", "ctr", "viewability", "ad_load", "ad_refresh"] {
        let middle = median(of(normal, rate));
        let above = of(mfa, rate).iter().filter(|rate| **rate > middle).count();
        let share = above as f64 / of(mfa, rate).len() as f64;
        assert!((0.01..0.99).contains(&share), "{rate} does not overlap: {share}");
    }
    let most_clicked = of(normal, "ctr").into_iter().fold(0.0, f64::max);
    assert!(of("fraud", "ctr").iter().any(|ctr| *ctr < most_clicked));
}

#[test]
fn overlapping_classes_stand_closer_and_few_sites_are_made_for_advertising() {
    let own = request("trade_desk", "display", 20_000, 5_000);
    let near = Request { world: WorldKind::Overlapping, ..own.clone() };
    let (own, near) = (truth(&own), truth(&near));
    let of = |truth: &BTreeMap<String, (String, BTreeMap<String, f64>)>, class: &str, rate: &str| {
        let rate = format!("true_{rate}");
        median(truth.values().filter(|site| site.0 == class).map(|site| site.1[&rate]).collect())
    };
    let mfa = "made_for_advertising";
    for rate in ["ad_load", "ad_refresh"] {
        let distance = |truth| of(truth, mfa, rate) / of(truth, "normal", rate);
        assert!(
            distance(&near) > 1.3 && distance(&near) < 0.85 * distance(&own),
            "{rate}: {} beside {}",
            distance(&near),
            distance(&own)
        );
    }
    let share = near.values().filter(|site| site.0 == mfa).count() as f64 / near.len() as f64;
    assert!((0.035..0.045).contains(&share), "{share}");
}

#[test]
fn identical_sites_differ_in_name_and_volume_only() {
    let request = Request { world: WorldKind::Identical, ..request("trade_desk", "display", 2_000, 300) };
    let truth = truth(&request);
    let (class, rates) = truth.values().next().unwrap();
    assert!(class == "normal" && truth.values().all(|site| site.0 == *class && site.1 == *rates));
    let sites = roll_up(&table(&report(&request)), false);
    assert!(
        sites
            .values()
            .any(|site| site.impressions > 100 * sites.values().map(|s| s.impressions).min().unwrap())
    );
}

#[test]
fn a_world_is_named_or_refused_with_the_names_there_are() {
    for kind in WorldKind::ALL {
        assert_eq!(kind.name().parse::<WorldKind>().unwrap(), kind);
    }
    let error = "flat".parse::<WorldKind>().unwrap_err();
    assert!(error.is_input() && error.help().unwrap().contains("own, overlapping, identical"), "{error}");
}

#[test]
fn fraud_clicks_and_never_converts_in_the_report() {
    let request = request("trade_desk", "display", 6_000, 400);
    let truth = truth(&request);
    let (mut clicks, mut impressions) = (0, 0);
    for (name, site) in roll_up(&table(&report(&request)), false) {
        if truth[&name].0 == "fraud" {
            assert_eq!(site.conversions, 0, "{name}");
            clicks += site.clicks;
            impressions += site.impressions;
        }
    }
    assert!(clicks as f64 / impressions as f64 > 0.002, "{clicks} of {impressions}");
}

#[test]
fn campaigns_click_and_are_seen_as_campaigns_are() {
    for seed in 0..4 {
        let request = Request { seed, ..request("trade_desk", "display", 10_000, 200) };
        let table = table(&report(&request));
        let impressions = column(&table, "impressions").unwrap();
        let total: f64 = impressions.iter().sum();
        let ctr = column(&table, "clicks").unwrap().iter().sum::<f64>() / total;
        assert!((0.0006..0.0009).contains(&ctr), "seed {seed}: CTR {ctr}");
        let rates = column(&table, "ias display fully in view 1 second rate").unwrap();
        let seen = rates.iter().zip(&impressions).map(|(rate, n)| rate * n).sum::<f64>() / total;
        assert!((0.54..0.70).contains(&seen), "seed {seed}: in view {seen}");
    }
}

#[test]
fn volumes_have_a_long_tail_of_tiny_sites() {
    let sites = roll_up(&table(&report(&request("trade_desk", "display", 6_000, 400))), false);
    let volumes: Vec<f64> = sites.values().map(|site| site.impressions as f64).collect();
    let tiny = volumes.iter().filter(|volume| **volume < 250.0).count() as f64 / volumes.len() as f64;
    assert!((0.1..0.4).contains(&tiny), "{tiny}");
    let mean = volumes.iter().sum::<f64>() / volumes.len() as f64;
    assert!(mean > 3.0 * median(volumes));
}

#[test]
fn rows_of_a_site_differ_by_more_than_chance() {
    let request = request("trade_desk", "display", 4_000, 20);
    let table = table(&report(&request));
    let at = |name: &str| table[0].iter().position(|header| words(header) == name).unwrap();
    let (site, load, imps) = (at("site"), at("ad load xl (excessive) impressions"), at("impressions"));
    let mut sites: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for line in &table[1..] {
        sites
            .entry(&line[site])
            .or_default()
            .push((line[load].parse().unwrap(), line[imps].parse().unwrap()));
    }
    // Pearson's statistic per degree of freedom is 1 by chance alone, give or take 0.03 for so many rows.
    let (mut statistic, mut freedom) = (0.0, 0.0);
    for rows in sites.values() {
        let rate = rows.iter().map(|row| row.0).sum::<f64>() / rows.iter().map(|row| row.1).sum::<f64>();
        if rate > 0.0 {
            statistic +=
                rows.iter().map(|(k, n)| (k - n * rate).powi(2) / (n * rate * (1.0 - rate))).sum::<f64>();
            freedom += rows.len() as f64 - 1.0;
        }
    }
    assert!(statistic / freedom > 1.25, "{}", statistic / freedom);
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |request: Request| write_csv(&request, Vec::new()).unwrap_err();
    for (rows, domains) in [(0, 1), (5, 0), (5, 6)] {
        let error = refused(request("generic", "display", rows, domains));
        assert!(matches!(error, SampleError::Size { .. }) && error.is_input());
    }
    let error = refused(request("pulsepoint", "audio", 10, 5));
    let help = error.help().unwrap_or_default();
    assert!(help.contains("pulsepoint display, pulsepoint video"), "{error}: {help}");
    assert_eq!(channels("trade_desk"), ["display", "video", "audio", "ctv"]);
    assert_eq!(platforms(), ["trade_desk", "pulsepoint", "dv360", "generic"]);
}
