//! Making a connection: plain, or over TLS with this crate's own cryptography and without a
//! process-wide provider.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, RedisError};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::store::shared::operation::Cause;

/// The maker of connections.
pub(super) struct Connector {
    client: Client,
    config: AsyncConnectionConfig,
    timeout: Duration,
    tls: Option<Tls>,
}

impl Connector {
    pub(super) fn new(
        client: Client,
        connect: Duration,
        response: Duration,
        tls: Option<Tls>,
    ) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connect))
            .set_response_timeout(Some(response));
        Self {
            client,
            config,
            timeout: connect,
            tls,
        }
    }

    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        match &self.tls {
            None => {
                self.client
                    .get_multiplexed_async_connection_with_config(&self.config)
                    .await
            }
            Some(tls) => {
                let late = |_| RedisError::from(io::Error::from(io::ErrorKind::TimedOut));
                tokio::time::timeout(self.timeout, self.connect_over(tls))
                    .await
                    .map_err(late)?
            }
        }
    }

    async fn connect_over(&self, tls: &Tls) -> Result<MultiplexedConnection, RedisError> {
        let info = self.client.get_connection_info();
        let ConnectionAddr::Tcp(host, port) = info.addr() else {
            return Err((ErrorKind::InvalidClientConfig, "TLS needs a host").into());
        };
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        stream.set_nodelay(true)?;
        let stream = tls.connector.connect(tls.name.clone(), stream).await?;
        let (connection, driver) = MultiplexedConnection::new_with_config(
            info.redis_settings(),
            stream,
            self.config.clone(),
        )
        .await?;
        tokio::spawn(driver);
        Ok(connection)
    }
}

/// Which certificates are trusted, and which name the server must have.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Trusts the certificates that are given (PEM), or those that browsers trust.
    pub(super) fn new(host: &str, roots: Option<&[u8]>) -> Result<Self, Cause> {
        let mut store = RootCertStore::empty();
        match roots {
            None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    store.add(certificate?)?;
                }
                if store.is_empty() {
                    return Err("there is no certificate among them".into());
                }
            }
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = config.with_root_certificates(store).with_no_client_auth();
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?;
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name,
        })
    }
}
