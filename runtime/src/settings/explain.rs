//! The settings for people and for editors: each with its value and source, and as a JSON schema.

use serde_json::{Map, Value, json};

use super::Settings;
use super::table::KEYS;

/// A setting, its value and where that comes from.
#[cfg_attr(
    not(feature = "cli"),
    allow(dead_code, reason = "the command line shows it")
)]
pub(crate) struct ExplainedSetting {
    /// The name in the file: `access.ttl`.
    pub(crate) name: &'static str,
    /// The name in the environment.
    pub(crate) variable: String,
    /// The value as the file would have it; a store's URL is never shown.
    pub(crate) value: Option<String>,
    /// The default as the file would have it.
    pub(crate) default: Option<String>,
    /// The source: `by default`, `from tollgate.toml`.
    pub(crate) source: String,
    /// The description of the table.
    pub(crate) about: &'static str,
    /// `true` if the file has the value without quotes: a number, `true` or `false`.
    pub(crate) is_bare: bool,
    /// `true` if it is a list.
    pub(crate) is_list: bool,
}

impl Settings {
    /// Returns every setting in the order of the table.
    #[cfg_attr(
        not(feature = "cli"),
        allow(dead_code, reason = "the command line shows it")
    )]
    pub(crate) fn explained(&self) -> Vec<ExplainedSetting> {
        let defaults = Self::default();
        let explain = |key: &super::table::SettingKey| {
            let (value, default) = ((key.show)(self), (key.show)(&defaults));
            let kind = (key.schema)().get("type").cloned().unwrap_or_default();
            ExplainedSetting {
                name: key.name,
                variable: key.variable(),
                source: self
                    .origins
                    .of(key.name, value.as_deref(), default.as_deref()),
                value,
                default,
                about: key.about,
                is_bare: matches!(kind.as_str(), Some("boolean" | "integer")),
                is_list: kind == "array",
            }
        };
        KEYS.iter().map(explain).collect()
    }
}

/// Returns the JSON schema of `tollgate.toml`, which editors read.
pub(crate) fn file_schema() -> Value {
    let (top, realm) = (object(false), object(true));
    let mut schema = top;
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(
            "realms".to_owned(),
            json!({
                "type": "object",
                "description": "settings of named realms, laid over those at the top level",
                "propertyNames": { "pattern": "^[a-z]([a-z0-9]|-[a-z0-9])*$", "maxLength": 32 },
                "additionalProperties": realm,
            }),
        );
    }
    if let Some(members) = schema.as_object_mut() {
        members.insert(
            "$schema".to_owned(),
            "https://json-schema.org/draft/2020-12/schema".into(),
        );
        members.insert("title".to_owned(), "tollgate.toml".into());
    }
    schema
}

/// Returns the schema of all settings as nested objects; those of a realm have no defaults, for the
/// top level gives them.
fn object(is_realm: bool) -> Value {
    let mut properties = Map::new();
    let defaults = Settings::default();
    for key in KEYS {
        let mut schema = (key.schema)();
        if let Some(members) = schema.as_object_mut() {
            members.insert("description".to_owned(), key.about.into());
            if let Some(default) = (key.show)(&defaults).filter(|_| !is_realm) {
                let typed = match members.get("type").and_then(Value::as_str) {
                    Some("boolean" | "integer") => serde_json::from_str(&default).ok(),
                    Some("array") => Some(default.split(',').collect()),
                    _ => Some(default.into()),
                };
                members.extend(typed.map(|default: Value| ("default".to_owned(), default)));
            }
        }
        let (section, name) = key.name.split_once('.').unzip();
        let place = match section {
            None => Some(&mut properties),
            Some(section) => properties
                .entry(section)
                .or_insert_with(
                    || json!({ "type": "object", "additionalProperties": false, "properties": {} }),
                )
                .get_mut("properties")
                .and_then(Value::as_object_mut),
        };
        if let Some(place) = place {
            place.insert(name.unwrap_or(key.name).to_owned(), schema);
        }
    }
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_beside_the_documentation_is_that_of_the_table() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../docs/reference/tollgate.schema.json"
        );
        let made = serde_json::to_string_pretty(&file_schema()).unwrap() + "\n";
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, &made).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap();
        assert_eq!(written, made, "BLESS=1 rewrites it");
    }
}
