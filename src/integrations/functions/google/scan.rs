//! The scan of Google's functions and services: sign in, find the projects, list both kinds of each, eight projects at a
//! time. A project or a location that cannot be read is a gap; an API that a project has switched off is none, since
//! most projects of an organisation use neither.

use std::collections::HashSet;

use futures_util::StreamExt;

use super::{OF_CLOUD_RUN, Plan};
use crate::integrations::context::Context;
use crate::integrations::cover::{self, Cover};
use crate::integrations::functions::function::{Cloud, Facts};
use crate::integrations::google::{Asked, Scope, Visit, because, of_project};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Judge, Scan};
use crate::providers::ProviderError;
use crate::providers::endpoints::Service;
use crate::providers::gcp::line::Line;
use crate::providers::gcp::workload::{Found, Kind, Unreadable, Workload};
use crate::providers::gcp::{Refusal, Why, functions, run};
use crate::providers::oci_registry::Pages;

const LISTING: Step = Step { label: "Listing functions", doing: "Listing the functions" };
const LISTING_SERVICES: Step = Step { label: "Listing functions", doing: "Listing the services of Cloud Run" };
const READING: Step = Step { label: "Reading functions", doing: "Reading the description" };

/// Projects that are read at once.
const AT_ONCE: usize = 8;
/// More functions than this are not taken in by one scan.
const MAX_FUNCTIONS: usize = 200_000;
/// So many entries of a project that cannot be read are named; the rest is counted.
const NAMED: usize = 20;

/// The lines to both APIs.
struct Lines<'a> {
    functions: Line<'a>,
    run: Line<'a>,
}

/// What both APIs said of a project.
struct Answers {
    project: String,
    functions: Result<Found, ProviderError>,
    services: Result<Found, ProviderError>,
}

/// Scans; stops soon after `cx.stop` is cancelled.
pub(super) async fn scan(cx: &Context<'_>) -> Result<Scan, Gap> {
    let stopped = || Err(of_all(Step::SIGNING_IN, ProviderError::Stopped));
    cx.stop.run_until_cancelled(read(cx)).await.unwrap_or_else(stopped)
}

/// Signs in, finds the projects, and reads a page of each kind in the first. A sentence about what was found.
pub(super) async fn check(cx: &Context<'_>) -> Result<String, Gap> {
    let (visit, lines) = sign_in(cx).await?;
    let (projects, _) = visit.projects().await?;
    let project = projects.iter().find(|project| **project == visit.own).or(projects.first()).unwrap_or(&visit.own);
    let answers = ask(&lines, project.clone(), Pages::First).await;
    let mut off = Vec::new();
    let functions =
        seen(answers.functions, "function", &mut off).map_err(|cause| of_project(LISTING, project, cause))?;
    let services =
        seen(answers.services, "service", &mut off).map_err(|cause| of_project(LISTING_SERVICES, project, cause))?;
    let off: String = off.iter().map(|name| format!(" The {name} is switched off.")).collect();
    let others = match projects.len().saturating_sub(1) {
        0 => String::new(),
        1 => " One other project will be read too.".to_owned(),
        several => format!(" {several} other projects will be read too."),
    };
    Ok(format!("Google let Strongroom in and lists {functions} and {services} of Cloud Run in {project}.{off}{others}"))
}

/// `2 functions`; keeps the name of an API that is switched off.
fn seen(answer: Result<Found, ProviderError>, noun: &str, off: &mut Vec<&str>) -> Result<String, ProviderError> {
    let number = match answer {
        Ok(found) => found.workloads.len(),
        Err(ProviderError::Google(Refusal { why: Why::ApiOff { .. }, right })) => {
            off.push(right.api.name);
            0
        }
        Err(cause) => return Err(cause),
    };
    Ok(match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        several => format!("{several} {noun}s"),
    })
}

async fn sign_in<'a>(cx: &'a Context<'a>) -> Result<(Visit<'a>, Lines<'a>), Gap> {
    let visit = Visit::sign_in(cx).await?;
    let failed = |cause| of_all(Step::SIGNING_IN, cause);
    let functions = visit.line(Service::GoogleFunctions, &functions::API).await.map_err(failed)?;
    let run = visit.line(Service::GoogleRun, &run::API).await.map_err(failed)?;
    Ok((visit, Lines { functions, run }))
}

