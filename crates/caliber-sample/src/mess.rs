//! The kinds of disorder that real exports show, and which of them go together.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::SampleError;
use crate::output::Format;

/// A kind of disorder to plant. Unless its text says otherwise a report scores with it as it does without:
/// the same seed, the same numbers, to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Mess {
    /// Every kind that fits the format and the other kinds given, save those that make the report unreadable
    /// without further flags. Of kinds that exclude each other: `bom`, `semicolon`, `mixed_newlines`.
    All,
    /// A UTF-8 byte order mark.
    Bom,
    /// UTF-16, little endian, with its mark.
    Utf16,
    /// Windows-1252.
    Cp1252,
    /// `;` between cells.
    Semicolon,
    /// A tab between cells.
    Tab,
    /// `|` between cells.
    Pipe,
    /// Lines end in LF, CR LF and CR by turns.
    MixedNewlines,
    /// Lines end in CR LF.
    Crlf,
    /// Lines end in CR alone.
    Cr,
    /// Line ends inside quoted labels.
    QuotedNewlines,
    /// Title and date lines before the header.
    Preamble,
    /// Total rows: a grand total directly below the header with its label in another column, a few subtotals in
    /// the middle in several languages, a grand total at the end.
    Totals,
    /// A pasted pivot table: a `Row Labels` row below the header, `Grand Total` at the end.
    Pivot,
    /// `[tail aggregate]` rows that carry half the delivery. They are not scored; what is not scored is
    /// reported, and so differs.
    TailAggregate,
    /// Rows of what cannot be named: low volume inventory, unknown, (not set), dashes, blank. They are not
    /// scored; what is not scored is reported, and so differs.
    Unnamed,
    /// A total without dimensions at the end, a blank line, `Report Time:` lines.
    Dv360Footer,
    /// The header again between the rows, as concatenated exports have it.
    RepeatedHeader,
    /// Blank lines and lines of nothing but delimiters.
    BlankLines,
    /// Thousands separators.
    Thousands,
    /// A currency sign before money.
    CurrencySigns,
    /// Rates in percent with a sign.
    Percent,
    /// Rates in percent without a sign, `(%)` at the end of their headers.
    PercentHeaders,
    /// Negative adjustments of spend and clicks in parentheses, each cancelled by a row of its own.
    Parentheses,
    /// `-`, `--`, `n/a`, `N/A`, `null`, `NaN` and blanks: in cells no score needs, and in rows of no
    /// impressions.
    MissingWords,
    /// `="5813"`: counts kept as text.
    SpreadsheetText,
    /// `1.234,56`, with semicolons unless the cells are split by something else than commas.
    DecimalComma,
    /// Headers in other case, with underscores, en dashes, more blanks, the platform's prefix, units.
    HeaderSpelling,
    /// Long headers with a word more, which are found by similarity. `all` leaves it out: the headers that
    /// tell a platform by its own words are among them.
    SimilarHeaders,
    /// Names as URLs, in upper case, with `www.`, port, path, query or a trailing dot; app ids as store
    /// addresses; names in words with more blanks.
    Urls,
    /// Names outside ASCII, by turns in Unicode and in punycode. Some names are others than without; the
    /// truth file has them.
    Idn,
    /// Cells that are no numbers, in rows that add nothing else; and rows whose impressions are none.
    Unreadable,
    /// Rows without a count of impressions, which are dropped.
    MissingImpressions,
    /// Rows of 0 impressions that carry late conversions of another row of their site.
    ZeroImpressions,
    /// A column that no score needs, twice under one name.
    DuplicateHeaders,
    /// The spend in the currencies of advertiser, partner and US dollars; the advertiser's is the spend.
    MoneyColumns,
    /// Several campaigns, their names with commas and quotes.
    SeveralCampaigns,
    /// Dates as DD/MM/YYYY, MM/DD/YYYY or YYYY/MM/DD, by the seed.
    DateStyles,
    /// Conversions as `01 - Total Click + View Conversions`, 02, 03, which sum to them.
    NumberedPixels,
    /// Rows that end early, their last cells missing.
    Ragged,
    /// A delimiter after the last cell.
    TrailingDelimiter,
    /// Quotes in the middle of cells that are not quoted.
    StrayQuotes,
    /// Blanks and no-break blanks around cells.
    NbspPadding,
    /// A sheet of metadata before the data, which states a dimension that is not the report's.
    MetadataSheet,
    /// Several currencies in one money column: an error, until `--where` picks one.
    SeveralCurrencies,
    /// No header row: an error, until columns are given by number.
    NoHeader,
}

