//! Tokens of other issuers: read as strictly as our own, and compared with what is expected of
//! their issuer.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use base64_simd::URL_SAFE_NO_PAD;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::audience::{AnyAudience, Audiences};
use super::claims::ClaimSet;
use super::compact::{self, Compact};
use super::decode::{Decoded, Same, once, seeded};
use super::expect::Expect;
use super::info::ForeignToken;
use super::json::{MAX_MEMBERS, Strict, is_media_type, is_present, is_strict};
use super::verify::{Verified, VerifyError, check_times};
use crate::clock::Timestamp;
use crate::id::TokenId;
use crate::keys::PublicKey;
use crate::realm::RealmName;
use crate::secret::sha256;

/// What is expected of the tokens of one issuer.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The name of the guard that verifies them.
    pub(crate) guard: Arc<str>,
    /// `iss`, byte for byte; `aud` is one of `audiences`.
    pub(crate) base: Expect,
    pub(crate) audiences: Box<[Arc<str>]>,
    pub(crate) kind: TokenKind,
}

/// Which of an issuer's tokens count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// Access tokens as RFC 9068 has them: `typ` is `at+jwt`.
    AccessToken,
    /// Access tokens that also may say `typ: JWT`, or no `typ`. One that bears the marks of an ID
    /// token (`nonce`, `at_hash`, `c_hash`) does not count.
    LooseAccessToken,
    /// ID tokens (OpenID Connect Core section 2): `typ` is `JWT` or absent, and `azp`, where it is
    /// there or where the token is for several audiences, is the one expected.
    IdToken,
}

/// A token whose form and header were read; nothing is verified.
pub(crate) struct Sealed<'a> {
    parts: Compact<'a>,
    text: &'a str,
    /// The algorithm that the header names.
    pub(crate) algorithm: Box<str>,
    /// The key that the header names.
    pub(crate) kid: Option<Box<str>>,
    typ: Typ,
}

/// The media type that `typ` names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Typ {
    AccessToken,
    Jwt,
    Absent,
}

impl<'a> Sealed<'a> {
    /// Reads a token; `None` where it cannot be one.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let parts = Compact::split(text)?;
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(parts.header).ok()?;
        let header = std::str::from_utf8(&bytes)
            .ok()
            .filter(|header| is_strict(header))?;
        let header: ForeignHeader<'_> = serde_json::from_str(header).ok()?;
        if header.crit || header.b64 || header.zip {
            return None;
        }
        let typ = match header.typ.as_deref() {
            None => Typ::Absent,
            Some(typ) if is_media_type(typ, "at+jwt") => Typ::AccessToken,
            Some(typ) if is_media_type(typ, "jwt") => Typ::Jwt,
            Some(_) => return None,
        };
        let kid = header.kid.map(|kid| kid.into_owned().into_boxed_str());
        Some(Self {
            parts,
            text,
            algorithm: header.alg.into_owned().into_boxed_str(),
            kid,
            typ,
        })
    }

    /// Returns the issuer that the token claims. It chooses the guard, and nothing else: nothing is
    /// verified.
    pub(crate) fn claimed_issuer(&self) -> Option<Box<str>> {
        self.claimed_origin().map(|origin| origin.issuer)
    }

    /// Returns the issuer and the realm that the token claims. They choose the verifier, and
    /// nothing else: nothing is verified.
    fn claimed_origin(&self) -> Option<Origin> {
        let payload = self.payload()?;
        let text = std::str::from_utf8(&payload).ok()?;
        let mut reader = serde_json::Deserializer::from_str(text);
        reader.deserialize_map(OriginVisitor).ok()
    }

    /// Returns whether the token's `typ` is one of this kind: what passes for one kind does not
    /// pass for another (R49, R55).
    pub(crate) fn may_be(&self, kind: TokenKind) -> bool {
        match kind {
            TokenKind::AccessToken => self.typ == Typ::AccessToken,
            TokenKind::LooseAccessToken => true,
            TokenKind::IdToken => self.typ != Typ::AccessToken,
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

    /// Verifies the signature and reads the claims.
    ///
    /// # Errors
    /// See [`VerifyError`]. Nothing is read of the claims before the signature held.
    pub(crate) fn verify<C: ClaimSet>(
        &self,
        key: &PublicKey,
        kid: &Arc<str>,
        expected: &Expected,
        now: Timestamp,
    ) -> Result<Verified<C>, VerifyError> {
        if !self.may_be(expected.kind) || !self.is_signed_by(key) {
            return Err(VerifyError::Invalid);
        }
        let payload = self.payload().ok_or(VerifyError::Invalid)?;
        let text = std::str::from_utf8(&payload)
            .ok()
            .filter(|text| is_strict(text))
            .ok_or(VerifyError::Invalid)?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let decoded = reader.deserialize_map(ForeignClaimsVisitor {
            token: self.text,
            expected,
            own: PhantomData,
        });
        let (decoded, foreign) = decoded
            .ok()
            .filter(|_| reader.end().is_ok())
            .ok_or(VerifyError::Invalid)?;
        check_times(&decoded, &expected.base, (now, now))?;
        Ok(Verified::foreign(decoded, foreign, kid, &expected.base))
    }

    fn payload(&self) -> Option<Vec<u8>> {
        let mut buffer = vec![0; compact::decoded_len(self.parts.payload.len())];
        let len = compact::decode(self.parts.payload, &mut buffer)?.len();
        buffer.truncate(len);
        Some(buffer)
    }
}

/// The members of a header that are read. Others, such as `jwk`, `jku`, `x5u` and `x5c`, have no
/// effect (R23).
#[derive(serde::Deserialize)]
struct ForeignHeader<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text")]
    typ: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    kid: Option<Cow<'a, str>>,
    /// No extension is implemented, so none may be critical (R12, RFC 7515 section 4.1.11).
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
    /// R13, RFC 7797 section 7.
    #[serde(default, deserialize_with = "is_present")]
    b64: bool,
    /// R14.
    #[serde(default, deserialize_with = "is_present")]
    zip: bool,
}

