//! Rows become columns here. The next key is nearly always the column that followed last time, so
//! that it is compared before it is looked up; what a page did can be taken back until the next one
//! begins.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::columns::bytes::Bytes;
use crate::failure::{Failure, Kind, Result};
use crate::json::column::Column;
use crate::json::cursor::Cursor;
use crate::json::nested::{Nesting, Shape};
use crate::json::tree::{Place, ROOT, Tree};

/// Columns of one stream.
pub const COLUMNS_MAX: usize = 10_000;
const NONE: u32 = u32::MAX;

/// How far a table goes.
pub struct Limits {
    /// Columns at the most.
    pub columns: usize,
    /// What of its nested values is read as such.
    pub nesting: Nesting,
}

pub struct Table {
    limits: Limits,
    pub columns: Vec<Column>,
    by_name: HashMap<Box<[u8]>, u32, RandomState>,
    pub rows: usize,
    /// The column that a row began with when last seen.
    first: u32,
    /// Paths inside rows that are columns of their own; each ends in its column's name.
    extract: Tree<String>,
    scratch: Bytes,
    before_rows: usize,
    before_columns: usize,
}

impl Table {
    pub fn new(extract: Tree<String>, limits: Limits) -> Self {
        Table {
            limits,
            columns: Vec::new(),
            by_name: HashMap::default(),
            rows: 0,
            first: NONE,
            extract,
            scratch: Bytes::default(),
            before_rows: 0,
            before_columns: 0,
        }
    }

    /// Remembers what the table is now.
    pub fn begin(&mut self) {
        self.before_rows = self.rows;
        self.before_columns = self.columns.len();
        self.columns.iter_mut().for_each(Column::begin);
    }

    /// Makes the table what it was at `begin`; may be called again, after further rows.
    pub fn restore(&mut self) {
        self.rows = self.before_rows;
        for column in self.columns.drain(self.before_columns..) {
            self.by_name.remove(&column.name);
        }
        self.columns.iter_mut().for_each(Column::restore);
    }

    pub fn commit(&mut self) {
        self.columns.iter_mut().for_each(Column::commit);
    }

    /// Rows since `begin`.
    pub fn new_rows(&self) -> usize {
        self.rows - self.before_rows
    }

    /// Fields that the page at hand brought, and whether it has any of those before.
    pub fn new_fields(&self) -> (impl Iterator<Item = &[u8]>, bool) {
        let (before, new) = self.columns.split_at(self.before_columns);
        (new.iter().map(|column| &*column.name), before.iter().any(Column::is_touched))
    }

    /// Whether fields were known before the page at hand.
    pub fn had_fields(&self) -> bool {
        self.before_columns > 0
    }

    /// One object, from its opening bracket on.
    pub fn read_row(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        cursor.open()?;
        if cursor.next_byte("a key or a closing bracket")? == b'}' {
            cursor.close();
            self.rows += 1;
            return Ok(());
        }
        let mut before = NONE;
        let mut expected = self.first;
        loop {
            cursor.next_byte("a key")?;
            let place = match self.columns.get(expected as usize) {
                Some(column) if column.pass_key(cursor) => expected,
                _ => self.find_next(cursor, before)?,
            };
            self.read_value(cursor, place)?;
            if !cursor.another(b'}')? {
                self.rows += 1;
                return Ok(());
            }
            before = place;
            expected = self.columns[place as usize].next;
        }
    }

    /// A list, from its opening bracket on; each element is a row of the one column.
    pub fn read_items(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        if self.columns.is_empty() {
            self.add(b"item", None)?;
        }
        cursor.open()?;
        if cursor.next_byte("a value or a closing bracket")? == b']' {
            cursor.close();
            return Ok(());
        }
        loop {
            self.read_value(cursor, 0)?;
            self.rows += 1;
            if !cursor.another(b']')? {
                return Ok(());
            }
        }
    }

    /// The column that the next key names, which will be expected behind `before` from now on.
    #[inline(never)]
    fn find_next(&mut self, cursor: &mut Cursor<'_>, before: u32) -> Result<u32> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let found = cursor.key(&mut scratch).and_then(|name| self.find_or_add(name, ROOT));
        self.scratch = scratch;
        let place = found?;
        match self.columns.get_mut(before as usize) {
            Some(column) => column.next = place,
            None => self.first = place,
        }
        Ok(place)
    }

    /// `parent` is the place in the extraction tree whose child a new column may be.
    fn find_or_add(&mut self, name: &[u8], parent: Place) -> Result<u32> {
        if let Some(place) = self.by_name.get(name) {
            return Ok(*place);
        }
        let inner = self.extract.node(parent).child(name);
        self.add(name, inner)
    }

