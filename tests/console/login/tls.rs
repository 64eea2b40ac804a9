//! Served over TLS: the cookie that only this host can set, and the promise to stay with https.

use strongroom::accounts::Role;

use super::log_in;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::db::Scratch;

#[actix_web::test]
async fn over_tls_the_session_cookie_belongs_to_this_host_alone() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let scratch = Scratch::new();
    let (certificate, key) = (scratch.path.join("cert.pem"), scratch.path.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let flags = [format!("--tls-cert={}", certificate.display()), format!("--tls-key={}", key.display())];
    let app = TestApp::start_with(&flags.each_ref().map(String::as_str));
    app.add_user("ada", Role::Auditor);
    let mut visit = app.visitor();
    let page = log_in(&mut visit, "ada", PASSWORD).await;
    assert_eq!(page.status, 303);
    let cookie = page.header("set-cookie");
    let (pair, attributes) = cookie.split_once("; ").expect("attributes");
    assert!(pair.starts_with("__Host-session=") && pair.len() == "__Host-session=".len() + 64, "{cookie}");
    let mut attributes: Vec<&str> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
    let page = visit.get("/account").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("strict-transport-security"), "max-age=31536000");
    let page = visit.post("/account/preferences", &[("theme", "dark")]).await;
    let notice = page.header("set-cookie");
    assert!(notice.starts_with("notice=") && notice.ends_with("; Secure"), "{notice}");
    // A neighbour of the domain could set this one.
    let mut weak = app.visitor();
    weak.cookie = visit.cookie.as_deref().map(|cookie| cookie.replace("__Host-", ""));
    assert_eq!(weak.get("/account").await.status, 302);
}
