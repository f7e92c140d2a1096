//! What holds of every scored report, whatever is in it.

use std::collections::BTreeSet;

use crate::call::Place;
use crate::tables::{self, Table};

const LAYOUTS: [&str; 8] = [
    "trade_desk display",
    "trade_desk video",
    "trade_desk audio",
    "trade_desk ctv",
    "pulsepoint display",
    "pulsepoint video",
    "dv360 display",
    "generic display",
];
const NORMALIZATIONS: [&str; 4] = ["minmax", "winsorized", "rank", "shrunk"];

fn metrics(table: &Table) -> Vec<String> {
    let metric = |column: &String| column.strip_suffix("_contribution").map(str::to_owned);
    table.columns.iter().filter_map(metric).collect()
}

/// Every layout under every normalisation: what `check` says of results and their place.
fn everywhere(check: impl Fn(&Place, &Table, &str)) {
    for (seed, layout) in LAYOUTS.iter().enumerate() {
        let place = Place::new();
        let platform = layout.split(' ').next().unwrap();
        place.sample(layout, 700, 50, "r.csv", &["--seed", &seed.to_string()]);
        for normalization in NORMALIZATIONS {
            place.score(&["r.csv", "--platform", platform, "--normalization", normalization, "--out", "out"]);
            check(&place, &tables::csv(&place, "out"), &format!("{layout}, {normalization}"));
        }
    }
}

#[test]
fn scores_and_normalised_values_are_from_0_to_100_and_contributions_sum_to_the_score() {
    everywhere(|_, table, what| {
        let scores = table.numbers("score");
        assert!(scores.len() > 10, "{what}");
        let mut sums = vec![0.0; scores.len()];
        for metric in metrics(table) {
            for value in table.numbers(&format!("{metric}_normalized")) {
                assert!((0.0..=100.0).contains(&value), "{what}: {metric}_normalized is {value}");
            }
            for (sum, part) in sums.iter_mut().zip(table.numbers(&format!("{metric}_contribution"))) {
                *sum += part;
            }
        }
        for (score, sum) in scores.iter().zip(&sums) {
            assert!((0.0..=100.0).contains(score), "{what}: score {score}");
            assert!((score - sum).abs() < 1e-9, "{what}: score {score}, contributions {sum}");
        }
        assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]), "{what}: not sorted");
    });
}

#[test]
fn percentiles_statuses_and_lists_follow_from_the_scores() {
    everywhere(|place, table, what| {
        let scores = table.numbers("score");
        let n = scores.len() as f64;
        let (percentiles, ranks) = (table.numbers("percentile"), table.numbers("percentile_rank"));
        for (row, status) in table.texts("quality_status").iter().enumerate() {
            let below = scores.iter().filter(|score| **score < scores[row] - 1e-9).count() as f64;
            let ties = scores.iter().filter(|score| (**score - scores[row]).abs() <= 1e-9).count() as f64;
            let percentile = (below + ties.midpoint(1.0)) / n * 100.0;
            assert!((percentiles[row] - percentile).abs() < 1e-9, "{what}, row {row}: not {percentile}");
            assert_eq!(ranks[row], (percentiles[row] + 0.5).floor(), "{what}, row {row}");
            let expected = match percentiles[row] {
                75.0.. => "good",
                25.0.. => "moderate",
                _ => "poor",
            };
            assert_eq!(status, expected, "{what}, row {row}");
        }
        let list = |name: &str| place.read(name).lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let (allow, block) = (list("out/allowlist.txt"), list("out/blocklist.txt"));
        assert!(allow.is_disjoint(&block), "{what}: {:?} are on both", allow.intersection(&block));
        assert_eq!((allow.len(), block.len()), (scores.len() / 4, scores.len() / 4), "{what}");
    });
}

#[test]
fn a_report_in_another_currency_has_the_same_normalised_values() {
    for normalization in NORMALIZATIONS {
        let place = Place::new();
        place.sample("trade_desk display", 700, 50, "r.csv", &[]);
        let text = place.read("r.csv");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().unwrap().clone();
        let money: Vec<usize> = ["Advertiser Cost", "Advertiser CPM"]
            .iter()
            .map(|header| headers.iter().position(|found| found == *header).unwrap())
            .collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&headers).unwrap();
        for record in reader.records() {
            let record = record.unwrap();
            writer
                .write_record(record.iter().enumerate().map(|(at, cell)| match cell.parse::<f64>() {
                    Ok(amount) if money.contains(&at) => (amount * 64.0).to_string(),
                    _ => cell.to_owned(),
                }))
                .unwrap();
        }
        place.write("dear.csv", writer.into_inner().unwrap());
        place.score(&["r.csv", "--normalization", normalization]);
        place.score(&["dear.csv", "--normalization", normalization]);
        let (cheap, dear) = (tables::csv(&place, "r-caliber"), tables::csv(&place, "dear-caliber"));
        assert_eq!(cheap.names(), dear.names(), "{normalization}");
        for metric in metrics(&cheap) {
            let column = format!("{metric}_normalized");
            for (a, b) in cheap.numbers(&column).iter().zip(dear.numbers(&column)) {
                assert!((a - b).abs() < 1e-9, "{normalization}: {column} {a} and {b}");
            }
        }
        let (a, b) = (cheap.numbers("spend"), dear.numbers("spend"));
        assert!(a.iter().zip(&b).all(|(a, b)| (a * 64.0 - b).abs() < 1e-6), "the spend itself is scaled");
    }
}
