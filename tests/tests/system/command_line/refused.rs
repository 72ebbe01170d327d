//! Bad input: one line that says what and what to do, an exit code, and nothing changed.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Tool;
use crate::quickstart::program::Place;

/// Returns every file below a folder with a hash of its content.
fn content(folder: &Path) -> BTreeMap<PathBuf, u64> {
    // Writes of the program may still be in the write-ahead log, and closing the database moves
    // them: they are moved first.
    let store = folder.join("tollgate.db");
    if store.exists() {
        let store = rusqlite::Connection::open(store).unwrap();
        let moved = store.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0));
        assert_eq!(moved, Ok(0), "somebody has the database open");
    }
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(content(&path)),
            // Readers too write the index of a write-ahead log.
            false if path.to_string_lossy().ends_with("-shm") => {}
            false => _ = found.insert(path.clone(), hash(&path)),
        }
    }
    found
}

fn hash(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    fs::read(path).unwrap().hash(&mut hasher);
    hasher.finish()
}

#[test]
fn what_cannot_be_used_is_refused_in_one_line_and_nothing_changes() {
    let place = Place::new();
    assert!(place.start().stop().success());
    let data = place.data().display().to_string();
    fs::write(place.data().join("garbage.db"), "no database").unwrap();
    fs::write(place.data().join("bad.toml"), "isuer = 'a'").unwrap();
    let store = format!("sqlite:{data}/tollgate.db");
    let keys = format!("{data}/keys");
    let before = content(place.data());
    let tool = Tool::in_folder(place.data());
    let (garbage, none) = (
        format!("sqlite:{data}/garbage.db"),
        format!("sqlite:{data}/none.db"),
    );
    let other = format!("sqlite:{data}/app.db");
    for (words, code, told) in [
        (
            &["--store", &none, "pause"][..],
            2,
            &["none.db", "cannot be opened"][..],
        ),
        (
            &["--store", &garbage, "pause"],
            3,
            &["garbage.db", "database"],
        ),
        (
            &["--store", &other, "pause"],
            2,
            &["no tables", "store.url"],
        ),
        (
            &["--store", "postgres://127.0.0.1:1/a", "pause"],
            3,
            &["cannot be reached"],
        ),
        (
            &["--store", "redis://127.0.0.1:1", "pause"],
            3,
            &["cannot be reached"],
        ),
        (
            &["--store", "memory:", "pause"],
            2,
            &["memory of the program"],
        ),
        (&["--store", "oracle:x", "pause"], 2, &["store.url"]),
        (&["pause"], 2, &["store.url", "--store"]),
        (
            &["--store", &store, "--realm", "staff", "pause"],
            4,
            &["`staff`", "--realm"],
        ),
        (
            &["--store", &store, "--realm", "Staff", "pause"],
            2,
            &["no name of a realm"],
        ),
        (
            &["--store", &store, "--config", "none.toml", "pause"],
            2,
            &["none.toml"],
        ),
        (
            &["--store", &store, "--config", "bad.toml", "pause"],
            2,
            &["isuer", "issuer"],
        ),
        (
            &["--store", &store, "sessions", "end", "nonsense"],
            2,
            &["no id of a session"],
        ),
        (&["--store", &store, "sessions", "end"], 2, &["--help"]),
        (
            &["--store", &store, "sessions", "end", "--everything"],
            2,
            &["--yes"],
        ),
        (
            &[
                "--store",
                &store,
                "sessions",
                "end",
                "--everything",
                "--all-realms",
            ],
            2,
            &["--yes"],
        ),
        (&["--store", &store, "tokens", "mint", "1"], 2, &["--keys"]),
        (
            &["--store", &store, "--keys", "none", "tokens", "mint", "1"],
            2,
            &["no key ring"],
        ),
        (
            &["--keys", "none", "keys", "rotate"],
            2,
            &["none", "--keys"],
        ),
        (&["--keys", &keys, "keys", "rotate"], 2, &["15 minutes"]),
        (&["keys", "list"], 2, &["--keys"]),
        (
            &[
                "--store",
                &store,
                "--ring-secret",
                "NO_SUCH",
                "keys",
                "list",
            ],
            3,
            &["NO_SUCH"],
        ),
        (
            &[
                "--store", &store, "--keys", &keys, "keys", "retire", "seal-9", "--yes",
            ],
            4,
            &["seal-9", "seal-1"],
        ),
        (
            &["--store", &store, "archive", "--age", "soon"],
            2,
            &["--age"],
        ),
        (&["tokens", "inspect", "nonsense"], 2, &["no JWT"]),
        (&["settings", "explain", "acess"], 4, &["acess"]),
        (
            &["--store", "redis://127.0.0.1:1", "migrate", "--print"],
            2,
            &["no tables"],
        ),
        // An id may begin with a hyphen, and is no option all the same.
        (
            &[
                "--store",
                &store,
                "sessions",
                "end",
                "-AAAAAAAAAAAAAAAAAAAAA",
            ],
            4,
            &["no live session"],
        ),
        (&["kyes"], 2, &["kyes", "--help"]),
        (&[], 2, &["command", "--help"]),
    ] {
        tool.run(words).assert_refused(code, told);
    }
    assert_eq!(content(place.data()), before);
    let said = tool.run(&["--json", "--store", &none, "pause"]);
    let error: serde_json::Value = serde_json::from_str(&said.errors).unwrap();
    assert_eq!((said.code, &error["exit"]), (2, &2.into()), "{said:?}");
    place.start();
}

