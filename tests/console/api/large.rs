//! A store of ten thousand credentials.

use std::time::Instant;

use strongroom::accounts::Role;
use strongroom::models::api_tokens::Scope;
use strongroom::models::credential_names::{self, Asked};

use super::{Program, basic};
use crate::support::app::TestApp;
use crate::support::{scale, sql};

#[actix_web::test]
async fn ten_thousand_credentials_are_one_list_that_is_sent_as_it_is_read() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Auditor, Scope::Read).await;
    let writer = Program::new(&app, Role::Operator, Scope::Write).await;
    assert_eq!(writer.post("/credentials", &basic("robot", "harbor", "first")).await.status, 200);
    let columns = "kind, note, identity, facts, ages, created_by, edited_by, row_mac";
    sql::run(
        &app,
        &format!(
            "INSERT INTO credentials (id, name, name_key, {columns})
             SELECT gen_random_uuid(), 'c' || n, 'c' || n, {columns}
             FROM credentials, generate_series(1, 9998) n WHERE name = 'robot'"
        ),
    );
    let asked = Asked { kinds: vec!["aws", "basic"], ..Asked::default() };
    let mut conn = app.connect();
    let (read, mut key, mut rows) = (Instant::now(), String::new(), 0);
    loop {
        let piece = credential_names::after(&mut conn, &asked, &key, 1_000).expect("rows");
        rows += piece.len();
        let Some(last) = piece.last() else { break };
        key.clone_from(&last.name_key);
    }
    let read = read.elapsed();
    assert_eq!(rows, 10_000);
    let visitor = app.visitor();
    let request = visitor.request(reqwest::Method::GET, "/api/v1/credentials").bearer_auth(&program.session);
    let asked = Instant::now();
    let mut response = request.send().await.expect("the console answers");
    let mut body = response.chunk().await.expect("a piece").expect("the first piece").to_vec();
    let first = asked.elapsed();
    while let Some(piece) = response.chunk().await.expect("a piece") {
        body.extend_from_slice(&piece);
    }
    let took = asked.elapsed();
    let listed: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(listed.as_array().map(Vec::len), Some(rows));
    assert!(first < took / 2, "the first piece came after {first:?} of {took:?}");
    let sorted = program.get("/credentials?sort=created").await;
    assert_eq!(super::value(&sorted).as_array().map(Vec::len), Some(rows));
    assert_eq!(writer.post("/credentials", &basic("one more", "harbor", "first")).await.status, 200);
    let sorted = program.get("/credentials?sort=created").await;
    assert!(sorted.status == 400 && super::error(&sorted).contains("limit and offset"), "{}", sorted.status);
    scale::report("api list", &[("read", &scale::millis(read)), ("answered", &scale::millis(took))]);
}
