//! The client for browsers against the running program: types checked, in node, and in two tabs of
//! a headless Chromium.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tollgate_tests::process::{Output, TICK};
use tollgate_tests::support::interop::{provided, runs, skipped};

use crate::quickstart::interop::KEPT;
use crate::quickstart::program::Place;

/// The folder of its sources.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients/typescript");

/// A folder with the client in it, compiled, and its tests.
fn compiled() -> Result<PathBuf, String> {
    runs(Command::new("node").arg("--version"))?;
    let list = Path::new(SOURCES).join("package.json");
    let folder = provided(Path::new(KEPT), "helper-node", &list, |folder| {
        fs::copy(&list, folder.join("package.json")).unwrap();
        runs(
            Command::new("npm")
                .args(["install", "--silent", "--no-audit", "--no-fund"])
                .current_dir(folder),
        )
    })?;
    fs::copy(
        Path::new(SOURCES).join("tsconfig.json"),
        folder.join("tsconfig.json"),
    )
    .unwrap();
    for part in ["src", "test"] {
        let _ = fs::remove_dir_all(folder.join(part));
        fs::create_dir(folder.join(part)).unwrap();
        for file in fs::read_dir(Path::new(SOURCES).join(part)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.join(part).join(file.file_name())).unwrap();
        }
    }
    let checked = Command::new("node")
        .args(["node_modules/typescript/bin/tsc"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
    Ok(folder)
}

/// A Chromium without a window.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = [
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
    ];
    let mut programs = names
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)));
    programs.find(|program| program.is_file())
}

#[test]
fn the_client_for_browsers_keeps_its_word() {
    let folder = match compiled() {
        Ok(folder) => folder,
        Err(why) => return skipped(&format!("the client for browsers: {why}")),
    };
    // Tokens that live shortly, so that they are refreshed often.
    let place = Place::new()
        .set("TOLLGATE_ACCESS__TTL", "2s")
        .set("TOLLGATE_LEEWAY", "1s");
    let program = place.start();
    let mut tests = Command::new("node");
    tests.args([
        "--test",
        "--test-reporter",
        "tap",
        "test/client.test.mjs",
        "test/program.test.mjs",
        "test/browser.test.mjs",
    ]);
    tests.current_dir(folder).env("API", program.address());
    let browser = chromium();
    match &browser {
        Some(browser) => _ = tests.env("CHROMIUM", browser),
        None => skipped("two tabs of a browser: there is no Chromium"),
    }
    let mut tests = tests
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (out, errors) = (
        Output::of(tests.stdout.take().unwrap()),
        Output::of(tests.stderr.take().unwrap()),
    );
    let start = Instant::now();
    let status = loop {
        if let Some(status) = tests.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > Duration::from_secs(120) {
            tests.kill().unwrap();
            panic!("it takes too long: {}{}", out.text(), errors.text());
        }
        sleep(TICK);
    };
    let said = out.end();
    assert!(status.success(), "{said}{}", errors.end());
    let skipped = usize::from(browser.is_none());
    assert!(
        said.contains("\n# fail 0\n") && said.contains(&format!("\n# skipped {skipped}\n")),
        "{said}"
    );
    let told = said
        .lines()
        .filter(|line| line.contains("refreshes in two tabs") || line.starts_with("# pass"));
    println!("{}", told.collect::<Vec<_>>().join("\n"));
}
