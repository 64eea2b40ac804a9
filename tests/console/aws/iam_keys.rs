//! The long-term keys of an account: of its users and of its root user, read from moto, and from a stand-in where moto
//! does not do it.

use std::sync::Arc;
use std::time::Duration;

use strongroom::providers::ProviderError;
use strongroom::providers::aws::iam_keys::{Keys, Pages};
use strongroom::providers::aws::{Access, Region, Session};
use strongroom::providers::patience::Patience;

use super::{at, key, loopback};
use crate::support::peers::iam::{Iam, Key};
use crate::support::peers::moto::Moto;
use crate::support::peers::scripted::{Reply, Scripted};

const NOBODY: (&str, &str) = ("AKIAIOSFODNN7EXAMPLE", "CANARYCANARYCANARYCANARYCANARYCANARYCANA");

async fn keys_with(pair: &(String, String), url: &str, waits: Duration) -> Keys {
    let access = Access::read(&key(pair)).expect("a key");
    let session = Session::open(&access.origin, &Region::first_of("aws"), &loopback(), &Arc::new(at(url))).await;
    Keys::new(&session.expect("a session"), Patience::new(waits))
}

async fn keys_at(url: &str) -> Keys {
    keys_with(&(NOBODY.0.to_owned(), NOBODY.1.to_owned()), url, Duration::from_secs(30)).await
}

#[tokio::test]
async fn the_keys_of_all_users_are_read_with_their_dates_and_last_use() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    let other = moto.user("ci-deploy").await;
    let denied = keys_with(&pair, &moto.url(), Duration::ZERO).await.users(Pages::First).await.unwrap_err();
    assert!(denied.sentence("AWS").contains("iam:ListUsers"), "{denied:?}");

    for action in ["iam:ListUsers", "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", "iam:GetAccountSummary"] {
        moto.allow("scanner", action, "*").await;
    }
    let keys = keys_with(&pair, &moto.url(), Duration::ZERO).await;
    let users = keys.users(Pages::All).await.unwrap();
    let names: Vec<&str> = users.found.iter().map(|user| user.name.as_str()).collect();
    assert_eq!((names.len(), users.rest, users.odd.len()), (2, None, 0), "{names:?}");
    assert!(users.found.iter().all(|user| user.arn.ends_with(&format!(":user/{}", user.name))));
    let own = keys.of("scanner").await.unwrap();
    assert!(own.len() == 1 && own[0].id == pair.0 && own[0].active && own[0].made.is_some(), "{own:?}");
    let used = keys.last_use(&pair.0).await.unwrap();
    assert!(used.at.is_some() && used.service == "iam", "{used:?}");
    let unused = keys.last_use(&other.0).await.unwrap();
    assert_eq!((unused.at, unused.service.as_str(), unused.region.as_str()), (None, "", ""));
    assert_eq!(keys.of_root().await.unwrap(), []);
    let denied = keys.alias().await.unwrap_err();
    assert!(denied.sentence("AWS").contains("iam:ListAccountAliases"), "{denied:?}");
    assert!(moto.actions().iter().all(|action| !action.starts_with("Create") && !action.starts_with("Update")));
}

#[tokio::test]
async fn users_are_read_page_by_page_and_a_throttled_call_is_made_again() {
    let iam = Iam::start().await;
    {
        let mut account = iam.account();
        account.users = (0..250).map(|number| (format!("user-{number}"), Vec::new())).collect();
        account.throttled.insert("ListUsers", 4);
    }
    let keys = keys_at(&iam.url()).await;
    let users = keys.users(Pages::All).await.unwrap();
    assert_eq!((users.found.len(), users.rest), (250, None));
    assert_eq!(iam.actions().len(), 3 + 4, "three pages, and four refusals");
    assert_eq!(keys.users(Pages::First).await.unwrap().found.len(), 100);
}

#[tokio::test]
async fn the_root_user_has_its_keys_and_their_dates_where_the_report_may_be_read() {
    let iam = Iam::start().await;
    iam.account().root_keys = 1;
    let keys = keys_at(&iam.url()).await;
    let found = keys.of_root().await.unwrap();
    assert!(found.len() == 1 && found[0].made.is_none() && found[0].used.is_none(), "{found:?}");
    let row = "<root_account>,arn:aws:iam::210987654321:root,true,2019-03-01T10:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A";
    iam.account().report = Some(row.to_owned());
    let found = keys.of_root().await.unwrap();
    assert_eq!(found[0].made.map(|at| at.to_rfc3339()).as_deref(), Some("2019-03-01T10:00:00+00:00"));
    assert_eq!(found[0].used.as_ref().map(|used| used.at), Some(None), "never used");
    assert_eq!(keys.alias().await.unwrap().as_deref(), Some("example-prod"));
}

#[tokio::test]
async fn a_list_without_an_end_and_names_out_of_form_cost_only_themselves() {
    let iam = Iam::start().await;
    {
        let mut account = iam.account();
        account.users = vec![("ada".to_owned(), vec![Key::new("AKIA<script>", "2020-01-01T00:00:00Z")])];
        account.users.push(("two words".to_owned(), Vec::new()));
        account.page = 2;
        account.endless = true;
    }
    let keys = keys_at(&iam.url()).await;
    let users = keys.users(Pages::All).await.unwrap();
    assert!(users.found.iter().all(|user| user.name == "ada") && !users.odd.is_empty(), "{users:?}");
    assert_eq!(users.rest, Some(ProviderError::BadAnswer), "the same page again and again");
    assert!(iam.actions().len() < 5);
    assert!(keys.of("ada").await.is_err(), "what is no key id");

    let html = Scripted::start(|_| Reply::status(200).body("<html>REFLECTED")).await;
    let answer = keys_at(&html.url()).await.users(Pages::All).await;
    assert_eq!(answer, Err(ProviderError::BadAnswer));
}
