//! `tollgate init` in an empty folder: what it writes compiles, and it overwrites nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Tool;

#[test]
fn a_program_in_an_empty_folder_compiles() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let runtime = root.join("runtime");
    let tool = Tool::in_folder(folder.path());
    let said = tool.run(&["init", "--path", runtime.to_str().unwrap()]);
    assert_eq!((said.code, &*said.errors), (0, ""), "{said:?}");
    for name in [
        "tollgate.toml",
        "tollgate.schema.json",
        "src/main.rs",
        "src/accounts.rs",
    ] {
        assert!(said.out.contains(&format!("wrote {name}\n")), "{said:?}");
    }
    // The versions of the workspace, so that nothing is downloaded.
    fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let checked = Command::new(cargo)
        .args(["check", "--quiet", "--offline", "--target-dir"])
        .arg(root.join("target"))
        .env(
            "RUSTFLAGS",
            std::env::var_os("RUSTFLAGS").unwrap_or_default(),
        )
        .current_dir(folder.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && errors.is_empty(), "{errors}");
    // The settings are those that the program reads.
    let settings = tool.json(&["settings", "explain", "issuer"]);
    assert_eq!(settings["settings"][0]["source"], "from tollgate.toml");
    assert_eq!(tool.run(&["settings", "explain"]).code, 0);
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, settings) = (
        folder.path().join("Cargo.toml"),
        folder.path().join("tollgate.toml"),
    );
    fs::write(&manifest, "[package]").unwrap();
    let tool = Tool::in_folder(folder.path());
    let said = tool.run(&["init"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("add to Cargo.toml"), "{said:?}");
    assert_eq!(fs::read_to_string(&manifest).unwrap(), "[package]");

    fs::write(&settings, "# mine").unwrap();
    tool.run(&["init"])
        .assert_refused(2, &["there already", "tollgate.toml"]);
    assert_eq!(fs::read_to_string(&settings).unwrap(), "# mine");
    tool.run(&["init", "nowhere"])
        .assert_refused(2, &["no folder"]);
    assert!(!folder.path().join("nowhere").exists());
}

/// Every line of the written settings, its mark of a comment taken away, is a setting.
#[test]
fn what_the_settings_leave_out_is_written_as_a_comment() {
    let folder = tempfile::tempdir().unwrap();
    let tool = Tool::in_folder(folder.path());
    assert_eq!(tool.run(&["init"]).code, 0);
    let path = folder.path().join("tollgate.toml");
    let text = fs::read_to_string(&path).unwrap();
    let set: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.contains(" = ") && !rest.ends_with('…') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    fs::write(&path, set).unwrap();
    let settings = tool.json(&["settings", "explain"]);
    let settings = settings["settings"].as_array().unwrap();
    assert!(settings.len() > 60);
    for setting in settings
        .iter()
        .filter(|setting| !setting["default"].is_null())
    {
        assert_eq!(setting["source"], "from tollgate.toml", "{setting}");
        assert_eq!(setting["value"], setting["default"], "{setting}");
    }
}
