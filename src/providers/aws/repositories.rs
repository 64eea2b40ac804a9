//! Amazon ECR: the repositories of an account in a region, by a signed call of their own: a client of the SDK has one
//! region, and an account has many.
//! <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html>

use serde::Deserialize;
use serde_json::json;

use super::lists::{Listed, listed};
use super::service::ECR;
use super::{Body, Call, Region, SignedCalls};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{Lenient, Pages};

/// The right that [`repositories`] needs.
pub const DESCRIBE_REPOSITORIES: &str = "ecr:DescribeRepositories";

const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories";
/// Entries on a page, the most that ECR gives.
const PAGE: u32 = 1_000;

/// A repository, of which its name is enough.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repository {
    pub repository_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    // An answer without its list is not the listing, and must not count as an empty one.
    repositories: Vec<Lenient<Repository>>,
    next_token: Option<String>,
}

/// The repositories of a region.
pub async fn repositories(
    calls: &SignedCalls,
    region: &Region,
    pages: Pages,
) -> Result<Listed<Repository>, ProviderError> {
    listed(pages, |token| async move {
        let mut body = json!({ "maxResults": PAGE });
        if let Some(token) = token {
            body["nextToken"] = token.into();
        }
        let call = Call::post(&ECR, DESCRIBE_REPOSITORIES, "/", Body::Target(TARGET, &body));
        let page: Page = calls.ask(region, &call).await?.json()?;
        Ok((page.repositories, page.next_token))
    })
    .await
}
