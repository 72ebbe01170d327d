//! Rings whose keys come from a configuration: PEM texts, secrets, signers. They are rotated in the
//! configuration.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::KeyRing;
use crate::error::{Error, ErrorKind};
use crate::keys::algorithm::{Algorithm, AlgorithmFamily};
use crate::keys::key::form::KeyForm;
use crate::keys::key::live::{LiveKey, secret_len};
use crate::keys::key::mac::MacKey;
use crate::keys::key::private;
use crate::keys::key::problem::KeyProblem;
use crate::keys::key::public::PublicKey;
use crate::keys::key::signer::{LIMIT, RemoteKey, Signer};
use crate::keys::key::signing::{SigningKey, VerifyingKey};
use crate::keys::key::state::KeyState;
use crate::keys::key::strength;
use crate::keys::key::thumbprint::secret_name;
use crate::keys::seal::{SealKey, derive};
use crate::keys::set::{KeySet, KeySetParts};
use crate::secret::{Secret, same, sha256, variable};

/// A ring that still lacks the secret for its refresh tokens: a configuration gives the signing
/// keys without it.
///
/// [`refresh_secret`](Self::refresh_secret) makes a [`KeyRing`] of it, which a gate requires.
///
/// Its keys are rotated in the configuration, in three steps: publish the new key as
/// [`next`](Self::next) on every node; after 15 minutes let it sign, with the old one as
/// [`previous`](Self::previous); after the longest life of a token remove the old one.
#[must_use = "a ring without `.refresh_secret(…)` is not complete"]
pub struct ConfiguredRing {
    algorithm: Algorithm,
    signing: SigningKey,
    verifying: Vec<VerifyingKey>,
    /// The bytes of HMAC keys; the refresh secret must be another one.
    secrets: Vec<Arc<Secret>>,
    former: Vec<Secret>,
    /// The secrets that seal, in place of those that are derived from the refresh secrets.
    sealing: Vec<Secret>,
}

impl KeyRing {
    /// Makes a ring that signs with a private key in PEM form: PKCS #8 (`PRIVATE KEY`), for RSA
    /// also PKCS #1 (`RSA PRIVATE KEY`), for ECDSA also SEC 1 (`EC PRIVATE KEY`). `\n` in place of
    /// line ends, quotes around the text, and the base64 of the whole text are read too.
    ///
    /// # Errors
    /// The text is not a private key, or not one for this algorithm; an RSA key has fewer than 2048
    /// bits, a weak exponent or the mark of ROCA (R27). For a key in another form (encrypted,
    /// OpenSSH, a certificate …) the message names the form, and the command that converts it.
    pub fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<ConfiguredRing, Error> {
        let secret = private::from_pem(pem, algorithm).map_err(|problem| {
            let what = match problem {
                KeyProblem::Form(form) => {
                    format!("the PEM text is no private key for {algorithm}: {form}")
                }
                _ => format!(
                    "the PEM text is no private key for {algorithm}: give PKCS #8, `-----BEGIN \
                     PRIVATE KEY-----`"
                ),
            };
            Error::new(ErrorKind::Keys, what).because(problem)
        })?;
        ConfiguredRing::new(algorithm, None, Arc::new(secret))
    }

