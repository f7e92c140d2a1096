//! 64 bytes of a text at once: which of them part cells, and where they stand.
//!
//! Each step is here as any processor does it, and with the instructions that newer ones have for it.

use wide::u8x64;

use super::QUOTE;

/// Bytes of a block, a bit each in a mask of it.
pub(super) const BLOCK: usize = 64;
/// Positions written at once: few blocks have more.
const AT_ONCE: usize = 12;
/// Room for the positions of a block, and for what is written behind them.
pub(super) const ROOM: usize = BLOCK.next_multiple_of(AT_ONCE);

/// Which bytes of a block are what.
pub(super) struct Masks {
    pub(super) quote: u64,
    pub(super) feed: u64,
    pub(super) carriage: u64,
    pub(super) delimiter: u64,
}

/// Which bytes of a block are what.
#[inline(always)]
#[expect(clippy::inline_always, reason = "built anew for each processor that the caller is built for")]
pub(super) fn masks(block: &[u8; BLOCK], delimiter: u8) -> Masks {
    let block = u8x64::from(*block);
    let equal = |byte: u8| block.simd_eq(u8x64::splat(byte)).to_bitmask();
    Masks { quote: equal(QUOTE), feed: equal(b'\n'), carriage: equal(b'\r'), delimiter: equal(delimiter) }
}

/// Writes the positions of the set bits, counted from `base`; behind them any numbers, up to a whole [`AT_ONCE`]: no
/// branch depends on what nobody can foresee.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as `masks`")]
pub(super) fn write_positions(mut bits: u64, base: u32, room: &mut [u32; ROOM]) {
    for some in room.as_chunks_mut::<AT_ONCE>().0 {
        for position in some {
            *position = base + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
        if bits == 0 {
            break;
        }
    }
}

/// The same for processors with AVX-512.
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512 {
    use std::arch::x86_64::{
        __m128i, __m512i, _mm512_add_epi32, _mm512_castsi512_si128, _mm512_cmpeq_epi8_mask,
        _mm512_cvtepu8_epi32, _mm512_maskz_compress_epi8, _mm512_set1_epi8, _mm512_set1_epi32,
    };

    use super::{BLOCK, Masks, QUOTE, ROOM};

    /// Positions in a vector.
    const LANES: usize = 16;
    /// The numbers of a block's bytes.
    const POSITIONS: [u8; BLOCK] = {
        let (mut positions, mut at) = ([0; BLOCK], 0);
        while at < BLOCK {
            positions[at] = at as u8;
            at += 1;
        }
        positions
    };

    /// See [`masks`](super::masks).
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(in super::super) fn masks(block: &[u8; BLOCK], delimiter: u8) -> Masks {
        let block: __m512i = bytemuck::cast(*block);
        let equal = |byte: u8| _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(byte.cast_signed()));
        Masks { quote: equal(QUOTE), feed: equal(b'\n'), carriage: equal(b'\r'), delimiter: equal(delimiter) }
    }

    /// See [`write_positions`](super::write_positions).
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2")]
    pub(in super::super) fn write_positions(bits: u64, base: u32, room: &mut [u32; ROOM]) {
        let base = _mm512_set1_epi32(base.cast_signed());
        let positions = _mm512_maskz_compress_epi8(bits, bytemuck::cast(POSITIONS));
        let put = |some: &mut [u32; LANES], positions: __m128i| {
            *some = bytemuck::cast(_mm512_add_epi32(_mm512_cvtepu8_epi32(positions), base));
        };
        let (room, _) = room.as_chunks_mut::<LANES>();
        put(&mut room[0], _mm512_castsi512_si128(positions));
        if bits.count_ones() as usize > LANES {
            let positions: [__m128i; 4] = bytemuck::cast(positions);
            for (some, positions) in room.iter_mut().zip(positions).skip(1) {
                put(some, positions);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use multiversion::multiversion;
    use multiversion::target::match_target;
    use proptest::prelude::*;

    use super::*;

    /// What this processor's own instructions say: the masks of quotes, feeds, returns and delimiters, and positions.
    #[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx512vbmi2"))]
    fn own(block: &[u8; BLOCK], bits: u64, base: u32, room: &mut [u32; ROOM]) -> [u64; 4] {
        let masks = match_target! {
            "x86_64+avx512bw+avx512vbmi2" => {
                avx512::write_positions(bits, base, room);
                avx512::masks(block, b',')
            },
            _ => {
                write_positions(bits, base, room);
                masks(block, b',')
            },
        };
        [masks.quote, masks.feed, masks.carriage, masks.delimiter]
    }

    proptest! {
        #[test]
        fn bits_are_where_the_bytes_are(block in prop::array::uniform32("[ab,\"\n\r]{2}"), bits: u64, base in 0..1_u32 << 30) {
            let bytes: Vec<u8> = block.concat().into_bytes();
            let block: &[u8; BLOCK] = bytes.first_chunk().unwrap();
            let mut room = [0; ROOM];
            let masks = own(block, bits, base, &mut room);
            for (mask, of) in masks.into_iter().zip([QUOTE, b'\n', b'\r', b',']) {
                let expected = (0..BLOCK).filter(|&at| block[at] == of).fold(0, |mask, at| mask | 1_u64 << at);
                prop_assert_eq!(mask, expected);
            }
            let expected: Vec<u32> = (0..64).filter(|at| bits >> at & 1 == 1).map(|at| base + at).collect();
            prop_assert_eq!(&room[..expected.len()], &expected[..]);
        }
    }
}
