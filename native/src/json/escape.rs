//! Backslashes: read from JSON strings, and written where a plain string becomes JSON text.

use crate::columns::bytes::Bytes;
use crate::failure::Result;
use crate::json::cursor::Cursor;

/// Passes one escape, which begins here; its character goes to `out`.
pub fn unescape(cursor: &mut Cursor<'_>, out: Option<&mut Bytes>) -> Result<()> {
    cursor.at += 1;
    let plain = match cursor.text.get(cursor.at) {
        Some(b'u') => return unescape_code(cursor, out),
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'b') => 0x08,
        Some(b'f') => 0x0c,
        Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
        _ => return Err(cursor.unexpected("an escape")),
    };
    cursor.at += 1;
    if let Some(out) = out {
        out.push(&[plain]);
    }
    Ok(())
}

/// A half of a surrogate pair that stands alone becomes U+FFFD: writers of JSON cut texts in the
/// middle of a character, and readers of the lake take whole ones only.
fn unescape_code(cursor: &mut Cursor<'_>, out: Option<&mut Bytes>) -> Result<()> {
    cursor.at += 1;
    let mut code = read_code(cursor)?;
    if (0xd800..0xdc00).contains(&code)
        && let Some(low) = find_low_half(&cursor.text[cursor.at..])
    {
        cursor.at += ESCAPE_BYTES;
        code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    let character = char::from_u32(code).unwrap_or_else(|| {
        cursor.replaced += 1;
        char::REPLACEMENT_CHARACTER
    });
    if let Some(out) = out {
        out.push(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(())
}

/// `\uXXXX`.
const ESCAPE_BYTES: usize = 6;

/// The second half of a surrogate pair, where `text` begins with one.
fn find_low_half(text: &[u8]) -> Option<u32> {
    let code = find_code(text)?;
    (0xdc00..0xe000).contains(&code).then_some(code)
}

/// The code of the escape that `text` begins with.
fn find_code(text: &[u8]) -> Option<u32> {
    let digits = text.get(..ESCAPE_BYTES)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |code, byte| Some(code * 16 + char::from(*byte).to_digit(16)?))
}

/// The text of a JSON value, with U+FFFD in the place of halves of surrogate pairs.
#[cold]
pub fn without_halves(text: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(plain) = rest.iter().position(|byte| *byte == b'\\') {
        whole.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
        let taken = match find_code(rest) {
            None => 2,
            Some(0xd800..0xdc00) if find_low_half(&rest[ESCAPE_BYTES..]).is_some() => {
                2 * ESCAPE_BYTES
            }
            Some(0xd800..0xe000) => {
                whole.extend_from_slice(b"\\ufffd");
                rest = &rest[ESCAPE_BYTES..];
                continue;
            }
            Some(_) => ESCAPE_BYTES,
        };
        let taken = taken.min(rest.len());
        whole.extend_from_slice(&rest[..taken]);
        rest = &rest[taken..];
    }
    whole.extend_from_slice(rest);
    whole
}

fn read_code(cursor: &mut Cursor<'_>) -> Result<u32> {
    let mut code = 0;
    for _ in 0..4 {
        let digit = cursor.text.get(cursor.at).and_then(|byte| char::from(*byte).to_digit(16));
        code = code * 16 + digit.ok_or_else(|| cursor.unexpected("four hexadecimal digits"))?;
        cursor.at += 1;
    }
    Ok(code)
}

/// Writes `text` as a JSON string, quotes and all.
pub fn quote(text: &[u8], out: &mut Bytes) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b"\"");
    for byte in text {
        match byte {
            b'"' => out.push(b"\\\""),
            b'\\' => out.push(b"\\\\"),
            b'\n' => out.push(b"\\n"),
            b'\t' => out.push(b"\\t"),
            b'\r' => out.push(b"\\r"),
            0x08 => out.push(b"\\b"),
            0x0c => out.push(b"\\f"),
            0..0x20 => out.push(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]),
            _ => out.push(&[*byte]),
        }
    }
    out.push(b"\"");
}
