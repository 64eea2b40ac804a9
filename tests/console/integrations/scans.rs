//! The main story: a credential of the store scans a real registry, and the page shows how it went.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use strongroom::models::credentials::{self as stored, Secret};
use strongroom::models::events::Actor;

use super::{Form, actions, basic, basic_draft, ended, running, scan_now};
use crate::support::app::TestApp;
use crate::support::peers::registry::{Auth, Registry};
use crate::support::peers::scripted::{Reply, Scripted};

const SECRET: &str = "CANARY-7f3a9d52-correct-horse";

fn sent(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[actix_web::test]
async fn an_integration_added_in_the_console_scans_at_once_and_shows_the_inventory() {
    for auth in [Auth::Htpasswd { user: "robot", password: SECRET }, Auth::Token { user: "robot", password: SECRET }] {
        let peer = Registry::start(auth).await;
        let digest = peer.push_image("team/app", &["1.0", "1.1"]).await;
        let app = TestApp::start();
        let credential = basic(&app, "harbor robot", "robot", SECRET);
        let mut visit = app.administrator();
        let form = Form::new("mirror", &peer.url()).with("credential", credential);
        let id = form.with("ca_certificate", peer.ca_certificate()).add(&mut visit).await;
        let run = ended(&app, id).await;
        assert_eq!((run.state.word(), run.error, run.found), ("succeeded", None, 2));
        let page = visit.get(&format!("/integrations/{id}")).await;
        assert_eq!(page.texts("#results tbody tr th"), ["team/app", "team/app"]);
        assert_eq!(page.texts("#results tbody td:nth-child(2)"), ["1.0", "1.1"]);
        assert_eq!(page.text("#fingerprint-1"), digest);
        assert_eq!(page.text("#results tbody td:nth-child(4)"), "linux/amd64");
        assert!(page.text("#results tbody td:nth-child(5)").ends_with("kB"));
        assert_eq!(page.text(".facts a"), "harbor robot");
        assert!(page.text(".timeline").starts_with("Succeeded just now, added by ada"));
        assert!(!page.has("[hx-trigger^=every]"), "it polls though nothing runs");
        let line = visit.get("/integrations").await;
        assert_eq!(line.text("tbody .state"), "Succeeded");
        let used = stored::find(&mut app.connect(), &app.services.vault, credential).unwrap().into_shown();
        assert!(used.last_used_at.timestamp() > 0 && used.usage_count == 1);
        let mut happened = actions(&app, Some(id.0));
        happened.sort();
        assert_eq!(happened, ["integration.created", "integration.destination_allowed", "scan.succeeded"]);
        let told = if peer.ca_certificate().is_empty() {
            "2 images".to_owned()
        } else {
            format!("2 images; credential also sent to {}", peer.issuer().address)
        };
        assert_eq!(crate::support::sql::count(&app, &format!("events WHERE detail = '{told}'")), 1);
        assert!(actions(&app, Some(credential.0)).contains(&"credential.opened".to_owned()));
    }
}

#[actix_web::test]
async fn the_next_scan_shows_what_changed_since_the_last() {
    let peer = Registry::start(Auth::None).await;
    peer.push_image("app", &["1.0"]).await;
    peer.push_image("gone", &["1.0"]).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).with("exclude_repositories", "nothing").add(&mut visit).await;
    ended(&app, id).await;
    assert!(visit.get(&format!("/integrations/{id}")).await.text("#changed").starts_with("This was the first scan"));
    peer.push_image("app", &["2.0"]).await;
    peer.push_index("app", "1.0", &[("arm64", "")]).await;
    let edit = format!("/integrations/{id}/edit");
    let version = visit.get(&edit).await.attributes("[name=row_version]", "value").remove(0);
    let form = Form::new("mirror", &peer.url()).with("exclude_repositories", "gone").with("row_version", version);
    assert_eq!(form.post(&mut visit, &edit).await.status, 303);
    let run = scan_now(&app, &mut visit, id).await;
    assert_eq!((run.added, run.changed, run.removed), (1, 1, 1));
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert_eq!(page.texts("#changed li"), ["app:1.0 Changed", "app:2.0 New", "gone:1.0 Gone"]);
    scan_now(&app, &mut visit, id).await;
    assert_eq!(visit.get(&format!("/integrations/{id}")).await.text("#changed"), "Nothing changed.");
}

#[actix_web::test]
async fn after_an_edit_of_the_credential_the_next_scan_sends_the_new_password() {
    let mut peer = Registry::start(Auth::Htpasswd { user: "robot", password: SECRET }).await;
    peer.push_image("app", &["1.0"]).await;
    let app = TestApp::start();
    let credential = basic(&app, "harbor robot", "robot", SECRET);
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).with("credential", credential).add(&mut visit).await;
    assert_eq!(ended(&app, id).await.state.word(), "succeeded");
    assert!(peer.authorizations().iter().all(|header| *header == sent("robot", SECRET)));

    peer.set_password("a new password");
    let run = scan_now(&app, &mut visit, id).await;
    assert_eq!((run.state.word(), run.failed_step.as_deref()), ("failed", Some("Signing in")));
    let page = visit.get(&format!("/integrations/{id}")).await;
    let said = page.text("#failure");
    assert!(said.starts_with("Signing in failed: the registry refused the user name or password."), "{said}");
    assert!(said.contains("edit it if it has changed"), "{said}");
    // What the scan before found is still there.
    assert_eq!(page.texts("#results tbody th"), ["app"]);

    let draft = basic_draft("harbor robot", "robot", "a new password");
    let mut connection = app.connect();
    let actor = Actor::command_line();
    stored::update(&mut connection, &app.services.vault, &actor, (credential, 1), &draft.row(), Secret::Replaced)
        .unwrap();
    assert_eq!(scan_now(&app, &mut visit, id).await.state.word(), "succeeded");
    assert_eq!(peer.authorizations().last().unwrap(), &sent("robot", "a new password"));
    assert!(!visit.get(&format!("/integrations/{id}")).await.has("#failure"));
}

