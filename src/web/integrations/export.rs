//! The inventory as a CSV file (RFC 4180) for a scanner or a spreadsheet. Read and sent a piece at a time, so that no
//! inventory is too long.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Path};
use futures_util::stream;
use uuid::Uuid;

use crate::app::App;
use crate::models::images::{self, Image, Place};
use crate::models::{DbError, integrations};
use crate::web::error::Error;
use crate::web::page;
use crate::web::session::{As, Auditor};

/// Rows read at once.
const PIECE: i64 = 2_000;

const HEADER: [&str; 6] = ["repository", "tag", "digest", "size_bytes", "platforms", "pushed_at"];

pub async fn index(app: Data<App>, _: As<Auditor>, id: Path<Uuid>) -> Result<HttpResponse, Error> {
    let id = *id;
    app.db.run(move |conn| integrations::find(conn, id)).await?;
    let pieces = stream::try_unfold(Next::Header, move |next| {
        let app = app.clone();
        async move {
            let from = match next {
                Next::Header => return Ok(Some((lines([HEADER.map(Cow::Borrowed)]), Next::From(None)))),
                Next::From(from) => from,
                Next::End => return Ok::<_, DbError>(None),
            };
            let page = app.db.run(move |conn| images::page(conn, id, "", from.as_ref(), PIECE)).await?;
            let next = match page.rows.last().filter(|_| page.after) {
                Some(Image { repository, tag, .. }) => {
                    Next::From(Some(Place { repository: repository.clone(), tag: tag.clone(), back: false }))
                }
                None => Next::End,
            };
            Ok(Some((lines(page.rows.iter().map(cells)), next)))
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"images.csv\""))
        .streaming(pieces))
}

enum Next {
    Header,
    From(Option<Place>),
    End,
}

fn cells(image: &Image) -> [Cow<'_, str>; 6] {
    let pushed = image.pushed_at.map(page::iso).unwrap_or_default();
    [
        harmless(&image.repository),
        harmless(&image.tag),
        harmless(&image.digest),
        image.size_bytes.to_string().into(),
        harmless(&image.platforms.join(" ")).into_owned().into(),
        pushed.into(),
    ]
}

/// A cell that no spreadsheet takes for a formula: what a registry names its images is not ours to trust.
fn harmless(cell: &str) -> Cow<'_, str> {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0']) {
        true => format!("'{cell}").into(),
        false => cell.into(),
    }
}

fn lines<'a>(rows: impl IntoIterator<Item = [Cow<'a, str>; 6]>) -> Bytes {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        // Writing to memory does not fail.
        let _ = writer.write_record(row.iter().map(|cell| cell.as_bytes()));
    }
    writer.into_inner().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_begins_like_a_formula_is_quoted_and_reads_back() {
        let odd = ["=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM", "\t=1", "a\"b,c\r\nd"];
        let text = lines([odd.map(harmless)]);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&text[..]);
        let row = reader.records().next().unwrap().unwrap();
        let cells: Vec<&str> = row.iter().collect();
        assert_eq!(cells, ["'=HYPERLINK(\"http://x\")", "'+1", "'-1", "'@SUM", "'\t=1", "a\"b,c\r\nd"]);
    }
}
