//! The written forms of a day.

use super::super::cell::Day;
use super::super::number::windows_1252;
use super::Reading;

/// Longer texts are no dates.
const LONGEST: usize = 64;

/// A text that is a day in at least one order.
pub(super) struct Written {
    pub(super) reading: Reading,
    /// Whether points part day, month and year.
    pub(super) pointed: bool,
}

/// The serial number of a day, as a spreadsheet shows a date that lost its format.
pub(super) fn serial(cell: &[u8]) -> Option<Day> {
    let text = cell.trim_ascii();
    // Five digits, 1927 to 2173; what is behind the separator is the time of day.
    let (days, time) = text.split_at_checked(5)?;
    let is_time = match time {
        [] => true,
        [b'.' | b',', fraction @ ..] => fraction.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !is_time || !days.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let days = days.iter().fold(0, |days, digit| days * 10 + u32::from(digit - b'0'));
    Day::from_serial(f64::from(days))
}

/// Reads a cell; `None` where it is no day in either order.
pub(super) fn read(cell: &[u8]) -> Option<Written> {
    let cell = cell.trim_ascii();
    if cell.is_empty() || cell.len() > LONGEST {
        return None;
    }
    let text: String = match std::str::from_utf8(cell) {
        Ok(text) => text.to_lowercase(),
        Err(_) => cell.iter().flat_map(|&byte| windows_1252(byte).to_lowercase()).collect(),
    };
    let text =
        text.trim_matches(|c: char| c.is_whitespace() || c == '\0' || c == '\u{feff}' || c == '\u{200b}');
    let text = text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let text = text.strip_prefix('\'').unwrap_or(text);
    let tokens = Tokens::of(text)?;
    let reading = match tokens.parts {
        [Part::Number { value, digits: 8 }, ..] if tokens.len == 1 => {
            same(day(i64::from(value / 10_000), value / 100 % 100, value % 100))
        }
        [
            Part::Number { value: y, digits: 4 },
            Part::Number { value: m, .. },
            Part::Number { value: d, .. },
        ] => same(day(i64::from(y), m, d)),
        [Part::Number { value: a, .. }, Part::Number { value: b, .. }, Part::Number { value, digits }] => {
            let year = full_year(value, digits)?;
            Reading { day_first: day(year, b, a), month_first: day(year, a, b) }
        }
        [Part::Number { value: d, digits: 1 | 2 }, Part::Month(m), Part::Number { value, digits }]
        | [Part::Month(m), Part::Number { value: d, digits: 1 | 2 }, Part::Number { value, digits }] => {
            same(day(full_year(value, digits)?, u32::from(m), d))
        }
        [Part::Number { value: y, digits: 4 }, Part::Month(m), Part::Number { value: d, digits: 1 | 2 }] => {
            same(day(i64::from(y), u32::from(m), d))
        }
        _ => return None,
    };
    let pointed = tokens.separator == Some('.');
    (reading != Reading::default()).then_some(Written { reading, pointed })
}

fn same(day: Option<Day>) -> Reading {
    Reading { day_first: day, month_first: day }
}

fn day(year: i64, month: u32, day: u32) -> Option<Day> {
    Day::new(i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
}

/// Two digits are 1969 to 2068, as POSIX has it.
fn full_year(value: u32, digits: usize) -> Option<i64> {
    match (digits, value) {
        (4, _) => Some(i64::from(value)),
        (2, 0..=68) => Some(2000 + i64::from(value)),
        (2, _) => Some(1900 + i64::from(value)),
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum Part {
    None,
    Number { value: u32, digits: usize },
    Month(u8),
}

/// The parts of a date, punctuation and the time of day left off.
struct Tokens {
    parts: [Part; 3],
    len: usize,
    /// What stands between the first two parts.
    separator: Option<char>,
}

impl Tokens {
    fn of(text: &str) -> Option<Self> {
        let mut tokens = Self { parts: [Part::None; 3], len: 0, separator: None };
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let whole = tokens.len == 3 || matches!(tokens.parts, [Part::Number { digits: 8, .. }, ..]);
            if whole && !is_suffix_of_year(rest) {
                return is_time(rest).then_some(tokens);
            }
            let length = |same: fn(char) -> bool| rest.find(|c| !same(c)).unwrap_or(rest.len());
            let taken = if first.is_ascii_digit() {
                let digits = length(|c| c.is_ascii_digit());
                tokens.push(number(&rest[..digits])?)?;
                digits
            } else if first.is_alphabetic() && !"年月日".contains(first) {
                let letters = length(char::is_alphabetic);
                match month(&rest[..letters]) {
                    Some(month) => tokens.push(Part::Month(month))?,
                    None if is_filler(&rest[..letters], tokens.len) => {}
                    None => return None,
                }
                letters
            } else if " ,./-\u{a0}年月日".contains(first) {
                if tokens.len == 1 && first != ' ' {
                    tokens.separator.get_or_insert(first);
                }
                first.len_utf8()
            } else {
                return None;
            };
            rest = &rest[taken..];
        }
        Some(tokens)
    }

    fn push(&mut self, part: Part) -> Option<()> {
        *self.parts.get_mut(self.len)? = part;
        self.len += 1;
        Some(())
    }
}

fn number(digits: &str) -> Option<Part> {
    if digits.len() > 8 {
        return None;
    }
    Some(Part::Number { value: digits.parse().ok()?, digits: digits.len() })
}

/// `2025 г.`, `2025年1月12日`.
fn is_suffix_of_year(rest: &str) -> bool {
    matches!(rest.trim(), "г" | "г." | "日" | "." | ",")
}

/// What may follow a day: `T10:00:00Z`, ` 10:00 PM`, ` 00:00:00 UTC`, `+00:00`.
fn is_time(rest: &str) -> bool {
    let rest = rest.strip_prefix('日').unwrap_or(rest);
    let rest = rest.trim_start_matches([',', ' ', 't', '\u{a0}', '\u{202f}']);
    rest.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == 'z')
        && rest.chars().all(|c| c.is_ascii_digit() || " :.+-,zapmutcgst\u{a0}\u{202f}".contains(c))
        && (rest.contains(':') || rest == "z" || !rest.contains('-'))
}

/// Words that stand in a date without meaning: weekdays first, ordinals and `de` between.
fn is_filler(word: &str, parts_before: usize) -> bool {
    const WEEKDAYS: [&str; 14] = [
        "mon",
        "monday",
        "tue",
        "tuesday",
        "wed",
        "wednesday",
        "thu",
        "thursday",
        "fri",
        "friday",
        "sat",
        "saturday",
        "sun",
        "sunday",
    ];
    match parts_before {
        0 => WEEKDAYS.contains(&word),
        _ => matches!(word, "st" | "nd" | "rd" | "th" | "er" | "de" | "del" | "of" | "г"),
    }
}

/// The month of a name in English, German, French, Spanish, Italian, Portuguese or Russian; `word` is lower-case.
fn month(word: &str) -> Option<u8> {
    const MONTHS: [&str; 12] = [
        "jan january januar jänner janv janvier ene enero gen gennaio janeiro янв января январь",
        "feb february februar févr fév février fevrier febrero febbraio fev fevereiro фев февр февраля февраль",
        "mar march mär märz mrz maerz mars marzo março marco мар марта март",
        "apr april avr avril abr abril aprile апр апреля апрель",
        "may mai mayo mag maggio maio мая май",
        "jun june juni juin junio giu giugno junho июн июня июнь",
        "jul july juli juil juillet julio lug luglio julho июл июля июль",
        "aug august août aout ago agosto авг августа август",
        "sep sept september septembre septiembre set settembre setembro сен сент сентября сентябрь",
        "oct october okt oktober octobre octubre ott ottobre out outubro окт октября октябрь",
        "nov november novembre noviembre novembro ноя нояб ноября ноябрь",
        "dec december dez dezember déc décembre decembre dic diciembre dicembre dezembro дек декабря декабрь",
    ];
    let index = MONTHS.iter().position(|names| names.split(' ').any(|name| name == word))?;
    u8::try_from(index + 1).ok()
}
