//! The SDKs and tools of clouds, unmodified: AWS by `credential_process` and by the container endpoint, Azure and Google
//! by their metadata protocols.

use std::fs;
use std::process::Command;

use super::super::installed;
use super::stand_in::StandIn;
use super::user::{User, did, knowing};
use crate::support::peers::receiver::{Call, Receiver, Said};

/// Answers sts:GetCallerIdentity, and tells in its log who asked.
fn sts() -> Receiver {
    Receiver::start(|_| {
        let body = b"<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
            <Arn>arn:aws:sts::123456789012:assumed-role/reader/x</Arn><UserId>A:x</UserId><Account>123456789012</Account>\
            </GetCallerIdentityResult></GetCallerIdentityResponse>"
            .to_vec();
        Said::Answer { status: 200, headers: vec![("Content-Type", "text/xml".to_owned())], body }
    })
}

fn is_of_the_session(call: &Call) -> bool {
    let credential = "Credential=ASIAIOSFODNN7EXAMPLE/";
    call.header("authorization").is_some_and(|text| text.contains(credential))
        && call.header("x-amz-security-token") == Some("token-of-the-session")
}

const WHOAMI: &str = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])";

/// The command, with what an SDK of AWS needs to find our STS.
fn against<'a>(command: &'a mut Command, sts: &Receiver) -> &'a mut Command {
    command.env("AWS_ENDPOINT_URL_STS", sts.url()).env("AWS_DEFAULT_REGION", "eu-central-1")
}

#[test]
fn aws_tools_get_a_session_by_credential_process() {
    let (console, user, sts) = (StandIn::start(), User::new(), sts());
    console.aws("aws");
    user.write(".aws/config", "[default]\ncredential_process = strongroom-client helper aws aws\n");
    let programs: [&[&str]; 2] = [&["aws", "sts", "get-caller-identity"], &["python", "-c", WHOAMI]];
    for program in programs {
        let mut command = user.program(installed(program[0]));
        command.args(&program[1..]);
        let out = did(against(knowing(&mut command, &console), &sts)).well();
        assert!(out.contains("123456789012"), "{out}");
    }
    let calls = sts.calls();
    assert!(calls.len() == 2 && calls.iter().all(is_of_the_session), "{calls:?}");
}

#[test]
fn aws_tools_say_why_credential_process_failed() {
    let (console, user, sts) = (StandIn::start(), User::new(), sts());
    console.value("db", &[("password", "sekret")]);
    for (rule, why) in
        [("aws", "there is no rule aws for this client"), ("db", "is not an AWS session: it gives value")]
    {
        user.write(".aws/config", &format!("[default]\ncredential_process = strongroom-client helper aws {rule}\n"));
        let mut command = user.program(installed("aws"));
        command.args(["sts", "get-caller-identity"]);
        let did = did(against(knowing(&mut command, &console), &sts)).badly(why);
        assert!(!did.err.contains("sekret"), "{}", did.err);
    }
    assert!(sts.calls().is_empty());
}

#[test]
fn aws_tools_ask_the_endpoint_of_exec_and_no_other_place() {
    let (console, user, sts) = (StandIn::start(), User::new(), sts());
    console.aws("aws");
    // What the user has besides does not count.
    user.write(".aws/credentials", "[default]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = other\n");
    for program in [&["aws", "sts", "get-caller-identity"][..], &["python", "-c", WHOAMI]] {
        let path = installed(program[0]);
        let arguments = [&["exec", "aws", "--", &path], &program[1..]].concat();
        let mut command = user.client(&console, &arguments);
        command.env("AWS_ACCESS_KEY_ID", "AKIAOTHER").env("AWS_SECRET_ACCESS_KEY", "other");
        assert!(did(against(&mut command, &sts)).well().contains("123456789012"));
    }
    let calls = sts.calls();
    assert!(calls.len() == 2 && calls.iter().all(is_of_the_session), "{calls:?}");
}

