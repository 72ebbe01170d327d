//! The texts of problems in the language of their reader. Codes never change.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::german;
use super::malformed::Malformed;
use super::refusal::Code;

/// The languages in which titles and details of problems are told. English is always there.
///
/// The language is the one of `Accept-Language` (RFC 9110 section 12.5.4) that comes first and is
/// known: `de-AT` is answered in German. Problems get `Content-Language` and
/// `Vary: Accept-Language`. The members `type`, `code` and `status` are for programs, and the same
/// in every language.
///
/// # Examples
/// ```
/// use tollgate::error::{Code, Messages, Text};
///
/// let messages = Messages::new().german().language("fr", |text| match text {
///     Text::Title(Code::InvalidCredentials) => Some("les identifiants ne sont pas valables".into()),
///     // What has no text here is told in English.
///     _ => None,
/// });
/// assert_eq!(messages.choose("fr-CH, de;q=0.9"), Some("fr"));
/// assert_eq!(messages.choose("da"), None);
/// ```
#[derive(Clone, Default)]
pub struct Messages {
    languages: Vec<Language>,
}

type Translate = dyn for<'t> Fn(Text<'t>) -> Option<Cow<'static, str>> + Send + Sync;

/// A language and its texts.
#[derive(Clone)]
struct Language {
    tag: Arc<str>,
    translate: Arc<Translate>,
}

/// A text that a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Text<'t> {
    /// The title of a problem.
    Title(Code),
    /// The detail of a malformed request.
    Detail {
        /// The reason: `missing`, `twice`, `unfit`, `password_too_short` …
        key: &'t str,
        /// The name of the member or the header at fault.
        name: Option<&'t str>,
        /// A number that belongs to it: the characters that a password needs.
        number: Option<usize>,
    },
}

impl Messages {
    /// Begins with English alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds German.
    #[must_use]
    pub fn german(self) -> Self {
        self.language("de", german::text)
    }

    /// Adds a language by its tag (RFC 5646), such as `fr`, or replaces its texts. Where `translate`
    /// returns `None`, the text is English. It must not depend on anything but the text: of an
    /// unknown account and of a wrong password a client sees the same bytes.
    #[must_use]
    pub fn language(
        mut self,
        tag: &str,
        translate: impl for<'t> Fn(Text<'t>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        let tag = tag.to_ascii_lowercase();
        self.languages.retain(|language| *language.tag != *tag);
        self.languages.push(Language {
            tag: tag.into(),
            translate: Arc::new(translate),
        });
        self
    }

    /// Returns whether there is English alone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.languages.is_empty()
    }

    /// Returns the tag of the language that an `Accept-Language` asks for; `None` if that is
    /// English, or none that is known.
    #[must_use]
    pub fn choose(&self, accepted: &str) -> Option<&str> {
        let mut best: Option<(u32, Option<&Language>)> = None;
        for range in accepted.split(',').take(MOST_RANGES) {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let quality = match parts.find_map(|part| part.trim().strip_prefix("q=")) {
                None => 1000,
                Some(text) => quality(text).unwrap_or_default(),
            };
            let Some(found) = self.find(tag) else {
                continue;
            };
            // Of equals the first one counts.
            if quality > best.map_or(0, |(quality, _)| quality) {
                best = Some((quality, found));
            }
        }
        best.and_then(|(_, language)| language)
            .map(|language| &*language.tag)
    }

    /// Finds the language of a range by leaving out its last parts (RFC 4647 section 3.4). Returns
    /// `None` if no language matches, and `Some(None)` for English, which `*` means too.
    fn find(&self, range: &str) -> Option<Option<&Language>> {
        let mut rest = range;
        loop {
            let is_it = |language: &&Language| language.tag.eq_ignore_ascii_case(rest);
            if let Some(language) = self.languages.iter().find(is_it) {
                return Some(Some(language));
            }
            if rest == "*" || rest.eq_ignore_ascii_case("en") {
                return Some(None);
            }
            rest = rest.rsplit_once('-')?.0;
        }
    }

    /// Returns a text in the chosen language, or in English if that language has no such text.
    pub(crate) fn tell(&self, tag: Option<&str>, text: Text<'_>) -> Option<Cow<'static, str>> {
        let tag = tag?;
        let language = self.languages.iter().find(|known| *known.tag == *tag)?;
        (language.translate)(text)
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags = self.languages.iter().map(|language| &language.tag);
        f.debug_list().entries(tags).finish()
    }
}

