//! *Replace everywhere*: which usages move to which other credential, what came of trying it, and the way back.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::rotate::{ANYWAY, GOAL, goal};
use super::trials::TrialsView;
use super::view::Usage;
use crate::draft::Shown;
use crate::form::Errors;
use crate::integrations::Spec;
use crate::models::client_usages::Using;
use crate::models::credential_choices::{self, Candidate};
use crate::models::credentials::Credential;
use crate::models::integration_list::{self, Line};
use crate::models::integrations::Integration;
use crate::models::trust::Trusted;
use crate::models::{self, ClientId, CredentialId, DbError, client_usages, usages};
use crate::services::Services;
use crate::usecases::credentials::replace::{self, Chosen, MOST, Moved, Replaced, Replacement, Undone};
use crate::usecases::{Answer, Question, Refusal};
use crate::web::error::Error;
use crate::web::integrations::shown::counted;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up::{self, Ask, FIELD};
use crate::web::{htmx, login};

const TO: &str = "to";
const SEND_TO: &str = "send_to";
const PROOF: &str = "proof";
/// Fields of usages begin so: `usage.ID.ROLE`, with the version of the integration's row.
const USAGE: &str = "usage.";

/// A usage on the form.
struct Row {
    usage: Usage,
    field: String,
    role: String,
    row_version: i64,
    chosen: bool,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "credentials/replace.html", blocks = ["page"])]
struct Replace {
    shell: Shell,
    row: Credential,
    rows: Vec<Row>,
    /// (id, label, chosen)
    choices: Vec<(String, String, bool)>,
    problem: Option<String>,
    /// The usages changed after the page was shown.
    overtaken: bool,
    ask: Option<Question>,
    password: Option<Ask>,
    trials: Option<TrialsView>,
    /// The clients that fetch from it or log in by it, by name: they stay with it.
    clients: Vec<(ClientId, String)>,
}

/// What the page says when it comes back.
#[derive(Default)]
struct Reply {
    errors: Errors,
    ask: Option<Question>,
    password: Option<Ask>,
    overtaken: bool,
    trials: Option<TrialsView>,
}

impl Replace {
    async fn draw(
        services: &Services,
        shell: Shell,
        id: CredentialId,
        posted: Option<&Posted>,
        reply: Reply,
    ) -> Result<Self, Error> {
        let vault = services.vault.clone();
        let find = move |conn: &mut models::Conn| {
            let row = models::credentials::find(conn, &vault, id)?.into_shown();
            let (lines, using) = (integration_list::usages(conn, id, MOST)?, usages::of(conn, &vault, id, MOST)?);
            let candidates = credential_choices::candidates(conn, &kinds(&lines), id)?;
            let clients = left(client_usages::using(conn, id, MOST)?);
            Ok::<_, DbError>((row, lines, using, candidates, clients, models::clock(conn)?))
        };
        let (row, lines, using, candidates, clients, now) = services.db.run(find).await?;
        let to = posted.map_or("", |posted| posted.get(TO));
        let choices = choices(&candidates, &lines, &using, now, to);
        let shown = |line: Line| {
            let field = replace::field(line.id, &line.role);
            Row {
                chosen: posted.is_none_or(|posted| posted.0.contains(&field)),
                error: reply.errors.of(&field).map(str::to_owned),
                role: line.role.clone(),
                row_version: line.row_version,
                usage: Usage::new(line, now),
                field,
            }
        };
        Ok(Self {
            shell,
            row,
            rows: lines.into_iter().map(shown).collect(),
            choices,
            problem: reply.errors.of(TO).map(str::to_owned),
            overtaken: reply.overtaken,
            ask: reply.ask,
            password: reply.password,
            trials: reply.trials,
            clients,
        })
    }
}

/// Each client once, as they are ordered.
fn left(clients: Vec<Using>) -> Vec<(ClientId, String)> {
    let mut clients: Vec<(ClientId, String)> = clients.into_iter().map(|one| (one.client, one.client_name)).collect();
    clients.dedup();
    clients
}