#[test]
fn the_endpoints_refuse_who_does_not_know_their_secret() {
    let (console, user) = (StandIn::start(), User::new());
    console.aws("aws");
    console.session("az", "azure_token", &[("access_token", "eyJ.azure")]);
    let script = r#"
import os, urllib.request, urllib.error
def ask(url, **headers):
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).status
    except urllib.error.HTTPError as error:
        assert b"ekret" not in error.read()
        return error.code
aws, azure = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], os.environ["IDENTITY_ENDPOINT"] + "?resource=x"
good = os.environ["IDENTITY_HEADER"]
print(ask(aws), ask(aws, Authorization="x"), ask(aws, Authorization=good), ask(aws + "/aws", Authorization=good),
    ask(azure), ask(azure, X_IDENTITY_HEADER="x"), ask(azure, X_IDENTITY_HEADER=good))
"#;
    let python = installed("python");
    let out = user.run(&console, &["exec", "aws", "az", "--", &python, "-c", script]).well();
    assert_eq!(out.trim(), "401 401 200 404 401 401 200");
}

const AZURE: &str = "import azure.identity as i, sys; \
    print(getattr(i, sys.argv[1])().get_token('https://management.azure.com/.default').token)";

#[test]
fn azure_identity_gets_a_token_by_exec() {
    let (console, user) = (StandIn::start(), User::new());
    console.session("az", "azure_token", &[("access_token", "eyJ.azure"), ("token_type", "Bearer")]);
    let python = installed("python");
    for credential in ["ManagedIdentityCredential", "DefaultAzureCredential"] {
        let out = user.run(&console, &["exec", "az", "--", &python, "-c", AZURE, credential]).well();
        assert_eq!(out.trim(), "eyJ.azure", "{credential}");
    }
    console.session("az", "azure_token", &[("access_token", "eyJ.azure"), ("resource", "https://vault.azure.net")]);
    user.run(&console, &["exec", "az", "--", &python, "-c", AZURE, "ManagedIdentityCredential"])
        .badly("is for https://vault.azure.net, not for https://management.azure.com");
    console.remove("az");
    user.run(&console, &["exec", "az", "--", &python, "-c", AZURE, "ManagedIdentityCredential"]).badly("no rule az");
}

#[test]
fn azure_identity_hears_of_a_rule_that_was_taken_away() {
    let (console, user) = (StandIn::start(), User::new());
    console.session_for("az", "azure_token", &[("access_token", "eyJ.azure")], 6);
    let python = installed("python");
    let script = format!(
        "import time, os; open('ready', 'w').write('\\n')\nwhile not os.path.exists('go'): time.sleep(.05)\n{AZURE}"
    );
    let arguments = ["exec", "az", "--", &python, "-c", &script, "ManagedIdentityCredential"];
    let mut command = user.client(&console, &arguments);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    super::user::text_of(&user.path("ready"));
    console.remove("az");
    std::thread::sleep(std::time::Duration::from_secs(2));
    fs::write(user.path("go"), "").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("there is no rule az for this client"), "{said}");
}

const GOOGLE: &str = "import google.auth, google.auth.transport.requests as t\n\
    credentials, project = google.auth.default()\n\
    credentials.refresh(t.Request())\n\
    print(project, credentials.token, credentials.service_account_email)";

#[test]
fn google_auth_gets_project_and_token_by_exec() {
    let (console, user) = (StandIn::start(), User::new());
    let fields = [
        ("access_token", "ya29.google"),
        ("project_id", "estate"),
        ("service_account", "reader@estate.iam.gserviceaccount.com"),
    ];
    console.session("google", "google_token", &fields);
    let python = installed("python");
    let out = user.run(&console, &["exec", "google", "--", &python, "-c", GOOGLE]).well();
    assert_eq!(out.trim(), "estate ya29.google reader@estate.iam.gserviceaccount.com");
    console.session_for("google", "google_token", &fields, 1);
    user.run(&console, &["exec", "nothing", "--", &python, "-c", GOOGLE]).badly("no rule nothing");
}

