//! Columns give their rows away.

use arrow_data::ArrayData;
use arrow_schema::{Field, Schema};

use crate::columns::arrays::{Batch, build_array, build_field, build_struct};
use crate::columns::data::Data;
use crate::json::column::Column;
use crate::json::odd::quote_odd;
use crate::json::table::Table;

/// Takes all rows out of the table.
pub fn export(table: &mut Table) -> Batch {
    let count = std::mem::take(&mut table.rows);
    let mut fields = Vec::with_capacity(table.columns.len());
    let mut arrays = Vec::with_capacity(table.columns.len());
    for column in &mut table.columns {
        let (field, array) = take_column(column, count);
        fields.push(field);
        arrays.push(array);
    }
    let rows = build_struct(&fields, arrays, count, None);
    Batch { schema: Schema::new(fields), rows }
}

/// The values of `count` rows: nested ones where the column's texts can be read as such.
pub fn take_column(column: &mut Column, count: usize) -> (Field, ArrayData) {
    let name = String::from_utf8_lossy(&column.name).into_owned();
    let (data, valid) = column.take(count);
    if let (Data::Json(text), Some(shape)) = (&data, &mut column.shape)
        && let Some((kind, array)) = shape.read(text, valid.as_deref(), count)
    {
        return (Field::new(name, kind, true), array);
    }
    let data = if column.is_odd { quote_odd(data, count) } else { data };
    let field = build_field(&name, &data);
    (field, build_array(data, count, valid))
}
