//! Other people's libraries: fetched once, kept below the target directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tollgate_servers::left_out;

/// The folder of the scripts.
pub const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/interop");

/// Says that a library is not to be had here, which is a failure where `REQUIRE_INTEROP` is 1.
pub fn skipped(why: &str) {
    left_out(why);
    assert_ne!(
        std::env::var("REQUIRE_INTEROP").as_deref(),
        Ok("1"),
        "REQUIRE_INTEROP: {why}"
    );
}

/// Runs a command to its end.
///
/// # Errors
/// It cannot be started, or fails: what it wrote to its standard error.
pub fn runs(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Returns a folder below `kept` that holds what the file `list` asks for, and lets `make` fill it
/// where it does not.
///
/// # Errors
/// Those of `make`.
pub fn provided(
    kept: &Path,
    name: &str,
    list: &Path,
    make: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let folder = kept.join(name);
    // Tests of several binaries may want it at once: the first makes it.
    let lock = fs::File::create(kept.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
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

/// Returns a Python that has what `requirements.txt` asks for.
///
/// # Errors
/// There is no Python, or the packages cannot be had.
pub fn python(kept: &Path) -> Result<PathBuf, String> {
    let folder = provided(
        kept,
        "interop-python",
        &Path::new(SCRIPTS).join("requirements.txt"),
        |folder| {
            runs(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
            let install = [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ];
            runs(
                Command::new(folder.join("bin/python"))
                    .args(install)
                    .arg(Path::new(SCRIPTS).join("requirements.txt")),
            )
        },
    )?;
    Ok(folder.join("bin/python"))
}

/// Returns a folder in which scripts find what `package.json` asks for.
///
/// # Errors
/// There is no node, or the packages cannot be had.
pub fn node(kept: &Path) -> Result<PathBuf, String> {
    node_of(kept, "interop-node", Path::new(SCRIPTS))
}

/// Returns a folder in which scripts find what the `package.json` of a folder asks for.
///
/// # Errors
/// There is no node, or the packages cannot be had.
pub fn node_of(kept: &Path, name: &str, scripts: &Path) -> Result<PathBuf, String> {
    runs(Command::new("node").arg("--version"))?;
    let list = scripts.join("package.json");
    provided(kept, name, &list, |folder| {
        fs::copy(&list, folder.join("package.json")).unwrap();
        runs(
            Command::new("npm")
                .args(["install", "--silent", "--no-audit", "--no-fund"])
                .current_dir(folder),
        )
    })
}

/// Copies a script into a folder that other test processes read too, and returns where it is.
///
/// The copy appears whole: it is written beside its place and moved there.
///
/// # Panics
/// The file cannot be read, or the folder cannot be written to.
#[must_use]
pub fn copied(script: &Path, folder: &Path) -> PathBuf {
    let name = script.file_name().unwrap().to_str().unwrap();
    let place = folder.join(name);
    let beside = folder.join(format!("{}-{name}", std::process::id()));
    fs::copy(script, &beside).unwrap();
    fs::rename(&beside, &place).unwrap();
    place
}
