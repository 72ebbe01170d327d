//! Rotation as ROTATION 3 and 5 promise it: random schedules, crashes, races and an oracle, on both stores.

mod crash;
mod honest;
mod oracle;
mod order;
mod probe;
mod properties;
mod reading;
mod table;
mod thief;
mod traffic;
mod wild;
mod world;
