//! Connection details of a managed cluster, as its cloud reports them: the address of the API server and the
//! certificate authority, and for Azure a whole kubeconfig. Signing in is up to the code of each cloud.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::config::{self, Kubeconfig, Login};
use crate::credentials::{checks, pem};

/// The address of a cluster, without a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// An https address without a trailing slash.
    pub server: String,
    /// PEM; `None` for the public certificate authorities.
    pub authority: Option<String>,
}

impl Place {
    /// `address` may lack `https://`. `authority` is PEM in base64, as all clouds return it; blank for the public
    /// authorities. `None` if either is invalid.
    pub fn of(address: &str, authority: &str) -> Option<Self> {
        let address = if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
        let server = checks::server_url(&address).ok()?;
        let decoded = STANDARD.decode(authority.trim()).ok().and_then(|pem| String::from_utf8(pem).ok())?;
        let authority = if decoded.is_empty() { None } else { Some(pem::authorities(&decoded).ok()?) };
        Some(Self { server, authority })
    }

    /// Adds a login; the context is named after the cluster.
    pub fn with(self, name: &str, login: Login) -> Kubeconfig {
        let Self { server, authority } = self;
        Kubeconfig { server, authority, context: name.to_owned(), namespace: None, login }
    }
}

/// A kubeconfig that a cloud issued to its caller.
pub enum Issued {
    /// It contains a login.
    Ready(Kubeconfig),
    /// It names a program that would fetch a token. We do not run it, but fetch the token ourselves.
    Tokenless(Place),
}

impl Issued {
    pub fn parse(text: &str) -> Result<Self, String> {
        let (place, runs) = config::place(text)?;
        if runs { Ok(Self::Tokenless(place)) } else { Kubeconfig::parse(text).map(Self::Ready) }
    }
}
