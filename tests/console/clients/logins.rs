//! The logins of a client: secrets that are shown once, rotated and ended, and identities.

use super::{add, add_token, history, logins, text};
use crate::support::app::{PASSWORD, TestApp};
use crate::support::sql::count;

#[actix_web::test]
async fn a_token_is_shown_once_and_only_its_hash_is_kept() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "billing-api").await;
    let token = add_token(&mut visit, id).await.text("#token");
    let (login, secret) = token.strip_prefix("srt_").and_then(|rest| rest.split_once('_')).expect("its form");
    assert_eq!((login.len(), secret.len()), (32, 64));
    assert_eq!(logins(&app, id)[0].replace('-', ""), login);
    let hash = "SELECT encode(secret_hash, 'hex') AS text FROM client_logins";
    assert_eq!(text(&app, hash), hex::encode(strongroom::accounts::tokens::hash(secret)));
    let page = visit.get(&format!("/clients/{id}")).await;
    assert!(!page.body.contains(secret) && page.has(&format!("[data-login='{}']", &login[26..])));
    assert!(page.text("[data-login]").contains("in 90 days"), "{}", page.text("[data-login]"));
    let dump = text(&app, "SELECT string_agg(e::text, '') AS text FROM events e");
    assert!(!dump.contains(secret), "the audit trail has it");
}

#[actix_web::test]
async fn an_id_and_secret_are_for_vault_clients() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "billing-api").await;
    let form = format!("/clients/{id}/logins/new");
    let page = visit.post(&form, &[("method", "app_role"), ("expires", "30")]).await;
    assert_eq!(page.text("#role-id"), logins(&app, id)[0]);
    assert_eq!(page.text("#secret").len(), 64);
    assert!(page.text("#vault").contains("auth/approle/login"));
}

#[actix_web::test]
async fn a_secret_without_an_end_has_to_be_meant() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "billing-api").await;
    let form = format!("/clients/{id}/logins/new");
    let fields = [("method", "token"), ("expires", "never")];
    let page = visit.post(&form, &fields).await;
    assert!(page.status == 422 && page.has("#forever"), "{}", page.status);
    assert_eq!(logins(&app, id).len(), 0);
    let page = visit.post(&form, &[&fields[..], &[("forever", "on")]].concat()).await;
    assert!(page.has("#token") && page.text(".page-head").contains("Never expires"));
}

#[actix_web::test]
async fn a_rotated_login_works_beside_the_new_one_until_its_overlap_ends() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "billing-api").await;
    let first = add_token(&mut visit, id).await.text("#token");
    let old = logins(&app, id).remove(0);
    let form = format!("/clients/{id}/logins/{old}/rotate");
    assert!(visit.get(&form).await.has("#overlap"));
    let page = visit.post(&form, &[("expires", "180"), ("overlap", "7")]).await;
    assert!(page.status == 200 && page.text("#token") != first, "{}", page.status);
    assert_eq!(logins(&app, id).len(), 2);
    let days = format!(
        "SELECT (extract(epoch FROM expires_at - now()) / 3600)::int::text AS text FROM client_logins WHERE id = '{old}'"
    );
    assert_eq!(text(&app, &days), "168");
    // The one that is meant to end does not count as ending.
    assert_eq!(count(&app, "clients WHERE ends_at > now() + interval '170 days'"), 1);
    assert!(history(&mut visit, id).await.iter().any(|line| line.starts_with("Client login rotated")));

    let new = logins(&app, id).remove(1);
    let page = visit.post(&format!("/clients/{id}/logins/{new}/rotate"), &[("expires", "90"), ("overlap", "0")]).await;
    assert_eq!(page.status, 200);
    assert!(!logins(&app, id).contains(&new), "at once");
}

#[actix_web::test]
async fn a_login_is_ended_at_once_after_a_question() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "billing-api").await;
    add_token(&mut visit, id).await;
    let login = logins(&app, id).remove(0);
    let form = format!("/clients/{id}/logins/{login}/end");
    assert!(visit.get(&form).await.has("button.is-danger-fill"));
    assert_eq!(visit.post(&form, &[]).await.status, 303);
    assert_eq!(logins(&app, id), Vec::<String>::new());
    assert_eq!(visit.post(&form, &[]).await.status, 404);
    // Of another client it is none.
    let other = add(&mut visit, "shop").await;
    add_token(&mut visit, other).await;
    let login = logins(&app, other).remove(0);
    assert_eq!(visit.post(&format!("/clients/{id}/logins/{login}/end"), &[]).await.status, 404);
    assert_eq!(logins(&app, other).len(), 1);
}

#[actix_web::test]
async fn identities_are_set_up_by_ids_and_show_what_they_need() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "billing-api").await;
    let form = format!("/clients/{id}/logins/new");
    for method in ["token", "app_role", "kubernetes", "oidc", "aws"] {
        let page = visit.get(&format!("{form}?method={method}")).await;
        assert_eq!(page.attributes("#method option[selected]", "value"), [method]);
    }
    let github = [
        ("method", "oidc"),
        ("issuer_kind", "github"),
        ("github_issuer", "https://token.actions.githubusercontent.com"),
        ("repository_id", "12"),
        ("repository_owner_id", "7"),
        ("audience", "strongroom"),
        ("ends", "never"),
    ];
    assert_eq!(visit.post(&form, &github).await.status, 303);
    let aws = [
        ("method", "aws"),
        ("arn", "arn:aws:iam::123456789012:role/billing"),
        ("server_id", "strongroom.example.com"),
        ("ends", "never"),
    ];
    assert_eq!(visit.post(&form, &aws).await.status, 303);
    let named = github.map(|(name, value)| (name, if name == "repository_id" { "octo/app" } else { value }));
    let refused = visit.post(&form, &named).await;
    assert!(refused.status == 422 && refused.has("#repository_id-error"));
    let page = visit.get(&format!("/clients/{id}")).await;
    let lines = page.texts("[data-login]").join(" ");
    assert!(lines.contains("repository_id = 12, repository_owner_id = 7") && lines.contains("role/billing"), "{lines}");
    assert!(!page.has("[data-login] a[href$='/rotate']"), "an identity has no secret");
}

#[actix_web::test]
async fn a_login_asks_for_a_password_that_was_given_long_ago() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "billing-api").await;
    app.give_password_long_ago();
    let form = format!("/clients/{id}/logins/new");
    let fields = [("method", "token"), ("expires", "90")];
    let asked = visit.post(&form, &fields).await;
    assert!(asked.status == 422 && asked.has("#confirm input[type=password]"));
    assert_eq!(logins(&app, id).len(), 0);
    let wrong = visit.post(&form, &[&fields[..], &[("password", "not it")]].concat()).await;
    assert_eq!((wrong.status, logins(&app, id).len()), (422, 0));
    assert!(visit.post(&form, &[&fields[..], &[("password", PASSWORD)]].concat()).await.has("#token"));
}
