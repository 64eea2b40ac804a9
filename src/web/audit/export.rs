//! The audit trail as CSV, streamed a thousand rows at a time.

use std::borrow::Cow;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;

use super::super::csv::{attachment, lines};
use super::super::error::Error;
use super::super::params::Params;
use super::super::session::{As, Auditor};
use crate::models::events::{self, Action, Event, Filter};
use crate::services::Services;

const ROWS: i64 = 1_000;
const HEAD: [&str; 9] = ["time", "who", "action", "what", "subject type", "subject id", "subject", "detail", "address"];

pub async fn show(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let here = request.uri().path_and_query().map_or("/audit.csv", |here| here.as_str());
    visitor.require_fresh(&request, here)?;
    let filter = super::filter(&params).map_err(|errors| {
        let sentences: Vec<&str> = errors.iter().map(|(_, sentence)| sentence).collect();
        Error::Unread(sentences.join(" "))
    })?;
    let who = params.get("who").trim().to_owned();
    let actors = services.db.run(move |conn| super::named(conn, &who)).await?;
    let filter = Filter { before: None, actors, ..filter };
    // The first page before the answer begins, so that a database that is down is a page and not half a file.
    let first = rows(&services, &filter).await?;
    let body =
        stream::try_unfold((services, filter, Some(first), true), |(services, mut filter, page, head)| async move {
            let page = match page {
                Some(page) => page,
                None => rows(&services, &filter).await?,
            };
            if page.is_empty() && !head {
                return Ok(None);
            }
            filter.before = page.last().map(|last| (last.at, last.lane, last.seq)).or(filter.before);
            let last = (page.len() as i64) < ROWS;
            let next = Some(Vec::new()).filter(|_| last);
            Ok::<_, Error>(Some((csv(&page, head), (services, filter, next, false))))
        });
    Ok(attachment("strongroom-audit.csv").streaming(Box::pin(body)))
}

async fn rows(services: &Services, filter: &Filter) -> Result<Vec<Event>, Error> {
    let filter = filter.clone();
    Ok(services.db.run(move |conn| events::list(conn, &filter, ROWS)).await?)
}

fn csv(events: &[Event], head: bool) -> Bytes {
    let head = head.then(|| HEAD.map(Cow::Borrowed));
    lines(head.into_iter().chain(events.iter().map(cells)))
}

fn cells(event: &Event) -> [Cow<'_, str>; 9] {
    [
        event.at.to_rfc3339().into(),
        Cow::from(&event.actor),
        Cow::from(&event.action),
        Action::find(&event.action).map_or("", |action| action.label()).into(),
        Cow::from(&event.subject_kind),
        event.subject_id.map(|id| id.to_string()).unwrap_or_default().into(),
        Cow::from(&event.subject_name),
        Cow::from(&event.detail),
        Cow::from(&event.address),
    ]
}
