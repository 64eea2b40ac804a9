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
async fn a_secret_among_the_words_of_a_description_is_sent_to_its_field() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let pair = format!("build key AKIAQ3EXAMPLEFIELDA7\n{SECRET}");
    let hook = "https://hooks.slack.com/services/T0123/B0123/abcdefghijklmnopqrstuvwx".to_owned();
    let cases: [(&str, Fields, &str, &str); 4] = [
        (
            "aws",
            &[("access_key_id", "AKIAQ3EXAMPLEFIELDA7"), ("secret_access_key", SECRET)],
            "Secret access key",
            &pair,
        ),
        ("basic", &[("username", "robot"), ("password", "pw")], "Password", &hook),
        ("api_token", &[("token", "hvs.token")], "Access token", "for CI: DB_PASSWORD=hunter2-hunter2"),
        ("aws", &[("method", "iam_role")], "a credential of its own", &pair),
    ];
    for (kind, fields, place, text) in cases {
        for field in ["name", "description"] {
            let name = if field == "name" { text } else { "kept name" };
            let described = if field == "name" { "kept words" } else { text };
            let common = [("kind", kind), ("name", name), ("description", described)];
            let page = visit.post("/credentials", &[&common, fields].concat()).await;
            let said = page.text(&format!("#{field}-error"));
            assert_eq!(page.status, 422, "{kind} {field}");
            assert!(said.contains("looks like a secret") && said.contains(place), "{kind} {field}: {said}");
            let secret = text.split_whitespace().last().unwrap();
            assert!(!page.body.contains(secret), "{kind} {field} repeats it");
            let kept = if field == "name" { "kept words" } else { "kept name" };
            assert!(page.body.contains(kept), "{kind} {field} keeps the rest");
        }
    }
    assert_eq!(crate::support::sql::count(&app, "credentials WHERE NOT shipped"), 0);
}

#[actix_web::test]
async fn a_file_of_three_megabytes_keeps_the_form_without_the_script() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fields = [("kind", "gcp"), ("name", "kept"), ("description", "kept words"), ("service_account", "")];
    for large in ["x{}: ".repeat(600_000), "é".repeat(1_500_000)] {
        let page = upload(&mut visit, &fields, ("service_account.file", large.as_bytes())).await;
        assert_eq!(page.status, 422);
        let said = page.text("#service_account-error");
        assert!(said.contains("characters fit here"), "{said}");
        assert_eq!(page.attributes("#name", "value"), ["kept"]);
        assert_eq!(page.text("#description"), "kept words");
    }
    let pasted = [("kind", "gcp"), ("name", "kept"), ("description", ""), ("service_account", &"y: ".repeat(900_000))];
    let page = upload(&mut visit, &pasted, ("service_account.file", b"")).await;
    assert!(page.status == 422 && page.text("#service_account-error").contains("characters fit here"));
    // Beyond all measure: a page with the reason and the way back.
    let words = "z ".repeat(400_000);
    let fields = [("kind", "gcp"), ("name", words.as_str()), ("description", &words)];
    let page = upload(&mut visit, &fields, ("service_account.file", words.as_bytes())).await;
    assert_eq!(page.status, 413);
    assert!(page.text("p").contains("2 MiB. Nothing was saved"), "{}", page.text("p"));
}

#[actix_web::test]
async fn an_error_page_leads_back_to_the_form_that_was_posted() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let post = |visit: &Visit, referer: String| {
        visit
            .request(reqwest::Method::POST, "/credentials")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .header("referer", referer)
            .body("x".repeat(300 << 10))
    };
    let own = post(&visit, format!("{}/credentials/new?kind=basic", app.url));
    let page = visit.send(own).await;
    assert_eq!((page.status, page.attributes(".toolbar a", "href")[0].as_str()), (413, "/credentials/new?kind=basic"));
    for other in
        ["https://evil.example/credentials/new".to_owned(), "nonsense".to_owned(), format!("{}//evil.example", app.url)]
    {
        let request = post(&visit, other.clone());
        let page = visit.send(request).await;
        assert_eq!(
            (page.status, page.attributes(".toolbar a", "href")),
            (413, vec!["/".to_owned(), "/credentials".to_owned()]),
            "{other}"
        );
    }
}

#[actix_web::test]
async fn a_form_that_breaks_off_is_answered_at_once() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let part = "--X\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nbasic";
    for body in ["", "--X", "--X\r\nContent-Disposition", part, &format!("{part}\r\n"), "garbage"] {
        let request = visit
            .request(reqwest::Method::POST, "/credentials")
            .header("content-type", "multipart/form-data; boundary=X")
            .header("sec-fetch-site", "same-origin")
            .body(body.to_owned());
        let started = std::time::Instant::now();
        let page = visit.send(request).await;
        assert!(started.elapsed() < std::time::Duration::from_secs(5), "{body:?}: {:?}", started.elapsed());
        assert_eq!(page.status, 400, "{body:?}: {}", page.text("main"));
        assert!(page.text("main").contains("breaks off before its end"), "{body:?}: {}", page.text("main"));
    }
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