impl Mess {
    /// Every kind, `All` first, the more usual of those that exclude each other before the others.
    pub const KINDS: [Self; 46] = [
        Self::All,
        Self::Bom,
        Self::Utf16,
        Self::Cp1252,
        Self::Semicolon,
        Self::Tab,
        Self::Pipe,
        Self::MixedNewlines,
        Self::Crlf,
        Self::Cr,
        Self::QuotedNewlines,
        Self::Preamble,
        Self::Totals,
        Self::Pivot,
        Self::TailAggregate,
        Self::Unnamed,
        Self::Dv360Footer,
        Self::RepeatedHeader,
        Self::BlankLines,
        Self::Thousands,
        Self::CurrencySigns,
        Self::Percent,
        Self::PercentHeaders,
        Self::Parentheses,
        Self::MissingWords,
        Self::SpreadsheetText,
        Self::DecimalComma,
        Self::HeaderSpelling,
        Self::SimilarHeaders,
        Self::Urls,
        Self::Idn,
        Self::Unreadable,
        Self::MissingImpressions,
        Self::ZeroImpressions,
        Self::DuplicateHeaders,
        Self::MoneyColumns,
        Self::SeveralCampaigns,
        Self::DateStyles,
        Self::NumberedPixels,
        Self::Ragged,
        Self::TrailingDelimiter,
        Self::StrayQuotes,
        Self::NbspPadding,
        Self::MetadataSheet,
        Self::SeveralCurrencies,
        Self::NoHeader,
    ];

