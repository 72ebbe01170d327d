//! What the command line writes of settings: the schema, the values with their sources, and the
//! documents that follow from them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Tool;

#[test]
fn settings_are_explained_with_their_sources_and_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "[store]\nurl = 'postgres://tollgate:hunter2@db/app'\n[realms.staff.access]\nttl = '1m'";
    fs::write(folder.path().join("tollgate.toml"), text).unwrap();
    let tool = Tool::in_folder(folder.path()).variable("TOLLGATE_ACCESS__TTL", "5m");
    let all = tool.run(&["settings", "explain"]);
    assert_eq!(all.code, 0, "{all:?}");
    assert!(
        all.out.contains("[redacted]") && !all.out.contains("hunter2"),
        "{all:?}"
    );
    let ttl = |words: &[&str]| tool.json(words)["settings"][0].clone();
    let top = ttl(&["settings", "explain", "access.ttl"]);
    assert_eq!(
        (
            &top["value"],
            &top["source"],
            &top["default"],
            &top["variable"]
        ),
        (
            &"5m".into(),
            &"from TOLLGATE_ACCESS__TTL".into(),
            &"10m".into(),
            &"TOLLGATE_ACCESS__TTL".into()
        )
    );
    let staff = ttl(&["settings", "explain", "access.ttl", "--realm", "staff"]);
    assert_eq!(staff["value"], "1m");
}

#[test]
fn the_schema_is_the_one_beside_the_documentation() {
    let folder = tempfile::tempdir().unwrap();
    let tool = Tool::in_folder(folder.path());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let written = fs::read_to_string(root.join("docs/reference/tollgate.schema.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(tool.json(&["settings", "schema"]), written);
    let realm = &written["properties"]["realms"]["additionalProperties"]["properties"];
    assert_eq!(realm["refresh"]["properties"]["policy"]["enum"][3], "fixed");
}

#[test]
fn documents_and_completions_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let tool = Tool::in_folder(folder.path());
    let document = tool.json(&["openapi", "--login", "username"]);
    assert!(
        document["paths"]["/auth/signin"]["post"].is_object(),
        "{document}"
    );
    assert!(document.to_string().contains("username"));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = tool.run(&["completions", shell]);
        assert_eq!((said.code, &*said.errors), (0, ""), "{said:?}");
        assert!(said.out.contains("sessions"), "{shell}");
    }
    let said = tool.run(&["sessions", "--help"]);
    assert_eq!((said.code, &*said.errors), (0, ""), "{said:?}");
    let said = tool.run(&["--version"]);
    assert_eq!(
        said.out,
        format!("tollgate {}\n", env!("CARGO_PKG_VERSION"))
    );
}
