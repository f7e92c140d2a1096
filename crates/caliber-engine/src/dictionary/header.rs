//! Headers as they are compared: without case, dashes, blanks, a platform's prefix or a unit.

use super::{Dictionary, Known};

/// The unit behind a header, `Advertiser Cost (USD)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// The advertiser's currency, preferred to the others.
    Advertiser,
    /// The partner's currency.
    Partner,
    /// US dollars.
    UsDollar,
    /// Any other currency; between these no order is right.
    OtherMoney,
    /// Percent: the cells are on the scale 0 to 100.
    Percent,
}

/// One reading of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// The words, as the dictionary indexes them.
    pub(crate) text: String,
    /// The unit that was taken off.
    pub(crate) unit: Option<Unit>,
    /// Whether the word `Rate` was taken off its end.
    pub(crate) rate: bool,
}

/// A header as it is compared.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    /// Its readings, the more literal first. None for a blank header.
    pub(crate) forms: Vec<Form>,
    /// Its words without unit and prefix, for likeness.
    pub(crate) words: Vec<String>,
    /// Whether it says itself that it is a rate: `%`, or `Rate` at its end.
    pub(crate) is_rate: bool,
}

/// Longest header that is looked at, in characters; longer ones are data, not headers.
const MAX_LENGTH: usize = 200;

/// Lower case, without quotes and marks of byte order; `_`, dashes, `/`, `:` and blanks of all kinds are one blank,
/// and brackets and signs are words of their own.
pub(crate) fn normalise(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len() + 8);
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            '_' | '-' | '/' | ':' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{ff0d}' => {
                spaced.push(' ');
            }
            '"' | '\u{ad}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' => {}
            '[' => spaced.push_str(" ( "),
            ']' => spaced.push_str(" ) "),
            '(' | ')' | '%' | '+' | '<' | '#' => spaced.extend([' ', c, ' ']),
            c => spaced.push(c),
        }
    }
    let mut words = spaced.split_whitespace();
    let mut normalised = words.next().unwrap_or_default().to_owned();
    for word in words {
        normalised.push(' ');
        normalised.push_str(word);
    }
    normalised
}

impl Header {
    pub(crate) fn read(text: &str, dictionary: &Dictionary) -> Self {
        let full = if text.chars().nth(MAX_LENGTH).is_some() { String::new() } else { normalise(text) };
        if full.is_empty() {
            return Self { forms: Vec::new(), words: Vec::new(), is_rate: false };
        }
        let bare = without_prefix(&full, dictionary);
        let mut forms = Vec::new();
        let mut add = |text: &str, unit, rate| {
            let form = Form { text: text.to_owned(), unit, rate };
            if !text.is_empty() && !forms.contains(&form) {
                forms.push(form);
            }
        };
        let readings = [Some(full.as_str()), bare];
        for text in readings.into_iter().flatten() {
            add(text, None, false);
        }
        for (text, unit) in readings.into_iter().flatten().filter_map(|text| without_unit(text, dictionary)) {
            add(text, Some(unit), false);
        }
        for Form { text, unit, .. } in forms.clone() {
            if let Some(text) = text.strip_suffix(" rate") {
                forms.push(Form { text: text.to_owned(), unit, rate: true });
            }
        }
        let shortest = bare.unwrap_or(&full);
        let shortest = without_unit(shortest, dictionary).map_or(shortest, |(text, _)| text);
        let words = words_of(shortest);
        let percent = full.split(' ').any(|word| word == "%");
        Self { is_rate: percent || words.last().is_some_and(|word| word == "rate"), forms, words }
    }

