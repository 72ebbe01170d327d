//! The stores under load (rows 10 to 11b, 13, 14 and 19). `cargo bench -p tollgate-benches
//! --bench store -- 1000000` takes the full sizes; without a number there are a hundred thousand
//! sessions and revocations.
//!
//! Rates are of rounds in turn, medians of fifteen. Servers are started as the tests start theirs;
//! without one its rows are left out.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sqlx::{Connection as _, PgConnection};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tollgate::clock::{Clock, Timestamp};
use tollgate::device::{Client, Device};
use tollgate::id::SessionId;
use tollgate::prelude::*;
use tollgate::store::{
    Authenticated, NewSession, PostgresStore, Revocation, RevokeReason, Rotated, RotationStep,
    RotationWrite, SessionStore, Target,
};
use tollgate_benches::median;
use tollgate_tests::support::{postgres, redis as redis_server};
use tollgate_tests::{Accounts, App, START};

const ROUNDS: usize = 15;
const SLICE: Duration = Duration::from_millis(250);
const CLIENTS: u32 = 32;

fn main() {
    // Cargo says `--bench` too.
    let size = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    println!("| # | what | tollgate | against | ratio | target |\n|--|--|--:|--:|--:|--:|");
    sqlite(&runtime);
    postgresql(&runtime);
    redis(&runtime);
    sizes(&runtime, size);
    start(&runtime, size);
    archive(&runtime, size);
}

fn row(
    number: &str,
    what: &str,
    ours: impl std::fmt::Display,
    peer: impl std::fmt::Display,
    ratio: f64,
    target: &str,
) {
    println!("| {number} | {what} | {ours} | {peer} | {ratio:.2} | {target} |");
}

// ---- rates ----

type Doing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// So many clients that do the same thing over and over.
struct Crowd<'a> {
    runtime: &'a Runtime,
    clients: u32,
    step: Arc<dyn Fn(u32) -> Doing + Send + Sync>,
}

