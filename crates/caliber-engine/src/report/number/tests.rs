use proptest::prelude::*;

use super::*;

fn value(text: &str, decimal: Decimal) -> Option<f64> {
    match parse(text.as_bytes(), decimal).0 {
        Parsed::Number(number) => Some(number.value),
        Parsed::Missing | Parsed::Unreadable => None,
    }
}

/// Text, its value under `Point` and under `Comma` (`None` is unreadable), its evidence.
type Case = (&'static str, Option<f64>, Option<f64>, Evidence);

fn check(cases: &[Case]) {
    for &(text, point, comma, evidence) in cases {
        for (decimal, expected) in [(Decimal::Point, point), (Decimal::Comma, comma)] {
            let (parsed, found) = parse(text.as_bytes(), decimal);
            assert_eq!(found, evidence, "evidence of {text:?} under {decimal:?}");
            match expected {
                Some(_) => assert_eq!(value(text, decimal), expected, "{text:?} under {decimal:?}"),
                None => assert_eq!(parsed, Parsed::Unreadable, "{text:?} under {decimal:?}"),
            }
        }
    }
}

#[test]
fn the_form_tells_the_separator_and_the_convention_the_value() {
    use Evidence::{Ambiguous, Comma, None as Nothing, Point};
    check(&[
        ("59", Some(59.0), Some(59.0), Nothing),
        ("0", Some(0.0), Some(0.0), Nothing),
        ("007", Some(7.0), Some(7.0), Nothing),
        ("1.5", Some(1.5), None, Point),
        ("0.123", Some(0.123), None, Point),
        (".5", Some(0.5), None, Point),
        (".123", Some(0.123), None, Point),
        ("5.", Some(5.0), None, Point),
        ("56.5973651293435", Some(56.597_365_129_343_5), None, Point),
        ("1234.567", Some(1234.567), None, Point),
        ("1,234.5", Some(1234.5), None, Point),
        ("2,740.50", Some(2740.5), None, Point),
        ("1,234.567", Some(1234.567), None, Point),
        ("1,234,567", Some(1_234_567.0), None, Point),
        ("1,23,456", Some(123_456.0), None, Point),
        ("1,23,456.78", Some(123_456.78), None, Point),
        ("12,34,56,789", Some(123_456_789.0), None, Point),
        ("1e-05.", None, None, Nothing),
        ("12,5", None, Some(12.5), Comma),
        ("1,23", None, Some(1.23), Comma),
        ("0,123", None, Some(0.123), Comma),
        (",5", None, Some(0.5), Comma),
        ("1234,567", None, Some(1234.567), Comma),
        ("1.234,56", None, Some(1234.56), Comma),
        ("1.234,567", None, Some(1234.567), Comma),
        ("1.234.567", None, Some(1_234_567.0), Comma),
        ("1.234.567,8", None, Some(1_234_567.8), Comma),
        ("1,234", Some(1234.0), Some(1.234), Ambiguous),
        ("48,421", Some(48_421.0), Some(48.421), Ambiguous),
        ("1.234", Some(1.234), Some(1234.0), Ambiguous),
        ("-123.456", Some(-123.456), Some(-123_456.0), Ambiguous),
    ]);
}

#[test]
fn thousands_may_be_parted_by_blanks_and_apostrophes() {
    use Evidence::{Comma, None as Nothing, Point};
    check(&[
        ("1 234 567", Some(1_234_567.0), Some(1_234_567.0), Nothing),
        ("1\u{a0}234,5", None, Some(1234.5), Comma),
        ("1\u{202f}234.567", Some(1234.567), None, Point),
        ("1\u{2009}234,567", None, Some(1234.567), Comma),
        ("1'234.50", Some(1234.5), None, Point),
        ("1’234’567,25", None, Some(1_234_567.25), Comma),
        ("12 34", None, None, Nothing),
        ("1 234'567", None, None, Nothing),
    ]);
}

#[test]
fn broken_groups_are_unreadable_in_either_convention() {
    for text in [
        "12,34,5",
        "1,2345,678",
        "1,234.567,8",
        "1.23.456",
        "1,,234",
        "0,123,456",
        "1234,567,890",
        "1,234,56",
        "1.2.3",
        "12,34.5",
        "1,234e5.",
        "1 2 3",
        "1..5",
    ] {
        for decimal in [Decimal::Point, Decimal::Comma] {
            assert_eq!(parse(text.as_bytes(), decimal), (Parsed::Unreadable, Evidence::None), "{text:?}");
        }
    }
}

#[test]
fn signs_parentheses_and_exponents_are_read() {
    for (text, expected) in [
        ("-5.25", -5.25),
        ("+5.25", 5.25),
        ("5.25-", -5.25),
        ("- 5.25", -5.25),
        ("−5.25", -5.25),
        ("–5.25", -5.25),
        ("(5.25)", -5.25),
        ("( 1,234.50 )", -1234.5),
        ("($5.25)", -5.25),
        ("$(5.25)", -5.25),
        ("-$5.25", -5.25),
        ("$-5.25", -5.25),
        ("(5.25)%", -0.0525),
        ("1.5e-05", 1.5e-5),
        ("1.234E+05", 123_400.0),
        ("-1.5E3", -1500.0),
        ("5e0", 5.0),
        ("0e999", 0.0),
        ("-0", 0.0),
    ] {
        assert_eq!(value(text, Decimal::Point), Some(expected), "{text:?}");
    }
    assert!(value("-0.0", Decimal::Point).is_some_and(f64::is_sign_positive));
    assert_eq!(value("1,23E+05", Decimal::Comma), Some(123_000.0));
    assert_eq!(parse(b"1.234E+05", Decimal::Comma), (Parsed::Unreadable, Evidence::Point));
}

#[test]
fn a_percent_sign_divides_by_a_hundred_and_rounds_once() {
    for text in ["45.95%", "45.95 %", "%45.95", "45.95\u{a0}%", "45.95％"] {
        let (parsed, evidence) = parse(text.as_bytes(), Decimal::Point);
        let expected = Number { value: 0.4595, percent: true, currency: None };
        assert_eq!((parsed, evidence), (Parsed::Number(expected), Evidence::Point), "{text:?}");
    }
    assert_eq!(value("12,3 %", Decimal::Comma), Some(0.123));
    assert_eq!(value("100%", Decimal::Point), Some(1.0));
}

#[test]
fn currencies_are_named_before_and_after_the_amount() {
    for (text, name) in [
        ("$1,234.50", "$"),
        ("1,234.50 $", "$"),
        ("US$1,234.50", "USD"),
        ("USD 1,234.50", "USD"),
        ("1,234.50usd", "USD"),
        ("€1,234.50", "EUR"),
        ("1,234.50 EUR", "EUR"),
        ("£1,234.50", "GBP"),
        ("¥1,234.50", "¥"),
        ("₹1,234.50", "INR"),
        ("Rs. 1,234.50", "Rs"),
        ("R$ 1,234.50", "BRL"),
        ("1,234.50 kr.", "kr"),
        ("kr 1,234.50", "kr"),
        ("1,234.50 zł", "PLN"),
        ("1,234.50 Kč", "CZK"),
        ("1,234.50 руб.", "RUB"),
        ("A$1,234.50", "AUD"),
        ("CHF 1'234.50", "CHF"),
        ("+1,234.50 ₽", "RUB"),
    ] {
        let Parsed::Number(number) = parse(text.as_bytes(), Decimal::Point).0 else { panic!("{text:?}") };
        assert_eq!((number.value, number.currency.map(Currency::name)), (1234.5, Some(name)), "{text:?}");
    }
    assert_eq!(value("$.50", Decimal::Point), Some(0.5));
    assert_eq!(value("5.USD", Decimal::Point), Some(5.0));
    assert_eq!(value("12,50 €", Decimal::Comma), Some(12.5));
    for text in ["$5 USD", "$5%", "ABC 5", "5 apples", "USD", "%", "$", "$.", "5.-", "kr"] {
        assert_eq!(parse(text.as_bytes(), Decimal::Point).0, Parsed::Unreadable, "{text:?}");
    }
}

#[test]
fn every_code_and_sign_names_a_currency() {
    for code in ["AED", "EUR", "RSD", "SAR", "ZWG", "RWF"] {
        assert_eq!(Currency::of(code.as_bytes()).map(Currency::name), Some(code));
    }
    for sign in ["€", "£", "¥", "₹", "₽", "₺", "₩", "₫", "₪", "₴", "₦", "₱", "₡", "฿"]
    {
        let text = format!("{sign}5");
        assert!(value(&text, Decimal::Point).is_some(), "{sign}");
    }
}

#[test]
fn spreadsheet_ways_to_keep_text_are_undone() {
    for text in
        ["=\"5813\"", "='5813", "'5813", "=5813", "\"5813\"", "='5813'", " =\"5813\" ", "=\" 5,813 \""]
    {
        assert_eq!(value(text, Decimal::Point), Some(5813.0), "{text:?}");
    }
    assert_eq!(value("'-5.2", Decimal::Point), Some(-5.2));
    assert_eq!(value("=\"12.5%\"", Decimal::Point), Some(0.125));
}

#[test]
fn padding_of_any_kind_is_passed_over() {
    for text in [
        " 5813 ",
        "\t5813\t",
        "\u{a0}5813\u{a0}",
        "\u{feff}5813",
        "\u{200b}5813\u{200b}",
        "\u{200e}5813",
        "\u{0}005813\u{0}",
        "\r5813\u{b}",
        "5\u{0}8\u{0}1\u{0}3\u{0}",
    ] {
        assert_eq!(value(text, Decimal::Point), Some(5813.0), "{text:?}");
    }
    let padded = format!("{}5813{}", " ".repeat(200), " ".repeat(200));
    assert_eq!(value(&padded, Decimal::Point), Some(5813.0));
}

#[test]
fn windows_1252_bytes_are_understood() {
    let cases: [(&[u8], Decimal, f64); 6] = [
        (b"1\xA0234,5", Decimal::Comma, 1234.5),
        (b"\x805.25", Decimal::Point, 5.25),
        (b"12,50 \x80", Decimal::Comma, 12.5),
        (b"\xA35.25", Decimal::Point, 5.25),
        (b"\x965.25", Decimal::Point, -5.25),
        (b"1\x92234.5", Decimal::Point, 1234.5),
    ];
    for (cell, decimal, expected) in cases {
        let Parsed::Number(number) = parse(cell, decimal).0 else { panic!("{cell:?}") };
        assert_eq!(number.value, expected, "{cell:?}");
    }
    assert_eq!(parse(b"\x97", Decimal::Point).0, Parsed::Missing);
}

#[test]
fn digits_of_other_scripts_are_digits() {
    assert_eq!(value("１，２３４．５", Decimal::Point), Some(1234.5));
    assert_eq!(value("٥٨١٣", Decimal::Point), Some(5813.0));
    assert_eq!(value("۵۸۱۳٪", Decimal::Point), Some(58.13));
    assert_eq!(value("५८१३", Decimal::Point), Some(5813.0));
}

#[test]
fn words_for_nothing_are_missing() {
    for text in [
        "",
        " ",
        "-",
        "--",
        "---",
        "–",
        "—",
        "- -",
        "n/a",
        "N/A",
        "na",
        "NA",
        "#N/A",
        "null",
        "NULL",
        "none",
        "NaN",
        "nan",
        "-nan",
        "NaN%",
        "nil",
        "(blank)",
        "#DIV/0!",
        "#REF!",
        "#VALUE!",
        "#NAME?",
        "#NUM!",
        "#NULL!",
        ".",
        "<NA>",
        "\\N",
        "$ -",
        "€ –",
        "-%",
        "-- ",
        "\u{a0}",
        "\u{200b}",
        "=\"\"",
        "'",
        "(not set)",
        "undefined",
    ] {
        for decimal in [Decimal::Point, Decimal::Comma] {
            assert_eq!(parse(text.as_bytes(), decimal), (Parsed::Missing, Evidence::None), "{text:?}");
        }
    }
    for text in ["0", "total", "#####", "#1", "x", "5"] {
        assert!(!is_missing(text.as_bytes()), "{text:?}");
    }
}

#[test]
fn what_is_no_figure_is_unreadable_and_never_zero() {
    let long = "9".repeat(100);
    for text in [
        "inf",
        "-Infinity",
        "∞",
        "1e16",
        "1000000000000001",
        "123456789012345678901234567890",
        "1e999",
        "abc",
        "1.2K",
        "3M",
        "<1",
        "2025-01-12",
        "01/12/2025",
        "10:30",
        "true",
        "5 - 6",
        "--5",
        "+-5",
        "-5-",
        "(5",
        "5)",
        "(-5)",
        "((5))",
        "5%%",
        "1e",
        "e5",
        "1e5.5",
        "0x10",
        "1_000",
        "#####",
        "#1",
        "½",
        "²",
        &long,
    ] {
        assert_eq!(parse(text.as_bytes(), Decimal::Point).0, Parsed::Unreadable, "{text:?}");
    }
    assert_eq!(value("1000000000000000", Decimal::Point), Some(1e15));
}

/// Digits before the separator in threes.
fn grouped(digits: &str, separator: &str) -> String {
    let bytes: Vec<char> = digits.chars().collect();
    bytes.rchunks(3).rev().map(String::from_iter).collect::<Vec<_>>().join(separator)
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic_and_the_evidence_is_the_same_in_both_conventions(
        cell in prop::collection::vec(any::<u8>(), 0..80)
    ) {
        prop_assert_eq!(parse(&cell, Decimal::Point).1, parse(&cell, Decimal::Comma).1);
    }

    #[test]
    fn texts_made_of_what_numbers_are_made_of_agree_between_conventions(
        text in r#"[-+($ ='"]{0,3}[0-9., ']{0,12}([eE][-+]?[0-9]{1,3})?[-)%€ kr.]{0,3}"#
    ) {
        let (point, evidence) = parse(text.as_bytes(), Decimal::Point);
        let (comma, other) = parse(text.as_bytes(), Decimal::Comma);
        prop_assert_eq!(evidence, other);
        match evidence {
            Evidence::None => prop_assert_eq!(point, comma),
            Evidence::Point => prop_assert_eq!(comma, Parsed::Unreadable),
            Evidence::Comma => prop_assert_eq!(point, Parsed::Unreadable),
            Evidence::Ambiguous => prop_assert_ne!(point, comma),
        }
    }

    #[test]
    fn the_short_ways_for_usual_cells_say_what_the_long_way_says(
        text in r"-?\$?[0-9]{0,4}([.,' ][0-9]{2,3}){0,3}[.,]?[0-9]{0,17}(e[0-9])?%?", comma in any::<bool>()
    ) {
        let decimal = if comma { Decimal::Comma } else { Decimal::Point };
        // Padding that is no ASCII takes every cell the long way.
        let padded = format!("\u{a0}{text}\u{a0}");
        prop_assert_eq!(parse(text.as_bytes(), decimal), parse(padded.as_bytes(), decimal));
    }

    #[test]
    fn what_is_written_in_any_style_is_read_back_exactly(
        whole in 0_u64..=999_999_999_999_999, cents in prop::option::of("[0-9]{1,9}"),
        negative in any::<bool>(), style in 0_usize..6
    ) {
        let (decimal, group, separator) = [
            (Decimal::Point, "", "."), (Decimal::Point, ",", "."), (Decimal::Point, "'", "."),
            (Decimal::Comma, "", ","), (Decimal::Comma, ".", ","), (Decimal::Comma, "\u{a0}", ","),
        ][style];
        let sign = if negative { "-" } else { "" };
        let digits = whole.to_string();
        let fraction = cents.unwrap_or_default();
        let plain = if fraction.is_empty() { digits.clone() } else { format!("{digits}.{fraction}") };
        let tail = if fraction.is_empty() { String::new() } else { format!("{separator}{fraction}") };
        let text = format!("{sign}{}{tail}", grouped(&digits, group));
        let truth: f64 = plain.parse().unwrap();
        let truth = if negative && truth != 0.0 { -truth } else { truth };
        prop_assert_eq!(value(&text, decimal), Some(truth), "{}", text);
    }

    #[test]
    fn shortest_and_scientific_spellings_of_doubles_are_read_back_exactly(number in -1e15..1e15_f64) {
        prop_assert_eq!(value(&number.to_string(), Decimal::Point), Some(number));
        prop_assert_eq!(value(&format!("{number:e}"), Decimal::Point), Some(number));
        let comma = number.to_string().replace('.', ",");
        let expected = if comma.contains(',') && parse(comma.as_bytes(), Decimal::Comma).1 == Evidence::None {
            None
        } else {
            Some(number)
        };
        prop_assert_eq!(value(&comma, Decimal::Comma), expected);
    }

    #[test]
    fn percent_is_the_double_nearest_to_the_written_share(basis_points in 0_u32..2_000_000) {
        let text = format!("{}.{:02}%", basis_points / 100, basis_points % 100);
        prop_assert_eq!(value(&text, Decimal::Point), Some(f64::from(basis_points) / 10_000.0));
    }
}

proptest! {
    #[test]
    fn short_cells_read_side_by_side_read_as_one_by_one(
        before in "[0-9.,\"]{8}", cells in prop::collection::vec("[0-9]{0,4}[0-9.,:/ -]{0,2}[0-9]{0,4}", 0..20)
    ) {
        let is_short = |cell: &String| (1..=8).contains(&cell.len());
        let word = |cell: &String| {
            let text = before.clone() + cell;
            u64::from_le_bytes(*text.as_bytes().last_chunk().expect("eight bytes at least"))
        };
        let words: Vec<u64> = cells.iter().map(word).collect();
        let lens: Vec<u64> = cells.iter().map(|cell| if is_short(cell) { cell.len() as u64 } else { 0 }).collect();
        for decimal in [Decimal::Point, Decimal::Comma] {
            let mut values = vec![0.0; cells.len()];
            let forms = short::read(&words, &lens, decimal, &mut values);
            let mut evidence = [0; 4];
            for (cell, value) in cells.iter().zip(values) {
                let expected = plain(cell.as_bytes(), decimal).filter(|_| is_short(cell));
                prop_assert_eq!(expected.map(|(value, _)| value), (!value.is_nan()).then_some(value), "{:?}", cell);
                if let Some((_, form)) = expected {
                    evidence[form as usize] += 1;
                }
            }
            prop_assert_eq!(forms.evidence(decimal), evidence);
        }
    }
}
