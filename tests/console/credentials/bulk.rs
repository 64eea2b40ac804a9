//! What is done to many credentials at once: each by itself, and each said.

use strongroom::accounts::Role;

use super::{actions, add, add_of, doubt, execute, integrate, row};
use crate::support::app::{PASSWORD, Page, TestApp, Visit};
use crate::support::{signed, sql};

/// Posts the table's form with these rows ticked.
async fn post(visit: &mut Visit, ids: &[String], more: &[(&str, &str)]) -> Page {
    let mut fields: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "on")).collect();
    fields.extend(more);
    visit.post("/credentials/bulk", &fields).await
}

fn said(page: &Page) -> Vec<(String, String)> {
    page.texts("[data-outcome] th").into_iter().zip(page.texts("[data-outcome] td:last-child")).collect()
}

#[actix_web::test]
async fn one_credential_that_cannot_be_tagged_stops_no_other() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let full =
        [("kind", "basic"), ("name", "full"), ("username", "r"), ("password", "p"), ("tags", "a,b,c,d,e,f,g,h,i,j")];
    let ids = [
        add(&mut visit, "one").await,
        add_of(&mut visit, &full).await,
        add(&mut visit, "altered").await,
        add(&mut visit, "two").await,
    ];
    execute(&app, &format!("UPDATE credentials SET note = 'x' WHERE id = '{}'", ids[2]));
    let texts = ids.map(|id| id.to_string());
    let form = post(&mut visit, &texts, &[("do", "tag"), ("filter", "/credentials?kind=basic")]).await;
    assert_eq!((form.status, form.texts("[data-chosen] li").len()), (200, 4));
    assert_eq!(form.attributes(".back", "href"), ["/credentials?kind=basic"]);
    let bad = post(&mut visit, &texts, &[("do", "add-tag"), ("tag", "a,b")]).await;
    assert_eq!((bad.status, bad.attributes("#tag", "value")), (422, vec!["a,b".to_owned()]));
    let done = post(&mut visit, &texts, &[("do", "add-tag"), ("tag", "Prod")]).await;
    assert_eq!(done.text("h1"), "Changed 2 of 4");
    let why = said(&done);
    assert_eq!(why[..2].iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["altered", "full"]);
    assert!(why[0].1.contains("tampered") && why[1].1.contains("10 tags"), "{why:?}");
    for id in [ids[0], ids[3]] {
        assert_eq!(row(&app, id).tags, ["prod"]);
        assert_eq!(
            (doubt(&app, id), actions(&app, id).last().map(String::as_str)),
            (None, Some("credential.labels_changed"))
        );
    }
    let again = post(&mut visit, &texts[..1], &[("do", "add-tag"), ("tag", "prod")]).await;
    assert!(again.has("[data-outcome=off]"), "nothing changed, and it says so");
    post(&mut visit, &texts[..1], &[("do", "remove-tag"), ("tag", "prod")]).await;
    assert!(row(&app, ids[0]).tags.is_empty());
    post(&mut visit, &texts[..1], &[("do", "set-owner"), ("owner", "Platform")]).await;
    assert_eq!(row(&app, ids[0]).owner, "Platform");
}

#[actix_web::test]
async fn all_that_match_are_chosen_by_the_filters_of_the_table() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let mut ids = Vec::new();
    for name in ["prod a", "prod b", "other"] {
        ids.push(add(&mut visit, name).await);
    }
    let all = [("all", "yes"), ("filter", "/credentials?q=prod&sort=age"), ("do", "set-owner"), ("owner", "Data")];
    let done = post(&mut visit, &[], &all).await;
    assert_eq!(done.text("h1"), "Changed 2 of 2");
    assert_eq!(ids.iter().map(|id| row(&app, *id).owner).collect::<Vec<_>>(), ["Data", "Data", ""]);
    assert_eq!(post(&mut visit, &[], &[("do", "tag")]).await.status, 422, "none is ticked");
    let fields = [("all", "yes"), ("filter", "/credentials?kind=pigeon"), ("do", "tag")];
    assert_eq!(post(&mut visit, &[], &fields).await.status, 422);
}

