//! One credential: everything but the secret, everywhere it is used, the policies it needs, what was done to it.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use super::limit::LimitView;
use super::policies::{self, MOST_INTEGRATIONS, Policies};
use super::trials::via;
use super::view::{self, Age, Ages, Badge, FindingView, MOST_USAGES, Usage, Used};
use crate::credentials::{self, Kind};
use crate::draft::Shown;
use crate::form::{Control, Errors, Values};
use crate::integrations::Spec;
use crate::models::credentials::Credential;
use crate::models::events::{self, Action, Filter};
use crate::models::integration_list::Line;
use crate::models::integrations::Integration;
use crate::models::provider_facts::Told;
use crate::models::trust::Trusted;
use crate::models::{self, CredentialId, DbError, alerts, usages};
use crate::providers::probe::Verdict;
use crate::services::Services;
use crate::web::alerts::view::AlertView;
use crate::web::audit::fold::{Folded, fold};
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell, When, when};
use crate::web::session::{As, Auditor};
use crate::web::step_up::Ask;

/// Usages in the picture on the first tab; the second has them all.
const MOST_PICTURED: usize = 8;
/// Events on the page; the audit trail has them all.
const MOST_EVENTS: usize = 30;
/// Events that those lines are made of.
const MOST_READ: i64 = 200;

struct Entry {
    tone: &'static str,
    text: String,
    detail: String,
    at: When,
    /// Of a line that stands for several events: how many, and when the first was.
    again: Option<(usize, When)>,
}

/// Label, text, and whether it is one of the values that people compare letter by letter.
struct Fact {
    label: String,
    text: String,
    exact: bool,
}

#[derive(Template)]
#[template(path = "credentials/show.html", blocks = ["test"])]
pub struct Show {
    shell: Shell,
    row: Credential,
    kind: String,
    shown: Shown,
    facts: Vec<Fact>,
    age: Age,
    pub limit: LimitView,
    /// What is open about it.
    alerts: Vec<AlertView>,
    badges: Vec<Badge>,
    intact: bool,
    created: When,
    edited: When,
    set: When,
    used: Option<When>,
    expires: Option<When>,
    usages: Vec<Usage>,
    /// Of the first of them, by which way they get there.
    ways: Vec<String>,
    history: Vec<Entry>,
    policies: Policies,
    told: Told,
    ages: Ages,
    last_test: Option<Tested>,
    /// What a test found just now.
    finding: Option<FindingView>,
}

/// The recorded test.
struct Tested {
    badge: Badge,
    sentence: String,
    at: When,
    by: String,
}

pub async fn show(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    path: Path<String>,
) -> Result<HttpResponse, Error> {
    page::html(&load(&services, Shell::new(&request, &visitor, "credentials"), super::id(&path)?).await?)
}

/// By which role each of the first usages gets to its host, or that host alone.
fn ways(used: &Used, using: &[Trusted<Integration>]) -> Vec<String> {
    let role = |line: &Line| {
        let row = using.iter().find(|row| row.id == line.id)?;
        Spec::find(&line.version)?.role(&Values::from_json(row.settings.as_bytes())?)
    };
    let way = |line: &Line| role(line).map_or_else(|| line.host.clone(), |role| via(Some(&role)));
    let clients = used.clients.iter().map(|client| match &client.rule {
        Some(rule) => format!("fetches {rule}"),
        None => "logs in by it".to_owned(),
    });
    used.lines.iter().map(way).chain(clients).take(MOST_PICTURED).collect()
}

impl Show {
    /// The first usages, each with its way.
    fn graph(&self) -> Vec<(&Usage, &str)> {
        self.usages.iter().zip(self.ways.iter().map(String::as_str)).collect()
    }

    /// The page with what a test found just now; for htmx that alone.
    pub fn tested(mut self, request: &HttpRequest, finding: FindingView) -> Result<HttpResponse, Error> {
        self.finding = Some(finding);
        if htmx::asked(request) { page::html(&self.as_test()) } else { page::html(&self) }
    }

    /// The page with a limit that was entered wrongly.
    pub fn with_limit(mut self, entered: &str, errors: &Errors) -> Result<HttpResponse, Error> {
        self.limit.value = entered.to_owned();
        self.limit.error = errors.of("days").map(str::to_owned);
        page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &self)
    }

    /// The page with a limit that needs the password.
    pub fn with_password(mut self, entered: &str, ask: Ask) -> Result<HttpResponse, Error> {
        self.limit.value = entered.to_owned();
        self.limit.password = Some(ask.clone());
        ask.answer(&self)
    }
}

