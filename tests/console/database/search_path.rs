//! A search path with look-alikes in front, set by somebody who may write to the database, changes nothing.

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use strongroom::accounts::Role;
use strongroom::models::{self, DbError};

use super::ask;
use crate::commands::credentials;
use crate::support::app::{TestApp, founded};

const EVIL: &str = "CREATE SCHEMA evil;
    CREATE FUNCTION evil.same(uuid, uuid) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
    CREATE OPERATOR evil.= (leftarg = uuid, rightarg = uuid, function = evil.same);
    CREATE FUNCTION evil.same(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
    CREATE OPERATOR evil.= (leftarg = text, rightarg = text, function = evil.same);
    CREATE FUNCTION evil.same(bytea, bytea) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
    CREATE OPERATOR evil.= (leftarg = bytea, rightarg = bytea, function = evil.same);
    CREATE TABLE evil.users (LIKE public.users)";
const TWO_ARE_ONE: &str = "gen_random_uuid() = gen_random_uuid()";
const PATH: &str = "current_setting('search_path')";

/// A console on a database that looks into the schema `evil` first.
fn on_evil_ground() -> TestApp {
    let database = founded();
    database.connect().batch_execute(EVIL).expect("the look-alikes are made");
    database.administer(&format!("ALTER DATABASE {} SET search_path = evil, pg_catalog, public", database.name()));
    assert_eq!(ask(&mut database.connect(), TWO_ARE_ONE), "true", "the look-alikes do nothing");
    TestApp::replica(Arc::new(database), &[])
}

#[actix_web::test]
async fn look_alike_operators_of_the_database_do_not_change_pages() {
    let app = on_evil_ground();
    let mut conn = models::connect(app.database.url()).expect("it answers");
    let ids = credentials(&mut conn, &app.services.vault, 0..2);
    let vault = app.services.vault.clone();
    let mut visits = Vec::new();
    for name in ["ada", "grace"] {
        let actor = models::events::Actor::command_line();
        let hash = crate::support::app::quick_hash();
        let create = |conn: &mut _| models::users::create(conn, &vault, &actor, name, Role::Operator.slug(), hash);
        let id = models::transaction(&mut conn, &create).expect("a user");
        visits.push((name, app.session_by(&mut conn, id)));
    }
    for (name, visit) in &mut visits {
        let page = visit.get("/account").await;
        assert!(page.body.contains(*name), "{}", page.body);
        for (number, id) in ids.iter().enumerate() {
            let page = visit.get(&format!("/credentials/{id}")).await;
            assert_eq!((page.status, page.text("h1")), (200, format!("credential {number}")));
        }
        let nobody = uuid::Uuid::new_v4();
        assert_eq!(visit.get(&format!("/credentials/{nobody}")).await.status, 404);
    }
    let mut stranger = app.visitor();
    stranger.cookie = Some(format!("session={}", "0".repeat(64)));
    assert_eq!(stranger.get("/account").await.status, 302, "any token is somebody's");
}

#[actix_web::test]
async fn each_transaction_sets_the_path_also_on_a_pooler_s_connection() {
    let app = on_evil_ground();
    let poisoned = |conn: &mut models::Conn| {
        conn.batch_execute("SET search_path = evil, pg_catalog, public")?;
        Ok::<_, DbError>((ask(conn, PATH), ask(conn, TWO_ARE_ONE)))
    };
    let read = |conn: &mut models::Conn| Ok::<_, DbError>((ask(conn, PATH), ask(conn, TWO_ARE_ONE)));
    let safe = ("public, pg_temp".to_owned(), "false".to_owned());
    let mut conn = models::connect(app.database.url()).expect("it answers");
    assert_eq!(read(&mut conn), Ok(safe.clone()), "outside of the pool");
    // As a pooler hands out a server connection that another client has used.
    assert_eq!(poisoned(&mut conn).expect("it answers").1, "true");
    assert_eq!(models::transaction(&mut conn, &read), Ok(safe.clone()));
    let db = &app.services.db;
    assert_eq!(db.run(read).await, Ok(safe.clone()), "a new connection of the pool");
    let first = db.run(poisoned).await.expect("it answers");
    assert_eq!(first.1, "true");
    for _ in 0..20 {
        assert_eq!(db.transaction(read).await, Ok(safe.clone()));
        assert_eq!(db.patiently(read).await, Ok(safe.clone()));
    }
}
