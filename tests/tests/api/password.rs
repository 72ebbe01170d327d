//! Passwords: one evaluation for every attempt, exact bytes, hashes that grow with the times.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use serde_json::json;
use tollgate::error::{AuthError, ErrorKind, Refusal};
use tollgate::event::EventKind;
use tollgate::password::{Hashing, Listed, PasswordRejection, Passwords, Rules, Stored};
use tollgate::prelude::*;
use tollgate_tests::{App, AppBuilder, request};
use tower::ServiceExt as _;

const RIGHT: &str = "correct horse battery staple";

fn passwords() -> Passwords {
    Passwords::with(Hashing::cheap_dangerous()).unwrap()
}

async fn check(
    passwords: &Passwords,
    password: &str,
    stored: Option<&str>,
) -> Result<Option<Stored>, AuthError> {
    let stored = stored.map(Stored::from);
    passwords
        .check(&Password::new(password), stored.as_ref())
        .await
        .map(|checked| checked.rehash)
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
        (RIGHT, Some(""), "invalid"),
        (RIGHT, Some("plain text"), "invalid"),
        (RIGHT, Some(truncated), "invalid"),
        (
            RIGHT,
            Some("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA"),
            "invalid",
        ),
        (
            RIGHT,
            Some("$argon2id$v=99$m=8,t=1,p=1$c29tZXNhbHQ$JTBlM2QKr0Y5Tw8K4Q9N9Q"),
            "invalid",
        ),
        (
            RIGHT,
            Some("$2b$31$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"),
            "invalid",
        ),
        (
            RIGHT,
            Some("$2x$04$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"),
            "invalid",
        ),
        (RIGHT, Some("$2b$04$R9h/cIPz0gi"), "invalid"),
        (
            RIGHT,
            Some("pbkdf2_sha256$0$salt$yo5+YPqgpwqxUNOfFY9laZYPdPVjBn5N3uL/q8VblqQ="),
            "invalid",
        ),
        (
            RIGHT,
            Some("pbkdf2_sha256$4000000000$salt$yo5+YPqgpwqxUNOfFY9laZYPdPVjBn5N3uL/q8VblqQ="),
            "invalid",
        ),
        (RIGHT, Some("pbkdf2_sha256$1000$salt$AAAA"), "invalid"),
        (RIGHT, Some("pbkdf2_sha256$1000$salt$"), "invalid"),
        (RIGHT, Some("pbkdf2_md5$1000$salt$AAAA"), "invalid"),
        (RIGHT, Some("md5$salt$AAAA"), "invalid"),
        (
            RIGHT,
            Some("$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$JTBlM2QKr0Y5Tw8K4Q9N9Q"),
            "invalid",
        ),
        (
            RIGHT,
            Some("$argon2id$v=19$m=8,t=4294967295,p=1$c29tZXNhbHQ$JTBlM2QKr0Y5Tw8K4Q9N9Q"),
            "invalid",
        ),
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
    for password in [RIGHT, "hunter2"] {
        let Err(error) = check(&passwords(), password, Some("hunter2")).await else {
            panic!("accepted")
        };
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    assert_eq!(
        format!("{:?}", Stored::from("hunter2")),
        "Stored([redacted])"
    );
}

/// R121.
#[tokio::test]
async fn a_password_counts_byte_for_byte() {
    let passwords = passwords();
    let stored = passwords
        .hash(&Password::new("Pa\u{df}wo\u{308}rt \0 "))
        .await
        .unwrap();
    let accepted = |password: &'static str| {
        let (passwords, stored) = (passwords.clone(), stored.clone());
        async move {
            passwords
                .check(&Password::new(password), Some(&stored))
                .await
                .is_ok()
        }
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
    assert!(
        check(&passwords, &long, Some(stored.as_str()))
            .await
            .is_ok()
    );
    assert!(
        check(&passwords, &long[1..], Some(stored.as_str()))
            .await
            .is_err(),
        "nothing is cut off"
    );
}

/// R120.
#[tokio::test]
async fn a_weaker_hash_is_replaced_when_its_password_is_right_and_only_then() {
    let weak = passwords().hash(&Password::new(RIGHT)).await.unwrap();
    let mut hashing = Hashing::cheap_dangerous();
    hashing.memory_kib = 16;
    let strong = Passwords::with(hashing).unwrap();

    assert!(matches!(
        check(&strong, "wrong", Some(weak.as_str())).await,
        Err(AuthError::Invalid)
    ));
    assert_eq!(strong.evaluations(), 1);

    let better = check(&strong, RIGHT, Some(weak.as_str()))
        .await
        .unwrap()
        .expect("a stronger hash");
    assert_eq!(strong.evaluations(), 3, "one to check, one to replace");
    assert!(
        better.as_str().starts_with("$argon2id$v=19$m=16,t=1,p=1$"),
        "{better}"
    );
    assert_eq!(
        check(&strong, RIGHT, Some(better.as_str())).await.unwrap(),
        None,
        "it is as strong as is usual today"
    );
    assert_eq!(
        check(&passwords(), RIGHT, Some(better.as_str()))
            .await
            .unwrap(),
        None,
        "a stronger one is never replaced"
    );
}

#[tokio::test]
async fn hashes_of_other_kinds_of_argon2_are_checked_and_replaced() {
    // From the tests of the reference implementation.
    for foreign in [
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
        "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    ] {
        let rehash = check(&passwords(), "password", Some(foreign))
            .await
            .unwrap()
            .expect(foreign);
        assert!(
            rehash.as_str().starts_with("$argon2id$v=19$m=8,"),
            "{rehash}"
        );
        assert!(matches!(
            check(&passwords(), "passwore", Some(foreign)).await,
            Err(AuthError::Invalid)
        ));
    }
}

/// R120: the defaults, and that less is refused unless it is asked for by its name.
#[tokio::test]
async fn the_default_costs_nineteen_mebibytes_twice_and_less_is_refused() {
    let stored = Passwords::new().hash(&Password::new(RIGHT)).await.unwrap();
    assert!(
        stored
            .as_str()
            .starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{stored}"
    );
    let other = Passwords::new().hash(&Password::new(RIGHT)).await.unwrap();
    assert_ne!(stored, other, "each has a salt of its own");

    let with = |memory_kib, passes, lanes, permits| {
        let mut hashing = Hashing::default();
        (
            hashing.memory_kib,
            hashing.passes,
            hashing.lanes,
            hashing.permits,
        ) = (memory_kib, passes, lanes, permits);
        Passwords::with(hashing)
            .map(drop)
            .map_err(|error| error.kind())
    };
    for (memory_kib, passes) in [
        (46 * 1024, 1),
        (19 * 1024, 2),
        (12 * 1024, 3),
        (9 * 1024, 4),
        (7 * 1024, 5),
    ] {
        assert_eq!(
            with(memory_kib, passes, 1, 1),
            Ok(()),
            "{memory_kib} {passes}"
        );
    }
    for (memory_kib, passes, lanes, permits) in [
        (7 * 1024, 4, 1, 1),
        (6 * 1024, 10, 1, 1),
        (19 * 1024, 1, 1, 1),
        (0, 0, 0, 1),
        (19 * 1024, 2, 0, 1),
        (19 * 1024, 2, 1, 0),
    ] {
        assert_eq!(
            with(memory_kib, passes, lanes, permits),
            Err(ErrorKind::Usage),
            "{memory_kib} {passes} {lanes} {permits}"
        );
    }
}

/// From bcrypt 5.0.0 for Python and Django 5.2.19.
const IMPORTED: [&str; 5] = [
    "$2b$04$hDQsZGOpOLH7CAgifSFOwOKDGQtun8AI3oS3baC54KV1hA6JygRja",
    "bcrypt$$2b$04$/9D6TU4JrCkgODz4JfoALO9EVcgyJj7dOhpMEOymEfuh2yfL1BsXa",
    "bcrypt_sha256$$2b$04$Q0PBF/dKAIUOEHfKxF9rf.9QBnY9uZ927xaob9OGlCzZPmq3eHzlm",
    "pbkdf2_sha256$1000$seasaltseasaltseasalt1$yo5+YPqgpwqxUNOfFY9laZYPdPVjBn5N3uL/q8VblqQ=",
    "pbkdf2_sha1$1000$seasaltseasaltseasalt1$Z0dpBOA9JncDETICKP4xEI6A7fM=",
];

/// R117, R120: a user with a hash of another program gets in, has a hash of argon2id from then on,
/// and costs no more look-ups.
#[tokio::test]
async fn imported_hashes_are_checked_once_and_replaced() {
    for stored in IMPORTED {
        let passwords = passwords();
        assert!(
            matches!(
                check(&passwords, "wrong", Some(stored)).await,
                Err(AuthError::Invalid)
            ),
            "{stored}"
        );
        assert!(
            matches!(
                check(&passwords, "", Some(stored)).await,
                Err(AuthError::Invalid)
            ),
            "{stored}"
        );
        assert_eq!(passwords.evaluations(), 2, "{stored}");
        let better = check(&passwords, RIGHT, Some(stored))
            .await
            .unwrap()
            .expect(stored);
        assert_eq!(passwords.evaluations(), 4, "{stored}");
        assert!(
            better.as_str().starts_with("$argon2id$v=19$m=8,"),
            "{better}"
        );
        assert_eq!(
            check(&passwords, RIGHT, Some(better.as_str()))
                .await
                .unwrap(),
            None
        );
    }
    let wrapped = "argon2$argon2id$v=19$m=256,t=2,\
                   p=1$dUJFNGZUQ3NlcXkxQ3ZqSHN1WUZwcA$izqbvlyU6CNUnSF5M2WlRBG1JWpvckYmdn9u1Qt0EO4";
    assert_eq!(
        check(&passwords(), RIGHT, Some(wrapped)).await.unwrap(),
        None,
        "it is as strong as is usual here"
    );
    assert!(matches!(
        check(&passwords(), "wrong", Some(wrapped)).await,
        Err(AuthError::Invalid)
    ));
    let umlauts = "$2a$04$J02KzvHEjlIEg2D9sk7EE.cwJJA7EVy5a3wTZSG7XaucAR5lL3BKC";
    assert!(
        check(&passwords(), "p\u{e4}ssw\u{f6}rd \u{1f511}", Some(umlauts))
            .await
            .unwrap()
            .is_some()
    );
}

/// R121: bcrypt sees 72 bytes. A longer password is refused at the same cost, not cut: its
/// beginning alone would get in, and the replacement would be of whatever followed.
#[tokio::test]
async fn a_password_that_bcrypt_would_cut_is_never_right() {
    let stored = "$2b$04$.CuktjcSwguuU42MrbT3wee2Q/0.QBKp7w64jzSAYIy0EPFpdNQXe";
    let passwords = passwords();
    assert!(
        check(&passwords, &"x".repeat(72), Some(stored))
            .await
            .unwrap()
            .is_some()
    );
    for length in [71, 73, 100, Password::MAX_BYTES] {
        let before = passwords.evaluations();
        assert!(
            matches!(
                check(&passwords, &"x".repeat(length), Some(stored)).await,
                Err(AuthError::Invalid)
            ),
            "{length}"
        );
        assert_eq!(passwords.evaluations() - before, 1, "{length}");
    }
}

/// R122: so many characters, whichever they are; none is trimmed, and 1024 bytes are enough for
/// everybody.
#[tokio::test]
async fn r122_a_password_that_is_set_is_long_enough_and_nothing_else_is_asked() {
    let one = passwords();
    let two = passwords().rules(Rules::second_factor());
    let three = passwords().rules(Rules::second_factor().min_chars(10));
    for (length, fits) in [
        (7, [false; 3]),
        (8, [false, true, false]),
        (10, [false, true, true]),
        (15, [true; 3]),
        (64, [true; 3]),
    ] {
        // Characters, not bytes; spaces count; neither digits nor capitals are asked for.
        let password = Password::new(
            "\u{e4}b c\u{1f511}d"
                .chars()
                .cycle()
                .take(length)
                .collect::<String>(),
        );
        for (passwords, fits) in [&one, &two, &three].into_iter().zip(fits) {
            match passwords.set(&password, &[]).await {
                Ok(stored) => assert!(
                    fits && check(passwords, password.expose(), Some(stored.as_str()))
                        .await
                        .is_ok()
                ),
                Err(PasswordRejection::TooShort { min_chars }) => {
                    assert!(!fits && min_chars > length);
                }
                Err(other) => panic!("{length}: {other}"),
            }
        }
    }
    let longest = "0123456789abcdef".repeat(64);
    assert!(one.set(&Password::new(longest.clone()), &[]).await.is_ok());
    assert!(matches!(
        one.set(&Password::new(longest + "x"), &[]).await,
        Err(PasswordRejection::TooLong)
    ));
}

/// R123: the list is asked about every password that is set, after the rest, and where it cannot
/// answer nothing is set.
#[tokio::test]
async fn r123_the_blocklist_is_asked_whenever_a_password_is_set_and_never_at_sign_in() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (list, number) = (Arc::clone(&asked), Arc::new(AtomicU32::new(0)));
    let rules = Rules::single_factor().blocklist(move |password| {
        list.lock().unwrap().push(password.expose().to_owned());
        let number = number.fetch_add(1, Ordering::SeqCst);
        async move {
            match number {
                0 => Ok(Listed::No),
                1 => Ok(Listed::Yes),
                _ => Err(AuthError::unavailable("the list is down")),
            }
        }
    });
    let passwords = passwords().rules(rules);
    let password = Password::new(RIGHT);
    assert!(matches!(
        passwords.set(&Password::new("short"), &[]).await,
        Err(PasswordRejection::TooShort { min_chars: 15 })
    ));
    let stored = passwords.set(&password, &[]).await.unwrap();
    assert!(matches!(
        passwords.set(&password, &[]).await,
        Err(PasswordRejection::Listed)
    ));
    assert!(matches!(
        passwords.set(&password, &[]).await,
        Err(PasswordRejection::Undecided(AuthError::Unavailable(_)))
    ));
    assert_eq!(*asked.lock().unwrap(), [RIGHT; 3]);
    assert_eq!(passwords.evaluations(), 1, "what is not set is not hashed");
    check(&passwords, RIGHT, Some(stored.as_str()))
        .await
        .unwrap();
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_password_made_of_the_names_of_its_account_is_guessable() {
    let passwords = passwords();
    let names = ["ada.lovelace@example.com", "Example Shop"];
    for guessable in [
        "ada.lovelace@example.com",
        "Lovelace2026!!!",
        "exampleSHOP2026",
        "aaaaaaaaaaaaaaaaaaaa",
        "1212121212121212",
    ] {
        assert!(
            matches!(
                passwords.set(&Password::new(guessable), &names).await,
                Err(PasswordRejection::Guessable)
            ),
            "{guessable}"
        );
    }
    for fine in [
        RIGHT,
        "my example of a long password",
        "lovelace never met babbage here",
    ] {
        assert!(
            passwords.set(&Password::new(fine), &names).await.is_ok(),
            "{fine}"
        );
    }
}

/// A gate whose builder was given the passwords reports them by events, and in its health.
#[tokio::test]
async fn a_gate_that_was_told_of_the_passwords_tells_of_hashes_that_cannot_be_read() {
    let passwords = passwords();
    let told = passwords.clone();
    let app = App::builder().change(move |gate| gate.passwords(&told));
    let app = app.build().await;
    let untold = App::new().await;
    assert!(app.gate.health().await.is_well);
    let stored = Stored::from("hunter2").of("ada");
    for _ in 0..2 {
        let checked = passwords.check(&Password::new(RIGHT), Some(&stored)).await;
        assert!(matches!(checked, Err(AuthError::Invalid)));
    }
    let heard = app.heard();
    let [event] = &heard[..] else {
        panic!("{heard:?}")
    };
    assert!(matches!(event.kind, EventKind::PasswordHashUnreadable));
    assert_eq!(event.subject.as_deref(), Some("ada"));
    let health = app.gate.health().await;
    assert!(health.password_hashes_are_unreadable && !health.is_well);
    // A stored row takes no node out of service.
    assert!(health.is_ready);
    let probe = request(http::Method::GET, "/ready", None, None);
    let routes: Router = app.gate.health_router().into_router();
    assert_eq!(routes.oneshot(probe).await.unwrap().status(), 200);
    assert!(!untold.gate.health().await.password_hashes_are_unreadable);
}

/// Knows one account, by a stored hash with or without its owner.
#[auth_backend(email, user = Owner, refresh(from = stored))]
#[derive(Clone)]
struct Owners {
    passwords: Passwords,
    stored: Stored,
}

#[derive(Clone, JwtClaims)]
struct Owner {
    #[claim(sub)]
    id: u64,
}

impl Authenticate for Owners {
    async fn authenticate(&self, login: EmailLogin, _: &Client) -> Result<Owner, AuthError> {
        let stored = Some(&self.stored).filter(|_| login.email == "ada@example.com");
        if login.email == "told@example.com" {
            return Err(Refusal::new(Code::InvalidCredentials).about(8).into());
        }
        let _ = self.passwords.check(&login.password, stored).await?;
        Ok(Owner { id: 7 })
    }
}

/// The event of a refused sign-in names the account whose password was wrong, where that is known;
/// the client does not learn it, and an identifier without an account is nowhere.
#[tokio::test]
async fn a_refused_sign_in_names_the_account_in_the_event_alone() {
    for is_owned in [true, false] {
        let passwords = passwords();
        let stored = passwords.hash(&Password::new(RIGHT)).await.unwrap();
        let stored = match is_owned {
            true => stored.of(7),
            false => stored,
        };
        let app = AppBuilder::of(Owners { passwords, stored }, |gate| {
            gate.install(Router::new()).with_state(gate.clone())
        });
        let app = app.build().await;
        let owner = is_owned.then_some("7");
        for (email, password, subject) in [
            ("ada@example.com", "wrong", owner),
            ("told@example.com", "wrong", Some("8")),
            ("nobody@example.com", "wrong", None),
            // What was noted for one request is forgotten by the next.
            ("nobody@example.com", RIGHT, None),
        ] {
            drop(app.heard());
            let login = json!({ "email": email, "password": password });
            let refused = app.post("/auth/signin", login).await;
            refused.assert_problem(401, "invalid_credentials");
            assert!(!refused.text.contains(['7', '8']), "{}", refused.text);
            let heard = app.heard();
            assert_eq!(heard.len(), 1, "{heard:?}");
            assert_eq!(
                heard[0].kind,
                EventKind::SignInRefused(Code::InvalidCredentials)
            );
            assert_eq!(heard[0].subject.as_deref(), subject, "{email}");
            assert!(!heard[0].to_string().contains("nobody"));
        }
        let login = json!({ "email": "ada@example.com", "password": RIGHT });
        assert_eq!(app.post("/auth/signin", login).await.status, 200);
    }
}
