//! Text that would like to be markup, in every text field of every form: saved, refused and shown again, listed,
//! searched. In a real browser nothing of it runs and all of it is to be read.

use serde_json::json;
use strongroom::credentials::KINDS;

use crate::support::app::{TestApp, Visit};
use crate::support::browser::{Browser, WIDE};

const TEXTS: [&str; 7] = [
    "\"><img src=x onerror=alert(1)>",
    "{{7*7}} ${7*7} <%= 7*7 %>",
    "javascript:alert(1)",
    "' hx-get='/x' hx-trigger='load",
    "</textarea></title><script>alert(1)</script>",
    "<svg/onload=alert(1)>\u{2028}alert(1)",
    "\" autofocus onfocus=alert(1) x=\"",
];

/// Fills every field that takes text and sends the form, as a person would who pays no heed to its rules.
const FILL: &str = "
    const form = document.querySelector('main form[method=post]');
    form.noValidate = true;
    for (const field of form.querySelectorAll('input:not([type=hidden]):not([type=radio]):not([type=checkbox]):not([type=file]), textarea')) {
        // A secret is another text, since one that stands in two fields is not shown again.
        field.type === 'number' || (field.value = arguments[0] + (field.autocomplete === 'new-password' ? '!' : ''));
    }
    HTMLFormElement.prototype.submit.call(form);";

/// Whether any element or attribute came of the text, and how often the text is to be seen, in fields too.
const LOOK: &str = "
    const odd = document.querySelectorAll('main img[src=x], script:not([src]), svg[onload], [onerror], [onfocus], [onload], [hx-get=\"/x\"], a[href^=\"javascript:\"]');
    const fields = [...document.querySelectorAll('input, textarea')].map(field => field.value).join('\\n');
    const plain = text => text.replace(/\\s+/g, ' ').trim();
    return [odd.length, plain(document.body.innerText + '\\n' + fields).includes(plain(arguments[0]))];";

async fn look(browser: &Browser, text: &str, place: &str, shown: bool) {
    let found = browser.script(LOOK, vec![json!(text)]).await;
    assert_eq!(found[0], 0, "{place}: {text} became markup");
    assert!(!shown || found[1] == true, "{place}: {text} is not to be read");
    assert_eq!(browser.complaints().await, Vec::<String>::new(), "{place}: {text}");
}

async fn saved(visit: &mut Visit, path: &str, fields: &[(&str, &str)]) -> Option<String> {
    let page = visit.post(path, fields).await;
    assert!(matches!(page.status, 303 | 422), "{path}: {page:?}");
    (page.status == 303).then(|| page.location().to_owned())
}

#[actix_web::test]
async fn what_is_saved_is_shown_as_text_everywhere() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    for text in TEXTS {
        let fields = [("kind", "basic"), ("name", text), ("description", text), ("username", text), ("password", text)];
        let credential = saved(&mut visit, "/credentials", &fields).await;
        let id = credential.as_deref().and_then(|path| path.rsplit('/').next()).unwrap_or_default().to_owned();
        let fields = [
            ("name", text),
            ("version", "docker_v2"),
            ("registry", "http://127.0.0.1:1"),
            ("repository", text),
            ("tag", text),
            ("schedule", "off"),
            ("credential", id.as_str()),
        ];
        let integration = saved(&mut visit, "/integrations", &fields).await;
        let fields = [("username", text), ("role", "auditor"), ("password", "correct horse battery staple")];
        saved(&mut visit, "/users/new", &fields).await;
        visit.post("/login", &[("username", text), ("password", "x"), ("next", text)]).await;
        let names_it = credential.is_some();
        let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish();
        let mut pages = vec![
            ("/".to_owned(), false),
            ("/credentials".to_owned(), names_it),
            (format!("/credentials?{query}"), true),
            ("/integrations".to_owned(), integration.is_some()),
            (format!("/integrations?{query}"), false),
            ("/users".to_owned(), false),
            ("/alerts".to_owned(), false),
            ("/audit".to_owned(), names_it),
            (format!("/audit?{}", query.replace("q=", "who=")), false),
        ];
        for page in credential.iter().chain(&integration) {
            pages.extend(["", "/edit", "/delete"].map(|end| (format!("{page}{end}"), true)));
        }
        for (path, shown) in pages {
            browser.goto(&path).await;
            look(&browser, text, &path, shown).await;
        }
    }
    browser.close().await;
}

#[actix_web::test]
async fn what_is_refused_is_shown_again_as_text_in_every_form() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let text = TEXTS.join(" ");
    let browser = Browser::open(&app.url, WIDE).await;
    for path in ["/login", "/login?next=javascript:alert(1)"] {
        browser.goto(path).await;
        browser.script(FILL, vec![json!(text)]).await;
        look(&browser, &text, path, false).await;
    }
    browser.take(visit.cookie.as_deref()).await;
    let user = visit.get("/users").await.attributes("main a.row-link", "href").remove(0);
    let mut pages: Vec<String> = KINDS.iter().map(|kind| format!("/credentials/new?kind={}", kind.slug)).collect();
    pages.extend(
        ["azure&method=certificate", "azure&method=managed_identity", "aws&method=iam_role"]
            .map(|kind| format!("/credentials/new?kind={kind}")),
    );
    pages.extend(
        [
            "/integrations/new?version=docker_v2",
            "/users/new",
            "/account",
            "/account/two-step",
            "/account/confirm",
            &user,
        ]
        .map(str::to_owned),
    );
    for path in pages {
        browser.goto(&path).await;
        browser.script(FILL, vec![json!(text)]).await;
        browser.sees("Strongroom").await;
        look(&browser, &text, &path, path.starts_with("/credentials")).await;
    }
    browser.close().await;
}
