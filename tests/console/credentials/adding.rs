//! Adding: the list of types, each form, its checks.

use diesel::prelude::*;
use strongroom::accounts::Role;
use strongroom::credentials::{KINDS, find};
use strongroom::models::schema::credentials;

use super::{add, add_of, id_in, samples, stored};
use crate::support::app::TestApp;

const CANARY: &str = "CANARY0123456789abcdefghijklmnopqrstuvwx";

#[actix_web::test]
async fn the_list_of_types_leads_to_the_form_of_each() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let page = visit.get("/credentials/new").await;
    assert_eq!(page.texts(".kinds strong"), KINDS.iter().map(|kind| kind.label).collect::<Vec<_>>());
    for href in page.attributes(".kinds a", "href") {
        let form = visit.get(&href).await;
        assert_eq!(form.status, 200, "{href}");
        assert_eq!(form.text("h1"), "Add credential");
        assert_eq!(form.texts("form[action='/credentials'] button[type=submit]:not([name])"), ["Save", "Test"]);
        assert!(form.texts("a").contains(&"Cancel".to_owned()));
    }
    assert_eq!(visit.get("/credentials/new?kind=carrier_pigeon").await.status, 404);
}

#[actix_web::test]
async fn every_type_is_added_through_its_form_and_no_page_shows_its_secret() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for (number, (kind, fields)) in samples::all(CANARY).into_iter().enumerate() {
        let name = format!("sample {number}");
        let mut posted = vec![("kind", kind), ("name", name.as_str()), ("description", "what it is for")];
        posted.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
        let id = add_of(&mut visit, &posted).await;
        let values = stored(&app, id);
        for field in find(kind).expect("a kind").fields {
            let posted = fields.iter().any(|(name, _)| *name == field.name);
            assert!(!posted || values.contains(field.name), "{kind}: {}", field.name);
        }
        for path in [format!("/credentials/{id}"), format!("/credentials/{id}/edit"), "/credentials".to_owned()] {
            let page = visit.get(&path).await;
            assert_eq!(page.status, 200, "{kind} {path}");
            assert!(!page.body.contains(CANARY) && !page.body.contains(samples::key_line()), "{kind}: {path}");
            assert!(!page.body.contains("PRIVATE KEY"), "{kind}: {path}");
        }
        // The same again with a name too long: what is not secret comes back, what is does not.
        let long = "x".repeat(201);
        posted[1].1 = &long;
        let page = visit.post("/credentials", &posted).await;
        assert_eq!(page.status, 422, "{kind}");
        assert!(!page.body.contains(CANARY) && !page.body.contains(samples::key_line()), "{kind}");
        assert!(!page.body.contains("PRIVATE KEY"), "{kind}");
        assert_eq!(page.attributes("#name", "value"), [long.as_str()]);
        let page = visit.post(&format!("/credentials/{id}/edit"), &with_version(&posted)).await;
        assert_eq!(page.status, 422, "{kind}");
        assert!(!page.body.contains(CANARY) && !page.body.contains(samples::key_line()), "{kind}");
    }
}

fn with_version<'a>(posted: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    posted.iter().copied().chain([("row_version", "1")]).collect()
}

#[actix_web::test]
async fn a_failed_check_names_the_field_and_keeps_what_was_typed() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fields = [
        ("kind", "aws"),
        ("name", "ci"),
        ("description", "line one\r\nline two"),
        ("method", "access_key"),
        ("access_key_id", "ASIAIOSFODNN7EXAMPLE"),
        ("secret_access_key", CANARY),
    ];
    let page = visit.post("/credentials", &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.text(".error-summary").contains("Access key ID"), "{}", page.text(".error-summary"));
    assert!(page.text("#access_key_id-error").contains("temporary"));
    assert_eq!(page.attributes("#name", "value"), ["ci"]);
    assert_eq!(page.attributes("#access_key_id", "value"), ["ASIAIOSFODNN7EXAMPLE"]);
    assert_eq!(page.text("#description"), "line one line two");
    assert!(page.attributes("#secret_access_key", "value").is_empty());
    assert!(!page.body.contains(CANARY));
}

#[actix_web::test]
async fn a_name_is_given_once_without_regard_to_case() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    add(&mut visit, "Prod Registry").await;
    for name in ["Prod Registry", "prod registry", "IAM role", " PROD REGISTRY "] {
        let fields = [("kind", "basic"), ("name", name), ("username", "robot"), ("password", CANARY)];
        let page = visit.post("/credentials", &fields).await;
        assert_eq!(page.status, 422, "{name}");
        assert!(page.text("#name-error").contains("already"));
        assert!(!page.body.contains(CANARY));
    }
}

#[actix_web::test]
async fn a_description_may_have_lines_but_no_control_characters_and_has_an_end() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for (description, fine) in
        [("a\r\nb", true), ("x\0y", false), ("x\u{7f}", false), (&"x".repeat(2_001), false), (&"ü".repeat(2_000), true)]
    {
        let name = format!("d{}{fine}", description.len());
        let fields =
            [("kind", "api_token"), ("name", name.as_str()), ("description", description), ("token", "hvs.token")];
        let page = visit.post("/credentials", &fields).await;
        assert_eq!(page.status, if fine { 303 } else { 422 }, "{description:?}");
        assert_eq!(page.has("#description-error"), !fine);
    }
}

