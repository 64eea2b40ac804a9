//! Why the operator's proxy led nowhere, and the sentence for it.

/// Why the proxy led nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// The proxy itself is not there, or says nothing.
    Away,
    /// It wants a login; `given`: it got one, and refused that.
    Login { given: bool },
    /// It does not lead there: 403 and other refusals.
    Refused { status: u16 },
    /// It tried, and the service could not be reached or resolved: 502, 503, 504.
    NoRoute { status: u16 },
    /// Whatever is there does not speak HTTP.
    NoProxy,
}

impl ProxyFault {
    /// What happened, beginning in lower case, and what to do.
    pub fn parts(self, proxy: &str, host: &str) -> (String, String) {
        match self {
            Self::Away => (
                format!("the proxy {proxy} does not answer, so {host} was not reached."),
                "Check STRONGROOM_EGRESS_PROXY, and that the proxy is up.".to_owned(),
            ),
            Self::Login { given: false } => (
                format!("the proxy {proxy} asks for a login."),
                "Give the operator's to Strongroom: user:password in a file that \
                     STRONGROOM_EGRESS_PROXY_LOGIN_FILE names."
                    .to_owned(),
            ),
            Self::Login { given: true } => (
                format!("the proxy {proxy} refused the login in the file of STRONGROOM_EGRESS_PROXY_LOGIN_FILE."),
                "Correct it and restart Strongroom.".to_owned(),
            ),
            Self::Refused { status } => (
                format!("the proxy {proxy} does not lead to {host} (status {status})."),
                "The proxy decides that: ask its administrator to allow this host, or list it in \
                     STRONGROOM_EGRESS_NO_PROXY if it is reached directly."
                    .to_owned(),
            ),
            Self::NoRoute { status } => (
                format!("the proxy {proxy} could not reach {host} (status {status})."),
                "Check the address, and that the service is up; a host that is reached directly belongs into \
                     STRONGROOM_EGRESS_NO_PROXY."
                    .to_owned(),
            ),
            Self::NoProxy => (
                format!("what answers at {proxy} is no proxy that takes CONNECT over http."),
                "Correct STRONGROOM_EGRESS_PROXY.".to_owned(),
            ),
        }
    }
}

/// Whether the proxy asked the client for a login (407). The client says so in these words alone (hyper-util's
/// `TunnelError`, which it does not export). Should they change, the proxy is asked once more.
pub(in crate::providers) fn wants_login(error: &reqwest::Error) -> bool {
    let mut chain = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    chain.any(|error| error.to_string() == "tunnel error: proxy authorization required")
}
