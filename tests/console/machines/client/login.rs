//! How the client logs in: a saved token, and the identities of workloads.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::stand_in::{ONCE, StandIn, TOKEN};
use super::user::{User, did, told};
use crate::support::peers::receiver::{Receiver, Said};

fn lab() -> (StandIn, User) {
    let console = StandIn::start();
    console.value("db", &[("password", "sekret")]);
    (console, User::new())
}

#[test]
fn a_token_is_read_from_standard_input_and_saved_for_its_owner() {
    let (console, user) = lab();
    let url = console.peer.url();
    let out = told(&mut user.bare(&["login", "--url", &url]), &format!("{TOKEN}\n")).well();
    assert!(out.contains("db\tvalue") && !out.contains(TOKEN), "{out}");
    let file = user.path(".config/strongroom/login.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // From now on, nothing else is needed.
    assert!(did(&mut user.bare(&["exec", "db", "--", "env"])).well().contains("DB_PASSWORD=sekret"));
    // The token goes to the console that it was saved for, and to no other.
    let other = StandIn::start();
    did(&mut user.bare(&["--url", &other.peer.url(), "rules"])).badly("not logged in");
    assert!(other.peer.calls().is_empty());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    did(&mut user.bare(&["rules"])).badly("others can read");
    did(&mut user.bare(&["logout"])).well();
    assert!(!file.exists());
}

#[test]
fn a_token_that_is_not_accepted_is_not_saved() {
    let (console, user) = lab();
    let url = console.peer.url();
    told(&mut user.bare(&["login", "--url", &url]), "srt_wrong\n").badly("does not accept this login");
    told(&mut user.bare(&["login", "--url", &url]), "").badly("no token came");
    assert!(!user.path(".config/strongroom/login.json").exists());
}

#[test]
fn an_address_that_the_console_does_not_serve_is_explained() {
    let (console, user) = lab();
    console.peer.say(Said::html(421));
    user.run(&console, &["rules"]).badly("list this one in STRONGROOM_MACHINE_HOSTS");
    console.peer.say(Said::html(404));
    user.run(&console, &["rules"]).badly("there is no Strongroom console at this address");
    console.peer.say(Said::html(200));
    user.run(&console, &["rules", "--patience", "0"]).badly("not what a Strongroom console sends");
}

#[test]
fn a_pod_logs_in_with_its_service_account_once() {
    let (console, user) = lab();
    let file = user.write("token", "eyJ.pod\n");
    let mut command =
        user.bare(&["--client", "app", "--identity-file", &file, "exec", "db", "--env", "P=db.password", "--", "env"]);
    assert!(did(command.env("STRONGROOM_URL", console.peer.url())).well().contains("P=sekret"));
    assert_eq!(console.logins(), [json!({"method": "kubernetes", "client": "app", "token": "eyJ.pod"})]);
}

#[test]
fn a_job_of_github_asks_for_an_identity_token_for_the_console() {
    let (console, user) = lab();
    let github = Receiver::start(|call| match call.header("authorization") {
        Some("Bearer of-the-job") => {
            Said::json(200, &json!({"value": format!("eyJ.{}", call.query("audience").unwrap())}))
        }
        _ => Said::json(401, &json!({})),
    });
    let mut command = user.bare(&["--client", "app", "--audience", "https://strongroom.example", "rules"]);
    command.env("STRONGROOM_URL", console.peer.url());
    command.env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/token?api-version=2", github.url()));
    did(command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job")).well();
    assert_eq!(github.calls()[0].query("api-version").as_deref(), Some("2"));
    let expected = json!({"method": "oidc", "client": "app", "token": "eyJ.https://strongroom.example"});
    assert_eq!(console.logins(), [expected]);
    did(command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "other"))
        .badly("GitHub Actions gives no identity token: status 401");
}

#[test]
fn a_job_of_gitlab_logs_in_once_and_hands_its_token_to_no_child() {
    let (console, user) = lab();
    let mut command = user.bare(&["--client", "app", "exec", "db", "--", "env"]);
    command.env("STRONGROOM_URL", console.peer.url()).env("STRONGROOM_ID_TOKEN", ONCE);
    for _ in 0..3 {
        let out = did(&mut command).well();
        assert!(out.contains("DB_PASSWORD=sekret") && !out.contains(ONCE), "{out}");
    }
    // The console accepts the token once; the session serves the whole job.
    assert_eq!(console.logins(), [json!({"method": "oidc", "client": "app", "token": ONCE})]);
    let file = user.path(".config/strongroom/session.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    console.revoke_session();
    did(&mut command).badly("does not accept this login");
    assert!(!file.exists());
    did(command.env("STRONGROOM_ID_TOKEN", "wrong")).badly("does not accept this login");
}

#[test]
fn aws_credentials_sign_a_call_that_names_the_console() {
    let (console, user) = lab();
    let mut command = user.bare(&["--client", "app", "rules"]);
    command.env("STRONGROOM_URL", console.peer.url()).env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    command
        .env("AWS_SECRET_ACCESS_KEY", "sekret-of-aws")
        .env("AWS_SESSION_TOKEN", "session")
        .env("AWS_REGION", "eu-central-1");
    did(&mut command).well();
    let login = console.logins().remove(0);
    assert_eq!((&login["method"], &login["client"]), (&"aws".into(), &"app".into()));
    let text = |name: &str| String::from_utf8(STANDARD.decode(login[name].as_str().unwrap()).unwrap()).unwrap();
    assert_eq!(text("iam_request_url"), "https://sts.eu-central-1.amazonaws.com/");
    assert_eq!(text("iam_request_body"), "Action=GetCallerIdentity&Version=2011-06-15");
    let headers: Value = serde_json::from_str(&text("iam_request_headers")).unwrap();
    let find = |name: &str| {
        let mut found = headers.as_object().unwrap().iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value[0].as_str().unwrap().to_owned()).unwrap_or_default()
    };
    let authorization = find("authorization");
    assert!(authorization.contains("Credential=AKIAIOSFODNN7EXAMPLE/") && authorization.contains("/eu-central-1/sts/"));
    assert!(authorization.contains("x-vault-aws-iam-server-id"), "{authorization}");
    assert_eq!(
        (find("x-vault-aws-iam-server-id").as_str(), find("x-amz-security-token").as_str()),
        ("127.0.0.1", "session")
    );
    assert!(!login.to_string().contains("sekret-of-aws"));
}

#[test]
fn a_workload_without_identity_is_told_what_was_looked_for() {
    let (console, user) = lab();
    let mut command = user.bare(&["--client", "app", "rules"]);
    did(command.env("STRONGROOM_URL", console.peer.url())).badly("no service account token at");
}

#[test]
fn a_console_behind_a_private_ca_needs_its_file() {
    let (console, user) = (StandIn::over_tls(), User::new());
    console.value("db", &[("password", "sekret")]);
    let ca = user.write("ca.pem", &console.authority.as_ref().unwrap().pem);
    let start = std::time::Instant::now();
    user.run(&console, &["rules"]).badly("no secure connection to 127.0.0.1");
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "nothing is gained by another attempt");
    user.run(&console, &["--ca-file", &ca, "rules"]).well();
    did(user.client(&console, &["rules"]).env("SSL_CERT_FILE", &ca)).well();
    let mut plain = user.client(&console, &["rules"]);
    did(plain.env("STRONGROOM_URL", "http://console.example")).badly("without https");
}
