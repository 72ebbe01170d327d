//! A revocation holds for the whole life of a token, whatever the clocks of the nodes show, and one
//! dead token does not fill the log.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;
use tollgate::clock::Clock;
use tollgate::id::TokenId;
use tollgate::prelude::*;
use tollgate::settings::{Allowance, Consistency, ThrottleSettings};
use tollgate::store::{LogCursor, SessionStore};
use tollgate_tests::{Accounts, App, OtherStore, START, request};

const TTL: u64 = 20;

/// Nodes on one store with a clock of its own, which the test moves.
struct World {
    clock: Clock,
    store: OtherStore,
    accounts: Accounts,
    ring: KeyRing,
    settings: Settings,
}

impl World {
    fn new(leeway: u64, consistency: Consistency) -> Self {
        let clock = Clock::manual(START);
        let mut settings = Settings::default();
        settings.leeway = Duration::from_secs(leeway);
        settings.access.ttl = Duration::from_secs(TTL);
        settings.revocation.consistency = consistency;
        settings.revocation.stale_limit = Duration::from_secs(3600);
        settings.archive.interval = Duration::from_secs(60);
        Self {
            store: OtherStore::with_clock(&clock),
            clock,
            accounts: Accounts::seeded(),
            ring: KeyRing::generate(Algorithm::EdDSA).unwrap(),
            settings,
        }
    }

    /// Starts a node whose clock is ahead by so much, or behind.
    async fn node(&self, millis_ahead: i64) -> App {
        App::builder()
            .accounts(&self.accounts)
            .keys(&self.ring)
            .store(self.store.clone())
            .clock(&self.clock.on_machine(millis_ahead))
            .settings(self.settings.clone())
            .build()
            .await
    }

    /// Lets a second pass, and the tasks of the nodes their turns.
    async fn second(&self) {
        self.clock.advance(Duration::from_secs(1));
        for _ in 0..4 {
            tokio::time::advance(Duration::from_millis(250)).await;
            tokio::task::yield_now().await;
        }
    }
}

async fn counts(app: &App, token: &str) -> bool {
    match app.gate.verify(token).await {
        Ok(_) => true,
        Err(refusal) => {
            let code = refusal.code();
            assert!(
                matches!(code, Code::InvalidToken | Code::TokenExpired),
                "{code:?}"
            );
            false
        }
    }
}

/// Nodes as far apart as the leeway allows, each token issued on one and revoked on another: no
/// node takes it, however late, nor does one that is started later.
async fn a_revocation_holds_on_every_node(leeway: u64, off: i64, consistency: Consistency) {
    let world = World::new(leeway, consistency);
    let mut nodes = Vec::new();
    for ahead in [0, -off, off] {
        nodes.push(world.node(ahead).await);
    }
    let client = Client::unknown();
    let mut revoked = Vec::new();
    for issuer in &nodes {
        for revoker in &nodes {
            let user = world.accounts.user("ada@example.com");
            let issued = issuer.gate.sign_in(user, &client).await.unwrap();
            let revoke = Revoke::session(issued.session_id);
            revoker.gate.revoke(revoke).await.unwrap();
            revoked.push(issued.access_token);
        }
    }
    // The nodes hear of it.
    world.second().await;
    world.second().await;
    for second in 2..TTL + 3 * leeway + 40 {
        if second % 5 == 0 {
            // Its view has what the store still tells.
            let ahead = [0, -off, off][usize::try_from(second / 5 % 3).unwrap()];
            nodes.push(world.node(ahead).await);
        }
        for (number, node) in nodes.iter().enumerate() {
            for token in &revoked {
                assert!(
                    !counts(node, token).await,
                    "node {number} took a revoked token {second} s after the revocation"
                );
            }
        }
        world.second().await;
    }
    // In the end everybody has forgotten it: the rows are gone, and so is what nodes held.
    for _ in 0..120 {
        world.second().await;
    }
    for node in &nodes {
        assert_eq!(node.gate.health().await.revocation_entries, 0);
    }
    let log = world
        .store
        .log_since(LogCursor::START, START)
        .await
        .unwrap();
    assert_eq!(log.entries, [], "the archiver left rows that ended");
}

