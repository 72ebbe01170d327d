//! The claims of another issuer's token, in one pass, compared with the requirements.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};

use super::super::audience::{AnyAudience, Audiences};
use super::super::claims::ClaimSet;
use super::super::decode::{Decoded, Same, once, seeded};
use super::super::info::ForeignToken;
use super::super::names::Name;
use super::date::NumericDate;
use super::expected::{Expected, Spelling};
use super::fault::{Fault, TokenFault, quoted};
use super::kind::TokenKind;
use super::survey::Survey;
use crate::id::TokenId;
use crate::realm::RealmName;
use crate::secret::sha256;

/// Reads the claims of a payload that the survey found strict.
///
/// # Errors
/// A claim is missing, has another type, or does not have an expected value.
pub(super) fn read<C: ClaimSet>(
    payload: &str,
    token: &str,
    expected: &Expected,
    spelling: &Spelling,
    survey: &Survey,
    is_marked: bool,
) -> Result<(Decoded<C>, ForeignToken), Fault> {
    let fault = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(payload);
    let read = serde::Deserializer::deserialize_map(
        &mut reader,
        ForeignClaimsVisitor {
            token,
            expected,
            spelling,
            survey,
            is_marked,
            fault: &fault,
            own: PhantomData,
        },
    );
    read.map_err(|_| {
        fault
            .take()
            .unwrap_or_else(|| Fault::new(TokenFault::Claims, "its claims cannot be read"))
    })
}

struct ForeignClaimsVisitor<'e, C> {
    token: &'e str,
    expected: &'e Expected,
    spelling: &'e Spelling,
    survey: &'e Survey,
    /// `true` if a mark of the token shows that it is of the expected kind.
    is_marked: bool,
    /// The reason why the claims are refused; an error of serde would quote their values.
    fault: &'e RefCell<Option<Fault>>,
    own: PhantomData<C>,
}

impl<C> ForeignClaimsVisitor<'_, C> {
    fn refuse<T, E: Error>(&self, reason: TokenFault, detail: String) -> Result<T, E> {
        self.fault.replace(Some(Fault::new(reason, detail)));
        Err(E::custom(reason))
    }

    fn missing<T, E: Error>(&self, name: &str) -> Result<T, E> {
        self.refuse(
            TokenFault::Claims,
            format!("the claim {} is missing", quoted(name)),
        )
    }

    /// Returns the expected audience of the token, and whether it has others too.
    fn audience<E: Error>(&self, aud: Option<Audiences>) -> Result<(Arc<str>, bool), E> {
        let list = || {
            let names: Vec<_> = self.expected.audiences.iter().collect();
            names
                .iter()
                .take(4)
                .map(|name| quoted(name))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match aud {
            Some(Audiences {
                expected: Some(audience),
                are_several,
                ..
            }) => Ok((audience, are_several)),
            Some(Audiences { first, .. }) => {
                let found = first
                    .as_deref()
                    .map_or_else(|| String::from("nobody"), quoted);
                self.refuse(
                    TokenFault::Audience,
                    format!("it is for {found}, and the guard expects {}", list()),
                )
            }
            None => {
                let Some(rule) = &self.expected.audience_claim else {
                    return self.refuse(
                        TokenFault::Audience,
                        format!("it has no `aud`, and the guard expects {}", list()),
                    );
                };
                if rule.needs_mark && !self.is_marked {
                    return self.refuse(
                        TokenFault::Audience,
                        format!(
                            "it has no `aud`, and does not say of which kind it is, so its `{}` \
                             cannot stand for one",
                            rule.name
                        ),
                    );
                }
                let found = self.survey.audience.as_deref();
                let known = |found: &str| {
                    let mut audiences = self.expected.audiences.iter();
                    audiences.find(|known| ***known == *found).cloned()
                };
                match found.and_then(known) {
                    Some(audience) => Ok((audience, false)),
                    None => self.refuse(
                        TokenFault::Audience,
                        format!(
                            "it has no `aud`, and its `{}` is {}, where the guard expects {}",
                            rule.name,
                            found.map_or_else(|| String::from("missing"), quoted),
                            list()
                        ),
                    ),
                }
            }
        }
    }

    /// Checks that an ID token was issued to the expected client (OpenID Connect Core section
    /// 3.1.3.7, 3 to 5).
    fn check_party<E: Error>(&self, azp: Option<&str>, are_several: bool) -> Result<(), E> {
        if self.expected.kind != TokenKind::IdToken {
            return Ok(());
        }
        let mut known = self.expected.audiences.iter().chain(&self.expected.parties);
        match azp {
            Some(party) if !known.any(|known| **known == *party) => self.refuse(
                TokenFault::Party,
                format!(
                    "it was issued to {}, which is neither an audience nor a party of the guard",
                    quoted(party)
                ),
            ),
            None if are_several => self.refuse(
                TokenFault::Party,
                String::from("it is for several audiences, and has no `azp`"),
            ),
            _ => Ok(()),
        }
    }
}

