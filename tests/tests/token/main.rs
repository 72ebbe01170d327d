//! Access and refresh tokens from outside: what is issued, what is refused, and that peers agree.

mod claims;
mod crypto;
mod forge;
mod issuing;
mod kinds;
mod matrix;
mod parsing;
mod peers;
mod properties;
mod refresh;
mod stored;
mod times;
