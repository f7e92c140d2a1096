//! The sheets `Allowlist` and `Blocklist`: the rows of `allowlist.csv` and `blocklist.csv`.

use rust_xlsxwriter::{ColNum, Color, IgnoreError, RowNum, Workbook, XlsxError};

use unicode_width::UnicodeWidthStr;

use super::formats::{Figure, Formats, WIDEST_TEXT, padded};
use super::results_sheet::score_scale;
use crate::ListRow;
use crate::neutralise::neutralise;

/// The columns, with their least widths in characters.
const COLUMNS: [(&str, f64); 5] =
    [("name", 20.0), ("score", 10.0), ("impressions", 15.0), ("spend", 12.0), ("reason", 40.0)];
/// Letters of the widest reason.
const REASON: usize = 80;

pub(super) fn add(
    workbook: &mut Workbook,
    name: &str,
    list: &[ListRow],
    formats: &Formats,
) -> std::result::Result<(), XlsxError> {
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.set_name(name)?;
    sheet.set_tab_color(if name == "Allowlist" { Color::RGB(0x16_A3_4A) } else { Color::RGB(0xDC_26_26) });
    sheet.set_freeze_panes(1, 1)?;
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    let bottom = list.len() as RowNum;
    sheet.autofilter(0, 0, bottom, COLUMNS.len() as ColNum - 1)?;
    sheet.ignore_error_range(0, 0, bottom, 0, IgnoreError::NumberStoredAsText)?;
    let text = |of: fn(&ListRow) -> &str, most| {
        padded(list.iter().map(|row| of(row).width()).max().unwrap_or(0), most)
    };
    let figure = |of: fn(&ListRow) -> Option<crate::Figure>, figure| {
        formats.width_of(figure, list.iter().filter_map(of).map(|figure| figure.0))
    };
    let asked = [
        text(|row| &row.name, WIDEST_TEXT),
        figure(|row| row.score, Figure::Score),
        figure(|row| row.impressions, Figure::Count),
        figure(|row| row.spend, Figure::Money),
        text(|row| &row.reason, REASON),
    ];
    for (at, ((head, least), asked)) in COLUMNS.into_iter().zip(asked).enumerate() {
        let at = at as ColNum;
        sheet.set_column_width(at, asked.max(least))?;
        sheet.write_string_with_format(0, at, head, &formats.header)?;
    }
    for (at, figure) in [(1, Figure::Score), (2, Figure::Count), (3, Figure::Money)] {
        sheet.set_column_format(at, &formats.of(figure))?;
    }
    if !list.is_empty() {
        sheet.add_conditional_format(1, 1, bottom, 1, &score_scale())?;
    }
    for (at, row) in list.iter().enumerate() {
        let at = at as RowNum + 1;
        sheet.write_string(at, 0, neutralise(&row.name))?;
        for (column, figure) in [(1, row.score), (2, row.impressions), (3, row.spend)] {
            if let Some(figure) = figure.map(|figure| figure.0).filter(|figure| figure.is_finite()) {
                sheet.write_number(at, column, figure)?;
            }
        }
        sheet.write_string(at, 4, neutralise(&row.reason))?;
    }
    Ok(())
}
