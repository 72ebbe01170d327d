//! Which requests are renewed, and what they are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::{CACHE_CONTROL, VARY};
use http::{Method, StatusCode};
use serde_json::json;
use tokio::sync::Notify;
use tollgate::event::{EventKind, RefreshRefusal, Refreshed};
use tollgate::gate::{Access, EndSessions};
use tollgate::pages::LoginPage;
use tollgate::prelude::*;
use tollgate::session::Revoke;
use tollgate::settings::{Consistency, RefreshPolicy};
use tollgate_tests::{Accounts, Act, App, AppBuilder, OtherStore, PASSWORD, Role, User};

use crate::cookies::{ACCESS, Jar, REFRESH};

use super::{
    FETCH, PAGE, app, asked, builder, expired, fetch, location, open, page, refreshes, send, sets,
    settings, signed_in, slow_by,
};

const MARKER: &str = "__Host-tollgate-renewed";

#[tokio::test]
async fn row_1_a_request_with_another_credential_is_as_without_the_layer() {
    let app = app().await;
    let jar = expired(&app).await;
    let bearer = ("authorization", "Bearer nonsense");
    let refresh = format!("{REFRESH}={}", jar.value(REFRESH));
    let said = [&PAGE[..], &[bearer, ("cookie", &refresh)]].concat();
    let answer = app.send(asked(Method::GET, "/", &said)).await;
    answer.assert_problem(401, "invalid_token");
    assert!(!answer.headers.contains_key(VARY));
    let protocol = [
        ("upgrade", "websocket"),
        ("sec-websocket-protocol", "tollgate.bearer.nonsense, chat"),
        ("cookie", &refresh),
    ];
    let answer = app.send(asked(Method::GET, "/", &protocol)).await;
    answer.assert_problem(401, "invalid_token");
    assert_eq!(refreshes(&app), []);
}

#[tokio::test]
async fn row_1_the_header_of_tokens_is_the_one_of_the_settings() {
    let mut settings = settings();
    settings.access.header = "X-Token".to_owned();
    let app = builder().settings(settings).build().await;
    let mut jar = expired(&app).await;
    jar.0.retain(|(name, _)| name == REFRESH);
    let said = [&PAGE[..], &[("x-token", "Bearer nonsense")]].concat();
    let answer = send(&app, &mut jar, asked(Method::GET, "/", &said)).await;
    answer.assert_problem(401, "invalid_token");
    assert_eq!(refreshes(&app), []);
    // Credentials for somebody else, such as a proxy, are none of the gate's.
    let said = [&PAGE[..], &[("authorization", "Bearer nonsense")]].concat();
    let answer = send(&app, &mut jar, asked(Method::GET, "/", &said)).await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(refreshes(&app), [Refreshed::Rotated]);
}

#[tokio::test]
async fn row_2_without_a_refresh_cookie_nothing_is_renewed() {
    let app = app().await;
    let mut jar = expired(&app).await;
    jar.0.retain(|(name, _)| name != REFRESH);
    let answer = send(&app, &mut jar, page("/")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(refreshes(&app), []);
}

#[tokio::test]
async fn row_3_a_live_token_is_handed_on_and_renews_nothing() {
    let app = app().await;
    let mut jar = signed_in(&app).await;
    for request in [page("/"), fetch(Method::GET, "/"), page("/admin")] {
        let answer = send(&app, &mut jar, request).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(!answer.headers.contains_key("set-cookie"));
        assert_eq!(answer.headers[VARY], "Cookie");
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
    }
    // Nothing that another site sends counts, handed on or not.
    let foreign = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
    ];
    let answer = send(&app, &mut jar, asked(Method::POST, "/change", &foreign)).await;
    answer.assert_problem(403, "csrf");
    assert_eq!(refreshes(&app), []);
}

