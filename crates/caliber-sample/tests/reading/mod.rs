//! An independent reader of samples, lenient as a person is, for the tests to judge by.

use std::collections::BTreeMap;

/// What a site delivered, as the report shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) rows: u64,
    pub(crate) impressions: i64,
    pub(crate) clicks: i64,
    pub(crate) conversions: i64,
    pub(crate) cents: i64,
}

/// Names that stand for what cannot be named.
const AGGREGATES: [&str; 27] = [
    "",
    "-",
    "--",
    "-----",
    "total",
    "totals",
    "grand total",
    "[tail aggregate]",
    "row labels",
    "summary",
    "aggregate",
    "(not set)",
    "(not available)",
    "subtotal",
    "low volume inventory",
    "deals.unknown",
    "managed.unknown",
    "undisclosed",
    "unknown",
    "anonymous",
    "gesamt",
    "totale",
    "totales",
    "total général",
    "итого",
    "site",
    "domain",
];

/// Rolls lines of cells up by site. `decimal_comma` says how numbers are written.
pub(crate) fn roll_up(lines: &[Vec<String>], decimal_comma: bool) -> BTreeMap<String, Delivered> {
    let header = lines.iter().position(|line| line.iter().any(|cell| words(cell) == "impressions")).unwrap();
    let find = |names: &[&str]| lines[header].iter().position(|cell| names.contains(&words(cell).as_str()));
    let site = find(&["site", "domain", "app/url"]).or_else(|| find(&["supply vendor"])).unwrap();
    let impressions = find(&["impressions"]).unwrap();
    let money = find(&["advertiser cost", "total spend", "spend", "revenue"]).unwrap();
    let clicks = find(&["clicks"]);
    let conversions: Vec<usize> =
        (0..lines[header].len()).filter(|at| words(&lines[header][*at]).ends_with("conversions")).collect();
    let mut sites: BTreeMap<String, Delivered> = BTreeMap::new();
    for line in &lines[header + 1..] {
        let cell = |at: usize| line.get(at).map_or("", String::as_str);
        let read = |at: usize| number(cell(at), decimal_comma);
        let name = site_name(cell(site));
        let Some(shown) = read(impressions) else { continue };
        if AGGREGATES.contains(&name.trim_end_matches(':')) {
            continue;
        }
        let delivered = sites.entry(name).or_default();
        delivered.rows += 1;
        delivered.impressions += shown as i64;
        delivered.clicks += clicks.and_then(read).unwrap_or(0.0) as i64;
        delivered.conversions += conversions.iter().filter_map(|at| read(*at)).sum::<f64>() as i64;
        delivered.cents += (read(money).unwrap_or(0.0) * 100.0).round() as i64;
    }
    sites
}

/// A header reduced to its words.
pub(crate) fn words(header: &str) -> String {
    let header = header.to_lowercase().replace(['_', '-', '\u{2013}', '\u{feff}'], " ");
    let header = header.split_whitespace().collect::<Vec<_>>().join(" ");
    let header =
        ["ttd ", "pulsepoint ", "report "].iter().find_map(|p| header.strip_prefix(p)).unwrap_or(&header);
    header
        .trim_start_matches("gross ")
        .trim_end_matches(" (%)")
        .trim_end_matches(" (usd)")
        .trim_end_matches(" (adv currency)")
        .to_owned()
}

/// The number in a cell, if there is one.
pub(crate) fn number(cell: &str, decimal_comma: bool) -> Option<f64> {
    let cell = cell.trim().trim_start_matches('=').trim_matches('"');
    let (cell, sign) = match cell.strip_prefix('(').and_then(|cell| cell.strip_suffix(')')) {
        Some(inner) => (inner, -1.0),
        None => (cell, 1.0),
    };
    let (cell, scale) = cell.strip_suffix('%').map_or((cell, 1.0), |cell| (cell, 0.01));
    let cell = cell.replace('$', "");
    let cell = if decimal_comma { cell.replace('.', "").replace(',', ".") } else { cell.replace(',', "") };
    if !cell.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-') {
        return None;
    }
    cell.parse::<f64>().ok().map(|number| number * sign * scale)
}

fn site_name(cell: &str) -> String {
    let name = cell.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if let Some((_, id)) = name.split_once("store/apps/details?id=") {
        return id.to_owned();
    }
    if let Some((_, id)) = name.split_once("itunes.apple.com/us/app/an-app/id") {
        return id.trim_end_matches("?mt=8").to_owned();
    }
    let name = name.split_once("://").map_or(name.as_str(), |(_, rest)| rest);
    if name.contains(' ') {
        return name.to_owned();
    }
    let host = name.split(['/', ':']).next().unwrap_or_default().trim_end_matches('.');
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}
