//! The sessions that a caller has: listed, ended, limited in number.

use axum::Router;
use http::{Method, StatusCode};
use serde_json::json;
use tollgate::device::Device;
use tollgate::prelude::*;
use tollgate::settings::OnLimit;
use tollgate_tests::{App, PASSWORD, request};
use tower::ServiceExt as _;

/// R94.
#[tokio::test]
async fn callers_see_and_end_their_own_sessions_only() {
    let app = App::new().await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "device_name": "phone", "device_id": "p1" });
    let phone = app.post("/auth/signin", body).await.tokens();
    app.wait(1);
    let laptop = app.sign_in("ada@example.com").await;
    let grace = app.sign_in("grace@example.com").await;

    let list = app.get("/auth/sessions", &laptop.access).await.json();
    let list = list.as_array().unwrap();
    assert_eq!(
        list.iter()
            .map(|s| s["session_id"].as_str().unwrap())
            .collect::<Vec<_>>(),
        [&phone.session, &laptop.session]
    );
    assert_eq!(
        list.iter()
            .map(|s| s["current"].as_bool().unwrap())
            .collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!(
        (&list[0]["device_name"], &list[0]["device_id"]),
        (&json!("phone"), &json!("p1"))
    );

    let end = async |id: &str| {
        app.send(request(
            Method::DELETE,
            &format!("/auth/sessions/{id}"),
            Some(&laptop.access),
            None,
        ))
        .await
    };
    end(&grace.session).await.assert_problem(404, "not_found");
    end("nonsense").await.assert_problem(404, "not_found");
    end(SessionId::random().unwrap().to_string().as_str())
        .await
        .assert_problem(404, "not_found");
    assert_eq!(app.get("/me", &grace.access).await.status, StatusCode::OK);

    assert_eq!(end(&phone.session).await.status, StatusCode::NO_CONTENT);
    app.get("/me", &phone.access)
        .await
        .assert_problem(401, "invalid_token");
    end(&phone.session).await.assert_problem(404, "not_found");
    assert_eq!(
        app.get("/auth/sessions", &laptop.access)
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

/// R99.
#[tokio::test]
async fn the_session_seen_longest_ago_makes_room_for_the_one_too_many() {
    let mut settings = Settings::default();
    settings.session.device_limit = Some(2);
    let app = App::with(settings).await;
    let first = app.sign_in("ada@example.com").await;
    app.wait(60);
    let second = app.sign_in("ada@example.com").await;
    app.wait(60);
    // The first was seen after the second.
    let first = app.refresh(&first.refresh).await.tokens();
    app.wait(60);
    let third = app.sign_in("ada@example.com").await;
    app.get("/me", &second.access)
        .await
        .assert_problem(401, "invalid_token");
    for living in [&first, &third] {
        assert_eq!(app.get("/me", &living.access).await.status, StatusCode::OK);
    }
}

/// R99.
#[tokio::test]
async fn the_one_too_many_is_refused_where_the_settings_say_so() {
    let mut settings = Settings::default();
    settings.session.device_limit = Some(1);
    settings.session.on_limit = OnLimit::Deny;
    let app = App::with(settings).await;
    let first = app.sign_in("ada@example.com").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    app.post("/auth/signin", body)
        .await
        .assert_problem(403, "forbidden");
    assert_eq!(app.get("/me", &first.access).await.status, StatusCode::OK);
    app.post("/auth/signout", json!({ "refresh_token": first.refresh }))
        .await;
    app.sign_in("ada@example.com").await;
}

#[tokio::test]
async fn what_a_session_remembers_of_its_device_can_be_replaced() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    let sid = tokens.session.parse().unwrap();
    let device = Device::new(Some("desk".into()), None);
    assert!(app.gate.sessions().attach(sid, device).await.unwrap());
    assert_eq!(
        app.gate
            .sessions()
            .get(sid)
            .await
            .unwrap()
            .unwrap()
            .device
            .name
            .as_deref(),
        Some("desk")
    );
    assert!(
        !app.gate
            .sessions()
            .attach(SessionId::random().unwrap(), Device::default())
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn the_archive_takes_what_ended_and_leaves_what_lives() {
    let app = App::new().await;
    let gone = app.sign_in("ada@example.com").await;
    app.wait(60 * 24 * 3600);
    let living = app.sign_in("ada@example.com").await;
    app.wait(31 * 24 * 3600);
    let living_after = app.refresh(&living.refresh).await;
    living_after.assert_problem(401, "invalid_grant");
    let fresh = app.sign_in("ada@example.com").await;
    let archived = app.gate.archive(app.clock.now()).await.unwrap();
    assert_eq!(
        archived.sessions, 1,
        "only the first is past its absolute end"
    );
    assert_eq!(
        app.gate
            .sessions()
            .get(gone.session.parse().unwrap())
            .await
            .unwrap(),
        None
    );
    assert_eq!(app.get("/me", &fresh.access).await.status, StatusCode::OK);
    let early = app
        .gate
        .archive(app.clock.now().plus(std::time::Duration::from_secs(1)))
        .await
        .unwrap_err();
    assert!(early.to_string().contains("future"), "{early}");
}

/// R94, also where the prefix has parameters of its own, and where the id is not even text.
#[tokio::test]
async fn a_session_is_ended_by_its_id_under_any_prefix() {
    let app = App::new().await;
    let tokens = app.sign_in("ada@example.com").await;
    let nested: Router = Router::new().nest("/of/{tenant}", app.gate.router());
    for (id, status) in [
        ("none", 404),
        ("%ff%fe", 404),
        (tokens.session.as_str(), 204),
    ] {
        let path = format!("/of/acme/auth/sessions/{id}");
        let answer = nested
            .clone()
            .oneshot(request(Method::DELETE, &path, Some(&tokens.access), None))
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{id}");
        if status == 404 {
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
        }
    }
    app.get("/me", &tokens.access)
        .await
        .assert_problem(401, "invalid_token");
}

/// A list has a hundred sessions, and says where the next hundred are; the body stays a list.
#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let app = App::new().await;
    let ada = app.accounts.user("ada@example.com");
    let mut opened = Vec::new();
    for number in 0..250_u64 {
        if number % 3 == 0 {
            app.clock.advance(std::time::Duration::from_millis(1));
        }
        let issued = app
            .gate
            .sign_in(ada.clone(), &Client::unknown())
            .await
            .unwrap();
        opened.push((app.clock.now(), issued.session_id, issued.access_token));
    }
    let access = opened[7].2.clone();
    opened.sort_unstable_by_key(|(at, sid, _)| (*at, *sid));
    let nested = app.serving(Router::new().nest("/api", app.gate.router()));
    for (app, prefix) in [(&app, ""), (&nested, "/api")] {
        let (mut listed, mut pages) = (Vec::new(), Vec::new());
        let mut next = Some(String::new());
        while let Some(query) = next {
            let path = format!("{prefix}/auth/sessions{query}");
            let answer = app.get(&path, &access).await;
            let body = answer.json();
            let page = body.as_array().unwrap();
            pages.push(page.len());
            listed.extend(
                page.iter()
                    .map(|entry| entry["session_id"].as_str().unwrap().to_owned()),
            );
            next = answer.headers.get("link").map(|link| {
                let link = link.to_str().unwrap();
                let link = link.strip_prefix('<').unwrap();
                let link = link.strip_suffix(">; rel=\"next\"").unwrap().to_owned();
                // The query alone: the path may be another one before a proxy.
                assert!(link.starts_with("?after="), "{link}");
                link
            });
        }
        assert_eq!(pages, [100, 100, 50]);
        let expected: Vec<_> = opened.iter().map(|(_, sid, _)| sid.to_string()).collect();
        assert_eq!(listed, expected);
    }
    // Behind the last one is nothing, and no further page; a session that ended is a place still.
    let (last, ended) = (opened[249].1, opened[149].1);
    let empty = app
        .get(&format!("/auth/sessions?after={last}"), &access)
        .await;
    assert_eq!((empty.json(), empty.headers.get("link")), (json!([]), None));
    app.gate.revoke(Revoke::session(ended)).await.unwrap();
    let full = app
        .get(&format!("/auth/sessions?after={ended}"), &access)
        .await;
    assert_eq!(full.json().as_array().unwrap().len(), 100);
    assert_eq!(
        full.headers.get("link"),
        None,
        "a page that is just full is the last"
    );
    // The application sees them all at once.
    let all = app
        .gate
        .sessions()
        .of(app.accounts.id_of("ada@example.com"))
        .await;
    assert_eq!(all.unwrap().len(), 249);
}

/// A place that is not in the caller's own list is a clear 400, and tells nothing of other lists.
#[tokio::test]
async fn a_page_behind_no_session_of_the_caller_is_malformed() {
    let app = App::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let grace = app.sign_in("grace@example.com").await;
    let unknown = SessionId::random().unwrap().to_string();
    let long = "x".repeat(5_000);
    let mut answers = Vec::new();
    for after in [
        &grace.session,
        &unknown,
        "",
        "nonsense",
        "%00",
        "%ff",
        &long,
        "-1",
    ] {
        let answer = app
            .get(&format!("/auth/sessions?after={after}"), &ada.access)
            .await;
        answer.assert_problem(400, "invalid_request");
        answers.push(answer.text);
    }
    let twice = format!("/auth/sessions?after={0}&after={0}", ada.session);
    let twice = app.get(&twice, &ada.access).await;
    twice.assert_problem(400, "invalid_request");
    answers.push(twice.text);
    assert!(answers[0].contains("`after`"), "{}", answers[0]);
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    app.get("/auth/sessions?after=nonsense", "no token")
        .await
        .assert_problem(401, "invalid_token");
    let other = app.get("/auth/sessions?page=2", &ada.access).await;
    assert_eq!(
        other.status,
        StatusCode::OK,
        "an unknown parameter says nothing"
    );
}
