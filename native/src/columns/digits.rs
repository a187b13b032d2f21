//! The exact value of a number: its digits, and where the point is.

/// Digits of Arrow's decimal of 128 bits.
pub const DECIMAL_DIGITS: usize = 38;
/// The powers of ten up to one that decimals do not reach.
pub const POWERS: [u128; DECIMAL_DIGITS + 1] = {
    let mut powers = [1; DECIMAL_DIGITS + 1];
    let mut place = 1;
    while place < powers.len() {
        powers[place] = powers[place - 1] * 10;
        place += 1;
    }
    powers
};
/// Numbers with more digits than this, zeros at either end among them, are spelled with an exponent.
const PLAIN_DIGITS: i64 = 100;

/// `0.digits` is not meant: the value is the digits as a whole number, times ten to the exponent.
#[derive(Debug, PartialEq)]
pub struct Digits {
    pub negative: bool,
    /// Without zeros at either end; empty for zero, which has no sign and no exponent.
    pub digits: Vec<u8>,
    pub exponent: i64,
}

impl Digits {
    /// The value of a number's text, as JSON has it.
    pub fn parse(text: &[u8]) -> Self {
        let end = text.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(text.len());
        let point = text[..end].iter().position(|byte| *byte == b'.').unwrap_or(end);
        let mut exponent = -(end.saturating_sub(point + 1) as i64);
        if let Some(more) = text.get(end + 1..) {
            exponent = exponent.saturating_add(parse_exponent(more));
        }
        let digits = text[..end].iter().copied().filter(u8::is_ascii_digit).collect();
        Digits { negative: text.first() == Some(&b'-'), digits, exponent }.trimmed()
    }

    /// The value of a finite float, in the fewest digits that lead back to it.
    pub fn of_float(value: f64) -> Self {
        Self::parse(ryu::Buffer::new().format_finite(value).as_bytes())
    }

    pub fn of_decimal(value: i128, scale: u8) -> Self {
        let digits = value.unsigned_abs().to_string().into_bytes();
        Digits { negative: value < 0, digits, exponent: -i64::from(scale) }.trimmed()
    }

    fn trimmed(mut self) -> Self {
        let first = self.digits.iter().take_while(|digit| **digit == b'0').count();
        self.digits.drain(..first);
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
            self.exponent = self.exponent.saturating_add(1);
        }
        if self.digits.is_empty() {
            return Digits { negative: false, digits: Vec::new(), exponent: 0 };
        }
        self
    }

    /// The value as a decimal: its digits, and how many of them are behind the point; None where
    /// they are too many.
    pub fn decimal(&self) -> Option<(i128, u8)> {
        let scale = u8::try_from(-self.exponent.min(0)).ok()?;
        let zeros = usize::try_from(self.exponent.max(0)).ok()?;
        if usize::from(scale) > DECIMAL_DIGITS
            || self.digits.len().saturating_add(zeros) > DECIMAL_DIGITS
        {
            return None;
        }
        let mut value = 0i128;
        for digit in &self.digits {
            value = value * 10 + i128::from(digit - b'0');
        }
        value *= 10i128.pow(zeros as u32);
        Some((if self.negative { -value } else { value }, scale))
    }

    /// The one text of this value, whatever its source wrote: plain digits where they are not too
    /// many, a whole number without a point.
    pub fn spell(&self) -> String {
        let Digits { digits, exponent, .. } = self;
        let text = String::from_utf8_lossy(digits);
        let sign = if self.negative { "-" } else { "" };
        let count = digits.len() as i64;
        let room = PLAIN_DIGITS - count;
        if digits.is_empty() {
            "0".to_owned()
        } else if *exponent == 0 || (*exponent > 0 && *exponent <= room) {
            format!("{sign}{text}{}", "0".repeat(*exponent as usize))
        } else if *exponent < 0 && *exponent >= -PLAIN_DIGITS {
            let zeros = (1 - exponent - count).max(0) as usize;
            let all = format!("{}{text}", "0".repeat(zeros));
            let (whole, part) = all.split_at((all.len() as i64 + exponent) as usize);
            format!("{sign}{whole}.{part}")
        } else {
            let (first, rest) = text.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            format!("{sign}{first}{point}{rest}e{}", exponent.saturating_add(count - 1))
        }
    }
}

/// Long exponents are as good as endless.
fn parse_exponent(text: &[u8]) -> i64 {
    const ENDLESS: i64 = 1 << 40;
    let value = text
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .fold(0i64, |value, digit| (value * 10 + i64::from(digit - b'0')).min(ENDLESS));
    if text.first() == Some(&b'-') { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_one_spelling() {
        for (spelling, all) in [
            ("0", &["0", "-0", "0.0", "-0.0e7", "0e400"][..]),
            ("1", &["1", "1.0", "10e-1", "0.1e1"]),
            ("-2000", &["-2e3", "-2000.000"]),
            ("0.05", &["5e-2", "0.050", "0.5e-1"]),
            ("1.5e400", &["15e399", "1.5E+400", "0.15e401"]),
            ("1e-400", &["1e-400", "0.1E-399"]),
            ("12.25", &["12.25", "1225e-2"]),
        ] {
            for text in all {
                assert_eq!(Digits::parse(text.as_bytes()).spell(), spelling, "{text}");
            }
        }
    }

    #[test]
    fn decimals_have_38_digits() {
        let decimal = |text: &str| Digits::parse(text.as_bytes()).decimal();
        let most = 10i128.pow(38) - 1;
        assert_eq!(decimal(&"9".repeat(38)), Some((most, 0)));
        assert_eq!(decimal(&format!("-0.{}", "9".repeat(38))), Some((-most, 38)));
        assert_eq!(decimal("1e37"), Some((10i128.pow(37), 0)));
        assert_eq!(decimal("1e38"), None);
        assert_eq!(decimal("1e-38"), Some((1, 38)));
        assert_eq!(decimal("1e-39"), None);
        assert_eq!(decimal("1.50"), Some((15, 1)));
    }
}
