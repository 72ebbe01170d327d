#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod clock;
pub mod device;
pub mod error;
pub mod event;
pub mod gate;
pub mod id;
#[cfg(feature = "password")]
pub mod password;
pub mod policy;
pub mod secret;
pub mod settings;
pub mod store;
pub mod token;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