async fn ask(lines: &Lines<'_>, project: String, pages: Pages) -> Answers {
    let (functions, services) =
        tokio::join!(functions::of(&lines.functions, &project, pages), run::of(&lines.run, &project, pages));
    Answers { project, functions, services }
}

async fn read(cx: &Context<'_>) -> Result<Scan, Gap> {
    cx.report.step(Step::SIGNING_IN);
    let (visit, lines) = sign_in(cx).await?;
    cx.report.step(Step::LISTING_PROJECTS);
    let (projects, missing) = visit.projects().await?;
    cx.report.parts(LISTING, projects.len(), missing.iter().len());
    let mut reader = Reader::new(&visit, Plan::of(cx.settings));
    reader.scan.gaps.extend(missing);
    let lines = &lines;
    let work = projects.into_iter().map(|project| ask(lines, project, Pages::All));
    let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
    while let Some(answers) = finished.next().await {
        reader.take(answers)?;
        cx.report.part(LISTING, reader.scan.items.len(), reader.scan.gaps.len());
    }
    reader.finished()
}

struct Reader<'a> {
    visit: &'a Visit<'a>,
    plan: Plan,
    judge: Judge,
    scan: Scan,
    /// A project was read that has nothing.
    empty: bool,
    /// Projects that have both APIs switched off.
    off: Vec<String>,
    functions: Asked,
    services: Asked,
}

impl<'a> Reader<'a> {
    fn new(visit: &'a Visit<'a>, plan: Plan) -> Self {
        Self {
            visit,
            plan,
            judge: Judge::default(),
            scan: Scan::default(),
            empty: false,
            off: Vec::new(),
            functions: Asked::default(),
            services: Asked::default(),
        }
    }

    fn take(&mut self, answers: Answers) -> Result<(), Gap> {
        let project = answers.project;
        let functions = self.functions.kept(&project, answers.functions);
        let services = self.services.kept(&project, answers.services);
        let scope = cover::functions("google", &project, None);
        if functions.is_none() && services.is_none() {
            self.scan.covers.push(Cover::read(scope, self.plan.names.take_all()));
            self.off.push(project);
            self.empty = true;
            return Ok(());
        }
        let is_read = [&functions, &services].iter().all(|answer| !matches!(answer, Some(Err(_))));
        let mut found = Scan::default();
        let functions = self.found(&mut found, &project, LISTING, functions)?;
        let is_whole = found.gaps.is_empty();
        let mut services = self.found(&mut found, &project, LISTING_SERVICES, services)?;
        // What belongs to a function is not known by itself: the gap keeps what was known before.
        services.retain(|service| is_whole || !service.is_managed);
        found.items = items(&self.plan, &project, functions, services);
        self.empty |= found == Scan::default();
        let takes_all = self.plan.names.take_all();
        found.covers.push(if is_read { Cover::read(scope, takes_all) } else { Cover::unread(scope) });
        if self.scan.items.len() + found.items.len() > MAX_FUNCTIONS {
            let covers = found.covers;
            found = Scan { covers, ..Scan::gap(of_project(LISTING, &project, ProviderError::TooLarge)) };
        }
        self.scan.add(found);
        Ok(())
    }

    /// The functions or services of a project; a gap for each part of them that is missing.
    fn found(
        &self,
        scan: &mut Scan,
        project: &str,
        step: Step,
        answer: Option<Result<Found, ProviderError>>,
    ) -> Result<Vec<Workload>, Gap> {
        let Some(answer) = answer else { return Ok(Vec::new()) };
        match self.judge.judged(answer, |cause| of_project(step, project, cause))? {
            Ok(found) => {
                scan.gaps.extend(gaps(&self.plan, project, step, &found));
                Ok(found.workloads)
            }
            Err(gap) => {
                scan.gaps.push(gap);
                Ok(Vec::new())
            }
        }
    }

    fn finished(mut self) -> Result<Scan, Gap> {
        let own = &self.visit.own;
        let off = [
            self.functions.own_is_off(own, LISTING, &functions::API),
            self.services.own_is_off(own, LISTING_SERVICES, &run::API),
        ];
        let mut gaps: Vec<Gap> = off.into_iter().flatten().collect();
        if gaps.is_empty() && self.visit.scope != Scope::All {
            gaps.extend(self.off.iter().map(|project| switched_off(project)));
        }
        self.scan.gaps.extend(gaps);
        self.scan.finished(self.empty)
    }
}

