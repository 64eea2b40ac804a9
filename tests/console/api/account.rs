//! API tokens on the account's page.

use strongroom::accounts::Role;

use super::{events, log_in};
use crate::support::app::{PASSWORD, TestApp};

#[actix_web::test]
async fn a_token_is_added_shown_once_listed_and_revoked() {
    let app = TestApp::start();
    let mut olga = app.user("olga", Role::Operator);
    let form = [("name", "terraform"), ("scope", "write"), ("expires", "30")];
    let page = olga.post("/account/tokens", &form).await;
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    let token = page.texts("#token").first().expect("the token").trim().to_owned();
    assert!(token.starts_with("sra_"), "{token}");
    assert_eq!(log_in(&app, "olga", &token).await.status, 200);
    let account = olga.get("/account").await;
    assert!(account.texts("[data-tokens] strong") == ["terraform"] && !account.body.contains(&token));
    assert_eq!(olga.post("/account/tokens", &form).await.status, 422, "a name of its own");
    let end = account.attributes("[data-tokens] a", "href").remove(0);
    assert!(olga.get(&end).await.has("form"));
    assert_eq!(app.user("eve", Role::Administrator).post(&end, &[]).await.status, 404, "each their own");
    assert_eq!(olga.post(&end, &[]).await.status, 303);
    assert_eq!(log_in(&app, "olga", &token).await.status, 401);
    let (made, ended) = (events(&app, "api_token.made"), events(&app, "api_token.ended"));
    assert_eq!((made.len(), ended.len(), made[0].subject_name.as_str()), (1, 1, "terraform"));
}

#[actix_web::test]
async fn a_token_for_new_destinations_asks_for_the_password_each_time() {
    let app = TestApp::start();
    let mut olga = app.user("olga", Role::Operator);
    let form = [("name", "sync"), ("scope", "destinations"), ("expires", "90")];
    let page = olga.post("/account/tokens", &form).await;
    assert_eq!((page.status, page.has("#confirm")), (422, true));
    let page = olga.post("/account/tokens", &[&form[..], &[("password", "wrong")]].concat()).await;
    assert_eq!((page.status, page.has("#password-error")), (422, true));
    assert_eq!(page.attributes("#name", "value"), ["sync"], "nothing that was typed is lost");
    assert_eq!(olga.post("/account/tokens", &[&form[..], &[("password", PASSWORD)]].concat()).await.status, 200);
}

#[actix_web::test]
async fn who_may_only_read_gets_no_token_for_more() {
    let app = TestApp::start();
    let mut otto = app.user("otto", Role::Auditor);
    for scope in ["write", "destinations"] {
        let form = [("name", "ci"), ("scope", scope), ("expires", "90"), ("password", PASSWORD)];
        assert_eq!(otto.post("/account/tokens", &form).await.status, 422, "{scope}");
    }
    assert_eq!(otto.post("/account/tokens", &[("name", "ci"), ("scope", "read"), ("expires", "7")]).await.status, 200);
}