/// Reads a string; `null` is refused, unlike an absent member.
pub(super) fn text<'de: 'a, 'a, D: Deserializer<'de>>(
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

/// The issuer and the realm that a token claims.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// `iss`.
    pub(crate) issuer: Box<str>,
    /// `rlm`.
    pub(crate) realm: Option<Box<str>>,
}

impl Origin {
    /// Reads the origin that a signed or an encrypted token claims; `None` where it claims none.
    #[cfg(feature = "axum")]
    pub(crate) fn claimed(text: &str) -> Option<Self> {
        #[cfg(feature = "jwe")]
        if let Some(origin) = super::encrypted::claimed_origin(text) {
            return Some(origin);
        }
        Sealed::read(text)?.claimed_origin()
    }

    /// Returns whether a verifier that expects this is for tokens of this origin.
    #[cfg(feature = "axum")]
    pub(crate) fn is_expected(&self, expect: &Expect) -> bool {
        *self.issuer == *expect.issuer
            && self.realm.as_deref() == expect.realm.as_ref().map(RealmName::as_str)
    }
}

struct OriginVisitor;

impl<'de> Visitor<'de> for OriginVisitor {
    type Value = Origin;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims with an issuer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Origin, A::Error> {
        let (mut issuer, mut realm, mut members) = (None, None, 0);
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            members += 1;
            if members > MAX_MEMBERS {
                return Err(A::Error::custom("too many members"));
            }
            if name == "iss" {
                once::<_, Box<str>>(&mut issuer, &mut map)?;
            } else if name == "rlm" {
                once::<_, Box<str>>(&mut realm, &mut map)?;
            } else {
                map.next_value_seed(Strict::member(&mut members))?;
            }
        }
        let issuer = issuer.ok_or_else(|| A::Error::missing_field("iss"))?;
        Ok(Origin { issuer, realm })
    }
}

struct ForeignClaimsVisitor<'e, C> {
    token: &'e str,
    expected: &'e Expected,
    own: PhantomData<C>,
}

