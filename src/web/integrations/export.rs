//! The inventory as a CSV file for a scanner or a spreadsheet, the same for every family. Read and sent a piece at a time,
//! so that no inventory is too long.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use chrono::{DateTime, Utc};
use futures_util::stream;

use super::inventory;
use crate::integrations::inventory::{Cell, Inventory};
use crate::models::items::{self, Item, Start};
use crate::models::{self, Conn, DbError, IntegrationId, integrations};
use crate::services::Services;
use crate::web::csv::{attachment, lines};
use crate::web::error::Error;
use crate::web::page;
use crate::web::session::{As, Auditor};

/// Rows read at once.
const PIECE: i64 = 2_000;

pub async fn index(services: Data<Services>, _: As<Auditor>, id: Path<IntegrationId>) -> Result<HttpResponse, Error> {
    let id = *id;
    let vault = services.vault.clone();
    let found = move |conn: &mut Conn| Ok::<_, DbError>((integrations::find(conn, &vault, id)?, models::clock(conn)?));
    let (row, now) = services.db.run(found).await?;
    let row = row.into_shown();
    let inventory = inventory::of(&row.family);
    let pieces = stream::try_unfold(Next::Header, move |next| {
        let services = services.clone();
        async move {
            let from = match next {
                Next::Header => return Ok(Some((lines([header(inventory)]), Next::From(None)))),
                Next::From(from) => from,
                Next::End => return Ok::<_, DbError>(None),
            };
            let page = services.db.run(move |conn| items::page(conn, id, "", from.as_ref(), PIECE)).await?;
            let next = match page.rows.last().filter(|_| page.after) {
                Some(Item { place, name, .. }) => {
                    Next::From(Some(Start { place: place.clone(), name: name.clone(), back: false }))
                }
                None => Next::End,
            };
            Ok(Some((lines(page.rows.iter().map(|item| cells(inventory, item, now))), next)))
        }
    });
    Ok(attachment(&format!("{}.csv", inventory.plural())).streaming(pieces))
}

enum Next {
    Header,
    From(Option<Start>),
    End,
}

/// `found_by` is `last scan`, or `earlier scan` where the last one could not read the item.
fn header(inventory: &Inventory) -> Vec<String> {
    let own = inventory.heads().into_iter().map(str::to_lowercase);
    let facts = inventory.exported.iter().map(|name| (*name).to_owned());
    own.chain(facts).chain(["found_by".to_owned()]).collect()
}

fn cells(inventory: &Inventory, item: &Item, now: DateTime<Utc>) -> Vec<String> {
    let known = (inventory.cells)(&item.facts, now);
    let own = [&item.place, &item.name].into_iter().chain(inventory.fingerprint.map(|_| &item.fingerprint));
    let facts = inventory.exported.iter().map(|name| inventory.fact(&known, name).map(text).unwrap_or_default());
    let found_by = if item.kept { "earlier scan" } else { "last scan" };
    own.cloned().chain(facts).chain([found_by.to_owned()]).collect()
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) | Cell::Mark(_, text) => text.clone(),
        Cell::List(entries) => entries.join(" "),
        Cell::Size(bytes) => bytes.map(|bytes| bytes.to_string()).unwrap_or_default(),
        Cell::At(at) => at.map(page::iso).unwrap_or_default(),
    }
}
