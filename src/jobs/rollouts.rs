//! Advances all running rollouts, regardless of which replica started them.

use std::sync::Arc;

use crate::models::DbError;
use crate::runs::rollouts;
use crate::services::Services;

/// One turn.
pub async fn advance(services: Arc<Services>) -> Result<(), DbError> {
    if !services.trail.is_held() && rollouts::advance(&services).await? {
        services.wake.runs.notify_one();
    }
    Ok(())
}
