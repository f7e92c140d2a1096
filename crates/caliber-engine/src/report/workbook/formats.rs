//! Number formats: which numbers are days, which are percentages.

use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};

use super::package::{Xml, too_large};
use super::text::attribute;
use crate::Result;

/// Cell styles a workbook may have; Excel stops at 65,490.
const STYLES_MAX: usize = 1_000_000;

/// How a number is to be understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    #[default]
    Plain,
    /// Shown as a percentage; the number is the fraction.
    Percent,
    /// A serial day number.
    Day,
}

/// The formats of a workbook's cell styles, by the style's number.
#[derive(Debug, Default)]
pub(super) struct Formats(Vec<Format>);

impl Formats {
    pub(super) fn of_style(&self, style: usize) -> Format {
        self.0.get(style).copied().unwrap_or_default()
    }

    /// Reads the styles part.
    pub(super) fn read(mut xml: Xml<'_>) -> Result<Self> {
        let mut own: HashMap<u32, Format> = HashMap::new();
        let mut styles = Vec::new();
        let mut in_cell_styles = false;
        loop {
            match xml.next()? {
                Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                    "numFmt" => {
                        if let (Some(id), Some(code)) =
                            (number(&tag, "numFmtId"), attribute(&tag, "formatCode"))
                        {
                            own.insert(id, format_of_code(&code));
                        }
                    }
                    "cellXfs" => in_cell_styles = true,
                    "xf" if in_cell_styles => {
                        if styles.len() == STYLES_MAX {
                            return Err(too_large(format!(
                                "the workbook has more than {STYLES_MAX} cell styles"
                            )));
                        }
                        let id = number(&tag, "numFmtId").unwrap_or(0);
                        styles.push(own.get(&id).copied().unwrap_or_else(|| format_of_id(id)));
                    }
                    _ => {}
                },
                Event::End(tag) if tag.local_name().as_ref() == "cellXfs" => in_cell_styles = false,
                Event::Eof => return Ok(Self(styles)),
                _ => {}
            }
        }
    }
}

fn number(tag: &BytesStart<'_>, name: &str) -> Option<u32> {
    attribute(tag, name)?.parse().ok()
}

/// The formats every spreadsheet knows by number: ECMA-376 part 1, 18.8.30.
fn format_of_id(id: u32) -> Format {
    match id {
        9 | 10 => Format::Percent,
        14..=17 | 22 | 27..=31 | 36 | 50..=54 | 57 | 58 => Format::Day,
        _ => Format::Plain,
    }
}

/// Reads a format code as far as its first section: `yyyy-mm-dd`, `0.0%`, `[$-409]d/m/yy;@`.
pub(super) fn format_of_code(code: &str) -> Format {
    let (mut percent, mut day, mut clock, mut month) = (false, false, false, false);
    let mut letters = code.chars();
    while let Some(letter) = letters.next() {
        match letter.to_ascii_lowercase() {
            ';' => break,
            '"' => {
                letters.by_ref().find(|&c| c == '"');
            }
            // Colours, conditions, locales; `[h]` is a duration.
            '[' => {
                let inside: String = letters.by_ref().take_while(|&c| c != ']').collect();
                clock |= matches!(inside.to_ascii_lowercase().trim_matches(['h', 'm', 's']), "")
                    && !inside.is_empty();
            }
            '\\' | '_' | '*' => {
                letters.next();
            }
            '%' => percent = true,
            'd' | 'y' => day = true,
            'm' => month = true,
            'h' | 's' => clock = true,
            _ => {}
        }
    }
    // Scientific and General formats hold no d, y or m; `m` beside h or s is minutes.
    if day || (month && !clock) {
        Format::Day
    } else if percent {
        Format::Percent
    } else {
        Format::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_codes_are_days_percentages_or_plain_numbers() {
        for code in
            ["yyyy-mm-dd", "d/m/yy;@", "[$-409]mmmm d, yyyy", "mmm\\-yy", "m/d/yy h:mm", "*-yyyy-mm-dd"]
        {
            assert_eq!(format_of_code(code), Format::Day, "{code}");
        }
        for code in ["0.00%", "0%;[Red]-0%", "0.0 %"] {
            assert_eq!(format_of_code(code), Format::Percent, "{code}");
        }
        for code in [
            "General",
            "0.00E+00",
            "#,##0.00 \"days\"",
            "[Red]0",
            "[h]:mm:ss",
            "hh:mm",
            "0\\%",
            "0_y",
            "#,##0*y",
        ] {
            assert_eq!(format_of_code(code), Format::Plain, "{code}");
        }
    }

    #[test]
    fn the_built_in_formats_are_those_of_the_standard() {
        assert_eq!(format_of_id(10), Format::Percent);
        assert_eq!(format_of_id(14), Format::Day);
        assert_eq!(format_of_id(21), Format::Plain);
        assert_eq!(format_of_id(4), Format::Plain);
    }
}
