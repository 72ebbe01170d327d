//! The server of both sides: a gate in memory whose accounts all are the same user.

use std::time::Duration;

use tollgate::prelude::*;
use uuid::Uuid;

use crate::claims::User;

/// The issuer of all tokens.
pub const ISSUER: &str = "https://accounts.example.com";
/// The audience of all tokens.
pub const AUDIENCE: &str = "https://api.example.com";

/// The backend.
#[auth_backend(email, user = User)]
pub struct Accounts;

impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Ok(User::ada())
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, _: &Uuid, _: &Client) -> Result<User, AuthError> {
        Ok(User::ada())
    }
}

/// Returns the secret of HMAC, for peers.
#[must_use]
pub fn secret() -> Vec<u8> {
    (0..32).collect()
}

/// Returns a ring of an algorithm; that of HMAC is made of [`secret`].
///
/// # Panics
/// No key can be made.
#[must_use]
pub fn ring(algorithm: Algorithm) -> KeyRing {
    let ring = match algorithm {
        Algorithm::HS256 => {
            let [signing, refresh] = [secret(), (100..132).collect()].map(Secret::from_bytes);
            KeyRing::from_secret(algorithm, signing, refresh)
        }
        _ => KeyRing::generate(algorithm),
    };
    ring.expect("a ring")
}

/// Returns a gate in memory. Its view holds revocations, so that looking them up is part of what
/// is measured.
///
/// # Panics
/// The gate cannot be built.
pub async fn gate(ring: KeyRing) -> Gate<Accounts> {
    gate_with_cache(ring, 8 * 1024 * 1024).await
}

/// Returns the same gate with a cache of so many bytes for verified tokens.
///
/// # Panics
/// The gate cannot be built.
pub async fn gate_with_cache(ring: KeyRing, bytes: u32) -> Gate<Accounts> {
    let gate = Accounts
        .gate()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .keys(ring)
        .store(MemoryStore::new())
        .access_ttl(Duration::from_secs(3600))
        .access_cache(bytes)
        .build()
        .await
        .expect("a gate");
    let session = SessionId::random().expect("an id");
    for revocation in [Revoke::session(session), Revoke::access_of("nobody")] {
        gate.revoke(revocation).await.expect("a revocation");
    }
    gate
}

/// Returns an access token of a fresh session.
///
/// # Panics
/// No session can be opened.
pub async fn token(gate: &Gate<Accounts>) -> String {
    let issued = gate.sign_in(User::ada(), &Client::unknown()).await;
    issued.expect("a session").access_token
}
