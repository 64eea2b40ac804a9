//! A tenancy of Oracle Cloud: its name, its regions and its compartments.
//! <https://docs.oracle.com/en-us/iaas/api/#/en/identity/20160918/>

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::calls::{Api, Calls};
use crate::providers::ProviderError;
use crate::providers::egress::Answer;
use crate::providers::endpoints::Service;
use crate::providers::oci_registry::{Entries, Lenient, Pages};

const REGIONS: Api = Api { service: Service::OciIdentity, name: "identity", right: INSPECT_TENANCIES };
const COMPARTMENTS: Api = Api { service: Service::OciIdentity, name: "identity", right: INSPECT_COMPARTMENTS };

/// What a group needs to list the regions of its tenancy, and its compartments.
pub const INSPECT_TENANCIES: &str = "inspect tenancies";
pub const INSPECT_COMPARTMENTS: &str = "inspect compartments";

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Compartment {
    pub id: String,
    pub name: String,
}

/// A list that is nothing else.
pub(super) fn list<T: DeserializeOwned>(answer: &Answer) -> Result<Vec<Lenient<T>>, ProviderError> {
    answer.json()
}

/// `GET /20160918/tenancies/<tenancy>`: what its owner calls it.
pub async fn name(calls: &Calls<'_>) -> Result<String, ProviderError> {
    #[derive(Deserialize)]
    struct Tenancy {
        name: String,
    }
    let path = format!("/20160918/tenancies/{}", calls.tenancy());
    Ok(calls.get(REGIONS, &path).await?.json::<Tenancy>()?.name)
}

/// `GET /20160918/tenancies/<tenancy>/regionSubscriptions`: the identifiers of the regions that are ready, by name.
pub async fn regions(calls: &Calls<'_>) -> Result<Vec<String>, ProviderError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Subscription {
        region_name: String,
        status: String,
    }
    let path = format!("/20160918/tenancies/{}/regionSubscriptions", calls.tenancy());
    let found: Vec<Lenient<Subscription>> = list(&calls.get(REGIONS, &path).await?)?;
    let mut names: Vec<String> = found
        .into_iter()
        .filter_map(|entry| match entry {
            Lenient::Read(found) if found.status == "READY" => crate::credentials::oci::region(&found.region_name).ok(),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    if names.is_empty() { Err(ProviderError::BadAnswer) } else { Ok(names) }
}

/// `GET /20160918/compartments`: those of the whole tenancy that the user may see, the tenancy itself not among them.
pub async fn compartments(calls: &Calls<'_>) -> Result<Entries<Compartment>, ProviderError> {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("compartmentId", calls.tenancy())
        .extend_pairs([("compartmentIdInSubtree", "true"), ("accessLevel", "ACCESSIBLE"), ("lifecycleState", "ACTIVE")])
        .append_pair("limit", "1000")
        .finish();
    calls.list(COMPARTMENTS, &format!("/20160918/compartments?{query}"), Pages::All, list).await
}
