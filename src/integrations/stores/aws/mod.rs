//! The stores of AWS, region by region: what Secrets Manager and the Parameter Store have in common. Each has a file.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};

use super::entry::Facts;
use super::names;
use super::store::{Entry, Store, Unread, answers};
use crate::credentials::aws::RoleArn;
use crate::form::{Errors, Field, Values};
use crate::integrations::Family;
use crate::integrations::aws::{self, Place};
use crate::integrations::context::Context;
use crate::integrations::patterns::Names;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Judge, Scan};
use crate::integrations::spec::{Grants, Scanner, Selects};
use crate::providers::aws::held::{self, Answers, Content};
use crate::providers::aws::policies::{Statement, document};
use crate::providers::aws::{Listed, Refusal, Region, SignedCalls, regions};
use crate::providers::oci_registry::Pages;
use crate::providers::{Failure, ProviderError, capital};

mod parameters;
mod secrets;

pub use parameters::PARAMETERS;
pub use secrets::SECRETS;

const REGIONS: Field = Field::text("region_names", "Regions")
    .placeholder("eu-central-1")
    .help("Separate several by commas. All have to be in the same partition.")
    .max(1024)
    .check(aws::region_names);

/// The form of a store in AWS.
const fn fields(entries: Field, exclude: Field, role: Field) -> [Field; 7] {
    [
        REGIONS,
        entries,
        exclude,
        aws::STS.help("Assume a role that can read the store."),
        role,
        aws::EXTERNAL_ID,
        aws::SESSION_MINUTES,
    ]
}

const ROLE: Field = aws::ROLE
    .placeholder("arn:aws:iam::123456789012:role/secrets-reader")
    .help("The role's whole ARN. It wins over a role of the credential.");

/// An entry as a list of AWS has it.
struct Found {
    name: String,
    facts: Facts,
}

type Listing<'a> = BoxFuture<'a, Result<Listed<Found>, ProviderError>>;

/// One of the stores.
struct Api {
    who: &'static str,
    /// As its hosts name it.
    service: &'static str,
    list: for<'a> fn(&'a SignedCalls, &'a Region, Pages) -> Listing<'a>,
    read: for<'a> fn(&'a SignedCalls, &'a Region, Vec<&'a str>) -> BoxFuture<'a, Answers>,
    /// The rights on the store as a whole, and on single entries.
    rights: (&'static [&'static str], &'static [&'static str]),
    /// `arn:PARTITION:secretsmanager:REGION:*:secret:`, before the name of an entry.
    resource: fn(&Region, &str) -> String,
}

const LISTING: Step = Step { label: "Listing entries", doing: "Listing the entries" };
/// Regions that are read at once, each a host of its own.
const AT_ONCE: usize = 8;
/// More entries than this are not taken in by one scan.
const MAX_ENTRIES: usize = 200_000;

struct Plan {
    regions: Vec<Region>,
    names: Names,
}

impl Plan {
    /// `None` for regions that cannot be any, as only a form that was not checked has them.
    fn of(settings: &Values) -> Option<Self> {
        let regions = aws::regions(settings.get(REGIONS.name)).filter(|regions| !regions.is_empty())?;
        Some(Self { regions, names: names::selected(settings) })
    }

    fn place(&self) -> Place<'_> {
        Place { region: &self.regions[0], account: None }
    }

    fn takes(&self, region: &str, name: &str) -> bool {
        self.regions.iter().any(|one| one.as_str() == region) && self.names.take(name)
    }

    /// Region and name of an entry that the settings select.
    fn split<'a>(&'a self, entry: &'a str) -> Option<(&'a Region, &'a str)> {
        let (region, name) = entry.split_once('/')?;
        let region = self.regions.iter().find(|one| one.as_str() == region)?;
        (names::is_path(name) && self.names.take(name)).then_some((region, name))
    }
}

fn suits(settings: &Values, kind: &str, credential: &Values) -> Result<(), Errors> {
    aws::suits(settings, kind, credential)?;
    let role = RoleArn::parse(settings.get("role")).ok().filter(|_| settings.get("sts") == "on");
    match (role, Plan::of(settings)) {
        (Some(role), Some(plan)) if role.partition() != plan.regions[0].partition() => {
            Err(Errors::one("role", "This role is of another partition than the regions."))
        }
        _ => Ok(()),
    }
}

impl Api {
    /// Every region has a host of its own, which AWS owns.
    fn host(&self, settings: &Values) -> Option<String> {
        let plan = Plan::of(settings)?;
        let region = match plan.regions.as_slice() {
            [only] => only.as_str(),
            _ => "*",
        };
        Some(format!("{}.{region}.{}", self.service, plan.regions[0].dns_suffix()))
    }

