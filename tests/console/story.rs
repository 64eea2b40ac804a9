//! The whole story in a real browser: a stranger follows the set-up link, saves a credential, scans a real registry
//! with it, sees the usage, is kept from deleting it, changes the password, and the next scan sends the new one.

use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, NARROW, WIDE};
use crate::support::peers::registry::{Auth, Registry};

async fn follow_setup_link(app: &TestApp, browser: &Browser) {
    browser.goto(app.setup_link.as_ref().expect("a fresh console").as_str()).await;
    browser.fill("User name", "ada").await;
    browser.fill("Password", "correct horse battery").await;
    browser.fill("Password again", "correct horse battery").await;
    browser.press("Create administrator").await;
    browser.sees("Needs attention").await;
}

async fn save_robot(browser: &Browser, password: &str) {
    browser.goto("/credentials").await;
    browser.press("Add credential").await;
    browser.press("Basic authentication").await;
    browser.fill("Name", "Harbor robot").await;
    browser.fill("Username", "robot").await;
    browser.fill("Password", password).await;
    browser.press("Save").await;
    browser.sees("Usages").await;
}

async fn add_and_scan(browser: &Browser, registry: &Registry) {
    browser.goto("/integrations").await;
    browser.press("Add integration").await;
    browser.press("Docker Registry v2").await;
    browser.fill("Name", "Team images").await;
    browser.fill("Registry", &registry.url()).await;
    browser.choose("Credential", "Harbor robot").await;
    browser.press("Add and scan").await;
    browser.sees("team/app").await;
}

