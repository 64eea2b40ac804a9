//! The first page: the estate in figures, what needs attention in groups, how old secrets are, what ran last. Every
//! number is that of the list that it leads to.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use self::ages::Chart;
use self::figures::Figure;
use self::first_steps::Step;
use self::groups::{Amount, Group};
use super::error::Error;
use super::integrations::inventory;
use super::integrations::shown::{self, counted, grouped};
use super::page::{self, Shell, When};
use super::session::{As, Auditor};
use crate::accounts::Role;
use crate::credentials;
use crate::models::attention::{self, Attention};
use crate::models::cloud_keys;
use crate::models::credential_limits::Limits;
use crate::models::credential_summary::{self, Summary};
use crate::models::daily_figures::{self, Day, Figures};
use crate::models::discovery::{self, Counts, Query, Sort};
use crate::models::runs::{self, RunState};
use crate::models::sample::{self, Loaded};
use crate::models::unwell::{self, Cause};
use crate::models::{self, Conn, DbError};
use crate::services::Services;
use crate::vault::Vault;

mod ages;
mod figures;
pub mod first_steps;
mod groups;
mod lines;

/// Rows of a group.
const EACH: i64 = 3;
/// Of the last runs.
const RUNS: i64 = 6;

#[derive(Template)]
#[template(path = "dashboard/show.html")]
struct Show {
    shell: Shell,
    /// When the whole store was last verified.
    verified: Option<When>,
    /// `None`: they are done, hidden, or another's business.
    steps: Option<Vec<Step>>,
    /// The path of the key ring.
    keyring: String,
    /// `None`: there is none, and the console is not empty.
    sample: Option<SampleView>,
    figures: Vec<Figure>,
    groups: Vec<Group>,
    ages: Option<Chart>,
    /// Of the keys in cloud accounts that are not stored here.
    found: Option<Chart>,
    /// The one limit of all that have one, in days; `None` when they differ.
    limit: Option<i32>,
    runs: Vec<RunLine>,
    types: Vec<Type>,
}

/// A type of credentials and how many there are.
struct Type {
    slug: String,
    label: String,
    count: String,
}

struct RunLine {
    href: String,
    name: String,
    tone: &'static str,
    /// Its state in a word, and what came of it.
    text: String,
    at: When,
}

/// All that the page is made of.
struct Found {
    summary: Summary,
    found_ages: [cloud_keys::Count; 4],
    discovered: Counts,
    open: Vec<discovery::Line>,
    attention: Vec<Attention>,
    unwell: Vec<Cause>,
    recent: Vec<runs::Recent>,
    steps: Option<Vec<Step>>,
    sample: Option<SampleView>,
    past: Vec<Day>,
    now: DateTime<Utc>,
}

/// For whom and by what the page is made.
struct For {
    vault: Arc<Vault>,
    limits: Limits,
    /// The limit of what is not stored yet, in days.
    usual: Option<i32>,
    is_administrator: bool,
}

/// Sample data that is there, or that is offered to an administrator of an empty console.
struct SampleView {
    loaded: Loaded,
}

fn sample(conn: &mut Conn, reader: &For) -> Result<Option<SampleView>, DbError> {
    let loaded = sample::loaded(conn)?;
    let shown = loaded.any() || (reader.is_administrator && sample::is_console_empty(conn)?);
    Ok(shown.then_some(SampleView { loaded }))
}

