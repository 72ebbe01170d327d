//! jsonwebtoken as the oracle: what one issues the other verifies, and both refuse the same
//! forgeries.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm as Peer, DecodingKey, EncodingKey, Header, Validation, jwk};
use serde_json::{Map, Value};
use tollgate::clock::Timestamp;
use tollgate::keys::{Algorithm, AlgorithmFamily, KeyRing};
use tollgate::secret::Secret;
use tollgate::token::{VerifyError, verify};

use crate::claims::UserClaims;
use crate::crypto::EVERY;
use crate::forge::{AUDIENCE, Forge, ISSUER, NOW, expect, issue_from};

/// The peer's rules, as close to ours as they come. It reads the system's clock, so times are left
/// to us.
fn validation(algorithm: Peer) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.validate_exp = false;
    validation
}

fn peer_reads(token: &str, key: &DecodingKey, algorithm: Peer) -> Option<Map<String, Value>> {
    jsonwebtoken::decode(token, key, &validation(algorithm))
        .ok()
        .map(|data| data.claims)
}

fn peer_issues(header: &Header, payload: &Map<String, Value>, key: &EncodingKey) -> String {
    jsonwebtoken::encode(header, payload, key).unwrap()
}

fn header(algorithm: Peer, kid: &str) -> Header {
    Header {
        typ: Some("at+jwt".into()),
        kid: Some(kid.into()),
        ..Header::new(algorithm)
    }
}

/// R35, R38: every algorithm with a public key, its JWK as it is published.
#[test]
fn the_peer_reads_what_we_issue_through_our_jwk_set() {
    for algorithm in EVERY
        .into_iter()
        .filter(|algorithm| algorithm.family() != AlgorithmFamily::Hmac)
    {
        let ring = KeyRing::generate(algorithm).unwrap();
        let token = issue_from(&ring);
        let set: jwk::JwkSet =
            serde_json::from_str(&serde_json::to_string(&ring.jwks()).unwrap()).unwrap();
        let ours = set.find(ring.set().signing().kid()).unwrap();
        let key = DecodingKey::from_jwk(ours).unwrap();
        assert_eq!(
            peer_reads(&token, &key, algorithm.into()).unwrap()["email"],
            "ada@example.com",
            "{algorithm:?}"
        );
        assert_eq!(
            ours.thumbprint(jwk::ThumbprintHash::SHA256).unwrap(),
            **ring.set().signing().kid()
        );
        let next = set
            .keys
            .iter()
            .find(|jwk| jwk.common.key_id.as_deref() != Some(ring.set().signing().kid()))
            .unwrap();
        assert!(
            peer_reads(
                &token,
                &DecodingKey::from_jwk(next).unwrap(),
                algorithm.into()
            )
            .is_none()
        );
    }
}

#[test]
fn the_peer_reads_our_macs_and_we_read_the_peers() {
    let secret: Vec<u8> = (0..64).map(|i| i * 3).collect();
    for (ours, peer) in [
        (Algorithm::HS256, Peer::HS256),
        (Algorithm::HS384, Peer::HS384),
        (Algorithm::HS512, Peer::HS512),
    ] {
        let refresh = Secret::from_bytes((100..132).collect());
        let ring = KeyRing::from_secret(ours, Secret::from_bytes(secret.clone()), refresh).unwrap();
        let set = ring.set();
        assert!(
            peer_reads(&issue_from(&ring), &DecodingKey::from_secret(&secret), peer).is_some(),
            "{ours:?}"
        );

        let token = peer_issues(
            &header(peer, set.signing().kid()),
            &Forge::new().payload(),
            &EncodingKey::from_secret(&secret),
        );
        let verified =
            verify::<UserClaims>(&token, &set, &expect(), Timestamp::from_secs(NOW)).unwrap();
        assert_eq!(verified.claims().email, "ada@example.com", "{ours:?}");
        for other in [Peer::HS256, Peer::HS384, Peer::HS512]
            .into_iter()
            .filter(|other| *other != peer)
        {
            let key = EncodingKey::from_secret(&secret);
            let token = peer_issues(
                &header(other, set.signing().kid()),
                &Forge::new().payload(),
                &key,
            );
            assert_eq!(
                verify::<UserClaims>(&token, &set, &expect(), Timestamp::from_secs(NOW)).err(),
                Some(VerifyError::Invalid)
            );
        }
    }
}

