//! Old refresh tokens presented again, with the window shortened to a second, and the program
//! killed in between (rotation.md section 3).

use std::thread::sleep;
use std::time::{Duration, Instant};

use tollgate_tests::{Answer, Tokens};

use crate::quickstart::program::{Place, Program};

const WINDOW: Duration = Duration::from_secs(1);

fn place() -> Place {
    Place::new().set("TOLLGATE_REFRESH__WINDOW", "1s")
}

/// A session that was refreshed once, and between which two moments that was.
struct Rotated {
    first: Tokens,
    second: Tokens,
    before: Instant,
    after: Instant,
}

fn rotated(program: &Program) -> Rotated {
    let first = program.sign_in("ada@example.com");
    let before = Instant::now();
    let second = program.refresh(&first.refresh).tokens();
    let after = Instant::now();
    assert_ne!(first.refresh, second.refresh);
    Rotated {
        first,
        second,
        before,
        after,
    }
}

impl Rotated {
    /// Waits until more than so many windows are over since the rotation.
    fn wait(&self, windows: f64) {
        sleep(WINDOW.mul_f64(windows).saturating_sub(self.after.elapsed()));
    }

    /// Returns whether less than so many windows were over since the rotation, up to now.
    fn is_within(&self, windows: f64) -> bool {
        self.before.elapsed() < WINDOW.mul_f64(windows)
    }
}

/// Does something at a time; once more with another session where the machine was too slow to tell
/// what it meant.
fn in_time<T>(mut attempt: impl FnMut() -> (T, bool)) -> T {
    for _ in 0..10 {
        if let (seen, true) = attempt() {
            return seen;
        }
    }
    panic!("this machine is too slow for windows of a second");
}

/// A window after a rotation, with the gap to the next one.
fn between(program: &Program, present: impl Fn(&Rotated) -> Answer) -> (Rotated, Answer) {
    in_time(|| {
        let rotated = rotated(program);
        rotated.wait(1.2);
        let answer = present(&rotated);
        let in_time = rotated.is_within(2.0);
        ((rotated, answer), in_time)
    })
}

#[test]
fn row_7_inside_the_window_the_old_token_gets_the_same_successor() {
    let place = place();
    let program = place.start();
    let (rotated, again) = in_time(|| {
        let rotated = rotated(&program);
        let again = program.refresh(&rotated.first.refresh);
        let in_time = rotated.is_within(1.0);
        ((rotated, again), in_time)
    });
    let again = again.tokens();
    assert_eq!(again.refresh, rotated.second.refresh);
    assert_eq!(program.get("/me", &again.access).status, 200);
}

#[test]
fn rows_7b_and_8_an_unused_answer_is_waited_for_and_then_made_again() {
    let place = place();
    let mut program = place.start();
    let (rotated, pause) = between(&program, |rotated| program.refresh(&rotated.first.refresh));
    pause.assert_problem(503, "unavailable");
    assert_eq!(pause.headers["retry-after"], "1");

    drop(program);
    program = place.start();
    rotated.wait(2.2);
    let again = program.refresh(&rotated.first.refresh).tokens();
    assert!(![&rotated.first.refresh, &rotated.second.refresh].contains(&&again.refresh));
    assert_eq!(again.session, rotated.first.session);
    // The orphan's access token died with it, on disk as well.
    program
        .get("/me", &rotated.second.access)
        .assert_problem(401, "invalid_token");
    drop(program);
    program = place.start();
    program
        .get("/me", &rotated.second.access)
        .assert_problem(401, "invalid_token");
    assert_eq!(program.get("/me", &again.access).status, 200);
    assert_eq!(program.get("/me", &rotated.first.access).status, 401);
}

/// R67, R68, R72.
#[test]
fn row_9_after_the_successor_was_used_the_old_token_ends_the_session() {
    let place = place();
    let mut program = place.start();
    let rotated = rotated(&program);
    assert_eq!(program.get("/me", &rotated.second.access).status, 200);
    rotated.wait(2.2);
    drop(program);
    program = place.start();
    program
        .refresh(&rotated.first.refresh)
        .assert_problem(401, "invalid_grant");
    let over = |program: &Program| {
        program
            .refresh(&rotated.second.refresh)
            .assert_problem(401, "invalid_grant");
        program
            .get("/me", &rotated.second.access)
            .assert_problem(401, "invalid_token");
        program
            .get("/me", &rotated.first.access)
            .assert_problem(401, "invalid_token");
    };
    over(&program);
    drop(program);
    over(&place.start());
}

#[test]
fn row_5_the_current_token_is_itself_for_two_windows() {
    let place = place();
    let program = place.start();
    let (rotated, kept) = between(&program, |rotated| program.refresh(&rotated.second.refresh));
    let kept = kept.tokens();
    assert_eq!(kept.refresh, rotated.second.refresh);
    assert_ne!(kept.access, rotated.second.access);
    assert_eq!(program.get("/me", &kept.access).status, 200);
    rotated.wait(2.2);
    assert_ne!(
        program.refresh(&rotated.second.refresh).tokens().refresh,
        rotated.second.refresh
    );
}
