//! Columns of values that grow and widen, and become Arrow arrays. No reader of a format is known
//! here: JSON, and what else there will be, put values in.
//!
//! `data` holds the values (numbers as `mixed` says, `number` and `digits` tell what a text is
//! worth), `arrays` gives them away; `bits` and `bytes` are what they are made of.

pub mod arrays;
pub mod bits;
pub mod bytes;
pub mod data;
pub mod digits;
pub mod mixed;
pub mod number;
