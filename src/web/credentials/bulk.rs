//! What is done to the ticked rows of the table. First the form that says to which, and asks what is needed; then each is
//! done by itself, and a page says which were and which were not, and why. Testing takes long, so its page is sent line
//! by line as the answers come.

use std::cell::Cell;
use std::collections::HashSet;
use std::convert::Infallible;
use std::rc::Rc;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use futures_util::{Stream, StreamExt, stream};

use super::query;
use super::view::tone;
use crate::form::Errors;
use crate::models::credential_list;
use crate::models::credential_query::Row;
use crate::models::{Conn, CredentialId, DbError, labels};
use crate::services::Services;
use crate::usecases::credentials::bulk::{self, Act, MOST, Outcome};
use crate::usecases::{Principal, Refusal};
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up::{self, Ask};

/// Tests at the same time: a provider that is slow holds up no other.
const AT_ONCE: usize = 4;
/// What must be typed before many are deleted.
const WORD: &str = "delete";
/// Stands in the page where its lines go.
const LINES: &str = "<!-- lines -->";

/// The fields beside the ids of the rows.
const FIELDS: [&str; 7] = ["do", "all", "filter", "tag", "owner", "days", "word"];

/// What was chosen, and where to go back to.
struct Chosen {
    rows: Vec<Row>,
    back: String,
}

/// The form between the table and the deed.
#[derive(Template)]
#[template(path = "credentials/bulk.html")]
struct Form {
    shell: Shell,
    /// `tag`, `owner`, `limit` or `delete`.
    what: &'static str,
    rows: Vec<Row>,
    /// What stays, and why.
    kept: Vec<(String, &'static str)>,
    back: String,
    entered: String,
    error: Option<String>,
    suggestions: Vec<String>,
    password: Option<Ask>,
}

impl Form {
    /// The field that it asks for.
    fn field(&self) -> &'static str {
        match self.what {
            "limit" => "days",
            "delete" => "word",
            what => what,
        }
    }
}

/// What became of each.
#[derive(Template)]
#[template(path = "credentials/bulk_done.html")]
struct Done {
    shell: Shell,
    title: String,
    /// Where the lines follow later.
    follows: bool,
    lines: Vec<Line>,
    back: String,
}

/// One credential of that page.
struct Line {
    id: CredentialId,
    name: String,
    /// Whether it is there still.
    stays: bool,
    tone: &'static str,
    word: &'static str,
    detail: String,
}

/// The same by itself.
#[derive(Template)]
#[template(path = "credentials/_done.html")]
struct Sent {
    line: Line,
}

pub async fn post(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let shell = Shell::new(&request, &visitor, "credentials");
    let chosen = chosen(&services, &posted).await?;
    let what = match posted.get("do") {
        "test" => return test(services, shell, visitor.principal(), chosen).await,
        "tag" => "tag",
        "owner" => "owner",
        "limit" => "limit",
        "delete" => "delete",
        _ => return done(&services, &request, (shell, visitor), &posted, chosen).await,
    };
    page::html(&form(&services, shell, what, chosen).await?)
}

/// The ticked rows, or all that match.
async fn chosen(services: &Services, posted: &Posted) -> Result<Chosen, Error> {
    let ids: Vec<CredentialId> = posted.0.names().filter_map(|name| name.parse().ok()).collect();
    let known: HashSet<String> = ids.iter().map(ToString::to_string).collect();
    posted.only(FIELDS.into_iter().chain([step_up::FIELD]).chain(known.iter().map(String::as_str)))?;
    let filters = Params::read(posted.get("filter").split_once('?').map_or("", |(_, query)| query));
    let back = query::first_page(&filters, &[]);
    let ids = if posted.get("all") == "yes" {
        let query = query::read(&filters, services.limits())?;
        services.db.run(move |conn: &mut Conn| credential_list::ids(conn, &query, MOST)).await?
    } else {
        ids
    };
    let unacceptable = |text: &str| Err(Error::Unacceptable(text.to_owned()));
    match ids.len() as i64 {
        0 => unacceptable("No credential is selected. Go back and select some."),
        count if count > MOST => unacceptable("That is more than 1,000 credentials at once. Narrow the filters."),
        _ => Ok(Chosen { rows: bulk::chosen(services, ids).await?, back }),
    }
}

async fn form(services: &Services, shell: Shell, what: &'static str, chosen: Chosen) -> Result<Form, Error> {
    let Chosen { rows, back } = chosen;
    let stays = |row: &Row| match row {
        row if row.shipped => Some("It is built in."),
        row if what == "delete" && row.usage_count > 0 => Some("Integrations use it."),
        _ => None,
    };
    let kept = rows.iter().filter_map(|row| Some((row.name.clone(), stays(row)?))).collect();
    let rows = rows.into_iter().filter(|row| stays(row).is_none()).collect();
    let suggest = move |conn: &mut Conn| match what {
        "tag" => labels::of_credentials(conn),
        "owner" => labels::owners(conn),
        _ => Ok::<_, DbError>(Vec::new()),
    };
    let suggestions = services.db.run(suggest).await?;
    let (entered, error, password) = (String::new(), None, None);
    Ok(Form { shell, what, rows, kept, back, entered, error, suggestions, password })
}

