//! The claims of a token in one pass: registered names here, the others by the type that the user
//! derived.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::binding::TokenBinding;
use super::claims::ClaimSet;
use super::expect::Expect;
use super::json::{Budget, MAX_MEMBERS, Strict};
use super::names::Names;
use super::subject::SubjectText;
use crate::id::{SessionId, TokenId};
use crate::realm::RealmName;

/// The contents of a payload of the right form, with the expected issuer and audience; the times
/// are not checked.
pub(super) struct Decoded<C> {
    pub(super) subject: SubjectText,
    /// The client; `None` if it is the expected one.
    pub(super) client_id: Option<Box<str>>,
    pub(super) expires: u64,
    pub(super) issued: u64,
    pub(super) not_before: Option<u64>,
    pub(super) jti: TokenId,
    pub(super) session: Option<(SessionId, u32)>,
    pub(super) user_epoch: u64,
    pub(super) auth_time: Option<u64>,
    pub(super) acr: Option<Box<str>>,
    pub(super) binding: Option<TokenBinding>,
    pub(super) claims: C,
}

/// Decodes the claims of a strict payload, whose members may be in any order; `None` if it is
/// not an access token's for `expect`.
pub(super) fn decode<C: ClaimSet>(text: &str, expect: &Expect) -> Option<Decoded<C>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let decoded = reader
        .deserialize_map(ClaimsVisitor {
            expect,
            own: PhantomData,
        })
        .ok()?;
    reader.end().ok()?;
    Some(decoded)
}

struct ClaimsVisitor<'e, C> {
    expect: &'e Expect,
    own: PhantomData<C>,
}

/// A member's name, unescaped.
pub(super) enum ClaimName {
    Iss,
    Sub,
    Aud,
    ClientId,
    Exp,
    Iat,
    Nbf,
    Jti,
    Session,
    Generation,
    UserEpoch,
    Realm,
    AuthTime,
    Acr,
    Binding,
    Own(usize),
    Other(Box<str>),
}

impl ClaimName {
    /// Returns the meaning of a name in tokens of these claims.
    pub(super) fn of<C: ClaimSet>(name: &str) -> Self {
        match name {
            "iss" => Self::Iss,
            "sub" => Self::Sub,
            "aud" => Self::Aud,
            "client_id" => Self::ClientId,
            "exp" => Self::Exp,
            "iat" => Self::Iat,
            "nbf" => Self::Nbf,
            "jti" => Self::Jti,
            "sid" => Self::Session,
            "gen" => Self::Generation,
            "uep" => Self::UserEpoch,
            "auth_time" => Self::AuthTime,
            "rlm" => Self::Realm,
            "acr" => Self::Acr,
            "bnd" => Self::Binding,
            other => C::place(other).map_or_else(|| Self::Other(other.into()), Self::Own),
        }
    }
}

