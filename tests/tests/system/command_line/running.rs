//! What the command line does reaches a program that runs.

use serde_json::{Value, json};
use tollgate_tests::process::wait_for;

use super::Tool;
use crate::quickstart::program::Place;

#[test]
fn a_program_that_runs_hears_of_the_end_of_a_session() {
    let place = Place::new();
    let program = place.start();
    let (ended, other) = (
        program.sign_in("ada@example.com"),
        program.sign_in("ada@example.com"),
    );
    let tool = Tool::of(&place);
    let subject = program.get("/me", &ended.access).json()["sub"].clone();
    let subject = subject.as_str().unwrap();
    let sessions = tool.json(&["sessions", "list", subject]);
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 2);
    let sid = program.get("/auth/sessions", &ended.access).json();
    let current = |entry: &&Value| entry["current"] == true;
    let sid = sid.as_array().unwrap().iter().find(current);
    let sid = sid.unwrap()["session_id"].as_str().unwrap().to_owned();

    let said = tool.run(&["sessions", "end", &sid]);
    assert_eq!(
        (said.code, &*said.out),
        (0, "1 session ended\n"),
        "{said:?}"
    );
    assert!(said.errors.contains("event: revoked"), "{said:?}");
    wait_for("the token to be refused", || {
        program.get("/me", &ended.access).status == 401
    });
    program
        .refresh(&ended.refresh)
        .assert_problem(401, "invalid_grant");
    assert_eq!(program.get("/me", &other.access).status, 200);
    tool.run(&["sessions", "end", &sid])
        .assert_refused(4, &["no live session"]);

    let said = tool.run(&["sessions", "end", "--subject", subject]);
    assert_eq!(
        (said.code, &*said.out),
        (0, "1 session ended\n"),
        "{said:?}"
    );
    wait_for("the other token to be refused", || {
        program.get("/me", &other.access).status == 401
    });
}

#[test]
fn a_pause_of_the_command_line_stops_a_program_that_runs() {
    let place = Place::new();
    let program = place.start();
    let tokens = program.sign_in("ada@example.com");
    let tool = Tool::of(&place);
    for (pause, resume) in [
        (&["pause"][..], &["resume"][..]),
        (&["pause", "--all-realms"], &["resume", "--all-realms"]),
    ] {
        assert_eq!(
            tool.json(pause),
            json!({ "paused": true, "realms": ["default"] })
        );
        wait_for("the pause", || {
            program.get("/me", &tokens.access).status == 503
        });
        tool.run(&["tokens", "mint", "1"])
            .assert_refused(3, &["paused"]);
        assert_eq!(
            tool.json(resume),
            json!({ "paused": false, "realms": ["default"] })
        );
        wait_for("the end of the pause", || {
            program.get("/me", &tokens.access).status == 200
        });
    }
}

#[test]
fn a_rotation_and_a_retired_key_reach_a_program_that_runs() {
    let place = Place::new();
    assert!(place.start().stop().success());
    let tool = Tool::of(&place);
    tool.run(&["keys", "rotate"])
        .assert_refused(2, &["15 minutes", "rotate again in"]);
    age_keys(&place, 60 * 60);
    let program = place.start();
    let before = program.sign_in("ada@example.com");
    let keys = tool.json(&["keys", "list"]);
    let sign = |state: &str| {
        let keys = keys["keys"].as_array().unwrap().iter();
        let mut found = keys.filter(|key| key["purpose"] == "sign" && key["state"] == state);
        found.next().unwrap()["name"].as_str().unwrap().to_owned()
    };
    let (current, next) = (sign("current"), sign("next"));

    let rotated = tool.json(&["keys", "rotate"]);
    assert_eq!(rotated, json!({ "current": next, "previous": current }));
    wait_for("the next key to sign", || {
        let token = program.sign_in("ada@example.com").access;
        tool.json(&["tokens", "inspect", &token])["header"]["kid"] == next
    });
    assert_eq!(program.get("/me", &before.access).status, 200);
    let published = tool.json(&["keys", "jwks"])["keys"].clone();
    assert_eq!(published.as_array().unwrap().len(), 3);

    tool.run(&["keys", "retire", &current])
        .assert_refused(2, &["no terminal", "--yes"]);
    assert_eq!(tool.run(&["keys", "retire", &current, "--yes"]).code, 0);
    wait_for("the retired key's token to be refused", || {
        program.get("/me", &before.access).status == 401
    });
    let published = tool.json(&["keys", "jwks"])["keys"].clone();
    assert_eq!(published.as_array().unwrap().len(), 2);
    tool.run(&["keys", "retire", &current, "--yes"])
        .assert_refused(4, &["no key", &next]);
}

