//! The throttle as clients meet it: what is counted, who is locked out, and who is not.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::ConnectInfo;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tollgate::event::EventKind;
use tollgate::prelude::*;
use tollgate::settings::{Allowance, ThrottleSettings};
use tollgate::store::{MemoryStore, SessionStore as _};
use tollgate_tests::{Act, Answer, App, OtherStore, PASSWORD, request};

const MINUTES: Duration = Duration::from_secs(15 * 60);
const DEVICE: &str = "0b3f7a52-6f0e-4a43-9a44-54a3bba5ed0d";

/// Settings that throttle what a test says, and nothing else.
fn throttled(change: impl FnOnce(&mut ThrottleSettings)) -> Settings {
    let mut settings = Settings::default();
    settings.throttle = ThrottleSettings::off();
    change(&mut settings.throttle);
    settings
}

async fn post_from(app: &App, ip: &str, path: &str, body: Value) -> Answer {
    let mut request = request(Method::POST, path, None, Some(body));
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::new(ip.parse().unwrap(), 4711)));
    app.send(request).await
}

async fn try_from(app: &App, ip: &str, email: &str, password: &str) -> Answer {
    post_from(
        app,
        ip,
        "/auth/signin",
        json!({ "email": email, "password": password }),
    )
    .await
}

async fn sign_in_on(app: &App, ip: &str, email: &str, password: &str, device: &str) -> Answer {
    let login = json!({ "email": email, "password": password, "device_id": device });
    post_from(app, ip, "/auth/signin", login).await
}

/// R124: right or wrong, there or not: the answers are the same bytes, and the backend is not
/// asked.
#[tokio::test]
async fn r124_attempts_are_counted_whether_or_not_the_account_exists_and_before_anything_is_hashed()
{
    let app = App::with(throttled(|throttle| {
        throttle.identifier = Allowance::per(3, MINUTES);
    }))
    .await;
    let mut refused = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        for number in 0..5_u8 {
            // From another address each time: there are many of them.
            let answer = try_from(&app, &format!("192.0.2.{number}"), email, "wrong").await;
            if number < 3 {
                answer.assert_problem(401, "invalid_credentials");
            } else {
                answer.assert_problem(429, "too_many_requests");
                assert_eq!(answer.headers["retry-after"], "300");
                refused.push(answer);
            }
        }
    }
    assert_eq!(app.accounts.authentications.load(Ordering::SeqCst), 6);
    assert!(refused.iter().all(|answer| *answer == refused[0]));
    // The right password is not looked at either.
    try_from(&app, "198.51.100.1", "ada@example.com", PASSWORD)
        .await
        .assert_problem(429, "too_many_requests");
    assert_eq!(app.accounts.authentications.load(Ordering::SeqCst), 6);

    app.wait(300);
    assert_eq!(
        try_from(&app, "198.51.100.1", "ada@example.com", PASSWORD)
            .await
            .status,
        StatusCode::OK
    );
}

/// R124, R127: case, white space, width and a dot at the end make no further identifier.
#[tokio::test]
async fn r127_the_twins_of_an_identifier_share_its_budget() {
    let app = App::with(throttled(|throttle| {
        throttle.identifier = Allowance::per(3, MINUTES);
    }))
    .await;
    for twin in [" ADA@example.com ", "ａｄａ@example.com", "ada@example.com"] {
        try_from(&app, "192.0.2.1", twin, "wrong")
            .await
            .assert_problem(401, "invalid_credentials");
    }
    for twin in ["ada@example.com", "Ada@Example.COM", "ada@example.com."] {
        try_from(&app, "192.0.2.1", twin, "wrong")
            .await
            .assert_problem(429, "too_many_requests");
    }
}

