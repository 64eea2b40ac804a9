//! What the operator's environment says about AWS, read once when the console starts. Nobody can enter any of this in a
//! form. Key variables (`AWS_ACCESS_KEY_ID` …) are not among them: a key belongs into the store.

use std::collections::HashMap;

use super::Region;

/// Variables that count: <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>. Hosts of
/// `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` are under the egress rules like any other: private ones need
/// `STRONGROOM_EGRESS_ALLOW`. `AWS_ENDPOINT_URL_ECR_REGISTRY` stands in for the host of every ECR registry,
/// `AWS_ENDPOINT_URL_ECR_PUBLIC_REGISTRY` for that of the public one.
const NAMES: [&str; 13] = [
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
];
const PER_SERVICE: &str = "AWS_ENDPOINT_URL_";

/// The operator's settings for AWS. Empty: the public endpoints, and IMDS as the only source of a role.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Endpoints(HashMap<String, String>);

impl Endpoints {
    /// Takes what counts from a list of environment variables.
    pub fn new<N: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let all = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(all.filter(|(name, value)| counts(name) && !value.is_empty()).collect())
    }

    /// The same with one more variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn says_yes(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Where a service is, when it is not where AWS has it. `service` as in the variable: `STS`.
    pub(in crate::providers) fn of(&self, service: &str) -> Option<&str> {
        if self.says_yes("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            return None;
        }
        self.get(&format!("{PER_SERVICE}{service}")).or_else(|| self.get("AWS_ENDPOINT_URL"))
    }

    /// Stands in for `https://<account>.dkr.ecr.<region>.amazonaws.com`.
    pub fn registry(&self) -> Option<&str> {
        self.get("AWS_ENDPOINT_URL_ECR_REGISTRY")
    }

    /// Whether ECR itself is somewhere else, where the registry's own host would not be the right one.
    pub fn moves_ecr(&self) -> bool {
        self.of("ECR").is_some()
    }

    /// Stands in for `https://public.ecr.aws`.
    pub fn public_registry(&self) -> Option<&str> {
        self.get("AWS_ENDPOINT_URL_ECR_PUBLIC_REGISTRY")
    }

    /// The same of ECR Public.
    pub fn moves_ecr_public(&self) -> bool {
        self.of("ECR_PUBLIC").is_some()
    }

    /// The region to ask when nothing else names one.
    pub fn region(&self) -> Option<Region> {
        self.get("AWS_REGION").or_else(|| self.get("AWS_DEFAULT_REGION")).and_then(Region::parse)
    }
}

fn counts(name: &str) -> bool {
    NAMES.contains(&name) || name.starts_with(PER_SERVICE)
}

impl std::fmt::Debug for Endpoints {
    /// Names only: the container's token is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
