//! What a session must not do whose password was given long ago: somebody else may sit at it. Every route that writes
//! is in one of the two tables of `table`, so that nobody adds one without deciding; every one of the first is tried
//! with a stale session, which must be sent to confirm and change nothing.

use std::collections::BTreeSet;

use reqwest::Method;
use strongroom::accounts::Role;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{UserId, users};
use strongroom::web::ROUTES;

use crate::support::app::{PASSWORD, Page, TestApp, Visit};
use crate::support::one_of_each::{OneOfEach, changed, marks};

mod table;

use table::Asks::{self, InTheForm, OnItsPage};
use table::{ASKS, DOES_NOT_ASK};

#[test]
fn every_write_is_in_one_of_the_two_tables_and_they_hold_no_others() {
    let writes: BTreeSet<_> = ROUTES.iter().filter(|(method, _)| *method != "get").map(|(_, path)| *path).collect();
    let asks: BTreeSet<_> = ASKS.iter().filter(|(method, ..)| *method != "get").map(|(_, path, ..)| *path).collect();
    let does_not: BTreeSet<_> = DOES_NOT_ASK.iter().map(|(path, _)| *path).collect();
    let decided: BTreeSet<_> = asks.union(&does_not).copied().collect();
    let missing: Vec<_> = writes.difference(&decided).collect();
    assert!(missing.is_empty(), "decide whether these need a fresh password: {missing:#?}");
    assert_eq!(decided.difference(&writes).collect::<Vec<_>>(), Vec::<&&str>::new(), "these are no routes any more");
    assert_eq!(asks.intersection(&does_not).collect::<Vec<_>>(), Vec::<&&str>::new(), "these are in both");
    let reads = ASKS.iter().filter(|(method, ..)| *method == "get").map(|(method, path, ..)| (*method, *path));
    assert_eq!(reads.filter(|route| !ROUTES.contains(route)).collect::<Vec<_>>(), Vec::new());
}

/// A channel that sends with the credential there is.
fn channel_with_credential(app: &TestApp, credential: &str) {
    let settings = r#"{"host":"127.0.0.1","port":"1","tls":"starttls","from":"a@example.com"}"#;
    let channel = NewIntegration {
        family: "alert_profile",
        version: "email",
        name: "with a credential",
        credential_id: Some(credential.parse().expect("an id")),
        host: "127.0.0.1:1",
        further: &[],
        settings,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &channel));
}

/// The body with the ids that it names.
fn filled(body: &str, things: &OneOfEach) -> String {
    let id = |noun: &str| things.path(&format!("/{noun}/{{id}}")).replace(&format!("/{noun}/"), "");
    let body = body.replace("{aws}", &things.aws.to_string());
    body.replace("{credential}", &id("credentials")).replace("{integration}", &id("integrations"))
}

async fn call(visit: &mut Visit, method: &str, path: &str, body: &str, htmx: bool) -> Page {
    let method = if method == "get" { Method::GET } else { Method::POST };
    let mut request = visit.request(method, path).header("sec-fetch-site", "same-origin");
    if htmx {
        request = request.header("hx-request", "true");
    }
    let form = "application/x-www-form-urlencoded";
    visit.send(request.header("content-type", form).body(body.to_owned())).await
}

fn asked(page: &Page, how: Asks, htmx: bool) -> bool {
    let confirms = |address: &str| address.starts_with("/account/confirm?next=%2F");
    match how {
        OnItsPage if htmx => page.status == 401 && confirms(page.header("hx-redirect")),
        OnItsPage => page.status == 303 && confirms(page.location()) && page.body.len() < 1024,
        InTheForm => {
            page.status == 422 && page.has("#confirm input[type=password], #destination input[type=password], #current")
        }
    }
}

