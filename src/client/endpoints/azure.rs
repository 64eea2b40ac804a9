//! The token endpoint of Azure's managed identities, as App Service has it: `api-version=2019-08-01`.
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::json;

use super::super::net::Body;
use super::super::trouble::{Result, Trouble};
use super::super::wire::form;
use super::shared::{Endpoints, json as answered};

pub async fn answer(endpoints: &Endpoints, rule: &str, request: &Request<Incoming>) -> Response<Body> {
    if !endpoints.is_secret(request.headers().get("x-identity-header")) {
        return refused(401, "The identity header is wrong.");
    }
    let query = request.uri().query().unwrap_or_default();
    let resource = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "resource");
    let Some((_, resource)) = resource else { return refused(400, "The query lacks a resource.") };
    token(endpoints, rule, &resource).await.unwrap_or_else(|trouble| {
        // Azure's SDKs try again for long on 404 and 5xx, also where nothing will change.
        let passes = trouble.passes() && !matches!(trouble, Trouble::Provider { .. });
        refused(if passes { 503 } else { 400 }, &trouble.to_string())
    })
}

fn refused(status: u16, words: &str) -> Response<Body> {
    answered(status, &json!({ "statusCode": status, "message": words }))
}

async fn token(endpoints: &Endpoints, rule: &str, resource: &str) -> Result<Response<Body>> {
    let fetched = endpoints.source.get(rule).await?;
    fetched.must_be(rule, form::AZURE, "an Azure token")?;
    if let Some(issued) = fetched.field("resource").filter(|issued| !is_same(issued, resource)) {
        return Err(Trouble::Local(format!("the rule {rule} is for {issued}, not for {resource}")));
    }
    let end = fetched.expires_at.map_or(0, |end| end.timestamp());
    Ok(answered(
        200,
        &json!({
            "access_token": fetched.needed(rule, "access_token")?,
            "expires_on": end.to_string(),
            "resource": resource,
            "token_type": "Bearer",
        }),
    ))
}

/// The Resource Manager has two names.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |text: &str| match text.trim_end_matches('/').to_ascii_lowercase() {
        text if text == "https://management.core.windows.net" => "https://management.azure.com".to_owned(),
        text => text,
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_the_resource_it_was_issued_for() {
        assert!(is_same("https://management.azure.com", "https://management.core.windows.net/"));
        assert!(is_same("https://vault.azure.net", "https://vault.azure.net/"));
        assert!(!is_same("https://vault.azure.net", "https://management.azure.com"));
    }
}
