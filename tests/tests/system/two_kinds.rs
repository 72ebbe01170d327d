//! The example with two kinds of users: the lines that it prints, pasted into a shell.

use std::process::Command;

use serde_json::{Value, json};
use tollgate_tests::PASSWORD;

use crate::quickstart::program::{Place, Program};

#[test]
fn two_kinds_of_users_are_apart_in_one_program() {
    let place = Place::of("two-kinds");
    let program = place.start();
    let banner = program.banner();
    let (_, lines) = banner.split_once("line by line:\n").unwrap();
    let shell = Command::new("bash")
        .args(["--noprofile", "--norc", "-c", lines])
        .output()
        .unwrap();
    let said = String::from_utf8(shell.stdout).unwrap();
    assert!(
        shell.status.success() && shell.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&shell.stderr)
    );
    let statuses: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
        .collect();
    assert_eq!(
        statuses,
        [
            "200 OK",
            "200 OK",
            "401 Unauthorized",
            "401 Unauthorized",
            "200 OK",
            "200 OK"
        ],
        "{said}"
    );
    let bodies: Vec<Value> = said
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let [ada, grace, me, staff_me, at_staff, at_shop, new, document] = &bodies[..] else {
        panic!("{said}")
    };
    assert_ne!(ada["session_id"], grace["session_id"]);
    assert_eq!(
        (&me["sub"], &me["email"]),
        (&"1".into(), &"ada@example.com".into())
    );
    assert_eq!(
        (&staff_me["sub"], &staff_me["email"]),
        (&"1".into(), &"grace@example.com".into())
    );
    for refused in [at_staff, at_shop] {
        assert_eq!(refused["code"], "invalid_token");
    }
    assert!(
        new["access_token"].is_string(),
        "a new customer is signed in"
    );
    for path in ["/auth/signin", "/staff/auth/signin", "/me", "/staff/me"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
}

/// The issuer stays the same on another port, for both gates.
#[test]
fn two_kinds_start_again_on_another_port() {
    let place = Place::of("two-kinds");
    let sign_in = |program: &Program, path: &str, email: &str| {
        let login = json!({ "email": email, "password": PASSWORD });
        program.post(path, &login).tokens().access
    };
    let program = place.start();
    let ada = sign_in(&program, "/auth/signin", "ada@example.com");
    let grace = sign_in(&program, "/staff/auth/signin", "grace@example.com");
    assert!(program.stop().success());

    let elsewhere = Place::of("two-kinds").keeping_data_in(place.data().to_owned());
    let program = elsewhere.start();
    assert_eq!(program.get("/me", &ada).status, 200);
    assert_eq!(program.get("/staff/me", &grace).status, 200);
}

#[test]
fn accounts_start_again_on_another_port() {
    let place = Place::of("accounts");
    drop(place.start());
    let elsewhere = Place::of("accounts").keeping_data_in(place.data().to_owned());
    let program = elsewhere.start();
    program
        .get("/me", "nothing")
        .assert_problem(401, "invalid_token");
}