#[tokio::test(start_paused = true)]
async fn r88_a_revocation_holds_where_clocks_differ_within_the_leeway() {
    a_revocation_holds_on_every_node(20, 18_000, Consistency::Eventual).await;
}

#[tokio::test(start_paused = true)]
async fn r88_a_revocation_holds_on_strict_nodes_whose_clocks_differ() {
    a_revocation_holds_on_every_node(20, 18_000, Consistency::Strict).await;
}

#[tokio::test(start_paused = true)]
async fn r88_a_revocation_holds_without_a_leeway() {
    a_revocation_holds_on_every_node(0, 900, Consistency::Eventual).await;
}

/// A token has expired when either clock says so, the node's or the store's.
#[tokio::test(start_paused = true)]
async fn a_token_expires_by_the_clock_that_is_ahead() {
    let world = World::new(20, Consistency::Eventual);
    let [right, behind, ahead] = [
        world.node(0).await,
        world.node(-18_000).await,
        world.node(18_000).await,
    ];
    let user = world.accounts.user("ada@example.com");
    let issued = right.gate.sign_in(user, &Client::unknown()).await.unwrap();
    let token = &issued.access_token;
    // Asked twice at each time: the second answer comes out of what was verified before.
    let takes = async || {
        let mut answers = Vec::new();
        for node in [&right, &behind, &ahead] {
            let first = counts(node, token).await;
            assert_eq!(counts(node, token).await, first);
            answers.push(first);
        }
        answers
    };
    assert_eq!(takes().await, [true, true, true]);
    world.clock.advance(Duration::from_secs(TTL + 1));
    assert_eq!(takes().await, [true, true, true]);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(takes().await, [true, true, false]);
    world.clock.advance(Duration::from_secs(17));
    assert_eq!(takes().await, [false, false, false]);
}

/// Nodes forget by the earlier of both clocks.
#[tokio::test(start_paused = true)]
async fn the_earlier_clock_forgets() {
    let world = World::new(20, Consistency::Eventual);
    for ahead in [-18_000, 18_000, 0] {
        let node = world.node(ahead).await;
        node.gate
            .archive(START.minus(Duration::from_secs(60)))
            .await
            .unwrap();
        let earlier = world
            .clock
            .now()
            .minus(Duration::from_millis(u64::try_from(-ahead).unwrap_or(0)));
        let times = world.store.times();
        assert!(times.iter().any(|(name, _)| *name == "archive"));
        assert!(times.iter().all(|(_, at)| *at == earlier), "{times:?}");

        // The entry of its view stays until then, too: 20 + 3 × 20 + 5 s, and the purge's own time.
        node.gate
            .revoke(Revoke::token(TokenId::from_bytes([7; 16])))
            .await
            .unwrap();
        let lead = u64::try_from(-ahead / 1000).unwrap_or(0);
        for _ in 0..TTL + 65 + lead - 1 {
            world.second().await;
            assert_eq!(node.gate.health().await.revocation_entries, 1);
        }
        // A purge that has begun on its thread comes to its end.
        std::thread::sleep(Duration::from_millis(100));
        tokio::task::yield_now().await;
        assert_eq!(node.gate.health().await.revocation_entries, 1);
        for _ in 0..32 {
            world.second().await;
        }
        // The purge runs on a thread, whose time is not the paused one.
        for _ in 0..1000 {
            if node.gate.health().await.revocation_entries == 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
            tokio::task::yield_now().await;
        }
        assert_eq!(node.gate.health().await.revocation_entries, 0);
        node.gate.shutdown().await.unwrap();
        let _ = world.store.times();
    }
}

