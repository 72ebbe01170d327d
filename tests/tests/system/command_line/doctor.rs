//! `tollgate doctor`: a good deployment, and what is found in broken ones.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use tollgate_tests::support::redis::Server;

use super::running::age_keys;
use super::{Said, Tool, beside};
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

/// Without `--realm` every realm is looked at, also one that no gate has opened yet.
#[test]
fn broken_settings_of_a_realm_are_found() {
    let place = Place::new();
    assert!(place.start().stop().success());
    let file = place.data().join("tollgate.toml");
    let doctor = |text: &str| {
        fs::write(&file, text).unwrap();
        let file = file.display().to_string();
        let tool = Tool::of(&place).option("--config", &file);
        tool.run(&["doctor", "--json"])
    };
    let said = doctor("[realms.staff.access]\nttl = \"2h\"\nmax_ttl = \"1h\"\n");
    assert_found(&said, 1, "settings", "problem", "realm `staff`: ");
    assert_found(&said, 1, "settings", "problem", "access.max_ttl");
    let said = doctor("[realms.staff.keys]\naccept_new = true\n");
    let parts = "`keys.accept_new` is set inside the realm";
    assert_found(&said, 0, "settings", "warning", parts);
    let said = doctor("[realms.staff]\nstore.url = \"memory:\"\n");
    assert_found(
        &said,
        0,
        "settings",
        "warning",
        "realm `staff`: `store.url`",
    );
    let said = doctor("[realms.staff.refresh]\npolicy = \"fixed\"\n");
    assert_found(&said, 0, "refresh", "warning", "realm `staff`: ");
    // What the top level has is told once, and a realm that is good is not told.
    let said = doctor("refresh.policy = \"fixed\"\n[realms.staff]\naccess.ttl = \"5m\"\n");
    assert_eq!(found(&said, "refresh").len(), 1, "{said:?}");
    let settings = found(&said, "settings");
    assert!(
        matches!(&settings[..], [(state, _)] if state == "good"),
        "{settings:?}"
    );
}

/// A realm of the store whose issuer is another one in the settings.
#[tokio::test]
async fn the_issuer_of_each_realm_is_compared_with_the_store() {
    let folder = tempfile::tempdir().unwrap();
    beside(folder.path())
        .await
        .change(|gate| gate.realm("staff").issuer("https://staff.example.com"))
        .build()
        .await;
    let doctor = |issuer: &str| {
        let name = "TOLLGATE_REALMS__STAFF__ISSUER";
        let tool = Tool::beside(folder.path()).variable(name, issuer);
        tool.run(&["doctor", "--json"])
    };
    let said = doctor("https://other.example.com");
    assert_found(&said, 1, "realms", "problem", "realm `staff`: `issuer`");
    let said = doctor("https://staff.example.com");
    let realms = found(&said, "realms");
    assert!(
        realms.iter().all(|(_, text)| !text.contains("`issuer`")),
        "{realms:?}"
    );
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