/// R124: a stranger uses up what strangers have, and does not lock out the device that signed in
/// before, wherever it is.
#[tokio::test]
async fn r124_a_stranger_does_not_lock_out_a_known_device() {
    let limits = |throttle: &mut ThrottleSettings| {
        throttle.identifier = Allowance::per(5, MINUTES);
        throttle.known = Allowance::per(2, MINUTES);
    };
    let app = App::with(throttled(limits)).await;
    _ = sign_in_on(&app, "198.51.100.7", "ada@example.com", PASSWORD, DEVICE)
        .await
        .tokens();
    for number in 0..50 {
        let ip = format!("192.0.2.{number}");
        try_from(&app, &ip, "ada@example.com", "wrong").await;
    }
    // A stranger with the right password waits; so does one who names a device that never signed
    // in, and one at the address of the owner.
    let other = "e7a2a0c5-0000-4a43-9a44-54a3bba5ed0d";
    for (ip, device) in [
        ("192.0.2.99", None),
        ("192.0.2.99", Some(other)),
        ("198.51.100.7", None),
        ("198.51.100.7", Some(other)),
    ] {
        let answer = match device {
            Some(device) => sign_in_on(&app, ip, "ada@example.com", PASSWORD, device).await,
            None => try_from(&app, ip, "ada@example.com", PASSWORD).await,
        };
        answer.assert_problem(429, "too_many_requests");
    }
    // The known device signs in from anywhere.
    for ip in ["203.0.113.5", "198.51.100.7"] {
        _ = sign_in_on(&app, ip, "ada@example.com", PASSWORD, DEVICE)
            .await
            .tokens();
    }
    // An attacker who knows the device's id guesses no more than its budget has.
    sign_in_on(&app, "192.0.2.1", "ada@example.com", "wrong", DEVICE)
        .await
        .assert_problem(429, "too_many_requests");
    // It is known to this account alone.
    for number in 0..6 {
        let answer = sign_in_on(&app, "192.0.2.1", "grace@example.com", "wrong", DEVICE).await;
        if number < 5 {
            answer.assert_problem(401, "invalid_credentials");
        } else {
            answer.assert_problem(429, "too_many_requests");
        }
    }
}

/// R119, R124: an address from which an account is signed in to all day learns no more about it
/// than any other one: the same number of answers, the same bytes, with an account and without.
#[tokio::test]
async fn r124_answers_do_not_tell_who_has_an_account() {
    let app = App::with(throttled(|throttle| {
        throttle.identifier = Allowance::per(20, MINUTES);
        throttle.known = Allowance::per(20, MINUTES);
    }))
    .await;
    _ = sign_in_on(&app, "198.51.100.7", "ada@example.com", PASSWORD, DEVICE)
        .await
        .tokens();
    app.wait(15 * 60);
    let mut seen = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        let mut answers = Vec::new();
        for _ in 0..30 {
            let answer = try_from(&app, "198.51.100.7", email, "wrong").await;
            answers.push((answer.status, answer.text));
        }
        let allowed = answers
            .iter()
            .filter(|(status, _)| *status == StatusCode::UNAUTHORIZED);
        assert_eq!(allowed.count(), 20, "{email}");
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1]);
}

/// R124: a known device has a long run too, and its last sign-in is what counts.
#[tokio::test]
async fn r124_a_known_device_guesses_a_hundred_times_and_stays_known_while_it_is_used() {
    let defaults = ThrottleSettings::default();
    let app = App::with(throttled(|throttle| {
        throttle.identifier = Allowance::per(1, Duration::from_secs(400 * 24 * 3600));
        (throttle.known, throttle.known_long) = (defaults.known, defaults.known_long);
    }))
    .await;
    // Sixty days apart, each within ninety days of the one before.
    for _ in 0..4 {
        _ = sign_in_on(&app, "192.0.2.1", "ada@example.com", PASSWORD, DEVICE)
            .await
            .tokens();
        app.wait(60 * 24 * 3600);
    }
    let mut allowed = 0;
    for _ in 0..600_u32 {
        let answer = sign_in_on(&app, "192.0.2.1", "ada@example.com", "wrong", DEVICE).await;
        allowed += u32::from(answer.status == StatusCode::UNAUTHORIZED);
        app.wait(60);
    }
    assert_eq!(allowed, 101);
    // Ninety days after its last sign-in it is a stranger.
    app.wait(31 * 24 * 3600);
    sign_in_on(&app, "192.0.2.1", "ada@example.com", PASSWORD, DEVICE)
        .await
        .assert_problem(429, "too_many_requests");
}

