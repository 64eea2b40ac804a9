//! What a session is opened from: the keys of a credential, or the role of the environment.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::session::Session;
use super::{Endpoints, Region, environment};
use crate::credentials::aws::{Payload, RoleArn};
use crate::form::Values;
use crate::providers::ProviderError;
use crate::providers::egress::Egress;

/// Where a session's first keys come from: never from anywhere but what the credential says.
pub enum Origin {
    AccessKey {
        id: String,
        secret: SecretString,
    },
    /// The role of the environment that Strongroom runs in.
    Environment,
}

/// An AWS credential as a session needs it: its keys, and the role that it goes on to by itself.
pub struct Access {
    pub origin: Origin,
    pub role: Option<RoleArn>,
}

impl Access {
    /// From a credential's values; `role_arn` may also stand beside an access key, to test both together.
    pub fn read(values: &Values) -> Result<Self, ProviderError> {
        let beside = match values.get("role_arn") {
            "" => None,
            arn => Some(RoleArn::parse(arn).map_err(|_| ProviderError::WrongCredential)?),
        };
        let own = values.names().filter(|name| ["method", "access_key_id", "secret_access_key"].contains(name));
        let own: Values = own.map(|name| (name, values.get(name))).collect();
        let json = own.to_json();
        let payload: Payload = serde_json::from_slice(&json).map_err(|_| ProviderError::WrongCredential)?;
        let origin = match payload {
            Payload::AccessKey { access_key_id, secret_access_key } => {
                Origin::AccessKey { id: access_key_id, secret: secret_access_key }
            }
            Payload::IamRole { .. } => Origin::Environment,
        };
        Ok(Self { origin, role: beside })
    }
}

impl Origin {
    /// A user's key, whose sessions may last longer than those that a role goes on to.
    pub fn is_access_key(&self) -> bool {
        matches!(self, Self::AccessKey { .. })
    }

    /// The keys that a credential holds; `None` when they come from the environment.
    fn keys(&self) -> Option<aws_credential_types::Credentials> {
        match self {
            Self::AccessKey { id, secret } => {
                Some(aws_credential_types::Credentials::new(id, secret.expose_secret(), None, None, "credential"))
            }
            Self::Environment => None,
        }
    }
}

impl Session {
    /// The keys of a credential, or of the environment's role.
    pub async fn open(
        origin: &Origin,
        region: &Region,
        egress: &Egress,
        endpoints: &Arc<Endpoints>,
    ) -> Result<Self, ProviderError> {
        let keys = match origin.keys() {
            Some(keys) => keys,
            None => environment::keys(region, egress, endpoints).await?,
        };
        Self::with(Some(keys), region, egress, endpoints)
    }
}
