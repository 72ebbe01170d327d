//! Tokens of other issuers: read as strictly as the gate's own, and compared with the requirements
//! on their issuer's tokens.

mod claims;
mod date;
mod expected;
mod fault;
mod kind;
mod origin;
mod survey;

pub use fault::TokenFault;
pub use kind::TokenKind;

pub(crate) use expected::{AudienceRule, Expected, Limits, Spelling, TENANT, Tenants, is_guid};
pub(crate) use fault::{Fault, quoted};
pub(crate) use kind::Marks;
pub(crate) use origin::Origin;

use std::sync::Arc;

use base64_simd::URL_SAFE_NO_PAD;
use serde::de::Deserializer;

use self::kind::HeaderType;
use self::origin::OriginVisitor;
use self::survey::Survey;
use super::claims::ClaimSet;
use super::compact::{self, Compact};
use super::json::{is_present, is_strict};
use super::verify::{Verified, VerifyError, check_times};
use crate::clock::Timestamp;
use crate::keys::PublicKey;

/// A token whose form and header were read; nothing is verified.
pub(crate) struct Sealed<'a> {
    parts: Compact<'a>,
    text: &'a str,
    /// The algorithm that the header names.
    pub(crate) algorithm: Box<str>,
    /// The key that the header names.
    pub(crate) kid: Option<Box<str>>,
    typ: HeaderType,
    payload: Box<str>,
}

impl<'a> Sealed<'a> {
    /// Reads a token within these bounds.
    pub(crate) fn read(text: &'a str, limits: Limits) -> Result<Self, Fault> {
        check_len(text, limits)?;
        let malformed = |what: &str| Fault::new(TokenFault::Malformed, what);
        let parts = Compact::split_within(text, limits.bytes)
            .ok_or_else(|| malformed("it is not three parts of base64url with dots between"))?;
        let header = read_header(&parts).ok_or_else(|| malformed("its header cannot be read"))?;
        if header.crit || header.b64 || header.zip {
            return Err(malformed("its header has `crit`, `b64` or `zip`"));
        }
        let payload = read_payload(&parts)
            .ok_or_else(|| malformed("its payload is not base64url of UTF-8"))?;
        Ok(Self {
            parts,
            text,
            typ: HeaderType::of(header.typ.as_deref()),
            algorithm: header.alg,
            kid: header.kid,
            payload,
        })
    }

    /// Returns the origin that the token claims. It chooses the verifier, and nothing else: it is
    /// not verified.
    pub(crate) fn claimed_origin(&self) -> Option<Origin> {
        let mut reader = serde_json::Deserializer::from_str(&self.payload);
        reader.deserialize_map(OriginVisitor).ok()
    }

    /// Refuses a token that is too large for this guard, although another guard would read it.
    pub(crate) fn check_size(&self, limits: Limits) -> Result<(), Fault> {
        check_len(self.text, limits)
    }

    /// Refuses a token whose header says that it is of another kind: a token of one kind is not
    /// accepted as one of another (R49, R55).
    pub(crate) fn check_header(&self, kind: TokenKind) -> Result<(), Fault> {
        let may_be = match (self.typ, kind) {
            (HeaderType::Other, _) => false,
            (typ, TokenKind::AccessToken) => typ == HeaderType::AccessToken,
            (_, TokenKind::LooseAccessToken) => true,
            (typ, TokenKind::IdToken) => typ != HeaderType::AccessToken,
        };
        if may_be {
            Ok(())
        } else {
            Err(Fault::new(
                TokenFault::Kind,
                "the `typ` of its header is that of another kind",
            ))
        }
    }

    /// Returns whether the token has a signature of this key.
    fn is_signed_by(&self, key: &PublicKey) -> bool {
        let mut buffer = [0; MAX_SIGNATURE_LEN];
        let is_long = self.parts.signature.len() == (key.signature_len() * 4).div_ceil(3);
        let signature = is_long
            .then(|| compact::decode(self.parts.signature, &mut buffer))
            .flatten();
        signature.is_some_and(|signature| key.verify(self.parts.signed.as_bytes(), signature))
    }

