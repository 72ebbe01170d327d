//! The client for browsers against the running program: types checked, in node, and in two tabs of
//! a headless Chromium; its package.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use axum::extract;
use axum::response::Html;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use tollgate::settings::Settings;
use tollgate_tests::process::{Output, TICK};
use tollgate_tests::serve::Server;
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
    for file in ["README.md", "LICENSE-APACHE", "LICENSE-MIT"] {
        fs::copy(Path::new(SOURCES).join(file), folder.join(file)).unwrap();
    }
    let _ = fs::remove_dir_all(folder.join("dist"));
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

/// Checks what `npm pack` takes: the sources, what was compiled, and the texts; nothing of tests.
fn assert_packed(folder: &Path) {
    let packed = Command::new("npm")
        .args(["pack", "--dry-run", "--json", "--ignore-scripts"])
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8(packed.stdout).unwrap();
    let list: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    let files = list[0]["files"].as_array().unwrap().iter();
    let files: BTreeSet<String> = files
        .map(|file| file["path"].as_str().unwrap().to_owned())
        .collect();
    let texts = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json"];
    let mut expected: BTreeSet<String> = texts.map(str::to_owned).into();
    for file in fs::read_dir(Path::new(SOURCES).join("src")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let stem = name.strip_suffix(".ts").unwrap();
        expected.extend([
            format!("src/{name}"),
            format!("dist/{stem}.js"),
            format!("dist/{stem}.d.ts"),
        ]);
    }
    assert_eq!(files, expected);
    for text in ["LICENSE-APACHE", "LICENSE-MIT"] {
        let root = Path::new(SOURCES).join("../..").join(text);
        let same = fs::read(Path::new(SOURCES).join(text)).unwrap() == fs::read(root).unwrap();
        assert!(same, "{text} is not that of the repository");
    }
}

/// A page with a client that uses cookies.
const TAB: &str = "<!doctype html><title>a tab</title><script type=\"module\">
  import { Client } from \"/dist/index.js\";
  globalThis.client = new Client({ url: location.origin, cookies: true });
</script>";

/// Serves the example with cookies and a second factor, access tokens of two seconds, the compiled
/// client, and the code that was sent last at `/letter`.
async fn with_steps(folder: &Path) -> Server {
    let mut settings = Settings::default();
    settings.access.ttl = Duration::from_secs(2);
    settings.leeway = Duration::from_secs(1);
    let last = Arc::<Mutex<String>>::default();
    let sent = Arc::clone(&last);
    let mail = move |_: &str, code: &str| code.clone_into(&mut sent.lock().unwrap());
    let app = cookies_browser::app_with(settings, "http://localhost", Arc::new(mail));
    let dist = folder.join("dist");
    let file = move |extract::Path(name): extract::Path<String>| async move {
        let text = fs::read_to_string(dist.join(name)).unwrap();
        ([(CONTENT_TYPE, "text/javascript")], text)
    };
    let letter = move || async move { last.lock().unwrap().clone() };
    Server::start(
        app.await
            .unwrap()
            .route("/tab", get(|| async { Html(TAB) }))
            .route("/letter", get(letter))
            .route("/dist/{name}", get(file)),
    )
    .await
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
    assert_packed(&folder);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // One for each file of tests: they run beside each other, and each reads its own letters.
    let with_steps = ["STEPS_API", "COOKIES_API"]
        .map(|variable| (variable, runtime.block_on(with_steps(&folder))));
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
    for (variable, server) in &with_steps {
        tests.env(variable, format!("http://{}", server.address));
    }
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
    let skipped = if browser.is_none() { 2 } else { 0 };
    assert!(
        said.contains("\n# fail 0\n") && said.contains(&format!("\n# skipped {skipped}\n")),
        "{said}"
    );
    let told = said
        .lines()
        .filter(|line| line.contains("refreshes in two tabs") || line.starts_with("# pass"));
    println!("{}", told.collect::<Vec<_>>().join("\n"));
}