    #[cold]
    fn add(&mut self, name: &[u8], extract: Option<Place>) -> Result<u32> {
        let Limits { columns, nesting } = &self.limits;
        if self.columns.len() == *columns {
            return Err(Failure::new(
                Kind::TooManyColumns,
                format!("the rows have more than {columns} fields"),
            ));
        }
        let place = self.columns.len() as u32;
        let mut column = Column::new(name);
        column.shape = nesting.deeper().map(Shape::new);
        column.extract = extract.filter(|inner| !self.extract.node(*inner).children.is_empty());
        self.columns.push(column);
        self.by_name.insert(name.into(), place);
        Ok(place)
    }

    /// One value, which becomes that of the column at `place` in the row at hand.
    #[inline(always)]
    fn read_value(&mut self, cursor: &mut Cursor<'_>, place: u32) -> Result<()> {
        let byte = cursor.next_byte("a value")?;
        let column = &mut self.columns[place as usize];
        if !column.is_aligned(self.rows) {
            if column.holds(self.rows)
                && let Some(inner) = column.extract
            {
                self.forget(inner);
            }
            self.columns[place as usize].align(self.rows);
            self.columns[place as usize].set_extracted(None);
        }
        let column = &mut self.columns[place as usize];
        match byte {
            b'"' => {
                let replaced = cursor.replaced;
                column.push_string(cursor)?;
                if cursor.replaced != replaced {
                    column.replaced += cursor.replaced - replaced;
                }
                Ok(())
            }
            b'-' | b'0'..=b'9' => {
                let start = cursor.at;
                let number = cursor.number()?;
                column.push_number(number, &cursor.text[start..cursor.at])
            }
            b'n' => {
                cursor.word(b"null")?;
                column.push_null();
                Ok(())
            }
            b't' => {
                cursor.word(b"true")?;
                column.push_bool(true)
            }
            b'f' => {
                cursor.word(b"false")?;
                column.push_bool(false)
            }
            b'{' | b'[' => self.read_nested(cursor, place, byte),
            b'N' | b'I' => {
                let start = cursor.at;
                let number = cursor.odd_number(start)?;
                column.push_number(number, &cursor.text[start..cursor.at])
            }
            _ => Err(cursor.unexpected("a value")),
        }
    }

    fn read_nested(&mut self, cursor: &mut Cursor<'_>, place: u32, byte: u8) -> Result<()> {
        let (start, replaced) = (cursor.at, cursor.replaced);
        cursor.is_odd = false;
        match self.columns[place as usize].extract {
            Some(inner) if byte == b'{' => self.read_inside(cursor, inner)?,
            _ => cursor.skip_nested()?,
        }
        let replaced = cursor.replaced - replaced;
        let column = &mut self.columns[place as usize];
        column.is_odd |= cursor.is_odd;
        column.replaced += replaced;
        column.push_passed(&cursor.text[start..cursor.at], replaced > 0)
    }

    /// Passes an object; the values that the extraction tree asks for below `place` become columns.
    fn read_inside(&mut self, cursor: &mut Cursor<'_>, place: Place) -> Result<()> {
        cursor.open()?;
        if cursor.next_byte("a key or a closing bracket")? == b'}' {
            cursor.close();
            return Ok(());
        }
        let mut scratch = Bytes::default();
        loop {
            let child = self.extract.node(place).child(cursor.key(&mut scratch)?);
            match child {
                Some(child) => self.read_child(cursor, child)?,
                None => cursor.skip_value()?,
            }
            if !cursor.another(b'}')? {
                return Ok(());
            }
        }
    }

    fn read_child(&mut self, cursor: &mut Cursor<'_>, place: Place) -> Result<()> {
        self.forget(place);
        if let Some(name) = self.extract.node(place).ends.first() {
            let found = self.by_name.get(name.as_bytes()).copied();
            let column = match found {
                Some(column) => column,
                None => {
                    let name = name.clone();
                    self.add(name.as_bytes(), Some(place))?
                }
            };
            let row = self.rows;
            if !self.columns[column as usize].holds(row) {
                self.read_value(cursor, column)?;
                self.columns[column as usize].set_extracted(Some(row));
                return Ok(());
            }
            // The row has a field of the path's own spelling, which comes before the path.
        }
        if cursor.next_byte("a value")? == b'{' {
            self.read_inside(cursor, place)
        } else {
            cursor.skip_value()
        }
    }

    /// Takes back what was extracted at and below `place` in the row at hand: its key stands twice,
    /// and the last one counts.
    fn forget(&mut self, place: Place) {
        let node = self.extract.node(place);
        if let Some(column) = node.ends.first().and_then(|name| self.by_name.get(name.as_bytes())) {
            let column = &mut self.columns[*column as usize];
            if column.is_extracted(self.rows) {
                column.align(self.rows);
            }
        }
        for child in 0..node.children.len() {
            self.forget(self.extract.node(place).children[child].1);
        }
    }
}
