//! A page's body: where its rows are, and the values around them that say where the next page is.

use std::collections::HashSet;
use std::ops::Range;

use crate::columns::bytes::Bytes;
use crate::failure::{Failure, Kind, Result};
use crate::json::cursor::Cursor;
use crate::json::digest::{digest, join};
use crate::json::explain::{
    describe, explain_missing, explain_rest, is_empty, is_map_of_rows, list_keys, members, type_of,
};
use crate::json::table::Table;
use crate::json::tree::{Place, ROOT, Tree};
use crate::json::value::{Value, parse_value, string};

/// What a path in the body is for. A key may hold dots itself, so that one path can be spelled by
/// several sequences of keys; of those that a body has, the one with the lowest rank counts.
#[derive(Clone, Copy, PartialEq)]
pub enum Aim {
    Rows { rank: usize },
    Value { index: usize, rank: usize },
}

impl Aim {
    fn rows_rank(&self) -> Option<usize> {
        match self {
            Aim::Rows { rank } => Some(*rank),
            Aim::Value { .. } => None,
        }
    }
}

const NO_RANK: usize = usize::MAX;

/// What a page says beside the columns of its rows.
pub struct Said {
    pub values: Vec<Value>,
    /// Tells the text of the rows from that of other rows; 0 where there are none.
    pub digest: u64,
    /// The same for each row, where that was asked for.
    pub marks: Vec<u64>,
}

pub struct Page<'p> {
    table: &'p mut Table,
    aims: &'p Tree<Aim>,
    values: Vec<(Value, usize)>,
    found: Option<Found>,
    rows_rank: usize,
    digest: u64,
    /// The digest of rows whose key stood again; 0 where there are none.
    dropped: u64,
    marks: Option<Vec<u64>>,
}

/// What stands in the place of rows.
enum Found {
    List,
    /// One object, and its text.
    Object(Range<usize>),
    Nothing(&'static str),
}

/// What a page may be, beside a list of rows.
#[derive(Clone, Copy, Default)]
pub struct Leave {
    /// A body that holds nothing is a page without rows.
    pub nothing: bool,
    /// One object is one row, whatever its keys are.
    pub lone_object: bool,
    /// Rows need share no field with those before.
    pub strangers: bool,
}

impl<'p> Page<'p> {
    pub fn new(table: &'p mut Table, aims: &'p Tree<Aim>, values: usize, with_marks: bool) -> Self {
        Page {
            table,
            aims,
            values: vec![(Value::Missing, NO_RANK); values],
            found: None,
            rows_rank: NO_RANK,
            digest: 0,
            dropped: 0,
            marks: with_marks.then(Vec::new),
        }
    }

    fn said(self) -> Said {
        Said {
            values: self.values.into_iter().map(|(value, _)| value).collect(),
            digest: self.digest,
            marks: self.marks.unwrap_or_default(),
        }
    }

    /// What is beside the rows; the rows are in the table then. On a failure the table is left
    /// half done. Anything but a list proves no end: without a `leave` it is a failure.
    pub fn read(
        mut self,
        body: &[u8],
        rows_path: &[String],
        leave: Leave,
        known: &HashSet<Box<[u8]>>,
    ) -> Result<Said> {
        let mut cursor = Cursor::new(body);
        cursor.skip_space();
        if cursor.at == body.len() {
            if leave.nothing {
                return Ok(self.said());
            }
            return Err(Failure::new(Kind::Empty, "the body is empty"));
        }
        let start = cursor.at;
        self.read_place(&mut cursor, ROOT, true)?;
        let root = &body[start..cursor.at];
        cursor.skip_space();
        if cursor.at < body.len() {
            return Err(explain_rest(&cursor));
        }
        // Of a key that stands twice the last one counts, but rows are not to be lost by that.
        if self.dropped != 0 && self.dropped != self.digest {
            return Err(Failure::new(Kind::Twice, "the body has two lists of rows"));
        }
        self.judge(body, root, rows_path, leave, known)?;
        Ok(self.said())
    }

