//! A value beside a page's rows, in the body's own spelling.

use crate::columns::bytes::Bytes;
use crate::failure::Result;
use crate::json::cursor::Cursor;

/// A value of the body's envelope: its text as the body spells it, strings unescaped.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Missing,
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Object,
    List,
}

/// The value of a text that is known to be JSON.
pub fn parse_value(text: &[u8]) -> Result<Value> {
    Ok(match text[0] {
        b'n' => Value::Null,
        b't' => Value::Bool(true),
        b'f' => Value::Bool(false),
        b'"' => {
            let mut out = Bytes::default();
            let mut cursor = Cursor::new(text);
            cursor.at = 1;
            cursor.copy_string(&mut out)?;
            Value::Text(string(out.as_slice()))
        }
        b'{' => Value::Object,
        b'[' => Value::List,
        _ => Value::Number(string(text)),
    })
}

/// Text that was looked at as a whole body before.
pub fn string(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
