//! The sealed successor: the next refresh token's secret, which only a holder of its predecessor
//! can open.

use aws_lc_rs::aead::{AES_256_GCM, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};
use crate::id::SessionId;
use crate::keys::{open_with, seal_with};

/// Seals a successor's secret under its predecessor's (rotation.md section 2): nonce, ciphertext,
/// tag, 44 bytes in all.
///
/// # Errors
/// The random source cannot be read.
pub fn seal_successor(
    predecessor: &[u8; 16],
    sid: SessionId,
    generation: u32,
    successor_generation: u32,
    successor: &[u8; 16],
) -> Result<Vec<u8>, Error> {
    let info = info(sid, generation, successor_generation);
    let key = key(predecessor, &info)
        .ok_or_else(|| Error::new(ErrorKind::Keys, "a key cannot be derived"))?;
    seal_with(key, &info, successor)
}

/// Opens a secret that [`seal_successor`] sealed for the same session and generations; `None` for
/// everything else.
#[must_use]
pub fn open_successor(
    predecessor: &[u8; 16],
    sid: SessionId,
    generation: u32,
    successor_generation: u32,
    sealed: &[u8],
) -> Option<Zeroizing<[u8; 16]>> {
    let info = info(sid, generation, successor_generation);
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let secret = open_with(key(predecessor, &info)?, &info, &mut buffer)?;
    let secret: &[u8] = secret;
    secret.try_into().ok().map(Zeroizing::new)
}

fn key(predecessor: &[u8; 16], info: &[u8; INFO_LEN]) -> Option<UnboundKey> {
    let extracted = Salt::new(HKDF_SHA256, &[]).extract(predecessor);
    Some(extracted.expand(&[info], &AES_256_GCM).ok()?.into())
}

/// Returns the text from which a key is derived and to which it is bound: label, session, both
/// generations.
fn info(sid: SessionId, generation: u32, successor_generation: u32) -> [u8; INFO_LEN] {
    let parts = [
        LABEL,
        sid.as_bytes(),
        &generation.to_be_bytes(),
        &successor_generation.to_be_bytes(),
    ];
    let mut info = [0; INFO_LEN];
    for (to, from) in info.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
    info
}

const LABEL: &[u8] = b"tollgate/successor/1";
const INFO_LEN: usize = LABEL.len() + 16 + 4 + 4;