/// Every single character of a token replaced: nobody accepts any of them.
#[test]
fn no_changed_character_passes_either() {
    let forge = Forge::new();
    let secret: Vec<u8> = (0..64).map(|i| i * 3).collect();
    let key = DecodingKey::from_secret(&secret);
    let token = forge.token();
    for at in 0..token.len() {
        for with in [b'A', b'B', b'-', b'.'] {
            let mut changed = token.clone().into_bytes();
            if changed[at] == with {
                continue;
            }
            changed[at] = with;
            let changed = String::from_utf8(changed).unwrap();
            forge.assert_invalid(&changed);
            assert!(
                peer_reads(&changed, &key, Peer::HS256).is_none(),
                "{changed}"
            );
        }
    }
    assert!(peer_reads(&token, &key, Peer::HS256).is_some());
}

/// The peer accepts what we accept, with the same claims: over 4000 random changes of a payload
/// that is signed again.
#[test]
fn we_accept_nothing_that_the_peer_refuses() {
    let forge = Forge::new();
    let secret: Vec<u8> = (0..64).map(|i| i * 3).collect();
    let key = DecodingKey::from_secret(&secret);
    let payload = Value::Object(forge.payload()).to_string().into_bytes();
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let (mut both, mut only_peer) = (0, 0);
    for _ in 0..4000 {
        const OTHERS: &[u8] = b"\"{}[]:,\\0129eE.-+truefalsn \x00\xffab";
        let mut changed = payload.clone();
        for _ in 0..=random(2) {
            let at = random(changed.len());
            match random(3) {
                0 => changed[at] = OTHERS[random(OTHERS.len())],
                1 => drop(changed.remove(at)),
                _ => changed.insert(at, OTHERS[random(OTHERS.len())]),
            }
        }
        let token = forge.sign_encoded(&forge.issued_header(), &URL_SAFE_NO_PAD.encode(&changed));
        let peer = peer_reads(&token, &key, Peer::HS256);
        match (forge.verify(&token), peer) {
            (Ok(verified), Some(claims)) => {
                assert_eq!(claims["email"].as_str(), Some(&*verified.claims().email));
                assert_eq!(claims["sub"].as_str(), Some(verified.token().subject()));
                both += 1;
            }
            (Ok(_), None) => panic!("only we accept {:?}", String::from_utf8_lossy(&changed)),
            (Err(_), Some(_)) => only_peer += 1,
            (Err(_), None) => {}
        }
    }
    assert!(
        both > 100 && only_peer > 10,
        "{both} {only_peer}: the changes have lost their bite"
    );
}

/// The process-wide provider of jsonwebtoken stays the user's to choose. The peers above
/// may have used it in this process, so the test starts itself in another.
#[test]
fn the_users_own_provider_can_still_be_installed() {
    if std::env::var_os("ALONE").is_some() {
        let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
        let token = issue_from(&ring);
        assert!(
            verify::<UserClaims>(&token, &ring.set(), &expect(), Timestamp::from_secs(NOW)).is_ok()
        );
        assert!(!ring.jwks().keys.is_empty());
        assert!(
            jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER
                .install_default()
                .is_ok()
        );
        return;
    }
    let name = "the_users_own_provider_can_still_be_installed";
    let run = tollgate_tests::process::alone(module_path!(), name)
        .env("ALONE", "1")
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stdout)
    );
    assert!(String::from_utf8_lossy(&run.stdout).contains("1 passed"));
}
