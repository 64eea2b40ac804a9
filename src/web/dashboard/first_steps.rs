//! The list of first steps: shown to administrators until all are done or somebody hides it. Each leads to where it is
//! done.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::accounts::Role;
use crate::alerting;
use crate::integrations::Family;
use crate::models::credential_summary::Summary;
use crate::models::first_steps::{self, Tick};
use crate::models::sample::Loaded;
use crate::models::{Conn, DbError};
use crate::services::Services;
use crate::usecases;
use crate::vault::Vault;
use crate::web::error::Error;
use crate::web::page;
use crate::web::posted::Posted;
use crate::web::session::{Administrator, As};

/// One line.
pub struct Step {
    /// As tests name it.
    pub name: &'static str,
    pub done: bool,
    pub title: &'static str,
    pub help: &'static str,
    pub href: &'static str,
    /// Nobody can know it, so a person ticks it.
    pub by_hand: bool,
}

/// (name, title, help, where)
const STEPS: [(&str, &str, &str, &str); 6] = [
    ("credential", "Add a credential", "Paste it as its provider gives it.", "/credentials/new"),
    ("test", "Test it", "The provider says whether it works, and whose it is.", "/credentials"),
    (
        "integration",
        "Add an integration",
        "Scan a registry, functions or a cloud account with it.",
        "/integrations/new",
    ),
    ("notify", "Choose who is notified", "Alerts go by email, chat or ticket.", "/integrations/new?version=email"),
    ("key_ring", "Back up the key ring", "Without this file, no backup of the database can be read.", "/alerts"),
    ("second", "Add a second administrator", "Or turn on two-step verification for your account.", "/users/new"),
];

/// `None` once all are done, or the list is hidden.
pub fn read(conn: &mut Conn, vault: &Vault, summary: &Summary, sample: Loaded) -> Result<Option<Vec<Step>>, DbError> {
    if first_steps::is_hidden(conn)? {
        return Ok(None);
    }
    let known = first_steps::known(conn, Family::AlertProfile.slug(), Role::Administrator.slug())?;
    let own = summary.total() - summary.shipped - sample.credentials;
    let notified = alerting::has_audience(conn, vault)?;
    let done = [own > 0, own > summary.untested, known.integration, notified, known.key_ring, known.second];
    let steps = STEPS.into_iter().zip(done).map(|((name, title, help, href), done)| Step {
        name,
        done,
        title,
        help,
        href,
        by_hand: name == Tick::KeyRing.word(),
    });
    Ok(done.contains(&false).then(|| steps.collect()))
}

pub async fn update(
    services: Data<Services>,
    visitor: As<Administrator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["step"])?;
    let unknown = || Error::Unacceptable("There is no such step.".to_owned());
    let tick = Tick::find(posted.get("step")).ok_or_else(unknown)?;
    usecases::first_steps::tick(&services, &visitor.principal(), tick).await?;
    Ok(page::see_other("/", ""))
}
