//! Oracle Functions: the applications of a compartment, and how many functions each has. Their configuration, which may
//! hold secrets, is in no list. <https://docs.oracle.com/en-us/iaas/api/#/en/functions/20181201/>

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::calls::{Api, Calls};
use super::tenancy::list;
use crate::providers::ProviderError;
use crate::providers::endpoints::Service;
use crate::providers::oci_registry::{Entries, Pages};

/// What a group needs to list them.
pub const INSPECT: &str = "inspect functions-family";

const API: Api = Api { service: Service::OciFunctions, name: "functions", right: INSPECT };

/// Entries on a page, the most that the service gives.
const PAGE: &str = "50";

#[derive(Debug, Deserialize)]
struct Application {
    id: String,
}

/// The functions of a compartment: how many there are, and why some may be missing.
pub async fn count(
    calls: &Calls<'_>,
    compartment: &str,
    pages: Pages,
) -> Result<(usize, Option<ProviderError>), ProviderError> {
    let path = |list: &str, name: &str, id: &str| {
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs([(name, id), ("limit", PAGE)]).finish();
        format!("/20181201/{list}?{query}")
    };
    let applications = path("applications", "compartmentId", compartment);
    let (applications, mut rest): Entries<Application> = calls.list(API, &applications, pages, list).await?;
    let mut number = 0;
    for Application { id } in applications {
        let found: Result<Entries<IgnoredAny>, _> =
            calls.list(API, &path("functions", "applicationId", &id), pages, list).await;
        match found {
            Ok((functions, missing)) => {
                number += functions.len();
                rest = rest.or(missing);
            }
            Err(ProviderError::Stopped) => return Err(ProviderError::Stopped),
            Err(cause) => drop(rest.get_or_insert(cause)),
        }
    }
    Ok((number, rest))
}
