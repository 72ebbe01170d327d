//! The pool from inside: permits, waiting callers, the memory that is kept, and the state after a
//! request is dropped.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::*;

fn passwords(permits: usize, waiting: usize) -> Passwords {
    let mut hashing = Hashing::cheap_dangerous();
    (hashing.permits, hashing.waiting) = (permits, waiting);
    Passwords::with(hashing).unwrap()
}

fn password() -> Password {
    Password::new("correct horse battery staple")
}

/// Polls once, so that the future has taken its place.
fn start<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

async fn until(what: impl Fn() -> bool) {
    for _ in 0..1000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came to that");
}

/// R125.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_at_once_use_no_more_memory_than_there_are_permits() {
    let passwords = passwords(2, 1000);
    let stored = passwords.hash(&password()).await.unwrap();
    let checks: Vec<_> = (0..1000)
        .map(|_| {
            let (passwords, stored) = (passwords.clone(), stored.clone());
            tokio::spawn(async move { passwords.check(&password(), Some(&stored)).await.map(drop) })
        })
        .collect();
    for check in checks {
        check.await.unwrap().unwrap();
    }
    assert_eq!(passwords.evaluations(), 1001);
    let free = passwords.pool.free_memory();
    assert!((1..=2).contains(&free.len()), "{free:?}");
    assert!(free.iter().all(|blocks| *blocks == 8), "{free:?}");
}

#[tokio::test]
async fn a_request_that_goes_away_keeps_its_permit_until_its_work_is_done() {
    let passwords = passwords(1, 0);
    let (release, released) = std::sync::mpsc::channel::<()>();
    {
        let mut work = pin!(passwords.pool.run(move |memory| {
            memory.count();
            memory.blocks(8).unwrap();
            released.recv().unwrap();
        }));
        assert!(start(work.as_mut()).is_pending());
    }
    until(|| passwords.evaluations() == 1).await;
    assert_eq!(
        passwords.pool.permits(),
        0,
        "the work goes on, so the permit is taken"
    );
    assert!(matches!(
        start(pin!(passwords.hash(&password()))),
        Poll::Ready(Err(AuthError::Unavailable(_)))
    ));
    release.send(()).unwrap();
    until(|| passwords.pool.permits() == 1).await;
    passwords.hash(&password()).await.unwrap();
}

#[tokio::test]
async fn more_than_may_wait_are_told_so_at_once_and_those_who_give_up_make_room() {
    let passwords = passwords(1, 2);
    let (release, released) = std::sync::mpsc::channel::<()>();
    let pool = Arc::clone(&passwords.pool);
    let busy = tokio::spawn(async move { pool.run(move |_| released.recv().unwrap()).await });
    until(|| passwords.pool.permits() == 0).await;

    let password = password();
    let mut first = pin!(passwords.hash(&password));
    assert!(start(first.as_mut()).is_pending());
    {
        let mut second = pin!(passwords.hash(&password));
        assert!(start(second.as_mut()).is_pending());
        assert!(matches!(
            start(pin!(passwords.hash(&password))),
            Poll::Ready(Err(AuthError::Unavailable(_)))
        ));
    }
    let mut third = pin!(passwords.hash(&password));
    assert!(
        start(third.as_mut()).is_pending(),
        "the second gave up its place"
    );
    release.send(()).unwrap();
    busy.await.unwrap().unwrap();
    first.await.unwrap();
    third.await.unwrap();
    assert_eq!(
        passwords.evaluations(),
        2,
        "a call that was refused or dropped evaluates no hash"
    );
}

#[tokio::test]
async fn work_that_panics_is_unavailable_and_returns_permit_and_memory() {
    let passwords = passwords(1, 0);
    let panicked = passwords.pool.run(|memory| {
        memory.blocks(8).unwrap();
        panic!("on purpose");
    });
    assert!(matches!(panicked.await, Err(AuthError::Unavailable(_))));
    assert_eq!(
        (passwords.pool.permits(), passwords.pool.free_memory()),
        (1, vec![8])
    );
    passwords.hash(&password()).await.unwrap();
}

#[tokio::test]
async fn a_stored_hash_that_needs_more_memory_does_not_keep_it() {
    let costly = {
        let mut hashing = Hashing::cheap_dangerous();
        hashing.memory_kib = 64;
        Passwords::with(hashing)
            .unwrap()
            .hash(&password())
            .await
            .unwrap()
    };
    let passwords = passwords(1, 0);
    let checked = passwords.check(&password(), Some(&costly)).await.unwrap();
    assert!(checked.rehash.is_none(), "a stronger hash stays");
    assert_eq!(passwords.pool.free_memory(), [8]);
}