/// Where each decision asks the store, the layer asks for the extractor, too.
#[tokio::test]
async fn row_3_a_live_token_is_looked_up_once() {
    let store = OtherStore::new();
    let mut settings = settings();
    settings.revocation.consistency = Consistency::Strict;
    let app = builder().settings(settings).store(store.clone()).build();
    let app = app.await;
    let mut jar = signed_in(&app).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    store.on_each(move |operation| {
        if operation == "log_since" {
            count.fetch_add(1, Ordering::SeqCst);
        }
        Act::Run
    });
    let answer = send(&app, &mut jar, page("/")).await;
    assert_eq!(answer.text, "ada@example.com");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn row_4_what_may_change_something_is_not_renewed_without_proof_of_its_origin() {
    let app = app().await;
    let mut jar = expired(&app).await;
    for said in [
        &[][..],
        &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")],
        &[
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-mode", "navigate"),
        ],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        let answer = send(&app, &mut jar, asked(Method::POST, "/change", said)).await;
        assert!(
            !sets(&answer, REFRESH) && !sets(&answer, ACCESS),
            "{said:?}"
        );
        assert_ne!(answer.status, StatusCode::OK, "{said:?}");
    }
    assert_eq!(refreshes(&app), []);
}

#[tokio::test]
async fn row_5_what_is_fetched_ahead_is_neither_renewed_nor_kept() {
    let app = app().await;
    let mut jar = expired(&app).await;
    for ahead in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
    ] {
        let said = [&PAGE[..], &[ahead]].concat();
        let answer = send(&app, &mut jar, asked(Method::GET, "/", &said)).await;
        answer.assert_problem(503, "unavailable");
        // What anybody may see stays.
        let answer = send(&app, &mut jar, asked(Method::GET, "/public", &said)).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!(refreshes(&app), []);
    // With a live token the page itself is answered.
    let mut jar = signed_in(&app).await;
    let said = [&PAGE[..], &[("sec-purpose", "prefetch")]].concat();
    let answer = send(&app, &mut jar, asked(Method::GET, "/", &said)).await;
    assert_eq!(answer.text, "ada@example.com");
}

#[tokio::test]
async fn row_6_what_no_page_waits_for_is_not_renewed() {
    let app = app().await;
    let mut jar = expired(&app).await;
    for request in [
        asked(Method::HEAD, "/", &PAGE),
        asked(Method::OPTIONS, "/", &PAGE),
        asked(
            Method::GET,
            "/",
            &[&FETCH[..], &[("upgrade", "websocket")]].concat(),
        ),
        asked(
            Method::GET,
            "/",
            &[&FETCH[..], &[("service-worker", "script")]].concat(),
        ),
        asked(
            Method::GET,
            "/",
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-dest", "worker"),
            ],
        ),
    ] {
        let answer = send(&app, &mut jar, request).await;
        assert!(!sets(&answer, ACCESS), "{answer:?}");
    }
    assert_eq!(refreshes(&app), []);
}

#[tokio::test]
async fn row_7_a_browser_without_fetch_metadata_is_renewed_too() {
    let app = app().await;
    let mut jar = expired(&app).await;
    let html = [("accept", "text/html,*/*;q=0.8")];
    let answer = send(&app, &mut jar, asked(Method::GET, "/", &html)).await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    let mut jar = expired(&app).await;
    let own = [("origin", "https://app.example")];
    let answer = send(&app, &mut jar, asked(Method::POST, "/change", &own)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(refreshes(&app), [Refreshed::Rotated,]);
    let mut jar = expired(&app).await;
    let answer = send(
        &app,
        &mut jar,
        asked(Method::GET, "/", &[("accept", "*/*")]),
    )
    .await;
    answer.assert_problem(401, "token_expired");
}

#[tokio::test]
async fn row_8_frames_images_and_scripts_of_other_sites_renew_nothing() {
    let app = app().await;
    let mut jar = expired(&app).await;
    for site in ["cross-site", "same-site", "none"] {
        for (mode, dest) in [
            ("navigate", "iframe"),
            ("no-cors", "image"),
            ("no-cors", "script"),
            ("cors", "empty"),
        ] {
            let said = [
                ("sec-fetch-site", site),
                ("sec-fetch-mode", mode),
                ("sec-fetch-dest", dest),
            ];
            let answer = send(&app, &mut jar, asked(Method::GET, "/", &said)).await;
            assert!(!sets(&answer, ACCESS), "{said:?}");
        }
    }
    assert_eq!(refreshes(&app), []);
}

#[tokio::test]
async fn row_9_and_r2_a_page_is_answered_307_with_both_cookies_and_its_handler_does_not_run() {
    for site in ["same-origin", "same-site", "cross-site", "none"] {
        let app = app().await;
        let mut jar = expired(&app).await;
        let ran = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&ran);
        app.accounts.in_authenticate.set(move || {
            count.fetch_add(1, Ordering::SeqCst);
            async {}
        });
        let said = [&[("sec-fetch-site", site)], &PAGE[1..]].concat();
        let answer = send(&app, &mut jar, asked(Method::GET, "/slow?a=1&b=%2F", &said)).await;
        assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(location(&answer), "/slow?a=1&b=%2F");
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
        assert_eq!(answer.headers[VARY], "Cookie");
        assert!(sets(&answer, ACCESS) && sets(&answer, REFRESH) && sets(&answer, MARKER));
        let lines = answer.headers.get_all("set-cookie");
        for line in lines.iter().map(|line| line.to_str().unwrap()) {
            let is_former = line.starts_with("__Secure-");
            assert!(
                is_former || line.contains("SameSite=Lax; Secure; Path=/"),
                "{line}"
            );
        }
        assert_eq!(ran.load(Ordering::SeqCst), 0);
        let followed = send(&app, &mut jar, page("/slow?a=1&b=%2F")).await;
        assert_eq!(followed.text, "ada@example.com");
        assert_eq!(ran.load(Ordering::SeqCst), 1);
        assert_eq!(refreshes(&app), [Refreshed::Rotated]);
    }
}

