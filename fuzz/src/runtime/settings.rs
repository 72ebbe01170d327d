//! Settings, from a file and from the environment.

use tollgate::settings::Settings;

/// Reads settings: no line of a message is longer than a screen is wide times a few, and what is
/// accepted can be checked.
pub fn settings_toml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (file, environment) = text.split_once('\0').unwrap_or((text, ""));
    let variables = environment
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (format!("TOLLGATE_{name}"), value.to_owned()));
    match Settings::from_sources(Some(("tollgate.toml", file)), variables) {
        Ok(settings) => drop(settings.validate()),
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with("the settings cannot be used:\n"), "{text}");
            assert!(text.lines().all(|line| line.len() < 2000), "{text}");
        }
    }
}
