//! A signing key that lives in another process: asked over a socket, believed only where its
//! signature holds.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tollgate::error::Code;
use tollgate::keys::{Algorithm, KeyRing, PublicKey, Signer, SignerError};
use tollgate::prelude::*;
use tollgate::secret::Secret;
use tollgate::store::{Revocation, RevokeReason, SessionStore as _, Target};
use tollgate_tests::{App, PASSWORD};

/// The behaviours of the other process with the next messages.
const MODES: [&str; 4] = ["sign", "hang", "forge", "hang up"];

/// Holds the key and signs what it is sent: a byte for the mode, four for the length, the message.
async fn serve() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let point = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    println!("listening {} {point}", listener.local_addr().unwrap());
    let pair = Arc::new(pair);
    loop {
        let (mut socket, _) = listener.accept().await.unwrap();
        let pair = Arc::clone(&pair);
        tokio::spawn(async move {
            let mode = socket.read_u8().await.unwrap();
            let mut message = vec![0; usize::try_from(socket.read_u32().await.unwrap()).unwrap()];
            socket.read_exact(&mut message).await.unwrap();
            let signature = pair
                .sign(&aws_lc_rs::rand::SystemRandom::new(), &message)
                .unwrap();
            match MODES[usize::from(mode)] {
                "sign" => socket.write_all(signature.as_ref()).await.unwrap(),
                "hang" => tokio::time::sleep(Duration::from_secs(600)).await,
                "forge" => socket.write_all(&[7; 64]).await.unwrap(),
                _ => {}
            }
        });
    }
}

struct Vault {
    address: SocketAddr,
    mode: Arc<AtomicU32>,
    asked: Arc<AtomicU32>,
}

impl Signer for Vault {
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut socket = TcpStream::connect(self.address).await?;
        socket
            .write_u8(u8::try_from(self.mode.load(Ordering::Relaxed))?)
            .await?;
        socket.write_u32(u32::try_from(message.len())?).await?;
        socket.write_all(message).await?;
        let mut signature = Vec::new();
        socket.read_to_end(&mut signature).await?;
        Ok(signature)
    }
}

/// The process, which ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const NAME: &str = "a_key_in_another_process_signs_and_where_it_does_not_nothing_changes";

fn start() -> (Process, SocketAddr, PublicKey) {
    let mut command = tollgate_tests::process::alone(module_path!(), NAME);
    command.env("SIGNING_PROCESS", "1").stdout(Stdio::piped());
    let mut process = Process(command.spawn().unwrap());
    let lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
    let line = lines
        .map(Result::unwrap)
        .find(|line| line.contains("listening "))
        .unwrap();
    let mut words = line.split("listening ").nth(1).unwrap().split(' ');
    let address = words.next().unwrap().parse().unwrap();
    let point = URL_SAFE_NO_PAD
        .decode(words.next().unwrap().trim())
        .unwrap();
    (process, address, public_key(&point))
}

