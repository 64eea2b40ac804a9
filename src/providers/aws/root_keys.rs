//! The root user's access keys. IAM lists them nowhere: the account's summary says that there are some, and the credential
//! report when they were made and used. Their ids stay unknown.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>

use std::time::Duration;

use aws_sdk_iam::types::{ReportStateType, SummaryKeyType};
use chrono::{DateTime, Utc};

use super::answers::refused;
use super::iam_keys::{Keys, LastUse, word};
use super::throttled;
use crate::providers::ProviderError::{self, BadAnswer};

/// The most that the root user has.
pub const MOST: i32 = 2;
/// AWS takes some seconds to make a report; it is asked for this often, with a pause between.
const ASKED: usize = 15;
const PAUSE: Duration = Duration::from_secs(2);
/// How the report names the root user.
const ROOT: &str = "<root_account>";

/// A key of the root user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKey {
    /// 1 or 2, as the report counts them.
    pub number: i32,
    pub made: Option<DateTime<Utc>>,
    /// `None` where the report may not be read.
    pub used: Option<LastUse>,
    pub active: bool,
}

impl Keys {
    /// The keys of the root user. Their dates come from the credential report, where that may be made and read.
    pub async fn of_root(&self) -> Result<Vec<RootKey>, ProviderError> {
        let present = self.summary_of_root().await?;
        if present <= 0 {
            return Ok(Vec::new());
        }
        match self.report_of_root().await {
            Ok(keys) if !keys.is_empty() => Ok(keys),
            _ => Ok(undated(present)),
        }
    }

    /// `iam:GetAccountSummary`: how many keys the root user has.
    pub async fn summary_of_root(&self) -> Result<i32, ProviderError> {
        let call = self.client.get_account_summary();
        let answer = throttled::ask(&self.patience, || {
            let call = call.clone();
            async move { call.send().await.map_err(|error| refused(&error, "iam:GetAccountSummary")) }
        });
        let summary = answer.await?.summary_map.unwrap_or_default();
        summary.get(&SummaryKeyType::AccountAccessKeysPresent).copied().ok_or(BadAnswer)
    }

    /// `iam:GenerateCredentialReport`, `iam:GetCredentialReport`: what the report says of the root user's keys.
    async fn report_of_root(&self) -> Result<Vec<RootKey>, ProviderError> {
        self.make_report().await?;
        let call = self.client.get_credential_report();
        let answer = throttled::ask(&self.patience, || {
            let call = call.clone();
            async move { call.send().await.map_err(|error| refused(&error, "iam:GetCredentialReport")) }
        });
        let content = answer.await?.content.ok_or(BadAnswer)?;
        read(content.as_ref())
    }

    /// Waits until there is a report. It changes nothing in the account; one of the last four hours is taken as it is.
    async fn make_report(&self) -> Result<(), ProviderError> {
        for _ in 0..ASKED {
            let call = self.client.generate_credential_report();
            let answer = throttled::ask(&self.patience, || {
                let call = call.clone();
                async move { call.send().await.map_err(|error| refused(&error, "iam:GenerateCredentialReport")) }
            });
            if answer.await?.state == Some(ReportStateType::Complete) {
                return Ok(());
            }
            if !self.patience.pause(PAUSE).await {
                break;
            }
        }
        Err(ProviderError::Timeout { host: "AWS".to_owned() })
    }
}

/// As many as there are, when nothing else is known of them.
fn undated(present: i32) -> Vec<RootKey> {
    let key = |number| RootKey { number, made: None, used: None, active: true };
    (1..=present.min(MOST)).map(key).collect()
}

fn read(report: &[u8]) -> Result<Vec<RootKey>, ProviderError> {
    let mut reader = csv::Reader::from_reader(report);
    let heads = reader.headers().map_err(|_| BadAnswer)?.clone();
    let column = |name: &str| heads.iter().position(|head| head == name);
    let user = column("user").ok_or(BadAnswer)?;
    let root = reader.records().flatten().find(|row| row.get(user) == Some(ROOT)).ok_or(BadAnswer)?;
    let keys = (1..=MOST).filter_map(|number| {
        let cell = |what: &str| root.get(column(&format!("access_key_{number}_{what}"))?);
        let active = cell("active") == Some("true");
        let made = cell("last_rotated").and_then(date);
        let used = LastUse {
            at: cell("last_used_date").and_then(date),
            service: cell("last_used_service").map(word).unwrap_or_default(),
            region: cell("last_used_region").map(word).unwrap_or_default(),
        };
        (active || made.is_some()).then_some(RootKey { number, made, used: Some(used), active })
    });
    Ok(keys.collect())
}

/// `None` for `N/A` and `no_information`.
fn date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_tells_the_dates_of_the_root_keys() {
        let report = "user,arn,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
                      access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,\
                      access_key_2_last_rotated,access_key_2_last_used_date\n\
                      <root_account>,arn:aws:iam::123456789012:root,true,2019-03-01T10:00:00+00:00,\
                      2026-11-01T00:00:00+00:00,us-east-1,s3,false,N/A,N/A\n\
                      ada,arn:aws:iam::123456789012:user/ada,true,2020-01-01T00:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A\n";
        let keys = read(report.as_bytes()).unwrap();
        let [key] = keys.as_slice() else { panic!("{keys:?}") };
        assert_eq!((key.number, key.active, key.made), (1, true, date("2019-03-01T10:00:00+00:00")));
        let used = key.used.clone().unwrap();
        assert_eq!((used.service.as_str(), used.region.as_str()), ("s3", "us-east-1"));
        assert!(used.at.is_some());
        for bad in ["", "user,arn\nada,x\n", "<html>"] {
            assert_eq!(read(bad.as_bytes()), Err(BadAnswer), "{bad}");
        }
    }
}
