//! One column: its name, its values so far, which of them are null, and the way back to before the
//! page at hand.
//!
//! A column may lag behind the rows: what is missing is null, and is filled in when its next value
//! or the end comes.

use std::mem;

use crate::columns::bits::Bits;
use crate::columns::bytes::{Chunk, WIDTH};
use crate::columns::data::{Data, Type, write_number};
use crate::columns::digits::Digits;
use crate::columns::mixed::{Exact, Room, decimal, find_int, find_room, rescale};
use crate::columns::number::Number;
use crate::failure::Result;
use crate::json::cursor::Cursor;
use crate::json::escape::without_halves;
use crate::json::nested::Shape;

pub struct Column {
    pub name: Box<[u8]>,
    /// How the name looks as a plain key, or empty where it needs escapes.
    key: Key,
    /// The column that stood behind this one when it was last seen.
    pub next: u32,
    /// The part of the extraction tree that begins in this column's objects.
    pub extract: Option<u32>,
    /// The row whose value was extracted from an object last: a field of the path's own spelling
    /// comes before it.
    extracted: Option<usize>,
    /// How nested values are read; None where they stay text.
    pub shape: Option<Shape>,
    data: Data,
    len: usize,
    /// Whether a null came among the first `len`; `valid` is only kept from then on.
    has_nulls: bool,
    valid: Bits,
    /// Whether a number among floats was no whole number, as far as somebody asked.
    has_float: bool,
    /// Whether nested values may have NaN or infinities in them, which JSON has not.
    pub is_odd: bool,
    /// Characters that were not whole, and became U+FFFD.
    pub replaced: usize,
    before: Before,
}

/// What a column was before the page at hand.
#[derive(Default)]
struct Before {
    len: usize,
    replaced: usize,
    has_nulls: bool,
    /// The values as they were, where the page made them wider.
    narrow: Option<Data>,
}

/// `"name":`, its first bytes laid out so that one comparison decides.
struct Key {
    head: Chunk,
    mask: Chunk,
    tail: Box<[u8]>,
    len: usize,
}

impl Key {
    fn new(name: &[u8]) -> Self {
        let text = [b"\"", name, b"\":"].concat();
        let plain = !name.iter().any(|byte| *byte < b' ' || *byte == b'"' || *byte == b'\\');
        let short = text.len().min(WIDTH);
        let mut head = [0; WIDTH];
        let mut mask = [0; WIDTH];
        head[..short].copy_from_slice(&text[..short]);
        mask[..short].fill(0xff);
        Key {
            // A head outside of its mask never matches.
            head: if plain { Chunk::new(head) } else { Chunk::splat(0xff) },
            mask: if plain { Chunk::new(mask) } else { Chunk::splat(0) },
            tail: text[short..].into(),
            len: text.len(),
        }
    }
}

impl Column {
    /// A column that holds nothing yet.
    pub fn new(name: &[u8]) -> Self {
        Column {
            name: name.into(),
            key: Key::new(name),
            next: u32::MAX,
            extract: None,
            extracted: None,
            shape: None,
            data: Data::Null,
            len: 0,
            has_nulls: false,
            valid: Bits::default(),
            has_float: false,
            is_odd: false,
            replaced: 0,
            before: Before::default(),
        }
    }

    /// Passes this column's key and its colon, if that is what comes next.
    #[inline(always)]
    pub fn pass_key(&self, cursor: &mut Cursor<'_>) -> bool {
        if !(cursor.chunk() & self.key.mask).simd_eq(self.key.head).all() {
            return false;
        }
        if self.key.len > WIDTH && !cursor.text[cursor.at + WIDTH..].starts_with(&self.key.tail) {
            return false;
        }
        cursor.at += self.key.len;
        true
    }

    pub fn kind(&self) -> Type {
        self.data.kind()
    }

