//! What a builder was given, whatever its types say.

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
    /// What takes the tokens of a former system.
    pub(super) moving: Option<MovingGuard>,
    /// What was said about the sessions from before the first named realm.
    pub(super) before: Option<Before>,
    /// Where the parts are those of another gate: its audience, which counts only beside an issuer
    /// of this gate's own.
    pub(super) shared_audience: Option<String>,
    /// Whether the parts are those of another gate.
    pub(super) is_shared: bool,
}

/// A setting that the builder gives itself.
pub(super) type Override = Box<dyn FnOnce(&mut Settings) + Send>;
