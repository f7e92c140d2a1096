//! Cells of the sheets that tell something, row by row.

use rust_xlsxwriter::{ColNum, Format, RowNum, Worksheet, XlsxError};

use unicode_width::UnicodeWidthStr;

use super::formats::{Figure, Formats, padded};
use crate::neutralise::neutralise;

/// Letters of the widest column of text: longer ones go on over the empty cells beside them.
const TEXT: usize = 44;

pub(super) type Written = std::result::Result<(), XlsxError>;

/// A sheet that is written from the top down.
pub(super) struct Sheet<'a> {
    pub(super) worksheet: &'a mut Worksheet,
    pub(super) formats: &'a Formats,
    /// The next row.
    pub(super) row: RowNum,
    /// The widths of the columns, in digits: what they hold so far asks for them.
    widths: Vec<f64>,
}

impl<'a> Sheet<'a> {
    /// A sheet with columns of these widths at least.
    pub(super) fn new(worksheet: &'a mut Worksheet, formats: &'a Formats, widths: &[f64]) -> Self {
        Self { worksheet, formats, row: 0, widths: widths.to_vec() }
    }

    /// Makes the columns as wide as what they hold.
    pub(super) fn fit_columns(&mut self) -> Written {
        for (column, width) in self.widths.iter().enumerate() {
            self.worksheet.set_column_width(column as ColNum, *width)?;
        }
        Ok(())
    }

    fn widen(&mut self, column: ColNum, asked: f64) {
        if let Some(width) = self.widths.get_mut(usize::from(column)) {
            *width = width.max(asked);
        }
    }

    /// A text in a cell of this row, neutralised. One with a format of its own stands over the columns and does not widen
    /// them.
    pub(super) fn text(&mut self, column: ColNum, text: &str, format: Option<&Format>) -> Written {
        let text = neutralise(text);
        if let Some(format) = format {
            self.worksheet.write_string_with_format(self.row, column, text, format)?;
        } else {
            self.widen(column, padded(text.width(), TEXT));
            self.worksheet.write_string(self.row, column, text)?;
        }
        Ok(())
    }

    /// A figure in a cell of this row; nothing where it is missing or not finite.
    pub(super) fn figure(&mut self, column: ColNum, value: Option<f64>, figure: Figure) -> Written {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.widen(column, self.formats.width_of(figure, [value].into_iter()));
            self.worksheet.write_number_with_format(self.row, column, value, &self.formats.of(figure))?;
        }
        Ok(())
    }

    /// A heading over so many columns, with a blank row above it.
    pub(super) fn heading(&mut self, text: &str, columns: ColNum, format: &Format) -> Written {
        self.row += 1;
        self.text(0, text, Some(format))?;
        for column in 1..columns {
            self.worksheet.write_blank(self.row, column, format)?;
        }
        self.row += 1;
        Ok(())
    }

    /// A row of heads.
    pub(super) fn heads(&mut self, heads: &[&str], format: &Format) -> Written {
        for (column, head) in heads.iter().enumerate() {
            self.text(column as ColNum, head, Some(format))?;
        }
        self.row += 1;
        Ok(())
    }

    /// What is said of something, in the first two columns.
    pub(super) fn said(&mut self, what: &str, text: &str) -> Written {
        self.text(0, what, None)?;
        self.text(1, text, None)?;
        self.row += 1;
        Ok(())
    }

    /// A figure of something, in the first two columns.
    pub(super) fn counted(&mut self, what: &str, value: Option<f64>, figure: Figure) -> Written {
        self.text(0, what, None)?;
        self.figure(1, value, figure)?;
        self.row += 1;
        Ok(())
    }
}
