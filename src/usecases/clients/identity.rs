//! The identity that a program shows instead of a secret, judged by the settings of a login. What is checked, and how, is
//! in `providers::identity`; who may log in by what is decided here.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::credentials::{kubeconfig, payload};
use crate::integrations::identities::{Aws, Identity, Kubernetes, Oidc};
use crate::models::events::Actor;
use crate::models::{ClientLoginId, Conn, CredentialId, credentials};
use crate::opening::{self, Closed};
use crate::providers::identity::issuer::Issuer;
use crate::providers::identity::jwt::{self, Keys, Verified};
use crate::providers::identity::kubernetes::ServiceAccount;
use crate::providers::identity::{Refused, aws, kubernetes};
use crate::providers::kubernetes::{Cluster, WHO};
use crate::services::Services;

/// Longest that a cluster, an issuer or AWS is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a program shows.
pub enum Proof {
    /// A JSON Web Token: of a service account, or of an OpenID Connect issuer.
    Token(String),
    Aws(aws::Proof),
}

/// A login whose identity is to be judged.
pub struct Judge<'a> {
    pub login: ClientLoginId,
    pub identity: &'a Identity,
    /// The kubeconfig of a login that asks the cluster.
    pub credential: Option<CredentialId>,
    /// The client's name and the address that it comes from.
    pub actor: Actor,
}

/// Who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// For the audit trail: *service account shop/web*.
    pub who: String,
    /// A proof that counts once, and until when it could be shown again. `None` for what a program shows each time.
    pub once: Option<(Vec<u8>, DateTime<Utc>)>,
}

impl Proof {
    /// The issuer that an unverified token names: it tells logins of one client apart, and decides nothing else.
    pub fn may_be_for(&self, identity: &Identity) -> bool {
        let issuer = || match self {
            Self::Token(token) => jwt::claimed_issuer(token).unwrap_or_default(),
            Self::Aws(_) => String::new(),
        };
        match (self, identity) {
            (Self::Token(_), Identity::Oidc(oidc)) => issuer() == oidc.issuer,
            (Self::Token(_), Identity::Kubernetes(Kubernetes { keys: Some(keys), .. })) => issuer() == keys.issuer,
            (Self::Token(_), Identity::Kubernetes(_)) | (Self::Aws(_), Identity::Aws(_)) => true,
            _ => false,
        }
    }
}

impl Judge<'_> {
    /// Whose proof it is, if it is one that this login allows.
    pub async fn judge(&self, services: &Services, proof: &Proof) -> Result<Known, Refused> {
        let judged = async {
            match (self.identity, proof) {
                (Identity::Kubernetes(settings), Proof::Token(token)) => {
                    self.kubernetes(services, settings, token).await
                }
                (Identity::Oidc(settings), Proof::Token(token)) => oidc(services, settings, token).await,
                (Identity::Aws(settings), Proof::Aws(proof)) => by_aws(services, settings, proof).await,
                _ => Err(Refused::Malformed),
            }
        };
        let late = Refused::Unasked("Whoever must confirm the identity did not answer in time.".to_owned());
        tokio::time::timeout(PATIENCE, judged).await.unwrap_or(Err(late))
    }

    async fn kubernetes(&self, services: &Services, settings: &Kubernetes, token: &str) -> Result<Known, Refused> {
        let account = match &settings.keys {
            Some(keys) => {
                let set = Keys::parse(keys.jwks.as_bytes()).ok_or(Refused::UnknownKey)?;
                kubernetes::of_claims(&jwt::verify(token, &set, &keys.issuer, &settings.audience)?)?
            }
            None => {
                require(settings, &kubernetes::claimed(token, &settings.audience)?)?;
                kubernetes::review(&self.cluster(services).await?, token, &settings.audience).await?
            }
        };
        require(settings, &account)?;
        // A pod reads the same token from its file until the cluster renews it.
        Ok(Known { who: account.title(), once: None })
    }

    /// The cluster of the login's kubeconfig. Opening it is an event of its own.
    async fn cluster(&self, services: &Services) -> Result<Cluster, Refused> {
        let unasked = |text: String| Refused::Unasked(text);
        let id = self.credential.ok_or_else(|| unasked("The login has no kubeconfig.".to_owned()))?;
        let (vault, actor) = (services.vault.clone(), self.actor.clone());
        let why = format!("to check an identity for a login of {}", actor.name);
        let open = move |conn: &mut Conn| {
            let opened = opening::open(conn, &vault, &actor, id, why.clone())?;
            credentials::touch(conn, id)?;
            Ok(opened)
        };
        let opened = services.db.transaction(open).await;
        let opened = opened.map_err(|error: crate::models::DbError| unasked(error.to_string()))?;
        let closed = |closed: Closed| unasked(format!("The kubeconfig cannot be used: {}", closed.sentence()));
        let opened = opened.map_err(closed)?;
        let config: Option<kubeconfig::Payload> = payload(&opened.values);
        let config = config.ok_or_else(|| closed(Closed::LaterRelease))?.kubeconfig;
        Cluster::new(&config, &services.egress).map_err(|error| unasked(error.sentence(WHO)))
    }
}

fn require(settings: &Kubernetes, account: &ServiceAccount) -> Result<(), Refused> {
    let allowed = settings.accounts.iter().any(|allowed| allowed.matches(&account.namespace, &account.name));
    if allowed { Ok(()) } else { Err(Refused::Other(account.title())) }
}

async fn oidc(services: &Services, settings: &Oidc, token: &str) -> Result<Known, Refused> {
    let verified = match &settings.jwks {
        Some(jwks) => {
            let keys = Keys::parse(jwks.as_bytes()).ok_or(Refused::UnknownKey)?;
            jwt::verify(token, &keys, &settings.issuer, &settings.audience)?
        }
        None => {
            let issuer = Issuer { url: settings.issuer.clone(), ca_certificate: String::new() };
            services.issuers.verify(token, &issuer, &settings.audience).await?
        }
    };
    if settings.conditions.is_empty() {
        return Err(Refused::Claim(String::new()));
    }
    verified.require(settings.conditions.iter().map(|(claim, value)| (claim.as_str(), value.as_str())))?;
    let Verified { replay_key, until, .. } = &verified;
    let who = verified.claim("sub").unwrap_or_else(|| settings.issuer.clone());
    Ok(Known { who: who.chars().take(200).collect(), once: Some((replay_key.clone(), *until)) })
}

async fn by_aws(services: &Services, settings: &Aws, proof: &aws::Proof) -> Result<Known, Refused> {
    let endpoints = services.settings.endpoints.aws();
    let caller = proof.caller(&settings.server_id, &services.egress, endpoints).await?;
    if caller.arn != aws::plain(&settings.arn) {
        return Err(Refused::Other(caller.arn));
    }
    Ok(Known { who: caller.arn, once: Some((caller.replay_key, caller.until)) })
}