#[actix_web::test]
async fn the_page_shows_progress_while_a_scan_runs_and_stop_ends_it() {
    let peer = Scripted::start(|path| match path {
        "/v2/" => Reply::json(serde_json::json!({})),
        _ => Reply::Silent,
    })
    .await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).add(&mut visit).await;
    running(&app, id).await;
    let path = format!("/integrations/{id}");
    super::until("the step is saved", || {
        super::last_run(&app, id).filter(|run| run.progress["step"] == "Listing repositories")
    })
    .await;
    let page = visit.get(&path).await;
    assert_eq!(page.text("#run .progress strong"), "Listing repositories");
    assert_eq!(page.attributes("#run", "hx-trigger"), ["every 1s"]);
    assert_eq!(page.texts("#run button"), ["Stop"]);
    let part = visit.fragment(&format!("{path}?part=run")).await;
    assert!(part.has("#run") && !part.has("h1") && !part.has("#results"));
    assert_eq!(visit.get("/integrations").await.text("tbody .state"), "Scanning");

    let stopped = visit.post(&format!("{path}/stop"), &[]).await;
    assert_eq!((stopped.status, stopped.location()), (303, path.as_str()));
    assert_eq!(ended(&app, id).await.state.word(), "stopped");
    let part = visit.fragment(&format!("{path}?part=run")).await;
    assert_eq!(
        (part.header("hx-retarget"), part.has("#live"), part.has("[hx-trigger^=every]")),
        ("#live", true, false)
    );
    assert!(actions(&app, Some(id.0)).contains(&"scan.stopped".to_owned()));
}

#[actix_web::test]
async fn the_inventory_is_searched_and_paged() {
    let peer = Registry::start(Auth::None).await;
    let tags: Vec<String> = (0..120).map(|n| format!("1.{n:03}")).collect();
    peer.push_image("big", &tags.iter().map(String::as_str).collect::<Vec<_>>()).await;
    peer.push_image("small_one", &["latest"]).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).with("cap", "0").add(&mut visit).await;
    ended(&app, id).await;
    let first = visit.get(&format!("/integrations/{id}")).await;
    assert_eq!(first.text("#inventory small"), "121 images");
    assert_eq!(first.texts("#results tbody tr").len(), 50);
    let second = visit.get(&first.attributes("#next", "href")[0]).await;
    let third = visit.fragment(&second.attributes("#next", "href")[0]).await;
    assert_eq!(third.texts("tbody tr").len(), 21);
    assert!(!third.has("#next"));
    let back = visit.get(&second.attributes("#previous", "href")[0]).await;
    assert_eq!(back.texts("#results tbody td:nth-child(2)"), first.texts("#results tbody td:nth-child(2)"));
    let found = visit.fragment(&format!("/integrations/{id}?q=L_ONE")).await;
    assert_eq!(found.texts("tbody th"), ["small_one"]);
    let none = visit.fragment(&format!("/integrations/{id}?q=%25%25")).await;
    assert_eq!(none.text(".empty"), "No image matches. Show all");
}

#[actix_web::test]
async fn the_secret_is_nowhere_but_in_what_the_registry_receives() {
    let peer = Registry::start(Auth::Htpasswd { user: "robot", password: SECRET }).await;
    peer.push_image("app", &["1.0"]).await;
    let app = TestApp::start();
    let credential = basic(&app, "harbor robot", "robot", SECRET);
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).with("credential", credential).add(&mut visit).await;
    ended(&app, id).await;
    // Also in a failure: the registry is gone.
    let url = peer.url();
    let authorizations = peer.authorizations();
    drop(peer);
    assert_eq!(scan_now(&app, &mut visit, id).await.state.word(), "failed");
    assert!(!authorizations.is_empty() && authorizations.iter().all(|header| *header == sent("robot", SECRET)));
    let forms = [SECRET.to_owned(), STANDARD.encode(SECRET), sent("robot", SECRET), hex::encode(SECRET)];
    for path in ["", "/new", &format!("/{id}"), &format!("/{id}/edit"), &format!("/{id}/images.csv")] {
        let page = visit.get(&format!("/integrations{path}")).await;
        assert_eq!(page.status, 200);
        assert!(forms.iter().all(|form| !page.body.contains(form)), "{path}");
    }
    let refused = Form::new("mirror", &url).with("credential", credential).with("cap", "x");
    let page = refused.post(&mut visit, "/integrations").await;
    assert!(page.status == 422 && forms.iter().all(|form| !page.body.contains(form)));
    for table in ["credentials", "integrations", "runs", "items", "item_changes", "events"] {
        let rows = text_of(&app, table);
        assert!(!rows.is_empty() || table == "item_changes");
        assert!(forms.iter().all(|form| !rows.contains(form)), "{table}");
    }
}

/// A whole table as Postgres writes it.
fn text_of(app: &TestApp, table: &str) -> String {
    use diesel::RunQueryDsl;
    #[derive(diesel::QueryableByName)]
    struct All {
        #[diesel(sql_type = diesel::sql_types::Text)]
        rows: String,
    }
    let query = format!("SELECT coalesce(string_agg(t::text, E'\\n'), '') AS rows FROM {table} t");
    diesel::sql_query(query).get_result::<All>(&mut app.connect()).unwrap().rows
}