#[actix_web::test]
async fn a_stranger_installs_it_scans_a_registry_and_rotates_the_password() {
    let mut registry = Registry::start(Auth::Htpasswd { user: "robot", password: "first-password-1" }).await;
    registry.push_image("team/app", &["1.0", "1.1"]).await;
    let app = TestApp::start();
    let browser = Browser::open(&app.url, WIDE).await;

    follow_setup_link(&app, &browser).await;
    save_robot(&browser, "first-password-1").await;
    let credential = browser.path().await;
    add_and_scan(&browser, &registry).await;
    let integration = browser.path().await;
    browser.picture("story-scan").await;

    // The credential's page shows the usage and refuses to let it go.
    browser.goto(&credential).await;
    browser.sees("Registry Scan").await;
    browser.sees("Team images").await;
    browser.picture("story-usages").await;
    browser.press("Delete").await;
    browser.sees("“Harbor robot” is in use").await;
    browser.sees("Team images").await;
    browser.picture("story-delete-refused").await;

    // A new password, entered once, is what the next scan sends.
    registry.set_password("second-password-2");
    browser.goto(&format!("{credential}/edit")).await;
    browser.fill("Password", "second-password-2").await;
    browser.press("Save").await;
    browser.sees("Usages").await;
    registry.push_image("team/new", &["3.0"]).await;
    browser.goto(&integration).await;
    browser.press("Scan now").await;
    browser.sees("team/new").await;
    let last = registry.authorizations().last().cloned().unwrap_or_default();
    assert_eq!(last, basic("robot", "second-password-2"));

    let source = browser.source().await;
    assert!(!source.contains("second-password-2") && !source.contains("first-password-1"));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

#[actix_web::test]
async fn every_page_is_accessible_in_light_and_dark_wide_and_narrow() {
    let registry = Registry::start(Auth::Htpasswd { user: "robot", password: "first-password-1" }).await;
    registry.push_image("team/app", &["1.0", "1.1"]).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let setup = Browser::open(&app.url, WIDE).await;
    setup.take(visit.cookie.as_deref()).await;
    save_robot(&setup, "first-password-1").await;
    let credential = setup.path().await;
    add_and_scan(&setup, &registry).await;
    let integration = setup.path().await;
    setup.close().await;

    let user = visit.get("/users").await.attributes("main a.row-link", "href").remove(0);
    let mut pages: Vec<String> = [
        "/",
        "/credentials",
        "/credentials/new",
        "/cloud-keys",
        "/discovery",
        "/clusters",
        "/integrations",
        "/integrations/new",
        "/integrations/new?version=docker_v2",
        "/credentials/import",
        "/search?q=a",
        "/alerts",
    ]
    .map(str::to_owned)
    .into();
    pages.extend(
        ["/alerts/settings", "/audit", "/users", "/users/new", "/account", "/account/two-step", "/nowhere"]
            .map(str::to_owned),
    );
    pages.extend([credential.clone(), format!("{credential}/edit"), format!("{credential}/delete"), user]);
    pages.extend([integration.clone(), format!("{integration}/edit"), format!("{integration}/delete")]);
    pages.extend(strongroom::credentials::KINDS.iter().map(|kind| format!("/credentials/new?kind={}", kind.slug)));

    let invited = app.invited("grace", strongroom::accounts::Role::Operator);

    let mut found = Vec::new();
    for look in [WIDE, Look { dark: true, ..WIDE }, NARROW, Look { dark: true, ..NARROW }] {
        let browser = Browser::open(&app.url, look).await;
        browser.goto("/login").await;
        found.extend(faults(&browser, "/login", look).await);
        browser.take(visit.cookie.as_deref()).await;
        for path in &pages {
            browser.goto(path).await;
            found.extend(faults(&browser, path, look).await);
        }
        browser.take(invited.cookie.as_deref()).await;
        browser.goto("/account/password").await;
        browser.sees("Choose your own password").await;
        found.extend(faults(&browser, "/account/password", look).await);
        browser.close().await;
    }
    assert!(found.is_empty(), "{found:#?}");
}

async fn faults(browser: &Browser, path: &str, look: Look) -> Vec<String> {
    let name = format!("{path} at {} px{}", look.width, if look.dark { ", dark" } else { "" });
    let mut faults: Vec<String> = browser.axe().await.into_iter().map(|fault| format!("{name}: {fault}")).collect();
    if browser.overflow().await > 0 {
        faults.push(format!("{name}: wider than the window"));
    }
    faults.extend(browser.complaints().await.into_iter().map(|complaint| format!("{name}: {complaint}")));
    let slug: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    browser.picture(&format!("page{slug}-{}{}", look.width, if look.dark { "-dark" } else { "" })).await;
    faults
}

#[actix_web::test]
async fn a_second_click_while_the_answer_is_on_its_way_sends_nothing() {
    let app = TestApp::start();
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(app.administrator().cookie.as_deref()).await;
    browser.goto("/account").await;
    // What would be sent is counted and held back.
    let clicks = "let sent = 0;
        const form = document.querySelector('form[action=\"/account/preferences\"]');
        window.addEventListener('submit', (event) => { if (!event.defaultPrevented) sent += 1; event.preventDefault(); });
        for (let click = 0; click < 3; click += 1) form.requestSubmit();
        return sent;";
    assert_eq!(browser.script(clicks, Vec::new()).await, 1);
    browser.close().await;
}

#[actix_web::test]
async fn the_whole_console_works_without_javascript() {
    let registry = Registry::start(Auth::Htpasswd { user: "robot", password: "first-password-1" }).await;
    registry.push_image("team/app", &["1.0"]).await;
    let app = TestApp::start();
    let browser = Browser::open(&app.url, Look { script: false, ..WIDE }).await;
    follow_setup_link(&app, &browser).await;
    save_robot(&browser, "first-password-1").await;
    let credential = browser.path().await;

    // The subtype's other fields come by a button.
    browser.goto("/credentials/new?kind=aws").await;
    browser.fill("Name", "Role of the cluster").await;
    browser.choose("Subtype", "IAM role").await;
    browser.press("Show the fields").await;
    browser.fill("Role ARN", "arn:aws:iam::123456789012:role/scanner").await;
    browser.press("Save").await;
    browser.sees("arn:aws:iam::123456789012:role/scanner").await;

    browser.goto("/integrations/new?version=docker_v2").await;
    browser.fill("Name", "Team images").await;
    browser.fill("Registry", &registry.url()).await;
    browser.choose("Credential", "Harbor robot").await;
    browser.press("Add and scan").await;
    // The form has the name in a field, not in a text.
    browser.sees("Team images").await;
    let integration = browser.path().await;
    browser.reloads_until(&integration, "team/app").await;
    browser.goto("/credentials?q=robot").await;
    browser.sees("1 of 1 (3 in all)").await;
    browser.goto(&credential).await;
    browser.press("Delete").await;
    browser.sees("“Harbor robot” is in use").await;
    browser.sees("Team images").await;
    browser.close().await;
}
