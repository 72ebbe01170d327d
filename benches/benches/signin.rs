//! Sign-ins: what one costs, whether it tells an account from none, and what a thousand at once do
//! to everybody else (row 12, R118, R125).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use argon2::Argon2;
use tollgate::password::{Hashing, Stored};
use tollgate::prelude::*;
use tollgate::settings::ThrottleSettings;
use tollgate_benches::claims::User;
use tollgate_benches::{Contestant, Table, interleave_by, process_time};
use uuid::Uuid;

const RIGHT: &str = "correct horse battery staple";
const CROWD: usize = 1000;

#[auth_backend(email, user = User)]
struct Accounts {
    passwords: Passwords,
    stored: Stored,
}

impl Authenticate for Accounts {
    async fn authenticate(&self, login: EmailLogin, _: &Client) -> Result<User, AuthError> {
        let stored = (login.email == "ada@example.com").then_some(&self.stored);
        self.passwords
            .check(&login.password, stored)
            .await
            .map(|_| User::ada())
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, _: &Uuid, _: &Client) -> Result<User, AuthError> {
        Ok(User::ada())
    }
}

fn login(email: &str, password: &str) -> Result<EmailLogin, Refusal> {
    Ok(EmailLogin {
        email: email.to_owned(),
        password: Password::new(password),
    })
}

/// argon2id with the same parameters, and memory of its own for each call.
fn alone() -> [u8; 32] {
    let mut output = [0; 32];
    Argon2::default()
        .hash_password_into(RIGHT.as_bytes(), b"saltsaltsaltsalt", &mut output)
        .expect("a hash");
    output
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut hashing = Hashing::default();
    hashing.waiting = CROWD;
    let passwords = Passwords::with(hashing).expect("a pool");
    let permits = hashing.permits;
    let gate = runtime.block_on(async {
        let stored = passwords.hash(&Password::new(RIGHT)).await.expect("a hash");
        let backend = Accounts {
            passwords: passwords.clone(),
            stored,
        };
        let (issuer, audience) = ("https://accounts.example.com", "https://api.example.com");
        let gate = backend
            .gate()
            .issuer(issuer)
            .audience(audience)
            .keys(KeyRing::generate(Algorithm::HS256).expect("a ring"));
        // A thousand sign-ins of one account are what is measured.
        gate.store(MemoryStore::new())
            .throttle(ThrottleSettings::off())
            .build()
            .await
            .expect("a gate")
    });
    let attempt = |email: &'static str, password: &'static str| {
        let (runtime, gate) = (&runtime, &gate);
        move || {
            runtime
                .block_on(gate.sign_in_with(|| login(email, password), &Client::unknown()))
                .is_ok()
        }
    };

    // The hashing runs on threads of its own.
    let measured = interleave_by(
        process_time,
        vec![
            Contestant::new("sign-in", attempt("ada@example.com", RIGHT)),
            Contestant::new("argon2id alone", alone),
            Contestant::new("known, wrong password", attempt("ada@example.com", "wrong")),
            Contestant::new("unknown", attempt("nobody@example.com", "wrong")),
        ],
    );
    let [sign_in, peer, known, unknown] = measured.as_slice() else {
        return;
    };
    let mut table = Table::default();
    table.row("12", "sign-in, one at a time", sign_in, peer, 0.90);
    table.end();
    println!(
        "\nR118: known {:.2} ms, unknown {:.2} ms, medians of interleaved samples: {:.4}",
        known.nanos() / 1e6,
        unknown.nanos() / 1e6,
        known.nanos() / unknown.nanos()
    );

    let limit = cores_limit(permits);
    let access = runtime
        .block_on(gate.sign_in(User::ada(), &Client::unknown()))
        .expect("tokens")
        .access_token;
    let idle = runtime.block_on(verifying(
        gate.clone(),
        access.clone(),
        Duration::from_secs(3),
    ));
    let resident_before = resident_mib();
    let started = Instant::now();
    let (crowd, busy, most_resident) = runtime.block_on(async {
        let over = Arc::new(AtomicBool::new(false));
        let (most_permits, most_resident) =
            (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let watch = std::thread::spawn({
            let (over, passwords) = (Arc::clone(&over), passwords.clone());
            let (most_permits, most_resident) =
                (Arc::clone(&most_permits), Arc::clone(&most_resident));
            move || {
                while !over.load(Ordering::Relaxed) {
                    most_permits.fetch_max(passwords.busy(), Ordering::Relaxed);
                    most_resident.fetch_max(resident_mib(), Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        });
        let tasks: Vec<_> = (0..CROWD)
            .map(|_| {
                let gate = gate.clone();
                tokio::spawn(async move {
                    gate.sign_in_with(|| login("ada@example.com", RIGHT), &Client::unknown())
                        .await
                        .is_ok()
                })
            })
            .collect();
        let load = tokio::spawn(verifying(gate.clone(), access, Duration::from_secs(3)));
        let mut came_in = 0;
        for task in tasks {
            came_in += usize::from(task.await.expect("a task"));
        }
        assert_eq!(came_in, CROWD);
        let spent = started.elapsed();
        let busy = load.await.expect("a task");
        over.store(true, Ordering::Relaxed);
        watch.join().expect("a thread");
        println!(
            "\n{CROWD} sign-ins at once, {permits} permits: at most {} in use",
            most_permits.load(Ordering::Relaxed)
        );
        (
            CROWD as f64 / spent.as_secs_f64(),
            busy,
            most_resident.load(Ordering::Relaxed),
        )
    });
    println!(
        "rate: {crowd:.1}/s, the cores' limit {limit:.1}/s: {:.3} (target ≥ 0.90)",
        crowd / limit
    );
    println!(
        "resident: {resident_before} MiB before, {most_resident} MiB at most; permits × memory = \
         {} MiB",
        permits * 19
    );
    for (when, (p50, p99, count)) in [("idle", idle), ("beside them", busy)] {
        println!("R125: verification {when}: p50 {p50:?}, p99 {p99:?} ({count} samples)");
    }
}

/// Verifies a token every half millisecond; answers how long that took.
async fn verifying(
    gate: Gate<Accounts>,
    token: String,
    span: Duration,
) -> (Duration, Duration, usize) {
    let (mut taken, started) = (Vec::new(), Instant::now());
    while started.elapsed() < span {
        let one = Instant::now();
        gate.verify(&token).await.expect("a token that counts");
        taken.push(one.elapsed());
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    taken.sort();
    let at = |share: f64| {
        taken
            .get((taken.len() as f64 * share) as usize)
            .copied()
            .unwrap_or_default()
    };
    (at(0.5), at(0.99), taken.len())
}

/// Returns the evaluations a second of all cores, with memory allocated for each.
fn cores_limit(threads: usize) -> f64 {
    const EACH: usize = 100;
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..EACH).for_each(|_| _ = std::hint::black_box(alone())));
        }
    });
    (threads * EACH) as f64 / started.elapsed().as_secs_f64()
}

/// The memory of this process that is in RAM, where the system tells.
fn resident_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    status
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok())
        .unwrap_or_default()
        * 4096
        / (1 << 20)
}
