//! Registries that send back the secret that they were given.

use serde_json::json;
use strongroom::accounts::Role;

use super::{Form, basic, ended};
use crate::support::app::TestApp;
use crate::support::peers::scripted::{Reply, Scripted};
use crate::support::sql;

const PASSWORD: &str = "CanaryPass-0123456789";
/// `robot:` and the password in base64, as the registry gets them.
const LOGIN: &str = "cm9ib3Q6Q2FuYXJ5UGFzcy0wMTIzNDU2Nzg5";

#[actix_web::test]
async fn a_secret_that_a_registry_sends_back_is_neither_shown_nor_stored() {
    let peer = Scripted::start(|path| match path {
        "/v2/" => Reply::json(json!({})),
        path if path.starts_with("/v2/_catalog") => {
            Reply::json(json!({"repositories": ["app", "canarypass-0123456789", format!("x Basic {LOGIN}")]}))
        }
        path if path.contains("/tags/list") => Reply::json(json!({"tags": ["1.0", PASSWORD]})),
        path if path.contains("/manifests/") => {
            let digest = format!("sha256:{}", "0".repeat(64));
            let config = json!({"mediaType": "application/vnd.oci.image.config.v1+json", "size": 1, "digest": digest});
            let manifest = "application/vnd.oci.image.manifest.v1+json";
            Reply::json(json!({"schemaVersion": 2, "mediaType": manifest, "config": config, "layers": []}))
                .with("Content-Type", manifest)
        }
        _ => Reply::status(404),
    })
    .await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let credential = basic(&app, "harbor robot", "robot", PASSWORD);
    let id = Form::new("mirror", &peer.url()).with("credential", credential).add(&mut visit).await;
    ended(&app, id).await;
    let mut auditor = app.user("olga", Role::Auditor);
    let own = [format!("/integrations/{id}"), format!("/credentials/{credential}")];
    for path in own.iter().map(String::as_str).chain(["/", "/integrations", "/audit", "/audit.csv", "/alerts"]) {
        let page = auditor.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        let said = page.body.to_lowercase();
        assert!(!said.contains(&PASSWORD.to_lowercase()) && !said.contains(&LOGIN.to_lowercase()), "{path}");
    }
    let page = auditor.get(&own[0]).await;
    assert!(page.body.contains("the secret, sent back and removed"), "{}", page.body);
    assert!(page.texts("#results tbody th").contains(&"app".to_owned()), "the rest is kept");
    for table in ["events", "items", "item_changes", "runs", "notices"] {
        let rows = format!("{table} AS line WHERE line::text ~* '{PASSWORD}|{LOGIN}'");
        assert_eq!(sql::count(&app, &rows), 0, "{table}");
    }
}
