//! Cells that are more than digits: brought to ASCII, told from words for nothing, taken apart.

use super::affix::Affixes;
use super::form::Form;
use super::{Decimal, Evidence, Parsed, currency};

/// Longer cells are texts: the longest number of a spreadsheet with every sign around it stays below.
pub(super) const LONGEST: usize = 64;

const UNREADABLE: (Parsed, Evidence) = (Parsed::Unreadable, Evidence::None);
const MISSING: (Parsed, Evidence) = (Parsed::Missing, Evidence::None);

/// Reads any cell.
#[inline(never)]
pub(super) fn parse(cell: &[u8], decimal: Decimal) -> (Parsed, Evidence) {
    if let Some(common) = parse_common(cell, decimal) {
        return common;
    }
    with_ascii(cell, |ascii| parse_ascii(ascii, decimal)).unwrap_or(UNREADABLE)
}

pub(super) fn is_missing(cell: &[u8]) -> bool {
    with_ascii(cell, is_word_for_nothing).unwrap_or(false)
}

/// Runs `read` on the cell in ASCII; `None` where a character has no place in a number or the cell is too long.
fn with_ascii<T>(cell: &[u8], read: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let cell = cell.trim_ascii();
    if cell.len() <= LONGEST && cell.iter().all(|byte| (b' '..0x7F).contains(byte)) {
        return Some(read(cell));
    }
    let mut ascii = Ascii { bytes: [0; LONGEST], len: 0 };
    match std::str::from_utf8(cell) {
        Ok(text) => text.chars().try_for_each(|character| ascii.push(character))?,
        Err(_) => cell.iter().try_for_each(|&byte| ascii.push(windows_1252(byte)))?,
    }
    Some(read(ascii.bytes[..ascii.len].trim_ascii()))
}

struct Ascii {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Ascii {
    fn push(&mut self, character: char) -> Option<()> {
        let own = [character as u8];
        let bytes: &[u8] = match character {
            '\0'
            | '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}' => &[],
            _ if character.is_whitespace() => b" ",
            _ if character.is_ascii() => &own,
            '‐'..='―' | '−' | '﹣' => b"-",
            '‘' | '’' | 'ʼ' | '´' => b"'",
            '“' | '”' => b"\"",
            '٪' => b"%",
            // Full-width forms lie in the order of ASCII.
            '！'..='～' => &[(character as u32 - 0xFEE0) as u8],
            _ => match digit(character) {
                Some(digit) => &[digit],
                None => currency::ascii_of(character)?.as_bytes(),
            },
        };
        // Leading blanks cost no room, so that padding alone makes no number unreadable.
        if self.len == 0 && bytes == b" " {
            return Some(());
        }
        self.bytes.get_mut(self.len..self.len + bytes.len())?.copy_from_slice(bytes);
        self.len += bytes.len();
        Some(())
    }
}

/// Digits of Arabic, Persian and Devanagari.
fn digit(character: char) -> Option<u8> {
    let zero = match character {
        '٠'..='٩' => '٠',
        '۰'..='۹' => '۰',
        '०'..='९' => '०',
        _ => return None,
    };
    Some((character as u32 - zero as u32) as u8 + b'0')
}

/// The character of a Windows-1252 byte, as far as numbers need the block 0x80-0x9F.
pub(crate) fn windows_1252(byte: u8) -> char {
    match byte {
        0x80 => '€',
        0x91 => '‘',
        0x92 => '’',
        0x93 => '“',
        0x94 => '”',
        0x96 => '–',
        0x97 => '—',
        0x81..=0x9F => char::REPLACEMENT_CHARACTER,
        _ => char::from(byte),
    }
}

/// `text` is trimmed.
fn parse_ascii(text: &[u8], decimal: Decimal) -> (Parsed, Evidence) {
    let text = without_spreadsheet_quotes(text);
    if is_word_for_nothing(text) || is_signed_nan(text) {
        return MISSING;
    }
    let Some((affixes, core)) = Affixes::strip(text) else { return UNREADABLE };
    if core.is_empty() {
        // An accountant's way to write nothing: `$ -`, `-%`.
        return if affixes.is_dash() { MISSING } else { UNREADABLE };
    }
    Form::of(core).map_or(UNREADABLE, |form| parse_form(&form, core, decimal, &affixes))
}

/// `-1,234`, `$1,234.50`, `45.95%`: what whole columns look like, ahead of all the rest for speed alone.
fn parse_common(cell: &[u8], decimal: Decimal) -> Option<(Parsed, Evidence)> {
    let (affixes, core) = Affixes::strip_common(cell);
    if cell.len() > LONGEST || !core.first()?.is_ascii_digit() || !core.last()?.is_ascii_digit() {
        return None;
    }
    Some(parse_form(&Form::of(core)?, core, decimal, &affixes))
}

fn parse_form(form: &Form, core: &[u8], decimal: Decimal, affixes: &Affixes) -> (Parsed, Evidence) {
    let readable = match form.evidence {
        Evidence::Point => decimal == Decimal::Point,
        Evidence::Comma => decimal == Decimal::Comma,
        Evidence::None | Evidence::Ambiguous => true,
    };
    let parsed = if readable { form.value(core, decimal, affixes) } else { None };
    (parsed.unwrap_or(Parsed::Unreadable), form.evidence)
}

/// `="5813"`, `='5813`, `'5813` and `"5813"` are ways to keep text in a spreadsheet.
fn without_spreadsheet_quotes(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix(b"=").unwrap_or(text).trim_ascii();
    let text = match text {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] | [b'\'', inner @ ..] => inner,
        _ => text,
    };
    text.trim_ascii()
}

/// `text` is trimmed ASCII.
fn is_word_for_nothing(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 20] = [
        b".",
        b"n/a",
        b"na",
        b"n.a.",
        b"n.a",
        b"n/d",
        b"k.a.",
        b"<na>",
        b"null",
        b"(null)",
        b"none",
        b"nil",
        b"nan",
        b"\\n",
        b"undefined",
        b"missing",
        b"(blank)",
        b"(not set)",
        b"not available",
        b"(not available)",
    ];
    let Some((last, rest)) = text.split_last() else { return true };
    if last.is_ascii_digit() || rest.first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    text.iter().all(|&byte| byte == b'-' || byte == b' ')
        || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        || is_spreadsheet_error(text)
}

/// `NaN%`, `-nan` and `$NaN`, as programs write them.
fn is_signed_nan(text: &[u8]) -> bool {
    let text = text.strip_suffix(b"%").unwrap_or(text);
    let text = text.strip_prefix(b"-").or(text.strip_prefix(b"$")).unwrap_or(text);
    text.eq_ignore_ascii_case(b"nan")
}

/// `#DIV/0!`, `#N/A`, `#REF!`, `#NAME?`. A `#####` is a number that was too wide for its column: not missing.
fn is_spreadsheet_error(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"#") else { return false };
    rest.first().is_some_and(u8::is_ascii_alphabetic)
        && rest.iter().all(|&byte| byte.is_ascii_alphabetic() || b"/!?_0".contains(&byte))
}
