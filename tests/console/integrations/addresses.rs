//! Every form that names a host, at the moment of saving: the same rules as at the time of use, and a sentence that
//! says what to do. Nothing here connects anywhere.

use crate::support::app::{Page, TestApp};
use crate::support::sql;

/// No address is listed, as at an operator who runs it for others.
const CLOSED: &str = "--egress-allow=";

/// An address as it is typed, and what the refusal says.
const PRIVATE: [&str; 7] = [
    "https://127.0.0.1",
    "https://10.1.2.3",
    "https://[fec0::1]",
    "https://[fd12::1]",
    "https://[::ffff:0:127.0.0.1]",
    "https://localhost",
    "https://server.example.com:22",
];
const RESERVED: [&str; 6] = [
    "https://169.254.169.254",
    "https://100.100.100.200",
    "https://[::ffff:0:169.254.169.254]",
    "https://[fd20:ce::254]",
    "https://[fd00:c1::a9fe:a9fe]",
    "https://metadata.google.internal",
];
const MISSPELT: [&str; 4] =
    ["http:\\\\evil.com\\@good.com/", "https://good.com\\.evil.com", "https://good. com", "https://user:pw@good.com"];

/// Names that no server can have.
const IMPOSSIBLE: [&str; 4] = [
    "https://a234567890b234567890c234567890d234567890e234567890f234567890g234.example.com",
    "https://-a.example.com",
    "https://a-.example.com",
    "https://a..example.com",
];

/// Where a form posts, its field for the address, and its other fields.
struct Form {
    path: &'static str,
    field: &'static str,
    others: &'static [(&'static str, &'static str)],
}

const CREDENTIAL: (&str, &str) = ("credential", "00000000-0000-4000-8000-000000000000");

const FORMS: [Form; 9] = [
    Form {
        path: "/integrations",
        field: "registry",
        others: &[("version", "docker_v2"), ("name", "x"), ("schedule", "off")],
    },
    Form {
        path: "/integrations",
        field: "url",
        others: &[("version", "splunk"), ("name", "x"), CREDENTIAL, ("source", "strongroom")],
    },
    Form {
        path: "/integrations",
        field: "url",
        others: &[("version", "jira"), ("name", "x"), CREDENTIAL, ("project", "SEC"), ("issue_type", "Task")],
    },
    Form {
        path: "/integrations",
        field: "url",
        others: &[
            ("version", "servicenow"),
            ("name", "x"),
            CREDENTIAL,
            ("table", "incident"),
            ("close_code", "Solution provided"),
        ],
    },
    Form {
        path: "/integrations",
        field: "url",
        others: &[("version", "ibm_findings"), ("name", "x"), CREDENTIAL, ("provider", "strongroom")],
    },
    Form {
        path: "/credentials",
        field: "server_url",
        others: &[("kind", "github_token"), ("name", "x"), ("token", "ghp_0123456789")],
    },
    Form {
        path: "/credentials",
        field: "server_url",
        others: &[("kind", "gitlab_token"), ("name", "x"), ("token", "glpat-0123456789")],
    },
    Form { path: "/credentials", field: "url", others: &[("kind", "webhook"), ("name", "x")] },
    Form { path: "/credentials", field: "kubeconfig", others: &[("kind", "kubeconfig"), ("name", "x")] },
];

fn kubeconfig(server: &str) -> String {
    let server = serde_json::to_string(server).expect("a text");
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
         clusters: [{{name: k, cluster: {{server: {server}}}}}]\nusers: [{{name: u, user: {{token: abc}}}}]\n"
    )
}

fn error(page: &Page, form: &Form) -> String {
    page.texts(&format!("#{}-error", form.field)).concat()
}

#[actix_web::test]
async fn every_field_that_names_a_host_is_held_against_the_rules_at_save() {
    let app = TestApp::start_with(&[CLOSED]);
    let mut visit = app.administrator();
    let mut wrong = Vec::new();
    for form in &FORMS {
        let groups = [(&PRIVATE[..], "STRONGROOM_EGRESS_ALLOW"), (&RESERVED, "reserved")];
        let groups = groups.into_iter().chain([(&MISSPELT[..], "address"), (&IMPOSSIBLE, "host name")]);
        for (address, says) in groups.flat_map(|(group, says)| group.iter().map(move |one| (*one, says))) {
            let value = if form.field == "kubeconfig" { kubeconfig(address) } else { address.to_owned() };
            let mut fields = form.others.to_vec();
            fields.push((form.field, &value));
            let page = visit.post(form.path, &fields).await;
            let said = error(&page, form);
            if page.status != 422 || !said.contains(says) {
                wrong.push(format!(
                    "{:?} {address}: {} {said:?} {:?}",
                    form.others[0],
                    page.status,
                    page.texts("[role=alert]")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(sql::count(&app, "credentials WHERE NOT shipped"), 0);
    assert_eq!(sql::count(&app, "integrations"), 0);
}

#[actix_web::test]
async fn a_mail_server_is_held_against_the_rules_at_save() {
    let app = TestApp::start_with(&[CLOSED]);
    let mut visit = app.administrator();
    let hosts = [
        ("127.0.0.1", "STRONGROOM_EGRESS_ALLOW"),
        ("::1", "STRONGROOM_EGRESS_ALLOW"),
        ("fec0::1", "STRONGROOM_EGRESS_ALLOW"),
        ("169.254.169.254", "reserved"),
        ("metadata.google.internal", "reserved"),
        ("evil.com\\@good.com", "mail server"),
        ("-mail.example.com", "hyphen"),
        ("mail..example.com", "two dots"),
    ];
    for (host, says) in hosts {
        let fields = [("version", "email"), ("name", "x"), ("host", host), ("port", "587"), ("tls", "starttls")];
        let page = visit.post("/integrations", &[&fields[..], &[("from", "a@example.com")]].concat()).await;
        assert_eq!(page.status, 422, "{host}");
        assert!(page.text("#host-error").contains(says), "{host}: {}", page.text("#host-error"));
    }
    assert_eq!(sql::count(&app, "integrations"), 0);
}

/// What was saved under other rules is not saved again under these, nor tested.
#[actix_web::test]
async fn an_edit_and_a_test_of_a_credential_follow_the_rules_too() {
    let app = TestApp::start_with(&[CLOSED]);
    let mut visit = app.administrator();
    let fields = [("kind", "webhook"), ("name", "hook"), ("url", "https://hooks.example.com/a")];
    let saved = visit.post("/credentials", &fields).await;
    let path = saved.location().to_owned();
    let inner = [("kind", "webhook"), ("name", "hook"), ("url", "https://10.1.2.3/a"), ("row_version", "1")];
    let page = visit.post(&format!("{path}/edit"), &inner).await;
    assert_eq!((page.status, page.text("#url-error").contains("STRONGROOM_EGRESS_ALLOW")), (422, true));
    for tried in [visit.post("/credentials/test", &inner[..3]).await, visit.post(&format!("{path}/test"), &inner).await]
    {
        assert_eq!((tried.status, tried.text("#url-error").contains("STRONGROOM_EGRESS_ALLOW")), (422, true));
    }
    assert_eq!(sql::count(&app, "credentials WHERE row_version > 1"), 0);
}
