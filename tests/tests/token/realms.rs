//! Tokens of realms: each realm reads its own and refuses those of every other one.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tollgate::id::SessionId;
use tollgate::realm::RealmName;
use tollgate::token::{RefreshToken, Stamp, issue};

use crate::claims::UserClaims;
use crate::forge::{Forge, stamp};

const SID: SessionId = SessionId::from_bytes([0xAB; 16]);

fn name(text: &str) -> RealmName {
    RealmName::parse(text).unwrap()
}

/// The default realm and two named ones, of which one begins with the other's name.
fn realms() -> [Option<RealmName>; 3] {
    [None, Some(name("staff")), Some(name("staff-eu"))]
}

fn forge_of(realm: Option<&RealmName>) -> Forge {
    let mut forge = Forge::new();
    forge.expect.realm = realm.cloned();
    forge
}

#[test]
fn each_realm_verifies_its_own_access_tokens_and_no_others() {
    for issuing in realms() {
        for verifying in realms() {
            let forge = forge_of(verifying.as_ref());
            let stamp = Stamp {
                realm: issuing.as_ref().map(RealmName::as_str),
                ..stamp()
            };
            let token = issue(&forge.ring.set(), &stamp, &UserClaims::ada()).unwrap();
            if issuing == verifying {
                let verified = forge.assert_good(&token);
                assert_eq!(verified.token().realm(), issuing.as_ref());
            } else {
                forge.assert_invalid(&token);
            }
        }
    }
}

/// The place and the value of the claim do not matter.
#[test]
fn the_default_realm_refuses_every_claim_rlm() {
    let forge = forge_of(None);
    for value in [
        json!("staff"),
        json!(""),
        json!("default"),
        json!(null),
        json!(7),
        json!([]),
    ] {
        forge.assert_invalid(&with_realm(&forge, &value));
    }
    forge.assert_good(&forge.token());
}

#[test]
fn a_named_realm_refuses_absence_and_every_other_value() {
    let forge = forge_of(Some(&name("staff")));
    forge.assert_good(&with_realm(&forge, &json!("staff")));
    forge.assert_invalid(&forge.token());
    for value in [
        json!("Staff"),
        json!("staf"),
        json!("staff-eu"),
        json!("staff "),
        json!(""),
        json!(null),
        json!(["staff"]),
        json!(true),
    ] {
        forge.assert_invalid(&with_realm(&forge, &value));
    }
}

#[test]
fn a_claim_rlm_that_comes_twice_is_refused() {
    let forge = forge_of(Some(&name("staff")));
    let payload = Value::Object(forge.payload()).to_string();
    let twice = payload.replacen('{', r#"{"rlm":"staff","rlm":"staff","#, 1);
    forge.assert_invalid(&forge.sign(&forge.header().to_string(), &twice));
    let once = payload.replacen('{', r#"{"rlm":"staff","#, 1);
    forge.assert_good(&forge.sign(&forge.header().to_string(), &once));
}

fn with_realm(forge: &Forge, value: &Value) -> String {
    forge.with_payload(|claims| drop(claims.insert("rlm".into(), value.clone())))
}

#[test]
fn each_realm_reads_its_own_refresh_tokens_and_no_others() {
    let forge = Forge::new();
    let set = forge.ring.set();
    for minting in realms() {
        let token = RefreshToken::mint(&set, minting.as_ref(), SID, 7, &[9; 16]);
        assert_eq!(token.expose().len(), RefreshToken::TEXT_LEN);
        for reading in realms() {
            let read = RefreshToken::parse(&set, reading.as_ref(), token.expose());
            assert_eq!(read.is_ok(), minting == reading, "{minting:?} {reading:?}");
        }
    }
}

/// The length and the name of the realm stand before what the MAC covers in the default realm.
#[test]
fn the_mac_of_a_named_realm_is_as_written_down() {
    let forge = Forge::new();
    let set = forge.ring.set();
    let token = RefreshToken::mint(&set, Some(&name("staff")), SID, 0x0102_0304, &[0xCD; 16]);
    let number = set.macs()[0].id();
    let signed = [&[1, number][..], &[0xAB; 16], &[1, 2, 3, 4], &[0xCD; 16]].concat();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &(100..132).collect::<Vec<u8>>());
    let mac = hmac::sign(&key, &[b"\x05staff", &signed[..]].concat());
    let bytes = [&signed[..], &mac.as_ref()[..16]].concat();
    assert_eq!(
        token.expose(),
        format!("tgr1_{}", URL_SAFE_NO_PAD.encode(bytes))
    );
}

#[test]
fn r77_a_refresh_token_of_another_realm_costs_no_allocation() {
    let forge = Forge::new();
    let set = forge.ring.set();
    let staff = name("staff");
    let token = RefreshToken::mint(&set, None, SID, 7, &[9; 16]);
    let measured = allocation_counter::measure(|| {
        assert!(RefreshToken::parse(&set, Some(&staff), token.expose()).is_err());
    });
    assert_eq!(measured.count_total, 0);
}
