//! Finds, in sixteen bytes at once, those that end a plain run of a JSON string: quote, backslash,
//! control character.

use crate::columns::bytes::Chunk;

/// One bit for each byte that is not plain; the lowest bit is the first byte.
#[inline(always)]
pub fn stops(chunk: Chunk) -> u32 {
    let is = |byte: u8| chunk.simd_eq(Chunk::splat(byte));
    let is_control = chunk.min(Chunk::splat(0x1f)).simd_eq(chunk);
    (is(b'"') | is(b'\\') | is_control).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::bytes::WIDTH;

    #[test]
    fn every_byte_is_judged_at_every_place() {
        let is_stop = |byte: u8| byte == b'"' || byte == b'\\' || byte < 0x20;
        for byte in 0..=255u8 {
            for place in 0..WIDTH {
                for filler in [b'a', 0xff, b'"', 0x80] {
                    let mut chunk = [filler; WIDTH];
                    chunk[place] = byte;
                    let wanted =
                        (0..WIDTH).fold(0, |mask, i| mask | u32::from(is_stop(chunk[i])) << i);
                    assert_eq!(stops(Chunk::new(chunk)), wanted, "{chunk:?}");
                }
            }
        }
    }
}