/// A single pass leaves blocks with which guesses could be checked at no cost; they are wiped.
#[tokio::test]
async fn the_memory_of_a_single_pass_is_wiped() {
    let passwords = passwords(1, 0);
    passwords.hash(&password()).await.unwrap();
    let wiped = passwords.pool.run(|memory| {
        memory
            .blocks(8)
            .unwrap()
            .iter()
            .all(|block| block.as_ref() == [0_u64; 128])
    });
    assert!(wiped.await.unwrap());
}

fn cheap(memory_kib: u32, passes: u32) -> Passwords {
    let mut hashing = Hashing::cheap_dangerous();
    (hashing.memory_kib, hashing.passes) = (memory_kib, passes);
    Passwords::with(hashing).unwrap()
}

/// R117: counted in work, not timed. Changed parameters, higher or lower, do not reveal which
/// accounts exist.
#[tokio::test]
async fn every_refusal_does_the_work_of_the_costliest_parameters() {
    let wrong = Password::new("wrong");
    for (own, other) in [((64, 3), (16, 1)), ((16, 2), (48, 2)), ((32, 1), (8, 2))] {
        let passwords = cheap(own.0, own.1);
        let ours = passwords.hash(&password()).await.unwrap();
        let theirs = cheap(other.0, other.1).hash(&password()).await.unwrap();
        // The first check of a costlier hash sets the work of later checks.
        drop(passwords.check(&wrong, Some(&theirs)).await);
        let most = (own.0 * own.1).max(other.0 * other.1);
        let unusable = ["!", "!abc", "", "*", "!!", "hunter2", "$argon2id$v=19$m=8"];
        let stored = unusable.map(|text| Some(Stored::from(text)));
        for stored in [None, Some(ours), Some(theirs)].iter().chain(&stored) {
            let (work, evaluations) = (passwords.pool.work_done(), passwords.evaluations());
            let refused = passwords.check(&wrong, stored.as_ref()).await;
            assert!(matches!(refused, Err(AuthError::Invalid)));
            let work = passwords.pool.work_done() - work;
            // The rest is rounded up to whole KiB in each of its passes.
            let most = u64::from(most);
            assert!((most..most + 3).contains(&work), "{work} {own:?} {other:?}");
            assert_eq!(passwords.evaluations() - evaluations, 1);
        }
    }
}

/// A row that asks for very much more does not make every sign-in as slow.
#[tokio::test]
async fn a_single_row_is_not_the_measure_for_all() {
    let passwords = cheap(8, 1);
    let costly = cheap(64, 1).hash(&password()).await.unwrap();
    assert!(passwords.check(&password(), Some(&costly)).await.is_ok());
    let before = passwords.pool.work_done();
    assert!(passwords.check(&password(), None).await.is_err());
    assert_eq!(passwords.pool.work_done() - before, 8);
}

#[tokio::test]
async fn hashes_that_cannot_be_read_are_reported_once_an_hour_and_marks_are_not() {
    use std::sync::Mutex;

    use crate::clock::{Clock, Timestamp};
    use crate::event::Events;

    let heard: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let hears = Arc::clone(&heard);
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    let passwords = passwords(1, 0);
    let events = Events::new().inline(move |event| {
        assert!(!format!("{event} {event:?}").contains("hunter2"));
        hears.lock().unwrap().push(event.subject.clone());
    });
    passwords.attach(&events.start(), &clock);
    let check = async |text: &str, owner: &str| {
        let stored = Stored::from(text).of(owner);
        let checked = passwords.check(&password(), Some(&stored)).await;
        assert!(matches!(checked, Err(AuthError::Invalid)), "{text}");
    };
    for mark in ["", " ", "!", "!!", "!f3kd", "*", "*LK*", "!$6$salt$hash"] {
        check(mark, "ada").await;
    }
    assert_eq!(
        (heard.lock().unwrap().len(), passwords.unreadable()),
        (0, 0)
    );
    assert!(!passwords.is_degraded());
    for _ in 0..2 {
        check("hunter2", "ada").await;
        check("hunter2", "grace").await;
    }
    clock.advance(Duration::from_secs(60 * 60));
    check("hunter2", "ada").await;
    let names = ["ada", "grace", "ada"].map(|name| Some(name.to_owned()));
    assert_eq!(*heard.lock().unwrap(), names);
    assert_eq!(passwords.unreadable(), 5);
    assert!(passwords.is_degraded());
    let stored = passwords.hash(&password()).await.unwrap();
    for _ in 0..500 {
        drop(passwords.check(&password(), Some(&stored)).await);
    }
    assert!(
        !passwords.is_degraded(),
        "5 of 513 are below one in a hundred"
    );
}