/// A node whose clock is off decides nothing that has to be strict: neither where the gate is, nor
/// where a policy is. Elsewhere it goes on, and says that it is not well.
#[tokio::test(start_paused = true)]
async fn a_strict_node_that_is_off_does_not_decide() {
    for (leeway, off) in [(20, 21_000), (20, -21_000), (0, 3000), (0, -3000)] {
        for consistency in [Consistency::Strict, Consistency::Eventual] {
            let world = World::new(leeway, consistency);
            let (right, wrong) = (world.node(0).await, world.node(off).await);
            let is_strict = matches!(consistency, Consistency::Strict);
            let token = right.sign_in("ada@example.com").await.access;
            // The wrong node's clock does not decide about the times in the token.
            if off > 0 || leeway > 0 {
                let refused = if is_strict { 503 } else { 200 };
                if off.unsigned_abs() / 1000 <= TTL {
                    assert_eq!(wrong.get("/me", &token).await.status, refused);
                }
                let answer = wrong.get("/strict", &token).await;
                assert!(
                    [503, 401].contains(&answer.status.as_u16()),
                    "{}",
                    answer.text
                );
            }
            assert_eq!(right.get("/strict", &token).await.status, 200);
            let entered = wrong.try_sign_in("ada@example.com", tollgate_tests::PASSWORD);
            let expected = if is_strict { 503 } else { 200 };
            assert_eq!(entered.await.status, expected);
            assert!(!wrong.gate.health().await.is_well);
            assert!(right.gate.health().await.is_well);
        }
    }
    // Within the leeway it decides.
    let world = World::new(20, Consistency::Strict);
    let (right, other) = (world.node(0).await, world.node(-18_000).await);
    let token = right.sign_in("ada@example.com").await.access;
    assert_eq!(other.get("/strict", &token).await.status, 200);
}

async fn rows(app: &App, store: &impl SessionStore) -> usize {
    let log = store.log_since(LogCursor::START, app.clock.now()).await;
    log.unwrap().entries.len()
}

/// Signing out with one token two hundred times leaves one row; so does revoking it.
#[tokio::test]
async fn one_dead_token_does_not_fill_the_log() {
    let store = tollgate::store::MemoryStore::new();
    let app = App::on(store.clone(), Settings::default()).await;
    let user = app.accounts.user("ada@example.com");
    let lone = app
        .gate
        .issue(&user, Duration::from_secs(60))
        .await
        .unwrap();
    let tokens = app.sign_in("ada@example.com").await;
    let other = app.sign_in("ada@example.com").await;
    let send = async |path, token: &str| {
        let body = json!({ "token": token, "affect_tree": path == "/auth/revoke?tree" });
        let answer = if path == "/auth/signout" {
            app.post_as(path, token, None).await
        } else {
            app.post("/auth/revoke", body).await
        };
        assert!(answer.status.is_success(), "{}", answer.text);
    };
    for (expected, path, token) in [
        (1, "/auth/signout", &tokens.access),
        (2, "/auth/signout", &lone),
        (2, "/auth/revoke", &lone),
        (2, "/auth/revoke?tree", &lone),
        (3, "/auth/revoke", &other.access),
        (4, "/auth/revoke?tree", &other.access),
        (4, "/auth/revoke", &other.refresh),
    ] {
        for _ in 0..50 {
            send(path, token).await;
            app.clock.advance(Duration::from_millis(7));
        }
        assert_eq!(rows(&app, &store).await, expected, "{path}");
    }
    // Expired: the session and the token alone are over for all nodes, and nothing is written.
    app.wait(3600);
    for token in [&tokens.access, &lone] {
        for _ in 0..50 {
            send("/auth/signout", token).await;
            app.wait(1);
        }
        assert_eq!(rows(&app, &store).await, 0);
    }
    // Rows that ended are deleted at once, whatever the archive's age.
    app.wait(3600);
    let gone = app
        .gate
        .archive(app.clock.now().minus(Duration::from_secs(7 * 86_400)));
    assert!(gone.await.unwrap().others >= 4);
}