impl<'de, C: ClaimSet> Visitor<'de> for ForeignClaimsVisitor<'_, C> {
    type Value = (Decoded<C>, ForeignToken);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims of a token")
    }

    // That no member comes twice, and that there are not too many, was seen before.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self {
            token, expected, ..
        } = self;
        let (mut iss, mut aud, mut azp, mut client_id) = (None, None, None, None);
        let mut subject: Option<Box<str>> = None;
        let (mut expires, mut issued, mut not_before, mut auth_time) = (None, None, None, None);
        let (mut jti, mut acr, mut nonce) = (None, None, None);
        let (mut is_id_token, mut realm) = (false, None);
        let expected_realm = expected.base.realm.as_ref().map_or("", RealmName::as_str);
        let mut draft = C::Draft::default();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match &*name {
                "iss" => seeded(&mut iss, Same(&expected.base.issuer), &mut map)?,
                "sub" => once::<_, Box<str>>(&mut subject, &mut map)?,
                "aud" => seeded(&mut aud, AnyAudience(&expected.audiences), &mut map)?,
                "azp" => once::<_, Box<str>>(&mut azp, &mut map)?,
                "client_id" => once::<_, Box<str>>(&mut client_id, &mut map)?,
                "exp" => once::<_, u64>(&mut expires, &mut map)?,
                "iat" => once::<_, u64>(&mut issued, &mut map)?,
                "nbf" => once::<_, u64>(&mut not_before, &mut map)?,
                "auth_time" => once::<_, u64>(&mut auth_time, &mut map)?,
                "acr" => once::<_, Box<str>>(&mut acr, &mut map)?,
                "jti" => once::<_, Box<str>>(&mut jti, &mut map)?,
                "rlm" => seeded(&mut realm, Same(expected_realm), &mut map)?,
                "nonce" => once::<_, Box<str>>(&mut nonce, &mut map)?,
                "at_hash" | "c_hash" => {
                    is_id_token = true;
                    map.next_value::<IgnoredAny>()?;
                }
                own => match C::place(own) {
                    Some(place) => C::read(&mut draft, place, &mut map)?,
                    None => drop(map.next_value::<IgnoredAny>()?),
                },
            }
        }
        let missing = A::Error::missing_field;
        let refuse = |what| Err(A::Error::custom(what));
        let Audiences {
            expected: Some(audience),
            are_several,
        } = aud.ok_or_else(|| missing("aud"))?
        else {
            return refuse("another audience");
        };
        if iss != Some(true) {
            return refuse("another issuer");
        }
        if realm != expected.base.realm.as_ref().map(|_| true) {
            return refuse("another realm");
        }
        match (expected.kind, azp.as_deref()) {
            (TokenKind::LooseAccessToken, _) if is_id_token || nonce.is_some() => {
                return refuse("an ID token");
            }
            // OpenID Connect Core section 3.1.3.7, 3 to 5.
            (TokenKind::IdToken, Some(party))
                if !expected.audiences.iter().any(|known| **known == *party) =>
            {
                return refuse("another party");
            }
            (TokenKind::IdToken, None) if are_several => {
                return refuse("for several, and of nobody");
            }
            _ => {}
        }
        let subject = subject
            .filter(|text| !text.is_empty())
            .ok_or_else(|| missing("sub"))?;
        let parsed = C::parse_subject(&subject)
            .ok_or_else(|| A::Error::custom("not a subject of this type"))?;
        let decoded = Decoded {
            client_id: Some(client_id.or(azp).unwrap_or_default()),
            expires: expires.ok_or_else(|| missing("exp"))?,
            issued: issued.ok_or_else(|| missing("iat"))?,
            not_before,
            jti: token_id(&expected.base.issuer, jti.as_deref().unwrap_or(token)),
            session: None,
            user_epoch: 0,
            auth_time,
            acr,
            binding: None,
            claims: C::finish(draft, parsed).map_err(missing)?,
            subject,
        };
        Ok((
            decoded,
            ForeignToken {
                guard: Arc::clone(&expected.guard),
                audience,
                id: jti,
                nonce,
            },
        ))
    }
}

/// Derives sixteen bytes from the issuer's name and its name for the token.
fn token_id(issuer: &str, id: &str) -> TokenId {
    let hash = sha256(format!("{issuer}\0{id}").as_bytes());
    let mut half = [0; 16];
    for (half, byte) in half.iter_mut().zip(hash) {
        *half = byte;
    }
    TokenId::from_bytes(half)
}

/// The longest signature, in bytes: that of RSA with 8192 bits.
const MAX_SIGNATURE_LEN: usize = 1024 + 4;
