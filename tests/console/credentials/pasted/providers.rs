//! Keys and files of the clouds and forges.

use strongroom::credentials::find;
use strongroom::form::Values;
use strongroom::names;

use super::{Fields, input, refusal, saved, says};

const AWS_SECRET: &str = "wJa/rXUtn+EMI/K7MD+bPxRfiCYfieldA/K+ey12";
const ACCOUNT: (&str, &str) = ("account_guid", "0123456789abcdef0123456789abcdef");

fn google(text: &str) -> String {
    saved("gcp", &[("service_account", text), ("level", "project")]).get("service_account").to_owned()
}

fn azure(text: &str) -> String {
    refusal("azure", &[("service_key", text), ("method", "service_key")])
}

#[test]
fn field_fa_28_line_ends_that_were_escaped_twice_are_mended() {
    says(&google(input!("FA-28.json")), &["-----BEGIN PRIVATE KEY-----\\nMII"]);
}

#[test]
fn field_fa_29_a_line_end_inside_of_a_text_is_named_with_its_line() {
    let sentence = refusal("gcp", &[("service_account", input!("FA-29.json")), ("level", "project")]);
    says(&sentence, &["Line 5", "\\n"]);
}

#[test]
fn field_fa_30_an_old_key_without_a_project_is_taken_by_its_address() {
    says(&google(input!("FA-30.json")), &["\"project_id\":\"field-proj\""]);
    let compute = input!("FA-30.json").replace("sr@field-proj.iam", "123-compute@developer");
    says(&refusal("gcp", &[("service_account", &compute), ("level", "project")]), &["project_id", "new key"]);
}

#[test]
fn field_fa_32_a_file_in_utf_16_is_read() {
    let bytes = include_bytes!("FA-32.json");
    assert!(bytes.starts_with(&[0xff, 0xfe]));
    google(&strongroom::pasted::as_text(bytes));
    google(&strongroom::pasted::as_text(&bytes[2..]));
    let text = strongroom::pasted::as_text(bytes);
    let big: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    google(&strongroom::pasted::as_text(&big));
}

#[test]
fn field_fa_34_a_principal_with_a_certificate_is_sent_to_that_subtype() {
    says(&azure(input!("FA-34.json")), &["choose the subtype Certificate"]);
}

#[test]
fn field_fa_35_the_azure_clis_table_is_named() {
    says(&azure(input!("FA-35.txt")), &["table", "--output json"]);
    says(&azure("appId: a1\ndisplayName: x\npassword: p\ntenant: t\n"), &["--output json"]);
    says(&azure("a1\tx\tp\tt\n"), &["not JSON"]);
}

#[test]
fn field_fa_35_text_around_the_json_is_named() {
    let key = r#"{"appId": "a1", "password": "p", "tenant": "t", "displayName": "x"}"#;
    saved("azure", &[("service_key", key), ("method", "service_key")]);
    says(&azure(&format!("WARNING: The output includes credentials.\n{key}")), &["other text around the JSON"]);
    says(&azure(&format!("{key}\n$ ")), &["other text around the JSON"]);
}

#[test]
fn field_fa_38_an_invisible_character_in_an_access_key_id_is_named() {
    let sentence = refusal("aws", &[("access_key_id", input!("FA-38.txt")), ("secret_access_key", AWS_SECRET)]);
    says(&sentence, &["invisible", "U+200B", "at its end"]);
}

#[test]
fn field_fa_40_invisible_characters_are_refused_in_every_secret_and_address() {
    says(&refusal("webhook", &[("url", input!("FA-40.txt"))]), &["invisible", "U+200B"]);
    let cases: [(&str, &str, Fields); 6] = [
        ("basic", "password", &[("username", "robot")]),
        ("basic", "username", &[("password", "correct horse")]),
        ("api_token", "token", &[]),
        ("webhook", "signing_secret", &[("url", "https://hooks.example.com/x")]),
        ("gitlab_token", "server_url", &[("token", "glpat-0123456789")]),
        ("ibm_cloud", "api_key", &[ACCOUNT]),
    ];
    for (kind, field, others) in cases {
        for hidden in ["\u{200b}", "\u{2060}", "\u{ad}", "\u{200d}", "\u{202e}", "\u{3164}"] {
            let text = format!("https://a{hidden}.example.com/0123456789");
            let fields = [&[(field, text.as_str())][..], others].concat();
            says(&refusal(kind, &fields), &["invisible", "as character 10"]);
        }
    }
    let kubeconfig = input!("FA-04.yaml");
    for (from, to) in [("127.0.0.1:8117", "127.0.0.1:8117/\u{200b}"), (".c2ln", ".c2ln\u{200b}")] {
        says(&refusal("kubeconfig", &[("kubeconfig", &kubeconfig.replace(from, to))]), &["invisible"]);
    }
}

