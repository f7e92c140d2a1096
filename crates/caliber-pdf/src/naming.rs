//! Names of rows and campaigns, made fit for paper. Whatever a name holds, it is set as text and never as markup.

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Widths, in Latin letters: what fits a column, and what a table shows of a name at most.
const FITS: usize = 28;
const SHOWN_IN_TABLE: usize = 96;
/// What of that is the end, which tells hosts of one site apart.
const END: usize = 30;
/// What a heading shows of a name at most.
const SHOWN_IN_TITLE: usize = 150;
/// A name this wide has room wherever it stands.
const UNBROKEN: usize = 20;
/// A run without a place to break is broken after so much.
const PIECE: usize = 10;
/// Letters of a name that are looked at at all.
const SHOWN: usize = 300;

/// A name in a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Name {
    /// Its pieces, between which a line may end. No sign marks that place: who copies a name out of the document must get
    /// the name.
    pub(crate) pieces: Vec<String>,
    /// Whether it needs a smaller size.
    pub(crate) small: bool,
}

impl Name {
    /// The name for a column of the tables; of a very long one the start and the end.
    pub(crate) fn of(raw: &str) -> Self {
        let text = clean(raw);
        let width = text.width();
        let text = if width > SHOWN_IN_TABLE { without_its_middle(&text) } else { text };
        Self { pieces: pieces(&text), small: width > FITS }
    }

    /// The pieces of a name for a heading.
    pub(crate) fn in_title(raw: &str) -> Vec<String> {
        pieces(&shortened(raw, SHOWN_IN_TITLE))
    }
}

fn without_its_middle(text: &str) -> String {
    let start = shortened(text, SHOWN_IN_TABLE - END);
    let mut end: Vec<&str> = Vec::new();
    let mut width = 0;
    for letter in text.graphemes(true).rev() {
        width += letter.width();
        if width > END {
            break;
        }
        end.push(letter);
    }
    end.reverse();
    format!("{start}{}", end.concat())
}

/// The name on one line and without what would change the text around it: control characters, and marks that turn the
/// direction of writing. A name of more than 300 letters ends in dots.
pub(crate) fn clean(raw: &str) -> String {
    let kept = raw.chars().filter(|letter| !turns_direction(*letter));
    let line: String = kept.map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let words: Vec<&str> = line.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None if line.is_empty() => "(no name)".to_owned(),
        None => line,
    }
}

/// So much of the name at most, for places that have one line.
pub(crate) fn shortened(raw: &str, width: usize) -> String {
    let text = clean(raw);
    if text.width() <= width {
        return text;
    }
    let mut short = String::new();
    let mut taken = 0;
    for letter in text.graphemes(true) {
        taken += letter.width();
        if taken + 3 > width {
            break;
        }
        short.push_str(letter);
    }
    format!("{}...", short.trim_end())
}

fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The name in pieces: parted after dots and the like, and within long runs without any. A mark stays with its letter.
fn pieces(text: &str) -> Vec<String> {
    if text.width() <= UNBROKEN {
        return vec![text.to_owned()];
    }
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut run = 0;
    let mut letters = text.graphemes(true).peekable();
    while let Some(letter) = letters.next() {
        piece.push_str(letter);
        // Lines end at blanks on their own.
        run = if letter.trim().is_empty() { 0 } else { run + letter.width() };
        let is_joint = matches!(letter, "." | "-" | "_" | "/" | ":" | "?" | "&" | "=" | "@" | "," | ";");
        let goes_on = letters.peek().is_some_and(|next| next.starts_with(char::is_alphanumeric));
        if goes_on && ((is_joint && run > 3) || run >= PIECE) {
            pieces.push(std::mem::take(&mut piece));
            run = 0;
        }
    }
    pieces.push(piece);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_the_name_again() {
        for name in [
            "news.example",
            "#*_$@\\[x]",
            "com.hulu.plus",
            "a.very-long.host.of.news.example",
            "\u{65b0}\u{805e}",
        ] {
            let set = Name::of(name);
            assert_eq!(set.pieces.concat(), name);
            assert_eq!(set.small, name.width() > FITS);
        }
    }

    #[test]
    fn long_names_can_break_in_every_script() {
        for letter in ["a", "\u{42f}", "\u{3a9}", "\u{628}", "\u{65b0}", "e\u{301}", "\u{e01}\u{e34}"] {
            let name = letter.repeat(40);
            let pieces = Name::of(&name).pieces;
            assert_eq!(pieces.concat(), name);
            assert!(pieces.iter().all(|piece| piece.width() <= PIECE + 1), "{pieces:?}");
            assert!(pieces.iter().all(|piece| piece.starts_with(letter)), "{pieces:?}");
        }
    }

    #[test]
    fn of_very_long_names_start_and_end_are_shown() {
        let shown = Name::of(&format!("first{}.example", "a".repeat(240))).pieces.concat();
        assert!(
            shown.starts_with("firstaaa") && shown.contains("...") && shown.ends_with("a.example"),
            "{shown}"
        );
        assert!(shown.width() <= SHOWN_IN_TABLE);
        let wide = Name::of(&"\u{65b0}".repeat(240)).pieces.concat();
        assert!(wide.width() <= SHOWN_IN_TABLE);
    }

    #[test]
    fn names_do_not_change_the_text_around_them() {
        assert_eq!(clean("two\nlines\u{7}"), "two lines");
        assert_eq!(clean("moc\u{202e}.evil"), "moc.evil");
        assert_eq!(clean("\u{202e}"), "(no name)");
        assert_eq!(clean(&"x".repeat(400)).len(), 303);
        assert_eq!(shortened("a campaign with many words", 12), "a campaig...");
    }
}
