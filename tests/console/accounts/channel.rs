//! The one channel that writes to users, and who may touch it: its mails open accounts.

use super::*;
use crate::support::sql;

fn form(all: &Mailing, more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let settings = all.server.settings();
    let row_version = sql::texts(&all.app, "SELECT max(row_version)::text AS text FROM integrations").remove(0);
    let mut fields = vec![("version", "email".to_owned()), ("name", "Mail".to_owned()), ("row_version", row_version)];
    for name in ["host", "port", "tls", "from", "from_name"] {
        fields.push((name, settings.get(name).to_owned()));
    }
    for (name, value) in more {
        fields.retain(|(known, _)| known != name);
        fields.push((name, (*value).to_owned()));
    }
    fields
}

async fn post(visit: &mut Visit, path: &str, fields: &[(&'static str, String)]) -> Page {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    visit.post(path, &fields).await
}

#[actix_web::test]
async fn one_channel_alone_writes_to_users_and_a_second_hears_which() {
    let all = Mailing::start();
    let mut ada = all.app.administrator();
    let mut fields = form(&all, &[("name", "Second"), ("accounts", "on")]);
    fields.retain(|(name, _)| *name != "row_version");
    let page = post(&mut ada, "/integrations", &fields).await;
    assert_eq!((page.status, page.text("#accounts-error").contains("“Mail”")), (422, true));
    assert!(page.has("#accounts[checked]"), "what was ticked stays");
    let edit = format!("/integrations/{}/edit", all.channel);
    assert_eq!(post(&mut ada, &edit, &form(&all, &[])).await.status, 303);
    assert_eq!(post(&mut ada, "/integrations", &fields).await.status, 303, "the box was cleared");
    // Also where two are saved at the same moment.
    let marks = "UPDATE integrations SET settings = settings::jsonb || '{\"accounts\": \"on\"}'";
    let refused = diesel::connection::SimpleConnection::batch_execute(&mut all.app.connect(), marks);
    assert!(refused.is_ok(), "spaces make it another text: {refused:?}");
    let marks = "UPDATE integrations SET settings = replace(settings, '\": \"', '\":\"')";
    assert!(diesel::connection::SimpleConnection::batch_execute(&mut all.app.connect(), marks).is_err());
}

#[actix_web::test]
async fn an_operator_leads_the_mail_to_users_nowhere_else() {
    let all = Mailing::start();
    let mut olga = all.app.user("olga", Role::Operator);
    let edit = format!("/integrations/{}/edit", all.channel);
    for fields in [form(&all, &[("port", "2525"), ("accounts", "on")]), form(&all, &[])] {
        let page = post(&mut olga, &edit, &fields).await;
        assert_eq!((page.status, page.has("#accounts-error")), (422, true), "{:?}", page.texts("main"));
    }
    assert_eq!(sql::count(&all.app, "integrations WHERE settings LIKE '%\"accounts\":\"on\"%'"), 1);
    let mut fields = form(&all, &[("name", "Own"), ("accounts", "on")]);
    fields.retain(|(name, _)| *name != "row_version");
    assert_eq!(post(&mut olga, "/integrations", &fields).await.status, 422);
    let unmarked: Vec<_> = fields.into_iter().filter(|(name, _)| *name != "accounts").collect();
    assert_eq!(post(&mut olga, "/integrations", &unmarked).await.status, 303, "any other channel is theirs to add");
    let mut ada = all.app.administrator();
    assert_eq!(post(&mut ada, &edit, &form(&all, &[("row_version", "1"), ("accounts", "on")])).await.status, 303);
}

#[actix_web::test]
async fn nothing_is_offered_while_no_channel_writes_to_users() {
    let app = TestApp::start();
    let server = MailServer::clear(json!({}));
    channel(&app, &server, "Alerts", false);
    let mut ada = app.administrator();
    assert!(!ada.get("/users/new").await.has("[data-first]"));
    let new = [("username", "grace"), ("role", "auditor"), ("email", "g@example.com"), ("first", "invitation")];
    let page = ada.post("/users/new", &new).await;
    assert_eq!((page.status, page.has("#email-error"), count(&app, "users")), (422, true, 1));
    let mut visit = app.visitor();
    assert!(!visit.get("/login").await.has("a[href='/password/forgot']"));
    assert_eq!(visit.get("/password/forgot").await.location(), "/login");
    assert_eq!(visit.post("/password/forgot", &[("who", "ada")]).await.status, 404);
    assert_eq!(count(&app, "account_letters"), 0);
}

#[actix_web::test]
async fn a_switched_off_channel_offers_nothing_and_an_unmarked_one_sends_nothing() {
    let mut all = Mailing::start();
    all.user_at("grace", Role::Auditor, "grace@example.com");
    assert!(all.app.visitor().get("/login").await.has("a[href='/password/forgot']"));
    all.server.stop();
    assert_eq!(all.app.visitor().post("/password/forgot", &[("who", "grace")]).await.status, 200);
    let mut ada = all.app.administrator();
    let edit = format!("/integrations/{}/edit", all.channel);
    assert_eq!(post(&mut ada, &edit, &form(&all, &[])).await.status, 303, "the box is cleared");
    all.server.start_again();
    wait_for("it is given up", PATIENCE, async || count(&all.app, "deliveries WHERE state = 'dropped'") == 1).await;
    assert_eq!(all.server.steps("mail").len(), 0);
    let marked = form(&all, &[("accounts", "on")]);
    assert_eq!(post(&mut ada, &edit, &marked).await.status, 303);
    assert!(all.app.visitor().get("/login").await.has("a[href='/password/forgot']"));
    assert_eq!(ada.post(&format!("/integrations/{}/activation", all.channel), &[("active", "")]).await.status, 303);
    assert!(!all.app.visitor().get("/login").await.has("a[href='/password/forgot']"));
}

#[actix_web::test]
async fn an_operator_gives_the_mail_to_users_no_other_login() {
    let app = TestApp::start();
    let (mut ada, mut olga) = (app.administrator(), app.user("olga", Role::Operator));
    let basic = [("kind", "basic"), ("name", "Mail login"), ("username", "robot"), ("password", "a")];
    let page = ada.post("/credentials", &basic).await.location().to_owned();
    let credential = page.rsplit('/').next().unwrap().parse().unwrap();
    let settings = r#"{"accounts":"on","from":"a@example.com","host":"127.0.0.1","port":"1","tls":"starttls"}"#;
    let new = NewIntegration {
        family: "alert_profile",
        version: "email",
        name: "Mail",
        credential_id: Some(credential),
        host: "127.0.0.1:1",
        further: &[],
        settings,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new));
    let edit = [("row_version", "1"), ("name", "Mail login"), ("username", "eve"), ("password", "b")];
    assert_eq!(olga.post(&format!("{page}/edit"), &edit).await.status, 409);
    let rotate = [("row_version", "1"), ("goal", "save"), ("password", "b")];
    assert_eq!(olga.post(&format!("{page}/rotate"), &rotate).await.status, 409);
    let rename = [("row_version", "1"), ("name", "Relay"), ("username", "robot"), ("password", "")];
    assert_eq!(olga.post(&format!("{page}/edit"), &rename).await.status, 303, "a name leads nowhere");
    let edit = [("row_version", "2"), ("name", "Relay"), ("username", "eve"), ("password", "b")];
    assert_eq!(ada.post(&format!("{page}/edit"), &edit).await.status, 303);
}
