//! The source of each setting, for messages.

use std::collections::BTreeMap;

/// The last source of each setting, and the value from it: if code assigned another value since,
/// the values differ.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins(BTreeMap<&'static str, SettingOrigin>);

/// The source of one setting, and the value that was read from it.
#[derive(Clone, Debug)]
struct SettingOrigin {
    source: String,
    shown: Option<String>,
}

impl Origins {
    /// Notes the source that a setting was read from, and the value that it has since.
    pub(super) fn insert(&mut self, name: &'static str, source: &str, shown: Option<String>) {
        let source = source.to_owned();
        self.0.insert(name, SettingOrigin { source, shown });
    }

    /// Returns the words that say where a setting's present value comes from, by that value and
    /// the default.
    pub(super) fn of(&self, name: &str, shown: Option<&str>, by_default: Option<&str>) -> String {
        match self.0.get(name) {
            Some(origin) if origin.shown.as_deref() == shown => format!("from {}", origin.source),
            _ if shown == by_default => "by default".to_owned(),
            _ => "set in code".to_owned(),
        }
    }
}