    /// The word for it, as `FromStr` reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Bom => "bom",
            Self::Utf16 => "utf16",
            Self::Cp1252 => "cp1252",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
            Self::Pipe => "pipe",
            Self::Crlf => "crlf",
            Self::Cr => "cr",
            Self::MixedNewlines => "mixed_newlines",
            Self::QuotedNewlines => "quoted_newlines",
            Self::Preamble => "preamble",
            Self::Totals => "totals",
            Self::Pivot => "pivot",
            Self::TailAggregate => "tail_aggregate",
            Self::Unnamed => "unnamed",
            Self::Dv360Footer => "dv360_footer",
            Self::RepeatedHeader => "repeated_header",
            Self::BlankLines => "blank_lines",
            Self::Thousands => "thousands",
            Self::CurrencySigns => "currency_signs",
            Self::Percent => "percent",
            Self::PercentHeaders => "percent_headers",
            Self::Parentheses => "parentheses",
            Self::MissingWords => "missing_words",
            Self::SpreadsheetText => "spreadsheet_text",
            Self::DecimalComma => "decimal_comma",
            Self::HeaderSpelling => "header_spelling",
            Self::SimilarHeaders => "similar_headers",
            Self::Urls => "urls",
            Self::Idn => "idn",
            Self::Unreadable => "unreadable",
            Self::MissingImpressions => "missing_impressions",
            Self::ZeroImpressions => "zero_impressions",
            Self::DuplicateHeaders => "duplicate_headers",
            Self::MoneyColumns => "money_columns",
            Self::SeveralCampaigns => "several_campaigns",
            Self::DateStyles => "date_styles",
            Self::NumberedPixels => "numbered_pixels",
            Self::Ragged => "ragged",
            Self::TrailingDelimiter => "trailing_delimiter",
            Self::StrayQuotes => "stray_quotes",
            Self::NbspPadding => "nbsp_padding",
            Self::MetadataSheet => "metadata_sheet",
            Self::SeveralCurrencies => "several_currencies",
            Self::NoHeader => "no_header",
        }
    }

    /// Kinds of which a file can show only one; `all` takes the one that comes first in `KINDS`.
    const EXCLUSIVE: [&[Self]; 9] = [
        &[Self::Bom, Self::Utf16, Self::Cp1252],
        &[Self::Semicolon, Self::Tab, Self::Pipe],
        &[Self::MixedNewlines, Self::Crlf, Self::Cr],
        &[Self::Percent, Self::PercentHeaders],
        &[Self::HeaderSpelling, Self::NoHeader],
        &[Self::PercentHeaders, Self::NoHeader],
        &[Self::SimilarHeaders, Self::NoHeader],
        &[Self::RepeatedHeader, Self::NoHeader],
        &[Self::DuplicateHeaders, Self::NoHeader],
    ];

    /// Whether a report with this kind may need flags that settle it before it can be scored.
    fn needs_flags(self) -> bool {
        matches!(self, Self::SeveralCurrencies | Self::NoHeader | Self::SimilarHeaders)
    }

    /// Whether a file of the format can show it.
    pub(crate) fn fits(self, format: Format) -> bool {
        match format {
            Format::Delimited { .. } => self != Self::MetadataSheet,
            Format::Workbook => !matches!(
                self,
                Self::Bom
                    | Self::Utf16
                    | Self::Cp1252
                    | Self::Semicolon
                    | Self::Tab
                    | Self::Pipe
                    | Self::Crlf
                    | Self::Cr
                    | Self::MixedNewlines
                    | Self::TrailingDelimiter
                    | Self::StrayQuotes
            ),
            Format::Parquet => matches!(
                self,
                Self::All
                    | Self::Totals
                    | Self::Pivot
                    | Self::TailAggregate
                    | Self::Unnamed
                    | Self::Parentheses
                    | Self::MissingWords
                    | Self::HeaderSpelling
                    | Self::SimilarHeaders
                    | Self::Urls
                    | Self::Idn
                    | Self::MissingImpressions
                    | Self::ZeroImpressions
                    | Self::MoneyColumns
                    | Self::SeveralCampaigns
                    | Self::NumberedPixels
                    | Self::SeveralCurrencies
            ),
        }
    }
}

impl fmt::Display for Mess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mess {
    type Err = SampleError;

    fn from_str(word: &str) -> Result<Self, SampleError> {
        let spelled = word.trim().to_lowercase().replace('-', "_");
        if let Some(kind) = Self::KINDS.iter().find(|kind| kind.name() == spelled) {
            return Ok(*kind);
        }
        Err(SampleError::UnknownMess {
            word: word.into(),
            nearest: nearest(&spelled).map(|kind| kind.name().to_owned()),
            known: Self::KINDS.map(Self::name).join(", "),
        })
    }
}

/// The kind that a mistyped word probably meant: at most a third of the letters differ, or the word begins it.
fn nearest(word: &str) -> Option<Mess> {
    let near = |kind: &Mess| {
        let letters = word.chars().count();
        let edits = strsim::osa_distance(word, kind.name());
        let begins = letters >= 3 && kind.name().starts_with(word);
        (begins || edits <= (letters / 3).max(1)).then_some((edits, *kind))
    };
    let found = Mess::KINDS.iter().filter_map(near).min_by_key(|(edits, _)| *edits);
    found.map(|(_, kind)| kind)
}

/// The kinds to plant in one file, settled: `all` spelled out, conflicts refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kinds(BTreeSet<Mess>);

