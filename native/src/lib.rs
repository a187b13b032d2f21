//! Pages of JSON become Arrow batches, in one pass and without an object per value.
//!
//! `page` finds the rows in a body and `explain` says what stands there instead, `table` reads rows
//! into columns, `column` and `data` hold and widen them (numbers as `mixed` says), `nested` reads
//! what is nested in them, `export` gives them away. `cursor` reads JSON.
//! Python's side is `python`; all else knows nothing of it.

mod bits;
mod bytes;
mod column;
mod cursor;
mod data;
mod decoder;
mod digest;
mod digits;
mod escape;
mod explain;
mod export;
mod failure;
mod mixed;
mod nested;
mod number;
mod page;
#[cfg(feature = "python")]
mod python;
mod stops;
mod table;
mod tree;
mod value;

pub use decoder::{Decoder, Options};
pub use export::Batch;
pub use failure::{Failure, Kind};
pub use value::Value;