/// Of both kinds, each once: a function of the second generation stands for the service that runs it.
fn items(plan: &Plan, project: &str, functions: Vec<Workload>, services: Vec<Workload>) -> Vec<Item> {
    let place = |one: &Workload| format!("{project}/{}", one.location);
    let ran: HashSet<(String, String)> =
        functions.iter().filter_map(|one| Some((one.location.clone(), one.service.clone()?))).collect();
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    for one in functions {
        if plan.takes(&place(&one), &one.name) && seen.insert((one.location.clone(), one.name.clone())) {
            found.push(item(place(&one), one.name.clone(), one));
        }
    }
    let alone = services.into_iter().filter(|one| !ran.contains(&(one.location.clone(), one.name.clone())));
    for one in alone {
        let taken = |name: &str| seen.contains(&(one.location.clone(), name.to_owned()));
        let name = if taken(&one.name) { format!("{}{OF_CLOUD_RUN}", one.name) } else { one.name.clone() };
        if plan.takes(&place(&one), &name) && seen.insert((one.location.clone(), name.clone())) {
            found.push(item(place(&one), name, one));
        }
    }
    found
}

fn item(place: String, name: String, one: Workload) -> Item {
    let modified = one.modified.map(|at| at.to_rfc3339()).unwrap_or_default();
    let fingerprint = if one.revision.is_empty() { modified } else { one.revision.clone() };
    let is_image = one.runtime.is_none() && one.kind == Kind::Service;
    let facts = Facts {
        cloud: Cloud::Google,
        kind: one.kind.label().to_owned(),
        runtime: one.runtime.unwrap_or_default(),
        package: if is_image { "Image" } else { "" }.to_owned(),
        revision: one.revision,
        state: one.state,
        modified: one.modified,
        role: one.account,
        ..Facts::default()
    };
    Item::new(place, name, fingerprint, &facts)
}

/// What is missing of a project's list.
fn gaps(plan: &Plan, project: &str, step: Step, found: &Found) -> Vec<Gap> {
    let of_location = |location: &str, cause: ProviderError, because: String| {
        let place = format!("{project}/{location}");
        Gap::new(step, &place, cause, because).hiding(Hides::Place(place))
    };
    let unreachable = found.unreachable.iter().map(|location| {
        let because = "Google could not reach this location. Try again later.".to_owned();
        of_location(location, ProviderError::ServerError { status: 503 }, because)
    });
    let mut gaps: Vec<Gap> = unreachable.collect();
    gaps.extend(found.failed.iter().map(|(location, cause)| of_location(location, cause.clone(), because(cause))));
    let unreadable = found.unreadable.iter().filter(|entry| match &entry.place {
        Some((location, name)) => plan.takes(&format!("{project}/{location}"), name),
        None => true,
    });
    let mut odd: Vec<&Unreadable> = unreadable.collect();
    let more = odd.split_off(odd.len().min(NAMED)).len();
    gaps.extend(odd.into_iter().map(|entry| of_entry(project, step, entry)));
    if more > 0 {
        gaps.push(of_project(step, project, ProviderError::BadAnswer).with_others(more));
    }
    gaps.extend(found.rest.iter().map(|cause| of_project(step, project, cause.clone())));
    gaps
}

/// An entry of a list that cannot be read. What an earlier scan found under its name is kept.
fn of_entry(project: &str, step: Step, entry: &Unreadable) -> Gap {
    let Some((location, name)) = &entry.place else { return of_project(step, project, ProviderError::BadAnswer) };
    let place = format!("{project}/{location}");
    let because = "Google described it in a way that Strongroom does not understand. Report this, or add the function to \
                   Functions to exclude.";
    let names = vec![name.clone(), format!("{name}{OF_CLOUD_RUN}")];
    let gap = Gap::new(READING, format!("{place}/{name}"), ProviderError::BadAnswer, because.to_owned());
    gap.hiding(Hides::Items { place, names })
}

/// Both APIs are switched off in a project that the settings name.
fn switched_off(project: &str) -> Gap {
    let because = format!(
        "the {} and the {} are switched off in the project, so that it has no functions. Switch one on, or choose other \
         projects under Projects.",
        functions::API.name,
        run::API.name
    );
    Gap::new(LISTING, project, ProviderError::Forbidden, because).hiding(Hides::Nothing)
}

/// Google as a whole failed at a step.
fn of_all(step: Step, cause: ProviderError) -> Gap {
    let because = because(&cause);
    Gap::new(step, "", cause, because)
}