#[actix_web::test]
async fn unused_credentials_are_deleted_and_those_in_use_are_named() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let ids = [add(&mut visit, "one").await, add(&mut visit, "used").await, add(&mut visit, "three").await];
    integrate(&app, "scan", ids[1]);
    let texts = ids.map(|id| id.to_string());
    let form = post(&mut visit, &texts, &[("do", "delete")]).await;
    assert_eq!(form.texts("[data-chosen] li").len(), 2);
    assert!(form.text("[data-kept]").starts_with("used"));
    let offered = form.attributes("form.form input[value=on]", "name");
    assert_eq!(offered.len(), 2);
    let wrong = post(&mut visit, &offered, &[("do", "delete-all"), ("word", "no")]).await;
    assert_eq!((wrong.status, sql::count(&app, "credentials")), (422, 4));
    // One comes into use between the two pages.
    integrate(&app, "late scan", ids[2]);
    let done = post(&mut visit, &offered, &[("do", "delete-all"), ("word", "Delete")]).await;
    assert_eq!(done.text("h1"), "Deleted 1 of 2");
    assert_eq!(said(&done)[0], ("three".to_owned(), "It is in use.".to_owned()));
    assert_eq!(sql::count(&app, "credentials"), 3);
    assert_eq!(actions(&app, ids[0]).last().map(String::as_str), Some("credential.deleted"));
    assert_eq!(actions(&app, ids[2]).last().map(String::as_str), Some("credential.delete_refused"));
}

#[actix_web::test]
async fn a_longer_limit_for_many_asks_for_the_password_once() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let key = |name| {
        [
            ("kind", "aws"),
            ("name", name),
            ("method", "access_key"),
            ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
            ("secret_access_key", "wJalrXUtnFEMIzK7MDENGzbPxRfiCYEXAMPLEKEY"),
        ]
    };
    let ids = [add_of(&mut visit, &key("one")).await, add_of(&mut visit, &key("two")).await];
    let texts = ids.map(|id| id.to_string());
    signed::run(&app, "UPDATE sessions SET authenticated_at = now() - interval '1 hour'");
    let asked = post(&mut visit, &texts, &[("do", "set-limit"), ("days", "400")]).await;
    assert_eq!((asked.status, asked.attributes("#days", "value")), (422, vec!["400".to_owned()]));
    assert!(asked.has("#confirm") && row(&app, ids[0]).stale_after_days.is_none());
    let fields = [("do", "set-limit"), ("days", "400"), ("password", PASSWORD)];
    assert_eq!(post(&mut visit, &texts, &fields).await.text("h1"), "Changed 2 of 2");
    assert_eq!(ids.map(|id| row(&app, id).stale_after_days), [Some(400); 2]);
    let wrong = post(&mut visit, &texts, &[("do", "set-limit"), ("days", "-1")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.has("#days-error"));
}

#[actix_web::test]
async fn many_are_tested_at_once_and_each_outcome_is_named() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let mut texts = vec![add(&mut visit, "cannot be tested").await.to_string()];
    for name in ["pair one", "pair two"] {
        texts.push(super::checkups::add_certificate(&mut visit, name).await.to_string());
    }
    let page = post(&mut visit, &texts, &[("do", "test")]).await;
    assert_eq!((page.status, page.text("h1").as_str()), (200, "Testing 3 credentials"));
    assert_eq!(page.attributes("[data-outcome]", "data-outcome").iter().filter(|tone| *tone == "good").count(), 2);
    assert!(said(&page).iter().any(|(name, why)| name == "cannot be tested" && why.contains("on its own")));
    assert_eq!(page.texts("[data-sum]"), ["2 of 3 work."]);
    assert_eq!(sql::count(&app, "credentials WHERE test_verdict = 'ok'"), 2);
}

#[actix_web::test]
async fn an_auditor_ticks_nothing_and_does_nothing_to_many() {
    let app = TestApp::start();
    let id = add(&mut app.administrator(), "robot").await.to_string();
    let mut visit = app.user("otto", Role::Auditor);
    let page = visit.get("/credentials").await;
    assert!(!page.has(".is-tick") && !page.has(".bulk"));
    let page = post(&mut visit, &[id], &[("do", "set-owner"), ("owner", "x")]).await;
    assert_eq!(page.status, 403);
    let page = app.user("olga", Role::Operator).get("/credentials").await;
    assert!(page.texts(".bulk button").starts_with(&["Test".to_owned(), "Tag".to_owned()]));
}
