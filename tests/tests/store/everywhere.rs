//! An operation on every realm: realm by realm, continued where it stopped.

use tollgate::clock::{Clock, Timestamp};
use tollgate::device::Device;
use tollgate::id::SessionId;
use tollgate::realm::RealmName;
use tollgate::store::{
    Authenticated, Everywhere, Fact, LogCursor, NewSession, RealmIdentity, RealmRecord,
    SessionStore, SqliteStore, Store,
};

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

fn name(name: &str) -> RealmName {
    RealmName::parse(name).unwrap()
}

async fn opened(store: &SqliteStore, realm: Option<&str>) -> SqliteStore {
    let handle = realm.map_or_else(|| store.clone(), |realm| store.realm(&name(realm)));
    handle.migrate(NOW).await.unwrap();
    let record = RealmRecord {
        name: realm.map(name),
        identity: RealmIdentity {
            issuer: "https://accounts.example.com".to_owned(),
            audience: realm.unwrap_or("public").to_owned(),
            kind: "accounts".to_owned(),
        },
        replaced: None,
        before: None,
        first_opened: NOW,
        opened: NOW,
    };
    handle.claim_realm(None, record, NOW).await.unwrap();
    handle
}

async fn sign_in(store: &SqliteStore, number: u8) {
    let session = NewSession {
        sid: SessionId::from_bytes([number; 16]),
        subject: "ada".to_owned(),
        client_id: "first-party".to_owned(),
        device: Device::default(),
        current: [number; 32],
        auth_time: NOW,
        acr: None,
        claims: None,
        idle_exp: Timestamp::MAX,
        abs_exp: Timestamp::MAX,
        is_brief: false,
        authenticated: Authenticated::Since(NOW),
        limit: None,
        log_until: NOW,
        replaces: Vec::new(),
        tokens: Vec::new(),
        takes: None,
    };
    store.open_session(session, NOW).await.unwrap();
}

async fn is_live(store: &SqliteStore, number: u8) -> bool {
    let sid = SessionId::from_bytes([number; 16]);
    let session = store.session(sid, NOW).await.unwrap().unwrap();
    session.revoked.is_none()
}

async fn pauses(store: &SqliteStore) -> Vec<bool> {
    let log = store.log_since(LogCursor::START, NOW).await.unwrap();
    let facts = log.entries.into_iter().map(|entry| entry.fact);
    facts
        .filter_map(|fact| match fact {
            Fact::Paused(paused, _) => Some(paused),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn every_realm_is_paused_and_resumed_from_the_handle_of_any() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("t.db")).await.unwrap();
    let realms = [
        opened(&store, None).await,
        opened(&store, Some("agents")).await,
        opened(&store, Some("staff")).await,
    ];
    let expected = [None, Some(name("agents")), Some(name("staff"))];
    let staff = Store::from(store.clone()).realm(&name("staff"));
    for paused in [true, false] {
        let everywhere = Everywhere::of(&staff).clock(Clock::manual(NOW));
        let done = if paused {
            everywhere.pause().await
        } else {
            everywhere.resume().await
        };
        assert_eq!(done.unwrap(), expected);
        for realm in &realms {
            assert_eq!(pauses(realm).await, [paused]);
        }
    }
}

#[tokio::test]
async fn what_stopped_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    let store = SqliteStore::open(&path).await.unwrap();
    // Sessions of a version that wrote no list of realms lie in the default one.
    store.migrate(NOW).await.unwrap();
    let agents = opened(&store, Some("agents")).await;
    let staff = opened(&store, Some("staff")).await;
    for realm in [&store, &agents, &staff] {
        sign_in(realm, 1).await;
    }
    let rename = |from: &str, to: &str| {
        let db = rusqlite::Connection::open(&path).unwrap();
        db.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}"))
            .unwrap();
    };
    rename("tg_agents__epoch", "hidden");

    let handle = Store::from(store.clone());
    let everywhere = || Everywhere::of(&handle).clock(Clock::manual(NOW));
    let stopped = everywhere().revoke_everything().await.unwrap_err();
    assert_eq!(stopped.done(), [None]);
    assert_eq!(stopped.left(), [Some(name("agents")), Some(name("staff"))]);
    assert_eq!(
        stopped.to_string(),
        "stopped at `agents`; done: the default realm; not done: `agents`, `staff`"
    );
    assert!(!is_live(&store, 1).await && is_live(&staff, 1).await);

    rename("hidden", "tg_agents__epoch");
    assert!(is_live(&agents, 1).await, "a half was done");
    sign_in(&store, 2).await;
    let again = everywhere().only(stopped.left()).revoke_everything().await;
    assert_eq!(again.unwrap(), stopped.left());
    assert!(!is_live(&agents, 1).await && !is_live(&staff, 1).await);
    assert!(
        is_live(&store, 2).await,
        "a realm that was done was done again"
    );
}
