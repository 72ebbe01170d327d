//! A deployment under test: two nodes on one probed store, a clock moved by hand, and futures that
//! go from point to point.

use std::cell::Cell;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::Value;
use tollgate::clock::{Clock, Timestamp};
use tollgate::device::Device;
use tollgate::event::EventKind;
use tollgate::keys::{KeySet, KeyState};
use tollgate::prelude::*;
use tollgate::settings::{Consistency, RefreshPolicy};
use tollgate::store::{PostgresStore, Session};
use tollgate::token::{Parsed, RefreshToken};
use tollgate_tests::support::postgres::{self, Database};
use tollgate_tests::support::redis;
use tollgate_tests::{Accounts, App, Heard, Role, START, request};

use crate::probe::{Backing, Probe};

/// Which of the stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Memory,
    Sqlite,
    Postgres,
    Redis,
}

thread_local! {
    /// The stores that tests of this thread run on.
    static KINDS: Cell<&'static [Kind]> = const { Cell::new(&[Kind::Memory, Kind::Sqlite]) };
}

/// The stores to run on: those of this process, unless [`on`] says otherwise.
pub(crate) fn kinds() -> &'static [Kind] {
    KINDS.get()
}

/// Returns whether so many random inputs are tried that they meet everything.
pub(crate) fn tries_enough() -> bool {
    kinds().contains(&Kind::Memory)
}

/// Runs tests on other stores than those of this process.
pub(crate) fn on(kinds: &'static [Kind], tests: &[fn()]) {
    let before = KINDS.replace(kinds);
    for test in tests {
        test();
    }
    KINDS.set(before);
}

/// The settings of refreshing, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) policy: RefreshPolicy,
    pub(crate) window: u64,
    pub(crate) lost: u64,
}

impl Rules {
    pub(crate) const AWARE: Self = Self {
        policy: RefreshPolicy::ConfirmAware,
        window: 10_000,
        lost: 100_000,
    };
    pub(crate) const DAY: Self = Self {
        lost: 86_400_000,
        ..Self::AWARE
    };
    pub(crate) const NO_WINDOW: Self = Self {
        window: 0,
        ..Self::AWARE
    };
    pub(crate) const WINDOW: Self = Self {
        policy: RefreshPolicy::Window,
        ..Self::AWARE
    };
    pub(crate) const STRICT: Self = Self {
        policy: RefreshPolicy::Strict,
        ..Self::AWARE
    };
    pub(crate) const FIXED: Self = Self {
        policy: RefreshPolicy::Fixed,
        ..Self::AWARE
    };
    /// Every policy.
    pub(crate) const EVERY: [Self; 5] = [
        Self::AWARE,
        Self::NO_WINDOW,
        Self::WINDOW,
        Self::STRICT,
        Self::FIXED,
    ];
    /// Every policy that rotates, and the table without its short window.
    pub(crate) const ALL: [Self; 4] = [Self::AWARE, Self::NO_WINDOW, Self::WINDOW, Self::STRICT];
}

/// Two nodes of one deployment, whose tasks are stopped: what they would do happens when the test
/// says so.
pub(crate) struct World {
    pub(crate) rules: Rules,
    pub(crate) probe: Probe,
    pub(crate) nodes: [App; 2],
    pub(crate) accounts: Accounts,
    pub(crate) clock: Clock,
    pub(crate) ring: KeyRing,
    /// The keys of the ring before one that makes MACs was retired.
    old_keys: Arc<KeySet>,
    heard: Heard,
    people: AtomicU64,
    /// The folder of its store, if the store keeps files on this machine.
    pub(crate) folder: tempfile::TempDir,
    pub(crate) database: Option<Database>,
    pub(crate) kind: Kind,
}

impl World {
    pub(crate) async fn new(kind: Kind, rules: Rules) -> Self {
        Self::with(kind, rules, |settings| settings).await
    }

