//! The registry of tokens, through a gate on any store: what is issued is in it, trees end
//! downwards, nothing that is needed goes.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use tollgate::clock::Clock;
use tollgate::event::EventKind;
use tollgate::gate::TokenList;
use tollgate::id::{SessionId, TokenId};
use tollgate::keys::Algorithm;
use tollgate::prelude::*;
use tollgate::settings::{OnRefresh, Registry};
use tollgate::store::{SessionStore, Store, StoredTokenKind, TokenRecord};
use tollgate_tests::{App, START, Tokens};

/// Declares the tests of this file for a store: `$make` answers what has to live as long as it, and
/// the store.
macro_rules! registry_on {
    ($name:ident, $make:expr) => {
        registry_on! { $name, $make,
            every_token_of_a_session_is_in_the_registry
            lists_are_selected_by_time_and_kind_and_counted
            lists_come_in_pages
            r100_a_tree_ends_downwards_and_nothing_beside_it
            no_circle_can_be_registered
            r100_a_chain_of_a_hundred_thousand_ends
            r100_a_chain_stays_whole_until_its_last_token_is_out
            affect_tree_takes_along_what_hangs_on_a_session
            a_refresh_that_revokes_leaves_one_token_alive
            a_refresh_that_revokes_ends_what_was_registered_below
            r100_what_reuse_detection_needs_is_never_archived
        }
    };
    ($name:ident, $make:expr, $($test:ident)+) => {
        mod $name {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let making: std::pin::Pin<Box<dyn Future<Output = Option<_>>>> = Box::pin($make);
                let Some((_alive, store)) = making.await else { return };
                crate::registry::$test(store).await;
            })+
        }
    };
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.registry = Registry::Tokens;
    settings
}

async fn app(store: impl Into<Store>) -> App {
    App::on(store, settings()).await
}

async fn jti(app: &App, token: &str) -> TokenId {
    app.gate.verify(token).await.unwrap().token().jti()
}

fn sid(tokens: &Tokens) -> SessionId {
    tokens.session.parse().unwrap()
}

async fn list(tokens: TokenList<'_>) -> Vec<TokenRecord> {
    tokens.page(u32::MAX, None).await.unwrap()
}

async fn ids(tokens: TokenList<'_>) -> HashSet<TokenId> {
    list(tokens)
        .await
        .into_iter()
        .map(|token| token.jti)
        .collect()
}

/// A token of `issue`, registered below another one.
async fn issued(app: &App, parent: Option<TokenId>) -> (String, TokenId) {
    let token = app
        .gate
        .issue(
            &app.accounts.user("ada@example.com"),
            Duration::from_secs(300),
        )
        .await
        .unwrap();
    let row = app.gate.register(&token, parent).await.unwrap();
    (token, row.jti)
}

async fn counts(app: &App, token: &str) -> bool {
    app.get("/me", token).await.status.is_success()
}

pub(crate) async fn every_token_of_a_session_is_in_the_registry(store: impl SessionStore + Clone) {
    let app = app(store).await;
    let login = json!({ "email": "ada@example.com", "password": tollgate_tests::PASSWORD, "device_id": "phone" });
    let first = app.post("/auth/signin", login.clone()).await.tokens();
    let refresh = async |token: &str| {
        app.post(
            "/auth/refresh-access",
            json!({ "refresh_token": token, "device_id": "phone" }),
        )
        .await
        .tokens()
    };
    app.wait(60);
    let second = refresh(&first.refresh).await;
    let again = refresh(&first.refresh).await;
    let held = refresh(&second.refresh).await;
    let fresh = app
        .post_as("/auth/reauthenticate", &held.access, Some(login))
        .await;
    let fresh = fresh.json()["access_token"].as_str().unwrap().to_owned();

    let rows = list(app.gate.tokens().tree_of(sid(&first))).await;
    let of_kind = |kind| {
        rows.iter()
            .filter(move |row| row.kind == kind)
            .map(|row| row.jti)
            .collect::<HashSet<_>>()
    };
    let mut expected = HashSet::new();
    for token in [
        &first.access,
        &second.access,
        &again.access,
        &held.access,
        &fresh,
    ] {
        expected.insert(jti(&app, token).await);
    }
    assert_eq!(expected.len(), 5);
    assert_eq!(of_kind(StoredTokenKind::Access), expected);
    // All refresh tokens are one row, whatever was rotated.
    assert_eq!(
        of_kind(StoredTokenKind::Refresh),
        HashSet::from([TokenId::from_bytes(*sid(&first).as_bytes())])
    );
    let ada = app.accounts.id_of("ada@example.com");
    assert!(
        rows.iter()
            .all(|row| row.subject == ada.to_string() && row.sid == Some(sid(&first)))
    );
    assert!(
        rows.iter()
            .all(|row| row.device_id.as_deref() == Some("phone"))
    );
    let generations: Vec<_> = rows.iter().filter_map(|row| row.generation).collect();
    assert_eq!(generations, [0, 0, 1, 1, 1, 1]);

    assert_eq!(ids(app.gate.tokens().of(ada)).await.len(), 6);
    assert_eq!(
        ids(app.gate.tokens().on_device("phone").active())
            .await
            .len(),
        6
    );
    assert_eq!(ids(app.gate.tokens().on_device("tablet")).await.len(), 0);
    app.post_as("/auth/signout", &fresh, None).await;
    assert_eq!(ids(app.gate.tokens().active()).await.len(), 0);
    assert_eq!(ids(app.gate.tokens().expired()).await.len(), 6);
}

