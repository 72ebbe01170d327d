//! `tollgate doctor`: a good deployment, and what is found in broken ones.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use tollgate_tests::support::redis::Server;

use super::running::age_keys;
use super::{Said, Tool};
use crate::quickstart::program::Place;

/// Returns the states and texts of one thing that was looked at.
fn found(said: &Said, what: &str) -> Vec<(String, String)> {
    let json: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = json["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["what"] == what)
        .map(|finding| (text(&finding["state"]), text(&finding["text"])))
        .collect()
}

#[track_caller]
fn assert_found(said: &Said, code: i32, what: &str, state: &str, words: &str) {
    assert_eq!(said.code, code, "{said:?}");
    let found = found(said, what);
    assert!(
        found
            .iter()
            .any(|(is, text)| is == state && text.contains(words)),
        "{what} {state} `{words}`: {found:?}"
    );
}

#[test]
fn a_good_deployment_has_nothing_to_say() {
    let place = Place::new();
    let _program = place.start();
    let said = Tool::of(&place).run(&["doctor", "--strict", "--json"]);
    assert_eq!(said.code, 0, "{said:?}");
    for what in [
        "settings", "store", "clock", "keys", "proxies", "cookies", "realms",
    ] {
        let found = found(&said, what);
        assert!(
            matches!(&found[..], [(state, _)] if state == "good"),
            "{what}: {found:?}"
        );
    }
}

#[test]
fn broken_settings_and_stores_are_found() {
    let place = Place::new();
    assert!(place.start().stop().success());
    let doctor = |tool: Tool| tool.run(&["doctor", "--json"]);

    let said = doctor(Tool::of(&place).variable("TOLLGATE_ACCESS__TLL", "1m"));
    assert_found(
        &said,
        1,
        "settings",
        "problem",
        "did you mean `TOLLGATE_ACCESS__TTL`",
    );
    let said = doctor(Tool::in_folder(place.data()).option("--store", "postgres://127.0.0.1:1/a"));
    assert_found(&said, 1, "store", "problem", "cannot be reached");
    assert_found(&said, 1, "keys", "warning", "--keys");
    let said = doctor(Tool::of(&place).variable("TOLLGATE_ISSUER", "https://other.example"));
    assert_found(&said, 1, "realms", "problem", "replaces.issuer");
    let said = doctor(Tool::of(&place).variable("TOLLGATE_CLIENT__PROXIES", "10.0.0.1,0.0.0.0/0"));
    assert_found(&said, 1, "proxies", "problem", "0.0.0.0/0");
    let tool = Tool::of(&place)
        .variable("TOLLGATE_COOKIES__PATH", "/auth")
        .variable("TOLLGATE_COOKIES__ORIGINS", "http://shop.example");
    assert_found(&doctor(tool), 1, "cookies", "problem", "https");
    let tool = Tool::of(&place).variable("TOLLGATE_REALMS__STAFF__AUDIENCE", "staff");
    assert_found(&doctor(tool), 0, "realms", "warning", ".realm(\"staff\")");
}

#[test]
fn fixed_tokens_and_old_or_open_keys_are_found() {
    let place = Place::new();
    assert!(place.start().stop().success());
    age_keys(&place, 91 * 24 * 60 * 60);
    let tool = Tool::of(&place).variable("TOLLGATE_REFRESH__POLICY", "fixed");
    let said = tool.run(&["doctor", "--json"]);
    assert_found(&said, 0, "keys", "warning", "tollgate keys rotate");
    assert_found(&said, 0, "refresh", "warning", "confirm_aware");
    assert_eq!(tool.run(&["doctor", "--strict"]).code, 1);

    let manifest = place.data().join("keys/manifest.json");
    fs::set_permissions(&manifest, fs::Permissions::from_mode(0o644)).unwrap();
    let said = tool.run(&["doctor", "--json"]);
    assert_found(&said, 1, "keys", "problem", "chmod 600");
    fs::remove_file(&manifest).unwrap();
    let said = tool.run(&["doctor", "--json"]);
    assert_found(&said, 1, "keys", "problem", "holds no key ring");
    assert!(!manifest.exists(), "nothing is made");
}

#[test]
fn a_redis_that_evicts_is_found() {
    let settings = ["--maxmemory-policy", "allkeys-lru"];
    let Some(server) = Server::private(&settings) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let tool = Tool::in_folder(folder.path()).option("--store", &server.url());
    let said = tool.run(&["doctor", "--json"]);
    assert_found(&said, 1, "store", "problem", "noeviction");
}