    fn grants(&self, settings: &Values, name: &str) -> Grants {
        let Some(plan) = Plan::of(settings) else { return Grants::default() };
        let wanted = settings.get(names::ENTRIES.name);
        let patterns: Vec<&str> = match wanted {
            "" => vec!["*"],
            _ => wanted.split(',').map(str::trim).collect(),
        };
        let resources: Vec<String> =
            plan.regions.iter().flat_map(|region| patterns.iter().map(|one| (self.resource)(region, one))).collect();
        let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
        let (all, each) = self.rights;
        let policy = document(&[Statement::allow(all, &["*"]), Statement::allow(each, &resources)]);
        let mut grants = plan.place().grants(settings, name, "may list and read the store", policy);
        let keys = plan
            .regions
            .iter()
            .map(|region| format!("arn:{}:kms:{}:ACCOUNT:key/KEY_ID", region.partition(), region.as_str()));
        let keys: Vec<String> = keys.collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let caption = "Also where entries are encrypted with a key of your own".to_owned();
        grants.policies.push((caption, document(&[Statement::allow(&["kms:Decrypt"], &keys)])));
        grants
    }

    /// The cause and the way out.
    fn because(&self, cause: &ProviderError) -> String {
        match cause {
            ProviderError::TooLarge => format!("{} Narrow down Entries or Regions.", cause.sentence(self.who)),
            _ => cause.sentence(self.who),
        }
    }

    fn of_all(&self, step: Step, cause: ProviderError) -> Gap {
        let because = self.because(&cause);
        Gap::new(step, "", cause, because)
    }

    fn of_region(&self, region: &Region, cause: ProviderError) -> Gap {
        let because = self.because(&cause);
        Gap::new(LISTING, region.as_str(), cause, because).hiding(Hides::Place(region.as_str().to_owned()))
    }

    async fn sign_in(&self, cx: &Context<'_>) -> Result<(Plan, SignedCalls), Gap> {
        let failed = |cause| self.of_all(Step::SIGNING_IN, cause);
        let plan = Plan::of(cx.settings).ok_or(ProviderError::InvalidAddress).map_err(failed)?;
        let session = plan.place().sign_in(cx).await.map_err(failed)?;
        let calls = SignedCalls::new(session, cx.outside.egress).map_err(failed)?;
        Ok((plan, calls))
    }

    async fn listed(&self, calls: &SignedCalls, region: &Region, pages: Pages) -> Result<Listed<Found>, ProviderError> {
        regions::told_off(calls, (self.list)(calls, region, pages).await).await
    }

    async fn check(&self, cx: &Context<'_>) -> Result<Option<String>, Failure> {
        let (plan, calls) = self.sign_in(cx).await?;
        let region = &plan.regions[0];
        let listed = self.listed(&calls, region, Pages::First).await;
        let listed = listed.map_err(|cause| self.of_region(region, cause))?;
        let listed = match listed.found.len() {
            0 => "no entries".to_owned(),
            1 => "1 entry".to_owned(),
            several => format!("{several} entries on the first page"),
        };
        let others = match plan.regions.len() - 1 {
            0 => String::new(),
            1 => " One other region will be read too.".to_owned(),
            several => format!(" {several} other regions will be read too."),
        };
        Ok(Some(format!("{} let Strongroom in and lists {listed} in {}.{others}", self.who, region.as_str())))
    }

    async fn scan(&self, cx: &Context<'_>) -> Result<Scan, Gap> {
        cx.report.step(Step::SIGNING_IN);
        let (plan, calls) = &self.sign_in(cx).await?;
        cx.report.parts(LISTING, plan.regions.len(), 0);
        let judge = &Judge::default();
        let (mut scan, mut empty) = (Scan::default(), false);
        let mut work = Vec::with_capacity(plan.regions.len());
        for region in &plan.regions {
            work.push(async move {
                let listed = self.listed(calls, region, Pages::All).await;
                let listed = judge.judged(listed, |cause| self.of_region(region, cause))?;
                Ok(listed.map_or_else(Scan::gap, |listed| self.taken(plan, region, listed)))
            });
        }
        let mut work = stream::iter(work).buffer_unordered(AT_ONCE);
        while let Some(found) = work.next().await {
            let found: Scan = found?;
            empty |= found == Scan::default();
            scan.add(found);
            if scan.items.len() > MAX_ENTRIES {
                return Err(self.of_all(LISTING, ProviderError::TooLarge));
            }
            cx.report.part(LISTING, scan.items.len(), scan.gaps.len());
        }
        scan.finished(empty)
    }

