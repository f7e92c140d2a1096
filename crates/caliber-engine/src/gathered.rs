//! What the files of a report have shown beside their sums.

use std::collections::{BTreeMap, BTreeSet};

use crate::dictionary::header::currency_of;
use crate::dictionary::{ColumnKind, Dictionary};
use crate::reading::ReadFile;
use crate::report::mapping::Warning;
use crate::report::quality::{FileQuality, MappedColumn, Quality, UnreadableCells};
use crate::report::source::Format;
use crate::report::{Body, ReportFile};
use crate::rollup::RollUp;
use crate::score;
use crate::summary::PeriodOfReport;
use crate::{Code, Error, Result};

/// What the files together have shown beside their sums.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) quality: Quality,
    pub(crate) rows_read: u64,
    pub(crate) rows_dropped: BTreeMap<&'static str, u64>,
    pub(crate) currencies: BTreeSet<String>,
    pub(crate) currency_header: Option<String>,
    pub(crate) totals_present: score::TotalsPresent,
    pub(crate) sums_unique_ids: bool,
}

/// The currencies of a report whose money is in several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeveralCurrencies {
    /// The column that says which, its header or `#3`; `None` where the amounts themselves do.
    pub header: Option<String>,
    /// Codes and signs, as they stand in the report, in order; two at least.
    pub currencies: Vec<String>,
}

impl SeveralCurrencies {
    /// The refusal of such a report.
    pub fn error(&self, file: &str) -> Error {
        let all = self.currencies.join(" and ");
        let error =
            Error::new(Code::SeveralCurrencies, format!("the report's money is in {all}")).in_file(file);
        match (&self.header, self.currencies.first()) {
            (Some(header), Some(first)) => error
                .at_column(header)
                .help(format!("score one currency at a time: --where \"{header}={first}\"")),
            _ => error.help("export one report a currency"),
        }
    }
}

impl Gathered {
    pub(crate) fn add(&mut self, file: &ReportFile, read: &ReadFile, dictionary: &Dictionary) {
        let rollup = &read.rollup;
        let notes = rollup.notes_after();
        let dropped = &rollup.dropped;
        self.rows_read += rollup.rows_read + notes.dropped;
        for (reason, count) in [
            ("missing_impressions", dropped.missing_impressions + notes.dropped),
            ("missing_dimension", dropped.missing_dimension),
            ("repeated_header", dropped.repeated_header),
            ("where", dropped.filtered),
        ] {
            if count > 0 {
                *self.rows_dropped.entry(reason).or_default() += count;
            }
        }
        for (present, columns) in self.totals_present.iter_mut().zip(&read.plan.totals) {
            *present |= !columns.is_empty();
        }
        self.add_currency(file, read, dictionary);
        self.sums_unique_ids |= read.plan.numbers.iter().any(|number| {
            dictionary
                .column(&number.canonical)
                .is_some_and(|column| column.kind == ColumnKind::Count && !column.additive)
        });
        let (encoding, delimiter) = match &file.body {
            Body::Text { encoding, delimiter, .. } if file.format == Format::Csv => (
                Some(if rollup.not_utf8() { encoding.or_windows_1252() } else { *encoding }),
                Some(char::from(*delimiter)),
            ),
            _ => (None, None),
        };
        self.quality.files.push(FileQuality {
            file: file.source.name().to_owned(),
            format: file.format,
            compression: file.source.compression(),
            encoding,
            delimiter,
            sheet: file.sheet.clone(),
            header_row: file.header_line,
            rows_skipped_before: file.skipped_before,
            rows_skipped_after: notes.after,
        });
        self.quality.mapping.extend(mapped_columns(file, read));
        for header in &read.mapping.unmapped {
            if !self.quality.unmapped_headers.contains(header) {
                self.quality.unmapped_headers.push(header.clone());
            }
        }
        for (number, facts) in read.plan.numbers.iter().zip(&rollup.facts) {
            if facts.unreadable > 0 {
                self.quality.unreadable_cells.push(UnreadableCells {
                    column: number.header.clone(),
                    count: facts.unreadable,
                    lines: facts.unreadable_at.iter().map(|place| read.lines.line(*place)).collect(),
                });
            }
        }
        self.quality.warnings.extend(read.mapping.warnings.iter().cloned());
        self.warn(file, read);
    }

    fn add_currency(&mut self, file: &ReportFile, read: &ReadFile, dictionary: &Dictionary) {
        self.currencies.extend(read.rollup.currencies.iter().cloned());
        if let Some(column) = read.supplies.currency {
            self.currency_header.get_or_insert_with(|| file.column_name(column));
            return;
        }
        for &index in &read.plan.totals[2] {
            let code = currency_of(&read.plan.numbers[index].header, dictionary);
            self.currencies.extend(read.rollup.facts[index].currencies.iter().map(|sign| (*sign).to_owned()));
            self.currencies.extend(code);
        }
    }

