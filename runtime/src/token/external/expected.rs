//! The requirements on the tokens of one issuer.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::expect::Expect;
use super::fault::{Fault, TokenFault, quoted};
use super::kind::{Marks, TokenKind};
#[cfg(feature = "axum")]
use super::origin::Origin;
use crate::realm::RealmName;

/// The requirements on the tokens of one issuer.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The name of the guard that verifies them.
    pub(crate) guard: Arc<str>,
    /// `iss`, byte for byte, or a pattern for `tenants`; `aud` is one of `audiences`.
    pub(crate) base: Expect,
    /// Other spellings of `iss`.
    pub(crate) aliases: Box<[Arc<str>]>,
    /// The tenants that are accepted; `None` if the issuer has none.
    pub(crate) tenants: Option<Tenants>,
    pub(crate) audiences: Box<[Arc<str>]>,
    /// The claim that replaces a missing `aud`.
    pub(crate) audience_claim: Option<AudienceRule>,
    /// Clients to which an ID token may have been issued, in addition to the audiences.
    pub(crate) parties: Box<[Arc<str>]>,
    pub(crate) kind: TokenKind,
    pub(crate) marks: Marks,
    pub(crate) limits: Limits,
    /// `true` if several keys are tried for a token that names none.
    pub(crate) try_without_kid: bool,
}

/// The size up to which tokens are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) members: usize,
}

impl Limits {
    /// The bounds of the gate's own tokens (R3, R7).
    pub(crate) const DEFAULT: Self = Self {
        bytes: super::super::compact::MAX_LEN,
        members: super::super::json::MAX_MEMBERS,
    };
    /// The bounds that a guard may set.
    pub(crate) const MOST: Self = Self {
        bytes: 64 * 1024,
        members: 4096,
    };

    /// Returns the wider bounds of two.
    pub(crate) fn wider(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.max(other.bytes),
            members: self.members.max(other.members),
        }
    }
}

/// The claim that replaces a missing `aud`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AudienceRule {
    pub(crate) name: Cow<'static, str>,
    /// `true` if it is used only for a token with a mark of its kind.
    pub(crate) needs_mark: bool,
}

/// The tenants of an issuer that are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tenants {
    These(Vec<Box<str>>),
    Any,
}

/// The text in an issuer's name that represents the tenant, as Microsoft Entra writes it.
pub(crate) const TENANT: &str = "{tenantid}";

/// The issuer of a token, as one of its spellings names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spelling {
    /// The first spelling, with the tenant inserted.
    pub(crate) issuer: Arc<str>,
    /// `iss`, where that is another spelling.
    pub(crate) alias: Option<Arc<str>>,
    /// The tenant that `iss` names.
    pub(crate) tenant: Option<Box<str>>,
}

impl Expected {
    /// Returns the issuer's spelling that is equal to `iss`, byte for byte; `None` if it is
    /// another issuer's name.
    pub(crate) fn spelling(&self, iss: &str) -> Option<Spelling> {
        let first = &self.base.issuer;
        if !first.contains(TENANT) {
            let alias = if **first == *iss {
                None
            } else {
                Some(self.aliases.iter().find(|alias| ***alias == *iss)?)
            };
            return Some(Spelling {
                issuer: Arc::clone(first),
                alias: alias.cloned(),
                tenant: self.only_tenant().map(Into::into),
            });
        }
        let mut spellings = self.spellings().enumerate();
        spellings.find_map(|(at, pattern)| {
            let tenant = tenant_of(pattern, iss)?;
            Some(Spelling {
                issuer: first.replace(TENANT, tenant).into(),
                alias: (at > 0).then(|| iss.into()),
                tenant: Some(tenant.into()),
            })
        })
    }

    /// Returns the tenant of an issuer whose name is not a pattern, if it has one.
    fn only_tenant(&self) -> Option<&str> {
        match &self.tenants {
            Some(Tenants::These(these)) => these.first().map(|tenant| &**tenant),
            Some(Tenants::Any) | None => None,
        }
    }

    /// Returns whether tokens of this realm are expected.
    pub(crate) fn is_of_realm(&self, realm: Option<&str>) -> bool {
        self.base.realm.as_ref().map(RealmName::as_str) == realm
    }

    /// Returns whether tokens of this origin are expected.
    #[cfg(feature = "axum")]
    pub(crate) fn is_for(&self, origin: &Origin) -> bool {
        self.is_of_realm(origin.realm.as_deref()) && self.spelling(&origin.issuer).is_some()
    }

