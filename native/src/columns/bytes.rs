//! Bytes that grow and take whole chunks: what lies behind `used` is scratch, so that a string is
//! copied while its end is still being looked for.

use wide::u8x16;

/// Bytes of a chunk: what a processor handles at once.
pub const WIDTH: usize = 16;
pub type Chunk = u8x16;

#[derive(Debug, Default, Clone)]
pub struct Bytes {
    data: Vec<u8>,
    used: usize,
}

impl Bytes {
    pub fn with_room(room: usize) -> Self {
        // Zeroed memory comes untouched from the system: room that is not used costs nothing.
        Bytes { data: vec![0; room], used: 0 }
    }

    #[inline(always)]
    pub fn used(&self) -> usize {
        self.used
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.data[..self.used]
    }

    /// Writes behind the used bytes, without counting them as used.
    #[inline(always)]
    pub fn lay(&mut self, chunk: Chunk) {
        if self.data.len() - self.used < WIDTH {
            self.grow(WIDTH);
        }
        self.data[self.used..self.used + WIDTH].copy_from_slice(&chunk.to_array());
    }

    /// Counts `count` bytes that were laid as used.
    #[inline(always)]
    pub fn keep(&mut self, count: usize) {
        debug_assert!(self.used + count <= self.data.len());
        self.used += count;
    }

    #[inline(always)]
    pub fn push(&mut self, more: &[u8]) {
        let end = self.used + more.len();
        if end > self.data.len() {
            self.grow(more.len());
        }
        self.data[self.used..end].copy_from_slice(more);
        self.used = end;
    }

    pub fn truncate(&mut self, used: usize) {
        debug_assert!(used <= self.used);
        self.used = used;
    }

    pub fn into_vec(mut self) -> Vec<u8> {
        self.data.truncate(self.used);
        self.data
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) {
        let mut data = vec![0; (self.data.len() * 2).max(self.used + more).max(256)];
        data[..self.used].copy_from_slice(&self.data[..self.used]);
        self.data = data;
    }
}