pub(crate) async fn lists_are_selected_by_time_and_kind_and_counted(
    store: impl SessionStore + Clone,
) {
    let app = app(store).await;
    let start = app.clock.now();
    let mut times = Vec::new();
    for _ in 0..4 {
        times.push(app.clock.now());
        app.sign_in("ada@example.com").await;
        app.wait(60);
    }
    app.sign_in("grace@example.com").await;
    let ada = app.accounts.id_of("ada@example.com");
    let of_ada = || app.gate.tokens().of(ada);
    let count = async |tokens: tollgate::gate::TokenList<'_>| tokens.count().await.unwrap();
    assert_eq!(count(of_ada()).await, 8);
    assert_eq!(count(app.gate.tokens()).await, 10);
    assert_eq!(count(of_ada().of_kind(StoredTokenKind::Refresh)).await, 4);
    assert_eq!(count(of_ada().issued_since(times[1])).await, 6);
    assert_eq!(count(of_ada().issued_before(times[1])).await, 2);
    assert_eq!(
        count(of_ada().issued_since(times[1]).issued_before(times[3])).await,
        4
    );
    assert_eq!(count(of_ada().issued_since(start)).await, 8);
    assert_eq!(count(of_ada().issued_since(app.clock.now())).await, 0);
    assert_eq!(app.gate.sessions().count(ada).await.unwrap(), 4);
    // A page is full although others of another kind lie between.
    let page = of_ada()
        .issued_since(times[1])
        .of_kind(StoredTokenKind::Access);
    let first = page.page(2, None).await.unwrap();
    let rest = page.page(2, first.last()).await.unwrap();
    assert_eq!((first.len(), rest.len()), (2, 1));
    let seen = first.iter().chain(&rest);
    assert!(
        seen.clone()
            .all(|row| row.kind == StoredTokenKind::Access && row.issued_at >= times[1])
    );
    assert!(page.page(2, rest.last()).await.unwrap().is_empty());
}

pub(crate) async fn lists_come_in_pages(store: impl SessionStore + Clone) {
    let app = app(store).await;
    for _ in 0..5 {
        app.sign_in("ada@example.com").await;
        app.sign_in("grace@example.com").await;
    }
    let ada = app.accounts.id_of("ada@example.com");
    let (mut last, mut seen) = (None, Vec::new());
    loop {
        let page = app
            .gate
            .tokens()
            .of(ada)
            .page(3, last.as_ref())
            .await
            .unwrap();
        assert!(page.len() <= 3);
        seen.extend(page.iter().map(|row| row.jti));
        let Some(end) = page.into_iter().last() else {
            break;
        };
        last = Some(end);
    }
    assert_eq!(
        seen,
        list(app.gate.tokens().of(ada))
            .await
            .iter()
            .map(|row| row.jti)
            .collect::<Vec<_>>()
    );
    assert_eq!(seen.len(), 10);
    let one = app.gate.tokens().get(seen[4]).await.unwrap().unwrap();
    assert_eq!(one.jti, seen[4]);
    assert_eq!(
        app.gate.tokens().expired().get(seen[4]).await.unwrap(),
        None
    );
}