    /// The entries of a region that are selected, and a gap where the list is not whole.
    fn taken(&self, plan: &Plan, region: &Region, listed: Listed<Found>) -> Scan {
        let mut scan = Scan::default();
        let mut rest = listed.rest;
        for Found { name, facts } in listed.found {
            if !names::is_path(&name) {
                rest.get_or_insert(ProviderError::BadAnswer);
            } else if plan.takes(region.as_str(), &name) {
                scan.items.push(Item::new(region.as_str().to_owned(), name, print(&facts), &facts));
            }
        }
        scan.items.sort_by(|a, b| a.name.cmp(&b.name));
        scan.items.dedup_by(|a, b| a.name == b.name);
        scan.gaps.extend(rest.map(|cause| self.of_region(region, cause)));
        scan
    }

    async fn values(&self, cx: &Context<'_>, entries: &[String]) -> Result<Vec<Result<Entry, Unread>>, Failure> {
        let (plan, calls) = self.sign_in(cx).await?;
        let mut found: Vec<Option<Result<Entry, Unread>>> = entries.iter().map(|_| None).collect();
        let mut by_region: BTreeMap<&str, (&Region, Vec<usize>, Vec<&str>)> = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            match plan.split(entry) {
                None => found[at] = Some(Err(Unread::not_selected(entry))),
                Some((region, name)) => {
                    let (_, places, names) =
                        by_region.entry(region.as_str()).or_insert_with(|| (region, Vec::new(), Vec::new()));
                    places.push(at);
                    names.push(name);
                }
            }
        }
        for (region, places, names) in by_region.into_values() {
            let answers = (self.read)(&calls, region, names).await;
            for (at, answer) in places.into_iter().zip(answers) {
                found[at] = Some(self.entry(&entries[at], answer));
            }
        }
        let missing = |entry: &String| Err(Unread::new(entry, ProviderError::BadAnswer, "AWS did not answer for it."));
        Ok(found.into_iter().zip(entries).map(|(one, entry)| one.unwrap_or_else(|| missing(entry))).collect())
    }

    fn entry(&self, entry: &str, answer: Result<held::Held, held::Unread>) -> Result<Entry, Unread> {
        let unread = match answer {
            Ok(held) => {
                return Ok(match &held.content {
                    Content::Text(text) => Entry::of_text(text, held.version),
                    Content::Bytes(bytes) => Entry::of_bytes(bytes, held.version),
                });
            }
            Err(unread) => unread,
        };
        let (_, each) = self.rights;
        let right = each.first().copied().unwrap_or_default();
        Err(match unread {
            held::Unread::Denied => {
                Unread::new(entry, ProviderError::Aws(Refusal::Denied { action: right }), &denied(right))
            }
            held::Unread::Unusable => Unread::new(entry, ProviderError::NotFound, UNUSABLE),
            held::Unread::Failed(ProviderError::NotFound) => Unread::new(entry, ProviderError::NotFound, MISSING),
            held::Unread::Failed(cause) => {
                let because = self.because(&cause);
                Unread::new(entry, cause, &because)
            }
        })
    }
}

const MISSING: &str = "AWS doesn't have it in this region. Check its name, and whether it was deleted.";
const UNUSABLE: &str = "AWS doesn't give it out: it waits to be deleted, or the key that encrypts it is disabled.";

fn denied(right: &str) -> String {
    format!("AWS denied {right} on it, or kms:Decrypt on the key that encrypts it. Allow both in the policy.")
}

/// Another one is a change of the entry.
fn print(facts: &Facts) -> String {
    let changed = facts.changed.map(|at| at.to_rfc3339()).unwrap_or_default();
    if facts.version.is_empty() { changed } else { facts.version.clone() }
}

fn moment(seconds: Option<f64>) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds? as i64, 0)
}

struct Regional(&'static Api);

impl Scanner for Regional {
    fn family(&self) -> Family {
        Family::SecretStore
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
        Box::pin(async move {
            let stopped = || Err(self.0.of_all(LISTING, ProviderError::Stopped));
            cx.stop.run_until_cancelled(self.0.scan(cx)).await.unwrap_or_else(stopped)
        })
    }

    fn selects(&self, settings: &Values) -> Selects {
        match Plan::of(settings) {
            Some(plan) => Box::new(move |region, name| plan.takes(region, name)),
            None => Box::new(|_, _| true),
        }
    }
}

impl Store for Regional {
    fn read<'a>(
        &'a self,
        cx: &'a Context<'a>,
        entries: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Result<Entry, Failure>>, Failure>> {
        Box::pin(async move { answers(self.0.values(cx, entries).await?) })
    }

    fn known_faults(&self) -> Vec<String> {
        let (all, each) = self.0.rights;
        let causes = all.iter().map(|action| ProviderError::Aws(Refusal::Denied { action }));
        let causes = causes.chain([ProviderError::Aws(Refusal::UnknownKey), ProviderError::Aws(Refusal::RegionOff)]);
        let mut faults: Vec<String> = causes.map(|cause| capital(&self.0.because(&cause))).collect();
        faults.extend(each.first().map(|right| denied(right)));
        faults.extend([MISSING, UNUSABLE].map(str::to_owned));
        faults
    }
}
