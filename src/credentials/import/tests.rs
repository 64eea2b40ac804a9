//! Every file that can be imported, as its tool writes it; keys and names are made up.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Contents, read};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn names(contents: &Contents) -> Vec<(&str, &str)> {
    contents.candidates.iter().map(|found| (found.kind.slug, found.name.as_str())).collect()
}

#[test]
fn both_files_of_the_iam_console_are_read() {
    let plain = format!("\u{feff}Access key ID,Secret access key\r\nAKIAIOSFODNN7EXAMPLE,{SECRET}\r\n");
    let found = read(&plain).unwrap();
    assert_eq!(names(&found), [("aws", "AWS access key …MPLE")]);
    assert_eq!(found.candidates[0].values.get("secret_access_key"), SECRET);
    let users = format!(
        "User name,Password,Access key ID,Secret access key,Console login link\nci,,AKIAIOSFODNN7EXAMPLE,{SECRET},\nnobody,,,,\n"
    );
    let found = read(&users).unwrap();
    assert_eq!(names(&found), [("aws", "ci")]);
    assert_eq!(found.skipped[0].place, "line 3");
}

#[test]
fn profiles_with_keys_are_read_and_the_others_say_why_not() {
    let text = format!(
        "# comment\n[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key={SECRET}\n\n[profile sso]\n\
         sso_session = corp\n[mfa]\naws_access_key_id=ASIAIOSFODNN7EXAMPLE\naws_secret_access_key=x\naws_session_token=y\n[empty]\n"
    );
    let found = read(&text).unwrap();
    assert_eq!(names(&found), [("aws", "default")]);
    let skipped: Vec<&str> = found.skipped.iter().map(|part| part.place.as_str()).collect();
    assert_eq!(skipped, ["profile sso", "profile mfa", "profile empty"]);
    assert!(found.skipped.iter().all(|part| !part.reason.contains("ASIA")));
}

#[test]
fn a_created_access_key_is_read_as_the_command_prints_it() {
    let text = format!(
        "{{\"AccessKey\": {{\"UserName\": \"billing\", \"AccessKeyId\": \"AKIAIOSFODNN7EXAMPLE\", \"Status\": \"Active\", \
         \"SecretAccessKey\": \"{SECRET}\"}}}}"
    );
    assert_eq!(names(&read(&text).unwrap()), [("aws", "billing")]);
}

#[test]
fn each_registry_of_docker_becomes_a_login_and_helpers_are_named() {
    let auth = STANDARD.encode("robot$ci:pass:word");
    let text = format!(
        "{{\"auths\": {{\"ghcr.io\": {{\"auth\": \"{auth}\"}}, \"https://index.docker.io/v1/\": {{}}, \
         \"reg.example\": {{\"auth\": \"\", \"identitytoken\": \"abc\"}}}}, \"credHelpers\": {{\"gcr.io\": \"gcloud\"}}}}"
    );
    let found = read(&text).unwrap();
    assert_eq!(names(&found), [("basic", "robot$ci at ghcr.io"), ("api_token", "reg.example token")]);
    assert_eq!(found.candidates[0].values.get("password"), "pass:word");
    assert_eq!(found.skipped.len(), 2);
}

#[test]
fn each_context_of_a_kubeconfig_stands_alone() {
    let text = "apiVersion: v1\nkind: Config\ncurrent-context: b\nclusters:\n- {name: one, cluster: {server: 'https://one.example'}}\n\
                users:\n- {name: token, user: {token: abc}}\n- {name: helper, user: {exec: {command: aws}}}\ncontexts:\n\
                - {name: a, context: {cluster: one, user: token}}\n- {name: b, context: {cluster: one, user: helper}}\n";
    let found = read(text).unwrap();
    assert_eq!(names(&found), [("kubeconfig", "a")]);
    assert_eq!(found.skipped[0].place, "context b");
    assert!((found.candidates[0].kind.parses)(&found.candidates[0].values));
}

#[test]
fn a_table_names_its_columns_and_a_bad_row_takes_no_other_with_it() {
    let text = "Type,Name,Username,Password,Description\nbasic,Harbor robot,robot,s3cret,Team A\nwizard,X,,,\nAPI token,T,,,\n";
    let found = read(text).unwrap();
    assert_eq!(names(&found), [("basic", "Harbor robot"), ("api_token", "T")]);
    assert!(found.skipped[0].reason.contains("api_token"), "{:?}", found.skipped);
    assert!(read("type,name,pasword\n").is_err_and(|text| text.contains("column 3")));
    assert!(read("hello").is_err_and(|text| !text.contains("hello")));
    assert!(read("  ").is_err());
}
