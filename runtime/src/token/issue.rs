//! Makes access tokens from claims (RFC 9068): one pass of serialization, one signature.

use std::fmt;
use std::io::Write as _;
use std::ops::Range;
use std::time::Duration;

use base64_simd::{Out, URL_SAFE_NO_PAD};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::binding::TokenBinding;
use super::claim_fault::are_finite;
use super::claims::ClaimSet;
use super::compact::MAX_LEN;
use super::decode::Decoded;
use super::expect::Expect;
use super::fast_path::{self, is_printable, is_printable_text};
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
    let mut payload =
        Payload::of(stamp, claims).map_err(|error| IssueError::Claims(error.into()))?;
    let len = key.header().len()
        + 1
        + URL_SAFE_NO_PAD.encoded_length(payload.json.len())
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
    if !payload.is_verifiable(stamp, claims) {
        return Err(IssueError::Unverifiable);
    }
    let mut token = String::with_capacity(len);
    token.push_str(key.header());
    token.push('.');
    URL_SAFE_NO_PAD.encode_append(&payload.json, &mut token);
    Ok((token, whole))
}

/// Decodes a payload that is not as most are.
#[cold]
fn decode<C: ClaimSet>(payload: &[u8], stamp: &Stamp<'_>) -> Option<Decoded<C>> {
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

/// The claims of a token as JSON.
struct Payload {
    json: Vec<u8>,
    /// The range of the subject, without its quotes; `None` if it has an escape.
    subject: Option<Range<usize>>,
    /// The start of the own claims, with their comma.
    own: usize,
}

impl Payload {
    /// Writes the registered claims and then the own ones.
    fn of<C: ClaimSet>(stamp: &Stamp<'_>, claims: &C) -> Result<Self, serde_json::Error> {
        let mut json = Vec::with_capacity(PAYLOAD_CAPACITY);
        let mut write = Members(&mut json);
        write.text("{\"iss\":", stamp.issuer)?;
        let subject = write.display(",\"sub\":", claims.subject())?;
        write.text(",\"aud\":", stamp.audience)?;
        write.text(",\"client_id\":", stamp.client_id)?;
        if let Some(realm) = stamp.realm {
            write.text(",\"rlm\":", realm)?;
        }
        write.number(",\"exp\":", stamp.expires_at.as_secs())?;
        write.number(",\"iat\":", stamp.issued_at.as_secs())?;
        write.id(",\"jti\":", stamp.jti.as_bytes());
        if let Some(sid) = &stamp.sid {
            write.id(",\"sid\":", sid.as_bytes());
        }
        if let Some(generation) = stamp.generation {
            write.number(",\"gen\":", generation.into())?;
        }
        write.number(",\"uep\":", stamp.user_epoch)?;
        if let Some(auth_time) = stamp.auth_time {
            write.number(",\"auth_time\":", auth_time.as_secs())?;
        }
        if let Some(acr) = stamp.acr {
            write.text(",\"acr\":", acr)?;
        }
        if let Some(binding) = &stamp.binding {
            write.id(",\"bnd\":", binding.as_bytes());
        }
        let own = json.len();
        serde_json::to_writer(&mut json, &Own(claims))?;
        // They are written as an object, whose brace becomes the comma before the first of them.
        if json.get(own..) == Some(b"{}") {
            json.remove(own);
        } else if let Some(brace) = json.get_mut(own) {
            *brace = b',';
        }
        Ok(Self { json, subject, own })
    }

    /// Returns whether the verifier accepts this payload, by running the verifier's own decoder,
    /// and whether a store can keep its subject.
    fn is_verifiable<C: ClaimSet>(&mut self, stamp: &Stamp<'_>, claims: &C) -> bool {
        let is_read = self.is_read_the_short_way::<C>(stamp)
            || decode::<C>(&self.json, stamp).is_some_and(|decoded| {
                decoded.subject.len() <= MAX_SUBJECT_LEN && !decoded.subject.contains('\0')
            });
        // A number that is not finite is written as `null`, which an optional claim would read as
        // `None`.
        let own = self.json.get(self.own..).unwrap_or_default();
        let has_null = std::str::from_utf8(own).is_ok_and(|text| text.contains("null"));
        is_read && (!has_null || are_finite(claims))
    }

    /// Returns whether the verifier reads the subject and the own claims. The other claims are of
    /// our types, and need no second look where they are as in most tokens; `false` decides
    /// nothing.
    fn is_read_the_short_way<C: ClaimSet>(&mut self, stamp: &Stamp<'_>) -> bool {
        let written = self.subject.clone().and_then(|place| self.json.get(place));
        let subject = written
            .filter(|text| (1..=MAX_SUBJECT_LEN).contains(&text.len()))
            .and_then(|text| std::str::from_utf8(text).ok())
            .and_then(C::parse_subject);
        match subject {
            Some(subject) if is_usual(stamp) => {
                fast_path::reads_own::<C>(&mut self.json, self.own, subject)
            }
            _ => false,
        }
    }
}

/// Returns whether the registered claims are as the short decoder expects them.
fn is_usual(stamp: &Stamp<'_>) -> bool {
    let is_session = stamp.sid.is_some() && stamp.generation.is_some();
    let names = [stamp.issuer, stamp.audience, stamp.client_id];
    is_session
        && stamp.auth_time.is_some()
        && stamp.acr.is_none()
        && stamp.binding.is_none()
        && names.into_iter().chain(stamp.realm).all(is_printable_text)
}

/// Writes members, each after the text before its value.
struct Members<'a>(&'a mut Vec<u8>);

