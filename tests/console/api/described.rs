//! The description of the API, held against what is served by a tool that knows nothing of Strongroom.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use strongroom::accounts::Role;
use strongroom::models::api_tokens::Scope;

use super::{Program, basic};
use crate::support::app::TestApp;
use crate::support::db::Scratch;
use crate::support::scale;

const DESCRIPTION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/vendor/openapi.json");

#[actix_web::test]
async fn whatever_the_description_allows_is_answered_as_it_says() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    assert_eq!(program.post("/credentials", &basic("robot", "harbor", "first")).await.status, 200);
    let registry = json!({"version": "2", "registry": "https://127.0.0.1:1", "tag": "v*"});
    assert_eq!(program.post("/settings/registry", &registry).await.status, 200);
    let python = std::env::var("STRONGROOM_TEST_VENDOR_CLIENTS").expect("script/test sets it");
    let tool = Path::new(&python).with_file_name("schemathesis");
    let (scratch, examples) = (Scratch::new(), if scale::full() { "100" } else { "4" });
    let mut command = Command::new(tool);
    command.args(["run", DESCRIPTION, "--url", &format!("{}/api/v1", app.url), "--max-examples", examples]);
    command.args(["--header", &format!("Authorization:Bearer {}", program.session), "--seed", "1"]);
    command.args(["--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all", "--no-shrink"]);
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
    // A login that is wrong is throttled, and a method that is not there is a call that is not there.
    command.args(["--checks", checks, "--exclude-path", "/authenticate", "--request-timeout", "20"]);
    command.args(["--max-time", if scale::full() { "600" } else { "45" }, "--output-truncate", "false"]);
    let output = command.current_dir(&scratch.path).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}
