//! The part *Keys of all service accounts*: the keys that people made or uploaded. Service accounts are read a few at a
//! time; one that cannot be read is a gap. When a key was last used takes a further right, without which it is not known.

use std::collections::HashMap;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;

use super::part::{Listed, Part, RESOURCES, Tour, counted, seen};
use crate::credentials;
use crate::integrations::cloud::key::Facts;
use crate::integrations::google::because;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Scan};
use crate::providers::endpoints::Service;
use crate::providers::gcp::activities::{self, LastUse};
use crate::providers::gcp::iam::{self, Account, Key};
use crate::providers::gcp::line::Line;
use crate::providers::oci_registry::{AT_ONCE, Pages};
use crate::providers::{Failure, ProviderError};

pub(super) const KEYS: Part = Part {
    field: "keys",
    may: "may list the keys of all service accounts",
    role: "strongroomKeys",
    rights: &[&iam::LISTS_ACCOUNTS, &iam::LISTS_KEYS],
    further: Some(("may also read when the keys were last used", "strongroomKeyUse", &activities::QUERIES)),
    paths: &[],
    read,
    check,
};

const IAM: Listed = Listed {
    step: Step { label: "Listing service accounts", doing: "Listing the service accounts" },
    api: &iam::API,
    service: Service::GoogleIam,
    path: "",
};
const READING: Step = Step { label: "Listing service accounts", doing: "Reading the keys" };
const READING_USE: Step = Step { label: "Listing service accounts", doing: "Reading the last use of the keys" };

/// The lines to the service accounts and to what is known of their use.
struct Lines<'a> {
    iam: Line<'a>,
    uses: Line<'a>,
}

async fn lines<'a>(tour: &Tour<'a>) -> Result<Lines<'a>, Gap> {
    let uses = Listed { api: &activities::API, service: Service::GoogleActivities, ..IAM };
    Ok(Lines { iam: IAM.line(tour).await?, uses: uses.line(tour).await? })
}

fn read<'a>(tour: &'a Tour<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
    Box::pin(async move {
        let lines = &lines(tour).await?;
        // Keys are there whether the API that lists them is switched on or not.
        IAM.in_projects(tour, |project| async move {
            match of_project(lines, &project).await {
                Err(cause @ ProviderError::Google(_)) => Ok(Scan::gap(unread(IAM.step, &project, &project, cause))),
                found => found,
            }
        })
        .await
    })
}

/// A gap that hides the keys of a project, and nothing else there.
fn unread(step: Step, project: &str, at: &str, cause: ProviderError) -> Gap {
    let (because, paths) = (because(&cause), RESOURCES.map(str::to_owned).to_vec());
    Gap::new(step, at, cause, because).hiding(Hides::NotBelow { place: project.to_owned(), paths })
}

async fn of_project(lines: &Lines<'_>, project: &str) -> Result<Scan, ProviderError> {
    let (accounts, uses) = tokio::join!(
        iam::accounts(&lines.iam, project, Pages::All),
        activities::last_uses(&lines.uses, project, Pages::All)
    );
    let accounts = accounts?;
    let mut scan = Scan::default();
    let uses = match uses {
        Ok((uses, rest)) => {
            scan.gaps.extend(rest.map(|cause| without_use(project, cause)));
            uses
        }
        // The right is one that may be left out.
        Err(ProviderError::Google(_)) => HashMap::new(),
        Err(ProviderError::Stopped) => return Err(ProviderError::Stopped),
        Err(cause) => {
            scan.gaps.push(without_use(project, cause));
            HashMap::new()
        }
    };
    scan.gaps.extend(accounts.rest.map(|cause| unread(IAM.step, project, project, cause)));
    let uses = &uses;
    let work = accounts.entries.into_iter().map(|account| async move {
        let keys = iam::keys(&lines.iam, project, &account.email).await;
        (account, keys)
    });
    let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
    while let Some((account, keys)) = finished.next().await {
        let at = format!("{project}, {}", account.email);
        match keys {
            Ok(keys) => {
                scan.items.extend(keys.entries.into_iter().map(|key| item(project, &account, key, uses)));
                scan.gaps.extend(keys.rest.map(|cause| unread(READING, project, &at, cause)));
            }
            // Deleted since it was listed, and its keys with it.
            Err(ProviderError::NotFound) => {}
            // What one service account refuses, all do.
            Err(cause @ (ProviderError::Stopped | ProviderError::Google(_))) => return Err(cause),
            Err(cause) if cause.is_silence() => return Err(cause),
            Err(cause) => scan.gaps.push(unread(READING, project, &at, cause)),
        }
    }
    Ok(scan)
}

fn without_use(project: &str, cause: ProviderError) -> Gap {
    let because = because(&cause);
    Gap::new(READING_USE, project, cause, because).hiding(Hides::Nothing)
}

fn item(project: &str, account: &Account, key: Key, uses: &HashMap<String, LastUse>) -> Item {
    let used = uses.get(&key.id).cloned().unwrap_or_default();
    let facts = Facts {
        kind: credentials::gcp::KIND.slug.to_owned(),
        owner: account.email.clone(),
        arn: account.email.clone(),
        active: !key.disabled && !account.disabled && !key.has_ended(),
        never: used.is_never(key.made),
        made: key.made,
        used: used.at,
        expires: key.expires,
        ..Facts::default()
    };
    Item::new(project.to_owned(), key.id, facts.state().to_owned(), &facts)
}

/// One page of service accounts, the keys of the first, and whether the last use may be read.
fn check<'a>(tour: &'a Tour<'a>) -> BoxFuture<'a, Result<String, Failure>> {
    Box::pin(async move {
        let (lines, project) = (lines(tour).await?, tour.first());
        let accounts = iam::accounts(&lines.iam, project, Pages::First).await;
        let read = match accounts {
            Err(cause) => Err(cause),
            Ok(accounts) => match accounts.entries.first() {
                None => Ok(0),
                Some(account) => iam::keys(&lines.iam, project, &account.email).await.map(|_| accounts.entries.len()),
            },
        };
        let uses = activities::last_uses(&lines.uses, project, Pages::First).await;
        let unknown = match uses {
            Ok(_) => "",
            Err(_) => " (without the last use of their keys, which takes a further right)",
        };
        let text = read.map(|number| format!("{}{unknown}", counted(number, "service account", "service accounts")));
        seen(project, text, "no service accounts")
    })
}
