//! The links themselves: used once, by the form alone, seen by nobody else.

use super::*;
use crate::login::log_in;
use crate::support::sql;

#[actix_web::test]
async fn of_two_who_follow_a_link_at_once_one_sets_the_password() {
    let all = Mailing::start();
    all.user_at("grace", Role::Operator, "grace@example.com");
    let link = all.reset_link("grace").await;
    let (mut one, mut other) = (all.app.visitor(), all.app.visitor());
    let (first, second) = tokio::join!(choose(&mut one, &link, GOOD), choose(&mut other, &link, BETTER));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
    let (right, wrong) = if first.status == 303 { (GOOD, BETTER) } else { (BETTER, GOOD) };
    assert_eq!(log_in(&mut all.app.visitor(), "grace", right).await.status, 303);
    assert_eq!(log_in(&mut all.app.visitor(), "grace", wrong).await.status, 422);
}

#[actix_web::test]
async fn a_used_link_that_is_put_back_opens_nothing() {
    let all = Mailing::start();
    all.user_at("grace", Role::Operator, "grace@example.com");
    let link = all.reset_link("grace").await;
    sql::run(&all.app, "CREATE TABLE kept AS SELECT * FROM account_letters");
    assert_eq!(choose(&mut all.app.visitor(), &link, GOOD).await.status, 303);
    sql::run(&all.app, "INSERT INTO account_letters SELECT * FROM kept; DROP TABLE kept");
    assert_eq!(choose(&mut all.app.visitor(), &link, BETTER).await.status, 410);
}

#[actix_web::test]
async fn a_link_of_one_user_opens_no_other_account() {
    let all = Mailing::start();
    let (grace, ada) = (
        all.user_at("grace", Role::Auditor, "grace@example.com"),
        all.user_at("ada", Role::Administrator, "ada@example.com"),
    );
    let link = all.reset_link("grace").await;
    sql::run(&all.app, &format!("UPDATE account_letters SET user_id = '{ada}' WHERE user_id = '{grace}'"));
    assert_eq!(choose(&mut all.app.visitor(), &link, GOOD).await.status, 410);
    // A hash of a token of one's own, put in.
    let own = "0".repeat(64);
    let hash = hex::encode(strongroom::models::account_letters::token_hash(&own));
    sql::run(&all.app, &format!("UPDATE account_letters SET token_hash = decode('{hash}', 'hex')"));
    assert_eq!(choose(&mut all.app.visitor(), &format!("/password?token={own}"), GOOD).await.status, 410);
}

#[actix_web::test]
async fn a_link_leaves_no_trace_that_opens_anything() {
    let mut all = Mailing::start();
    all.user_at("grace", Role::Operator, "grace@example.com");
    let link = all.reset_link("grace").await;
    let token = link.rsplit_once('=').unwrap().1.to_owned();
    assert!(token.len() == 64);
    all.server.stop();
    assert_eq!(all.app.visitor().post("/password/forgot", &[("who", "grace")]).await.status, 200);
    let tables =
        "SELECT relname::text AS text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'";
    for table in sql::texts(&all.app, tables) {
        let found = sql::count(&all.app, &format!("{table} t WHERE to_jsonb(t)::text LIKE '%{token}%'"));
        assert_eq!(found, 0, "{table}");
    }
    let page = all.app.visitor().get(&link).await;
    assert_eq!((page.header("referrer-policy"), page.header("cache-control")), ("strict-origin", "no-store"));
    assert_eq!(all.app.visitor().get("/login").await.header("referrer-policy"), "same-origin");
}

#[actix_web::test]
async fn no_other_site_posts_the_forms() {
    let all = Mailing::start();
    all.user_at("grace", Role::Operator, "grace@example.com");
    let link = all.reset_link("grace").await;
    let token = link.rsplit_once('=').unwrap().1;
    let set = [("token", token), ("password", GOOD), ("password_again", GOOD)];
    for (path, fields) in [("/password", &set[..]), ("/password/forgot", &[("who", "grace")][..])] {
        let mut visit = all.app.visitor();
        let request = visit.request(reqwest::Method::POST, path).form(fields).header("sec-fetch-site", "cross-site");
        assert_eq!(visit.send(request).await.status, 403, "{path}");
    }
    assert_eq!(all.app.visitor().get(&link).await.status, 200);
}

#[actix_web::test]
async fn links_lead_to_the_console_whatever_host_a_request_names() {
    let all = Mailing::start();
    all.user_at("grace", Role::Operator, "grace@example.com");
    let post = |name: &'static str| {
        let visit = all.app.visitor();
        let form = visit.request(reqwest::Method::POST, "/password/forgot").form(&[("who", "grace")]);
        form.header("sec-fetch-site", "same-origin").header(name, "evil.example")
    };
    let mut visit = all.app.visitor();
    assert_eq!(visit.send(post("host")).await.status, 421);
    for (number, name) in ["x-forwarded-host", "forwarded", "x-host", "x-original-host"].into_iter().enumerate() {
        let value = if name == "forwarded" { "host=evil.example" } else { "evil.example" };
        let request = visit.request(reqwest::Method::POST, "/password/forgot").form(&[("who", "grace")]);
        let request = request.header("sec-fetch-site", "same-origin").header(name, value);
        assert_eq!(visit.send(request).await.status, 200, "{name}");
        let mail = all.mails(number + 1).await.remove(number);
        assert!(!mail.body("text/plain").contains("evil") && !mail.body("text/html").contains("evil"));
        all.link(&mail);
    }
}
