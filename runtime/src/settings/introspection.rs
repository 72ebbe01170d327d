//! Services that may ask the gate about tokens. Only hashes of their secrets are kept.

use std::fmt;

use super::value::{Scalar, SettingValue};
use crate::secret::unhex;
#[cfg(feature = "axum")]
use crate::secret::{same, sha256};

/// Settings of introspection: `introspection.*`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct IntrospectionSettings {
    /// The services that may ask about tokens (RFC 7662), and must authenticate to revoke them (RFC
    /// 7009). By default none, and there is no route.
    pub services: Vec<Service>,
}

#[cfg(feature = "axum")]
impl IntrospectionSettings {
    /// Returns the service of this name, where the secret is right. The result does not show
    /// whether the name or the secret was wrong.
    pub(crate) fn authenticate(&self, name: &str, secret: &str) -> Option<&Service> {
        let hash = sha256(secret.as_bytes());
        // The secret is random, so a plain hash of it is as good as a slow one.
        self.services
            .iter()
            .find(|service| service.name == name && same(&service.secret, &hash))
    }

    /// Returns whether a service has this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.services.iter().any(|service| service.name == name)
    }
}

/// A service that authenticates with a name and a secret (RFC 6749 section 2.3.1).
///
/// Written `name:sha256:…`, with the SHA-256 of its secret in hexadecimal. The secret is made by a
/// machine, 32 random bytes for example: a password would be guessed from the hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Service {
    name: String,
    #[cfg_attr(
        not(feature = "axum"),
        allow(dead_code, reason = "only a route compares it")
    )]
    secret: [u8; 32],
}

impl Service {
    /// Describes a service by its name and the SHA-256 of its secret.
    #[must_use]
    pub fn new(name: impl Into<String>, sha256_of_secret: [u8; 32]) -> Self {
        Self {
            name: name.into(),
            secret: sha256_of_secret,
        }
    }

    /// Returns the name of the service: its `client_id`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads `name:sha256:…`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, digits) = text.rsplit_once(':')?;
        let name = rest.strip_suffix(":sha256")?;
        // RFC 6749 appendix A.1; a colon would end the name where it is sent (RFC 7617 section 2).
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|byte| matches!(byte, b'!'..=b'~') && byte != b':' && byte != b',');
        if !is_name {
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            secret: unhex(digits)?.try_into().ok()?,
        })
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Service({})", self.name)
    }
}

impl SettingValue for Vec<Service> {
    #[cfg(any(test, feature = "cli"))]
    fn schema() -> super::value::Schema {
        serde_json::json!({ "type": "array", "items": { "type": "string" } })
    }

    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        let wrong = || {
            "must be services, each as `name:sha256:` and the SHA-256 of its secret in hexadecimal"
                .to_owned()
        };
        let texts = Vec::<String>::read(raw).map_err(|_| wrong())?;
        texts
            .iter()
            .map(|text| Service::parse(text).ok_or_else(wrong))
            .collect()
    }

    fn show(&self) -> Option<String> {
        let names: Vec<&str> = self.iter().map(Service::name).collect();
        (!names.is_empty()).then(|| names.join(","))
    }
}

#[cfg(all(test, feature = "axum"))]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_a_name_and_a_hash() {
        let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let service = Service::parse(&format!("reports:sha256:{hash}")).unwrap();
        let settings = IntrospectionSettings {
            services: vec![service],
        };
        assert!(settings.authenticate("reports", "test").is_some());
        for (name, secret) in [
            ("reports", "Test"),
            ("report", "test"),
            ("", "test"),
            ("reports", ""),
            ("reports", hash),
        ] {
            assert!(
                settings.authenticate(name, secret).is_none(),
                "{name} {secret}"
            );
        }
        assert_eq!(
            format!("{settings:?}"),
            "IntrospectionSettings { services: [Service(reports)] }"
        );
        for text in [
            "",
            "reports",
            "reports:sha256:",
            ":sha256:00",
            &format!("a:b:sha256:{hash}"),
            &format!("a:sha512:{hash}"),
        ] {
            assert!(Service::parse(text).is_none(), "{text}");
        }
        assert!(Service::parse(&format!("reports:sha256:{}", hash.replace('9', "+"))).is_none());
    }
}
