//! Making a connection: plain, or over TLS with this crate's own cryptography and without a
//! process-wide provider.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, Value,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::sentinel::Sentinels;
use crate::store::shared::operation::Cause;

/// The maker of connections.
pub(super) struct Connector {
    target: RedisTarget,
    config: AsyncConnectionConfig,
    timeout: Duration,
    tls: Option<Tls>,
}

/// The target of a connection.
pub(super) enum RedisTarget {
    /// To a server.
    Server(ConnectionInfo),
    /// The server that is the primary at the moment.
    Primary(Sentinels),
}

impl RedisTarget {
    /// Returns its name in messages.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Server(info) => info.addr().to_string(),
            Self::Primary(sentinels) => sentinels.address(),
        }
    }
}

impl Connector {
    pub(super) fn new(
        target: RedisTarget,
        connect: Duration,
        response: Duration,
        tls: Option<Tls>,
    ) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connect))
            .set_response_timeout(Some(response));
        Self {
            target,
            config,
            timeout: connect,
            tls,
        }
    }

    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let connecting = async {
            match &self.target {
                RedisTarget::Server(info) => self.open(info).await,
                RedisTarget::Primary(sentinels) => self.open_primary(sentinels).await,
            }
        };
        let late = |_| RedisError::from(io::Error::from(io::ErrorKind::TimedOut));
        tokio::time::timeout(self.timeout, connecting)
            .await
            .map_err(late)?
    }

    async fn open(&self, info: &ConnectionInfo) -> Result<MultiplexedConnection, RedisError> {
        match &self.tls {
            None => {
                Client::open(info.clone())?
                    .get_multiplexed_async_connection_with_config(&self.config)
                    .await
            }
            Some(tls) => self.open_over(tls, info).await,
        }
    }

    async fn open_over(
        &self,
        tls: &Tls,
        info: &ConnectionInfo,
    ) -> Result<MultiplexedConnection, RedisError> {
        let ConnectionAddr::Tcp(host, port) = info.addr() else {
            return Err((ErrorKind::InvalidClientConfig, "TLS needs a host").into());
        };
        let name = server_name(host).map_err(|_| {
            (
                ErrorKind::InvalidClientConfig,
                "TLS needs the name of a host",
            )
        })?;
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), *port)).await?;
        stream.set_nodelay(true)?;
        let stream = tls.connector.connect(name, stream).await?;
        let (connection, driver) = MultiplexedConnection::new_with_config(
            info.redis_settings(),
            stream,
            self.config.clone(),
        )
        .await?;
        tokio::spawn(driver);
        Ok(connection)
    }

    /// Asks one sentinel after another for the primary, until one names a server that says that it
    /// is the primary. A sentinel that learns too late of a failover, or does not answer, does not
    /// use up the time: each has its share of it.
    async fn open_primary(
        &self,
        sentinels: &Sentinels,
    ) -> Result<MultiplexedConnection, RedisError> {
        let count = u32::try_from(sentinels.sentinels.len()).unwrap_or(u32::MAX);
        let share = self.timeout / count.max(1);
        let mut failed: RedisError = io::Error::from(io::ErrorKind::TimedOut).into();
        for sentinel in &sentinels.sentinels {
            match tokio::time::timeout(share, self.ask(sentinel, sentinels)).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => failed = error,
                Err(_) => {}
            }
        }
        Err(failed)
    }

    async fn ask(
        &self,
        sentinel: &ConnectionInfo,
        sentinels: &Sentinels,
    ) -> Result<MultiplexedConnection, RedisError> {
        let mut connection = self.open(sentinel).await?;
        let found: Option<(String, u16)> = redis::cmd("SENTINEL")
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&sentinels.name)
            .query_async(&mut connection)
            .await?;
        let (host, port) = found.ok_or((ErrorKind::InvalidClientConfig, UNKNOWN_PRIMARY))?;
        let info = sentinels
            .primary(host, port)
            .ok_or((ErrorKind::InvalidClientConfig, UNKNOWN_PRIMARY))?;
        let mut connection = self.open(&info).await?;
        let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut connection).await?;
        let is_primary = matches!(role.first(), Some(Value::BulkString(role)) if role == b"master");
        if is_primary {
            Ok(connection)
        } else {
            // A failover is in progress: the sentinel still names the former primary.
            Err(io::Error::from(io::ErrorKind::ConnectionRefused).into())
        }
    }
}

/// The certificates that are trusted, and the client's own.
pub(super) struct Tls {
    connector: TlsConnector,
}

/// The certificate of a client and its key, in PEM.
#[derive(Clone)]
pub(super) struct ClientCertificate {
    pub(super) certificates: Vec<u8>,
    pub(super) key: Zeroizing<Vec<u8>>,
}

impl Tls {
    /// Trusts the certificates that are given (PEM), or otherwise those that browsers trust.
    pub(super) fn new(
        roots: Option<&[u8]>,
        client: Option<&ClientCertificate>,
    ) -> Result<Self, Cause> {
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
        let config = config.with_root_certificates(store);
        let config = match client {
            None => config.with_no_client_auth(),
            Some(client) => {
                let chain =
                    CertificateDer::pem_slice_iter(&client.certificates)
                        .collect::<Result<Vec<_>, _>>()?;
                if chain.is_empty() {
                    return Err("there is no certificate of the client".into());
                }
                config.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(&client.key)?)?
            }
        };
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
        })
    }
}

/// Returns the name that the certificate of a host must have.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, InvalidDnsNameError> {
    ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
}

/// The error where no sentinel knows the primary.
pub(super) const UNKNOWN_PRIMARY: &str = "no sentinel knows this primary";
