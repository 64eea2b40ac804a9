//! The operator's proxy, through which https leaves: which requests take it, what is checked before, and why it led
//! nowhere. Only `CONNECT` is spoken (RFC 9110, 9.3.6), by the client of [`super::egress`]; what is encrypted stays so
//! up to the service. Mail, plain http and the services of the machine itself never take it.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::ProviderError;
use super::addresses::{Reach, host, shown};
use crate::hosts::{canonical_name, is_own_name};

mod fault;

pub use fault::ProxyFault;
pub(super) use fault::wants_login;

/// How long a name that was admitted is not looked up again.
const ADMITTED: Duration = Duration::from_secs(30);
/// Longest that the proxy may take to say why it refuses.
const REASON: Duration = Duration::from_secs(3);
/// How long a host that the proxy refused is not asked for again.
const REFUSED: Duration = Duration::from_secs(10);

/// A proxy that speaks `CONNECT`.
pub struct Proxy {
    /// `http://HOST:PORT`
    address: Url,
    login: Option<Login>,
    exceptions: Exceptions,
    admitted: Mutex<HashMap<(String, Reach), Instant>>,
    /// What the proxy refused of late, by host and port.
    refused: Mutex<HashMap<String, (Instant, ProxyFault)>>,
}

/// User name and password for the proxy.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub password: SecretString,
}

impl Login {
    /// Of `user:password` on one line, as curl takes it. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let (user, password) = line.split_once(':')?;
        let fit = !user.is_empty() && !line.chars().any(char::is_control);
        fit.then(|| Self { user: user.to_owned(), password: password.into() })
    }

    /// As the header Proxy-Authorization (RFC 7617).
    fn basic(&self) -> Zeroizing<String> {
        let pair = Zeroizing::new(format!("{}:{}", self.user, self.password.expose_secret()));
        Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
    }
}

/// Hosts that are reached without the proxy: names with everything below them, addresses and ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions {
    names: Vec<String>,
    networks: Vec<IpNet>,
}

impl Exceptions {
    fn hold(&self, host: &Host) -> bool {
        let address: IpAddr = match host {
            Host::Ipv4(address) => (*address).into(),
            Host::Ipv6(address) => (*address).into(),
            Host::Domain(name) => {
                let name = canonical_name(name);
                let below = |end: &String| name.strip_suffix(end.as_str()).is_some_and(|rest| rest.ends_with('.'));
                return self.names.iter().any(|other| *other == name || below(other));
            }
        };
        self.networks.iter().any(|network| network.contains(&address.to_canonical()))
    }
}

impl FromStr for Exceptions {
    type Err = &'static str;

    /// `registry.internal,.corp.example,10.0.0.0/8`; a dot or `*.` at the start is allowed and means the same.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let network = part.parse::<IpNet>().or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
            let name = part.strip_prefix("*.").or_else(|| part.strip_prefix('.')).unwrap_or(part);
            match (network, Host::parse(name)) {
                (Ok(network), _) => all.networks.push(network),
                (Err(_), Ok(Host::Domain(name))) if !name.contains('*') => all.names.push(canonical_name(&name)),
                _ => {
                    return Err("give host names, addresses or ranges with commas between, such as \
                                registry.internal,.corp.example,10.0.0.0/8");
                }
            }
        }
        Ok(all)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("address", &self.address.as_str()).finish_non_exhaustive()
    }
}

impl Proxy {
    /// `address`: `http://HOST:PORT` without a login in it.
    pub fn new(address: Url, login: Option<Login>, exceptions: Exceptions) -> Self {
        Self { address, login, exceptions, admitted: Mutex::default(), refused: Mutex::default() }
    }

    /// Host and port, for people.
    pub fn name(&self) -> String {
        let (host, port) = (self.address.host_str().unwrap_or_default(), self.address.port_or_known_default());
        format!("{host}:{}", port.unwrap_or(80))
    }

    /// As the client takes it.
    pub(super) fn for_client(&self) -> reqwest::Result<reqwest::Proxy> {
        let proxy = reqwest::Proxy::https(self.address.clone())?;
        Ok(match &self.login {
            Some(login) => proxy.basic_auth(&login.user, login.password.expose_secret()),
            None => proxy,
        })
    }

