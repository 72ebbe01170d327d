//! Sources of settings: a file, then the environment. All problems are collected.

use std::collections::BTreeMap;
use std::io::ErrorKind as Io;

use toml::{Table, Value};

use super::problem::refuse;
use super::service_link::{has_link_name, is_service_link};
use super::table::{self, PREFIX, SettingKey};
use super::value::Scalar;
use super::{Replaces, Settings, check};
use crate::error::Error;
use crate::realm::RealmName;

impl Settings {
    /// Reads the file and the environment of this process.
    ///
    /// The file is the one that `TOLLGATE_CONFIG` names, otherwise `tollgate.toml` in the working
    /// directory where there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`](crate::error::ErrorKind::Settings), with one line a problem: the
    /// named file cannot be read or is not TOML, a name is not a setting, a value is not of the
    /// form that its setting has. Missing and contradictory settings are left to
    /// [`validate`](Self::validate), since code may still set them.
    ///
    /// Settings below `realms` are read and checked too, but have no effect here:
    /// [`load_realm`](Self::load_realm) puts them over the others.
    pub fn load() -> Result<Self, Error> {
        SettingsReader::default().load()
    }

    /// Reads the settings of a named realm: those of [`load`](Self::load) except `audience`, and
    /// over them those below `[realms.staff]` in the file and after `TOLLGATE_REALMS__STAFF__` in
    /// the environment. In a variable `_` is written for the hyphen of a name.
    ///
    /// # Errors
    /// As [`load`](Self::load); or the name is not a valid name of a realm.
    pub fn load_realm(name: &str) -> Result<Self, Error> {
        SettingsReader::of(RealmName::parse(name)?).load()
    }

    /// Reads a file, given by its name and text, and an environment. Variables that do not begin
    /// with `TOLLGATE_` are skipped, and so are those that Kubernetes sets for a Service whose name
    /// begins with `tollgate` (`TOLLGATE_SERVICE_HOST`, `TOLLGATE_PORT=tcp://…`).
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_sources(
        file: Option<(&str, &str)>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        SettingsReader::default().read(file, env)
    }

    /// Reads the settings of a named realm from the same sources.
    ///
    /// # Errors
    /// As [`load_realm`](Self::load_realm).
    pub fn realm_from_sources(
        name: &str,
        file: Option<(&str, &str)>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        SettingsReader::of(RealmName::parse(name)?).read(file, env)
    }

    /// Reads the settings of a realm (`None` is the default one) as [`load`](Self::load) and
    /// [`load_realm`](Self::load_realm) do, from another file than the usual one where one is given.
    #[cfg(feature = "cli")]
    pub(crate) fn load_file(realm: Option<&RealmName>, file: Option<&str>) -> Result<Self, Error> {
        let reader = realm.map_or_else(SettingsReader::default, |realm| {
            SettingsReader::of(realm.clone())
        });
        reader.load_file(file)
    }

    /// Refuses settings of keys and store inside a realm, for a gate that takes both from another
    /// gate.
    pub(crate) fn refuse_parts_in_realm(&self) -> Result<(), Error> {
        let lines: Vec<String> = self
            .realm_parts
            .iter()
            .map(|name| {
                format!(
                    "`{name}`: is set inside a realm, whose gate shares keys and store with \
                     another gate: set it at the top level"
                )
            })
            .collect();
        if lines.is_empty() {
            Ok(())
        } else {
            Err(refuse(&lines))
        }
    }
}

/// The environment variable that names the file.
const CONFIG: &str = "TOLLGATE_CONFIG";
/// The prefix of the settings of realms, after the prefix of all settings.
const REALMS: &str = "REALMS__";

/// Reads settings from their sources.
#[derive(Default)]
struct SettingsReader {
    settings: Settings,
    /// The realm whose settings are wanted; `None` for those at the top level.
    wanted: Option<RealmName>,
    /// The settings below each realm, in the order of their sources.
    realms: BTreeMap<RealmName, Vec<RealmValue>>,
    problems: Vec<String>,
    /// The settings whose value could not be read: their defaults cause no further problems.
    unread: Vec<&'static str>,
}

