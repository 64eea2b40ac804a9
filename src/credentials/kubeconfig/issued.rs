//! What a cloud's service says of a cluster that it runs: where it answers and whom to trust there, and of Azure a whole
//! kubeconfig. How people log in to it is the business of each cloud.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::config::{self, Kubeconfig, Login};
use crate::credentials::{checks, pem};

/// A cluster without a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// https address, no slash at the end.
    pub server: String,
    /// PEM; `None` means the public authorities.
    pub authority: Option<String>,
}

impl Place {
    /// `address` may lack its https. `authority` is PEM in base64, as all clouds write it; blank means the public
    /// authorities. `None` for what can be neither.
    pub fn of(address: &str, authority: &str) -> Option<Self> {
        let address = if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
        let server = checks::server_url(&address).ok()?;
        let decoded = STANDARD.decode(authority.trim()).ok().and_then(|pem| String::from_utf8(pem).ok())?;
        let authority = if decoded.is_empty() { None } else { Some(pem::authorities(&decoded).ok()?) };
        Some(Self { server, authority })
    }

    /// With a login, under the cluster's name.
    pub fn with(self, name: &str, login: Login) -> Kubeconfig {
        let Self { server, authority } = self;
        Kubeconfig { server, authority, context: name.to_owned(), namespace: None, login }
    }
}

/// A kubeconfig that a service made for the one who asked.
pub enum Issued {
    /// Its login works by itself.
    Ready(Kubeconfig),
    /// It names a program that would get a token. The program is not run: the token is to be got by our own means.
    Tokenless(Place),
}

impl Issued {
    pub fn parse(text: &str) -> Result<Self, String> {
        let (place, runs) = config::place(text)?;
        if runs { Ok(Self::Tokenless(place)) } else { Kubeconfig::parse(text).map(Self::Ready) }
    }
}
