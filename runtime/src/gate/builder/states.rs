//! What the compiler asks of a builder: which parts were given, and whether the tokens are secret
//! enough for their claims.

use crate::token::{Envelope, Open, Secrecy};

/// A required part that was not given yet.
#[derive(Clone, Copy, Debug)]
pub struct Missing;

/// A required part that was given.
#[derive(Clone, Copy, Debug)]
pub struct Given;

macro_rules! required {
    ($(#[$doc:meta])* $name:ident, $message:literal, $note:literal) => {
        $(#[$doc])*
        #[diagnostic::on_unimplemented(
            message = $message,
            label = "this gate cannot be built yet",
            note = $note
        )]
        pub trait $name {}
        impl $name for Given {}
    };
}

required! {
    /// The issuer was given.
    HasIssuer,
    "the gate has no issuer",
    "say who issues the tokens: `.issuer(\"https://accounts.example.com\")`, or \
     `.settings(Settings::load()?)`"
}
required! {
    /// The audience was given.
    HasAudience,
    "the gate has no audience",
    "say for whom tokens are issued: `.audience(\"https://api.example.com\")`, or \
     `.settings(Settings::load()?)`"
}
required! {
    /// The keys were given.
    HasKeys,
    "the gate has no keys",
    "open a ring: `.keys(KeyRing::open(\"keys\").await?)`"
}
required! {
    /// The store was given.
    HasStore,
    "the gate has no store",
    "open one: `.store(SqliteStore::open(\"tollgate.db\").await?)`"
}

/// How a gate's tokens travel.
pub trait Encryption: 'static {
    #[doc(hidden)]
    const ENVELOPE: Envelope;
}

/// Signed, and readable by whoever holds them.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Encryption for Plain {
    const ENVELOPE: Envelope = Envelope::Open;
}

/// Signed and then encrypted: [`GateBuilder::encrypt`](crate::gate::GateBuilder::encrypt).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Encrypted {
    /// `dir` with `A256GCM` (RFC 7518 sections 4.5 and 5.3), under keys that are derived from the
    /// ring's.
    A256Gcm,
}

impl Encryption for Encrypted {
    #[cfg(feature = "jwe")]
    const ENVELOPE: Envelope = Envelope::Encrypted;
    // Without the feature, nothing makes a gate of it.
    #[cfg(not(feature = "jwe"))]
    const ENVELOPE: Envelope = Envelope::Open;
}

/// An encryption that is enough for claims of the secrecy `S`.
#[diagnostic::on_unimplemented(
    message = "claims marked `confidential` would travel in tokens that their holder can read",
    label = "this gate issues plain tokens",
    note = "encrypt the tokens with `.encrypt(Encrypted::A256Gcm)`, which the feature `jwe` has; \
            or leave the claim out with `#[claim(skip)]`; or remove `confidential` and let \
            whoever holds the token read it"
)]
pub trait Protects<S>: Encryption {}

impl Protects<Open> for Plain {}

impl<S: Secrecy> Protects<S> for Encrypted {}
