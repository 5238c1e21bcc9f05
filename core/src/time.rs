//! ISO 8601 dates and times to microseconds since 1970 and back, in the proleptic Gregorian calendar.
//!
//! Pure arithmetic: no clock, no time zone database. A time without an offset is UTC; a date is its midnight.

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats.
const ERA_DAYS: i64 = 146_097;

/// The microseconds since 1970-01-01T00:00:00Z of `text`: `2024-05-01`, `2024-05-01T12:30`, `2024-05-01
/// 12:30:15.250`, each time optionally with `Z`, `+02`, `+02:00` or `+0200`. `None` for anything else.
///
/// Years have four digits, or a sign and six. Fractions beyond microseconds are cut. Leap seconds are refused.
pub fn parse_time(text: &str) -> Option<i64> {
    let mut cursor = Cursor(text.as_bytes());
    let days = cursor.date()?;
    if cursor.0.is_empty() {
        return micros(days, 0, 0);
    }
    cursor.one_of(b"Tt ")?;
    let (seconds, fraction) = cursor.time_of_day()?;
    let offset = cursor.offset()?;
    if cursor.0.is_empty() { micros(days, seconds - offset, fraction) } else { None }
}

/// `micros` since 1970 as ISO 8601 in UTC, `2024-05-01T12:30:15Z`, with six decimals when there is a fraction of a
/// second. [`parse_time`] reads it back, for every `i64`.
pub fn format_time(micros: i64) -> String {
    let (seconds, fraction) = (micros.div_euclid(MICROS_PER_SECOND), micros.rem_euclid(MICROS_PER_SECOND));
    let (days, second) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
    let (year, month, day) = civil(days);
    let year = if (0..=9999).contains(&year) { format!("{year:04}") } else { format!("{year:+07}") };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

fn micros(days: i64, seconds: i64, fraction: i64) -> Option<i64> {
    // Added before it is narrowed: the first second of the range only fits together with its fraction.
    let seconds = days * SECONDS_PER_DAY + seconds;
    i64::try_from(i128::from(seconds) * i128::from(MICROS_PER_SECOND) + i128::from(fraction)).ok()
}

/// The bytes not read yet.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        bytes.contains(&first).then_some(first)
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = self.0.get(1..).unwrap_or_default();
        }
        found
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
        })
    }

    /// The days since 1970 of `YYYY-MM-DD`.
    fn date(&mut self) -> Option<i64> {
        let year = match self.0.first()? {
            b'+' | b'-' => {
                let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
                sign * self.digits(6)?
            }
            _ => self.digits(4)?,
        };
        self.one_of(b"-")?;
        let month = self.digits(2)?;
        self.one_of(b"-")?;
        let day = self.digits(2)?;
        let days = days_since_epoch(year, month, day);
        // A date that does not come back is not in the calendar: 30 February, month 13.
        (civil(days) == (year, month, day)).then_some(days)
    }

    /// Seconds since midnight and microseconds of `hh:mm[:ss[.fraction]]`.
    fn time_of_day(&mut self) -> Option<(i64, i64)> {
        let hour = self.digits(2)?;
        self.one_of(b":")?;
        let minute = self.digits(2)?;
        let (mut second, mut fraction) = (0, 0);
        if self.take(b':') {
            second = self.digits(2)?;
            if self.take(b'.') {
                fraction = self.fraction()?;
            }
        }
        (hour < 24 && minute < 60 && second < 60).then_some((hour * 3600 + minute * 60 + second, fraction))
    }

    /// Microseconds of one to nine decimals.
    fn fraction(&mut self) -> Option<i64> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&count) {
            return None;
        }
        let digits = self.digits(count)?;
        Some(digits * 10_i64.pow(9 - count as u32) / 1000)
    }

    /// The seconds east of Greenwich of `Z`, `+hh`, `+hh:mm`, `+hhmm` or nothing.
    fn offset(&mut self) -> Option<i64> {
        if self.0.is_empty() || self.take(b'Z') || self.take(b'z') {
            return Some(0);
        }
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hour = self.digits(2)?;
        let minute = if self.take(b':') || !self.0.is_empty() { self.digits(2)? } else { 0 };
        (hour < 24 && minute < 60).then_some(sign * (hour * 3600 + minute * 60))
    }
}

/// Days since 1970-01-01. Years are counted from March, so that the leap day is the last of its year; after Howard
/// Hinnant, "chrono-compatible low-level date algorithms".
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH_DAYS
}

/// Year, month and day of a day since 1970-01-01. The inverse of [`days_since_epoch`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS;
    let (era, day) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants_are_read() {
        for (text, expected) in [
            ("1970-01-01", 0),
            ("1970-01-01T00:00:00.000001Z", 1),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2024-02-29T12:30:15.25+02:00", 1_709_202_615_250_000),
            ("2024-02-29t10:30:15.25z", 1_709_202_615_250_000),
            ("2024-02-29 10:30:15.250999999", 1_709_202_615_250_999),
            ("2024-02-29 05:00:15.25-0530", 1_709_202_615_250_000),
            ("2024-02-29T12:30+02", 1_709_202_600_000_000),
            ("0000-01-01", -62_167_219_200_000_000),
        ] {
            assert_eq!(parse_time(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn impossible_instants_are_refused() {
        for text in [
            "",
            "2024",
            "2024-05",
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-04-31",
            "24-05-01",
            "2024-5-1",
            "2024-05-01T",
            "2024-05-01T24:00",
            "2024-05-01T12:60",
            "2024-05-01T12:00:60",
            "2024-05-01T12:00:00.",
            "2024-05-01T12:00:00.1234567890",
            "2024-05-01T12:00Zx",
            "2024-05-01T12:00+2",
            "2024-05-01x12:00",
            "+999999-01-01",
            "2024-05-01T12:00+24:00",
            "héllo",
            "２０２４-05-01",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn every_instant_comes_back() {
        let mut micros = i64::MIN;
        for step in 0..20_000 {
            assert_eq!(parse_time(&format_time(micros)), Some(micros), "{}", format_time(micros));
            micros = micros.wrapping_add(0x0003_243f_6a88_85a3_i64.wrapping_mul(step));
        }
        for micros in [i64::MIN, -1, 0, 1, i64::MAX] {
            assert_eq!(parse_time(&format_time(micros)), Some(micros));
        }
    }
}