    /// Verifies the signature by the first of these keys that made it, and reads the claims.
    ///
    /// # Errors
    /// The reason why the token is not valid. The claims are read only after the signature was
    /// verified.
    pub(crate) fn verify<'k, C: ClaimSet>(
        &self,
        keys: impl IntoIterator<Item = &'k PublicKey>,
        expected: &Expected,
        spelling: &Spelling,
        now: Timestamp,
    ) -> Result<Verified<C>, Fault> {
        self.check_header(expected.kind)?;
        let key = keys
            .into_iter()
            .find(|key| self.is_signed_by(key))
            .ok_or_else(|| {
                Fault::new(
                    TokenFault::Signature,
                    "no key of the issuer that fits it made its signature",
                )
            })?;
        let survey = Survey::of(&self.payload, expected)?;
        let is_marked = survey
            .signs
            .check(self.typ, expected.kind, &expected.marks)?;
        expected.check_tenant(spelling, survey.tenant.as_deref())?;
        expected.check_key_issuer(spelling, key.issuer())?;
        let (decoded, foreign) = claims::read(
            &self.payload,
            self.text,
            expected,
            spelling,
            &survey,
            is_marked,
        )?;
        check_times(&decoded, &expected.base, (now, now)).map_err(|error| match error {
            VerifyError::Expired => Fault::new(
                TokenFault::Expired,
                format!("it expired at {}", decoded.expires),
            ),
            VerifyError::Invalid => untimely(&decoded, expected),
        })?;
        let (issuer, kid) = (
            Arc::clone(&spelling.issuer),
            key.kid().unwrap_or_default().into(),
        );
        Ok(Verified::foreign(
            decoded,
            foreign,
            issuer,
            &kid,
            &expected.base,
        ))
    }
}

fn check_len(text: &str, limits: Limits) -> Result<(), Fault> {
    if text.len() > limits.bytes {
        let (len, most) = (text.len(), limits.bytes);
        return Err(Fault::new(
            TokenFault::TooLarge,
            format!("it has {len} bytes, and {most} are read: see `Issuer::max_bytes`"),
        ));
    }
    Ok(())
}

/// Returns the fault of a token whose times are not accepted.
fn untimely<C>(token: &super::decode::Decoded<C>, expected: &Expected) -> Fault {
    let lifetime = token.expires.saturating_sub(token.issued);
    let most = expected.base.max_lifetime.as_secs();
    if lifetime > most {
        return Fault::new(
            TokenFault::Lifetime,
            format!("it lives for {lifetime} seconds, and {most} are accepted"),
        );
    }
    let begins = token.not_before.unwrap_or_default().max(token.issued);
    Fault::new(
        TokenFault::NotYet,
        format!("it begins at {begins}, which is in the future"),
    )
}

fn read_payload(parts: &Compact<'_>) -> Option<Box<str>> {
    let mut buffer = vec![0; compact::decoded_len(parts.payload.len())];
    let len = compact::decode(parts.payload, &mut buffer)?.len();
    buffer.truncate(len);
    Some(String::from_utf8(buffer).ok()?.into_boxed_str())
}

fn read_header(parts: &Compact<'_>) -> Option<ForeignHeader> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(parts.header).ok()?;
    let header = std::str::from_utf8(&bytes)
        .ok()
        .filter(|header| is_strict(header))?;
    serde_json::from_str(header).ok()
}

/// The members of a header that are read. Others, such as `jwk`, `jku`, `x5u` and `x5c`, have no
/// effect (R23).
#[derive(serde::Deserialize)]
struct ForeignHeader {
    alg: Box<str>,
    #[serde(default, deserialize_with = "boxed")]
    typ: Option<Box<str>>,
    #[serde(default, deserialize_with = "boxed")]
    kid: Option<Box<str>>,
    /// `true` if the header has `crit`: no extension is implemented, so none may be critical
    /// (R12, RFC 7515 section 4.1.11).
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
    /// `true` if the header has `b64` (R13, RFC 7797 section 7).
    #[serde(default, deserialize_with = "is_present")]
    b64: bool,
    /// `true` if the header has `zip` (R14).
    #[serde(default, deserialize_with = "is_present")]
    zip: bool,
}

/// Reads a string; `null` is refused, unlike an absent member.
fn boxed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<str>>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Some)
}

/// The longest signature, in bytes: that of RSA with 8192 bits.
const MAX_SIGNATURE_LEN: usize = 1024 + 4;
