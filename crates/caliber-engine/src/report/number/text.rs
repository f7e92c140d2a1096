//! Cells that are more than digits: thousands, signs, currencies, percent, words for nothing.

use std::io::Write;

use super::{Currency, Decimal, Evidence, Parsed, bounded, currency, finish, lone_separator};

/// Longer cells are texts: the longest number of a spreadsheet with every sign around it stays below.
const LONGEST: usize = 64;

const UNREADABLE: (Parsed, Evidence) = (Parsed::Unreadable, Evidence::None);
const MISSING: (Parsed, Evidence) = (Parsed::Missing, Evidence::None);

/// Reads any cell.
#[inline(never)]
pub(super) fn parse(cell: &[u8], decimal: Decimal) -> (Parsed, Evidence) {
    with_ascii(cell, |ascii| parse_ascii(ascii, decimal)).unwrap_or(UNREADABLE)
}

pub(super) fn is_missing(cell: &[u8]) -> bool {
    with_ascii(cell, is_word_for_nothing).unwrap_or(false)
}

/// Runs `read` on the cell in ASCII; `None` where a character has no place in a number or the cell is too long.
fn with_ascii<T>(cell: &[u8], read: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let cell = cell.trim_ascii();
    if cell.is_ascii() && cell.len() <= LONGEST && !cell.contains(&0) {
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
            '\0' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => &[],
            '\u{2060}'..='\u{2069}' | '\u{feff}' => &[],
            _ if character.is_ascii() => &own,
            _ if character.is_whitespace() => b" ",
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
    if is_word_for_nothing(text) {
        return MISSING;
    }
    let Some((affixes, core)) = Affixes::strip(text) else { return UNREADABLE };
    if core.is_empty() {
        // An accountant's zero-less nothing: `$ -`, `-%`.
        let nothing = affixes.minus && (affixes.percent || affixes.currency.is_some());
        return if nothing && !affixes.parentheses { MISSING } else { UNREADABLE };
    }
    if is_word_for_nothing(core) {
        return MISSING;
    }
    let Some(form) = Form::of(core) else { return UNREADABLE };
    let readable = match form.evidence {
        Evidence::Point => decimal == Decimal::Point,
        Evidence::Comma => decimal == Decimal::Comma,
        Evidence::None | Evidence::Ambiguous => true,
    };
    if !readable {
        return (Parsed::Unreadable, form.evidence);
    }
    (form.value(core, decimal, &affixes).unwrap_or(Parsed::Unreadable), form.evidence)
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
    const WORDS: [&[u8]; 21] = [
        b"",
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
    if text.first().is_none_or(u8::is_ascii_digit) {
        return text.is_empty();
    }
    text.iter().all(|&byte| byte == b'-' || byte == b' ')
        || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        || is_spreadsheet_error(text)
}

/// `#DIV/0!`, `#N/A`, `#REF!`, `#NAME?`. A `#####` is a number that was too wide for its column: not missing.
fn is_spreadsheet_error(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"#") else { return false };
    rest.first().is_some_and(u8::is_ascii_alphabetic)
        && rest.iter().all(|&byte| byte.is_ascii_alphabetic() || b"/!?_0".contains(&byte))
}

/// What stands around the digits.
#[derive(Default)]
struct Affixes {
    minus: bool,
    plus: bool,
    parentheses: bool,
    percent: bool,
    currency: Option<Currency>,
}

impl Affixes {
    /// The affixes and the core between them; `None` where one is twice or does not belong there.
    fn strip(text: &[u8]) -> Option<(Self, &[u8])> {
        let mut affixes = Self::default();
        let mut core = affixes.strip_front(text)?;
        let (open, signed) = (affixes.parentheses, affixes.minus || affixes.plus);
        affixes.parentheses = false;
        core = affixes.strip_back(core)?;
        if open != affixes.parentheses || (open && (affixes.minus || affixes.plus)) {
            return None;
        }
        // `5.-` is a Swiss price, not minus five.
        let trailing_minus = affixes.minus && !signed;
        if trailing_minus && matches!(core.last(), Some(b'.' | b',')) {
            return None;
        }
        Some((affixes, core))
    }

    fn strip_front<'a>(&mut self, mut text: &'a [u8]) -> Option<&'a [u8]> {
        loop {
            text = text.trim_ascii_start();
            let Some(&first) = text.first() else { return Some(text) };
            match first {
                b'(' | b'-' | b'+' | b'%' => {
                    self.take(first)?;
                    text = &text[1..];
                }
                b'$' | b'A'..=b'Z' | b'a'..=b'z' => {
                    let length = text.iter().take_while(|&&byte| is_currency_byte(byte)).count();
                    let (word, rest) = text.split_at(length);
                    if is_word_for_nothing(text) {
                        return Some(text);
                    }
                    text = match (Currency::of(word), word) {
                        (Some(currency), _) => {
                            self.take_currency(currency)?;
                            rest
                        }
                        (None, [word @ .., b'.']) => {
                            self.take_currency(Currency::of(word)?)?;
                            &text[length - 1..]
                        }
                        _ => return None,
                    };
                }
                _ => return Some(text),
            }
        }
    }

    fn strip_back<'a>(&mut self, mut text: &'a [u8]) -> Option<&'a [u8]> {
        loop {
            text = text.trim_ascii_end();
            let Some((&last, rest)) = text.split_last() else { return Some(text) };
            match last {
                b')' | b'-' | b'%' => {
                    self.take(last)?;
                    text = rest;
                }
                b'0'..=b'9' => return Some(text),
                _ if is_word_for_nothing(text) => return Some(text),
                _ if is_currency_byte(last) => {
                    let length = text.iter().rev().take_while(|&&byte| is_currency_byte(byte)).count();
                    let (rest, word) = text.split_at(text.len() - length);
                    text = match (Currency::of(word), word) {
                        (Some(currency), _) => {
                            self.take_currency(currency)?;
                            rest
                        }
                        (None, [b'.', word @ ..]) if !word.is_empty() => {
                            self.take_currency(Currency::of(word)?)?;
                            &text[..=rest.len()]
                        }
                        (None, b".") => return Some(text),
                        _ => return None,
                    };
                }
                _ => return Some(text),
            }
        }
    }

    fn take(&mut self, affix: u8) -> Option<()> {
        let signed = self.minus || self.plus;
        let seen = match affix {
            b'-' => &mut self.minus,
            b'+' => &mut self.plus,
            b'%' => &mut self.percent,
            _ => &mut self.parentheses,
        };
        if *seen || (signed && matches!(affix, b'-' | b'+')) || (affix == b'%' && self.currency.is_some()) {
            return None;
        }
        *seen = true;
        Some(())
    }

    fn take_currency(&mut self, currency: Currency) -> Option<()> {
        (self.currency.replace(currency).is_none() && !self.percent).then_some(())
    }
}