    /// Whether the row behind `row` others has a value already: a key that stands twice.
    #[inline(always)]
    pub fn holds(&self, row: usize) -> bool {
        self.len > row
    }

    /// Whether the value of row `row` was extracted from an object.
    pub fn is_extracted(&self, row: usize) -> bool {
        self.holds(row) && self.extracted == Some(row)
    }

    /// Says where the value of row `row` is from.
    pub fn set_extracted(&mut self, row: Option<usize>) {
        self.extracted = row;
    }

    /// Makes the next value that of row `row`: fills in what is missing, takes back what a repeated
    /// key gave.
    #[cold]
    #[inline(never)]
    pub fn align(&mut self, row: usize) {
        if self.len > row {
            self.valid.truncate(row);
            self.data.truncate(row);
        } else {
            self.note_null();
            self.data.fill(row);
        }
        self.len = row;
    }

    #[inline(always)]
    pub fn is_aligned(&self, row: usize) -> bool {
        self.len == row
    }

    #[inline(always)]
    fn note_null(&mut self) {
        if !self.has_nulls {
            self.valid = Bits::ones(self.len);
        }
        self.has_nulls = true;
    }

    /// Counts the value that was put behind the others.
    #[inline(always)]
    fn count(&mut self) {
        if self.has_nulls {
            self.valid.set(self.len);
        }
        self.len += 1;
    }

    #[inline(always)]
    pub fn push_null(&mut self) {
        self.note_null();
        self.len += 1;
        match &mut self.data {
            Data::Text(text) | Data::Json(text) => text.end_empty(),
            Data::Int(values) => values.push(0),
            Data::Float(values) => values.push(0.0),
            other => other.fill(self.len),
        }
    }

    pub fn push_bool(&mut self, value: bool) -> Result<()> {
        if !matches!(self.data, Data::Bool(_) | Data::Text(_)) {
            self.widen(Type::Bool)?;
        }
        match &mut self.data {
            Data::Bool(bits) if value => bits.set(self.len),
            Data::Text(text) => {
                text.bytes.push(if value { b"true" } else { b"false" });
                text.end()?;
            }
            _ => {}
        }
        self.count();
        Ok(())
    }

    #[inline(always)]
    pub fn push_number(&mut self, number: Number, text: &[u8]) -> Result<()> {
        match (&mut self.data, number) {
            (Data::Int(values), Number::Int(value)) => values.push(value),
            (Data::Float(values), Number::Float(value)) => values.push(value),
            _ => return self.push_other_number(number, text),
        }
        self.count();
        Ok(())
    }

    #[inline(never)]
    fn push_other_number(&mut self, number: Number, source: &[u8]) -> Result<()> {
        let number = Exact::new(number, source);
        self.make_room(number)?;
        match (&mut self.data, number) {
            (Data::Int(values), Exact::Int(value)) => values.push(value),
            (Data::Int(values), Exact::Float(value)) => values.extend(find_int(value)),
            (Data::Float(values), Exact::Int(value)) => values.push(value as f64),
            (Data::Float(values), Exact::Float(value)) => values.push(value),
            (Data::Decimal(values, scale), _) => {
                values.extend(decimal(number).and_then(|value| rescale(value, *scale)))
            }
            (Data::Digits(text) | Data::Text(text), _) => {
                match number {
                    Exact::Float(value) if value.is_finite() => {
                        text.bytes.push(Digits::of_float(value).spell().as_bytes())
                    }
                    _ => write_number(source, &mut text.bytes),
                }
                text.end()?;
            }
            (data, _) => unreachable!("{:?} does not hold a number", data.kind()),
        }
        self.count();
        Ok(())
    }

