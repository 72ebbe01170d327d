//! Errors: what operators read, and what clients may know.

#[doc(hidden)]
pub mod absent;
mod auth_error;
#[cfg(feature = "axum")]
mod german;
mod malformed;
#[cfg(feature = "axum")]
mod messages;
mod refusal;
mod step;

pub use auth_error::AuthError;
pub(crate) use malformed::Malformed;
#[cfg(feature = "axum")]
pub use messages::{Messages, Text};
pub use refusal::{Code, Refusal};
pub use step::{SignInStep, StepOffer};

/// The former name of [`SignInStep`].
#[deprecated(since = "0.1.0", note = "use `SignInStep`")]
pub type Step = SignInStep;

use std::error::Error as StdError;
use std::fmt::{self, Write as _};

/// Any error, as the source of one of the gate's errors.
pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// The reason why a gate, a ring or a store does not start. For operators: it names the setting or
/// the file.
///
/// `Display` prints this error alone. `Debug` also prints everything that caused it: it is what a
/// program prints when its `main` returns the error.
pub struct Error {
    kind: ErrorKind,
    what: String,
    source: Option<BoxError>,
}

/// The kind of a start-up error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Settings are missing, unknown, malformed or contradict each other.
    Settings,
    /// A key or the ring's folder cannot be used.
    Keys,
    /// The store cannot be used.
    Store,
    /// The operating system gives no random bytes.
    Random,
    /// The caller asked for something that cannot be done.
    Usage,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            source: None,
        }
    }

    pub(crate) fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Puts the operation that failed before the message.
    pub(crate) fn below(self, what: &str) -> Self {
        Self {
            what: format!("{what}: {}", self.what),
            ..self
        }
    }

    /// Returns the kind of thing that went wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match self.source() {
            Some(_) => write!(f, ": {}", Causes(self.source())),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// An error with everything that caused it, on one line, for logs.
pub(crate) struct Causes<'a>(pub(crate) Option<&'a (dyn StdError + 'static)>);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut next, mut separator) = (self.0, "");
        while let Some(error) = next {
            write!(OneLine(f), "{separator}{error}")?;
            (separator, next) = (": ", error.source());
        }
        Ok(())
    }
}

/// Writes control characters and line breaks as escapes.
struct OneLine<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match c {
            '\u{2028}' | '\u{2029}' => write!(self.0, "{}", c.escape_default()),
            c if c.is_control() => write!(self.0, "{}", c.escape_default()),
            c => self.0.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_main_returns_is_printed_in_words() {
        let inner = Error::new(ErrorKind::Keys, "the key is truncated");
        let error = Error::new(ErrorKind::Keys, "`keys/sign.key` cannot be read").because(inner);
        for shown in [format!("{error:?}"), format!("{error:#?}")] {
            assert_eq!(
                shown,
                "`keys/sign.key` cannot be read: the key is truncated"
            );
        }
        let alone = Error::new(
            ErrorKind::Settings,
            "the settings cannot be used:\n`issuer`",
        );
        assert_eq!(
            format!("{alone:?}"),
            "the settings cannot be used:\n`issuer`"
        );
    }

    /// R129: an error text of a database cannot forge a line of the log.
    #[test]
    fn r129_causes_are_written_on_one_line() {
        let refusal = Refusal::unavailable("no row for a\r\nb\u{1b}[2Kä\u{2028}");
        assert_eq!(
            Causes(refusal.source()).to_string(),
            "no row for a\\r\\nb\\u{1b}[2Kä\\u{2028}"
        );
    }
}
