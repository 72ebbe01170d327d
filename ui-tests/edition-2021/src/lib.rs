//! The strictest cases of `pass/`, compiled in the edition before.

#[path = "../../pass/lints.rs"]
pub mod lints;
#[path = "../../pass/no_prelude.rs"]
pub mod no_prelude;
