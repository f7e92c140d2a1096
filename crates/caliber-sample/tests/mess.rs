//! Every kind of disorder: the bytes change as meant, and what the report says does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod reading;

use std::collections::BTreeMap;

use caliber_sample::{Mess, Request, SampleError, write_csv, write_truth};
use reading::{Delivered, roll_up};

fn request(platform: &str, channel: &str, mess: &[Mess]) -> Request {
    Request { rows: Some(400), domains: Some(40), mess: mess.to_vec(), ..Request::new(platform, channel) }
}

fn bytes(request: &Request) -> Vec<u8> {
    let mut out = Vec::new();
    write_csv(request, &mut out).unwrap();
    out
}

/// The text of a display report of The Trade Desk.
fn text(mess: &[Mess]) -> String {
    String::from_utf8(bytes(&request("trade_desk", "display", mess))).unwrap()
}

/// Decodes and splits as a person would who looks at the file.
fn lines(bytes: &[u8], mess: &[Mess]) -> Vec<Vec<String>> {
    let text = if mess.contains(&Mess::Utf16) {
        utf16(bytes)
    } else if mess.contains(&Mess::Cp1252) {
        bytes.iter().map(|byte| cp1252(*byte)).collect()
    } else {
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    let text = text.trim_start_matches('\u{feff}');
    let all = mess.contains(&Mess::All);
    let delimiter = if mess.contains(&Mess::Tab) {
        b'\t'
    } else if mess.contains(&Mess::Pipe) {
        b'|'
    } else if all || mess.contains(&Mess::Semicolon) || mess.contains(&Mess::DecimalComma) {
        b';'
    } else {
        b','
    };
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).flexible(true).delimiter(delimiter);
    let records = reader.from_reader(text.as_bytes()).into_records();
    records.map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn utf16(bytes: &[u8]) -> String {
    assert_eq!(bytes[..2], [0xFF, 0xFE]);
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).unwrap()
}

/// Latin-1, and the one mark beyond it that headers use.
fn cp1252(byte: u8) -> char {
    if byte == 0x96 { '\u{2013}' } else { char::from(byte) }
}

fn delivered(platform: &str, channel: &str, mess: &[Mess]) -> BTreeMap<String, Delivered> {
    let comma = mess.contains(&Mess::DecimalComma) || mess.contains(&Mess::All);
    let mut sites = roll_up(&lines(&bytes(&request(platform, channel, mess)), mess), comma);
    // Rows that mess adds carry nothing of their own.
    for site in sites.values_mut() {
        site.rows = 0;
    }
    sites
}

const LAYOUTS: [(&str, &str); 9] = [
    ("trade_desk", "display"),
    ("trade_desk", "video"),
    ("trade_desk", "audio"),
    ("trade_desk", "ctv"),
    ("pulsepoint", "display"),
    ("pulsepoint", "video"),
    ("dv360", "display"),
    ("dv360", "video"),
    ("generic", "display"),
];

#[test]
fn a_messy_report_rolls_up_to_what_the_clean_one_does() {
    for (platform, channel) in LAYOUTS {
        let clean = delivered(platform, channel, &[]);
        assert_eq!(clean.len(), 40, "{platform} {channel}");
        for kind in Mess::KINDS {
            // One changes names, one has no header to read by, one is for workbooks.
            if [Mess::Idn, Mess::NoHeader, Mess::MetadataSheet, Mess::All].contains(&kind) {
                continue;
            }
            assert_eq!(delivered(platform, channel, &[kind]), clean, "{platform} {channel} {kind}");
        }
    }
}

#[test]
fn many_kinds_at_once_roll_up_to_what_the_clean_report_does() {
    for (platform, channel) in LAYOUTS {
        let clean = delivered(platform, channel, &[]);
        for encoding in [Mess::Bom, Mess::Utf16, Mess::Cp1252] {
            let messy: Vec<Mess> = Mess::KINDS.into_iter().filter(|kind| kept(*kind, encoding)).collect();
            assert_eq!(delivered(platform, channel, &messy), clean, "{platform} {channel} {encoding}");
        }
    }
}

#[test]
fn all_delivers_as_much_as_the_clean_report() {
    // Site by site the test's reader would have to know punycode.
    let sum = |platform, channel, mess: &[Mess]| {
        let sites = delivered(platform, channel, mess);
        sites
            .values()
            .map(|site| (site.impressions, site.clicks, site.conversions, site.cents))
            .fold((0, 0, 0, 0), |sum, site| (sum.0 + site.0, sum.1 + site.1, sum.2 + site.2, sum.3 + site.3))
    };
    for (platform, channel) in LAYOUTS {
        assert_eq!(sum(platform, channel, &[Mess::All]), sum(platform, channel, &[]), "{platform} {channel}");
    }
}

