//! The credentials store: listed, saved by name, deleted unless in use, and where each is used. A list is read and sent a
//! piece at a time. `Total-Count` is sent only to whoever asks for a page: the vendor's own client would ask for the whole
//! list again otherwise.

use actix_web::http::header::{ContentType, HeaderName, HeaderValue};
use actix_web::web::{Bytes, Path};
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::answer::{Bad, done};
use super::caller::{Caller, Writer};
use super::credential::{self, listed_kinds, written};
use super::json::Sent;
use crate::integrations::Family;
use crate::models::credential_names::{self, Asked, Listed, Sort};
use crate::models::{Conn, CredentialId, DbError, client_usages, integration_list};
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::credentials::upsert;

/// Rows read at once.
const PIECE: i64 = 1_000;
/// Most rows of a whole list in another order than by name.
const MOST_SORTED: i64 = 10_000;
/// Rows of a page, at most.
const PAGE: i64 = 50;
/// Usages of one credential that are told.
const MOST_USAGES: i64 = 1_000;

pub async fn index(caller: Caller) -> Result<HttpResponse, Bad> {
    let asked = asked(&caller)?;
    let (offset, limit) = (caller.number("offset")?, caller.number("limit")?);
    if caller.flag("external") || caller.flag("autoImported") {
        // Every credential is of this store.
        return Ok(HttpResponse::Ok().json(json!([])));
    }
    if offset.is_none() && limit.is_none() {
        return all(&caller, asked).await;
    }
    page(&caller, asked, (offset.unwrap_or_default(), limit.unwrap_or(PAGE).min(PAGE))).await
}

fn asked(caller: &Caller) -> Result<Asked, Bad> {
    let sort = match caller.asked("sort").as_str() {
        "" | "_id" | "name" => Sort::Name,
        "type" => Sort::Kind,
        "created" => Sort::Created,
        "lastModified" => Sort::Edited,
        _ => return Err(Bad::said("sort must be _id, type, created or lastModified.")),
    };
    let kinds = listed_kinds(caller.flag("cloud"));
    Ok(Asked { kinds, names: caller.all("ids"), sort, descending: caller.flag("reverse") })
}

async fn page(caller: &Caller, asked: Asked, place: (i64, i64)) -> Result<HttpResponse, Bad> {
    let read = move |conn: &mut Conn| {
        let total = credential_names::count(conn, &asked)?;
        Ok::<_, DbError>((credential_names::page(conn, &asked, place)?, total))
    };
    let (rows, total) = caller.services.db.run(read).await?;
    let total = (HeaderName::from_static("total-count"), HeaderValue::from(total));
    let rows: Vec<Value> = rows.iter().map(|row| written(&caller.services.vault, row)).collect();
    Ok(HttpResponse::Ok().insert_header(total).json(rows))
}

/// Where a piece of the list begins: after a name, or at a number in another order.
#[derive(Clone)]
enum Place {
    After(String),
    At(i64),
}

/// Where the whole list begins. In another order than by name each piece costs as much as all, so only a short list is
/// sent whole.
async fn beginning(services: &Services, asked: &Asked) -> Result<Place, Bad> {
    if (asked.sort, asked.descending) == (Sort::Name, false) {
        return Ok(Place::After(String::new()));
    }
    let counted = asked.clone();
    let total = services.db.run(move |conn: &mut Conn| credential_names::count(conn, &counted)).await?;
    if total > MOST_SORTED {
        return Err(Bad::said(
            "The list is too long to be sorted as a whole. Send limit and offset, or leave out sort.",
        ));
    }
    Ok(Place::At(0))
}

/// The whole list, a piece at a time. The first piece is read beforehand, so that an unreachable database is an
/// error and not half a list.
async fn all(caller: &Caller, asked: Asked) -> Result<HttpResponse, Bad> {
    let services = caller.services.clone();
    let place = beginning(&services, &asked).await?;
    let first = next(&services, asked.clone(), place.clone()).await?;
    let begin = text(&services, &first, true);
    let rest = stream::try_unfold((asked, rest_of(&first, &place)), move |(asked, place)| {
        let services = services.clone();
        async move {
            let Some(place) = place else { return Ok::<_, DbError>(None) };
            let rows = next(&services, asked.clone(), place.clone()).await?;
            Ok(Some((text(&services, &rows, false), (asked, rest_of(&rows, &place)))))
        }
    });
    let end = stream::once(async { Ok::<Bytes, DbError>(Bytes::from_static(b"]")) });
    let begin = stream::once(async { Ok::<Bytes, DbError>(begin) });
    Ok(json_answer().streaming(begin.chain(Box::pin(rest)).chain(end)))
}