impl Kinds {
    pub(crate) fn settle(asked: &[Mess], format: Format) -> Result<Self, SampleError> {
        let mut kinds: BTreeSet<Mess> = asked.iter().copied().collect();
        if let Some(&kind) = kinds.iter().find(|kind| !kind.fits(format)) {
            return Err(SampleError::MessFormat { kind, format: format.name() });
        }
        for group in Mess::EXCLUSIVE {
            let mut both = group.iter().filter(|kind| kinds.contains(kind));
            if let (Some(&first), Some(&second)) = (both.next(), both.next()) {
                return Err(SampleError::MessConflict { first, second });
            }
        }
        if kinds.remove(&Mess::All) {
            for kind in Mess::KINDS.into_iter().skip(1) {
                let rivals = Mess::EXCLUSIVE.iter().filter(|group| group.contains(&kind));
                let taken = rivals.flat_map(|group| group.iter()).any(|rival| kinds.contains(rival));
                if kind.fits(format) && !kind.needs_flags() && !taken {
                    kinds.insert(kind);
                }
            }
        }
        // A comma in numbers and between cells at once would make every number a quoted cell.
        let split = [Mess::Semicolon, Mess::Tab, Mess::Pipe].iter().any(|kind| kinds.contains(kind));
        if kinds.contains(&Mess::DecimalComma) && !split && format.delimiter() == Some(b',') {
            kinds.insert(Mess::Semicolon);
        }
        Ok(Self(kinds))
    }

    pub(crate) fn has(&self, kind: Mess) -> bool {
        self.0.contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: Format = Format::Delimited { delimiter: b',', packing: None };

    #[test]
    fn every_kind_is_known_by_its_name_once() {
        let names: BTreeSet<_> = Mess::KINDS.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Mess::KINDS.len());
        for kind in Mess::KINDS {
            assert_eq!(kind.name().parse::<Mess>().unwrap(), kind);
        }
        let help = |word: &str| word.parse::<Mess>().unwrap_err().help().unwrap();
        for (word, kind) in
            [("total", "totals"), ("ragedd", "ragged"), ("thousand", "thousands"), ("dv360", "dv360_footer")]
        {
            assert!(help(word).starts_with(&format!("did you mean `{kind}`? ")), "{}", help(word));
        }
        for word in ["foo", "everything", "x", ""] {
            assert!(help(word).starts_with("the kinds are: all, "), "{word}: {}", help(word));
        }
    }

    #[test]
    fn all_leaves_out_what_excludes_each_other_or_needs_flags() {
        let kinds = Kinds::settle(&[Mess::All], CSV).unwrap();
        for kind in Mess::KINDS {
            let out = [
                Mess::All,
                Mess::Utf16,
                Mess::Cp1252,
                Mess::Tab,
                Mess::Pipe,
                Mess::Crlf,
                Mess::Cr,
                Mess::MetadataSheet,
                Mess::PercentHeaders,
                Mess::SimilarHeaders,
                Mess::SeveralCurrencies,
                Mess::NoHeader,
            ];
            assert_eq!(kinds.has(kind), !out.contains(&kind), "{kind}");
        }
        let kinds = Kinds::settle(&[Mess::All, Mess::Utf16, Mess::Pipe], CSV).unwrap();
        assert!(
            kinds.has(Mess::Utf16)
                && !kinds.has(Mess::Bom)
                && kinds.has(Mess::Pipe)
                && !kinds.has(Mess::Semicolon)
        );
        let kinds = Kinds::settle(&[Mess::All, Mess::NoHeader], CSV).unwrap();
        assert!(
            kinds.has(Mess::NoHeader) && !kinds.has(Mess::RepeatedHeader) && !kinds.has(Mess::HeaderSpelling)
        );
        assert!(!kinds.has(Mess::Utf16) && !kinds.has(Mess::Tab));
    }

    #[test]
    fn conflicts_are_refused() {
        assert!(matches!(
            Kinds::settle(&[Mess::Cp1252, Mess::Utf16], CSV),
            Err(SampleError::MessConflict { .. })
        ));
        assert!(matches!(
            Kinds::settle(&[Mess::Percent], Format::Parquet),
            Err(SampleError::MessFormat { .. })
        ));
    }
}
