//! The names that all tokens of a verifier have in common: one copy for each thread.

use std::cell::RefCell;
use std::sync::Arc;

use super::expect::Expect;
use super::fast_path::Frame;
use crate::realm::RealmName;

/// The names that all tokens of a verifier have in common.
///
/// Each thread has its own copy, which its tokens share: if all threads changed one count of
/// references, requests on different cores would wait for each other.
#[derive(Debug)]
pub(super) struct TokenNames {
    pub(super) issuer: Arc<str>,
    pub(super) audience: Arc<str>,
    pub(super) realm: Option<RealmName>,
    pub(super) kid: Arc<str>,
    /// The client that most tokens have.
    pub(super) client_id: Arc<str>,
    /// The texts around the subject in the gate's own tokens.
    frame: Option<Frame>,
}

thread_local! {
    static RECENT: RefCell<Vec<Arc<TokenNames>>> = const { RefCell::new(Vec::new()) };
}

impl TokenNames {
    /// Makes the names of a token of this issuer and audience, one of those that are expected.
    pub(super) fn new(
        expect: &Expect,
        issuer: Arc<str>,
        audience: &Arc<str>,
        kid: &Arc<str>,
    ) -> Self {
        Self {
            issuer,
            audience: Arc::clone(audience),
            realm: expect.realm.clone(),
            kid: Arc::clone(kid),
            client_id: Arc::clone(&expect.client_id),
            frame: None,
        }
    }

    /// Returns this thread's copy of the names of a key's tokens.
    pub(super) fn of(expect: &Expect, kid: &Arc<str>) -> Arc<Self> {
        let make = || {
            let issuer = Arc::clone(&expect.issuer);
            Arc::new(Self {
                frame: Frame::of(expect),
                ..Self::new(expect, issuer, &expect.audience, kid)
            })
        };
        let shared = RECENT.try_with(|recent| {
            let mut recent = recent.borrow_mut();
            if let Some(found) = recent.iter().find(|names| names.are(expect, kid)) {
                return Arc::clone(found);
            }
            let made = make();
            if recent.len() >= MAX_RECENT {
                recent.remove(0);
            }
            recent.push(Arc::clone(&made));
            made
        });
        // A thread that is ending has no copies any more.
        shared.unwrap_or_else(|_| make())
    }

    /// Returns the texts around the subject, if the fast decoder can read tokens with these names.
    pub(super) fn frame(&self) -> Option<&Frame> {
        self.frame.as_ref()
    }

    /// Returns whether these were made of the same values, compared by address. A copy holds its
    /// values, so no other value can have the address of a freed one.
    fn are(&self, expect: &Expect, kid: &Arc<str>) -> bool {
        Arc::ptr_eq(&self.kid, kid)
            && Arc::ptr_eq(&self.issuer, &expect.issuer)
            && Arc::ptr_eq(&self.audience, &expect.audience)
            && Arc::ptr_eq(&self.client_id, &expect.client_id)
            && self.realm == expect.realm
    }
}

/// The largest number of verifiers and keys whose names a thread keeps.
const MAX_RECENT: usize = 8;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn expect(issuer: &str) -> Expect {
        Expect {
            issuer: issuer.into(),
            audience: "api".into(),
            realm: None,
            client_id: "first-party".into(),
            leeway: Duration::ZERO,
            max_lifetime: Duration::MAX,
            allow_expired: false,
        }
    }

    #[test]
    fn tokens_of_a_thread_share_their_names_and_other_verifiers_have_their_own() {
        let (one, other) = (expect("https://a.example"), expect("https://a.example"));
        let [kid, next]: [Arc<str>; 2] = ["k".into(), "n".into()];
        let names = TokenNames::of(&one, &kid);
        assert!(Arc::ptr_eq(&names, &TokenNames::of(&one, &kid)));
        assert!(!Arc::ptr_eq(&names, &TokenNames::of(&other, &kid)));
        assert_eq!(*TokenNames::of(&one, &next).kid, *"n");
        let in_realm = Expect {
            realm: Some(RealmName::parse("staff").unwrap()),
            ..one.clone()
        };
        assert!(TokenNames::of(&in_realm, &kid).realm.is_some());
        assert!(TokenNames::of(&one, &kid).realm.is_none());
        let elsewhere = std::thread::spawn({
            let (one, kid) = (one.clone(), Arc::clone(&kid));
            move || TokenNames::of(&one, &kid)
        });
        assert!(!Arc::ptr_eq(&names, &elsewhere.join().unwrap()));
        for number in 0..3 * MAX_RECENT {
            let many = expect(&format!("https://{number}.example"));
            assert_eq!(TokenNames::of(&many, &kid).issuer, many.issuer);
        }
        assert_eq!(TokenNames::of(&one, &kid).issuer, one.issuer);
    }
}
