//! The issuer and the realm that a token claims, by which its verifier is chosen.

use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};

use super::super::decode::once;
#[cfg(feature = "axum")]
use super::super::expect::Expect;
use super::super::names::Name;
#[cfg(feature = "axum")]
use super::{Limits, Sealed};
#[cfg(feature = "axum")]
use crate::realm::RealmName;

/// The issuer and the realm that a token claims.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// `iss`.
    pub(crate) issuer: Box<str>,
    /// `rlm`.
    pub(crate) realm: Option<Box<str>>,
}

impl Origin {
    /// Reads the origin that a signed or an encrypted token claims; `None` if it claims none, or
    /// is beyond these bounds.
    #[cfg(feature = "axum")]
    pub(crate) fn claimed(text: &str, limits: Limits) -> Option<Self> {
        #[cfg(feature = "jwe")]
        if let Some(origin) = super::super::encrypted::claimed_origin(text) {
            return Some(origin);
        }
        Sealed::read(text, limits).ok()?.claimed_origin()
    }

    /// Returns whether a verifier with these requirements is for tokens of this origin.
    #[cfg(feature = "axum")]
    pub(crate) fn is_expected(&self, expect: &Expect) -> bool {
        *self.issuer == *expect.issuer
            && self.realm.as_deref() == expect.realm.as_ref().map(RealmName::as_str)
    }
}

/// Reads the origin, and ignores everything else, which the chosen verifier checks.
pub(super) struct OriginVisitor;

impl<'de> Visitor<'de> for OriginVisitor {
    type Value = Origin;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims with an issuer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Origin, A::Error> {
        let (mut issuer, mut realm) = (None, None);
        while let Some(name) = map.next_key_seed(Name)? {
            match &*name {
                "iss" => once::<_, Box<str>>(&mut issuer, &mut map)?,
                "rlm" => once::<_, Box<str>>(&mut realm, &mut map)?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let issuer = issuer.ok_or_else(|| A::Error::missing_field("iss"))?;
        Ok(Origin { issuer, realm })
    }
}
