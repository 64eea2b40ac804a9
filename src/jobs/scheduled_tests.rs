//! The daily test of every credential that can be tested by itself. Each has its own moment of the day, so that
//! providers are asked a little all day long; what a test does and how it is recorded is in `testing`.

use actix_web::web::Data;

use crate::app::App;
use crate::config::Tests;
use crate::models::DbError;
use crate::testing;

/// One turn: everything that is due, unless the operator has switched the tests off.
pub async fn test_due(app: Data<App>) -> Result<(), DbError> {
    if app.settings.test_credentials == Tests::Off {
        return Ok(());
    }
    match testing::test_due(&app).await? {
        0 => {}
        tested => tracing::info!(tested, "credentials had their daily test"),
    }
    Ok(())
}
