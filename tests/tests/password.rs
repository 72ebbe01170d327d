//! Passwords: one evaluation whoever asks, exact bytes, hashes that grow with the times.

use tollgate::error::{AuthError, ErrorKind};
use tollgate::password::{Hashing, Passwords, Stored};
use tollgate::secret::Password;

const RIGHT: &str = "correct horse battery staple";

fn passwords() -> Passwords {
    Passwords::with(Hashing::cheap_dangerous()).unwrap()
}

async fn check(passwords: &Passwords, password: &str, stored: Option<&str>) -> Result<Option<Stored>, AuthError> {
    let stored = stored.map(Stored::from);
    passwords.check(&Password::new(password), stored.as_ref()).await.map(|checked| checked.rehash)
}

/// R117: counted, not timed.
#[tokio::test]
async fn everyone_costs_exactly_one_evaluation() {
    let passwords = passwords();
    let stored = passwords.hash(&Password::new(RIGHT)).await.unwrap();
    assert_eq!(passwords.evaluations(), 1);

    let truncated = &stored.as_str()[..stored.as_str().len() - 50];
    for (password, stored, expected) in [
        (RIGHT, Some(stored.as_str()), "right"),
        ("wrong", Some(stored.as_str()), "invalid"),
        (RIGHT, None, "invalid"),
        (RIGHT, Some(""), "unavailable"),
        (RIGHT, Some("plain text"), "unavailable"),
        (RIGHT, Some(truncated), "unavailable"),
        (RIGHT, Some("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA"), "unavailable"),
        (RIGHT, Some("$argon2id$v=99$m=8,t=1,p=1$c29tZXNhbHQ$JTBlM2QKr0Y5Tw8K4Q9N9Q"), "unavailable"),
        (RIGHT, Some("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"), "unavailable"),
        (RIGHT, Some("$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$JTBlM2QKr0Y5Tw8K4Q9N9Q"), "unavailable"),
        (RIGHT, Some("$argon2id$v=19$m=8,t=4294967295,p=1$c29tZXNhbHQ$JTBlM2QKr0Y5Tw8K4Q9N9Q"), "unavailable"),
    ] {
        let before = passwords.evaluations();
        let outcome = match check(&passwords, password, stored).await {
            Ok(None) => "right",
            Ok(Some(_)) => "rehashed",
            Err(AuthError::Invalid) => "invalid",
            Err(AuthError::Unavailable(_)) => "unavailable",
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(outcome, expected, "{stored:?}");
        assert_eq!(passwords.evaluations() - before, 1, "{stored:?}");
    }
}

#[tokio::test]
async fn an_error_does_not_show_the_stored_hash() {
    let Err(error) = check(&passwords(), RIGHT, Some("hunter2")).await else { panic!("accepted") };
    assert!(!format!("{error:?}").contains("hunter2"));
    assert_eq!(format!("{:?}", Stored::from("hunter2")), "Stored([redacted])");
}

/// R121.
#[tokio::test]
async fn a_password_counts_byte_for_byte() {
    let passwords = passwords();
    let stored = passwords.hash(&Password::new("Pa\u{df}wo\u{308}rt \0 ")).await.unwrap();
    let accepted = |password: &'static str| {
        let (passwords, stored) = (passwords.clone(), stored.clone());
        async move { passwords.check(&Password::new(password), Some(&stored)).await.is_ok() }
    };
    assert!(accepted("Pa\u{df}wo\u{308}rt \0 ").await);
    for other in [
        "Pa\u{df}wo\u{308}rt \0",
        "pa\u{df}wo\u{308}rt \0 ",
        "Pa\u{df}w\u{f6}rt \0 ",
        "Pa\u{df}wo\u{308}rt ",
        "Passwo\u{308}rt \0 ",
        "",
    ] {
        assert!(!accepted(other).await, "{other:?}");
    }

    let long = "x".repeat(Password::MAX_BYTES);
    let stored = passwords.hash(&Password::new(long.clone())).await.unwrap();
    assert!(check(&passwords, &long, Some(stored.as_str())).await.is_ok());
    assert!(check(&passwords, &long[1..], Some(stored.as_str())).await.is_err(), "nothing is cut off");
}

/// R120.
#[tokio::test]
async fn a_weaker_hash_is_replaced_when_its_password_is_right_and_only_then() {
    let weak = passwords().hash(&Password::new(RIGHT)).await.unwrap();
    let mut hashing = Hashing::cheap_dangerous();
    hashing.memory_kib = 16;
    let strong = Passwords::with(hashing).unwrap();

    assert!(matches!(check(&strong, "wrong", Some(weak.as_str())).await, Err(AuthError::Invalid)));
    assert_eq!(strong.evaluations(), 1);

    let better = check(&strong, RIGHT, Some(weak.as_str())).await.unwrap().expect("a stronger hash");
    assert_eq!(strong.evaluations(), 3, "one to check, one to replace");
    assert!(better.as_str().starts_with("$argon2id$v=19$m=16,t=1,p=1$"), "{better}");
    assert_eq!(check(&strong, RIGHT, Some(better.as_str())).await.unwrap(), None, "it is as strong as is usual today");
    assert_eq!(check(&passwords(), RIGHT, Some(better.as_str())).await.unwrap(), None, "a stronger one is never replaced");
}

#[tokio::test]
async fn hashes_of_other_kinds_of_argon2_are_checked_and_replaced() {
    // From the tests of the reference implementation.
    for foreign in [
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
        "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    ] {
        let rehash = check(&passwords(), "password", Some(foreign)).await.unwrap().expect(foreign);
        assert!(rehash.as_str().starts_with("$argon2id$v=19$m=8,"), "{rehash}");
        assert!(matches!(check(&passwords(), "passwore", Some(foreign)).await, Err(AuthError::Invalid)));
    }
}

/// R120: the defaults, and that less is refused unless it is asked for by its name.
#[tokio::test]
async fn the_default_costs_nineteen_mebibytes_twice_and_less_is_refused() {
    let stored = Passwords::new().hash(&Password::new(RIGHT)).await.unwrap();
    assert!(stored.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    let other = Passwords::new().hash(&Password::new(RIGHT)).await.unwrap();
    assert_ne!(stored, other, "each has a salt of its own");

    let with = |memory_kib, passes, lanes, permits| {
        let mut hashing = Hashing::default();
        (hashing.memory_kib, hashing.passes, hashing.lanes, hashing.permits) = (memory_kib, passes, lanes, permits);
        Passwords::with(hashing).map(drop).map_err(|error| error.kind())
    };
    for (memory_kib, passes) in [(46 * 1024, 1), (19 * 1024, 2), (12 * 1024, 3), (9 * 1024, 4), (7 * 1024, 5)] {
        assert_eq!(with(memory_kib, passes, 1, 1), Ok(()), "{memory_kib} {passes}");
    }
    for (memory_kib, passes, lanes, permits) in [
        (7 * 1024, 4, 1, 1),
        (6 * 1024, 10, 1, 1),
        (19 * 1024, 1, 1, 1),
        (0, 0, 0, 1),
        (19 * 1024, 2, 0, 1),
        (19 * 1024, 2, 1, 0),
    ] {
        assert_eq!(with(memory_kib, passes, lanes, permits), Err(ErrorKind::Usage), "{memory_kib} {passes} {lanes} {permits}");
    }
}
