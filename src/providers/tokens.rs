//! The access tokens of Azure, Google and IBM that this process keeps, as [`super::aws::Sessions`] keeps those of AWS:
//! one for each credential, version of its secret and scope, until five minutes before its end; one call however many
//! ask. Nothing is kept of a credential that is not stored. How a token is got stands in each provider's file. A *Test* takes none from here and leaves none.

use uuid::Uuid;

use super::Failure;
use super::calls::{AccessToken, Outcome};
use super::egress::Egress;
use super::endpoints::Endpoints;
use super::probe::Finding;
use super::sessions::{Cache, Key};
use super::{azure, gcp, ibm};
use crate::credentials::{self, azure as azure_kind, gcp as gcp_kind, ibm_cloud as ibm_kind};
use crate::form::Values;

/// Which stored credential is used, and the version of its secret. Every edit of a value makes another version, and
/// every run reads the version with the values it opens: so no replica can hand out what an old secret opened, without
/// a message between them that could get lost. The old token is dropped when the new version asks for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    pub credential: Uuid,
    pub secret_version: i32,
}

/// The tokens of this process, and the way out to their providers.
pub struct Tokens {
    egress: Egress,
    endpoints: Endpoints,
    cache: Cache<Key, AccessToken, Failure>,
}

impl Tokens {
    pub fn new(egress: Egress, endpoints: Endpoints) -> Self {
        Self { egress, endpoints, cache: Cache::default() }
    }

    /// A service account's token for one scope, [`gcp::CLOUD_PLATFORM`] for instance; `values` are those of a Google
    /// Cloud credential. Its `lifetime` counts from when Google gave it; five minutes of it are left at least.
    pub async fn google_token(
        &self,
        stored: impl Into<Option<Stored>>,
        values: &Values,
        asked: impl Into<gcp::Asked<'_>>,
    ) -> Outcome<AccessToken> {
        let (payload, asked): (gcp_kind::Payload, gcp::Asked<'_>) = (payload(values)?, asked.into());
        let open = || gcp::token(&payload.service_account, asked, &self.egress, &self.endpoints);
        let scope = asked.subject.map_or_else(|| asked.scope.to_owned(), |user| format!("{} {user}", asked.scope));
        self.token(stored.into(), &scope, open).await
    }

    /// A token for the API key of an IBM Cloud credential. IBM's tokens have no scopes.
    pub async fn ibm_token(&self, stored: impl Into<Option<Stored>>, values: &Values) -> Outcome<AccessToken> {
        let payload: ibm_kind::Payload = payload(values)?;
        self.token(stored.into(), "", || ibm::token(&payload, &self.egress, &self.endpoints)).await
    }

    /// A token for one resource, by whichever way the Azure credential has.
    pub async fn azure_token(
        &self,
        stored: impl Into<Option<Stored>>,
        values: &Values,
        resource: azure::Resource,
    ) -> Outcome<AccessToken> {
        let payload: azure_kind::Payload = payload(values)?;
        let open = || azure::token(&payload, resource, &self.egress, &self.endpoints);
        self.token(stored.into(), resource.slug(), open).await
    }

    /// Drops everything made from a credential: it was deleted.
    pub fn forget(&self, credential: Uuid) {
        self.cache.retain(|key| key.credential != credential);
    }

    /// A token of a service that has no file of its own, by whatever call gets it; `scope` tells it from others of the
    /// same credential.
    pub async fn kept<F>(&self, stored: Option<Stored>, scope: &str, open: impl FnOnce() -> F) -> Outcome<AccessToken>
    where
        F: Future<Output = Outcome<AccessToken>>,
    {
        self.token(stored, scope, open).await
    }

    async fn token<F>(&self, stored: Option<Stored>, scope: &str, open: impl FnOnce() -> F) -> Outcome<AccessToken>
    where
        F: Future<Output = Outcome<AccessToken>>,
    {
        let Some(Stored { credential, secret_version }) = stored else { return open().await };
        self.cache.retain(|key| key.credential != credential || key.secret_version >= secret_version);
        let call = open();
        let opened = || async {
            let token = call.await?;
            let lifetime = token.lifetime;
            Ok((token, lifetime))
        };
        self.cache.get(Key { credential, secret_version, scope: scope.to_owned() }, opened).await
    }
}

fn payload<P: serde::de::DeserializeOwned>(values: &Values) -> Outcome<P> {
    credentials::payload(values).ok_or_else(|| Finding::unreadable().into())
}
