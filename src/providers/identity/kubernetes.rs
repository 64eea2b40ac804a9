//! Kubernetes service accounts. A cluster judges a token itself by a TokenReview, or the token is verified with the
//! cluster's public keys. A token that was judged stays good for a second or so after its account was deleted, since API
//! servers keep their answers.
//! <https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/>

use std::collections::HashMap;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::jwt::{self, Verified};
use super::{Refused, shown};
use crate::providers::kubernetes::{Cluster, WHO};

const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const POD: &str = "authentication.kubernetes.io/pod-name";

/// A service account that has shown who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    pub namespace: String,
    pub name: String,
    /// Another account that is made under the same name has another one. Blank where the token does not tell.
    pub uid: String,
    /// The pod that the token was made for; blank if it is for none.
    pub pod: String,
}

impl ServiceAccount {
    /// As sentences name it.
    pub fn title(&self) -> String {
        format!("service account {}/{}", shown(&self.namespace), shown(&self.name))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    authenticated: bool,
    audiences: Vec<String>,
    error: String,
    user: User,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct User {
    username: String,
    uid: String,
    extra: HashMap<String, Vec<String>>,
}

/// Lets the cluster judge a token. Its login needs the right to create TokenReviews.
pub async fn review(cluster: &Cluster, token: &str, audience: &str) -> Result<ServiceAccount, Refused> {
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": { "token": token, "audiences": [audience] },
    });
    let answer = cluster.send(Method::POST, REVIEWS, Some(&review)).await;
    let answer = answer.map_err(|error| Refused::unasked(&error, WHO))?;
    match answer.status {
        200 | 201 => {}
        401 => return Err(Refused::Unasked("The cluster refused the login of the kubeconfig.".to_owned())),
        403 => {
            let text = "The kubeconfig may not create TokenReviews. Bind its account to system:auth-delegator.";
            return Err(Refused::Unasked(text.to_owned()));
        }
        status => return Err(Refused::Unasked(format!("The cluster answered with status {status}."))),
    }
    let mut answer: Value = answer.json().map_err(|error| Refused::unasked(&error, WHO))?;
    let status: Status = serde_json::from_value(answer["status"].take()).map_err(|_| Refused::Malformed)?;
    judged(&status, audience)
}

fn judged(status: &Status, audience: &str) -> Result<ServiceAccount, Refused> {
    if !status.authenticated {
        let other = status.error.contains("audience");
        return Err(if other { Refused::Audience } else { Refused::Signature });
    }
    // An API server that does not know audiences answers without them: then the token is for the API server itself.
    if !status.audiences.iter().any(|other| other == audience) {
        return Err(Refused::Audience);
    }
    let pod = status.user.extra.get(POD).and_then(|pods| pods.first()).cloned().unwrap_or_default();
    account(&status.user.username, &status.user.uid, &pod)
}

/// From a token that was verified with the cluster's public keys.
pub fn of_claims(token: &Verified) -> Result<ServiceAccount, Refused> {
    let claim = |name: &str| token.claim(&format!("/kubernetes.io/{name}")).unwrap_or_default();
    account(&token.claim("sub").unwrap_or_default(), &claim("serviceaccount/uid"), &claim("pod/name"))
}

/// The account that an unverified token names, to spare the cluster the question.
pub fn claimed(token: &str, audience: &str) -> Result<ServiceAccount, Refused> {
    let subject = jwt::claimed_subject(token, audience).ok_or(Refused::Audience)?;
    account(&subject, "", "")
}

fn account(username: &str, uid: &str, pod: &str) -> Result<ServiceAccount, Refused> {
    let parts = username.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let Some((namespace, name)) = parts.filter(|(_, name)| !name.contains(':')) else {
        return Err(Refused::Other(format!("“{}”, no service account", shown(username))));
    };
    let text = |text: &str| text.to_owned();
    Ok(ServiceAccount { namespace: text(namespace), name: text(name), uid: text(uid), pod: text(pod) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(json: Value) -> Status {
        serde_json::from_value(json).expect("a status")
    }

    #[test]
    fn a_review_without_our_audience_does_not_count() {
        let user = json!({"username": "system:serviceaccount:shop:web", "uid": "1"});
        let ours = status(json!({"authenticated": true, "audiences": ["strongroom"], "user": user}));
        let account = judged(&ours, "strongroom").expect("an account");
        assert_eq!((&*account.namespace, &*account.name, &*account.pod), ("shop", "web", ""));
        for audiences in [json!([]), json!(["https://kubernetes.default.svc"])] {
            let other = status(json!({"authenticated": true, "audiences": audiences, "user": user}));
            assert_eq!(judged(&other, "strongroom"), Err(Refused::Audience));
        }
        let silent = status(json!({"authenticated": true, "user": user}));
        assert_eq!(judged(&silent, "strongroom"), Err(Refused::Audience));
        let error = "invalid bearer token, token audiences [\"other\"] is invalid for the target audiences";
        assert_eq!(judged(&status(json!({ "error": error })), "strongroom"), Err(Refused::Audience));
    }

    #[test]
    fn only_service_accounts_pass() {
        let refused = account("system:node:node-1", "", "");
        assert!(matches!(refused, Err(Refused::Other(_))), "{refused:?}");
        assert!(account("system:serviceaccount:shop:web:more", "", "").is_err());
        let web = account("system:serviceaccount:shop:web", "", "").expect("an account");
        assert_eq!(web.title(), "service account shop/web");
    }
}
