//! TLS: the certificate and key of the server, read again when the files change.

use crate::settings::Settings;
use arc_swap::ArcSwap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, DEFAULT_VERSIONS};
use tokio_rustls::server::TlsStream;
use tokio_rustls::TlsAcceptor;

/// For a client to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// What proves to clients who the server is.
pub struct Identity {
    current: ArcSwap<ServerConfig>,
}

impl Identity {
    /// The identity that the settings name, if they name one.
    ///
    /// # Errors
    /// Which file is wrong.
    pub fn of(settings: &Settings) -> Result<Option<Self>, String> {
        let config = config(settings)?;
        Ok(config.map(|config| Self { current: ArcSwap::from_pointee(config) }))
    }

    /// Reads the files again; with bad ones, the identity stays what it was.
    ///
    /// # Errors
    /// Which file is wrong.
    pub fn reload(&self, settings: &Settings) -> Result<(), String> {
        if let Some(config) = config(settings)? {
            self.current.store(Arc::new(config));
        }
        Ok(())
    }

    /// Shakes hands; nothing if the client does not, or not in time.
    pub async fn accept(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(self.current.load_full());
        tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await.ok()?.ok()
    }
}

/// TLS 1.2 and 1.3, with HTTP/2 for those who can.
fn config(settings: &Settings) -> Result<Option<ServerConfig>, String> {
    let (certificate, key) = match (&settings.tls_cert, &settings.tls_key) {
        (Some(certificate), Some(key)) => (certificate, key),
        _ => return Ok(None),
    };
    let chain = certificates(certificate)?;
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| format!("`{}` has no private key in PEM: {error}", key.display()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(DEFAULT_VERSIONS)
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret));
    let mut config = config.map_err(|error| {
        let (certificate, key) = (certificate.display(), key.display());
        format!("`{certificate}` and `{key}` do not make an identity: {error}")
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |what: String| format!("`{}` has no certificates in PEM: {what}", path.display());
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(|found| found.collect::<Result<Vec<_>, _>>())
        .map_err(|error| wrong(error.to_string()))?;
    match certificates.is_empty() {
        false => Ok(certificates),
        true => Err(wrong("it is empty".to_owned())),
    }
}
