//! The rotation of refresh tokens: random schedules, crashes, races and an oracle, on the stores of a
//! process and on those of a network.

mod crash;
mod dump;
mod honest;
mod networked;
mod oracle;
mod order;
mod probe;
mod properties;
mod race;
mod reading;
mod table;
mod thief;
mod traffic;
mod wild;
mod world;
