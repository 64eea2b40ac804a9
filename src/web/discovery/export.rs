//! What was discovered as a CSV file, with the filters and the search of the page. Read and sent a piece at a time.

use actix_web::HttpResponse;
use actix_web::web::Data;
use futures_util::stream;

use super::view;
use crate::models::discovery::{self, Line};
use crate::services::Services;
use crate::web::csv::{attachment, lines};
use crate::web::error::Error;
use crate::web::page::iso;
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

/// Lines read at once.
const PIECE: i64 = 2_000;

/// `number` counts repositories or functions; `covered` is empty where no scan could cover it; `covered_by` is the first
/// of the integrations.
const HEAD: [&str; 16] = [
    "type",
    "service",
    "account",
    "account_name",
    "region",
    "title",
    "address",
    "number",
    "version",
    "access",
    "state",
    "created_at",
    "covered",
    "covered_by",
    "integration",
    "found_by",
];

pub async fn index(services: Data<Services>, _: As<Auditor>, params: Params) -> Result<HttpResponse, Error> {
    let query = super::query(&params, PIECE)?;
    let asked = query.clone();
    // The first piece before the answer begins, so that a database that is away is a page and not half a file.
    let first = services.db.run(move |conn| discovery::page(conn, &asked)).await?;
    let pieces = stream::try_unfold(Some((query, Some(first))), move |state| {
        let services = services.clone();
        async move {
            let Some((mut query, found)) = state else { return Ok(None) };
            let head = found.is_some().then(|| HEAD.map(str::to_owned));
            let found = match found {
                Some(found) => found,
                None => {
                    let asked = query.clone();
                    services.db.run(move |conn| discovery::page(conn, &asked)).await?
                }
            };
            query.from = found.next;
            let rows = lines(head.into_iter().chain(found.lines.iter().map(cells)));
            let more = query.from.is_some();
            Ok::<_, Error>(Some((rows, more.then_some((query, None)))))
        }
    });
    Ok(attachment("discovery.csv").streaming(Box::pin(pieces)))
}

fn cells(line: &Line) -> [String; 16] {
    let facts = view::facts(line);
    let covered = match (line.whole, facts.scope.is_empty()) {
        (Some(true), _) => "yes",
        (Some(false), _) => "in part",
        (None, true) => "",
        (None, false) => "no",
    };
    [
        view::sort(&facts).to_owned(),
        facts.service,
        line.place.clone(),
        facts.account,
        facts.region,
        facts.title,
        facts.address,
        facts.number.map(|number| number.to_string()).unwrap_or_default(),
        facts.version,
        facts.access,
        facts.state,
        facts.made.map(iso).unwrap_or_default(),
        covered.to_owned(),
        line.cover_name.clone().unwrap_or_default(),
        line.integration_name.clone(),
        if line.kept { "earlier scan" } else { "last scan" }.to_owned(),
    ]
}
