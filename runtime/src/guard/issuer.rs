//! Issuers: the requirements on the tokens of one issuer.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::keys::{Algorithm, AlgorithmFamily};
use crate::realm::RealmName;
use crate::secret::{hex, same, sha256};
use crate::token::{
    AudienceRule, Expect, Expected, Limits, Marks, TENANT, Tenants, TokenKind, is_guid,
};

/// An issuer, and the requirements on its tokens.
///
/// It is strict by default: access tokens as RFC 9068 has them, for one of the audiences that were
/// named, signed with RS256 or ES256, valid for a day at most, of 8 KiB and 256 members at most.
/// The presets know the tokens of well-known issuers: [`Issuer::keycloak`], [`Issuer::entra`] and
/// others.
///
/// ```
/// use std::time::Duration;
/// use tollgate::guard::{Issuer, TokenKind};
/// use tollgate::keys::Algorithm;
///
/// let issuer = Issuer::new("https://accounts.example.com")
///     .audience("https://api.example.com")
///     .algorithms([Algorithm::EdDSA])
///     .accept(TokenKind::AccessToken)
///     .max_lifetime(Duration::from_secs(600));
/// assert_eq!(issuer.name(), "https://accounts.example.com");
/// ```
#[derive(Clone, Debug)]
pub struct Issuer {
    name: Arc<str>,
    aliases: Vec<Arc<str>>,
    tenants: Option<Tenants>,
    audiences: Vec<Arc<str>>,
    audience_claim: Option<AudienceRule>,
    parties: Vec<Arc<str>>,
    algorithms: Vec<Algorithm>,
    kind: TokenKind,
    marks: Marks,
    leeway: Duration,
    max_lifetime: Duration,
    limits: Limits,
    nonce: Nonce,
    realm: Option<Box<str>>,
    try_without_kid: bool,
}

/// The claim that replaces a missing `aud`: it names the client that the token was issued to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AudienceClaim {
    /// `client_id` (RFC 9068 section 2.2), as in the access tokens of Amazon Cognito.
    ClientId,
    /// `azp` (OpenID Connect Core section 2), as in the session tokens of Clerk.
    Azp,
    /// `appid`, as in version 1 of the access tokens of Microsoft Entra.
    AppId,
}

/// The form in which an ID token carries the client's `nonce`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Nonce {
    /// As it was sent (OpenID Connect Core section 3.1.3.7).
    #[default]
    AsSent,
    /// The SHA-256 of the client's value in hexadecimal, as with Apple and Firebase: the client
    /// keeps the value to itself, so the token alone cannot be exchanged.
    Sha256,
}

