//! Which addresses integrations may reach: a URL's literal host is judged here, and so is every address that a name
//! resolves to. What `hosts` calls never reached stays so whatever is listed; loopback and private addresses are
//! reached only when the operator lists them. Nothing here opens a connection; [`super::egress`] does.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::ProviderError;
use crate::hosts::{self, canonical_name, is_metadata_name, is_never_reached, is_own_name, is_private, unwrapped};

/// Ports that are reached without the operator's leave.
const PORTS: [u16; 5] = [443, 5000, 6443, 8443, 9443];
/// The same for mail: relay and submission (RFC 5321, RFC 6409, RFC 8314), and what providers offer where port 25 is
/// closed.
const MAIL_PORTS: [u16; 6] = [25, 465, 587, 2465, 2525, 2587];

/// How a name becomes addresses. Replaced in tests of rebinding names.
pub type Lookup = dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync;

/// How far a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Reach {
    /// An encrypted protocol on a usual port: public addresses and listed ones.
    Public,
    /// Plain http or mail, or an unusual port: only what the operator listed.
    Listed,
}

/// The operator's allow list on top of the fixed rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub networks: Vec<IpNet>,
    pub hosts: Vec<String>,
    /// Reached though they are a machine's own services: see [`super::egress::Egress::reaching`].
    pub exactly: Vec<IpAddr>,
}

impl Rules {
    /// Judges everything that an address shows without being resolved.
    pub fn check(&self, url: &Url) -> Result<Reach, ProviderError> {
        let (Some(host), Some(port)) = (host(url), url.port_or_known_default()) else {
            return Err(ProviderError::InvalidAddress);
        };
        let (encrypted, usual) = match url.scheme() {
            "https" => (true, PORTS.contains(&port)),
            "http" => (false, false),
            "smtp" | "smtps" => (true, MAIL_PORTS.contains(&port)),
            "smtp-clear" => (false, false),
            _ => return Err(ProviderError::InvalidAddress),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ProviderError::InvalidAddress);
        }
        let reach = if encrypted && usual { Reach::Public } else { Reach::Listed };
        let admitted = match &host {
            Host::Ipv4(address) => self.admits((*address).into(), reach, false),
            Host::Ipv6(address) => self.admits((*address).into(), reach, false),
            Host::Domain(name) => self.admits_name(name, reach),
        };
        if admitted {
            return Ok(reach);
        }
        let shown = shown(url);
        let reserved = hosts::is_reserved(&host);
        Err(if reserved {
            ProviderError::Reserved { host: shown }
        } else {
            ProviderError::RefusedByPolicy { host: shown }
        })
    }

    fn admits_name(&self, name: &str, reach: Reach) -> bool {
        let name = canonical_name(name);
        if is_metadata_name(&name) {
            return false;
        }
        if is_own_name(&name) {
            return LOOPBACK.iter().any(|address| self.admits(*address, reach, self.lists(&name)));
        }
        // Where a name leads is judged when it is resolved; without a list, nothing can be listed.
        reach == Reach::Public || self.lists(&name) || !self.networks.is_empty()
    }

    /// Whether the operator listed the name itself.
    pub fn lists(&self, name: &str) -> bool {
        self.hosts.iter().any(|host| canonical_name(host) == name)
    }

    /// Whether a connection to the address is allowed. `by_name`: the operator listed the name that led here.
    fn admits(&self, address: IpAddr, reach: Reach, by_name: bool) -> bool {
        if self.exactly.contains(&address) {
            return true;
        }
        let address = unwrapped(address);
        if is_never_reached(address) {
            return false;
        }
        let listed = by_name || self.networks.iter().any(|network| network.contains(&address));
        listed || (reach == Reach::Public && !is_private(address))
    }
}

/// The host as it is connected to. Outside of http the URL standard leaves hosts as they were written, so that an
/// address in an odd form would pass as a name.
pub(super) fn host(url: &Url) -> Option<Host> {
    Host::parse(url.host_str()?).ok()
}

/// The host and port of an address, as a page shows them; cut to the length of a real name.
pub(super) fn shown(url: &Url) -> String {
    let host: String = url.host_str().unwrap_or_default().chars().take(253).collect();
    url.port().map(|port| format!("{host}:{port}")).unwrap_or(host)
}

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Resolves names to vetted addresses; the connection is made to exactly these.
#[derive(Clone)]
pub(super) struct VettingResolver {
    pub rules: Arc<Rules>,
    pub reach: Reach,
    pub lookup: Arc<Lookup>,
}

/// In an error's chain, tells a refusal from a name that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("refused by the egress rules")]
pub(super) struct Refused;

impl VettingResolver {
    /// The addresses of a name; [`Refused`] when the rules do not let a connection go there.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let name = canonical_name(name);
        if is_metadata_name(&name) {
            return Err(Refused.into());
        }
        let by_name = self.rules.lists(&name);
        let admits = |address: &IpAddr| self.rules.admits(*address, self.reach, by_name);
        let addresses: Vec<IpAddr> = if is_own_name(&name) {
            LOOPBACK.into_iter().filter(admits).collect()
        } else {
            let found = (self.lookup)(name).await?;
            // One bad address fails the name: which of them a connection takes is not ours to bet on.
            if found.iter().all(admits) { found } else { Vec::new() }
        };
        if addresses.is_empty() { Err(Refused.into()) } else { Ok(addresses) }
    }
}

impl Resolve for VettingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let addresses = this.addresses(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// The machine's own resolver.
pub(super) fn system_lookup(name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
    Box::pin(async move {
        let found: Vec<IpAddr> = tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect();
        if found.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(found) }
    })
}
