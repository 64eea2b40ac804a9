//! IBM Cloud: the account and an IAM API key of a service ID or user.

use secrecy::SecretString;
use serde::Deserialize;

use super::{Facts, Guide, Kind, checks};
use crate::form::{Errors, Field, Values};

/// What a consumer gets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// 32 hex digits, lower case, no dashes.
    pub account_guid: String,
    pub api_key: SecretString,
}

pub static KIND: Kind = Kind {
    slug: "ibm_cloud",
    label: "IBM Cloud",
    summary: "An account and an API key: Container Registry and security findings of IBM Cloud.",
    fields: &[
        Field::text("account_guid", "Account GUID").max(36).check(checks::guid).identity(),
        Field::secret("api_key", "API key").max(512).check(checks::token),
    ],
    examine,
    parses: |values| super::payload::<Payload>(values).is_some(),
    ages: |_| false,
    guide: Guide {
        steps: &[
            "In Manage > Account > Account settings copy the account ID: that is the Account GUID.",
            "In Manage > Access (IAM) > Service IDs create a service ID and give it the policy of its use (below).",
            "On the service ID's API keys tab choose Create, and copy the key: it is shown once.",
        ],
        snippets: &[
            ("Show the account", "ibmcloud account show"),
            (
                "Create the service ID and its key",
                "ibmcloud iam service-id-create strongroom\n\
                 ibmcloud iam service-api-key-create strongroom-key strongroom",
            ),
            (
                "Least policy for registry scans",
                "ibmcloud iam service-policy-create strongroom --roles Reader --service-name container-registry",
            ),
        ],
        source: "https://cloud.ibm.com/docs/account?topic=account-serviceidapikeys",
    },
    policies: super::no_policies,
    address: super::no_address,
};

fn examine(values: &Values) -> Result<Facts, Errors> {
    Ok(Facts { identity: values.get("account_guid").to_owned(), ..Facts::default() })
}
