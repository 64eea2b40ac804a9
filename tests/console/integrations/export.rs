//! The inventory as files.

use serde_json::{Value, json};
use strongroom::models::IntegrationId;

use super::{Form, ended};
use crate::support::app::{TestApp, Visit};
use crate::support::peers::registry::{Auth, Registry};
use crate::support::sql;

/// More than one piece holds, and what no registry of ours would let through.
fn fill(app: &TestApp, id: IntegrationId) {
    sql::run(
        app,
        &format!(
            "INSERT INTO items (integration_id, place, name, fingerprint, facts)
             SELECT '{id}'::uuid, 'many', n::text, 'sha256:' || repeat('0', 64), jsonb_build_object('size', n,
                 'platforms', jsonb_build_array('linux/amd64', 'linux/arm64'), 'pushed', NULL)
             FROM generate_series(1, 4500) n
             UNION ALL SELECT '{id}'::uuid, '=HYPERLINK(\"http://x\")', '@a,b', 'sha256:1', '{{}}'"
        ),
    );
}

async fn file(visit: &mut Visit, path: &str, kind: &str, name: &str) -> String {
    let page = visit.get(path).await;
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = (page.header("content-type"), page.header("content-disposition"));
    assert_eq!((page.status, headers), (200, (kind, disposition.as_str())));
    page.body
}

#[actix_web::test]
async fn the_export_holds_every_image_and_no_formula() {
    let peer = Registry::start(Auth::None).await;
    let digest = peer.push_image("team/app", &["1.0"]).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).add(&mut visit).await;
    ended(&app, id).await;
    fill(&app, id);
    let path = format!("/integrations/{id}/items.csv");
    let csv = file(&mut visit, &path, "text/csv; charset=utf-8", "images.csv").await;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header, ["repository", "tag", "digest", "size_bytes", "platforms", "pushed_at", "found_by"]);
    let rows: Vec<Vec<String>> = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    assert_eq!(rows.len(), 4502);
    assert!(rows.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@'])));
    let odd = rows.iter().find(|row| row[0].contains("HYPERLINK")).unwrap();
    assert_eq!(odd[..2], ["'=HYPERLINK(\"http://x\")".to_owned(), "'@a,b".to_owned()]);
    let app_row = rows.iter().find(|row| row[0] == "team/app").unwrap();
    assert_eq!(
        (app_row[1].as_str(), app_row[2].as_str(), app_row[4].as_str()),
        ("1.0", digest.as_str(), "linux/amd64")
    );
}

#[actix_web::test]
async fn images_go_into_json_and_into_a_list_that_clients_take() {
    let peer = Registry::start(Auth::None).await;
    let digest = peer.push_image("team/app", &["1.0"]).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).add(&mut visit).await;
    ended(&app, id).await;
    fill(&app, id);
    let path = format!("/integrations/{id}");
    let json = file(&mut visit, &format!("{path}/items.json"), "application/json", "images.json").await;
    let all: Vec<Value> = serde_json::from_str(&json).expect("one list over all pieces");
    assert_eq!(all.len(), 4502);
    let image = all.iter().find(|image| image["repository"] == "team/app").unwrap();
    assert_eq!((&image["digest"], &image["platforms"]), (&json!(digest), &json!(["linux/amd64"])));
    assert!(image["size_bytes"].is_u64() && image["pushed_at"].is_null() && image["found_by"] == "last scan");
    assert!(all.iter().any(|image| image["repository"] == "=HYPERLINK(\"http://x\")"), "JSON runs nothing");

    let host = peer.url().rsplit('/').next().unwrap().to_owned();
    let text = "text/plain; charset=utf-8";
    let list = file(&mut visit, &format!("{path}/images.txt"), text, "images.txt").await;
    assert_eq!(list.lines().count(), 4501, "what can be no name of an image is left out");
    assert!(list.lines().all(|line| line.starts_with(&format!("{host}/"))));
    assert!(list.lines().any(|line| line == format!("{host}/team/app:1.0")));
    let list = file(&mut visit, &format!("{path}/images.txt?by=digest&q=team"), text, "images.txt").await;
    assert_eq!(list, format!("{host}/team/app@{digest}\n"));
}

#[actix_web::test]
async fn files_are_searched_as_the_page_is_and_the_page_shows_commands() {
    let peer = Registry::start(Auth::None).await;
    peer.push_image("team/app", &["1.0", "1.1"]).await;
    peer.push_image("other", &["1.0"]).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).add(&mut visit).await;
    ended(&app, id).await;
    let page = visit.fragment(&format!("/integrations/{id}?q=team%2F+")).await;
    let links = page.attributes("[data-exports] a", "href");
    let names =
        ["items.csv?q=team%2F+", "items.json?q=team%2F+", "images.txt?q=team%2F+", "images.txt?q=team%2F+&by=digest"];
    assert_eq!(links, names.map(|name| format!("/integrations/{id}/{name}")));
    for (link, count) in links.iter().zip([3, 4, 2, 2]) {
        assert_eq!(visit.get(link).await.body.lines().count(), count, "{link}");
    }
    let commands = page.texts("[data-commands] pre");
    assert_eq!(commands.len(), 3);
    assert!(commands[0].ends_with("xargs -n1 trivy image"), "{commands:?}");
    assert_eq!(page.texts("[data-commands] [data-copy]").len(), 3);
    let nothing = visit.get(&format!("/integrations/{id}/items.json?q=nowhere")).await.body;
    assert_eq!(serde_json::from_str::<Vec<Value>>(&nothing).unwrap(), Vec::<Value>::new());
}
