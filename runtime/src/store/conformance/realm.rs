//! Clauses of `realm`, `realms` and `claim_realm`.

use super::broken::Broken;
use super::fixture::*;
use crate::realm::RealmName;
use crate::store::{
    Before, Fact, LogEntry, RealmClaim, RealmIdentity, RealmRecord, ReplacedIdentity, SessionPage,
    Store, Target,
};

/// A realm's name.
pub(super) fn named(name: &str) -> Result<RealmName, Broken> {
    RealmName::parse(name).map_err(|error| Broken::new(error.to_string()))
}

/// Returns the handle of a realm whose namespace was made.
pub(super) async fn realm(store: &Store, name: &str) -> Result<Store, Broken> {
    let realm = store.realm(&named(name)?);
    realm.migrate(NOW).await?;
    Ok(realm)
}

fn identity(issuer: &str, audience: &str) -> RealmIdentity {
    RealmIdentity {
        issuer: issuer.to_owned(),
        audience: audience.to_owned(),
        kind: "accounts\0".to_owned(),
    }
}

fn record(name: Option<RealmName>, identity: RealmIdentity) -> RealmRecord {
    RealmRecord {
        name,
        identity,
        replaced: None,
        before: None,
        first_opened: NOW,
        opened: NOW,
    }
}

async fn claim(
    store: &Store,
    expected: Option<&RealmIdentity>,
    new: &RealmRecord,
) -> Result<RealmClaim, Broken> {
    Ok(store
        .claim_realm(expected.cloned(), new.clone(), NOW)
        .await?)
}

