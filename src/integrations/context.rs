//! Everything that one call of an integration works with: what lies outside the process, the settings, the opened
//! credentials by role, where progress goes, and how the call is stopped. The caller makes one a call; a provider reads
//! it and keeps nothing of it.

use tokio_util::sync::CancellationToken;

use super::alerts::email::connections::Connections;
use super::progress::Report;
use crate::credentials::Kind;
use crate::form::Values;
use crate::providers::aws;
use crate::providers::egress::Egress;
use crate::providers::endpoints::Endpoints;
use crate::providers::oci_registry::SentTo;
use crate::providers::tokens::{Stored, Tokens};

/// The role of the credential that an integration signs in with.
pub const MAIN: &str = "main";

/// The way out, and what the process keeps between two calls. It lives as long as the process.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    pub egress: &'a Egress,
    pub endpoints: &'a Endpoints,
    pub aws: &'a aws::Sessions,
    /// Access tokens of Azure, Google and IBM.
    pub tokens: &'a Tokens,
    /// Connections to mail servers.
    pub smtp: &'a Connections,
}

/// An opened credential.
#[derive(Clone, Copy)]
pub struct Secret<'a> {
    pub kind: &'static Kind,
    pub values: &'a Values,
    /// Which stored credential it is, and the version of its secret: sessions are kept by both. `None` for values that
    /// are not stored; nothing is kept for them.
    pub stored: Option<Stored>,
}

/// What one call works with.
pub struct Context<'a> {
    pub outside: Outside<'a>,
    pub settings: &'a Values,
    /// The integration's name. Services that keep a trail of their own get it.
    pub name: &'a str,
    /// The opened credentials, each with its role; at most one a role.
    pub secrets: Vec<(&'a str, Secret<'a>)>,
    /// The places of an inventory that are to be read; `None`: all.
    pub places: Option<Vec<String>>,
    pub report: Report,
    /// Cancelled when the call is to end.
    pub stop: CancellationToken,
    /// Collects the hosts that were sent the credential besides the integration's own.
    pub sent_to: SentTo,
}

impl<'a> Context<'a> {
    /// Without progress, for a call that nobody stops. `main` is the credential of the role [`MAIN`].
    pub fn new(outside: Outside<'a>, settings: &'a Values, name: &'a str, main: Option<Secret<'a>>) -> Self {
        Self {
            outside,
            settings,
            name,
            secrets: main.into_iter().map(|secret| (MAIN, secret)).collect(),
            places: None,
            report: Report::unread(),
            stop: CancellationToken::new(),
            sent_to: SentTo::default(),
        }
    }

    /// The credential of a role.
    pub fn secret(&self, role: &str) -> Option<Secret<'a>> {
        self.secrets.iter().find(|(known, _)| *known == role).map(|(_, secret)| *secret)
    }

    /// The credential that the integration signs in with.
    pub fn main(&self) -> Option<Secret<'a>> {
        self.secret(MAIN)
    }

    /// Which stored credential that is.
    pub fn stored(&self) -> Option<Stored> {
        self.main()?.stored
    }
}
