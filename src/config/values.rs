//! The types that settings are parsed into. What a wrong value's message says stands here: it never quotes the value,
//! which may hold a password. A setting itself is declared in [`super`].

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::str::FromStr;

use clap::ValueEnum;
use ipnet::IpNet;
use tracing_subscriber::filter::Targets;
use url::Url;

use crate::integrations::alerts::email;
use crate::models::{Parameters, UrlError};

/// A libpq URL. It may hold a password, so it prints nothing of itself.
#[derive(Clone)]
pub struct DatabaseUrl(pub(super) String);

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl FromStr for DatabaseUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.trim().is_empty() {
            Parameters::parse(text)?;
        }
        Ok(Self(text.trim().to_owned()))
    }
}

/// How a proxy says whose request it passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ForwardedHeader {
    /// X-Forwarded-For, and X-Forwarded-Proto beside it
    XForwardedFor,
    /// Forwarded (RFC 7239)
    Forwarded,
}

/// A half of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Half {
    /// The pages; whatever they queue waits for a process with jobs
    Web,
    /// Scans, tests, alerts and the nightly verification; no pages
    Jobs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tests {
    /// Each credential once a day
    Daily,
    /// Only when somebody presses Test
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

/// A host name with or without a port, in small letters, as a Host header has it.
pub fn machine_host(text: &str) -> Result<String, &'static str> {
    let text = text.trim().to_ascii_lowercase();
    let url = Url::parse(&format!("http://{text}/")).map_err(|_| HOST)?;
    let whole = url.path() == "/" && url.username().is_empty() && url.query().is_none() && url.fragment().is_none();
    if text.is_empty() || !whole || text.contains(['/', '@', ' ']) { Err(HOST) } else { Ok(text) }
}

const HOST: &str = "give host names with commas between, such as strongroom.tools.svc or 10.0.0.5:8443";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people
    Human,
    /// One JSON object a line
    Json,
}

/// Address ranges. A single address is a range of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// 127.0.0.0/8 and ::1.
    pub fn loopback() -> Self {
        let v4 = IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8);
        Self(vec![v4, IpNet::from(IpAddr::V6(Ipv6Addr::LOCALHOST))])
    }

    /// An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As the egress client wants them.
    pub fn into_vec(self) -> Vec<IpNet> {
        self.0
    }
}

impl FromStr for Networks {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let networks = parts.map(|part| part.parse::<IpNet>().or_else(|_| part.parse::<IpAddr>().map(IpNet::from)));
        let networks = networks.collect::<Result<Vec<_>, _>>();
        networks.map(Self).map_err(|_| "give addresses or ranges separated by commas, such as 10.0.0.0/8,192.168.1.20")
    }
}

#[derive(Clone, Copy, Debug)]
pub struct MetricsListen(pub(super) Option<SocketAddr>);

impl FromStr for MetricsListen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self(None));
        }
        let address = text.parse().map_err(|_| "give an address and a port, such as 127.0.0.1:9464, or off")?;
        Ok(Self(Some(address)))
    }
}

/// An address with its port.
pub fn socket_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "give an address and a port, such as 127.0.0.1:8080 or [::]:8080")
}

/// An address that others can open when the console listens on all addresses of this machine: the one that its route
/// to the world begins with. Only the kernel is asked; nothing is sent.
pub(super) fn reachable(bound: SocketAddr) -> SocketAddr {
    // Documentation addresses (RFC 5737, RFC 3849): far away, and nobody's.
    const V4: (IpAddr, IpAddr) = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)));
    const V6: (IpAddr, IpAddr) =
        (IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)));
    if !bound.ip().is_unspecified() {
        return bound;
    }
    let routes: &[_] = if bound.is_ipv6() { &[V6, V4] } else { &[V4] };
    let found = routes.iter().find_map(|(any, far)| {
        let socket = UdpSocket::bind((*any, 0)).ok()?;
        socket.connect((*far, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|address| !address.is_unspecified())
    });
    let loopback = if bound.is_ipv6() { IpAddr::V6(Ipv6Addr::LOCALHOST) } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
    SocketAddr::new(found.unwrap_or(loopback), bound.port())
}

pub(super) fn public_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && (url.path(), url.query(), url.fragment()) == ("/", None, None)
            && (url.username(), url.password()) == ("", None)
    });
    url.ok_or("give scheme, host and port alone, such as https://strongroom.example.com")
}

/// A public address of https.
pub fn https_url(text: &str) -> Result<Url, &'static str> {
    public_url(text).ok().filter(|url| url.scheme() == "https").ok_or(
        "give the https address that people will open at the proxy, with scheme, host and port alone, such as \
         https://strongroom.example.com",
    )
}

/// A whole host name, or an address with or without its brackets, or nothing; as [`crate::integrations::alerts::email`] wants it.
pub(super) fn smtp_hello(text: &str) -> Result<String, &'static str> {
    const WRONG: &str = "give a whole host name, such as strongroom.example.com, or an address, such as 192.0.2.7";
    let bare = text.trim_matches(['[', ']']);
    if let Ok(address) = bare.strip_prefix("IPv6:").unwrap_or(bare).parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    if text.is_empty() || email::is_whole_host_name(&name) { Ok(name) } else { Err(WRONG) }
}

pub(super) fn log_filter(text: &str) -> Result<Targets, &'static str> {
    text.parse()
        .map_err(|_| "give a level (error, warn, info, debug, trace) or module=level pairs, with commas between")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_s01_a_greeting_is_a_whole_host_name_or_an_address() {
        for (text, hello) in [
            ("Mail.Example.com.", "mail.example.com"),
            ("192.0.2.7", "192.0.2.7"),
            ("[192.0.2.7]", "192.0.2.7"),
            ("[IPv6:2001:db8::7]", "2001:db8::7"),
        ] {
            assert_eq!(smtp_hello(text).as_deref(), Ok(hello));
        }
        for bad in ["strongroom", "localhost", "a b.example", "x_y.example.com", ".example.com"] {
            assert!(smtp_hello(bad).is_err(), "{bad}");
        }
    }
}
