//! A crate outside the workspace uses every option through a dependency under another name.

use std::path::{Path, PathBuf};
use std::process::Command;

/// `cargo` in the folder of that crate, offline, with the versions and the artifacts of this
/// workspace.
fn cargo(command: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let outside = here.join("outside");
    std::fs::copy(here.join("../Cargo.lock"), outside.join("Cargo.lock")).unwrap();
    // `tmp` lies in the target folder.
    let target: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .unwrap()
        .to_owned();
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([command, "--offline", "--quiet", "--target-dir"])
        .arg(target)
        .current_dir(outside)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo {command}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn every_option_works_in_a_crate_that_renamed_tollgate() {
    // Clippy first: it reads what the expansions add as if its user had written it.
    cargo("clippy");
    cargo("run");
}
