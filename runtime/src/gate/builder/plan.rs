//! The parts that a builder was given, without its types.

use crate::clock::Clock;
use crate::event::Events;
use crate::guard::MovingGuard;
use crate::settings::Settings;
use crate::store::{Before, Store};

use super::super::keys::RingInput;

/// The parts of a gate that were given, and the settings that the builder overrides.
pub(super) struct Plan {
    pub(super) base: Settings,
    pub(super) overrides: Vec<Override>,
    pub(super) ring: Option<RingInput>,
    pub(super) store: Option<Store>,
    pub(super) clock: Clock,
    pub(super) events: Events,
    #[cfg(feature = "password")]
    pub(super) passwords: Option<crate::password::Passwords>,
    /// The guard that takes the tokens of a former system.
    pub(super) moving: Option<MovingGuard>,
    /// The program's answer about the sessions from before the first named realm.
    pub(super) before: Option<Before>,
    /// The languages of problems.
    #[cfg(feature = "axum")]
    pub(super) messages: crate::error::Messages,
    /// The audience of the gate whose parts are shared, if they are; used only beside an issuer of
    /// this gate's own.
    pub(super) shared_audience: Option<String>,
    /// `true` if the parts are those of another gate.
    pub(super) is_shared: bool,
}

/// A setting that the builder gives itself.
pub(super) type Override = Box<dyn FnOnce(&mut Settings) + Send>;
