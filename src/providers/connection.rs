//! Connections for what is not http, which is mail: to vetted addresses only, exactly those, and with the same trust as
//! every request. What is said over one belongs elsewhere; http goes through the client of [`super::egress`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

use super::ProviderError;
use super::addresses::{self, Reach, Refused, shown};
use super::egress::Egress;

impl Egress {
    /// Connects to the host and port of an address, by the rules of its scheme. A name is resolved once, and every
    /// address that it has is judged before the first is tried.
    pub async fn connect(&self, url: &Url) -> Result<TcpStream, ProviderError> {
        let reach = self.rules.check(url)?;
        let port = url.port().ok_or(ProviderError::InvalidAddress)?;
        let attempt = async {
            for address in self.addresses(url, reach).await? {
                if let Ok(stream) = TcpStream::connect(SocketAddr::new(address, port)).await {
                    // Commands are short and each waits for its answer.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
            }
            Err(ProviderError::Unreachable { host: shown(url) })
        };
        let timeout = ProviderError::Timeout { host: shown(url) };
        tokio::time::timeout(self.connect, attempt).await.unwrap_or(Err(timeout))
    }

    async fn addresses(&self, url: &Url, reach: Reach) -> Result<Vec<IpAddr>, ProviderError> {
        let name = match addresses::host(url).ok_or(ProviderError::InvalidAddress)? {
            Host::Ipv4(address) => return Ok(vec![address.into()]),
            Host::Ipv6(address) => return Ok(vec![address.into()]),
            Host::Domain(name) => name,
        };
        self.resolver(reach).addresses(&name).await.map_err(|error| match error.is::<Refused>() {
            true => ProviderError::RefusedByPolicy { host: shown(url) },
            false => ProviderError::Unreachable { host: shown(url) },
        })
    }
}

/// What to trust: the system's authorities, and those of a PEM text besides.
pub fn trust(ca_certificate: &str) -> Result<Arc<ClientConfig>, ProviderError> {
    let extra: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(ca_certificate.as_bytes()).collect();
    let extra = extra.map_err(|_| ProviderError::BadCertificate)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let ours = !extra.is_empty();
    let failed = |_| if ours { ProviderError::BadCertificate } else { ProviderError::NoAuthorities };
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(failed)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Encrypts a connection; the server proves to be the address's host.
pub async fn secure(
    stream: TcpStream,
    url: &Url,
    trust: Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, ProviderError> {
    let name = match addresses::host(url).ok_or(ProviderError::InvalidAddress)? {
        Host::Ipv4(address) => ServerName::from(IpAddr::from(address)),
        Host::Ipv6(address) => ServerName::from(IpAddr::from(address)),
        Host::Domain(name) => ServerName::try_from(name).map_err(|_| ProviderError::InvalidAddress)?,
    };
    let host = || shown(url);
    TlsConnector::from(trust).connect(name, stream).await.map_err(|error| {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            // It speaks, and not TLS: another port, or no encryption from the start.
            Some(rustls::Error::InvalidMessage(_)) => ProviderError::BadAnswer,
            Some(rustls::Error::AlertReceived(_)) => ProviderError::ClientCertificate { host: host() },
            Some(_) => ProviderError::Tls { host: host() },
            None => ProviderError::Unreachable { host: host() },
        }
    })
}
