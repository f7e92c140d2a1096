//! Keeps spreadsheets from running text as a formula.

use std::borrow::Cow;

/// Text as CSV and XLSX cells hold it: what begins with `=`, `+`, `-`, `@`, tab or carriage return gets a
/// leading `'`, so that no spreadsheet takes it for a formula.
pub fn neutralise(text: &str) -> Cow<'_, str> {
    if starts_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Undoes [`neutralise`] on a text cell of a results file read again.
pub fn restore(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| starts_formula(rest)).unwrap_or(text)
}

/// Whether a spreadsheet would take the text for a formula.
pub(crate) fn starts_formula(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::{neutralise, restore};

    #[test]
    fn what_a_spreadsheet_would_run_gets_an_apostrophe_and_loses_it_again() {
        for text in ["=1+1", "+1", "-x", "@SUM(A1)", "\tx", "\rx", "=", "-"] {
            assert_eq!(neutralise(text), format!("'{text}"));
            assert_eq!(restore(&neutralise(text)), text);
        }
    }

    #[test]
    fn other_text_stays_as_it_is_both_ways() {
        for text in ["", "a.com", "a=b", "'quoted'", "'", "''=x", " =x", "é", "1077"] {
            assert_eq!(neutralise(text), text);
            assert_eq!(restore(text), text);
        }
    }
}
