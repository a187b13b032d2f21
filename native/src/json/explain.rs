//! Explains a page without rows: the keys that it has, and the value that is in the place of rows.
//! A page with rows never gets here, so that this code may be slow.

use std::collections::HashSet;

use crate::columns::bytes::Bytes;
use crate::failure::{Failure, Kind, Result};
use crate::json::cursor::Cursor;
use crate::json::value::string;

/// The kind of a value, as needed to distinguish a row from another object.
pub fn describe(text: &[u8]) -> &'static str {
    match text[0] {
        b'{' | b'[' if is_empty(text) => "empty",
        b'[' if text[1..].trim_ascii_start().starts_with(b"{") => "objects",
        b'"' if text == b"\"\"" => "empty",
        b'f' => "false",
        first => type_of(first),
    }
}

/// The failure for text after the end of a body.
pub fn explain_rest(cursor: &Cursor<'_>) -> Box<Failure> {
    if matches!(cursor.text[cursor.at], b'{' | b'[') {
        let detail = format!("a second JSON value begins at byte {}", cursor.at);
        return Failure::new(Kind::NotJson, detail).at(cursor.at);
    }
    cursor.unexpected("the end")
}

/// Whether an object or a list is empty.
pub fn is_empty(text: &[u8]) -> bool {
    let inside = text.len().checked_sub(1).and_then(|end| text.get(1..end)).unwrap_or_default();
    matches!(text[0], b'{' | b'[') && inside.trim_ascii().is_empty()
}

pub fn type_of(first: u8) -> &'static str {
    match first {
        b'{' => "an object",
        b'[' => "a list",
        b'"' => "a string",
        b't' | b'f' => "a boolean",
        b'n' => "null",
        _ => "a number",
    }
}

/// The first part of `path` that a valid body lacks, and the keys that are there instead.
pub fn explain_missing(body: &[u8], path: &[String]) -> Result<Box<Failure>> {
    let mut here = body;
    let mut name = "the body".to_owned();
    for key in path {
        if here[0] == b'n' || is_empty(here) {
            break;
        }
        if here[0] != b'{' {
            break;
        }
        let members = members(here)?;
        match members.iter().rev().find(|(found, _)| found == key) {
            Some((_, value)) => {
                here = value;
                name = shown(key);
            }
            None => {
                let listed = list_keys(members.iter().map(|(found, _)| found.clone()));
                let detail = format!("{name} has no {}, only {listed}", shown(key));
                let keys = members.into_iter().map(|(key, value)| (key, describe(value)));
                return Ok(Failure::new(Kind::PathNotFound, detail).with_keys(keys.collect()));
            }
        }
    }
    if here[0] == b'n' {
        return Ok(Failure::new(Kind::Nothing, format!("{name} is null")));
    }
    if is_empty(here) {
        let what = if here[0] == b'{' { "an empty object" } else { "an empty list" };
        return Ok(Failure::new(Kind::Nothing, format!("{name} is {what}")));
    }
    Ok(Failure::new(Kind::PathNotFound, format!("{name} is {}", type_of(here[0]))))
}

pub fn members(object: &[u8]) -> Result<Vec<(String, &[u8])>> {
    let mut cursor = Cursor::new(object);
    let mut scratch = Bytes::default();
    let mut found = Vec::new();
    cursor.open()?;
    while cursor.next_byte("a key")? == b'"' {
        let key = string(cursor.key(&mut scratch)?);
        cursor.next_byte("a value")?;
        let start = cursor.at;
        cursor.skip_value()?;
        found.push((key, &object[start..cursor.at]));
        if !cursor.another(b'}')? {
            break;
        }
    }
    Ok(found)
}

/// Whether all members of an object are objects, and two of the first ones share a field: rows by
/// their ids, rather than one row.
pub fn is_map_of_rows(inside: &[(String, &[u8])]) -> Result<bool> {
    const COMPARED: usize = 8;
    if inside.len() < 2 || inside.iter().any(|(_, value)| value[0] != b'{') {
        return Ok(false);
    }
    let mut seen = HashSet::new();
    for (_, value) in inside.iter().filter(|(_, value)| !is_empty(value)).take(COMPARED) {
        let names: HashSet<String> = members(value)?.into_iter().map(|(name, _)| name).collect();
        if names.iter().any(|name| seen.contains(name)) {
            return Ok(true);
        }
        seen.extend(names);
    }
    Ok(false)
}

pub fn list_keys(keys: impl ExactSizeIterator<Item = String>) -> String {
    const SHOWN: usize = 20;
    let more = keys.len().saturating_sub(SHOWN);
    let mut listed: Vec<String> = keys.take(SHOWN).map(|key| shown(&key)).collect();
    if listed.is_empty() {
        return "no keys".to_owned();
    }
    if more > 0 {
        listed.push(format!("{more} more"));
    }
    listed.join(", ")
}

fn shown(key: &str) -> String {
    const SHOWN: usize = 64;
    let cut: String = key.chars().take(SHOWN).collect();
    format!("\"{}{}\"", cut.escape_debug(), if cut.len() < key.len() { "…" } else { "" })
}
