//! Backslashes: read from JSON strings, and written where a plain string becomes JSON text.

use crate::bytes::Bytes;
use crate::cursor::Cursor;
use crate::failure::Result;

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

fn unescape_code(cursor: &mut Cursor<'_>, out: Option<&mut Bytes>) -> Result<()> {
    cursor.at += 1;
    let mut code = read_code(cursor)?;
    if (0xd800..0xdc00).contains(&code) {
        for byte in [b'\\', b'u'] {
            if cursor.text.get(cursor.at) != Some(&byte) {
                return Err(cursor.unexpected("the second half of a surrogate pair"));
            }
            cursor.at += 1;
        }
        let start = cursor.at;
        let low = read_code(cursor)?;
        if !(0xdc00..0xe000).contains(&low) {
            cursor.at = start;
            return Err(cursor.unexpected("the second half of a surrogate pair"));
        }
        code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    match char::from_u32(code) {
        Some(character) => {
            if let Some(out) = out {
                out.push(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Ok(())
        }
        None => {
            cursor.at -= 4;
            Err(cursor.unexpected("the first half of a surrogate pair"))
        }
    }
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
