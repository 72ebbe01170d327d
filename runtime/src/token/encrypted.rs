//! Encrypted tokens: a signed one inside a JWE of `dir` and `A256GCM` (RFC 7516, RFC 7519 section
//! 11.2).

use std::borrow::Cow;

use base64_simd::URL_SAFE_NO_PAD;

use super::compact::{MAX_LEN, decode, decoded_len};
use super::issue_error::IssueError;
use super::json::{is_present, is_strict};
use crate::clock::Timestamp;
use crate::keys::KeySet;

/// The members of a header that are read. Others, such as `jwk` and `jku`, have no effect (R23).
#[derive(serde::Deserialize)]
struct JweHeader<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    enc: Cow<'a, str>,
    #[serde(borrow)]
    cty: Cow<'a, str>,
    #[serde(borrow)]
    kid: Cow<'a, str>,
    /// R12: no extension is implemented.
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
    /// R14: nothing is decompressed.
    #[serde(default, deserialize_with = "is_present")]
    zip: bool,
    /// R15: no password is hashed.
    #[serde(default, deserialize_with = "is_present")]
    p2c: bool,
}

/// Puts a signed token into an encrypted one.
pub(crate) fn encrypt(keys: &KeySet, token: String, now: Timestamp) -> Result<String, IssueError> {
    let failed = |error: crate::error::Error| IssueError::Signer(error.into());
    let key = keys.content_key(now).map_err(failed)?;
    let mut bytes = token.into_bytes();
    let (nonce, tag) = key.seal(&mut bytes).map_err(failed)?;
    let mut text = String::with_capacity(len(key.header().len(), bytes.len()));
    text.push_str(key.header());
    // With `dir` no key travels (RFC 7518 section 4.5).
    text.push_str("..");
    URL_SAFE_NO_PAD.encode_append(nonce, &mut text);
    text.push('.');
    URL_SAFE_NO_PAD.encode_append(&bytes, &mut text);
    text.push('.');
    URL_SAFE_NO_PAD.encode_append(tag, &mut text);
    Ok(text)
}

/// Takes the signed token out of an encrypted one; `None` where this ring did not encrypt it,
/// without a difference between the causes (R16).
pub(crate) fn decrypt(keys: &KeySet, token: &str) -> Option<String> {
    if token.len() > MAX_LEN
        || !token
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    {
        return None;
    }
    let mut parts = token.split('.');
    let (header, wrapped, nonce) = (parts.next()?, parts.next()?, parts.next()?);
    let (sealed, tag, rest) = (parts.next()?, parts.next()?, parts.next());
    if rest.is_some() || !wrapped.is_empty() || header.len() > MAX_HEADER_LEN {
        return None;
    }
    let mut buffer = [0; 2 * BUFFER_LEN];
    let (nonce_buffer, tag_buffer) = buffer.split_at_mut(BUFFER_LEN);
    let nonce = decode(nonce, nonce_buffer)?;
    let tag = decode(tag, tag_buffer).filter(|tag| tag.len() == TAG_LEN)?;
    let mut bytes = vec![0; decoded_len(sealed.len()) + TAG_LEN];
    let len = decode(sealed, &mut bytes)?.len();
    bytes.truncate(len);
    bytes.extend_from_slice(tag);
    let kid = kid_of(header)?;
    let plain = keys.open_content(&kid, header, nonce, &mut bytes)?;
    std::str::from_utf8(plain).ok().map(str::to_owned)
}

/// Returns the length of an encrypted token of ours, in bytes, around a signed one of this length.
pub(super) fn enveloped_len(inner: usize) -> usize {
    len(HEADER_LEN, inner)
}

fn len(header: usize, inner: usize) -> usize {
    header + 2 + 16 + 1 + URL_SAFE_NO_PAD.encoded_length(inner) + 1 + 22
}

/// Reads the `kid` of a header; `None` where it is not the header of an encrypted access token.
fn kid_of(encoded: &str) -> Option<String> {
    let mut buffer = [0; MAX_HEADER_LEN];
    let text = std::str::from_utf8(decode(encoded, &mut buffer)?).ok()?;
    let header: JweHeader<'_> = is_strict(text).then(|| serde_json::from_str(text).ok())??;
    let is_ours = header.alg == "dir" && header.enc == "A256GCM" && header.cty == "JWT";
    (is_ours && !header.crit && !header.zip && !header.p2c).then(|| header.kid.into_owned())
}

/// R3, as for signed ones.
const MAX_HEADER_LEN: usize = 1024;
/// The longest header of ours, encoded.
const HEADER_LEN: usize = 102;
const TAG_LEN: usize = 16;
/// How many bytes decoding a nonce or a tag may take, however the decoder estimates it.
const BUFFER_LEN: usize = 24;
