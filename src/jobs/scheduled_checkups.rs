//! The daily test of every credential that can be tested by itself. Each has its own moment of the day, so that
//! providers are asked a little all day long; what a test does and how it is recorded is in `checkup`.

use std::sync::Arc;

use crate::checkup;
use crate::config::Tests;
use crate::models::DbError;
use crate::services::Services;

/// One turn: everything that is due, unless the operator has switched the tests off.
pub async fn test_due(services: Arc<Services>) -> Result<(), DbError> {
    if services.settings.test_credentials == Tests::Off || services.trail.is_held() {
        return Ok(());
    }
    match checkup::test_due(&services).await? {
        0 => {}
        tested => tracing::info!(tested, "credentials had their daily test"),
    }
    Ok(())
}
