//! The part *Access keys of all users*: the long-term keys of all IAM users and of the root user. Users are read a few
//! at a time; one that cannot be read is a gap.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;

use super::part::{Part, Visit, region};
use super::rights;
use crate::credentials;
use crate::integrations::cloud::key::Facts;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Scan};
use crate::providers::aws::Refusal;
use crate::providers::aws::iam_keys::{AccessKey, Keys, LastUse, Pages, User, Users};
use crate::providers::aws::root_keys::{self, RootKey};
use crate::providers::oci_registry::AT_ONCE;
use crate::providers::patience::{MOST_WAITING, Patience};
use crate::providers::{Failure, ProviderError};

pub(super) const KEYS: Part = Part {
    field: "keys",
    may: "may list the keys of all users",
    rights: &[
        "iam:ListUsers",
        "iam:ListAccessKeys",
        "iam:GetAccessKeyLastUsed",
        "iam:GetAccountSummary",
        "iam:ListAccountAliases",
    ],
    further: Some((
        "may also read the dates of the root user's keys",
        &["iam:GenerateCredentialReport", "iam:GetCredentialReport"],
    )),
    read,
    check,
};

impl Step {
    const LISTING_USERS: Self = Self { label: "Listing users", doing: "Listing the users" };
    const READING_KEYS: Self = Self { label: "Reading keys", doing: "Reading the keys" };
    const READING_USE: Self = Self { label: "Reading keys", doing: "Reading the last use" };
    const READING_ROOT: Self = Self { label: "Reading keys", doing: "Reading the keys of the root user" };
}

/// The name of a key of the root user, whose id no API tells: `root key 1`.
fn root_name(number: i32) -> String {
    format!("root key {number}")
}

struct Reader<'a> {
    visit: &'a Visit<'a>,
    keys: Keys,
    /// The name of the account; empty when it has none.
    alias: String,
    /// The last use of no key may be read: said once.
    unused: AtomicBool,
}

fn read<'a>(visit: &'a Visit<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
    Box::pin(async move {
        let keys = keys_of(visit);
        visit.cx.report.step(Step::LISTING_USERS);
        let mut reader = Reader { visit, keys, alias: String::new(), unused: AtomicBool::new(false) };
        // A name to show, and nothing else: its right may be missing.
        reader.alias = reader.keys.alias().await.ok().flatten().unwrap_or_default();
        let mut scan = reader.root().await?;
        match visit.judge.judged(reader.keys.users(Pages::All).await, |cause| reader.listing(cause))? {
            Ok(users) => scan.add(reader.all(users).await?),
            Err(gap) => scan.gaps.push(gap),
        }
        Ok(scan)
    })
}

fn keys_of(visit: &Visit<'_>) -> Keys {
    let report = visit.cx.report.clone();
    Keys::new(&visit.session, Patience::new(MOST_WAITING).told_to(Box::new(move |until| report.pause(until))))
}