/// Slugs of the types that any of the usages takes.
fn kinds(lines: &[Line]) -> Vec<&'static str> {
    let used = lines.iter().filter_map(|line| Spec::find(&line.version)?.used_as(&line.role));
    let mut kinds: Vec<&str> = used.flat_map(|used| used.kinds).copied().collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// The credentials that at least one of the usages takes: `Harbor robot — robot$ci · 120 days · fits 3 of 4`.
fn choices(
    candidates: &[Candidate],
    lines: &[Line],
    using: &[Trusted<Integration>],
    now: chrono::DateTime<chrono::Utc>,
    chosen: &str,
) -> Vec<(String, String, bool)> {
    let row = |line: &Line| using.iter().find(|row| row.id == line.id);
    let label = |candidate: &Candidate| {
        let values = Shown::read(&candidate.facts).stored();
        let takes =
            |line: &&Line| row(line).is_some_and(|row| replace::fits(row, &line.role, &candidate.kind, &values));
        let fit = lines.iter().filter(takes).count();
        let whose = if candidate.identity.is_empty() { String::new() } else { format!("{} · ", candidate.identity) };
        let age = counted((now - candidate.aged_from).num_days().max(0), "day");
        let some = if fit < lines.len() { format!(" · fits {fit} of {}", lines.len()) } else { String::new() };
        let id = candidate.id.to_string();
        let is_chosen = id == chosen;
        (fit > 0).then(|| (id, format!("{} — {whose}{age}{some}", candidate.name), is_chosen))
    };
    candidates.iter().filter_map(label).collect()
}

/// The usages that were ticked.
fn chosen(posted: &Posted) -> Result<Vec<Chosen>, Error> {
    let read = |name: &str| {
        let (integration, role) = name.strip_prefix(USAGE)?.split_once('.')?;
        let row_version = posted.get(name).parse().ok()?;
        Some(Chosen { integration: integration.parse().ok()?, role: role.to_owned(), row_version })
    };
    let names = posted.0.names().filter(|name| name.starts_with(USAGE));
    names.map(|name| read(name).ok_or(Error::Malformed)).collect()
}

