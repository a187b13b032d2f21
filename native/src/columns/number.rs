//! What a JSON number is worth: int64, a float64 that holds it, or more digits than these have.
//!
//! A float holds a number if, written with as many digits as the source gave, it is that number
//! again: what readers see can be turned back into what the source wrote. Numbers of more than 17
//! digits are held only where they are the float's exact value.

use crate::columns::digits::{Digits, POWERS};

/// A number's value, as far as a machine word has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Int(i64),
    /// Any number that a float holds, also NaN and the infinities.
    Float(f64),
    /// What only its text tells.
    Long,
}

/// The powers of ten that a float64 holds exactly.
const EXACT: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
/// Every number of so many digits is held by the float that is nearest to it.
const SAFE_DIGITS: usize = 15;
const SAFE: u64 = 1_000_000_000_000_000;
/// No two floats are the same in so many digits.
const FLOAT_DIGITS: usize = 17;
/// The digits of the longest exact value of a float, and a few more.
const LONGEST: usize = 800;

/// `digits` is the count of `text` without a sign; `magnitude` is their value where `digits` is at
/// most 19.
#[inline(always)]
pub fn integer(text: &[u8], negative: bool, digits: usize, magnitude: u64) -> Number {
    if digits <= 18 {
        let value = magnitude as i64;
        return Number::Int(if negative { -value } else { value });
    }
    long_integer(text)
}

#[cold]
fn long_integer(text: &[u8]) -> Number {
    parse::<i64>(text).map_or(Number::Long, Number::Int)
}

/// `mantissa` is the value of all `digits` digits, where they are at most 19, and `exponent` moves
/// its point.
#[inline(always)]
pub fn float(text: &[u8], negative: bool, digits: usize, mantissa: u64, exponent: i64) -> Number {
    // Both operands are exact, so that the one rounding of the operation is the right one.
    if digits <= 19 && mantissa < SAFE && exponent.unsigned_abs() <= 22 {
        let power = EXACT[exponent.unsigned_abs() as usize];
        let value = if exponent < 0 { mantissa as f64 / power } else { mantissa as f64 * power };
        return Number::Float(if negative { -value } else { value });
    }
    slow_float(text, negative, digits, mantissa, exponent)
}

#[inline(never)]
fn slow_float(text: &[u8], negative: bool, digits: usize, mantissa: u64, exponent: i64) -> Number {
    let near = if digits <= 19 { find_near(mantissa, exponent) } else { None };
    match near {
        Some((value, true)) => Number::Float(if negative { -value } else { value }),
        // Zeros at the end are no digits that have to be held.
        Some((_, false)) if !mantissa.is_multiple_of(10) => exact(text),
        _ => long_float(text),
    }
}

/// The float nearest to a number of 16 or 17 digits, and whether it holds the number: their
/// distance is less than half of the number's last digit. None where 128 bits do not tell.
#[inline(always)]
fn find_near(mantissa: u64, exponent: i64) -> Option<(f64, bool)> {
    const BITS: u32 = f64::MANTISSA_DIGITS - 1;
    const TOP: u64 = 1 << BITS;
    if !(SAFE..100 * SAFE).contains(&mantissa) || !(-22..=0).contains(&exponent) {
        return None;
    }
    let place = exponent.unsigned_abs() as usize;
    // At most one float beside the right one: each of two operations rounds once.
    let bits = (mantissa as f64 / EXACT[place]).to_bits();
    let shift = i64::from(f64::MAX_EXP) - 1 + i64::from(BITS) - (bits >> BITS) as i64;
    let own = bits & (TOP - 1) | TOP;
    let wanted = u128::from(mantissa);
    // The neighbours of a power of two are not as far on both sides.
    if own == TOP
        || own == 2 * TOP - 1
        || !(0..=70).contains(&shift)
        || i64::from(wanted.leading_zeros()) <= shift
    {
        return None;
    }
    let step = POWERS[place] as i128;
    let unit = 1i128 << shift;
    let mut distance = (wanted << shift) as i128 - i128::from(own) * step;
    let mut bits = bits;
    if 2 * distance > step {
        (bits, distance) = (bits + 1, distance - step);
    } else if 2 * distance < -step {
        (bits, distance) = (bits - 1, distance + step);
    }
    let double = 2 * distance.abs();
    if double >= step || double == unit {
        return None;
    }
    Some((f64::from_bits(bits), double < unit))
}

#[cold]
fn long_float(text: &[u8]) -> Number {
    let Some(value) = parse::<f64>(text).filter(|value| value.is_finite()) else {
        return exact(text);
    };
    let wanted = Digits::parse(text);
    let count = wanted.digits.len();
    let is_held = match count {
        0 => true,
        1..=SAFE_DIGITS if value.is_normal() => true,
        // Of two numbers that are as near, writers choose differently.
        _ => write(value, count) == wanted || Digits::of_float(value) == wanted,
    };
    if is_held && (count <= FLOAT_DIGITS || write(value, LONGEST) == wanted) {
        return Number::Float(value);
    }
    exact(text)
}

/// The float, rounded to so many digits.
fn write(value: f64, digits: usize) -> Digits {
    Digits::parse(format!("{value:.*e}", digits - 1).as_bytes())
}

/// A number that no float holds may be whole all the same.
#[cold]
fn exact(text: &[u8]) -> Number {
    match Digits::parse(text).decimal() {
        Some((value, 0)) => i64::try_from(value).map_or(Number::Long, Number::Int),
        _ => Number::Long,
    }
}

fn parse<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The same random numbers in each run.
    pub fn numbers() -> impl Iterator<Item = u64> {
        let mut state = 7u64;
        std::iter::from_fn(move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            Some(state)
        })
    }

    #[test]
    fn what_128_bits_tell_of_a_float_is_what_its_digits_tell() {
        let mut told = 0;
        for state in numbers().take(300_000) {
            let mantissa = (state >> 7) % (100 * SAFE);
            let text = format!("{mantissa}e-{}", state % 23);
            if let Some((found, is_held)) = find_near(mantissa, -((state % 23) as i64)) {
                told += 1;
                assert_eq!(Ok(found), text.parse(), "{text}");
                let wanted = Digits::parse(text.as_bytes());
                let holds = write(found, wanted.digits.len()) == wanted;
                // Zeros at the end are compared as well.
                assert!(is_held == holds || (holds && mantissa % 10 == 0), "{text}");
            }
        }
        assert!(told > 100_000);
    }
}
