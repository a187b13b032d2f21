//! What can be wrong with a page. A failure names places, JSON types and keys, and never a value of
//! the body.

use std::fmt;

/// The word by which the caller decides what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    NotJson,
    Truncated,
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
}

pub type Result<T> = std::result::Result<T, Box<Failure>>;

impl Failure {
    #[cold]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Box<Self> {
        Box::new(Failure { kind, detail: detail.into() })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.kind.word(), self.detail)
    }
}
