//! The environment that the program gets: what is delivered in it, and what is taken out.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;

use super::super::environment::variable;
use super::super::trouble::{Result, Trouble};
use super::files::{Folder, GCLOUD};
use super::plan::Plan;
use super::program::Environment;

/// What lets this program log in is not for the child.
const OURS: [&str; 5] = [
    "STRONGROOM_TOKEN",
    "STRONGROOM_TOKEN_FILE",
    "STRONGROOM_ID_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
];

pub fn without_ours() -> Environment {
    OURS.map(|name| (name.to_owned(), None)).into()
}

pub fn of_fields(plan: &Plan, folder: Option<&Folder>) -> Result<Environment> {
    let mut environment = folder.map(|folder| folder.variables(plan)).unwrap_or_default();
    for one in &plan.deliveries {
        let value = if let Some(file) = &one.placed {
            file.path().into_os_string()
        } else if one.as_file {
            folder.map(|folder| folder.path(&one.rule, &one.field).into_os_string()).unwrap_or_default()
        } else {
            let value = plan.values[&one.rule].needed(&one.rule, &one.field)?;
            if value.contains('\0') {
                return Err(Trouble::local(format!("{}.{} cannot be a variable: use --file", one.rule, one.field)));
            }
            OsStr::from_bytes(value.as_bytes()).to_owned()
        };
        environment.insert(one.variable.clone(), Some(value));
    }
    Ok(environment)
}

/// What SDKs look at before they ask an endpoint is taken out, and the files of the user's own login are replaced: they
/// would go before what the rule gives.
pub fn of_clouds(plan: &Plan, address: &SocketAddr, secret: &str) -> Environment {
    let mut environment = Environment::new();
    let mut set = |name: &str, value: &str| environment.insert(name.to_owned(), Some(OsString::from(value)));
    let field = |rule: &Option<String>, name: &str| {
        rule.as_ref().and_then(|rule| plan.values[rule].field(name)).map(str::to_owned)
    };
    let mut removed: Vec<&str> = Vec::new();
    if plan.clouds.aws.is_some() {
        set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("http://{address}/aws"));
        set("AWS_CONTAINER_AUTHORIZATION_TOKEN", secret);
        set("AWS_CONFIG_FILE", NOTHING);
        set("AWS_SHARED_CREDENTIALS_FILE", NOTHING);
        if let Some(region) = field(&plan.clouds.aws, "region").filter(|_| variable("AWS_REGION").is_none()) {
            set("AWS_REGION", &region);
            set("AWS_DEFAULT_REGION", &region);
        }
        removed.extend(AWS);
    }
    if plan.clouds.azure.is_some() {
        set("IDENTITY_ENDPOINT", &format!("http://{address}/azure"));
        set("IDENTITY_HEADER", secret);
        removed.extend(AZURE);
    }
    if plan.clouds.google.is_some() {
        for name in ["GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT"] {
            set(name, &address.to_string());
        }
        // The folder of `files` takes its place, where there is one.
        set(GCLOUD, NOTHING);
        if let Some(project) = field(&plan.clouds.google, "project_id") {
            set("GOOGLE_CLOUD_PROJECT", &project);
        }
        removed.extend(GOOGLE);
    }
    if !plan.clouds.is_empty() {
        environment.extend(["NO_PROXY", "no_proxy"].map(|name| (name.to_owned(), Some(with_loopback(name)))));
    }
    environment.extend(removed.into_iter().map(|name| (name.to_owned(), None)));
    environment
}

fn with_loopback(name: &str) -> OsString {
    let before = variable(name).map(|list| format!("{list},")).unwrap_or_default();
    format!("{before}127.0.0.1").into()
}

/// Where nothing is found.
const NOTHING: &str = "/dev/null";
const AWS: [&str; 13] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];
const AZURE: [&str; 7] = [
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_PASSWORD",
    "AZURE_FEDERATED_TOKEN_FILE",
];
const GOOGLE: [&str; 8] = [
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CREDENTIALS",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "CLOUDSDK_AUTH_ACCESS_TOKEN",
    "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
    "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
    "CLOUDSDK_CORE_ACCOUNT",
    "NO_GCE_CHECK",
];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::super::endpoints::Clouds;
    use super::super::super::wire::Fetched;
    use super::super::plan::Values;
    use super::*;

    #[test]
    fn an_endpoint_takes_the_place_of_the_users_own_login() {
        let fetched = || {
            Arc::new(Fetched {
                form: String::new(),
                version: 1.into(),
                data: [].into(),
                expires_at: None,
                delivery: None,
            })
        };
        let clouds = Clouds { aws: Some("aws".into()), google: Some("google".into()), ..Clouds::default() };
        let values: Values = ["aws", "google"].map(|rule| (rule.to_owned(), fetched())).into();
        let plan = Plan { deliveries: vec![], clouds, configured: vec![], values };
        let environment = of_clouds(&plan, &([127, 0, 0, 1], 1).into(), "x");
        for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", GCLOUD] {
            assert_eq!(environment[name].as_deref(), Some(OsStr::new(NOTHING)), "{name}");
        }
        for name in ["AWS_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS"] {
            assert_eq!(environment[name], None, "{name}");
        }
        assert!(!environment.contains_key("AZURE_CLIENT_SECRET"));
    }
}
