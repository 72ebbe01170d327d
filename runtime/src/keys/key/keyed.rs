//! HMAC (RFC 2104) that starts from its states after the key block, by the hashes' compression
//! functions.
//!
//! The state after the key is kept, and so is the state after the first block of a header with
//! which all messages begin, so that a use computes only the rest of the message.

use sha2::block_api::{compress256, compress512};
use zeroize::Zeroize;

macro_rules! keyed {
    (
        $(#[$doc:meta])*
        $name:ident, $word:ty, block: $block:literal, out: $out:literal, length: $length:ty,
        $compress:path, $initial:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub(crate) struct $name {
            inner: [$word; 8],
            outer: [$word; 8],
            /// The first block of messages, and the inner state after it.
            prefix: Option<([u8; $block], [$word; 8])>,
        }

        impl $name {
            /// Keeps the states of a key of any length.
            pub(crate) fn new(key: &[u8]) -> Self {
                let mut block = [0; $block];
                if key.len() > $block {
                    let digest = Self::finish($initial, key, 0);
                    copy(&mut block, &digest);
                } else {
                    copy(&mut block, key);
                }
                let keyed = |block: &[u8; $block], pad: u8| {
                    let mut padded = block.map(|byte| byte ^ pad);
                    let mut state = $initial;
                    $compress(&mut state, &[padded]);
                    padded.zeroize();
                    state
                };
                let (inner, outer) = (keyed(&block, 0x36), keyed(&block, 0x5c));
                block.zeroize();
                Self { inner, outer, prefix: None }
            }

            /// Keeps the state after the first block of this text, where it fills a block: messages
            /// that begin with it then need one block less.
            pub(crate) fn prime(&mut self, text: &[u8]) {
                self.prefix = text.first_chunk().map(|first| {
                    let mut state = self.inner;
                    $compress(&mut state, &[*first]);
                    (*first, state)
                });
            }

            /// Returns the MAC of a message.
            pub(crate) fn mac(&self, message: &[u8]) -> [u8; $out] {
                let primed = self
                    .prefix
                    .as_ref()
                    .and_then(|(first, state)| Some((*state, message.strip_prefix(first)?)));
                let digest = match primed {
                    Some((state, rest)) => Self::finish(state, rest, 2),
                    None => Self::finish(self.inner, message, 1),
                };
                Self::finish(self.outer, &digest, 1)
            }

            /// Hashes the rest of a message after so many blocks, with the padding of FIPS 180-4.
            fn finish(mut state: [$word; 8], rest: &[u8], blocks: $length) -> [u8; $out] {
                let (whole, tail) = rest.as_chunks::<$block>();
                $compress(&mut state, whole);
                let mut last = [0; $block];
                copy(&mut last, tail);
                if let Some(mark) = last.get_mut(tail.len()) {
                    *mark = 0x80;
                }
                if tail.len() + 1 + size_of::<$length>() > $block {
                    $compress(&mut state, &[last]);
                    last = [0; $block];
                }
                let bits = 8 * (blocks * $block + rest.len() as $length);
                if let Some(end) = last.last_chunk_mut() {
                    *end = bits.to_be_bytes();
                }
                $compress(&mut state, &[last]);
                let mut digest = [0; $out];
                let (words, _) = digest.as_chunks_mut();
                for (to, from) in words.iter_mut().zip(state) {
                    *to = from.to_be_bytes();
                }
                digest
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.inner.zeroize();
                self.outer.zeroize();
                if let Some((_, state)) = &mut self.prefix {
                    state.zeroize();
                }
            }
        }
    };
}

keyed! {
    /// A key of HMAC-SHA-256.
    Keyed256, u32, block: 64, out: 32, length: u64, compress256,
    [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
        0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19_u32,
    ]
}

keyed! {
    /// A key of HMAC-SHA-384.
    Keyed384, u64, block: 128, out: 48, length: u128, compress512,
    [
        0xcbbb_9d5d_c105_9ed8, 0x629a_292a_367c_d507, 0x9159_015a_3070_dd17,
        0x152f_ecd8_f70e_5939, 0x6733_2667_ffc0_0b31, 0x8eb4_4a87_6858_1511,
        0xdb0c_2e0d_64f9_8fa7, 0x47b5_481d_befa_4fa4_u64,
    ]
}

keyed! {
    /// A key of HMAC-SHA-512.
    Keyed512, u64, block: 128, out: 64, length: u128, compress512,
    [
        0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1, 0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179_u64,
    ]
}

/// Copies bytes to the start of a block.
fn copy(block: &mut [u8], bytes: &[u8]) {
    if let Some(start) = block.get_mut(..bytes.len()) {
        start.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::{Sha256, Sha384, Sha512};

    use super::*;

    /// Returns bytes that look random and are the same each time.
    fn bytes(len: usize, seed: u8) -> Vec<u8> {
        let byte = |at: usize| (at as u8).wrapping_mul(167).wrapping_add(seed) ^ (at >> 3) as u8;
        (0..len).map(byte).collect()
    }

    /// The lengths around which a block or its padding begins.
    const LENGTHS: [usize; 24] = [
        0, 1, 31, 32, 47, 55, 56, 63, 64, 65, 111, 112, 119, 120, 127, 128, 129, 191, 192, 255,
        256, 257, 600, 8192,
    ];

    /// For every length of key and message, with and without a known first block, the result is
    /// that of the crate `hmac`.
    #[test]
    fn every_mac_is_that_of_the_crate_hmac() {
        macro_rules! check {
            ($keyed:ident, $hash:ty) => {
                for key_len in LENGTHS {
                    let key = bytes(key_len, 1);
                    let mut primed = $keyed::new(&key);
                    for header_len in [0, 63, 64, 65, 128, 200] {
                        let header = bytes(header_len, 2);
                        primed.prime(&header);
                        for len in LENGTHS {
                            for message in [bytes(len, 2), bytes(len, 3)] {
                                let mut theirs = Hmac::<$hash>::new_from_slice(&key).unwrap();
                                theirs.update(&message);
                                let theirs = theirs.finalize().into_bytes();
                                assert_eq!(primed.mac(&message)[..], theirs[..]);
                                assert_eq!($keyed::new(&key).mac(&message)[..], theirs[..]);
                            }
                        }
                    }
                }
            };
        }
        check!(Keyed256, Sha256);
        check!(Keyed384, Sha384);
        check!(Keyed512, Sha512);
    }
}
