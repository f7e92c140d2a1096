//! Headers as they are compared: without case, dashes, blanks, a platform's prefix or a unit.

use super::{ColumnKind, Dictionary, Known};

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

impl Unit {
    /// How much a unit says of a column that has several.
    fn weight(self) -> u8 {
        match self {
            Self::Percent => 4,
            Self::Advertiser => 3,
            Self::Partner => 2,
            Self::UsDollar => 1,
            Self::OtherMoney => 0,
        }
    }
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
    /// What only a column may be that is read so.
    pub(crate) scope: Scope,
}

/// Which columns a reading of a header fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Any.
    Any,
    /// Money: a currency without brackets was taken off, `Spend USD`, `Cost in EUR`.
    Money,
    /// What is summed: it begins as a pivot table's sums do, `Sum of Clicks`.
    Sums,
}

impl Scope {
    pub(crate) fn fits(self, kind: ColumnKind) -> bool {
        match self {
            Self::Any => true,
            Self::Money => matches!(kind, ColumnKind::Money | ColumnKind::MoneyRate),
            Self::Sums => kind.is_summed(),
        }
    }
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
            // Marks of footnotes and trades say nothing of the column.
            '"'
            | '*'
            | '†'
            | '‡'
            | '®'
            | '™'
            | '\u{ad}'
            | '\u{feff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2060}' => {}
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
        let summed =
            dictionary.sum_prefixes().find_map(|prefix| full.strip_prefix(prefix)?.strip_prefix(' '));
        let readings = [(Some(full.as_str()), Scope::Any), (bare, Scope::Any), (summed, Scope::Sums)];
        let mut forms: Vec<Form> = Vec::new();
        let mut add = |form: Form| {
            if !form.text.is_empty() && !forms.contains(&form) {
                forms.push(form);
            }
        };
        for (text, scope) in readings {
            if let Some(text) = text {
                add(Form { text: text.to_owned(), unit: None, rate: false, scope });
            }
        }
        for (text, scope) in readings {
            text.into_iter().flat_map(|text| without_units(text, scope, dictionary)).for_each(&mut add);
        }
        for form in forms.clone() {
            if let Some(text) = form.text.strip_suffix(" rate") {
                forms.push(Form { text: text.to_owned(), rate: true, ..form });
            }
        }
        let shortest = bare.unwrap_or(&full);
        let unit = without_unit(shortest, dictionary).filter(|(_, _, bare)| !bare);
        let shortest = unit.map_or(shortest, |(text, ..)| text);
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

/// The readings without one unit after the other: `Advertiser Cost (Adv Currency) (USD)`. Of several units the one that
/// ranks the column counts.
fn without_units(text: &str, scope: Scope, dictionary: &Dictionary) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let (mut text, mut scope) = (text, scope);
    while let Some((before, unit, bare)) = without_unit(text, dictionary)
        && forms.len() < MAX_UNITS
    {
        if bare && scope == Scope::Any {
            scope = Scope::Money;
        }
        let outer = forms.last().and_then(|form| form.unit);
        let unit = outer.filter(|outer| outer.weight() >= unit.weight()).unwrap_or(unit);
        forms.push(Form { text: before.to_owned(), unit: Some(unit), rate: false, scope });
        text = before;
    }
    forms
}

/// The code of the currency that a header ends with: `EUR` of `Cost (EUR)`, `Spend, eur` and `Media Cost in Euro`.
pub(crate) fn currency_of(header: &str, dictionary: &Dictionary) -> Option<String> {
    let mut text = normalise(header);
    for _ in 0..MAX_UNITS {
        let (before, ..) = without_unit(&text, dictionary)?;
        let unit = text[before.len()..].trim_matches([' ', '(', ')', ',']);
        if let Some(code) = dictionary.currency_code(unit.strip_prefix("in ").unwrap_or(unit)) {
            return Some(code);
        }
        text.truncate(before.len());
    }
    None
}

/// Units at the end of one header.
const MAX_UNITS: usize = 3;

/// The text before a unit at its end, and whether that stood without brackets: `(USD)`, `%`, `in EUR`, `, EUR`, `EUR`.
fn without_unit<'a>(text: &'a str, dictionary: &Dictionary) -> Option<(&'a str, Unit, bool)> {
    if let Some(before) = text.strip_suffix(" %") {
        return Some((before, Unit::Percent, false));
    }
    if let Some(inner) = text.strip_suffix(" )") {
        let (before, unit) = inner.rsplit_once(" ( ")?;
        return Some((before, dictionary.unit(unit)?, false));
    }
    let named = text.rsplit_once(" in ").or_else(|| text.rsplit_once(", ")).or_else(|| text.rsplit_once(' '));
    let (before, word) = named?;
    let unit = dictionary.bare_unit(word)?;
    Some((before.trim_end_matches([',', ' ']), unit, true))
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
            "Ad Load - XL\n(Imps)*",
            "Ad Load XL™ (Imps)†",
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
    fn a_currency_needs_no_brackets_and_may_stand_behind_another_unit() {
        for (header, code) in [
            ("Cost in EUR", Some("EUR")),
            ("Media Cost in Euro", Some("EUR")),
            ("Spend, usd", Some("USD")),
            ("spend_gbp", Some("GBP")),
            ("Advertiser Cost (Adv Currency) (CAD)", Some("CAD")),
            ("Advertiser Cost (CAD) (Adv Currency)", Some("CAD")),
            ("Cost (US Dollars)", Some("USD")),
            ("Cost (Adv Currency)", None),
            ("Total Cost All", None),
            ("TTD Cost", None),
            ("Cost (€)", None),
            ("CTR (%)", None),
            ("EUR", None),
        ] {
            assert_eq!(currency_of(header, Dictionary::shipped()).as_deref(), code, "{header}");
        }
        let header = Header::read("Advertiser Cost (Adv Currency) (USD)", Dictionary::shipped());
        let last = header.forms.last().map(|form| (form.text.as_str(), form.unit));
        assert_eq!(last, Some(("advertiser cost", Some(Unit::Advertiser))));
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
