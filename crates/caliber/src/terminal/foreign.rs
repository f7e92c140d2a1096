//! Text from reports on a terminal: names, headers, cells. Whoever wrote the report must not steer the terminal.

use std::borrow::Cow;

/// Text of a report as it may be printed, on one line: line ends and tabs become blanks; control characters and
/// marks that turn the direction of writing become U+FFFD.
pub(crate) fn foreign(text: &str) -> Cow<'_, str> {
    if !text.contains(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => clean.push(' '),
            character if is_dangerous(character) => clean.push(char::REPLACEMENT_CHARACTER),
            character => clean.push(character),
        }
    }
    Cow::Owned(clean)
}

/// Control characters, bidirectional marks, overrides and isolates (UAX 9), and the separators of lines.
fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_replaced() {
        assert_eq!(foreign("plain, zürich.example"), "plain, zürich.example");
        assert_eq!(foreign("\u{1b}[31mred\u{7}"), "\u{fffd}[31mred\u{fffd}");
        assert_eq!(foreign("a\u{202e}moc.example"), "a\u{fffd}moc.example");
        assert_eq!(foreign("\u{9b}2J\u{2066}x\u{200f}"), "\u{fffd}2J\u{fffd}x\u{fffd}");
    }

    #[test]
    fn a_text_of_several_lines_stands_on_one() {
        assert_eq!(foreign("Ad Load\r\n(Excessive)\tRate\nx\ry\u{2028}z"), "Ad Load (Excessive) Rate x y z");
    }
}
