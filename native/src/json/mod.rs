//! One reader of a format: pages of JSON become columns, in one pass and without an object per
//! value.
//!
//! `page` finds the rows in a body and `explain` says what stands there instead, `table` reads rows
//! into columns, `column` is one of them, `nested` reads what is nested in them, `export` gives them
//! away. `cursor` reads JSON.

mod column;
mod cursor;
mod decoder;
mod digest;
mod escape;
mod explain;
mod export;
mod nested;
#[cfg(test)]
mod numbers;
mod odd;
mod page;
mod stops;
mod table;
mod tree;
mod value;

pub use decoder::{Decoder, Options};
pub use value::Value;
