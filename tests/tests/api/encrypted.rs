//! Encrypted tokens: what they hide, what reads them, and what is refused of those that somebody
//! tampered with.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tollgate::clock::{Clock, Timestamp};
use tollgate::error::Code;
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::prelude::*;
use tollgate::store::SessionStore as _;
use tollgate_tests::request;
use tower::ServiceExt as _;

#[derive(Clone, Debug, JwtClaims)]
struct Patient {
    #[claim(sub)]
    id: u64,
    #[claim(confidential)]
    diagnosis: String,
}

#[auth_backend(username, user = Patient, refresh(from = stored))]
struct Clinic;

impl Authenticate for Clinic {
    async fn authenticate(&self, login: UsernameLogin, _: &Client) -> Result<Patient, AuthError> {
        Ok(Patient {
            id: 7,
            diagnosis: format!("{} has the hiccups", login.username),
        })
    }
}

const SECRET: &str = "ada has the hiccups";

async fn clinic(ring: KeyRing, store: MemoryStore, clock: &Clock) -> Gate<Clinic> {
    let (builder, _) = tollgate::testing::ready(Clinic.gate()).unwrap();
    builder
        .keys(ring)
        .store(store)
        .clock(clock.clone())
        .encrypt(Encrypted::A256Gcm)
        .build()
        .await
        .unwrap()
}

async fn one() -> Gate<Clinic> {
    clinic(ring(), MemoryStore::new(), &clock()).await
}

fn ring() -> KeyRing {
    KeyRing::generate(Algorithm::ES256).unwrap()
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from(std::time::SystemTime::now()).plus(Duration::from_secs(1)))
}

fn ada() -> Patient {
    Patient {
        id: 7,
        diagnosis: SECRET.into(),
    }
}

fn header(token: &str) -> Value {
    serde_json::from_slice(
        &URL_SAFE_NO_PAD
            .decode(token.split('.').next().unwrap())
            .unwrap(),
    )
    .unwrap()
}

fn routes(gate: &Gate<Clinic>) -> axum::Router {
    let mine = async |patient: Auth<Patient>| patient.claims().diagnosis().clone();
    gate.install(axum::Router::new().route("/mine", axum::routing::get(mine)))
        .with_state(gate.clone())
}

async fn status(gate: &Gate<Clinic>, token: &str) -> StatusCode {
    routes(gate)
        .oneshot(request(Method::GET, "/mine", Some(token), None))
        .await
        .unwrap()
        .status()
}

