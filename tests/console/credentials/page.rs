//! A credential's page: facts, usages, policies, history.

use diesel::prelude::*;
use strongroom::models::CredentialId;
use strongroom::models::schema::credentials;
use uuid::Uuid;

use super::{add_of, execute, integrate, samples};
use crate::support::app::TestApp;
use crate::support::signed;

#[actix_web::test]
async fn the_page_shows_everything_but_the_secret() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fields = [
        ("kind", "aws"),
        ("name", "ci deploy"),
        ("description", "Deploys <b>from</b> CI"),
        ("method", "access_key"),
        ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("secret_access_key", "tooshort"),
    ];
    let id = add_of(&mut visit, &fields).await;
    signed::run(&app, &format!("UPDATE credentials SET secret_set_at = now() - interval '112 days' WHERE id = '{id}'"));
    let page = visit.get(&format!("/credentials/{id}")).await;
    assert!(page.text("h1").starts_with("ci deploy"));
    assert!(page.texts("h1 .badge").contains(&"Stale".to_owned()));
    assert_eq!(page.text(".page-head [data-kind]"), "AWS · Access key");
    let facts = page.texts(".facts > div").join("\n");
    for fact in [
        "Description Deploys <b>from</b> CI",
        "Access key ID AKIAIOSFODNN7EXAMPLE",
        "Secret access key Stored, encrypted",
        "Last used never",
        "by ada",
    ] {
        assert!(facts.contains(fact), "{fact} in {facts}");
    }
    assert!(page.texts(".notice.is-warn").iter().any(|text| text.contains("40 characters")));
    assert!(page.texts(".timeline li")[0].starts_with("Created by ada"));
    assert!(page.text("[data-age]").contains("112 days"));
    assert_eq!(page.text("#identity"), "AKIAIOSFODNN7EXAMPLE");
    assert!(page.has("[data-copy=identity]"));
    let tabs = ["#overview", "#usages", "#history"];
    assert_eq!(page.attributes(".tabs a", "href"), tabs, "no policies yet, and no guide on a thing already made");
    assert!(tabs.iter().all(|tab| page.has(&format!(".panel h2{tab}"))));
    let ways: Vec<String> = ["edit", "delete", "rotate"].map(|way| format!("/credentials/{id}/{way}")).into();
    assert_eq!(page.attributes(".page-head a.button", "href"), ways);
    assert!(!page.body.contains("tooshort"));
}

#[actix_web::test]
async fn usages_name_every_integration_enabled_or_not_with_its_last_outcome() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fields = [("kind", "basic"), ("name", "robot"), ("username", "robot"), ("password", "p")];
    let id = add_of(&mut visit, &fields).await;
    let page = visit.get(&format!("/credentials/{id}")).await;
    assert_eq!(page.text("h2#usages"), "Usages");
    assert!(page.has("[aria-labelledby=usages] [data-unused]"));
    let [good, bad, off] = ["a good one", "b bad one", "c off one"].map(|name| integrate(&app, name, id));
    for (integration, state, error) in [(good, "succeeded", "NULL"), (bad, "failed", "'Listing repositories: 401'")] {
        let run = Uuid::now_v7();
        execute(
            &app,
            &format!(
                "INSERT INTO runs (id, integration_id, state, cause, requested_by, started_at, ended_at, error)
                 VALUES ('{run}', '{integration}', '{state}', 'asked', 'ada', now(), now(), {error})"
            ),
        );
    }
    execute(&app, &format!("UPDATE integrations SET active = false WHERE id = '{off}'"));
    let page = visit.get(&format!("/credentials/{id}")).await;
    assert_eq!(page.text(".tabs [href='#usages'] span"), "3");
    assert_eq!(page.texts(".graph__ends a"), ["a good one", "b bad one", "c off one"]);
    let rows = page.texts("[aria-labelledby=usages] tbody tr");
    assert!(rows[0].contains("Registry Scan") && rows[0].contains("Enabled") && rows[0].contains("Succeeded"));
    assert!(rows[1].contains("Listing repositories: 401"));
    assert!(rows[2].contains("Switched off") && rows[2].contains("never"));
    let links = page.attributes("[aria-labelledby=usages] tbody a", "href");
    assert_eq!(links, [good, bad, off].map(|id| format!("/integrations/{id}")));
}

#[actix_web::test]
async fn the_iam_role_can_be_neither_edited_nor_deleted_and_says_why() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let query = credentials::table.filter(credentials::shipped).select(credentials::id);
    let id: CredentialId = query.first(&mut app.connect()).expect("the shipped one");
    let page = visit.get(&format!("/credentials/{id}")).await;
    assert_eq!(page.text("h1"), "IAM Role");
    assert!(page.texts(".page-head a.button").is_empty());
    assert!(page.text("main .notice.is-info").contains("can be neither edited nor deleted"));
    for path in [format!("/credentials/{id}/edit"), format!("/credentials/{id}/delete")] {
        assert_eq!(visit.get(&path).await.status, 409, "{path}");
        let page = visit.post(&path, &[("name", "IAM Role")]).await;
        assert_eq!(page.status, 409, "{path}");
        assert!(page.body.contains("can be neither edited nor deleted"));
    }
}

#[actix_web::test]
async fn policies_carry_the_credentials_own_names() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let arn = "arn:aws:iam::123456789123:role/scanner";
    let fields = [("kind", "aws"), ("name", "chained"), ("method", "iam_role"), ("role_arn", arn)];
    let id = add_of(&mut visit, &fields).await;
    let page = visit.get(&format!("/credentials/{id}")).await;
    assert!(page.text("[aria-labelledby=policies]").contains(arn));
}

#[actix_web::test]
async fn the_expiry_of_a_certificate_is_shown() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (_, values) = samples::all("x").into_iter().find(|(kind, _)| *kind == "certificate").expect("a sample");
    let mut fields = vec![("kind", "certificate"), ("name", "client")];
    fields.extend(values.iter().map(|(name, value)| (*name, value.as_str())));
    let id = add_of(&mut visit, &fields).await;
    let page = visit.get(&format!("/credentials/{id}")).await;
    assert!(page.texts(".facts > div").contains(&"Expires 4 May 2041".to_owned()), "{:?}", page.texts(".facts > div"));
}

#[actix_web::test]
async fn a_type_that_only_another_version_knows_is_shown_and_not_edited() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fields = [("kind", "api_token"), ("name", "from the future"), ("token", "t")];
    let id = add_of(&mut visit, &fields).await;
    execute(&app, &format!("UPDATE credentials SET kind = 'quantum', facts = '[]' WHERE id = '{id}'"));
    for path in ["/credentials".to_owned(), format!("/credentials/{id}"), format!("/credentials/{id}/delete")] {
        assert_eq!(visit.get(&path).await.status, 200, "{path}");
    }
    assert_eq!(visit.get(&format!("/credentials/{id}/edit")).await.status, 409);
}
