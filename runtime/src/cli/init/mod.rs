//! `tollgate init`: writes what a program starts from, and overwrites nothing but the program of
//! `cargo new`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use serde_json::json;

use super::args::Init;
use super::output::{Done, Exit, Failure};
use crate::settings::{Settings, file_schema};

/// The backend, whose users are a list until the application has its own.
const ACCOUNTS: &str = include_str!("accounts.rs.txt");
/// The program.
const MAIN: &str = include_str!("main.rs.txt");
/// The `main.rs` that `cargo new` writes; `init` replaces it only if nobody changed it.
const HELLO_WORLD: &str = "fn main() {\n    println!(\"Hello, world!\");\n}\n";
/// The paths that version control leaves out: above all the private keys.
const IGNORED: [&str; 3] = ["/target", "/keys", "/auth.db*"];

/// The change that `init` makes to one file.
enum Change {
    /// It is not there yet.
    Write,
    /// It is the program of `cargo new`, as cargo wrote it.
    Replace,
    /// These lines are added at its end.
    Append(String),
    /// It stays as it is.
    Keep,
}

pub(super) fn run(wanted: &Init) -> Result<Done, Failure> {
    let folder = &wanted.folder;
    let about = std::fs::metadata(folder);
    if !about.is_ok_and(|about| about.is_dir()) {
        return Err(Failure::usage(format!(
            "`{}` is no folder: make it first",
            folder.display()
        )));
    }
    // A path that is relative to the working directory means something else in another folder.
    let source = wanted
        .path
        .as_deref()
        .map(|path| match folder == Path::new(".") {
            true => path.to_owned(),
            false => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
        });
    let block = dependencies(source.as_deref())?;
    let files = [
        ("tollgate.toml", settings()),
        ("tollgate.schema.json", format!("{:#}\n", file_schema())),
        ("src/accounts.rs", ACCOUNTS.to_owned()),
        (PROGRAM, MAIN.to_owned()),
        (MANIFEST, manifest(folder, &block)),
        (IGNORE, IGNORED.map(|line| format!("{line}\n")).concat()),
    ];
    refuse_workspace(folder)?;
    // Everything is read before anything is written, so that a file that cannot be read changes
    // nothing.
    let mut planned = Vec::new();
    for (name, text) in files {
        planned.push((name, change(&folder.join(name), name, &block)?, text));
    }
    if planned
        .iter()
        .all(|(_, change, _)| matches!(change, Change::Keep))
    {
        let names: Vec<&str> = planned.iter().map(|(name, ..)| *name).collect();
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "every file is there already ({}), and none was changed: name another folder",
                names.join(", ")
            ),
        ));
    }
    let mut said = String::new();
    let (mut written, mut replaced, mut appended, mut kept) = (vec![], vec![], vec![], vec![]);
    for (name, change, text) in &planned {
        apply(&folder.join(name), change, text).map_err(|why| so_far(&said, &why))?;
        match change {
            Change::Write => {
                said += &format!("wrote {name}\n");
                written.push(*name);
            }
            Change::Replace => {
                said += &format!("replaced {name}, which was as `cargo new` writes it\n");
                replaced.push(*name);
            }
            Change::Append(lines) => {
                let lines: Vec<&str> = lines.split_whitespace().collect();
                said += &match *name {
                    IGNORE => format!("added {} to {name}\n", lines.join(", ")),
                    _ => format!("added the dependencies to {name}\n"),
                };
                appended.push(*name);
            }
            Change::Keep => {
                said += &format!("left {name} as it is\n");
                kept.push(*name);
            }
        }
    }
    said += &next(folder, &kept, &block);
    Ok(Done::new(
        said,
        json!({
            "written": written, "replaced": replaced, "appended": appended, "kept": kept,
            "dependencies": block,
        }),
    ))
}

/// The names of the files that are not always written as they are.
const PROGRAM: &str = "src/main.rs";
const MANIFEST: &str = "Cargo.toml";
const IGNORE: &str = ".gitignore";

/// Decides what happens to a file.
fn change(path: &Path, name: &str, block: &str) -> Result<Change, Failure> {
    let there = match std::fs::read(path) {
        Ok(there) => there,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Change::Write),
        Err(error) => {
            return Err(Failure::usage(format!(
                "`{}` cannot be read: {error}",
                path.display()
            )));
        }
    };
    let text = String::from_utf8_lossy(&there);
    let missing = match name {
        PROGRAM if there == HELLO_WORLD.as_bytes() => return Ok(Change::Replace),
        // The manifest of `cargo new` ends with the empty table.
        MANIFEST if text.trim_end().ends_with("\n[dependencies]") => block.to_owned(),
        IGNORE => IGNORED
            .into_iter()
            .filter(|line| !is_ignored(&text, line))
            .map(|line| format!("{line}\n"))
            .collect(),
        _ => String::new(),
    };
    if missing.is_empty() {
        return Ok(Change::Keep);
    }
    let end = if there.is_empty() || there.ends_with(b"\n") {
        ""
    } else {
        "\n"
    };
    Ok(Change::Append(format!("{end}{missing}")))
}

