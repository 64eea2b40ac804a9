//! The audit trail as CSV (RFC 4180), streamed a thousand rows at a time. Cells that a spreadsheet would run as a formula
//! get an apostrophe (OWASP, CSV injection).

use std::borrow::Cow;

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;

use super::super::error::Error;
use super::super::params::Params;
use super::super::session::{As, Auditor};
use crate::app::App;
use crate::models::events::{self, Action, Event, Filter};

const ROWS: i64 = 1_000;
const HEAD: [&str; 9] = ["time", "who", "action", "what", "subject type", "subject id", "subject", "detail", "address"];

pub async fn show(
    app: Data<App>,
    request: HttpRequest,
    visitor: As<Auditor>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let here = request.uri().path_and_query().map_or("/audit.csv", |here| here.as_str());
    visitor.require_fresh(&request, here)?;
    let filter = Filter { before: None, ..super::filter(&params) };
    // The first page before the answer begins, so that a database that is down is a page and not half a file.
    let first = rows(&app, &filter).await?;
    let body = stream::try_unfold((app, filter, Some(first), true), |(app, mut filter, page, head)| async move {
        let page = match page {
            Some(page) => page,
            None => rows(&app, &filter).await?,
        };
        if page.is_empty() && !head {
            return Ok(None);
        }
        filter.before = page.last().map(|last| (last.at, last.lane, last.seq)).or(filter.before);
        let last = (page.len() as i64) < ROWS;
        let next = Some(Vec::new()).filter(|_| last);
        Ok::<_, Error>(Some((csv(&page, head)?, (app, filter, next, false))))
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"strongroom-audit.csv\""))
        .streaming(Box::pin(body)))
}

async fn rows(app: &Data<App>, filter: &Filter) -> Result<Vec<Event>, Error> {
    let filter = filter.clone();
    Ok(app.db.run(move |conn| events::list(conn, &filter, ROWS)).await?)
}

fn csv(events: &[Event], head: bool) -> Result<Bytes, Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if head {
        writer.write_record(HEAD).map_err(|_| Error::Internal)?;
    }
    for event in events {
        let (time, id) = (event.at.to_rfc3339(), event.subject_id.map(|id| id.to_string()).unwrap_or_default());
        let label = Action::find(&event.action).map_or("", |action| action.label);
        let cells = [
            &time,
            &event.actor,
            &event.action,
            label,
            &event.subject_kind,
            &id,
            &event.subject_name,
            &event.detail,
            &event.address,
        ];
        writer.write_record(cells.map(|cell| harmless(cell).into_owned())).map_err(|_| Error::Internal)?;
    }
    writer.into_inner().map(Bytes::from).map_err(|_| Error::Internal)
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> Cow<'_, str> {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\0' | '＝' | '＋' | '－' | '＠') => {
            format!("'{cell}").into()
        }
        _ => cell.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_starts_a_formula_gets_an_apostrophe() {
        for bad in ["=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\0=1", "＝1"] {
            assert_eq!(harmless(bad), format!("'{bad}"));
        }
        for good in ["", "prod", "a=b", "1", " =1"] {
            assert_eq!(harmless(good), good);
        }
    }
}
