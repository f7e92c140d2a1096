//! Names of rows and campaigns, made fit for paper. Whatever a name holds, it is set as text and never as markup.

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

/// Widths, in Latin letters: what fits a column, and what fits it a little smaller.
const FITS: usize = 28;
const FITS_SMALLER: usize = 33;
/// A name without a place to break is broken after so many letters.
const PIECE: usize = 12;
/// Letters of a name that are shown at all.
const SHOWN: usize = 300;
/// A place to break that shows nothing.
const BREAK: char = '\u{200b}';

/// A name in a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Name {
    /// As it is to be set; a long one with places to break.
    pub(crate) text: String,
    /// Whether it needs a smaller size.
    pub(crate) small: bool,
}

impl Name {
    /// The name for a column of the tables.
    pub(crate) fn of(raw: &str) -> Self {
        let text = clean(raw);
        let width = text.width();
        if width <= FITS_SMALLER {
            return Self { text, small: width > FITS };
        }
        Self { text: breakable(&text), small: true }
    }

    /// The name for a heading or running text, which may be as wide as the page.
    pub(crate) fn in_text(raw: &str) -> String {
        let text = clean(raw);
        if text.width() <= FITS_SMALLER { text } else { breakable(&text) }
    }
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

/// So many letters of the name at most, for places that have one line.
pub(crate) fn shortened(raw: &str, width: usize) -> String {
    let text = clean(raw);
    if text.width() <= width {
        return text;
    }
    let mut short = String::new();
    for letter in text.chars() {
        if short.width() + 4 > width {
            break;
        }
        short.push(letter);
    }
    format!("{}...", short.trim_end())
}

fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// With places to break: after dots and the like, and within long runs without any.
fn breakable(text: &str) -> String {
    let mut broken = String::with_capacity(text.len() * 2);
    let mut run = 0;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        broken.push(letter);
        run = if letter.is_whitespace() { 0 } else { run + 1 };
        let is_joint = matches!(letter, '.' | '-' | '_' | '/' | ':' | '?' | '&' | '=' | '@' | ',' | ';');
        // A mark stays with its letter.
        let next_stands_alone = letters.peek().is_some_and(|next| next.is_alphanumeric() && next.is_ascii());
        if next_stands_alone && ((is_joint && run > 3) || run >= PIECE) {
            broken.push(BREAK);
            run = 0;
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in ["news.example", "#*_$@\\[x]", "com.hulu.plus", "\u{65b0}\u{805e}.example"] {
            assert_eq!(Name::of(name), Name { text: name.to_owned(), small: false });
        }
    }

    #[test]
    fn long_names_can_break_everywhere_and_lose_nothing() {
        let long = format!("{}.example", "a".repeat(242));
        let name = Name::of(&long);
        assert_eq!(name.text.replace(BREAK, ""), long);
        let longest = name.text.split(BREAK).map(str::len).max();
        assert!(longest <= Some(PIECE), "{longest:?}");
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
