//! What is done to the ticked credentials, one way for each button below the table.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::query::{self, PATH};
use super::view::tone;
use crate::form::Errors;
use crate::models::credential_list;
use crate::models::credential_query::Row;
use crate::models::labels::{self, Of};
use crate::models::{Conn, DbError};
use crate::services::Services;
use crate::usecases::bulk::MOST;
use crate::usecases::credentials::bulk::{self, Act};
use crate::usecases::{Principal, Refusal};
use crate::web::bulk::{Done, Form, Line, Table, Ticked, some, ticked};
use crate::web::error::Error;
use crate::web::numbers::counted;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

const TABLE: Table = Table { noun: "credential", path: PATH, label: "Credentials" };
/// What must be typed before many are deleted.
const WORD: &str = "delete";
/// The fields beside the ids of the rows.
const FIELDS: [&str; 7] = ["do", "all", "filter", "tag", "owner", "days", "word"];

/// What was chosen, and where to go back to.
struct Chosen {
    rows: Vec<Row>,
    back: String,
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
        "test" => return test(services, shell, visitor.principal(), chosen),
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
    let ids = ticked(posted, &FIELDS)?;
    let filters = Params::read(posted.get("filter").split_once('?').map_or("", |(_, query)| query));
    let back = query::first_page(&filters, &[]);
    let ids = if posted.get("all") == "yes" {
        let query = query::read(&filters, services.limits())?;
        services.db.run(move |conn: &mut Conn| credential_list::ids(conn, &query, MOST)).await?
    } else {
        ids
    };
    Ok(Chosen { rows: bulk::chosen(services, some(&TABLE, ids)?).await?, back })
}

async fn form(services: &Services, shell: Shell, what: &'static str, chosen: Chosen) -> Result<Form, Error> {
    let Chosen { rows, back } = chosen;
    let stays = |row: &Row| match row {
        row if row.shipped => Some("It is built in."),
        row if what == "delete" && row.usage_count > 0 => Some("It is in use."),
        _ => None,
    };
    let kept = rows.iter().filter_map(|row| Some((row.name.clone(), stays(row)?))).collect();
    let rows = rows.into_iter().filter(|row| stays(row).is_none());
    let rows = rows.map(|row| Ticked { id: row.id.to_string(), name: row.name, detail: row.identity }).collect();
    let suggest = move |conn: &mut Conn| match what {
        "tag" => labels::tags_of(conn, Of::Credentials),
        "owner" => labels::owners(conn),
        _ => Ok::<_, DbError>(Vec::new()),
    };
    let suggestions = services.db.run(suggest).await?;
    let (entered, error, password) = (String::new(), None, None);
    Ok(Form { shell, table: &TABLE, what, rows, kept, back, suggestions, entered, error, password })
}

/// Does it, or shows the form again with what is wrong.
async fn done(
    services: &Services,
    request: &HttpRequest,
    (shell, visitor): (Shell, As<Operator>),
    posted: &Posted,
    chosen: Chosen,
) -> Result<HttpResponse, Error> {
    let (what, act) = match posted.get("do") {
        "add-tag" => ("tag", Act::tag(posted.get("tag"), true)),
        "remove-tag" => ("tag", Act::tag(posted.get("tag"), false)),
        "set-owner" => ("owner", Act::owner(posted.get("owner"))),
        "set-limit" => ("limit", Act::limit(posted.get("days"))),
        "delete-all" => ("delete", deletion(posted.get("word"))),
        _ => return Err(Error::Malformed),
    };
    let confirmation = step_up::typed(step_up::FIELD, services, request, posted);
    let refusal = match act {
        Ok(act) => match bulk::act(services, &visitor.principal(), &chosen.rows, &act, &confirmation).await {
            Ok(outcomes) => {
                let verb = if act == Act::Delete { ("Deleted", false) } else { ("Changed", true) };
                return page::html(&Done::new(shell, &TABLE, verb, outcomes, chosen.back));
            }
            Err(refusal) => refusal,
        },
        Err(refusal) => refusal,
    };
    form(services, shell, what, chosen).await?.refused(posted, refusal)
}

fn deletion(word: &str) -> Result<Act, Refusal> {
    if word.trim().eq_ignore_ascii_case(WORD) {
        return Ok(Act::Delete);
    }
    Err(Refusal::Invalid(Errors::one("word", "Type the word “delete” to confirm. Nothing was deleted.")))
}

/// Tests all of them.
fn test(services: Data<Services>, shell: Shell, principal: Principal, chosen: Chosen) -> Result<HttpResponse, Error> {
    bulk::begin_tests(&services, &principal)?;
    let title = format!("Testing {}", counted(chosen.rows.len() as i64, TABLE.noun));
    Done::sent_as_it_goes((shell, &TABLE, chosen.back), title, chosen.rows, move |row: Row| {
        let (services, principal) = (services.clone(), principal.clone());
        async move {
            let (tone, word, detail) = match bulk::test_one(&services, &principal, &row).await {
                Ok(found) => (tone(found.verdict), found.verdict.label(), found.sentence),
                Err(why) => ("off", "Not tested", why),
            };
            Line { href: Some(format!("{PATH}/{}", row.id)), name: row.name, tone, word, detail }
        }
    })
}
