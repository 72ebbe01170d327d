//! Verifies access tokens: the one place that makes a `Verified`.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

use super::claims::ClaimSet;
use super::common_names::TokenNames;
use super::compact::{self, Compact, decoded_len, encoded_len};
use super::decode::{self, Decoded};
use super::expect::Expect;
use super::fast_path::{self, Frame};
use super::header::find_key;
use super::info::{ForeignToken, LiveAt, TokenInfo};
use super::json::{is_plain, is_strict};
use crate::clock::Timestamp;
use crate::keys::{KeySet, KeyState, VerifyingKey};

/// Claims whose signature, times, issuer and audience were checked.
///
/// The gate, which alone returns these, also checks that they were not revoked.
#[derive(Clone, Debug)]
pub struct Verified<C>(Arc<VerifiedToken<C>>);

/// The claims of a token, and its description.
#[derive(Clone, Debug)]
pub(super) struct VerifiedToken<C> {
    claims: C,
    token: TokenInfo,
}

impl<C> VerifiedToken<C> {
    pub(super) fn token(&self) -> &TokenInfo {
        &self.token
    }
}

/// The reason why a token is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// The ring did not sign it, it is not yet valid, it has another audience, or it is not an
    /// access token.
    Invalid,
    /// It has expired, and is otherwise valid.
    Expired,
}

/// Verifies an access token by the keys of a ring.
///
/// # Errors
/// See [`VerifyError`]. The claims are read only after the signature was verified.
pub fn verify<C: ClaimSet>(
    token: &str,
    keys: &KeySet,
    expect: &Expect,
    now: Timestamp,
) -> Result<Verified<C>, VerifyError> {
    verify_at(token, keys, expect, (now, now))
}

/// Does the same as [`verify`] with two times: this machine's, at which the token must have begun,
/// and the one at which it must not have expired, which may be later.
pub(crate) fn verify_at<C: ClaimSet>(
    token: &str,
    keys: &KeySet,
    expect: &Expect,
    now: (Timestamp, Timestamp),
) -> Result<Verified<C>, VerifyError> {
    let (parts, key) = find_key_of(token, keys).ok_or(VerifyError::Invalid)?;
    check_signature(&parts, key).ok_or(VerifyError::Invalid)?;
    let names = TokenNames::of(expect, key.kid());
    let decoded =
        decode_payload::<C>(parts.payload, expect, names.frame()).ok_or(VerifyError::Invalid)?;
    check_times(&decoded, expect, now)?;
    Ok(Verified::made(decoded, names, None))
}

/// Returns the parts of a token and the key of its header: byte for byte as issued, or otherwise by
/// the parsed header.
fn find_key_of<'a, 'k>(
    token: &'a str,
    keys: &'k KeySet,
) -> Option<(Compact<'a>, &'k VerifyingKey)> {
    let issued = Compact::cut(token, keys);
    let found = issued.or_else(|| {
        let parts = Compact::split(token)?;
        Some((parts, find_key(parts.header, keys)?))
    });
    found.filter(|(_, key)| key.state() != KeyState::Retired)
}

fn check_signature(parts: &Compact<'_>, key: &VerifyingKey) -> Option<()> {
    let mut stack = [MaybeUninit::uninit(); SIGNATURE_LEN];
    let mut heap = Vec::new();
    let len = parts.signature.len();
    if len != encoded_len(key.signature_len()) {
        return None;
    }
    let buffer = buffer_for(len, &mut stack, &mut heap);
    let signature = compact::decode_into(parts.signature, buffer)?;
    key.verify(parts.signed.as_bytes(), signature).then_some(())
}

fn decode_payload<C: ClaimSet>(
    encoded: &str,
    expect: &Expect,
    frame: Option<&Frame>,
) -> Option<Decoded<C>> {
    let mut stack = [MaybeUninit::uninit(); BUFFER_LEN];
    let mut heap = Vec::new();
    let buffer = buffer_for(encoded.len(), &mut stack, &mut heap);
    let payload = compact::decode_into(encoded, buffer)?;
    if let Some(decoded) = frame.and_then(|frame| fast_path::decode(payload, frame)) {
        return Some(decoded);
    }
    decode_claims(payload, expect)
}

