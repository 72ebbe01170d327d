//! The number of sessions that end when a new one opens.

use crate::store::record::{DeviceLimit, OnLimit};

impl DeviceLimit {
    /// Returns how many of a subject's `live` sessions have to end so that one more may be opened,
    /// or `None` if the limit refuses the new session instead
    /// ([`Opened::LimitReached`](crate::store::Opened::LimitReached)).
    ///
    /// The sessions that end are those seen longest ago: a store takes that many from the front of
    /// the live sessions, ordered by `last_seen_at`, then `created_at`, then `sid`. There may be
    /// more than one, for example after the limit was lowered. A limit of zero counts as one.
    ///
    /// ```
    /// use tollgate::store::{DeviceLimit, OnLimit};
    ///
    /// let evicts = DeviceLimit { max: 3, on_limit: OnLimit::EvictOldest };
    /// assert_eq!(evicts.surplus(2), Some(0));
    /// assert_eq!(evicts.surplus(3), Some(1));
    /// assert_eq!(evicts.surplus(5), Some(3));
    ///
    /// let denies = DeviceLimit { max: 3, on_limit: OnLimit::Deny };
    /// assert_eq!(denies.surplus(2), Some(0));
    /// assert_eq!(denies.surplus(3), None);
    /// ```
    #[must_use]
    pub fn surplus(self, live: usize) -> Option<usize> {
        let room = usize::try_from(self.max.max(1)).unwrap_or(usize::MAX) - 1;
        let surplus = live.saturating_sub(room);
        (surplus == 0 || self.on_limit == OnLimit::EvictOldest).then_some(surplus)
    }
}
