//! Rings in folders, stores and configurations: made once, read by many, changed in one step,
//! refused when anything is odd.

mod configured;
mod damage;
mod folder;
mod load;
mod rotation;
mod shared;
mod signer;
mod start;
