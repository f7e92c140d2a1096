//! Cells as numbers, as days and as names; a line is a cell.

use caliber_engine::names;
use caliber_engine::recipe::Dimension;
use caliber_engine::report::cell::{Cell, Day};
use caliber_engine::report::day::{DayColumn, Reading};
use caliber_engine::report::number::{self, Decimal, Evidence, Parsed};

/// Every cell alone, and the days of all of them as a column.
pub(crate) fn check(bytes: &[u8]) {
    let cells: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    for cell in &cells {
        reads_a_number(cell);
        reads_a_day(cell);
        for dimension in [Dimension::Domain, Dimension::SupplyVendor] {
            reads_a_name(cell, dimension);
        }
    }
    spans_the_same_period(&cells);
}

fn reads_a_number(cell: &[u8]) {
    let (point, says) = number::parse(cell, Decimal::Point);
    let (comma, says_too) = number::parse(cell, Decimal::Comma);
    let shown = String::from_utf8_lossy(cell);
    assert_eq!(says, says_too, "{shown:?}: the evidence depends on the convention");
    assert_eq!(point == Parsed::Missing, comma == Parsed::Missing, "{shown:?}");
    if says == Evidence::None {
        assert_eq!(point, comma, "{shown:?} without a separator");
    }
    for parsed in [point, comma] {
        if let Parsed::Number(number) = parsed {
            assert!(number.value.abs() <= 1e15, "{shown:?}: {}", number.value);
        }
    }
    if let Parsed::Number(number) = point {
        equals_the_standard_library(cell, number.value);
    }
    Cell::Text(cell.into()).is_blank();
}

/// Digits with a point at most are what Rust itself reads, to the last bit.
fn equals_the_standard_library(cell: &[u8], value: f64) {
    let plain = cell.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let Some(text) = std::str::from_utf8(cell).ok().filter(|_| plain) else { return };
    // Two points part thousands, if anything.
    if let Ok(theirs) = text.parse::<f64>() {
        assert_eq!(value.to_bits(), theirs.to_bits(), "{text}: {value}");
    }
}

fn reads_a_day(cell: &[u8]) {
    let reading = Reading::of(cell);
    for day in [reading.day_first, reading.month_first].into_iter().flatten() {
        assert_eq!(Day::new(day.year, day.month, day.day), Some(day));
        let again = Reading::of(day.to_string().as_bytes());
        assert_eq!(again, Reading { day_first: Some(day), month_first: Some(day) }, "{day}");
    }
    if let (Some(a), Some(b)) = (reading.day_first, reading.month_first) {
        assert!(a == b || (a.year, a.month, a.day) == (b.year, b.day, b.month), "{a} or {b}");
    }
}

/// The order of cells, and who collected them, makes no difference.
fn spans_the_same_period(cells: &[&[u8]]) {
    let collected = |cells: &mut dyn Iterator<Item = &&[u8]>| {
        let mut column = DayColumn::default();
        for cell in cells {
            column.add(cell);
            if let (Parsed::Number(number), _) = number::parse(cell, Decimal::Point) {
                column.add_number(number.value);
            }
        }
        column
    };
    let period = collected(&mut cells.iter()).period();
    assert!(period.from <= period.to && period.from.is_some() == period.to.is_some());
    assert_eq!(collected(&mut cells.iter().rev()).period(), period, "from the last cell to the first");
    let (first, second) = cells.split_at(cells.len() / 2);
    let halves = collected(&mut first.iter()).merge(collected(&mut second.iter()));
    assert_eq!(halves.period(), period, "in two halves");
    let turned = collected(&mut second.iter()).merge(collected(&mut first.iter()));
    assert_eq!(turned.period(), period, "the second half first");
}

fn reads_a_name(cell: &[u8], dimension: Dimension) {
    let shown = String::from_utf8_lossy(cell);
    let mut scratch = String::new();
    let key = names::normalise(cell, dimension, &mut scratch).to_owned();
    let mut scratch = String::new();
    let again = names::normalise(key.as_bytes(), dimension, &mut scratch);
    assert_eq!(again, key, "{shown:?}: the key of a key is itself");

    let kind = names::classify(&key, dimension);
    let spelled = names::shown(cell, kind, dimension);
    let mut scratch = String::new();
    let back = names::normalise(spelled.as_bytes(), dimension, &mut scratch);
    assert_eq!(back, key, "{shown:?}: what is shown, {spelled:?}, is of another row");
    let unicode = names::display_unicode(&key);
    assert_eq!(unicode.is_empty(), key.is_empty(), "{shown:?}");
    if let Some(registrable) = names::registrable(&key) {
        assert!(key.ends_with(registrable), "{key}: {registrable}");
    }
    names::text_of(cell);
}