/// A setting below a realm.
struct RealmValue {
    key: &'static SettingKey,
    source: String,
    value: OwnedScalar,
}

enum OwnedScalar {
    File(Value),
    Env(String),
}

impl SettingsReader {
    fn of(realm: RealmName) -> Self {
        Self {
            wanted: Some(realm),
            ..Self::default()
        }
    }

    fn load(self) -> Result<Settings, Error> {
        self.load_file(None)
    }

    /// Reads the settings, from another file than the usual one where one is given.
    fn load_file(mut self, file: Option<&str>) -> Result<Settings, Error> {
        let mut variables = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with(PREFIX) {
                match value.into_string() {
                    Ok(value) => _ = variables.insert(name, value),
                    Err(_) => self.problems.push(format!("`{name}`: is not UTF-8")),
                }
            }
        }
        let named = match file {
            Some(file) => Some(file.to_owned()),
            None => variables.get(CONFIG).cloned(),
        };
        let path = named.as_deref().unwrap_or("tollgate.toml");
        match std::fs::read_to_string(path) {
            Ok(text) => self.file(path, &text),
            Err(error) if named.is_none() && error.kind() == Io::NotFound => {}
            Err(error) => self
                .problems
                .push(match named.as_ref().filter(|_| file.is_none()) {
                    Some(_) => format!("`{path}` (from {CONFIG}): cannot be read: {error}"),
                    None => format!("`{path}`: cannot be read: {error}"),
                }),
        }
        self.environment(variables);
        self.finish()
    }

    fn read(
        mut self,
        file: Option<(&str, &str)>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Settings, Error> {
        if let Some((name, text)) = file {
            self.file(name, text);
        }
        self.environment(env.into_iter().collect());
        self.finish()
    }

    /// Collects the settings below `[realms]` in the file.
    fn realms(&mut self, file: &str, realms: &Table) {
        for (name, value) in realms {
            match (RealmName::parse(name), value) {
                (Ok(realm), Value::Table(table)) => self.realm(file, &realm, "", table),
                (Ok(_), _) => self.problems.push(format!(
                    "`realms.{name}` (from {file}): must be a table: write `[realms.{name}]`"
                )),
                (Err(error), _) => self
                    .problems
                    .push(format!("`realms` (from {file}): {error}")),
            }
        }
    }

    fn realm(&mut self, file: &str, realm: &RealmName, above: &str, table: &Table) {
        for (name, value) in table {
            let name = if above.is_empty() {
                name.clone()
            } else {
                format!("{above}.{name}")
            };
            match (table::find(&name), value) {
                (Some(key), value) => {
                    let value = OwnedScalar::File(value.clone());
                    self.realm_value(realm, key, file, value);
                }
                (None, Value::Table(below)) if table::is_section(&name) => {
                    self.realm(file, realm, &name, below);
                }
                (None, _) => self.unknown(
                    &format!("realms.{realm}.{name}"),
                    file,
                    table::nearest(&name).map(|key| format!("realms.{realm}.{}", key.name)),
                ),
            }
        }
    }

    fn realm_variable(&mut self, variable: &str, realm: &str, rest: &str, value: &str) {
        let realm = match RealmName::parse(&realm.to_lowercase().replace('_', "-")) {
            Ok(realm) => realm,
            Err(_) if is_service_link(variable, value) => return pass_over(variable),
            Err(error) => {
                self.problems.push(format!(
                    "{} (from the environment): {error}",
                    quoted(variable)
                ));
                return;
            }
        };
        let name = rest.to_lowercase().replace("__", ".");
        let prefix = format!(
            "{PREFIX}{REALMS}{}__",
            realm.as_str().to_uppercase().replace('-', "_")
        );
        let in_realm = |key: &SettingKey| key.variable().replacen(PREFIX, &prefix, 1);
        match table::find(&name).filter(|key| in_realm(key) == variable) {
            Some(key) => {
                let value = OwnedScalar::Env(value.to_owned());
                self.realm_value(&realm, key, variable, value);
            }
            None => {
                let nearest = table::nearest(&name).map(in_realm);
                self.unknown_variable(variable, value, nearest);
            }
        }
    }

    fn realm_value(
        &mut self,
        realm: &RealmName,
        key: &'static SettingKey,
        source: &str,
        value: OwnedScalar,
    ) {
        let values = self.realms.entry(realm.clone()).or_default();
        values.push(RealmValue {
            key,
            source: source.to_owned(),
            value,
        });
    }

    /// Puts the settings of each realm over those of the top level, so that each is checked; keeps
    /// those of the wanted realm.
    fn lay_realms(&mut self) {
        let mut top = self.settings.clone();
        top.audience = None;
        top.replaces = Replaces::default();
        let wanted = self.wanted.clone();
        let names: Vec<RealmName> = self.realms.keys().cloned().collect();
        if let Some(name) = &wanted {
            self.settings = top.clone();
            self.settings.realm = Some(name.as_str().to_owned());
        }
        for (realm, values) in std::mem::take(&mut self.realms) {
            let mut settings = top.clone();
            settings.realm = Some(realm.as_str().to_owned());
            for RealmValue { key, source, value } in values {
                let scalar = match &value {
                    OwnedScalar::File(value) => Scalar::File(value),
                    OwnedScalar::Env(text) => Scalar::Env(text),
                };
                match (key.read)(&mut settings, scalar) {
                    Ok(()) => {
                        let shown = (key.show)(&settings);
                        let source = format!("realms.{realm} of {source}");
                        settings.origins.insert(key.name, &source, shown);
                    }
                    Err(problem) => self.problems.push(format!(
                        "`realms.{realm}.{}` (from {source}): {problem}",
                        key.name
                    )),
                }
                if ["keys.", "store."]
                    .iter()
                    .any(|part| key.name.starts_with(part))
                {
                    settings.realm_parts.push(key.name);
                }
            }
            if wanted.as_ref() == Some(&realm) {
                self.settings = settings;
            }
        }
        self.settings.realm_names = names;
    }

    fn file(&mut self, name: &str, text: &str) {
        match text.parse::<Table>() {
            Ok(table) => self.table(name, "", &table),
            Err(error) => {
                // The error's own text shows the line, which may contain a secret.
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
                (None, Value::Table(realms)) if name == "realms" => self.realms(file, realms),
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
            if let Some((realm, rest)) = rest
                .strip_prefix(REALMS)
                .and_then(|rest| rest.split_once("__"))
            {
                self.realm_variable(&variable, realm, rest, &value);
                continue;
            }
            let name = rest.to_lowercase().replace("__", ".");
            match table::find(&name).filter(|key| key.variable() == variable) {
                Some(key) => self.value(key, &variable, Scalar::Env(&value)),
                None => {
                    let nearest = table::nearest(&name).map(SettingKey::variable);
                    self.unknown_variable(&variable, &value, nearest);
                }
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

    /// Reports a variable that names no setting, unless Kubernetes set it.
    fn unknown_variable(&mut self, variable: &str, value: &str, nearest: Option<String>) {
        if is_service_link(variable, value) {
            return pass_over(variable);
        }
        self.unknown(variable, "the environment", nearest);
        if has_link_name(variable)
            && let Some(line) = self.problems.last_mut()
        {
            line.push_str(
                " (where Kubernetes sets it for a Service: `enableServiceLinks: false` in the pod)",
            );
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
        self.lay_realms();
        if self.problems.is_empty() {
            return Ok(self.settings);
        }
        self.problems
            .extend(check::problems_beside(&self.settings, &self.unread));
        Err(refuse(&self.problems))
    }
}

/// Logs that a variable is skipped, because Kubernetes sets it for a Service.
fn pass_over(variable: &str) {
    tracing::debug!(
        variable = %quoted(variable),
        "passed over a service link of Kubernetes, which is no setting"
    );
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
