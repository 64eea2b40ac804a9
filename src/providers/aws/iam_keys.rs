//! The long-term keys of an account's users. Reads only; lists are bounded. Those of its root user are in
//! [`super::root_keys`].
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html>

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{AccessKeyMetadata, StatusType};
use chrono::{DateTime, Utc};

use super::answers::refused;
use super::session::is_arn;
use super::{Session, throttled};
use crate::providers::ProviderError::{self, BadAnswer};
use crate::providers::patience::Patience;

/// Users on a page, the most that IAM gives; and the bound of the pages. An account has 5,000 users unless AWS raised
/// it.
const PAGE: i32 = 1000;
const MAX_PAGES: usize = 100;
/// A user has two keys. No more pages than this are read of one user's.
const MAX_PAGES_OF_KEYS: usize = 10;

/// How much of a list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    First,
    All,
}

/// An IAM user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub arn: String,
}

/// The users as far as they could be listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    pub found: Vec<User>,
    /// Names and ARNs that no user can have.
    pub odd: Vec<String>,
    /// Why the pages after these are missing.
    pub rest: Option<ProviderError>,
}

/// A key of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    pub id: String,
    pub made: Option<DateTime<Utc>>,
    pub active: bool,
}

/// When a key was last used, and for what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastUse {
    /// `None`: never, as far as AWS has recorded it (since April 2015).
    pub at: Option<DateTime<Utc>>,
    /// `s3`; empty when AWS names none.
    pub service: String,
    /// `eu-central-1`; empty when AWS names none.
    pub region: String,
}

/// What IAM of one account says about keys.
pub struct Keys {
    pub(super) client: Client,
    pub(super) patience: Patience,
}

impl Keys {
    pub fn new(session: &Session, patience: Patience) -> Self {
        Self { client: session.iam(), patience }
    }

    /// `iam:ListUsers`. An error when not even the first page can be read.
    pub async fn users(&self, pages: Pages) -> Result<Users, ProviderError> {
        let (mut users, mut marker) = (Users::default(), None);
        for number in 0..MAX_PAGES {
            let call = self.client.list_users().max_items(PAGE).set_marker(marker.clone());
            let page = throttled::ask(&self.patience, || {
                let call = call.clone();
                async move { call.send().await.map_err(|error| refused(&error, "iam:ListUsers")) }
            });
            let page = match page.await {
                Ok(page) => page,
                Err(cause) if number == 0 => return Err(cause),
                Err(cause) => return Ok(Users { rest: Some(cause), ..users }),
            };
            for user in page.users {
                match (is_name(&user.user_name), is_arn(&user.arn)) {
                    (true, true) => users.found.push(User { name: user.user_name, arn: user.arn }),
                    (false, _) => users.odd.push(user.user_name),
                    (true, false) => users.odd.push(user.arn),
                }
            }
            match next(page.is_truncated, page.marker, marker.as_deref()) {
                Ok(Some(next)) if pages == Pages::All => marker = Some(next),
                Ok(_) => return Ok(users),
                Err(cause) => return Ok(Users { rest: Some(cause), ..users }),
            }
        }
        Ok(Users { rest: Some(ProviderError::TooLarge), ..users })
    }

    /// `iam:ListAccessKeys`: the keys of a user.
    pub async fn of(&self, user: &str) -> Result<Vec<AccessKey>, ProviderError> {
        let (mut keys, mut marker) = (Vec::new(), None);
        for _ in 0..MAX_PAGES_OF_KEYS {
            let call = self.client.list_access_keys().user_name(user).set_marker(marker.clone());
            let page = throttled::ask(&self.patience, || {
                let call = call.clone();
                async move { call.send().await.map_err(|error| refused(&error, "iam:ListAccessKeys")) }
            });
            let page = page.await?;
            for key in page.access_key_metadata {
                keys.push(read(key)?);
            }
            marker = next(page.is_truncated, page.marker, marker.as_deref())?;
            if marker.is_none() {
                return Ok(keys);
            }
        }
        Err(ProviderError::TooLarge)
    }

    /// `iam:GetAccessKeyLastUsed`.
    pub async fn last_use(&self, key: &str) -> Result<LastUse, ProviderError> {
        let call = self.client.get_access_key_last_used().access_key_id(key);
        let answer = throttled::ask(&self.patience, || {
            let call = call.clone();
            async move { call.send().await.map_err(|error| refused(&error, "iam:GetAccessKeyLastUsed")) }
        });
        let used = answer.await?.access_key_last_used.ok_or(BadAnswer)?;
        Ok(LastUse {
            at: used.last_used_date.and_then(|at| moment(&at)),
            service: word(&used.service_name),
            region: word(&used.region),
        })
    }

    /// `iam:ListAccountAliases`: the name of the account, if it has one.
    pub async fn alias(&self) -> Result<Option<String>, ProviderError> {
        let call = self.client.list_account_aliases();
        let answer = throttled::ask(&self.patience, || {
            let call = call.clone();
            async move { call.send().await.map_err(|error| refused(&error, "iam:ListAccountAliases")) }
        });
        // 3 to 63 small letters, digits and dashes (CreateAccountAlias).
        let is_alias = |alias: &String| {
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            (3..=63).contains(&alias.len()) && alias.chars().all(good)
        };
        Ok(answer.await?.account_aliases.into_iter().find(is_alias))
    }
}

/// The marker of the page after one. A list that does not go on would never end.
fn next(truncated: bool, marker: Option<String>, before: Option<&str>) -> Result<Option<String>, ProviderError> {
    match marker {
        _ if !truncated => Ok(None),
        Some(marker) if !marker.is_empty() && Some(marker.as_str()) != before => Ok(Some(marker)),
        _ => Err(BadAnswer),
    }
}

fn read(key: AccessKeyMetadata) -> Result<AccessKey, ProviderError> {
    let id = key.access_key_id.filter(|id| is_key_id(id)).ok_or(BadAnswer)?;
    Ok(AccessKey {
        id,
        made: key.create_date.and_then(|at| moment(&at)),
        active: key.status.is_some_and(|status| status == StatusType::Active),
    })
}

/// CreateUser's reference: letters, digits and `_+=,.@-`, 64 at most.
fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    (1..=64).contains(&name.len()) && name.chars().all(good)
}

/// AccessKeyMetadata's reference: `[\w]+`, 16 to 128 characters.
fn is_key_id(id: &str) -> bool {
    (16..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The name of a service or region; empty for `N/A` and for what is no such name.
pub(super) fn word(text: &str) -> String {
    let good = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if text.len() <= 64 && text.chars().all(good) { text.to_owned() } else { String::new() }
}

/// To the second; `None` beyond the years that people and databases read.
fn moment(at: &aws_smithy_types::DateTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at.secs(), 0).filter(|at| (0..253_402_300_800).contains(&at.timestamp()))
}
