//! Cells of the sheets that tell something, row by row.

use rust_xlsxwriter::{ColNum, Format, RowNum, Worksheet, XlsxError};

use crate::neutralise::neutralise;

pub(super) type Written = std::result::Result<(), XlsxError>;

/// A sheet that is written from the top down.
pub(super) struct Sheet<'a> {
    pub(super) sheet: &'a mut Worksheet,
    /// The next row.
    pub(super) row: RowNum,
}

impl Sheet<'_> {
    /// A text in a cell of this row, neutralised.
    pub(super) fn text(&mut self, column: ColNum, text: &str, format: Option<&Format>) -> Written {
        let text = neutralise(text);
        match format {
            Some(format) => self.sheet.write_string_with_format(self.row, column, text, format)?,
            None => self.sheet.write_string(self.row, column, text)?,
        };
        Ok(())
    }

    /// A figure in a cell of this row; nothing where it is missing or not finite.
    pub(super) fn figure(&mut self, column: ColNum, figure: Option<f64>, format: &Format) -> Written {
        if let Some(figure) = figure.filter(|figure| figure.is_finite()) {
            self.sheet.write_number_with_format(self.row, column, figure, format)?;
        }
        Ok(())
    }

    /// A heading over so many columns, with a blank row above it.
    pub(super) fn heading(&mut self, text: &str, columns: ColNum, format: &Format) -> Written {
        self.row += 1;
        self.text(0, text, Some(format))?;
        for column in 1..columns {
            self.sheet.write_blank(self.row, column, format)?;
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
    pub(super) fn counted(&mut self, what: &str, figure: Option<f64>, format: &Format) -> Written {
        self.text(0, what, None)?;
        self.figure(1, figure, format)?;
        self.row += 1;
        Ok(())
    }
}
