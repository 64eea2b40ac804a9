//! Many clusters at once: deployments run in parallel, so that all together take little longer than the slowest one.

use diesel::sql_types::{BigInt, Double};
use diesel::{QueryableByName, RunQueryDsl};
use strongroom::accounts::Role;

use crate::support::app::Visit;
use crate::support::binary::Strongroom;
use crate::support::kubernetes::Lab;
use crate::support::process::wait_for;
use crate::support::scale;

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = BigInt)]
    good: i64,
    #[diesel(sql_type = BigInt)]
    all: i64,
    /// The time from the first start to the last end.
    #[diesel(sql_type = Double)]
    seconds: f64,
    #[diesel(sql_type = Double)]
    slowest: f64,
}

fn ended(strongroom: &Strongroom) -> Ended {
    let query = "SELECT count(*) FILTER (WHERE state = 'succeeded') AS good,
            count(*) FILTER (WHERE ended_at IS NOT NULL) AS all,
            coalesce(extract(epoch FROM max(ended_at) - min(started_at)), 0)::float8 AS seconds,
            coalesce(extract(epoch FROM max(ended_at - started_at)), 0)::float8 AS slowest
        FROM runs WHERE action = 'deploy'";
    diesel::sql_query(query).get_result(&mut strongroom.connect()).expect("the runs")
}

async fn add(visit: &mut Visit, credential: &str, namespace: &str) -> String {
    let fields = [
        ("version", "kubernetes"),
        ("image", "registry.example.com/agent:1"),
        ("namespace", namespace),
        ("daemon_set", "defender"),
        ("name", namespace),
        ("credential", credential),
    ];
    let page = visit.post("/integrations", &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    page.location().to_owned()
}

#[actix_web::test]
async fn many_deployments_at_once_take_little_longer_than_the_slowest() {
    let (lab, clusters) = (Lab::open("many").await, scale::R18_CLUSTERS.now());
    let login = lab.almighty().await;
    let strongroom = Strongroom::founded();
    let console = strongroom.try_serve(&["--egress-allow=127.0.0.0/8"]).unwrap_or_else(|ran| panic!("{ran:?}"));
    let mut visit = strongroom.visit("ada", Role::Administrator);
    visit.url = console.url.clone();
    let kubeconfig = lab.kubeconfig(&login);
    let credential = [("kind", "kubeconfig"), ("name", "cluster"), ("kubeconfig", &*kubeconfig)];
    let page = visit.post("/credentials", &credential).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    let credential = page.location().rsplit('/').next().expect("an id").to_owned();
    let mut pages = Vec::new();
    for number in 0..clusters {
        pages.push(add(&mut visit, &credential, &format!("{}-{number}", lab.name)).await);
    }
    let before = console.resident();
    for page in &pages {
        let queued = visit.post(&format!("{page}/deploy"), &[("row_version", "1")]).await;
        assert_eq!(queued.status, 303, "{page}");
    }
    let mut most = before;
    wait_for("all have ended", std::time::Duration::from_secs(600), async || {
        most = most.max(console.resident());
        ended(&strongroom).all as usize == clusters
    })
    .await;
    let Ended { good, seconds, slowest, .. } = ended(&strongroom);
    assert_eq!(good as usize, clusters, "all are ready");
    let grown = most - before;
    scale::report("R18", &[("clusters", &clusters), ("s", &seconds), ("slowest s", &slowest), ("MiB more", &grown)]);
    assert!(!scale::full() || seconds <= 1.5 * slowest + 5.0, "{seconds} s, and the slowest took {slowest} s");
    assert!(!scale::full() || grown <= 50.0, "{grown} MiB");
}
