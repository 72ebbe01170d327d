//! The table of well-known issuers: the properties of their tokens, and the sources.

use super::super::AudienceClaim;
use crate::keys::Algorithm;
use crate::token::{Marks, TokenKind};

/// The properties of an issuer's tokens. In the templates `{0}` and `{1}` stand for values of the
/// program's deployment, such as the domain of a tenant.
pub(super) struct Preset {
    /// The name, as in `Issuer::keycloak`.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "the page of presets is checked by it")
    )]
    pub(super) name: &'static str,
    /// `iss`.
    pub(super) issuer: &'static str,
    /// Other spellings of `iss`.
    pub(super) aliases: &'static [&'static str],
    /// The address of the keys.
    #[cfg_attr(
        not(feature = "jwks-client"),
        allow(dead_code, reason = "nothing is fetched")
    )]
    pub(super) keys: &'static str,
    pub(super) algorithms: &'static [Algorithm],
    /// The kind that is accepted by default.
    pub(super) kind: TokenKind,
    pub(super) marks: Marks,
    /// The audience that all its tokens have.
    pub(super) audience: Option<&'static str>,
    /// The claim that replaces a missing `aud`.
    pub(super) audience_claim: Option<AudienceClaim>,
    /// The public documents that describe the tokens.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "the page of presets is checked by it")
    )]
    pub(super) sources: &'static [&'static str],
}

/// The marks of an issuer that has none of its own: the general marks tell its kinds of token
/// apart.
const PLAIN: Marks = Marks {
    access: &[],
    id: &[],
    every_access: false,
    every_id: false,
};

pub(super) const KEYCLOAK: Preset = Preset {
    name: "keycloak",
    issuer: "{0}/realms/{1}",
    aliases: &[],
    keys: "{0}/realms/{1}/protocol/openid-connect/certs",
    algorithms: &[Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA],
    kind: TokenKind::LooseAccessToken,
    // The claim `typ` is in every token: `Bearer`, `DPoP`, `ID`, `Refresh`, `Offline`, `Logout`.
    marks: Marks {
        every_access: true,
        every_id: true,
        ..PLAIN
    },
    audience: None,
    audience_claim: None,
    sources: &[
        "https://github.com/keycloak/keycloak/blob/main/core/src/main/java/org/keycloak/util/TokenUtil.java",
        "https://www.keycloak.org/docs/latest/server_admin/",
    ],
};

/// The claims that Microsoft documents for access tokens and not for ID tokens.
const ENTRA_MARKS: Marks = Marks {
    access: &["scp", "azpacr", "appidacr", "appid"],
    every_access: true,
    ..PLAIN
};
const ENTRA_SOURCES: &[&str] = &[
    "https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference",
    "https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference",
    "https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens",
    "https://learn.microsoft.com/en-us/entra/identity-platform/optional-claims-reference",
];

pub(super) const ENTRA: Preset = Preset {
    name: "entra",
    issuer: "https://login.microsoftonline.com/{0}/v2.0",
    // Version 1 of the access tokens, which a registration has unless its manifest says otherwise.
    aliases: &["https://sts.windows.net/{0}/"],
    keys: "https://login.microsoftonline.com/{0}/discovery/v2.0/keys",
    algorithms: &[Algorithm::RS256],
    kind: TokenKind::LooseAccessToken,
    marks: ENTRA_MARKS,
    audience: None,
    audience_claim: None,
    sources: ENTRA_SOURCES,
};

pub(super) const ENTRA_TENANTS: Preset = Preset {
    name: "entra_tenants",
    issuer: "https://login.microsoftonline.com/{tenantid}/v2.0",
    aliases: &["https://sts.windows.net/{tenantid}/"],
    keys: "https://login.microsoftonline.com/common/discovery/v2.0/keys",
    ..ENTRA
};

pub(super) const COGNITO: Preset = Preset {
    name: "cognito",
    issuer: "https://cognito-idp.{0}.amazonaws.com/{1}",
    aliases: &[],
    keys: "https://cognito-idp.{0}.amazonaws.com/{1}/.well-known/jwks.json",
    algorithms: &[Algorithm::RS256],
    kind: TokenKind::LooseAccessToken,
    // `token_use` is in every token.
    marks: Marks {
        every_access: true,
        every_id: true,
        ..PLAIN
    },
    audience: None,
    audience_claim: Some(AudienceClaim::ClientId),
    sources: &[
        "https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html",
        "https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html",
    ],
};

pub(super) const AUTH0: Preset = Preset {
    name: "auth0",
    issuer: "https://{0}/",
    aliases: &[],
    keys: "https://{0}/.well-known/jwks.json",
    algorithms: &[Algorithm::RS256],
    kind: TokenKind::LooseAccessToken,
    marks: Marks {
        access: &["scope", "gty", "permissions"],
        every_access: true,
        ..PLAIN
    },
    audience: None,
    audience_claim: None,
    sources: &[
        "https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles",
        "https://auth0.com/docs/secure/tokens/id-tokens/id-token-structure",
    ],
};

