//! Values that an application seals with the ring of its gate: who can open them, and until when.

use tollgate::gate::SealPurpose;
use tollgate::prelude::*;
use tollgate::store::Store;
use tollgate_tests::{Accounts, App};

use crate::realms::{Desk, STAFF, ring, shop};

struct OauthState;

impl SealPurpose for OauthState {
    const NAME: &'static str = "oauth_state";
}

/// Its name begins with the other one.
struct OauthStateOfStaff;

impl SealPurpose for OauthStateOfStaff {
    const NAME: &'static str = "oauth_statestaff";
}

const PLAIN: &[u8] = b"/cart?of=ada";

fn opened<P: SealPurpose>(gate: &Gate<Accounts>, sealed: &[u8]) -> Option<Vec<u8>> {
    let opened = gate.unseal::<P>(sealed);
    opened.map(|plain| plain.expose().to_vec())
}

#[tokio::test]
async fn a_sealed_value_opens_for_its_purpose_alone_and_not_when_it_was_changed() {
    let app = App::new().await;
    let sealed = app.gate.seal::<OauthState>(PLAIN).unwrap();
    assert_eq!(
        opened::<OauthState>(&app.gate, &sealed).as_deref(),
        Some(PLAIN)
    );
    assert_eq!(opened::<OauthStateOfStaff>(&app.gate, &sealed), None);
    assert!(!sealed.windows(4).any(|part| part == b"cart"));
    assert_ne!(
        app.gate.seal::<OauthState>(PLAIN).unwrap(),
        sealed,
        "each has its own nonce"
    );
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(opened::<OauthState>(&app.gate, &changed), None, "byte {at}");
        assert_eq!(
            opened::<OauthState>(&app.gate, &sealed[..at]),
            None,
            "cut at {at}"
        );
    }
    let empty = app.gate.seal::<OauthState>("").unwrap();
    assert_eq!(
        opened::<OauthState>(&app.gate, &empty).as_deref(),
        Some(&[][..])
    );
    assert!(
        app.gate
            .unseal::<OauthState>(&sealed)
            .is_some_and(|s| !format!("{s:?}").contains("cart"))
    );
}

#[tokio::test]
async fn another_ring_and_another_realm_open_nothing() {
    let (app, other) = (App::new().await, App::new().await);
    let sealed = app.gate.seal::<OauthState>(PLAIN).unwrap();
    assert_eq!(opened::<OauthState>(&other.gate, &sealed), None);
    let store = Store::from(MemoryStore::new());
    let shop = shop(&store, &ring()).build().await.unwrap();
    let desk = Desk.gate().share(&shop).realm("staff").audience(STAFF);
    let desk = desk.build().await.unwrap();
    let sealed = desk.seal::<OauthState>(PLAIN).unwrap();
    assert!(desk.unseal::<OauthState>(&sealed).is_some());
    assert!(shop.unseal::<OauthState>(&sealed).is_none());
    // The name of the realm does not run into that of the purpose.
    assert!(shop.unseal::<OauthStateOfStaff>(&sealed).is_none());
}

#[tokio::test]
async fn a_rotation_keeps_what_was_sealed_until_its_key_is_retired() {
    let app = App::new().await;
    let sealed = app.gate.seal::<OauthState>(PLAIN).unwrap();
    app.wait(900);
    app.gate.keys().rotate().await.unwrap();
    let newer = app.gate.seal::<OauthState>(PLAIN).unwrap();
    assert_ne!(sealed[0], newer[0], "another key seals");
    assert_eq!(
        opened::<OauthState>(&app.gate, &sealed).as_deref(),
        Some(PLAIN)
    );
    app.gate.keys().retire("seal-1").await.unwrap();
    assert_eq!(opened::<OauthState>(&app.gate, &sealed), None);
    assert_eq!(
        opened::<OauthState>(&app.gate, &newer).as_deref(),
        Some(PLAIN)
    );
}
