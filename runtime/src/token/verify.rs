//! Verifying access tokens: the one place that makes a `Verified`.

use std::sync::Arc;
use std::time::Duration;

use super::claims::ClaimSet;
use super::compact::{self, Compact, decoded_len};
use super::decode::{self, Decoded};
use super::expect::Expect;
use super::fast_path;
use super::header::find_key;
use super::info::{ForeignToken, TokenClient, TokenInfo};
use super::json::{is_plain, is_strict};
use crate::clock::Timestamp;
use crate::keys::{KeySet, KeyState, VerifyingKey};

/// Claims whose signature, times, issuer and audience were checked.
///
/// Whether they were revoked is decided by the gate, which alone hands these out.
#[derive(Clone, Debug)]
pub struct Verified<C> {
    storage: Storage<C>,
}

/// The place of a verified token: a remembered one is shared by all requests with it.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "what is not remembered is not put on the heap either"
)]
enum Storage<C> {
    Own(VerifiedToken<C>),
    Shared(Arc<VerifiedToken<C>>),
}

/// The claims of a token, and what it says of itself.
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

/// Why a token does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// The ring did not sign it, it is not yet valid, it has another audience, or it is not an
    /// access token.
    Invalid,
    /// It is valid apart from having expired.
    Expired,
}

/// Verifies an access token by the keys of a ring.
///
/// # Errors
/// See [`VerifyError`]. Nothing is read of the claims before the signature held.
pub fn verify<C: ClaimSet>(
    token: &str,
    keys: &KeySet,
    expect: &Expect,
    now: Timestamp,
) -> Result<Verified<C>, VerifyError> {
    verify_at(token, keys, expect, (now, now))
}

/// Does [`verify`] by two times: this machine's, at which the token must have begun, and the one at
/// which it must not have expired, which may be later.
pub(crate) fn verify_at<C: ClaimSet>(
    token: &str,
    keys: &KeySet,
    expect: &Expect,
    now: (Timestamp, Timestamp),
) -> Result<Verified<C>, VerifyError> {
    let parts = Compact::split(token).ok_or(VerifyError::Invalid)?;
    let key = key_of(&parts, keys).ok_or(VerifyError::Invalid)?;
    check_signature(&parts, key).ok_or(VerifyError::Invalid)?;
    let decoded = decode_payload::<C>(parts.payload, expect).ok_or(VerifyError::Invalid)?;
    check_times(&decoded, expect, now)?;
    Ok(Verified::new(decoded, key, expect))
}

/// Returns the key whose header the token has: byte for byte as issued, or else as its parsed
/// header says.
fn key_of<'k>(parts: &Compact<'_>, keys: &'k KeySet) -> Option<&'k VerifyingKey> {
    let issued = keys
        .verifying()
        .iter()
        .find(|key| key.header() == parts.header);
    issued
        .or_else(|| find_key(parts.header, keys))
        .filter(|key| key.state() != KeyState::Retired)
}

fn check_signature(parts: &Compact<'_>, key: &VerifyingKey) -> Option<()> {
    let mut stack = [0; SIGNATURE_LEN];
    let mut heap;
    let len = parts.signature.len();
    if len != (key.signature_len() * 4).div_ceil(3) {
        return None;
    }
    let buffer = if decoded_len(len) <= SIGNATURE_LEN {
        stack.as_mut_slice()
    } else {
        heap = vec![0; decoded_len(len)];
        heap.as_mut_slice()
    };
    let signature = compact::decode(parts.signature, buffer)?;
    key.verify(parts.signed.as_bytes(), signature).then_some(())
}

fn decode_payload<C: ClaimSet>(encoded: &str, expect: &Expect) -> Option<Decoded<C>> {
    let mut stack = [0; BUFFER_LEN];
    let mut heap;
    let buffer = if decoded_len(encoded.len()) <= BUFFER_LEN {
        stack.as_mut_slice()
    } else {
        heap = vec![0; decoded_len(encoded.len())];
        heap.as_mut_slice()
    };
    decode_claims(compact::decode(encoded, buffer)?, expect)
}

