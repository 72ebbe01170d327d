//! Other people's libraries at the running program: they verify its tokens, and mint what it must refuse.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::Place;

/// Where the scripts lie.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/interop");

/// Says that a library is not to be had here, which is a failure where `REQUIRE_INTEROP` is 1.
pub(crate) fn skip(why: &str) {
    println!("skipped: {why}");
    assert_ne!(std::env::var("REQUIRE_INTEROP").as_deref(), Ok("1"), "REQUIRE_INTEROP: {why}");
}

pub(crate) fn runs(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// A folder below the target directory that holds what `list` asks for; made by `make` where it does not.
pub(crate) fn provided(name: &str, list: &Path, make: impl FnOnce(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let wanted = fs::read_to_string(list).unwrap();
    let made = folder.join("made-for");
    if fs::read_to_string(&made).ok().as_ref() != Some(&wanted) {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        make(&folder)?;
        fs::write(made, wanted).unwrap();
    }
    Ok(folder)
}

/// A Python that has what `requirements.txt` asks for.
fn python() -> Result<PathBuf, String> {
    let folder = provided("interop-python", &Path::new(SCRIPTS).join("requirements.txt"), |folder| {
        runs(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        runs(Command::new(folder.join("bin/python")).args(install).arg(Path::new(SCRIPTS).join("requirements.txt")))
    })?;
    Ok(folder.join("bin/python"))
}

/// A folder in which `jose.mjs` finds what `package.json` asks for.
fn node() -> Result<PathBuf, String> {
    runs(Command::new("node").arg("--version"))?;
    provided("interop-node", &Path::new(SCRIPTS).join("package.json"), |folder| {
        fs::copy(Path::new(SCRIPTS).join("package.json"), folder.join("package.json")).unwrap();
        runs(Command::new("npm").args(["install", "--silent", "--no-audit", "--no-fund"]).current_dir(folder))
    })
}

/// Runs a script to its end. It prints a line a case, and how many there were.
fn assert_all_well(script: &mut Command, least: u32) {
    let output = script.output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && errors.is_empty(), "{errors}\n{said}");
    let last = said.lines().last().unwrap();
    let count = last.strip_suffix(" cases, 0 wrong").and_then(|count| count.parse::<u32>().ok());
    assert!(count.is_some_and(|count| count >= least), "{last}");
    println!("{last}");
}

/// R8 to R14, R20, R21, R23, R34, R41 to R49.
#[test]
fn pyjwt_verifies_our_tokens_and_cannot_forge_one() {
    match python() {
        Err(why) => skip(&format!("PyJWT: {why}")),
        Ok(python) => {
            let place = Place::new();
            let program = place.start();
            let mut script = Command::new(python);
            script.arg(Path::new(SCRIPTS).join("pyjwt.py")).arg(program.address()).arg(place.data().join("keys"));
            assert_all_well(&mut script, 215);
        }
    }
}

#[test]
fn jose_verifies_our_tokens_and_cannot_forge_one() {
    match node() {
        Err(why) => skip(&format!("jose: {why}")),
        Ok(folder) => {
            let place = Place::new();
            let program = place.start();
            // Modules are looked for beside the script.
            let copy = folder.join("jose.mjs");
            fs::copy(Path::new(SCRIPTS).join("jose.mjs"), &copy).unwrap();
            assert_all_well(Command::new("node").arg(copy).arg(program.address()), 15);
        }
    }
}
