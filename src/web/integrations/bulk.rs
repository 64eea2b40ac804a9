//! What is done to the ticked integrations, one way for each button below the table.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::query::{self, PATH};
use crate::models::integration_list::{self, Line as Row};
use crate::models::labels::{self, Of};
use crate::models::{Conn, DbError};
use crate::services::Services;
use crate::usecases::Principal;
use crate::usecases::bulk::MOST;
use crate::usecases::integrations::bulk::{self, Act};
use crate::web::bulk::{Done, Form, Line, Table, Ticked, some, ticked};
use crate::web::error::Error;
use crate::web::numbers::counted;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

const TABLE: Table = Table { noun: "integration", path: PATH, label: "Integrations" };
/// The fields beside the ids of the rows.
const FIELDS: [&str; 5] = ["do", "all", "filter", "tag", "owner"];

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
    let shell = Shell::new(&request, &visitor, "integrations");
    let chosen = chosen(&services, &posted).await?;
    match posted.get("do") {
        "test" => test(services, shell, visitor.principal(), chosen),
        "tag" => page::html(&form(&services, shell, "tag", chosen).await?),
        "owner" => page::html(&form(&services, shell, "owner", chosen).await?),
        _ => done(&services, &request, (shell, visitor), &posted, chosen).await,
    }
}

/// The ticked rows, or all that match.
async fn chosen(services: &Services, posted: &Posted) -> Result<Chosen, Error> {
    let ids = ticked(posted, &FIELDS)?;
    let filters = Params::read(posted.get("filter").split_once('?').map_or("", |(_, query)| query));
    let back = query::first_page(&filters, &[]);
    let ids = if posted.get("all") == "yes" {
        let query = query::read(&filters)?;
        services.db.run(move |conn: &mut Conn| integration_list::ids(conn, &query, MOST)).await?
    } else {
        ids
    };
    Ok(Chosen { rows: bulk::chosen(services, some(&TABLE, ids)?).await?, back })
}

async fn form(services: &Services, shell: Shell, what: &'static str, chosen: Chosen) -> Result<Form, Error> {
    let Chosen { rows, back } = chosen;
    let rows =
        rows.into_iter().map(|row| Ticked { id: row.id.to_string(), name: row.name, detail: row.host }).collect();
    let suggest = move |conn: &mut Conn| match what {
        "tag" => labels::tags_of(conn, Of::Integrations),
        "owner" => labels::owners(conn),
        _ => Ok::<_, DbError>(Vec::new()),
    };
    let suggestions = services.db.run(suggest).await?;
    let (kept, entered, error, password) = (Vec::new(), String::new(), None, None);
    Ok(Form { shell, table: &TABLE, what, rows, kept, back, suggestions, entered, error, password })
}

/// Does it, or shows the form with what is wrong.
async fn done(
    services: &Services,
    request: &HttpRequest,
    (shell, visitor): (Shell, As<Operator>),
    posted: &Posted,
    chosen: Chosen,
) -> Result<HttpResponse, Error> {
    let (what, verb, act) = match posted.get("do") {
        "add-tag" => ("tag", "Changed", Act::tag(posted.get("tag"), true)),
        "remove-tag" => ("tag", "Changed", Act::tag(posted.get("tag"), false)),
        "set-owner" => ("owner", "Changed", Act::owner(posted.get("owner"))),
        "scan" => ("", "Queued", Ok(Act::Scan)),
        "on" => ("", "Switched on", Ok(Act::On)),
        "off" => ("off", "Switched off", Ok(Act::Off)),
        _ => return Err(Error::Malformed),
    };
    let confirmation = step_up::typed(step_up::FIELD, services, request, posted);
    let refusal = match act {
        Ok(act) => match bulk::act(services, &visitor.principal(), &chosen.rows, &act, &confirmation).await {
            Ok(outcomes) => return page::html(&Done::new(shell, &TABLE, (verb, true), outcomes, chosen.back)),
            Err(refusal) => refusal,
        },
        Err(refusal) => refusal,
    };
    form(services, shell, what, chosen).await?.refused(posted, refusal)
}

/// Tests all of them.
fn test(services: Data<Services>, shell: Shell, principal: Principal, chosen: Chosen) -> Result<HttpResponse, Error> {
    bulk::begin_tests(&services, &principal)?;
    let title = format!("Testing {}", counted(chosen.rows.len() as i64, TABLE.noun));
    Done::sent_as_it_goes((shell, &TABLE, chosen.back), title, chosen.rows, move |row: Row| {
        let (services, principal) = (services.clone(), principal.clone());
        async move {
            let (tone, word, detail) = match bulk::test_one(&services, &principal, row.id).await {
                Ok(Ok(found)) => ("good", "Works", found),
                Ok(Err(why)) => ("bad", "Does not work", why),
                Err(why) => ("off", "Not tested", why),
            };
            Line { href: Some(format!("{PATH}/{}", row.id)), name: row.name, tone, word, detail }
        }
    })
}