impl<'de, C: ClaimSet> Visitor<'de> for ClaimsVisitor<'_, C> {
    type Value = Decoded<C>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims of an access token")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Decoded<C>, A::Error> {
        let (mut iss, mut aud, mut client_id, mut subject) = (None, None, None, None);
        let (mut expires, mut issued, mut not_before, mut auth_time) = (None, None, None, None);
        let (mut jti, mut sid, mut generation, mut user_epoch, mut acr) =
            (None, None, None, None, None);
        let (mut binding, mut realm) = (None, None);
        let mut draft = C::Draft::default();
        let expected_realm = self.expect.realm.as_ref().map_or("", RealmName::as_str);
        let mut others = Names::default();
        let mut budget = Budget::new(MAX_MEMBERS);
        while let Some(name) = map.next_key_seed(ClaimNameSeed::<C>(PhantomData))? {
            budget.take()?;
            match name {
                ClaimName::Iss => seeded(&mut iss, Same(&self.expect.issuer), &mut map)?,
                ClaimName::Sub => once::<_, Box<str>>(&mut subject, &mut map)?,
                ClaimName::Aud => seeded(&mut aud, Audience(&self.expect.audience), &mut map)?,
                ClaimName::ClientId => {
                    seeded(&mut client_id, Different(&self.expect.client_id), &mut map)?;
                }
                ClaimName::Exp => once::<_, u64>(&mut expires, &mut map)?,
                ClaimName::Iat => once::<_, u64>(&mut issued, &mut map)?,
                ClaimName::Nbf => once::<_, u64>(&mut not_before, &mut map)?,
                ClaimName::Jti => once::<_, TokenId>(&mut jti, &mut map)?,
                ClaimName::Session => once::<_, SessionId>(&mut sid, &mut map)?,
                ClaimName::Generation => once::<_, u32>(&mut generation, &mut map)?,
                ClaimName::UserEpoch => once::<_, u64>(&mut user_epoch, &mut map)?,
                ClaimName::AuthTime => once::<_, u64>(&mut auth_time, &mut map)?,
                ClaimName::Realm => seeded(&mut realm, Same(expected_realm), &mut map)?,
                ClaimName::Acr => once::<_, Box<str>>(&mut acr, &mut map)?,
                ClaimName::Binding => once::<_, TokenBinding>(&mut binding, &mut map)?,
                ClaimName::Own(place) => C::read(&mut draft, place, &mut map)?,
                ClaimName::Other(name) => {
                    if !others.insert(String::from(name).into()) {
                        return Err(A::Error::custom("a member comes twice"));
                    }
                    map.next_value_seed(Strict::member(&mut budget))?;
                }
            }
        }
        let missing = A::Error::missing_field;
        if iss != Some(true) || aud != Some(true) {
            return Err(A::Error::custom("another issuer or audience"));
        }
        if realm != self.expect.realm.as_ref().map(|_| true) {
            return Err(A::Error::custom("another realm"));
        }
        let subject = subject
            .filter(|text| !text.is_empty())
            .ok_or_else(|| missing("sub"))?;
        let parsed = C::parse_subject(&subject)
            .ok_or_else(|| A::Error::custom("not a subject of this type"))?;
        let session = match (sid, generation) {
            (Some(sid), Some(generation)) => Some((sid, generation)),
            (None, None) => None,
            _ => return Err(A::Error::custom("`sid` and `gen` come together")),
        };
        Ok(Decoded {
            client_id: client_id.ok_or_else(|| missing("client_id"))?,
            expires: expires.ok_or_else(|| missing("exp"))?,
            issued: issued.ok_or_else(|| missing("iat"))?,
            not_before,
            jti: jti.ok_or_else(|| missing("jti"))?,
            session,
            user_epoch: user_epoch.ok_or_else(|| missing("uep"))?,
            auth_time,
            acr,
            binding,
            claims: C::finish(draft, parsed).map_err(missing)?,
            subject: (&*subject).into(),
        })
    }
}

/// Reads a value into its place; refuses a second one.
pub(super) fn once<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    place: &mut Option<T>,
    map: &mut A,
) -> Result<(), A::Error> {
    seeded(place, PhantomData::<T>, map)
}

pub(super) fn seeded<'de, A, S>(
    place: &mut Option<S::Value>,
    seed: S,
    map: &mut A,
) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    S: DeserializeSeed<'de>,
{
    if place.is_some() {
        return Err(A::Error::custom("a member comes twice"));
    }
    *place = Some(map.next_value_seed(seed)?);
    Ok(())
}

pub(super) struct ClaimNameSeed<C>(pub(super) PhantomData<C>);

impl<'de, C: ClaimSet> DeserializeSeed<'de> for ClaimNameSeed<C> {
    type Value = ClaimName;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ClaimName, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<C: ClaimSet> Visitor<'_> for ClaimNameSeed<C> {
    type Value = ClaimName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claim's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<ClaimName, E> {
        Ok(ClaimName::of::<C>(name))
    }
}

/// A string that is compared with this one, exactly; another type is an error (R46).
pub(super) struct Same<'a>(pub(super) &'a str);

impl<'de> DeserializeSeed<'de> for Same<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Same<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        Ok(text == self.0)
    }
}

/// A string, kept only if it is not this one.
struct Different<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Different<'_> {
    type Value = Option<Box<str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Different<'_> {
    type Value = Option<Box<str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.is_empty() {
            return Err(E::custom("an empty client"));
        }
        Ok((text != self.0).then(|| text.into()))
    }
}

/// A string, or a list of strings, that is searched for exactly this one (R47, RFC 7519 section
/// 4.1.3).
struct Audience<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Audience<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Audience<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        Ok(text == self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(same) = list.next_element_seed(Same(self.0))? {
            found |= same;
        }
        Ok(found)
    }
}