#[test]
fn a_token_of_the_command_line_opens_a_page_until_it_is_revoked() {
    let place = Place::new();
    let program = place.start();
    let tool = Tool::of(&place);
    let said = tool.run(&[
        "tokens",
        "mint",
        "5d2d3b7e-9c7f-4c0e-8a8e-3a0d7c1c1d11",
        "--claim",
        "email=robot@example.com",
        "--claim",
        "roles=[\"admin\"]",
        "--lifetime",
        "5m",
    ]);
    assert_eq!(said.code, 0, "{said:?}");
    let token = said.out.trim();
    assert!(said.errors.contains("event: token_minted"), "{said:?}");
    assert!(!said.errors.contains(token), "an event holds no token");
    let answer = program.get("/admin/report", token);
    assert_eq!(answer.text, "for robot@example.com: all is well\n");

    let said = tool.run_with(&["tokens", "verify", "-"], token);
    assert_eq!(said.code, 0, "{said:?}");
    let listed = tool.json(&["tokens", "list", "--active"]);
    let [row] = &listed["tokens"].as_array().unwrap()[..] else {
        panic!("{listed}")
    };
    assert_eq!(row["subject"], "5d2d3b7e-9c7f-4c0e-8a8e-3a0d7c1c1d11");

    // The last letter of a signature of 64 bytes may be an `A`.
    let (rest, last) = token.split_at(token.len() - 1);
    let forged = format!("{rest}{}", if last == "A" { "Q" } else { "A" });
    for (token, why) in [(&*forged, "signature"), ("a.b.c", "signature")] {
        let said = tool.run(&["tokens", "verify", token, "--json"]);
        let json: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!((said.code, &json["active"]), (1, &json!(false)), "{said:?}");
        assert!(json["why"].as_str().unwrap().contains(why), "{said:?}");
    }
    for (words, told) in [
        (&["--claim", "sub=2"][..], "gate's own"),
        (&["--claim", "uep=0"], "gate's own"),
        (&["--claim", "a=1", "--claim", "a=2"], "twice"),
        (&["--claim", "a"], "`=`"),
        (&["--lifetime", "2d"], "access.max_ttl"),
        (&["--lifetime", "soon"], "duration"),
    ] {
        let words = [&["tokens", "mint", "1"], words].concat();
        tool.run(&words).assert_refused(2, &[told]);
    }

    let said = tool.run(&["sessions", "end", "--everything", "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    wait_for("the token to be refused", || {
        program.get("/admin/report", token).status == 401
    });
    let said = tool.run(&["tokens", "verify", token]);
    assert_eq!(
        (said.code, &*said.out),
        (1, "does not count: it was revoked\n")
    );
}

/// Makes the keys of a quickstart that has stopped older.
pub(super) fn age_keys(place: &Place, seconds: u64) {
    let path = place.data().join("keys/manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut manifest: Value = serde_json::from_str(&text).unwrap();
    for key in manifest["keys"].as_array_mut().unwrap() {
        let published = key["published_at"].as_u64().unwrap();
        key["published_at"] = json!(published - seconds * 1000);
    }
    std::fs::write(&path, manifest.to_string()).unwrap();
}
