//! The whole way in the console: a key that may only assume a role, an ECR registry scanned with it, the key replaced.

use strongroom::models::{IntegrationId, credential_choices, runs};

use super::arn;
use crate::support::app::{TestApp, Visit};
use crate::support::peers::moto::{ACCOUNT, Moto};
use crate::support::process::{PATIENCE, wait_for};

fn id_in(location: &str) -> IntegrationId {
    location.rsplit('/').next().unwrap().parse().unwrap()
}

/// The state and the error of the last of so many runs, once all have ended.
async fn ended(app: &TestApp, integration: IntegrationId, number: usize) -> (String, Option<String>) {
    let all = || runs::of(&mut app.connect(), integration, 100).expect("the runs");
    wait_for("the run ends", PATIENCE, async || all().iter().filter(|run| !run.unfinished()).count() == number).await;
    let last = all().remove(0);
    (last.state.word().to_owned(), last.error)
}

async fn scan(app: &TestApp, visit: &mut Visit, integration: IntegrationId, number: usize) -> (String, Option<String>) {
    assert_eq!(visit.post(&format!("/integrations/{integration}/runs"), &[]).await.status, 303);
    ended(app, integration, number).await
}

#[actix_web::test]
async fn a_registry_is_scanned_through_a_role_and_a_replaced_key_is_used_at_once() {
    let moto = Moto::start().await;
    moto.repository("team/app").await;
    moto.image("team/app", "1.0").await;
    let (id, secret) = moto.user("scanner").await;
    let role = moto.role("registry-reader", &arn("somebody-else")).await;
    moto.allow("scanner", "sts:AssumeRole", &role).await;

    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", moto.url())]);
    let mut visit = app.administrator();
    let fields = [("kind", "aws"), ("name", "scanner key"), ("method", "access_key")];
    let fields = [&fields[..], &[("access_key_id", id.as_str()), ("secret_access_key", secret.as_str())]].concat();
    let page = visit.post("/credentials", &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    let credential = id_in(page.location());

    let registry = format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com");
    let shown = visit.fragment("/integrations/new?version=ecr&sts=on").await;
    assert!(shown.has("input#role") && shown.has("input#external_id"));
    let key = credential.to_string();
    let fields = [
        ("name", "Prod registry"),
        ("version", "ecr"),
        ("registry", registry.as_str()),
        ("credential", &key),
        ("sts", "on"),
        ("role", "registry-reader"),
        ("schedule", "off"),
    ];
    let page = visit.post("/integrations", &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    let integration = id_in(page.location());

    let (state, error) = ended(&app, integration, 1).await;
    assert_eq!(state, "failed");
    assert!(error.as_deref().unwrap_or_default().contains(&role), "{error:?}");

    moto.trust("registry-reader", &arn("scanner")).await;
    let (state, error) = scan(&app, &mut visit, integration, 2).await;
    assert_eq!(state, "succeeded", "{error:?}");
    let page = visit.get(&format!("/integrations/{integration}")).await;
    assert_eq!(page.text("#chain"), format!("scanner key → {role} → {registry}"));
    assert!(page.text("#results").contains("team/app"));

    let shipped =
        app.services.db.run(|conn| credential_choices::choices(conn, &["aws"], None)).await.expect("the credentials");
    let shipped = shipped.into_iter().find(|choice| choice.name == "IAM Role").expect("IAM Role").id.to_string();
    let mut long = fields.to_vec();
    long.retain(|(name, _)| !["name", "credential"].contains(name));
    long.extend([("name", "Too long"), ("credential", &shipped), ("session_minutes", "61")]);
    let page = visit.post("/integrations", &long).await;
    assert_eq!(page.status, 422);
    assert!(page.text("#session_minutes-error").contains("hour"), "{:?}", page.texts("[id$=-error]"));

    let (id, secret) = moto.key("scanner").await;
    let form = visit.get(&format!("/credentials/{credential}/edit")).await;
    let version = form.attributes("input[name=row_version]", "value").remove(0);
    let fields = [("row_version", version.as_str()), ("name", "scanner key"), ("method", "access_key")];
    let fields = [&fields[..], &[("access_key_id", id.as_str()), ("secret_access_key", secret.as_str())]].concat();
    let page = visit.post(&format!("/credentials/{credential}/edit"), &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    assert_eq!(scan(&app, &mut visit, integration, 3).await.0, "succeeded");
    let last = moto.seen().into_iter().rfind(|request| request.action == "AssumeRole").unwrap();
    assert!(last.authorization.contains(&id), "the next scan signs with the new key");
    assert_eq!(app.services.aws.len(), 1, "the session of the old key is gone");
}