#[actix_web::test]
async fn choosing_a_subtype_redraws_the_fields_with_and_without_htmx() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fragment = visit.fragment("/credentials/new?kind=aws&method=iam_role").await;
    assert!(fragment.has("#role_arn") && !fragment.has("#access_key_id") && !fragment.has("h1"));
    // Another type is the whole form.
    let fragment = visit.fragment("/credentials/new?kind=gcp").await;
    assert!(fragment.has("#service_account") && fragment.has("h1") && !fragment.has("nav.sidebar"));
    let fields = [
        ("kind", "aws"),
        ("name", "typed"),
        ("description", ""),
        ("method", "iam_role"),
        ("access_key_id", "AKIA"),
        ("secret_access_key", CANARY),
        ("redraw", "method"),
    ];
    let page = visit.post("/credentials", &fields).await;
    assert_eq!(page.status, 200);
    assert!(page.has("#role_arn") && !page.has("#access_key_id") && !page.has(".error-summary"));
    assert_eq!(page.attributes("#name", "value"), ["typed"]);
    assert!(!page.body.contains(CANARY));
}

#[actix_web::test]
async fn a_field_that_the_type_does_not_have_refuses_the_whole() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for extra in [("shipped", "true"), ("id", "x"), ("secret_set_at", "2000-01-01"), ("access_key_id", "AKIA")] {
        let fields = [("kind", "basic"), ("name", "x"), ("username", "robot"), ("password", "p"), extra];
        assert_eq!(visit.post("/credentials", &fields).await.status, 422, "{extra:?}");
    }
    for kind in ["", "carrier_pigeon", "AWS"] {
        assert_eq!(visit.post("/credentials", &[("kind", kind), ("name", "x")]).await.status, 422, "{kind}");
    }
    let count: i64 = credentials::table.count().get_result(&mut app.connect()).expect("a count");
    assert_eq!(count, 1);
}

#[actix_web::test]
async fn a_document_may_come_as_a_file() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let page = visit.get("/credentials/new?kind=kubeconfig").await;
    assert_eq!(page.attributes("form[action='/credentials']", "enctype"), ["multipart/form-data"]);
    let (_, fields) = samples::all(CANARY).into_iter().find(|(kind, _)| *kind == "kubeconfig").expect("a sample");
    let boundary = "----strongroom";
    let part = |name: &str, text: &str| {
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n{text}\r\n")
    };
    let body = [("kind", "kubeconfig"), ("name", "from a file"), ("kubeconfig", ""), ("kubeconfig.file", &fields[0].1)];
    let body: String = body.iter().map(|(name, text)| part(name, text)).collect();
    let request = visit
        .request(reqwest::Method::POST, "/credentials")
        .header("content-type", format!("multipart/form-data; boundary={boundary}"))
        .header("sec-fetch-site", "same-origin")
        .body(format!("{body}--{boundary}--\r\n"));
    let page = visit.send(request).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    assert!(stored(&app, id_in(page.location())).get("kubeconfig").contains(CANARY));
}

#[actix_web::test]
async fn htmx_is_sent_on_after_a_save() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fields = [("kind", "api_token"), ("name", "by htmx"), ("token", "hvs.token")];
    let request = visit.request(reqwest::Method::POST, "/credentials").form(&fields);
    let request = request.header("sec-fetch-site", "same-origin").header("hx-request", "true");
    let page = visit.send(request).await;
    assert_eq!((page.status, page.location()), (204, ""));
    assert!(page.header("hx-redirect").starts_with("/credentials/"));
}

#[actix_web::test]
async fn an_auditor_reads_and_changes_nothing() {
    let app = TestApp::start();
    let id = add(&mut app.user("grace", Role::Operator), "robot").await;
    let mut visit = app.user("eve", Role::Auditor);
    for path in ["/credentials".to_owned(), format!("/credentials/{id}")] {
        let page = visit.get(&path).await;
        assert_eq!(page.status, 200);
        let buttons = page.texts("main a.button, main button");
        assert!(!buttons.iter().any(|text| ["Add credential", "Edit", "Delete"].contains(&text.as_str())), "{path}");
    }
    for path in ["/credentials", &format!("/credentials/{id}/edit"), &format!("/credentials/{id}/delete")] {
        assert_eq!(visit.post(path, &[("name", "robot")]).await.status, 403, "{path}");
    }
}

#[actix_web::test]
async fn names_and_users_as_long_as_allowed_never_break_the_table() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    // Characters that grow eighteenfold when they are normalised, and ones that do not compress.
    let growing = "\u{fdfa}".repeat(200);
    let odd: String = (0..200).filter_map(|n| char::from_u32(0x4e00 + n * 97 % 20_000)).collect();
    for name in [growing, odd] {
        let user: String = name.chars().take(100).collect();
        let fields = [("kind", "basic"), ("name", name.as_str()), ("username", user.as_str()), ("password", "p")];
        let page = visit.post("/credentials", &fields).await;
        assert!(matches!(page.status, 303 | 422), "{}", page.status);
    }
    for sort in ["name", "identity"] {
        assert_eq!(visit.get(&format!("/credentials?sort={sort}")).await.status, 200);
    }
}
