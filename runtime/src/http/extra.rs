//! Members that an application adds to an answer of the gate.

use serde::Serialize;
use serde_json::{Map, Value};

/// Members of a JSON object beside the gate's own.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Members(Map<String, Value>);

impl From<Map<String, Value>> for Members {
    fn from(members: Map<String, Value>) -> Self {
        Self(members)
    }
}

impl Members {
    /// Adds a member, or replaces one of this name.
    ///
    /// # Errors
    /// The gate has a member of this name, or the value cannot be written as JSON. The error names
    /// the member.
    pub(super) fn add(
        &mut self,
        name: &str,
        value: impl Serialize,
        is_ours: impl FnOnce(&str) -> bool,
    ) -> Result<(), String> {
        if is_ours(name) {
            return Err(format!("`{name}` is a member of ours: choose another name"));
        }
        let value = serde_json::to_value(value)
            .map_err(|error| format!("`{name}` cannot be written as JSON: {error}"))?;
        self.0.insert(name.to_owned(), value);
        Ok(())
    }

    /// Returns them as an object.
    pub(super) const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}
