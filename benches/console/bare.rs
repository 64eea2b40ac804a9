//! The least that a page of credentials could cost: actix, Diesel and Askama, the same query on a pool of the same size. No
//! login, no headers, no log. Once with the console's page, once with a plain table of the same rows.

use std::net::SocketAddr;

use actix_web::web::{Data, get};
use actix_web::{App, HttpResponse, HttpServer};
use askama::Template;
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, Pool};
use strongroom::models::credential_list;
use strongroom::models::credential_query::{Page, Query, Row};
use strongroom::models::totals::Totals;
use strongroom::web::credentials::index::{self, Facets};
use strongroom::web::page::Shell;

type Connections = Pool<ConnectionManager<PgConnection>>;

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html><title>Credentials</title><table>{% for row in rows %}<tr><td><a href="/credentials/{{ row.id }}">{{ row.name }}</a></td><td>{{ row.kind }}</td><td>{{ row.identity }}</td><td>{{ row.secret_set_at }}</td><td>{{ row.usage_count }}</td><td>{{ row.last_used_at }}</td><td>{{ row.edited_by }}</td></tr>{% endfor %}</table>"#
)]
struct Table {
    rows: Vec<Row>,
}

async fn rows(pool: Data<Connections>) -> Page {
    let page = actix_web::web::block(move || {
        let mut conn = pool.get().expect("a connection");
        credential_list::page(&mut conn, &query()).expect("a page")
    });
    page.await.expect("a thread")
}

async fn facets(pool: Data<Connections>) -> Facets {
    let facets = actix_web::web::block(move || {
        let mut conn = pool.get().expect("a connection");
        Facets::read(&mut conn, &query().limits).expect("the filters")
    });
    facets.await.expect("a thread")
}

fn query() -> Query {
    Query::default()
}

/// The console's own page of the rows.
async fn page(pool: Data<Connections>) -> HttpResponse {
    let shell = Shell {
        user: "bench".to_owned(),
        role: "Administrator",
        is_administrator: true,
        may_edit: true,
        section: "credentials",
        theme: "system".to_owned(),
        shortcuts: true,
        open_alerts: 0,
        totals: Totals::default(),
        session_idle: 900,
        session_left: 900,
        troubles: Vec::new(),
        notice: None,
        banner: None,
    };
    let facets = facets(pool.clone()).await;
    let body = index::render(shell, &query(), rows(pool).await, facets).expect("a page");
    HttpResponse::Ok().content_type("text/html").body(body)
}

/// A table without any looks.
async fn table(pool: Data<Connections>) -> HttpResponse {
    let table = Table { rows: rows(pool).await.rows };
    HttpResponse::Ok().content_type("text/html").body(table.render().expect("a table"))
}

/// Serves it on a thread of its own.
pub fn serve(url: &str, connections: u32) -> SocketAddr {
    let manager = ConnectionManager::<PgConnection>::new(url);
    // Like the console's: no question to the server at each check-out.
    let pool = Pool::builder().max_size(connections).test_on_check_out(false).build(manager).expect("a pool");
    let pool: Data<Connections> = Data::new(pool);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                App::new().app_data(pool.clone()).route("/page", get().to(page)).route("/table", get().to(table))
            });
            let server = server.bind("127.0.0.1:0").expect("a port");
            tell.send(server.addrs()[0]).expect("somebody listens");
            server.run().await.expect("it runs");
        });
    });
    told.recv().expect("it starts")
}
