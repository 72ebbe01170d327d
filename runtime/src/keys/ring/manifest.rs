//! The manifest: the keys of a ring, the state of each, and their moves in a rotation. Pure: knows
//! no file and no clock.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::keys::algorithm::Algorithm;
use crate::keys::key::live::{LiveKey, generate};
use crate::keys::key::state::{KeyPurpose, KeyState};
use crate::keys::key::thumbprint::secret_name;
use crate::secret::Secret;

/// All keys of a ring. Every change makes another manifest, with the next revision.
#[derive(Clone)]
pub(super) struct Manifest {
    pub(super) algorithm: Algorithm,
    /// The revision, which grows by one at every change.
    pub(super) revision: u64,
    /// `true` once a gate has started with this ring.
    pub(super) adopted: bool,
    pub(super) keys: Vec<HeldKey>,
}

/// A key with its line of the manifest.
#[derive(Clone)]
pub(super) struct HeldKey {
    pub(super) entry: KeyEntry,
    pub(super) secret: Arc<Secret>,
}

/// A line of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyEntry {
    pub(super) purpose: KeyPurpose,
    /// The `kid` of a signing key; the number of another.
    pub(super) id: String,
    /// A value derived from the key's bytes, so that a swapped file is noticed.
    pub(super) check: String,
    pub(super) state: KeyState,
    /// The time at which the key was published, in milliseconds since 1970.
    pub(super) published_at: Timestamp,
    /// The time at which the last token of the key expires; only for previous and retired keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Timestamp>,
}

/// The time for which keys that no longer sign still verify.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overlap {
    pub(super) access: Duration,
    pub(super) refresh: Duration,
    pub(super) seal: Duration,
}

impl Overlap {
    fn of(self, purpose: KeyPurpose) -> Duration {
        match purpose {
            KeyPurpose::Sign => self.access,
            KeyPurpose::Refresh => self.refresh,
            KeyPurpose::Seal => self.seal,
        }
    }
}

impl KeyEntry {
    /// Returns the name of the key for operators: `sign-<kid>`, `refresh-1`, `seal-1`.
    pub(super) fn name(&self) -> String {
        format!("{}-{}", self.purpose, self.id)
    }

    /// Returns the number of a key for refresh tokens or for sealing; `None` for a signing key.
    pub(super) fn number(&self) -> Option<u8> {
        self.id
            .parse()
            .ok()
            .filter(|number: &u8| number.to_string() == self.id)
    }
}

impl HeldKey {
    /// Returns whether this is the name by which the key is retired. A signing key has two.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let Self { entry, .. } = self;
        entry.name() == name || (entry.purpose == KeyPurpose::Sign && entry.id == name)
    }

    /// Makes the entry of a key from its bytes.
    pub(super) fn new(
        purpose: KeyPurpose,
        number: u8,
        algorithm: Algorithm,
        secret: Secret,
        state: KeyState,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let check = check_value(&secret)?;
        let id = if purpose == KeyPurpose::Sign {
            kid(algorithm, &secret)?
        } else {
            number.to_string()
        };
        let entry = KeyEntry {
            purpose,
            id,
            check,
            state,
            published_at: now,
            until: None,
        };
        Ok(Self {
            entry,
            secret: Arc::new(secret),
        })
    }

    fn random(
        purpose: KeyPurpose,
        number: u8,
        algorithm: Algorithm,
        state: KeyState,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let secret = if purpose == KeyPurpose::Sign {
            generate(algorithm)?
        } else {
            Secret::random(32)?
        };
        Self::new(purpose, number, algorithm, secret, state, now)
    }
}

impl Manifest {
    /// Makes a ring of fresh keys: for each purpose one, and its successor.
    pub(super) fn create(algorithm: Algorithm, now: Timestamp) -> Result<Self, Error> {
        let keys = vec![
            HeldKey::random(KeyPurpose::Sign, 0, algorithm, KeyState::Current, now)?,
            HeldKey::random(KeyPurpose::Sign, 0, algorithm, KeyState::Next, now)?,
            HeldKey::random(KeyPurpose::Refresh, 1, algorithm, KeyState::Current, now)?,
            HeldKey::random(KeyPurpose::Refresh, 2, algorithm, KeyState::Next, now)?,
            HeldKey::random(KeyPurpose::Seal, 1, algorithm, KeyState::Current, now)?,
            HeldKey::random(KeyPurpose::Seal, 2, algorithm, KeyState::Next, now)?,
        ];
        Ok(Self {
            algorithm,
            revision: 1,
            adopted: false,
            keys,
        })
    }

