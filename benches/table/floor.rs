//! The work that no verifier can leave out: one HMAC from kept states, decoding base64url, reading
//! the clock.

use base64_simd::{Out, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tollgate::clock::Clock;
use tollgate_benches::Contestant;

/// Returns the work for a token that no verifier can leave out. The HMAC is not compared, so any
/// key does.
pub(crate) fn floor(token: &str) -> Contestant<'_> {
    // The states of the key are kept: a use copies them.
    let keyed = Hmac::<Sha256>::new_from_slice(&[7; 64]).expect("a key");
    let (signed, signature) = token.rsplit_once('.').expect("a signature");
    let payload = signed.split_once('.').expect("a payload").1;
    let clock = Clock::system();
    let mut buffer = [0; 1024];
    Contestant::new("HMAC, base64, clock", move || {
        let mut state = keyed.clone();
        state.update(signed.as_bytes());
        let mut given = [0; 33];
        let given = URL_SAFE_NO_PAD
            .decode(signature.as_bytes(), Out::from_slice(&mut given))
            .expect("a signature");
        let is_same = *state.finalize().into_bytes() == *given;
        let json = URL_SAFE_NO_PAD
            .decode(payload.as_bytes(), Out::from_slice(&mut buffer))
            .expect("a payload");
        (is_same, json.len(), clock.now())
    })
}