#[tokio::test]
async fn r2_a_redirection_that_could_go_in_a_circle_or_elsewhere_is_answered_in_place() {
    let app = app().await;
    let jar = expired(&app).await;
    let mut marked = jar.clone();
    marked.0.push((MARKER.to_owned(), "1".to_owned()));
    let answer = send(&app, &mut marked, page("/")).await;
    assert_eq!(answer.text, "ada@example.com");
    assert!(sets(&answer, ACCESS) && sets(&answer, REFRESH) && !sets(&answer, MARKER));
    let long = format!("/?{}", "x".repeat(4096));
    for path in [&long, "//evil.example/", "/?a=\\"] {
        let mut jar = expired(&app).await;
        let answer = send(&app, &mut jar, page(path)).await;
        assert_ne!(answer.status, StatusCode::TEMPORARY_REDIRECT, "{path}");
        assert!(sets(&answer, ACCESS), "{path}");
    }
    let mut jar = expired(&app).await;
    let answer = send(&app, &mut jar, page("/inner/page?x")).await;
    assert_eq!(location(&answer), "/inner/page?x");
}

#[tokio::test]
async fn rows_10_to_12_and_r3_what_pages_of_this_origin_ask_for_goes_on_with_new_tokens() {
    let frame = [
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "iframe"),
    ];
    let app = app().await;
    for (request, expected) in [
        (asked(Method::GET, "/", &frame), "ada@example.com"),
        (fetch(Method::GET, "/"), "ada@example.com"),
        (asked(Method::POST, "/change", &PAGE), "ada@example.com: "),
        (fetch(Method::POST, "/change"), "ada@example.com: "),
        (fetch(Method::GET, "/maybe"), "ada@example.com"),
        (fetch(Method::GET, "/lenient"), "ada@example.com"),
        (fetch(Method::GET, "/admin"), "in"),
        (fetch(Method::GET, "/public"), "cached"),
    ] {
        let mut jar = expired(&app).await;
        let old = jar.value(REFRESH).to_owned();
        let path = request.uri().clone();
        let answer = send(&app, &mut jar, request).await;
        assert_eq!(answer.text, expected, "{path}");
        assert!(sets(&answer, ACCESS) && sets(&answer, REFRESH), "{path}");
        assert_ne!(jar.value(REFRESH), old);
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
        assert_eq!(refreshes(&app), [Refreshed::Rotated], "{path}");
        assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
    }
    // A refusal carries them as well.
    let mut jar = expired(&app).await;
    app.accounts.set_roles("ada@example.com", vec![]);
    let answer = send(&app, &mut jar, fetch(Method::GET, "/admin")).await;
    answer.assert_problem(403, "forbidden");
    assert!(sets(&answer, REFRESH));
}

#[tokio::test]
async fn row_11_a_form_is_renewed_before_its_body_is_read() {
    let app = app().await;
    let mut jar = expired(&app).await;
    let (sender, arrives) = tokio::sync::oneshot::channel::<&str>();
    let body = futures_util::stream::once(async { arrives.await.map(bytes::Bytes::from) });
    let mut request = asked(Method::POST, "/change", &PAGE);
    *request.body_mut() = Body::from_stream(body);
    let (own, request) = (app.clone(), jar.send(request));
    let sent = tokio::spawn(async move { own.send(request).await });
    let mut renewed = Vec::new();
    while renewed.is_empty() {
        tokio::task::yield_now().await;
        renewed = refreshes(&app);
    }
    assert_eq!(renewed, [Refreshed::Rotated]);
    assert!(!sent.is_finished());
    sender.send("late").unwrap();
    let answer = sent.await.unwrap();
    assert_eq!(answer.text, "ada@example.com: late");
    jar.take(&answer);
    assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
}

#[tokio::test]
async fn row_13_anything_else_is_not_renewed() {
    let app = app().await;
    let mut jar = expired(&app).await;
    let [site, mode, dest] = FETCH;
    let twice = ("sec-fetch-mode", "navigate");
    let answer = send(
        &app,
        &mut jar,
        asked(Method::GET, "/", &[site, mode, dest, twice]),
    );
    let answer = answer.await;
    answer.assert_problem(401, "token_expired");
    assert!(!answer.headers.contains_key("set-cookie"));
    assert_eq!(refreshes(&app), []);
}

