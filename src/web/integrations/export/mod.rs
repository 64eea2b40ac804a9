//! The inventory as a file for a scanner or a spreadsheet, searched as the page is. Read and sent a piece at a time, so
//! that no inventory is too long. How each kind of file is written is in `written`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use chrono::{DateTime, Utc};
use futures_util::stream;

use super::inventory;
use crate::form::Values;
use crate::integrations::registries::references::References;
use crate::integrations::{Family, Spec};
use crate::models::integrations::Integration;
use crate::models::items::{self, Item, Page, Start};
use crate::models::{self, Conn, DbError, IntegrationId, integrations};
use crate::services::Services;
use crate::web::csv::{TYPE, attachment_of};
use crate::web::error::Error;
use crate::web::params::Params;
use crate::web::session::{As, Auditor};
use written::{Form, Writer};

mod written;

/// Rows read at once.
const PIECE: i64 = 2_000;

/// What is exported, and its first piece.
struct Export {
    id: IntegrationId,
    search: String,
    row: Integration,
    first: Page,
    now: DateTime<Utc>,
}

/// The items of every family.
pub async fn csv(
    services: Data<Services>,
    _: As<Auditor>,
    id: Path<IntegrationId>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let export = Export::read(&services, *id, &params).await?;
    let writer = export.writer(Form::Csv);
    let name = format!("{}.csv", writer.inventory.plural());
    Ok(export.sent(services, writer, TYPE, &name))
}

/// The same as a list of objects.
pub async fn json(
    services: Data<Services>,
    _: As<Auditor>,
    id: Path<IntegrationId>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let export = Export::read(&services, *id, &params).await?;
    let writer = export.writer(Form::Json);
    let name = format!("{}.json", writer.inventory.plural());
    Ok(export.sent(services, writer, "application/json", &name))
}

/// Images by the names that clients pull them by, one a line; `by=digest` for digests instead of tags. Empty where clients
/// have no names for them.
pub async fn references(
    services: Data<Services>,
    _: As<Auditor>,
    id: Path<IntegrationId>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let export = Export::read(&services, *id, &params).await?;
    let form = Form::References { names: references_of(&export.row), by_digest: params.get("by") == "digest" };
    let writer = export.writer(form);
    Ok(export.sent(services, writer, "text/plain; charset=utf-8", "images.txt"))
}

/// How clients name the images of an integration; `None` for one that has no images, or none that can be named.
pub fn references_of(row: &Integration) -> Option<References> {
    let version = Spec::find(&row.version).filter(|_| row.family == Family::RegistryScan.slug())?;
    References::of(version, &Values::from_json(row.settings.as_bytes())?)
}

impl Export {
    /// With the first piece, so that a database that is away is a page and not half a file.
    async fn read(services: &Services, id: IntegrationId, params: &Params) -> Result<Self, Error> {
        let (vault, search) = (services.vault.clone(), params.get("q").to_owned());
        let found = move |conn: &mut Conn| {
            let row = integrations::find(conn, &vault, id)?.into_shown();
            let first = items::page(conn, id, &search, None, PIECE)?;
            Ok::<_, DbError>(Self { id, search, row, first, now: models::clock(conn)? })
        };
        Ok(services.db.run(found).await?)
    }

    fn writer(&self, form: Form) -> Writer {
        Writer { form, inventory: inventory::of(&self.row.family), now: self.now }
    }

    fn sent(self, services: Data<Services>, writer: Writer, kind: &'static str, name: &str) -> HttpResponse {
        let Self { id, search, first, .. } = self;
        let pieces = stream::try_unfold(Some((writer, Next::First(first))), move |state| {
            let (services, search) = (services.clone(), search.clone());
            async move {
                let Some((writer, next)) = state else { return Ok::<_, DbError>(None) };
                let (page, is_first) = match next {
                    Next::First(page) => (page, true),
                    Next::From(from) => {
                        let read = move |conn: &mut Conn| items::page(conn, id, &search, Some(&from), PIECE);
                        (services.db.run(read).await?, false)
                    }
                };
                let next = page.rows.last().filter(|_| page.after).map(start);
                let bytes = writer.piece(&page.rows, is_first, next.is_none());
                Ok(Some((bytes, next.map(|from| (writer, Next::From(from))))))
            }
        });
        attachment_of(kind, name).streaming(Box::pin(pieces))
    }
}

enum Next {
    First(Page),
    From(Start),
}

/// Where the piece after this item starts.
fn start(Item { place, name, .. }: &Item) -> Start {
    Start { place: place.clone(), name: name.clone(), back: false }
}
