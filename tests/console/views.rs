//! Saved views of the lists: kept as checked parameters, own or shared, and found from anywhere.

use strongroom::accounts::Role;
use strongroom::models::events::{self, Filter};
use strongroom::models::views::MOST;

use crate::support::app::{Page, TestApp, Visit};
use crate::support::sql;

const SHARED: [(&str, &str); 1] = [("shared", "on")];

async fn save(visit: &mut Visit, list: &str, name: &str, query: &str, more: &[(&str, &str)]) -> Page {
    let filter = format!("/{list}?{query}");
    let fields = [("list", list), ("filter", filter.as_str()), ("name", name)];
    visit.post("/views", &[&fields[..], more].concat()).await
}

/// (name, whether it is the present one)
fn views(page: &Page) -> Vec<(String, bool)> {
    let current = page.texts("[data-views] nav [aria-current]");
    page.texts("[data-views] nav a").into_iter().map(|name| (name.clone(), current.contains(&name))).collect()
}

/// The id of the view that the page shows.
fn current(page: &Page) -> String {
    page.attributes("[data-view]", "data-view").pop().expect("a view that may be changed")
}

fn actions(app: &TestApp) -> Vec<String> {
    let events = events::list(&mut app.connect(), &Filter::default(), 100).expect("events");
    events.into_iter().map(|event| event.action).filter(|action| action.starts_with("view.")).collect()
}

#[actix_web::test]
async fn a_view_keeps_filter_search_and_sort_of_each_list_under_a_name() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let scan = [("version", "docker_v2"), ("name", "a"), ("registry", "https://r.example.com"), ("schedule", "off")];
    visit.post("/integrations", &scan).await;
    for (list, query) in [
        ("credentials", "kind=basic&q=robot&sort=age&dir=desc"),
        ("integrations", "family=registry_scan&state=failing&sort=last"),
        ("alerts", "severity=2&trigger=stale"),
    ] {
        assert!(!visit.get(&format!("/{list}")).await.has("[data-views]"), "nothing to save: {list}");
        let offered = visit.get(&format!("/{list}?{query}&after=")).await;
        assert_eq!(offered.attributes("[data-views] [name=list]", "value"), [list]);
        let filter = offered.attributes("[data-views] [name=filter]", "value").remove(0);
        let saved = visit.post("/views", &[("list", list), ("filter", &filter), ("name", "Mine")]).await;
        assert_eq!((saved.status, saved.location()), (303, filter.as_str()), "{list}");
        let href = visit.get(&format!("/{list}")).await.attributes("[data-views] nav a", "href").remove(0);
        let opened = visit.get(&href).await;
        assert_eq!((opened.status, views(&opened)), (200, vec![("Mine".to_owned(), true)]), "{list}");
        assert_eq!(views(&visit.get(&format!("/{list}")).await), [("Mine".to_owned(), false)]);
    }
    let stored = sql::texts(&app, "SELECT query::text AS text FROM views WHERE list = 'alerts'");
    assert_eq!(stored, [r#"{"trigger": "stale", "severity": "2"}"#]);
    assert!(actions(&app).is_empty(), "nobody else sees them");
}

#[actix_web::test]
async fn what_a_list_does_not_have_is_no_view() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    for (list, query) in [
        ("credentials", "kind=pigeon"),
        ("credentials", "sort=secret"),
        ("integrations", "state=broken"),
        ("alerts", "severity=9"),
        ("credentials", ""),
        ("credentials", "unheard=of"),
    ] {
        assert_eq!(save(&mut visit, list, "odd", query, &[]).await.status, 422, "{list} {query}");
    }
    assert_eq!(save(&mut visit, "users", "odd", "q=a", &[]).await.status, 400);
    let secret = "q=ghp_0123456789abcdefghijklmnopqrstuvwxyz";
    assert_eq!(save(&mut visit, "credentials", "odd", secret, &[]).await.status, 422);
    let address = [("list", "credentials"), ("filter", "https://evil.example?q=a"), ("name", "harmless")];
    assert_eq!(visit.post("/views", &address).await.location(), "/credentials?q=a", "never a free address");
    assert_eq!(sql::count(&app, "views"), 1);
}

