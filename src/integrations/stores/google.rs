//! Google's Secret Manager: the form, the rights it needs, the names of the secrets of its projects, and the latest
//! versions of single ones. Secrets that are kept in one region are not read.

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};

use super::entry::Facts;
use super::names::{self, ENTRIES, EXCLUDE};
use super::store::{Entry, Store, Unread, answers};
use crate::form::{Field, Values};
use crate::integrations::Family;
use crate::integrations::context::Context;
use crate::integrations::google::{self, Scope, Visit, because};
use crate::integrations::patterns::Names;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Judge, Scan};
use crate::integrations::spec::{Does, Grants, Host, Scanner, Selects, Spec, Use, suits_all};
use crate::providers::endpoints::Service;
use crate::providers::gcp::line::{Line, Listed};
use crate::providers::gcp::secrets::{self, Secret, is_secret, latest};
use crate::providers::gcp::{Refusal, Right, Why, projects};
use crate::providers::oci_registry::Pages;
use crate::providers::{Failure, ProviderError, capital};

pub static GOOGLE: Spec = Spec {
    slug: "google_secrets",
    label: "Google Secret Manager",
    fields: FIELDS,
    uses: &[Use::main(&["gcp"])],
    host: Host::Vendor(|_| Some(secrets::API.host.to_owned())),
    suits: suits_all,
    grants,
    check: Some(|cx| Box::pin(check(cx))),
    does: Does::Store(&Projects),
};

static FIELDS: &[Field] = &[google::PROJECTS, google::PROJECT_IDS, ENTRIES.placeholder("team-*"), EXCLUDE];

struct Plan {
    scope: Scope,
    names: Names,
}

impl Plan {
    fn of(settings: &Values) -> Self {
        Self { scope: Scope::of(settings), names: names::selected(settings) }
    }

    fn takes(&self, project: &str, name: &str) -> bool {
        self.scope.takes(project) && self.names.take(name)
    }

    /// Project and name of an entry that the settings select. The credential's own project is `own`.
    fn split<'a>(&self, entry: &'a str, own: &str) -> Option<(&'a str, &'a str)> {
        let (project, name) = entry.split_once('/')?;
        let here = self.scope != Scope::Own || project == own;
        (here && projects::is_project(project) && is_secret(name) && self.takes(project, name))
            .then_some((project, name))
    }
}

fn grants(settings: &Values, _name: &str) -> Grants {
    let scope = Scope::of(settings);
    let mut permissions = vec![secrets::LISTS.permission, secrets::READS.permission];
    if scope == Scope::All {
        permissions.push(projects::SEES.permission);
    }
    let policy = google::grant(&scope, "may list and read the secrets", "strongroomSecrets", &permissions);
    Grants { role: None, policies: vec![policy] }
}

const LISTING: Step = Step { label: "Listing entries", doing: "Listing the entries" };
/// Projects that are listed, and secrets that are read, at once.
const AT_ONCE: usize = 8;
/// More entries than this are not taken in by one scan.
const MAX_ENTRIES: usize = 200_000;

fn of_all(step: Step, cause: ProviderError) -> Gap {
    let because = because(&cause);
    Gap::new(step, "", cause, because)
}

fn of_project(project: &str, cause: ProviderError) -> Gap {
    let because = because(&cause);
    Gap::new(LISTING, project, cause, because).hiding(Hides::Place(project.to_owned()))
}

async fn open<'a>(cx: &'a Context<'a>) -> Result<(Visit<'a>, Line<'a>), Gap> {
    let visit = Visit::sign_in(cx).await?;
    let line = visit.line(Service::GoogleSecrets, &secrets::API).await;
    let line = line.map_err(|cause| of_all(Step::SIGNING_IN, cause))?;
    Ok((visit, line))
}

async fn check(cx: &Context<'_>) -> Result<Option<String>, Failure> {
    let (visit, line) = open(cx).await?;
    let (projects, _) = visit.projects().await?;
    let Some(project) = projects.first() else { return Ok(None) };
    let listed = secrets::secrets(&line, project, Pages::First).await;
    let listed = listed.map_err(|cause| of_project(project, cause))?;
    let listed = match listed.entries.len() {
        0 => "no secrets".to_owned(),
        1 => "1 secret".to_owned(),
        several => format!("{several} secrets on the first page"),
    };
    let others = match projects.len() - 1 {
        0 => String::new(),
        1 => " One other project will be read too.".to_owned(),
        several => format!(" {several} other projects will be read too."),
    };
    Ok(Some(format!("Google let Strongroom in and lists {listed} in {project}.{others}")))
}

