//! What stands around the digits of a number: signs, parentheses, percent, currency.

use super::Currency;

/// What stands around the digits.
#[derive(Default)]
pub(super) struct Affixes {
    sign: Option<Sign>,
    parentheses: bool,
    pub(super) percent: bool,
    pub(super) currency: Option<Currency>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Minus,
    Plus,
}

impl Affixes {
    /// The affixes and the core between them; `None` where one is twice or does not belong there.
    pub(super) fn strip(text: &[u8]) -> Option<(Self, &[u8])> {
        let mut affixes = Self::default();
        let mut core = affixes.strip_front(text)?;
        let (open, leading) = (std::mem::take(&mut affixes.parentheses), affixes.sign);
        core = affixes.strip_back(core)?;
        if open != affixes.parentheses || (open && affixes.sign.is_some()) {
            return None;
        }
        // `5.-` is a Swiss price, not minus five.
        if affixes.sign != leading && matches!(core.last(), Some(b'.' | b',')) {
            return None;
        }
        Some((affixes, core))
    }

    /// A leading `-`, then `$` or a trailing `%`, and what they leave.
    pub(super) fn strip_common(text: &[u8]) -> (Self, &[u8]) {
        let mut affixes = Self::default();
        let mut core = text;
        if let Some(rest) = core.strip_prefix(b"-") {
            (affixes.sign, core) = (Some(Sign::Minus), rest);
        }
        if let Some(rest) = core.strip_prefix(b"$") {
            (affixes.currency, core) = (Some(Currency::DOLLAR), rest);
        } else if let Some(rest) = core.strip_suffix(b"%") {
            (affixes.percent, core) = (true, rest);
        }
        (affixes, core)
    }

    /// Whether the number is below zero by its sign or by its parentheses.
    pub(super) fn negative(&self) -> bool {
        self.parentheses || self.sign == Some(Sign::Minus)
    }

    /// Whether a dash stands in place of a number.
    pub(super) fn is_dash(&self) -> bool {
        !self.parentheses && self.sign == Some(Sign::Minus)
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
        let again = match affix {
            b'-' => self.sign.replace(Sign::Minus).is_some(),
            b'+' => self.sign.replace(Sign::Plus).is_some(),
            b'%' => std::mem::replace(&mut self.percent, true) || self.currency.is_some(),
            _ => std::mem::replace(&mut self.parentheses, true),
        };
        (!again).then_some(())
    }

    fn take_currency(&mut self, currency: Currency) -> Option<()> {
        (self.currency.replace(currency).is_none() && !self.percent).then_some(())
    }
}

fn is_currency_byte(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'$' || byte == b'.'
}
