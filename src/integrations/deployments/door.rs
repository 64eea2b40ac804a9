//! How somebody gets into a managed cluster, as its cloud says: the address, and a token.

use crate::credentials::kubeconfig::Place;
use crate::providers::ProviderError;
use crate::providers::calls::AccessToken;
use crate::providers::egress::Egress;
use crate::providers::kubernetes::Cluster;

/// The address of a cluster and a token for it.
pub(in crate::integrations) struct Door {
    pub place: Place,
    pub token: AccessToken,
}

impl Door {
    /// A client for the cluster. Nothing is sent yet.
    pub fn enter(self, egress: &Egress) -> Result<Cluster, ProviderError> {
        let Self { place, token } = self;
        Cluster::with_token(&place.server, place.authority, &token.secret, egress)
    }
}