impl Malformed {
    /// Returns the detail as a language sees it.
    pub(crate) const fn text(&self) -> Text<'static> {
        let (key, name, number) = match *self {
            Self::NotJson => ("not_json", None, None),
            Self::NotAnObject => ("not_an_object", None, None),
            Self::NotAForm => ("not_a_form", None, None),
            Self::Incomplete => ("incomplete", None, None),
            Self::Missing(name) => ("missing", Some(name), None),
            Self::Twice(name) => ("twice", Some(name), None),
            Self::Unfit(name) => ("unfit", Some(name), None),
            Self::UnfitMember => ("unfit_member", None, None),
            Self::TwoCredentials => ("two_credentials", None, None),
            Self::NoDevice => ("no_device", None, None),
            Self::UnfitInput => ("unfit_input", None, None),
            Self::LoneBearerProtocol => ("lone_bearer_protocol", None, None),
            Self::UnfitHeader(name) => ("unfit_header", Some(name), None),
            Self::PasswordTooShort(chars) => ("password_too_short", None, Some(chars)),
            Self::PasswordTooLong => ("password_too_long", None, None),
            Self::PasswordGuessable => ("password_guessable", None, None),
            Self::PasswordListed => ("password_listed", None, None),
            Self::NotAnUpgrade => ("not_an_upgrade", None, None),
            Self::NoSuchPage => ("no_such_page", None, None),
        };
        Text::Detail { key, name, number }
    }
}

/// Reads a weight (RFC 9110 section 12.4.2) in thousandths.
fn quality(text: &str) -> Option<u32> {
    let (whole, rest) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let is_weight = rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths = format!("{rest:0<3}").parse::<u32>().ok()?;
    match whole {
        "0" if is_weight => Some(thousandths),
        "1" if is_weight && thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// The most languages of a request that are considered.
const MOST_RANGES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_known_is_chosen() {
        let messages = Messages::new().german().language("pt-BR", |_| None);
        for (accepted, chosen) in [
            ("de", Some("de")),
            ("de-AT", Some("de")),
            ("DE-at", Some("de")),
            ("de-CH-1996", Some("de")),
            ("en, de", None),
            ("en;q=0.5, de", Some("de")),
            ("de;q=0.5, en;q=0.7", None),
            ("fr, de;q=0.3", Some("de")),
            ("de;q=0", None),
            ("de;q=0.000, *", None),
            ("*", None),
            ("*;q=0.1, de;q=0.2", Some("de")),
            ("pt-br", Some("pt-br")),
            ("pt", None),
            ("den", None),
            ("d", None),
            ("", None),
            (",;q=,;;", None),
            ("de;q=2", None),
            ("de;q=1.001", None),
            ("de;q=0.1234", None),
            ("de;q=abc", None),
            ("de ; q=0.5", Some("de")),
        ] {
            assert_eq!(messages.choose(accepted), chosen, "{accepted}");
        }
        let long = "fr,".repeat(100_000) + "de";
        assert_eq!(
            messages.choose(&long),
            None,
            "what comes late is not looked at"
        );
    }

    /// German has a text for every title and every detail.
    #[test]
    fn german_is_complete() {
        let messages = Messages::new().german();
        for code in Code::ALL {
            let text = messages.tell(Some("de"), Text::Title(code));
            let text = text.unwrap_or_else(|| panic!("{code:?}"));
            assert_ne!(text, code.title());
        }
        for malformed in [
            Malformed::NotJson,
            Malformed::NotAnObject,
            Malformed::NotAForm,
            Malformed::Incomplete,
            Malformed::Missing("email"),
            Malformed::Twice("email"),
            Malformed::Unfit("email"),
            Malformed::UnfitMember,
            Malformed::TwoCredentials,
            Malformed::NoDevice,
            Malformed::UnfitInput,
            Malformed::LoneBearerProtocol,
            Malformed::UnfitHeader("x"),
            Malformed::PasswordTooShort(12),
            Malformed::PasswordTooLong,
            Malformed::PasswordGuessable,
            Malformed::PasswordListed,
            Malformed::NotAnUpgrade,
            Malformed::NoSuchPage,
        ] {
            let text = messages.tell(Some("de"), malformed.text());
            let text = text.unwrap_or_else(|| panic!("{malformed:?}"));
            assert_ne!(text, malformed.to_string());
        }
    }
}
