//! The strictest cases of `pass/`, compiled in the edition before.

#[rustfmt::skip]
#[path = "../../pass/lints.rs"]
pub mod lints;
#[rustfmt::skip]
#[path = "../../pass/no_prelude.rs"]
pub mod no_prelude;