fn json_answer() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.content_type(ContentType::json());
    response
}

async fn next(services: &Services, asked: Asked, place: Place) -> Result<Vec<Listed>, DbError> {
    let read = move |conn: &mut Conn| match &place {
        Place::After(key) => credential_names::after(conn, &asked, key, PIECE),
        Place::At(offset) => credential_names::page(conn, &asked, (*offset, PIECE)),
    };
    services.db.run(read).await
}

/// Where the next piece begins; `None` after the last.
fn rest_of(rows: &[Listed], place: &Place) -> Option<Place> {
    let last = rows.last().filter(|_| rows.len() as i64 == PIECE)?;
    Some(match place {
        Place::After(_) => Place::After(last.name_key.clone()),
        Place::At(offset) => Place::At(offset + PIECE),
    })
}

fn text(services: &Services, rows: &[Listed], first: bool) -> Bytes {
    let rows: Vec<String> = rows.iter().map(|row| written(&services.vault, row).to_string()).collect();
    let before = match (first, rows.is_empty()) {
        (true, _) => "[",
        (false, false) => ",",
        (false, true) => "",
    };
    Bytes::from(format!("{before}{}", rows.join(",")))
}

pub async fn create(Sent { caller, body }: Sent) -> Result<HttpResponse, Bad> {
    let new = credential::read(&body)?;
    upsert::upsert(&caller.services, &caller.principal, new, &caller.confirmation()).await?;
    Ok(done())
}

pub async fn destroy(Writer(caller): Writer, path: Path<(String, String)>) -> Result<HttpResponse, Bad> {
    // Its escapes are taken away already: a slash may come as it is or as one.
    let name = path.into_inner().1;
    match upsert::delete_named(&caller.services, &caller.principal, &name).await {
        Ok(()) => Ok(done()),
        Err(Refusal::InUse) => Err(in_use(&caller, &name).await?),
        Err(Refusal::Db(DbError::NotFound)) => Err(unknown()),
        Err(refusal) => Err(refusal.into()),
    }
}

fn unknown() -> Bad {
    Bad::NotFound("There is no credential with this name.")
}

/// Deleting was refused: where it is used.
async fn in_use(caller: &Caller, name: &str) -> Result<Bad, Bad> {
    let id = upsert::named(&caller.services, name).await?;
    let usages = used(&caller.services, id).await?;
    let places: Vec<String> = usages.iter().take(20).map(|(label, place)| format!("{label} ({place})")).collect();
    Ok(Bad::said(format!("credential \"{name}\" is in use by: {}", places.join(", "))))
}

/// Label and place of each usage.
async fn used(services: &Services, id: CredentialId) -> Result<Vec<(&'static str, String)>, DbError> {
    let read = move |conn: &mut Conn| {
        let lines = integration_list::usages(conn, id, MOST_USAGES)?;
        Ok::<_, DbError>((lines, client_usages::using(conn, id, MOST_USAGES)?))
    };
    let (lines, clients) = services.db.run(read).await?;
    let label = |family: &str| Family::find(family).map_or("Integration", Family::label);
    let integrations = lines.into_iter().map(|line| (label(&line.family), line.name));
    Ok(integrations.chain(clients.into_iter().map(|client| ("Client", client.client_name))).collect())
}

pub async fn usages(caller: Caller, path: Path<(String, String)>) -> Result<HttpResponse, Bad> {
    let id = upsert::named(&caller.services, &path.1).await.map_err(|refusal| match refusal {
        Refusal::Db(DbError::NotFound) => unknown(),
        refusal => refusal.into(),
    })?;
    let usages = used(&caller.services, id).await?;
    let usages = usages.into_iter().map(|(label, place)| json!({"type": label, "description": place}));
    Ok(HttpResponse::Ok().json(usages.collect::<Vec<_>>()))
}

/// Accounts that the vendor's service knows and its store does not: there are none here.
pub async fn onboarded(_: Caller) -> HttpResponse {
    HttpResponse::Ok().json(json!([]))
}
