//! What the last scan could not read: on the page of its integration the first few, and all that are named as a CSV file.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::{inventory, shown};
use crate::models::integrations::{self, Integration};
use crate::models::run_ends::{self, Gap, NAMED_GAPS};
use crate::models::runs::Run;
use crate::models::{Conn, DbError, IntegrationId};
use crate::services::Services;
use crate::web::csv::{attachment, lines};
use crate::web::error::Error;
use crate::web::session::{As, Auditor};

/// Gaps on the page.
const SHOWN: usize = 5;

/// The gaps of the run that left the inventory. Without any, nothing is shown.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    pub count: i32,
    /// `1,500`
    pub number: String,
    /// `3 parts of the registry could not be read.`
    pub title: String,
    /// Place and reason of the first few.
    pub shown: Vec<(String, String)>,
    /// What the page leaves out.
    pub more: Option<String>,
    /// Whether the file names some that the page does not.
    pub has_file: bool,
}

impl Gaps {
    /// Of the run of that integration that left the inventory; `None` before the first.
    pub fn read(conn: &mut Conn, integration: &Integration, last: Option<&Run>) -> Result<Self, DbError> {
        let Some(run) = last.filter(|run| run.gaps > 0) else { return Ok(Self::default()) };
        let named = run_ends::gaps_of_inventory(conn, integration.id)?;
        let source = inventory::of(&integration.family).source;
        let whole = |gap: Gap| (if gap.at.is_empty() { format!("The {source}") } else { gap.at }, gap.reason);
        let left = usize::try_from(run.gaps).unwrap_or(0).saturating_sub(SHOWN);
        let unnamed = usize::try_from(run.gaps).unwrap_or(0).saturating_sub(NAMED_GAPS);
        Ok(Self {
            count: run.gaps,
            number: shown::grouped(run.gaps.into()),
            title: match run.gaps {
                1 => format!("One part of the {source} could not be read."),
                gaps => format!("{} parts of the {source} could not be read.", shown::grouped(gaps.into())),
            },
            has_file: named.len() > SHOWN,
            shown: named.into_iter().take(SHOWN).map(whole).collect(),
            more: (left > 0).then(|| match unnamed {
                0 => format!("and {} more", shown::grouped(left as i64)),
                _ => {
                    let named = shown::grouped(NAMED_GAPS as i64);
                    format!("and {} more; the first {named} are named", shown::grouped(left as i64))
                }
            }),
        })
    }
}

pub async fn index(services: Data<Services>, _: As<Auditor>, id: Path<IntegrationId>) -> Result<HttpResponse, Error> {
    let (id, vault) = (*id, services.vault.clone());
    let named = services.db.run(move |conn| {
        integrations::find(conn, &vault, id)?;
        run_ends::gaps_of_inventory(conn, id)
    });
    let rows: Vec<[String; 2]> = named.await?.into_iter().map(|gap| [gap.at, gap.reason]).collect();
    let head = [["at", "reason"].map(str::to_owned)];
    Ok(attachment("gaps.csv").body(lines(head.into_iter().chain(rows))))
}
