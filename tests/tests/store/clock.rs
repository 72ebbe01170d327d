//! Nodes whose clocks differ from the store's: store calls go by the store's clock, tokens by the
//! node's own (rotation.md section 6).

use std::time::{Duration, Instant};

use tollgate::clock::{Clock, Timestamp};
use tollgate::event::{Ahead, EventKind};
use tollgate::prelude::*;
use tollgate::store::{LogCursor, SessionStore};
use tollgate_tests::{Accounts, App};

/// Declares the tests of this file for a store with a clock of its own.
macro_rules! clocks_on {
    ($name:ident, $make:expr) => {
        clocks_on! { $name, $make,
            a_node_that_is_off_decides_as_the_others_do
            a_node_that_is_off_says_so
            a_node_that_is_far_off_does_not_start
        }
    };
    ($name:ident, $make:expr, $($test:ident)+) => {
        mod $name {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let making: std::pin::Pin<Box<dyn Future<Output = Option<_>>>> = Box::pin($make);
                let Some((_alive, store)) = making.await else { return };
                crate::clock::$test(store).await;
            })+
        }
    };
}

const OFF: Duration = Duration::from_secs(30);

struct Nodes {
    accounts: Accounts,
    ring: KeyRing,
}

impl Nodes {
    fn new() -> Self {
        Self {
            accounts: Accounts::seeded(),
            ring: KeyRing::generate(Algorithm::EdDSA).unwrap(),
        }
    }

    async fn node(
        &self,
        store: impl SessionStore,
        clock: &Clock,
        leeway: u64,
    ) -> Result<App, tollgate::error::Error> {
        App::builder()
            .accounts(&self.accounts)
            .keys(&self.ring)
            .store(store)
            .clock(clock)
            .change(move |gate| gate.leeway(Duration::from_secs(leeway)))
            .try_build()
            .await
    }
}

/// Returns whether two times are the same but for what a slow machine takes.
fn close(one: Timestamp, other: Timestamp) -> bool {
    one.since(other).max(other.since(one)) < Duration::from_secs(15)
}

/// Signs in as soon as a change of the subject lies behind. That takes a second, and not as long as
/// the clocks are apart.
async fn signs_in(gate: &Gate<Accounts>, accounts: &Accounts) {
    let start = Instant::now();
    loop {
        let user = accounts.user("ada@example.com");
        match gate.sign_in(user, &Client::unknown()).await {
            Ok(_) => return,
            Err(_) if start.elapsed() < SETTLED => {}
            Err(refusal) => panic!("the change lies behind: {refusal}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) async fn a_node_that_is_off_decides_as_the_others_do(store: impl SessionStore + Clone) {
    let nodes = Nodes::new();
    let client = Client::unknown();
    let right_app = nodes
        .node(store.clone(), &Clock::system(), 60)
        .await
        .unwrap();
    let right = &right_app.gate;
    let is_told = |app: &App| {
        let mut kinds = app.heard_kinds().into_iter();
        kinds.any(|kind| matches!(kind, EventKind::ClockOffset { .. }))
    };
    for clock in [Clock::ahead_by(OFF), Clock::behind_by(OFF)] {
        let off_app = nodes.node(store.clone(), &clock, 60).await.unwrap();
        let off = &off_app.gate;
        assert!(off.health().await.clock_offset.abs_diff(OFF) < Duration::from_secs(10));

        // Its tokens say what its clock says, and count elsewhere.
        let issued = off
            .sign_in(nodes.accounts.user("ada@example.com"), &client)
            .await
            .unwrap();
        let verified = right.verify(&issued.access_token).await.unwrap();
        assert!(close(verified.token().issued_at(), clock.now()));
        assert!((86_400 * 30 - 15..=86_400 * 30).contains(&issued.refresh_expires_in()));

        // A concurrent request that comes to it is one, and no thief's: to its own clock the
        // rotation was half a minute away.
        let rotated = right
            .refresh(issued.refresh_token.expose(), &client)
            .await
            .unwrap();
        let repeated = off
            .refresh(issued.refresh_token.expose(), &client)
            .await
            .expect("it took a concurrent request for a thief");
        assert_eq!(
            repeated.refresh_token.expose(),
            rotated.refresh_token.expose()
        );
        assert_eq!(
            off.sessions()
                .of(nodes.accounts.id_of("ada@example.com"))
                .await
                .unwrap()
                .len(),
            1
        );
        let there = store.now().await.unwrap().unwrap();
        assert!(close(
            off.sessions()
                .get(issued.session_id)
                .await
                .unwrap()
                .unwrap()
                .last_seen_at,
            there
        ));

        // The log keeps its revocation until the last token that the others issued is out.
        let cursor = store
            .log_since(LogCursor::START, there)
            .await
            .unwrap()
            .cursor;
        off.revoke(Revoke::session(issued.session_id))
            .await
            .unwrap();
        let there = store.now().await.unwrap().unwrap();
        let page = store.log_since(cursor, there).await.unwrap();
        let until = there.plus(Duration::from_secs(10 * 60 + 3 * 60 + 5));
        assert_eq!(page.entries.len(), 1);
        assert!(
            close(page.entries[0].until, until),
            "{:?} instead of {until:?}",
            page.entries[0].until
        );

        // A sign-in that begins after a change is not taken for one that began before it.
        off.revoke(Revoke::subject(nodes.accounts.id_of("ada@example.com")))
            .await
            .unwrap();
        signs_in(right, &nodes.accounts).await;
        right
            .revoke(Revoke::subject(nodes.accounts.id_of("ada@example.com")))
            .await
            .unwrap();
        signs_in(off, &nodes.accounts).await;
        right.revoke(Revoke::everything()).await.unwrap();
        assert!(!is_told(&off_app));
    }
    assert!(!is_told(&right_app));
}

pub(crate) async fn a_node_that_is_off_says_so(store: impl SessionStore + Clone) {
    for (clock, expected) in [
        (Clock::ahead_by(OFF), Ahead::Machine),
        (Clock::behind_by(OFF), Ahead::Store),
    ] {
        let app = Nodes::new().node(store.clone(), &clock, 10).await.unwrap();
        let health = app.gate.health().await;
        assert!(!health.is_well && health.store_is_writable, "{health:?}");
        let heard = app.heard_kinds();
        let [EventKind::ClockOffset { offset, ahead }] = heard.as_slice() else {
            panic!("{heard:?}")
        };
        assert!(
            offset.abs_diff(OFF) < Duration::from_secs(10) && *ahead == expected,
            "{offset:?} {ahead:?}"
        );
    }
}

pub(crate) async fn a_node_that_is_far_off_does_not_start(store: impl SessionStore + Clone) {
    let far = Duration::from_secs(6 * 60);
    for clock in [Clock::ahead_by(far), Clock::behind_by(far)] {
        let refused = Nodes::new()
            .node(store.clone(), &clock, 120)
            .await
            .err()
            .unwrap();
        assert!(refused.to_string().contains("clock"), "{refused}");
    }
}

/// The time after which a change lies before a sign-in, whatever the clocks of two nodes say: the
/// second that is allowed for, and a little more.
const SETTLED: Duration = Duration::from_millis(1200);
