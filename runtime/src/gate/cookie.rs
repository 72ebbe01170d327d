//! The cookies of a gate: their names, made once from the name of its realm.

use crate::realm::RealmName;

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
    /// The cookie of a sign-in that is at another service.
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
