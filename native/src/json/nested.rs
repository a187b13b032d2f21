//! The JSON texts of a column as structs and lists, where all of them are of one kind.
//!
//! Objects are rows of a table of their own, and the elements of lists are rows of a table with one
//! column, so that whatever holds for rows holds inside of them too: columns are found as they
//! come, types widen, and what is nested deeper is read in the same way. What cannot be read so, be
//! it a column or a member, is text, and then for the rest of the run.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, Fields};

use crate::columns::arrays::{build_list, build_nulls, build_struct};
use crate::columns::bits::Bits;
use crate::columns::data::Text;
use crate::failure::{Failure, Kind as Why, Result};
use crate::json::column::Column;
use crate::json::cursor::Cursor;
use crate::json::explain::is_empty;
use crate::json::export::take_column;
use crate::json::table::{Limits, Table};
use crate::json::tree::Tree;

/// Objects with more different keys than this are maps rather than records.
const MEMBERS_MAX: usize = 256;
/// Values that are nested deeper than this stay text.
const DEPTH_MAX: usize = 8;
/// Members of all nested values of a stream; what would bring more stays text.
const ALL_MAX: usize = 10_000;
/// Bytes of memory for a byte of text: objects that have few of many members take more.
const GROWTH_MAX: usize = 16;
const GROWTH_FREE: usize = 1 << 20;
const CELL_BYTES: usize = 8;

/// How much more may be nested.
#[derive(Clone)]
pub struct Nesting {
    levels: usize,
    /// Members that may still come, wherever they lie.
    room: Arc<AtomicUsize>,
}

impl Nesting {
    /// Nothing: nested values are text.
    pub fn none() -> Self {
        Nesting { levels: 0, room: Arc::default() }
    }

    pub fn structs() -> Self {
        Nesting { levels: DEPTH_MAX, room: Arc::new(AtomicUsize::new(ALL_MAX)) }
    }

    /// What is left one level deeper; None where that stays text.
    pub fn deeper(&self) -> Option<Self> {
        let levels = self.levels.checked_sub(1)?;
        Some(Nesting { levels, room: Arc::clone(&self.room) })
    }

    fn take(&self, members: usize) -> bool {
        let take = |room: usize| room.checked_sub(members);
        self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

/// What the values of a column have been so far.
pub struct Shape {
    kind: Kind,
    nesting: Nesting,
    members: usize,
}

enum Kind {
    Unknown,
    Objects(Box<Table>),
    Lists(Box<Table>),
    Text,
}

impl Shape {
    /// A column of which nothing is known.
    pub fn new(nesting: Nesting) -> Self {
        Shape { kind: Kind::Unknown, nesting, members: 0 }
    }

    /// The texts as an array, with the type that it stands for; None where they stay text.
    pub fn read(
        &mut self,
        text: &Text,
        valid: Option<&[u8]>,
        count: usize,
    ) -> Option<(DataType, ArrayData)> {
        let texts = Texts { text, valid: valid.map(Bits::from_slice), count };
        self.settle(&texts);
        let (read, members) = match &mut self.kind {
            Kind::Objects(table) => (read_objects(table, &texts), table.columns.len()),
            Kind::Lists(table) => (read_lists(table, &texts), table.columns.len()),
            Kind::Unknown | Kind::Text => return None,
        };
        let more = members - mem::replace(&mut self.members, members);
        // Whatever is the matter (too many keys, too many values for one array), the text is still
        // there.
        let read = read.ok().filter(|_| self.nesting.take(more));
        if read.is_none() {
            self.kind = Kind::Text;
        }
        read
    }

    /// What the column is from here on.
    fn settle(&mut self, texts: &Texts<'_>) {
        for (_, text) in texts.present() {
            let next = match (&self.kind, text[0]) {
                (Kind::Objects(_), b'{') | (Kind::Lists(_), b'[') => continue,
                (Kind::Unknown, b'{') => Kind::Objects(self.open(MEMBERS_MAX)),
                (Kind::Unknown, b'[') => Kind::Lists(self.open(1)),
                _ => Kind::Text,
            };
            self.kind = next;
            if matches!(self.kind, Kind::Text) {
                return;
            }
        }
    }

    fn open(&self, columns: usize) -> Box<Table> {
        Box::new(Table::new(Tree::new(), Limits { columns, nesting: self.nesting.clone() }))
    }
}

/// The texts of a column's rows.
struct Texts<'a> {
    text: &'a Text,
    valid: Option<Bits>,
    count: usize,
}

impl<'a> Texts<'a> {
    /// The text of a row; None where the row has no value.
    fn get(&self, row: usize) -> Option<&'a [u8]> {
        match &self.valid {
            Some(valid) if !valid.get(row) => None,
            _ => Some(self.text.get(row)),
        }
    }

