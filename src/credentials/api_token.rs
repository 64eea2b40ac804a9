//! One access token that says nothing about whose it is: HashiCorp Vault, GitLab, PagerDuty, Splunk HEC.

use secrecy::SecretString;
use serde::Deserialize;

use super::{Facts, Guide, Kind, checks};
use crate::form::{Errors, Field, Values};

/// What a consumer gets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    pub token: SecretString,
}

pub static KIND: Kind = Kind {
    slug: "api_token",
    label: "API token",
    summary: "One access token: Slack, PagerDuty, Splunk HEC, Jira Data Center, Quay, OpenShift, other registries.",
    fields: &[Field::secret("token", "Access token").check(checks::token)],
    examine,
    parses: |values| super::payload::<Payload>(values).is_some(),
    ages: |_| false,
    guide: Guide {
        steps: &[
            "Create a token at the service for Strongroom alone, so that it can be revoked without harm to others.",
            "Give it the least scope that its integration needs, and an expiry date where the service offers one.",
            "Copy the token here; most services show it once.",
        ],
        snippets: &[
            (
                "OpenShift: a service account that may read the images of one project, and its token for a year",
                "oc create serviceaccount strongroom -n PROJECT\n\
                 oc policy add-role-to-user registry-viewer -z strongroom -n PROJECT\n\
                 oc create token strongroom -n PROJECT --duration 8760h",
            ),
            ("Quay: least scopes of the application's token for registry scans", "repo:read, user:read"),
            (
                "HashiCorp Vault: policy that reads one KV version 2 mount (strongroom.hcl)",
                "path \"secret/data/*\" {\n  capabilities = [\"read\"]\n}\n\
                 path \"secret/metadata/*\" {\n  capabilities = [\"list\"]\n}",
            ),
            (
                "HashiCorp Vault: create the policy and the token",
                "vault policy write strongroom strongroom.hcl\n\
                 vault token create -orphan -policy=strongroom -period=768h",
            ),
        ],
        source: "https://developer.hashicorp.com/vault/docs/commands/token/create",
    },
    policies: super::no_policies,
    address: super::no_address,
};

fn examine(_: &Values) -> Result<Facts, Errors> {
    Ok(Facts::default())
}
