//! Tokens, the keys that sign them and the policies that judge them: what is issued, what is
//! refused, and that peers agree.

mod claims;
mod crypto;
mod differential;
mod forge;
mod issuing;
mod keys;
mod kinds;
mod matrix;
mod parsing;
mod peers;
mod policy;
mod properties;
mod realms;
mod refresh;
mod stored;
mod times;