    /// Whether so many members of so many rows are worth their memory.
    fn allow(&self, rows: usize, members: usize) -> Result<()> {
        let room = self.text.bytes.used().saturating_mul(GROWTH_MAX) + GROWTH_FREE;
        if rows.saturating_mul(members).saturating_mul(CELL_BYTES) > room {
            return Err(Failure::new(
                Why::TooManyColumns,
                "the objects have too many different members",
            ));
        }
        Ok(())
    }

    fn present(&self) -> impl Iterator<Item = (usize, &'a [u8])> {
        (0..self.count).filter_map(|row| self.get(row).map(|text| (row, text)))
    }
}

/// An object of which no member has a value is no value: there is no struct without members, and
/// which members others have must not show.
fn read_objects(table: &mut Table, texts: &Texts<'_>) -> Result<(DataType, ArrayData)> {
    for row in 0..texts.count {
        match texts.get(row) {
            Some(text) if !is_empty(text) => table.read_row(&mut Cursor::new(text))?,
            _ => table.rows += 1,
        }
    }
    table.rows = 0;
    table.commit();
    texts.allow(texts.count, table.columns.len())?;
    let mut fields = Vec::with_capacity(table.columns.len());
    let mut arrays = Vec::with_capacity(table.columns.len());
    for column in &mut table.columns {
        let (field, array) = take_inner(column, texts.count);
        if *field.data_type() != DataType::Null {
            fields.push(field);
            arrays.push(array);
        }
    }
    if fields.is_empty() {
        return Ok((DataType::Null, build_nulls(texts.count)));
    }
    let valid = find_valid(&arrays, texts.count);
    let array = build_struct(&fields, arrays, texts.count, valid);
    Ok((DataType::Struct(Fields::from(fields)), array))
}

fn read_lists(table: &mut Table, texts: &Texts<'_>) -> Result<(DataType, ArrayData)> {
    let mut valid = Bits::default();
    let mut ends = Vec::with_capacity(texts.count + 1);
    ends.push(0);
    for row in 0..texts.count {
        if let Some(text) = texts.get(row) {
            table.read_items(&mut Cursor::new(text))?;
            valid.set(row);
        }
        // No more elements than bytes, of which there are fewer than 2 GiB.
        ends.push(table.rows as i32);
    }
    let count = mem::take(&mut table.rows);
    table.commit();
    let (field, items) = take_inner(&mut table.columns[0], count);
    let array = build_list(ends, items, Some(valid.into_vec(texts.count)));
    let item = Field::new_list_field(field.data_type().clone(), true);
    Ok((DataType::List(item.into()), array))
}

/// A column inside. Nothing says there whether its text is JSON.
fn take_inner(column: &mut Column, count: usize) -> (Field, ArrayData) {
    let (field, array) = take_column(column, count);
    (field.with_metadata(HashMap::new()), array)
}

/// Rows in which a member has a value; None where that is so in each.
fn find_valid(members: &[ArrayData], count: usize) -> Option<Vec<u8>> {
    let mut valid = vec![0; count.div_ceil(8)];
    for member in members {
        let own = member.nulls()?.validity();
        valid.iter_mut().zip(own).for_each(|(bits, more)| *bits |= more);
    }
    Some(valid)
}
