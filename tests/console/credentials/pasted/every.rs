//! The same through the pages: what is typed stays, and no secret comes back.

use super::{Fields, input};
use crate::credentials::{id_in, stored};
use crate::support::app::{Page, TestApp, Visit};

const SECRET: &str = "wJa/rXUtn+EMI/K7MD+bPxRfiCYfieldA/K+ey12";

/// Posts a form as a browser without scripts does that has chosen a file.
async fn upload(visit: &mut Visit, fields: &[(&str, &str)], file: (&str, &[u8])) -> Page {
    let boundary = "----strongroom";
    let head = |name: &str, more: &str| {
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n").into_bytes()
    };
    let mut body = Vec::new();
    for (name, text) in fields {
        body.extend([head(name, ""), text.as_bytes().to_vec(), b"\r\n".to_vec()].concat());
    }
    body.extend([head(file.0, "; filename=\"f\""), file.1.to_vec()].concat());
    body.extend(format!("\r\n--{boundary}--\r\n").into_bytes());
    let request = visit
        .request(reqwest::Method::POST, "/credentials")
        .header("content-type", format!("multipart/form-data; boundary={boundary}"))
        .header("sec-fetch-site", "same-origin")
        .body(body);
    visit.send(request).await
}

#[actix_web::test]
async fn field_fa_32_a_file_of_windows_is_read_without_the_script() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fields = [("kind", "gcp"), ("name", "google"), ("description", ""), ("service_account", "")];
    let page = upload(&mut visit, &fields, ("service_account.file", include_bytes!("FA-32.json"))).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    assert!(stored(&app, id_in(page.location())).get("service_account").contains("field-proj"));
}

#[actix_web::test]
async fn field_fa_25_a_binary_file_keeps_the_form_and_is_named() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fields = [("kind", "certificate"), ("name", "from a file"), ("description", "kept"), ("certificate", "")];
    let page = upload(&mut visit, &fields, ("certificate.file", include_bytes!("FA-25.pfx"))).await;
    assert_eq!(page.status, 422);
    assert!(page.text("#certificate-error").contains("openssl pkcs12"), "{}", page.text("#certificate-error"));
    assert_eq!(page.attributes("#name", "value"), ["from a file"]);
    assert_eq!(page.text("#description"), "kept");
    let picture = [0x89, b'P', b'N', b'G', 0, 1, 2, 0xff].repeat(20);
    let page = upload(&mut visit, &fields, ("ca_certificate.file", &picture)).await;
    assert!(page.text("#ca_certificate-error").contains("binary file"), "{page:?}");
    assert_eq!(page.attributes("#name", "value"), ["from a file"]);
}

#[actix_web::test]
async fn field_fa_44_a_secret_in_the_wrong_field_is_not_shown_again() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let token = "glpat-abcDEF0123456789xyzQ";
    let key = input!("FA-50.pem");
    let cases: [(&str, Fields, &str); 8] = [
        ("aws", &[("access_key_id", input!("FA-44.csv"))], SECRET),
        ("aws", &[("access_key_id", SECRET)], SECRET),
        ("aws", &[("access_key_id", "AKIAQ3EXAMPLEFIELDA7"), ("description", SECRET)], SECRET),
        ("ibm_cloud", &[("account_guid", "aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789aBcDeFgH")], "aBcDeFgHiJkLm"),
        ("gitlab_token", &[("server_url", token), ("token", "x y")], token),
        ("gitlab_token", &[("server_url", "https://u:hunter2x@git.example.com"), ("token", "x")], "hunter2x"),
        ("certificate", &[("ca_certificate", key), ("certificate", "x")], "MIIEogIBAAKCAQEAqZPmqT"),
        ("basic", &[("username", "hunter2-hunter2"), ("password", "hunter2-hunter2\u{200b}")], "hunter2"),
    ];
    for (kind, fields, secret) in cases {
        for name in ["a name", secret] {
            let posted = [&[("kind", kind), ("name", name)][..], fields].concat();
            let page = visit.post("/credentials", &posted).await;
            if page.status == 303 {
                // A name that nobody could know for a secret.
                continue;
            }
            assert_eq!(page.status, 422, "{kind}");
            let fails = fields.iter().any(|(_, value)| value.contains(secret));
            assert!(
                !fails || !page.body.contains(secret) || name == secret,
                "{kind}: {:?}",
                page.texts(".field__error")
            );
        }
    }
    // The same text as name, while another field fails.
    for secret in [SECRET, token] {
        let posted = [("kind", "aws"), ("name", secret), ("access_key_id", "AKIA"), ("secret_access_key", "x")];
        let page = visit.post("/credentials", &posted).await;
        assert!(page.status == 422 && !page.body.contains(secret), "{page:?}");
    }
    let posted = [("kind", "basic"), ("name", "x"), ("username", "first-secret"), ("password", "first-secret\0")];
    assert!(!visit.post("/credentials", &posted).await.body.contains("first-secret"));
}

#[actix_web::test]
async fn field_fa_48_a_name_with_a_joined_emoji_is_saved_once() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let name = input!("FA-48.txt").trim();
    let posted = |name| [("kind", "api_token"), ("name", name), ("token", "hvs.token")];
    let page = visit.post("/credentials", &posted(name)).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    assert_eq!(visit.get(page.location()).await.text("h1"), name);
    let again = name.replace('\u{200d}', "");
    assert!(visit.post("/credentials", &posted(&again)).await.text("#name-error").contains("already"));
}

#[actix_web::test]
async fn field_fa_40_an_integrations_address_has_no_invisible_character() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fields = [
        ("name", "mirror"),
        ("version", "docker_v2"),
        ("registry", "https://registry.example.com\u{200b}"),
        ("schedule", "off"),
    ];
    let page = visit.post("/integrations", &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.text("#registry-error").contains("U+200B"), "{}", page.text("#registry-error"));
}

#[actix_web::test]
async fn field_fa_44_a_password_as_user_name_is_not_shown_again() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let word = "tulip-orbit-cactus-9";
    let fields = [("username", word), ("role", "auditor"), ("password", word), ("password_again", "other")];
    let page = visit.post("/users/new", &fields).await;
    assert!(page.status == 422 && !page.body.contains(word), "{page:?}");
    let fields = [("username", "grace"), ("role", "auditor"), ("password", word), ("password_again", "other")];
    assert_eq!(visit.post("/users/new", &fields).await.attributes("#username", "value"), ["grace"]);
}
