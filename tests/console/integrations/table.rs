//! The table of integrations: filters with counts, and a search that looks through the credential's name too.

use strongroom::accounts::Role;
use strongroom::models::{counts, transaction};

use crate::credentials::walk;
use crate::support::app::{Page, TestApp, Visit};
use crate::support::sql;

async fn added(visit: &mut Visit, name: &str, credential: &str) -> String {
    let fields = [
        ("version", "docker_v2"),
        ("name", name),
        ("registry", "https://registry.example.com"),
        ("credential", credential),
        ("schedule", "off"),
    ];
    visit.post("/integrations", &fields).await.location().replace("/integrations/", "")
}

fn rows(body: &str) -> usize {
    body.matches("class=\"row-link\"").count()
}

#[actix_web::test]
async fn integrations_are_found_by_any_words_and_by_their_credential() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let stored = [("kind", "basic"), ("name", "Harbor robot"), ("username", "robot"), ("password", "pass")];
    let id = visit.post("/credentials", &stored).await.location().replace("/credentials/", "");
    added(&mut visit, "Payments images", &id).await;
    added(&mut visit, "Search images", "").await;
    assert_eq!(rows(&visit.get("/integrations").await.body), 2);
    for (search, found) in
        [("robot", 1), ("images+search", 1), ("images+EXAMPLE.com", 2), ("docker+robot", 1), ("no", 0)]
    {
        let body = visit.get(&format!("/integrations?q={search}")).await.body;
        assert_eq!(rows(&body), found, "{search}");
    }
}

#[actix_web::test]
async fn failing_and_switched_off_integrations_are_a_click_away_with_counts() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let failing = added(&mut visit, "Fails", "").await;
    let off = added(&mut visit, "Off", "").await;
    sql::run(&app, "UPDATE runs SET state = 'failed', started_at = now(), ended_at = now(), error = 'Unreachable.'");
    visit.post(&format!("/integrations/{off}/activation"), &[("active", "")]).await;
    let body = visit.get("/integrations?state=failing").await.body;
    assert!(body.contains(&format!("row-link\" href=\"/integrations/{failing}\"")) && rows(&body) == 1, "{body}");
    assert!(body.contains("Unreachable."));
    let body = visit.get("/integrations?state=off&family=registry_scan").await.body;
    assert!(body.contains(&format!("row-link\" href=\"/integrations/{off}\"")) && rows(&body) == 1);
    assert_eq!(rows(&visit.get("/integrations?family=alert_profile").await.body), 0);
    assert_eq!(visit.get("/integrations?state=wild").await.status, 422);
}

/// The same with tags and owner.
async fn labelled(visit: &mut Visit, name: &str, tags: &str, owner: &str) -> String {
    let fields = [
        ("version", "docker_v2"),
        ("name", name),
        ("registry", "https://registry.example.com"),
        ("schedule", "24"),
        ("tags", tags),
        ("owner", owner),
    ];
    visit.post("/integrations", &fields).await.location().replace("/integrations/", "")
}

fn names(page: &Page) -> Vec<String> {
    page.texts("#results tbody th a")
}

#[actix_web::test]
async fn tags_and_owners_filter_and_are_searched() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    labelled(&mut visit, "a", "prod, ci", "Data").await;
    labelled(&mut visit, "b", "prod", "Platform").await;
    labelled(&mut visit, "c", "", "").await;
    let page = visit.get("/integrations?tag=prod").await;
    assert_eq!(names(&page), ["a", "b"]);
    assert_eq!(page.texts("#tag option")[1..], ["ci", "prod"]);
    assert_eq!(page.texts("#owner option")[1..], ["Data", "Platform"]);
    assert_eq!(names(&visit.get("/integrations?tag=prod&owner=Data").await), ["a"]);
    assert_eq!(names(&visit.get("/integrations?q=platform+prod").await), ["b"]);
    let gone = visit.get("/integrations?tag=nowhere").await;
    assert!(
        names(&gone).is_empty() && gone.text("#results").contains("No integration matches"),
        "{}",
        gone.text("#results")
    );
    assert_eq!(gone.attributes("#tag option[selected]", "value"), ["nowhere"], "what was asked for stays in sight");
}

#[actix_web::test]
async fn every_head_sorts_both_ways_and_so_does_the_list_of_phones() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let stored = [("kind", "basic"), ("name", "Robot"), ("username", "robot"), ("password", "pass")];
    let robot = visit.post("/credentials", &stored).await.location().replace("/credentials/", "");
    let a = added(&mut visit, "a", "").await;
    let b = added(&mut visit, "b", &robot).await;
    let ended = "UPDATE runs SET started_at = now(), ended_at = now() - interval";
    sql::run(&app, &format!("{ended} '2 hours', state = 'failed', error = 'No.' WHERE integration_id = '{a}'"));
    sql::run(&app, &format!("{ended} '1 hour', state = 'succeeded' WHERE integration_id = '{b}'"));
    sql::run(
        &app,
        &format!("UPDATE integrations SET next_run_at = now() + interval '1 hour', version = 'acr' WHERE id = '{a}'"),
    );
    for sort in ["name", "kind", "credential", "state", "last", "next"] {
        for (direction, order) in [("", ["a", "b"]), ("&dir=desc", ["b", "a"])] {
            let page = visit.get(&format!("/integrations?sort={sort}{direction}")).await;
            assert_eq!(names(&page), order, "{sort}{direction}");
            let says = if direction.is_empty() { "ascending" } else { "descending" };
            assert_eq!(page.attributes("thead th", "aria-sort"), [says], "{sort}{direction}");
            assert_eq!(page.attributes("#sort option[selected]", "value"), [sort]);
        }
    }
    for query in ["sort=secret", "dir=up", "family=pigeon", "after=x", "after=eyJ0IjpbIngiXX0", "after=a&before=b"] {
        assert_eq!(visit.get(&format!("/integrations?{query}")).await.status, 422, "{query}");
    }
}

