//! Kubeconfigs, from the guide to the *Test*: following the guide literally leads to a kubeconfig that works.

use std::process::Command;
use std::time::Duration;

use strongroom::accounts::Role;
use strongroom::credentials;

use super::{store, table};
use crate::support::app::TestApp;
use crate::support::kubernetes::{Between, Fate, Lab, rule};

#[actix_web::test]
async fn a_kubeconfig_that_works_in_kubectl_is_stored_and_tested() {
    let (app, lab) = (TestApp::start(), Lab::open("stored").await);
    let login = lab.almighty().await;
    let kubeconfig = lab.kubeconfig(&login);
    let nodes = lab.kubectl(&kubeconfig, &["get", "nodes", "--output=name"]);
    assert_eq!(String::from_utf8_lossy(&nodes.stdout).lines().count(), 4, "{nodes:?}");
    let mut visit = app.user("olga", Role::Operator);
    let at = store(&mut visit, "Production cluster", &kubeconfig).await;
    let page = visit.post(&format!("{at}/test"), &[]).await;
    assert_eq!(page.text("#test-result .badge"), "Works", "{}", page.text("#test-result"));
    let version = lab.administrator.get("/version").await.expect("a version")["gitVersion"].clone();
    assert_eq!(page.texts("#test-result dd"), [version.as_str().expect("text"), "Any right in the cluster"]);
    assert!(table(&page).iter().flat_map(|row| &row[1..]).all(|cell| cell == "Yes" || cell == "–"));
    assert!(!page.body.contains(&login.token));
}

#[actix_web::test]
async fn a_token_that_the_cluster_does_not_know_is_a_bad_key() {
    let (app, lab) = (TestApp::start(), Lab::open("stranger").await);
    let mut stranger = lab.login();
    stranger.token.push_str("-of-yesterday");
    let mut visit = app.user("olga", Role::Operator);
    let at = store(&mut visit, "Stranger", &lab.kubeconfig(&stranger)).await;
    let page = visit.post(&format!("{at}/test"), &[]).await;
    assert_eq!(page.text("#test-result .badge"), "Bad key");
}

#[actix_web::test]
async fn a_clouds_kubeconfig_is_refused_with_a_link_to_the_alternative() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    for (command, way) in [("aws", "eks"), ("gke-gcloud-auth-plugin", "gke"), ("kubelogin", "aks")] {
        let config = serde_json::json!({"contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": "https://cluster.example.com"}}],
            "users": [{"name": "u", "user": {"exec": {"command": command}}}]})
        .to_string();
        let fields = [("kind", "kubeconfig"), ("name", command), ("kubeconfig", config.as_str())];
        let page = visit.post("/credentials", &fields).await;
        assert_eq!(page.status, 422);
        let links = page.attributes(".error-summary p a", "href");
        assert_eq!(links, [format!("/integrations/new?version={way}")]);
        let form = visit.get(&links[0]).await;
        assert!(form.status == 200 && form.has("#cluster, [name=cluster]"), "{way}");
    }
}

/// The blocks of the guide in order: the ClusterRole, the Role for one namespace, and the kubeconfig commands.
fn blocks() -> [&'static str; 3] {
    let snippets = credentials::find("kubeconfig").expect("a type").guide.snippets;
    std::array::from_fn(|number| snippets[number].1)
}

/// Applies a block and writes the kubeconfig, as an administrator would in a shell.
fn follow(lab: &Lab, block: &str, before: &str) -> String {
    let directory = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("a file");
    write("strongroom.yaml", block);
    write("administrator", &lab.administrators_kubeconfig());
    let kubectl = std::env::var("STRONGROOM_TEST_KUBECTL").expect("script/test sets it");
    let programs = kubectl.rsplit_once('/').expect("a folder").0;
    // The token controller fills in the token a moment later.
    let wait =
        "until kubectl -n kube-system get secret strongroom-token -o yaml | grep -q ' token: '; do sleep 0.1; done";
    let script =
        format!("set -e\nkubectl apply -f strongroom.yaml\n{wait}\n{before}\n{}\ncat kubeconfig.yaml >&2", blocks()[2]);
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).current_dir(directory.path()).env_clear().env("HOME", directory.path());
    shell.env("PATH", format!("{programs}:/usr/bin:/bin")).env("KUBECONFIG", directory.path().join("administrator"));
    let ran = shell.output().expect("bash runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stderr).expect("text")
}

