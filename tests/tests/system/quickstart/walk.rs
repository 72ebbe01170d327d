//! The main job from end to end: sign in, who am I, what may I, new tokens, sign out, and a program
//! that is killed in between.

use serde_json::{Value, json};
use tollgate_tests::PASSWORD;

use crate::quickstart::program::{Place, post};

#[test]
fn both_users_sign_in_and_only_the_admin_sees_the_report() {
    let place = Place::new();
    let program = place.start();
    for (email, role) in [
        ("ada@example.com", "admin"),
        ("grace@example.com", "editor"),
    ] {
        let tokens = program.sign_in(email);
        let me = program.get("/me", &tokens.access);
        assert_eq!(me.status, 200);
        // The claims, and nothing else: neither the password's hash nor what the gate wrote.
        let Value::Object(claims) = me.json() else {
            panic!("{}", me.text)
        };
        assert_eq!(claims.keys().collect::<Vec<_>>(), ["email", "roles", "sub"]);
        assert_eq!(
            (&claims["email"], &claims["roles"]),
            (&json!(email), &json!([role]))
        );

        let report = program.get("/admin/report", &tokens.access);
        if role == "admin" {
            assert_eq!(
                (report.status.as_u16(), report.text.as_str()),
                (200, "for ada@example.com: all is well\n")
            );
        } else {
            report.assert_problem(403, "forbidden");
        }
    }
}

/// R117.
#[test]
fn who_is_disabled_unknown_or_wrong_gets_the_same_bytes() {
    let place = Place::new();
    let program = place.start();
    let refusals = [
        ("mallory@example.com", PASSWORD),
        ("mallory@example.com", "wrong"),
        ("ada@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
    ]
    .map(|(email, password)| {
        let bytes = program.exchange(&post(
            "/auth/signin",
            &json!({ "email": email, "password": password }),
        ));
        let text = String::from_utf8(bytes).unwrap();
        text.lines()
            .filter(|line| !line.starts_with("date: "))
            .collect::<Vec<_>>()
            .join("\n")
    });
    assert!(
        refusals[0].starts_with("HTTP/1.1 401 ")
            && refusals[0].contains("\"code\":\"invalid_credentials\"")
    );
    assert!(
        refusals.iter().all(|refusal| *refusal == refusals[0]),
        "{refusals:#?}"
    );
}

#[test]
fn a_session_lives_through_kills_until_it_is_signed_out() {
    let place = Place::new();
    let mut program = place.start();
    let first = program.sign_in("ada@example.com");

    drop(program);
    program = place.start();
    assert_eq!(program.get("/me", &first.access).status, 200);
    let second = program.refresh(&first.refresh).tokens();
    assert_eq!(second.session, first.session);
    assert_ne!(second.refresh, first.refresh);

    drop(program);
    program = place.start();
    // Neither forgets what it gave before the end: the access tokens hold, the replaced refresh
    // token has its successor.
    assert_eq!(program.get("/me", &first.access).status, 200);
    assert_eq!(program.get("/admin/report", &second.access).status, 200);
    assert_eq!(
        program.refresh(&first.refresh).tokens().refresh,
        second.refresh
    );

    assert_eq!(program.post_as("/auth/signout", &second.access).status, 204);
    for access in [&first.access, &second.access] {
        program
            .get("/me", access)
            .assert_problem(401, "invalid_token");
    }
    drop(program);
    program = place.start();
    for access in [&first.access, &second.access] {
        program
            .get("/me", access)
            .assert_problem(401, "invalid_token");
    }
    for refresh in [&first.refresh, &second.refresh] {
        program
            .refresh(refresh)
            .assert_problem(401, "invalid_grant");
    }
    assert!(program.stop().success());
}

#[test]
fn a_stopped_program_leaves_its_sessions_too() {
    let place = Place::new();
    let program = place.start();
    let tokens = program.sign_in("grace@example.com");
    assert!(program.stop().success());
    let program = place.start();
    assert_eq!(program.get("/me", &tokens.access).status, 200);
    assert_eq!(program.refresh(&tokens.refresh).status, 200);
}

#[test]
fn the_public_keys_have_no_private_parts() {
    let place = Place::new();
    let program = place.start();
    let keys = program.get("/.well-known/jwks.json", "nothing");
    assert_eq!(keys.headers["content-type"], "application/jwk-set+json");
    let keys = keys.json();
    let keys = keys["keys"].as_array().unwrap();
    // The key that signs, and the one that will.
    assert_eq!(keys.len(), 2);
    for key in keys {
        let members: Vec<&String> = key.as_object().unwrap().keys().collect();
        assert!(
            members
                .iter()
                .all(|name| ["kty", "crv", "x", "alg", "use", "kid"].contains(&name.as_str())),
            "{members:?}"
        );
    }
}
