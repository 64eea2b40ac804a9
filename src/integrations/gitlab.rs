//! Shared by all integrations that ask GitLab's API: the line to it, the groups and projects that a token sees, and how
//! GitLab says that a scope is missing.

use std::fmt;

use serde::{Deserialize, Deserializer};

use super::context::Context;
use crate::credentials::forge_token::Payload;
use crate::credentials::gitlab_token::SERVER;
use crate::providers::egress::{Answer, Tls};
use crate::providers::oci_registry::{Entries, Lenient, Login, Pages, Registry, Sign};
use crate::providers::tls_faults::Form;
use crate::providers::{ProviderError, gitlab};

/// What GitLab keeps repositories and tokens in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Group,
    Project,
}

/// A group or project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub sort: Sort,
    /// Its number; it stays when the path changes.
    pub id: u64,
    /// `team/app`
    pub path: String,
}

impl Sort {
    /// In an address.
    pub fn word(self) -> &'static str {
        match self {
            Self::Group => "groups",
            Self::Project => "projects",
        }
    }

    /// The address of one by its path, which is one part of it: `groups/team%2Fsub`.
    pub fn at(self, path: &str) -> String {
        format!("{}/{}", self.word(), path.replace('/', "%2F"))
    }
}

impl fmt::Display for Place {
    /// `project team/app`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sort = if self.sort == Sort::Group { "group" } else { "project" };
        write!(f, "{sort} {}", self.path)
    }
}

/// A line to the API of the token's server, with the progress and the stop of its call. Nothing is sent yet.
pub fn line(cx: &Context<'_>, payload: &Payload) -> Result<Registry, ProviderError> {
    let server = gitlab::address(payload.server(SERVER), "/api/v4", cx.outside.endpoints)?;
    let ca_certificates = payload.ca_certificate.iter().cloned().collect();
    let client = cx.outside.egress.client(Tls { ca_certificates, identity: None, form: Form::CA_FIELD })?;
    let report = cx.report.clone();
    let line = Registry::new(client, &server, Login::Token(payload.token.clone()), cx.stop.clone());
    Ok(line.listing(cx.sent_to.clone()).telling(Box::new(move |until| report.pause(until))))
}

/// The groups in which the token's user has at least that access level.
/// <https://docs.gitlab.com/api/groups/#list-all-groups>
pub async fn groups(line: &Registry, least: u8, pages: Pages) -> Result<Entries<Place>, ProviderError> {
    let path = format!("groups?min_access_level={least}&per_page=100");
    places(line, Sort::Group, &path, pages).await
}

/// The same of projects, by keyset: offsets end at 50,000.
/// <https://docs.gitlab.com/api/projects/#list-all-projects>
pub async fn projects(line: &Registry, least: u8, pages: Pages) -> Result<Entries<Place>, ProviderError> {
    let path = format!(
        "projects?membership=true&min_access_level={least}&simple=true&per_page=100&order_by=id&sort=asc&\
         pagination=keyset"
    );
    places(line, Sort::Project, &path, pages).await
}

/// A group or project as a list has it, or an answer about it alone.
#[derive(Deserialize)]
pub struct Described {
    #[serde(deserialize_with = "number")]
    pub id: u64,
    #[serde(alias = "path_with_namespace")]
    full_path: String,
}

impl Described {
    pub fn place(self, sort: Sort) -> Place {
        Place { sort, id: self.id, path: self.full_path }
    }
}

async fn places(line: &Registry, sort: Sort, path: &str, pages: Pages) -> Result<Entries<Place>, ProviderError> {
    let (found, rest) = line.vendor_list(path, Sign::Login, pages, list::<Described>).await?;
    Ok((found.into_iter().map(|described| described.place(sort)).collect(), rest))
}

/// The entries of an answer that is nothing but a list.
pub fn list<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<Vec<Lenient<T>>, ProviderError> {
    answer.json()
}

/// A number, also where a server in between has made a text of it.
pub fn number<'de, D: Deserializer<'de>>(member: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Plain(u64),
        Text(String),
    }
    match Number::deserialize(member)? {
        Number::Plain(number) => Ok(number),
        Number::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

/// A token that may not read the API. <https://docs.gitlab.com/api/rest/authentication/>
pub fn lacks_scope(answer: &Answer) -> bool {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let refusal = (answer.status == 403).then(|| answer.json::<Refusal>().ok()).flatten();
    refusal.is_some_and(|refusal| refusal.error == "insufficient_scope")
}