    pub(crate) async fn with(
        kind: Kind,
        rules: Rules,
        change: impl Fn(Settings) -> Settings,
    ) -> Self {
        let folder = folder();
        let mut database = None;
        let probe = Probe::on(match kind {
            Kind::Memory => Backing::Memory(MemoryStore::new()),
            Kind::Sqlite => Backing::Sqlite(
                SqliteStore::open(folder.path().join("tollgate.db"))
                    .await
                    .unwrap(),
            ),
            Kind::Postgres => {
                let server = postgres::Server::shared()
                    .expect("the caller has checked that PostgreSQL is installed");
                let url = &database.insert(server.database().await).url;
                let long = Duration::from_secs(30);
                // One connection: a test that gets it knows that all who had it before are done.
                let options = PostgresStore::options(url)
                    .max_connections(1)
                    .acquire_timeout(long)
                    .lock_timeout(long);
                Backing::Postgres(options.statement_timeout(long).connect().await.unwrap())
            }
            Kind::Redis => Backing::Redis(
                redis::store()
                    .await
                    .expect("the caller has checked that Redis is installed"),
            ),
        });
        let ring = KeyRing::generate(Algorithm::HS256).unwrap();
        let old_keys = ring.set().to_arc();
        let current = old_keys
            .macs()
            .iter()
            .find(|key| key.state() == KeyState::Current)
            .unwrap()
            .id();
        ring.retire(&format!("refresh-{current}")).await.unwrap();
        let (clock, accounts, heard) =
            (Clock::manual(START), Accounts::default(), Heard::default());
        let mut settings = Settings::default();
        settings.refresh.policy = rules.policy;
        settings.refresh.window = ms(rules.window);
        settings.refresh.lost_response_window = ms(rules.lost);
        settings.revocation.consistency = Consistency::Strict;
        let settings = change(settings);
        let node = async || {
            let node = App::builder()
                .accounts(&accounts)
                .keys(&ring)
                .clock(&clock)
                .store(&probe)
                .throttle(settings.throttle.clone())
                .settings(settings.clone())
                .heard(&heard);
            let node = node.build().await;
            node.settle().await;
            node
        };
        let nodes = [node().await, node().await];
        let stop = probe.clone();
        let at_a_point = move || {
            let stop = stop.clone();
            async move { stop.point().await }
        };
        accounts.in_refresh.set(at_a_point.clone());
        accounts.in_authenticate.set(at_a_point);
        let people = AtomicU64::new(0);
        Self {
            rules,
            probe,
            nodes,
            accounts,
            clock,
            ring,
            old_keys,
            heard,
            people,
            folder,
            database,
            kind,
        }
    }

    /// Somebody whom nobody has met before, and the session that they sign in to.
    pub(crate) async fn arrive(&self) -> Visit {
        self.probe.reset();
        drop(self.heard.take());
        let email = self.person();
        // Past the second in which a change of the subject would ask for another authentication.
        self.wait(2_000);
        let issued = self.nodes[0]
            .gate
            .sign_in(self.accounts.user(&email), &client(""))
            .await
            .unwrap();
        self.probe.reset();
        self.probe.watch(issued.session_id);
        Visit {
            sid: issued.session_id,
            opened: self.now(),
            email,
            tokens: Tokens::of(&issued),
        }
    }

