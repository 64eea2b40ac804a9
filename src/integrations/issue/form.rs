//! What a form is, what it issues from, and what comes of it. The forms themselves are the files beside this one.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;

use crate::credentials::{self, Kind};
use crate::form::{Errors, Field, Values};
use crate::integrations::context::{Context, Outside, Secret};
use crate::integrations::deployments::Door;
use crate::providers::calls::AccessToken;
use crate::providers::{Failure, ProviderError, finding};

/// The slug of the form that gives the stored value itself.
pub const VALUE: &str = "value";
/// The slug of the form that gives an entry of a secret store.
pub const ENTRY: &str = "entry";

/// One way to issue something, as data.
pub struct Form {
    /// Stable identifier, stored with every rule.
    pub slug: &'static str,
    pub label: &'static str,
    /// One sentence for the list of forms: what a client gets.
    pub help: &'static str,
    /// What programs are told that it is. Forms with the same fields share it: every cloud's registry login is a
    /// `registry_login`.
    pub gives: &'static str,
    /// Slugs of the credential kinds that it issues from; empty for all.
    pub kinds: &'static [&'static str],
    /// The settings of a rule.
    pub fields: &'static [Field],
    /// Whether the settings go with a credential, as far as its values that are no secrets tell.
    pub suits: fn(&Values, &Values) -> Result<(), Errors>,
    /// `None` for what no credential gives: an entry of a secret store.
    pub issue: Option<Issue>,
}

/// Asks the provider, each time anew: what is kept is the caller's business, see `Kept`.
pub type Issue = for<'a> fn(&'a Order<'a>) -> BoxFuture<'a, Result<Issued, Failure>>;

/// What one call issues from.
pub struct Order<'a> {
    pub outside: Outside<'a>,
    pub secret: Secret<'a>,
    pub settings: &'a Values,
    /// The client's name, for services that keep a trail of their own.
    pub client: &'a str,
}

/// What a client gets.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Wiped when dropped.
    pub fields: Values,
    /// `None` for a value.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Form {
    pub fn takes(&self, kind: &str) -> bool {
        self.issue.is_some() && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }

    /// Whether it gives a value rather than something that ends by itself.
    pub fn is_value(&self) -> bool {
        [VALUE, ENTRY].contains(&self.slug)
    }

    /// Whether that is the value of a credential.
    pub fn is_stored_value(&self) -> bool {
        self.slug == VALUE
    }

    /// Whether it gives an entry of a secret store.
    pub fn is_entry(&self) -> bool {
        self.slug == ENTRY
    }

    /// The checked settings of a rule. `credential` are the credential's values that are no secrets.
    pub fn check(&self, kind: &Kind, posted: &Values, credential: &Values) -> Result<Values, Errors> {
        if !self.takes(kind.slug) {
            return Err(Errors::one("form", format!("{} can't be issued from this credential.", self.label)));
        }
        let settings = crate::form::check(self.fields, posted, None)?;
        (self.suits)(&settings, credential)?;
        Ok(settings)
    }
}

impl<'a> Order<'a> {
    /// As the integrations work with it, by these settings. Nothing of the credential is taken from a cache, so that
    /// what is issued has its whole life before it.
    pub(super) fn context(&self, settings: &'a Values) -> Context<'a> {
        let secret = Secret { stored: None, ..self.secret };
        Context::new(self.outside, settings, self.client, Some(secret))
    }

    pub(super) fn payload<P: serde::de::DeserializeOwned>(&self) -> Result<P, Failure> {
        let payload = credentials::payload(self.secret.values);
        payload.ok_or_else(|| finding(&ProviderError::WrongCredential, "the provider").into())
    }
}

impl Issued {
    /// A bearer token, with what else a program needs to use it; blank values are left out.
    pub(super) fn token<'v>(token: &'v AccessToken, more: impl IntoIterator<Item = (&'v str, &'v str)>) -> Self {
        let own = [("access_token", token.secret.expose_secret()), ("token_type", "Bearer")];
        Self::new(own.into_iter().chain(more), Some(token.ends_at()))
    }

    /// What kubectl needs for a cluster; no certificate authority where the public ones do.
    pub(super) fn cluster(door: Door) -> Self {
        let Door { place, token } = door;
        let fields = [
            ("server", place.server.as_str()),
            ("certificate_authority", place.authority.as_deref().unwrap_or_default()),
            ("token", token.secret.expose_secret()),
        ];
        Self::new(fields, Some(token.ends_at()))
    }

    pub(super) fn new<'v>(
        fields: impl IntoIterator<Item = (&'v str, &'v str)>,
        expires_at: Option<DateTime<Utc>>,
    ) -> Self {
        let filled = fields.into_iter().filter(|(_, value)| !value.is_empty());
        Self { fields: filled.collect(), expires_at }
    }
}

/// For a form whose settings go with every credential of its kinds.
pub(super) fn suits_all(_settings: &Values, _credential: &Values) -> Result<(), Errors> {
    Ok(())
}