clauses! {
    /// The namespaces of realms are made beside each other, eight times at once and again, also
    /// with the longest name, and a name with `-` differs from the one without; each is empty, and
    /// the handle of any realm returns the same handle.
    138 realm every_realm_has_a_namespace(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        // Subjects of the default realm that look like keys of a realm.
        for (number, subject) in [(3, "@staff:"), (4, "@staff/session/"), (5, "staff__")] {
            open(&store, new(number, subject, NOW), NOW).await?;
        }
        let longest = "b23456789-123456789-123456789-12";
        let names = ["staff", "a-b", "ab", longest];
        for name in names {
            let made = store.realm(&named(name)?);
            together(8, move |_| {
                let realm = made.clone();
                async move { realm.migrate(NOW).await }
            })
            .await?;
            let realm = realm(&store, name).await?;
            ensure!(!realm.health(NOW).await?.has_live_sessions, "`{name}` is not empty");
            for subject in ["@staff:", "", ":", "/session/"] {
                same!(realm.sessions_of(subject.to_owned(), SessionPage::ALL, NOW).await?, []);
            }
            open(&realm, new(1, "ada", NOW), NOW).await?;
            open(&realm, new(2, name, NOW), NOW).await?;
            revoke(&realm, Target::Session(sid(1)), NOW).await?;
        }
        ensure!(row(&store, 1, NOW).await?.is_live(NOW), "a realm ended a session of another");
        for name in names {
            let other = realm(&store, "other").await?.realm(&named(name)?);
            same!(row(&other, 2, NOW).await?.subject, name);
            ensure!(!row(&other, 1, NOW).await?.is_live(NOW), "`{name}` is another realm");
        }
    }

    /// All realms share the key ring: every realm reads the ring that another one wrote.
    139 realm the_key_ring_is_shared(store) {
        let staff = realm(&store, "staff").await?;
        ensure!(staff.swap_keys(0, vec![1], NOW).await?, "a realm cannot make the ring");
        same!(store.keys().await?.ring, [1]);
        ensure!(!store.swap_keys(0, vec![2], NOW).await?, "the ring was made twice");
        ensure!(store.swap_keys(1, vec![2], NOW).await?, "the version is another one");
        same!(staff.keys().await?, store.keys().await?);
        same!(staff.keys().await?.version, 2);
    }

    /// The end of a key is logged in every namespace, whichever realm ends it, and in those that
    /// are made later; only the realm's own entry is in the answer.
    140 realm a_key_ends_in_every_realm(store) {
        let staff = realm(&store, "staff").await?;
        let partners = realm(&store, "partners").await?;
        let ended = |key: &str| LogEntry {
            fact: Fact::Key(key.to_owned()),
            until: crate::clock::Timestamp::MAX,
        };
        let cursors = [
            store.log_since(crate::store::LogCursor::START, NOW).await?.cursor,
            staff.log_since(crate::store::LogCursor::START, NOW).await?.cursor,
            partners.log_since(crate::store::LogCursor::START, NOW).await?.cursor,
        ];
        same!(
            revoke(&staff, Target::Key("k1".to_owned()), NOW).await?.entries,
            [ended("k1")]
        );
        same!(
            revoke(&store, Target::Key("k2".to_owned()), NOW).await?.entries,
            [ended("k2")]
        );
        let later = realm(&store, "later").await?;
        for realm in [&store, &staff, &partners, &later] {
            let log = whole_log(realm, NOW).await?;
            same!(log.len(), 2);
            ensure!(
                log.contains(&ended("k1")) && log.contains(&ended("k2")),
                "a realm does not know of both keys: {log:?}"
            );
        }
        for (realm, cursor) in [&store, &staff, &partners].into_iter().zip(cursors) {
            same!(realm.log_since(cursor, NOW).await?.entries.len(), 2);
        }
    }

    /// Realms that were claimed are listed, the default one first and the others by name, with
    /// every field, and the same from every handle. A namespace that was never claimed is not a
    /// realm.
    141 realms claimed_realms_are_listed(store) {
        let staff = realm(&store, "staff").await?;
        same!(store.realms().await?, []);
        let full = RealmRecord {
            replaced: Some(ReplacedIdentity {
                identity: identity("i\u{1a}", "old"),
                until: at(7),
            }),
            before: Some(Before::SeveralGates),
            opened: at(3),
            ..record(Some(named("staff")?), identity("https://i", "staff"))
        };
        let default = record(None, identity("https://i", "public"));
        let agents = RealmRecord {
            before: Some(Before::OneGate),
            ..record(Some(named("agents")?), identity("https://j", "public"))
        };
        for new in [&full, &default, &agents] {
            same!(claim(&staff, None, new).await?, RealmClaim::Claimed(new.clone()));
        }
        same!(store.realms().await?, [default, agents, full]);
        same!(staff.realms().await?, store.realms().await?);
    }

    /// A claim is a compare-and-set on the identity: it succeeds only if the realm has exactly the
    /// expected identity, or is absent as expected. Otherwise the answer is the present record, and
    /// nothing is written. `first_opened` and the answer about earlier sessions stay.
    142 claim_realm a_claim_needs_the_identity_that_was_read(store) {
        let (first, second) = (identity("i", "a"), identity("i", "b"));
        let new = record(None, first.clone());
        same!(claim(&store, Some(&first), &new).await?, RealmClaim::Moved(None));
        same!(store.realms().await?, []);
        let said = RealmRecord { before: Some(Before::OneGate), ..new.clone() };
        same!(claim(&store, None, &said).await?, RealmClaim::Claimed(said.clone()));
        same!(claim(&store, None, &new).await?, RealmClaim::Moved(Some(said.clone())));
        let later = RealmRecord {
            first_opened: at(9),
            opened: at(9),
            ..record(None, second.clone())
        };
        same!(claim(&store, Some(&second), &later).await?, RealmClaim::Moved(Some(said.clone())));
        same!(store.realms().await?, std::slice::from_ref(&said));
        let written = RealmRecord { opened: at(9), identity: second, ..said };
        same!(claim(&store, Some(&first), &later).await?, RealmClaim::Claimed(written.clone()));
        same!(store.realms().await?, [written]);
    }

    /// No realm gets the pair of issuer and audience that another one has, or had and still
    /// accepts; one of the two may be the same.
    143 claim_realm every_realm_has_a_pair_of_its_own(store) {
        let moved = RealmRecord {
            replaced: Some(ReplacedIdentity {
                identity: identity("i", "former"),
                until: at(10),
            }),
            ..record(None, identity("i", "a"))
        };
        claim(&store, None, &moved).await?;
        let staff = |audience: &str| -> Result<RealmRecord, Broken> {
            let kind = "staff".to_owned();
            let identity = RealmIdentity { kind, ..identity("i", audience) };
            Ok(record(Some(named("staff")?), identity))
        };
        for audience in ["a", "former"] {
            same!(
                claim(&store, None, &staff(audience)?).await?,
                RealmClaim::Taken(moved.clone())
            );
        }
        same!(store.realms().await?.len(), 1);
        let new = staff("former")?;
        let after = store.claim_realm(None, new.clone(), at(10)).await?;
        same!(after, RealmClaim::Claimed(new));
    }

    /// Of eight claims at once on one realm, and of eight realms at once that want one pair, one
    /// succeeds.
    144 claim_realm one_of_several_claims_is_done(store) {
        let claims = store.clone();
        let answers = together(8, move |number| {
            let store = claims.clone();
            let audience = format!("a{number}");
            let new = record(None, identity("i", &audience));
            async move { store.claim_realm(None, new, NOW).await }
        })
        .await?;
        let is_done = |answer: &RealmClaim| matches!(answer, RealmClaim::Claimed(_));
        let realms = store.realms().await?;
        same!(realms.len(), 1);
        let present = realms.into_iter().next();
        same!(answers.iter().filter(|answer| is_done(answer)).count(), 1);
        for answer in answers.iter().filter(|answer| !is_done(answer)) {
            same!(*answer, RealmClaim::Moved(present.clone()));
        }
        let claims = store.clone();
        let answers = together(8, move |number| {
            let store = claims.clone();
            let name = RealmName::parse(&format!("r{number}"));
            async move {
                let name = name.map_err(|_| crate::store::StoreError::new("a bad name"))?;
                let new = record(Some(name), identity("i", "shared"));
                store.claim_realm(None, new, NOW).await
            }
        })
        .await?;
        same!(answers.iter().filter(|answer| is_done(answer)).count(), 1);
        same!(store.realms().await?.len(), 2);
    }
}
