//! The regions of an account: which of them are switched on.
//! <https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html>

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::service::ACCOUNT;
use super::{Body, Call, Refusal, Region, SignedCalls};
use crate::providers::ProviderError;

/// The right that [`enabled`] needs. It knows no resources.
pub const LIST_REGIONS: &str = "account:ListRegions";

/// Entries on a page, the most that AWS gives; and the bound of the pages: AWS has some forty regions.
const PAGE: u32 = 50;
const MAX_PAGES: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    regions: Vec<Listed>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    region_name: String,
}

/// What a region answered. AWS answers for one that is switched off as if it did not know the key. Whether it knows it,
/// it says by `sts:GetCallerIdentity`.
pub async fn told_off<T>(calls: &SignedCalls, answered: Result<T, ProviderError>) -> Result<T, ProviderError> {
    match answered {
        Err(ProviderError::Aws(Refusal::UnknownKey)) if calls.session().caller().await.is_ok() => {
            Err(ProviderError::Aws(Refusal::RegionOff))
        }
        answered => answered,
    }
}

/// The regions of the session's account that are switched on, in the partition of `home`, by name.
pub async fn enabled(calls: &SignedCalls, home: &Region) -> Result<Vec<Region>, ProviderError> {
    let (mut found, mut next) = (BTreeSet::new(), None::<String>);
    for _ in 0..MAX_PAGES {
        let mut body = json!({"MaxResults": PAGE, "RegionOptStatusContains": ["ENABLED", "ENABLED_BY_DEFAULT"]});
        if let Some(token) = &next {
            body["NextToken"] = token.as_str().into();
        }
        let call = Call::post(&ACCOUNT, LIST_REGIONS, "/listRegions", Body::Json(&body));
        let page: Page = calls.ask(home, &call).await?.json()?;
        found.extend(page.regions.into_iter().map(|listed| listed.region_name));
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            let regions: Option<Vec<Region>> = found.iter().map(|name| Region::parse(name)).collect();
            let regions = regions.filter(|all| all.iter().all(|region| region.partition() == home.partition()));
            return regions.filter(|all| !all.is_empty()).ok_or(ProviderError::BadAnswer);
        }
    }
    Err(ProviderError::TooLarge)
}