#[actix_web::test]
async fn every_sort_pages_through_all_of_them_and_back() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let mut ids = Vec::new();
    for number in 0..60 {
        let name = format!("scan {number:02}");
        ids.push(labelled(&mut visit, &name, "", ["Data", "Platform"][number % 2]).await);
    }
    let states =
        "UPDATE runs SET ended_at = now(), started_at = now(), state = (array['failed', 'partly', 'succeeded'])";
    sql::run(&app, &format!("{states}[1 + abs(hashtext(id::text)) % 3]"));
    for sort in ["name", "kind", "credential", "state", "last", "next"] {
        for direction in ["", "&dir=desc"] {
            let (forth, back) = walk(&mut visit, &format!("/integrations?sort={sort}{direction}")).await;
            assert_eq!(forth.len(), 60, "{sort}{direction}");
            assert_eq!(forth, back, "{sort}{direction}");
        }
    }
    let page = visit.get("/integrations").await;
    assert_eq!(page.text(".pager span"), "1–50 of 60");
    assert_eq!(visit.get("/integrations?owner=Data").await.text(".pager span"), "30 of 30 (60 in all)");
}

/// What is kept beside the integrations: rank, state and search of each, and how many there are.
fn kept(app: &TestApp) -> (Vec<String>, i64) {
    let line = "SELECT concat_ws('|', i.name, l.rank, l.state, l.credential_key) AS text FROM integration_lines l
        JOIN integrations i ON i.id = l.integration_id ORDER BY i.name";
    (
        sql::texts(app, line),
        sql::texts(app, "SELECT coalesce(sum(number), 0)::text AS text FROM integration_counts")[0].parse().unwrap(),
    )
}

#[actix_web::test]
async fn lines_and_counts_follow_every_change_of_what_they_say() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let stored = [("kind", "basic"), ("name", "Robot"), ("username", "robot"), ("password", "pass")];
    let robot = visit.post("/credentials", &stored).await.location().replace("/credentials/", "");
    let id = added(&mut visit, "a", &robot).await;
    let (lines, number) = kept(&app);
    assert!(number == 1 && lines[0].starts_with("a|") && lines[0].ends_with("|robot"), "{lines:?}");
    sql::run(&app, "UPDATE runs SET state = 'failed', started_at = now(), ended_at = now(), error = 'No.'");
    assert_eq!(kept(&app).0, ["a|0|failed|robot"]);
    visit.post(&format!("/integrations/{id}/activation"), &[("active", "")]).await;
    assert_eq!(kept(&app).0, ["a|5|failed|robot"]);
    visit.post(&format!("/integrations/{id}/activation"), &[("active", "on")]).await;
    sql::run(&app, "UPDATE credentials SET name = 'Harbor', name_key = 'harbor' WHERE name = 'Robot'");
    assert_eq!(kept(&app).0, ["a|0|failed|harbor"]);
    assert_eq!(names(&visit.get("/integrations?q=harbor").await), ["a"]);
    let mut conn = app.connect();
    transaction(&mut conn, &counts::fold).expect("folded");
    assert_eq!(transaction(&mut conn, &counts::recount), Ok(0), "the sums are right");
    sql::run(&app, "UPDATE integration_counts SET number = number + 7");
    assert!(transaction(&mut conn, &counts::recount).expect("mended") > 0);
    sql::run(&app, &format!("DELETE FROM integrations WHERE id = '{id}'"));
    assert_eq!(kept(&app), (Vec::new(), 0));
}

#[actix_web::test]
async fn the_table_is_a_file_of_what_is_filtered() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for (name, owner) in [("=1+1", "Data"), ("b", "Platform"), ("c", "Data")] {
        labelled(&mut visit, name, "prod, ci", owner).await;
    }
    sql::run(
        &app,
        "UPDATE runs SET state = 'failed', started_at = now(), ended_at = now(), error = '-2 of \"it\", failed.'",
    );
    let page = visit.get("/integrations?owner=Data&sort=name&dir=desc").await;
    let csv = visit.get(&page.attributes("#csv", "href")[0]).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.header("content-disposition").contains("integrations.csv"));
    let lines: Vec<&str> = csv.body.lines().collect();
    assert!(lines[0].starts_with("name,family,type,address,credential,tags,owner,state,error,"), "{}", csv.body);
    let end = ",\"prod, ci\",Data,Failed,\"'-2 of \"\"it\"\", failed.\",";
    assert!(lines[1].starts_with("c,") && lines[1].contains(end), "{}", csv.body);
    assert!(lines[2].starts_with("'=1+1,") && lines.len() == 3, "{}", csv.body);
    let all = app.user("otto", Role::Auditor).get("/integrations.csv?q=prod+data").await;
    assert_eq!(all.body.lines().count(), 3);
}
