//! `tollgate init`: writes what a program starts from, and overwrites nothing.

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
/// The paths that version control leaves out.
const IGNORE: &str = "/target\n/keys\n/auth.db*\n";

pub(super) fn run(wanted: &Init) -> Result<Done, Failure> {
    let folder = &wanted.folder;
    let about = std::fs::metadata(folder);
    if !about.is_ok_and(|about| about.is_dir()) {
        return Err(Failure::usage(format!(
            "`{}` is no folder: make it first",
            folder.display()
        )));
    }
    let block = dependencies(wanted.path.as_deref());
    let files = [
        ("tollgate.toml", settings()),
        ("tollgate.schema.json", format!("{:#}\n", file_schema())),
        ("src/accounts.rs", ACCOUNTS.to_owned()),
        ("src/main.rs", MAIN.to_owned()),
        ("Cargo.toml", manifest(folder, &block)),
        (".gitignore", IGNORE.to_owned()),
    ];
    let (mut written, mut kept) = (Vec::new(), Vec::new());
    for (name, text) in files {
        match write(&folder.join(name), &text)? {
            true => written.push(name),
            false => kept.push(name),
        }
    }
    if written.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "every file is there already ({}), and none was changed: name another folder",
                kept.join(", ")
            ),
        ));
    }
    let mut text: String = written
        .iter()
        .map(|name| format!("wrote {name}\n"))
        .collect();
    for name in &kept {
        text += &format!("left {name} as it is\n");
    }
    if kept.contains(&"Cargo.toml") {
        text += &format!("\nadd to Cargo.toml:\n\n[dependencies]\n{block}\n");
    }
    if kept.contains(&"src/main.rs") {
        text += "\nadd to your program:\n\nmod accounts;\n";
    }
    text += "\nnext: cargo run, then sign in:\n\ncurl -s http://127.0.0.1:3000/auth/signin --json \
             '{\"email\": \"ada@example.com\", \"password\": \"correct horse battery staple\"}'\n";
    Ok(Done::new(
        text,
        json!({ "written": written, "kept": kept, "dependencies": block }),
    ))
}

/// Writes a file that is not there yet; `false` if it is.
fn write(path: &Path, text: &str) -> Result<bool, Failure> {
    let failed = |error: &std::io::Error| {
        Failure::usage(format!("`{}` cannot be written: {error}", path.display()))
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes())
                .map_err(|error| failed(&error))?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(&error)),
    }
}

/// Returns the block of dependencies.
fn dependencies(path: Option<&Path>) -> String {
    let source = match path {
        Some(path) => format!("path = {:?}", path.display().to_string()),
        None => format!("version = {:?}", env!("CARGO_PKG_VERSION")),
    };
    format!(
        "axum = {{ version = \"0.8\", default-features = false, features = [\"http1\", \"json\", \
         \"tokio\"] }}\ntokio = {{ version = \"1\", features = [\"macros\", \"net\", \
         \"rt-multi-thread\"] }}\ntollgate = {{ {source}, features = [\"sqlite\", \"password\", \
         \"rate-limit\"] }}\n"
    )
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
    let name = name.trim_matches('-');
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase());
    let name = if is_name && name != "tollgate" {
        name
    } else {
        "hello-auth"
    };
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         {block}"
    )
}

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
