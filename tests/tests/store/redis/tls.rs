//! Redis over TLS: who is trusted, who is refused, and that nothing of it is process-wide.
//!
//! `tls/` holds a server's certificate for `localhost` and `127.0.0.1`, its key, and the authority
//! that signed it, whose own key is gone.

use std::error::Error as _;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use tollgate::store::{RedisStore, Rotated, SessionStore as _};
use tollgate_tests::process::alone;
use tollgate_tests::support::redis::Server;

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
    let server = Server::start(&[
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