/// Returns memory for decoding so many characters: on the stack where they fit there.
fn buffer_for<'b>(
    len: usize,
    stack: &'b mut [MaybeUninit<u8>],
    heap: &'b mut Vec<u8>,
) -> &'b mut [MaybeUninit<u8>] {
    let len = decoded_len(len);
    if len <= stack.len() {
        return stack;
    }
    heap.reserve_exact(len);
    heap.spare_capacity_mut()
}

/// Decodes a payload; `None` if it is not an access token's for `expect`.
pub(super) fn decode_claims<C: ClaimSet>(payload: &[u8], expect: &Expect) -> Option<Decoded<C>> {
    let text = std::str::from_utf8(payload).ok()?;
    if is_plain(text) || is_strict(text) {
        decode::decode(text, expect)
    } else {
        None
    }
}

/// Checks the times (RFC 7519 sections 4.1.4 to 4.1.6): that the token has begun `now`, and that it
/// has not expired at `latest`. A token that was never valid is invalid, whether or not it has
/// expired too.
pub(super) fn check_times<C>(
    token: &Decoded<C>,
    expect: &Expect,
    (now, latest): (Timestamp, Timestamp),
) -> Result<(), VerifyError> {
    let leeway = expect.bounded_leeway();
    let begun = now.plus(leeway);
    let starts_late = token
        .not_before
        .is_some_and(|start| Timestamp::from_secs(start) > begun);
    let lifetime = Duration::from_secs(token.expires.saturating_sub(token.issued));
    if starts_late || Timestamp::from_secs(token.issued) > begun || lifetime > expect.max_lifetime {
        return Err(VerifyError::Invalid);
    }
    if expect.allow_expired || latest < Timestamp::from_secs(token.expires).plus(leeway) {
        Ok(())
    } else {
        Err(VerifyError::Expired)
    }
}

impl<C> Verified<C> {
    /// Wraps the claims of another issuer's token after all checks: for
    /// [`external`](super::external) alone.
    pub(super) fn foreign(
        decoded: Decoded<C>,
        foreign: ForeignToken,
        issuer: Arc<str>,
        kid: &Arc<str>,
        expect: &Expect,
    ) -> Self {
        let names = Arc::new(TokenNames::new(expect, issuer, &foreign.audience, kid));
        Self::made(decoded, names, Some(Box::new(foreign)))
    }

    fn made(
        decoded: Decoded<C>,
        names: Arc<TokenNames>,
        foreign: Option<Box<ForeignToken>>,
    ) -> Self {
        Self(Arc::new(VerifiedToken {
            claims: decoded.claims,
            token: TokenInfo {
                names,
                client_id: decoded.client_id,
                subject: decoded.subject,
                acr: decoded.acr,
                jti: decoded.jti,
                session: decoded.session,
                user_epoch: decoded.user_epoch,
                issued_at: Timestamp::from_secs(decoded.issued),
                expires_at: Timestamp::from_secs(decoded.expires),
                not_before: decoded.not_before.map(Timestamp::from_secs),
                auth_time: decoded.auth_time.map(Timestamp::from_secs),
                foreign,
                binding: decoded.binding,
                live_at: LiveAt::default(),
            },
        }))
    }

    /// Wraps a token that is remembered.
    pub(super) fn shared(shared: Arc<VerifiedToken<C>>) -> Self {
        Self(shared)
    }

    /// Returns the token in the form in which it is remembered.
    pub(super) fn to_shared(&self) -> Arc<VerifiedToken<C>> {
        Arc::clone(&self.0)
    }

    /// Returns the claims about the user.
    #[must_use]
    pub fn claims(&self) -> &C {
        &self.0.claims
    }

    /// Returns the claims about the user by value.
    #[must_use]
    pub fn into_claims(self) -> C
    where
        C: Clone,
    {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.claims.clone(), |own| own.claims)
    }

    /// Returns the description of the token.
    #[must_use]
    pub fn token(&self) -> &TokenInfo {
        &self.0.token
    }
}

/// Signatures up to this size, all but RSA's, are decoded on the stack.
const SIGNATURE_LEN: usize = 100;
/// Payloads up to this size are decoded on the stack.
const BUFFER_LEN: usize = 1024;