impl<'a> Crowd<'a> {
    fn new<F: Future<Output = ()> + Send + 'static>(
        runtime: &'a Runtime,
        clients: u32,
        step: impl Fn(u32) -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            runtime,
            clients,
            step: Arc::new(move |client| Box::pin(step(client))),
        }
    }

    /// Returns the operations a second.
    fn rate(&self) -> f64 {
        let (over, done) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let start = Instant::now();
        let tasks: Vec<_> = (0..self.clients)
            .map(|client| {
                let (over, done, step) =
                    (Arc::clone(&over), Arc::clone(&done), Arc::clone(&self.step));
                self.runtime.spawn(async move {
                    while !over.load(Ordering::Relaxed) {
                        step(client).await;
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        std::thread::sleep(SLICE);
        over.store(true, Ordering::Relaxed);
        self.runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
    }
}

/// The median rates of crowds that run in turn.
fn rates(crowds: &[Crowd<'_>]) -> Vec<f64> {
    let mut rates = vec![Vec::new(); crowds.len()];
    for _ in 0..ROUNDS {
        for (crowd, rates) in crowds.iter().zip(&mut rates) {
            rates.push(crowd.rate());
        }
    }
    rates.into_iter().map(median).collect()
}

fn per_second(rate: f64) -> String {
    format!("{rate:.0}/s")
}

// ---- records ----

fn sid(number: u32) -> SessionId {
    SessionId::from_bytes((u128::from(number) << 96 | 5).to_be_bytes())
}

fn hash(number: u32) -> [u8; 32] {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    hash
}

fn new(number: u32, subject: String, now: Timestamp) -> NewSession {
    NewSession {
        sid: sid(number),
        subject,
        client_id: "first-party".to_owned(),
        device: Device::default(),
        current: hash(0),
        auth_time: now,
        acr: None,
        claims: None,
        idle_exp: now.plus(Duration::from_secs(30 * 86_400)),
        abs_exp: now.plus(Duration::from_secs(90 * 86_400)),
        is_brief: false,
        authenticated: Authenticated::Since(now),
        limit: None,
        log_until: now.plus(Duration::from_secs(600)),
        replaces: Vec::new(),
        tokens: Vec::new(),
        takes: None,
    }
}

fn advance(number: u32, generation: u32) -> RotationWrite {
    let step = RotationStep::Advance {
        generation,
        current: hash(generation),
        successor: hash(generation + 1),
        sealed: vec![7; 44],
        context: [9; 32],
        idle_exp: START.plus(Duration::from_secs(30 * 86_400)),
    };
    RotationWrite {
        sid: sid(number),
        step,
        tokens: Vec::new(),
        log_until: None,
        last_seen: None,
    }
}

/// Opens so many sessions, a few hundred at a time.
async fn fill(store: &(impl SessionStore + Clone), from: u32, count: u32, now: Timestamp) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in from..from + count {
        if tasks.len() >= 512 {
            tasks.join_next().await.unwrap().unwrap();
        }
        let store = store.clone();
        tasks.spawn(async move {
            store
                .open_session(new(number, format!("user-{}", number / 2), now), now)
                .await
                .map(drop)
                .unwrap();
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// Rotations of a session a client, window 0: each is a conditional write.
fn rotating<'a>(
    runtime: &'a Runtime,
    clients: u32,
    store: &(impl SessionStore + Clone),
) -> Crowd<'a> {
    runtime.block_on(async {
        store.migrate(START).await.unwrap();
        fill(store, 0, clients, START).await;
    });
    let generations: Arc<Vec<_>> = Arc::new(
        (0..clients)
            .map(|_| std::sync::atomic::AtomicU32::new(0))
            .collect(),
    );
    let store = store.clone();
    Crowd::new(runtime, clients, move |client| {
        let (store, generations) = (store.clone(), Arc::clone(&generations));
        async move {
            let generation = generations[client as usize].fetch_add(1, Ordering::Relaxed);
            assert_eq!(
                store
                    .rotate(advance(client, generation), START)
                    .await
                    .unwrap(),
                Rotated::Done
            );
        }
    })
}

/// Refreshes over HTTP, in process, a token a client, window 0.
fn refreshing<'a>(runtime: &'a Runtime, clients: u32, store: impl SessionStore) -> Crowd<'a> {
    let mut settings = Settings::default();
    settings.refresh.window = Duration::ZERO;
    settings.throttle = tollgate::settings::ThrottleSettings::off();
    let (app, tokens) = runtime.block_on(async {
        let app = App::on(store, settings).await;
        let mut tokens = Vec::new();
        for _ in 0..clients {
            tokens.push(Mutex::new(app.sign_in("ada@example.com").await.refresh));
        }
        (app, Arc::new(tokens))
    });
    Crowd::new(runtime, clients, move |client| {
        let (app, tokens) = (app.clone(), Arc::clone(&tokens));
        async move {
            let token = tokens[client as usize].lock().unwrap().clone();
            *tokens[client as usize].lock().unwrap() = app.refresh(&token).await.tokens().refresh;
        }
    })
}

// ---- SQLite ----

/// A table with one row a client, under the settings of the store's file.
fn bare_file(path: &Path) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS t(sid \
         INTEGER PRIMARY KEY, g INTEGER, cur BLOB)",
    )
    .unwrap();
    for client in 0..CLIENTS {
        db.execute(
            "INSERT OR REPLACE INTO t VALUES (?, 0, ?)",
            (client, [0_u8; 32]),
        )
        .unwrap();
    }
    db
}

fn swap(db: &Connection, client: u32) {
    let sql = "UPDATE t SET g = g + 1, cur = ?2 WHERE sid = ?1 AND cur = ?3";
    assert_eq!(
        db.prepare_cached(sql)
            .unwrap()
            .execute((client, [0_u8; 32], [0_u8; 32]))
            .unwrap(),
        1
    );
}

type Order = (u32, oneshot::Sender<()>);

/// A writer thread with group commit, and nothing else.
fn group_writer(db: &Connection, orders: &Receiver<Order>) {
    while let Ok(first) = orders.recv() {
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut done = Vec::new();
        for (client, answer) in std::iter::once(first).chain(orders.try_iter().take(511)) {
            swap(db, client);
            done.push(answer);
        }
        db.execute_batch("COMMIT").unwrap();
        for answer in done {
            let _ = answer.send(());
        }
    }
}

fn sqlite(runtime: &Runtime) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let open = |name: &str| runtime.block_on(SqliteStore::open(path(name))).unwrap();

    let single = Arc::new(Mutex::new(bare_file(&path("single.db"))));
    let one_each = Crowd::new(runtime, CLIENTS, move |client| {
        let single = Arc::clone(&single);
        async move {
            tokio::task::spawn_blocking(move || swap(&single.lock().unwrap(), client))
                .await
                .unwrap();
        }
    });
    let db = bare_file(&path("group.db"));
    let (orders, queued): (SyncSender<Order>, _) = sync_channel(4096);
    std::thread::spawn(move || group_writer(&db, &queued));
    let reading = Arc::new(Mutex::new(Connection::open(path("group.db")).unwrap()));
    let group = |reads: bool| {
        let (orders, reading) = (orders.clone(), Arc::clone(&reading));
        Crowd::new(runtime, CLIENTS, move |client| {
            let (orders, reading) = (orders.clone(), Arc::clone(&reading));
            async move {
                if reads {
                    let read = move || {
                        let db = reading.lock().unwrap();
                        let sql = "SELECT g, cur FROM t WHERE sid = ?";
                        db.prepare_cached(sql)
                            .unwrap()
                            .query_row([client], |row| row.get::<_, i64>(0))
                            .unwrap()
                    };
                    tokio::task::spawn_blocking(read).await.unwrap();
                }
                let (answer, answered) = oneshot::channel();
                orders.try_send((client, answer)).unwrap();
                answered.await.unwrap();
            }
        })
    };

    let found = rates(&[
        rotating(runtime, CLIENTS, &open("rotate.db")),
        one_each,
        group(false),
    ]);
    let what = "`rotate`, SQLite, 32 clients";
    row(
        "10",
        what,
        per_second(found[0]),
        format!("a transaction each: {}", per_second(found[1])),
        found[0] / found[1],
        "≥ 10",
    );
    row(
        "10",
        what,
        per_second(found[0]),
        format!("bare group commit: {}", per_second(found[2])),
        found[0] / found[2],
        "≥ 0.75",
    );
    let found = rates(&[
        refreshing(runtime, CLIENTS, open("refresh.db")),
        group(true),
    ]);
    let peer = format!("bare SELECT and UPDATE: {}", per_second(found[1]));
    row(
        "11b",
        "a refresh over HTTP, SQLite, 32 clients",
        per_second(found[0]),
        peer,
        found[0] / found[1],
        "≥ 0.62",
    );
}

// ---- PostgreSQL ----

fn postgresql(runtime: &Runtime) {
    const CONNECTIONS: u32 = 8;
    let Some(server) = postgres::Server::shared() else {
        return;
    };
    let database = runtime.block_on(server.database());
    let connect = |schema: &str| {
        let options = PostgresStore::options(&database.url)
            .schema(schema)
            .max_connections(CONNECTIONS);
        runtime
            .block_on(options.acquire_timeout(Duration::from_secs(20)).connect())
            .unwrap()
    };
    let mut connections = Vec::new();
    runtime.block_on(async {
        let mut db = PgConnection::connect(&database.url).await.unwrap();
        sqlx::query(
            "CREATE TABLE bare(sid bytea PRIMARY KEY, g bigint, cur bytea) WITH (fillfactor = 80)",
        )
        .execute(&mut db)
        .await
        .unwrap();
        for client in 0..CONNECTIONS {
            let query = sqlx::query("INSERT INTO bare VALUES ($1, 0, $2)")
                .bind(sid(client).as_bytes().as_slice());
            query
                .bind([0_u8; 32].as_slice())
                .execute(&mut db)
                .await
                .unwrap();
            connections.push(tokio::sync::Mutex::new(
                PgConnection::connect(&database.url).await.unwrap(),
            ));
        }
    });
    let connections = Arc::new(connections);
    let bare = |reads: bool| {
        let connections = Arc::clone(&connections);
        Crowd::new(runtime, CONNECTIONS, move |client| {
            let connections = Arc::clone(&connections);
            async move {
                let mut db = connections[client as usize].lock().await;
                let id = *sid(client).as_bytes();
                if reads {
                    sqlx::query("SELECT g, cur FROM bare WHERE sid = $1")
                        .bind(id.as_slice())
                        .fetch_one(&mut *db)
                        .await
                        .unwrap();
                }
                let sql =
                    "UPDATE bare SET g = g + 1, cur = $2 WHERE sid = $1 AND cur = $3 RETURNING g";
                let query = sqlx::query(sql)
                    .bind(id.as_slice())
                    .bind([0_u8; 32].as_slice())
                    .bind([0_u8; 32].as_slice());
                query.fetch_one(&mut *db).await.unwrap();
            }
        })
    };
    let found = rates(&[
        rotating(runtime, CONNECTIONS, &connect("rotating")),
        bare(false),
    ]);
    let peer = format!("bare UPDATE: {}", per_second(found[1]));
    row(
        "11",
        "`rotate`, PostgreSQL, 8 connections",
        per_second(found[0]),
        peer,
        found[0] / found[1],
        "≥ 0.8",
    );
    let found = rates(&[
        refreshing(runtime, CONNECTIONS, connect("refreshing")),
        bare(true),
    ]);
    let peer = format!("bare SELECT and UPDATE: {}", per_second(found[1]));
    row(
        "11b",
        "a refresh over HTTP, PostgreSQL, 8 connections",
        per_second(found[0]),
        peer,
        found[0] / found[1],
        "≥ 0.6",
    );
}

// ---- Redis ----

fn redis(runtime: &Runtime) {
    let Some(url) = redis_server::shared() else {
        return;
    };
    let store = runtime
        .block_on(redis_server::deployment(url).connect())
        .unwrap();
    let connection = runtime
        .block_on(
            redis::Client::open(url)
                .unwrap()
                .get_multiplexed_async_connection(),
        )
        .unwrap();
    let script = Arc::new(redis::Script::new(
        "if redis.call('HGET', KEYS[1], 'cur') == ARGV[1] or ARGV[3] == '0' then
            redis.call('HSET', KEYS[1], 'cur', ARGV[2], 'g', ARGV[3]) return 1
        end return 0",
    ));
    let bare = Crowd::new(runtime, CLIENTS, move |client| {
        let (mut connection, script) = (connection.clone(), Arc::clone(&script));
        async move {
            let mut call = script.key(format!("bare:{client}"));
            let done: u32 = call
                .arg(&[0_u8; 32])
                .arg(&[0_u8; 32])
                .arg(0)
                .invoke_async(&mut connection)
                .await
                .unwrap();
            assert_eq!(done, 1);
        }
    });
    let found = rates(&[rotating(runtime, CLIENTS, &store), bare]);
    let peer = format!("bare script: {}", per_second(found[1]));
    row(
        "11",
        "`rotate`, Redis, 32 clients",
        per_second(found[0]),
        peer,
        found[0] / found[1],
        "≥ 0.75",
    );
}

// ---- rows 13 and 14 ----

/// Returns the time of one operation, in microseconds, on two stores in turn.
fn micros<T>(runtime: &Runtime, stores: &[T; 2], mut operation: impl AsyncFnMut(&T)) -> [f64; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS * 10 {
        for (store, times) in stores.iter().zip(&mut times) {
            let start = Instant::now();
            runtime.block_on(operation(store));
            times.push(start.elapsed().as_nanos() as f64 / 1000.0);
        }
    }
    times.map(median)
}

fn sizes(runtime: &Runtime, size: u32) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let mut stores = Vec::new();
    let mut settings = Settings::default();
    settings.refresh.window = Duration::ZERO;
    for count in [size, 1000] {
        let gate = runtime.block_on(async {
            let store = SqliteStore::open(folder.path().join(format!("{count}.db")))
                .await
                .unwrap();
            store.migrate(START).await.unwrap();
            let (builder, _) = tollgate::testing::ready(Accounts::seeded().gate()).unwrap();
            let builder = builder
                .settings(settings.clone())
                .store(store.clone())
                .clock(clock.clone());
            let gate = builder.build().await.unwrap();
            // New keys would end the sessions that are there before the gate.
            fill(&store, 0, count, START).await;
            gate
        });
        let token = runtime
            .block_on(gate.sign_in(gate.backend().user("grace@example.com"), &Client::unknown()))
            .unwrap();
        stores.push((
            gate,
            Mutex::new(token.refresh_token.expose().to_owned()),
            format!("user-{}", count / 2 - 1),
        ));
    }
    let Ok(stores): Result<[_; 2], _> = stores.try_into() else {
        return;
    };
    let print = |what: &str, [large, small]: [f64; 2]| {
        let what = format!("{what}, {size} sessions, SQLite");
        row(
            "13",
            &what,
            format!("{large:.0} µs"),
            format!("1000: {small:.0} µs"),
            large / small,
            "≤ 1.0",
        );
    };
    let client = Client::unknown();
    print(
        "sign-in",
        micros(runtime, &stores, async |(gate, ..)| {
            gate.sign_in(gate.backend().user("ada@example.com"), &client)
                .await
                .map(drop)
                .unwrap();
        }),
    );
    print(
        "refresh",
        micros(runtime, &stores, async |(gate, token, _)| {
            let presented = token.lock().unwrap().clone();
            let issued = gate.refresh(&presented, &client).await.unwrap();
            *token.lock().unwrap() = issued.refresh_token.expose().to_owned();
        }),
    );
    print(
        "session list",
        micros(runtime, &stores, async |(gate, _, user)| {
            assert_eq!(gate.sessions().of(user).await.unwrap().len(), 2);
        }),
    );
    for (what, revoke) in [
        ("a client's end", Revoke::client("another")),
        ("the end of everything", Revoke::everything()),
    ] {
        let start = Instant::now();
        let revoked = runtime.block_on(stores[0].0.revoke(revoke)).unwrap();
        let sessions = revoked.sessions;
        println!(
            "| – | {what}, {size} live sessions, SQLite: {sessions} ended | {:?} | | | |",
            start.elapsed()
        );
    }
}

