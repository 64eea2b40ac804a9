//! User name and password (RFC 7617): registry robot accounts, ServiceNow, Jira, SMTP.

use secrecy::SecretString;
use serde::Deserialize;

use super::{Facts, Guide, Kind, checks};
use crate::form::{Errors, Field, Values};
use crate::pasted::Wanted;

/// What a consumer gets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    pub username: String,
    pub password: SecretString,
}

pub static KIND: Kind = Kind {
    slug: "basic",
    label: "Basic authentication",
    summary: "A user name and a password: registry robot accounts, ServiceNow, Jira, mail servers.",
    fields: &[
        Field::text("username", "Username").max(255).check(checks::username).identity(),
        Field::secret("password", "Password").wants(Wanted::Password),
    ],
    examine,
    parses: |values| super::payload::<Payload>(values).is_some(),
    ages: |_| false,
    guide: Guide {
        steps: &[
            "Create a robot or service account at the service, with read access to what is scanned.",
            "Copy its user name and password here.",
        ],
        snippets: &[(
            "Least rights for registry scans",
            "Docker Hub: an access token with the permission Read-only\n\
             GitLab: a deploy token with the scope read_registry\n\
             Harbor: a robot account that may list and read repositories, artifacts and tags\n\
             Quay: a robot account with the permission Read",
        )],
        source: "https://goharbor.io/docs/main/working-with-projects/project-configuration/create-robot-accounts/",
    },
    policies: super::no_policies,
    address: super::no_address,
};

fn examine(values: &Values) -> Result<Facts, Errors> {
    Ok(Facts { identity: values.get("username").to_owned(), ..Facts::default() })
}
