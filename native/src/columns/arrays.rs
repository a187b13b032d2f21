//! Values of a column become Arrow arrays, without a copy.

use std::collections::HashMap;

use arrow_buffer::Buffer;
use arrow_data::{ArrayData, ArrayDataBuilder};
use arrow_schema::{DataType, Field, Fields, Schema};

use crate::columns::data::Data;
use crate::columns::digits::DECIMAL_DIGITS;

/// A struct array and the schema that it stands for.
pub struct Batch {
    pub schema: Schema,
    pub rows: ArrayData,
}

/// The metadata of columns whose texts are JSON.
const JSON_KEY: &str = "json";
/// The metadata of columns whose texts are numbers that no other type holds.
const NUMBERS_KEY: &str = "numbers";

/// A struct array of these members.
pub fn build_struct(
    fields: &[Field],
    arrays: Vec<ArrayData>,
    count: usize,
    valid: Option<Vec<u8>>,
) -> ArrayData {
    let stored: Vec<Field> = fields
        .iter()
        .zip(&arrays)
        .map(|(field, array)| Field::new(field.name(), array.data_type().clone(), true))
        .collect();
    build(
        ArrayData::builder(DataType::Struct(Fields::from(stored)))
            .len(count)
            .null_bit_buffer(valid.map(Buffer::from_vec))
            .child_data(arrays),
    )
}

/// A list array; `ends` has one more value than there are rows.
pub fn build_list(ends: Vec<i32>, items: ArrayData, valid: Option<Vec<u8>>) -> ArrayData {
    let item = Field::new_list_field(items.data_type().clone(), true);
    build(
        ArrayData::builder(DataType::List(item.into()))
            .len(ends.len() - 1)
            .add_buffer(Buffer::from_vec(ends))
            .null_bit_buffer(valid.map(Buffer::from_vec))
            .add_child_data(items),
    )
}

/// So many rows without a value.
pub fn build_nulls(count: usize) -> ArrayData {
    build(ArrayData::builder(DataType::Null).len(count))
}

fn build_decimal(scale: u8) -> DataType {
    DataType::Decimal128(DECIMAL_DIGITS as u8, scale as i8)
}

pub fn build_field(name: &str, data: &Data) -> Field {
    let kind = match data {
        Data::Null => DataType::Null,
        Data::Bool(_) => DataType::Boolean,
        Data::Int(_) => DataType::Int64,
        Data::Float(_) => DataType::Float64,
        Data::Decimal(_, scale) => build_decimal(*scale),
        Data::Digits(_) | Data::Text(_) | Data::Json(_) => DataType::Utf8,
    };
    let field = Field::new(name, kind, true);
    let mark = match data {
        Data::Json(_) => JSON_KEY,
        Data::Digits(_) => NUMBERS_KEY,
        _ => return field,
    };
    field.with_metadata(HashMap::from([(mark.to_owned(), "1".to_owned())]))
}

pub fn build_array(data: Data, count: usize, valid: Option<Vec<u8>>) -> ArrayData {
    // Text is handed to the builder as bytes, whose layout is the same: that it is UTF-8 was
    // checked when its page came.
    let (kind, buffers) = match data {
        Data::Null => return build_nulls(count),
        Data::Bool(bits) => (DataType::Boolean, vec![Buffer::from_vec(bits.into_vec(count))]),
        Data::Int(values) => (DataType::Int64, vec![Buffer::from_vec(values)]),
        Data::Decimal(values, scale) => (build_decimal(scale), vec![Buffer::from_vec(values)]),
        Data::Float(values) => (DataType::Float64, vec![Buffer::from_vec(values)]),
        Data::Digits(text) | Data::Text(text) | Data::Json(text) => {
            let (ends, bytes) = text.into_parts();
            (DataType::Binary, vec![Buffer::from_vec(ends), Buffer::from_vec(bytes)])
        }
    };
    build(
        ArrayData::builder(kind)
            .len(count)
            .buffers(buffers)
            .null_bit_buffer(valid.map(Buffer::from_vec)),
    )
}

fn build(builder: ArrayDataBuilder) -> ArrayData {
    match builder.build() {
        Ok(array) => array,
        Err(error) => panic!("the decoder laid out a column wrongly: {error}"),
    }
}
