//! The code of the guide's pages, compiled as documentation tests.

#[doc = include_str!("../../docs/guide/action-tokens.md")]
mod action_tokens {}
#[doc = include_str!("../../docs/guide/choosing-a-store.md")]
mod choosing_a_store {}
#[doc = include_str!("../../docs/guide/incident-day.md")]
mod incident_day {}
#[doc = include_str!("../../docs/guide/key-rotation-day.md")]
mod key_rotation_day {}
#[doc = include_str!("../../docs/guide/realms.md")]
mod realms {}
#[doc = include_str!("../../docs/guide/registry.md")]
mod registry {}
#[doc = include_str!("../../docs/guide/second-factor.md")]
mod second_factor {}
#[doc = include_str!("../../docs/guide/start.md")]
mod start {}
#[doc = include_str!("../../docs/guide/your-application.md")]
mod your_application {}
#[doc = include_str!("../../docs/guide/two-kinds.md")]
mod two_kinds {}
#[doc = include_str!("../../docs/guide/tests.md")]
mod tests {}
#[doc = include_str!("../../docs/guide/mobile-and-machines.md")]
mod mobile_and_machines {}
