//! The page *Discovery* in the console: what is found, filtered, searched, paged, exported, and counted on the dashboard.

use diesel::connection::SimpleConnection;
use serde_json::json;
use strongroom::accounts::Role;

use super::{ESTATE, add, ended, store};
use crate::support::app::{Page, TestApp};
use crate::support::peers::estate::Estate;
use crate::support::peers::lambda::{KEY, ROLE, SECRET, Says};
use crate::support::peers::moto::ACCOUNT;

fn things(page: &Page) -> Vec<String> {
    page.attributes("#results tbody tr", "data-thing")
}

fn of(name: &str) -> String {
    format!("{ACCOUNT} {name}")
}

fn estate() -> Estate {
    let estate = Estate::start();
    estate.repositories("eu-central-1", &["team/a", "team/b", "team/c"]).repositories("us-east-1", &["web"]);
    estate.eks("eu-central-1", "prod", &json!({})).ecs("us-east-1", "batch");
    estate.lambda.holds("eu-central-1", "pay", &json!({})).holds("us-east-1", "web", &json!({}));
    estate
}

#[actix_web::test]
async fn what_an_account_holds_is_shown_with_what_covers_it() {
    let estate = estate();
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", estate.url())]);
    let mut visit = app.administrator();
    let page = visit.get("/discovery").await;
    assert!(page.text("#results").contains("No cloud account is scanned"), "{}", page.text("#results"));
    let form = visit.get(&page.attributes("#results a.button", "href").remove(0)).await;
    assert!(
        ["registries", "functions", "clusters"].iter().all(|part| form.has(&format!("input[name={part}][checked]")))
    );
    assert!(!visit.get("/").await.text("main").contains("not scanned"));

    let credential = store(&mut visit, (KEY, SECRET)).await;
    let role = [("sts", "on"), ("role", "function-reader"), ("external_id", "e/7"), ("session_minutes", "60")];
    let found_by = add(&mut visit, credential, &[&ESTATE[..], &role].concat()).await;
    let (state, error) = ended(&app, found_by, 1).await;
    assert_eq!(state, "succeeded", "{error:?}");

    let page = visit.get("/discovery").await;
    let names = [
        "ecr/eu-central-1",
        "ecr/us-east-1",
        "ecs/us-east-1/batch",
        "eks/eu-central-1/prod",
        "lambda/eu-central-1",
        "lambda/us-east-1",
    ];
    assert_eq!(things(&page), names.map(of));
    assert_eq!(page.texts(".chips a"), ["All 6", "Registries 2", "Functions 2", "Clusters 2", "Not covered 4"]);
    let row = |name: &str| page.text(&format!("tr[data-thing='{}']", of(name)));
    let registry = row("ecr/eu-central-1");
    assert!(registry.starts_with(&format!("{ACCOUNT}.dkr.ecr.eu-central-1")) && registry.contains("3 repositories"));
    assert!(registry.contains("Not covered Add scan"), "{registry}");
    let cluster = row("eks/eu-central-1/prod");
    assert!(cluster.starts_with("prod") && cluster.contains("1.33, public") && cluster.contains("ACTIVE"), "{cluster}");
    assert!(cluster.contains("Add deployment") && !cluster.contains("Add scan"), "{cluster}");

    // The form signs in as the scan did, and needs nothing more.
    let href = |name: &str| page.attributes(&format!("tr[data-thing='{}'] a[data-add]", of(name)), "href").remove(0);
    let form = visit.get(&href("lambda/eu-central-1")).await;
    let value = |name: &str| form.attributes(&format!("input[name={name}]"), "value").remove(0);
    assert_eq!(
        (value("region_names").as_str(), value("role").as_str(), value("external_id").as_str()),
        ("eu-central-1", ROLE, "e/7")
    );
    assert_eq!(form.attributes("#credential option[selected]", "value"), [credential.to_string()]);
    assert!(form.has("input[name=sts][checked]") && !value("name").is_empty());
    assert_eq!(value("functions"), "", "a part that is switched on is no pattern");
    let form = visit.get(&href("ecr/us-east-1")).await;
    assert_eq!(
        form.attributes("input[name=registry]", "value"),
        [format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com")]
    );
    // Whoever may only look is offered nothing to add.
    assert!(!app.user("otto", Role::Auditor).get("/discovery").await.has("a[data-add]"));

    // The scan's own page has it all in one table.
    let own = visit.get(&format!("/integrations/{found_by}")).await;
    assert_eq!(own.text("#inventory small"), "6 items");
    assert!(own.text("#results").contains("Amazon EKS") && own.text("#results").contains("3 repositories"));
    assert!(!page.has("[data-unread]"));
    estate.drop_eks("eu-central-1", "prod");
    estate.says("us-east-1", "ecr:DescribeRepositories", Says::Denied);
    assert_eq!(visit.post(&format!("/integrations/{found_by}/runs"), &[]).await.status, 303);
    assert_eq!(ended(&app, found_by, 2).await.0, "partly");
    let page = visit.get("/discovery").await;
    assert_eq!(page.attributes("[data-unread] a", "href"), [format!("/integrations/{found_by}")]);
    assert!(page.text(&format!("tr[data-thing='{}']", of("ecr/us-east-1"))).contains("Earlier scan"));
    let own = visit.get(&format!("/integrations/{found_by}")).await;
    assert_eq!(own.texts("#changed li"), [format!("{ACCOUNT} eks/eu-central-1/prod Gone")]);
}

#[actix_web::test]
async fn the_dashboard_counts_what_is_not_scanned_and_leads_to_it() {
    let estate = estate();
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", estate.url())]);
    let mut visit = app.administrator();
    let credential = store(&mut visit, (KEY, SECRET)).await;
    // Two integrations see one account: each thing is shown once.
    for name in ["Estate", "Again"] {
        let id = add(&mut visit, credential, &[&ESTATE[1..], &[("name", name)]].concat()).await;
        assert_eq!(ended(&app, id, 1).await.0, "succeeded");
    }
    let dashboard = visit.get("/").await;
    assert_eq!(dashboard.text("[data-need=open] h3 strong"), "4");
    assert_eq!(dashboard.text("[data-figure=open] strong"), "4");
    assert_eq!(dashboard.texts("[data-need=open] li").len(), 3);
    assert!(dashboard.has("[data-need=open] a[href='/discovery?covered=no']"));
    assert!(dashboard.has("[data-need=open] li a[data-add]"));
    assert_eq!(things(&visit.get("/discovery?covered=no").await).len(), 4, "exactly those");
    let open = visit.get("/discovery?kind=registries&covered=no").await;
    assert_eq!(things(&open), ["ecr/eu-central-1", "ecr/us-east-1"].map(of), "exactly those");
    assert_eq!(open.texts(".chips a[aria-current]"), ["Registries 2", "Not covered 2"]);

    let form = [("name", "Functions"), ("version", "lambda"), ("regions", "aws"), ("versions", "latest")];
    let scan = add(&mut visit, credential, &form).await;
    assert_eq!(ended(&app, scan, 1).await.0, "succeeded");
    let dashboard = visit.get("/").await;
    assert_eq!(dashboard.text("[data-need=open] h3 strong"), "2");
    assert_eq!(dashboard.texts("[data-need=open] .need__name a").len(), 2);
    let open = visit.get("/discovery?kind=functions&covered=no").await;
    assert!(open.text("#results").contains("Everything is covered"), "{}", open.text("#results"));
    let covered = visit.get("/discovery?kind=functions").await;
    assert_eq!(covered.attributes("td[data-label='Covered by'] a", "href")[0], format!("/integrations/{scan}"));

    let file = visit.get("/discovery.csv?q=lambda").await.body;
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 2);
    let cells: Vec<&str> = rows[0].iter().collect();
    assert_eq!(cells[..3], ["functions", "AWS Lambda", ACCOUNT]);
    assert_eq!((cells[7], cells[12], cells[13]), ("1", "yes", "Functions"));
}

