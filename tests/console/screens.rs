//! Every list of the console with an estate in it, at five widths: nothing is wider than its frame, and no key leads to
//! what cannot be seen.

use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, WIDE};
use crate::support::estate;
use crate::support::sql;

pub const WIDTHS: [u32; 5] = [360, 1024, 1366, 1440, 1920];
const PAGES: [&str; 23] = [
    "/",
    "/credentials",
    "/credentials?q=robot",
    "/integrations",
    "/integrations?state=failing",
    "/alerts",
    "/audit",
    "/users",
    "/search?q=robot",
    "/help",
    "/help/credentials/azure",
    "/help/integrations/aws_account",
    "/help/integrations/kubernetes",
    "/help/deployments",
    "/clusters",
    "/clusters?state=drifted",
    "/clients",
    "/clients?state=ending&sort=ends",
    "/clients/new",
    "/help/clients",
    "/search?q=terraform",
    "/integrations/new?version=kubernetes",
    "/integrations/new?version=eks",
];

/// What is wrong with a page, in words: frames that scroll sideways, and stops of the Tab key that nobody sees.
pub const FAULTS: &str = "
    const faults = [];
    for (const frame of document.querySelectorAll('.table-frame')) {
        if (frame.scrollWidth > frame.clientWidth + 1) faults.push(`a frame of ${frame.clientWidth} px holds ${frame.scrollWidth}`);
    }
    const stops = 'a[href], button, input:not([type=hidden], [type=radio]), select, textarea, summary, [tabindex=\"0\"]';
    for (const stop of document.querySelectorAll(`main :is(${stops})`)) {
        if (!stop.checkVisibility({ visibilityProperty: true }) || stop.disabled || stop.tabIndex < 0) continue;
        const box = stop.getBoundingClientRect();
        if (box.width < 4 || box.height < 4) faults.push(`nobody sees ${stop.outerHTML.slice(0, 120)}`);
    }
    return faults;";

#[actix_web::test]
async fn lists_of_an_estate_fit_their_frames_and_show_every_focus_stop() {
    let app = TestApp::start();
    let visit = app.administrator();
    estate::fill(&app);
    let deployments = ["Node agent of data platform, production 01", "Node agent of mobile, production 03"];
    let deployments = deployments.map(|name| {
        let row = sql::texts(&app, &format!("SELECT id::text AS text FROM integrations WHERE name = '{name}'"));
        format!("/integrations/{}", row[0])
    });
    // One with several rules: its page, and its forms.
    let client = "SELECT client_id::text AS text FROM client_rules WHERE name = 'registry-2' ORDER BY made_at LIMIT 1";
    let client = format!("/clients/{}", sql::texts(&app, client)[0]);
    let forms = ["", "/edit", "/delete", "/logins/new?method=oidc", "/rules/new"].map(|form| format!("{client}{form}"));
    let mut found = Vec::new();
    for width in WIDTHS {
        let look = Look { width, ..WIDE };
        let browser = Browser::open(&app.url, look).await;
        browser.take(visit.cookie.as_deref()).await;
        for path in PAGES.into_iter().chain(deployments.iter().chain(&forms).map(String::as_str)) {
            browser.goto(path).await;
            let faults = browser.script(FAULTS, Vec::new()).await;
            let faults = faults.as_array().expect("a list").iter().map(|fault| format!("{path} at {width}: {fault}"));
            found.extend(faults);
            if browser.overflow().await > 0 {
                found.push(format!("{path} at {width}: wider than the window"));
            }
            found.extend(browser.axe().await.into_iter().map(|fault| format!("{path} at {width}: {fault}")));
        }
        browser.close().await;
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[actix_web::test]
async fn a_table_page_of_fifty_is_small_and_a_first_visit_is_few_requests() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    estate::fill(&app);
    for path in ["/credentials", "/integrations", "/clusters", "/clients"] {
        let bytes = visit.get(path).await.body.len();
        assert!(bytes < 61 * 1024, "{path} has {bytes} bytes");
    }
    let page = visit.get("/").await.body;
    let files: std::collections::BTreeSet<&str> =
        page.split(['"', '#']).filter(|part| part.starts_with("/static/") && !part.contains('\n')).collect();
    visit.headers.push(("accept-encoding", "gzip".to_owned()));
    let mut all = page.len();
    for file in &files {
        let length = visit.get(file).await.header("content-length").parse::<usize>();
        all += length.expect("a length");
    }
    assert!(files.len() <= 7 && all <= 250_000, "{} requests, {all} bytes: {files:?}", files.len() + 1);
}
