//! The codec of the revocation log: a fact as the columns `kind`, `key` and `value`.

use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::store::record::{Fact, LogEntry, RotationStep, RotationWrite, StoreError};

impl Fact {
    /// Returns whether the fact is lasting, so that a store keeps its present value and never
    /// archives it. A later fact of the same kind and key replaces it.
    pub(in crate::store) const fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::Client(..) | Self::Key(_) | Self::Everything(_) | Self::Paused(..)
        )
    }

    /// Returns the fact as the three columns that stores keep: its kind, the bytes of the id or
    /// name in it, and a number.
    pub(in crate::store) fn to_columns(&self) -> (&'static str, &[u8], u64) {
        match self {
            Self::Session(sid) => (SESSION, sid.as_bytes(), 0),
            Self::Generation(sid, generation) => {
                (GENERATION, sid.as_bytes(), u64::from(*generation))
            }
            Self::Subject(subject, epoch) => (SUBJECT, subject.as_bytes(), *epoch),
            Self::Token(jti) => (TOKEN, jti.as_bytes(), 0),
            Self::Client(client, epoch) => (CLIENT, client.as_bytes(), *epoch),
            Self::Key(key) => (KEY, key.as_bytes(), 1),
            Self::Everything(epoch) => (GLOBAL, b"", *epoch),
            Self::Paused(paused, version) => (
                PAUSE,
                b"",
                version.saturating_mul(2).saturating_add(u64::from(*paused)),
            ),
        }
    }

    /// Reads a fact from the columns of [`to_columns`](Self::to_columns).
    ///
    /// # Errors
    /// The kind is one that this version does not know, or the key is not valid for its kind.
    pub(in crate::store) fn from_columns(
        kind: &str,
        key: Vec<u8>,
        value: u64,
    ) -> Result<Self, StoreError> {
        Ok(match kind {
            SESSION => Self::Session(SessionId::from_bytes(id(key)?)),
            GENERATION => {
                let generation =
                    u32::try_from(value).map_err(|error| unreadable().because(error))?;
                Self::Generation(SessionId::from_bytes(id(key)?), generation)
            }
            SUBJECT => Self::Subject(name(key)?, value),
            TOKEN => Self::Token(TokenId::from_bytes(id(key)?)),
            CLIENT => Self::Client(name(key)?, value),
            KEY => Self::Key(name(key)?),
            GLOBAL => Self::Everything(value),
            PAUSE => Self::Paused(value % 2 == 1, value / 2),
            other => {
                let why = format!("its kind is `{other}`, which this version does not know");
                return Err(unreadable().because(why));
            }
        })
    }
}

impl LogEntry {
    /// Makes the entry of a fact that must be remembered until then. A lasting fact is remembered
    /// for ever ([`Timestamp::MAX`]), and no other fact is.
    pub(in crate::store) fn new(fact: Fact, until: Timestamp) -> Self {
        let until = if fact.is_lasting() {
            Timestamp::MAX
        } else {
            bounded(until)
        };
        Self { fact, until }
    }
}

impl RotationWrite {
    /// Returns the entry for the log if the step succeeds: tokens of earlier generations are
    /// revoked. Other steps bring no generation and log nothing.
    pub(in crate::store) fn entry(&self) -> Option<LogEntry> {
        let (RotationStep::Advance { generation, .. } | RotationStep::Remint { generation, .. }) =
            self.step
        else {
            return None;
        };
        let fact = Fact::Generation(self.sid, generation.saturating_add(1));
        self.log_until.map(|until| LogEntry::new(fact, until))
    }
}

/// Returns until when an entry that does not last is remembered: never for ever.
pub(in crate::store) fn bounded(until: Timestamp) -> Timestamp {
    until.min(Timestamp::from_millis(Timestamp::MAX.as_millis() - 1))
}

/// Returns whether the key of a kind is an id, and not a name.
#[cfg(feature = "redis")]
pub(in crate::store) fn is_of_id(kind: &str) -> bool {
    [SESSION, GENERATION, TOKEN].contains(&kind)
}

fn id(key: Vec<u8>) -> Result<[u8; 16], StoreError> {
    key.try_into()
        .map_err(|_| unreadable().because("its key is not an id of sixteen bytes"))
}

fn name(key: Vec<u8>) -> Result<String, StoreError> {
    String::from_utf8(key).map_err(|error| unreadable().because(error))
}

const fn unreadable() -> StoreError {
    StoreError::new("the store failed to read an entry of the revocation log")
}

const SESSION: &str = "session";
const GENERATION: &str = "generation";
const SUBJECT: &str = "subject";
const TOKEN: &str = "token";
/// The kind of a client's epoch.
pub(in crate::store) const CLIENT: &str = "client";
pub(in crate::store) const KEY: &str = "key";
/// The kind of the epoch of everything.
pub(in crate::store) const GLOBAL: &str = "global";
/// The kind of a pause.
pub(in crate::store) const PAUSE: &str = "pause";