/// Both routes are counted.
#[tokio::test]
async fn signing_out_and_revoking_are_counted() {
    for path in ["/auth/signout", "/auth/revoke"] {
        let mut throttle = ThrottleSettings::off();
        throttle.verify = Allowance::per(3, Duration::from_secs(900));
        let app = App::builder().throttle(throttle).build().await;
        let tokens = app.sign_in("ada@example.com").await;
        let send = async |ip: &str| {
            let body = (path == "/auth/revoke").then(|| json!({ "token": tokens.access }));
            let mut request = request(Method::POST, path, Some(&tokens.access), body);
            let address = std::net::SocketAddr::new(ip.parse().unwrap(), 4711);
            request
                .extensions_mut()
                .insert(axum::extract::ConnectInfo(address));
            app.send(request).await.status
        };
        for _ in 0..3 {
            assert!(send("192.0.2.1").await.is_success(), "{path}");
        }
        assert_eq!(
            send("192.0.2.1").await,
            StatusCode::TOO_MANY_REQUESTS,
            "{path}"
        );
        assert!(send("198.51.100.7").await.is_success(), "{path}");
    }
}

/// The log remembers a revocation for the longest life that a token may have, three leeways and
/// five seconds.
#[tokio::test]
async fn r88_the_log_remembers_for_the_longest_life_of_a_token() {
    for (leeway, seconds) in [(0, 65), (20, 125)] {
        let store = tollgate::store::MemoryStore::new();
        let mut settings = Settings::default();
        settings.leeway = Duration::from_secs(leeway);
        settings.access.ttl = Duration::from_secs(TTL);
        settings.access.max_ttl = Some(Duration::from_secs(60));
        let app = App::on(store.clone(), settings).await;
        let session = app.sign_in("ada@example.com").await.session;
        let user = app.accounts.user("ada@example.com");
        let long = app
            .gate
            .issue(&user, Duration::from_secs(60))
            .await
            .unwrap();
        let ada = app.accounts.id_of("ada@example.com");
        for revoke in [
            Revoke::session(session.parse().unwrap()),
            Revoke::subject(ada),
        ] {
            app.gate.revoke(revoke).await.unwrap();
            let log = store.log_since(LogCursor::START, app.clock.now()).await;
            let until = app.clock.now().plus(Duration::from_secs(seconds));
            assert_eq!(log.unwrap().entries.pop().unwrap().until, until);
        }
        // The end of a token alone is remembered until that token has expired everywhere.
        app.wait(10);
        let answer = app.post_as("/auth/signout", &long, None).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        let log = store.log_since(LogCursor::START, app.clock.now()).await;
        let until = app.clock.now().plus(Duration::from_secs(seconds - 10));
        assert_eq!(log.unwrap().entries.pop().unwrap().until, until);
    }
}

/// A bounded view decides alone while it is younger than its bound, and not when it is older.
#[tokio::test]
async fn r88_a_view_older_than_its_bound_asks_the_store() {
    let store = OtherStore::new();
    let mut settings = Settings::default();
    settings.revocation.consistency = Consistency::Bounded(Duration::from_secs(5));
    let app = App::on(store.clone(), settings).await;
    let tokens = app.sign_in("ada@example.com").await;
    // From here on nobody reads the log but requests.
    app.settle().await;
    let revocation = tollgate::store::Revocation {
        target: tollgate::store::Target::Session(tokens.session.parse().unwrap()),
        reason: tollgate::store::RevokeReason::Requested,
        until: app.clock.now().plus(Duration::from_secs(900)),
    };
    store.revoke(revocation, app.clock.now()).await.unwrap();
    let _ = store.times();
    app.wait(5);
    assert_eq!(app.get("/me", &tokens.access).await.status, 200);
    assert_eq!(store.times(), [], "the view was young enough");
    app.wait(1);
    assert_eq!(app.get("/me", &tokens.access).await.status, 401);
    assert_eq!(store.times().len(), 1);
}
