//! What is printed where: the answer on standard output, everything else on standard error.

mod foreign;
pub(crate) mod layout;

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use caliber_engine::{Code, Error, Result};
use serde::Serialize;

pub(crate) use foreign::foreign;
use layout::{width_of_stderr, wrapped};

/// How much is printed, and in which form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    /// The answer and errors are JSON.
    pub(crate) json: bool,
    /// Errors only.
    pub(crate) quiet: bool,
}

/// Headings.
pub(crate) const BOLD: Style = Style::new().bold();
/// What stands in the background.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Where the second line of a note begins: below the first word after `note:`.
const NOTE_INDENT: usize = 6;
const RED: Style = AnsiColor::Red.on_default().bold();
/// What a person should look at.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
/// What is good.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();

impl Terminal {
    /// Whether a moving bar has somebody to watch it.
    pub(crate) fn shows_progress(self) -> bool {
        !self.json && !self.quiet && io::stderr().is_terminal()
    }

    /// Prints the answer: `document` as JSON, or else `text`.
    ///
    /// # Errors
    /// `Machine` where standard output cannot be written; a reader who has gone is none.
    pub(crate) fn answer(
        self,
        document: &impl Serialize,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        if self.quiet && !self.json {
            return Ok(());
        }
        let mut json = Vec::new();
        if self.json {
            caliber_reports::write_json_pretty(document, &mut json)?;
        }
        let mut stdout = io::BufWriter::new(anstream::stdout().lock());
        let written = if self.json { stdout.write_all(&json) } else { text(&mut stdout) };
        match written.and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::new(Code::Machine, format!("standard output cannot be written: {error}"))
                    .caused_by(error))
            }
            _ => Ok(()),
        }
    }

    /// Prints notes on standard error, for people only: a document has them among its warnings.
    pub(crate) fn notes(self, notes: impl IntoIterator<Item = String>) {
        if self.json || self.quiet {
            return;
        }
        let mut stderr = anstream::stderr().lock();
        for note in notes {
            let text = wrapped(&format!("note: {}", foreign(&note)), width_of_stderr(), NOTE_INDENT);
            let text = text.strip_prefix("note:").unwrap_or(&text);
            // Nothing can be said where even this cannot be printed.
            let _ = writeln!(stderr, "{YELLOW}note:{YELLOW:#}{text}");
        }
    }

    /// Prints a warning about the call on standard error.
    pub(crate) fn warning(self, message: &str, help: &str) {
        if self.quiet {
            return;
        }
        let mut stderr = anstream::stderr().lock();
        let (message, help) = (foreign(message), foreign(help));
        // Nothing can be said where even this cannot be printed.
        let _ = if self.json {
            writeln!(stderr, "{}", serde_json::json!({"warning": {"message": message, "help": help}}))
        } else {
            writeln!(stderr, "{YELLOW}warning:{YELLOW:#} {message}\n  {BOLD}help:{BOLD:#} {help}")
        };
    }

    /// Prints an error on standard error.
    pub(crate) fn error(self, error: &Error) {
        let mut stderr = anstream::stderr().lock();
        // Nothing can be said where even this cannot be printed.
        let _ = if self.json {
            writeln!(
                stderr,
                "{}",
                serde_json::json!({"error": {
                    "code": error.code,
                    "message": error.message,
                    "file": error.file,
                    "line": error.line,
                    "column": error.column,
                    "help": error.help,
                }})
            )
        } else {
            let help = error.help.as_deref().map(|help| format!("\n  {BOLD}help:{BOLD:#} {}", foreign(help)));
            writeln!(stderr, "{RED}error:{RED:#} {}{}", foreign(&error.to_string()), help.unwrap_or_default())
        };
    }
}

/// A count or an amount with commas between thousands.
pub(crate) fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if value < 0.0 && text.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{fraction}") }
}

/// A count.
pub(crate) fn count(value: u64) -> String {
    grouped(value as f64, 0)
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(value: u64, singular: &str, plural: &str) -> String {
    format!("{} {}", count(value), if value == 1 { singular } else { plural })
}

/// Where cells of a report stand: `on line 3`, `first on lines 3, 8, 9`.
pub(crate) fn on_lines(lines: &[u64]) -> String {
    match lines {
        [line] => format!("on line {line}"),
        lines => {
            format!("first on lines {}", lines.iter().map(u64::to_string).collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(grouped(-999.0, 0), "-999");
        assert_eq!(grouped(-0.001, 2), "0.00");
        assert_eq!(count(1_000), "1,000");
    }
}