/// Everything that the page shows, as it is now.
pub async fn load(services: &Services, shell: Shell, id: CredentialId) -> Result<Show, Error> {
    let vault = services.vault.clone();
    let (seen, open, (used_by, ways), history, last_test, policies, told, now) = services
        .db
        .run(move |conn| {
            let seen = models::credentials::find(conn, &vault, id)?;
            let row = seen.shown();
            let open = alerts::of_subject(conn, id.0)?;
            let used_by = Used::read(conn, id, MOST_USAGES)?;
            let filter = Filter { subject_id: Some(id.0), ..Filter::default() };
            let history = fold(&events::list(conn, &filter, MOST_READ)?, MOST_EVENTS).0;
            let last_test = models::checkups::last(conn, id)?;
            let told = models::provider_facts::of(conn, id, row.secret_version)?;
            let using = usages::of(conn, &vault, id, MOST_INTEGRATIONS)?;
            let policies = policies::of(&Shown::read(&row.facts), &row.identity, told.identity.as_deref(), &using);
            let ways = ways(&used_by, &using);
            Ok::<_, DbError>((seen, open, (used_by, ways), history, last_test, policies, told, models::clock(conn)?))
        })
        .await?;
    // Reading writes nothing: the page says what it sees, and whoever uses the credential puts it aside.
    let (intact, row) = (seen.doubt().is_none(), seen.into_shown());
    let limit = LimitView::new(&services.limits(), &row, row.stale_after_days);
    let age = Age::new(told.aged_from(row.secret_set_at), now, limit.days);
    let shown = Shown::read(&row.facts);
    let kind = credentials::find(&row.kind);
    Ok(Show {
        shell,
        kind: view::kind_label(&row.kind),
        facts: facts(kind, &row, &shown),
        badges: view::badges_of(&row, age, intact, now),
        created: when(row.created_at, now),
        edited: when(row.edited_at, now),
        set: when(row.secret_set_at, now),
        used: view::used(row.last_used_at, now),
        expires: row.expires_at.map(view::date),
        usages: used_by.list(now),
        ways,
        history: history.into_iter().map(|folded| entry(folded, now)).collect(),
        last_test: last_test.map(|last| Tested {
            badge: view::verdict_badge(&last.verdict),
            sentence: last.sentence,
            at: when(last.at, now),
            by: last.by,
        }),
        ages: Ages::new(&view::kind_label(&row.kind), &told, now),
        policies,
        told,
        finding: None,
        alerts: AlertView::lines(&open, now),
        limit,
        age,
        intact,
        shown,
        row,
    })
}

/// The values that may be shown, in the form's order, then what was read out of the secret ones.
fn facts(kind: Option<&Kind>, row: &Credential, shown: &Shown) -> Vec<Fact> {
    let mut facts = Vec::new();
    for field in kind.map_or(&[][..], |kind| kind.fields) {
        let value = shown.values.get(field.name).map_or("", String::as_str);
        let text = match field.control {
            _ if shown.secrets.iter().any(|name| name == field.name) => "Stored, encrypted",
            // The subtype and the authority have lines of their own.
            Control::Document => continue,
            Control::Choice(options) => options.iter().find(|(option, _)| *option == value).map_or("", |(_, l)| l),
            _ => value,
        };
        if !text.is_empty() {
            let exact = matches!(field.control, Control::Text);
            facts.push(Fact { label: field.label.to_owned(), text: text.to_owned(), exact });
        }
    }
    for (label, text) in &shown.lines {
        if !facts.iter().any(|fact| fact.text == *text) {
            facts.push(Fact { label: label.clone(), text: text.clone(), exact: true });
        }
    }
    if !row.identity.is_empty() && !facts.iter().any(|fact| fact.text == row.identity) {
        facts.insert(0, Fact { label: "Identity".to_owned(), text: row.identity.clone(), exact: true });
    }
    facts
}

/// By the word that the detail begins with.
fn tested(detail: &str) -> &'static str {
    let begins = |verdict: &Verdict| detail.starts_with(verdict.label());
    match Verdict::ALL.iter().find(|verdict| begins(verdict)) {
        Some(verdict) => view::tone(*verdict),
        None => "neutral",
    }
}

fn entry(folded: Folded, now: DateTime<Utc>) -> Entry {
    let Folded { event, times, first } = folded;
    let (tone, done) = match Action::find(&event.action) {
        Some(Action::CredentialCreated) => ("good", "Created"),
        Some(Action::CredentialEdited) => ("neutral", "Edited"),
        Some(Action::CredentialOpened) => ("neutral", "Used"),
        Some(Action::CredentialLimitChanged) => ("neutral", "Age limit changed"),
        Some(Action::CredentialTested) => (tested(&event.detail), "Tested"),
        Some(Action::CredentialDeleteRefused) => ("bad", "Deletion refused"),
        Some(Action::CredentialIntegrityFailure) => ("bad", "Integrity error noticed"),
        Some(other) => ("neutral", other.label()),
        None => ("neutral", event.action.as_str()),
    };
    let again = Some(when(first, now)).filter(|_| times > 1).map(|first| (times, first));
    Entry { tone, text: format!("{done} by {}", event.actor), at: when(event.at, now), detail: event.detail, again }
}
