//! The failures of a page. Their texts contain positions, JSON types and keys, never a value of the
//! body.

use std::fmt;

/// The word by which the caller decides what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    NotJson,
    Truncated,
    /// No byte, or white space alone.
    Empty,
    /// Null, or an object or a list without members, where rows are looked for: no proof of an end.
    Nothing,
    /// One object where a list is usual, with keys that were not there before.
    LoneObject,
    /// The same, and its values are objects that share fields: rows by their ids.
    MapOfRows,
    /// Rows that share no field with those before.
    Strangers,
    /// The key of the rows stands twice, and what was under it first is lost.
    Twice,
    PathNotFound,
    NotObjects,
    TooDeep,
    TooManyColumns,
    TooLarge,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::NotJson => "not_json",
            Kind::Truncated => "truncated",
            Kind::Empty => "empty",
            Kind::Nothing => "nothing",
            Kind::LoneObject => "lone_object",
            Kind::MapOfRows => "map_of_rows",
            Kind::Strangers => "strangers",
            Kind::Twice => "twice",
            Kind::PathNotFound => "path_not_found",
            Kind::NotObjects => "not_objects",
            Kind::TooDeep => "too_deep",
            Kind::TooManyColumns => "too_many_columns",
            Kind::TooLarge => "too_large",
        }
    }
}

/// Boxed in results, so that the path without failures moves one word.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: Kind,
    pub detail: String,
    /// The byte where the grammar is broken.
    pub at: Option<usize>,
    /// The row of the page in which it is.
    pub row: Option<usize>,
    /// The keys that are there, and what each holds.
    pub keys: Vec<(String, &'static str)>,
}

pub type Result<T> = std::result::Result<T, Box<Failure>>;

impl Failure {
    #[cold]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Box<Self> {
        Box::new(Failure { kind, detail: detail.into(), at: None, row: None, keys: Vec::new() })
    }

    #[cold]
    pub fn at(mut self: Box<Self>, at: usize) -> Box<Self> {
        self.at = Some(at);
        self
    }

    #[cold]
    pub fn in_row(mut self: Box<Self>, row: usize) -> Box<Self> {
        self.row = Some(row);
        self
    }

    #[cold]
    pub fn with_keys(mut self: Box<Self>, keys: Vec<(String, &'static str)>) -> Box<Self> {
        self.keys = keys;
        self
    }

    /// Adds line, column and row of the position in `text` to the detail.
    #[cold]
    pub fn placed(mut self: Box<Self>, text: &[u8]) -> Box<Self> {
        if let Some(at) = self.at {
            let before = &text[..at.min(text.len())];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            let begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let row = self.row.map(|row| format!(", row {row}")).unwrap_or_default();
            let place = format!(" (line {line}, column {}{row})", before.len() - begin + 1);
            self.detail.push_str(&place);
        }
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.kind.word(), self.detail)
    }
}
