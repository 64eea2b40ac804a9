//! Connections for what is not http, which is mail: to vetted addresses only, exactly those, and with the same trust as
//! every request. What is said over one belongs elsewhere; http goes through the client of [`super::egress`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

use super::ProviderError;
use super::addresses::{self, Reach, Refused, shown};
use super::egress::Egress;
use super::tls_causes::explain;
use super::tls_faults::Form;
use super::trust;

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

/// What to trust: the system's authorities, and the certificates of a PEM text besides, which may be empty.
pub fn trust(ca_certificate: &str) -> Result<Arc<ClientConfig>, ProviderError> {
    let pasted: Vec<String> =
        Some(ca_certificate).filter(|pem| !pem.is_empty()).map(str::to_owned).into_iter().collect();
    trust::config(&pasted, None).map(Arc::new)
}

/// Encrypts a connection; the server proves to be the address's host. `form` is what its form has room for.
pub async fn secure(
    stream: TcpStream,
    url: &Url,
    trust: Arc<ClientConfig>,
    form: Form,
) -> Result<TlsStream<TcpStream>, ProviderError> {
    let name = match addresses::host(url).ok_or(ProviderError::InvalidAddress)? {
        Host::Ipv4(address) => ServerName::from(IpAddr::from(address)),
        Host::Ipv6(address) => ServerName::from(IpAddr::from(address)),
        Host::Domain(name) => ServerName::try_from(name).map_err(|_| ProviderError::InvalidAddress)?,
    };
    let host = || shown(url);
    TlsConnector::from(trust).connect(name, stream).await.map_err(|error| {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => explain(error, host(), form, false),
            None => ProviderError::Dropped { host: host(), form },
        }
    })
}
