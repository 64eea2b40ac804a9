//! How an AWS identity logs in to an EKS cluster. The token is a presigned call to sts:GetCallerIdentity: the cluster
//! makes that call, and AWS answers with the identity. The cluster then looks the identity up in its access entries, or
//! in its ConfigMap aws-auth. <https://docs.aws.amazon.com/eks/latest/userguide/cluster-auth.html>,
//! <https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster>

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

use super::session::Caller;
use super::{Region, Session, eks};
use crate::providers::calls::AccessToken;
use crate::providers::probe::{Finding, Verdict};
use crate::providers::{ProviderError, clock};

const PREFIX: &str = "k8s-aws-v1.";
/// How long the presigned call is valid, as in AWS's own clients.
const SECONDS: Duration = Duration::from_secs(60);
/// The cluster accepts a token for 15 minutes; like AWS's own clients, we get a new one after 14.
const LIFETIME: Duration = Duration::from_secs(14 * 60);
/// The header that ties the token to one cluster.
const CLUSTER: &str = "x-k8s-aws-id";

/// The Kubernetes group that the guide binds to the ClusterRole for deployments.
pub const GROUP: &str = "strongroom";

/// A token for one cluster. It always names the regional STS of AWS, since clusters accept no other endpoint.
pub async fn token(session: &Session, region: &Region, cluster: &str) -> Result<AccessToken, ProviderError> {
    let host = format!("sts.{}.{}", region.as_str(), region.dns_suffix());
    let call = format!("https://{host}/?Action=GetCallerIdentity&Version=2011-06-15");
    let signed = session.presigned(&call, &[(CLUSTER, cluster)], "sts", region, SECONDS).await?;
    let secret = SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(signed.as_bytes())));
    // A token expires no later than the session that signed it.
    let left = session.expires().map(|end| end.duration_since(SystemTime::from(clock::now())).unwrap_or_default());
    Ok(AccessToken { secret, lifetime: left.map_or(LIFETIME, |left| left.min(LIFETIME)) })
}

/// The ARN that the cluster must know: the user, or the role of the session, without the role's path.
pub fn principal(caller: &Caller) -> String {
    let Caller { account, arn } = caller;
    let partition = arn.split(':').nth(1).unwrap_or("aws");
    match arn.split_once(":assumed-role/").and_then(|(_, role)| role.split('/').next()) {
        Some(role) => format!("arn:{partition}:iam::{account}:role/{role}"),
        None => arn.clone(),
    }
}

/// Explains a 401 from a cluster for a token that is itself valid.
pub fn unknown(region: &Region, name: &str, cluster: &eks::Cluster, principal: &str) -> Finding {
    let (sentence, remedy) = match cluster.mode.as_str() {
        "CONFIG_MAP" => (
            format!("The cluster {name} does not know {principal}: its ConfigMap aws-auth does not map it."),
            format!(
                "Map it to the group {GROUP} there, or let the cluster use access entries (authentication mode \
                 API_AND_CONFIG_MAP)."
            ),
        ),
        "API_AND_CONFIG_MAP" => (
            format!(
                "The cluster {name} does not know {principal}: it has no access entry for it, and its ConfigMap \
                 aws-auth does not map it."
            ),
            "Create an access entry: the command is below.".to_owned(),
        ),
        _ => (
            format!("The cluster {name} does not know {principal}: it has no access entry for it."),
            "Create one: the command is below.".to_owned(),
        ),
    };
    let mut finding = Finding::new(Verdict::Denied, sentence, remedy);
    finding.snippets.push(if cluster.mode == "CONFIG_MAP" {
        mapped(principal)
    } else {
        entry(region, name, principal)
    });
    finding
}

/// The command for an access entry that adds the identity to the group.
pub fn entry(region: &Region, name: &str, principal: &str) -> (String, String) {
    let command = format!(
        "aws eks create-access-entry --region {} --cluster-name {name} \\\n  --principal-arn {principal} \\\n  \
         --kubernetes-groups {GROUP}",
        region.as_str()
    );
    (format!("Access entry of {name}: lets the identity in"), command)
}

/// The lines that do the same in the ConfigMap.
fn mapped(principal: &str) -> (String, String) {
    let (list, kind) = if principal.contains(":role/") { ("mapRoles", "rolearn") } else { ("mapUsers", "userarn") };
    let lines =
        format!("data:\n  {list}: |\n    - {kind}: {principal}\n      username: {GROUP}\n      groups: [\"{GROUP}\"]");
    ("Add the lines to it: kubectl edit configmap aws-auth --namespace kube-system".to_owned(), lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(arn: &str) -> Caller {
        Caller { account: "123456789012".to_owned(), arn: arn.to_owned() }
    }

    #[test]
    fn the_role_of_a_session_is_what_a_cluster_has_to_know() {
        let session = caller("arn:aws-cn:sts::123456789012:assumed-role/deployer/strongroom-prod");
        assert_eq!(principal(&session), "arn:aws-cn:iam::123456789012:role/deployer");
        let user = caller("arn:aws:iam::123456789012:user/ops/deployer");
        assert_eq!(principal(&user), user.arn);
    }

    #[test]
    fn a_cluster_that_does_not_know_an_identity_says_where_it_would_be_made_known() {
        let region = Region::parse("eu-central-1").unwrap();
        let of = |mode: &str| {
            let cluster = eks::Cluster { mode: mode.to_owned(), ..eks::Cluster::default() };
            unknown(&region, "prod", &cluster, "arn:aws:iam::123456789012:role/deployer")
        };
        let entries = of("API");
        assert!(entries.sentence.contains("no access entry") && !entries.sentence.contains("aws-auth"), "{entries:?}");
        assert!(entries.snippets[0].1.contains("--principal-arn arn:aws:iam::123456789012:role/deployer"));
        assert!(of("API_AND_CONFIG_MAP").sentence.contains("aws-auth"));
        let map = of("CONFIG_MAP");
        assert!(map.sentence.contains("aws-auth") && map.snippets[0].1.contains("- rolearn: arn:aws:iam"), "{map:?}");
    }
}
