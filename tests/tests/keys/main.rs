//! Rings in folders: made once, read by many, changed in one step, refused when anything about them is odd.

mod damage;
mod folder;
mod rotation;
mod start;
