//! The values of one column, in the layout that Arrow wants, and how they become a wider type.
//!
//! `null < bool < text`, `null < numbers < text`, and `null < JSON < text`: text holds everything,
//! strings as they are and any other value as JSON spells it. Which numbers hold which others is told by their values, see `mixed`; what no type of
//! number holds is text of numbers only. A null has a place here too (zero, or an empty text); the column knows
//! which places are null.

use std::fmt::Write;

use crate::columns::bits::Bits;
use crate::columns::bytes::Bytes;
use crate::columns::digits::Digits;
use crate::failure::{Failure, Kind, Result};

/// What a value or a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    Null,
    Bool,
    Int,
    Float,
    Decimal,
    /// Text of numbers only, each number in one spelling.
    Digits,
    Text,
    Json,
}

impl Type {
    /// The narrowest type that holds both; of two numbers their values decide.
    pub fn join(self, other: Type) -> Type {
        match (self.min(other), self.max(other)) {
            (Type::Bool, Type::Int | Type::Float | Type::Decimal | Type::Digits) => Type::Text,
            (Type::Null, wider) => wider,
            (narrow, Type::Json) if narrow != Type::Json => Type::Text,
            (_, wider) => wider,
        }
    }
}

#[derive(Debug, Clone)]
pub enum Data {
    Null,
    Bool(Bits),
    Int(Vec<i64>),
    Float(Vec<f64>),
    /// Digits, and how many of them are behind the point.
    Decimal(Vec<i128>, u8),
    Digits(Text),
    Text(Text),
    Json(Text),
}

/// Texts end to end, and where each one ends; 32 bits of offset, as Arrow's plain string has.
#[derive(Debug, Clone)]
pub struct Text {
    pub bytes: Bytes,
    ends: Vec<i32>,
}

impl Text {
    pub fn with_room(rows: usize, bytes: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Text { bytes: Bytes::with_room(bytes), ends }
    }

    /// Ends the text that was written to `bytes`.
    #[inline(always)]
    pub fn end(&mut self) -> Result<()> {
        match i32::try_from(self.bytes.used()) {
            Ok(end) => {
                self.ends.push(end);
                Ok(())
            }
            Err(_) => Err(Failure::new(
                Kind::TooLarge,
                "a column of one batch holds more than 2 GiB of text",
            )),
        }
    }

    /// Ends an empty text.
    #[inline(always)]
    pub fn end_empty(&mut self) {
        self.ends.push(self.ends[self.ends.len() - 1]);
    }

    fn fill(&mut self, count: usize) {
        let end = self.ends[self.ends.len() - 1];
        self.ends.resize(count + 1, end);
    }

    fn truncate(&mut self, count: usize) {
        self.ends.truncate(count + 1);
        self.bytes.truncate(self.ends[self.ends.len() - 1] as usize);
    }

    pub fn get(&self, place: usize) -> &[u8] {
        &self.bytes.as_slice()[self.ends[place] as usize..self.ends[place + 1] as usize]
    }

    /// Offsets and bytes.
    pub fn into_parts(self) -> (Vec<i32>, Vec<u8>) {
        (self.ends, self.bytes.into_vec())
    }
}

impl Data {
    pub fn kind(&self) -> Type {
        match self {
            Data::Null => Type::Null,
            Data::Bool(_) => Type::Bool,
            Data::Int(_) => Type::Int,
            Data::Float(_) => Type::Float,
            Data::Decimal(..) => Type::Decimal,
            Data::Digits(_) => Type::Digits,
            Data::Text(_) => Type::Text,
            Data::Json(_) => Type::Json,
        }
    }

    /// No values yet, with room for as many.
    pub fn with_room(kind: Type, rows: usize, bytes: usize) -> Data {
        match kind {
            Type::Null => Data::Null,
            Type::Bool => Data::Bool(Bits::default()),
            Type::Int => Data::Int(Vec::with_capacity(rows)),
            Type::Float => Data::Float(Vec::with_capacity(rows)),
            Type::Decimal => Data::Decimal(Vec::with_capacity(rows), 0),
            Type::Digits => Data::Digits(Text::with_room(rows, bytes)),
            Type::Text => Data::Text(Text::with_room(rows, bytes)),
            Type::Json => Data::Json(Text::with_room(rows, bytes)),
        }
    }

