//! What a JSON number is worth: the narrowest of int64, a decimal of 38 digits, float64, or only
//! its text.

use crate::data::Type;

/// A number's value, by the type of column that holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Int(i64),
    Decimal(i128),
    Float(f64),
    /// An integer of more than 38 digits, or a float beyond float64's range.
    Text,
}

impl Number {
    /// The narrowest type of column that holds this number.
    pub fn kind(self) -> Type {
        match self {
            Number::Int(_) => Type::Int,
            Number::Decimal(_) => Type::Decimal,
            Number::Float(_) => Type::Float,
            Number::Text => Type::Text,
        }
    }
}

/// The powers of ten that a float64 holds exactly.
const EXACT: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
const DECIMAL_DIGITS: usize = 38;

/// `digits` is the count of `text` without a sign; `magnitude` is their value where `digits` is at
/// most 19.
#[inline(always)]
pub fn integer(text: &[u8], negative: bool, digits: usize, magnitude: u64) -> Number {
    if digits <= 18 {
        let value = magnitude as i64;
        return Number::Int(if negative { -value } else { value });
    }
    long_integer(text, digits)
}

#[cold]
fn long_integer(text: &[u8], digits: usize) -> Number {
    if digits > DECIMAL_DIGITS {
        return Number::Text;
    }
    match parse::<i128>(text) {
        Some(value) => i64::try_from(value).map_or(Number::Decimal(value), Number::Int),
        None => Number::Text,
    }
}

/// `mantissa` is the value of all `digits` digits, where they are at most 19, and `exponent` moves
/// its point.
#[inline(always)]
pub fn float(text: &[u8], negative: bool, digits: usize, mantissa: u64, exponent: i64) -> Number {
    // Both operands are exact, so that the one rounding of the operation is the right one.
    if digits <= 19 && mantissa <= 1 << 53 && exponent.unsigned_abs() <= 22 {
        let power = EXACT[exponent.unsigned_abs() as usize];
        let value = if exponent < 0 { mantissa as f64 / power } else { mantissa as f64 * power };
        return Number::Float(if negative { -value } else { value });
    }
    slow_float(text)
}

#[cold]
fn slow_float(text: &[u8]) -> Number {
    match parse::<f64>(text) {
        Some(value) if value.is_finite() => Number::Float(value),
        _ => Number::Text,
    }
}

fn parse<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::Cursor;

    #[test]
    fn floats_are_rounded_as_the_exact_parser_does() {
        let mut state = 7u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let digits = state >> (state % 60);
            let point = (state >> 8) % 24;
            let exponent = (state >> 16) as i64 % 30 - 15;
            let text =
                format!("{}.{:0width$}e{exponent}", digits, point, width = point as usize + 1);
            let wanted: f64 = text.parse().unwrap_or(f64::NAN);
            let found = Cursor::new(text.as_bytes()).number();
            assert_eq!(found, Ok(Number::Float(wanted)), "{text}");
        }
    }
}
