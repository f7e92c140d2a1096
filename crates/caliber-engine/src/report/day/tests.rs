use proptest::prelude::*;

use super::*;

fn day(year: i32, month: u8, day: u8) -> Option<Day> {
    Day::new(year, month, day)
}

fn column(cells: &[&str]) -> DayColumn {
    let mut column = DayColumn::default();
    for cell in cells {
        column.add(cell.as_bytes());
    }
    column
}

fn span(cells: &[&str]) -> (String, bool, u64) {
    let period = column(cells).period();
    let text = |day: Option<Day>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
    (format!("{}..{}", text(period.from), text(period.to)), period.ambiguous, period.unreadable)
}

#[test]
fn written_out_days_have_one_reading() {
    for text in [
        "2025-01-12",
        "2025/01/12",
        "2025.01.12",
        "2025-1-12",
        "20250112",
        "2025-01-12T00:00:00Z",
        "2025-01-12T00:00:00.000+00:00",
        "2025-01-12 13:45",
        "2025-01-12 00:00:00 UTC",
        "12 Jan 2025",
        "12-Jan-25",
        "12-JAN-2025",
        "Jan 12, 2025",
        "January 12, 2025",
        "January 12th, 2025",
        "Sun, 12 Jan 2025",
        "Sunday, January 12, 2025",
        "Jan 12, 2025, 10:00 PM",
        "2025 Jan 12",
        "12. Januar 2025",
        "12 janv. 2025",
        "12 janvier 2025",
        "12 de enero de 2025",
        "12 gennaio 2025",
        "12 января 2025 г.",
        "2025年1月12日",
        " 2025-01-12\u{a0}",
        "\u{feff}2025-01-12",
        "=\"2025-01-12\"",
        "'2025-01-12",
    ] {
        let expected = Reading { day_first: day(2025, 1, 12), month_first: day(2025, 1, 12) };
        assert_eq!(Reading::of(text.as_bytes()), expected, "{text:?}");
    }
    assert_eq!(Reading::of(b"2022/12/17").day_first, day(2022, 12, 17));
    assert_eq!(Reading::of("3 März 2025".as_bytes()).day_first, day(2025, 3, 3));
    assert_eq!(Reading::of(b"3 M\xE4rz 2025").day_first, day(2025, 3, 3));
    assert_eq!(Reading::of("1er août 2025".as_bytes()).day_first, day(2025, 8, 1));
}

#[test]
fn numbers_parted_alike_have_both_readings() {
    for text in ["01/12/2025", "01.12.2025", "01-12-2025", "1/12/25", "01/12/2025 10:00", "1. 12. 2025"] {
        let expected = Reading { day_first: day(2025, 12, 1), month_first: day(2025, 1, 12) };
        assert_eq!(Reading::of(text.as_bytes()), expected, "{text:?}");
    }
    assert_eq!(Reading::of(b"13/01/2025"), Reading { day_first: day(2025, 1, 13), month_first: None });
    assert_eq!(Reading::of(b"01/31/99"), Reading { day_first: None, month_first: day(1999, 1, 31) });
}

#[test]
fn what_is_no_day_has_no_reading() {
    for text in [
        "",
        "hello",
        "2025-02-29",
        "2025-13-01",
        "31/04/2025",
        "32/01/2025",
        "2025",
        "2025-01",
        "Jan 2025",
        "12/2025",
        "1/2/3/4",
        "2025-01-01 - 2025-01-31",
        "2025-01-12 something",
        "10:30",
        "45658",
        "99999999",
        "1234567890123",
        "12 Foo 2025",
        "Report Time: 2025-01-12",
        "0000-00-00",
        "1/1/205",
    ] {
        assert_eq!(Reading::of(text.as_bytes()), Reading::default(), "{text:?}");
    }
}

#[test]
fn a_thirteen_settles_the_order_for_the_whole_column() {
    let settled = ["01/02/2025", "13/02/2025", "03/02/2025"];
    assert_eq!(span(&settled), ("2025-02-01..2025-02-13".into(), false, 0));
    assert_eq!(span(&["01/02/2025", "01/13/2025"]), ("2025-01-02..2025-01-13".into(), false, 0));
}

#[test]
fn an_open_order_takes_the_shorter_period_and_says_so() {
    let days: Vec<String> = (1..=12).map(|day| format!("{day:02}/03/2025")).collect();
    let days: Vec<&str> = days.iter().map(String::as_str).collect();
    assert_eq!(span(&days), ("2025-03-01..2025-03-12".into(), true, 0));
    assert_eq!(span(&["03/01/2025", "03/12/2025"]), ("2025-03-01..2025-03-12".into(), true, 0));
    assert_eq!(span(&["02/03/2025"]), ("2025-02-03..2025-02-03".into(), true, 0));
    // With a written-out neighbour the nearer reading is the shorter period.
    assert_eq!(span(&["02/03/2025", "2025-03-05"]), ("2025-03-02..2025-03-05".into(), true, 0));
    assert_eq!(span(&["02.03.2025", "04.01.2025"]), ("2025-01-04..2025-03-02".into(), false, 0));
    assert_eq!(span(&["05/05/2025"]), ("2025-05-05..2025-05-05".into(), false, 0));
}

