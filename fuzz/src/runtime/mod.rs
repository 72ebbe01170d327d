//! Targets of what reads bytes from outside: tokens, key sets, settings and headers.

mod access;
mod foreign;
mod gate;
mod settings;

pub use access::{refresh_token, verify_token};
pub use foreign::{foreign_token, jwks};
pub use gate::{authorization, cookie_header, forwarded, jwe};
pub use settings::settings_toml;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tollgate::prelude::*;

const ISSUER: &str = "https://accounts.example.com";
const AUDIENCE: &str = "https://api.example.com";
const NOW: u64 = 1_800_000_000;

/// The roles of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
enum Role {
    Admin,
    Editor,
}

/// A value of several members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Address {
    street: String,
    number: Option<i64>,
}

/// A user without claims.
#[derive(Clone, Debug, JwtClaims)]
struct Bare {
    #[claim(sub)]
    id: u64,
}

/// A user with one claim.
#[derive(Clone, Debug, JwtClaims)]
struct One {
    #[claim(sub)]
    id: u64,
    email: String,
}

/// A user whose every claim may be missing.
#[derive(Clone, Debug, JwtClaims)]
struct Optional {
    #[claim(sub)]
    id: u64,
    nickname: Option<String>,
}

/// A user with claims of many kinds.
#[derive(Clone, Debug, JwtClaims)]
struct Many {
    #[claim(sub)]
    id: String,
    email: String,
    #[claim(roles)]
    roles: Vec<Role>,
    nickname: Option<String>,
    level: i64,
    ratio: f64,
    active: bool,
    tags: Vec<String>,
    address: Option<Address>,
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Replaces a part of a text by bytes: the first two say where, the third how much of it goes.
fn spliced(text: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let mut data = data;
    while let [high, low, gone, len, rest @ ..] = data {
        let at = (usize::from(*high) << 8 | usize::from(*low)) % (bytes.len() + 1);
        let end = (at + usize::from(*gone % 32)).min(bytes.len());
        let (put, after) = rest.split_at(usize::from(*len % 32).min(rest.len()));
        bytes.splice(at..end, put.iter().copied());
        data = after;
    }
    bytes
}
