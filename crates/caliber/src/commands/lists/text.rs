//! Lists as a trader reads them on the terminal, and as the next program reads them from a pipe.

use std::io::{self, IsTerminal, Write};

use caliber_reports::ListRow;

use super::Answer;
use crate::terminal::{BOLD, counted, foreign, grouped};

pub(super) fn print(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    for list in &answer.lists {
        let (name, figures) = (list.list_type.name(), &list.figures);
        match list.rows {
            Some(rows) => {
                // One list alone is names and nothing else; of two, a comment says which is which.
                if answer.lists.len() > 1 {
                    writeln!(out, "# {name}, {}", counted(figures.count, "name", "names"))?;
                }
                print_names(rows, out)?;
            }
            None => writeln!(
                out,
                "{BOLD}{name}{BOLD:#}: {}, {} impressions",
                counted(figures.count, "name", "names"),
                grouped(figures.impressions, 0)
            )?,
        }
        for file in answer.files.iter().filter(|file| file.list_type == list.list_type) {
            writeln!(out, "  {}", foreign(&file.file))?;
        }
    }
    Ok(())
}

fn print_names(rows: &[ListRow], out: &mut dyn Write) -> io::Result<()> {
    let is_watched = io::stdout().is_terminal();
    for row in rows {
        if is_watched {
            writeln!(out, "{}", foreign(&row.name))?;
        } else {
            // One row must never become two names.
            writeln!(out, "{}", row.name.replace(['\r', '\n'], " "))?;
        }
    }
    Ok(())
}

pub(super) fn notes(answer: &Answer) -> Vec<String> {
    let mut notes = Vec::new();
    for list in &answer.lists {
        for left in list.left_out.iter().flatten() {
            notes.push(format!("{}: `{}` is left out: {}", list.list_type.name(), left.name, left.reason));
        }
        if list.figures.count == 0 {
            notes.push(format!("the {} is empty", list.list_type.name()));
        }
    }
    notes
}
