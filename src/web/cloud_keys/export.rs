//! The keys as a CSV file, with the filter and the search of the page. Read and sent a piece at a time.

use actix_web::HttpResponse;
use actix_web::web::Data;
use futures_util::stream;

use super::view;
use crate::models::cloud_keys::{self, Line};
use crate::runs::alarms;
use crate::services::Services;
use crate::web::csv::{attachment, lines};
use crate::web::error::Error;
use crate::web::page::iso;
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

/// Keys read at once.
const PIECE: i64 = 2_000;

/// `used` is `yes`, `never` or empty where that could not be read; `stored` is `perhaps` where a credential holds one of
/// several keys of that owner; `stored_as` is the first of the credentials by name.
const HEAD: [&str; 17] = [
    "cloud",
    "account",
    "account_name",
    "key_id",
    "owner",
    "owner_id",
    "root",
    "state",
    "created_at",
    "used",
    "last_used_at",
    "used_for",
    "expires_at",
    "stored",
    "stored_as",
    "integration",
    "found_by",
];

pub async fn index(services: Data<Services>, _: As<Auditor>, params: Params) -> Result<HttpResponse, Error> {
    let query = super::query(&params, alarms::limit_days(&services), PIECE)?;
    let asked = query.clone();
    // The first piece before the answer begins, so that a database that is away is a page and not half a file.
    let first = services.db.run(move |conn| cloud_keys::page(conn, &asked)).await?;
    let pieces = stream::try_unfold(Some((query, Some(first))), move |state| {
        let services = services.clone();
        async move {
            let Some((mut query, page)) = state else { return Ok(None) };
            let head = page.is_some();
            let page = match page {
                Some(page) => page,
                None => {
                    let asked = query.clone();
                    services.db.run(move |conn| cloud_keys::page(conn, &asked)).await?
                }
            };
            query.from = page.lines.last().map(|line| line.start(false));
            let head = head.then(|| HEAD.map(str::to_owned));
            let rows = lines(head.into_iter().chain(page.lines.iter().map(cells)));
            Ok::<_, Error>(Some((rows, page.after.then_some((query, None)))))
        }
    });
    Ok(attachment("cloud-keys.csv").streaming(Box::pin(pieces)))
}

fn cells(line: &Line) -> [String; 17] {
    let facts = view::facts(line);
    let used = match (facts.used, facts.never) {
        (Some(_), _) => "yes",
        (None, true) => "never",
        (None, false) => "",
    };
    let stored = match (line.credential_id, facts.root) {
        (Some(_), _) if facts.perhaps => "perhaps",
        (Some(_), _) => "yes",
        (None, true) => "",
        (None, false) => "no",
    };
    [
        view::cloud(&facts).to_owned(),
        line.place.clone(),
        facts.account.clone(),
        line.name.clone(),
        facts.owner.clone(),
        facts.arn.clone(),
        if facts.root { "yes" } else { "no" }.to_owned(),
        facts.state().to_lowercase(),
        facts.made.map(iso).unwrap_or_default(),
        used.to_owned(),
        facts.used.map(iso).unwrap_or_default(),
        facts.used_for(),
        facts.expires.map(iso).unwrap_or_default(),
        stored.to_owned(),
        line.credential_name.clone().unwrap_or_default(),
        line.integration_name.clone(),
        if line.kept { "earlier scan" } else { "last scan" }.to_owned(),
    ]
}