/// Prints how long a gate takes to start on a store with sessions and a log, over an empty one.
fn start(runtime: &Runtime, size: u32) {
    let folder = tempfile::tempdir().unwrap();
    let entries = size / 10;
    let (empty, full) = (
        folder.path().join("empty.db"),
        folder.path().join("full.db"),
    );
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let open = async |path: &Path| {
        let store = SqliteStore::open(path).await.unwrap();
        let (builder, _) = tollgate::testing::ready(Accounts::seeded().gate()).unwrap();
        let builder = builder.keys(ring.clone()).store(store);
        builder.clock(Clock::manual(START)).build().await.unwrap()
    };
    runtime.block_on(async {
        for (path, sessions, entries) in [(&empty, 0, 0), (&full, size, entries)] {
            // The store learns the keys first: new ones would end the sessions that are there.
            open(path).await.shutdown().await.unwrap();
            let store = SqliteStore::open(path).await.unwrap();
            fill(&store, 0, sessions, START).await;
            log(&store, entries).await;
        }
    });
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (path, times) in [&empty, &full].into_iter().zip(&mut times) {
            let began = Instant::now();
            let gate = runtime.block_on(open(path));
            times.push(began.elapsed().as_secs_f64() * 1e3);
            runtime.block_on(gate.shutdown()).unwrap();
        }
    }
    let [empty, full] = times.map(median);
    println!(
        "| 19 | start with {size} sessions and {entries} log entries, SQLite | {full:.0} ms | \
         empty store: {empty:.0} ms | {:.0} ms more | ≤ 1 s more |",
        full - empty
    );
}

