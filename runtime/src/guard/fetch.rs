//! Fetches keys over HTTPS, from an address of the configuration and never from one in a token.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;

use super::{Fetched, KeySource};
use crate::error::AuthError;
use crate::keys::{Algorithm, PublicKey, PublicKeySet};
use crate::outbound::{Allows, BadAddress, Private, check, client as client_for};
use crate::token::quoted;

/// Keys at an address: a JWK set (RFC 7517), or a map of `kid` to X.509 certificate as Google has
/// it.
///
/// Only https is used, and no redirect followed; addresses of private networks are refused after
/// the name was resolved; no cookie and no credential is sent; an answer has at most 256 KiB and 64
/// keys, and must arrive within five seconds.
///
/// ```
/// use tollgate::guard::{HttpKeys, Issuer, JwksGuard};
/// # use tollgate::prelude::*;
/// # #[derive(Clone, JwtClaims)] #[claims(external)] struct Partner { #[claim(sub)] id: String }
///
/// let keys = HttpKeys::at("https://keys.example.com/jwks.json");
/// let issuer = Issuer::new("https://accounts.example.com").audience("orders");
/// let guard = JwksGuard::<Partner>::new(issuer, keys);
/// ```
pub struct HttpKeys {
    location: KeyLocation,
    allows: Allows,
    client: Mutex<Option<Client>>,
    found: Mutex<Option<Url>>,
}

/// The location of the keys.
enum KeyLocation {
    /// The keys are at this address.
    At(String),
    /// The discovery document of this issuer names the address.
    Discovered(String),
}

impl HttpKeys {
    /// Fetches the keys from this address.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self::new(KeyLocation::At(url.into()))
    }

    /// Fetches the keys from the address that the issuer's discovery document names:
    /// `{issuer}/.well-known/openid-configuration` (OpenID Connect Discovery section 4). The
    /// document must name this same issuer (RFC 8414 section 3.3). It is read again once a day, and
    /// after a failure.
    #[must_use]
    pub fn discovered(issuer: impl Into<String>) -> Self {
        Self::new(KeyLocation::Discovered(issuer.into()))
    }

    fn new(location: KeyLocation) -> Self {
        Self {
            location,
            allows: Allows::default(),
            client: Mutex::default(),
            found: Mutex::default(),
        }
    }

    /// Allows plain http too. Anyone on the path can then replace the issuer's keys with their own:
    /// use it for tests, and inside a network that is trusted as a whole.
    #[must_use]
    pub fn dangerous_allow_http(mut self) -> Self {
        self.allows.plain_http = true;
        self
    }

    /// Allows loopback, link-local and private addresses too, for an issuer inside your own
    /// network. A party that controls the issuer's name can then make this service send requests to
    /// its neighbours.
    #[must_use]
    pub fn dangerous_allow_private_addresses(mut self) -> Self {
        self.allows.private_addresses = true;
        self
    }

    /// Returns the HTTP client, which is made when it is first needed.
    fn client(&self) -> Result<Client, AuthError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        Ok(client.insert(client_for(self.allows, TOTAL)?).clone())
    }

    async fn get(&self, url: Url) -> Result<(Vec<u8>, Option<Duration>), AuthError> {
        self.check(&url)?;
        let mut response = self.client()?.get(url).send().await?;
        // Redirects are not followed, so that they arrive here (R58).
        if response.status() != StatusCode::OK {
            return Err(AuthError::unavailable(format!(
                "the issuer answered {}",
                response.status()
            )));
        }
        let max_age = max_age(&response);
        let too_long = || AuthError::unavailable("the issuer's answer has more than 256 KiB");
        if response
            .content_length()
            .is_some_and(|length| length > MAX_BODY as u64)
        {
            return Err(too_long());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok((body, max_age))
    }

    /// Refuses an address that is not asked.
    fn check(&self, url: &Url) -> Result<(), AuthError> {
        check(url, self.allows).map_err(|why| match why {
            BadAddress::Scheme(scheme) => {
                AuthError::unavailable(format!("keys are fetched over https, and this is {scheme}"))
            }
            BadAddress::Credentials => {
                AuthError::unavailable("an address with credentials in it is not asked for keys")
            }
            BadAddress::Private => AuthError::unavailable(Private),
        })
    }

    /// Finds the address of the keys.
    async fn find(&self) -> Result<Url, AuthError> {
        let issuer = match &self.location {
            KeyLocation::At(url) => return Ok(Url::parse(url)?),
            KeyLocation::Discovered(issuer) => issuer,
        };
        if let Some(url) = self.found().clone() {
            return Ok(url);
        }
        let document = format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        );
        let (body, _) = self.get(Url::parse(&document)?).await?;
        let document: Document = serde_json::from_slice(&body)?;
        // R57: compared byte for byte, so that one issuer cannot claim to be another.
        if document.issuer != *issuer {
            return Err(AuthError::unavailable(format!(
                "the discovery document is of the issuer {}, and the guard is for {}",
                quoted(&document.issuer),
                quoted(issuer)
            )));
        }
        let url = Url::parse(&document.jwks_uri)?;
        *self.found() = Some(url.clone());
        Ok(url)
    }

    fn found(&self) -> std::sync::MutexGuard<'_, Option<Url>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeySource for HttpKeys {
    async fn fetch(&self, allowed: &[Algorithm]) -> Result<Fetched, AuthError> {
        let url = self.find().await?;
        let fetched = async {
            let (body, max_age) = self.get(url).await?;
            let keys = read(&body, allowed)?;
            Ok(Fetched { keys, max_age })
        };
        // The issuer may have moved its keys, whatever is at the former address now.
        fetched.await.inspect_err(|_| *self.found() = None)
    }

    fn look_up_again(&self) {
        *self.found() = None;
    }
}