/// Returns the key that an uncompressed point is.
fn public_key(point: &[u8]) -> PublicKey {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk =
        json!({ "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) });
    PublicKey::from_jwk(&serde_json::from_value(jwk).unwrap(), &[Algorithm::ES256]).unwrap()
}

#[tokio::test]
async fn a_key_in_another_process_signs_and_where_it_does_not_nothing_changes() {
    if std::env::var_os("SIGNING_PROCESS").is_some() {
        serve().await;
    }
    let (process, address, public) = start();
    let (mode, asked) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let vault = Vault {
        address,
        mode: Arc::clone(&mode),
        asked: Arc::clone(&asked),
    };
    let ring = KeyRing::from_signer(public.clone(), vault)
        .unwrap()
        .signer_limit(Duration::from_millis(300));
    let ring = ring
        .refresh_secret(Secret::from_bytes((0..32).collect()))
        .unwrap();
    let app = App::builder()
        .keys(&ring)
        .change(|gate| gate.device_limit(1, tollgate::settings::OnLimit::EvictOldest));
    let app = app.build().await;
    let (gate, clock) = (&app.gate, &app.clock);
    let ada = gate.backend().id_of("ada@example.com");
    let body = || json!({ "email": "ada@example.com", "password": PASSWORD });

    let kid = public.thumbprint();
    assert_eq!(*gate.keys().current(), *kid);
    let before = asked.load(Ordering::Relaxed);
    let issued = gate
        .sign_in(gate.backend().user("ada@example.com"), &Client::unknown())
        .await
        .unwrap();
    assert_eq!(
        asked.load(Ordering::Relaxed) - before,
        1,
        "one journey a token"
    );
    assert_eq!(
        gate.verify(&issued.access_token)
            .await
            .unwrap()
            .token()
            .kid(),
        kid
    );
    assert_eq!(
        asked.load(Ordering::Relaxed) - before,
        1,
        "and none to verify it"
    );
    clock.advance(Duration::from_secs(100));

    let first = gate.sessions().of(ada).await.unwrap();
    for (wrong, name) in MODES.iter().enumerate().skip(1) {
        mode.store(u32::try_from(wrong).unwrap(), Ordering::Relaxed);
        let refused = gate
            .refresh(issued.refresh_token.expose(), &Client::unknown())
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable, "{name}");
        assert_eq!(app.post("/auth/signin", body()).await.status, 503, "{name}");
        assert!(
            gate.issue(
                &gate.backend().user("ada@example.com"),
                Duration::from_secs(60)
            )
            .await
            .is_err()
        );
        assert_eq!(
            gate.sessions().of(ada).await.unwrap(),
            first,
            "{name}: nothing opened, evicted or rotated"
        );
        gate.verify(&issued.access_token).await.unwrap();
    }

    mode.store(0, Ordering::Relaxed);
    let renewed = gate
        .refresh(issued.refresh_token.expose(), &Client::unknown())
        .await
        .unwrap();
    gate.verify(&renewed.access_token).await.unwrap();
    assert_eq!(app.post("/auth/signin", body()).await.status, 200);

    drop(process);
    let renewed = gate
        .refresh(renewed.refresh_token.expose(), &Client::unknown())
        .await
        .unwrap_err();
    assert!(
        matches!(renewed.code(), Code::Unavailable | Code::InvalidGrant),
        "evicted by the sign-in, or undecided"
    );
    assert_eq!(app.post("/auth/signin", body()).await.status, 503);
}

/// A key in this process. What it signs first, it signs while another node ends the sessions of the
/// client.
struct Late {
    pair: EcdsaKeyPair,
    store: MemoryStore,
    now: tollgate::clock::Timestamp,
    asked: Arc<AtomicU32>,
}

impl Signer for Late {
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        // The first one is the gate's test of itself.
        if self.asked.fetch_add(1, Ordering::Relaxed) == 1 {
            let revocation = Revocation {
                target: Target::Client("first-party".to_owned()),
                reason: RevokeReason::Requested,
                until: self.now.plus(Duration::from_secs(3600)),
            };
            self.store.revoke(revocation, self.now).await?;
        }
        let random = aws_lc_rs::rand::SystemRandom::new();
        let signature = self.pair.sign(&random, message);
        Ok(signature.map_err(|_| "no signature")?.as_ref().to_vec())
    }
}

/// The token is signed before the session is opened, for the epoch that it will most likely have.
#[tokio::test]
async fn a_token_is_signed_again_where_the_epoch_moved_before_the_session_was_opened() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let public = public_key(pair.public_key().as_ref());
    let (store, asked) = (MemoryStore::new(), Arc::new(AtomicU32::new(0)));
    let late = Late {
        pair,
        store: store.clone(),
        now: tollgate::testing::START,
        asked: Arc::clone(&asked),
    };
    let ring = KeyRing::from_signer(public, late).unwrap();
    let ring = ring.refresh_secret(Secret::from_bytes((0..32).collect()));
    let app = App::builder().keys(&ring.unwrap()).store(store.clone());
    let app = app.build().await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let ada = app.gate.backend().user("ada@example.com");
    let issued = app.gate.sign_in(ada, &Client::unknown()).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 3, "twice for this token");
    let session = store
        .session(issued.session_id, tollgate::testing::START)
        .await
        .unwrap()
        .unwrap();
    let part = issued.access_token.split('.').nth(1).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(part).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((session.epoch, &claims["uep"]), (1, &json!(1)));
}