/// The encoding asked for, and every kind that goes with it and that the test's reader can read.
fn kept(kind: Mess, encoding: Mess) -> bool {
    let others = [
        Mess::All,
        Mess::Bom,
        Mess::Utf16,
        Mess::Cp1252,
        Mess::Tab,
        Mess::Pipe,
        Mess::Crlf,
        Mess::Cr,
        Mess::PercentHeaders,
        Mess::Idn,
        Mess::MetadataSheet,
        Mess::SeveralCurrencies,
        Mess::NoHeader,
    ];
    kind == encoding || !others.contains(&kind)
}

#[test]
fn names_outside_ascii_stand_in_both_spellings_and_in_the_truth() {
    let request = request("trade_desk", "display", &[Mess::Idn]);
    let mut truth = Vec::new();
    write_truth(&request, &mut truth).unwrap();
    let truth = String::from_utf8(truth).unwrap();
    let report = text(&[Mess::Idn]);
    let name = truth.lines().find(|line| !line.is_ascii()).unwrap().split(',').next().unwrap();
    assert!(report.contains(name), "{name}");
    assert!(report.contains(",xn--"));
    assert!(!truth.contains("xn--"));
}

#[test]
fn encodings_hold_the_same_text() {
    let clean = text(&[]);
    assert!(clean.contains("Côte d'Ivoire"));
    assert_eq!(text(&[Mess::Bom]), format!("\u{feff}{clean}"));
    let utf16_bytes = bytes(&request("trade_desk", "display", &[Mess::Utf16]));
    assert_eq!(utf16(&utf16_bytes), format!("\u{feff}{clean}"));
    let cp1252_bytes = bytes(&request("trade_desk", "display", &[Mess::Cp1252]));
    assert!(String::from_utf8(cp1252_bytes.clone()).is_err());
    assert_eq!(cp1252_bytes.iter().map(|byte| cp1252(*byte)).collect::<String>(), clean);
}

#[test]
fn lines_end_as_asked() {
    let clean = text(&[]);
    assert_eq!(text(&[Mess::Crlf]), clean.replace('\n', "\r\n"));
    assert_eq!(text(&[Mess::Cr]), clean.replace('\n', "\r"));
    let mixed = text(&[Mess::MixedNewlines]);
    assert_eq!(mixed.replace("\r\n", "\n").replace('\r', "\n"), clean);
    assert!(
        mixed.contains("\r\n")
            && mixed.replace("\r\n", "").contains('\r')
            && mixed.replace("\r\n", "").contains('\n')
    );
}

#[test]
fn each_kind_shows_what_it_is_named_after() {
    let signs: [(Mess, &[&str]); 31] = [
        (Mess::Semicolon, &["Date;Advertiser;"]),
        (Mess::Tab, &["Date\tAdvertiser\t"]),
        (Mess::Pipe, &["Date|Advertiser|"]),
        (Mess::QuotedNewlines, &["LAL\n(second line)\"", "LAL\r\n(second line)\""]),
        (Mess::Preamble, &["\"Report Name: Site Performance, all vendors\"\nDate Range:,"]),
        (Mess::Totals, &["Browser\n,Grand Total,", "\n,,,,,Grand Total:,"]),
        (Mess::Pivot, &["Browser\n,,,,,Row Labels,", "\n,,,,,Grand Total,"]),
        (Mess::TailAggregate, &[",[tail aggregate],"]),
        (Mess::Unnamed, &["nknown", "ow volume inventory"]),
        (Mess::Dv360Footer, &["\n\nReport Time:,", "\nFilter by"]),
        (Mess::RepeatedHeader, &["\nDate,Advertiser,"]),
        (Mess::BlankLines, &["\n\n", "\n,,,,,,,,,,,,,,,,,,,,,,,,,,\n"]),
        (Mess::Thousands, &[",\"1,"]),
        (Mess::CurrencySigns, &[",$0."]),
        (Mess::Percent, &[",0.0000%,"]),
        (Mess::Parentheses, &[",("]),
        (Mess::MissingWords, &[",n/a", ",null", ",NaN", ",--", ",N/A", ",-,"]),
        (Mess::SpreadsheetText, &["\"=\"\""]),
        (Mess::DecimalComma, &[";0,"]),
        (Mess::HeaderSpelling, &["DATE", "TTD_", "\u{2013}"]),
        (Mess::Urls, &["https://www.", ".EXAMPLE,", "www.", "example.,", ":443", "id=com.", ":8080/"]),
        (Mess::Unreadable, &["#REF!", "1O5"]),
        (Mess::DuplicateHeaders, &[",Browser,Ad Group\n"]),
        (Mess::MoneyColumns, &["Advertiser Cost (Adv Currency)", "Advertiser Cost (USD)"]),
        (
            Mess::SeveralCampaigns,
            &["\"Spring Sale, Phase 2\"", "\"2025 \"\"Always On\"\"\"", "Spring Retargeting"],
        ),
        (Mess::NumberedPixels, &["01 - Total Click + View Conversions", "03 - Total"]),
        (Mess::StrayQuotes, &["\" poster_v2,"]),
        (Mess::NbspPadding, &["\u{a0}"]),
        (Mess::SimilarHeaders, &[",Gross Ad Load", ",Gross All Last"]),
        (Mess::PercentHeaders, &[",CTR (%),", ",0.0000,"]),
        (Mess::SeveralCurrencies, &[",USD,", ",EUR,", ",GBP,"]),
    ];
    let clean = text(&[]);
    for (kind, shown) in signs {
        let messy = text(&[kind]);
        assert_ne!(messy, clean);
        for sign in shown {
            assert!(messy.contains(sign), "{kind} does not show {sign:?}");
            assert!(!clean.contains(sign) || *sign == ",USD,", "the clean report shows {sign:?} of {kind}");
        }
    }
}

