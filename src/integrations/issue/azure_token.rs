//! An access token of Microsoft Entra ID for one resource.

use super::form::{Form, Issued, Order, suits_all};
use crate::credentials::azure::{Cloud, Payload};
use crate::form::{Field, Values};
use crate::integrations::context::Outside;
use crate::providers::Failure;
use crate::providers::azure::{self, Resource};

pub static FORM: Form = Form {
    slug: "azure_token",
    label: "Azure access token",
    help: "A token of Microsoft Entra ID for one resource, valid for about an hour.",
    gives: "azure_token",
    kinds: &["azure"],
    fields: &[
        Field::choice(
            "resource",
            "Resource",
            &[
                ("management", "Azure Resource Manager"),
                ("vault", "Key Vault"),
                ("storage", "Storage"),
                ("graph", "Microsoft Graph"),
                (OTHER, "Another resource"),
            ],
        ),
        Field::text("address", "Resource address")
            .when("resource", &[OTHER])
            .placeholder("https://database.windows.net")
            .help("Its application ID URI or application ID, without /.default.")
            .max(256)
            .check(address),
    ],
    suits: suits_all,
    issue: Some(|order| Box::pin(issue(order))),
};

const OTHER: &str = "other";

/// What [`azure::token_for`] takes.
fn address(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("api://"));
    let good = |c: char| c.is_ascii_alphanumeric() || "-._~/:".contains(c);
    let is_address = rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(good));
    if (is_address && !text.ends_with("/.default")) || uuid::Uuid::parse_str(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err("Enter an address such as https://database.windows.net or api://orders, or an application ID.".to_owned())
}

fn resource(settings: &Values, cloud: Cloud) -> &str {
    match settings.get("resource") {
        "vault" => Resource::KeyVault.address(cloud),
        "storage" => Resource::Storage.address(cloud),
        "graph" => Resource::Graph.address(cloud),
        OTHER => settings.get("address"),
        _ => Resource::ResourceManager.address(cloud),
    }
}

async fn issue(order: &Order<'_>) -> Result<Issued, Failure> {
    let payload: Payload = order.payload()?;
    let resource = resource(order.settings, payload.cloud());
    let Outside { egress, endpoints, .. } = order.outside;
    let token = azure::token_for(&payload, resource, egress, endpoints).await?;
    let more = [
        ("resource", resource),
        ("subscription_id", payload.subscription().unwrap_or_default()),
        ("tenant_id", payload.tenant().unwrap_or_default()),
    ];
    Ok(Issued::token(&token, more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_resource_is_taken() {
        assert_eq!(address("https://database.windows.net/").as_deref(), Ok("https://database.windows.net"));
        assert!(address("api://6dae42f8-4368-4678-94ff-3960e28e3630").is_ok());
        assert!(address("6dae42f8-4368-4678-94ff-3960e28e3630").is_ok());
        for bad in ["", "https://", "http://x.example", "https://x.example/.default", "https://x.example y", "x"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
