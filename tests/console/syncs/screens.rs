//! The pages of a sync in a real browser: at five widths, light and dark, nothing is cut off and axe finds nothing.

use serde_json::json;

use super::desk::Desk;
use crate::screens::{FAULTS, WIDTHS};
use crate::support::browser::{Browser, Look, WIDE};

async fn faults(browser: &Browser, name: &str) -> Vec<String> {
    browser.picture(&format!("syncs-{name}")).await;
    let mut found = browser.script(FAULTS, Vec::new()).await.as_array().expect("a list").clone();
    if browser.overflow().await > 0 {
        found.push("wider than the window".into());
    }
    found.extend(browser.axe().await.into_iter().chain(browser.complaints().await).map(Into::into));
    found.into_iter().map(|fault| format!("{name}: {fault}")).collect()
}

/// A sync of two Secrets of which somebody has changed one.
async fn drifted() -> Desk {
    let mut desk = Desk::open("screens-of-a-platform-team").await;
    desk.workload("shop", true).await;
    desk.keep(&[("restart", "on")]).await;
    let names = "password = SHOP_DATABASE_PASSWORD\nusername = SHOP_DATABASE_USER";
    desk.keep(&[("secret", "shop-database-of-the-payment-service"), ("keys", names)]).await;
    desk.apply("").await;
    let theirs = json!({"stringData": {"password": "theirs"}});
    desk.lab.administrator.merge(&desk.path("db"), "kubectl-edit", &theirs).await;
    desk.check().await;
    desk
}

#[actix_web::test]
async fn pages_of_a_sync_fit_and_are_accessible() {
    let mut desk = drifted().await;
    let edit = desk.page().await.attributes("[data-item=db] .toolbar a", "href").remove(0);
    let delete = edit.replace("/edit", "/delete");
    let looks = WIDTHS.map(|width| Look { width, ..WIDE });
    let dark = [360, 1440].map(|width| Look { width, dark: true, ..WIDE });
    let (page, new) = (desk.sync.clone(), format!("{}/secrets/new", desk.sync));
    let paths = [("page", page.clone()), ("new", new), ("edit", edit), ("delete", delete)];
    let mut found = Vec::new();
    for look in looks.into_iter().chain(dark) {
        let name = |of: &str| format!("{of}-{}{}", look.width, if look.dark { "-dark" } else { "" });
        let browser = Browser::open(&desk.app.url, look).await;
        browser.take(desk.administrator.cookie.as_deref()).await;
        for (of, path) in &paths {
            browser.goto(path).await;
            found.extend(faults(&browser, &name(of)).await);
        }
        browser.goto(&page).await;
        browser.press("Restore…").await;
        browser.sees("Nothing has been changed yet").await;
        found.extend(faults(&browser, &name("preview")).await);
        browser.close().await;
    }
    assert!(found.is_empty(), "{found:#?}");
}
