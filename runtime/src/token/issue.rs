//! Makes access tokens from claims (RFC 9068): one pass of serialization, one signature.

use std::fmt;
use std::time::Duration;

use base64_simd::{Out, URL_SAFE_NO_PAD};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::binding::TokenBinding;
use super::claim_fault::are_finite;
use super::claims::ClaimSet;
use super::compact::MAX_LEN;
use super::decode::Decoded;
use super::expect::Expect;
use super::fast_path::{self, Names};
use super::issue_error::IssueError;
use super::verify::decode_claims;
use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::keys::{KeySet, SigningKey};
use crate::realm::RealmName;

/// The claims that the gate itself sets.
#[derive(Clone, Debug)]
pub struct Stamp<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`.
    pub audience: &'a str,
    /// `client_id`.
    pub client_id: &'a str,
    /// `rlm`; in a named realm only.
    pub realm: Option<&'a str>,
    /// `iat`, written in whole seconds.
    pub issued_at: Timestamp,
    /// `exp`, written in whole seconds.
    pub expires_at: Timestamp,
    /// `jti`.
    pub jti: TokenId,
    /// `sid`; with a session only.
    pub sid: Option<SessionId>,
    /// `gen`; with a session only.
    pub generation: Option<u32>,
    /// `uep`.
    pub user_epoch: u64,
    /// `auth_time`, written in whole seconds.
    pub auth_time: Option<Timestamp>,
    /// `acr`.
    pub acr: Option<&'a str>,
    /// `bnd`; with a session only.
    pub binding: Option<TokenBinding>,
}

/// The form in which tokens travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// Signed, and readable by their holder.
    Open,
    /// Signed, and then encrypted.
    #[cfg(feature = "jwe")]
    Encrypted,
}

/// Issues an access token, signed by the ring's current key, which is in this process.
///
/// # Errors
/// See [`IssueError`].
pub fn issue<C: ClaimSet>(
    keys: &KeySet,
    stamp: &Stamp<'_>,
    claims: &C,
) -> Result<String, IssueError> {
    let key = keys.signing();
    let (draft, _) = draft(key, stamp, claims, Envelope::Open)?;
    let signature = key
        .sign(draft.as_bytes())
        .ok_or_else(|| IssueError::Signer("the key is not in this process".into()))?;
    Ok(signed(draft, signature.as_slice()))
}

/// Signs the text that [`draft`] wrote for the same key, in this process or through a signer.
pub(crate) async fn complete(key: &SigningKey, draft: String) -> Result<String, IssueError> {
    let signature = key
        .sign_anywhere(draft.as_bytes())
        .await
        .map_err(IssueError::Signer)?;
    Ok(signed(draft, signature.as_slice()))
}

/// Writes header and claims of a token, with space for the signature, and returns the length of the
/// whole token. All errors because of the claims occur here: a token that the verifier would refuse
/// is not issued.
pub(crate) fn draft<C: ClaimSet>(
    key: &SigningKey,
    stamp: &Stamp<'_>,
    claims: &C,
    envelope: Envelope,
) -> Result<(String, usize), IssueError> {
    let mut payload = Vec::with_capacity(PAYLOAD_CAPACITY);
    serde_json::to_writer(&mut payload, &Payload { stamp, claims })
        .map_err(|error| IssueError::Claims(error.into()))?;
    let len = key.header().len()
        + 1
        + URL_SAFE_NO_PAD.encoded_length(payload.len())
        + 1
        + URL_SAFE_NO_PAD.encoded_length(key.signature_len());
    let whole = match envelope {
        Envelope::Open => len,
        #[cfg(feature = "jwe")]
        Envelope::Encrypted => {
            super::encrypted::enveloped_len(len, stamp).ok_or(IssueError::TooLong)?
        }
    };
    if whole > MAX_LEN {
        return Err(IssueError::TooLong);
    }
    if !is_verifiable(&mut payload, stamp, claims) {
        return Err(IssueError::Unverifiable);
    }
    let mut token = String::with_capacity(len);
    token.push_str(key.header());
    token.push('.');
    URL_SAFE_NO_PAD.encode_append(&payload, &mut token);
    Ok((token, whole))
}

/// Returns whether the verifier accepts this payload, by running the verifier's own decoder, and
/// whether a store can keep its subject.
fn is_verifiable<C: ClaimSet>(payload: &mut [u8], stamp: &Stamp<'_>, claims: &C) -> bool {
    let names = Names {
        issuer: stamp.issuer,
        audience: stamp.audience,
        client_id: stamp.client_id,
        realm: stamp.realm,
    };
    let decoded = fast_path::decode::<C>(payload, names).or_else(|| decode(payload, stamp));
    let is_read = decoded.is_some_and(|decoded| {
        decoded.subject.len() <= MAX_SUBJECT_LEN && !decoded.subject.contains('\0')
    });
    // A number that is not finite is written as `null`, which an optional claim would read as
    // `None`.
    let has_null = std::str::from_utf8(payload).is_ok_and(|text| text.contains("null"));
    is_read && (!has_null || are_finite(claims))
}

/// Decodes a payload that is not as most are.
#[cold]
fn decode<C: ClaimSet>(payload: &mut [u8], stamp: &Stamp<'_>) -> Option<Decoded<C>> {
    let expect = Expect {
        issuer: stamp.issuer.into(),
        audience: stamp.audience.into(),
        client_id: stamp.client_id.into(),
        realm: stamp.realm.and_then(|realm| RealmName::parse(realm).ok()),
        leeway: Duration::ZERO,
        max_lifetime: Duration::MAX,
        allow_expired: true,
    };
    decode_claims(payload, &expect)
}

fn signed(mut draft: String, signature: &[u8]) -> String {
    draft.push('.');
    URL_SAFE_NO_PAD.encode_append(signature, &mut draft);
    draft
}

struct Payload<'a, C> {
    stamp: &'a Stamp<'a>,
    claims: &'a C,
}

impl<C: ClaimSet> Serialize for Payload<'_, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stamp = self.stamp;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("iss", stamp.issuer)?;
        map.serialize_entry("sub", &DisplayText(self.claims.subject()))?;
        map.serialize_entry("aud", stamp.audience)?;
        map.serialize_entry("client_id", stamp.client_id)?;
        if let Some(realm) = stamp.realm {
            map.serialize_entry("rlm", realm)?;
        }
        map.serialize_entry("exp", &stamp.expires_at.as_secs())?;
        map.serialize_entry("iat", &stamp.issued_at.as_secs())?;
        map.serialize_entry("jti", &IdText(stamp.jti.as_bytes()))?;
        if let Some(sid) = &stamp.sid {
            map.serialize_entry("sid", &IdText(sid.as_bytes()))?;
        }
        if let Some(generation) = stamp.generation {
            map.serialize_entry("gen", &generation)?;
        }
        map.serialize_entry("uep", &stamp.user_epoch)?;
        if let Some(auth_time) = stamp.auth_time {
            map.serialize_entry("auth_time", &auth_time.as_secs())?;
        }
        if let Some(acr) = stamp.acr {
            map.serialize_entry("acr", acr)?;
        }
        if let Some(binding) = &stamp.binding {
            map.serialize_entry("bnd", &IdText(binding.as_bytes()))?;
        }
        self.claims.write(&mut map)?;
        map.end()
    }
}

/// A value whose `Display` is its wire form.
struct DisplayText<'a, T>(&'a T);

impl<T: fmt::Display> Serialize for DisplayText<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// The sixteen bytes of an id, written directly and not through `Display`.
struct IdText<'a>(&'a [u8; 16]);

impl Serialize for IdText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0; TokenId::TEXT_LEN];
        serializer.serialize_str(URL_SAFE_NO_PAD.encode_as_str(self.0, Out::from_slice(&mut text)))
    }
}

/// The longest subject, in bytes: stores keep an index of subjects, whose entries are bounded.
pub(super) const MAX_SUBJECT_LEN: usize = 1024;
/// The initial capacity for a payload: most are shorter.
const PAYLOAD_CAPACITY: usize = 512;
