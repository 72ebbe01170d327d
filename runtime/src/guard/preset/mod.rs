//! Presets: the properties of well-known issuers' tokens.

mod table;

use self::table::Preset;
use super::Issuer;
#[cfg(feature = "jwks-client")]
use super::{HttpKeys, JwksGuard};
#[cfg(feature = "jwks-client")]
use crate::token::JwtClaims;

impl Preset {
    /// Describes the issuer of a deployment.
    fn issuer(&self, parts: &[&str]) -> Issuer {
        let mut issuer = Issuer::new(filled(self.issuer, parts))
            .algorithms(self.algorithms.iter().copied())
            .accept(self.kind)
            .marks(self.marks);
        for alias in self.aliases {
            issuer = issuer.alias(filled(alias, parts));
        }
        if let Some(audience) = self.audience {
            issuer = issuer.audience(filled(audience, parts));
        }
        if let Some(claim) = self.audience_claim {
            issuer = issuer.audience_claim(claim);
        }
        issuer
    }

    /// Makes the guard of an issuer that fetches the issuer's keys.
    #[cfg(feature = "jwks-client")]
    fn guard<U: JwtClaims>(&self, issuer: Issuer, parts: &[&str]) -> JwksGuard<U> {
        JwksGuard::new(issuer, HttpKeys::at(filled(self.keys, parts)))
    }
}