    /// A user who is an administrator.
    pub(crate) fn person(&self) -> String {
        let email = format!("{}@example.com", self.people.fetch_add(1, Ordering::SeqCst));
        self.accounts.add(&email, vec![Role::Admin], vec![], false);
        email
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn wait(&self, millis: u64) {
        self.clock.advance(ms(millis));
    }

    /// Reads a token.
    pub(crate) fn parse(&self, token: &str) -> Parsed {
        RefreshToken::parse(&self.ring.set(), None, token).unwrap()
    }

    pub(crate) async fn row(&self, visit: &Visit) -> Session {
        self.probe.row(visit.sid).await.unwrap()
    }

    /// A refresh that has not begun.
    pub(crate) fn refresh(
        &self,
        node: usize,
        token: &str,
        client: Client,
    ) -> Stepper<Result<Tokens, Refusal>> {
        let (gate, token) = (self.nodes[node].gate.clone(), token.to_owned());
        Stepper::new(&self.probe, async move {
            gate.refresh(&token, &client)
                .await
                .map(|issued| Tokens::of(&issued))
        })
    }

    /// A refresh from start to end.
    pub(crate) async fn refreshed(&self, token: &str) -> Result<Tokens, Code> {
        self.refresh(0, token, client(""))
            .finish()
            .await
            .map_err(|refusal| refusal.code())
    }

    /// Does something without stopping at points.
    pub(crate) async fn at_once<T>(&self, work: impl Future<Output = T>) -> T {
        let stepping = self.probe.set_stepping(false);
        let answer = work.await;
        self.probe.set_stepping(stepping);
        answer
    }

    /// Returns whether a token counts at a node; a request with it came through if so.
    pub(crate) async fn admits(&self, node: usize, access: &str) -> Result<(), Code> {
        self.at_once(self.nodes[node].gate.verify(access))
            .await
            .map(drop)
            .map_err(|refusal| refusal.code())
    }

    /// The roles that a token brings at a node, if it counts.
    pub(crate) async fn roles(&self, node: usize, access: &str) -> Option<Value> {
        let verified = self
            .at_once(self.nodes[node].gate.verify(access))
            .await
            .ok()?;
        Some(serde_json::to_value(verified.claims()).unwrap()["roles"].take())
    }

    /// Revokes from start to end.
    pub(crate) async fn revoke(&self, node: usize, revoke: Revoke) {
        self.at_once(self.nodes[node].gate.revoke(revoke))
            .await
            .unwrap();
    }

    /// Lets the tasks of a node write what it has seen confirmed.
    pub(crate) async fn settle(&self, node: usize) {
        self.at_once(self.nodes[node].settle()).await;
    }

    /// Takes the events of both nodes since the last call.
    pub(crate) fn heard(&self) -> Vec<EventKind> {
        self.heard
            .take()
            .into_iter()
            .map(|event| event.kind)
            .collect()
    }

    /// A genuine refresh token; of a retired key, if asked for.
    pub(crate) fn mint(
        &self,
        sid: SessionId,
        generation: u32,
        secret: &[u8; 16],
        is_retired: bool,
    ) -> String {
        let keys = if is_retired {
            Arc::clone(&self.old_keys)
        } else {
            self.ring.set().to_arc()
        };
        RefreshToken::mint(&keys, None, sid, generation, secret)
            .expose()
            .to_owned()
    }

    /// A request to a node: the status and the body of its answer.
    pub(crate) fn post(
        &self,
        node: usize,
        path: &str,
        bearer: Option<&str>,
        body: Value,
    ) -> Stepper<(u16, Value)> {
        let request = request(Method::POST, path, bearer, Some(body));
        let app = self.nodes[node].clone();
        Stepper::new(&self.probe, async move {
            let answer = app.send(request).await;
            let body = serde_json::from_str(&answer.text).unwrap_or_default();
            (answer.status.as_u16(), body)
        })
    }
}

/// A signed-in user.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) sid: SessionId,
    pub(crate) opened: Timestamp,
    pub(crate) email: String,
    pub(crate) tokens: Tokens,
}

/// The tokens that a client keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    /// True where the client has to store the refresh token.
    pub(crate) is_fresh: bool,
}

impl Tokens {
    pub(crate) fn of(issued: &Issued) -> Self {
        Self {
            access: issued.access_token.clone(),
            refresh: issued.refresh_token.expose().to_owned(),
            is_fresh: issued.is_fresh,
        }
    }

    /// The epoch that the access token carries, whether it counts or not.
    pub(crate) fn epoch(&self) -> u64 {
        let payload = URL_SAFE_NO_PAD
            .decode(self.access.split('.').nth(1).unwrap())
            .unwrap();
        serde_json::from_slice::<Value>(&payload).unwrap()["uep"]
            .as_u64()
            .unwrap()
    }
}

