//! The pictures of the README, taken of a console with an estate in it: `script/screenshots` keeps them.

use crate::outbox::Splunk;
use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, WIDE};
use crate::support::estate;
use crate::support::peers::registry::{Auth, Registry};
use crate::support::process::{PATIENCE, wait_for};
use crate::support::sql;

const LOOK: Look = Look { width: 1440, ..WIDE };

#[actix_web::test]
async fn the_pictures_of_the_readme_can_be_taken() {
    let registry = Registry::start(Auth::Htpasswd { user: "robot", password: "first-password-1" }).await;
    for (repository, tags) in [
        ("team/api", ["1.9.2", "2.0.0", "2.0.1"]),
        ("team/web", ["5.1", "5.2", "latest"]),
        ("tools/backup", ["0.3", "0.4", "0.5"]),
    ] {
        registry.push_image(repository, &tags).await;
    }
    let app = TestApp::start();
    let visit = app.administrator();
    // Before there are alerts: a channel hears of none that are older than itself.
    let splunk = Splunk::start();
    splunk.add(&app);
    let browser = Browser::open(&app.url, LOOK).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto("/credentials/new?kind=basic").await;
    browser.fill("Name", "Harbor robot").await;
    browser.fill("Username", "robot").await;
    browser.fill("Password", "first-password-1").await;
    browser.press("Save").await;
    browser.sees("Usages").await;
    browser.goto("/integrations/new?version=docker_v2").await;
    browser.fill("Name", "Harbor, all teams").await;
    browser.fill("Registry", &registry.url()).await;
    browser.choose("Credential", "Harbor robot").await;
    browser.press("Add and scan").await;
    browser.sees("tools/backup").await;
    browser.picture("gallery-integration").await;
    estate::fill(&app);
    strongroom::alerting::find_due(&app.services).await.expect("what is due");
    wait_for("all are told", PATIENCE, async || splunk.events().len() >= 3).await;
    browser.goto("/").await;
    browser.press("Hide this list").await;
    browser.sees("Needs attention").await;
    let used = sql::texts(&app, "SELECT credential_id::text AS text FROM usages GROUP BY 1 ORDER BY count(*) DESC");
    let credential = format!("/credentials/{}", used[0]);
    let (rotate, replace) = (format!("{credential}/rotate"), format!("{credential}/replace"));
    let pages = [
        ("dashboard", "/"),
        ("credentials", "/credentials"),
        ("credential", &credential),
        ("rotate", &rotate),
        ("replace", &replace),
        ("new-credential", "/credentials/new?kind=kubeconfig"),
        ("import", "/credentials/import"),
        ("integrations", "/integrations"),
        ("new-integration", "/integrations/new"),
        ("alerts", "/alerts"),
        ("search", "/search?q=robot"),
    ];
    for (name, path) in pages {
        browser.goto(path).await;
        browser.picture(&format!("gallery-{name}")).await;
    }
    browser.close().await;
    let dark = Browser::open(&app.url, Look { dark: true, ..LOOK }).await;
    dark.take(visit.cookie.as_deref()).await;
    dark.goto("/").await;
    dark.picture("gallery-dashboard-dark").await;
    dark.close().await;
}