    /// Makes a ring of the key in an environment variable: a private PEM text as
    /// [`from_pem`](Self::from_pem) reads it, a JWK set, or for HMAC `base64:…` or `hex:…`. Choose
    /// a name that does not begin with `TOLLGATE_`, the prefix of settings.
    ///
    /// # Errors
    /// The variable is not set or not text, or as [`from_pem`](Self::from_pem) and
    /// [`from_jwk_set`](Self::from_jwk_set). The message names the variable and never shows its
    /// value.
    pub fn from_env(algorithm: Algorithm, name: &str) -> Result<ConfiguredRing, Error> {
        let text = variable(name)?;
        let named = |error: Error| error.below(&format!("`{name}` holds no usable keys"));
        let start = unquoted(&text);
        if start.starts_with('{') {
            let ring = Self::from_jwk_set(start).map_err(named)?;
            if ring.algorithm != algorithm {
                let what = format!(
                    "`{name}` holds {:?} keys, and {algorithm} was asked for",
                    ring.algorithm
                );
                return Err(Error::new(ErrorKind::Keys, what));
            }
            Ok(ring)
        } else if start.contains("-----BEGIN") {
            Self::from_pem(algorithm, start.as_bytes()).map_err(named)
        } else if algorithm.family() != AlgorithmFamily::Hmac {
            let is_secret = matches!(
                private::from_pem(start.as_bytes(), algorithm),
                Err(KeyProblem::Form(KeyForm::Other))
            ) && Secret::parse(start).is_ok();
            if is_secret {
                return Err(named(Error::new(
                    ErrorKind::Keys,
                    format!("a secret is no key for {algorithm}"),
                )));
            }
            Self::from_pem(algorithm, start.as_bytes()).map_err(named)
        } else {
            let secret = Secret::parse(start)
                .map_err(|error| named(Error::new(ErrorKind::Keys, error.to_string())))?;
            ConfiguredRing::new(algorithm, None, Arc::new(secret)).map_err(named)
        }
    }

    /// Makes a ring whose signing key is outside of this process: `public` is its public part, with
    /// which every signature is verified before it is handed out. A key without a `kid` gets its
    /// thumbprint (RFC 7638).
    ///
    /// # Errors
    /// The `kid` cannot stand in a header.
    pub fn from_signer(public: PublicKey, signer: impl Signer) -> Result<ConfiguredRing, Error> {
        let kid: Arc<str> = public
            .kid()
            .map_or_else(|| public.thumbprint().into(), Arc::from);
        let algorithm = public.algorithm();
        let remote = RemoteKey::new(signer, public.clone(), LIMIT);
        let signing = SigningKey::new(algorithm, kid, LiveKey::Public(public), Some(remote))?;
        ConfiguredRing::of(algorithm, signing)
    }

    /// Makes a ring of secrets: an HMAC key for access tokens and another secret for refresh
    /// tokens. Its JWK set is empty.
    ///
    /// # Errors
    /// The algorithm is not HMAC; a secret is shorter than the hash's output (RFC 7518 section 3.2;
    /// 32 bytes for the refresh secret), has fewer than 16 different bytes, or is a public key; the
    /// two are the same.
    pub fn from_secret(
        algorithm: Algorithm,
        secret: Secret,
        refresh_secret: Secret,
    ) -> Result<Self, Error> {
        if algorithm.family() != AlgorithmFamily::Hmac {
            let what = format!("{algorithm} keys do not come from a shared secret: open a folder");
            return Err(Error::new(ErrorKind::Keys, what));
        }
        ConfiguredRing::new(algorithm, None, Arc::new(secret))?.refresh_secret(refresh_secret)
    }
}

impl ConfiguredRing {
    pub(super) fn new(
        algorithm: Algorithm,
        kid: Option<String>,
        secret: Arc<Secret>,
    ) -> Result<Self, Error> {
        let key = live(algorithm, &secret)?;
        let kid = match kid {
            Some(kid) => kid,
            None => key.kid(&secret)?,
        };
        let mut ring = Self::of(
            algorithm,
            SigningKey::new(algorithm, kid.into(), key, None)?,
        )?;
        ring.keep(secret);
        Ok(ring)
    }

    fn of(algorithm: Algorithm, signing: SigningKey) -> Result<Self, Error> {
        let current = signing.verifying(KeyState::Current)?;
        Ok(Self {
            algorithm,
            signing,
            verifying: vec![current],
            secrets: Vec::new(),
            former: Vec::new(),
            sealing: Vec::new(),
        })
    }

    /// Publishes the key that is to sign next: it verifies from now on.
    ///
    /// # Errors
    /// It is for another algorithm, or the ring has it already.
    pub fn next(self, key: PublicKey) -> Result<Self, Error> {
        self.public(key, KeyState::Next)
    }

    /// Keeps a key that signed before: its tokens stay valid.
    ///
    /// # Errors
    /// It is for another algorithm, or the ring has it already.
    pub fn previous(self, key: PublicKey) -> Result<Self, Error> {
        self.public(key, KeyState::Previous)
    }