fn is_currency_byte(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'$' || byte == b'.'
}

/// How the digits of a number are laid out.
struct Form {
    evidence: Evidence,
    /// Where the decimal separator stands, if it must be one or may be one.
    separator: Option<usize>,
    /// Where the mantissa ends.
    end: usize,
    /// The written exponent of ten.
    exponent: i32,
}

impl Form {
    fn of(core: &[u8]) -> Option<Self> {
        let end = core.iter().position(|&byte| byte == b'e' || byte == b'E').unwrap_or(core.len());
        let scientific = end < core.len();
        let exponent = if scientific { exponent(&core[end + 1..])? } else { 0 };
        let mantissa = &core[..end];
        let is_separator = |byte: u8| byte == b'.' || byte == b',';
        let valid = |&byte: &u8| byte.is_ascii_digit() || is_separator(byte) || byte == b' ' || byte == b'\'';
        if !mantissa.iter().all(valid) || !mantissa.iter().any(u8::is_ascii_digit) {
            return None;
        }
        let last = mantissa.iter().rposition(|&byte| is_separator(byte));
        let form = |evidence, separator| Some(Self { evidence, separator, end, exponent });
        let Some(at) = last else {
            let whole = scientific && mantissa.iter().all(u8::is_ascii_digit);
            return (whole || (!scientific && is_grouped(mantissa))).then(|| form(Evidence::None, None))?;
        };
        let separator = if mantissa[at] == b'.' { Decimal::Point } else { Decimal::Comma };
        let (before, after) = (&mantissa[..at], &mantissa[at + 1..]);
        if !after.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let evidence_of = |decimal| if decimal == Decimal::Point { Evidence::Point } else { Evidence::Comma };
        if before.iter().all(u8::is_ascii_digit) {
            let first = before.first().copied().unwrap_or(b'0');
            let evidence = lone_separator(before.len(), after.len(), first, separator);
            let evidence = if scientific { evidence_of(separator) } else { evidence };
            return form(evidence, Some(at));
        }
        if scientific {
            return None;
        }
        if before.contains(&mantissa[at]) {
            // The same separator again: it parts thousands, so the other one is the decimal.
            let other = if separator == Decimal::Point { Decimal::Comma } else { Decimal::Point };
            return is_grouped(mantissa).then(|| form(evidence_of(other), None))?;
        }
        is_grouped(before).then(|| form(evidence_of(separator), Some(at)))?
    }

