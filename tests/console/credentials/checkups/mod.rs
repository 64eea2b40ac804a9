//! The Test button: before saving and on what is saved; what is recorded, and what never is.

use strongroom::models::CredentialId;
use strongroom::models::checkups;

use super::{add_of, samples};
use crate::support::app::{Page, TestApp, Visit};
use crate::support::sql;

mod daily;
mod saved;
mod screens;
mod unsaved;

const CANARY: &str = "canary-3f9a1c77-never-on-a-page";

type Fields = Vec<(&'static str, String)>;

fn sample(kind: &str) -> Fields {
    samples::all(CANARY).into_iter().find(|(slug, _)| *slug == kind).expect("a sample").1
}

/// The form of a certificate, which is tested without anybody's answer: by its dates.
fn certificate(name: &str) -> Fields {
    let mut fields = vec![("kind", "certificate".to_owned()), ("name", name.to_owned())];
    fields.extend(sample("certificate"));
    fields
}

fn borrowed(fields: &Fields) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

pub(super) async fn add_certificate(visit: &mut Visit, name: &str) -> CredentialId {
    add_of(visit, &borrowed(&certificate(name))).await
}

/// Posts as htmx does.
async fn pressed(visit: &mut Visit, path: &str, fields: &[(&str, &str)]) -> Page {
    let request = visit.request(reqwest::Method::POST, path).form(fields);
    visit.send(request.header("sec-fetch-site", "same-origin").header("hx-request", "true")).await
}

fn last(app: &TestApp, id: CredentialId) -> Option<checkups::LastTest> {
    checkups::last(&mut app.connect(), id).expect("an answer")
}

fn rows_and_events(app: &TestApp) -> (i64, i64) {
    (sql::count(app, "credentials"), sql::count(app, "events"))
}
