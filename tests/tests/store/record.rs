//! Records that the tests of stores write.

use std::time::Duration;

use tollgate::clock::Timestamp;
use tollgate::device::Device;
use tollgate::id::SessionId;
use tollgate::store::{
    Authenticated, NewSession, Revocation, RevokeReason, RotationStep, RotationWrite, Target,
};

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

pub(crate) fn sid(number: u32) -> SessionId {
    SessionId::from_bytes((u128::from(number) << 96).to_be_bytes())
}

pub(crate) fn hash(number: u32) -> [u8; 32] {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    hash
}

pub(crate) fn new(number: u32, subject: &str) -> NewSession {
    NewSession {
        sid: sid(number),
        subject: subject.to_owned(),
        client_id: "first-party".to_owned(),
        device: Device::default(),
        current: hash(0),
        auth_time: NOW,
        acr: None,
        claims: None,
        idle_exp: NOW.plus(Duration::from_secs(30 * 86_400)),
        abs_exp: NOW.plus(Duration::from_secs(90 * 86_400)),
        is_brief: number % 2 == 1,
        authenticated: Authenticated::Since(NOW),
        limit: None,
        log_until: NOW.plus(Duration::from_secs(600)),
        replaces: Vec::new(),
        tokens: Vec::new(),
        takes: None,
    }
}

/// The rotation that takes a session from one generation to the next; the hash of generation g is
/// `hash(g)`.
pub(crate) fn advance(number: u32, generation: u32) -> RotationWrite {
    let step = RotationStep::Advance {
        generation,
        current: hash(generation),
        successor: hash(generation + 1),
        sealed: vec![7; 44],
        context: [9; 32],
        idle_exp: NOW.plus(Duration::from_secs(30 * 86_400)),
    };
    RotationWrite {
        sid: sid(number),
        step,
        tokens: Vec::new(),
        log_until: None,
        last_seen: None,
    }
}

pub(crate) fn revocation(target: Target) -> Revocation {
    Revocation {
        target,
        reason: RevokeReason::Requested,
        until: NOW.plus(Duration::from_secs(600)),
    }
}