#[actix_web::test]
async fn many_things_are_searched_and_paged_and_odd_addresses_refused() {
    let estate = Estate::start();
    estate.ecs("us-east-1", "batch");
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", estate.url())]);
    let mut visit = app.administrator();
    let credential = store(&mut visit, (KEY, SECRET)).await;
    let id = add(&mut visit, credential, &ESTATE).await;
    assert_eq!(ended(&app, id, 1).await.0, "succeeded");
    let many = format!(
        "INSERT INTO items (id, integration_id, place, name, fingerprint, facts)
             SELECT gen_random_uuid(), '{id}', '200000000000', 'ecr/r' || lpad(n::text, 5, '0'), '',
                 jsonb_build_object('sort', 'registry', 'title', 'r' || n || '.example', 'scope', 'registry/r' || n,
                     'number', n) FROM generate_series(1, 5100) n;
         INSERT INTO coverage SELECT '{id}', 'registry/r' || n, true FROM generate_series(1, 5050) n"
    );
    app.connect().batch_execute(&many).expect("many registries");
    let first = visit.get("/discovery").await;
    let next = first.attributes("a[rel=next]", "href").remove(0);
    let second = visit.get(&next).await;
    assert_eq!((things(&first).len(), things(&second).len()), (50, 50));
    assert_eq!(things(&first)[0], of("ecs/us-east-1/batch"));
    assert_eq!(things(&visit.get(&second.attributes("a[rel=prev]", "href").remove(0)).await), things(&first));
    assert_eq!(first.texts(".chips a")[0], "All 5,000+", "no more are counted");
    assert_eq!(things(&visit.get("/discovery?q=R77.EXAMPLE").await), ["200000000000 ecr/r00077"]);
    assert_eq!(things(&visit.get("/discovery?q=200000000000&kind=clusters").await), [""; 0]);

    // What is not covered stands behind more than one page looks at: the next one goes on there.
    let open = visit.get("/discovery?covered=no").await;
    assert_eq!(things(&open), [""; 0]);
    let next = open.attributes("a[rel=next]", "href").remove(0);
    let open = visit.get(&next).await;
    assert_eq!((things(&open).len(), things(&open)[0].as_str()), (50, "200000000000 ecr/r05051"));
    for bad in ["kind=all", "covered=yes", "after=1", "before=x", "after=a%3Ab&before=a%3Ab"] {
        assert_eq!(visit.get(&format!("/discovery?{bad}")).await.status, 422, "{bad}");
    }
}
