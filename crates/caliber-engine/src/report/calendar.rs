//! Day numbers to days of the calendar.

use super::cell::Day;

/// Days from 1899-12-30 to 1970-01-01.
const DAYS_1899_TO_1970: i64 = 25_569;
/// Days from 1904-01-01 to 1970-01-01.
const DAYS_1904_TO_1970: i64 = 24_107;

/// The day that lies `days` after 1970-01-01 in the proleptic Gregorian calendar, for the years -9999..=9999.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
pub(super) fn day_since_1970(days: i64) -> Option<Day> {
    if days.abs() > 4_400_000 {
        return None;
    }
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (-9999..=9999).contains(&year).then_some(Day { year: year as i32, month: month as u8, day: day as u8 })
}

/// The day of a spreadsheet's serial number, counted from 1900 (with its 29 February that never was) or from
/// 1904. `None` for times of day and numbers beyond the year 9999, which stay numbers.
pub(super) fn day_of_serial(serial: f64, from_1904: bool) -> Option<Day> {
    if !(1.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let whole = serial as i64;
    let since_1970 = match (from_1904, whole) {
        (true, _) => whole - DAYS_1904_TO_1970,
        // Below the invented 1900-02-29 the count is one short.
        (false, ..60) => whole + 1 - DAYS_1899_TO_1970,
        (false, _) => whole - DAYS_1899_TO_1970,
    };
    day_since_1970(since_1970)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u8, day: u8) -> Day {
        Day { year, month, day }
    }

    #[test]
    fn day_numbers_land_on_the_days_that_calendars_agree_on() {
        // Known values: the Unix epoch, a leap day, the last day Excel knows (2,958,465).
        assert_eq!(day_since_1970(0), Some(day(1970, 1, 1)));
        assert_eq!(day_since_1970(-1), Some(day(1969, 12, 31)));
        assert_eq!(day_since_1970(19_782), Some(day(2024, 2, 29)));
        assert_eq!(day_of_serial(45_943.541, false), Some(day(2025, 10, 13)));
        assert_eq!(day_of_serial(1.0, false), Some(day(1900, 1, 1)));
        assert_eq!(day_of_serial(59.0, false), Some(day(1900, 2, 28)));
        assert_eq!(day_of_serial(61.0, false), Some(day(1900, 3, 1)));
        assert_eq!(day_of_serial(2_958_465.0, false), Some(day(9999, 12, 31)));
        assert_eq!(day_of_serial(44_481.0, true), Some(day(2025, 10, 13)));
    }

    #[test]
    fn times_of_day_and_numbers_no_calendar_holds_are_no_days() {
        for serial in [0.25, -3.0, 2_958_466.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(day_of_serial(serial, false), None, "{serial}");
        }
        assert_eq!(day_since_1970(i64::MAX), None);
        assert_eq!(day_since_1970(i64::MIN + 1), None);
    }
}
