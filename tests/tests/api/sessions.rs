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