/// A refused sign-in writes nothing, whatever device it names.
#[tokio::test]
async fn refused_sign_ins_write_no_rows() {
    let store = MemoryStore::new();
    let settings = throttled(|throttle| {
        throttle.counted = tollgate::settings::Counted::Store;
        throttle.identifier = Allowance::per(1, MINUTES);
    });
    let app = App::on(store.clone(), settings).await;
    for number in 0..200 {
        let device = format!("a device that was made up, {number}");
        sign_in_on(&app, "192.0.2.1", "ada@example.com", "wrong", &device).await;
    }
    // Everything that was written has expired; a known device lasts longest, 90 days.
    app.wait(100 * 24 * 3600);
    let now = app.clock.now();
    let archived = store.archive(now, 1000, now).await.unwrap();
    assert_eq!(archived.others, 1, "the one budget");
}

/// A node that has no room for another identifier says so once, and locks nobody out.
#[tokio::test]
async fn a_throttle_without_room_is_an_alarm() {
    let app = App::with(throttled(|throttle| {
        throttle.keys = 2;
        throttle.identifier = Allowance::per(3, MINUTES);
    }))
    .await;
    for number in 0..20 {
        let email = format!("user{number}@example.com");
        try_from(&app, "192.0.2.1", &email, "wrong")
            .await
            .assert_problem(401, "invalid_credentials");
    }
    let alarms = |kinds: Vec<EventKind>| {
        let kinds = kinds.into_iter();
        kinds
            .filter(|kind| matches!(kind, EventKind::ThrottleFull { .. }))
            .collect::<Vec<_>>()
    };
    let full = |is_shared| EventKind::ThrottleFull {
        budget: "identifier",
        is_shared,
    };
    assert_eq!(alarms(app.heard_kinds()), [full(false)]);
    // Both are used up: further identifiers share what their network has.
    for email in ["one@example.com", "two@example.com"] {
        for _ in 0..3 {
            try_from(&app, "192.0.2.1", email, "wrong").await;
        }
    }
    for number in 0..3 {
        let email = format!("other{number}@example.com");
        try_from(&app, &format!("192.0.2.{number}"), &email, "wrong")
            .await
            .assert_problem(401, "invalid_credentials");
    }
    try_from(&app, "192.0.2.77", "ada@example.com", PASSWORD)
        .await
        .assert_problem(429, "too_many_requests");
    _ = try_from(&app, "198.51.100.1", "ada@example.com", PASSWORD)
        .await
        .tokens();
    assert_eq!(alarms(app.heard_kinds()), [full(true)]);
}

/// R124: no more than a hundred failures in a row, however slowly they come.
#[tokio::test]
async fn r124_a_slow_attacker_gets_a_hundred_attempts_and_not_many_more() {
    let defaults = ThrottleSettings::default();
    let app = App::with(throttled(|throttle| {
        (throttle.identifier, throttle.identifier_long) =
            (defaults.identifier, defaults.identifier_long);
    }))
    .await;
    let mut allowed = 0;
    for number in 0..600_u32 {
        let ip = format!("10.0.{}.{}", number / 250, number % 250);
        allowed += u32::from(
            try_from(&app, &ip, "ada@example.com", "wrong").await.status
                == StatusCode::UNAUTHORIZED,
        );
        app.wait(60);
    }
    // Ten hours: a hundred at once, and one more every 7.2 hours.
    assert_eq!(allowed, 101);
}

/// R124: one client who tries one password on many accounts.
#[tokio::test]
async fn r124_a_client_is_counted_by_its_address_and_an_ipv6_one_by_its_network() {
    let app = App::with(throttled(|throttle| {
        throttle.client = Allowance::per(4, MINUTES);
    }))
    .await;
    for (network, other) in [
        ("192.0.2.1", "192.0.2.2"),
        ("2001:db8:0:1::1", "2001:db8:0:2::1"),
    ] {
        for number in 0..4 {
            let ip = if network.contains(':') {
                format!("2001:db8:0:1::{number}")
            } else {
                network.to_owned()
            };
            let answer = try_from(
                &app,
                &ip,
                &format!("user{number}@example.com"),
                "Winter2026",
            )
            .await;
            answer.assert_problem(401, "invalid_credentials");
        }
        try_from(&app, network, "grace@example.com", PASSWORD)
            .await
            .assert_problem(429, "too_many_requests");
        _ = try_from(&app, other, "grace@example.com", PASSWORD)
            .await
            .tokens();
    }
}