    /// Sees to it that the column holds a number of this value.
    fn make_room(&mut self, number: Exact) -> Result<()> {
        match &self.data {
            Data::Digits(_) | Data::Text(_) => Ok(()),
            Data::Null | Data::Bool(_) | Data::Json(_) => {
                self.widen(number.kind())?;
                if let (Data::Decimal(_, scale), Exact::Decimal(_, wanted)) =
                    (&mut self.data, number)
                {
                    *scale = wanted;
                }
                Ok(())
            }
            data => match find_room(data, number, &mut self.has_float) {
                Room::Stays => Ok(()),
                Room::Wider(wide) => {
                    self.replace(wide);
                    Ok(())
                }
                Room::Digits => self.widen(Type::Digits),
            },
        }
    }

    /// A string, from its opening quote on.
    #[inline(always)]
    pub fn push_string(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        if !matches!(self.data, Data::Text(_)) {
            return self.push_first_string(cursor);
        }
        self.copy_string(cursor)
    }

    #[inline(always)]
    fn copy_string(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        if let Data::Text(text) = &mut self.data {
            cursor.at += 1;
            cursor.copy_string(&mut text.bytes)?;
            text.end()?;
            self.count();
        }
        Ok(())
    }

    #[inline(never)]
    fn push_first_string(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        self.widen(Type::Text)?;
        self.copy_string(cursor)
    }

    /// The text of a nested value that was passed; `has_halves` where a half of a surrogate pair is
    /// in it.
    pub fn push_passed(&mut self, source: &[u8], has_halves: bool) -> Result<()> {
        if has_halves {
            return self.push_json(&without_halves(source));
        }
        self.push_json(source)
    }

    /// The text of a nested value.
    pub fn push_json(&mut self, source: &[u8]) -> Result<()> {
        if !matches!(self.data, Data::Json(_) | Data::Text(_)) {
            self.widen(Type::Json)?;
        }
        if let Data::Json(text) | Data::Text(text) = &mut self.data {
            text.bytes.push(source);
            text.end()?;
            self.count();
        }
        Ok(())
    }

    /// Makes room for a value of this type among the others.
    #[cold]
    #[inline(never)]
    fn widen(&mut self, kind: Type) -> Result<()> {
        let kind = self.kind().join(kind);
        let wide =
            self.data.widened(kind, self.len, |place| !self.has_nulls || self.valid.get(place))?;
        self.replace(wide);
        Ok(())
    }

    fn replace(&mut self, wide: Data) {
        let narrow = mem::replace(&mut self.data, wide);
        self.before.narrow.get_or_insert(narrow);
    }

    /// Remembers what the column is now.
    pub fn begin(&mut self) {
        self.extracted = None;
        self.before = Before {
            len: self.len,
            replaced: self.replaced,
            has_nulls: self.has_nulls,
            narrow: None,
        };
    }

    /// Makes the column what it was at `begin`.
    pub fn restore(&mut self) {
        if let Some(narrow) = self.before.narrow.take() {
            self.data = narrow;
        }
        self.data.truncate(self.before.len);
        self.valid.truncate(self.before.len);
        self.len = self.before.len;
        self.extracted = None;
        self.replaced = self.before.replaced;
        self.has_nulls = self.before.has_nulls;
    }

    /// Whether a row since `begin` has this column's key.
    pub fn is_touched(&self) -> bool {
        self.len > self.before.len
    }

    pub fn commit(&mut self) {
        self.before.narrow = None;
    }

    /// All `rows` values, and which of them are valid where not all are. The column goes on empty,
    /// of the same type.
    pub fn take(&mut self, rows: usize) -> (Data, Option<Vec<u8>>) {
        if self.len < rows {
            self.align(rows);
        }
        // An eighth more than this batch took: the next one is likely of the same size.
        let bytes = self.data.text_bytes();
        let fresh = Data::with_room(self.kind(), rows + rows / 8, bytes + bytes / 8);
        let data = mem::replace(&mut self.data, fresh);
        let valid = mem::take(&mut self.valid);
        let has_nulls = mem::take(&mut self.has_nulls);
        self.len = 0;
        (data, has_nulls.then(|| valid.into_vec(rows)))
    }
}
