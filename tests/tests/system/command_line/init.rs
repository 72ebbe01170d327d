//! `tollgate init`: what it writes compiles, in an empty folder and beside what is there, and it
//! overwrites nothing but the program of `cargo new`.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Tool;

/// The source that the programs depend on, instead of a release.
fn source() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("runtime").to_str().unwrap().to_owned()
}

/// Checks that a program compiles without a warning, with the versions of the workspace, so that
/// nothing is downloaded.
#[track_caller]
pub(crate) fn compiles(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let checked = Command::new(cargo)
        .args(["check", "--quiet", "--offline", "--target-dir"])
        .arg(root.join("target"))
        .env(
            "RUSTFLAGS",
            std::env::var_os("RUSTFLAGS").unwrap_or_default(),
        )
        .current_dir(folder)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && errors.is_empty(), "{errors}");
}

/// Runs `cargo new` in a folder; what cargo writes is the test's.
fn cargo_new(folder: &Path, words: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let made = Command::new(cargo)
        .args(["new", "--quiet", "--vcs", "none"])
        .args(words)
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(made.success());
}

#[test]
fn a_program_in_an_empty_folder_compiles() {
    let folder = tempfile::tempdir().unwrap();
    let tool = Tool::in_folder(folder.path());
    let said = tool.run(&["init", "--path", &source()]);
    assert_eq!((said.code, &*said.errors), (0, ""), "{said:?}");
    for name in [
        "tollgate.toml",
        "tollgate.schema.json",
        "src/main.rs",
        "src/accounts.rs",
    ] {
        assert!(said.out.contains(&format!("wrote {name}\n")), "{said:?}");
    }
    assert!(said.out.contains("next: cargo run, then"), "{said:?}");
    compiles(folder.path());
    // The settings are those that the program reads.
    let settings = tool.json(&["settings", "explain", "issuer"]);
    assert_eq!(settings["settings"][0]["source"], "from tollgate.toml");
    assert_eq!(tool.run(&["settings", "explain"]).code, 0);
}

/// What `cargo new` wrote and nobody has changed is made complete, and the output is what is left to
/// type.
#[test]
fn a_program_of_cargo_new_is_made_complete() {
    let place = tempfile::tempdir().unwrap();
    cargo_new(place.path(), &["a program", "--name", "a-program"]);
    let folder = place.path().join("a program");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let manifest = read("Cargo.toml");
    fs::write(folder.join(".gitignore"), "/target").unwrap();
    let tool = Tool::in_folder(place.path());
    let said = tool.run(&["init", "a program", "--path", &source()]);
    assert_eq!((said.code, &*said.errors), (0, ""), "{said:?}");
    for line in [
        "replaced src/main.rs, which was as `cargo new` writes it\n",
        "added the dependencies to Cargo.toml\n",
        "added /keys, /auth.db* to .gitignore\n",
        "next: cd 'a program', cargo run, then sign in in another terminal:\n",
    ] {
        assert!(said.out.contains(line), "{said:?}");
    }
    assert!(!said.out.contains("add to"), "{said:?}");
    assert_eq!(read(".gitignore"), "/target\n/keys\n/auth.db*\n");
    assert!(read("Cargo.toml").starts_with(&manifest));
    let program = read("src/main.rs");
    for words in ["println!(\"listening on", "/docs/swagger"] {
        assert!(program.contains(words), "{program}");
    }
    compiles(&folder);
    // Once more: nothing is left to do, and nothing is added twice.
    tool.run(&["init", "a program"])
        .assert_refused(2, &["there already"]);
    assert_eq!(read(".gitignore"), "/target\n/keys\n/auth.db*\n");
}

