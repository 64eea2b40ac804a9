//! Cloud scans of AWS accounts and the page *Cloud keys*: every long-term key, stored here or not. Against moto, and
//! against a stand-in where keys have to be old, or IAM has to refuse.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use strongroom::models::{CredentialId, IntegrationId, runs};

use crate::support::app::{TestApp, Visit};
use crate::support::peers::iam::{Iam, Key};
use crate::support::process::{PATIENCE, wait_for};

mod gitlab;
mod gitlab_hostile;
mod page;
mod scan;
mod screens;
mod snoozed;

const ACCOUNT: &str = "210987654321";
/// Of ada, who has left: made in 2019.
const OLD: &str = "AKIAOLDOLDOLDOLDOLD1";
/// Of the pipeline: young, in use.
const YOUNG: &str = "AKIAYOUNGYOUNGYOUNG1";
/// Made long ago for the pipeline, and never used.
const NEVER: &str = "AKIANEVERNEVERNEVER1";
/// Made long ago, and switched off.
const OFF: &str = "AKIAOFFOFFOFFOFFOFF1";
const SECRET: &str = "wJalrXUtnFEMIzK7MDENGzbPxRfiCYEXAMPLEKEY";

fn days_ago(days: i64) -> String {
    (Utc::now() - Duration::days(days)).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// An account with keys of all sorts.
async fn account() -> Iam {
    let iam = Iam::start().await;
    let ada = vec![Key::new(OLD, "2019-03-01T10:00:00Z").used(&days_ago(400))];
    let off = Key { active: false, ..Key::new(OFF, "2018-03-01T10:00:00Z").used("2018-04-01T10:00:00Z") };
    let pipeline = vec![Key::new(YOUNG, &days_ago(10)).used(&days_ago(1)), Key::new(NEVER, "2020-01-01T00:00:00Z")];
    {
        let mut account = iam.account();
        account.users = vec![("ada".to_owned(), ada), ("ci-deploy".to_owned(), pipeline)];
        account.users.extend([("otto".to_owned(), vec![off]), ("nobody".to_owned(), Vec::new())]);
        account.root_keys = 1;
    }
    iam
}

/// Adds an access key through its form.
async fn store(visit: &mut Visit, name: &str, id: &str) -> CredentialId {
    let fields = [("kind", "aws"), ("name", name), ("method", "access_key"), ("access_key_id", id)];
    let page = visit.post("/credentials", &[&fields[..], &[("secret_access_key", SECRET)]].concat()).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    id_in(page.location())
}

/// Adds a scan of the account through its form.
async fn add(visit: &mut Visit, account: &str, credential: CredentialId) -> IntegrationId {
    let credential = credential.to_string();
    let fields = [
        ("name", "Production"),
        ("version", "aws_account"),
        ("account", account),
        ("keys", "on"),
        ("credential", credential.as_str()),
        ("schedule", "off"),
    ];
    let page = visit.post("/integrations", &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    id_in(page.location())
}

fn id_in<T: std::str::FromStr>(location: &str) -> T {
    location.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id")
}

/// The state and the error of the last of so many runs, once all have ended.
async fn ended(app: &TestApp, integration: IntegrationId, number: usize) -> (String, Option<String>) {
    let all = || runs::of(&mut app.connect(), integration, 100).expect("the runs");
    wait_for("the run ends", PATIENCE, async || all().iter().filter(|run| !run.unfinished()).count() == number).await;
    let last = all().remove(0);
    (last.state.word().to_owned(), last.error)
}

async fn scan_again(
    app: &TestApp,
    visit: &mut Visit,
    integration: IntegrationId,
    number: usize,
) -> (String, Option<String>) {
    assert_eq!(visit.post(&format!("/integrations/{integration}/runs"), &[]).await.status, 303);
    ended(app, integration, number).await
}

/// Whole days since a moment.
fn days_since(at: &str) -> i64 {
    (Utc::now() - DateTime::parse_from_rfc3339(at).expect("a moment").with_timezone(&Utc)).num_days()
}