#[actix_web::test]
async fn a_name_that_is_wrong_comes_back_with_all_that_was_typed() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    assert_eq!(save(&mut visit, "credentials", "Prod", "q=prod", &[]).await.status, 303);
    for name in ["", "prod", "a\u{200b}b"] {
        let page = save(&mut visit, "credentials", name, "q=other", &SHARED[..0]).await;
        assert_eq!((page.status, page.has("#name-error")), (422, true), "{name}");
        assert_eq!(page.attributes("[name=filter]", "value"), ["/credentials?q=other"]);
    }
    let page = save(&mut visit, "credentials", "prod", "q=other", &SHARED).await;
    assert_eq!(page.status, 303, "own and shared names are apart");
    sql::run(
        &app,
        &format!(
            "INSERT INTO views (id, list, name, name_key, user_id, made_by, maker, query)
        SELECT gen_random_uuid(), list, n::text, n::text, user_id, made_by, maker, query
        FROM views, generate_series(2, {MOST}) n WHERE user_id IS NOT NULL"
        ),
    );
    let page = save(&mut visit, "credentials", "one more", "q=x", &[]).await;
    assert!(page.status == 422 && page.text("#name-error").contains("50 views"), "{}", page.text("main"));
}

#[actix_web::test]
async fn shared_views_are_for_all_and_changed_by_their_maker_or_an_administrator() {
    let app = TestApp::start();
    let (mut olga, mut omar) = (app.user("olga", Role::Operator), app.user("omar", Role::Operator));
    let (mut otto, mut ada) = (app.user("otto", Role::Auditor), app.administrator());
    assert_eq!(save(&mut otto, "credentials", "Ours", "q=a", &SHARED).await.status, 403);
    assert_eq!(save(&mut otto, "credentials", "Otto's", "q=a", &[]).await.status, 303);
    assert!(!otto.get("/credentials?q=b").await.has("[name=shared]"));
    assert_eq!(save(&mut olga, "credentials", "Ours", "q=a", &SHARED).await.status, 303);
    let page = olga.get("/credentials?q=a").await;
    assert_eq!(views(&page), [("Ours".to_owned(), true)]);
    let id = current(&page);
    for visit in [&mut omar, &mut otto] {
        let page = visit.get("/credentials").await;
        assert!(views(&page).iter().any(|(name, _)| name == "Ours"));
        assert!(!visit.get("/credentials?q=a").await.attributes("[data-view]", "data-view").contains(&id));
        assert_eq!(visit.post(&format!("/views/{id}"), &[("name", "Mine")]).await.status, 403);
        assert_eq!(visit.post(&format!("/views/{id}/delete"), &[]).await.status, 403);
    }
    let own = sql::texts(&app, "SELECT id::text AS text FROM views WHERE user_id IS NOT NULL").remove(0);
    assert_eq!(ada.post(&format!("/views/{own}/delete"), &[]).await.status, 404, "nobody sees another's own");
    let renamed = olga.post(&format!("/views/{id}"), &[("name", "Production")]).await;
    assert_eq!((renamed.status, renamed.location()), (303, "/credentials?q=a"));
    assert_eq!(views(&ada.get("/credentials").await), [("Production".to_owned(), false)]);
    assert_eq!(olga.post(&format!("/views/{id}"), &[("name", "")]).await.status, 422);
    assert_eq!(ada.post(&format!("/views/{id}/delete"), &[]).await.location(), "/credentials");
    assert!(views(&olga.get("/credentials").await).is_empty());
    assert_eq!(otto.post(&format!("/views/{own}/delete"), &[]).await.status, 303);
    assert_eq!(actions(&app), ["view.removed", "view.renamed", "view.shared"]);
}

#[actix_web::test]
async fn a_view_of_a_tag_that_is_gone_opens_and_says_what_it_asks_for() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    save(&mut visit, "integrations", "Old tag", "tag=gone", &[]).await;
    let stored = [("kind", "basic"), ("name", "Robot"), ("username", "robot"), ("password", "pass")];
    let scan = [("version", "docker_v2"), ("name", "a"), ("registry", "https://r.example.com"), ("schedule", "off")];
    visit.post("/credentials", &stored).await;
    visit.post("/integrations", &scan).await;
    let page = visit.get("/integrations?tag=gone").await;
    assert_eq!((page.status, views(&page)), (200, vec![("Old tag".to_owned(), true)]));
    assert_eq!(page.attributes("#tag option[selected]", "value"), ["gone"]);
    assert!(page.texts("#results tbody tr").is_empty());
}

#[actix_web::test]
async fn search_and_palette_find_a_view_by_its_name() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    save(&mut visit, "alerts", "Night shift, critical", "severity=1", &SHARED).await;
    save(&mut visit, "alerts", "Olga's night", "severity=2", &[]).await;
    let body = visit.get("/search?q=night").await.body;
    assert!(body.contains("href=\"/alerts?severity=1\"") && body.contains("href=\"/alerts?severity=2\""), "{body}");
    let body = app.user("otto", Role::Auditor).get("/search?q=critical+night").await.body;
    assert!(body.contains("href=\"/alerts?severity=1\""), "{body}");
    assert!(!app.user("omar", Role::Operator).get("/search?q=night").await.body.contains("severity=2"));
}
