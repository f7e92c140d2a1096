//! What a key is: a host, the id of an app, a name, or nothing that a list could hold.

use serde::Serialize;

use super::host::{self, Labels};
use crate::recipe::Dimension;
use crate::report::number;

/// What a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NameKind {
    /// A host, in lower case and punycode.
    Host,
    /// A bundle, a store number, an ASIN or another id of an app.
    AppId,
    /// What is neither: `Very Local: News & Weather`, and every supply vendor.
    Name,
    /// A row that sums up others, or that names nobody: `total`, `[tail aggregate]`, a blank, dashes.
    Aggregate,
    /// A word for no value: `n/a`, `null`.
    Missing,
}

/// The kind of a key that [`normalise`](super::normalise) gave.
pub fn classify(key: &str, dimension: Dimension) -> NameKind {
    // Nearly all keys are hosts, and of the words below none else looks like one.
    if dimension == Dimension::Domain
        && let Some(labels) = Labels::of(key).filter(|labels| labels.count > 1)
    {
        return match key {
            "deals.unknown" | "managed.unknown" => NameKind::Aggregate,
            "n.a" => NameKind::Missing,
            _ => dotted(key, labels),
        };
    }
    if is_aggregate(key) {
        NameKind::Aggregate
    } else if number::is_missing(key.as_bytes()) {
        NameKind::Missing
    } else if dimension == Dimension::SupplyVendor {
        NameKind::Name
    } else if is_single_id(key) {
        NameKind::AppId
    } else {
        NameKind::Name
    }
}

/// Whole keys only: `totalwine.com` is a domain.
fn is_aggregate(key: &str) -> bool {
    const LABELS: [&str; 10] = [
        "[tail aggregate]",
        "row labels",
        "summary",
        "aggregate",
        "(not set)",
        "(not available)",
        "low volume inventory",
        "undisclosed",
        "unknown",
        "anonymous",
    ];
    let label = key.trim_end_matches([':', '：', ' ']);
    // None else of the words below looks like a host.
    if label.contains('.') && !label.contains(' ') {
        return matches!(label, "deals.unknown" | "managed.unknown");
    }
    let blank = label.chars().all(|c| c.is_whitespace() || matches!(c, '-' | '‐'..='―' | '−'));
    blank || LABELS.contains(&label) || is_total(label) || counted_total(label)
}

/// What a total may be of: `Total: placements`, `Total - all domains`, `All sites`.
const COUNTED: [&str; 18] = [
    "account",
    "ad groups",
    "apps",
    "campaign",
    "campaigns",
    "domains",
    "exchanges",
    "filtered rows",
    "inventory sources",
    "other",
    "placements",
    "properties",
    "publishers",
    "report",
    "rows",
    "sites",
    "ssps",
    "supply vendors",
];

/// `total (2 rows)`, `grand total - all domains`, `total: placements`, `all sites`: a total that says of what. That must
/// be a number or what is counted, so that a name that only begins so stays one: `Total (Wine & More)`.
fn counted_total(label: &str) -> bool {
    if let Some((total, of)) = label.strip_suffix(')').and_then(|label| label.rsplit_once(" (")) {
        return is_total(total) && (is_counted(of) || of.starts_with(|c: char| c.is_ascii_digit()));
    }
    // Hosts have no blanks, and looking for seven texts in each would take longer than all else that is asked of it.
    if !label.contains(' ') {
        return false;
    }
    let parted =
        [" - ", " – ", " — ", ": ", ", ", " for ", " of "].iter().find_map(|by| label.split_once(by));
    is_all(label) || parted.is_some_and(|(total, of)| is_total(total) && is_counted(of))
}

fn is_counted(text: &str) -> bool {
    text == "all" || COUNTED.contains(&text) || is_all(text)
}

fn is_all(text: &str) -> bool {
    text.strip_prefix("all ").is_some_and(|counted| COUNTED.contains(&counted))
}

/// Whether a label is one of the words for a total.
fn is_total(label: &str) -> bool {
    const TOTALS: [&str; 11] = [
        "total",
        "totals",
        "grand total",
        "grand totals",
        "subtotal",
        "subtotals",
        "sub-total",
        "sub-totals",
        "sub total",
        "sub totals",
        "overall total",
    ];
    /// `total`, `grand total` and `row labels` as spreadsheets and DSPs say them elsewhere.
    const ABROAD: [&str; 39] = [
        "итого",
        "итог",
        "всего",
        "общий итог",
        "названия строк",
        "gesamt",
        "gesamtsumme",
        "gesamtergebnis",
        "insgesamt",
        "summe",
        "zeilenbeschriftungen",
        "totale",
        "totali",
        "totale complessivo",
        "etichette di riga",
        "totales",
        "total general",
        "etiquetas de fila",
        "total général",
        "total generale",
        "totaux",
        "étiquettes de lignes",
        "total geral",
        "rótulos de linha",
        "totaal",
        "eindtotaal",
        "rijlabels",
        "totalt",
        "totalsumma",
        "suma",
        "suma końcowa",
        "razem",
        "toplam",
        "genel toplam",
        "celkem",
        "合計",
        "総計",
        "总计",
        "합계",
    ];
    TOTALS.contains(&label) || ABROAD.contains(&label)
}

/// App Store numbers, ASINs and Samsung ids, which hold no point.
fn is_single_id(key: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let asin =
        key.len() == 10 && key.starts_with("b0") && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let samsung = key.len() >= 10 && key.strip_prefix('g').is_some_and(digits);
    digits(key) || asin || samsung || key.strip_prefix("id").is_some_and(digits)
}

/// Hosts and reverse-DNS bundles look alike: `de.example.com` against `com.hulu.plus`.
fn dotted(key: &str, labels: Labels<'_>) -> NameKind {
    let Labels { count, first, last } = labels;
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        if host::is_address(key) {
            return NameKind::Host;
        }
        // `01.10.2025` is a day and `1.2.3` a version; neither is an app.
        if count < 3 || !key.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            return NameKind::Name;
        }
    }
    if labels.are_reserved() {
        return NameKind::Host;
    }
    if !host::is_top_level(key) {
        return NameKind::AppId;
    }
    let bundle = count > 2
        && match first {
            // Nobody names a subdomain so, and most bundles begin so.
            "com" | "net" | "org" | "air" => !matches!(last, "com" | "net" | "org"),
            // A country's subdomain (`de.example.com`) unless it ends as only apps do.
            _ => {
                host::is_top_level(first)
                    && matches!(last, "app" | "android" | "plus" | "play" | "mobi" | "games")
            }
        };
    if bundle { NameKind::AppId } else { NameKind::Host }
}