pub(super) const OKTA: Preset = Preset {
    name: "okta",
    issuer: "https://{0}/oauth2/{1}",
    aliases: &[],
    keys: "https://{0}/oauth2/{1}/v1/keys",
    algorithms: &[Algorithm::RS256],
    kind: TokenKind::LooseAccessToken,
    marks: Marks {
        access: &["cid", "scp"],
        every_access: true,
        ..PLAIN
    },
    audience: None,
    audience_claim: None,
    sources: &[
        "https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/",
        "https://developer.okta.com/docs/guides/validate-access-tokens/",
    ],
};

pub(super) const GOOGLE: Preset = Preset {
    name: "google",
    issuer: "https://accounts.google.com",
    aliases: &["accounts.google.com"],
    keys: "https://www.googleapis.com/oauth2/v3/certs",
    algorithms: &[Algorithm::RS256],
    kind: TokenKind::IdToken,
    marks: PLAIN,
    audience: None,
    audience_claim: None,
    sources: &["https://developers.google.com/identity/openid-connect/openid-connect"],
};

pub(super) const FIREBASE: Preset = Preset {
    name: "firebase",
    issuer: "https://securetoken.google.com/{0}",
    aliases: &[],
    keys: "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
    algorithms: &[Algorithm::RS256],
    kind: TokenKind::IdToken,
    marks: PLAIN,
    audience: Some("{0}"),
    audience_claim: None,
    sources: &["https://firebase.google.com/docs/auth/admin/verify-id-tokens"],
};

pub(super) const APPLE: Preset = Preset {
    name: "apple",
    issuer: "https://appleid.apple.com",
    aliases: &[],
    keys: "https://appleid.apple.com/auth/keys",
    algorithms: &[Algorithm::RS256],
    kind: TokenKind::IdToken,
    marks: PLAIN,
    audience: None,
    audience_claim: None,
    sources: &[
        "https://developer.apple.com/documentation/signinwithapple/authenticating-users-with-sign-in-with-apple",
    ],
};

pub(super) const CLERK: Preset = Preset {
    name: "clerk",
    issuer: "https://{0}",
    aliases: &[],
    keys: "https://{0}/.well-known/jwks.json",
    algorithms: &[Algorithm::RS256],
    kind: TokenKind::LooseAccessToken,
    // A session token names its session; a token of a JWT template does not.
    marks: Marks {
        access: &["sid"],
        every_access: true,
        ..PLAIN
    },
    audience: None,
    audience_claim: Some(AudienceClaim::Azp),
    sources: &["https://clerk.com/docs/backend-requests/resources/session-tokens"],
};

pub(super) const SUPABASE: Preset = Preset {
    name: "supabase",
    issuer: "https://{0}.supabase.co/auth/v1",
    aliases: &[],
    keys: "https://{0}.supabase.co/auth/v1/.well-known/jwks.json",
    // The older HS256, whose secret each verifier would have to know, is refused.
    algorithms: &[Algorithm::ES256, Algorithm::RS256],
    kind: TokenKind::LooseAccessToken,
    marks: Marks {
        access: &["session_id"],
        every_access: true,
        ..PLAIN
    },
    audience: Some("authenticated"),
    audience_claim: None,
    sources: &[
        "https://supabase.com/docs/guides/auth/jwt-fields",
        "https://supabase.com/docs/guides/auth/signing-keys",
    ],
};

pub(super) const ZITADEL: Preset = Preset {
    name: "zitadel",
    issuer: "https://{0}",
    aliases: &[],
    keys: "https://{0}/oauth/v2/keys",
    algorithms: &[Algorithm::RS256],
    kind: TokenKind::LooseAccessToken,
    marks: Marks {
        access: &["jti"],
        id: &["amr", "auth_time"],
        every_access: true,
        ..PLAIN
    },
    audience: None,
    audience_claim: None,
    sources: &[
        "https://zitadel.com/docs/apis/openidoauth/claims",
        "https://github.com/zitadel/oidc/blob/main/pkg/op/token.go",
    ],
};

pub(super) const TOLLGATE: Preset = Preset {
    name: "tollgate",
    issuer: "{0}",
    aliases: &[],
    keys: "{0}/.well-known/jwks.json",
    // Its keys name their algorithm.
    algorithms: &[
        Algorithm::EdDSA,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::RS256,
        Algorithm::PS256,
    ],
    kind: TokenKind::AccessToken,
    marks: PLAIN,
    audience: None,
    audience_claim: None,
    sources: &["https://www.rfc-editor.org/rfc/rfc9068"],
};

/// Every preset, in the order of the page `docs/reference/issuers.md`.
#[cfg(test)]
pub(super) const ALL: [&Preset; 13] = [
    &KEYCLOAK,
    &ENTRA,
    &ENTRA_TENANTS,
    &COGNITO,
    &AUTH0,
    &OKTA,
    &GOOGLE,
    &FIREBASE,
    &APPLE,
    &CLERK,
    &SUPABASE,
    &ZITADEL,
    &TOLLGATE,
];