/// R100: a node with its descendants, and neither its ancestors nor its siblings.
pub(crate) async fn r100_a_tree_ends_downwards_and_nothing_beside_it(
    store: impl SessionStore + Clone,
) {
    let app = app(store).await;
    let (root, root_id) = issued(&app, None).await;
    let (node, node_id) = issued(&app, Some(root_id)).await;
    let (sibling, sibling_id) = issued(&app, Some(root_id)).await;
    let (below, below_id) = issued(&app, Some(node_id)).await;
    let (leaf, leaf_id) = issued(&app, Some(below_id)).await;
    assert_eq!(
        ids(app.gate.tokens().tree(node_id)).await,
        HashSet::from([node_id, below_id, leaf_id])
    );

    let revoked = app.gate.revoke(Revoke::tree(node_id)).await.unwrap();
    assert_eq!(revoked.tokens, 3);
    for token in [&node, &below, &leaf] {
        assert!(
            !counts(&app, token).await,
            "a token of the tree still counts"
        );
    }
    for token in [&root, &sibling] {
        assert!(
            counts(&app, token).await,
            "a token beside the tree ended with it"
        );
    }
    assert_eq!(
        ids(app.gate.tokens().tree(root_id).active()).await,
        HashSet::from([root_id, sibling_id])
    );
    assert_eq!(
        ids(app.gate.tokens().expired()).await,
        HashSet::from([node_id, below_id, leaf_id])
    );

    // The refresh tokens of a session are one token of the registry, which ends with the session.
    let session = app.sign_in("ada@example.com").await;
    app.gate
        .revoke(Revoke::token(TokenId::from_bytes(
            *sid(&session).as_bytes(),
        )))
        .await
        .unwrap();
    app.refresh(&session.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    assert!(!counts(&app, &session.access).await);
    // So does a tree that an access token of a session is the root of.
    let session = app.sign_in("ada@example.com").await;
    app.gate
        .revoke(Revoke::tree(jti(&app, &session.access).await))
        .await
        .unwrap();
    app.refresh(&session.refresh)
        .await
        .assert_problem(401, "invalid_grant");
}

pub(crate) async fn no_circle_can_be_registered(store: impl SessionStore + Clone) {
    let app = app(store).await;
    let user = app.accounts.user("ada@example.com");
    let issue = async || {
        app.gate
            .issue(&user, Duration::from_secs(300))
            .await
            .unwrap()
    };
    let (one, two) = (issue().await, issue().await);
    let (one_id, two_id) = (jti(&app, &one).await, jti(&app, &two).await);
    for parent in [two_id, one_id] {
        let refused = app.gate.register(&one, Some(parent)).await.unwrap_err();
        assert!(
            refused.to_string().contains("not in the registry"),
            "{refused}"
        );
    }
    assert!(ids(app.gate.tokens()).await.is_empty());
    app.gate.register(&one, None).await.unwrap();
    app.gate.register(&two, Some(one_id)).await.unwrap();
    for parent in [Some(two_id), None] {
        let refused = app.gate.register(&one, parent).await.unwrap_err();
        assert!(refused.to_string().contains("already"), "{refused}");
    }
    // Nothing begins below a token that ended, and a token of others has no place in the registry.
    app.gate.revoke(Revoke::token(one_id)).await.unwrap();
    assert!(
        app.gate
            .register(&issue().await, Some(one_id))
            .await
            .is_err()
    );
    assert!(app.gate.register(&one, None).await.is_err());
    assert!(app.gate.register("a.b.c", None).await.is_err());
    let late = issue().await;
    app.wait(400);
    assert!(app.gate.register(&late, None).await.is_err());
}

fn id(number: u32) -> TokenId {
    TokenId::from_bytes((u128::from(number) << 64 | 0x77).to_be_bytes())
}

/// A link of a chain: each is made from the one before it, and outlives it by a second.
fn link(number: u32) -> TokenRecord {
    TokenRecord {
        jti: id(number),
        kind: StoredTokenKind::Access,
        sid: None,
        generation: None,
        parent: number.checked_sub(1).map(id),
        subject: "ada".to_owned(),
        device_id: None,
        issued_at: START.plus(Duration::from_millis(number.into())),
        expires_at: START.plus(Duration::from_secs(600 + u64::from(number))),
        revoked_at: None,
    }
}

/// R100: nothing overflows, whatever a program did over the years.
pub(crate) async fn r100_a_chain_of_a_hundred_thousand_ends(store: impl SessionStore + Clone) {
    const LONG: u32 = 100_000;
    let app = app(store.clone()).await;
    for begin in (0..LONG).step_by(10_000) {
        store
            .record_tokens((begin..begin + 10_000).map(link).collect(), START)
            .await
            .unwrap();
    }
    let below = app
        .gate
        .tokens()
        .tree(id(LONG - 3))
        .page(10, None)
        .await
        .unwrap();
    assert_eq!(below.len(), 3);
    let page = app.gate.tokens().tree(id(0)).page(10, None).await.unwrap();
    assert_eq!(
        page.iter().map(|row| row.jti).collect::<Vec<_>>(),
        (0..10).map(id).collect::<Vec<_>>()
    );

    let revoked = app.gate.revoke(Revoke::tree(id(10))).await.unwrap();
    assert_eq!(revoked.tokens, u64::from(LONG - 10));
    let alive = app.gate.tokens().active().page(10, None).await.unwrap();
    assert_eq!(
        alive.iter().map(|row| row.jti).collect::<Vec<_>>(),
        (0..10).map(id).collect::<Vec<_>>()
    );
    for ended in [10, LONG / 2, LONG - 1] {
        assert_eq!(
            app.gate.tokens().active().get(id(ended)).await.unwrap(),
            None
        );
        assert!(
            app.gate
                .tokens()
                .expired()
                .get(id(ended))
                .await
                .unwrap()
                .is_some()
        );
    }
}

/// R100: the archive splits no tree.
pub(crate) async fn r100_a_chain_stays_whole_until_its_last_token_is_out(
    store: impl SessionStore + Clone,
) {
    let app = app(store.clone()).await;
    store
        .record_tokens((0..1200).map(link).collect(), START)
        .await
        .unwrap();
    app.wait(600 + 1199);
    assert_eq!(app.gate.archive(app.clock.now()).await.unwrap().tokens, 0);
    assert_eq!(ids(app.gate.tokens().tree(id(0))).await.len(), 1200);
    app.wait(1);
    assert_eq!(
        app.gate.archive(app.clock.now()).await.unwrap().tokens,
        1200
    );
}

pub(crate) async fn affect_tree_takes_along_what_hangs_on_a_session(
    store: impl SessionStore + Clone,
) {
    let app = app(store).await;
    let revoke = async |token: &str, affect_tree: bool| {
        let body = json!({ "token": token, "affect_tree": affect_tree });
        assert!(app.post("/auth/revoke", body).await.status.is_success());
    };
    // By an access token, by a refresh token, and by an access token of a later generation than the
    // one below which it hangs.
    for by in 0..3 {
        let session = app.sign_in("ada@example.com").await;
        let (hanging, _) = issued(&app, Some(jti(&app, &session.access).await)).await;
        app.wait(60);
        let later = app.refresh(&session.refresh).await.tokens();
        let presented = [&session.access, &later.refresh, &later.access][by];
        if by != 1 {
            revoke(presented, false).await;
            assert!(counts(&app, &hanging).await);
            assert!(app.refresh(&later.refresh).await.status.is_success());
        }
        revoke(presented, true).await;
        assert!(!counts(&app, &hanging).await, "by {by}");
        assert!(!counts(&app, &later.access).await);
        app.refresh(&later.refresh)
            .await
            .assert_problem(401, "invalid_grant");
    }
    // A sign-out leaves it alone.
    let session = app.sign_in("ada@example.com").await;
    let (hanging, _) = issued(&app, Some(jti(&app, &session.access).await)).await;
    app.post_as("/auth/signout", &session.access, None).await;
    assert!(counts(&app, &hanging).await);
    // Without a session, the tree is that of the token.
    let (root, root_id) = issued(&app, None).await;
    let (leaf, _) = issued(&app, Some(root_id)).await;
    revoke(&root, true).await;
    assert!(!counts(&app, &root).await && !counts(&app, &leaf).await);
}

pub(crate) async fn a_refresh_that_revokes_leaves_one_token_alive(
    store: impl SessionStore + Clone,
) {
    let mut settings = settings();
    settings.access.on_refresh = OnRefresh::Revoke;
    let app = App::on(store, settings).await;
    let mut tokens = app.sign_in("ada@example.com").await;
    let mut before = Vec::new();
    for _ in 0..3 {
        app.wait(60);
        before.push(tokens.access.clone());
        tokens = app.refresh(&tokens.refresh).await.tokens();
        assert!(counts(&app, &tokens.access).await);
        for old in &before {
            app.get("/me", old)
                .await
                .assert_problem(401, "invalid_token");
        }
    }
    assert_eq!(list(app.gate.tokens().tree_of(sid(&tokens))).await.len(), 5);
}

/// `access.on_refresh = "revoke"` ends what a program registered by hand below the access tokens that
/// end: with every token in the registry, and with those alone that the program puts there.
pub(crate) async fn a_refresh_that_revokes_ends_what_was_registered_below(
    store: impl SessionStore + Clone,
) {
    let store: Store = store.into();
    let (ring, clock) = (
        KeyRing::generate(Algorithm::EdDSA).unwrap(),
        Clock::manual(START),
    );
    for registry in [Registry::Tokens, Registry::Off] {
        let mut settings = settings();
        settings.registry = registry;
        settings.access.on_refresh = OnRefresh::Revoke;
        let app = App::builder().store(store.clone()).settings(settings);
        let app = app.keys(&ring).clock(&clock).build().await;
        let first = app.sign_in("ada@example.com").await;
        let above = jti(&app, &first.access).await;
        if registry == Registry::Off {
            app.gate.register(&first.access, None).await.unwrap();
        }
        let (child, child_id) = issued(&app, Some(above)).await;
        let (grandchild, _) = issued(&app, Some(child_id)).await;
        let (stranger, _) = issued(&app, None).await;
        app.wait(60);
        let second = app.refresh(&first.refresh).await.tokens();
        for ended in [&first.access, &child, &grandchild] {
            app.get("/me", ended)
                .await
                .assert_problem(401, "invalid_token");
        }
        assert!(counts(&app, &second.access).await && counts(&app, &stranger).await);

        // Tokens below the present one stay where the client repeats a refresh.
        if registry == Registry::Off {
            app.gate.register(&second.access, None).await.unwrap();
        }
        let current = jti(&app, &second.access).await;
        let (fresh, _) = issued(&app, Some(current)).await;
        _ = app.refresh(&first.refresh).await.tokens();
        assert!(counts(&app, &fresh).await && counts(&app, &second.access).await);
    }
}

/// R100: whatever the archive takes, an old refresh token of a session is recognised until the
/// session's absolute end.
pub(crate) async fn r100_what_reuse_detection_needs_is_never_archived(
    store: impl SessionStore + Clone,
) {
    let app = App::builder().store(store).change(|gate| {
        gate.registry(Registry::Tokens)
            .session_idle(Duration::from_secs(80 * DAY))
    });
    let app = app.build().await;
    let (gate, clock) = (&app.gate, &app.clock);
    let client = Client::unknown();
    let user = || gate.backend().user("ada@example.com");
    let first = gate.sign_in(user(), &client).await.unwrap();
    let mut last = None;
    for _ in 0..3 {
        clock.advance(Duration::from_secs(60));
        let token = last
            .as_ref()
            .unwrap_or(&first)
            .refresh_token
            .expose()
            .to_owned();
        last = Some(gate.refresh(&token, &client).await.unwrap());
    }
    clock.advance(Duration::from_secs(75 * DAY));
    let gone = gate.archive(clock.now()).await.unwrap();
    assert_eq!(
        (gone.sessions, gone.tokens),
        (0, 0),
        "something of a live session was archived"
    );
    gate.refresh(first.refresh_token.expose(), &client)
        .await
        .unwrap_err();
    let is_reuse = |kind: &EventKind| matches!(kind, EventKind::RefreshReuse { .. });
    assert_eq!(
        app.heard_kinds()
            .iter()
            .filter(|kind| is_reuse(kind))
            .count(),
        1,
        "the thief was not recognised"
    );
    gate.refresh(last.unwrap().refresh_token.expose(), &client)
        .await
        .unwrap_err();

    // Ended, its row stays until the absolute end all the same; its tokens, which nothing needs,
    // go.
    let gone = gate.archive(clock.now()).await.unwrap();
    assert_eq!((gone.sessions, gone.tokens), (0, 4));
    clock.advance(Duration::from_secs(16 * DAY));
    let gone = gate.archive(clock.now()).await.unwrap();
    assert_eq!((gone.sessions, gone.tokens), (1, 1));
}

const DAY: u64 = 86_400;