    /// Whether two headers read the same in full.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.forms.first().zip(other.forms.first()).is_some_and(|(one, other)| one.text == other.text)
    }

    /// What the dictionary knows it as, the more literal readings first.
    pub(crate) fn known_forms<'a>(
        &'a self,
        dictionary: &'a Dictionary,
    ) -> impl Iterator<Item = (&'a Form, Known)> {
        self.forms.iter().flat_map(move |form| {
            let numbered = numbered(&form.text);
            let patterns = numbered.map_or(&[][..], |numbered| dictionary.known(&numbered));
            let patterns = patterns.iter().filter(|known| known.pattern);
            dictionary.known(&form.text).iter().chain(patterns).map(move |known| (form, *known))
        })
    }

    /// As [`Header::known_forms`], without the readings.
    pub(crate) fn known<'a>(&'a self, dictionary: &'a Dictionary) -> impl Iterator<Item = Known> + 'a {
        self.known_forms(dictionary).map(|(_, known)| known)
    }
}

/// The text with its numbers as `#`, as patterns are indexed; `None` where it has none.
fn numbered(text: &str) -> Option<String> {
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    text.split(' ').any(is_number).then(|| {
        let words: Vec<&str> = text.split(' ').map(|word| if is_number(word) { "#" } else { word }).collect();
        words.join(" ")
    })
}

/// Letters and numbers of a normalised text, and `%`: what likeness goes by. Sorted words once each would lose the
/// last one, so they stay in order.
pub(crate) fn words_of(normalised: &str) -> Vec<String> {
    let kept = |word: &&str| *word == "%" || word.chars().any(char::is_alphanumeric);
    normalised.split(' ').filter(kept).map(str::to_owned).collect()
}

fn without_prefix<'a>(text: &'a str, dictionary: &Dictionary) -> Option<&'a str> {
    let (first, rest) = text.split_once(' ')?;
    dictionary.is_prefix(first).then_some(rest)
}

/// The text before a unit in brackets, or before a bare `%`, at its end.
fn without_unit<'a>(text: &'a str, dictionary: &Dictionary) -> Option<(&'a str, Unit)> {
    if let Some(before) = text.strip_suffix(" %") {
        return Some((before, Unit::Percent));
    }
    let (before, unit) = text.strip_suffix(" )")?.rsplit_once(" ( ")?;
    Some((before, dictionary.unit(unit)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(text: &str) -> Vec<String> {
        Header::read(text, Dictionary::shipped()).forms.into_iter().map(|form| form.text).collect()
    }

    #[test]
    fn case_dashes_underscores_and_blanks_make_no_difference() {
        let expected = "ad load xl ( imps )";
        let spellings = [
            "Ad Load - XL (Imps)",
            "ad_load–xl(imps)",
            "AD LOAD — XL\u{a0}( Imps )",
            "\u{feff}\"Ad  Load XL [Imps]\"",
        ];
        for spelling in spellings {
            assert_eq!(normalise(spelling), expected, "{spelling}");
        }
    }

    #[test]
    fn prefixes_and_units_are_taken_off_after_the_literal_reading() {
        assert_eq!(
            forms("TTD_Advertiser Cost (USD)"),
            [
                "ttd advertiser cost ( usd )",
                "advertiser cost ( usd )",
                "ttd advertiser cost",
                "advertiser cost"
            ]
        );
        assert_eq!(forms("Click Rate (CTR)"), ["click rate ( ctr )"]);
    }

    #[test]
    fn a_header_that_is_a_prefix_or_a_unit_only_stays_as_it_is() {
        assert_eq!(forms("Report"), ["report"]);
        assert_eq!(forms("(USD)"), ["( usd )"]);
        assert_eq!(forms("  "), Vec::<String>::new());
    }

    #[test]
    fn rates_say_so_by_a_percent_sign_or_their_last_word() {
        for header in
            ["Mute Rate", "% Viewable Impressions", "Ad Load XL (%)", "Player_Errors_Rate (%)", "CTR %"]
        {
            assert!(Header::read(header, Dictionary::shipped()).is_rate, "{header}");
        }
        for header in ["Rate Card", "Impressions", "Generated"] {
            assert!(!Header::read(header, Dictionary::shipped()).is_rate, "{header}");
        }
    }
}
