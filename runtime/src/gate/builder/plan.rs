//! What a builder was given, whatever its types say.

use crate::clock::Clock;
use crate::event::Events;
use crate::settings::Settings;
use crate::store::Store;

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
}

/// A setting that the builder gives itself.
pub(super) type Override = Box<dyn FnOnce(&mut Settings) + Send>;
