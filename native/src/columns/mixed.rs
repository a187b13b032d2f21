//! Which column holds a number beside the numbers that it has: none of them may lose a digit.
//!
//! Whole numbers of 64 bits stay whole, floats that are whole among them. Beside other floats they
//! are floats if each of them is one exactly, else decimals if all fit into 38 digits, else text.

use crate::columns::data::{Data, Type};
use crate::columns::digits::{DECIMAL_DIGITS, Digits, POWERS};
use crate::columns::number::Number;

/// Every whole number up to this one is a float.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// A number's exact value, by the type of column that holds it.
#[derive(Debug, Clone, Copy)]
pub enum Exact {
    Int(i64),
    Float(f64),
    /// Digits, and how many of them are behind the point: as few as the value needs.
    Decimal(i128, u8),
    /// What has more digits than a decimal, and is no float.
    Text,
}

impl Exact {
    /// `source` is the number's text.
    pub fn new(number: Number, source: &[u8]) -> Self {
        match number {
            Number::Int(value) => Exact::Int(value),
            Number::Float(value) => Exact::Float(value),
            Number::Long => Digits::parse(source)
                .decimal()
                .map_or(Exact::Text, |(value, scale)| Exact::Decimal(value, scale)),
        }
    }

    /// The type of a column that has no other number.
    pub fn kind(self) -> Type {
        match self {
            Exact::Int(_) => Type::Int,
            Exact::Float(_) => Type::Float,
            Exact::Decimal(..) => Type::Decimal,
            Exact::Text => Type::Digits,
        }
    }
}

/// What becomes of a column of numbers.
pub enum Room {
    /// It holds the number as it is.
    Stays,
    Wider(Data),
    /// It becomes text.
    Digits,
}

/// What the column becomes depends on its numbers, not on their order. `has_float` remembers that a
/// column of floats must not become one of whole numbers.
pub fn find_room(data: &Data, number: Exact, has_float: &mut bool) -> Room {
    match (data, number) {
        (Data::Int(values), Exact::Float(value)) if find_int(value).is_none() => {
            *has_float = true;
            match values.iter().all(|value| is_float(*value)) {
                true => Room::Wider(floats(values)),
                false => as_decimals(data, number),
            }
        }
        (Data::Int(_), Exact::Float(_)) => Room::Stays,
        (Data::Float(values), Exact::Int(value)) => match find_ints(values, has_float) {
            Some(ints) => Room::Wider(Data::Int(ints)),
            None if is_float(value) => Room::Stays,
            None => as_decimals(data, number),
        },
        _ => as_decimals(data, number),
    }
}

fn find_ints(values: &[f64], has_float: &mut bool) -> Option<Vec<i64>> {
    *has_float = *has_float || values.iter().any(|value| find_int(*value).is_none());
    if *has_float { None } else { values.iter().map(|value| find_int(*value)).collect() }
}

/// The number as a decimal: digits, and how many of them are behind the point.
pub fn decimal(number: Exact) -> Option<(i128, u8)> {
    match number {
        Exact::Int(value) => Some((i128::from(value), 0)),
        Exact::Decimal(value, scale) => Some((value, scale)),
        Exact::Float(value) if value.is_finite() => Digits::of_float(value).decimal(),
        Exact::Float(_) | Exact::Text => None,
    }
}

/// The same decimal with more digits behind the point, while there are 38 at most.
pub fn rescale((value, scale): (i128, u8), wanted: u8) -> Option<i128> {
    let power = POWERS[usize::from(wanted.checked_sub(scale)?)];
    let limit = POWERS[DECIMAL_DIGITS];
    value.checked_mul(power as i128).filter(|value| value.unsigned_abs() < limit)
}

/// A float that is a whole number of 64 bits. Above 2^53 that is what its shortest text says, which
/// is what a source wrote and readers see.
pub fn find_int(value: f64) -> Option<i64> {
    if value.fract() != 0.0 {
        return None;
    }
    if value.abs() <= WHOLE_MAX {
        return Some(value as i64);
    }
    let (whole, scale) = decimal(Exact::Float(value))?;
    i64::try_from(whole).ok().filter(|_| scale == 0)
}

/// Whether readers of the float see this number.
fn is_float(value: i64) -> bool {
    value.unsigned_abs() <= WHOLE_MAX as u64 || find_int(value as f64) == Some(value)
}

fn floats(values: &[i64]) -> Data {
    Data::Float(values.iter().map(|value| *value as f64).collect())
}

fn as_decimals(data: &Data, number: Exact) -> Room {
    let Some(next) = decimal(number) else { return Room::Digits };
    if let Data::Decimal(_, scale) = data
        && *scale >= next.1
    {
        return rescale(next, *scale).map_or(Room::Digits, |_| Room::Stays);
    }
    match widen(data, next) {
        Some(wide) => Room::Wider(wide),
        None => Room::Digits,
    }
}

fn widen(data: &Data, next: (i128, u8)) -> Option<Data> {
    let values: Vec<(i128, u8)> = match data {
        Data::Int(values) => values.iter().map(|value| (i128::from(*value), 0)).collect(),
        Data::Decimal(values, scale) => values.iter().map(|value| (*value, *scale)).collect(),
        Data::Float(values) => {
            values.iter().map(|value| decimal(Exact::Float(*value))).collect::<Option<_>>()?
        }
        _ => return None,
    };
    let scale = values.iter().fold(next.1, |most, (_, scale)| most.max(*scale));
    rescale(next, scale)?;
    let wide: Option<_> = values.into_iter().map(|value| rescale(value, scale)).collect();
    wide.map(|values| Data::Decimal(values, scale))
}
