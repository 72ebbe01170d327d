//! Sources of settings: a file, then the environment. All problems are collected.

use std::collections::BTreeMap;
use std::io::ErrorKind as Io;

use toml::{Table, Value};

use super::problem::refuse;
use super::table::{self, PREFIX, SettingKey};
use super::value::Scalar;
use super::{Settings, check};
use crate::error::Error;

impl Settings {
    /// Reads the file and the environment of this process.
    ///
    /// The file is the one that `TOLLGATE_CONFIG` names, otherwise `tollgate.toml` in the working
    /// directory where there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`](crate::error::ErrorKind::Settings), with one line a problem: the
    /// file named cannot be read or is not TOML, a name is no setting, a value is not what its
    /// setting takes. What is missing or contradictory is left to [`validate`](Self::validate),
    /// since code may still set it.
    pub fn load() -> Result<Self, Error> {
        let mut reader = SettingsReader::default();
        let mut variables = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with(PREFIX) {
                match value.into_string() {
                    Ok(value) => _ = variables.insert(name, value),
                    Err(_) => reader.problems.push(format!("`{name}`: is not UTF-8")),
                }
            }
        }
        let named = variables.get(CONFIG).cloned();
        let path = named.as_deref().unwrap_or("tollgate.toml");
        match std::fs::read_to_string(path) {
            Ok(text) => reader.file(path, &text),
            Err(error) if named.is_none() && error.kind() == Io::NotFound => {}
            Err(error) => reader.problems.push(match named {
                Some(_) => format!("`{path}` (from {CONFIG}): cannot be read: {error}"),
                None => format!("`{path}`: cannot be read: {error}"),
            }),
        }
        reader.environment(variables);
        reader.finish()
    }

    /// Reads a file's name and text, and an environment; variables that do not begin with
    /// `TOLLGATE_` are passed over.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_sources(
        file: Option<(&str, &str)>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let mut reader = SettingsReader::default();
        if let Some((name, text)) = file {
            reader.file(name, text);
        }
        reader.environment(env.into_iter().collect());
        reader.finish()
    }
}

/// The environment variable that names the file.
const CONFIG: &str = "TOLLGATE_CONFIG";

/// Reads settings from their sources.
#[derive(Default)]
struct SettingsReader {
    settings: Settings,
    problems: Vec<String>,
    /// Settings whose value could not be read: their defaults cause no further problems.
    unread: Vec<&'static str>,
}

impl SettingsReader {
    fn file(&mut self, name: &str, text: &str) {
        match text.parse::<Table>() {
            Ok(table) => self.table(name, "", &table),
            Err(error) => {
                // The error's own text shows the line, in which a secret may stand.
                let line = error
                    .span()
                    .and_then(|span| text.get(..span.start))
                    .map_or(1, |before| before.matches('\n').count() + 1);
                self.problems.push(format!(
                    "`{name}` line {line}: {}",
                    error.message().replace('\n', ", ")
                ));
            }
        }
    }

    fn table(&mut self, file: &str, above: &str, table: &Table) {
        for (name, value) in table {
            let name = if above.is_empty() {
                name.clone()
            } else {
                format!("{above}.{name}")
            };
            match (table::find(&name), value) {
                (Some(key), value) => self.value(key, file, Scalar::File(value)),
                (None, Value::Table(below)) if table::is_section(&name) => {
                    self.table(file, &name, below);
                }
                (None, _) if table::is_section(&name) => {
                    self.problems.push(format!(
                        "{} (from {file}): must be a table: write `[{name}]`",
                        quoted(&name)
                    ));
                }
                (None, _) => self.unknown(
                    &name,
                    file,
                    table::nearest(&name).map(|key| key.name.to_owned()),
                ),
            }
        }
    }

    fn environment(&mut self, variables: BTreeMap<String, String>) {
        for (variable, value) in variables {
            let Some(rest) = variable.strip_prefix(PREFIX).filter(|_| variable != CONFIG) else {
                continue;
            };
            let name = rest.to_lowercase().replace("__", ".");
            match table::find(&name).filter(|key| key.variable() == variable) {
                Some(key) => self.value(key, &variable, Scalar::Env(&value)),
                None => self.unknown(
                    &variable,
                    "the environment",
                    table::nearest(&name).map(SettingKey::variable),
                ),
            }
        }
    }

    fn value(&mut self, key: &'static SettingKey, source: &str, raw: Scalar<'_>) {
        match (key.read)(&mut self.settings, raw) {
            Ok(()) => {
                let shown = (key.show)(&self.settings);
                self.settings.origins.insert(key.name, source, shown);
                self.unread.retain(|name| *name != key.name);
            }
            Err(problem) => {
                self.problems
                    .push(format!("`{}` (from {source}): {problem}", key.name));
                self.unread.push(key.name);
            }
        }
    }

    fn unknown(&mut self, name: &str, source: &str, nearest: Option<String>) {
        let hint = nearest
            .map(|nearest| format!(": did you mean `{nearest}`?"))
            .unwrap_or_default();
        self.problems.push(format!(
            "{} (from {source}): there is no such setting{hint}",
            quoted(name)
        ));
    }

    fn finish(mut self) -> Result<Settings, Error> {
        if self.problems.is_empty() {
            return Ok(self.settings);
        }
        self.problems
            .extend(check::problems_beside(&self.settings, &self.unread));
        Err(refuse(&self.problems))
    }
}

/// Quotes a name from outside, on one line and cut at 80 characters.
fn quoted(name: &str) -> String {
    format!(
        "`{}`",
        name.chars()
            .take(80)
            .flat_map(char::escape_debug)
            .collect::<String>()
    )
}
