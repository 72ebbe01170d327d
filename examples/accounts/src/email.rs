//! The emails that the application sends. Here they are printed; a test reads them.

use std::sync::{Arc, Mutex, PoisonError};

/// Sends emails: to the terminal, or to a list that a test reads.
#[derive(Clone)]
pub(crate) struct Emails {
    is_printed: bool,
    sent: Arc<Mutex<Vec<Email>>>,
}

/// An email. Its token belongs behind the `#` of a page that posts it, so that nothing that follows
/// links consumes it.
#[derive(Clone, Debug)]
pub(crate) struct Email {
    pub(crate) to: String,
    pub(crate) text: &'static str,
    pub(crate) token: Option<String>,
}

impl Emails {
    /// Prints each email.
    pub(crate) fn printed() -> Self {
        Self {
            is_printed: true,
            sent: Arc::default(),
        }
    }

    /// Keeps each email for a test.
    #[cfg(test)]
    pub(crate) fn kept() -> Self {
        Self {
            is_printed: false,
            sent: Arc::default(),
        }
    }

    pub(crate) fn send(&self, email: Email) {
        if self.is_printed {
            println!(
                "To {}: {} {}",
                email.to,
                email.text,
                email.token.as_deref().unwrap_or_default()
            );
        } else {
            self.sent
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(email);
        }
    }

    #[cfg(test)]
    pub(crate) fn take(&self) -> Vec<Email> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}
