//! A console behind the operator's proxy: a scan through it, and what the page says of it.

use serde_json::json;

use super::{Form, ended};
use crate::support::app::TestApp;
use crate::support::db::Scratch;
use crate::support::peers::certificates::Authority;
use crate::support::peers::connect_proxy::{ConnectProxy, Leads};
use crate::support::peers::receiver::{Receiver, Said};

#[actix_web::test]
async fn field_e01_a_console_scans_through_the_proxy_and_its_page_says_so() {
    let authority = Authority::new();
    let peer = Receiver::start_tls_as(&authority, authority.server("registry.corp.test"), |_| {
        Said::json(200, &json!({"repositories": []}))
    });
    let server = peer.url().trim_start_matches("https://").parse().expect("an address");
    let proxy = ConnectProxy::start(move |(_, login)| match login {
        Some(_) => Leads::To(server),
        None => Leads::Nowhere("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
    })
    .await;
    let scratch = Scratch::new();
    let file = scratch.path.join("proxy-login");
    std::fs::write(&file, "strongroom:CANARY-proxy-password\n").expect("a file");
    let flags = [format!("--egress-proxy={}", proxy.url()), format!("--egress-proxy-login-file={}", file.display())];
    let app = TestApp::start_with(&flags.each_ref().map(String::as_str));
    let mut visit = app.administrator();
    let form = Form::new("mirror", "https://registry.corp.test").with("ca_certificate", &authority.pem);
    let id = form.add(&mut visit).await;
    let run = ended(&app, id).await;
    assert_eq!((run.state.word(), run.error), ("succeeded", None));
    assert_eq!(proxy.targets(), ["registry.corp.test:443"]);
    let page = visit.get(&format!("/integrations/{id}")).await;
    let said = format!(
        "Through the proxy {}. If only the proxy can resolve registry.corp.test, it decides where that leads.",
        proxy.address
    );
    assert!(page.texts(".facts dd").contains(&said), "{:?}", page.texts(".facts dd"));
    let form = visit.get(&format!("/integrations/{id}/edit")).await;
    assert_eq!(form.text("[data-way-out]"), said);
    assert!(!page.body.contains("CANARY") && !form.body.contains("CANARY"));
}