impl Members<'_> {
    fn text(&mut self, before: &str, value: &str) -> serde_json::Result<()> {
        self.0.extend_from_slice(before.as_bytes());
        if !is_printable_text(value) {
            return serde_json::to_writer(&mut *self.0, value);
        }
        self.quoted(value.as_bytes());
        Ok(())
    }

    /// Writes a value in its wire form, and returns where it is if it has no escape.
    fn display(
        &mut self,
        before: &str,
        value: &impl fmt::Display,
    ) -> serde_json::Result<Option<Range<usize>>> {
        self.0.extend_from_slice(before.as_bytes());
        let quote = self.0.len();
        self.0.push(b'"');
        write!(self.0, "{value}").map_err(serde_json::Error::io)?;
        let written = self.0.get(quote + 1..).unwrap_or_default();
        if written.iter().copied().all(is_printable) {
            let place = quote + 1..self.0.len();
            self.0.push(b'"');
            return Ok(Some(place));
        }
        self.0.truncate(quote);
        serde_json::to_writer(&mut *self.0, &format_args!("{value}")).map(|()| None)
    }

    fn number(&mut self, before: &str, value: u64) -> serde_json::Result<()> {
        self.0.extend_from_slice(before.as_bytes());
        serde_json::to_writer(&mut *self.0, &value)
    }

    /// Writes the sixteen bytes of an id.
    fn id(&mut self, before: &str, id: &[u8; 16]) {
        let mut text = [0; TokenId::TEXT_LEN];
        let text = URL_SAFE_NO_PAD.encode_as_str(id, Out::from_slice(&mut text));
        self.0.extend_from_slice(before.as_bytes());
        self.quoted(text.as_bytes());
    }

    fn quoted(&mut self, text: &[u8]) {
        self.0.push(b'"');
        self.0.extend_from_slice(text);
        self.0.push(b'"');
    }
}

/// The own claims as an object.
struct Own<'a, C>(&'a C);

impl<C: ClaimSet> Serialize for Own<'_, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.0.write(&mut map)?;
        map.end()
    }
}
/// The longest subject, in bytes: stores keep an index of subjects, whose entries are bounded.
pub(super) const MAX_SUBJECT_LEN: usize = 1024;
/// The initial capacity for a payload: most are shorter.
const PAYLOAD_CAPACITY: usize = 512;