impl Issuer {
    /// Describes the issuer with this name: its `iss`, byte for byte, including a slash at the end.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into().into(),
            aliases: Vec::new(),
            tenants: None,
            audiences: Vec::new(),
            audience_claim: None,
            parties: Vec::new(),
            algorithms: vec![Algorithm::RS256, Algorithm::ES256],
            kind: TokenKind::AccessToken,
            marks: Marks::default(),
            leeway: Duration::from_secs(30),
            max_lifetime: Duration::from_secs(24 * 60 * 60),
            limits: Limits::DEFAULT,
            nonce: Nonce::AsSent,
            realm: None,
            try_without_kid: false,
        }
    }

    /// Accepts this other spelling of the issuer's name in `iss`, byte for byte, as Google has two.
    ///
    /// The user of a token is the same under every spelling:
    /// [`identity`](crate::token::TokenInfo::identity) has the first spelling, and
    /// [`issuer`](crate::token::TokenInfo::issuer) the one of the token.
    #[must_use]
    pub fn alias(mut self, name: impl Into<String>) -> Self {
        self.aliases.push(name.into().into());
        self
    }

    /// Accepts these tenants of an issuer whose name has `{tenantid}`, as that of Microsoft Entra
    /// for several tenants does: GUIDs, in lower case.
    ///
    /// A token names its tenant in `iss` and in `tid`, and both must agree; a key that names an
    /// issuer of its own must name that of the tenant.
    #[must_use]
    pub fn tenants<T: Into<String>>(mut self, tenants: impl IntoIterator<Item = T>) -> Self {
        let tenants = tenants.into_iter().map(|tenant| tenant.into().into());
        self.tenants = Some(Tenants::These(tenants.collect()));
        self
    }

    /// Accepts every tenant of an issuer whose name has `{tenantid}`. Anybody can create an
    /// organization there, and every account of one is accepted, so the program must decide by
    /// [`identity`](crate::token::TokenInfo::identity) which users it knows.
    #[must_use]
    pub fn any_tenant_dangerous(mut self) -> Self {
        self.tenants = Some(Tenants::Any);
        self
    }

    /// Accepts tokens of this realm, where the issuer is another deployment of tollgate: those with
    /// this name in the claim `rlm`. Without it a token with `rlm` is refused.
    #[must_use]
    pub fn realm(mut self, name: impl AsRef<str>) -> Self {
        self.realm = Some(name.as_ref().into());
        self
    }

    /// Accepts tokens for this audience: the name of this service for an access token, the client's
    /// id for an ID token. Called twice, it accepts both.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into().into());
        self
    }

    /// Reads the audience from this claim where a token has no `aud`, and only if a mark of its
    /// issuer shows that the token is of the expected kind, such as `token_use: access`.
    #[must_use]
    pub fn audience_claim(mut self, claim: AudienceClaim) -> Self {
        let name = match claim {
            AudienceClaim::ClientId => "client_id",
            AudienceClaim::Azp => "azp",
            AudienceClaim::AppId => "appid",
        };
        self.audience_claim = Some(AudienceRule {
            name: Cow::Borrowed(name),
            needs_mark: true,
        });
        self
    }

    /// Reads the audience from any claim where a token has no `aud`. The claim may have another
    /// meaning, so that a token which was issued for another service may be accepted here.
    #[must_use]
    pub fn audience_claim_dangerous(mut self, name: impl Into<String>) -> Self {
        self.audience_claim = Some(AudienceRule {
            name: Cow::Owned(name.into()),
            needs_mark: false,
        });
        self
    }

    /// Accepts ID tokens that were issued to this client (`azp`), in addition to the audiences:
    /// such as those of Google for an app whose service is the audience.
    #[must_use]
    pub fn authorized_party(mut self, client: impl Into<String>) -> Self {
        self.parties.push(client.into().into());
        self
    }

    /// Accepts these algorithms and no other: RS256 and ES256 by default (R18). A key that names no
    /// algorithm gets the one of these that fits it, never the one that a token names (R21).
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Accepts this kind of token: [`TokenKind::AccessToken`] by default.
    #[must_use]
    pub fn accept(mut self, kind: TokenKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets how far the issuer's clock may differ: 30 s by default, at most 120 s.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets the longest `exp − iat`: a day by default.
    #[must_use]
    pub fn max_lifetime(mut self, max_lifetime: Duration) -> Self {
        self.max_lifetime = max_lifetime;
        self
    }

    /// Sets how many bytes a token may have: 8 KiB by default, at most 64 KiB. A token that lists
    /// two hundred groups has about 11 KiB. The server in front must let such headers through.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// Sets how many members all objects of a token's claims may have together: 256 by default, at
    /// most 4096.
    #[must_use]
    pub fn max_members(mut self, members: usize) -> Self {
        self.limits.members = members;
        self
    }

    /// Tries up to four keys for a token that names none. Without it such a token is accepted only
    /// where the issuer has exactly one key of the token's algorithm.
    #[must_use]
    pub fn try_without_kid(mut self) -> Self {
        self.try_without_kid = true;
        self
    }

    /// Sets the marks that the issuer writes into its tokens of each kind.
    pub(super) const fn marks(mut self, marks: Marks) -> Self {
        self.marks = marks;
        self
    }

    /// Sets how the issuer's ID tokens carry a `nonce`: [`Nonce::AsSent`] by default.
    #[must_use]
    pub fn nonce(mut self, nonce: Nonce) -> Self {
        self.nonce = nonce;
        self
    }

    /// Returns whether the client sent the value that the token is bound to, or neither has one.
    pub(super) fn is_bound_to(&self, nonce: Option<&str>, sent: Option<&str>) -> bool {
        match (nonce, sent, self.nonce) {
            (None, None, _) => true,
            (Some(nonce), Some(sent), Nonce::AsSent) => same(nonce.as_bytes(), sent.as_bytes()),
            (Some(nonce), Some(sent), Nonce::Sha256) => {
                same(nonce.as_bytes(), hex(&sha256(sent.as_bytes())).as_bytes())
            }
            (Some(_), None, _) | (None, Some(_), _) => false,
        }
    }

    /// Returns the name of the issuer: `iss`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the other spellings of the name.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.aliases.iter().map(|alias| &**alias)
    }

    /// Returns the algorithms that are accepted.
    #[must_use]
    pub fn allowed(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// Returns the kind of token that is accepted.
    #[must_use]
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// Returns all problems that prevent the use of the issuer.
    pub(super) fn problems(&self) -> Vec<&'static str> {
        let is_hmac = |algorithm: &Algorithm| algorithm.family() == AlgorithmFamily::Hmac;
        let Limits { bytes, members } = self.limits;
        let wrong = [
            (self.name.is_empty(), "its issuer has no name"),
            (
                self.audiences.is_empty(),
                "it has no audience: set it with `.audience(\"…\")`",
            ),
            (
                self.audiences.iter().any(|audience| audience.is_empty()),
                "one of its audiences is empty",
            ),
            (self.algorithms.is_empty(), "it accepts no algorithm"),
            (
                self.realm
                    .as_deref()
                    .is_some_and(|name| RealmName::parse(name).is_err()),
                "its realm is no name of a realm",
            ),
            (
                self.algorithms.iter().any(is_hmac),
                "it accepts HMAC, whose keys are secret: a service that verifies such a token can \
                 make one, so use a public key",
            ),
            (self.leeway > MAX_LEEWAY, "its leeway is above 120 s"),
            (
                self.max_lifetime.is_zero(),
                "its `max_lifetime` is zero, so that every token has expired",
            ),
            (
                bytes == 0 || bytes > Limits::MOST.bytes,
                "its `max_bytes` is not between 1 and 64 KiB",
            ),
            (
                members == 0 || members > Limits::MOST.members,
                "its `max_members` is not between 1 and 4096",
            ),
            (
                self.audience_claim
                    .as_ref()
                    .is_some_and(|claim| claim.name.is_empty()),
                "its `audience_claim_dangerous` has no name",
            ),
        ];
        let wrong = wrong.into_iter().chain(self.problems_of_name());
        wrong
            .filter_map(|(is_wrong, why)| is_wrong.then_some(why))
            .collect()
    }

    /// Returns the problems of the name's spellings and of the tenants.
    fn problems_of_name(&self) -> [(bool, &'static str); 7] {
        let is_pattern = |name: &Arc<str>| name.contains(TENANT);
        let these = match &self.tenants {
            Some(Tenants::These(these)) => Some(these),
            Some(Tenants::Any) | None => None,
        };
        [
            (
                self.aliases.iter().any(|alias| alias.is_empty()),
                "one of its aliases is empty",
            ),
            (
                self.aliases.contains(&self.name),
                "one of its aliases is its name",
            ),
            (
                is_pattern(&self.name) && self.tenants.is_none(),
                "its name has `{tenantid}`, and it accepts no tenant: name them with \
                 `.tenants([\"…\"])`",
            ),
            (
                !is_pattern(&self.name) && self.aliases.iter().any(is_pattern),
                "one of its aliases has `{tenantid}`, and its name has not",
            ),
            (
                !is_pattern(&self.name)
                    && self.tenants.is_some()
                    && these.is_none_or(|these| these.len() != 1),
                "it accepts several tenants, and its name has no `{tenantid}`",
            ),
            (
                these.is_some_and(Vec::is_empty),
                "its list of tenants is empty",
            ),
            (
                these.is_some_and(|these| these.iter().any(|tenant| !is_guid(tenant))),
                "one of its tenants is not a GUID in lower case, such as \
                 `72f988bf-86f1-41af-91ab-2d7cd011db47`",
            ),
        ]
    }

    /// Returns the requirements in the form that the verifier reads.
    pub(super) fn expected(&self, guard: &Arc<str>) -> Expected {
        Expected {
            guard: Arc::clone(guard),
            base: Expect {
                issuer: Arc::clone(&self.name),
                audience: self.audiences.first().cloned().unwrap_or_default(),
                realm: self
                    .realm
                    .as_deref()
                    .and_then(|name| RealmName::parse(name).ok()),
                client_id: Arc::default(),
                leeway: self.leeway,
                max_lifetime: self.max_lifetime,
                allow_expired: false,
            },
            aliases: self.aliases.clone().into(),
            tenants: self.tenants.clone(),
            audiences: self.audiences.clone().into(),
            audience_claim: self.audience_claim.clone(),
            parties: self.parties.clone().into(),
            kind: self.kind,
            marks: self.marks,
            limits: self.limits,
            try_without_kid: self.try_without_kid,
        }
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The most that an issuer's clock may differ (R45).
const MAX_LEEWAY: Duration = Duration::from_secs(120);