    /// Sets how long a [`Signer`] may take: 2 seconds by default. After that the client sees 503.
    pub fn signer_limit(mut self, limit: Duration) -> Self {
        self.signing.set_limit(limit);
        self
    }

    /// Keeps a refresh secret that was used before: the refresh tokens made with it stay valid, and
    /// values that it sealed can still be read. Remove it once the idle lifetime of a session is
    /// over; with `refresh(from = stored)` once the absolute one is, and with
    /// [`Gate::seal`](crate::gate::Gate::seal) once no value that it sealed is needed any more.
    pub fn previous_refresh_secret(mut self, secret: Secret) -> Self {
        self.former.push(secret);
        self
    }

    /// Seals with a secret of the configuration: encrypted tokens, the claims that sessions keep, and
    /// the values of [`Gate::seal`](crate::gate::Gate::seal). By default the sealing key is derived
    /// from the refresh secret. The first secret seals, and all of them open.
    ///
    /// Where several nodes run, each must be able to open before one of them seals: deploy
    /// `.seal_secret(old).seal_secret(new)` everywhere, then `.seal_secret(new).seal_secret(old)`,
    /// and remove the old one once the absolute lifetime of a session is over. Before the first
    /// secret, deploy it as a [`previous_refresh_secret`](Self::previous_refresh_secret), which
    /// opens what it seals later.
    pub fn seal_secret(mut self, secret: Secret) -> Self {
        self.sealing.push(secret);
        self
    }

    /// Completes the ring with the secret that protects refresh tokens; the sealing key is derived
    /// from it, unless [`seal_secret`](Self::seal_secret) gives another one.
    ///
    /// # Errors
    /// A secret is shorter than 32 bytes, has fewer than 16 different bytes, is a public key or the
    /// same as another one of the ring; or two secrets lead to the same number by chance: choose
    /// another one.
    pub fn refresh_secret(self, secret: Secret) -> Result<KeyRing, Error> {
        let Self {
            algorithm,
            signing,
            verifying,
            secrets,
            former,
            sealing,
        } = self;
        let mut seals = seal_keys(&sealing, &secrets, &secret, &former)?;
        let derives = seals.is_empty();
        let mut macs: Vec<MacKey> = Vec::new();
        for (at, secret) in std::iter::once(secret).chain(former).enumerate() {
            strength::check("the refresh secret", &secret, 32)?;
            if secrets
                .iter()
                .any(|other| same(other.expose(), secret.expose()))
            {
                return Err(Error::new(
                    ErrorKind::Keys,
                    "the signing secret and the refresh secret must not be the same",
                ));
            }
            let state = if at == 0 {
                KeyState::Current
            } else {
                KeyState::Previous
            };
            let number = number_of(&secret)?;
            if macs.iter().any(|mac| mac.id() == number) {
                return Err(Error::new(
                    ErrorKind::Keys,
                    "two refresh secrets are the same, or share their number by chance",
                ));
            }
            // Values that the derived keys sealed before the ring had a secret for it stay readable.
            let sealed = if derives { state } else { KeyState::Previous };
            if seals.iter().any(|key| key.number() == number) {
                return Err(Error::new(
                    ErrorKind::Keys,
                    "a seal secret and a refresh secret share their number by chance",
                ));
            }
            seals.push(seal_key(number, sealed, &secret)?);
            macs.push(MacKey::new(number, state, secret.expose())?);
        }
        let parts = KeySetParts {
            algorithm,
            revision: 1,
            signing,
            verifying,
            macs,
            seals,
        };
        Ok(KeyRing::configured(KeySet::assemble(parts)))
    }

    fn public(self, key: PublicKey, state: KeyState) -> Result<Self, Error> {
        if key.algorithm() != self.algorithm {
            let what = format!(
                "the ring's keys are for {:?}, and this one is for {:?}",
                self.algorithm,
                key.algorithm()
            );
            return Err(Error::new(ErrorKind::Keys, what).because(KeyProblem::SecondAlgorithm));
        }
        self.add(key.kid().map(str::to_owned), LiveKey::Public(key), state)
    }

