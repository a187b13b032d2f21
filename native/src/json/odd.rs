//! Numbers that JSON does not have, inside of texts that are JSON.

use crate::columns::data::{Data, Text};
use crate::json::escape::quote;

/// As JavaScript and Python write them.
const ODD: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];

/// JSON text in which NaN and the infinities are strings.
#[cold]
pub fn quote_odd(data: Data, count: usize) -> Data {
    let Data::Json(text) = data else { return data };
    let mut plain = Text::with_room(count, text.bytes.used() + text.bytes.used() / 8);
    for place in 0..count {
        let (mut start, mut is_string) = (0, false);
        let source = text.get(place);
        while start < source.len() {
            let rest = &source[start..];
            let word = ODD.iter().find(|word| !is_string && rest.starts_with(word));
            let length = match (word, rest[0]) {
                (Some(word), _) => word.len(),
                (None, b'\\') => 2.min(rest.len()),
                _ => 1,
            };
            match word {
                Some(word) => quote(word, &mut plain.bytes),
                None => plain.bytes.push(&rest[..length]),
            }
            is_string ^= rest[0] == b'"';
            start += length;
        }
        if plain.end().is_err() {
            return Data::Json(text);
        }
    }
    Data::Json(plain)
}
