//! The access tokens of Azure, Google and IBM that this process keeps, as [`super::aws::Sessions`] keeps those of AWS:
//! one for each credential, version of its secret and scope, until five minutes before its end; one call however many
//! ask. How a token is got stands in each provider's file. A *Test* takes none from here and leaves none.

use uuid::Uuid;

use super::calls::{AccessToken, Outcome};
use super::egress::Egress;
use super::endpoints::Endpoints;
use super::probe::Finding;
use super::sessions::{Cache, Key};
use super::{azure, gcp, ibm, testing};
use crate::credentials::{self, azure as azure_kind, gcp as gcp_kind, ibm_cloud as ibm_kind};
use crate::form::Values;

/// Which stored credential is used, and the version of its secret. Every edit of a value makes another version, and
/// every run reads the version with the values it opens: so no replica can hand out what an old secret opened, without
/// a message between them that could get lost. The old token is dropped when the new version asks for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    pub credential: Uuid,
    pub secret_version: i32,
}

/// The tokens of this process, and the way out to their providers.
pub struct Tokens {
    egress: Egress,
    endpoints: Endpoints,
    kept: Cache<Key, AccessToken, Box<Finding>>,
}

impl Tokens {
    pub fn new(egress: Egress, endpoints: Endpoints) -> Self {
        Self { egress, endpoints, kept: Cache::default() }
    }

    /// A service account's token for one scope, [`gcp::CLOUD_PLATFORM`] for instance; `values` are those of a Google
    /// Cloud credential. Its `lifetime` counts from when Google gave it; five minutes of it are left at least.
    pub async fn google_token(&self, stored: Stored, values: &Values, scope: &str) -> Outcome<AccessToken> {
        let payload: gcp_kind::Payload = payload(values)?;
        let open = || gcp::token(&payload.service_account, scope, &self.egress, &self.endpoints);
        self.token(stored, scope, open).await
    }

    /// A token for the API key of an IBM Cloud credential. IBM's tokens have no scopes.
    pub async fn ibm_token(&self, stored: Stored, values: &Values) -> Outcome<AccessToken> {
        let payload: ibm_kind::Payload = payload(values)?;
        self.token(stored, "", || ibm::token(&payload, &self.egress, &self.endpoints)).await
    }

    /// A token for one resource, by whichever way the Azure credential has.
    pub async fn azure_token(
        &self,
        stored: Stored,
        values: &Values,
        resource: azure::Resource,
    ) -> Outcome<AccessToken> {
        let payload: azure_kind::Payload = payload(values)?;
        let open = || azure::token(&payload, resource, &self.egress, &self.endpoints);
        self.token(stored, resource.slug(), open).await
    }

    /// Drops everything made from a credential: it was deleted.
    pub fn forget(&self, credential: Uuid) {
        self.kept.retain(|key| key.credential != credential);
    }

    async fn token<F>(&self, stored: Stored, scope: &str, open: impl FnOnce() -> F) -> Outcome<AccessToken>
    where
        F: Future<Output = Outcome<AccessToken>>,
    {
        let Stored { credential, secret_version } = stored;
        self.kept.retain(|key| key.credential != credential || key.secret_version >= secret_version);
        let call = open();
        let opened = || async {
            let token = call.await?;
            let lifetime = token.lifetime;
            Ok((token, lifetime))
        };
        self.kept.get(Key { credential, secret_version, scope: scope.to_owned() }, opened).await
    }
}

fn payload<P: serde::de::DeserializeOwned>(values: &Values) -> Outcome<P> {
    credentials::payload(values).ok_or_else(|| Box::new(testing::unreadable()))
}
