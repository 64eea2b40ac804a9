//! The least that a page of credentials could cost: actix, Diesel and Askama, the same query on a pool of the same size, a
//! table of the same rows. No login, no headers, no log.

use std::net::SocketAddr;

use actix_web::web::{Data, get};
use actix_web::{App, HttpResponse, HttpServer};
use askama::Template;
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, Pool};
use strongroom::models::credential_list::{self, Query, Row};

type Connections = Pool<ConnectionManager<PgConnection>>;

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html><title>Credentials</title><table>{% for row in rows %}<tr><td><a href="/credentials/{{ row.id }}">{{ row.name }}</a></td><td>{{ row.kind }}</td><td>{{ row.identity }}</td><td>{{ row.secret_set_at }}</td><td>{{ row.usage_count }}</td><td>{{ row.last_used_at }}</td><td>{{ row.edited_by }}</td></tr>{% endfor %}</table>"#
)]
struct Table {
    rows: Vec<Row>,
}

async fn show(pool: Data<Connections>) -> HttpResponse {
    let page = actix_web::web::block(move || {
        let mut conn = pool.get().expect("a connection");
        credential_list::page(&mut conn, &Query { stale_days: 90, ..Query::default() }).expect("a page")
    });
    let page = page.await.expect("a thread");
    HttpResponse::Ok().content_type("text/html").body(Table { rows: page.rows }.render().expect("a table"))
}

/// Serves it on a thread of its own.
pub fn serve(url: &str, connections: u32) -> SocketAddr {
    let manager = ConnectionManager::<PgConnection>::new(url);
    let pool: Data<Connections> = Data::new(Pool::builder().max_size(connections).build(manager).expect("a pool"));
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server =
                HttpServer::new(move || App::new().app_data(pool.clone()).route("/credentials", get().to(show)));
            let server = server.bind("127.0.0.1:0").expect("a port");
            tell.send(server.addrs()[0]).expect("somebody listens");
            server.run().await.expect("it runs");
        });
    });
    told.recv().expect("it starts")
}
