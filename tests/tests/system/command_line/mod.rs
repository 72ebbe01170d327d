//! The command line `tollgate` as an operator meets it: a process beside a program that runs.

mod doctor;
mod everywhere;
mod init;
mod lists;
mod refused;
mod ring_in_store;
mod running;
mod settings;
mod store;

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tollgate::store::SqliteStore;
use tollgate_tests::process::built_with;
use tollgate_tests::{App, AppBuilder};

use crate::quickstart::program::Place;

/// The command line with the options that every command of a test has.
pub(crate) struct Tool {
    options: Vec<String>,
    folder: std::path::PathBuf,
    variables: Vec<(String, String)>,
}

/// Collects an application in this process whose store is a file in the folder.
pub(crate) async fn beside(folder: &Path) -> AppBuilder {
    let store = SqliteStore::open(folder.join("tollgate.db")).await.unwrap();
    App::builder().store(store)
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) errors: String,
}

impl Tool {
    /// Works in a folder, without a store.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self {
            options: Vec::new(),
            folder: folder.to_owned(),
            variables: Vec::new(),
        }
    }

    /// Works on the store and the keys of a quickstart.
    pub(crate) fn of(place: &Place) -> Self {
        Self::in_folder(place.data())
            .option("--store", &format!("sqlite:{}", place.sessions().display()))
            .option("--keys", &place.data().join("keys").display().to_string())
    }

    /// Works on the store of an application of [`beside`].
    pub(crate) fn beside(folder: &Path) -> Self {
        let store = folder.join("tollgate.db");
        Self::in_folder(folder).option("--store", &format!("sqlite:{}", store.display()))
    }

    /// Adds an option to every command.
    pub(crate) fn option(mut self, name: &str, value: &str) -> Self {
        self.options.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Sets an environment variable for every command.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs a command without a terminal.
    pub(crate) fn run(&self, words: &[&str]) -> Said {
        self.run_with(words, "")
    }

    /// Runs a command without a terminal, with a text on its standard input.
    pub(crate) fn run_with(&self, words: &[&str], input: &str) -> Said {
        self.run_between(words, input, Stdio::piped())
    }

    /// Runs a command whose answer is written somewhere else.
    pub(crate) fn run_into(&self, words: &[&str], output: impl Into<Stdio>) -> Said {
        self.run_between(words, "", output.into())
    }

    fn run_between(&self, words: &[&str], input: &str, output: Stdio) -> Said {
        use std::io::Write as _;

        let mut command = Command::new(built_with("tollgate", &["--features", "cli"]));
        let foreign = std::env::vars_os().map(|(name, _)| name);
        for name in foreign.filter(|name| name.to_string_lossy().starts_with("TOLLGATE_")) {
            command.env_remove(name);
        }
        let mut child = command
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .args(&self.options)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may have ended already.
        _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Said {
            code: output.status.code().expect("it ends by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command that succeeds, and returns its JSON.
    #[track_caller]
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let said = self.run(&[words, &["--json"]].concat());
        assert_eq!(said.code, 0, "{said:?}");
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"))
    }
}

impl Said {
    /// Checks that the command refused with one line that holds these words, and wrote no answer.
    #[track_caller]
    pub(crate) fn assert_refused(&self, code: i32, words: &[&str]) {
        let errors: Vec<&str> = self.errors.lines().collect();
        let [line] = errors[..] else {
            panic!("not one line: {self:?}")
        };
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{self:?}");
        assert!(line.starts_with("tollgate: "), "{line}");
        for word in words {
            assert!(line.contains(word), "`{word}` is missing: {line}");
        }
    }
}