/// A program that somebody has begun is kept. With the lines of the output it compiles.
#[test]
fn a_program_that_was_begun_gets_lines_to_add() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    cargo_new(folder.path(), &["begun"]);
    let folder_of = folder.path().join("begun");
    let mine = "fn main() {\n    println!(\"Hello!\");\n}\n";
    fs::write(path("begun/src/main.rs"), mine).unwrap();
    let manifest = fs::read_to_string(path("begun/Cargo.toml")).unwrap();
    let manifest = format!("{manifest}uuid = \"1\"\n");
    fs::write(path("begun/Cargo.toml"), &manifest).unwrap();
    let said = Tool::in_folder(&folder_of).run(&["init", "--path", &source()]);
    assert_eq!((said.code, &*said.errors), (0, ""), "{said:?}");
    assert_eq!(fs::read_to_string(path("begun/src/main.rs")).unwrap(), mine);
    assert_eq!(
        fs::read_to_string(path("begun/Cargo.toml")).unwrap(),
        manifest
    );
    assert!(
        said.out
            .contains("next: add these lines, cargo run, then sign in where")
    );

    let between = |from: &str, to: &str| {
        let (_, rest) = said.out.split_once(from).expect(from);
        rest.split_once(to).expect(to).0.to_owned()
    };
    let dependencies = between("add to [dependencies] in Cargo.toml:\n\n", "\nadd to");
    fs::write(
        path("begun/Cargo.toml"),
        format!("{manifest}{dependencies}"),
    )
    .unwrap();
    let above = between("add to src/main.rs:\n\n", "\nand in");
    let gate = between("is your router:\n\n", "\nand serve");
    let program = format!(
        "{above}
async fn me(user: Auth<accounts::User>) -> String {{
    user.email().to_owned()
}}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {{
    let app = axum::Router::new().route(\"/me\", axum::routing::get(me));
{gate}
    let listener = tokio::net::TcpListener::bind(\"127.0.0.1:3000\").await?;
    let service = app.into_make_service_with_connect_info::<std::net::SocketAddr>();
    axum::serve(listener, service).await?;
    Ok(())
}}
"
    );
    fs::write(path("begun/src/main.rs"), program).unwrap();
    // The policy of the backend is the application's to use.
    let accounts = fs::read_to_string(path("begun/src/accounts.rs")).unwrap();
    fs::write(
        path("begun/src/accounts.rs"),
        accounts.replace(
            "pub struct Admin;",
            "#[allow(dead_code)]\npub struct Admin;",
        ),
    )
    .unwrap();
    compiles(&folder_of);
}

/// Private keys are never left to version control: of the lines that name them the last one counts.
#[test]
fn a_gitignore_without_the_keys_gets_the_line() {
    for (there, expected) in [
        ("", "/target\n/keys\n/auth.db*\n"),
        ("target/\nkeys\n*.log", "target/\nkeys\n*.log\n/auth.db*\n"),
        ("/target\r\nkeys/\r\n/auth.db*\r\n", ""),
        (
            "/target\n/auth.db*\n/keys\n!/keys\n",
            "/target\n/auth.db*\n/keys\n!/keys\n/keys\n",
        ),
        (
            "/target\n/auth.db*\n/keys-of-others\n# /keys\n",
            "/target\n/auth.db*\n/keys-of-others\n# /keys\n/keys\n",
        ),
        (
            "/target\n/auth.db*\nsrc/keys\n",
            "/target\n/auth.db*\nsrc/keys\n/keys\n",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".gitignore");
        fs::write(&path, there).unwrap();
        assert_eq!(Tool::in_folder(folder.path()).run(&["init"]).code, 0);
        let found = fs::read_to_string(&path).unwrap();
        let expected = if expected.is_empty() { there } else { expected };
        assert_eq!(found, expected, "{there:?}");
    }
}

/// A path that is relative to the working directory stays right in the folder of the program.
#[test]
fn the_path_of_the_source_is_that_of_the_working_directory() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("program")).unwrap();
    let tool = Tool::in_folder(place.path());
    assert_eq!(tool.run(&["init", "program", "--path", "source"]).code, 0);
    let manifest = fs::read_to_string(place.path().join("program/Cargo.toml")).unwrap();
    let path = fs::canonicalize(place.path()).unwrap().join("source");
    assert!(
        manifest.contains(&format!("path = {:?}", path.to_str().unwrap())),
        "{manifest}"
    );
}

/// A file that cannot be read changes nothing.
#[test]
fn a_folder_in_the_place_of_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".gitignore")).unwrap();
    Tool::in_folder(folder.path())
        .run(&["init"])
        .assert_refused(2, &[".gitignore", "cannot be read"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// The root of a workspace that is no package has no programs.
#[test]
fn the_root_of_a_workspace_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("Cargo.toml");
    let tool = Tool::in_folder(folder.path());
    fs::write(&manifest, "[workspace]\nmembers = [\"a\"]\n").unwrap();
    tool.run(&["init"])
        .assert_refused(2, &["workspace", "folder of a member"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let package = "[workspace]\n[package]\nname = \"a\"\nversion = \"0.1.0\"\n[dependencies]\n";
    fs::write(&manifest, package).unwrap();
    let said = tool.run(&["init"]);
    assert_eq!(said.code, 0, "{said:?}");
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
    assert!(
        said.out.contains("add to [dependencies] in Cargo.toml"),
        "{said:?}"
    );
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

/// The dependencies that the README names carry the program that its code is from.
#[test]
fn the_dependencies_of_the_readme_carry_the_quickstart() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let block = readme.split("```toml\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let release = "tollgate = { version = \"0.1\"";
    assert!(block.starts_with("[dependencies]\n") && block.contains(release));
    let folder = tempfile::tempdir().unwrap();
    let copy = format!("tollgate = {{ path = {:?}", source());
    let manifest = format!(
        "[package]\nname = \"from-readme\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n{}",
        block.replace(release, &copy)
    );
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    for file in fs::read_dir(root.join("examples/quickstart/src")).unwrap() {
        let file = file.unwrap();
        fs::copy(
            file.path(),
            folder.path().join("src").join(file.file_name()),
        )
        .unwrap();
    }
    compiles(folder.path());
}