/// Returns a template with the program's values in its places.
fn filled(template: &str, parts: &[&str]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let place = after
            .split_once('}')
            .and_then(|(place, after)| Some((parts.get(place.parse::<usize>().ok()?)?, after)));
        match place {
            Some((part, after)) => {
                text.push_str(part);
                rest = after;
            }
            // `{tenantid}` stands for the tenant of each token.
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

/// Presets. Each has the spellings of `iss`, the algorithms and the kind of an issuer's tokens, and
/// the marks that tell its access tokens from its ID tokens; `accept(TokenKind::IdToken)` takes the
/// other kind. The table of all of them, with the sources, is the page `docs/reference/issuers.md`.
impl Issuer {
    /// Describes access tokens of a realm of Keycloak, by the address of the server and the name of
    /// the realm.
    ///
    /// A client's access tokens are for the audiences that a mapper of type "Audience" puts into
    /// them.
    #[must_use]
    pub fn keycloak(base: &str, realm: &str) -> Self {
        table::KEYCLOAK.issuer(&[base.trim_end_matches('/'), realm])
    }

    /// Describes access tokens of one tenant of Microsoft Entra, by its id: a GUID in lower case.
    ///
    /// The audience is the client id of the service, or for tokens of version 1 its application ID
    /// URI. Both versions are accepted.
    #[must_use]
    pub fn entra(tenant: &str) -> Self {
        table::ENTRA.issuer(&[tenant]).tenants([tenant])
    }

    /// Describes access tokens of several tenants of Microsoft Entra: name them with `tenants`.
    ///
    /// The audience is as for one tenant. Keys are those that Microsoft publishes for all tenants,
    /// each of which may name the tenant that it is for.
    #[must_use]
    pub fn entra_tenants() -> Self {
        table::ENTRA_TENANTS.issuer(&[])
    }

    /// Describes access tokens of a user pool of Amazon Cognito, by its region and its id.
    ///
    /// They have no `aud`: the audience is the id of the app client, which stands in `client_id`.
    #[must_use]
    pub fn cognito(region: &str, pool: &str) -> Self {
        table::COGNITO.issuer(&[region, pool])
    }

    /// Describes access tokens of an Auth0 tenant, by its domain: `acme.eu.auth0.com`.
    ///
    /// The audience is the identifier of the API. Both profiles of access tokens are accepted.
    #[must_use]
    pub fn auth0(domain: &str) -> Self {
        table::AUTH0.issuer(&[domain])
    }

    /// Describes access tokens of a custom authorization server of Okta, by the domain and the id
    /// of the server, which is often `default`.
    ///
    /// The access tokens of Okta's org authorization server are for Okta alone.
    #[must_use]
    pub fn okta(domain: &str, server: &str) -> Self {
        table::OKTA.issuer(&[domain, server])
    }

    /// Describes ID tokens of Google, whose access tokens only Google can read.
    ///
    /// The audience is the client id of the service. An app that asks for tokens for it is an
    /// `authorized_party`.
    #[must_use]
    pub fn google() -> Self {
        table::GOOGLE.issuer(&[])
    }

    /// Describes ID tokens of a Firebase project, by its id.
    ///
    /// Firebase issues no access tokens for a project's own services: its ID token, whose audience
    /// is the project, is meant to be sent to them.
    #[must_use]
    pub fn firebase(project: &str) -> Self {
        table::FIREBASE.issuer(&[project])
    }

    /// Describes ID tokens of Sign in with Apple, which has no access tokens for others.
    ///
    /// The audience is the app's bundle id, or the services id of a website.
    #[must_use]
    pub fn apple() -> Self {
        table::APPLE.issuer(&[])
    }

    /// Describes session tokens of Clerk, by the domain of its Frontend API: `clerk.example.com`.
    ///
    /// They have no `aud`: the audience is the origin of the application, which stands in `azp`.
    #[must_use]
    pub fn clerk(domain: &str) -> Self {
        table::CLERK.issuer(&[domain])
    }

    /// Describes access tokens of Supabase Auth, by the reference of the project.
    ///
    /// The project must sign with a private key (ES256 or RS256). With the older HS256 every
    /// verifier would have to know the secret, and could sign tokens with it. The audience is
    /// `authenticated`.
    #[must_use]
    pub fn supabase(project: &str) -> Self {
        table::SUPABASE.issuer(&[project])
    }

    /// Describes access tokens of Zitadel, by the domain of the instance, where the application has
    /// tokens of the type JWT.
    ///
    /// The audience is the id of the project, or of the application.
    #[must_use]
    pub fn zitadel(domain: &str) -> Self {
        table::ZITADEL.issuer(&[domain])
    }

    /// Describes access tokens of another deployment of tollgate, by its issuer, which is also the
    /// address of its key set.
    ///
    /// For a named realm call `realm` too.
    #[must_use]
    pub fn tollgate(issuer: &str) -> Self {
        table::TOLLGATE.issuer(&[issuer])
    }
}

/// Presets, with the keys from the address at which the issuer publishes them: see those of
/// [`Issuer`].
#[cfg(feature = "jwks-client")]
impl<U: JwtClaims> JwksGuard<U> {
    /// Accepts access tokens of a realm of Keycloak, by the address of the server and the name of
    /// the realm.
    ///
    /// A client's access tokens are for the audiences that a mapper of type "Audience" puts into
    /// them.
    #[must_use]
    pub fn keycloak(base: &str, realm: &str) -> Self {
        table::KEYCLOAK.guard(
            Issuer::keycloak(base, realm),
            &[base.trim_end_matches('/'), realm],
        )
    }

    /// Accepts access tokens of one tenant of Microsoft Entra, by its id: a GUID in lower case.
    ///
    /// The audience is the client id of the service, or for tokens of version 1 its application ID
    /// URI. Both versions are accepted.
    #[must_use]
    pub fn entra(tenant: &str) -> Self {
        table::ENTRA.guard(Issuer::entra(tenant), &[tenant])
    }

    /// Accepts access tokens of several tenants of Microsoft Entra: name them with `tenants`.
    ///
    /// The audience is as for one tenant. Keys are those that Microsoft publishes for all tenants,
    /// each of which may name the tenant that it is for.
    #[must_use]
    pub fn entra_tenants() -> Self {
        table::ENTRA_TENANTS.guard(Issuer::entra_tenants(), &[])
    }

    /// Accepts access tokens of a user pool of Amazon Cognito, by its region and its id.
    ///
    /// They have no `aud`: the audience is the id of the app client, which stands in `client_id`.
    #[must_use]
    pub fn cognito(region: &str, pool: &str) -> Self {
        table::COGNITO.guard(Issuer::cognito(region, pool), &[region, pool])
    }

    /// Accepts access tokens of an Auth0 tenant, by its domain: `acme.eu.auth0.com`.
    ///
    /// The audience is the identifier of the API. Both profiles of access tokens are accepted.
    #[must_use]
    pub fn auth0(domain: &str) -> Self {
        table::AUTH0.guard(Issuer::auth0(domain), &[domain])
    }

    /// Accepts access tokens of a custom authorization server of Okta, by the domain and the id of
    /// the server, which is often `default`.
    ///
    /// The access tokens of Okta's org authorization server are for Okta alone.
    #[must_use]
    pub fn okta(domain: &str, server: &str) -> Self {
        table::OKTA.guard(Issuer::okta(domain, server), &[domain, server])
    }

    /// Accepts ID tokens of Google, whose access tokens only Google can read.
    ///
    /// The audience is the client id of the service. An app that asks for tokens for it is an
    /// `authorized_party`.
    #[must_use]
    pub fn google() -> Self {
        table::GOOGLE.guard(Issuer::google(), &[])
    }

    /// Accepts ID tokens of a Firebase project, by its id.
    ///
    /// Firebase issues no access tokens for a project's own services: its ID token, whose audience
    /// is the project, is meant to be sent to them.
    #[must_use]
    pub fn firebase(project: &str) -> Self {
        table::FIREBASE.guard(Issuer::firebase(project), &[project])
    }

    /// Accepts ID tokens of Sign in with Apple, which has no access tokens for others.
    ///
    /// The audience is the app's bundle id, or the services id of a website.
    #[must_use]
    pub fn apple() -> Self {
        table::APPLE.guard(Issuer::apple(), &[])
    }

    /// Accepts session tokens of Clerk, by the domain of its Frontend API: `clerk.example.com`.
    ///
    /// They have no `aud`: the audience is the origin of the application, which stands in `azp`.
    #[must_use]
    pub fn clerk(domain: &str) -> Self {
        table::CLERK.guard(Issuer::clerk(domain), &[domain])
    }

    /// Accepts access tokens of Supabase Auth, by the reference of the project.
    ///
    /// The project must sign with a private key (ES256 or RS256). With the older HS256 every
    /// verifier would have to know the secret, and could sign tokens with it. The audience is
    /// `authenticated`.
    #[must_use]
    pub fn supabase(project: &str) -> Self {
        table::SUPABASE.guard(Issuer::supabase(project), &[project])
    }

    /// Accepts access tokens of Zitadel, by the domain of the instance, where the application has
    /// tokens of the type JWT.
    ///
    /// The audience is the id of the project, or of the application.
    #[must_use]
    pub fn zitadel(domain: &str) -> Self {
        table::ZITADEL.guard(Issuer::zitadel(domain), &[domain])
    }

    /// Accepts access tokens of another deployment of tollgate, by its issuer, which is also the
    /// address of its key set.
    ///
    /// For a named realm call `realm` too.
    #[must_use]
    pub fn tollgate(issuer: &str) -> Self {
        table::TOLLGATE.guard(Issuer::tollgate(issuer), &[issuer.trim_end_matches('/')])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page has a row for each preset, in the order of the table, with the values of the
    /// preset.
    #[test]
    fn the_page_of_issuers_tells_what_the_presets_say() {
        let page = include_str!("../../../../docs/reference/issuers.md");
        let lines = page
            .lines()
            .skip_while(|line| !line.starts_with("| preset |"));
        let mut rows = lines.skip(2).take_while(|line| line.starts_with('|'));
        for preset in table::ALL {
            let row = rows.next().unwrap_or_default();
            let words = [
                format!("| `{}` |", preset.name),
                format!("`{}`", preset.issuer),
                format!("{:?}", preset.kind),
            ];
            let marks = preset.marks.access.iter().chain(preset.marks.id);
            let names = preset.algorithms.iter().map(|algorithm| algorithm.as_str());
            let aliases = preset.aliases.iter().chain(&preset.audience).copied();
            let more = marks
                .copied()
                .chain(aliases)
                .map(|word| format!("`{word}`"));
            let sources = preset.sources.iter().map(|source| format!("]({source})"));
            let all = words.into_iter().chain(more).chain(sources);
            for word in all.chain(names.map(str::to_owned)) {
                assert!(row.contains(&word), "`{word}` is missing in: {row}");
            }
        }
        assert_eq!(rows.next(), None, "a row without a preset");
    }

    #[test]
    fn a_template_is_filled_and_the_tenant_stays() {
        assert_eq!(filled("{0}/a/{1}/{0}", &["x", "y"]), "x/a/y/x");
        assert_eq!(filled("{tenantid}/{0}/{2}", &["x"]), "{tenantid}/x/{2}");
        assert_eq!(filled("a{0", &["x"]), "a{0");
        assert_eq!(filled("{0}", &["{0}{1}"]), "{0}{1}");
    }
}