fn read(conn: &mut Conn, reader: &For) -> Result<Found, DbError> {
    let (now, limits) = (models::clock(conn)?, &reader.limits);
    let summary = credential_summary::summary(conn, limits)?;
    let sample = sample(conn, reader)?;
    let loaded = sample.as_ref().map(|sample| sample.loaded).unwrap_or_default();
    let steps = if reader.is_administrator { first_steps::read(conn, &reader.vault, &summary, loaded)? } else { None };
    let discovered = discovery::counts(conn)?;
    let open = Query { sort: Sort::All, not_covered: true, search: String::new(), from: None, size: EACH };
    let any_open = discovered.open_registries + discovered.open_functions > 0;
    Ok(Found {
        summary,
        steps,
        sample,
        past: daily_figures::before_today(conn, lines::DAYS)?,
        found_ages: cloud_keys::ages(conn, reader.usual.unwrap_or(0))?,
        discovered,
        open: if any_open { discovery::page(conn, &open)?.lines } else { Vec::new() },
        attention: attention::list(conn, limits, EACH, now)?,
        unwell: unwell::causes(conn, EACH)?,
        recent: runs::recent(conn, RUNS)?,
        now,
    })
}

pub async fn show(services: Data<Services>, request: HttpRequest, visitor: As<Auditor>) -> Result<HttpResponse, Error> {
    let limits = services.limits();
    let usual = limits.of_kind(credentials::aws::KIND.slug, true);
    let is_administrator = visitor.may(Role::Administrator);
    let reader = For { vault: services.vault.clone(), limits, usual, is_administrator };
    let found = services.db.run(move |conn| read(conn, &reader)).await?;
    let verified = services.alerts.verified().and_then(|verified| verified.at);
    let verified = verified.map(|at| page::when(at, found.now));
    let keyring = services.settings.store.keyring_file().display().to_string();
    let shell = Shell::new(&request, &visitor, "dashboard");
    page::html(&Show { verified, keyring, ..Show::new(shell, found, usual) })
}

impl Show {
    fn new(mut shell: Shell, found: Found, usual: Option<i32>) -> Self {
        let Found { summary, found_ages, discovered, open, attention, unwell, recent, steps, sample, past, now } =
            found;
        shell.totals.credentials = Some(cloud_keys::Count { number: summary.total(), more: false });
        let limit = summary.limits.map_or(usual, |(least, greatest)| (least == greatest).then_some(least));
        let mut figures = figures::figures(&summary, limit, (&attention, &unwell, discovered));
        figures::draw(&mut figures, &past, (now.date_naive(), Figures::of(&summary, &unwell, discovered)));
        let groups = groups::Found { summary: &summary, limit, attention, unwell, discovered, open, now };
        Self {
            verified: None,
            keyring: String::new(),
            steps,
            sample,
            figures,
            groups: groups.groups(shell.may_edit),
            ages: ages::stored(&summary, limit),
            found: ages::found(found_ages, usual),
            limit,
            runs: recent.into_iter().map(|recent| run_line(recent, now)).collect(),
            types: summary.kinds.iter().map(|(slug, count)| of_type(slug, *count)).collect(),
            shell,
        }
    }
}

fn of_type(slug: &str, count: i64) -> Type {
    let label = credentials::find(slug).map_or("Unsupported type", |kind| kind.label);
    Type { slug: slug.to_owned(), label: label.to_owned(), count: grouped(count) }
}

fn run_line(recent: runs::Recent, now: DateTime<Utc>) -> RunLine {
    let runs::Recent { run, integration, name, family, version: _ } = recent;
    let at = run.ended_at.or(run.started_at).unwrap_or(run.queued_at);
    let (tone, word) = shown::state(run.state.word());
    let text = match (run.state, run.started_at, run.ended_at) {
        (RunState::Succeeded | RunState::Partly, Some(start), Some(end)) => {
            let gaps = if run.gaps > 0 { format!(", {}", counted(run.gaps.into(), "gap")) } else { String::new() };
            let found = counted(run.found.into(), inventory::of(&family).noun);
            format!("{word} · {found}{gaps} in {} s", (end - start).num_seconds().max(1))
        }
        (RunState::Failed, ..) => run.error.map_or_else(|| word.to_owned(), |error| format!("{word} · {error}")),
        _ => word.to_owned(),
    };
    RunLine { href: format!("/integrations/{integration}"), name, tone, text, at: page::brief(at, now) }
}
