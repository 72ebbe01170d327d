//! Other people's libraries at the running program: they verify its tokens, and mint what it must
//! refuse.

use std::path::Path;
use std::process::Command;

use tollgate_tests::support::interop::{SCRIPTS, copied, node, python, skipped};

use crate::quickstart::program::Place;

/// The folder that keeps the libraries.
pub(crate) const KEPT: &str = env!("CARGO_TARGET_TMPDIR");

/// Runs a script to its end. It prints a line a case, and how many there were.
fn assert_all_well(script: &mut Command, least: u32) {
    let output = script.output().unwrap();
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success() && errors.is_empty(),
        "{errors}\n{said}"
    );
    let last = said.lines().last().unwrap();
    let count = last
        .strip_suffix(" cases, 0 wrong")
        .and_then(|count| count.parse::<u32>().ok());
    assert!(count.is_some_and(|count| count >= least), "{last}");
    println!("{last}");
}

/// R8 to R14, R20, R21, R23, R34, R41 to R49.
#[test]
fn pyjwt_verifies_our_tokens_and_cannot_forge_one() {
    match python(Path::new(KEPT)) {
        Err(why) => skipped(&format!("PyJWT: {why}")),
        Ok(python) => {
            let place = Place::new();
            let program = place.start();
            let mut script = Command::new(python);
            script
                .arg(Path::new(SCRIPTS).join("pyjwt.py"))
                .arg(program.address())
                .arg(place.data().join("keys"));
            assert_all_well(&mut script, 215);
        }
    }
}

#[test]
fn jose_verifies_our_tokens_and_cannot_forge_one() {
    match node(Path::new(KEPT)) {
        Err(why) => skipped(&format!("jose: {why}")),
        Ok(folder) => {
            let place = Place::new();
            let program = place.start();
            // Modules are looked for beside the script.
            let copy = copied(&Path::new(SCRIPTS).join("jose.mjs"), &folder);
            assert_all_well(Command::new("node").arg(copy).arg(program.address()), 15);
        }
    }
}
