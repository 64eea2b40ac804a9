//! The guide of a kubeconfig and the table of its *Test* in a real browser, light and dark, wide and narrow.

use strongroom::accounts::Role;

use super::store;
use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, NARROW, WIDE};
use crate::support::kubernetes::{Lab, rule};

#[actix_web::test]
async fn the_guide_and_the_table_of_rights_are_readable_in_every_look() {
    let (app, lab) = (TestApp::start(), Lab::open("screens").await);
    let namespace = lab.namespace("payments-agents-of-production").await;
    let login = lab.login();
    let verbs = ["get", "create", "patch", "delete"];
    lab.grant_in(&namespace, &login, &[rule("", &["secrets", "serviceaccounts"], &verbs)]).await;
    let kubeconfig = lab
        .kubeconfig(&login)
        .replace("\"user\":\"tests\"", &format!("\"namespace\":\"{namespace}\",\"user\":\"tests\""));
    let mut visit = app.user("olga", Role::Operator);
    let denied = store(&mut visit, "Payments", &kubeconfig).await;
    let looks = [("wide", Look { width: 1440, ..WIDE }), ("dark", Look { dark: true, ..NARROW })];
    for (name, look) in looks {
        let browser = Browser::open(&app.url, look).await;
        browser.take(visit.cookie.as_deref()).await;
        browser.goto("/credentials/new?kind=kubeconfig").await;
        browser.picture(&format!("kubeconfig-guide-{name}")).await;
        assert_eq!((browser.overflow().await > 0, browser.axe().await), (false, Vec::new()), "{name}");
        browser.goto(&denied).await;
        browser.press("Test").await;
        browser.sees("In namespace").await;
        browser.picture(&format!("kubeconfig-denied-{name}")).await;
        assert_eq!((browser.overflow().await > 0, browser.axe().await), (false, Vec::new()), "{name}");
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "{name}");
        browser.close().await;
    }
}
