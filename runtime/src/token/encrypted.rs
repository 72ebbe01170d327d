//! Encrypted tokens: a signed one inside a JWE of `dir` and `A256GCM` (RFC 7516, RFC 7519 section
//! 11.2).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use base64_simd::URL_SAFE_NO_PAD;
use serde::de::{Deserializer, Error, Visitor};

use super::compact::{MAX_LEN, decode, decoded_len};
use super::expect::Expect;
#[cfg(feature = "axum")]
use super::external::Origin;
use super::issue::Stamp;
use super::issue_error::IssueError;
use super::json::{is_present, is_strict};
use crate::clock::Timestamp;
use crate::keys::KeySet;
use crate::realm::RealmName;

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
    /// Copies of the claims inside, by which a program with several gates chooses one (RFC 7519
    /// section 5.3). Tokens of former versions have none.
    #[serde(borrow, default, deserialize_with = "text")]
    iss: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    rlm: Option<Cow<'a, str>>,
    /// `true` if the header has `crit`: no extension is implemented (R12).
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
    /// `true` if the header has `zip`: nothing is decompressed (R14).
    #[serde(default, deserialize_with = "is_present")]
    zip: bool,
    /// `true` if the header has `p2c`: no password is hashed (R15).
    #[serde(default, deserialize_with = "is_present")]
    p2c: bool,
}

/// Encrypts a signed token; the header of the result has its issuer and its realm.
pub(crate) fn encrypt(
    keys: &KeySet,
    token: String,
    stamp: &Stamp<'_>,
    now: Timestamp,
) -> Result<String, IssueError> {
    let failed = |error: crate::error::Error| IssueError::Signer(error.into());
    let key = keys.content_key(now).map_err(failed)?;
    let mut bytes = token.into_bytes();
    let header = header_of(key.kid(), stamp);
    let (nonce, tag) = key.seal(&header, &mut bytes).map_err(failed)?;
    let mut text = String::with_capacity(len(header.len(), bytes.len()));
    text.push_str(&header);
    // With `dir` no encrypted key is part of the token (RFC 7518 section 4.5).
    text.push_str("..");
    URL_SAFE_NO_PAD.encode_append(nonce, &mut text);
    text.push('.');
    URL_SAFE_NO_PAD.encode_append(&bytes, &mut text);
    text.push('.');
    URL_SAFE_NO_PAD.encode_append(tag, &mut text);
    Ok(text)
}

/// Decrypts a token into the signed one inside. `None` if this ring did not encrypt it, whatever
/// the reason (R16), or where its header names another issuer or realm than is expected of the
/// token inside.
pub(crate) fn decrypt(keys: &KeySet, token: &str, expect: &Expect) -> Option<String> {
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
    let mut buffer = [0; MAX_HEADER_LEN];
    let read = read_header(header, &mut buffer).filter(|read| names_expected(read, expect))?;
    let plain = keys.open_content(&read.kid, header, nonce, &mut bytes)?;
    std::str::from_utf8(plain).ok().map(str::to_owned)
}

/// Returns the issuer and the realm that the header of an encrypted token claims; `None` if the
/// text is not an encrypted token, or its header has no issuer. Nothing is verified.
#[cfg(feature = "axum")]
pub(super) fn claimed_origin(token: &str) -> Option<Origin> {
    let encoded = token.split('.').next()?;
    let mut buffer = [0; MAX_HEADER_LEN];
    let header = (encoded.len() <= MAX_HEADER_LEN)
        .then(|| read_header(encoded, &mut buffer))
        .flatten()?;
    Some(Origin {
        issuer: header.iss?.into(),
        realm: header.rlm.map(Into::into),
    })
}

/// Returns the length of an encrypted token of this gate, in bytes, around a signed one of this
/// length; `None` if its header would be longer than any verifier reads.
pub(super) fn enveloped_len(inner: usize, stamp: &Stamp<'_>) -> Option<usize> {
    let header = header_of(LONGEST_KID, stamp).len();
    (header <= MAX_HEADER_LEN).then(|| len(header, inner))
}

/// Returns the encoded header of a token.
fn header_of(kid: &str, stamp: &Stamp<'_>) -> String {
    #[derive(serde::Serialize)]
    struct Header<'a> {
        alg: &'a str,
        enc: &'a str,
        cty: &'a str,
        kid: &'a str,
        iss: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        rlm: Option<&'a str>,
    }
    let header = serde_json::to_vec(&Header {
        alg: "dir",
        enc: "A256GCM",
        cty: "JWT",
        kid,
        iss: stamp.issuer,
        rlm: stamp.realm,
    });
    // These are only strings, so writing them does not fail.
    URL_SAFE_NO_PAD.encode_to_string(header.unwrap_or_default())
}

/// Returns whether a header has the expected issuer and realm. Only in the default realm it may
/// have no issuer, as in tokens of former versions.
fn names_expected(header: &JweHeader<'_>, expect: &Expect) -> bool {
    let has_issuer = match &header.iss {
        Some(issuer) => **issuer == *expect.issuer,
        None => expect.realm.is_none(),
    };
    has_issuer && header.rlm.as_deref() == expect.realm.as_ref().map(RealmName::as_str)
}

fn len(header: usize, inner: usize) -> usize {
    header + 2 + 16 + 1 + URL_SAFE_NO_PAD.encoded_length(inner) + 1 + 22
}

/// Reads a header; `None` if it is not the header of an encrypted access token.
fn read_header<'b>(encoded: &str, buffer: &'b mut [u8; MAX_HEADER_LEN]) -> Option<JweHeader<'b>> {
    let text = std::str::from_utf8(decode(encoded, buffer)?).ok()?;
    let header: JweHeader<'_> = is_strict(text).then(|| serde_json::from_str(text).ok())??;
    let is_ours = header.alg == "dir" && header.enc == "A256GCM" && header.cty == "JWT";
    (is_ours && !header.crit && !header.zip && !header.p2c).then_some(header)
}

/// The longest encoded header, in bytes (R3), the same as for signed tokens.
const MAX_HEADER_LEN: usize = 1024;
/// The longest id of a content key.
const LONGEST_KID: &str = "255.AAAAAAAAAAAAAAAAAAAAAA";
const TAG_LEN: usize = 16;
/// The number of bytes that decoding a nonce or a tag may take, including the decoder's own
/// estimate.
const BUFFER_LEN: usize = 24;

/// Reads a string; `null` is refused, unlike an absent member.
fn text<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'a, str>>, D::Error> {
    struct Text<'a>(PhantomData<&'a ()>);
    impl<'de: 'a, 'a> Visitor<'de> for Text<'a> {
        type Value = Cow<'a, str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Cow::Borrowed(text))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Cow::Owned(text.to_owned()))
        }
    }
    deserializer.deserialize_str(Text(PhantomData)).map(Some)
}
