//! Sessions: opening, refreshing, revoking, and admitting the access tokens they issue. Knows no
//! backend and no HTTP.

mod admit;
mod archive;
mod binding;
mod confirm;
mod follow;
mod issue;
mod open;
mod refresh;
mod registry;
mod revoke;
mod table;
mod time;
mod view;

pub use issue::Issued;
pub(crate) use refresh::RefreshContext;
pub use revoke::Revoke;

pub(crate) use admit::Occasion;
pub(crate) use binding::Place;
pub(crate) use open::{Attempt, Login};
pub(crate) use registry::{ANY, family};
pub(crate) use time::StoreClock;

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};

use crate::clock::{Clock, Timestamp};
use crate::error::{Code, Refusal};
use crate::event::Emitter;
use crate::id::SessionId;
use crate::keys::KeyRing;
use crate::settings::Settings;
use crate::store::{LogCursor, Store};
use crate::token::{Envelope, Expect, VerifiedCache};

use confirm::Confirmations;
use refresh::Replays;
use view::View;

/// What a gate does with sessions, whoever its users are.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) ring: KeyRing,
    /// This machine's: for tokens and ages.
    pub(crate) clock: Clock,
    /// The store's: for store calls and for until when things are remembered.
    pub(crate) time: StoreClock,
    pub(crate) events: Emitter,
    envelope: Envelope,
    expect: Expect,
    expect_expired: Expect,
    view: View,
    cursor: Mutex<LogCursor>,
    /// How often the log could not be read.
    failed_reads: AtomicU64,
    confirmations: Confirmations,
    replays: Replays,
    seen: VerifiedCache,
    /// Whether it was told that the view is stale.
    is_stale: AtomicBool,
    /// Whether the log told of a key since the ring was read.
    is_ring_old: AtomicBool,
    /// Whether it was told that the clocks differ.
    is_off: AtomicBool,
}

impl Engine {
    /// An engine over validated settings, and the queue that [`Engine::write_confirmations`]
    /// empties.
    pub(crate) fn new(
        settings: Settings,
        store: Store,
        ring: KeyRing,
        (clock, time): (Clock, StoreClock),
        events: Emitter,
        envelope: Envelope,
    ) -> (Self, mpsc::Receiver<(SessionId, u32)>) {
        let (confirmations, queue) = Confirmations::new();
        let expect = |allow_expired| Expect {
            issuer: settings.issuer.as_deref().unwrap_or_default().into(),
            audience: settings.audience.as_deref().unwrap_or_default().into(),
            client_id: settings.client_id.as_str().into(),
            leeway: settings.leeway,
            max_lifetime: settings.access.max_ttl(),
            allow_expired,
        };
        let engine = Self {
            envelope,
            expect: expect(false),
            expect_expired: expect(true),
            settings,
            store,
            ring,
            clock,
            time,
            events,
            view: View::default(),
            cursor: Mutex::default(),
            failed_reads: AtomicU64::new(0),
            confirmations,
            replays: Replays::default(),
            seen: VerifiedCache::new(SEEN_BYTES),
            is_stale: AtomicBool::new(false),
            is_ring_old: AtomicBool::new(false),
            is_off: AtomicBool::new(false),
        };
        (engine, queue)
    }

    /// Until when a revocation of `now`, a time of the store, matters: every access token issued by
    /// now is out then (ROTATION 6).
    fn log_until(&self, now: Timestamp) -> Timestamp {
        now.plus(self.settings.access.max_ttl())
            .plus(self.settings.leeway)
    }

    /// Refuses while the deployment is paused.
    pub(crate) fn refuse_while_paused(&self) -> Result<(), Refusal> {
        if self.view.is_paused() {
            Err(Refusal::new(Code::Unavailable))
        } else {
            Ok(())
        }
    }

    /// Whether the deployment is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.view.is_paused()
    }

    /// How old the view is, and how many revocations it holds.
    pub(crate) fn view_health(&self) -> (Duration, usize) {
        (self.view.age(self.clock.now()), self.view.len())
    }

    /// How many confirmations were dropped because their queue was full.
    pub(crate) fn dropped_confirmations(&self) -> u64 {
        self.confirmations.dropped()
    }
}

/// How many bytes of verified tokens are remembered (R132).
const SEEN_BYTES: u64 = 8 * 1024 * 1024;
