//! A login for an Amazon ECR registry.

use secrecy::ExposeSecret;

use super::form::{Form, Issued, Order};
use super::role::{self, EXTERNAL_ID, ROLE, failed};
use crate::form::{Errors, Field, Values};
use crate::integrations::registries::ecr::{Host, password};
use crate::providers::{Failure, ProviderError};

pub static FORM: Form = Form {
    slug: "ecr_login",
    label: "Amazon ECR login",
    help: "User name and password for docker login, valid for up to 12 hours.",
    gives: "registry_login",
    kinds: &["aws"],
    fields: &[
        Field::text("registry", "Registry")
            .placeholder("123456789012.dkr.ecr.eu-central-1.amazonaws.com")
            .max(128)
            .check(|text| Host::parse(text).map(|host| host.name)),
        ROLE.help("The full ARN of a role that can read the registry. Leave blank to use the credential itself."),
        EXTERNAL_ID,
    ],
    suits,
    issue: Some(|order| Box::pin(issue(order))),
};

fn suits(settings: &Values, credential: &Values) -> Result<(), Errors> {
    role::suits(settings, credential)?;
    role::in_partition(settings, Host::parse(settings.get("registry")).ok().map(|host| host.region).as_ref())
}

/// The password is good for every registry that the identity can reach; it ends with the session that got it.
/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html>
async fn issue(order: &Order<'_>) -> Result<Issued, Failure> {
    let host = Host::parse(order.settings.get("registry")).map_err(|_| failed(ProviderError::InvalidAddress))?;
    let session = role::session(order, &host.region).await?;
    let (password, ends_at) = password(&session.ecr()).await.map_err(failed)?;
    let fields = [("registry", host.name.as_str()), ("username", "AWS"), ("password", password.expose_secret())];
    Ok(Issued::new(fields, ends_at))
}
