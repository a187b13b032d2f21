//! A run's decoder: pages in, batches out. A page counts wholly or not at all.

use std::collections::HashSet;

use crate::columns::arrays::Batch;
use crate::failure::{Failure, Kind, Result};
use crate::json::export::export;
use crate::json::nested::Nesting;
use crate::json::page::{Aim, Leave, Page, Said};
use crate::json::table::{COLUMNS_MAX, Limits, Table};
use crate::json::tree::Tree;
use crate::json::value::Value;

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
    /// The digest of each row of the last page that had rows, where overlaps are looked for.
    marks: Option<Vec<u64>>,
    /// Pieces of bodies that were not UTF-8, and became U+FFFD, since the last flush.
    replaced: usize,
}

/// What a page says beside the rows that it adds.
pub struct Pushed {
    pub rows: usize,
    pub values: Vec<Value>,
    /// Tells the rows' text from that of others; 0 where there are none.
    pub digest: u64,
    /// The rows have the digest that the caller knows, and were not added.
    pub repeated: bool,
    /// How many of the page's first rows are the last ones of the page before.
    pub overlap: usize,
}

/// Dots in a path beyond which not every key that may hold some of them is looked for.
const JOINTS_MAX: usize = 6;

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
    /// Pages are looked at for rows that the page before ended with.
    pub overlaps: bool,
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
        for (rank, path) in spellings(&rows_path).iter().enumerate() {
            aims.add(path, Aim::Rows { rank });
        }
        for (index, path) in envelope.iter().enumerate() {
            for (rank, path) in spellings(path).iter().enumerate() {
                aims.add(path, Aim::Value { index, rank });
            }
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
            marks: options.overlaps.then(Vec::new),
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

    /// Takes a page, unless its rows have the digest `unless`. After a failure everything is as it
    /// was before. With `lone_object` a page that is one object is one row, whatever its keys are.
    pub fn push(&mut self, page: &[u8], lone_object: bool, unless: Option<u64>) -> Result<Pushed> {
        self.table.begin();
        match self
            .read(page, Leave { lone_object: lone_object || self.leave.lone_object, ..self.leave })
        {
            Ok((said, replaced)) => {
                self.bytes += page.len();
                self.replaced += replaced;
                Ok(self.take(said, unless))
            }
            Err(failure) => {
                self.table.restore();
                Err(failure.placed(page.strip_prefix(BYTE_ORDER_MARK).unwrap_or(page)))
            }
        }
    }

    fn take(&mut self, said: Said, unless: Option<u64>) -> Pushed {
        let Said { values, digest, marks } = said;
        let rows = self.table.new_rows();
        if digest != 0 && unless == Some(digest) {
            self.table.restore();
            return Pushed { rows, values, digest, repeated: true, overlap: 0 };
        }
        self.table.commit();
        let mut overlap = 0;
        if let Some(before) = &mut self.marks
            && !marks.is_empty()
        {
            overlap = count_overlap(before, &marks);
            *before = marks;
        }
        Pushed { rows, values, digest, repeated: false, overlap }
    }

    /// What is beside the rows, and how many pieces of the page were not UTF-8.
    fn read(&mut self, page: &[u8], leave: Leave) -> Result<(Said, usize)> {
        if page.len() > PAGE_BYTES_MAX {
            return Err(Failure::new(Kind::TooLarge, "the body has 2 GiB or more"));
        }
        let body = page.strip_prefix(BYTE_ORDER_MARK).unwrap_or(page);
        if simdutf8::basic::from_utf8(body).is_ok() {
            return Ok((self.read_text(body, leave)?, 0));
        }
        self.read_mended(body, leave)
    }

    fn read_text(&mut self, body: &[u8], leave: Leave) -> Result<Said> {
        let page = Page::new(&mut self.table, &self.aims, self.values, self.marks.is_some());
        page.read(body, &self.rows_path, leave, &self.known)
    }

    /// A body that is not UTF-8: what is wrong becomes U+FFFD, and is counted. Where that is no JSON
    /// either, the grammar is what is wrong first.
    #[cold]
    fn read_mended(&mut self, body: &[u8], leave: Leave) -> Result<(Said, usize)> {
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

/// The sequences of keys that a path may mean: the one with the longest keys first, its own last.
fn spellings(path: &[String]) -> Vec<Vec<String>> {
    let joints = path.len().saturating_sub(1);
    if joints > JOINTS_MAX {
        return vec![vec![path.join(".")], path.to_vec()];
    }
    let mut found: Vec<Vec<String>> = (0..1usize << joints)
        .map(|cuts| {
            let mut keys: Vec<String> = Vec::new();
            for (at, key) in path.iter().enumerate() {
                match keys.last_mut() {
                    Some(last) if cuts >> (joints - at) & 1 == 0 => {
                        last.push('.');
                        last.push_str(key);
                    }
                    _ => keys.push(key.clone()),
                }
            }
            keys
        })
        .collect();
    found.sort_by_key(Vec::len);
    found
}

/// The greatest number of rows that end one page and begin the next.
fn count_overlap(before: &[u64], after: &[u64]) -> usize {
    (1..=before.len().min(after.len()))
        .rev()
        .find(|length| before[before.len() - length..] == after[..*length])
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{count_overlap, spellings};

    #[test]
    fn a_path_may_mean_keys_with_dots() {
        let path: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        let spelled: Vec<String> = spellings(&path).iter().map(|keys| keys.join("/")).collect();
        assert_eq!(spelled, ["a.b.c", "a.b/c", "a/b.c", "a/b/c"]);
        assert_eq!(spellings(&[]), [Vec::<String>::new()]);
    }

    #[test]
    fn an_overlap_is_where_one_page_ends_and_the_next_begins() {
        assert_eq!(count_overlap(&[1, 2, 3], &[4, 5]), 0);
        assert_eq!(count_overlap(&[1, 2, 3], &[3, 4]), 1);
        assert_eq!(count_overlap(&[1, 2, 3], &[2, 3, 4]), 2);
        assert_eq!(count_overlap(&[1, 2, 3], &[1, 2]), 0);
        assert_eq!(count_overlap(&[], &[1]), 0);
    }
}
