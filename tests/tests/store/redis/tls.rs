//! Redis over TLS: who is trusted, who is refused, and that nothing of it is process-wide.
//!
//! `tls/` holds a server's certificate for `localhost` and `127.0.0.1`, its key, and the authority
//! that signed it, whose own key is gone.

use std::error::Error as _;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use tollgate::settings::Settings;
use tollgate::store::{RedisStore, Rotated, SessionStore as _, Store};
use tollgate_tests::process::alone;
use tollgate_tests::support::redis::Server;
use tollgate_tests::support::skipped;

use crate::record::{NOW, advance, new};

const AUTHORITY: &str = include_str!("tls/authority.pem");

/// A server that listens for TLS too, and where.
fn server() -> Option<(Server, u16)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/redis/tls");
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let server = Server::private(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &file("server.pem"),
        "--tls-key-file",
        &file("server.key"),
        "--tls-ca-cert-file",
        &file("authority.pem"),
        "--tls-auth-clients",
        "no",
        "--bind",
        "127.0.0.1",
        "127.0.0.2",
    ])?;
    Some((server, port))
}

async fn refusal(url: &str, roots: Option<&str>) -> String {
    let options = RedisStore::options(url).connect_timeout(Duration::from_millis(1000));
    let options = match roots {
        Some(roots) => options.root_certificates(roots),
        None => options,
    };
    let error = options.connect().await.expect_err("it connected");
    format!(
        "{error} ({})",
        error.source().map(ToString::to_string).unwrap_or_default()
    )
}

/// Other tests of this process may choose a provider, as sqlx does, so the test starts itself in
/// another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_travel_over_tls() {
    if std::env::var_os("TLS_ALONE").is_none() {
        let mut child = alone(module_path!(), "sessions_travel_over_tls");
        let output = child.env("TLS_ALONE", "1").output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let told = text(&output.stdout) + &text(&output.stderr);
        assert!(
            output.status.success() && told.contains("1 passed"),
            "{told}"
        );
        return;
    }
    let Some((mut server, port)) = server() else {
        return;
    };
    for host in ["localhost", "127.0.0.1"] {
        server.command(&["FLUSHALL"]).unwrap();
        let url = format!("rediss://{host}:{port}");
        let store = RedisStore::options(url)
            .root_certificates(AUTHORITY)
            .connect()
            .await
            .unwrap();
        store.migrate(NOW).await.unwrap();
        store.open_session(new(1, "ada"), NOW).await.unwrap();
        assert_eq!(
            store.rotate(advance(1, 0), NOW).await.unwrap(),
            Rotated::Done
        );
        server.restart();
        let mut last = store.health(NOW).await;
        for _ in 0..100 {
            if last.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            last = store.health(NOW).await;
        }
        last.unwrap();
        assert_eq!(
            store.rotate(advance(1, 1), NOW).await.unwrap(),
            Rotated::Done
        );
    }
    // A program's own choice of a provider is still free.
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .unwrap();
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_and_another_name_are_refused() {
    let Some((server, port)) = server() else {
        return;
    };
    let untrusted = refusal(&format!("rediss://localhost:{port}"), None).await;
    assert!(
        untrusted.contains("shows a certificate that is not trusted"),
        "{untrusted}"
    );
    let renamed = refusal(&format!("rediss://127.0.0.2:{port}"), Some(AUTHORITY)).await;
    assert!(
        renamed.contains("shows a certificate that is not trusted"),
        "{renamed}"
    );
    let plain = refusal(
        &format!("rediss://localhost:{}", server.port),
        Some(AUTHORITY),
    )
    .await;
    assert!(
        plain.starts_with(&format!("Redis at `localhost:{}`", server.port)),
        "{plain}"
    );
    for roots in [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let unreadable = refusal(&format!("rediss://localhost:{port}"), Some(roots)).await;
        assert!(
            unreadable.starts_with("TLS to Redis cannot be set up"),
            "{unreadable}"
        );
    }
}

/// A fresh authority, and what it signed for a server and for a client.
fn signed(folder: &Path) -> bool {
    const SCRIPT: &str = "
        key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
        openssl req -x509 $key -subj /CN=authority -keyout ca.key -out ca.pem -days 30
        for who in server client; do
            openssl req $key -subj /CN=$who -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
                -keyout $who.key -out $who.csr
            openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
                -copy_extensions copy -out $who.pem
        done";
    let run = std::process::Command::new("sh")
        .args(["-ec", SCRIPT])
        .current_dir(folder)
        .output()
        .unwrap();
    if !run.status.success() {
        skipped(&String::from_utf8_lossy(&run.stderr));
    }
    run.status.success()
}

/// A server that asks for a certificate of its clients.
#[tokio::test]
async fn a_client_shows_the_certificate_that_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    if !signed(folder.path()) {
        return;
    }
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let settings = [
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &file("server.pem"),
        "--tls-key-file",
        &file("server.key"),
        "--tls-ca-cert-file",
        &file("ca.pem"),
        "--tls-auth-clients",
        "yes",
    ];
    let Some(_server) = Server::private(&settings) else {
        return;
    };
    let url = format!("rediss://localhost:{port}");
    let authority = std::fs::read(file("ca.pem")).unwrap();
    let without = RedisStore::options(&url).root_certificates(authority);
    let refused = without.connect().await.unwrap_err().to_string();
    assert!(refused.contains("`store.client_certificate`"), "{refused}");

    let text = format!(
        "[store]\nurl = '{url}'\nroot_certificates = '{}'\nclient_certificate = '{}'\n\
         client_key = '{}'",
        file("ca.pem"),
        file("client.pem"),
        file("client.key")
    );
    let settings = Settings::from_sources(Some(("tollgate.toml", &text)), []).unwrap();
    Store::open(&settings.store).await.unwrap();
    let store = RedisStore::options(&url)
        .root_certificates(std::fs::read(file("ca.pem")).unwrap())
        .client_certificate(
            std::fs::read(file("client.pem")).unwrap(),
            std::fs::read(file("client.key")).unwrap(),
        )
        .connect()
        .await
        .unwrap();
    store.migrate(NOW).await.unwrap();
    store.health(NOW).await.unwrap();

    let other = RedisStore::options(&url).client_certificate(AUTHORITY, "no key");
    let refused = other.connect().await.unwrap_err().to_string();
    assert_eq!(refused, "TLS to Redis cannot be set up");
    let plain = RedisStore::options("redis://localhost").client_certificate(AUTHORITY, "no key");
    let refused = plain.connect().await.unwrap_err().to_string();
    assert!(refused.contains("`rediss://`"), "{refused}");
}