/// A process that was killed while it rotated leaves a key without a line in the manifest, which
/// nothing needs; a key that the manifest names and that is gone is said.
#[test]
fn half_a_rotation_is_completed_and_a_lost_key_is_named() {
    let place = Place::new();
    assert!(place.start().stop().success());
    super::running::age_keys(&place, 60 * 60);
    let (keys, tool) = (place.data().join("keys"), Tool::of(&place));
    let files = || -> Vec<PathBuf> {
        let entries = fs::read_dir(&keys)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries.filter(|path| is_key(path)).collect();
        files.sort();
        files
    };
    let count = files().len();
    let half = keys.join("seal-3.key");
    let named = files()
        .into_iter()
        .find(|path| shown(path).contains("seal"))
        .unwrap();
    let half = half.with_extension(named.extension().unwrap_or_default());
    fs::copy(&named, &half).unwrap();
    assert_eq!(tool.run(&["keys", "rotate"]).code, 0);
    assert_eq!(files().len(), count + 3, "one key more for each purpose");
    assert_eq!(tool.run(&["keys", "list"]).code, 0);

    let named = files()
        .into_iter()
        .find(|path| shown(path).contains("seal"))
        .unwrap();
    fs::remove_file(&named).unwrap();
    let before = content(place.data());
    for words in [
        &["keys", "rotate"][..],
        &["keys", "list"],
        &["tokens", "mint", "1"],
    ] {
        tool.run(words).assert_refused(3, &[&shown(&named)]);
    }
    assert_eq!(content(place.data()), before);
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn is_key(path: &Path) -> bool {
    ["sign-", "refresh-", "seal-"]
        .iter()
        .any(|purpose| shown(path).starts_with(purpose))
}

/// What a process of another user writes, the program could not read.
#[test]
fn files_of_another_user_are_left_alone() {
    if !crate::quickstart::program::runs_as_root(&std::env::temp_dir()) {
        return;
    }
    let place = Place::new().run_by_nobody();
    assert!(place.start().stop().success());
    let tool = Tool::of(&place);
    for words in [
        &["pause"][..],
        &["keys", "rotate"],
        &["keys", "retire", "seal-1", "--yes"],
    ] {
        tool.run(words)
            .assert_refused(2, &["belongs to the user 65534", "sudo -u"]);
    }
}

/// An answer that is lost is no success: a token that was minted may be the only copy.
#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        return;
    };
    let place = Place::new();
    assert!(place.start().stop().success());
    let tool = Tool::of(&place);
    for words in [
        &["tokens", "mint", "1"][..],
        &["settings", "schema"],
        &["--help"],
    ] {
        let mut said = tool.run_into(words, full.try_clone().unwrap());
        // A token that was made is reported all the same.
        let is_event = |line: &&str| line.starts_with("event: ");
        let errors: Vec<_> = said.errors.lines().filter(|line| !is_event(line)).collect();
        said.errors = errors.join("\n");
        said.assert_refused(3, &["cannot be written", "space"]);
    }
    let said = tool.run_into(&["--json", "settings", "schema"], full);
    let error: serde_json::Value = serde_json::from_str(&said.errors).unwrap();
    assert_eq!((said.code, &error["exit"]), (3, &3.into()), "{said:?}");
    // A reader that went away wanted no more.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let said = tool.run_into(&["settings", "schema"], writer);
    assert_eq!((said.code, &*said.errors), (0, ""), "{said:?}");
}

/// A pause ends by itself, so to ask again later helps.
#[test]
fn no_token_is_minted_during_a_pause() {
    let place = Place::new();
    assert!(place.start().stop().success());
    let tool = Tool::of(&place);
    assert_eq!(tool.run(&["pause"]).code, 0);
    tool.run(&["tokens", "mint", "1"])
        .assert_refused(3, &["paused", "tollgate resume"]);
    assert_eq!(
        tool.json(&["tokens", "list"])["tokens"],
        serde_json::json!([])
    );
    assert_eq!(tool.run(&["resume"]).code, 0);
    assert_eq!(tool.run(&["tokens", "mint", "1"]).code, 0);
}

/// A token of a stranger cannot steer the terminal of who looks at it.
#[test]
fn what_a_stranger_wrote_into_a_token_is_escaped() {
    let tool = Tool::in_folder(&std::env::temp_dir());
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let name = "\u{9b}31m\u{7f}\u{85}\\u001b";
    let claims = format!("{{\"sub\":\"{name}\",\"{name}\":[\"{name}\"]}}");
    let token = format!("{}.{}.c2ln", part("{\"kid\":\"\u{9b}\"}"), part(&claims));
    for words in [
        &["tokens", "inspect", &token][..],
        &["--json", "tokens", "inspect", &token],
    ] {
        let said = tool.run(words);
        assert_eq!(said.code, 0, "{said:?}");
        let is_raw = |c: char| c.is_control() && c != '\n';
        assert!(!said.out.contains(is_raw), "{said:?}");
        assert_eq!(
            said.out.matches("\\u009b31m\\u007f\\u0085\\u001b").count(),
            3,
            "{said:?}"
        );
    }
    let json = tool.json(&["tokens", "inspect", &token]);
    assert_eq!(json["claims"]["sub"], "\u{9b}31m\u{7f}\u{85}\u{1b}");
    // An error that repeats what it was given is one line all the same.
    tool.run(&["settings", "explain", "\u{9b}a"])
        .assert_refused(4, &["\\u{9b}a"]);
    tool.run(&["--config", "\u{9b}a", "settings", "explain"])
        .assert_refused(2, &["\\u{9b}a"]);
}