    /// Whether what was found is a page of this stream.
    fn judge(
        &mut self,
        body: &[u8],
        root: &[u8],
        rows_path: &[String],
        leave: Leave,
        known: &HashSet<Box<[u8]>>,
    ) -> Result<()> {
        match self.found.take() {
            Some(Found::List) if leave.strangers => Ok(()),
            // Rows without a single field are `{}` in the place of nothing.
            Some(Found::List) if self.table.new_rows() > 0 && self.table.columns.is_empty() => {
                if !leave.nothing {
                    return Err(Failure::new(Kind::Nothing, "no row has a field"));
                }
                self.table.restore();
                Ok(())
            }
            Some(Found::List) => self.check_fields(known, None),
            Some(Found::Object(range)) if !leave.lone_object => {
                self.check_fields(known, Some(&body[range]))
            }
            Some(Found::Object(_)) => Ok(()),
            Some(Found::Nothing(_)) if leave.nothing => Ok(()),
            Some(Found::Nothing(what)) => {
                let detail = format!("found {what} instead of rows");
                Err(Failure::new(Kind::Nothing, detail))
            }
            None => {
                let failure = explain_missing(root, rows_path)?;
                if failure.kind == Kind::Nothing && leave.nothing {
                    return Ok(());
                }
                Err(failure)
            }
        }
    }

    /// Whether the rows can be such of this stream: some field of theirs is `known`, or was there
    /// before. An object alone has no other field than those, or the caller decides.
    fn check_fields(&self, known: &HashSet<Box<[u8]>>, lone: Option<&[u8]>) -> Result<()> {
        let (mut new, mut shares) = self.table.new_fields();
        let mut brings = false;
        let mut strange = false;
        new.by_ref().for_each(|name| {
            let is_known = known.contains(name);
            shares |= is_known;
            strange |= !is_known;
            brings = true;
        });
        let has_known = !known.is_empty() || self.table.had_fields();
        if let Some(text) = lone
            && (strange || !has_known)
        {
            let inside = members(text)?;
            let kind = if is_map_of_rows(&inside)? { Kind::MapOfRows } else { Kind::LoneObject };
            let failure = Failure::new(kind, "found one object instead of rows");
            let keys = inside.into_iter().map(|(key, value)| (key, describe(value)));
            return Err(failure.with_keys(keys.collect()));
        }
        if has_known && brings && !shares {
            let (new, _) = self.table.new_fields();
            let keys: Vec<_> = new.map(|name| (string(name), "")).collect();
            let listed = list_keys(keys.iter().map(|(name, _)| name.clone()));
            let detail = format!("the rows have no earlier field, only {listed}");
            return Err(Failure::new(Kind::Strangers, detail).with_keys(keys));
        }
        Ok(())
    }

    /// One value, at a place of the tree. `for_rows` is off on a second walk, which looks for
    /// values only.
    fn read_place(&mut self, cursor: &mut Cursor<'_>, place: Place, for_rows: bool) -> Result<()> {
        let node = self.aims.node(place);
        let byte = cursor.next_byte("a value")?;
        let start = cursor.at;
        let rank = node.ends.iter().find_map(Aim::rows_rank);
        if let Some(rank) = rank.filter(|rank| for_rows && *rank < self.rows_rank) {
            self.read_ranked_rows(cursor, rank)?;
            if byte == b'{' && !node.children.is_empty() {
                self.read_members(&mut Cursor::new(&cursor.text[start..cursor.at]), place, false)?;
            }
        } else if byte == b'{' && !node.children.is_empty() {
            self.read_members(cursor, place, for_rows)?;
        } else {
            cursor.skip_value()?;
        }
        for aim in &node.ends {
            if let Aim::Value { index, rank } = aim
                && *rank < self.values[*index].1
            {
                self.values[*index] = (parse_value(&cursor.text[start..cursor.at])?, *rank);
            }
        }
        Ok(())
    }