impl<'de, C: ClaimSet> Visitor<'de> for ForeignClaimsVisitor<'_, C> {
    type Value = (Decoded<C>, ForeignToken);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims of a token")
    }

    // The survey has checked that no member comes twice, and that there are not too many.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self {
            token,
            expected,
            spelling,
            survey,
            ..
        } = self;
        let iss = spelling.alias.as_ref().unwrap_or(&spelling.issuer);
        let (mut found_iss, mut aud, mut azp, mut client_id) = (None, None, None, None);
        let mut subject: Option<Box<str>> = None;
        let (mut expires, mut issued, mut not_before, mut auth_time) = (None, None, None, None);
        let (mut jti, mut acr, mut nonce, mut realm) = (None, None, None, None);
        let expected_realm = expected.base.realm.as_ref().map_or("", RealmName::as_str);
        let mut draft = C::Draft::default();
        let (down, up) = (NumericDate::RoundedDown, NumericDate::RoundedUp);
        while let Some(name) = map.next_key_seed(Name)? {
            let read = match &*name {
                absent if survey.is_null(absent) => map.next_value::<IgnoredAny>().map(drop),
                "iss" => seeded(&mut found_iss, Same(iss), &mut map),
                "sub" => once::<_, Box<str>>(&mut subject, &mut map),
                "aud" => seeded(&mut aud, AnyAudience(&expected.audiences), &mut map),
                "azp" => once::<_, Box<str>>(&mut azp, &mut map),
                "client_id" => once::<_, Box<str>>(&mut client_id, &mut map),
                "exp" => seeded(&mut expires, down, &mut map),
                "iat" => seeded(&mut issued, down, &mut map),
                "nbf" => seeded(&mut not_before, up, &mut map),
                "auth_time" => seeded(&mut auth_time, down, &mut map),
                "acr" => once::<_, Box<str>>(&mut acr, &mut map),
                "jti" => once::<_, Box<str>>(&mut jti, &mut map),
                "rlm" => seeded(&mut realm, Same(expected_realm), &mut map),
                "nonce" => once::<_, Box<str>>(&mut nonce, &mut map),
                own => match C::place(own) {
                    Some(place) => C::read(&mut draft, place, &mut map),
                    None => map.next_value::<IgnoredAny>().map(drop),
                },
            };
            read.inspect_err(|_| {
                let what = format!("the claim {} has another type", quoted(&name));
                self.fault
                    .replace(Some(Fault::new(TokenFault::Claims, what)));
            })?;
        }
        if found_iss != Some(true) {
            return self.refuse(
                TokenFault::Issuer,
                format!("it is not of the issuer {}", quoted(iss)),
            );
        }
        if realm != expected.base.realm.as_ref().map(|_| true) {
            return self.refuse(
                TokenFault::Realm,
                format!(
                    "the guard expects the realm {}",
                    expected
                        .base
                        .realm
                        .as_ref()
                        .map_or("by default", RealmName::as_str)
                ),
            );
        }
        let (audience, are_several) = self.audience(aud)?;
        self.check_party(azp.as_deref(), are_several)?;
        let Some(subject) = subject.filter(|text| !text.is_empty()) else {
            return self.missing("sub");
        };
        let Some(parsed) = C::parse_subject(&subject) else {
            return self.refuse(
                TokenFault::Claims,
                String::from("its `sub` is not a subject of the guard's type"),
            );
        };
        let (Some(expires), Some(issued)) = (expires, issued) else {
            return self.missing(if expires.is_none() { "exp" } else { "iat" });
        };
        let claims = match C::finish(draft, parsed) {
            Ok(claims) => claims,
            Err(name) => return self.missing(name),
        };
        let decoded = Decoded {
            client_id: Some(client_id.or(azp).unwrap_or_default()),
            expires,
            issued,
            not_before,
            jti: token_id(&spelling.issuer, jti.as_deref().unwrap_or(token)),
            session: None,
            user_epoch: 0,
            auth_time,
            acr,
            binding: None,
            claims,
            subject: (&*subject).into(),
        };
        Ok((
            decoded,
            ForeignToken {
                guard: Arc::clone(&expected.guard),
                alias: spelling.alias.clone(),
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
