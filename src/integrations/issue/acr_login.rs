//! A login for an Azure Container Registry.

use secrecy::ExposeSecret;

use super::form::{Form, Issued, Order, suits_all};
use crate::form::Field;
use crate::integrations::context::Outside;
use crate::integrations::registries::acr::{exchange, login_server};
use crate::providers::azure::container_registry::refresh_token;
use crate::providers::calls::ends_at;
use crate::providers::{Failure, ProviderError, finding};

pub static FORM: Form = Form {
    slug: "acr_login",
    label: "Azure Container Registry login",
    help: "User name and password for docker login, valid for about three hours.",
    gives: "registry_login",
    kinds: &["azure"],
    fields: &[Field::text("registry", "Registry")
        .placeholder("example.azurecr.io")
        .help("Its login server. The credential's principal needs the role AcrPull on it, or AcrPush.")
        .max(128)
        .check(login_server)],
    suits: suits_all,
    issue: Some(|order| Box::pin(issue(order))),
};

/// The user name that stands for a refresh token.
/// <https://learn.microsoft.com/en-us/azure/container-registry/container-registry-authentication>
const USER: &str = "00000000-0000-0000-0000-000000000000";

fn failed(error: ProviderError) -> Failure {
    finding(&error, "the registry").into()
}

async fn issue(order: &Order<'_>) -> Result<Issued, Failure> {
    let host = login_server(order.settings.get("registry")).map_err(|_| failed(ProviderError::InvalidAddress))?;
    let Outside { egress, endpoints, tokens, .. } = order.outside;
    let exchange = exchange(endpoints, &host).map_err(failed)?;
    let token = refresh_token(&exchange, &host, (None, order.secret.values), tokens, egress).await.map_err(failed)?;
    let fields = [("registry", host.as_str()), ("username", USER), ("password", token.expose_secret())];
    Ok(Issued::new(fields, ends_at(&token)))
}