#[test]
fn dates_come_in_three_more_styles() {
    let style = |seed| {
        let request = Request { seed, ..request("trade_desk", "display", &[Mess::DateStyles]) };
        let lines = lines(&bytes(&request), &[]);
        lines[1][0].clone()
    };
    let shape = |date: String| date.replace(|c: char| c.is_ascii_digit(), "9");
    assert_eq!(shape(style(0)), "99/99/9999");
    assert!(style(0).ends_with("/09/2025") && style(1).starts_with("09/"), "{} {}", style(0), style(1));
    assert_eq!(shape(style(2)), "9999/99/99");
}

#[test]
fn cells_at_the_end_go_missing_or_come_on_top() {
    let width = |mess| {
        let mut widths: Vec<usize> = lines(text(&[mess]).as_bytes(), &[]).iter().map(Vec::len).collect();
        widths.sort_unstable();
        widths.dedup();
        widths
    };
    assert_eq!(width(Mess::Ragged), [25, 26, 27]);
    assert_eq!(width(Mess::TrailingDelimiter), [28]);
    assert!(text(&[Mess::TrailingDelimiter]).lines().all(|line| line.ends_with(',')));
}

#[test]
fn without_a_header_the_rest_is_the_same() {
    let clean = text(&[]);
    assert_eq!(text(&[Mess::NoHeader]), clean.split_once('\n').unwrap().1);
}

#[test]
fn late_conversions_and_missing_impressions_have_rows_of_their_own() {
    let clean = lines(text(&[]).as_bytes(), &[]);
    let zero = lines(text(&[Mess::ZeroImpressions]).as_bytes(), &[]);
    let none: Vec<_> = zero.iter().filter(|line| line[13] == "0").collect();
    assert!(!none.is_empty() && none.iter().all(|line| line[14] == "0.00" && line[15].is_empty()));
    assert_eq!(zero.len(), clean.len() + none.len());
    let missing = lines(text(&[Mess::MissingImpressions]).as_bytes(), &[]);
    assert!(missing.len() > clean.len());
}

#[test]
fn the_tail_aggregate_is_about_half_the_delivery() {
    let lines = lines(text(&[Mess::TailAggregate]).as_bytes(), &[]);
    let sum = |tail: bool| {
        let rows = lines[1..].iter().filter(|line| (line[5] == "[tail aggregate]") == tail);
        rows.map(|line| line[13].parse::<f64>().unwrap()).sum::<f64>()
    };
    let share = sum(true) / (sum(true) + sum(false));
    assert!((0.2..0.8).contains(&share), "{share}");
}

#[test]
fn totals_sum_the_rows_and_are_as_few_as_in_real_reports() {
    for rows in [400, 20_000] {
        let mut request = request("trade_desk", "display", &[Mess::Totals]);
        request.rows = Some(rows);
        let messy = lines(&bytes(&request), &[]);
        request.mess.clear();
        let clean = lines(&bytes(&request), &[]);
        let impressions = |line: &[String]| line[13].parse::<i64>().unwrap();
        let delivered: i64 = clean[1..].iter().map(|line| impressions(line)).sum();
        let aggregates: Vec<_> = messy[1..].iter().filter(|line| line[0].is_empty()).collect();
        assert_eq!(aggregates.len(), messy.len() - clean.len());
        assert_eq!(aggregates.len(), 7, "a total above, five subtotals, a total below");
        assert_eq!((&messy[1], &messy[messy.len() - 1]), (aggregates[0], aggregates[6]));
        assert_eq!(impressions(aggregates[0]), delivered);
        assert_eq!(impressions(aggregates[6]), delivered);
        let subtotals: i64 = aggregates[1..6].iter().map(|line| impressions(line)).sum();
        assert_eq!(subtotals, delivered);
    }
}

#[test]
fn the_smallest_reports_take_every_kind() {
    for rows in [1, 2, 3] {
        let request =
            Request { rows: Some(rows), domains: Some(1), ..request("dv360", "video", &[Mess::All]) };
        assert!(!bytes(&request).is_empty());
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let refused = |mess: &[Mess]| write_csv(&request("generic", "display", mess), Vec::new()).unwrap_err();
    let error = refused(&[Mess::Utf16, Mess::Cp1252]);
    assert!(matches!(error, SampleError::MessConflict { .. }) && error.is_input());
    assert_eq!(error.help().unwrap(), "leave one out");
    assert!(matches!(refused(&[Mess::MetadataSheet]), SampleError::MessFormat { .. }));
}