    /// Returns the spellings, of which the first is the issuer's name.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = &Arc<str>> {
        std::iter::once(&self.base.issuer).chain(&self.aliases)
    }

    /// Returns whether a token could belong both to this guard and to the other one.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.base.realm == other.base.realm
            && (other.spellings().any(|name| self.could_spell(name))
                || self.spellings().any(|name| other.could_spell(name)))
    }

    /// Returns whether a name, or one that a pattern allows, is one of the spellings.
    pub(crate) fn could_spell(&self, name: &str) -> bool {
        let one = name.replace(TENANT, "00000000-0000-0000-0000-000000000000");
        self.spelling(&one).is_some()
    }

    /// Checks that the tenant which the claims name is the one of `iss`, and is accepted.
    pub(super) fn check_tenant(
        &self,
        spelling: &Spelling,
        claimed: Option<&str>,
    ) -> Result<(), Fault> {
        let (Some(tenants), Some(tenant)) = (&self.tenants, spelling.tenant.as_deref()) else {
            return Ok(());
        };
        if claimed != Some(tenant) {
            return Err(Fault::new(
                TokenFault::Tenant,
                format!(
                    "its `iss` names the tenant {}, and its `tid` another or none",
                    quoted(tenant)
                ),
            ));
        }
        match tenants {
            Tenants::These(these) if !these.iter().any(|known| **known == *tenant) => {
                Err(Fault::new(
                    TokenFault::Tenant,
                    format!("the tenant {} is not among `tenants`", quoted(tenant)),
                ))
            }
            Tenants::These(_) | Tenants::Any => Ok(()),
        }
    }

    /// Checks the issuer that a key names, as those of Microsoft Entra do: it must be the token's
    /// issuer, once the tenant is inserted.
    pub(super) fn check_key_issuer(
        &self,
        spelling: &Spelling,
        of_key: Option<&str>,
    ) -> Result<(), Fault> {
        let (Some(of_key), Some(tenant)) = (of_key, spelling.tenant.as_deref()) else {
            return Ok(());
        };
        if of_key.replace(TENANT, tenant) == *spelling.issuer {
            return Ok(());
        }
        Err(Fault::new(
            TokenFault::Tenant,
            format!("its key is of the issuer {}", quoted(of_key)),
        ))
    }
}

/// Returns the tenant in an issuer's name, at the place of `{tenantid}` in the pattern: a GUID in
/// its canonical form.
fn tenant_of<'a>(pattern: &str, iss: &'a str) -> Option<&'a str> {
    let (before, after) = pattern.split_once(TENANT)?;
    let tenant = iss.strip_prefix(before)?.strip_suffix(after)?;
    is_guid(tenant).then_some(tenant)
}

/// Returns whether a text is a GUID in its canonical form: 32 hexadecimal digits in lower case, in
/// groups of 8, 4, 4, 4 and 12 (RFC 9562 section 4).
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_a_guid_in_its_one_form() {
        assert!(is_guid("72f988bf-86f1-41af-91ab-2d7cd011db47"));
        for text in [
            "",
            "common",
            "organizations",
            "72F988BF-86F1-41AF-91AB-2D7CD011DB47",
            "72f988bf86f141af91ab2d7cd011db47",
            "{72f988bf-86f1-41af-91ab-2d7cd011db47}",
            "72f988bf-86f1-41af-91ab-2d7cd011db4",
            "72f988bf-86f1-41af-91ab-2d7cd011db477",
            "72f988bf-86f1-41af-91ab-2d7cd011db4g",
            "72f988bf-86f1-41af-91ab/2d7cd011db47",
            "72f988bf-86f1-41af-91ab-2d7cd011db4\u{0967}",
        ] {
            assert!(!is_guid(text), "{text}");
        }
        let pattern = "https://login.example/{tenantid}/v2.0";
        let of = |iss| tenant_of(pattern, iss);
        assert_eq!(
            of("https://login.example/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0"),
            Some("72f988bf-86f1-41af-91ab-2d7cd011db47")
        );
        for iss in [
            pattern,
            "https://login.example//v2.0",
            "https://login.example/v2.0",
            "https://login.example/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0/",
            "https://login.example/72f988bf-86f1-41af-91ab-2d7cd011db47/../v2.0",
            "https://login.example.evil/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
        ] {
            assert_eq!(of(iss), None, "{iss}");
        }
    }
}