/// R126: who holds a session guesses no more passwords than anybody else.
#[tokio::test]
async fn a_second_authentication_spends_from_the_same_budget() {
    let app = App::with(throttled(|throttle| {
        throttle.identifier = Allowance::per(3, MINUTES);
    }))
    .await;
    let tokens = app.sign_in("ada@example.com").await;
    let login = |password: &str| Some(json!({ "email": "ada@example.com", "password": password }));
    for _ in 0..2 {
        let answer = app
            .post_as("/auth/reauthenticate", &tokens.access, login("wrong"))
            .await;
        answer.assert_problem(401, "invalid_credentials");
    }
    let answer = app
        .post_as("/auth/reauthenticate", &tokens.access, login(PASSWORD))
        .await;
    answer.assert_problem(429, "too_many_requests");
}

#[tokio::test]
async fn refreshes_and_questions_have_budgets_of_their_own() {
    let app = App::with(throttled(|throttle| {
        throttle.client = Allowance::per(2, MINUTES);
        throttle.refresh = Allowance::per(3, MINUTES);
        throttle.verify = Allowance::per(4, MINUTES);
    }))
    .await;
    let tokens = try_from(&app, "192.0.2.1", "ada@example.com", PASSWORD)
        .await
        .tokens();
    let refresh = json!({ "refresh_token": tokens.refresh });
    let verify = json!({ "token": tokens.access });
    for _ in 0..3 {
        _ = post_from(&app, "192.0.2.1", "/auth/refresh-access", refresh.clone())
            .await
            .tokens();
    }
    post_from(&app, "192.0.2.1", "/auth/refresh-access", refresh.clone())
        .await
        .assert_problem(429, "too_many_requests");
    for _ in 0..4 {
        assert_eq!(
            post_from(&app, "192.0.2.1", "/auth/verify", verify.clone())
                .await
                .status,
            StatusCode::OK
        );
    }
    post_from(&app, "192.0.2.1", "/auth/verify", verify)
        .await
        .assert_problem(429, "too_many_requests");
    // Others go on, and so do sign-ins from here, which are counted apart.
    _ = post_from(&app, "192.0.2.2", "/auth/refresh-access", refresh)
        .await
        .tokens();
    _ = try_from(&app, "192.0.2.1", "ada@example.com", PASSWORD)
        .await
        .tokens();
    try_from(&app, "192.0.2.1", "grace@example.com", PASSWORD)
        .await
        .assert_problem(429, "too_many_requests");
    // The session goes on unharmed.
    assert_eq!(app.get("/me", &tokens.access).await.status, StatusCode::OK);
}

/// R129: what is refused is told of, with its address and without what was typed.
#[tokio::test]
async fn r129_a_refused_attempt_is_an_event() {
    let app = App::with(throttled(|throttle| {
        throttle.identifier = Allowance::per(1, MINUTES);
    }))
    .await;
    let mut client = Client::unknown();
    client.ip = Some("192.0.2.1".parse().unwrap());
    for _ in 0..2 {
        let login = || {
            Ok(EmailLogin {
                email: "eve@example.com".to_owned(),
                password: Password::new("wrong"),
            })
        };
        app.gate.sign_in_with(login, &client).await.unwrap_err();
    }
    let heard = app.heard();
    let kinds: Vec<_> = heard.iter().map(|event| event.kind.clone()).collect();
    let refused = EventKind::SignInRefused;
    assert_eq!(
        kinds,
        [
            refused(Code::InvalidCredentials),
            refused(Code::TooManyRequests)
        ]
    );
    assert!(
        heard
            .iter()
            .all(|event| event.ip == client.ip && !event.to_string().contains("eve"))
    );
}

