//! A login for Google's Artifact Registry and Container Registry: the service account's access token.

use secrecy::ExposeSecret;

use super::form::{Form, Issued, Order, suits_all};
use crate::credentials::gcp::Payload;
use crate::form::Field;
use crate::integrations::context::Outside;
use crate::integrations::registries::google::Place;
use crate::providers::Failure;
use crate::providers::gcp::{self, CLOUD_PLATFORM};

pub static FORM: Form = Form {
    slug: "google_login",
    label: "Google registry login",
    help: "User name and password for docker login, valid for an hour.",
    gives: "registry_login",
    kinds: &["gcp"],
    fields: &[Field::text("registry", "Registry")
        .placeholder("europe-west3-docker.pkg.dev")
        .help("The service account needs the role Artifact Registry Reader, or Writer.")
        .max(128)
        .check(|text| Place::parse(text).map(|place| place.host))],
    suits: suits_all,
    issue: Some(|order| Box::pin(issue(order))),
};

/// <https://cloud.google.com/artifact-registry/docs/docker/authentication#token>
const USER: &str = "oauth2accesstoken";

async fn issue(order: &Order<'_>) -> Result<Issued, Failure> {
    let payload: Payload = order.payload()?;
    let Outside { egress, endpoints, .. } = order.outside;
    let token = gcp::token(&payload.service_account, CLOUD_PLATFORM, egress, endpoints).await?;
    let registry = order.settings.get("registry");
    let fields = [("registry", registry), ("username", USER), ("password", token.secret.expose_secret())];
    Ok(Issued::new(fields, Some(token.ends_at())))
}