async fn walk(cx: &Context<'_>) -> Result<Scan, Gap> {
    cx.report.step(Step::SIGNING_IN);
    let (visit, line) = open(cx).await?;
    let (projects, missing) = visit.projects().await?;
    cx.report.parts(LISTING, projects.len(), 0);
    let (plan, judge, line) = (&Plan::of(cx.settings), &Judge::default(), &line);
    let (mut scan, mut empty) = (Scan::default(), false);
    scan.gaps.extend(missing);
    let mut work = Vec::with_capacity(projects.len());
    for project in &projects {
        work.push(async move {
            let listed = secrets::secrets(line, project, Pages::All).await;
            // An organisation has many projects without secrets; one that is named should have the API.
            let listed = match listed {
                Err(ProviderError::Google(Refusal { why: Why::ApiOff { .. }, .. })) if plan.scope == Scope::All => {
                    return Ok(Scan::default());
                }
                listed => judge.judged(listed, |cause| of_project(project, cause))?,
            };
            Ok(listed.map_or_else(Scan::gap, |listed| taken(plan, project, listed)))
        });
    }
    let mut work = stream::iter(work).buffer_unordered(AT_ONCE);
    while let Some(found) = work.next().await {
        let found: Scan = found?;
        empty |= found == Scan::default();
        scan.add(found);
        if scan.items.len() > MAX_ENTRIES {
            return Err(of_all(LISTING, ProviderError::TooLarge));
        }
        cx.report.part(LISTING, scan.items.len(), scan.gaps.len());
    }
    scan.finished(empty)
}

fn taken(plan: &Plan, project: &str, listed: Listed<Secret>) -> Scan {
    let mut scan = Scan::default();
    for Secret { name, made } in listed.entries {
        if plan.takes(project, &name) {
            let facts = Facts { kind: "Secret".to_owned(), changed: made, ..Facts::default() };
            let print = made.map(|at| at.to_rfc3339()).unwrap_or_default();
            scan.items.push(Item::new(project.to_owned(), name, print, &facts));
        }
    }
    scan.items.sort_by(|a, b| a.name.cmp(&b.name));
    scan.items.dedup_by(|a, b| a.name == b.name);
    scan.gaps.extend(listed.rest.map(|cause| of_project(project, cause)));
    scan
}

struct Projects;

impl Scanner for Projects {
    fn family(&self) -> Family {
        Family::SecretStore
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
        Box::pin(async move {
            let stopped = || Err(of_all(LISTING, ProviderError::Stopped));
            cx.stop.run_until_cancelled(walk(cx)).await.unwrap_or_else(stopped)
        })
    }

    fn selects(&self, settings: &Values) -> Selects {
        let plan = Plan::of(settings);
        Box::new(move |project, name| plan.takes(project, name))
    }
}

impl Store for Projects {
    fn read<'a>(
        &'a self,
        cx: &'a Context<'a>,
        entries: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Result<Entry, Failure>>, Failure>> {
        Box::pin(async move {
            let (visit, line) = open(cx).await?;
            let plan = Plan::of(cx.settings);
            let mut work = Vec::with_capacity(entries.len());
            for entry in entries {
                work.push(read_one(&line, &plan, &visit.own, entry));
            }
            answers(stream::iter(work).buffered(AT_ONCE).collect().await)
        })
    }

    fn known_faults(&self) -> Vec<String> {
        let refused = |right: &'static Right, why: Why| ProviderError::Google(Refusal { why, right });
        let off = Why::ApiOff { consumer: String::new() };
        let causes = [
            refused(&secrets::LISTS, Why::Denied),
            refused(&secrets::READS, Why::Denied),
            refused(&secrets::LISTS, off),
        ];
        let mut faults: Vec<String> = causes.iter().map(|cause| capital(&because(cause))).collect();
        faults.extend([MISSING, UNUSABLE].map(str::to_owned));
        faults
    }
}

const MISSING: &str = "Google doesn't have it, or it has no version. Check its name and the project.";
const UNUSABLE: &str = "Google doesn't give it out: its latest version is disabled or destroyed. Add a version.";

async fn read_one(line: &Line<'_>, plan: &Plan, own: &str, entry: &str) -> Result<Entry, Unread> {
    let Some((project, name)) = plan.split(entry, own) else { return Err(Unread::not_selected(entry)) };
    match latest(line, project, name).await {
        Ok(held) => Ok(Entry::of_bytes(&held.bytes, held.version)),
        Err(ProviderError::UnexpectedStatus { status: 400 }) => {
            Err(Unread::new(entry, ProviderError::NotFound, UNUSABLE))
        }
        Err(ProviderError::NotFound) => Err(Unread::new(entry, ProviderError::NotFound, MISSING)),
        Err(cause) => {
            let because = because(&cause);
            Err(Unread::new(entry, cause, &because))
        }
    }
}
