//! The inventory as CSV.

use super::{Form, ended};
use crate::support::app::TestApp;
use crate::support::peers::registry::{Auth, Registry};
use crate::support::sql;

#[actix_web::test]
async fn the_export_holds_every_image_and_no_formula() {
    let peer = Registry::start(Auth::None).await;
    let digest = peer.push_image("team/app", &["1.0"]).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).add(&mut visit).await;
    ended(&app, id).await;
    // More than one piece, and what no registry of ours would let through.
    sql::run(
        &app,
        &format!(
            "INSERT INTO items (integration_id, place, name, fingerprint, facts)
             SELECT '{id}'::uuid, 'many', n::text, 'sha256:0', jsonb_build_object('size', n,
                 'platforms', jsonb_build_array('linux/amd64', 'linux/arm64'), 'pushed', NULL)
             FROM generate_series(1, 4500) n
             UNION ALL SELECT '{id}'::uuid, '=HYPERLINK(\"http://x\")', '@a,b', 'sha256:1', '{{}}'"
        ),
    );
    let page = visit.get(&format!("/integrations/{id}/items.csv")).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(page.header("content-disposition"), "attachment; filename=\"images.csv\"");
    let mut reader = csv::Reader::from_reader(page.body.as_bytes());
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
