//! Patience with a service of AWS that throttles. It names no pause of its own, and fills what it allows up again every
//! second.

use std::time::Duration;

use crate::providers::ProviderError;
use crate::providers::patience::{Patience, Pause};

/// A call that is throttled is made this often in all, on top of the SDK's own attempts: three pauses, seven seconds.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Asks, and asks again while the service throttles; meanwhile all tasks that share the patience wait.
pub async fn ask<T, F>(patience: &Patience, ask: impl Fn() -> F) -> Result<T, ProviderError>
where
    F: Future<Output = Result<T, ProviderError>>,
{
    let again = |result: &Result<T, ProviderError>, answers| {
        let throttled = answers < ATTEMPTS && matches!(result, Err(ProviderError::Throttled { .. }));
        throttled.then(|| Pause::after(answers, None, FIRST_PAUSE).of_all(true))
    };
    patience.ask(ask, again).await
}
