//! Rules for new passwords: length, and no easy guesses (NIST SP 800-63B-4 section 3.1.1.2).

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::{AuthError, Malformed, Refusal};
use crate::secret::Password;

type Blocklist = Arc<
    dyn Fn(Password) -> Pin<Box<dyn Future<Output = Result<Listed, AuthError>> + Send>>
        + Send
        + Sync,
>;

/// Rules for new passwords.
///
/// A least number of characters (Unicode code points), at most [`Password::MAX_BYTES`] bytes, at
/// least five different characters, not made of the account's own names, and not on the list that
/// [`blocklist`](Self::blocklist) asks. There are no rules of composition and no expiry: NIST
/// forbids both.
///
/// # Examples
/// ```
/// use tollgate::password::{Listed, Passwords, Rules};
///
/// # async fn is_breached(_: &str) -> Result<bool, std::io::Error> { Ok(false) }
/// let rules = Rules::single_factor().blocklist(|password| async move {
///     Ok(if is_breached(password.expose()).await? {
///         Listed::Yes
///     } else {
///         Listed::No
///     })
/// });
/// let passwords = Passwords::new().rules(rules);
/// # drop(passwords);
/// ```
#[derive(Clone)]
pub struct Rules {
    min_chars: usize,
    blocklist: Option<Blocklist>,
}

/// The answer of a list of common or breached passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// The password is on the list, and cannot be set.
    Yes,
    /// The password is not on the list.
    No,
}

/// The reason why a password cannot be set. Its `Display` may be shown to the user.
#[derive(Debug)]
#[non_exhaustive]
pub enum PasswordRejection {
    /// It has too few characters.
    TooShort {
        /// The number of characters that it needs.
        min_chars: usize,
    },
    /// It has more than [`Password::MAX_BYTES`] bytes.
    TooLong,
    /// It is made of a name of the account, or of hardly any different characters.
    Guessable,
    /// It is on the blocklist.
    Listed,
    /// It could not be decided: answer 503.
    Undecided(AuthError),
}

impl Rules {
    /// Requires at least 15 characters: for passwords that sign a user in without another factor.
    #[must_use]
    pub fn single_factor() -> Self {
        Self {
            min_chars: 15,
            blocklist: None,
        }
    }

    /// Requires at least 8 characters, for accounts that always need a second factor too.
    #[must_use]
    pub fn second_factor() -> Self {
        Self {
            min_chars: 8,
            blocklist: None,
        }
    }

    /// Requires at least so many characters, where that is more than the rules require already.
    #[must_use]
    pub fn min_chars(self, min_chars: usize) -> Self {
        Self {
            min_chars: self.min_chars.max(min_chars),
            ..self
        }
    }

    /// Asks `listed` about every password that is to be set: a file of common ones, or a service
    /// that knows breached ones.
    #[must_use]
    pub fn blocklist<F, T>(self, listed: F) -> Self
    where
        F: Fn(Password) -> T + Send + Sync + 'static,
        T: Future<Output = Result<Listed, AuthError>> + Send + 'static,
    {
        Self {
            blocklist: Some(Arc::new(move |password| Box::pin(listed(password)))),
            ..self
        }
    }

    /// Checks that a password satisfies the rules.
    pub(super) async fn keep(
        &self,
        password: &Password,
        names: &[&str],
    ) -> Result<(), PasswordRejection> {
        let text = password.expose();
        if text.chars().count() < self.min_chars {
            return Err(PasswordRejection::TooShort {
                min_chars: self.min_chars,
            });
        }
        if text.len() > Password::MAX_BYTES {
            return Err(PasswordRejection::TooLong);
        }
        if is_guessable(text, names) {
            return Err(PasswordRejection::Guessable);
        }
        match &self.blocklist {
            None => Ok(()),
            Some(listed) => match listed(password.clone())
                .await
                .map_err(PasswordRejection::Undecided)?
            {
                Listed::Yes => Err(PasswordRejection::Listed),
                Listed::No => Ok(()),
            },
        }
    }
}

/// Returns whether hardly anything is left of the password without the names, or it repeats a few
/// characters.
fn is_guessable(password: &str, names: &[&str]) -> bool {
    let mut rest = zeroize::Zeroizing::new(password.to_lowercase());
    if rest.chars().collect::<BTreeSet<_>>().len() < DIFFERENT {
        return true;
    }
    let mut words: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    words.extend(
        words
            .clone()
            .iter()
            .flat_map(|name| name.split(['@', '.', ' ']).map(str::to_owned)),
    );
    words.retain(|word| word.chars().count() >= WORD);
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut was_there = false;
    for word in &words {
        was_there |= rest.contains(word.as_str());
        rest = zeroize::Zeroizing::new(rest.replace(word.as_str(), ""));
    }
    was_there && rest.chars().count() < LEFT
}

/// The least number of different characters in a password.
const DIFFERENT: usize = 5;
/// The shortest name that is looked for in a password, in characters.
const WORD: usize = 4;
/// The least number of characters that a password must have without the names.
const LEFT: usize = 8;

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("min_chars", &self.min_chars)
            .field("has_blocklist", &self.blocklist.is_some())
            .finish()
    }
}

impl PasswordRejection {
    /// Returns what the client is told: 400, and the rule that the password breaks.
    ///
    /// # Errors
    /// It could not be decided.
    pub(crate) fn into_refusal(self) -> Result<Refusal, AuthError> {
        Ok(match self {
            Self::TooShort { min_chars } => Malformed::PasswordTooShort(min_chars),
            Self::TooLong => Malformed::PasswordTooLong,
            Self::Guessable => Malformed::PasswordGuessable,
            Self::Listed => Malformed::PasswordListed,
            Self::Undecided(error) => return Err(error),
        }
        .into())
    }
}

impl From<PasswordRejection> for AuthError {
    fn from(rejection: PasswordRejection) -> Self {
        rejection
            .into_refusal()
            .map_or_else(|undecided| undecided, Self::Refused)
    }
}

impl fmt::Display for PasswordRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { min_chars } => {
                write!(f, "the password needs at least {min_chars} characters")
            }
            Self::TooLong => write!(
                f,
                "the password has more than {} bytes",
                Password::MAX_BYTES
            ),
            Self::Guessable => f.write_str("the password is easy to guess"),
            Self::Listed => f.write_str("the password is known to attackers"),
            Self::Undecided(_) => f.write_str("this cannot be decided at the moment"),
        }
    }
}
