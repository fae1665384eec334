//! Which certificates are trusted.

use std::sync::{Arc, LazyLock};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Error;

/// How to trust a server. The certificates are read at the first use of TLS, once for all clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tls(fn() -> &'static Trust);

#[derive(Debug)]
pub(crate) struct Trust {
    config: Result<Arc<ClientConfig>, rustls::Error>,
    /// Certificates that could not be read: perhaps the reason why a server is not trusted.
    unread: String,
}

impl Tls {
    /// As Spin trusts: the system's certificates, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, and Mozilla's.
    pub(crate) const SYSTEM: Self = Self(|| {
        static TRUST: LazyLock<Trust> = LazyLock::new(|| {
            let native = rustls_native_certs::load_native_certs();
            let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
            roots.add_parsable_certificates(native.certs);
            let unread: Vec<_> = native.errors.iter().map(|error| format!("; {error}")).collect();
            Trust::new(roots, unread.concat())
        });
        &TRUST
    });

    #[cfg(test)]
    pub(crate) const fn new(trust: fn() -> &'static Trust) -> Self {
        Self(trust)
    }

    /// TLS over a connection to `host`, an IPv6 address in brackets.
    pub(crate) async fn connect<S>(self, host: &str, stream: S) -> Result<TlsStream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Trust { config, unread } = (self.0)();
        let failed = |reason: &dyn std::fmt::Display| Error::Tls(format!("{reason}{unread}"));
        let config = config.clone().map_err(|error| failed(&error))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host).map_err(|error| failed(&error))?.to_owned();
        TlsConnector::from(config).connect(name, stream).await.map_err(|error| failed(&error))
    }
}

impl Trust {
    pub(crate) fn new(roots: RootCertStore, unread: String) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map(
            |builder| {
                let mut config = builder.with_root_certificates(roots).with_no_client_auth();
                config.alpn_protocols = vec![b"http/1.1".to_vec()];
                Arc::new(config)
            },
        );
        Self { config, unread }
    }
}
