//! The conditions that the compiler checks of a builder: the required parts were given, and the
//! tokens are secret enough for their claims.

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
    "set the issuer of the tokens: `.issuer(\"https://accounts.example.com\")`, or \
     `.settings(Settings::load()?)`"
}
required! {
    /// The audience was given.
    HasAudience,
    "the gate has no audience",
    "set the intended audience of the tokens: `.audience(\"https://api.example.com\")`, or \
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

required! {
    /// The realm was given where it has to be.
    HasRealm,
    "a gate that shares keys and store with another gate has no realm",
    "name its realm: `.realm(\"staff\")`"
}
required! {
    /// The audience or the issuer is the gate's own.
    HasOwnAudience,
    "a gate that shares keys and store with another gate has no audience of its own",
    "set the intended audience of its tokens: `.audience(\"https://staff.example.com\")`; or give \
     it its own issuer with `.issuer(…)`"
}

/// The issuer of another gate, for a realm that is not named yet.
#[derive(Clone, Copy, Debug)]
pub struct SharedIssuer;

/// The audience of another gate, used only beside an issuer of the gate's own.
#[derive(Clone, Copy, Debug)]
pub struct SharedAudience;

impl HasIssuer for SharedIssuer {}
impl HasAudience for SharedAudience {}
// The other traits report the missing part, so that there is one message at a time.
impl HasRealm for Missing {}
impl HasOwnAudience for Missing {}

/// The type-level effect of giving the builder an issuer or a realm: the states of issuer and
/// audience after an issuer, and of the issuer after a realm.
pub trait Part {
    #[doc(hidden)]
    type AsIssuer;
    #[doc(hidden)]
    type BesideIssuer;
    #[doc(hidden)]
    type WithRealm;
}

impl Part for Missing {
    type AsIssuer = Given;
    type BesideIssuer = Self;
    type WithRealm = Self;
}

impl Part for Given {
    type AsIssuer = Self;
    type BesideIssuer = Self;
    type WithRealm = Self;
}

impl Part for SharedIssuer {
    type AsIssuer = Self;
    type BesideIssuer = Self;
    type WithRealm = Given;
}

impl Part for SharedAudience {
    type AsIssuer = Given;
    type BesideIssuer = Given;
    type WithRealm = Self;
}

/// The form in which a gate's tokens travel.
pub trait Encryption: 'static {
    #[doc(hidden)]
    const ENVELOPE: Envelope;
}

/// Tokens that are signed, and that every client can read.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Encryption for Plain {
    const ENVELOPE: Envelope = Envelope::Open;
}

/// Tokens that are signed and then encrypted: see
/// [`GateBuilder::encrypt`](crate::gate::GateBuilder::encrypt).
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
            or leave the claim out with `#[claim(skip)]`; or remove `confidential`, and clients \
            can read the claim"
)]
pub trait Protects<S>: Encryption {}

impl Protects<Open> for Plain {}

impl<S: Secrecy> Protects<S> for Encrypted {}
