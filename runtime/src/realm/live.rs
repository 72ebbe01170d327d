//! The gates that are running in this process on one store or one key ring.

use std::any::TypeId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::RealmName;

/// The gates that are being built or are running on the store or the ring that has this list.
#[derive(Debug, Default)]
pub(crate) struct LiveGates {
    entered: Mutex<Vec<Weak<LiveGate>>>,
    built: Mutex<Vec<Weak<LiveGate>>>,
}

/// A gate that is in the lists as long as this value exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LiveGate {
    pub(crate) realm: Option<RealmName>,
    /// The type of the backend.
    pub(crate) backend: TypeId,
    /// `iss`.
    pub(crate) issuer: String,
    /// `aud`.
    pub(crate) audience: String,
    /// The name of the kind of backend.
    pub(crate) kind: String,
}

impl LiveGates {
    /// Adds a gate, unless another backend or another identity is running in its realm. The list
    /// drops the gate when the returned value and its clones are dropped.
    ///
    /// # Errors
    /// The gate that is running in the realm.
    pub(crate) fn enter(&self, gate: LiveGate) -> Result<Arc<LiveGate>, Arc<LiveGate>> {
        let mut gates = lock(&self.entered);
        gates.retain(|gate| gate.strong_count() > 0);
        let other = gates
            .iter()
            .filter_map(Weak::upgrade)
            .find(|other| other.realm == gate.realm && **other != gate);
        if let Some(other) = other {
            return Err(other);
        }
        let gate = Arc::new(gate);
        gates.push(Arc::downgrade(&gate));
        Ok(gate)
    }

    /// Notes that a gate was built: its key ring is in use.
    pub(crate) fn built(&self, gate: &Arc<LiveGate>) {
        let mut gates = lock(&self.built);
        gates.retain(|gate| gate.strong_count() > 0);
        gates.push(Arc::downgrade(gate));
    }

    /// Returns whether a gate of this realm was built, and is running.
    pub(crate) fn is_running(&self, realm: Option<&RealmName>) -> bool {
        let gates = lock(&self.built);
        let mut running = gates.iter().filter_map(Weak::upgrade);
        running.any(|gate| gate.realm.as_ref() == realm)
    }
}

fn lock(gates: &Mutex<Vec<Weak<LiveGate>>>) -> MutexGuard<'_, Vec<Weak<LiveGate>>> {
    gates.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate<B: 'static>(realm: Option<&str>, issuer: &str) -> LiveGate {
        LiveGate {
            realm: realm.map(|name| RealmName::parse(name).unwrap()),
            backend: TypeId::of::<B>(),
            issuer: issuer.to_owned(),
            audience: "api".to_owned(),
            kind: "accounts".to_owned(),
        }
    }

    #[test]
    fn another_backend_or_identity_is_refused_in_one_realm_while_the_first_lives() {
        let gates = LiveGates::default();
        let first = gates.enter(gate::<u8>(None, "a")).unwrap();
        let again = gates.enter(gate::<u8>(None, "a")).unwrap();
        assert_eq!(gates.enter(gate::<u16>(None, "a")).unwrap_err(), first);
        assert_eq!(gates.enter(gate::<u8>(None, "b")).unwrap_err(), first);
        gates.enter(gate::<u16>(Some("staff"), "b")).unwrap();
        drop((first, again));
        gates.enter(gate::<u16>(None, "b")).unwrap();
    }

    #[test]
    fn a_gate_runs_from_when_it_was_built_until_it_is_dropped() {
        let gates = LiveGates::default();
        let shop = gates.enter(gate::<u8>(None, "a")).unwrap();
        assert!(!gates.is_running(None));
        gates.built(&shop);
        let staff = RealmName::parse("staff").unwrap();
        assert!(gates.is_running(None) && !gates.is_running(Some(&staff)));
        drop(shop);
        assert!(!gates.is_running(None));
    }
}
