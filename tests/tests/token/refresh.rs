//! The refresh token's text and the sealed successor: rotation.md sections 1 and 2.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tollgate::id::SessionId;
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::token::{RefreshToken, open_successor, seal_successor};

use crate::forge::Forge;

const SID: SessionId = SessionId::from_bytes([0xAB; 16]);

#[test]
fn the_text_is_as_written_down() {
    let forge = Forge::new();
    let token = RefreshToken::mint(&forge.ring.set(), None, SID, 0x0102_0304, &[0xCD; 16]);
    let number = forge.ring.set().macs()[0].id();
    let mut bytes = [&[1, number][..], &[0xAB; 16], &[1, 2, 3, 4], &[0xCD; 16]].concat();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &(100..132).collect::<Vec<u8>>());
    let mac = hmac::sign(&key, &bytes);
    bytes.extend_from_slice(&mac.as_ref()[..16]);
    assert_eq!(
        token.expose(),
        format!("tgr1_{}", URL_SAFE_NO_PAD.encode(bytes))
    );
    assert_eq!(token.expose().len(), RefreshToken::TEXT_LEN);

    let parsed = RefreshToken::parse(&forge.ring.set(), None, token.expose()).unwrap();
    assert_eq!(
        parsed.hash(),
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &[0xCD; 16]).as_ref()
    );
}

/// Under a good MAC still: another version, and a key that the ring does not have.
#[test]
fn another_version_or_key_number_is_refused() {
    let forge = Forge::new();
    let ours = forge.ring.set().macs()[0].id();
    let others = [ours.wrapping_add(1), ours.wrapping_sub(1), ours ^ 0x80].map(|id| (1, id, false));
    for (version, id, good) in [(1, ours, true), (0, ours, false), (2, ours, false)]
        .into_iter()
        .chain(others)
    {
        let mut bytes = [&[version, id][..], &[0xAB; 16], &[1, 2, 3, 4], &[0xCD; 16]].concat();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &(100..132).collect::<Vec<u8>>());
        let mac = hmac::sign(&key, &bytes);
        bytes.extend_from_slice(&mac.as_ref()[..16]);
        let text = format!("tgr1_{}", URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(
            RefreshToken::parse(&forge.ring.set(), None, &text).is_ok(),
            good,
            "{version} {id}"
        );
    }
}

/// R77: garbage is refused without a read, and without a trace in memory.
#[test]
fn r77_garbage_costs_no_allocation() {
    let forge = Forge::new();
    let set = forge.ring.set();
    let genuine = RefreshToken::mint(&set, None, SID, 1, &[1; 16]);
    let genuine = genuine.expose();
    let texts = [
        String::new(),
        "tgr1_".into(),
        "x".repeat(1_000_000),
        format!("tgr2_{}", &genuine[5..]),
        format!("{}A", &genuine[..genuine.len() - 1]),
        format!("{genuine}="),
        format!("tgr1_{}", "A".repeat(72)),
        format!("tgr1_{}", "=".repeat(72)),
        genuine.to_uppercase(),
        genuine[5..].to_owned(),
    ];
    for text in texts.iter().filter(|text| *text != genuine) {
        let measured =
            allocation_counter::measure(|| assert!(RefreshToken::parse(&set, None, text).is_err()));
        assert_eq!(measured.count_total, 0, "{} bytes", text.len());
    }
    assert!(RefreshToken::parse(&set, None, genuine).is_ok());
}

/// Every bit of the 54 bytes is under the MAC, or is the MAC.
#[test]
fn r77_every_bit_is_under_the_mac() {
    let forge = Forge::new();
    let set = forge.ring.set();
    let genuine = RefreshToken::mint(&set, None, SID, 7, &[9; 16]);
    let bytes = URL_SAFE_NO_PAD.decode(&genuine.expose()[5..]).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            RefreshToken::parse(
                &set,
                None,
                &format!("tgr1_{}", URL_SAFE_NO_PAD.encode(changed))
            )
            .is_err(),
            "bit {bit}"
        );
    }
    let other = KeyRing::generate(Algorithm::EdDSA).unwrap();
    assert!(RefreshToken::parse(&other.set(), None, genuine.expose()).is_err());
}

#[test]
fn r80_a_refresh_token_is_not_shown() {
    let forge = Forge::new();
    let token = RefreshToken::mint(&forge.ring.set(), None, SID, 7, &[9; 16]);
    assert_eq!(format!("{token:?}"), "RefreshToken([redacted])");
    let parsed = RefreshToken::parse(&forge.ring.set(), None, token.expose()).unwrap();
    let shown = format!("{parsed:?}");
    assert!(
        shown.contains("generation: 7") && !shown.contains("9, 9"),
        "{shown}"
    );
}

/// R79: what the server keeps opens under no key but the predecessor's secret, and only in its
/// place.
#[test]
fn r79_a_sealed_successor_opens_only_for_its_predecessor_in_its_place() {
    let (predecessor, successor) = ([1; 16], [2; 16]);
    let sealed = seal_successor(&predecessor, SID, 4, 5, &successor).unwrap();
    assert_eq!(sealed.len(), 12 + 16 + 16);
    assert_eq!(
        open_successor(&predecessor, SID, 4, 5, &sealed).as_deref(),
        Some(&successor)
    );
    assert!(!sealed.windows(16).any(|window| window == successor));

    assert!(open_successor(&successor, SID, 4, 5, &sealed).is_none());
    assert!(open_successor(&predecessor, SessionId::from_bytes([0; 16]), 4, 5, &sealed).is_none());
    assert!(open_successor(&predecessor, SID, 3, 5, &sealed).is_none());
    assert!(open_successor(&predecessor, SID, 4, 6, &sealed).is_none());
    for cut in [0, 11, 12, 27, 28, 43] {
        assert!(
            open_successor(&predecessor, SID, 4, 5, &sealed[..cut]).is_none(),
            "{cut}"
        );
    }
    assert_ne!(
        sealed,
        seal_successor(&predecessor, SID, 4, 5, &successor).unwrap(),
        "the nonce is random"
    );
}

/// The seal written out with other calls: HKDF-SHA-256 (RFC 5869) by HMAC alone, then AES-256-GCM.
#[test]
fn the_seal_is_as_written_down() {
    let info = [
        &b"tollgate/successor/1"[..],
        SID.as_bytes(),
        &[0, 0, 0, 4],
        &[0, 0, 0, 5],
    ]
    .concat();
    let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[0; 32]), &[1; 16]);
    let expanded = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref()),
        &[&info[..], &[1]].concat(),
    );
    let mut sealed = seal_successor(&[1; 16], SID, 4, 5, &[2; 16]).unwrap();
    let (nonce, body) = sealed.split_at_mut(12);
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, expanded.as_ref()).unwrap());
    let opened = key
        .open_in_place(
            Nonce::try_assume_unique_for_key(nonce).unwrap(),
            Aad::from(&info),
            body,
        )
        .unwrap();
    assert_eq!(opened, [2; 16]);
}