#[test]
fn the_google_endpoint_serves_processes_of_this_user_only() {
    let (console, user) = (StandIn::start(), User::new());
    console.session("google", "google_token", &[("access_token", "ya29.google")]);
    let script = "url=http://$GCE_METADATA_HOST/computeMetadata/v1/instance/service-accounts/default/token; \
        curl() { command curl --noproxy '*' -s -o /dev/null -w '%{http_code} ' \"$@\"; }; \
        curl $url; curl -H 'Metadata-Flavor: Google' -H 'X-Forwarded-For: 192.0.2.1' $url; \
        curl -H 'Metadata-Flavor: Google' $url; curl -X POST -H 'Metadata-Flavor: Google' $url; \
        curl -H 'Metadata-Flavor: Google' -H 'Host: evil.example' $url";
    let out = user.run(&console, &["exec", "google", "--", "bash", "-c", script]).well();
    assert_eq!(out.trim(), "403 403 200 405 403");
    // Another user of the machine finds the port, and gets nothing.
    let mut command =
        user.client(&console, &["exec", "google", "--", "sh", "-c", "echo $GCE_METADATA_HOST > port; sleep 60"]);
    let _running = super::user::Beside(command.spawn().unwrap());
    let address = super::user::text_of(&user.path("port"));
    let url = format!("http://{}/computeMetadata/v1/instance/service-accounts/default/token", address.trim());
    let curl = ["curl", "--noproxy", "*", "-s", "-H", "Metadata-Flavor: Google", &url];
    let own = did(user.program(curl[0]).args(&curl[1..])).well();
    assert!(own.contains("ya29.google"), "{own}");
    let mut other = user.program("setpriv");
    other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).args(curl);
    assert_eq!(did(&mut other).well(), "This process belongs to another user.");
}

#[test]
fn the_google_endpoint_is_not_served_where_users_are_not_known() {
    let (console, user) = (StandIn::start(), User::new());
    console.session("google", "google_token", &[("access_token", "ya29.google")]);
    let script = "mount -t tmpfs none /proc && exec strongroom-client exec google -- touch ran";
    let mut command = user.program("unshare");
    command.args(["--mount", "sh", "-c", script]);
    did(super::user::knowing(&mut command, &console)).badly("cannot read in /proc/net/tcp whose process asks");
    assert!(!user.path("ran").exists());
}

#[test]
fn a_program_of_exec_finds_no_login_of_the_user() {
    let (console, user) = (StandIn::start(), User::new());
    console.aws("aws");
    console.session("google", "google_token", &[("access_token", "ya29.google")]);
    let script = "cat $AWS_CONFIG_FILE $AWS_SHARED_CREDENTIALS_FILE; ls -A $CLOUDSDK_CONFIG; \
                  stat -c %a $CLOUDSDK_CONFIG; stat -f -c %T $CLOUDSDK_CONFIG; echo $CLOUDSDK_CONFIG > folder";
    let mut command = user.client(&console, &["exec", "aws", "google", "--", "sh", "-c", script]);
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        command.env(name, user.write("own", "[default]\naws_access_key_id = own\n"));
    }
    assert_eq!(did(&mut command).well(), "700\ntmpfs\n");
    let folder = std::fs::read_to_string(user.path("folder")).unwrap();
    assert!(!std::path::Path::new(folder.trim()).exists(), "it is gone with the program");
}

#[test]
fn a_program_that_exec_started_as_root_may_give_its_rights_up() {
    let (console, user) = (StandIn::start(), User::new());
    console.session("google", "google_token", &[("access_token", "ya29.google")]);
    let script = "setpriv --reuid=65534 --regid=65534 --clear-groups curl --noproxy '*' -s -H 'Metadata-Flavor: Google' \
                  http://$GCE_METADATA_HOST/computeMetadata/v1/instance/service-accounts/default/token";
    let out = user.run(&console, &["exec", "google", "--", "sh", "-c", script]).well();
    assert!(out.contains("ya29.google"), "{out}");
}
