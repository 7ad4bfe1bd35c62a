//! Sums of money: decimals with nine places, added without loss.

use std::fmt;

/// Places after the point.
const PLACES: usize = 9;
const UNIT: i128 = 1_000_000_000;

/// A decimal as so many thousand millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decimal(i128);

impl Decimal {
    /// A decimal from so many thousand millionths.
    pub(crate) fn from_nano(nano: i128) -> Decimal {
        Decimal(nano)
    }

    /// Reads `-?digits[.digits]`; places beyond the ninth are cut off. `None` if it is something else.
    pub(crate) fn parse(text: &str) -> Option<Decimal> {
        let (digits, is_negative) = match text.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 18 || !all_digits(whole) || !all_digits(places) {
            return None;
        }
        let mut nano: i128 = whole.parse::<i128>().ok()? * UNIT;
        let padded: String = places.chars().chain(std::iter::repeat('0')).take(PLACES).collect();
        nano += padded.parse::<i128>().ok()?;
        Some(Decimal(if is_negative { -nano } else { nano }))
    }

    pub(crate) fn add(&mut self, other: Decimal) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, nano) = if self.0 < 0 { ("-", -self.0) } else { ("", self.0) };
        let places = format!("{:09}", nano % UNIT);
        match places.trim_end_matches('0') {
            "" => write!(f, "{sign}{}", nano / UNIT),
            places => write!(f, "{sign}{}.{places}", nano / UNIT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact() {
        let mut sum = Decimal::default();
        for _ in 0..1000 {
            sum.add(Decimal::parse("0.0001").unwrap());
        }
        sum.add(Decimal::parse("-0.000000001").unwrap());
        assert_eq!(sum.to_string(), "0.099999999");
        assert_eq!(Decimal::parse("12.50").unwrap().to_string(), "12.5");
        assert_eq!(Decimal::parse("-3").unwrap().to_string(), "-3");
        for wrong in ["", ".5", "1e3", "1,5", "--1", "9999999999999999999"] {
            assert_eq!(Decimal::parse(wrong), None, "{wrong}");
        }
    }
}
