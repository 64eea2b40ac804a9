//! Vendors that serve several registries below one address, such as one for each of their own repositories: each is
//! signed in to when the scan first asks it for something.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::providers::ProviderError;
use crate::providers::oci_registry::Registry;

type Line = Arc<OnceCell<Result<Arc<Registry>, ProviderError>>>;

/// The registries by the name that the vendor gives them.
#[derive(Default)]
pub(super) struct Several(Mutex<HashMap<String, Line>>);

impl Several {
    /// The registry of that name, from `reach` and signed in to if it was not asked for before.
    pub async fn of(
        &self,
        name: &str,
        reach: impl FnOnce() -> Result<Registry, ProviderError>,
    ) -> Result<Arc<Registry>, ProviderError> {
        let line = {
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(lines.entry(name.to_owned()).or_default())
        };
        let open = || async {
            let registry = reach()?;
            registry.sign_in().await?;
            Ok(Arc::new(registry))
        };
        line.get_or_init(open).await.clone()
    }
}
