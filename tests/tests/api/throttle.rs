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
use tollgate_tests::{Answer, App, PASSWORD, request};

const MINUTES: Duration = Duration::from_secs(15 * 60);

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

/// R124: a stranger uses up what strangers have, and locks out neither the device nor the address
/// that signed in before.
#[tokio::test]
async fn r124_a_stranger_locks_out_nobody_who_is_known() {
    let limits = |throttle: &mut ThrottleSettings| {
        throttle.identifier = Allowance::per(5, MINUTES);
        throttle.known = Allowance::per(2, MINUTES);
    };
    let app = App::with(throttled(limits)).await;
    let device = "0b3f7a52-6f0e-4a43-9a44-54a3bba5ed0d";
    let login = |device: &str| json!({ "email": "ada@example.com", "password": PASSWORD, "device_id": device });
    _ = post_from(&app, "198.51.100.7", "/auth/signin", login(device))
        .await
        .tokens();
    for number in 0..50 {
        try_from(
            &app,
            &format!("192.0.2.{number}"),
            "ada@example.com",
            "wrong",
        )
        .await;
    }
    // A stranger with the right password waits; so does one who names a device that never signed
    // in.
    try_from(&app, "192.0.2.99", "ada@example.com", PASSWORD)
        .await
        .assert_problem(429, "too_many_requests");
    let other = login("e7a2a0c5-0000-4a43-9a44-54a3bba5ed0d");
    post_from(&app, "192.0.2.99", "/auth/signin", other)
        .await
        .assert_problem(429, "too_many_requests");
    // The known device signs in from anywhere, the known address with any device.
    _ = post_from(&app, "203.0.113.5", "/auth/signin", login(device))
        .await
        .tokens();
    _ = try_from(&app, "198.51.100.7", "ada@example.com", PASSWORD)
        .await
        .tokens();

    // A neighbour behind the same address uses up what the address has, and not what the device
    // has.
    for _ in 0..50 {
        try_from(&app, "198.51.100.7", "ada@example.com", "wrong").await;
    }
    try_from(&app, "198.51.100.7", "ada@example.com", PASSWORD)
        .await
        .assert_problem(429, "too_many_requests");
    _ = post_from(&app, "198.51.100.7", "/auth/signin", login(device))
        .await
        .tokens();
    // An attacker who knows the device's id guesses no more than its budget has.
    post_from(&app, "192.0.2.1", "/auth/signin", login(device))
        .await
        .assert_problem(429, "too_many_requests");
    // It is known to this account alone.
    let grace = json!({ "email": "grace@example.com", "password": "wrong", "device_id": device });
    for _ in 0..5 {
        post_from(&app, "192.0.2.1", "/auth/signin", grace.clone())
            .await
            .assert_problem(401, "invalid_credentials");
    }
    post_from(&app, "192.0.2.1", "/auth/signin", grace)
        .await
        .assert_problem(429, "too_many_requests");
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
