//! Keeps the figures of the dashboard once a day, over and over until the day ends: whichever console is up last has the
//! last word of it.

use std::sync::Arc;

use crate::models::DbError;
use crate::models::daily_figures;
use crate::services::Services;

pub async fn keep(services: Arc<Services>) -> Result<(), DbError> {
    if services.trail.is_held() {
        return Ok(());
    }
    let limits = services.limits();
    let work = move |conn: &mut _| {
        let figures = daily_figures::now(conn, &limits)?;
        daily_figures::keep(conn, &figures)
    };
    services.db.transaction(work).await
}