    /// Marks the ring as one that a gate has started with: its keys are published at this time.
    /// `None` if it is marked already.
    pub(super) fn adopt(&self, now: Timestamp) -> Option<Self> {
        (!self.adopted).then(|| {
            let mut adopted = self.clone();
            adopted.adopted = true;
            adopted.revision = self.revision.saturating_add(1);
            for key in &mut adopted.keys {
                key.entry.published_at = now;
            }
            adopted
        })
    }

    /// Rotates the keys: for each purpose the next key becomes the current one, the former current
    /// one goes on verifying and opening, and a fresh one is published.
    pub(super) fn rotate(&self, now: Timestamp, overlap: Overlap) -> Result<Self, Error> {
        let mut next = self.advanced(now);
        for purpose in [KeyPurpose::Sign, KeyPurpose::Refresh, KeyPurpose::Seal] {
            let successor = next.position(purpose, KeyState::Next)?;
            let ready = next.keys.get(successor).map_or(Timestamp::MAX, |key| {
                key.entry.published_at.plus(PUBLISHED_AHEAD)
            });
            if now < ready {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!(
                        "the next key has been published for less than {} minutes: rotate again in \
                         {} seconds",
                        PUBLISHED_AHEAD.as_secs() / 60,
                        ready.since(now).as_secs().saturating_add(1)
                    ),
                ));
            }
            next.hand_over(
                purpose,
                KeyState::Previous,
                now.plus(overlap.of(purpose)),
                now,
            )?;
        }
        Ok(next)
    }

    /// Retires a key: tokens and values made with it are no longer valid. Where it was the current
    /// one, the next one replaces it at once.
    ///
    /// Signing and sealing keys are deleted. A MAC key stays as retired until its last refresh
    /// token expires: the store knows these tokens by their hash.
    pub(super) fn retire(
        &self,
        name: &str,
        now: Timestamp,
        overlap: Overlap,
    ) -> Result<Self, Error> {
        let mut next = self.advanced(now);
        let found = next
            .keys
            .iter()
            .find(|key| key.entry.state != KeyState::Retired && key.is_called(name));
        let Some(HeldKey {
            entry: KeyEntry {
                purpose, state, id, ..
            },
            ..
        }) = found.cloned()
        else {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("the ring has no key `{name}` that could be retired"),
            ));
        };
        let until = now.plus(overlap.refresh);
        match state {
            KeyState::Current => next.hand_over(purpose, KeyState::Retired, until, now)?,
            KeyState::Next => {
                next.end(purpose, &id, KeyState::Retired, until);
                next.publish(purpose, now)?;
            }
            KeyState::Previous | KeyState::Retired => {
                next.end(purpose, &id, KeyState::Retired, until);
            }
        }
        // The retired key is removed only here, so that its number is not given to the new key.
        next.keys.retain(|key| {
            key.entry.state != KeyState::Retired || key.entry.purpose == KeyPurpose::Refresh
        });
        Ok(next)
    }

    /// Returns when the first of the keys that no longer sign stops verifying.
    pub(super) fn next_expiry(&self, now: Timestamp) -> Option<Timestamp> {
        self.keys
            .iter()
            .filter_map(|key| key.entry.until)
            .filter(|until| *until > now)
            .min()
    }

    /// Checks that the ring has a key in every state that it needs.
    pub(super) fn check(&self) -> Result<(), String> {
        for (purpose, state) in [
            (KeyPurpose::Sign, KeyState::Current),
            (KeyPurpose::Sign, KeyState::Next),
            (KeyPurpose::Refresh, KeyState::Current),
            (KeyPurpose::Refresh, KeyState::Next),
            (KeyPurpose::Seal, KeyState::Current),
            (KeyPurpose::Seal, KeyState::Next),
        ] {
            let count = self
                .keys
                .iter()
                .filter(|key| key.entry.purpose == purpose && key.entry.state == state)
                .count();
            if count != 1 {
                return Err(format!(
                    "names {count} {} keys for `{purpose}` where there must be one",
                    state.as_str()
                ));
            }
        }
        for (i, key) in self.keys.iter().enumerate() {
            if self
                .keys
                .iter()
                .skip(i + 1)
                .any(|other| other.entry.name() == key.entry.name())
            {
                return Err(format!("names the key {} twice", key.entry.name()));
            }
            if key.entry.purpose != KeyPurpose::Sign && key.entry.number().is_none() {
                return Err(format!(
                    "has the key {}, whose number is not one from 0 to 255",
                    key.entry.name()
                ));
            }
            let leaving = matches!(key.entry.state, KeyState::Previous | KeyState::Retired);
            if leaving != key.entry.until.is_some() {
                return Err(format!(
                    "does not agree with itself about the end of {}",
                    key.entry.name()
                ));
            }
        }
        Ok(())
    }

    /// Returns the next revision, without the keys whose last token has expired.
    fn advanced(&self, now: Timestamp) -> Self {
        let keys = self
            .keys
            .iter()
            .filter(|key| key.entry.until.is_none_or(|until| until > now))
            .cloned()
            .collect();
        Self {
            revision: self.revision.saturating_add(1),
            keys,
            ..self.clone()
        }
    }

    /// Puts the current key into `state`, makes the next one current, and publishes another.
    fn hand_over(
        &mut self,
        purpose: KeyPurpose,
        state: KeyState,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let current = self.position(purpose, KeyState::Current)?;
        let successor = self.position(purpose, KeyState::Next)?;
        if let Some(key) = self.keys.get_mut(current) {
            key.entry.state = state;
            key.entry.until = Some(until);
        }
        if let Some(key) = self.keys.get_mut(successor) {
            key.entry.state = KeyState::Current;
        }
        self.publish(purpose, now)
    }

    fn end(&mut self, purpose: KeyPurpose, id: &str, state: KeyState, until: Timestamp) {
        for key in self
            .keys
            .iter_mut()
            .filter(|key| key.entry.purpose == purpose && key.entry.id == id)
        {
            key.entry.state = state;
            key.entry.until = Some(until);
        }
    }

    fn publish(&mut self, purpose: KeyPurpose, now: Timestamp) -> Result<(), Error> {
        let taken = |number: &u8| {
            let mut keys = self.keys.iter().filter(|key| key.entry.purpose == purpose);
            keys.any(|key| key.entry.number() == Some(*number))
        };
        // The numbers wrap around, and the search begins after the highest one, so that a number is
        // not used again soon.
        let highest = self
            .keys
            .iter()
            .filter(|key| key.entry.purpose == purpose)
            .filter_map(|key| key.entry.number())
            .max();
        let start = highest.unwrap_or(0).wrapping_add(1);
        let number = (start..=u8::MAX)
            .chain(0..start)
            .find(|number| !taken(number))
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Usage,
                    "all 256 numbers of keys are in use: wait until old ones are out",
                )
            })?;
        self.keys.push(HeldKey::random(
            purpose,
            number,
            self.algorithm,
            KeyState::Next,
            now,
        )?);
        Ok(())
    }

    fn position(&self, purpose: KeyPurpose, state: KeyState) -> Result<usize, Error> {
        self.keys
            .iter()
            .position(|key| key.entry.purpose == purpose && key.entry.state == state)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Usage,
                    "the ring has no key in the state that this needs",
                )
            })
    }
}

/// Returns the `kid` of a signing key.
pub(super) fn kid(algorithm: Algorithm, secret: &Secret) -> Result<String, Error> {
    LiveKey::new(algorithm, secret)?.kid(secret)
}

/// Returns a value by which a swapped key is noticed; it reveals nothing about the key.
pub(super) fn check_value(secret: &Secret) -> Result<String, Error> {
    secret_name(secret.expose(), "tollgate/check/1")
        .ok_or_else(|| Error::new(ErrorKind::Keys, "a key cannot be used for HMAC"))
}

/// The time for which a key is published before it signs: longer than any cache keeps the key set
/// (OpenID Connect Core 10.1.1).
pub(super) const PUBLISHED_AHEAD: Duration = Duration::from_secs(15 * 60);
