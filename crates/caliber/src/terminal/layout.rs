//! Text laid out for the width of a terminal: wrapped lines, cut names, tables.

use std::io::{self, IsTerminal, Write};

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::BOLD;

/// Columns of a terminal where there is none: a pipe, a file.
const DEFAULT_WIDTH: usize = 100;
/// Narrower than this nothing can be laid out.
const LEAST_WIDTH: usize = 40;

/// Columns of the terminal that standard output goes to; 100 where it goes elsewhere.
pub(crate) fn width() -> usize {
    let size = io::stdout().is_terminal().then(|| terminal_size::terminal_size_of(io::stdout())).flatten();
    columns(size)
}

/// Columns of the terminal that standard error goes to; 100 where it goes elsewhere.
pub(crate) fn width_of_stderr() -> usize {
    let size = io::stderr().is_terminal().then(|| terminal_size::terminal_size_of(io::stderr())).flatten();
    columns(size)
}

fn columns(size: Option<(terminal_size::Width, terminal_size::Height)>) -> usize {
    // A terminal that does not know its width says 0.
    size.map(|(width, _)| usize::from(width.0))
        .filter(|&width| width > 0)
        .unwrap_or(DEFAULT_WIDTH)
        .max(LEAST_WIDTH)
}

/// Whether bars of block characters are drawn: on a terminal, or where colour is forced.
pub(crate) fn draws_bars() -> bool {
    let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    forced || io::stdout().is_terminal()
}

/// A bar as long as a share (0 to 1) of so many columns, to an eighth of a column; something for the smallest share.
pub(crate) fn bar(share: f64, columns: usize) -> String {
    let eighths = (share.clamp(0.0, 1.0) * (columns * 8) as f64).ceil() as usize;
    let mut bar = "█".repeat(eighths / 8);
    bar.extend(['▏', '▎', '▍', '▌', '▋', '▊', '▉'].get((eighths % 8).wrapping_sub(1)));
    bar
}

/// A bar to the right of an axis for more than 0, to the left for less; a share of -1 or 1 is so many columns long.
/// No-break blanks stand before the axis.
pub(crate) fn bar_from_axis(share: f64, columns: usize) -> String {
    if share >= 0.0 {
        return format!("{}│{}", "\u{a0}".repeat(columns), bar(share, columns));
    }
    // There are no eighths that begin at the right.
    let halves = (share.abs().min(1.0) * (columns * 2) as f64).round() as usize;
    let half = if halves % 2 == 1 { "▐" } else { "" };
    let left = "\u{a0}".repeat(columns - halves.div_ceil(2));
    format!("{left}{half}{}│", "█".repeat(halves / 2))
}

/// Text in lines of at most `width` columns, broken between words; those after the first begin with `indent` blanks.
pub(crate) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    flowed(text.split(' '), " ", width, indent)
}

/// Items in lines of at most `width` columns, broken only between items; lines after the first begin with `indent`
/// blanks. The first line is taken to begin at the left margin.
pub(crate) fn flowed<'a>(
    items: impl IntoIterator<Item = &'a str>,
    separator: &str,
    width: usize,
    indent: usize,
) -> String {
    let mut text = String::new();
    let mut column = 0;
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            text.push_str(separator.trim_end());
            column += separator.trim_end().width();
            let gap = separator.width() - separator.trim_end().width();
            // What follows the item, a comma, must fit as well.
            if column + gap + item.width() + separator.trim_end().width() > width && column > indent {
                text.push('\n');
                text.push_str(&" ".repeat(indent));
                column = indent;
            } else {
                text.push_str(&" ".repeat(gap));
                column += gap;
            }
        }
        text.push_str(item);
        column += item.width();
    }
    text
}

/// A text of at most `width` columns, cut at the end.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut taken = 1;
    for character in text.chars() {
        taken += character.width().unwrap_or(0);
        if taken > width {
            break;
        }
        cut.push(character);
    }
    cut.push('…');
    cut
}

/// A table without lines; its last column wraps where the rest is not wide enough, but never at a no-break blank,
/// which is printed as a blank.
pub(crate) struct Grid {
    table: Table,
    columns: usize,
}

impl Grid {
    /// A table under these heads.
    pub(crate) fn under(heads: &[&str], width: usize) -> Self {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        // Each row is padded by a blank at its end, which is trimmed.
        table.set_width(u16::try_from(width + 1).unwrap_or(u16::MAX));
        table.set_header(heads);
        Self { table, columns: heads.len() }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.table.add_row(cells);
    }

    /// Prints the table; `right` are the columns of figures.
    pub(crate) fn print(mut self, right: &[usize], out: &mut dyn Write) -> io::Result<()> {
        for at in 0..self.columns {
            if let Some(column) = self.table.column_mut(at) {
                if at + 1 < self.columns {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
                if right.contains(&at) {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        for (at, line) in self.table.lines().enumerate() {
            let line = line.trim_end();
            // The margin of a table without lines.
            let line = line.strip_prefix(' ').unwrap_or(line).replace('\u{a0}', " ");
            if at == 0 { writeln!(out, "{BOLD}{line}{BOLD:#}")? } else { writeln!(out, "{line}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_none_is_lost() {
        let text = "a cell of the date column holds no day, and its row counts without one";
        let lines = wrapped(text, 30, 6);
        assert!(lines.lines().count() > 2 && lines.lines().all(|line| line.width() <= 30), "{lines}");
        assert!(lines.lines().skip(1).all(|line| line.starts_with("      ") && !line.starts_with("       ")));
        assert_eq!(lines.split_whitespace().collect::<Vec<_>>().join(" "), text);
        assert_eq!(wrapped("unbreakableunbreakable", 10, 2), "unbreakableunbreakable");
    }

    #[test]
    fn items_stay_whole() {
        let text = flowed(["CPM ↓ 15 %", "CTR 25 %", "in view 60 %"], ", ", 22, 2);
        assert_eq!(text, "CPM ↓ 15 %, CTR 25 %,\n  in view 60 %");
    }

    #[test]
    fn a_cut_text_is_as_wide_as_it_may_be() {
        assert_eq!(cut("summary.example", 20), "summary.example");
        assert_eq!(cut("summary.example", 8), "summary…");
        // Two columns each.
        assert_eq!(cut("例え例え", 5), "例え…");
    }

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(0.001, 4), "▏");
        assert_eq!(bar(0.0, 4), "");
        assert_eq!(bar_from_axis(1.0, 3), "\u{a0}\u{a0}\u{a0}│███");
        assert_eq!(bar_from_axis(-0.5, 3), "\u{a0}▐█│");
        assert_eq!(bar_from_axis(-2.0, 3), "███│");
    }

    #[test]
    fn a_table_is_no_wider_than_it_may_be() {
        for width in [80, 120] {
            let mut grid = Grid::under(&["name", "score", "reason"], width);
            grid.row(["a.example".into(), "9.5".into(), "a reason of many words ".repeat(8)]);
            let mut out = Vec::new();
            grid.print(&[1], &mut out).unwrap();
            let text = String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap();
            assert!(text.lines().count() > 2, "{text}");
            assert!(text.lines().all(|line| line.width() <= width), "{text}");
            assert!(text.starts_with("name "), "{text}");
        }
    }
}
