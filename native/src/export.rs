//! Columns become Arrow arrays, without a copy of their values.

use std::collections::HashMap;

use arrow_buffer::Buffer;
use arrow_data::{ArrayData, ArrayDataBuilder};
use arrow_schema::{DataType, Field, Fields, Schema};

use crate::data::Data;
use crate::table::Table;

/// A struct array and the schema that it stands for.
pub struct Batch {
    pub schema: Schema,
    pub rows: ArrayData,
}

/// The metadata of columns whose texts are JSON.
const JSON_KEY: &str = "json";
const DECIMAL: DataType = DataType::Decimal128(38, 0);

/// Takes all rows out of the table.
pub fn export(table: &mut Table) -> Batch {
    let count = std::mem::take(&mut table.rows);
    let mut fields = Vec::with_capacity(table.columns.len());
    let mut stored = Vec::with_capacity(table.columns.len());
    let mut arrays = Vec::with_capacity(table.columns.len());
    for column in &mut table.columns {
        let name = String::from_utf8_lossy(&column.name).into_owned();
        let (data, valid) = column.take(count);
        fields.push(build_field(&name, &data));
        let array = build_array(data, count, valid);
        stored.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let rows =
        ArrayData::builder(DataType::Struct(Fields::from(stored))).len(count).child_data(arrays);
    Batch { schema: Schema::new(fields), rows: build(rows) }
}

fn build_field(name: &str, data: &Data) -> Field {
    let kind = match data {
        Data::Null => DataType::Null,
        Data::Bool(_) => DataType::Boolean,
        Data::Int(_) => DataType::Int64,
        Data::Decimal(_) => DECIMAL,
        Data::Float(_) => DataType::Float64,
        Data::Text(_) | Data::Json(_) => DataType::Utf8,
    };
    let field = Field::new(name, kind, true);
    match data {
        Data::Json(_) => {
            field.with_metadata(HashMap::from([(JSON_KEY.to_owned(), "1".to_owned())]))
        }
        _ => field,
    }
}

fn build_array(data: Data, count: usize, valid: Option<Vec<u8>>) -> ArrayData {
    // Text is handed to the builder as bytes, whose layout is the same: that it is UTF-8 was
    // checked when its page came.
    let (kind, buffers) = match data {
        Data::Null => return build(ArrayData::builder(DataType::Null).len(count)),
        Data::Bool(bits) => (DataType::Boolean, vec![Buffer::from_vec(bits.into_vec(count))]),
        Data::Int(values) => (DataType::Int64, vec![Buffer::from_vec(values)]),
        Data::Decimal(values) => (DECIMAL, vec![Buffer::from_vec(values)]),
        Data::Float(values) => (DataType::Float64, vec![Buffer::from_vec(values)]),
        Data::Text(text) | Data::Json(text) => {
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