impl Reader<'_> {
    fn gap(&self, step: Step, at: &str, cause: ProviderError, hides: Hides) -> Gap {
        let because = cause.sentence("AWS");
        Gap::new(step, at, cause, because).hiding(hides)
    }

    fn listing(&self, cause: ProviderError) -> Gap {
        self.gap(Step::LISTING_USERS, "", cause, Hides::Place(self.visit.account.clone()))
    }

    async fn all(&self, users: Users) -> Result<Scan, Gap> {
        let mut scan = Scan::default();
        let odd = |name: &String| ProviderError::OddName {
            name: name.chars().filter(|c| !c.is_control()).take(100).collect(),
        };
        let odd = users.odd.iter().map(|name| self.gap(Step::LISTING_USERS, "", odd(name), Hides::Nothing));
        scan.gaps.extend(odd);
        if let Some(cause) = users.rest {
            scan.gaps.push(self.visit.judge.gap(self.listing(cause))?);
        }
        let report = &self.visit.cx.report;
        report.parts(Step::READING_KEYS, users.found.len(), scan.gaps.len());
        let work = users.found.into_iter().map(|user| self.of_user(user));
        let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
        while let Some(found) = finished.next().await {
            scan.add(found?);
            report.part(Step::READING_KEYS, scan.items.len(), scan.gaps.len());
        }
        Ok(scan)
    }

    async fn of_user(&self, user: User) -> Result<Scan, Gap> {
        let unread = |cause| {
            let hides = Hides::Place(self.visit.account.clone());
            self.gap(Step::READING_KEYS, &user.name, cause, hides)
        };
        let keys = match self.keys.of(&user.name).await {
            // Deleted since it was listed, and its keys with it.
            Err(ProviderError::NotFound) => Vec::new(),
            result => match self.visit.judge.judged(result, unread)? {
                Ok(keys) => keys,
                Err(gap) => return Ok(Scan::gap(gap)),
            },
        };
        let mut scan = Scan::default();
        for key in keys {
            scan.add(self.of_key(&user, key).await?);
        }
        Ok(scan)
    }

    async fn of_key(&self, user: &User, key: AccessKey) -> Result<Scan, Gap> {
        let unread = |cause| self.gap(Step::READING_USE, &format!("{}, {}", user.name, key.id), cause, Hides::Nothing);
        let (mut used, mut gaps) = (None, Vec::new());
        if !self.unused.load(Ordering::Relaxed) {
            match self.keys.last_use(&key.id).await {
                Err(cause @ ProviderError::Aws(Refusal::Denied { .. })) => {
                    if !self.unused.swap(true, Ordering::Relaxed) {
                        gaps.push(self.gap(Step::READING_USE, "any key", cause, Hides::Nothing));
                    }
                }
                result => match self.visit.judge.judged(result, unread)? {
                    Ok(found) => used = Some(found),
                    Err(gap) => gaps.push(gap),
                },
            }
        }
        let facts = Facts {
            owner: user.name.clone(),
            arn: user.arn.clone(),
            active: key.active,
            made: key.made,
            ..self.facts(used)
        };
        Ok(Scan { items: vec![self.item(key.id, &facts)], gaps, ..Scan::default() })
    }

    async fn root(&self) -> Result<Scan, Gap> {
        let unread = |cause| {
            let names = (1..=root_keys::MOST).map(root_name).collect();
            let hides = Hides::Items { place: self.visit.account.clone(), names };
            self.gap(Step::READING_ROOT, "", cause, hides)
        };
        let keys = match self.visit.judge.judged(self.keys.of_root().await, unread)? {
            Ok(keys) => keys,
            Err(gap) => return Ok(Scan::gap(gap)),
        };
        let partition = region(self.visit.cx.settings).partition();
        let arn = format!("arn:{partition}:iam::{}:root", self.visit.account);
        let item = |key: RootKey| {
            let facts = Facts {
                owner: "root".to_owned(),
                arn: arn.clone(),
                root: true,
                active: key.active,
                made: key.made,
                ..self.facts(key.used)
            };
            self.item(root_name(key.number), &facts)
        };
        Ok(Scan { items: keys.into_iter().map(item).collect(), ..Scan::default() })
    }

    /// The facts that the keys of users and of root share, with the last use where it was read.
    fn facts(&self, used: Option<LastUse>) -> Facts {
        let never = used.as_ref().is_some_and(|used| used.at.is_none());
        let used = used.unwrap_or_default();
        Facts {
            kind: credentials::aws::KIND.slug.to_owned(),
            account: self.alias.clone(),
            never,
            used: used.at,
            service: used.service,
            region: used.region,
            ..Facts::default()
        }
    }

    fn item(&self, name: String, facts: &Facts) -> Item {
        Item::new(self.visit.account.clone(), name, facts.state().to_owned(), facts)
    }
}

/// One page of users, and whether every right is there that a scan needs, as far as there is something to try it on.
fn check<'a>(visit: &'a Visit<'a>) -> BoxFuture<'a, Result<String, Failure>> {
    Box::pin(async move {
        let keys = keys_of(visit);
        let mut rights = rights::Tried::default();
        let (users, alias, root) = tokio::join!(keys.users(Pages::First), keys.alias(), keys.summary_of_root());
        let (alias, root) = (rights.tried(alias)?.flatten(), rights.tried(root)?);
        let users = rights.tried(users)?;
        let first = users.as_ref().and_then(|users| users.found.first());
        let own = match first {
            Some(user) => rights.tried(keys.of(&user.name).await)?.unwrap_or_default(),
            None => Vec::new(),
        };
        if let Some(key) = own.first() {
            rights.tried(keys.last_use(&key.id).await)?;
        }
        rights.complete()?;
        let known = alias.map(|alias| format!(" ({alias})")).unwrap_or_default();
        let count = users.map_or(0, |users| users.found.len());
        let users = if count == 1 { "1 user".to_owned() } else { format!("{count} users") };
        let root = if root.unwrap_or(0) > 0 { " The root user has an access key." } else { "" };
        Ok(format!(
            "AWS let Strongroom into account {}{known} and lists {users} on its first page.{root}",
            visit.account
        ))
    })
}