/// Tells whether a `.gitignore` leaves a path out: the last line that names the path decides.
fn is_ignored(text: &str, wanted: &str) -> bool {
    let bare = |line: &str| {
        let line = line.trim_end().trim_end_matches('/');
        line.strip_prefix('/').unwrap_or(line).to_owned()
    };
    let mut is_ignored = false;
    for line in text.lines() {
        let (left_out, line) = match line.strip_prefix('!') {
            Some(line) => (false, line),
            None => (true, line),
        };
        if bare(line) == bare(wanted) {
            is_ignored = left_out;
        }
    }
    is_ignored
}

/// Makes the change. A file that has come in the meantime is not overwritten.
fn apply(path: &Path, change: &Change, text: &str) -> Result<(), String> {
    let mut options = OpenOptions::new();
    let text = match change {
        Change::Keep => return Ok(()),
        Change::Write => {
            options.write(true).create_new(true);
            text
        }
        Change::Replace => {
            options.write(true).truncate(true);
            text
        }
        Change::Append(lines) => {
            options.append(true);
            lines
        }
    };
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    folder
        .and_then(|()| options.open(path))
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("`{}` cannot be written: {error}", path.display()))
}

/// Returns the failure of a write, with what was done before it.
fn so_far(said: &str, why: &str) -> Failure {
    let done: Vec<&str> = said.lines().collect();
    Failure::usage(match done.is_empty() {
        true => why.to_owned(),
        false => format!("{why}; before that: {}", done.join("; ")),
    })
}

/// Returns what is left to do: the lines for the files that were kept, and the first sign-in.
fn next(folder: &Path, kept: &[&str], block: &str) -> String {
    let mut text = String::new();
    if kept.contains(&MANIFEST) {
        text += &format!("\nadd to [dependencies] in Cargo.toml:\n\n{block}");
    }
    if kept.contains(&PROGRAM) {
        let lines = MAIN
            .split_once("    let passwords")
            .and_then(|(_, rest)| rest.split_once("    let app = Router"));
        let (gate, _) = lines.unwrap_or_default();
        text += &format!(
            "\nadd to {PROGRAM}:\n\nmod accounts;\n\nuse accounts::Accounts;\nuse \
             tollgate::prelude::*;\n\nand in its async `main`, which returns `Result<(), Box<dyn \
             std::error::Error>>`, where `app` is your router:\n\n    let passwords{gate}    let \
             app = gate.install(app).with_state(gate.clone());\n\nand serve it with \
             `app.into_make_service_with_connect_info::<std::net::SocketAddr>()`. A handler whose \
             first argument is `Auth<accounts::User>` admits users who are signed in.\n"
        );
    }
    let mut steps = Vec::new();
    if folder != Path::new(".") {
        steps.push(format!("cd {}", quoted(folder)));
    }
    if kept.contains(&MANIFEST) || kept.contains(&PROGRAM) {
        steps.insert(0, "add these lines".to_owned());
    }
    steps.push("cargo run".to_owned());
    let address = match kept.contains(&PROGRAM) {
        true => "where your program listens",
        false => "in another terminal",
    };
    text += &format!(
        "\nnext: {}, then sign in {address}:\n\ncurl -s http://127.0.0.1:3000/auth/signin --json \
         '{{\"email\": \"ada@example.com\", \"password\": \"correct horse battery staple\"}}'\n",
        steps.join(", ")
    );
    text
}

/// Returns a path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/\\.-_:~".contains(c);
    if path.chars().all(is_plain) && !path.starts_with(['-', '~']) {
        return path;
    }
    format!("'{}'", path.replace('\'', "'\\''"))
}

/// Refuses the root of a workspace that is no package itself: cargo takes no program there.
fn refuse_workspace(folder: &Path) -> Result<(), Failure> {
    // If the file cannot be read, the command fails later, when it has to change it.
    let text = std::fs::read_to_string(folder.join(MANIFEST)).unwrap_or_default();
    let table: toml::Table = text.parse().unwrap_or_default();
    if table.contains_key("workspace") && !table.contains_key("package") {
        return Err(Failure::usage(format!(
            "`{}` is the root of a workspace and no package, so it cannot have a program: name the \
             folder of a member",
            folder.display()
        )));
    }
    Ok(())
}