/// A future that goes from point to point, and can be dropped at each.
pub(crate) struct Stepper<T> {
    probe: Probe,
    future: Pin<Box<dyn Future<Output = T> + Send>>,
}

impl<T> Stepper<T> {
    pub(crate) fn new(probe: &Probe, future: impl Future<Output = T> + Send + 'static) -> Self {
        Self {
            probe: probe.clone(),
            future: Box::pin(future),
        }
    }

    /// Goes on to the next point; at the end, the answer.
    pub(crate) async fn step(&mut self) -> Option<T> {
        let stepping = self.probe.set_stepping(true);
        let answer = std::future::poll_fn(|context| match self.future.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if self.probe.take_reached() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await;
        self.probe.set_stepping(stepping);
        answer
    }

    /// Polls once, wherever that leads: into the middle of an operation, where the store is another
    /// thread's.
    pub(crate) async fn poke(&mut self) -> Option<T> {
        let stepping = self.probe.set_stepping(true);
        let answer = std::future::poll_fn(|context| match self.future.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => Poll::Ready(None),
        })
        .await;
        self.probe.take_reached();
        self.probe.set_stepping(stepping);
        answer
    }

    /// Goes on to the end.
    pub(crate) async fn finish(mut self) -> T {
        loop {
            if let Some(answer) = self.step().await {
                return answer;
            }
        }
    }
}

/// A client with a device id. Its address is another one each time: it must not matter.
pub(crate) fn client(device: &str) -> Client {
    static ADDRESS: AtomicU64 = AtomicU64::new(1);
    let mut client = Client::unknown();
    let [.., a, b, c] = ADDRESS.fetch_add(1, Ordering::SeqCst).to_be_bytes();
    client.ip = Some(IpAddr::V4(Ipv4Addr::new(10, a, b, c)));
    client.user_agent = Some(format!("agent {c}"));
    client.device = Device::new(None, Some(device.to_owned()).filter(|id| !id.is_empty()));
    client
}

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A folder in memory where there is one: what is tested is not the disk.
fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir())
    } else {
        tempfile::tempdir()
    }
    .unwrap()
}

/// Runs something on a runtime of its own, on both stores of this process.
pub(crate) fn on_both_stores(rules: Rules, test: impl AsyncFn(World)) {
    for kind in kinds() {
        runtime().block_on(async { test(World::new(*kind, rules).await).await });
    }
}

/// Runs a property over random inputs, on both stores of this process, under each of the rules.
/// What fails is shrunk and printed.
///
/// The inputs are the same in every run; `ROTATION_SEED` (a number) makes others, `ROTATION_CASES`
/// (a factor) more of them.
#[expect(clippy::needless_pass_by_value, reason = "callers write a closure")]
pub(crate) fn random<S: Strategy>(
    cases: u32,
    rules: &[Rules],
    inputs: &S,
    property: impl AsyncFn(&World, S::Value) -> Result<(), TestCaseError>,
) {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u32>().unwrap())
    };
    let seed = number("ROTATION_SEED").unwrap_or(1);
    let factor = number("ROTATION_CASES").unwrap_or(1);
    for kind in kinds() {
        // As many as the store is fast.
        let cases = match kind {
            Kind::Memory => cases,
            Kind::Sqlite => cases.div_ceil(5),
            Kind::Postgres | Kind::Redis => cases.div_ceil(40),
        };
        for rules in rules {
            let runtime = runtime();
            let world = runtime.block_on(World::new(*kind, *rules));
            let config = Config {
                cases: cases * factor,
                failure_persistence: None,
                ..Config::default()
            };
            let bytes: Vec<u8> = seed.to_be_bytes().into_iter().cycle().take(32).collect();
            let mut runner =
                TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
            let outcome = runner.run(inputs, |input| runtime.block_on(property(&world, input)));
            outcome.unwrap_or_else(|failure| {
                panic!("{kind:?}, {rules:?}, ROTATION_SEED={seed}: {failure}")
            });
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}
