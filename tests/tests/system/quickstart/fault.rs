//! Faults under a running program: a locked database, a full disk. Nobody can decide, and nobody
//! loses a token.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;
use tollgate_tests::{Answer, PASSWORD, Tokens};

use crate::quickstart::program::{Place, Program, bare, post, runs_as_root};

/// As long as a request waits for the lock, and a little.
const BUSY: Duration = Duration::from_secs(5);

#[track_caller]
fn assert_undecided(answer: &Answer) {
    answer.assert_problem(503, "unavailable");
    assert!(
        answer.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
}

/// Every request that has to write, at once. Each is answered 503.
fn write_in_vain(program: &Program, tokens: &Tokens) {
    let requests = [
        post(
            "/auth/signin",
            &json!({ "email": "ada@example.com", "password": PASSWORD }),
        ),
        post(
            "/auth/refresh-access",
            &json!({ "refresh_token": tokens.refresh }),
        ),
        post("/auth/signout", &json!({ "refresh_token": tokens.refresh })),
        post("/auth/revoke", &json!({ "token": tokens.refresh })),
        bare("POST", "/auth/signout", &tokens.access),
        bare("POST", "/auth/signout-all", &tokens.access),
        bare(
            "DELETE",
            &format!("/auth/sessions/{}", tokens.session),
            &tokens.access,
        ),
    ];
    thread::scope(|scope| {
        for request in &requests {
            scope.spawn(|| assert_undecided(&program.send(request)));
        }
    });
}

/// Asserts that refused requests changed nothing.
fn assert_nothing_lost(program: &Program, tokens: &Tokens) -> Tokens {
    assert_eq!(program.get("/me", &tokens.access).status, 200);
    let next = program.refresh(&tokens.refresh).tokens();
    assert_eq!(next.session, tokens.session);
    assert_ne!(next.refresh, tokens.refresh);
    assert_eq!(program.get("/me", &next.access).status, 200);
    next
}

/// R81.
#[test]
fn a_database_locked_for_too_long_is_503_and_the_tokens_stay() {
    let place = Place::new();
    let mut program = place.start();
    let tokens = program.sign_in("ada@example.com");

    let other = Connection::open(place.sessions()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| write_in_vain(&program, &tokens));
        // A signed-in user goes on meanwhile: looking at a token needs no database.
        scope.spawn(|| {
            while start.elapsed() < BUSY / 2 {
                assert_eq!(program.get("/me", &tokens.access).status, 200);
                thread::sleep(Duration::from_millis(100));
            }
        });
    });
    assert!(start.elapsed() >= BUSY);
    other.execute_batch("ROLLBACK").unwrap();
    let tokens = assert_nothing_lost(&program, &tokens);

    // Killed under the lock, and started when it is gone.
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    drop(program);
    let said = place.refusal();
    assert!(
        said.contains(place.sessions().to_str().unwrap()) && said.contains("is locked"),
        "{said}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    program = place.start();
    assert_eq!(program.get("/me", &tokens.access).status, 200);
    assert_eq!(
        program.refresh(&tokens.refresh).tokens().session,
        tokens.session
    );
}

#[test]
fn a_lock_that_is_let_go_in_time_is_waited_for() {
    let place = Place::new();
    let program = place.start();
    let tokens = program.sign_in("ada@example.com");
    let other = Connection::open(place.sessions()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    thread::scope(|scope| {
        let refresh = scope.spawn(|| program.refresh(&tokens.refresh));
        // It waits as long as the lock is held.
        thread::sleep(Duration::from_millis(500));
        assert!(!refresh.is_finished());
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(refresh.join().unwrap().tokens().session, tokens.session);
    });
}

/// Two sessions, refreshed until that is refused for want of room. Answers the tokens that were
/// handed out last.
fn refresh_until_full(program: &Program, mut sessions: [Tokens; 2]) -> [Tokens; 2] {
    for turn in 0..2000 {
        let held = &mut sessions[turn % 2];
        let answer = program.refresh(&held.refresh);
        if answer.status != 200 {
            assert_undecided(&answer);
            return sessions;
        }
        *held = answer.tokens();
    }
    panic!("the disk does not fill up");
}

fn sign_in_both(program: &Program) -> [Tokens; 2] {
    ["ada@example.com", "grace@example.com"].map(|email| program.sign_in(email))
}

/// While there is no room, and once there is some.
fn assert_outlives(
    program: &Program,
    sessions: &[Tokens; 2],
    make_room: impl FnOnce(),
) -> [Tokens; 2] {
    for tokens in sessions {
        write_in_vain(program, tokens);
        assert_eq!(program.get("/me", &tokens.access).status, 200);
    }
    make_room();
    sessions
        .each_ref()
        .map(|tokens| assert_nothing_lost(program, tokens))
}

/// The limit of the operating system on the size of files, which anyone may set.
#[test]
fn a_file_that_may_not_grow_is_503_and_the_tokens_stay() {
    let mut place = Place::new()
        .set("TOLLGATE_REFRESH__WINDOW", "0s")
        .with_file_limit(400);
    let mut program = place.start();
    let sessions = sign_in_both(&program);
    let sessions = refresh_until_full(&program, sessions);
    let pid = program.pid().to_string();
    let sessions = assert_outlives(&program, &sessions, || {
        assert!(
            Command::new("prlimit")
                .args(["--pid", &pid, "--fsize=unlimited"])
                .status()
                .unwrap()
                .success()
        );
    });

    drop(program);
    let said = place.refusal();
    assert!(said.contains(place.sessions().to_str().unwrap()), "{said}");
    place.without_file_limit();
    program = place.start();
    for tokens in &sessions {
        assert_nothing_lost(&program, tokens);
    }
}

/// A file system of its own, which only root can mount: anyone else has the limit above.
#[test]
fn a_full_disk_is_503_and_the_tokens_stay() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(folder.path()) else {
        println!(
            "no disk of its own can be mounted here: the limit on the size of files is what was \
             tried"
        );
        return;
    };
    let place = Place::new()
        .set("TOLLGATE_REFRESH__WINDOW", "0s")
        .keeping_data_in(disk.0.join("data"));
    let mut program = place.start();
    let sessions = sign_in_both(&program);
    let filler = disk.0.join("filler");
    let fill = || {
        let mut file = fs::File::create(&filler).unwrap();
        while file.write_all(&[0; 512]).is_ok() {}
    };
    fill();
    let sessions = refresh_until_full(&program, sessions);
    let sessions = assert_outlives(&program, &sessions, || fs::remove_file(&filler).unwrap());

    // Killed when it is full again, and started when it is not.
    fill();
    let sessions = refresh_until_full(&program, sessions);
    drop(program);
    fs::remove_file(&filler).unwrap();
    program = place.start();
    for tokens in &sessions {
        assert_nothing_lost(&program, tokens);
    }
}

/// A small disk in memory, gone when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: &Path) -> Option<Self> {
        if !runs_as_root(folder) {
            return None;
        }
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "tollgate-test"])
            .arg(folder)
            .output()
            .ok()?;
        mount.status.success().then(|| Self(folder.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let gone = Command::new("umount").arg(&self.0).status();
        if !thread::panicking() {
            assert!(gone.unwrap().success());
        }
    }
}
