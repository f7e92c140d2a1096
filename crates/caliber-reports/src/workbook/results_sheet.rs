//! The sheet `Results`: a row a domain or vendor.

use rust_xlsxwriter::{
    ColNum, ConditionalFormat3ColorScale, ConditionalFormatCell, ConditionalFormatCellRule,
    ConditionalFormatType, Format, IgnoreError, RowNum, Workbook, Worksheet, XlsxError,
};

use unicode_width::UnicodeWidthStr;

use super::formats::{self, Formats, WIDEST_TEXT, padded};
use crate::columns::{Cell, Cells, Column, Table, joined};
use crate::json::json_text;
use crate::neutralise::neutralise;

pub(super) fn add(
    workbook: &mut Workbook,
    table: &Table,
    formats: &Formats,
) -> std::result::Result<(), XlsxError> {
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.set_name("Results")?;
    let rows = table.rows.len();
    let names = table.columns.iter().position(|column| matches!(column.cells, Cells::Names(_)));
    // What stays in view: the header, and the columns up to the name.
    sheet.set_freeze_panes(1, column_number(names.map_or(0, |at| at + 1)))?;
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_landscape();
    sheet.autofilter(0, 0, row_number(rows), column_number(table.columns.len().saturating_sub(1)))?;
    for (position, column) in table.columns.iter().enumerate() {
        let position = column_number(position);
        sheet.set_column_width(position, width(column, table, formats))?;
        if is_numeric(column) {
            sheet.set_column_format(position, &formats.of(formats.figure(&column.name)))?;
        }
        sheet.write_string_with_format(0, position, neutralise(&column.name), &formats.header)?;
    }
    if let Some(names) = names {
        let names = column_number(names);
        // App ids are text of digits on purpose.
        sheet.ignore_error_range(0, names, row_number(rows), names, IgnoreError::NumberStoredAsText)?;
    }
    colour(sheet, table)?;
    for position in 0..rows {
        let row = table.rows.at(position);
        for (at, column) in table.columns.iter().enumerate() {
            write_cell(sheet, row_number(position + 1), column_number(at), column.cells.cell(row))?;
        }
    }
    Ok(())
}

/// Colours scores from 0 to 100, and the bands.
fn colour(sheet: &mut Worksheet, table: &Table) -> std::result::Result<(), XlsxError> {
    if table.rows.len() == 0 {
        return Ok(());
    }
    let last = row_number(table.rows.len());
    for (position, column) in table.columns.iter().enumerate() {
        let position = column_number(position);
        if column.name == "score" {
            sheet.add_conditional_format(1, position, last, position, &score_scale())?;
        } else if matches!(column.cells, Cells::Statuses(_)) {
            for (status, colour) in
                [("good", formats::GOOD), ("moderate", formats::MODERATE), ("poor", formats::POOR)]
            {
                let rule = ConditionalFormatCell::new()
                    .set_rule(ConditionalFormatCellRule::EqualTo(status))
                    .set_format(Format::new().set_background_color(colour));
                sheet.add_conditional_format(1, position, last, position, &rule)?;
            }
        }
    }
    Ok(())
}

/// Red over yellow to green, by the scale of the score and not by what happens to be the least.
pub(super) fn score_scale() -> ConditionalFormat3ColorScale {
    ConditionalFormat3ColorScale::new()
        .set_minimum(ConditionalFormatType::Number, 0)
        .set_midpoint(ConditionalFormatType::Number, 50)
        .set_maximum(ConditionalFormatType::Number, 100)
        .set_minimum_color(formats::POOR)
        .set_midpoint_color(formats::MODERATE)
        .set_maximum_color(formats::GOOD)
}

fn write_cell(
    sheet: &mut Worksheet,
    row: RowNum,
    column: ColNum,
    cell: Cell,
) -> std::result::Result<(), XlsxError> {
    match cell {
        Cell::Number(number) => sheet.write_number(row, column, number)?,
        Cell::Text(text) => sheet.write_string(row, column, neutralise(text))?,
        Cell::Truth(truth) => sheet.write_boolean(row, column, truth)?,
        Cell::Flags([]) | Cell::Patterns([]) | Cell::Missing => return Ok(()),
        Cell::Patterns(patterns) => sheet.write_string(row, column, joined(patterns))?,
        Cell::Flags(flags) => sheet.write_string(row, column, neutralise(&flags.join(";")))?,
        Cell::OfMetrics(_) => sheet.write_string(row, column, json_text(&cell))?,
    };
    Ok(())
}

fn is_numeric(column: &Column) -> bool {
    matches!(column.cells, Cells::Numbers(_) | Cells::MaybeNumbers(_) | Cells::Absent | Cells::Ranks(_))
}

/// In characters: as wide as the widest cell, within bounds, and as the header with its filter button.
fn width(column: &Column, table: &Table, formats: &Formats) -> f64 {
    let header = (column.name.width() as f64 + 4.0).clamp(10.0, 44.0);
    let rows = || (0..table.rows.len()).map(|position| table.rows.at(position));
    let text = |letters: &dyn Fn(usize) -> usize| padded(rows().map(letters).max().unwrap_or(0), WIDEST_TEXT);
    let cells = match column.cells {
        Cells::Names(texts) | Cells::Texts(texts) => text(&|row| texts[row].width()),
        Cells::Flags(flags) => text(&|row| flags[row].iter().map(|flag| flag.len() + 1).sum()),
        Cells::Patterns(patterns) => {
            text(&|row| patterns[row].iter().map(|pattern| pattern.name().len() + 1).sum())
        }
        Cells::Words(words) => padded(words.iter().map(|word| word.len() + 1).sum(), WIDEST_TEXT),
        Cells::Constant(word) => padded(word.width(), WIDEST_TEXT),
        Cells::OfMetrics(..) => padded(WIDEST_TEXT, WIDEST_TEXT),
        _ if is_numeric(column) => {
            formats.width_of(formats.figure(&column.name), rows().filter_map(|row| column.cells.number(row)))
        }
        _ => 0.0,
    };
    cells.max(header)
}

// What does not fit these types was refused before.
fn row_number(row: usize) -> RowNum {
    row as RowNum
}

fn column_number(column: usize) -> ColNum {
    column as ColNum
}
