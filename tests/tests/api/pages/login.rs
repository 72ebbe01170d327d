//! Where visitors are led who have to sign in, and what the login page believes.

use http::{Method, StatusCode};
use tollgate::prelude::*;

use super::{FETCH, PAGE, app, asked, fetch, location, login_form, page, send, signed_in};
use crate::cookies::Jar;

#[tokio::test]
async fn l1_a_page_leads_to_the_login_page_with_its_address() {
    let app = app().await;
    for (path, expected) in [
        ("/", "/login?next=%2F"),
        (
            "/admin?a=1&b=x%20y",
            "/login?next=%2Fadmin%3Fa%3D1%26b%3Dx%2520y",
        ),
        ("/inner/page", "/login?next=%2Finner%2Fpage"),
    ] {
        let answer = app.send(page(path)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(location(&answer), expected);
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(answer.text.is_empty());
    }
    // A browser without Fetch Metadata, and a frame.
    let html = asked(Method::GET, "/", &[("accept", "text/html")]);
    assert_eq!(location(&app.send(html).await), "/login?next=%2F");
    let frame = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    let answer = app.send(asked(Method::GET, "/", &frame)).await;
    assert_eq!(location(&answer), "/login?next=%2F");
}

#[tokio::test]
async fn l1_a_401_of_the_application_is_left_alone() {
    let app = app().await;
    let answer = app.send(page("/own")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(!answer.headers.contains_key("location"));
}

#[tokio::test]
async fn l1_the_auth_routes_answer_for_themselves() {
    let app = app().await;
    let answer = app.send(page("/auth/sessions")).await;
    answer.assert_problem(401, "missing_token");
    let around = app.serving(tollgate_tests::routes(&app.gate).layer(app.gate.pages("/login")));
    let mut jar = signed_in(&app).await;
    app.wait(660);
    let answer = send(&around, &mut jar, page("/auth/sessions")).await;
    answer.assert_problem(401, "token_expired");
    let answer = send(
        &around,
        &mut jar,
        fetch(Method::POST, "/auth/refresh-access"),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn l2_a_form_leads_to_the_login_page_with_the_page_that_it_is_on() {
    let app = app().await;
    for (referer, expected) in [
        (
            Some("https://app.example/notes?x=1#end"),
            "&next=%2Fnotes%3Fx%3D1",
        ),
        (Some("https://app.example"), "&next=%2F"),
        (Some("https://evil.example/notes"), ""),
        (Some("https://app.example.evil.example/notes"), ""),
        (Some("https://app.example//evil.example"), "&next=%2F"),
        (Some("https://app.example/auth/signout"), "&next=%2F"),
        (Some("nonsense"), ""),
        (None, ""),
    ] {
        let mut said = PAGE.to_vec();
        said.extend(referer.map(|referer| ("referer", referer)));
        let answer = app.send(asked(Method::POST, "/change", &said)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{referer:?}");
        let expected = format!("/login?reason=expired{expected}");
        assert_eq!(location(&answer), expected, "{referer:?}");
    }
}

#[tokio::test]
async fn l3_a_script_of_htmx_is_told_where_to_go() {
    let app = app().await;
    for (current, expected) in [
        (
            Some("https://app.example/notes?x=1"),
            "/login?next=%2Fnotes%3Fx%3D1",
        ),
        (Some("https://evil.example/notes"), "/login?next=%2F"),
        (Some("https://app.example/\\evil"), "/login?next=%2F"),
        (None, "/login?next=%2F"),
    ] {
        let mut said = [&FETCH[..], &[("hx-request", "true")]].concat();
        said.extend(current.map(|current| ("hx-current-url", current)));
        let answer = app.send(asked(Method::GET, "/", &said)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{current:?}");
        assert_eq!(answer.headers["hx-redirect"], expected, "{current:?}");
    }
}

#[tokio::test]
async fn l4_a_page_that_asks_for_a_fresh_proof_leads_there_with_its_reason() {
    let app = app().await;
    let mut jar = signed_in(&app).await;
    app.wait(400);
    let answer = send(&app, &mut jar, page("/fresh?x")).await;
    assert_eq!(location(&answer), "/login?reason=fresh&next=%2Ffresh%3Fx");
    let answer = send(&app, &mut jar, asked(Method::POST, "/fresh", &PAGE)).await;
    assert_eq!(location(&answer), "/login?reason=fresh");
    let login = send(&app, &mut jar, page("/login?reason=fresh&next=/fresh")).await;
    assert_eq!(login.text, "login fresh /fresh");
}

#[tokio::test]
async fn l5_what_is_no_page_gets_the_problem() {
    let app = app().await;
    for request in [
        fetch(Method::GET, "/"),
        fetch(Method::POST, "/change"),
        asked(Method::GET, "/", &[]),
        asked(Method::GET, "/", &[("accept", "application/json")]),
        asked(
            Method::GET,
            "/",
            &[("sec-fetch-mode", "websocket"), ("upgrade", "websocket")],
        ),
    ] {
        let answer = app.send(request).await;
        answer.assert_problem(401, "missing_token");
        assert!(!answer.headers.contains_key("location"));
    }
}

/// A browser shows what it prefetched when the user opens the page, which may be after a sign-in: a
/// redirection to the login page would then show it to a user who is signed in.
#[tokio::test]
async fn l5_a_prefetch_without_a_session_is_not_redirected() {
    let app = app().await;
    for ahead in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
    ] {
        let said = [&PAGE[..], &[ahead]].concat();
        for path in ["/", "/admin", "/fresh"] {
            let answer = app.send(asked(Method::GET, path, &said)).await;
            answer.assert_problem(503, "unavailable");
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert!(!answer.headers.contains_key("location"), "{path} {ahead:?}");
        }
        // Pages for everybody are answered, also the login page.
        let login = app.send(asked(Method::GET, "/login?next=/x", &said)).await;
        assert_eq!(login.text, "login none /x");
    }
    // The same for a user who is signed in and has to authenticate again.
    let mut jar = signed_in(&app).await;
    app.wait(400);
    let said = [&PAGE[..], &[("sec-purpose", "prefetch")]].concat();
    let answer = send(&app, &mut jar, asked(Method::GET, "/fresh", &said)).await;
    answer.assert_problem(503, "unavailable");
}

/// A browser that keeps no cookies gets the login page again, and no endless redirection.
#[tokio::test]
async fn l1_a_browser_that_keeps_no_cookies_ends_at_the_login_page() {
    let app = app().await;
    let mut answer = app.send(login_form("/admin?x")).await;
    let mut way = Vec::new();
    while answer.status.is_redirection() {
        assert!(way.len() < 4, "{way:?}");
        let next = location(&answer).to_owned();
        answer = app.send(page(&next)).await;
        way.push(next);
    }
    assert_eq!(way, ["/admin?x", "/login?next=%2Fadmin%3Fx"]);
    assert_eq!(answer.text, "login none /admin?x");
}

#[tokio::test]
async fn l6_other_refusals_are_never_redirected() {
    let app = app().await;
    let mut jar = Jar::default();
    let fields = [
        ("email", "grace@example.com"),
        ("password", tollgate_tests::PASSWORD),
    ];
    send(&app, &mut jar, super::form("/login", &fields)).await;
    let answer = send(&app, &mut jar, page("/admin")).await;
    answer.assert_problem(403, "forbidden");
    app.gate.pause().await.unwrap();
    let answer = send(&app, &mut jar, page("/")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!answer.headers.contains_key("location"));
}

/// The account is gone, and its access token still verifies: a login page that sends a visitor with
/// a valid token back at once learns that it must not.
#[tokio::test]
async fn l1_a_visitor_with_a_valid_token_who_is_refused_is_told_so() {
    let app = app().await;
    let mut jar = signed_in(&app).await;
    app.accounts.remove("ada@example.com");
    let answer = send(&app, &mut jar, page("/current")).await;
    assert_eq!(location(&answer), "/login?reason=expired&next=%2Fcurrent");
    let htmx = [&FETCH[..], &[("hx-request", "true")]].concat();
    let answer = send(&app, &mut jar, asked(Method::GET, "/current", &htmx)).await;
    assert_eq!(
        answer.headers["hx-redirect"],
        "/login?reason=expired&next=%2F"
    );
    // Without a valid token there is nothing to tell.
    let answer = app.send(page("/current")).await;
    assert_eq!(location(&answer), "/login?next=%2Fcurrent");
}

/// Fourteen forms, and what they stand for: none leads to another origin, to an auth route, or in a
/// circle.
#[tokio::test]
async fn next_leads_nowhere_but_to_a_page_of_this_origin() {
    let app = app().await;
    let long = format!("/{}", "x".repeat(2048));
    for evil in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/a\\b",
        "javascript:alert(1)",
        "data:text/html,x",
        " //evil.example",
        "/\t/evil.example",
        "/\r\nlocation: https://evil.example",
        "/a b",
        "/\u{7f}",
        "evil.example",
        "",
        "/auth/signout",
        "/a/../auth/signout",
        "/%61uth/signout",
        "/login",
        "/login/step?x",
        "/LOGIN",
        "/./login",
        "/auth//../sessions",
        "/login//../step?reason=refused",
        "/x/.%2E//../login/fresh",
        "/.//evil.example",
        &long,
    ] {
        let answer = app.send(login_form(evil)).await;
        assert_eq!(location(&answer), "/", "{evil:?}");
        let query = super::form_urlencoded(&[("next", evil)]);
        let login = app.send(page(&format!("/login?{query}"))).await;
        assert_eq!(login.text, "login none /", "{evil:?}");
    }
    for good in ["/", "/notes?a=1&b=2#end", "/author", "/logins"] {
        let answer = app.send(login_form(good)).await;
        assert_eq!(location(&answer), good);
    }
}

#[tokio::test]
async fn the_login_page_believes_no_reason_but_ours() {
    let app = app().await;
    for (query, expected) in [
        ("", "login none /"),
        ("?reason=expired", "login expired /"),
        ("?reason=refused&next=/x", "login refused /x"),
        ("?reason=fresh-refused", "login fresh-refused /"),
        ("?reason=Expired", "login none /"),
        ("?reason=<script>", "login none /"),
        (
            "?reason=%3Cscript%3E&next=%2F%2Fevil.example",
            "login none /",
        ),
    ] {
        let path = format!("/login{query}").replace(['<', '>'], "%3C");
        assert_eq!(app.send(page(&path)).await.text, expected, "{query}");
    }
}

#[tokio::test]
async fn a_login_page_that_refuses_its_visitor_does_not_lead_to_itself() {
    use axum::routing::get;
    use tollgate_tests::User;
    let app = app().await;
    let own = axum::Router::new()
        .route("/login", get(async |_: Auth<User>| "in"))
        .layer(app.gate.pages("/login"))
        .with_state(app.gate.clone());
    let answer = app.serving(own).send(page("/login?next=%2F")).await;
    answer.assert_problem(401, "missing_token");
}

#[tokio::test]
async fn a_login_page_outside_the_layer_is_a_mistake_of_the_program() {
    use tollgate::pages::LoginPage;
    let app = app().await;
    let outside =
        axum::Router::new().route("/login", axum::routing::get(async |_: LoginPage| "in"));
    let answer = app.serving(outside).send(page("/login")).await;
    answer.assert_problem(500, "internal_error");
}
