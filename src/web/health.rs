//! `/livez`: the process runs. `/readyz`: it can also reach the database, and has read the audit trail. For load balancers and orchestrators.

use actix_web::HttpResponse;
use actix_web::web::Data;
use diesel::connection::SimpleConnection;

use crate::models::DbError;
use crate::services::Services;

pub async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

pub async fn ready(services: Data<Services>) -> HttpResponse {
    if !services.trail.is_followed() {
        return HttpResponse::ServiceUnavailable().content_type("text/plain").body("reading the audit trail\n");
    }
    if services.trail.is_stalled() {
        let why = "not ready: the audit trail cannot be read\n";
        return HttpResponse::ServiceUnavailable().content_type("text/plain").body(why);
    }
    let answers = services.db.run(|conn| conn.batch_execute("SELECT 1").map_err(DbError::from)).await.is_ok();
    if answers && !services.stopping.is_cancelled() {
        HttpResponse::Ok().content_type("text/plain").body("ready\n")
    } else {
        HttpResponse::ServiceUnavailable().content_type("text/plain").body("not ready\n")
    }
}
