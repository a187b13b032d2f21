//! Bits in Arrow's order (lowest first). Bits behind the last one that was set are zero, and may
//! not be stored yet.

#[derive(Debug, Default, Clone, PartialEq)]
pub struct Bits {
    bytes: Vec<u8>,
}

impl Bits {
    pub fn ones(count: usize) -> Self {
        let mut bits = Bits { bytes: vec![0xff; count.div_ceil(8)] };
        bits.truncate(count);
        bits
    }

    pub fn from_slice(bytes: &[u8]) -> Self {
        Bits { bytes: bytes.to_vec() }
    }

    #[inline(always)]
    pub fn set(&mut self, place: usize) {
        let byte = place >> 3;
        if byte >= self.bytes.len() {
            self.bytes.resize(byte + 1, 0);
        }
        self.bytes[byte] |= 1 << (place & 7);
    }

    pub fn get(&self, place: usize) -> bool {
        self.bytes.get(place >> 3).is_some_and(|byte| byte >> (place & 7) & 1 == 1)
    }

    /// Clears every bit from `count` on.
    pub fn truncate(&mut self, count: usize) {
        self.bytes.truncate(count.div_ceil(8));
        if count & 7 != 0 && self.bytes.len() == count.div_ceil(8) {
            let last = self.bytes.len() - 1;
            self.bytes[last] &= (1 << (count & 7)) - 1;
        }
    }

    pub fn into_vec(mut self, count: usize) -> Vec<u8> {
        self.bytes.resize(count.div_ceil(8), 0);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncating_clears_what_lies_behind() {
        for count in 0..40 {
            let mut bits = Bits::ones(40);
            bits.truncate(count);
            assert!((0..48).all(|i| bits.get(i) == (i < count)), "{count}");
            bits.set(41);
            assert!((0..48).all(|i| bits.get(i) == (i < count || i == 41)), "{count}");
        }
    }
}