/// Revokes so many sessions, so that the log has an entry for each.
async fn log(store: &(impl SessionStore + Clone), count: u32) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..count {
        if tasks.len() >= 512 {
            tasks.join_next().await.unwrap().unwrap();
        }
        let store = store.clone();
        tasks.spawn(async move {
            let revocation = Revocation {
                target: Target::Session(sid(number)),
                reason: RevokeReason::Requested,
                until: START.plus(Duration::from_secs(600)),
            };
            store.revoke(revocation, START).await.map(drop).unwrap();
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

fn archive(runtime: &Runtime, size: u32) {
    let mut rates = Vec::new();
    for count in [size / 10, size] {
        let folder = tempfile::tempdir().unwrap();
        let (longest, total) = runtime.block_on(async {
            let store = SqliteStore::open(folder.path().join("sessions.db"))
                .await
                .unwrap();
            store.migrate(START).await.unwrap();
            fill(&store, 0, count, START).await;
            let late = START.plus(Duration::from_secs(91 * 86_400));
            let (mut longest, start) = (Duration::ZERO, Instant::now());
            loop {
                let batch = Instant::now();
                let gone = store.archive(late, 500, late).await.unwrap();
                longest = longest.max(batch.elapsed());
                if !gone.more {
                    break (longest, start.elapsed());
                }
            }
        });
        rates.push(total.as_secs_f64() / f64::from(count));
        println!(
            "| 14 | archive of {count} sessions, 500 a batch, SQLite | {total:?}, longest batch \
             {longest:?} | | | ≤ 20 ms a batch |"
        );
    }
    row(
        "14",
        "time a row, the whole against a tenth",
        format!("{:.1} µs", rates[1] * 1e6),
        format!("{:.1} µs", rates[0] * 1e6),
        rates[1] / rates[0],
        "linear",
    );
}