/// Writes a text as TOML takes it, in quotes.
fn toml_text(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted += &format!("\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Returns the block of dependencies.
fn dependencies(path: Option<&Path>) -> Result<String, Failure> {
    let source = match path {
        Some(path) => {
            let path = path.to_str().ok_or_else(|| {
                Failure::usage("`--path` is not UTF-8, so that Cargo.toml cannot name it")
            })?;
            format!("path = {}", toml_text(path))
        }
        None => format!("version = {:?}", env!("CARGO_PKG_VERSION")),
    };
    Ok(format!(
        "axum = {{ version = \"0.8\", default-features = false, features = [\"http1\", \"json\", \
         \"tokio\"] }}\ntokio = {{ version = \"1\", features = [\"macros\", \"net\", \
         \"rt-multi-thread\"] }}\ntollgate = {{ {source}, features = [\"sqlite\", \"password\", \
         \"rate-limit\", \"swagger-ui\"] }}\n"
    ))
}

/// Returns the manifest of a new program, named as its folder.
fn manifest(folder: &Path, block: &str) -> String {
    let folder = std::path::absolute(folder).unwrap_or_default();
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    // All of it is ASCII. Cargo names files after it, whose names have a limit.
    let name = name.trim_start_matches('-');
    let name = name.get(..LONGEST_NAME).unwrap_or(name);
    let name = name.trim_end_matches('-');
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase());
    let name = if is_name && !TAKEN.contains(&name) {
        name
    } else {
        "hello-auth"
    };
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         {block}"
    )
}

/// The longest name of a package, as crates.io has it.
const LONGEST_NAME: usize = 64;
/// The names that a program cannot have: of the library that it uses, and of cargo's own folders.
const TAKEN: [&str; 5] = ["tollgate", "build", "deps", "examples", "incremental"];

/// Returns the settings: those without a default are set, the others are comments.
fn settings() -> String {
    let mut text = "#:schema tollgate.schema.json\n# Settings of tollgate. \
                    Each may be set in the environment too: `access.ttl` is\n# TOLLGATE_ACCESS__TTL. \
                    `tollgate settings explain` shows what is in force, `tollgate settings\n# schema` \
                    writes the schema that editors read.\n"
        .to_owned();
    let mut section = None;
    // Settings without a section come first, as TOML requires.
    let mut settings = Settings::default().explained();
    settings.sort_by_key(|setting| setting.name.contains('.'));
    for setting in settings {
        let (own, name) = match setting.name.split_once('.') {
            Some((section, name)) => (Some(section), name),
            None => (None, setting.name),
        };
        if own != section {
            section = own;
            text += &format!("\n[{}]\n", own.unwrap_or_default());
        }
        let about = setting.about;
        text += &format!("# {about}\n");
        let value = match setting.name {
            "issuer" => "\"http://127.0.0.1:3000\"".to_owned(),
            "audience" => "\"hello-auth\"".to_owned(),
            "store.url" => "\"sqlite:auth.db\"".to_owned(),
            _ => match setting.default {
                Some(value) if setting.is_bare => value,
                Some(value) if setting.is_list => format!("[{value:?}]"),
                Some(value) => format!("{value:?}"),
                None => "…".to_owned(),
            },
        };
        let comment = match setting.name {
            "issuer" | "audience" | "store.url" => "",
            _ => "# ",
        };
        text += &format!("{comment}{name} = {value}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the name of the package that a folder gets.
    fn name(folder: &str) -> String {
        let manifest: toml::Table = manifest(Path::new(folder), "").parse().unwrap();
        manifest["package"]["name"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_package_has_the_name_of_its_folder_where_cargo_takes_it() {
        for (folder, expected) in [
            ("/a/shop", "shop"),
            ("/a/My Shop!", "my-shop"),
            ("/a/builder", "builder"),
            ("/a/build", "hello-auth"),
            ("/a/Build-", "hello-auth"),
            ("/a/deps", "hello-auth"),
            ("/a/examples", "hello-auth"),
            ("/a/incremental", "hello-auth"),
            ("/a/tollgate", "hello-auth"),
            ("/a/7", "hello-auth"),
            ("/a/…", "hello-auth"),
        ] {
            assert_eq!(name(folder), expected, "{folder}");
        }
        assert_eq!(name(&format!("/{}", "a".repeat(240))), "a".repeat(64));
    }

    #[test]
    fn every_path_is_one_that_toml_reads_back() {
        for path in [
            "/a/b",
            "/cafe\u{301}",
            "/a\u{200b}\u{feff}\u{202e}",
            "/a\"b\\c",
            "/a\u{1}\t\n\u{7f}\u{9b}",
            "/\u{1f600}",
        ] {
            let block = dependencies(Some(Path::new(path))).unwrap();
            let block: toml::Table = block.parse().unwrap();
            assert_eq!(block["tollgate"]["path"].as_str(), Some(path));
        }
    }
}
