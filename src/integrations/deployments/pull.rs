//! Asks the registry whether the image exists and can be pulled with the pull secret. The nodes may be able to reach a
//! registry that Strongroom cannot, so the result is only a warning and never stops a deployment.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::deployment::PULL_SECRET;
use super::image::Image;
use super::nodes::Node;
use super::secrets::Pull;
use crate::integrations::context::Context;
use crate::providers::ProviderError;
use crate::providers::egress::Tls;
use crate::providers::oci_registry::{Login, Registry};

/// How long a preview waits for the registry.
const PATIENCE: Duration = Duration::from_secs(10);

/// The platforms of the image, such as `linux/amd64`.
pub(super) type Found = Result<Vec<String>, ProviderError>;

/// Asks the registry for the platforms of the image.
pub(super) async fn look_up(cx: &Context<'_>) -> Found {
    let image = Image::parse(cx.settings.get("image")).ok_or(ProviderError::InvalidAddress)?;
    let late = || ProviderError::Timeout { host: image.host.clone() };
    tokio::time::timeout(PATIENCE, platforms(cx, &image)).await.unwrap_or_else(|_| Err(late()))
}

/// Warnings about the image; empty if there are none.
pub(super) fn warnings(cx: &Context<'_>, found: Found, nodes: &[Node]) -> Vec<String> {
    let Some(image) = Image::parse(cx.settings.get("image")) else { return Vec::new() };
    let mut said = Vec::new();
    if image.is_floating() {
        said.push(
            "The image has the tag latest, so nodes may run different versions. Use a version tag or a digest.".into(),
        );
    }
    if image.is_ecr() && cx.secret(PULL_SECRET).is_some() {
        said.push(
            "Amazon ECR logins expire after 12 hours. Use no pull secret, and let the nodes' IAM role pull the image."
                .into(),
        );
    }
    match found {
        Ok(platforms) => said.extend(unsupported(&platforms, nodes)),
        Err(ProviderError::NotFound) => said.push(format!("The registry {} does not have this image.", image.host)),
        Err(cause) => {
            let why = cause.told("the registry");
            let host = image.host;
            said.push(format!("Strongroom could not look the image up at {host}. {why} The nodes may still reach it."));
        }
    }
    said
}

async fn platforms(cx: &Context<'_>, image: &Image) -> Result<Vec<String>, ProviderError> {
    let address = Url::parse(&image.api()).map_err(|_| ProviderError::InvalidAddress)?;
    let login = match cx.secret(PULL_SECRET) {
        None => Login::Anonymous,
        Some(secret) => {
            let pull = Pull::of(secret).map_err(|_| ProviderError::WrongCredential)?;
            Login::Basic { username: pull.username.clone(), password: SecretString::from(pull.password.as_str()) }
        }
    };
    let client = cx.outside.egress.client(Tls::default())?;
    let registry = Registry::new(client, &address, login, cx.stop.clone()).listing(cx.sent_to.clone());
    registry.sign_in().await?;
    Ok(registry.describe(&image.repository, image.reference()).await?.platforms)
}

/// A warning about nodes whose platform the image does not support.
fn unsupported(platforms: &[String], nodes: &[Node]) -> Option<String> {
    let runs = |node: &&Node| {
        let platform = node.platform();
        // An image may name a variant: `linux/arm64/v8`.
        platform.is_empty() || platforms.iter().any(|known| known.starts_with(&platform))
    };
    let without = nodes.iter().filter(|node| !runs(node)).count();
    (without > 0 && !platforms.is_empty()).then(|| {
        let nodes = if without == 1 { "1 node".to_owned() } else { format!("{without} nodes") };
        format!("The image does not support the platform of {nodes}. It supports {}.", platforms.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_another_architecture_are_counted() {
        let node = |architecture: &str| -> Node {
            let info = serde_json::json!({ "operatingSystem": "linux", "architecture": architecture });
            serde_json::from_value(serde_json::json!({ "status": { "nodeInfo": info } })).unwrap()
        };
        let nodes = [node("amd64"), node("arm64"), Node::default()];
        let said = |platforms: &[&str]| {
            let platforms: Vec<String> = platforms.iter().map(|one| (*one).to_owned()).collect();
            unsupported(&platforms, &nodes)
        };
        assert_eq!(said(&["linux/amd64", "linux/arm64/v8"]), None);
        assert!(said(&["linux/amd64"]).unwrap().starts_with("The image does not support the platform of 1 node."));
        assert_eq!(said(&[]), None, "the registry does not tell");
    }
}