#[test]
fn contradicting_cells_follow_the_majority_and_are_counted() {
    let cells = ["13/01/2025", "13/01/2025", "01/14/2025", "02/01/2025"];
    assert_eq!(span(&cells), ("2025-01-02..2025-01-13".into(), true, 1));
}

#[test]
fn serial_numbers_are_days_only_where_the_whole_column_holds_them() {
    assert_eq!(span(&["45658", "45688", "45670.5"]), ("2025-01-01..2025-01-31".into(), false, 0));
    assert_eq!(span(&["45658", "2025-01-12", "45659"]), ("2025-01-12..2025-01-12".into(), false, 2));
    let mut numbers = DayColumn::default();
    numbers.add_number(45_658.75);
    numbers.add_number(45_688.0);
    numbers.add_number(-3.0);
    numbers.add_number(f64::NAN);
    let period = numbers.period();
    assert_eq!((period.from, period.to, period.unreadable), (day(2025, 1, 1), day(2025, 1, 31), 2));
    let mut digits = DayColumn::default();
    digits.add_number(20_250_112.0);
    digits.add_day(Day { year: 2025, month: 1, day: 14 });
    assert_eq!((digits.period().from, digits.period().to), (day(2025, 1, 12), day(2025, 1, 14)));
}

#[test]
fn serials_follow_the_spreadsheets_calendar() {
    // Checked against a spreadsheet's DATEVALUE.
    for (serial, expected) in [
        (61.0, day(1900, 3, 1)),
        (25_569.0, day(1970, 1, 1)),
        (36_526.0, day(2000, 1, 1)),
        (36_585.0, day(2000, 2, 29)),
        (45_658.0, day(2025, 1, 1)),
        (45_658.999, day(2025, 1, 1)),
        (109_574.0, day(2199, 12, 31)),
        (60.0, None),
        (109_575.0, None),
        (f64::NAN, None),
    ] {
        assert_eq!(Day::from_serial(serial), expected, "{serial}");
    }
}

#[test]
fn blanks_are_passed_over_and_other_texts_counted_each_time() {
    let cells = ["", "--", "n/a", "hello", "hello", "2025-01-12"];
    assert_eq!(span(&cells), ("2025-01-12..2025-01-12".into(), false, 2));
    assert_eq!(span(&[]), ("-..-".into(), false, 0));
}

#[test]
fn more_texts_than_are_remembered_change_nothing() {
    let mut column = DayColumn::default();
    for second in 0..86_400 {
        let (hour, minute) = (second / 3600, second / 60 % 60);
        column.add(format!("2025-01-12 {hour:02}:{minute:02}:{:02}", second % 60).as_bytes());
        column.add(format!("nonsense {second}").as_bytes());
    }
    let expected =
        Period { from: day(2025, 1, 12), to: day(2025, 1, 12), ambiguous: false, unreadable: 86_400 };
    assert_eq!(column.period(), expected);
    assert!(column.known.len() <= KNOWN_TEXTS);
}

fn any_cell() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..32_u8, 1..14_u8).prop_map(|(a, b)| format!("{a:02}/{b:02}/2025")),
        (1..14_u8, 1..32_u8).prop_map(|(a, b)| format!("{a:02}.{b:02}.2025")),
        (1..13_u8, 1..32_u8).prop_map(|(a, b)| format!("2025-{a:02}-{b:02}")),
        (45_000..46_000_u32).prop_map(|serial| serial.to_string()),
        Just("n/a".to_owned()),
        Just("soon".to_owned()),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_taken_without_panic(cell in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut column = DayColumn::default();
        column.add(&cell);
        let period = column.period();
        prop_assert!(period.from <= period.to);
    }

    #[test]
    fn neither_order_nor_splitting_changes_the_period(
        cells in prop::collection::vec(any_cell(), 0..40), cut in 0_usize..40, turn in 0_usize..40
    ) {
        let whole: Vec<&str> = cells.iter().map(String::as_str).collect();
        let expected = column(&whole).period();
        let (left, right) = whole.split_at(cut.min(whole.len()));
        prop_assert_eq!(column(left).merge(column(right)).period(), expected);
        prop_assert_eq!(column(right).merge(column(left)).period(), expected);
        let mut turned = whole.clone();
        turned.rotate_left(turn % whole.len().max(1));
        turned.reverse();
        prop_assert_eq!(column(&turned).period(), expected);
    }

    #[test]
    fn every_serial_is_the_day_after_the_one_before(serial in 62_u32..109_574) {
        let (before, after) = (Day::from_serial(f64::from(serial) - 1.0), Day::from_serial(f64::from(serial)));
        let (before, after) = (before.unwrap(), after.unwrap());
        prop_assert!(before < after);
        let next = day(before.year, before.month, before.day + 1)
            .or(day(before.year, before.month + 1, 1))
            .or(day(before.year + 1, 1, 1));
        prop_assert_eq!(next, Some(after));
    }
}
