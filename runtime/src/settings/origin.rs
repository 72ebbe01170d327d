//! Where each setting was read from, for messages.

use std::collections::BTreeMap;

use super::Settings;
use super::table::SettingKey;

/// The source that each setting was last read from, and the value: an assignment in code shows as a
/// difference.
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
    pub(super) fn insert(&mut self, key: &SettingKey, source: &str, shown: Option<String>) {
        let source = source.to_owned();
        self.0.insert(key.name, SettingOrigin { source, shown });
    }

    /// Returns the words that say where the setting's present value comes from.
    pub(super) fn of(&self, key: &SettingKey, settings: &Settings) -> String {
        let shown = (key.show)(settings);
        match self.0.get(key.name) {
            Some(origin) if origin.shown == shown => format!("from {}", origin.source),
            _ if shown == (key.show)(&Settings::default()) => "by default".to_owned(),
            _ => "set in code".to_owned(),
        }
    }
}