/// The members of a discovery document that are read.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

/// Reads a JWK set, or else a map of certificates.
fn read(body: &[u8], allowed: &[Algorithm]) -> Result<PublicKeySet, AuthError> {
    let value: serde_json::Value = serde_json::from_slice(body)?;
    let serde_json::Value::Object(members) = value else {
        return Err(AuthError::unavailable("the keys are no JSON object"));
    };
    if members.contains_key("keys") || members.is_empty() {
        return Ok(PublicKeySet::from_json(body, allowed)?);
    }
    if members.len() > MAX_KEYS {
        return Err(AuthError::unavailable(
            "the issuer publishes more than 64 certificates",
        ));
    }
    let Some(algorithm) = allowed.first() else {
        return Ok(PublicKeySet::default());
    };
    let mut keys = Vec::new();
    for (kid, pem) in members {
        match pem
            .as_str()
            .and_then(|pem| PublicKey::from_pem(pem.as_bytes(), *algorithm).ok())
        {
            Some(key) => keys.push(key.with_kid(kid)),
            // A certificate that cannot be used does not prevent the use of the others (R33).
            None => tracing::warn!(?kid, "a certificate of an issuer cannot be used"),
        }
    }
    Ok(keys.into_iter().collect())
}

/// Reads `max-age` of `Cache-Control` (RFC 9111 section 5.2.2.1).
fn max_age(response: &Response) -> Option<Duration> {
    let value = response.headers().get("cache-control")?.to_str().ok()?;
    let max_age = value
        .split(',')
        .find_map(|part| part.trim().strip_prefix("max-age="))?;
    max_age
        .trim_matches('"')
        .parse()
        .ok()
        .map(Duration::from_secs)
}

impl fmt::Debug for HttpKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (KeyLocation::At(address) | KeyLocation::Discovered(address)) = &self.location;
        f.debug_tuple("HttpKeys").field(address).finish()
    }
}

/// The longest answer, in bytes (R62).
const MAX_BODY: usize = 256 * 1024;
/// The largest number of keys in an answer (R62).
const MAX_KEYS: usize = 64;
const TOTAL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    /// R58.
    #[test]
    fn r58_an_address_in_numbers_is_looked_at_in_whatever_form() {
        let keys = HttpKeys::at("https://a.example");
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
        ] {
            assert!(keys.check(&Url::parse(url).unwrap()).is_err(), "{url}");
        }
        assert!(keys.check(&Url::parse("https://8.8.8.8/").unwrap()).is_ok());
        for url in [
            "http://a.example/",
            "ftp://a.example/",
            "file:///etc/passwd",
            "https://user@a.example/",
            "https://:pw@a.example/",
        ] {
            assert!(keys.check(&Url::parse(url).unwrap()).is_err(), "{url}");
        }
    }
}