    fn warn(&mut self, file: &ReportFile, read: &ReadFile) {
        let warnings = &mut self.quality.warnings;
        let guessed =
            |canonical: &&String| read.plan.numbers.iter().find(|number| number.canonical == **canonical);
        for number in read.guessed_scales.iter().filter_map(|canonical| guessed(&canonical)) {
            let (taken, example, other) = match number.conventions.scale {
                100.0 => ("percent", "50 is 50 %", "fraction"),
                _ => ("fractions", "0.5 is 50 %", "percent"),
            };
            warnings.push(Warning {
                code: "scale_guessed",
                message: format!(
                    "`{}` was read as {taken} ({example}), which nothing in the file tells for sure; \
                     --scale {}={other} says otherwise",
                    number.header, number.canonical
                ),
            });
        }
        for header in &read.guessed_decimals {
            warnings.push(Warning {
                code: "decimal_guessed",
                message: format!(
                    "`{header}`: nothing in the file tells whether 1,234 is 1234; it was taken so"
                ),
            });
        }
        for (number, facts) in read.plan.numbers.iter().zip(&read.rollup.facts) {
            if facts.negative > 0 {
                warnings.push(Warning {
                    code: "negative_values",
                    message: format!(
                        "`{}`: {} below 0, summed as an adjustment",
                        number.header,
                        counted(facts.negative, "value", "values")
                    ),
                });
            }
        }
        if !file.other_sheets.is_empty() {
            warnings.push(Warning {
                code: "other_sheets",
                message: format!(
                    "{} has other sheets that fit as well and were not read: {}; --sheet NAME takes one",
                    file.source.name(),
                    file.other_sheets.join(", ")
                ),
            });
        }
        let (ragged, places) = &read.rollup.ragged;
        if *ragged > 0 {
            let lines: Vec<String> = places.iter().map(|place| read.lines.line(*place).to_string()).collect();
            warnings.push(Warning {
                code: "ragged_rows",
                message: format!(
                    "{} with more cells than the header, first on line {}",
                    counted(*ragged, "row", "rows"),
                    lines.join(", ")
                ),
            });
        }
    }

    /// The currencies of the report's money, where there are several.
    pub(crate) fn several_currencies(&mut self) -> Option<SeveralCurrencies> {
        let codes: Vec<String> =
            self.currencies.iter().filter(|currency| is_code(currency)).cloned().collect();
        self.currencies
            .retain(|currency| is_code(currency) || !codes.iter().any(|code| is_sign_of(currency, code)));
        (self.currencies.len() > 1).then(|| SeveralCurrencies {
            header: self.currency_header.clone(),
            currencies: self.currencies.iter().cloned().collect(),
        })
    }

    pub(crate) fn refuse_several_currencies(&mut self, file: &ReportFile) -> Result<()> {
        self.several_currencies().map_or(Ok(()), |several| Err(several.error(file.source.name())))
    }

    pub(crate) fn period(&mut self, all: &RollUp) -> PeriodOfReport {
        let period = all.days.period();
        if period.ambiguous {
            self.quality.warnings.push(Warning {
                code: "date_order_guessed",
                message: "nothing in the date column tells day from month; the shorter period was taken"
                    .into(),
            });
        }
        if period.unreadable > 0 {
            self.quality.warnings.push(Warning {
                code: "unreadable_dates",
                message: format!(
                    "{} of the date column without a day",
                    counted(period.unreadable, "cell", "cells")
                ),
            });
        }
        PeriodOfReport {
            from: period.from.map(|day| day.to_string()),
            to: period.to.map(|day| day.to_string()),
        }
    }
}

/// `1 row`, `2 rows`.
fn counted(count: u64, singular: &str, plural: &str) -> String {
    format!("{count} {}", if count == 1 { singular } else { plural })
}

/// `EUR`, but not `$`.
fn is_code(currency: &str) -> bool {
    currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Whether money with this sign may be in the currency of this code: `$ 1.50` under `Cost (CAD)` is Canadian.
fn is_sign_of(sign: &str, code: &str) -> bool {
    match sign {
        "$" => code.ends_with('D') || ["ARS", "BRL", "CLP", "COP", "MXN", "UYU"].contains(&code),
        "¥" => ["CNY", "JPY"].contains(&code),
        "kr" => ["DKK", "ISK", "NOK", "SEK"].contains(&code),
        "Rs" => ["INR", "LKR", "NPR", "PKR"].contains(&code),
        _ => false,
    }
}

fn mapped_columns(file: &ReportFile, read: &ReadFile) -> Vec<MappedColumn> {
    let scale_of = |column: usize| {
        let read_scale = read.plan.numbers.iter().find(|number| number.column == column);
        read_scale.map(|number| number.conventions.scale).or_else(|| {
            read.unread_scales.iter().find(|(unread, _)| *unread == column).map(|(_, scale)| *scale)
        })
    };
    read.mapping
        .columns
        .iter()
        .map(|mapped| MappedColumn {
            canonical: mapped.canonical.clone(),
            header: file.column_name(mapped.column),
            how: mapped.how,
            scale: mapped.is_rate().then(|| scale_of(mapped.column).unwrap_or(1.0) as u32),
        })
        .collect()
}
