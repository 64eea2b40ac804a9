//! The pictures of the README, taken of a console in use: `script/screenshots` keeps them.

use crate::support::signed;
use strongroom::credentials;
use strongroom::draft::Draft;
use strongroom::form::Values;
use strongroom::models::credentials::create;
use strongroom::models::events::Actor;

use crate::outbox::Splunk;
use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, WIDE};
use crate::support::peers::registry::{Auth, Registry};
use crate::support::process::{PATIENCE, wait_for};

/// (kind, name, days since its secret was stored, values)
type Sample = (&'static str, &'static str, i32, &'static [(&'static str, &'static str)]);

const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLEKEYs";
const SAMPLES: &[Sample] = &[
    (
        "aws",
        "CI deploy key",
        212,
        &[("method", "access_key"), ("access_key_id", "AKIAIOSFODNN7DEPLOY"), ("secret_access_key", SECRET)],
    ),
    (
        "aws",
        "Billing export",
        96,
        &[("method", "access_key"), ("access_key_id", "AKIAIOSFODNN7BILLNG"), ("secret_access_key", SECRET)],
    ),
    (
        "aws",
        "ECR reader, production",
        71,
        &[("method", "access_key"), ("access_key_id", "AKIAIOSFODNN7ECRPRD"), ("secret_access_key", SECRET)],
    ),
    (
        "aws",
        "ECR reader, staging",
        34,
        &[("method", "access_key"), ("access_key_id", "AKIAIOSFODNN7ECRSTG"), ("secret_access_key", SECRET)],
    ),
    (
        "aws",
        "Lambda inventory",
        12,
        &[("method", "access_key"), ("access_key_id", "AKIAIOSFODNN7LAMBDA"), ("secret_access_key", SECRET)],
    ),
    ("basic", "Jira robot", 40, &[("username", "strongroom@example.com"), ("password", "a-long-password")]),
    ("basic", "ServiceNow incidents", 9, &[("username", "svc-strongroom"), ("password", "a-long-password")]),
    ("api_token", "PagerDuty on-call", 130, &[("token", "pd-0123456789abcdef0123")]),
    ("webhook", "Slack #platform", 55, &[("url", "https://hooks.slack.com/services/T000/B000/XXXX")]),
    ("github_token", "GitHub packages", 20, &[("token", "ghp_0123456789abcdefghijklmnopqrstuvwx")]),
    (
        "ibm_cloud",
        "IBM findings",
        64,
        &[
            ("account_guid", "0123456789abcdef0123456789abcdef"),
            ("api_key", "ibm-0123456789-abcdefghijklmnopqrstuvwxyz01"),
        ],
    ),
];

fn fill(app: &TestApp) {
    let actor = Actor { name: "ada".to_owned(), address: "127.0.0.1".to_owned() };
    for (slug, name, days, values) in SAMPLES {
        let kind = credentials::find(slug).expect("a kind");
        let posted: Values = values.iter().copied().collect();
        let values =
            strongroom::form::check(kind.fields, &posted, None).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        let draft = Draft::new(kind, (*name).to_owned(), String::new(), &values)
            .unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        let id = app.transaction(|conn| create(conn, &app.services.vault, &actor, &draft.row()));
        let age = format!("UPDATE credentials SET secret_set_at = now() - interval '{days} days' WHERE id = '{id}'");
        signed::run(app, &age);
    }
}

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
    // Before there are alerts: it hears of none that were told before it was there.
    let splunk = Splunk::start();
    splunk.add(&app);
    fill(&app);
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto("/credentials/new?kind=basic").await;
    browser.fill("Name", "Harbor robot").await;
    browser.fill("Username", "robot").await;
    browser.fill("Password", "first-password-1").await;
    browser.press("Save").await;
    browser.sees("Usages").await;
    let credential = browser.path().await;
    browser.goto("/integrations/new?version=docker_v2").await;
    browser.fill("Name", "Harbor, all teams").await;
    browser.fill("Registry", &registry.url()).await;
    browser.choose("Credential", "Harbor robot").await;
    browser.press("Add and scan").await;
    browser.sees("tools/backup").await;
    browser.picture("gallery-integration").await;
    let pages = [
        ("dashboard", "/"),
        ("credentials", "/credentials"),
        ("credential", credential.as_str()),
        ("new-credential", "/credentials/new?kind=kubeconfig"),
    ];
    browser.goto("/").await;
    browser.press("Hide this list").await;
    browser.sees("Needs attention").await;
    for (name, path) in pages {
        browser.goto(path).await;
        browser.picture(&format!("gallery-{name}")).await;
    }
    let soon = "UPDATE credentials SET expires_at = now() + interval '6 days' WHERE name = 'GitHub packages'";
    signed::run(&app, soon);
    strongroom::alerting::find_due(&app.services).await.expect("what is due");
    wait_for("all are told", PATIENCE, async || splunk.events().len() >= 3).await;
    browser.goto("/alerts").await;
    browser.sees("CI deploy key").await;
    browser.picture("gallery-alerts").await;
    browser.close().await;
    let dark = Browser::open(&app.url, Look { dark: true, ..WIDE }).await;
    dark.take(visit.cookie.as_deref()).await;
    dark.goto("/").await;
    dark.picture("gallery-dashboard-dark").await;
    dark.close().await;
}
