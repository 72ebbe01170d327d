//! The letters that the application sends. Here they are printed; a test reads them.

use std::sync::{Arc, Mutex, PoisonError};

/// Where letters go.
#[derive(Clone)]
pub(crate) struct Letters {
    is_printed: bool,
    sent: Arc<Mutex<Vec<Letter>>>,
}

/// A letter. Its token belongs behind the `#` of a page that posts it, so that nothing that follows
/// links consumes it.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) text: &'static str,
    pub(crate) token: Option<String>,
}

impl Letters {
    /// Letters on the terminal.
    pub(crate) fn printed() -> Self {
        Self {
            is_printed: true,
            sent: Arc::default(),
        }
    }

    /// Letters that a test takes out.
    #[cfg(test)]
    pub(crate) fn kept() -> Self {
        Self {
            is_printed: false,
            sent: Arc::default(),
        }
    }

    pub(crate) fn send(&self, letter: Letter) {
        if self.is_printed {
            println!(
                "To {}: {} {}",
                letter.to,
                letter.text,
                letter.token.as_deref().unwrap_or_default()
            );
        } else {
            self.sent
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(letter);
        }
    }

    #[cfg(test)]
    pub(crate) fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}
