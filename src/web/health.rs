//! `/livez`: the process runs. `/readyz`: it can also reach the database. For load balancers and orchestrators.

use actix_web::HttpResponse;
use actix_web::web::Data;
use diesel::connection::SimpleConnection;

use crate::app::App;
use crate::models::DbError;

pub async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

pub async fn ready(app: Data<App>) -> HttpResponse {
    let answers = app.db.run(|conn| conn.batch_execute("SELECT 1").map_err(DbError::from)).await.is_ok();
    if answers && !app.stopping.is_cancelled() {
        HttpResponse::Ok().content_type("text/plain").body("ready\n")
    } else {
        HttpResponse::ServiceUnavailable().content_type("text/plain").body("not ready\n")
    }
}
