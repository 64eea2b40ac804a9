//! The scan of Azure's function apps: sign in, find the subscriptions, list the apps of each, and the slots of each app,
//! eight subscriptions at a time. A subscription that cannot be read is a gap.

use std::collections::HashSet;

use futures_util::StreamExt;

use super::Plan;
use crate::integrations::azure::{Visit, because, of_subscription};
use crate::integrations::context::Context;
use crate::integrations::cover::{self, Cover};
use crate::integrations::functions::function::{Cloud, Facts};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Judge, Scan};
use crate::providers::ProviderError;
use crate::providers::azure::line::{Line, is_denied};
use crate::providers::azure::management::{API, Subscription};
use crate::providers::azure::sites::{App, Apps, function_apps, slots};
use crate::providers::oci_registry::Pages;

const LISTING: Step = Step { label: "Listing function apps", doing: "Listing the function apps" };
const LISTING_SLOTS: Step = Step { label: "Listing function apps", doing: "Listing the deployment slots" };
const READING: Step = Step { label: "Reading function apps", doing: "Reading the description" };

/// Subscriptions that are read at once, and apps of each whose slots are.
const AT_ONCE: usize = 8;
/// More function apps than this are not taken in by one scan.
const MAX_APPS: usize = 200_000;
/// So many entries of a subscription that cannot be read are named; the rest is counted.
const NAMED: usize = 20;

/// Scans; stops soon after `cx.stop` is cancelled.
pub(super) async fn scan(cx: &Context<'_>) -> Result<Scan, Gap> {
    let stopped = || Err(of_all(Step::SIGNING_IN, ProviderError::Stopped));
    cx.stop.run_until_cancelled(read(cx)).await.unwrap_or_else(stopped)
}

/// Signs in, finds the subscriptions, and reads a page of the first, and the slots of an app in it. A sentence about what
/// was found.
pub(super) async fn check(cx: &Context<'_>) -> Result<String, Gap> {
    let (visit, line, plan) = sign_in(cx).await?;
    let (subscriptions, _) = visit.subscriptions(&line).await?;
    let first = &subscriptions[0];
    let apps =
        function_apps(&line, first, Pages::First).await.map_err(|cause| of_subscription(LISTING, first, cause))?;
    if let Some(app) = apps.found.first().filter(|_| plan.slots) {
        slots(&line, first, app).await.map_err(|cause| of_slots(first, Some(app), cause))?;
    }
    let listed = match apps.found.len() {
        0 => "no function apps".to_owned(),
        1 => "1 function app".to_owned(),
        several => format!("{several} function apps"),
    };
    let others = match subscriptions.len() - 1 {
        0 => String::new(),
        1 => " One other subscription will be read too.".to_owned(),
        several => format!(" {several} other subscriptions will be read too."),
    };
    Ok(format!("Azure let Strongroom in and lists {listed} on its first page of {}.{others}", first.title()))
}

async fn sign_in<'a>(cx: &'a Context<'a>) -> Result<(Visit<'a>, Line<'a>, Plan), Gap> {
    let visit = Visit::sign_in(cx, &API).await?;
    let line = visit.line(&API).await.map_err(|cause| of_all(Step::SIGNING_IN, cause))?;
    Ok((visit, line, Plan::of(cx.settings)))
}

async fn read(cx: &Context<'_>) -> Result<Scan, Gap> {
    cx.report.step(Step::SIGNING_IN);
    let (visit, line, plan) = sign_in(cx).await?;
    cx.report.step(Step::LISTING_SUBSCRIPTIONS);
    let (subscriptions, missing) = visit.subscriptions(&line).await?;
    cx.report.parts(LISTING, subscriptions.len(), missing.iter().len());
    let reader = &Reader { line: &line, plan: &plan, judge: Judge::default() };
    let (mut scan, mut empty) = (Scan { gaps: missing.into_iter().collect(), ..Scan::default() }, false);
    let work = subscriptions.into_iter().map(|one| async move { Ok((reader.of_subscription(&one).await?, one)) });
    let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
    while let Some(found) = finished.next().await {
        let (mut found, subscription): (Scan, Subscription) = found?;
        empty |= found.items.is_empty() && found.gaps.is_empty();
        if scan.items.len() + found.items.len() > MAX_APPS {
            let covers = vec![Cover::unread(scope_of(&subscription))];
            found = Scan { covers, ..Scan::gap(of_subscription(LISTING, &subscription, ProviderError::TooLarge)) };
        }
        scan.add(found);
        cx.report.part(LISTING, scan.items.len(), scan.gaps.len());
    }
    scan.finished(empty)
}

struct Reader<'a> {
    line: &'a Line<'a>,
    plan: &'a Plan,
    judge: Judge,
}

