//! The cookies of a gate: their names, made once from the name of its realm, and which of two names
//! the refresh cookie has.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::realm::RealmName;
use crate::settings::{CookieSettings, RefreshCookie};

/// The names of a gate's cookies: `__Host-tollgate-access`, in the realm `staff`
/// `__Host-tollgate-staff-access`.
///
/// Browsers take the prefix only from a secure origin, for the whole host and for no other (RFC
/// 6265bis section 4.1.3.2), so that no page of a sibling subdomain can set one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CookieNames {
    /// The cookie of the access token.
    pub(crate) access: Box<str>,
    /// The cookie of the refresh token.
    pub(crate) refresh: Box<str>,
    /// The cookie of a sign-in that needs a further step.
    pub(crate) step: Box<str>,
    /// The cookie by which a device is known again.
    pub(crate) device: Box<str>,
    /// The cookie that keeps the state of a sign-in while the user is at another service.
    pub(crate) state: Box<str>,
    /// The cookie of a page that was just renewed.
    pub(crate) renewed: Box<str>,
}

impl CookieNames {
    /// Makes the names of a realm's cookies; `None` is the default realm.
    pub(crate) fn new(realm: Option<&RealmName>) -> Self {
        let name = |what: &str| match realm {
            Some(realm) => format!("__Host-tollgate-{realm}-{what}").into(),
            None => format!("__Host-tollgate-{what}").into(),
        };
        Self {
            access: name("access"),
            refresh: name("refresh"),
            step: name("step"),
            device: name("device"),
            state: name("state"),
            renewed: name("renewed"),
        }
    }

    /// Returns all names.
    pub(crate) fn all(&self) -> [&str; 6] {
        [
            &self.access,
            &self.refresh,
            &self.step,
            &self.device,
            &self.state,
            &self.renewed,
        ]
    }
}

/// The name of the refresh cookie in releases before this one. The prefix allows a path, but a page
/// of a sibling subdomain can set a cookie of this name.
pub(crate) const FORMER_REFRESH: &str = "__Secure-tollgate-refresh";

/// The rule for the name of a gate's refresh cookie: which of its two names is written, and until
/// when the other is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefreshCookieRule {
    /// The cookie that is written.
    writes: RefreshCookie,
    /// The time until which the former name is accepted beside the other one; `None` if it is
    /// not.
    former_until: Option<Timestamp>,
    /// `true` if the gate could have set a cookie of the former name.
    has_former: bool,
}

impl RefreshCookieRule {
    /// Decides for a gate. `older_since` is the time at which this release first opened a store
    /// with sessions of earlier releases; `None` if the store has none.
    pub(crate) fn new(
        settings: &CookieSettings,
        realm: Option<&RealmName>,
        older_since: Option<Timestamp>,
    ) -> Self {
        let has_former = realm.is_none();
        let older_since = older_since.filter(|_| has_former);
        let default = match older_since {
            Some(_) => RefreshCookie::Path,
            None => RefreshCookie::Host,
        };
        Self {
            writes: settings.refresh.unwrap_or(default),
            former_until: settings
                .legacy_until
                .or_else(|| Some(older_since?.plus(LEGACY_FOR)))
                .filter(|_| has_former),
            has_former,
        }
    }

    /// Returns the rule of a gate whose pages are renewed. The cookie of the former name does not
    /// reach a page.
    #[cfg(feature = "cookies")]
    pub(super) fn with_pages(self) -> Self {
        Self {
            writes: RefreshCookie::Host,
            ..self
        }
    }

    /// Returns whether the cookie of the former name is written.
    pub(crate) fn writes_former(self) -> bool {
        self.writes == RefreshCookie::Path
    }

    /// Returns the former name, where the gate could have set a cookie of that name.
    pub(crate) fn former(self) -> Option<&'static str> {
        self.has_former.then_some(FORMER_REFRESH)
    }

    /// Returns the former name, where a cookie of that name is accepted.
    pub(crate) fn former_that_counts(self, now: Timestamp) -> Option<&'static str> {
        let counts = self.writes_former() || self.former_until.is_some_and(|until| now < until);
        self.former().filter(|_| counts)
    }
}

/// The time for which the former name is accepted after this release first opened a store.
const LEGACY_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_store_with_older_sessions_keeps_the_former_name() {
        let day = |days: u64| Timestamp::from_secs(days * 24 * 60 * 60);
        let staff = RealmName::parse("staff").unwrap();
        let mut settings = CookieSettings::default();
        let young = RefreshCookieRule::new(&settings, None, None);
        assert!(!young.writes_former() && young.former_that_counts(day(0)).is_none());
        assert_eq!(young.former(), Some(FORMER_REFRESH));
        let older = RefreshCookieRule::new(&settings, None, Some(day(100)));
        assert!(older.writes_former() && older.former_that_counts(day(1000)).is_some());
        let realm = RefreshCookieRule::new(&settings, Some(&staff), Some(day(100)));
        assert!(!realm.writes_former() && realm.former().is_none());
        assert_eq!(realm.former_that_counts(day(100)), None);
        // In the second release, and in the first if a setting asks for it.
        settings.refresh = Some(RefreshCookie::Host);
        let moved = RefreshCookieRule::new(&settings, None, Some(day(100)));
        assert!(!moved.writes_former());
        assert!(moved.former_that_counts(day(129)).is_some());
        assert!(moved.former_that_counts(day(130)).is_none());
        settings.legacy_until = Some(day(110));
        let sooner = RefreshCookieRule::new(&settings, None, Some(day(100)));
        assert!(sooner.former_that_counts(day(109)).is_some());
        assert!(sooner.former_that_counts(day(110)).is_none());
        settings.refresh = Some(RefreshCookie::Path);
        let kept = RefreshCookieRule::new(&settings, None, None);
        assert!(kept.writes_former() && kept.former_that_counts(day(1000)).is_some());
    }

    #[test]
    fn the_names_carry_the_realm() {
        let CookieNames {
            access,
            refresh,
            step,
            device,
            state,
            renewed,
        } = CookieNames::new(Some(&RealmName::parse("eu-staff").unwrap()));
        for (name, what) in [
            (access, "access"),
            (refresh, "refresh"),
            (step, "step"),
            (device, "device"),
            (state, "state"),
            (renewed, "renewed"),
        ] {
            assert_eq!(&*name, format!("__Host-tollgate-eu-staff-{what}"));
        }
        let default = CookieNames::new(None);
        assert_eq!(&*default.access, "__Host-tollgate-access");
        assert_eq!(&*default.refresh, "__Host-tollgate-refresh");
        assert_eq!(&*default.device, "__Host-tollgate-device");
    }
}
