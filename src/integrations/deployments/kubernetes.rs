//! Any Kubernetes cluster, by a stored kubeconfig.

use futures_util::future::BoxFuture;

use super::deployment::Deployment;
use super::fields::{COMMON, join};
use super::preflight::check;
use super::uses::{AGENT, PULL};
use crate::credentials::{kubeconfig, payload};
use crate::form::Field;
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::kubernetes::{Cluster, WHO};
use crate::providers::{Failure, ProviderError, finding};

pub static KUBERNETES: Spec = Spec {
    slug: "kubernetes",
    label: "Kubernetes",
    fields: FIELDS,
    uses: &[Use::main(&["kubeconfig"]), PULL, AGENT],
    host: Host::OfCredential,
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| Box::pin(check(&Kubeconfig, cx))),
    does: Does::Deploy(&Kubeconfig),
};

static FIELDS: &[Field] = &join::<0, { COMMON.len() }>([]);

pub(super) struct Kubeconfig;

impl Deployment for Kubeconfig {
    fn open<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Cluster, Failure>> {
        Box::pin(async move {
            let failed = |error: ProviderError| Failure::from(finding(&error, WHO));
            let secret = cx.main().ok_or_else(|| failed(ProviderError::WrongCredential))?;
            let payload: Option<kubeconfig::Payload> = payload(secret.values);
            let config = payload.ok_or_else(|| failed(ProviderError::WrongCredential))?.kubeconfig;
            Cluster::new(&config, cx.outside.egress).map_err(failed)
        })
    }
}
