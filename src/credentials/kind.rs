//! A credential type as data: its form, the facts that pages may show, and the guide for making one. The list of all
//! types is [`super::KINDS`].

use chrono::{DateTime, Utc};
use url::Url;

use crate::form::{Errors, Field, Values};

/// A credential type, as data.
pub struct Kind {
    /// Stable identifier, stored with every credential: `aws`, `github_token`.
    pub slug: &'static str,
    /// Its name on pages: `AWS`, `GitHub`.
    pub label: &'static str,
    /// One sentence for the list of types: what it opens.
    pub summary: &'static str,
    pub fields: &'static [Field],
    /// Looks at checked values as a whole: what may be shown of them, or what does not fit together.
    pub examine: fn(&Values) -> Result<Facts, Errors>,
    /// The typed payload must parse before anything is sealed, so that form and use cannot drift apart.
    pub parses: fn(&Values) -> bool,
    /// Whether the secret grows stale: AWS access keys do after 90 days.
    pub ages: fn(&Values) -> bool,
    pub guide: Guide,
    /// Least policies with the real names filled in, for the credential's page: (caption, text). Empty where the
    /// guide's snippets say it all. Reads only values that are no secrets.
    pub policies: fn(&Values) -> Vec<(String, String)>,
    /// The address that the checked values name, and the field that it is in: the credential is sent there, so it must
    /// pass the rules of the way out before it is saved. `None` where the vendor's hosts are fixed.
    pub address: fn(&Values) -> Option<(&'static str, Url)>,
}

/// The facts of a credential that pages may show. They are derived from its values when it is saved and stored in clear,
/// so none of them is a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The one value people know it by: access key id, client e-mail, user name.
    pub identity: String,
    /// Subtype label where the type has several: `Access key`.
    pub subtype: Option<&'static str>,
    /// Further (label, value) lines for the credential's page.
    pub lines: Vec<(&'static str, String)>,
    pub expires_at: Option<DateTime<Utc>>,
    /// What scans of an account call the long-term key that it holds, where its values tell: the id of the key.
    pub key_id: Option<String>,
    /// Sentences that warn without refusing.
    pub warnings: Vec<String>,
}

/// How to make such a credential: the vendor's steps and lines to copy.
pub struct Guide {
    pub steps: &'static [&'static str],
    /// (caption, text) blocks, ready to copy.
    pub snippets: &'static [(&'static str, &'static str)],
    /// The vendor's own page.
    pub source: &'static str,
}

/// The typed payload of checked values.
pub fn payload<P: serde::de::DeserializeOwned>(values: &Values) -> Option<P> {
    serde_json::from_slice(&values.to_json()).ok()
}

pub(super) fn no_address(_: &Values) -> Option<(&'static str, Url)> {
    None
}

/// The address in a field that holds nothing else.
pub(super) fn address_in(field: &'static str, values: &Values) -> Option<(&'static str, Url)> {
    Url::parse(values.get(field)).ok().map(|url| (field, url))
}

pub(super) fn no_policies(_: &Values) -> Vec<(String, String)> {
    Vec::new()
}

/// `2031-05-04`, for the lines of [`Facts`].
pub(super) fn date(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d").to_string()
}
