//! The inventory as a CSV file for a scanner or a spreadsheet. Read and sent a piece at a time, so that no
//! inventory is too long.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use futures_util::stream;
use uuid::Uuid;

use crate::models::images::{self, Image, Place};
use crate::models::{DbError, integrations};
use crate::services::Services;
use crate::web::csv::{attachment, lines};
use crate::web::error::Error;
use crate::web::page;
use crate::web::session::{As, Auditor};

/// Rows read at once.
const PIECE: i64 = 2_000;

/// `found_by` is `last scan`, or `earlier scan` where the last one could not read the image.
const HEADER: [&str; 7] = ["repository", "tag", "digest", "size_bytes", "platforms", "pushed_at", "found_by"];

pub async fn index(services: Data<Services>, _: As<Auditor>, id: Path<Uuid>) -> Result<HttpResponse, Error> {
    let id = *id;
    let vault = services.vault.clone();
    services.db.run(move |conn| integrations::find(conn, &vault, id)).await?;
    let pieces = stream::try_unfold(Next::Header, move |next| {
        let services = services.clone();
        async move {
            let from = match next {
                Next::Header => return Ok(Some((lines([HEADER]), Next::From(None)))),
                Next::From(from) => from,
                Next::End => return Ok::<_, DbError>(None),
            };
            let page = services.db.run(move |conn| images::page(conn, id, "", from.as_ref(), PIECE)).await?;
            let next = match page.rows.last().filter(|_| page.after) {
                Some(Image { repository, tag, .. }) => {
                    Next::From(Some(Place { repository: repository.clone(), tag: tag.clone(), back: false }))
                }
                None => Next::End,
            };
            Ok(Some((lines(page.rows.iter().map(cells)), next)))
        }
    });
    Ok(attachment("images.csv").streaming(pieces))
}

enum Next {
    Header,
    From(Option<Place>),
    End,
}

fn cells(image: &Image) -> [Cow<'_, str>; 7] {
    let pushed = image.pushed_at.map(page::iso).unwrap_or_default();
    [
        Cow::from(&image.repository),
        Cow::from(&image.tag),
        Cow::from(&image.digest),
        image.size_bytes.to_string().into(),
        image.platforms.join(" ").into(),
        pushed.into(),
        if image.kept { "earlier scan" } else { "last scan" }.into(),
    ]
}