#[actix_web::test]
async fn the_guide_leads_from_a_denied_test_to_one_that_works() {
    let (app, lab) = (TestApp::start(), Lab::open("guide").await);
    let mut visit = app.user("olga", Role::Operator);
    let at = store(&mut visit, "Without rights", &lab.kubeconfig(&lab.login())).await;
    let page = visit.post(&format!("{at}/test"), &[]).await;
    assert_eq!(page.text("#test-result .badge"), "Denied");
    let [all, there, _] = blocks();
    for block in [all, there] {
        let words: Vec<&str> = block.split_whitespace().collect();
        let shown = page.texts("#test-result pre");
        assert!(shown.contains(&words.join(" ")), "the finding shows the guide's blocks: {shown:?}");
    }

    // The narrower one first: both create the same service account.
    let namespace = lab.namespace("agents").await;
    let block = there.replace("namespace: defender", &format!("namespace: {namespace}"));
    let narrow = follow(&lab, &block, &format!("NAMESPACE={namespace}"));
    let at = store(&mut visit, "One namespace", &narrow).await;
    let page = visit.post(&format!("{at}/test"), &[]).await;
    assert_eq!(page.text("#test-result .badge"), "Works", "{}", page.text("#test-result"));
    assert!(page.text("#test-result strong").contains(&namespace));
    assert!(page.texts("#test-result dd").contains(&namespace));
    for row in table(&page) {
        let held = match row[0].as_str() {
            "Namespace" => ["No", "No", "In namespace", "No"],
            "ClusterRole" | "ClusterRoleBinding" => ["No"; 4],
            "Pod" => ["–", "–", "In namespace", "–"],
            _ => ["In namespace"; 4],
        };
        assert_eq!(row[1..], held, "{}", row[0]);
    }
    assert!(page.texts("#test-result dd").contains(&"Only rights that it has itself".to_owned()));

    let wide = follow(&lab, all, "unset NAMESPACE");
    let at = store(&mut visit, "Whole cluster", &wide).await;
    let page = visit.post(&format!("{at}/test"), &[]).await;
    assert_eq!(page.text("#test-result .badge"), "Works", "{}", page.text("#test-result"));
    assert!(table(&page).iter().flat_map(|row| &row[1..]).all(|cell| cell == "Yes" || cell == "–"));
    assert!(page.texts("#test-result dd").contains(&"Any right in the cluster".to_owned()));
}

#[actix_web::test]
async fn slow_busy_and_unreachable_clusters_are_told_apart() {
    let (app, lab) = (TestApp::start(), Lab::open("between").await);
    let login = lab.login_with(&[rule("", &["pods"], &["list"])]).await;
    let mut visit = app.user("olga", Role::Operator);
    for (name, fate, expected) in [
        ("Slow", Fate::Late(Duration::from_millis(50)), "Denied"),
        ("Busy", Fate::Answered(429), "Throttled"),
        ("Ill", Fate::Answered(500), "Unreachable"),
        ("Lost there", Fate::LostThere, "Unreachable"),
        ("Lost back", Fate::LostBack, "Unreachable"),
    ] {
        let between = Between::before(&lab, move |_, _| fate);
        let at = store(&mut visit, name, &lab.kubeconfig_at(&between.url(), &login)).await;
        let page = visit.post(&format!("{at}/test"), &[]).await;
        assert_eq!(page.text("#test-result .badge"), expected, "{name}: {}", page.text("#test-result"));
        assert!(!between.calls().is_empty());
    }
}