#[tokio::test]
async fn a_dead_access_cookie_is_renewed_as_an_absent_one() {
    let app = app().await;
    let mut jar = signed_in(&app).await;
    let ada = app.accounts.id_of("ada@example.com");
    app.gate
        .claims_changed(&ada, Access::RefreshNow)
        .await
        .unwrap();
    assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
    assert_eq!(refreshes(&app), [Refreshed::Rotated]);
    let mut jar = signed_in(&app).await;
    jar.0.retain(|(name, _)| name != ACCESS);
    assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
    let mut jar = signed_in(&app).await;
    jar.0.retain(|(name, _)| name != ACCESS);
    jar.0.push((ACCESS.to_owned(), "nonsense".to_owned()));
    assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
}

#[tokio::test]
async fn handlers_never_see_the_refresh_cookie_and_a_renewed_request_has_no_conditions() {
    let app = app().await;
    let mut jar = signed_in(&app).await;
    let seen = send(&app, &mut jar, page("/headers")).await.text;
    assert!(!seen.contains(REFRESH) && seen.contains(ACCESS), "{seen}");
    app.wait(660);
    let conditions = [
        ("if-none-match", "\"a\""),
        ("if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("if-range", "\"a\""),
        ("range", "bytes=0-1"),
    ];
    let said = [&FETCH[..], &conditions].concat();
    let seen = send(&app, &mut jar, asked(Method::GET, "/headers", &said))
        .await
        .text;
    assert!(!seen.contains("if-") && !seen.contains("range"), "{seen}");
    let seen = send(&app, &mut jar, asked(Method::GET, "/headers", &said))
        .await
        .text;
    assert!(
        seen.contains("if-none-match") && seen.contains("range"),
        "{seen}"
    );
}

#[tokio::test]
async fn r1_a_hundred_requests_of_one_page_renew_once() {
    let app = app().await;
    let jar = expired(&app).await;
    let hooks = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&hooks);
    app.accounts.in_refresh.set(move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { tokio::task::yield_now().await }
    });
    let sent: Vec<_> = (0..100)
        .map(|number| {
            let (app, jar) = (app.clone(), jar.clone());
            let request = if number % 3 == 0 {
                page("/")
            } else {
                fetch(Method::GET, "/")
            };
            tokio::spawn(async move { app.send(jar.send(request)).await })
        })
        .collect();
    let mut kept = std::collections::HashSet::new();
    for answer in sent {
        let answer = answer.await.unwrap();
        assert!(matches!(answer.status.as_u16(), 200 | 307), "{answer:?}");
        let mut jar = jar.clone();
        jar.take(&answer);
        kept.insert(jar.value(REFRESH).to_owned());
    }
    assert_eq!(kept.len(), 1, "one successor");
    assert_eq!(refreshes(&app), [Refreshed::Rotated]);
    assert_eq!(hooks.load(Ordering::SeqCst), 1);
}

