//! A Kubernetes API server, as far as a login asks what it may do: checks token, password or client certificate, and
//! answers access reviews by verb, group and resource.
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/>
//! <https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/>

use serde_json::json;

use super::certificates::Authority;
use super::receiver::{Call, Receiver, Said, UPSTREAM};

/// Takes this Authorization header, or any client certificate of the authority. `forbidden` are (verb, resource) pairs.
pub fn cluster(
    authority: &Authority,
    authorization: &'static str,
    forbidden: &'static [(&'static str, &'static str)],
) -> Receiver {
    Receiver::start_tls(authority, move |call| {
        let sent = call.header("authorization");
        let known = sent == Some(authorization) || (sent.is_none() && call.certificate.is_some());
        // A wrong login is refused everywhere; none at all is system:anonymous, who may read the version.
        if sent.is_some() && !known {
            return status(401, "Unauthorized");
        }
        match (call.method.as_str(), call.path()) {
            ("GET", "/version") => Said::json(200, &json!({"major": "1", "minor": "33", "gitVersion": "v1.33.1"})),
            _ if !known => status(403, "Forbidden"),
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") => review(call, forbidden),
            _ => status(404, "NotFound"),
        }
    })
}

fn status(code: u16, reason: &str) -> Said {
    Said::json(
        code,
        &json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": UPSTREAM,
        "reason": reason, "code": code}),
    )
}

pub(super) fn review(call: &Call, forbidden: &[(&str, &str)]) -> Said {
    let review = call.json();
    let asked = &review["spec"]["resourceAttributes"];
    let word = |name: &str| asked[name].as_str().unwrap_or_default();
    let group = match word("resource") {
        "clusterroles" | "clusterrolebindings" => "rbac.authorization.k8s.io",
        "daemonsets" => "apps",
        "namespaces" | "secrets" | "serviceaccounts" | "pods" => "",
        _ => return status(422, "Invalid"),
    };
    let typed = review["apiVersion"] == "authorization.k8s.io/v1" && review["kind"] == "SelfSubjectAccessReview";
    if !typed || call.header("content-type") != Some("application/json") {
        return status(400, "BadRequest");
    }
    let allowed = word("group") == group && !forbidden.contains(&(word("verb"), word("resource")));
    let mut review = review.clone();
    review["status"] = json!({"allowed": allowed, "reason": UPSTREAM});
    Said::json(201, &review)
}
