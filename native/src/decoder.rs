//! A run's decoder: pages in, batches out. A page counts wholly or not at all.

use crate::export::{Batch, export};
use crate::failure::{Failure, Kind, Result};
use crate::nested::Nesting;
use crate::page::{Aim, Page, Value};
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
}

impl Decoder {
    /// `rows_path` leads to the rows in a body, `envelope` to values beside them, and `extract`
    /// leads to values inside a row that become columns, named by the path's keys with dots
    /// between. With `structs` nested values become structs and lists, else they are JSON text.
    pub fn new(
        rows_path: Vec<String>,
        envelope: &[Vec<String>],
        extract: &[Vec<String>],
        structs: bool,
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
        let nesting = if structs { Nesting::structs() } else { Nesting::none() };
        let table = Table::new(inside, Limits { columns: COLUMNS_MAX, nesting });
        Decoder { table, rows_path, aims, values: envelope.len(), bytes: 0 }
    }

    /// Rows since the last flush.
    pub fn rows(&self) -> usize {
        self.table.rows
    }

    /// Bytes of the pages since the last flush.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Rows of this page, and the envelope's values. After a failure everything is as it was
    /// before.
    pub fn push(&mut self, page: &[u8]) -> Result<(usize, Vec<Value>)> {
        self.table.begin();
        match self.read(page) {
            Ok(values) => {
                self.table.commit();
                self.bytes += page.len();
                Ok((self.table.new_rows(), values))
            }
            Err(failure) => {
                self.table.restore();
                Err(failure)
            }
        }
    }

    fn read(&mut self, page: &[u8]) -> Result<Vec<Value>> {
        if page.len() > PAGE_BYTES_MAX {
            return Err(Failure::new(Kind::TooLarge, "the page has 2 GiB or more"));
        }
        let body = page.strip_prefix(BYTE_ORDER_MARK).unwrap_or(page);
        if simdutf8::basic::from_utf8(body).is_ok() {
            return self.read_text(body);
        }
        Err(self.explain_encoding(body))
    }

    fn read_text(&mut self, body: &[u8]) -> Result<Vec<Value>> {
        Page::new(&mut self.table, &self.aims, self.values).read(body, &self.rows_path)
    }

    /// What is wrong first with a body that is not UTF-8: its grammar, the encoding, or that it
    /// breaks off.
    #[cold]
    fn explain_encoding(&mut self, body: &[u8]) -> Box<Failure> {
        let Err(error) = simdutf8::compat::from_utf8(body) else {
            return Failure::new(Kind::NotJson, "the body is not UTF-8");
        };
        let good = error.valid_up_to();
        match self.read_text(&body[..good]) {
            Err(failure)
                if failure.kind != Kind::Truncated && failure.kind != Kind::PathNotFound =>
            {
                failure
            }
            _ if error.error_len().is_none() => Failure::new(
                Kind::Truncated,
                format!("the body ends inside of a character at byte {good}"),
            ),
            _ => Failure::new(Kind::NotJson, format!("the body is not UTF-8 at byte {good}")),
        }
    }

    /// All rows since the last flush. Columns and their types stay for the next ones.
    pub fn flush(&mut self) -> Batch {
        self.bytes = 0;
        export(&mut self.table)
    }
}
