//! The columns of a report as a messy export has them.

use crate::Mess;
use crate::layout::{Column, Fill, Layout};
use crate::mess::Kinds;

/// The columns of the layout with the disorder that is asked for.
pub(crate) fn disordered(layout: &Layout, kinds: &Kinds, seed: u64) -> Vec<Column> {
    let mut columns = layout.columns.clone();
    if kinds.has(Mess::NumberedPixels) {
        number_pixels(&mut columns);
    }
    if kinds.has(Mess::MoneyColumns) {
        multiply_money(&mut columns);
    }
    if kinds.has(Mess::SimilarHeaders) {
        for column in &mut columns {
            lengthen(&mut column.header);
        }
    }
    if kinds.has(Mess::PercentHeaders) {
        for column in
            columns.iter_mut().filter(|column| column.fill.is_rate() && !column.header.contains('%'))
        {
            column.header.push_str(" (%)");
        }
    }
    if kinds.has(Mess::HeaderSpelling) {
        for (number, column) in columns.iter_mut().enumerate() {
            // The seed turns the wheel, so that over a few seeds every header is met in every spelling.
            let turn = number + (seed % 6) as usize;
            column.header = spelled(&column.header, column.fill, &layout.header_prefix, turn);
        }
    }
    if kinds.has(Mess::DuplicateHeaders) {
        let spare = columns.iter().find(|column| column.fill.is_spare() && column.fill != Fill::Advertiser);
        columns.extend(spare.cloned());
    }
    columns
}

fn number_pixels(columns: &mut Vec<Column>) {
    let Some(at) = columns.iter().position(|column| column.fill == Fill::Conversions) else { return };
    let pixels = (1..=3).map(|number| Column {
        header: format!("{number:02} - Total Click + View Conversions"),
        fill: Fill::Pixel(number),
    });
    columns.splice(at..=at, pixels);
}

fn multiply_money(columns: &mut Vec<Column>) {
    let Some(spend) = columns.iter_mut().find(|column| column.fill == Fill::Spend) else { return };
    let stem = spend.header.trim_end_matches(" (Adv Currency)").to_owned();
    spend.header = format!("{stem} (Adv Currency)");
    // Before the last two columns, which ragged rows lose.
    let at = columns.len().saturating_sub(2);
    let others = [("Partner Currency", 92), ("USD", 108)].map(|(currency, percent)| Column {
        header: format!("{stem} ({currency})"),
        fill: Fill::OtherMoney(percent),
    });
    columns.splice(at..at, others);
}

/// Adds a word where so many are that five sixths still agree.
fn lengthen(header: &mut String) {
    let words = header.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count();
    let numbered = header.starts_with(|c: char| c.is_ascii_digit());
    if words >= 5 && !numbered && !header.contains('%') {
        header.insert_str(0, "Gross ");
    }
}

/// A header as another export spells it; the same words.
fn spelled(header: &str, fill: Fill, prefix: &str, turn: usize) -> String {
    match turn % 6 {
        0 => header.to_uppercase(),
        1 => header.to_lowercase().replace('-', "\u{2013}"),
        2 => header.replace(' ', "_"),
        3 if header.contains('-') => header.replace('-', "\u{2013}"),
        3 => header.replace(' ', "  "),
        4 => format!("{prefix}{}", header.replace(' ', "_")),
        _ if fill.is_money() && !header.ends_with(')') => format!("{header} (USD)"),
        _ => format!(" {header} "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout;
    use crate::output::Format;

    fn headers(mess: &[Mess], seed: u64) -> Vec<String> {
        let layout = layout::find("trade_desk", "display").unwrap();
        let format = Format::Delimited { delimiter: b',', packing: None };
        let kinds = Kinds::settle(mess, format).unwrap();
        disordered(&layout, &kinds, seed).into_iter().map(|column| column.header).collect()
    }

    #[test]
    fn pixels_stand_where_the_conversions_stood() {
        let clean = headers(&[], 0);
        let numbered = headers(&[Mess::NumberedPixels], 0);
        let at = clean.iter().position(|h| h == "All Last Click + View Conversions").unwrap();
        assert_eq!(numbered[at], "01 - Total Click + View Conversions");
        assert_eq!(numbered[at + 2], "03 - Total Click + View Conversions");
        assert_eq!(numbered.len(), clean.len() + 2);
        assert!(!numbered.contains(&clean[at]));
    }

    #[test]
    fn every_spelling_is_met_and_keeps_the_words() {
        let clean = headers(&[], 0);
        let words = |header: &str| {
            let header = header.to_lowercase().replace("(usd)", "").replace(['_', '-', '\u{2013}'], " ");
            let header = header.trim_start_matches("ttd ").to_owned();
            header.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        for seed in 0..6 {
            let messy = headers(&[Mess::HeaderSpelling], seed);
            for (clean, messy) in clean.iter().zip(&messy) {
                assert_eq!(words(clean), words(messy));
            }
            assert!(messy.iter().any(|h| h.contains("TTD_")));
            assert!(messy.iter().any(|h| h.contains("\u{2013}")) || messy.iter().any(|h| h.contains("  ")));
        }
    }

    #[test]
    fn long_headers_get_a_word_more_and_rates_a_unit() {
        let similar = headers(&[Mess::SimilarHeaders], 0);
        assert!(similar.contains(&"Gross Ad Load - XL (Excessive) - Impressions".to_owned()));
        assert!(similar.contains(&"Impressions".to_owned()));
        let percent = headers(&[Mess::PercentHeaders], 0);
        assert!(percent.contains(&"CTR (%)".to_owned()) && percent.contains(&"Clicks".to_owned()));
    }

    #[test]
    fn one_spare_header_stands_twice() {
        let messy = headers(&[Mess::DuplicateHeaders], 0);
        let twice = messy.last().unwrap();
        assert_eq!(messy.iter().filter(|header| *header == twice).count(), 2);
    }
}