#[test]
fn field_fa_42_a_tab_around_a_secret_is_cut_off() {
    let fields = [("secret_access_key", input!("FA-42.txt")), ("access_key_id", "AKIAQ3EXAMPLEFIELDA7")];
    assert_eq!(saved("aws", &fields).get("secret_access_key"), AWS_SECRET);
    let values = saved("basic", &[("username", "robot"), ("password", "\t with a space \t\r\n")]);
    assert_eq!(values.get("password"), " with a space ", "a password keeps its spaces");
}

#[test]
fn field_fa_44_the_csv_and_the_other_files_of_aws_are_named() {
    let json = format!(r#"{{"AccessKey": {{"AccessKeyId": "AKIA", "SecretAccessKey": "{AWS_SECRET}"}}}}"#);
    let ini = format!("[default]\naws_access_key_id = AKIA\naws_secret_access_key = {AWS_SECRET}\n");
    let lines = format!("export AWS_ACCESS_KEY_ID=AKIA\nexport AWS_SECRET_ACCESS_KEY={AWS_SECRET}");
    for text in [input!("FA-44.csv"), &json, &ini, &lines] {
        // A browser puts what is pasted into a field of one line on one line.
        for text in [text.to_owned(), text.replace(['\r', '\n'], "")] {
            for field in ["access_key_id", "secret_access_key"] {
                let sentence = refusal("aws", &[(field, &text)]);
                says(&sentence, &["in a field each"]);
                assert!(!sentence.contains(AWS_SECRET));
            }
        }
    }
}

#[test]
fn field_fa_44_oracles_configuration_file_is_named() {
    let file =
        "[DEFAULT]\nuser=ocid1.user.oc1..a\nfingerprint=12:f8\ntenancy=ocid1.tenancy.oc1..a\nregion=eu-frankfurt-1";
    for field in ["user_ocid", "tenancy_ocid", "fingerprint", "private_key"] {
        says(&refusal("oci", &[(field, &file.replace('\n', " "))]), &["configuration file", "in a field each"]);
    }
}

#[test]
fn field_fa_45_the_api_key_file_of_ibm_is_named() {
    says(&refusal("ibm_cloud", &[("api_key", input!("FA-45.json")), ACCOUNT]), &["apikey.json", "member apikey"]);
}

#[test]
fn field_fa_47_tokens_of_another_sort_are_named() {
    says(&refusal("gitlab_token", &[("token", input!("FA-47.txt"))]), &["deploy token", "Basic authentication"]);
    saved("basic", &[("username", "gitlab+deploy-token-1"), ("password", input!("FA-47.txt").trim())]);
    says(&refusal("gitlab_token", &[("token", "glrt-0123456789abcdef")]), &["runner", "glpat-"]);
    says(&refusal("gitlab_token", &[("token", "ghp_0123456789")]), &["GitHub", "glpat-"]);
    says(&refusal("github_token", &[("token", "glpat-0123456789")]), &["GitLab", "ghp_"]);
}

#[test]
fn field_fa_48_a_name_may_have_joiners_and_stays_unique() {
    let name = input!("FA-48.txt").trim();
    assert_eq!(names::label(name, 200).as_deref(), Ok(name));
    assert_eq!(names::key(name), names::key(&name.replace('\u{200d}', "")));
}

#[test]
fn field_fa_44_lines_quotes_and_headers_around_a_token_are_named() {
    for (text, word) in [
        ("VAULT_TOKEN=hvs.0123456789", "behind the ="),
        ("export API_KEY='abc'", "behind the ="),
        ("\"hvs.0123456789\"", "quotation marks"),
        ("Bearer hvs.0123456789", "header"),
        ("Authorization: Bearer abc", "header"),
        ("{\"auths\": {\"ghcr.io\": {\"auth\": \"YTpi\"}}}", "config.json"),
    ] {
        says(&refusal("api_token", &[("token", text)]), &[word]);
    }
    // Base64 may end in the sign, and a registry's password may be a whole document.
    saved("api_token", &[("token", "ABCDEFGHIJKLMNOP==")]);
    saved("basic", &[("username", "_json_key"), ("password", &input!("FA-30.json").replace('\n', ""))]);
    says(
        &refusal("basic", &[("password", "{\"auths\": {\"a\": {\"auth\": \"YTpi\"}}}"), ("username", "a")]),
        &["auth"],
    );
}

#[test]
fn no_field_of_any_type_takes_a_file_that_belongs_elsewhere() {
    let files = [input!("FA-44.csv"), input!("FA-45.json"), input!("FA-09.yaml"), input!("FA-05.yaml")];
    for kind in ["aws", "azure", "gcp", "ibm_cloud", "kubeconfig", "api_token", "certificate", "oci", "github_token"] {
        for field in find(kind).expect("a kind").fields.iter().filter(|field| field.control.is_secret()) {
            for file in files {
                let posted = Values::from_iter([(field.name, file)]);
                let errors = strongroom::form::check(&[*field], &posted, None).err();
                let gone = field.when.is_some();
                assert!(gone || errors.is_some_and(|errors| errors.of(field.name).is_some()), "{kind}.{}", field.name);
            }
        }
    }
}
