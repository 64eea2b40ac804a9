//! A login for IBM Cloud Container Registry: an IAM token, so that the API key stays here.

use secrecy::ExposeSecret;

use super::form::{Form, Issued, Order, suits_all};
use crate::credentials::ibm_cloud::Payload;
use crate::form::Field;
use crate::integrations::context::Outside;
use crate::integrations::registries::ibm::host;
use crate::providers::{Failure, ibm};

pub static FORM: Form = Form {
    slug: "ibm_login",
    label: "IBM Cloud registry login",
    help: "User name and password for docker login, valid for an hour.",
    gives: "registry_login",
    kinds: &["ibm_cloud"],
    fields: &[Field::text("registry", "Registry")
        .placeholder("us.icr.io")
        .help("The API key's service ID needs the role Reader on Container Registry, or Writer.")
        .max(64)
        .check(host)],
    suits: suits_all,
    issue: Some(|order| Box::pin(issue(order))),
};

/// <https://cloud.ibm.com/docs/Registry?topic=Registry-registry_access#registry_access_user_apikey_auth>
const USER: &str = "iambearer";

async fn issue(order: &Order<'_>) -> Result<Issued, Failure> {
    let payload: Payload = order.payload()?;
    let Outside { egress, endpoints, .. } = order.outside;
    let token = ibm::token(&payload, egress, endpoints).await?;
    let registry = order.settings.get("registry");
    let fields = [("registry", registry), ("username", USER), ("password", token.secret.expose_secret())];
    Ok(Issued::new(fields, Some(token.ends_at())))
}
