//! Channels that are limited to alerts about what has certain tags.

use strongroom::models::alerts::{self, Subject};
use strongroom::models::labels::Change;
use strongroom::models::relabel;
use uuid::Uuid;

use super::*;
use crate::support::app::Visit;
use crate::support::signed;

/// A Splunk channel that hears only of what has one of these tags.
fn limited(app: &TestApp, splunk: &Splunk, tags: &str) -> IntegrationId {
    let token = credential(app, &credentials::api_token::KIND, "HEC of the team", &[("token", "8f4a5e2c-splunk")]);
    let url = splunk.0.url();
    let settings: Values =
        [("url", url.as_str()), ("source", "strongroom"), ("only_tags", tags)].into_iter().chain(EVERYTHING).collect();
    let settings = String::from_utf8(settings.to_json().to_vec()).expect("JSON");
    let new = NewIntegration {
        family: "alert_profile",
        version: "splunk",
        name: "limited",
        credential_id: Some(token),
        host: &url,
        further: &[],
        settings: &settings,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new))
}

fn tag(app: &TestApp, id: CredentialId, change: &Change) {
    app.transaction(|conn| relabel::credential(conn, &app.services.vault, &Actor::command_line(), (id, None), change));
}

fn prod() -> Change {
    Change::AddTag("prod".to_owned())
}

/// Names of what the events are about, as often as they were told.
fn told(splunk: &Splunk, name: &str) -> usize {
    splunk.events().iter().filter(|event| event.to_string().contains(name)).count()
}

#[actix_web::test]
async fn a_limited_channel_hears_only_of_what_has_its_tags() {
    let (everything, some) = (Splunk::start(), Splunk::start());
    let app = TestApp::start();
    everything.add(&app);
    limited(&app, &some, "billing, prod");
    let tagged = access_key(&app, "tagged-key", "91 days");
    tag(&app, tagged, &prod());
    access_key(&app, "other-key", "91 days");
    let user = Subject { kind: "user", id: Uuid::now_v7(), name: "locked-out" };
    app.transaction(|conn| alerts::raise(conn, "lockout", user, ""));
    look_now(&app);
    until("all three are told", || (everything.events().len() == 3).then_some(())).await;
    quiet(&app).await;
    assert_eq!((told(&some, "tagged-key"), some.events().len()), (1, 1), "{:?}", some.titles());
}

#[actix_web::test]
async fn reminders_follow_the_tags_of_the_day_and_an_end_those_who_heard() {
    let (everything, some) = (Splunk::start(), Splunk::start());
    let app = TestApp::start();
    everything.add(&app);
    limited(&app, &some, "prod");
    let key = access_key(&app, "moving-key", "91 days");
    tag(&app, key, &prod());
    look_now(&app);
    until("it is told", || (told(&some, "moving-key") == 1 && told(&everything, "moving-key") == 1).then_some(()))
        .await;
    tag(&app, key, &Change::RemoveTag("prod".to_owned()));
    signed::run(&app, "UPDATE alerts SET told_at = now() - interval '30 days'");
    look_now(&app);
    until("it is reminded of", || (told(&everything, "moving-key") == 2).then_some(())).await;
    quiet(&app).await;
    assert_eq!(told(&some, "moving-key"), 1, "it is no longer the team's");
    app.transaction(|conn| stored::delete(conn, &app.services.vault, &Actor::command_line(), key));
    look_now(&app);
    until("its end is told", || (told(&everything, "moving-key") == 3 && told(&some, "moving-key") == 2).then_some(()))
        .await;
}

#[actix_web::test]
async fn nobody_hides_an_alert_by_changing_tags_in_the_database() {
    let some = Splunk::start();
    let app = TestApp::start();
    limited(&app, &some, "prod");
    let key = access_key(&app, "hidden-key", "91 days");
    tag(&app, key, &prod());
    run(&app, &format!("UPDATE credentials SET tags = '{{}}' WHERE id = '{key}'"));
    look_now(&app);
    until("it is told", || (told(&some, "hidden-key") > 0).then_some(())).await;
}

async fn version(visit: &mut Visit, id: &str) -> String {
    visit.get(&format!("/integrations/{id}/edit")).await.attributes("input[name=row_version]", "value").remove(0)
}

#[actix_web::test]
async fn the_tags_of_a_channel_are_entered_shown_and_changed_with_the_password() {
    let app = TestApp::start();
    let token = credential(&app, &credentials::api_token::KIND, "HEC", &[("token", "8f4a5e2c-splunk")]).to_string();
    let mut visit = app.administrator();
    let base = [
        ("name", "team"),
        ("version", "splunk"),
        ("url", "https://splunk.example.com"),
        ("source", "strongroom"),
        ("credential", &token),
        ("on_stale", "on"),
    ];
    let bad = visit.post("/integrations", &[&base[..], &[("only_tags", "a\u{200b}b")]].concat()).await;
    assert!(bad.status == 422 && bad.has("#only_tags-error"), "{}", bad.text("main"));
    let added = visit.post("/integrations", &[&base[..], &[("only_tags", " Prod,billing, PROD")]].concat()).await;
    assert_eq!(added.status, 303, "{:?}", added.texts(".field__error, .error-summary"));
    let id = added.location().replace("/integrations/", "");
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert_eq!(page.texts("[data-only-tags] .tag"), ["prod", "billing"]);
    let form = visit.get(&format!("/integrations/{id}/edit")).await;
    assert_eq!(form.attributes("#only_tags", "value"), ["prod, billing"]);
    app.give_password_long_ago();
    let seen = version(&mut visit, &id).await;
    let fields = [&base[..], &[("only_tags", "prod"), ("row_version", seen.as_str())]].concat();
    let asked = visit.post(&format!("/integrations/{id}/edit"), &fields).await;
    assert_eq!((asked.status, asked.has("#confirm")), (422, true), "fewer alerts need the password");
    let row = integrations::find(&mut app.connect(), &app.services.vault, id.parse().expect("an id")).expect("a row");
    assert!(row.doubt().is_none() && row.shown().settings.contains("prod, billing"));
}