/// From sign-in to sign-out over HTTP; the store does not learn the claim either.
#[tokio::test]
async fn a_confidential_claim_travels_unseen_and_is_kept_unseen() {
    let (store, clock) = (MemoryStore::new(), clock());
    let gate = clinic(ring(), store.clone(), &clock).await;
    let post = async |path: &str, body: Value| {
        let answer = routes(&gate)
            .oneshot(request(Method::POST, path, None, Some(body)))
            .await
            .unwrap();
        let bytes = http_body_util::BodyExt::collect(answer.into_body())
            .await
            .unwrap()
            .to_bytes();
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    let tokens = post(
        "/auth/signin",
        json!({ "username": "ada", "password": "x" }),
    )
    .await;
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    assert_eq!(token.split('.').count(), 5);
    assert_eq!(token.split('.').nth(1), Some(""), "no key travels");
    let head = header(&token);
    assert_eq!(
        (&head["alg"], &head["enc"], &head["cty"]),
        (&"dir".into(), &"A256GCM".into(), &"JWT".into())
    );
    assert_eq!(
        head["iss"], "https://accounts.example.com",
        "to choose the gate by"
    );
    assert_eq!(head.as_object().unwrap().len(), 5, "and the kid: {head}");
    assert_eq!(status(&gate, &token).await, StatusCode::OK);

    let sid: SessionId = serde_json::from_value(tokens["session_id"].clone()).unwrap();
    let kept = store
        .session(sid, clock.now())
        .await
        .unwrap()
        .unwrap()
        .claims
        .unwrap();
    assert!(
        !kept.windows(7).any(|window| window == b"hiccups"),
        "the store cannot read it"
    );
    clock.advance(Duration::from_secs(60));
    let renewed = post(
        "/auth/refresh-access",
        json!({ "refresh_token": tokens["refresh_token"] }),
    )
    .await;
    let verified = gate
        .verify(renewed["access_token"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(verified.claims().diagnosis(), SECRET);
    gate.revoke(Revoke::session(sid)).await.unwrap();
    assert_eq!(status(&gate, &token).await, StatusCode::UNAUTHORIZED);
}

/// R9, R16: each kind of gate takes its own kind of token, and all that is wrong with one looks the
/// same.
#[tokio::test]
async fn r9_a_signed_token_is_none_where_encrypted_ones_are_and_the_other_way_round() {
    #[derive(Clone, Debug, JwtClaims)]
    struct Visitor {
        #[claim(sub)]
        id: u64,
    }
    #[auth_backend(username, user = Visitor, refresh(from = stored))]
    struct Desk;
    impl Authenticate for Desk {
        async fn authenticate(&self, _: UsernameLogin, _: &Client) -> Result<Visitor, AuthError> {
            Ok(Visitor { id: 7 })
        }
    }
    let ring = ring();
    let (builder, _) = tollgate::testing::ready(Desk.gate()).unwrap();
    let plain = builder.keys(ring.clone()).build().await.unwrap();
    let (builder, _) = tollgate::testing::ready(Desk.gate()).unwrap();
    let encrypted = builder
        .keys(ring)
        .encrypt(Encrypted::A256Gcm)
        .build()
        .await
        .unwrap();
    let of = async |gate: &Gate<Desk>| {
        gate.issue(&Visitor { id: 7 }, Duration::from_secs(60))
            .await
            .unwrap()
    };
    let (signed, sealed) = (of(&plain).await, of(&encrypted).await);
    plain.verify(&signed).await.unwrap();
    encrypted.verify(&sealed).await.unwrap();
    assert_eq!(
        plain.verify(&sealed).await.unwrap_err().code(),
        Code::InvalidToken
    );
    assert_eq!(
        encrypted.verify(&signed).await.unwrap_err().code(),
        Code::InvalidToken
    );
}

/// R16: every character of the token changed, every part swapped with that of another one: one
/// answer.
#[tokio::test]
async fn r16_what_was_tampered_with_is_refused_without_a_difference() {
    let gate = one().await;
    let token = gate.issue(&ada(), Duration::from_secs(60)).await.unwrap();
    let other = gate.issue(&ada(), Duration::from_secs(60)).await.unwrap();
    assert_eq!(header(&token), header(&other), "one key for both");
    let refused = async |text: &str| {
        let error = gate.verify(text).await.unwrap_err();
        assert_eq!(
            (error.code(), error.to_string()),
            (Code::InvalidToken, "the token is not valid".into()),
            "{text}"
        );
    };
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        refused(std::str::from_utf8(&changed).unwrap()).await;
    }
    let (parts, others): (Vec<&str>, Vec<&str>) =
        (token.split('.').collect(), other.split('.').collect());
    for at in 2..5 {
        let mut mixed = parts.clone();
        mixed[at] = others[at];
        refused(&mixed.join(".")).await;
    }
    for at in 0..5 {
        let mut short = parts.clone();
        short[at] = if at == 1 {
            "AAAA"
        } else {
            &short[at][..short[at].len() - 1]
        };
        refused(&short.join(".")).await;
        short[at] = if at == 1 { "A" } else { "" };
        refused(&short.join(".")).await;
    }
    for text in [
        "....",
        "a.b.c.d.e",
        &format!("{token}.x"),
        &parts[..4].join("."),
        &".".repeat(1_000_000),
        &format!("{token}="),
    ] {
        refused(text).await;
    }
    gate.verify(&token).await.unwrap();
}

/// R10, R12, R14, R15, R23, R34: the header under a good seal, as somebody who has the key would
/// make it.
#[tokio::test]
async fn r12_r14_r34_odd_headers_are_refused_under_a_good_seal() {
    let ring = ring();
    let gate = clinic(ring.clone(), MemoryStore::new(), &clock()).await;
    let token = gate.issue(&ada(), Duration::from_secs(60)).await.unwrap();
    let head = header(&token);
    let kid = head["kid"].as_str().unwrap();
    let key = ring.set().decryption_key(kid).unwrap();
    let inner = decrypt(&token, key.expose());
    assert!(inner.contains('.') && inner.split('.').count() == 3);
    let made = |head: &str, inner: &str| encrypt(head, inner, key.expose());
    gate.verify(&made(&head.to_string(), &inner)).await.unwrap();
    let mut of_a_former_version = head.clone();
    drop(of_a_former_version.as_object_mut().unwrap().remove("iss"));
    let of_a_former_version = made(&of_a_former_version.to_string(), &inner);
    gate.verify(&of_a_former_version).await.unwrap();
    let but = |name: &str, value: Value| {
        let mut head = head.clone();
        head[name] = value;
        head.to_string()
    };
    let text = head.to_string();
    let twice = format!("{},\"kid\":\"{kid}\"}}", &text[..text.len() - 1]);
    for head in [
        but("alg", json!("DIR")),
        but("alg", json!("A256GCMKW")),
        but("enc", json!("A128GCM")),
        but("cty", json!("JWS")),
        but("cty", Value::Null),
        but("zip", json!("DEF")),
        but("zip", Value::Null),
        but("crit", json!([])),
        but("crit", json!(["exp"])),
        but("p2c", json!(1_000_000_000)),
        but("iss", json!("https://other.example")),
        but("iss", Value::Null),
        but("rlm", json!("staff")),
        but("rlm", Value::Null),
        but("kid", json!(7)),
        but("kid", json!("../../dev/null")),
        but("kid", json!("' OR 1=1--")),
        but("kid", json!("\u{0}")),
        but("kid", json!("k".repeat(10_000))),
        but("kid", json!(format!("0{kid}"))),
        but("kid", json!(format!("+{kid}"))),
        but("kid", json!(format!("9{}", &kid[kid.find('.').unwrap()..]))),
        but("kid", json!(format!("{kid}A"))),
        but("kid", json!(&kid[..kid.len() - 1])),
        but("kid", json!(kid.split('.').next().unwrap())),
        twice,
        format!("[{text}]"),
        format!("\u{feff}{text}"),
    ] {
        assert_eq!(
            gate.verify(&made(&head, &inner)).await.unwrap_err().code(),
            Code::InvalidToken,
            "{head}"
        );
    }
    // Encryption alone says nothing: the inner signature is looked at all the same.
    let (signed, signature) = inner.rsplit_once('.').unwrap();
    let turned = format!(
        "{signed}.{}{}",
        if signature.starts_with('A') { 'B' } else { 'A' },
        &signature[1..]
    );
    for inner in ["", "x", "a.b.c", signed, &turned, &token] {
        assert_eq!(
            gate.verify(&made(&text, inner)).await.unwrap_err().code(),
            Code::InvalidToken,
            "{inner}"
        );
    }
    assert!(ring.set().decryption_key("nobody").is_none());
}

/// Keys that encrypted are kept for as long as something sealed is, here and on the other nodes.
#[tokio::test]
async fn old_keys_decrypt_after_a_rotation_and_each_process_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (store, clock) = (MemoryStore::new(), clock());
    let open = async || {
        KeyRing::open_with(folder.path(), Algorithm::EdDSA)
            .await
            .unwrap()
    };
    let (here, there) = (
        clinic(open().await, store.clone(), &clock).await,
        clinic(open().await, store, &clock).await,
    );
    let of =
        async |gate: &Gate<Clinic>| gate.issue(&ada(), Duration::from_secs(600)).await.unwrap();
    let (mine, yours) = (of(&here).await, of(&there).await);
    assert_ne!(
        header(&mine)["kid"],
        header(&yours)["kid"],
        "two processes, two keys"
    );
    there.verify(&mine).await.unwrap();
    here.verify(&yours).await.unwrap();

    clock.advance(Duration::from_secs(15 * 60));
    let old = of(&here).await;
    here.keys().rotate().await.unwrap();
    let new = of(&here).await;
    for token in [&old, &new] {
        here.verify(token).await.unwrap();
        there.verify(token).await.unwrap();
    }
    assert_ne!(header(&old)["kid"], header(&new)["kid"]);
}

/// A seal key that somebody else may have: encrypted tokens end with it, and the claims that
/// sessions keep are lost, so that their users sign in again.
#[tokio::test]
async fn what_was_sealed_under_a_retired_key_is_refused_and_a_new_sign_in_works() {
    let (store, clock) = (MemoryStore::new(), clock());
    let gate = clinic(ring(), store, &clock).await;
    let client = Client::unknown();
    let lost = gate.sign_in(ada(), &client).await.unwrap();
    let alone = gate.issue(&ada(), Duration::from_secs(600)).await.unwrap();
    for token in [&lost.access_token, &alone] {
        gate.verify(token).await.unwrap();
        assert_eq!(status(&gate, token).await, StatusCode::OK);
    }
    let kid = header(&alone)["kid"].as_str().unwrap().to_owned();
    let name = format!("seal-{}", kid.split('.').next().unwrap());
    let (signs, facts) = (
        gate.keys().current(),
        gate.health().await.revocation_entries,
    );

    gate.keys().retire(&name).await.unwrap();
    assert_eq!(gate.keys().current(), signs, "the signing key stays");
    assert_eq!(
        gate.health().await.revocation_entries,
        facts,
        "and no key is revoked"
    );
    for token in [&lost.access_token, &alone] {
        assert_eq!(
            gate.verify(token).await.unwrap_err().code(),
            Code::InvalidToken
        );
        assert_eq!(status(&gate, token).await, StatusCode::UNAUTHORIZED);
    }
    for _ in 0..2 {
        let refused = gate.refresh(lost.refresh_token.expose(), &client).await;
        assert_eq!(refused.unwrap_err().code(), Code::InvalidGrant);
    }
    assert_eq!(gate.sessions().of(7).await.unwrap(), [], "it ended");

    let fresh = gate.sign_in(ada(), &client).await.unwrap();
    assert_ne!(header(&fresh.access_token)["kid"], kid.as_str());
    gate.verify(&fresh.access_token).await.unwrap();
    let again = gate
        .refresh(fresh.refresh_token.expose(), &client)
        .await
        .unwrap();
    let verified = gate.verify(&again.access_token).await.unwrap();
    assert_eq!(verified.claims().diagnosis(), SECRET);
}

/// R3: the limit is that of what travels.
#[tokio::test]
async fn claims_that_fit_signed_and_not_encrypted_open_no_session() {
    let gate = one().await;
    let long = |len: usize| Patient {
        id: 7,
        diagnosis: "x".repeat(len),
    };
    let issue = async |len: usize| gate.issue(&long(len), Duration::from_secs(60)).await;
    let token = issue(3400).await.unwrap();
    assert!(token.len() <= 8 * 1024);
    gate.verify(&token).await.unwrap();
    assert!(
        issue(5500).await.is_err(),
        "7.5 KiB signed, 10 KiB encrypted"
    );
    assert!(gate.sign_in(long(5500), &Client::unknown()).await.is_err());
    assert_eq!(gate.sessions().of(7).await.unwrap(), []);
}

#[derive(Clone, Debug, JwtClaims)]
struct Nurse {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(username, user = Nurse, refresh(from = stored), prefix = "/ward")]
struct Ward;

impl Authenticate for Ward {
    async fn authenticate(&self, _: UsernameLogin, _: &Client) -> Result<Nurse, AuthError> {
        Err(AuthError::Invalid)
    }
}

#[derive(Clone)]
struct Hospital {
    clinic: Gate<Clinic>,
    ward: Gate<Ward>,
}

impl axum::extract::FromRef<Hospital> for Verifier<Patient> {
    fn from_ref(hospital: &Hospital) -> Self {
        hospital.clinic.verifier()
    }
}

impl axum::extract::FromRef<Hospital> for Verifier<Nurse> {
    fn from_ref(hospital: &Hospital) -> Self {
        hospital.ward.verifier()
    }
}

/// The content of an encrypted token cannot be read before it is decrypted, so its header says
/// which gate judges it. The token inside must agree.
#[tokio::test]
async fn of_two_gates_the_header_of_an_encrypted_token_says_which_one_judges() {
    let ring = ring();
    let clinic = clinic(ring.clone(), MemoryStore::new(), &clock()).await;
    let ward = Ward.gate().share(&clinic).realm("staff").audience("ward");
    let ward = ward.encrypt(Encrypted::A256Gcm).build().await.unwrap();
    let patient = clinic.issue(&ada(), Duration::from_secs(60)).await.unwrap();
    let nurse = ward.issue(&Nurse { id: 7 }, Duration::from_secs(60)).await;
    let nurse = nurse.unwrap();
    let either = async |caller: OneOf<Auth<Patient>, Auth<Nurse>>| match caller {
        OneOf::First(_) => "patient",
        OneOf::Second(_) => "nurse",
    };
    let app = axum::Router::new()
        .route("/either", axum::routing::get(either))
        .with_state(Hospital { clinic, ward });
    let ask = async |token: &str| {
        let asked = request(Method::GET, "/either", Some(token), None);
        let answer = app.clone().oneshot(asked).await.unwrap();
        tollgate_tests::Answer::of(answer).await
    };
    assert_eq!(header(&nurse)["rlm"], "staff");
    assert_eq!(header(&patient).get("rlm"), None);
    assert_eq!(ask(&patient).await.text, "patient");
    assert_eq!(ask(&nurse).await.text, "nurse");
    // Each token under the header of the other realm.
    let secret = |token: &str| {
        let kid = header(token)["kid"].as_str().unwrap().to_owned();
        ring.set().decryption_key(&kid).unwrap().expose().to_vec()
    };
    for (outer, inner) in [(&patient, &nurse), (&nurse, &patient)] {
        let inside = decrypt(inner, &secret(inner));
        let mixed = encrypt(&header(outer).to_string(), &inside, &secret(outer));
        ask(&mixed).await.assert_problem(401, "invalid_token");
    }
}

fn key(bytes: &[u8]) -> aws_lc_rs::aead::LessSafeKey {
    use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).unwrap())
}

fn encrypt(header: &str, inner: &str, secret: &[u8]) -> String {
    use aws_lc_rs::aead::{Aad, Nonce};
    let head = URL_SAFE_NO_PAD.encode(header);
    let mut bytes = inner.as_bytes().to_vec();
    let nonce = Nonce::assume_unique_for_key([5; 12]);
    let tag = key(secret)
        .seal_in_place_separate_tag(nonce, Aad::from(head.as_bytes()), &mut bytes)
        .unwrap();
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    format!(
        "{head}..{}.{}.{}",
        text(&[5; 12]),
        text(&bytes),
        text(tag.as_ref())
    )
}

fn decrypt(token: &str, secret: &[u8]) -> String {
    use aws_lc_rs::aead::{Aad, Nonce};
    let parts: Vec<Vec<u8>> = token
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap())
        .collect();
    let mut bytes = [&parts[3][..], &parts[4]].concat();
    let nonce = Nonce::try_assume_unique_for_key(&parts[2]).unwrap();
    let head = token.split('.').next().unwrap();
    let plain = key(secret)
        .open_in_place(nonce, Aad::from(head.as_bytes()), &mut bytes)
        .unwrap();
    String::from_utf8(plain.to_vec()).unwrap()
}
