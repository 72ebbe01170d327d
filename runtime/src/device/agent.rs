//! Browsers and systems in words for people, read from the user agent. No decision depends on them.

use serde::Serialize;

use super::Device;

/// A browser or program, and the system that it runs on: words for a list of sessions. Any sender
/// can claim any of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Agent {
    /// The browser: `Firefox`.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The system: `Android`.
    pub os: Option<String>,
    /// Its version.
    pub os_version: Option<String>,
    /// The machine's model, from its hints.
    pub model: Option<String>,
    /// The kind of machine: `pc`, `smartphone`, `crawler` …
    pub kind: Option<String>,
}

impl Device {
    /// Reads the user agent, with the feature `user-agent`, and the hints. Where both name the
    /// system, the hint counts: browsers have frozen the user agent.
    #[must_use]
    pub fn agent(&self) -> Agent {
        let mut agent = self.user_agent.as_deref().map(read).unwrap_or_default();
        if let Some(platform) = &self.hints.platform {
            agent.os = Some(platform.clone());
            agent.os_version = self.hints.platform_version.clone();
        }
        agent.model.clone_from(&self.hints.model);
        agent
    }
}

/// Reads a user agent.
#[cfg(feature = "user-agent")]
fn read(text: &str) -> Agent {
    let known = |text: &str| (!text.is_empty() && text != "UNKNOWN").then(|| text.to_owned());
    let read = woothee::parser::Parser::new().parse(text);
    read.map_or_else(Agent::default, |read| Agent {
        name: known(read.name),
        version: known(read.version),
        os: known(read.os),
        os_version: known(&read.os_version),
        model: None,
        kind: known(read.category),
    })
}

/// Returns nothing: without the feature `user-agent` the text is not read.
#[cfg(not(feature = "user-agent"))]
fn read(_: &str) -> Agent {
    Agent::default()
}

#[cfg(test)]
mod tests {
    use super::super::Hints;
    use super::*;

    fn device(user_agent: &str, hints: Hints) -> Device {
        Device {
            user_agent: Some(user_agent.to_owned()),
            hints,
            ..Device::default()
        }
    }

    #[test]
    fn hints_are_put_in_words() {
        let hints = Hints {
            platform: Some("Android".to_owned()),
            model: Some("Pixel 9".to_owned()),
            ..Hints::default()
        };
        let phone = device("", hints).agent();
        assert_eq!(
            (phone.os.as_deref(), phone.model.as_deref(), phone.name),
            (Some("Android"), Some("Pixel 9"), None)
        );
    }

    #[cfg(feature = "user-agent")]
    #[test]
    fn a_user_agent_is_put_in_words_and_hints_are_better() {
        let firefox = device(
            "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
            Hints::default(),
        )
        .agent();
        assert_eq!(
            (firefox.name.as_deref(), firefox.version.as_deref()),
            (Some("Firefox"), Some("141.0"))
        );
        assert_eq!(
            (firefox.os.as_deref(), firefox.kind.as_deref()),
            (Some("Linux"), Some("pc"))
        );
        let frozen = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/142.0.0.0 Mobile Safari/537.36";
        let hints = Hints {
            platform: Some("Android".to_owned()),
            platform_version: Some("16.0.0".to_owned()),
            model: Some("Pixel 9".to_owned()),
            ..Hints::default()
        };
        let phone = device(frozen, hints).agent();
        assert_eq!(
            (phone.name.as_deref(), phone.kind.as_deref()),
            (Some("Chrome"), Some("smartphone"))
        );
        assert_eq!(
            (phone.os_version.as_deref(), phone.model.as_deref()),
            (Some("16.0.0"), Some("Pixel 9"))
        );
        assert_eq!(device("", Hints::default()).agent(), Agent::default());
        assert_eq!(
            device("garbage \u{1}", Hints::default()).agent(),
            Agent::default()
        );
    }
}
