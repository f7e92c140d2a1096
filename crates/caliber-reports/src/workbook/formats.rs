//! How cells look: number formats by what a column holds, and the few styles of the workbook.

use caliber_engine::dictionary::{ColumnKind, Dictionary};
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder};

use unicode_width::UnicodeWidthStr;

use crate::CampaignReport;

/// Behind headers.
const INK: Color = Color::RGB(0x1F_29_37);
/// Lines and what stands in the background.
const GREY: Color = Color::RGB(0x6B_72_80);

/// Colours of poor, moderate and good, light enough to read on.
pub(super) const POOR: Color = Color::RGB(0xF8_B4_B4);
pub(super) const MODERATE: Color = Color::RGB(0xFD_E6_8A);
pub(super) const GOOD: Color = Color::RGB(0x86_D9_A5);
/// Bars of the chart.
pub(super) const BAR: Color = Color::RGB(0x25_63_EB);

/// Letters of the widest columns: of figures, and of text, which goes on over empty cells or is cut.
const WIDEST_FIGURE: usize = 60;
pub(super) const WIDEST_TEXT: usize = 60;

/// What a figure is, which says how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    Score,
    Points,
    Whole,
    Count,
    Money,
    Share,
    Probability,
    Plain,
}

/// The styles of a workbook.
pub(super) struct Formats {
    currency: Option<String>,
    dictionary: Dictionary,
    pub(super) title: Format,
    pub(super) heading: Format,
    pub(super) header: Format,
    pub(super) header_of_figures: Format,
    pub(super) faint: Format,
}

impl Formats {
    pub(super) fn new(report: &CampaignReport) -> Self {
        let header = Format::new().set_bold().set_font_color(Color::White).set_background_color(INK);
        let heading = Format::new().set_bold().set_font_size(12).set_font_color(INK);
        Self {
            currency: report.run.currency.clone(),
            dictionary: report.dictionary.clone(),
            title: Format::new().set_bold().set_font_size(18).set_font_color(INK),
            heading: heading.set_border_bottom(FormatBorder::Thin).set_border_bottom_color(GREY),
            header_of_figures: header.clone().set_align(FormatAlign::Right),
            header,
            faint: Format::new().set_font_color(GREY),
        }
    }

    /// The format of a kind of figures, aligned to the right as numbers are.
    pub(super) fn of(&self, figure: Figure) -> Format {
        Format::new().set_num_format(self.code(figure))
    }

    fn code(&self, figure: Figure) -> String {
        match figure {
            Figure::Score => "0.0".to_owned(),
            Figure::Points => "0.00".to_owned(),
            Figure::Whole => "0".to_owned(),
            Figure::Count => "#,##0".to_owned(),
            Figure::Money => money(self.currency.as_deref()),
            // A click-through rate of 0.081 % needs its digits, a completion rate of 71.3 % does not.
            Figure::Share => "[<0.01]0.000%;0.0%".to_owned(),
            Figure::Probability => "0.0%".to_owned(),
            Figure::Plain => "#,##0.00".to_owned(),
        }
    }

    /// How many digits wide a figure is as its cell shows it.
    pub(super) fn letters(&self, figure: Figure, value: f64) -> usize {
        let (decimals, grouped, scaled, around) = match figure {
            Figure::Score => (1, false, value, 0),
            Figure::Points => (2, false, value, 0),
            Figure::Whole => (0, false, value, 0),
            Figure::Count => (0, true, value, 0),
            Figure::Money => (2, true, value, shown_currency(self.currency.as_deref()).width()),
            Figure::Share if value < 0.01 => (3, false, value * 100.0, 1),
            Figure::Share | Figure::Probability => (1, false, value * 100.0, 1),
            Figure::Plain => (2, true, value, 0),
        };
        let text = format!("{scaled:.decimals$}");
        let digits = text.bytes().take_while(|byte| *byte != b'.').filter(u8::is_ascii_digit).count();
        text.len() + around + if grouped { digits.saturating_sub(1) / 3 } else { 0 }
    }

    /// The width of a column, in digits, that shows all of these figures.
    pub(super) fn width_of(&self, figure: Figure, values: impl Iterator<Item = f64>) -> f64 {
        // The widest is one of the ends, or the least in magnitude where small shares have more decimals.
        let ends = values.filter(|value| value.is_finite()).fold(None, |ends: Option<[f64; 3]>, value| {
            let [least, greatest, nearest] = ends.unwrap_or([value; 3]);
            let nearer = if value.abs() < nearest.abs() { value } else { nearest };
            Some([least.min(value), greatest.max(value), nearer])
        });
        let letters = ends.into_iter().flatten().map(|end| self.letters(figure, end)).max().unwrap_or(0);
        padded(letters, WIDEST_FIGURE)
    }

    /// What a column of a results file holds, by its name.
    pub(super) fn figure(&self, column: &str) -> Figure {
        match column {
            "score" | "percentile" | "evidence_score" | "score_low" | "score_high" => Figure::Score,
            "percentile_rank" => Figure::Whole,
            "impressions_needed" => Figure::Count,
            "p_below" | "p_above" => Figure::Probability,
            column if column.ends_with("_normalized") => Figure::Score,
            column if column.ends_with("_contribution") => Figure::Points,
            metric => self.figure_of_metric(metric),
        }
    }

    /// What a metric is.
    pub(super) fn figure_of_metric(&self, metric: &str) -> Figure {
        match self.dictionary.metric(metric) {
            Some(definition) if definition.share => Figure::Share,
            Some(definition) => match definition.kind {
                ColumnKind::Count => Figure::Count,
                ColumnKind::Money | ColumnKind::MoneyRate => Figure::Money,
                _ => Figure::Plain,
            },
            None => Figure::Plain,
        }
    }

    /// A column or metric, as people call it.
    pub(super) fn label(&self, name: &str) -> String {
        self.dictionary.label(name)
    }
}

/// The width of a column with so many letters, as far as it may go.
pub(super) fn padded(letters: usize, most: usize) -> f64 {
    letters.min(most) as f64 + 2.0
}

/// The currency as cells show it before amounts.
fn shown_currency(currency: Option<&str>) -> String {
    let plain: String = currency
        .unwrap_or_default()
        .chars()
        .filter(|&letter| letter != '"' && !letter.is_control())
        .take(12)
        .collect();
    let is_code = !plain.is_empty() && plain.chars().all(char::is_alphabetic);
    if is_code { format!("{plain} ") } else { plain }
}

/// Cents, with the code (`USD 1.50`) or the sign (`$1.50`) of the currency before them.
fn money(currency: Option<&str>) -> String {
    const CENTS: &str = "#,##0.00";
    match shown_currency(currency) {
        shown if shown.is_empty() => CENTS.to_owned(),
        shown => format!("\"{shown}\"{CENTS}"),
    }
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn money_shows_its_code_or_its_sign() {
        assert_eq!(money(Some("USD")), "\"USD \"#,##0.00");
        assert_eq!(money(Some("$")), "\"$\"#,##0.00");
        assert_eq!(money(Some("€")), "\"€\"#,##0.00");
        assert_eq!(money(Some("\"\n")), "#,##0.00", "what would break the format is no currency");
        assert_eq!(money(None), "#,##0.00");
    }
}