impl Reader<'_> {
    async fn of_subscription(&self, of: &Subscription) -> Result<Scan, Gap> {
        let apps = function_apps(self.line, of, Pages::All).await;
        let mut scan = match self.judge.judged(apps, |cause| of_subscription(LISTING, of, cause))? {
            Ok(apps) => {
                let covers = vec![Cover::read(scope_of(of), self.plan.slots && self.plan.names.take_all())];
                let mut scan = Scan { covers, gaps: self.gaps(of, LISTING, &apps, None), ..Scan::default() };
                let mut taken: Vec<App> = apps.found;
                taken.retain(|app| self.plan.takes(&place(of, app), &app.name));
                if self.plan.slots {
                    scan.add(self.slots_of(of, &taken).await?);
                }
                scan.items.extend(taken.into_iter().map(|app| item(of, app)));
                scan
            }
            Err(gap) => Scan { covers: vec![Cover::unread(scope_of(of))], ..Scan::gap(gap) },
        };
        let mut names = HashSet::new();
        scan.items.retain(|item| names.insert((item.place.clone(), item.name.clone())));
        Ok(scan)
    }

    /// A right that is missing is said once.
    async fn slots_of(&self, of: &Subscription, apps: &[App]) -> Result<Scan, Gap> {
        let mut scan = Scan::default();
        let work = (0..apps.len()).map(|at| async move { (&apps[at], slots(self.line, of, &apps[at]).await) });
        let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
        while let Some((app, found)) = finished.next().await {
            if let Err(cause) = &found
                && is_denied(cause)
            {
                let gap = of_slots(of, None, cause.clone());
                scan.gaps.push(self.judge.gap(gap)?);
                return Ok(scan);
            }
            match self.judge.judged(found, |cause| of_slots(of, Some(app), cause))? {
                Ok(slots) => {
                    scan.gaps.extend(self.gaps(of, LISTING_SLOTS, &slots, Some(app)));
                    scan.items.extend(slots.found.into_iter().map(|slot| item(of, slot)));
                }
                Err(gap) => scan.gaps.push(gap),
            }
        }
        Ok(scan)
    }

    /// What is missing of a subscription's list, or of the slots of one app in it.
    fn gaps(&self, of: &Subscription, step: Step, apps: &Apps, within: Option<&App>) -> Vec<Gap> {
        let whole = |cause: ProviderError| match within {
            None => of_subscription(step, of, cause),
            Some(app) => of_slots(of, Some(app), cause),
        };
        let named = |name: &&String| name.is_empty() || self.plan.names.take(name.split('/').next().unwrap_or(name));
        let mut odd: Vec<&String> = apps.unreadable.iter().filter(named).collect();
        let more = odd.split_off(odd.len().min(NAMED)).len();
        let mut gaps: Vec<Gap> = odd
            .into_iter()
            .map(|name| if name.is_empty() { whole(ProviderError::BadAnswer) } else { of_entry(of, name) })
            .collect();
        if more > 0 {
            gaps.push(whole(ProviderError::BadAnswer).with_others(more));
        }
        gaps.extend(apps.rest.clone().map(whole));
        gaps
    }
}

/// Azure lists the apps of a subscription in one: its regions are no scopes of their own.
fn scope_of(subscription: &Subscription) -> String {
    cover::functions("azure", &subscription.id, None)
}

fn place(of: &Subscription, app: &App) -> String {
    format!("{}/{}", of.id, app.region)
}

fn item(of: &Subscription, app: App) -> Item {
    let modified = app.modified.map(|at| at.to_rfc3339()).unwrap_or_default();
    let own = app.own_identity.then(|| "System-assigned identity".to_owned());
    let facts = Facts {
        cloud: Cloud::Azure,
        account: of.name.clone(),
        package: if app.is_image { "Image" } else { "" }.to_owned(),
        system: if app.is_linux { "Linux" } else { "Windows" }.to_owned(),
        state: app.state.clone(),
        modified: app.modified,
        role: own.into_iter().chain(app.identities.iter().cloned()).collect::<Vec<_>>().join(", "),
        runtime: app.runtime.clone().unwrap_or_default(),
        ..Facts::default()
    };
    // Azure has no hash of the code, and sets the date with every deployment and every change of the settings.
    Item::new(place(of, &app), app.title(), modified, &facts)
}

/// Azure as a whole failed at a step.
fn of_all(step: Step, cause: ProviderError) -> Gap {
    let because = because(&cause);
    Gap::new(step, "", cause, because)
}

/// The slots of an app could not be listed; without one, those of all apps of the subscription.
fn of_slots(of: &Subscription, app: Option<&App>, cause: ProviderError) -> Gap {
    let because = format!("{} Or switch Deployment slots off.", because(&cause));
    let (at, hides) = match app {
        None => (of.title(), Hides::Nested(of.id.clone())),
        Some(app) => {
            let place = place(of, app);
            (format!("{place}/{}", app.name), Hides::Below { place, paths: vec![app.name.clone()] })
        }
    };
    Gap::new(LISTING_SLOTS, at, cause, because).hiding(hides)
}

/// An entry of a list that cannot be read. What an earlier scan found in the subscription is kept: the place is unknown.
fn of_entry(of: &Subscription, name: &str) -> Gap {
    let because = "Azure described it in a way that Strongroom does not understand. Report this, or add the app to \
                   Function apps to exclude.";
    let gap = Gap::new(READING, format!("{}/{name}", of.id), ProviderError::BadAnswer, because.to_owned());
    gap.hiding(Hides::PlacesBelow(of.id.clone()))
}
