//! Malicious API servers: endless lists, huge objects, redirects to other hosts, nonsense answers. Each soon leads to
//! an error message of our own that repeats nothing from the server.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::Rig;
use crate::support::peers::certificates::Authority;
use crate::support::peers::receiver::{Call, Receiver, Said, UPSTREAM};

/// A server that accepts everything, except where `answer` overrides it.
fn server(answer: impl Fn(&Call) -> Option<Said> + Send + Sync + 'static) -> (Receiver, Rig) {
    let authority = Authority::new();
    let receiver = Receiver::start_tls(&authority, move |call| answer(call).unwrap_or_else(|| obliging(call)));
    let cluster = json!({"server": receiver.url(), "certificate-authority-data":
        base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &authority.pem)});
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": cluster}], "users": [{"name": "x", "user": {"token": "sekret-login"}}]});
    let rig = Rig::plain(kubeconfig.to_string(), "agents");
    (receiver, rig)
}

fn obliging(call: &Call) -> Said {
    let missing = json!({"kind": "Status", "reason": "NotFound", "details": {"kind": "x"}, "message": UPSTREAM});
    match (call.method.as_str(), call.path()) {
        (_, "/version") => Said::json(200, &json!({"gitVersion": "v1.36.2"})),
        ("POST", path) if path.ends_with("reviews") => Said::json(201, &json!({"status": {"allowed": true}})),
        ("GET", path) if path.ends_with("/pods") || path.ends_with("/nodes") => Said::json(200, &json!({"items": []})),
        ("GET", "/api/v1/namespaces/agents") => Said::json(200, &json!({"metadata": {"uid": "n"}})),
        ("GET", _) => Said::json(404, &missing),
        ("DELETE", _) => Said::json(200, &json!({})),
        _ => Said::json(201, &call.json()),
    }
}

async fn observed(rig: &Rig) -> String {
    let observed = tokio::time::timeout(Duration::from_secs(60), rig.observe()).await.expect("it ends");
    let told = match observed {
        Ok(outcome) => format!("{:?}", outcome.state),
        Err(gap) => gap.to_string(),
    };
    assert!(!told.contains(UPSTREAM) && !told.contains("sekret"), "{told}");
    told
}

fn is_list(call: &Call) -> bool {
    call.path().ends_with("/pods") || call.path().ends_with("/nodes")
}

#[tokio::test]
async fn a_list_whose_continue_token_repeats_ends() {
    let page = |next: &str| Said::json(200, &json!({"items": [], "metadata": {"continue": next}}));
    let (receiver, rig) = server(move |call| {
        let next = if call.query("continue").as_deref() == Some("a") { "b" } else { "a" };
        is_list(call).then(|| page(next))
    });
    assert!(observed(&rig).await.contains("gave an answer that is not understood"));
    assert!(receiver.calls().iter().filter(|call| is_list(call)).count() < 10);
}

#[tokio::test]
async fn an_endless_list_ends() {
    let (receiver, rig) = server(move |call| {
        let at: u32 = call.query("continue").and_then(|at| at.parse().ok()).unwrap_or(0);
        let pods: Vec<Value> = (0..250).map(|n| json!({"metadata": {"name": format!("{at}-{n}")}})).collect();
        let page = json!({"items": pods, "metadata": {"continue": (at + 1).to_string()}});
        is_list(call).then(|| Said::json(200, &page))
    });
    observed(&rig).await;
    let pages = receiver.calls().iter().filter(|call| is_list(call)).count();
    assert!((2..=100).contains(&pages), "{pages} pages were read");
}

#[tokio::test]
async fn a_huge_object_is_an_error() {
    let (_receiver, rig) = server(|call| {
        let huge = json!({"metadata": {"uid": "x"}, "data": "x".repeat(3 * 1024 * 1024)});
        (call.method == "GET" && call.path().contains("/daemonsets/")).then(|| Said::json(200, &huge))
    });
    assert!(observed(&rig).await.contains("sent more than Strongroom accepts"));
}

#[tokio::test]
async fn the_login_goes_to_no_other_host() {
    let elsewhere = Receiver::start(|_| Said::json(200, &json!({})));
    let to = format!("{}/x", elsewhere.url());
    let (_receiver, rig) = server(move |call| {
        (call.method == "PATCH").then(|| Said::Answer {
            status: 307,
            headers: vec![("Location", to.clone())],
            body: Vec::new(),
        })
    });
    let told = rig.apply().await.unwrap_err().to_string();
    assert!(told.contains("Strongroom does not follow"), "{told}");
    assert!(elsewhere.calls().is_empty());
}

#[tokio::test]
async fn nonsense_answers_are_errors() {
    let deep = format!("{}1{}", "{\"a\":".repeat(5000), "}".repeat(5000));
    let odd =
        ["".to_owned(), "[]".to_owned(), UPSTREAM.to_owned(), "{\"metadata\": 7, \"status\": []}".to_owned(), deep];
    for body in odd {
        let (_receiver, rig) = server(move |call| {
            let is_object = call.method == "GET" && call.path().contains("/daemonsets/");
            is_object.then(|| Said::Answer { status: 200, headers: Vec::new(), body: body.clone().into_bytes() })
        });
        observed(&rig).await;
    }
}

#[tokio::test]
async fn a_refusal_is_explained_without_the_servers_own_text() {
    for (code, status) in [
        (
            403,
            json!({"kind": "Status", "message": format!("admission webhook \"w.example\" denied the request: {UPSTREAM}")}),
        ),
        (422, json!({"kind": "Status", "details": {"causes": [{"field": "spec.x", "message": UPSTREAM}]}})),
        (500, json!({"kind": "Status", "message": UPSTREAM})),
        (403, json!({"kind": "Status", "reason": "", "message": ""})),
    ] {
        let (_receiver, rig) = server(move |call| (call.method == "PATCH").then(|| Said::json(code, &status)));
        let told = rig.apply().await.unwrap_err().to_string();
        assert!(!told.contains(UPSTREAM) && told.starts_with("The deployment"), "{told}");
    }
}