/// Requests that come after a change of claims are not answered with the tokens of a renewal that
/// began before it: all of them wait for one renewal that began later.
#[tokio::test]
async fn r1_requests_after_a_change_of_claims_share_no_renewal_that_began_before_it() {
    let app = app().await;
    let jar = expired(&app).await;
    let hooks = Arc::new(AtomicUsize::new(0));
    let (entered, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (count, tell, wait_for) = (Arc::clone(&hooks), Arc::clone(&entered), Arc::clone(&go));
    app.accounts.in_refresh.set(move || {
        let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
        let (tell, wait_for) = (Arc::clone(&tell), Arc::clone(&wait_for));
        async move {
            // The user was loaded, with the roles of before.
            if is_first {
                tell.notify_one();
                wait_for.notified().await;
            }
            tokio::task::yield_now().await;
        }
    });
    let ask = || {
        let (app, request) = (app.clone(), jar.send(fetch(Method::GET, "/admin")));
        tokio::spawn(async move { app.send(request).await })
    };
    let first = ask();
    entered.notified().await;
    app.accounts.set_roles("ada@example.com", vec![]);
    let ada = app.accounts.id_of("ada@example.com");
    let changed = app.gate.claims_changed(&ada, Access::RefreshNow).await;
    changed.unwrap();
    let after: Vec<_> = (0..100).map(|_| ask()).collect();
    tokio::task::yield_now().await;
    go.notify_one();
    let mut kept = std::collections::HashSet::new();
    for answer in after.into_iter().chain([first]) {
        let answer = answer.await.unwrap();
        answer.assert_problem(403, "forbidden");
        let mut jar = jar.clone();
        jar.take(&answer);
        kept.insert((jar.value(REFRESH).to_owned(), jar.value(ACCESS).to_owned()));
    }
    assert_eq!(kept.len(), 1, "one successor, and one access token");
    assert_eq!(
        hooks.load(Ordering::SeqCst),
        2,
        "one renewal since the change"
    );
    // A renewal that ended before the change, and whose tokens are still shared.
    app.accounts.set_roles("ada@example.com", vec![Role::Admin]);
    let changed = app.gate.claims_changed(&ada, Access::RefreshNow).await;
    changed.unwrap();
    for answer in [ask(), ask()] {
        assert_eq!(answer.await.unwrap().text, "in");
    }
    assert_eq!(hooks.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn r1_on_two_nodes_both_get_the_same_successor() {
    let store = MemoryStore::new();
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let one = builder().store(store.clone()).keys(&ring).build().await;
    let two = builder()
        .store(store)
        .keys(&ring)
        .clock(&one.clock)
        .accounts(&one.accounts);
    let two = two.build().await;
    let jar = expired(&one).await;
    let (first, second) = tokio::join!(
        one.send(jar.send(fetch(Method::GET, "/"))),
        two.send(jar.send(page("/")))
    );
    let (mut a, mut b) = (jar.clone(), jar.clone());
    a.take(&first);
    b.take(&second);
    assert_eq!(a.value(REFRESH), b.value(REFRESH));
    assert_eq!(open(&two, &mut a, "/").await.text, "ada@example.com");
    assert_eq!(open(&one, &mut b, "/").await.text, "ada@example.com");
}

#[tokio::test]
async fn r3_headers_that_leave_late_carry_no_cookie() {
    let app = app().await;
    for (seconds, carries) in [(5, true), (6, false), (12, false)] {
        let mut jar = expired(&app).await;
        slow_by(&app, seconds);
        let answer = send(&app, &mut jar, fetch(Method::GET, "/slow")).await;
        assert_eq!(answer.text, "ada@example.com");
        assert_eq!(sets(&answer, REFRESH), carries, "{seconds}");
        assert_eq!(sets(&answer, ACCESS), carries, "{seconds}");
        app.accounts.in_authenticate.clear();
        app.wait(60);
        assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
    }
}

#[tokio::test]
async fn r3_a_page_of_twelve_seconds_and_a_second_tab_stay_signed_in() {
    let app = app().await;
    let mut jar = expired(&app).await;
    // The first tab: a form whose handler takes long. Meanwhile the second one opens a page.
    let second = app.clone();
    let before = jar.clone();
    let (sender, mut kept) = tokio::sync::mpsc::unbounded_channel();
    app.accounts.in_authenticate.set(move || {
        let (app, mut jar, sender) = (second.clone(), before.clone(), sender.clone());
        async move {
            app.wait(25);
            let answer = send(&app, &mut jar, page("/")).await;
            sender.send((answer, jar)).unwrap();
        }
    });
    let slow = app
        .send(jar.send(asked(Method::POST, "/slow", &PAGE)))
        .await;
    let (second, kept_by_second) = kept.recv().await.unwrap();
    assert_eq!(second.status, StatusCode::TEMPORARY_REDIRECT, "{second:?}");
    jar = kept_by_second;
    jar.take(&slow);
    app.accounts.in_authenticate.clear();
    assert_eq!(refreshes(&app), [Refreshed::Rotated, Refreshed::Reminted]);
    for wait in [1, 60, 700, 3600] {
        app.wait(wait);
        assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
    }
}

/// A form that takes long, and a second tab that opens meanwhile, at any time.
#[tokio::test]
async fn r3_a_slow_form_and_a_second_tab_stay_signed_in_whenever_the_tab_opens() {
    for (opens, takes) in [
        (1, 12),
        (4, 12),
        (7, 12),
        (11, 12),
        (12, 12),
        (19, 21),
        (24, 60),
    ] {
        let app = app().await;
        let mut jar = expired(&app).await;
        let (second, before) = (app.clone(), jar.clone());
        let (sender, mut kept) = tokio::sync::mpsc::unbounded_channel();
        app.accounts.in_authenticate.set(move || {
            let (app, mut jar, sender) = (second.clone(), before.clone(), sender.clone());
            async move {
                app.wait(opens);
                super::lost::click(&app, &mut jar).await;
                let now = app.clock.now();
                app.wait(takes - opens);
                sender.send((jar, now)).unwrap();
            }
        });
        let slow = asked(Method::POST, "/slow", &PAGE);
        let slow = app.send(jar.send(slow)).await;
        assert_eq!(slow.text, "ada@example.com", "{opens} {takes}");
        (jar, _) = kept.recv().await.unwrap();
        jar.take(&slow);
        app.accounts.in_authenticate.clear();
        for wait in [1, 11, 25, 700, 3600] {
            super::lost::click(&app, &mut jar).await;
            app.settle().await;
            app.wait(wait);
        }
        drop(refreshes(&app));
    }
}

#[tokio::test]
async fn r4_right_after_a_rotation_only_the_access_cookie_is_new() {
    let app = app().await;
    let mut jar = expired(&app).await;
    open(&app, &mut jar, "/").await;
    let ada = app.accounts.id_of("ada@example.com");
    app.wait(6);
    app.gate
        .claims_changed(&ada, Access::RefreshNow)
        .await
        .unwrap();
    jar.0.retain(|(name, _)| name != MARKER);
    let answer = send(&app, &mut jar, page("/")).await;
    assert_eq!(answer.text, "ada@example.com", "in place");
    assert!(sets(&answer, ACCESS) && !sets(&answer, REFRESH));
    assert_eq!(refreshes(&app), [Refreshed::Rotated, Refreshed::Held]);
}

#[tokio::test]
async fn r4_a_refresh_token_that_never_changes_is_answered_in_place() {
    let mut settings = settings();
    settings.refresh.policy = RefreshPolicy::Fixed;
    let app = builder().settings(settings).build().await;
    let mut jar = expired(&app).await;
    let answer = send(&app, &mut jar, page("/")).await;
    assert_eq!(answer.text, "ada@example.com");
    assert_eq!(refreshes(&app), [Refreshed::Extended]);
}

#[tokio::test]
async fn r5_between_handing_out_and_punishing_a_page_reloads_itself() {
    let app = app().await;
    let jar = expired(&app).await;
    let mut lost = jar.clone();
    send(&app, &mut lost, page("/")).await;
    app.wait(15);
    let answer = app.send(jar.send(page("/"))).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(answer.headers["retry-after"], "5");
    assert!(
        answer.text.contains("http-equiv=\"refresh\" content=\"5\""),
        "{}",
        answer.text
    );
    assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
    let answer = app.send(jar.send(fetch(Method::GET, "/"))).await;
    answer.assert_problem(503, "unavailable");
    let mut posted = jar.clone();
    let answer = send(&app, &mut posted, asked(Method::POST, "/change", &PAGE)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        !answer.text.contains("http-equiv"),
        "a form is not sent again by itself"
    );
    app.wait(6);
    let mut jar = jar;
    assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
}

#[tokio::test]
async fn r6_a_dead_refresh_token_is_nobodys_and_clears_no_cookie() {
    let app = app().await;
    let mut jar = expired(&app).await;
    let ada = app.accounts.id_of("ada@example.com");
    app.gate.revoke(Revoke::subject(ada)).await.unwrap();
    drop(app.heard());
    for (path, text) in [
        ("/maybe", "nobody"),
        ("/lenient", "nobody"),
        ("/public", "cached"),
    ] {
        let answer = send(&app, &mut jar, page(path)).await;
        assert_eq!(answer.text, text);
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    let answer = send(&app, &mut jar, page("/?x=1")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(location(&answer), "/login?next=%2F%3Fx%3D1");
    assert!(!answer.headers.contains_key("set-cookie"));
    let refused = |app: &App| {
        let kinds = app.heard_kinds().into_iter();
        let ended = EventKind::RefreshRefused(RefreshRefusal::Ended);
        kinds.filter(|kind| *kind == ended).count()
    };
    assert_eq!(refused(&app), 1, "the store is asked once");
    app.wait(61);
    send(&app, &mut jar, page("/maybe")).await;
    assert_eq!(refused(&app), 1);
    // An account that was closed, and what nobody issued.
    let mut jar = expired(&app).await;
    app.accounts.set_disabled("ada@example.com", true);
    assert_eq!(send(&app, &mut jar, page("/maybe")).await.text, "nobody");
    jar.0.retain(|(name, _)| name != REFRESH);
    jar.0.push((REFRESH.to_owned(), "nonsense".to_owned()));
    assert_eq!(send(&app, &mut jar, page("/maybe")).await.text, "nobody");
}

#[tokio::test]
async fn r6_two_refresh_cookies_renew_nothing() {
    let app = app().await;
    let mut jar = expired(&app).await;
    let other = expired(&app).await;
    jar.0
        .push((REFRESH.to_owned(), other.value(REFRESH).to_owned()));
    let answer = app.send(jar.send(page("/"))).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(refreshes(&app), []);
}

#[tokio::test]
async fn r7_where_nobody_can_decide_it_is_neither_the_login_page_nor_nobodys() {
    let app = app().await;
    let mut jar = expired(&app).await;
    app.accounts.is_down.store(true, Ordering::SeqCst);
    for path in ["/", "/maybe", "/lenient"] {
        let answer = send(&app, &mut jar, page(path)).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
        let answer = send(&app, &mut jar, fetch(Method::GET, path)).await;
        answer.assert_problem(503, "unavailable");
    }
    app.accounts.is_down.store(false, Ordering::SeqCst);
    assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");

    let store = OtherStore::new();
    let app = builder().store(store.clone()).build().await;
    let mut jar = expired(&app).await;
    store.on_each(|operation| {
        if operation == "session" {
            Act::Fail
        } else {
            Act::Run
        }
    });
    let answer = send(&app, &mut jar, page("/lenient")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    store.behave();
    assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
}

#[tokio::test]
async fn r7_too_many_renewals_of_one_address_are_429() {
    use tollgate::settings::{Allowance, ThrottleSettings};
    let mut throttle = ThrottleSettings::off();
    throttle.refresh = Allowance::per(1, std::time::Duration::from_secs(60));
    let app = builder().throttle(throttle).build().await;
    let mut jar = expired(&app).await;
    let with_ip = |mut request: http::Request<Body>| {
        let peer = std::net::SocketAddr::from(([192, 0, 2, 1], 4000));
        request
            .extensions_mut()
            .insert(axum::extract::ConnectInfo(peer));
        request
    };
    let answer = send(&app, &mut jar, with_ip(page("/"))).await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    let mut other = jar.clone();
    other.0.retain(|(name, _)| name != ACCESS);
    let answer = send(&app, &mut other, with_ip(page("/lenient"))).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn what_caches_are_told_is_at_least_what_the_cookies_need() {
    let app = app().await;
    let mut jar = signed_in(&app).await;
    for (path, said) in [
        ("/private", "private, max-age=60"),
        ("/public", "no-store"),
        ("/lenient", "no-store"),
    ] {
        let answer = send(&app, &mut jar, page(path)).await;
        assert_eq!(answer.headers[CACHE_CONTROL], said, "{path}");
        assert_eq!(answer.headers[VARY], "Cookie");
    }
    let answer = send(&app, &mut jar, page("/varied")).await;
    assert_eq!(answer.headers[VARY], "Accept, cookie");
    let stranger = app.send(page("/public")).await;
    assert_eq!(stranger.headers[CACHE_CONTROL], "public, max-age=60");
    app.wait(660);
    let answer = send(&app, &mut jar, fetch(Method::GET, "/private")).await;
    assert!(sets(&answer, ACCESS));
    assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
}

/// A shared cache may store none of these answers (RFC 9111 section 3).
#[tokio::test]
async fn a_cache_in_front_shows_nobody_the_page_of_somebody_else() {
    let app = app().await;
    let may_keep = |answer: &tollgate_tests::Answer| {
        let said = answer.headers.get_all(CACHE_CONTROL).iter();
        let said: Vec<_> = said.map(|line| line.to_str().unwrap()).collect();
        let said = said.join(",");
        // Without a word of its own, a 200 and a 404 are kept by guess.
        let by_guess = matches!(answer.status.as_u16(), 200 | 404) && said.is_empty();
        let is_kept = by_guess || said.contains("public") || said.contains("max-age");
        is_kept && !said.contains("no-store") && !said.contains("private")
    };
    let mut live = signed_in(&app).await;
    let dead = {
        let jar = signed_in(&app).await;
        send(&app, &mut jar.clone(), super::form("/logout", &[])).await;
        jar
    };
    let paths = [
        "/", "/lenient", "/maybe", "/public", "/private", "/varied", "/own", "/admin", "/fresh",
        "/login", "/nowhere", "/slow",
    ];
    for path in paths {
        for request in [page, |path: &str| fetch(Method::GET, path)] {
            let answers = [
                send(&app, &mut live, request(path)).await,
                app.send(dead.send(request(path))).await,
            ];
            for answer in answers {
                assert!(!may_keep(&answer), "{path} {answer:?}");
                let varies = answer.headers.get_all(VARY).iter();
                let varies = varies.map(|line| line.to_str().unwrap().to_ascii_lowercase());
                assert!(varies.collect::<String>().contains("cookie"), "{path}");
            }
            // An answer without cookies names no user and sets no cookie.
            let stranger = app.send(request(path)).await;
            assert!(!stranger.headers.contains_key("set-cookie"), "{path}");
            assert!(!stranger.text.contains("ada"), "{path}");
        }
    }
    // The answer to a renewed request may not be stored either.
    for path in paths {
        for request in [page, |path: &str| fetch(Method::GET, path)] {
            let mut jar = expired(&app).await;
            let answer = send(&app, &mut jar, request(path)).await;
            assert!(sets(&answer, REFRESH), "{path} {answer:?}");
            assert!(!may_keep(&answer), "{path} {answer:?}");
        }
    }
}

#[tokio::test]
async fn the_cookies_of_another_realm_renew_nothing_here() {
    let app = app().await;
    let mut jar = expired(&app).await;
    for (name, _) in &mut jar.0 {
        *name = name.replace("tollgate-", "tollgate-staff-");
    }
    let answer = send(&app, &mut jar, page("/maybe")).await;
    assert_eq!(answer.text, "nobody");
    assert_eq!(refreshes(&app), []);
}

#[tokio::test]
async fn a_renewal_that_meets_a_sign_out_leaves_nobody_signed_in() {
    let app = app().await;
    for round in 0..100 {
        let jar = expired(&app).await;
        let out = super::form("/logout", &[]);
        let yields = round % 7;
        app.accounts.in_refresh.set(move || async move {
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
        });
        let pages = async {
            for _ in 0..round % 5 {
                tokio::task::yield_now().await;
            }
            let request = if round % 2 == 0 {
                page("/")
            } else {
                fetch(Method::GET, "/")
            };
            app.send(jar.send(request)).await
        };
        let (renewed, out) = tokio::join!(pages, app.send(jar.send(out)));
        assert_eq!(out.status, StatusCode::SEE_OTHER);
        for order in [[&renewed, &out], [&out, &renewed]] {
            let mut jar = jar.clone();
            order.iter().for_each(|answer| jar.take(answer));
            for path in ["/", "/lenient"] {
                let answer = send(&app, &mut jar, page(path)).await;
                let text = &answer.text;
                assert!(!text.contains("ada"), "round {round}: {path} {answer:?}");
            }
        }
    }
    drop(app.heard());
}

#[tokio::test]
async fn a_sign_out_everywhere_reaches_a_renewal_of_a_moment_ago() {
    let app = app().await;
    let jar = expired(&app).await;
    send(&app, &mut jar.clone(), page("/")).await;
    let ada = app.accounts.id_of("ada@example.com");
    app.gate
        .credentials_changed(&ada, EndSessions::All)
        .await
        .unwrap();
    let answer = app.send(jar.send(page("/maybe"))).await;
    assert_eq!(answer.text, "nobody");
    assert!(!answer.headers.contains_key("set-cookie"));
}

/// A hook that panics costs one answer: the next request of the same cookies tries again.
#[tokio::test]
async fn a_renewal_that_panics_is_tried_again_by_the_next_request() {
    let app = app().await;
    let mut jar = expired(&app).await;
    app.accounts
        .in_refresh
        .set(|| async { panic!("the backend has a defect") });
    for _ in 0..2 {
        let answer = send(&app, &mut jar, page("/")).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    app.accounts.in_refresh.set(|| async {});
    let answer = send(&app, &mut jar, page("/")).await;
    assert!(answer.status.is_redirection() && sets(&answer, REFRESH));
    assert_eq!(open(&app, &mut jar, "/").await.text, "ada@example.com");
}

/// Auth routes below the layer, at a path that the layer does not know, read the refresh cookie.
#[tokio::test]
async fn nested_auth_routes_below_the_layer_read_the_refresh_cookie() {
    fn routes(gate: &Gate<Accounts>) -> Router {
        let home = get(async |user: Auth<User>| user.email().clone());
        let pages = Router::new()
            .route("/", home)
            .route("/login", get(async |_: LoginPage| "login"))
            .nest("/api", gate.router())
            .layer(gate.pages("/login"));
        gate.install(pages).with_state(gate.clone())
    }
    let mut settings = settings();
    settings.cookies.path = Some("/".to_owned());
    let app = AppBuilder::of(Accounts::seeded(), routes).settings(settings);
    let app = app.build().await;
    let signed_in = async |email: &str| {
        let fields = json!({"email": email, "password": PASSWORD});
        let mut request = fetch(Method::POST, "/api/auth/signin");
        *request.body_mut() = Body::from(fields.to_string());
        let json = http::HeaderValue::from_static("application/json");
        request.headers_mut().insert("content-type", json);
        let mut jar = Jar::default();
        let answer = send(&app, &mut jar, request).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        jar
    };
    let refresh = || fetch(Method::POST, "/api/auth/refresh-access");
    let mut jar = signed_in("ada@example.com").await;
    app.wait(660);
    let answer = send(&app, &mut jar, refresh()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);

    // Signing out everywhere ends the session of a refresh cookie too, although it is another
    // subject's.
    let mut grace = signed_in("grace@example.com").await;
    let mut both = Jar(vec![
        (ACCESS.to_owned(), jar.value(ACCESS).to_owned()),
        (REFRESH.to_owned(), grace.value(REFRESH).to_owned()),
    ]);
    let everywhere = fetch(Method::POST, "/api/auth/signout-all");
    let answer = send(&app, &mut both, everywhere).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    let answer = send(&app, &mut grace, refresh()).await;
    answer.assert_problem(401, "invalid_grant");
}
