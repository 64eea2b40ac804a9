//! The requests that leave through the operator's proxy: which they are, and what is judged before.

use std::time::Duration;

use url::{Host, Url};

use super::ProviderError;
use super::addresses::{Reach, Refused, host, shown};
use super::egress::Egress;
use super::proxy::Proxy;

/// Longest that a name may take to be resolved here. Networks with a proxy often resolve no names of the world, and
/// some let the question time out.
const LOOKUP: Duration = Duration::from_secs(1);
impl Egress {
    /// Host and port of the operator's proxy.
    pub fn proxy(&self) -> Option<String> {
        self.proxy.as_ref().map(|proxy| proxy.name())
    }

    /// The proxy that a request takes; `None` for one that leaves directly.
    pub(super) fn proxy_for(&self, url: &Url) -> Option<&Proxy> {
        self.proxy.as_deref().filter(|proxy| proxy.takes(url))
    }

    /// For the page of an address: that requests leave through the proxy, and who decides where they go.
    pub fn way_out(&self, url: &Url) -> Option<String> {
        let proxy = self.proxy_for(url)?.name();
        let Some(Host::Domain(name)) = host(url) else { return Some(format!("Through the proxy {proxy}.")) };
        Some(format!("Through the proxy {proxy}. If only the proxy can resolve {name}, it decides where that leads."))
    }

    /// Judges a destination by what its name leads to here. A name that does not resolve here is left to the proxy,
    /// which resolves it again in any case; literal addresses and reserved names have been judged by then.
    pub(super) async fn vet(&self, proxy: &Proxy, url: &Url, reach: Reach) -> Result<(), ProviderError> {
        let Some(Host::Domain(name)) = host(url) else { return Ok(()) };
        if proxy.was_admitted(&name, reach) {
            return Ok(());
        }
        let found = tokio::time::timeout(LOOKUP, self.resolver(reach).addresses(&name)).await;
        let admitted = match found {
            Ok(Ok(_)) => true,
            Ok(Err(error)) if error.is::<Refused>() => false,
            // An unusual port is for listed addresses, and nobody here knows whether it is one.
            Ok(Err(_)) | Err(_) => reach == Reach::Public || self.rules.lists(&name),
        };
        if !admitted {
            return Err(ProviderError::RefusedByPolicy { host: shown(url) });
        }
        proxy.admit(name, reach);
        Ok(())
    }
}