/// Does it, or shows the form again with what is wrong.
async fn done(
    services: &Services,
    request: &HttpRequest,
    (shell, visitor): (Shell, As<Operator>),
    posted: &Posted,
    chosen: Chosen,
) -> Result<HttpResponse, Error> {
    let (what, field, act) = match posted.get("do") {
        "add-tag" => ("tag", "tag", Act::tag(posted.get("tag"), true)),
        "remove-tag" => ("tag", "tag", Act::tag(posted.get("tag"), false)),
        "set-owner" => ("owner", "owner", Act::owner(posted.get("owner"))),
        "set-limit" => ("limit", "days", Act::limit(posted.get("days"))),
        "delete-all" => ("delete", "word", deletion(posted.get("word"))),
        _ => return Err(Error::Malformed),
    };
    let confirmation = step_up::typed(step_up::FIELD, services, request, posted);
    let refusal = match act {
        Ok(act) => match bulk::act(services, &visitor.principal(), &chosen.rows, &act, &confirmation).await {
            Ok(outcomes) => return page::html(&Done::new(shell, &act, outcomes, chosen.back)),
            Err(refusal) => refusal,
        },
        Err(refusal) => refusal,
    };
    let again = Form { entered: posted.get(field).to_owned(), ..form(services, shell, what, chosen).await? };
    match refusal {
        Refusal::Invalid(errors) => {
            let error = errors.of(field).map(str::to_owned);
            page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &Form { error, ..again })
        }
        Refusal::Unconfirmed(why) => {
            let ask = Ask::new(step_up::FIELD, why);
            ask.answer(&Form { password: Some(ask.clone()), ..again })
        }
        refusal => Err(refusal.into()),
    }
}

fn deletion(word: &str) -> Result<Act, Refusal> {
    if word.trim().eq_ignore_ascii_case(WORD) {
        return Ok(Act::Delete);
    }
    Err(Refusal::Invalid(Errors::one("word", "Type the word “delete” to confirm. Nothing was deleted.")))
}

impl Done {
    fn new(shell: Shell, act: &Act, outcomes: Vec<Outcome>, back: String) -> Self {
        let count = outcomes.iter().filter(|outcome| outcome.done.is_ok()).count();
        let verb = if *act == Act::Delete { "Deleted" } else { "Changed" };
        let mut lines: Vec<Line> = outcomes.into_iter().map(|outcome| Line::new(act, outcome)).collect();
        // What needs a look comes first.
        lines.sort_by_key(|line| line.tone != "bad");
        Self { shell, title: format!("{verb} {count} of {}", lines.len()), follows: false, lines, back }
    }
}

impl Line {
    fn new(act: &Act, outcome: Outcome) -> Self {
        let Outcome { id, name, done } = outcome;
        let deleted = *act == Act::Delete && done.is_ok();
        let (tone, word, detail) = match done {
            Ok(true) if deleted => ("good", "Deleted", String::new()),
            Ok(true) => ("good", "Changed", String::new()),
            Ok(false) => ("off", "No change", String::new()),
            Err(why) => ("bad", "Not done", why),
        };
        Self { id, name, stays: !deleted, tone, word, detail }
    }
}

/// Tests all of them, a few at a time. Whoever leaves the page stops it.
async fn test(
    services: Data<Services>,
    shell: Shell,
    principal: Principal,
    chosen: Chosen,
) -> Result<HttpResponse, Error> {
    bulk::begin_tests(&services, &principal)?;
    let title = match chosen.rows.len() {
        1 => "Testing 1 credential".to_owned(),
        count => format!("Testing {count} credentials"),
    };
    let page = Done { shell, title, follows: true, lines: Vec::new(), back: chosen.back }.render()?;
    let (head, tail) = page.split_once(LINES).ok_or(Error::Internal)?;
    let body = tested(services, principal, chosen.rows, [head.to_owned(), tail.to_owned()]);
    Ok(HttpResponse::Ok().content_type(ContentType::html()).streaming(body))
}

fn tested(
    services: Data<Services>,
    principal: Principal,
    rows: Vec<Row>,
    [head, tail]: [String; 2],
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let (good, all) = (Rc::new(Cell::new(0)), rows.len());
    let counted = good.clone();
    let lines = stream::iter(rows).map(move |row| {
        let (services, principal, good) = (services.clone(), principal.clone(), good.clone());
        async move {
            let (tone, word, detail) = match bulk::test_one(&services, &principal, &row).await {
                Ok(found) => (tone(found.verdict), found.verdict.label(), found.sentence),
                Err(why) => ("off", "Not tested", why),
            };
            good.set(good.get() + usize::from(tone == "good"));
            let line = Line { id: row.id, name: row.name, stays: true, tone, word, detail };
            Sent { line }.render().unwrap_or_default()
        }
    });
    let sum =
        stream::once(
            async move { format!("<tr data-sum><td colspan=\"3\">{} of {all} work.</td></tr>", counted.get()) },
        );
    let tail = stream::once(async move { tail });
    let text = stream::once(async move { head }).chain(lines.buffer_unordered(AT_ONCE)).chain(sum).chain(tail);
    text.map(|text| Ok(Bytes::from(text)))
}