#[actix_web::test]
async fn a_session_whose_password_is_long_ago_is_asked_and_changes_nothing() {
    let app = TestApp::start();
    let things = OneOfEach::in_console(&app);
    let credential = things.path("/credentials/{id}").replace("/credentials/", "");
    channel_with_credential(&app, &credential);
    let mut visit = app.administrator();
    let limit = things.path("/credentials/{id}/limit");
    assert_eq!(visit.post(&limit, &[("days", "30")]).await.status, 303);
    app.give_password_long_ago();
    let (mut before, mut wrong) = (marks(&app), Vec::new());
    for (method, route, how, body, _) in ASKS {
        let (path, body) = (things.path(route), filled(body, &things));
        for htmx in [false, true] {
            let page = call(&mut visit, method, &path, &body, htmx).await;
            if !asked(&page, *how, htmx) {
                wrong.push(format!("{method} {route}: answers {} {:?}", page.status, page.texts("main p, h1")));
            }
        }
        let after = marks(&app);
        let mut changed = changed(&before, &after);
        if *how == InTheForm {
            // A wrong try is counted, and a refusal told in the trail.
            changed.retain(|table| !["events", "audit_lanes", "login_failures"].contains(&table.as_str()));
        }
        if !changed.is_empty() {
            wrong.push(format!("{method} {route}: writes {changed:?}"));
        }
        before = after;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The bodies above are whole, so that it was the session that was refused.
#[actix_web::test]
async fn a_session_whose_password_was_just_given_is_not_asked() {
    let app = TestApp::start();
    let things = OneOfEach::in_console(&app);
    let credential = things.path("/credentials/{id}").replace("/credentials/", "");
    channel_with_credential(&app, &credential);
    let mut wrong = Vec::new();
    // What is deleted last cannot be missed before.
    let ends = |route: &str| route.ends_with("/delete") || route.ends_with("/remove");
    let (last, first): (Vec<_>, Vec<_>) = ASKS.iter().partition(|(method, route, ..)| *method == "post" && ends(route));
    for &(method, route, how, body, _) in first.into_iter().chain(last.into_iter().rev()) {
        if route == "/account/password" {
            continue;
        }
        // One of them ends the session.
        let mut visit = app.session_of(administrator(&app));
        let body = filled(body, &things);
        let page = call(&mut visit, method, &things.path(route), &body, false).await;
        let refused = page.status >= 500 || matches!(page.status, 400 | 403 | 404) || asked(&page, how, false);
        if refused {
            wrong.push(format!("{method} {route}: {} {} {:?}", page.status, page.location(), page.texts("main p, h1")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn administrator(app: &TestApp) -> UserId {
    match users::find_by_key(&mut app.connect(), &app.services.vault, "ada").expect("the users") {
        Some(user) => user.shown().id,
        None => app.add_user("ada", Role::Administrator),
    }
}

#[actix_web::test]
async fn a_new_channel_asks_though_its_credential_is_the_visitors_own() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    app.give_password_long_ago();
    let hook = [("kind", "webhook"), ("name", "hook"), ("url", "https://hooks.example.com/a")];
    let credential = visit.post("/credentials", &hook).await.location().replace("/credentials/", "");
    let channel = [("version", "webhook_channel"), ("name", "sink"), ("credential", &credential), ("on_stale", "on")];
    let page = visit.post("/integrations", &channel).await;
    assert_eq!((page.status, page.attributes("#name", "value")), (422, vec!["sink".to_owned()]));
    let page = visit.post("/integrations", &[&channel[..], &[("password", PASSWORD)]].concat()).await;
    assert!(page.status == 303 && page.location().starts_with("/integrations/"), "{}", page.status);
}

#[actix_web::test]
async fn alerts_may_become_louder_without_a_password_and_quieter_with_it() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    app.give_password_long_ago();
    let louder = [("row_version", "0"), ("failed_scans", "1"), ("ahead", "on"), ("remind", "on"), ("stale_days", "30")];
    assert_eq!(visit.post("/alerts/settings", &louder).await.status, 303);
    let never = [("row_version", "1"), ("failed_scans", "1"), ("ahead", "on"), ("remind", "on"), ("days_aws", "0")];
    let page = visit.post("/alerts/settings", &never).await;
    assert_eq!((page.status, page.attributes("#days_aws", "value")), (422, vec!["0".to_owned()]));
    assert!(page.has("#confirm #password") && page.attributes("[name=row_version]", "value") == ["1"]);
    let page = visit.post("/alerts/settings", &[&never[..], &[("password", "wrong")]].concat()).await;
    assert_eq!((page.status, page.has("#password-error")), (422, true));
    let page = visit.post("/alerts/settings", &[&never[..], &[("password", PASSWORD)]].concat()).await;
    assert_eq!((page.status, page.location()), (303, "/alerts/settings"));
}

#[actix_web::test]
async fn a_limit_and_a_role_wait_in_their_form_for_the_password() {
    let app = TestApp::start();
    let things = OneOfEach::in_console(&app);
    let mut visit = app.administrator();
    let limit = things.path("/credentials/{id}/limit");
    assert_eq!(visit.post(&limit, &[("days", "30")]).await.status, 303);
    app.give_password_long_ago();
    let page = visit.post(&limit, &[("days", "3000")]).await;
    assert_eq!((page.status, page.attributes("#days", "value")), (422, vec!["3000".to_owned()]));
    let page = visit.post(&limit, &[("days", "3000"), ("password", "wrong")]).await;
    assert_eq!((page.status, page.has("#password-error")), (422, true));
    assert_eq!(visit.post(&limit, &[("days", "3000"), ("password", PASSWORD)]).await.status, 303);
    app.give_password_long_ago();
    let grace = format!("/users/{}/role", app.add_user("grace", Role::Auditor));
    let page = visit.post(&grace, &[("role", "operator")]).await;
    assert_eq!((page.status, page.attributes("#role [selected]", "value")), (422, vec!["operator".to_owned()]));
    let page = visit.post(&grace, &[("role", "operator"), ("your_password", PASSWORD)]).await;
    assert_eq!((page.status, page.location().contains("/users/")), (303, true));
}

#[actix_web::test]
async fn what_was_typed_is_still_there_when_a_form_asks_for_the_password() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    app.give_password_long_ago();
    let user = [("username", "grace"), ("role", "operator")];
    let page = visit.post("/users/new", &user).await;
    assert_eq!((page.status, page.attributes("#username", "value")), (422, vec!["grace".to_owned()]));
    assert!(page.has("#role-operator[checked]"), "the role is kept");
    let page = visit.post("/users/new", &[&user[..], &[("your_password", "wrong")]].concat()).await;
    assert_eq!((page.status, page.has("#your_password-error")), (422, true));
    let page = visit.post("/users/new", &[&user[..], &[("your_password", PASSWORD)]].concat()).await;
    assert_eq!(page.status, 200, "the password that was made is shown: {:?}", page.texts("main p"));
    let things = OneOfEach::in_console(&app);
    let path = things.path("/credentials/{id}/edit");
    channel_with_credential(&app, &things.path("/credentials/{id}").replace("/credentials/", ""));
    let edit = [("row_version", "1"), ("name", "Renamed"), ("username", "robot"), ("password", "another")];
    app.give_password_long_ago();
    let page = visit.post(&path, &edit).await;
    assert_eq!((page.status, page.attributes("#name", "value")), (422, vec!["Renamed".to_owned()]));
    let page = visit.post(&path, &[&edit[..], &[("your_password", PASSWORD)]].concat()).await;
    assert_eq!(page.status, 303, "{:?}", page.texts("main p"));
}