    /// Places without a value up to `count`.
    pub fn fill(&mut self, count: usize) {
        match self {
            Data::Null | Data::Bool(_) => {}
            Data::Int(values) => values.resize(count, 0),
            Data::Decimal(values, _) => values.resize(count, 0),
            Data::Float(values) => values.resize(count, 0.0),
            Data::Digits(text) | Data::Text(text) | Data::Json(text) => text.fill(count),
        }
    }

    pub fn truncate(&mut self, count: usize) {
        match self {
            Data::Null => {}
            Data::Bool(bits) => bits.truncate(count),
            Data::Int(values) => values.truncate(count),
            Data::Decimal(values, _) => values.truncate(count),
            Data::Float(values) => values.truncate(count),
            Data::Digits(text) | Data::Text(text) | Data::Json(text) => text.truncate(count),
        }
    }

    /// The same `count` values as text, or as what has no value yet; `is_valid` says which places hold one.
    pub fn widened(
        &self,
        kind: Type,
        count: usize,
        is_valid: impl Fn(usize) -> bool,
    ) -> Result<Data> {
        let mut data = Data::with_room(kind, count, self.text_bytes());
        match (&mut data, self) {
            (Data::Digits(wide) | Data::Text(wide) | Data::Json(wide), _) => {
                self.write(wide, count, is_valid)?
            }
            (wide, _) => wide.fill(count),
        }
        Ok(data)
    }

    /// Bytes of text, or 0 where the values are no text.
    pub fn text_bytes(&self) -> usize {
        match self {
            Data::Digits(text) | Data::Text(text) | Data::Json(text) => text.bytes.used(),
            _ => 0,
        }
    }

    fn write(&self, wide: &mut Text, count: usize, is_valid: impl Fn(usize) -> bool) -> Result<()> {
        let mut scratch = String::new();
        for place in (0..count).filter(|_| !matches!(self, Data::Null)) {
            if is_valid(place) {
                self.write_one(&mut wide.bytes, place, &mut scratch);
            }
            wide.end()?;
        }
        wide.fill(count);
        Ok(())
    }

    fn write_one(&self, wide: &mut Bytes, place: usize, scratch: &mut String) {
        scratch.clear();
        // Writing to a string cannot fail.
        let _ = match self {
            Data::Null => Ok(()),
            Data::Bool(bits) => write!(scratch, "{}", bits.get(place)),
            Data::Int(values) => write!(scratch, "{}", values[place]),
            Data::Decimal(values, scale) => {
                return wide.push(Digits::of_decimal(values[place], *scale).spell().as_bytes());
            }
            // The shortest text that reads back the same; of two such the even one, as most servers
            // write it.
            Data::Float(values) => {
                let mut buffer = ryu::Buffer::new();
                let text = buffer.format(values[place]);
                return write_number(text.as_bytes(), wide);
            }
            Data::Digits(text) | Data::Text(text) | Data::Json(text) => {
                return wide.push(text.get(place));
            }
        };
        wide.push(scratch.as_bytes());
    }
}

/// A number's text, which does not depend on what came before it.
pub fn write_number(text: &[u8], wide: &mut Bytes) {
    match text.last() {
        Some(b'0'..=b'9') => wide.push(Digits::parse(text).spell().as_bytes()),
        Some(b'f') => wide.push(if text[0] == b'-' { b"-Infinity" } else { b"Infinity" }),
        _ => wide.push(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_beyond_32_bits_of_offset_is_refused() {
        // The room is never touched, so that it takes addresses and no memory.
        let mut text = Text::with_room(1, 1 << 31);
        text.bytes.keep(i32::MAX as usize);
        assert!(text.end().is_ok());
        text.bytes.keep(1);
        assert_eq!(text.end().map_err(|failure| failure.kind), Err(Kind::TooLarge));
    }

    #[test]
    fn joining_types_does_not_depend_on_order() {
        const ALL: [Type; 8] = [
            Type::Null,
            Type::Bool,
            Type::Int,
            Type::Float,
            Type::Decimal,
            Type::Digits,
            Type::Text,
            Type::Json,
        ];
        for a in ALL {
            assert_eq!(a.join(a), a);
            for b in ALL {
                assert_eq!(a.join(b), b.join(a));
                for c in ALL {
                    assert_eq!(a.join(b).join(c), a.join(b.join(c)));
                }
            }
        }
    }
}