/// Decodes a payload; `None` where it is not an access token's for `expect`.
pub(super) fn decode_claims<C: ClaimSet>(
    payload: &mut [u8],
    expect: &Expect,
) -> Option<Decoded<C>> {
    let text = std::str::from_utf8(payload).ok()?;
    if !is_plain(text) {
        return is_strict(text).then(|| decode::decode(text, expect))?;
    }
    if let Some(decoded) = fast_path::decode(payload, expect) {
        return Some(decoded);
    }
    decode::decode(std::str::from_utf8(payload).ok()?, expect)
}

/// Checks the times (RFC 7519 sections 4.1.4 to 4.1.6): that the token has begun `now`, and that it
/// has not expired at `latest`. A token that never counted is invalid, whether or not it has
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
    fn new(decoded: Decoded<C>, key: &VerifyingKey, expect: &Expect) -> Self {
        Self::made(decoded, Arc::clone(&expect.issuer), key.kid(), expect, None)
    }

    /// Wraps the claims of another issuer's token, once everything held: for
    /// [`external`](super::external) alone.
    pub(super) fn foreign(
        decoded: Decoded<C>,
        foreign: ForeignToken,
        issuer: Arc<str>,
        kid: &Arc<str>,
        expect: &Expect,
    ) -> Self {
        Self::made(decoded, issuer, kid, expect, Some(Box::new(foreign)))
    }

    fn made(
        decoded: Decoded<C>,
        issuer: Arc<str>,
        kid: &Arc<str>,
        expect: &Expect,
        foreign: Option<Box<ForeignToken>>,
    ) -> Self {
        let token = TokenInfo {
            issuer,
            audience: Arc::clone(
                foreign
                    .as_ref()
                    .map_or(&expect.audience, |foreign| &foreign.audience),
            ),
            realm: expect.realm.clone(),
            kid: Arc::clone(kid),
            client_id: decoded.client_id.map_or_else(
                || TokenClient::Expected(Arc::clone(&expect.client_id)),
                TokenClient::Other,
            ),
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
        };
        Self {
            storage: Storage::Own(VerifiedToken {
                claims: decoded.claims,
                token,
            }),
        }
    }

    /// Wraps a token that is remembered.
    pub(super) fn shared(shared: Arc<VerifiedToken<C>>) -> Self {
        Self {
            storage: Storage::Shared(shared),
        }
    }

    /// Returns the token in the form in which it is remembered.
    pub(super) fn to_shared(&self) -> Arc<VerifiedToken<C>>
    where
        C: Clone,
    {
        match &self.storage {
            Storage::Own(own) => Arc::new(own.clone()),
            Storage::Shared(shared) => Arc::clone(shared),
        }
    }

    fn contents(&self) -> &VerifiedToken<C> {
        match &self.storage {
            Storage::Own(own) => own,
            Storage::Shared(shared) => shared,
        }
    }

    /// Returns what the token says of the user.
    #[must_use]
    pub fn claims(&self) -> &C {
        &self.contents().claims
    }

    /// Returns what the token says of the user, without the rest.
    #[must_use]
    pub fn into_claims(self) -> C
    where
        C: Clone,
    {
        match self.storage {
            Storage::Own(own) => own.claims,
            Storage::Shared(shared) => Arc::try_unwrap(shared)
                .map_or_else(|shared| shared.claims.clone(), |own| own.claims),
        }
    }

    /// Returns what the token says of itself.
    #[must_use]
    pub fn token(&self) -> &TokenInfo {
        &self.contents().token
    }
}

/// Signatures up to this size, all but RSA's, are decoded on the stack.
const SIGNATURE_LEN: usize = 100;
/// Payloads up to this size are decoded on the stack.
const BUFFER_LEN: usize = 1024;
