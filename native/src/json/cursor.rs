//! Reads JSON from bytes that are UTF-8, one token at a time, and never goes back.
//!
//! Where the grammar is broken it says where; where the bytes end too early it says so by another
//! word, because a body that broke off may be fetched again.

use crate::columns::bytes::{Bytes, Chunk, WIDTH};
use crate::columns::number::{Number, float, integer};
use crate::failure::{Failure, Kind, Result};
use crate::json::escape::unescape;
use crate::json::stops::stops;

/// Brackets that may be open at once.
pub const DEPTH_MAX: usize = 512;

pub struct Cursor<'a> {
    pub text: &'a [u8],
    pub at: usize,
    depth: usize,
    /// Whether NaN or an infinity was passed.
    pub is_odd: bool,
    /// Halves of surrogate pairs that became U+FFFD.
    pub replaced: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Cursor { text, at: 0, depth: 0, is_odd: false, replaced: 0 }
    }

    /// The failure where something else was expected; the end of the text is another one than a wrong
    /// byte.
    #[cold]
    #[inline(never)]
    pub fn unexpected(&self, wanted: &str) -> Box<Failure> {
        if self.at >= self.text.len() {
            return Failure::new(
                Kind::Truncated,
                format!("the body ends at byte {}", self.text.len()),
            );
        }
        Failure::new(Kind::NotJson, format!("expected {wanted} at byte {}", self.at)).at(self.at)
    }

    /// The next byte that is not white space, which stays unread.
    #[inline(always)]
    pub fn next_byte(&mut self, wanted: &'static str) -> Result<u8> {
        match self.text.get(self.at) {
            Some(&byte) if byte > b' ' => Ok(byte),
            _ => self.next_behind_space(wanted),
        }
    }

    #[inline(never)]
    fn next_behind_space(&mut self, wanted: &'static str) -> Result<u8> {
        self.skip_space();
        self.text.get(self.at).copied().ok_or_else(|| self.unexpected(wanted))
    }

    pub fn skip_space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Sixteen bytes from `at` on; behind the end they are zero, which no plain text holds.
    #[inline(always)]
    pub fn chunk(&self) -> Chunk {
        self.chunk_at(self.at)
    }

    #[inline(always)]
    fn chunk_at(&self, at: usize) -> Chunk {
        match self.text.get(at..at + WIDTH).and_then(|part| part.try_into().ok()) {
            Some(chunk) => Chunk::new(chunk),
            None => Chunk::new(self.last_chunk(at).to_le_bytes()),
        }
    }

    #[cold]
    #[inline(never)]
    fn last_chunk(&self, at: usize) -> u128 {
        let rest = self.text.get(at..).unwrap_or_default();
        let mut chunk = [0; WIDTH];
        chunk[..rest.len()].copy_from_slice(rest);
        // An integer comes back in registers, so that the common way need not go through memory for
        // this one's sake.
        u128::from_le_bytes(chunk)
    }

    #[inline(always)]
    pub fn open(&mut self) -> Result<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(too_deep(self.at)) } else { Ok(()) }
    }

    #[inline(always)]
    pub fn close(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }

    /// Copies a string's value, from behind its opening quote to behind the closing one.
    #[inline(always)]
    pub fn copy_string(&mut self, out: &mut Bytes) -> Result<()> {
        let mut at = self.at;
        loop {
            let chunk = self.chunk_at(at);
            out.lay(chunk);
            let mask = stops(chunk);
            if mask == 0 {
                out.keep(WIDTH);
                at += WIDTH;
                continue;
            }
            let plain = mask.trailing_zeros() as usize;
            out.keep(plain);
            at += plain;
            if self.text.get(at) == Some(&b'"') {
                self.at = at + 1;
                return Ok(());
            }
            at = self.escape(at, Some(out))?;
        }
    }

    /// Passes over a string, from behind its opening quote to behind the closing one; says whether
    /// it holds escapes.
    #[inline(always)]
    pub fn skip_string(&mut self) -> Result<bool> {
        let mut escapes = false;
        let mut at = self.at;
        loop {
            let mask = stops(self.chunk_at(at));
            if mask == 0 {
                at += WIDTH;
                continue;
            }
            at += mask.trailing_zeros() as usize;
            if self.text.get(at) == Some(&b'"') {
                self.at = at + 1;
                return Ok(escapes);
            }
            at = self.escape(at, None)?;
            escapes = true;
        }
    }

    #[cold]
    #[inline(never)]
    fn escape(&mut self, at: usize, out: Option<&mut Bytes>) -> Result<usize> {
        self.at = at;
        match self.text.get(at) {
            Some(b'\\') => unescape(self, out)?,
            _ => return Err(self.unexpected("a printable character")),
        }
        Ok(self.at)
    }

    /// A key and the colon behind it. The key's own bytes where they are plain, else unescaped into
    /// `scratch`.
    pub fn key<'s>(&mut self, scratch: &'s mut Bytes) -> Result<&'s [u8]>
    where
        'a: 's,
    {
        if self.next_byte("a key")? != b'"' {
            return Err(self.unexpected("a key"));
        }
        self.at += 1;
        let start = self.at;
        let escapes = self.skip_string()?;
        let end = self.at - 1;
        self.colon()?;
        if !escapes {
            return Ok(&self.text[start..end]);
        }
        scratch.truncate(0);
        Cursor { at: start, ..Cursor::new(self.text) }.copy_string(scratch)?;
        if scratch.as_slice().contains(&0) {
            replace_zeros(scratch);
        }
        Ok(scratch.as_slice())
    }

    #[inline(always)]
    pub fn colon(&mut self) -> Result<()> {
        if self.next_byte("a colon")? != b':' {
            return Err(self.unexpected("a colon"));
        }
        self.at += 1;
        Ok(())
    }

    /// Between members: true where another follows, false behind the closing bracket.
    #[inline(always)]
    pub fn another(&mut self, closing: u8) -> Result<bool> {
        let byte = self.next_byte("a comma or a closing bracket")?;
        if byte == b',' {
            self.at += 1;
            Ok(true)
        } else if byte == closing {
            self.close();
            Ok(false)
        } else {
            Err(self.unexpected("a comma or a closing bracket"))
        }
    }

    /// Passes `true`, `false` or `null`.
    #[inline(always)]
    pub fn word(&mut self, word: &'static [u8]) -> Result<()> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.wrong_word(word))
    }

    #[cold]
    fn wrong_word(&mut self, word: &'static [u8]) -> Box<Failure> {
        let rest = &self.text[self.at..];
        if word.starts_with(rest) {
            self.at = self.text.len();
        }
        self.unexpected("a value")
    }

    /// Passes a number, which begins here.
    #[inline(always)]
    pub fn number(&mut self) -> Result<Number> {
        let start = self.at;
        let negative = self.text[start] == b'-';
        self.at += usize::from(negative);
        let first = self.at;
        let mut value = match self.digits(0) {
            Ok(value) => value,
            Err(failure) => return self.no_digit(start, failure),
        };
        let mut digits = self.at - first;
        if digits > 1 && self.text[first] == b'0' {
            self.at = first + 1;
            return Err(self.unexpected("no digit after a leading zero"));
        }
        if !matches!(self.text.get(self.at), Some(b'.' | b'e' | b'E')) {
            return Ok(integer(&self.text[start..self.at], negative, digits, value));
        }
        let mut exponent = 0;
        if self.text[self.at] == b'.' {
            self.at += 1;
            let point = self.at;
            value = self.digits(value)?;
            digits += self.at - point;
            exponent = -((self.at - point) as i64);
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            exponent += self.exponent()?;
        }
        Ok(float(&self.text[start..self.at], negative, digits, value, exponent))
    }

    #[cold]
    fn no_digit(&mut self, start: usize, failure: Box<Failure>) -> Result<Number> {
        match self.text.get(self.at) {
            Some(b'I') => self.odd_number(start),
            _ => Err(failure),
        }
    }

    /// Passes NaN or an infinity, which Python's servers write and JSON does not have.
    #[cold]
    pub fn odd_number(&mut self, start: usize) -> Result<Number> {
        self.is_odd = true;
        match self.text.get(self.at) {
            Some(b'N') => self.word(b"NaN").map(|()| Number::Float(f64::NAN)),
            _ => self.word(b"Infinity").map(|()| {
                let sign = if self.text[start] == b'-' { -1.0 } else { 1.0 };
                Number::Float(sign * f64::INFINITY)
            }),
        }
    }

    /// One digit or more; their value behind `value`, which overflows silently.
    #[inline(always)]
    fn digits(&mut self, mut value: u64) -> Result<u64> {
        let start = self.at;
        while let Some(digit) =
            self.text.get(self.at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10)
        {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected("a digit")) } else { Ok(value) }
    }

    #[cold]
    fn exponent(&mut self) -> Result<i64> {
        self.at += 1;
        let negative = self.text.get(self.at) == Some(&b'-');
        self.at += usize::from(matches!(self.text.get(self.at), Some(b'-' | b'+')));
        let start = self.at;
        let value = self.digits(0)?;
        // Long exponents are left to the exact parser, which reads the text.
        let value = if self.at - start > 6 { 1 << 32 } else { value as i64 };
        Ok(if negative { -value } else { value })
    }

    /// Passes one whole value, every byte of it checked.
    #[inline(always)]
    pub fn skip_value(&mut self) -> Result<()> {
        let byte = self.next_byte("a value")?;
        if byte == b'{' || byte == b'[' { self.skip_nested() } else { self.skip_scalar(byte) }
    }

    #[inline(always)]
    fn skip_scalar(&mut self, byte: u8) -> Result<()> {
        match byte {
            b'"' => {
                self.at += 1;
                self.skip_string().map(drop)
            }
            b'-' | b'0'..=b'9' => self.number().map(drop),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            b'N' | b'I' => self.odd_number(self.at).map(drop),
            _ => Err(self.unexpected("a value")),
        }
    }

    /// Passes an object or a list, which begins here. Open brackets are bits, so that depth costs
    /// no stack.
    #[inline(never)]
    pub fn skip_nested(&mut self) -> Result<()> {
        let outside = self.depth;
        let mut objects = [0u64; DEPTH_MAX / 64 + 1];
        loop {
            let byte = self.next_byte("a value")?;
            let mut ended = true;
            if byte == b'{' || byte == b'[' {
                self.open()?;
                let (word, bit) = (self.depth / 64, 1 << (self.depth % 64));
                objects[word] = objects[word] & !bit | if byte == b'{' { bit } else { 0 };
                // ']' and '}' lie two behind their opening brackets.
                if self.next_byte("a member or a closing bracket")? == byte + 2 {
                    self.close();
                } else {
                    ended = false;
                    if byte == b'{' {
                        self.skip_key()?;
                    }
                }
            } else {
                self.skip_scalar(byte)?;
            }
            while ended {
                if self.depth == outside {
                    return Ok(());
                }
                let is_object = objects[self.depth / 64] >> (self.depth % 64) & 1 == 1;
                ended = !self.another(if is_object { b'}' } else { b']' })?;
                if is_object && !ended {
                    self.skip_key()?;
                }
            }
        }
    }

    #[inline(always)]
    fn skip_key(&mut self) -> Result<()> {
        if self.next_byte("a key")? != b'"' {
            return Err(self.unexpected("a key"));
        }
        self.at += 1;
        self.skip_string()?;
        self.colon()
    }
}

/// Arrow hands names over as C strings, which cannot hold a zero.
#[cold]
fn replace_zeros(name: &mut Bytes) {
    let parts: Vec<&[u8]> = name.as_slice().split(|byte| *byte == 0).collect();
    let replaced = parts.join("\u{fffd}".as_bytes());
    name.truncate(0);
    name.push(&replaced);
}

#[cold]
fn too_deep(at: usize) -> Box<Failure> {
    Failure::new(Kind::TooDeep, format!("more than {DEPTH_MAX} brackets are open at byte {at}"))
}