    pub(super) fn takes(&self, url: &Url) -> bool {
        let Some(host) = host(url) else { return false };
        let local = match &host {
            Host::Domain(name) => is_own_name(name),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        url.scheme() == "https" && !local && !self.exceptions.hold(&host)
    }

    /// A failure with its cause, where that is the proxy. `wants_login`: see [`wants_login`].
    pub(super) async fn instead(&self, error: ProviderError, wants_login: bool, url: &Url) -> ProviderError {
        if !matches!(error, ProviderError::Unreachable { .. } | ProviderError::Timeout { .. }) {
            return error;
        }
        let fault = match wants_login {
            true => Some(ProxyFault::Login { given: self.login.is_some() }),
            false => self.fault(url).await,
        };
        let Some(fault) = fault else { return error };
        if matches!(fault, ProxyFault::Login { .. } | ProxyFault::Refused { .. }) {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            refused.retain(|_, (at, _)| at.elapsed() < REFUSED);
            refused.insert(authority(url), (Instant::now(), fault));
        }
        self.failed(url, fault)
    }

    /// The refusal of a moment ago: the proxy is not asked for the same host again at once.
    pub(super) fn refused_lately(&self, url: &Url) -> Option<ProviderError> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, fault) = refused.get(&authority(url)).filter(|(at, _)| at.elapsed() < REFUSED)?;
        Some(self.failed(url, *fault))
    }

    fn failed(&self, url: &Url, fault: ProxyFault) -> ProviderError {
        ProviderError::Proxy { proxy: self.name(), host: shown(url), fault }
    }

    /// Why the client was not led through: asks for the same connection once more, since the client does not tell
    /// what was answered, except for [`wants_login`]. `None` when the proxy leads there.
    async fn fault(&self, url: &Url) -> Option<ProxyFault> {
        match tokio::time::timeout(REASON, self.ask(url)).await {
            Ok(Ok(Some(200..=299))) => None,
            Ok(Ok(Some(407))) => Some(ProxyFault::Login { given: self.login.is_some() }),
            Ok(Ok(Some(status @ 502..=504))) => Some(ProxyFault::NoRoute { status }),
            Ok(Ok(Some(status))) => Some(ProxyFault::Refused { status }),
            Ok(Ok(None)) => Some(ProxyFault::NoProxy),
            Ok(Err(_)) | Err(_) => Some(ProxyFault::Away),
        }
    }

    /// The status that the proxy answers a `CONNECT` with; `None` for an answer that is not HTTP.
    async fn ask(&self, url: &Url) -> io::Result<Option<u16>> {
        let (host, port) = (self.address.host_str().unwrap_or_default(), self.address.port_or_known_default());
        let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), port.unwrap_or(80))).await?;
        let target = authority(url);
        let login = self.login.as_ref().map(Login::basic);
        let login = login.map(|basic| Zeroizing::new(format!("Proxy-Authorization: {}\r\n", basic.as_str())));
        let login = login.as_ref().map_or("", |line| line.as_str());
        let ask = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n");
        stream.write_all(Zeroizing::new(ask).as_bytes()).await?;
        let mut line = Vec::new();
        while line.len() < 256 && !line.ends_with(b"\n") {
            let mut byte = [0];
            if stream.read(&mut byte).await? == 0 {
                break;
            }
            line.push(byte[0]);
        }
        let text = String::from_utf8_lossy(&line);
        let status =
            text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|status| status.parse().ok());
        Ok(status)
    }

    pub(super) fn was_admitted(&self, name: &str, reach: Reach) -> bool {
        let known = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(name.to_owned(), reach)).is_some_and(|at| at.elapsed() < ADMITTED)
    }

    pub(super) fn admit(&self, name: String, reach: Reach) {
        let mut known = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, at| at.elapsed() < ADMITTED);
        known.insert((name, reach), Instant::now());
    }
}

/// Host and port, as `CONNECT` names them.
fn authority(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_e01_exceptions_hold_names_with_all_below_and_ranges() {
        let exceptions: Exceptions =
            "registry.internal, .corp.example,*.lab.example,10.0.0.0/8,fd00::1".parse().unwrap();
        for (host, held) in [
            ("registry.internal", true),
            ("a.Registry.internal.", true),
            ("myregistry.internal", false),
            ("corp.example", true),
            ("x.corp.example", true),
            ("lab.example", true),
            ("10.1.2.3", true),
            ("11.1.2.3", false),
            ("[fd00::1]", true),
            ("example", false),
        ] {
            assert_eq!(exceptions.hold(&Host::parse(host).unwrap()), held, "{host}");
        }
        for wrong in ["https://a.example", "a b", "*", "10.0.0.0/33", "a.example:443"] {
            assert!(wrong.parse::<Exceptions>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_login_is_one_line_of_user_and_password() {
        let parsed = |text: &str| {
            Login::parse(text).map(|login| (login.user.clone(), login.password.expose_secret().to_owned()))
        };
        assert_eq!(parsed("ada:pass:word\r\n"), Some(("ada".into(), "pass:word".into())));
        assert_eq!(parsed("ada:"), Some(("ada".into(), String::new())));
        for wrong in ["", "ada", ":x", "ada:x\nb:y\n"] {
            assert!(parsed(wrong).is_none(), "{wrong:?}");
        }
    }
}
