//! The answer of a command: text for people or JSON for programs, an exit code, and a line that
//! shows how far long work came.

use std::error::Error as _;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::error::{Causes, Error, ErrorKind};
use crate::event::{Event, Events};
use crate::realm::RealmName;
use crate::store::{Stopped, StoreError};

/// The exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// It is done.
    Done = 0,
    /// The answer is no: a token does not count, or doctor found a problem.
    No = 1,
    /// Arguments, settings or files are wrong.
    Usage = 2,
    /// The store or the keys cannot be used.
    Unavailable = 3,
    /// There is no such session, key or realm.
    Missing = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The answer of a command.
#[derive(Debug)]
pub(super) struct Done {
    /// For people.
    text: String,
    /// For programs.
    json: Value,
    exit: Exit,
}

impl Done {
    pub(super) fn new(text: impl Into<String>, json: Value) -> Self {
        Self {
            text: text.into(),
            json,
            exit: Exit::Done,
        }
    }

    /// Answers a text that is for programs as it is.
    pub(super) fn raw(text: impl Into<String>) -> Self {
        Self::new(text, Value::Null)
    }

    pub(super) fn exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }
}

/// Why a command did nothing, in one line.
#[derive(Debug)]
pub(super) struct Failure {
    exit: Exit,
    what: String,
}

impl Failure {
    pub(super) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
        }
    }

    pub(super) fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// Returns the message.
    pub(super) fn into_text(self) -> String {
        self.what
    }

    /// Names the thing in which it failed.
    pub(super) fn within(self, what: &str) -> Self {
        Self {
            what: format!("{what}: {}", self.what),
            ..self
        }
    }

    /// Adds how far a command came that did not reach its end.
    pub(super) fn after(self, done: &str) -> Self {
        Self {
            what: format!("{}; before that {done}; run it again", self.what),
            ..self
        }
    }

    /// Adds what to do.
    pub(super) fn hint(self, hint: &str) -> Self {
        Self {
            what: format!("{}: {hint}", self.what),
            ..self
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::Settings | ErrorKind::Usage => Exit::Usage,
            _ => Exit::Unavailable,
        };
        let mut what = lines(&error.to_string());
        if error.source().is_some() {
            what += &format!(": {}", Causes(error.source()));
        }
        Self { exit, what }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(Exit::Unavailable, format!("{}", Causes(Some(&error))))
    }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        let what = format!("{}: run it again", Causes(Some(&stopped)));
        Self::new(Exit::Unavailable, what)
    }
}

/// Joins the lines of a message: the first one ends with a colon where others follow.
fn lines(text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let rest: Vec<&str> = lines.collect();
    match rest.as_slice() {
        [] => first,
        rest => format!("{first} {}", rest.join("; ")),
    }
}

/// Writes answers, events and the line that shows how far work came.
#[derive(Debug)]
pub(super) struct Output {
    json: bool,
    /// When the line was last written, where there is a terminal.
    line: Option<Mutex<Option<Instant>>>,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            line: io::stderr().is_terminal().then(Mutex::default),
        }
    }

    /// Shows how far long work came: on a terminal alone, at most ten times a second.
    pub(super) fn progress(&self, what: &str) {
        let Some(line) = &self.line else { return };
        let mut last = line
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() > Duration::from_millis(100)) {
            *last = Some(Instant::now());
            _ = write!(io::stderr(), "\r\u{1b}[K{what}");
            _ = io::stderr().flush();
        }
    }

    fn clear(&self) {
        let shown = self.line.as_ref().is_some_and(|line| {
            line.lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .is_some()
        });
        if shown {
            _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }

    /// Returns handlers that write each event to the standard error, for an audit log.
    pub(super) fn events() -> Events {
        Events::new().inline(|event: &Event| _ = writeln!(io::stderr(), "event: {event}"))
    }

    /// Reports an event of a realm as those of a deployment that was opened.
    pub(super) fn report(realm: Option<&RealmName>, event: &Event) {
        Self::events().in_realm(realm).start().emit(event);
    }

    /// Asks whether to do something that cannot be undone.
    ///
    /// # Errors
    /// The answer is no, or there is no terminal to ask on.
    pub(super) fn confirm(&self, yes: bool, what: &str) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Failure::usage(format!(
                "{what} cannot be undone, and there is no terminal to ask on: add `--yes`"
            )));
        }
        _ = write!(io::stderr(), "{what} cannot be undone. Continue? [y/N] ");
        _ = io::stderr().flush();
        let mut answer = String::new();
        _ = io::stdin().lock().read_line(&mut answer);
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Failure::new(Exit::No, "nothing was changed")),
        }
    }

    /// Writes the answer, and returns how the process ends.
    pub(super) fn finish(&self, answer: Result<Done, Failure>) -> Exit {
        self.clear();
        match answer {
            Ok(done) => {
                let text = if self.json && !done.json.is_null() {
                    json_text(&done.json)
                } else {
                    done.text
                };
                let mut out = io::stdout().lock();
                let ended = if text.is_empty() || text.ends_with('\n') {
                    ""
                } else {
                    "\n"
                };
                match write!(out, "{text}{ended}").and_then(|()| out.flush()) {
                    // A reader that has gone away, as `head` does, wants no more.
                    Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                        self.fail(&Failure::new(
                            Exit::Unavailable,
                            format!(
                                "the command is done, and its answer cannot be written: {error}"
                            ),
                        ))
                    }
                    _ => done.exit,
                }
            }
            Err(failure) => self.fail(&failure),
        }
    }

    /// Writes why a command failed, in one line, and returns how the process ends.
    fn fail(&self, failure: &Failure) -> Exit {
        let what = printable(&failure.what.replace(['\n', '\r'], " "));
        let mut errors = io::stderr();
        _ = if self.json {
            let code = failure.exit as u8;
            writeln!(errors, "{}", json!({ "error": what, "exit": code }))
        } else {
            writeln!(errors, "tollgate: {what}")
        };
        failure.exit
    }
}

/// Writes JSON on several lines. Control characters that JSON takes as they are, such as U+009B,
/// are escaped too, for they would steer a terminal.
pub(super) fn json_text(json: &Value) -> String {
    let mut text = String::new();
    for c in format!("{json:#}").chars() {
        match c {
            // Outside of texts alone.
            '\n' => text.push(c),
            c if c.is_control() => text += &format!("\\u{:04x}", u32::from(c)),
            c => text.push(c),
        }
    }
    text
}

/// Writes rows as a table: columns as wide as their widest cell.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    let printed = |row: &Vec<String>| row.iter().map(|cell| printable(cell)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(printed).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let head = head.iter().map(|cell| (*cell).to_owned()).collect();
    for row in std::iter::once(&head).chain(&rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line += &format!("{cell:width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Writes a text of others without what would steer a terminal.
pub(super) fn printable(text: &str) -> String {
    let escape = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(escape).collect()
}