    /// Rows, in the place of those of a higher rank that were before them.
    fn read_ranked_rows(&mut self, cursor: &mut Cursor<'_>, rank: usize) -> Result<()> {
        if self.found.is_some() {
            self.forget_rows();
        }
        let start = cursor.at;
        self.found = Some(self.read_rows(cursor)?);
        self.rows_rank = rank;
        if self.table.new_rows() > 0 {
            // Where each row is looked at anyway, no byte is looked at twice.
            self.digest = match &self.marks {
                Some(marks) if !marks.is_empty() => join(marks),
                _ => digest(&cursor.text[start..cursor.at]),
            };
        }
        Ok(())
    }

    fn forget_rows(&mut self) {
        self.table.restore();
        self.found = None;
        self.rows_rank = NO_RANK;
        self.digest = 0;
        if let Some(marks) = &mut self.marks {
            marks.clear();
        }
    }

    fn read_members(
        &mut self,
        cursor: &mut Cursor<'_>,
        place: Place,
        for_rows: bool,
    ) -> Result<()> {
        cursor.open()?;
        if cursor.next_byte("a key or a closing bracket")? == b'}' {
            cursor.close();
            return Ok(());
        }
        let mut scratch = Bytes::default();
        loop {
            match self.aims.node(place).child(cursor.key(&mut scratch)?) {
                Some(child) => {
                    self.forget(child, for_rows);
                    self.read_place(cursor, child, for_rows)?;
                }
                None => cursor.skip_value()?,
            }
            if !cursor.another(b'}')? {
                return Ok(());
            }
        }
    }

    /// Takes back what was found at and below `place`: its key stands twice, and the last one
    /// counts.
    fn forget(&mut self, place: Place, for_rows: bool) {
        let node = self.aims.node(place);
        for aim in &node.ends {
            match aim {
                Aim::Value { index, rank } if self.values[*index].1 == *rank => {
                    self.values[*index] = (Value::Missing, NO_RANK);
                }
                Aim::Rows { rank } if for_rows && self.rows_rank == *rank => {
                    self.dropped = self.digest;
                    self.forget_rows();
                }
                Aim::Value { .. } | Aim::Rows { .. } => {}
            }
        }
        for (_, child) in &node.children {
            self.forget(*child, for_rows);
        }
    }

    /// A list of objects, or one object. An object without members holds no row.
    fn read_rows(&mut self, cursor: &mut Cursor<'_>) -> Result<Found> {
        match cursor.next_byte("a value")? {
            b'[' => {
                self.read_list(cursor)?;
                Ok(Found::List)
            }
            b'{' => {
                let start = cursor.at;
                self.table.read_row(cursor)?;
                if is_empty(&cursor.text[start..cursor.at]) {
                    self.table.rows -= 1;
                    return Ok(Found::Nothing("an empty object"));
                }
                Ok(Found::Object(start..cursor.at))
            }
            b'n' => {
                cursor.word(b"null")?;
                Ok(Found::Nothing("null"))
            }
            byte => {
                cursor.skip_value()?;
                Err(Failure::new(
                    Kind::NotObjects,
                    format!("found {} instead of rows", type_of(byte)),
                ))
            }
        }
    }

    fn read_list(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        cursor.open()?;
        if cursor.next_byte("a row or a closing bracket")? == b']' {
            cursor.close();
            return Ok(());
        }
        loop {
            let byte = cursor.next_byte("a row")?;
            if byte != b'{' {
                cursor.skip_value()?;
                let row = self.table.new_rows();
                return Err(Failure::new(
                    Kind::NotObjects,
                    format!("row {row} of the page is {}", type_of(byte)),
                ));
            }
            let (row, start) = (self.table.new_rows(), cursor.at);
            self.table.read_row(cursor).map_err(|failure| failure.in_row(row))?;
            if let Some(marks) = &mut self.marks {
                marks.push(digest(&cursor.text[start..cursor.at]));
            }
            if !cursor.another(b']').map_err(|failure| failure.in_row(row))? {
                return Ok(());
            }
        }
    }
}
