//! Rows of a source become Arrow batches.
//!
//! `columns` holds values and knows no format, `json` is one reader that fills them. Python's side is
//! `python`; all else knows nothing of it.

mod columns;
mod failure;
mod json;
#[cfg(feature = "python")]
mod python;

pub use columns::arrays::Batch;
pub use failure::{Failure, Kind};
pub use json::{Decoder, Options, Value};