/// The actions that an application does for somebody are counted apart from sign-ins, by name and
/// by person.
#[tokio::test]
async fn an_application_counts_what_it_does_for_somebody() {
    let app = App::with(throttled(|throttle| {
        throttle.action = Allowance::per(2, MINUTES);
    }))
    .await;
    let allow = async |name: &str, whom: &str| {
        app.gate
            .allow(name, whom, &Client::unknown())
            .await
            .map_err(|e| e.code())
    };
    for whom in ["ada@example.com", "nobody@example.com"] {
        assert_eq!(
            (allow("forgot", whom).await, allow("forgot", whom).await),
            (Ok(()), Ok(()))
        );
        assert_eq!(allow("forgot", whom).await, Err(Code::TooManyRequests));
        assert_eq!(allow("sign up", whom).await, Ok(()));
    }
    _ = app.sign_in("ada@example.com").await;
}

#[tokio::test]
async fn attempts_are_counted_in_the_store_where_a_setting_says_so() {
    let app = App::with(throttled(|throttle| {
        throttle.counted = tollgate::settings::Counted::Store;
        throttle.identifier = Allowance::per(2, MINUTES);
    }))
    .await;
    for _ in 0..2 {
        try_from(&app, "192.0.2.1", "ada@example.com", "wrong")
            .await
            .assert_problem(401, "invalid_credentials");
    }
    try_from(&app, "192.0.2.1", "ada@example.com", "wrong")
        .await
        .assert_problem(429, "too_many_requests");
    _ = try_from(&app, "192.0.2.1", "grace@example.com", PASSWORD)
        .await
        .tokens();
}

/// R112, R127: what is too long or looks alike is refused, costs the backend nothing it need not,
/// and locks nobody else out.
#[tokio::test]
async fn passwords_without_end_and_look_alikes_are_refused_and_harm_nobody() {
    let app = App::with(throttled(|throttle| {
        throttle.identifier = Allowance::per(2, MINUTES);
    }))
    .await;
    let long = "x".repeat(1_000_000);
    try_from(&app, "192.0.2.1", "ada@example.com", &long)
        .await
        .assert_problem(413, "payload_too_large");
    try_from(&app, "192.0.2.1", "ada@example.com", &long[..1025])
        .await
        .assert_problem(400, "invalid_request");
    assert_eq!(app.accounts.authentications.load(Ordering::SeqCst), 0);
    // A Cyrillic letter in front makes another identifier: its attempts do not count as Ada's.
    for _ in 0..2 {
        try_from(&app, "192.0.2.1", "\u{430}da@example.com", PASSWORD)
            .await
            .assert_problem(401, "invalid_credentials");
    }
    try_from(&app, "192.0.2.1", "\u{430}da@example.com", PASSWORD)
        .await
        .assert_problem(429, "too_many_requests");
    // A twin by case and width is hers.
    _ = try_from(&app, "192.0.2.1", "\u{ff21}DA@Example.com", PASSWORD)
        .await
        .tokens();
}

/// The mark of a known device is taken and put again at each sign-in. A store that fails in between
/// refuses nobody, and costs the mark at most, which the next sign-in brings back.
#[tokio::test]
async fn a_device_stays_known_where_the_store_fails_for_a_moment() {
    for (failures, is_known) in [(2, true), (u32::MAX, false)] {
        let store = OtherStore::new();
        let settings = throttled(|throttle| throttle.identifier = Allowance::per(5, MINUTES));
        let app = App::on(store.clone(), settings).await;
        let on_device = || sign_in_on(&app, "198.51.100.7", "ada@example.com", PASSWORD, DEVICE);
        let strangers = async || {
            for number in 0..20 {
                let ip = format!("192.0.2.{number}");
                try_from(&app, &ip, "ada@example.com", "wrong").await;
            }
        };
        let _ = on_device().await.tokens();
        let mut left = 0;
        store.on_each(move |operation| match operation {
            "take_once" => {
                left = failures;
                Act::Run
            }
            "put_once" if left > 0 => {
                left -= 1;
                Act::Fail
            }
            _ => Act::Run,
        });
        let _ = on_device().await.tokens();
        store.behave();
        strangers().await;
        let answer = on_device().await;
        if is_known {
            let _ = answer.tokens();
            continue;
        }
        answer.assert_problem(429, "too_many_requests");
        app.wait(24 * 3600);
        let _ = on_device().await.tokens();
        strangers().await;
        let _ = on_device().await.tokens();
    }
}