fn only(posted: &Posted, more: &[&'static str]) -> Result<(), Error> {
    let usages: Vec<String> = posted.0.names().filter(|name| name.starts_with(USAGE)).map(str::to_owned).collect();
    posted.only(usages.iter().map(String::as_str).chain([TO]).chain(more.iter().copied()))
}

pub async fn edit(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
) -> Result<HttpResponse, Error> {
    let shell = Shell::new(&request, &visitor, "credentials");
    page::html(&Replace::draw(&services, shell, super::id(&path)?, None, Reply::default()).await?)
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    only(&posted, &[GOAL, ANYWAY, SEND_TO, FIELD])?;
    let (id, chosen, shell) = (super::id(&path)?, chosen(&posted)?, Shell::new(&request, &visitor, "credentials"));
    let to = posted.get(TO).parse::<CredentialId>();
    let Ok(to) = to else {
        let errors = Errors::one(TO, "Choose a credential.");
        return again(&services, &request, shell, id, &posted, Err(Refusal::Invalid(errors))).await;
    };
    let confirmation = step_up::typed(FIELD, &services, &request, &posted);
    let send_to = posted.0.contains(SEND_TO).then(|| posted.get(SEND_TO));
    let answer = Answer { send_to, confirmation };
    let asked = Replacement { from: id, to, chosen: &chosen, goal: goal(&posted)?, answer };
    let done = replace::replace(&services, &visitor.principal(), &asked).await;
    again(&services, &request, shell, id, &posted, done).await
}

/// The page of what was moved, or the form with what came of it.
async fn again(
    services: &Services,
    request: &HttpRequest,
    shell: Shell,
    id: CredentialId,
    posted: &Posted,
    done: Result<Replaced, Refusal>,
) -> Result<HttpResponse, Error> {
    let (mut status, mut wait) = (StatusCode::UNPROCESSABLE_ENTITY, None);
    let reply = match done {
        Ok(Replaced::Moved(moved)) => return show(services, request, shell, id, moved).await,
        Ok(Replaced::Tried { trials, proof }) => {
            status = StatusCode::OK;
            Reply { trials: Some(TrialsView::new(None, trials, proof)), ..Reply::default() }
        }
        Err(Refusal::Invalid(errors)) => Reply { errors, ..Reply::default() },
        Err(Refusal::Destination(question)) => {
            wait = question.seconds;
            Reply { ask: Some(*question), ..Reply::default() }
        }
        Err(Refusal::Unconfirmed(why)) => {
            wait = why.seconds;
            Reply { password: Some(Ask::new(FIELD, why)), ..Reply::default() }
        }
        Err(Refusal::Overtaken) => {
            status = StatusCode::CONFLICT;
            Reply { overtaken: true, ..Reply::default() }
        }
        Err(refusal) => return Err(refusal.into()),
    };
    let status = wait.map_or(status, |_| StatusCode::TOO_MANY_REQUESTS);
    let page = Replace::draw(services, shell, id, Some(posted), reply).await?;
    let response = match htmx::asked(request) {
        true => page::html_with(status, &page.as_page())?,
        false => page::html_with(status, &page)?,
    };
    login::with_wait(response, wait)
}

/// What was moved, and *Undo*.
#[derive(Template)]
#[template(path = "credentials/replaced.html", blocks = ["page"])]
struct Done {
    shell: Shell,
    from: Credential,
    to: Credential,
    usages: Vec<Usage>,
    /// Name and value of what moves them back.
    fields: Vec<(String, String)>,
    /// What is in the way of moving them back.
    changes: Vec<String>,
}

async fn show(
    services: &Services,
    request: &HttpRequest,
    shell: Shell,
    from: CredentialId,
    moved: Moved,
) -> Result<HttpResponse, Error> {
    let vault = services.vault.clone();
    let find = move |conn: &mut models::Conn| {
        Ok::<_, DbError>((models::credentials::find(conn, &vault, from)?.into_shown(), models::clock(conn)?))
    };
    let (from, now) = services.db.run(find).await?;
    let usages = moved.now.iter().map(|one| (one.field(), one.row_version.to_string()));
    let fields = usages.chain([(TO.to_owned(), moved.to.id.to_string()), (PROOF.to_owned(), moved.proof)]).collect();
    let usages = Usage::list(moved.lines, now);
    let page = Done { shell, from, to: moved.to, usages, fields, changes: Vec::new() };
    if htmx::asked(request) { page::html(&page.as_page()) } else { page::html(&page) }
}

/// Moves the usages back.
pub async fn destroy(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    only(&posted, &[PROOF])?;
    let (id, moved, proof) = (super::id(&path)?, chosen(&posted)?, posted.get(PROOF));
    let to = posted.get(TO).parse().map_err(|_| Error::Malformed)?;
    match replace::undo(&services, &visitor.principal(), (id, to), &moved, proof).await? {
        Undone::Back => Ok(page::see_other(&format!("/credentials/{id}#usages"), "moved-back")),
        Undone::Changed(changes) => {
            let shell = Shell::new(&request, &visitor, "credentials");
            not_undone(&services, shell, (id, to), changes).await
        }
    }
}

async fn not_undone(
    services: &Services,
    shell: Shell,
    (from, to): (CredentialId, CredentialId),
    changes: Vec<String>,
) -> Result<HttpResponse, Error> {
    let vault = services.vault.clone();
    let find = move |conn: &mut models::Conn| {
        let mut row = |id| Ok::<_, DbError>(models::credentials::find(conn, &vault, id)?.into_shown());
        Ok::<_, DbError>((row(from), row(to)?))
    };
    let (from, to) = services.db.run(find).await?;
    let from = from.unwrap_or_else(|_| to.clone());
    let page = Done { shell, from, to, usages: Vec::new(), fields: Vec::new(), changes };
    page::html_with(StatusCode::CONFLICT, &page)
}
