//! The check that a subject has not changed since its authentication.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::record::Authenticated;

impl Authenticated {
    /// Returns whether the subject changed since this authentication, so that
    /// [`open_session`] has to answer [`Opened::Reload`] and write nothing.
    ///
    /// `changed_at` is the time of the subject's last change as the store keeps it, and 1970
    /// ([`Timestamp::default`]) for a subject that never changed.
    ///
    /// * [`Since`](Self::Since) compares times of two clocks, that of the node which authenticated
    ///   and that of the node which changed the subject. So a change within the second before the
    ///   authentication counts as later. A subject that never changed has not moved, whatever the
    ///   time.
    /// * [`After`](Self::After) compares two values that the store returned, so they have to be the
    ///   same.
    ///
    /// A store calls this under the lock of the subject, before it counts sessions.
    ///
    /// ```
    /// # use std::time::Duration;
    /// use tollgate::clock::Timestamp;
    /// use tollgate::store::Authenticated;
    ///
    /// let start = Timestamp::from_secs(1_700_000_000);
    /// let authenticated = Authenticated::Since(start);
    /// assert!(!authenticated.has_moved(Timestamp::default()));
    /// assert!(!authenticated.has_moved(start.minus(Duration::from_secs(2))));
    /// assert!(authenticated.has_moved(start.minus(Duration::from_secs(1))));
    ///
    /// let reloaded = Authenticated::After(start);
    /// assert!(!reloaded.has_moved(start));
    /// assert!(reloaded.has_moved(start.plus(Duration::from_millis(1))));
    /// ```
    ///
    /// [`open_session`]: crate::store::SessionStore::open_session
    /// [`Opened::Reload`]: crate::store::Opened::Reload
    #[must_use]
    pub fn has_moved(self, changed_at: Timestamp) -> bool {
        match self {
            Self::Since(_) => changed_at > Timestamp::default() && changed_at >= self.bound(),
            Self::After(_) => changed_at != self.bound(),
        }
    }

    /// Returns the time with which the subject's `changed_at` is compared.
    pub(in crate::store) fn bound(self) -> Timestamp {
        match self {
            Self::Since(start) => start.minus(CLOCK_ERROR),
            Self::After(expected) => expected,
        }
    }
}

/// The largest difference between the clocks of two nodes that is allowed for.
const CLOCK_ERROR: Duration = Duration::from_secs(1);