    /// The value under a convention that the form allows.
    fn value(&self, core: &[u8], decimal: Decimal, affixes: &Affixes) -> Option<Parsed> {
        let own = if decimal == Decimal::Point { b'.' } else { b',' };
        let separator = self.separator.filter(|&at| core[at] == own);
        let mut digits = [0_u8; LONGEST + 8];
        let (mut len, mut decimals, mut mantissa) = (0, 0_i32, Some(0_u64));
        for (i, &byte) in core[..self.end].iter().enumerate() {
            if byte.is_ascii_digit() {
                digits[len] = byte;
                len += 1;
                decimals += i32::from(separator.is_some_and(|at| i > at));
                let digit = u64::from(byte - b'0');
                mantissa = mantissa.and_then(|value| value.checked_mul(10)?.checked_add(digit));
            }
        }
        let exponent = self.exponent - decimals;
        let Affixes { percent, currency, .. } = *affixes;
        let negative = affixes.minus || affixes.parentheses;
        if let Some(parsed) =
            mantissa.and_then(|mantissa| finish(mantissa, exponent, negative, percent, currency))
        {
            return Some(parsed);
        }
        let exponent = if percent { exponent - 2 } else { exponent };
        write!(&mut digits[len..], "e{exponent}").ok()?;
        let written = digits.iter().position(|&byte| byte == 0).unwrap_or(digits.len());
        let value = fast_float2::parse::<f64, _>(&digits[..written]).ok()?;
        Some(bounded(value, negative, percent, currency))
    }
}

/// Up to three digits with an optional sign; more make no figure of a report.
fn exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if !(1..=3).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits.iter().fold(0, |size, digit| size * 10 + i32::from(digit - b'0'));
    Some(if negative { -size } else { size })
}

/// Whether digits stand in groups parted by one kind of separator: threes, or by commas the Indian way
/// (`1,23,45,678`). Digits without any separator are one group.
fn is_grouped(text: &[u8]) -> bool {
    let Some(separator) = text.iter().copied().find(|byte| !byte.is_ascii_digit()) else { return true };
    let groups = || text.split(|&byte| byte == separator);
    let all_digits = groups().all(|group| group.iter().all(u8::is_ascii_digit));
    let first = groups().next().map_or(0, <[u8]>::len);
    let count = groups().count();
    let last = groups().next_back().map_or(0, <[u8]>::len);
    let inner = |size: usize| groups().skip(1).take(count.saturating_sub(2)).all(|group| group.len() == size);
    let thirds = (1..=3).contains(&first) && inner(3);
    let indian = separator == b',' && count > 2 && (1..=2).contains(&first) && inner(2);
    all_digits && text[0] != b'0' && last == 3 && (thirds || indian)
}