    pub(super) fn add(
        mut self,
        kid: Option<String>,
        key: LiveKey,
        state: KeyState,
    ) -> Result<Self, Error> {
        let kid = match (kid, key.public()) {
            (Some(kid), _) => kid,
            (None, Some(public)) => public.thumbprint(),
            (None, None) => {
                return Err(Error::new(
                    ErrorKind::Keys,
                    "a secret key beside another one needs a `kid`",
                ));
            }
        };
        let is_known = self
            .verifying
            .iter()
            .any(|known| **known.kid() == *kid || known.is_same_key(&key));
        if is_known {
            return Err(Error::new(
                ErrorKind::Keys,
                format!("the ring has the key {kid:?}, or its `kid`, already"),
            ));
        }
        self.verifying
            .push(VerifyingKey::new(self.algorithm, kid.into(), state, key)?);
        Ok(self)
    }

    /// Keeps the secret of an HMAC key, to compare it with the refresh secret.
    pub(super) fn keep(&mut self, secret: Arc<Secret>) {
        if self.algorithm.family() == AlgorithmFamily::Hmac {
            self.secrets.push(secret);
        }
    }

    pub(super) fn check(&self, secret: &Secret) -> Result<LiveKey, Error> {
        if self
            .secrets
            .iter()
            .any(|other| same(other.expose(), secret.expose()))
        {
            return Err(Error::new(
                ErrorKind::Keys,
                "the ring has the same secret twice",
            ));
        }
        live(self.algorithm, secret)
    }
}

/// Returns the keys of the secrets that seal, the first of which is current.
fn seal_keys(
    sealing: &[Secret],
    signing: &[Arc<Secret>],
    refresh: &Secret,
    former: &[Secret],
) -> Result<Vec<SealKey>, Error> {
    let mut keys: Vec<SealKey> = Vec::new();
    for (at, secret) in sealing.iter().enumerate() {
        strength::check("the seal secret", secret, 32)?;
        let others = signing.iter().map(AsRef::as_ref);
        let mut others = others.chain([refresh]).chain(former);
        if others.any(|other| same(other.expose(), secret.expose())) {
            return Err(Error::new(
                ErrorKind::Keys,
                "the seal secret must be another one than the signing secret and the refresh secret",
            ));
        }
        let state = match at {
            0 => KeyState::Current,
            _ => KeyState::Previous,
        };
        let number = number_of(secret)?;
        if keys.iter().any(|key| key.number() == number) {
            return Err(Error::new(
                ErrorKind::Keys,
                "two seal secrets are the same, or share their number by chance",
            ));
        }
        keys.push(seal_key(number, state, secret)?);
    }
    Ok(keys)
}

fn seal_key(number: u8, state: KeyState, secret: &Secret) -> Result<SealKey, Error> {
    let derived = derive(secret.expose(), b"tollgate/seal/1")?;
    Ok(SealKey::new(number, state, Arc::new(derived)))
}

impl fmt::Debug for ConfiguredRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfiguredRing")
            .field("verifying", &self.verifying)
            .finish_non_exhaustive()
    }
}

/// Makes the key, after the checks that a secret from a person needs (R25, R26).
fn live(algorithm: Algorithm, secret: &Secret) -> Result<LiveKey, Error> {
    if let (AlgorithmFamily::Hmac, Some(len)) = (algorithm.family(), secret_len(algorithm)) {
        strength::check("the signing secret", secret, len)?;
    }
    LiveKey::new(algorithm, secret)
}

/// Removes blanks and a pair of quotes around a text.
fn unquoted(text: &str) -> &str {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    ['"', '\'']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(text)
}

/// Derives the number of a refresh secret, which its tokens show: every node that has the secret
/// derives the same number.
fn number_of(secret: &Secret) -> Result<u8, Error> {
    let name = secret_name(secret.expose(), "tollgate/number/1");
    let name = name.ok_or_else(|| Error::new(ErrorKind::Keys, "a key cannot be used for HMAC"))?;
    Ok(sha256(name.as_bytes()).first().copied().unwrap_or_default())
}
