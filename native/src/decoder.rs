//! A run's decoder: pages in, batches out. A page counts wholly or not at all.

use std::collections::HashSet;

use crate::export::{Batch, export};
use crate::failure::{Failure, Kind, Result};
use crate::nested::Nesting;
use crate::page::{Aim, Leave, Page, Value};
use crate::table::{COLUMNS_MAX, Limits, Table};
use crate::tree::Tree;

const PAGE_BYTES_MAX: usize = i32::MAX as usize;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub struct Decoder {
    table: Table,
    rows_path: Vec<String>,
    aims: Tree<Aim>,
    values: usize,
    bytes: usize,
    /// Fields of the stream's rows in earlier runs.
    known: HashSet<Box<[u8]>>,
    leave: Leave,
    /// Pieces of bodies that were not UTF-8, and became U+FFFD, since the last flush.
    replaced: usize,
}

/// What a decoder takes for granted.
#[derive(Default)]
pub struct Options {
    /// Nested values become structs and lists, else they are JSON text.
    pub structs: bool,
    /// Only what proves to be rows of this stream passes: a list, or one object that the caller
    /// takes for a row, with fields that were there before.
    pub proof: bool,
    /// A body that holds nothing is a page without rows all the same.
    pub nothing: bool,
    /// Fields that the stream's rows had before this run.
    pub known: Vec<String>,
}

impl Decoder {
    /// `rows_path` leads to the rows in a body, `envelope` to values beside them, and `extract`
    /// leads to values inside a row that become columns, named by the path's keys with dots
    /// between.
    pub fn new(
        rows_path: Vec<String>,
        envelope: &[Vec<String>],
        extract: &[Vec<String>],
        options: Options,
    ) -> Self {
        let mut aims = Tree::new();
        aims.add(&rows_path, Aim::Rows);
        for (index, path) in envelope.iter().enumerate() {
            aims.add(path, Aim::Value(index));
        }
        let mut inside = Tree::new();
        for path in extract.iter().filter(|path| path.len() > 1) {
            inside.add(path, path.join("."));
        }
        let nesting = if options.structs { Nesting::structs() } else { Nesting::none() };
        let table = Table::new(inside, Limits { columns: COLUMNS_MAX, nesting });
        Decoder {
            table,
            rows_path,
            aims,
            values: envelope.len(),
            bytes: 0,
            known: options.known.into_iter().map(|name| name.into_bytes().into()).collect(),
            leave: Leave {
                nothing: options.nothing || !options.proof,
                lone_object: !options.proof,
                strangers: !options.proof,
            },
            replaced: 0,
        }
    }

    /// Rows since the last flush.
    pub fn rows(&self) -> usize {
        self.table.rows
    }

    /// Bytes of the pages since the last flush.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// All columns of the run so far.
    pub fn fields(&self) -> Vec<String> {
        let names = self.table.columns.iter().map(|column| &column.name);
        names.map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    /// Rows of this page, and the envelope's values. After a failure everything is as it was
    /// before. With `lone_object` a page that is one object is one row, whatever its keys are.
    pub fn push(&mut self, page: &[u8], lone_object: bool) -> Result<(usize, Vec<Value>)> {
        self.table.begin();
        match self
            .read(page, Leave { lone_object: lone_object || self.leave.lone_object, ..self.leave })
        {
            Ok((values, replaced)) => {
                self.table.commit();
                self.bytes += page.len();
                self.replaced += replaced;
                Ok((self.table.new_rows(), values))
            }
            Err(failure) => {
                self.table.restore();
                Err(failure.placed(page.strip_prefix(BYTE_ORDER_MARK).unwrap_or(page)))
            }
        }
    }

    /// The envelope's values, and how many pieces of the page were not UTF-8.
    fn read(&mut self, page: &[u8], leave: Leave) -> Result<(Vec<Value>, usize)> {
        if page.len() > PAGE_BYTES_MAX {
            return Err(Failure::new(Kind::TooLarge, "the page has 2 GiB or more"));
        }
        let body = page.strip_prefix(BYTE_ORDER_MARK).unwrap_or(page);
        if simdutf8::basic::from_utf8(body).is_ok() {
            return Ok((self.read_text(body, leave)?, 0));
        }
        self.read_mended(body, leave)
    }

    fn read_text(&mut self, body: &[u8], leave: Leave) -> Result<Vec<Value>> {
        let page = Page::new(&mut self.table, &self.aims, self.values);
        page.read(body, &self.rows_path, leave, &self.known)
    }

    /// A body that is not UTF-8: what is wrong becomes U+FFFD, and is counted. Where that is no JSON
    /// either, the grammar is what is wrong first.
    #[cold]
    fn read_mended(&mut self, body: &[u8], leave: Leave) -> Result<(Vec<Value>, usize)> {
        let mut mended = Vec::with_capacity(body.len() + body.len() / 8);
        let mut replaced = 0;
        for chunk in body.utf8_chunks() {
            mended.extend_from_slice(chunk.valid().as_bytes());
            if !chunk.invalid().is_empty() {
                mended.extend_from_slice("\u{fffd}".as_bytes());
                replaced += 1;
            }
        }
        Ok((self.read_text(&mended, leave)?, replaced))
    }

    /// What became U+FFFD since the last flush: how often in each column, and, without a name, how
    /// many pieces of bodies were not UTF-8.
    pub fn replaced(&self) -> Vec<(Option<String>, usize)> {
        let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let columns = self.table.columns.iter().filter(|column| column.replaced > 0);
        let mut found: Vec<_> =
            columns.map(|column| (Some(name(&column.name)), column.replaced)).collect();
        if self.replaced > 0 {
            found.push((None, self.replaced));
        }
        found
    }

    /// All rows since the last flush. Columns and their types stay for the next ones.
    pub fn flush(&mut self) -> Batch {
        self.bytes = 0;
        self.replaced = 0;
        self.table.columns.iter_mut().for_each(|column| column.replaced = 0);
        export(&mut self.table)
    }
}
