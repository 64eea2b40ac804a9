//! Google's Policy Analyzer: when the keys of a project's service accounts last signed in. Google counts by days, and
//! from a day on that it names. <https://cloud.google.com/policy-intelligence/docs/activity-analyzer-service-account-authentication>

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::line::{Line, Listed, Page, or_default};
use super::workload::moment;
use super::{Api, Right};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{Lenient, Pages};

pub static API: Api = Api { name: "Policy Analyzer API", host: "policyanalyzer.googleapis.com" };
pub static QUERIES: Right = Right {
    api: &API,
    permission: "policyanalyzer.serviceAccountKeyLastAuthenticationActivities.query",
    role: "Activity Analysis Viewer (roles/policyanalyzer.activityAnalysisViewer)",
};

/// What is known of a key's use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastUse {
    /// `None`: not since `since`.
    pub at: Option<DateTime<Utc>>,
    pub since: Option<DateTime<Utc>>,
}

impl LastUse {
    /// Whether a key that was made then was never used, as far as Google knows.
    pub fn is_never(&self, made: Option<DateTime<Utc>>) -> bool {
        self.at.is_none() && self.since.zip(made).is_some_and(|(since, made)| since <= made)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Activities {
    #[serde(default, deserialize_with = "or_default")]
    activities: Vec<Lenient<Activity>>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Activity {
    /// `//iam.googleapis.com/projects/p/serviceAccounts/<e-mail>/keys/<id>`
    full_resource_name: String,
    #[serde(default, deserialize_with = "or_default")]
    activity: Authentication,
    #[serde(default, deserialize_with = "or_default")]
    observation_period: Period,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authentication {
    #[serde(default, deserialize_with = "or_default")]
    last_authenticated_time: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Period {
    #[serde(default, deserialize_with = "or_default")]
    start_time: String,
}

impl Page for Activities {
    type Entry = Activity;

    fn parts(self) -> (Vec<Lenient<Activity>>, Option<String>, Vec<String>) {
        (self.activities, self.next_page_token, Vec::new())
    }
}

/// By the ids of the keys, and why some are missing.
pub async fn last_uses(
    line: &Line<'_>,
    project: &str,
    pages: Pages,
) -> Result<(HashMap<String, LastUse>, Option<ProviderError>), ProviderError> {
    let kind = "locations/global/activityTypes/serviceAccountKeyLastAuthentication";
    let path = format!("v1/projects/{project}/{kind}/activities:query?pageSize=1000");
    let Listed { entries, rest, .. } = line.list::<Activities>(&QUERIES, &path, pages).await?;
    let read = |activity: Activity| {
        let id = activity.full_resource_name.rsplit_once("/keys/")?.1.to_owned();
        let at = moment(&activity.activity.last_authenticated_time);
        Some((id, LastUse { at, since: moment(&activity.observation_period.start_time) }))
    };
    Ok((entries.into_iter().filter_map(read).collect(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_was_never_used_only_where_google_has_looked_since_it_was_made() {
        let day = |text: &str| moment(&format!("{text}T07:00:00Z"));
        let made = day("2024-05-01");
        let unused = |since: &str| LastUse { at: None, since: day(since) }.is_never(made);
        assert!(unused("2024-05-01") && unused("2021-01-01") && !unused("2025-01-01"));
        assert!(!LastUse { at: day("2025-01-01"), since: day("2021-01-01") }.is_never(made));
        assert!(!LastUse::default().is_never(made));
    }
}
