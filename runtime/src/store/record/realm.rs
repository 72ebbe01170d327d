//! The realms of a store: the record of each, and the answer to claiming one.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::realm::RealmName;

/// The values by which a realm is recognised from one start to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RealmIdentity {
    /// The claim `iss` of the realm's tokens.
    pub issuer: String,
    /// The claim `aud` of the realm's tokens.
    pub audience: String,
    /// The name of the kind of backend: `#[auth_backend(…, kind = "accounts")]`.
    pub kind: String,
}

/// The identity that a realm had before, which is accepted for a while beside its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplacedIdentity {
    /// The former identity.
    pub identity: RealmIdentity,
    /// The time at which it ends.
    pub until: Timestamp,
}

/// The operator's answer about the sessions that were in a store before its first named realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// One gate opened them: they belong to the default realm.
    OneGate,
    /// Several gates opened them, and no row records which: they are ended once.
    SeveralGates,
}

/// A realm of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealmRecord {
    /// The name, or `None` for the default realm.
    pub name: Option<RealmName>,
    /// The identity of the gates that opened it last.
    pub identity: RealmIdentity,
    /// The identity that was replaced with the operator's consent.
    pub replaced: Option<ReplacedIdentity>,
    /// The operator's answer about the earlier sessions, if it was asked for this realm.
    pub before: Option<Before>,
    /// The time at which the realm was opened for the first time.
    pub first_opened: Timestamp,
    /// The time at which it was last opened.
    pub opened: Timestamp,
}

/// The answer to claiming a realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RealmClaim {
    /// The realm now has this record.
    Claimed(RealmRecord),
    /// The realm does not have the expected identity, or does not exist. Nothing is written.
    Moved(Option<RealmRecord>),
    /// Another realm has, or had a while ago, this pair of issuer and audience. Nothing is written.
    Taken(RealmRecord),
}

impl RealmRecord {
    /// Returns whether a gate of this identity may open the realm: it is the present one, or the
    /// replaced one while that is still accepted.
    #[must_use]
    pub fn accepts(&self, identity: &RealmIdentity, now: Timestamp) -> bool {
        self.identities(now).any(|accepted| accepted == identity)
    }

    /// Decides a claim for every store: `realms` is the store's list, read in the step that writes
    /// the record of [`RealmClaim::Claimed`].
    #[must_use]
    pub fn claim(
        realms: &[Self],
        expected: Option<&RealmIdentity>,
        mut new: Self,
        now: Timestamp,
    ) -> RealmClaim {
        let present = realms.iter().find(|realm| realm.name == new.name);
        if present.map(|realm| &realm.identity) != expected {
            return RealmClaim::Moved(present.cloned());
        }
        let has_the_pair = |realm: &&Self| {
            realm.name != new.name
                && realm.identities(now).any(|other| {
                    (&other.issuer, &other.audience)
                        == (&new.identity.issuer, &new.identity.audience)
                })
        };
        if let Some(other) = realms.iter().find(has_the_pair) {
            return RealmClaim::Taken(other.clone());
        }
        if let Some(present) = present {
            new.first_opened = present.first_opened;
            new.opened = new.opened.max(present.opened);
            new.before = new.before.or(present.before);
        }
        RealmClaim::Claimed(new)
    }

    fn identities(&self, now: Timestamp) -> impl Iterator<Item = &RealmIdentity> {
        let replaced = self.replaced.iter().filter(move |old| old.until > now);
        std::iter::once(&self.identity).chain(replaced.map(|old| &old.identity))
    }
}
