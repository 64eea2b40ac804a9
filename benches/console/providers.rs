//! What the console adds to the calls of others: the Test of a key beside the same calls to the same AWS (moto), and the
//! scan of a real registry beside the same requests of a bare client, and beside `skopeo list-tags`.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl};
use futures_util::StreamExt;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION};
use serde_json::json;
use strongroom::models::credentials::{self, NewCredential};
use strongroom::models::events::Actor;
use strongroom::models::{self, CredentialId, DbError};

use crate::Line;
use crate::pages::median;
use crate::process::Running;
use crate::store::{Server, Store};
use crate::support::peers::moto::Moto;
use crate::support::peers::registry::{Auth, Registry};
use crate::support::peers::scripted::{Reply, Scripted};

/// Rounds of a user, who may test ten times a minute, and users.
const TESTS: usize = 9;
const USERS: usize = 4;
const REPOSITORIES: usize = 200;
const TAGS: usize = 50;
const AT_ONCE: usize = 8;
const SCANS: usize = 3;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";

/// A runtime as the product's, for what the bench itself sends.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

pub fn client() -> reqwest::Client {
    let plain = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    plain.pool_max_idle_per_host(AT_ONCE).build().expect("a client")
}

/// The Test button on a saved AWS key beside the calls that it makes: who the key is, then its two dates side by side.
pub fn testing(server: &Server) -> Vec<Line> {
    if std::env::var_os("STRONGROOM_TEST_MOTO").is_none() {
        eprintln!("left out: the test of a credential. `script/test` installs moto; set STRONGROOM_TEST_MOTO to it");
        return Vec::new();
    }
    runtime().block_on(async {
        let moto = Moto::start().await;
        let store = server.store("testing");
        let endpoint = format!("--aws-endpoint-url={}", moto.url());
        let (console, _app) = store.console_with(&[&endpoint, "--egress-allow=127.0.0.0/8"]);
        let id = saved_key(&store);
        let (http, address) = (client(), format!("http://{console}/credentials/{id}/test"));
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for user in 0..USERS {
            let cookie = store.login_as(&format!("bench {user}"));
            for _ in 0..TESTS {
                let started = Instant::now();
                let request = http.post(&address).header(COOKIE, &cookie).header("sec-fetch-site", "same-origin");
                let answer = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").send().await;
                let page = answer.expect("a page").text().await.expect("a page");
                ours.push(started.elapsed().as_secs_f64() * 1000.0);
                assert!(page.contains("AWS knows the access key"), "the test went well");
                theirs.push(calls(&http, &moto.url()).await);
            }
        }
        let (ours, theirs) = (median(ours), median(theirs));
        vec![Line {
            what: "Test of a saved AWS key beside the calls that it makes (moto)".to_owned(),
            ours: format!("{ours:.1} ms"),
            theirs: format!("{theirs:.1} ms"),
            ratio: format!("{:+.1} ms", ours - theirs),
            bar: "≤ +20 ms",
        }]
    })
}

pub fn saved_key(store: &Store) -> CredentialId {
    let plaintext = format!(
        r#"{{"access_key_id":"{KEY}","method":"access_key","secret_access_key":"wJalrXUtnFEMIzK7MDENGzbPxRfiCYEXAMPLEKEY"}}"#
    );
    let new = NewCredential {
        kind: "aws",
        name: "key",
        note: "",
        identity: KEY,
        facts: "{}",
        ages: true,
        expires_at: None,
        key_id: None,
        plaintext: plaintext.as_bytes(),
    };
    let save = |conn: &mut models::Conn| credentials::create(conn, &store.vault, &Actor::command_line(), &new);
    models::transaction::<_, DbError>(&mut store.connect(), &save).expect("a saved credential")
}

/// Milliseconds of the calls alone.
async fn calls(http: &reqwest::Client, moto: &str) -> f64 {
    let call = async |service: &str, form: &[(&str, &str)]| {
        let scope =
            format!("Credential={KEY}/20200101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0");
        let request = http.post(moto).header(AUTHORIZATION, format!("AWS4-HMAC-SHA256 {scope}")).form(form);
        let answer = request.send().await.expect("moto answers");
        answer.bytes().await.expect("a whole answer");
    };
    let started = Instant::now();
    call("sts", &[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]).await;
    tokio::join!(
        call("iam", &[("Action", "ListAccessKeys"), ("Version", "2010-05-08")]),
        call("iam", &[("Action", "GetAccessKeyLastUsed"), ("AccessKeyId", KEY), ("Version", "2010-05-08")]),
    );
    started.elapsed().as_secs_f64() * 1000.0
}

/// 200 repositories of 50 tags each in a real registry. A scan is timed from its claim to its stored inventory.
pub fn scanning(server: &Server) -> Vec<Line> {
    runtime().block_on(async {
        let registry = Registry::start(Auth::None).await;
        eprintln!("pushing {REPOSITORIES} repositories …");
        let tags: Vec<String> = (0..TAGS).map(|n| format!("1.{n}")).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let names: Vec<String> = (0..REPOSITORIES).map(|n| format!("team/app-{n:03}")).collect();
        futures_util::stream::iter(&names)
            .for_each_concurrent(AT_ONCE, |name| {
                let (registry, tags) = (&registry, &tags);
                async move { drop(registry.push_image(name, tags).await) }
            })
            .await;
        let store = server.store("scanning");
        let (console, _app) = store.console_with(&["--egress-allow=127.0.0.0/8"]);
        let address = registry.direct();
        let cookie = store.login();
        // Tags whose manifests are read of each repository; none: what is listed is all that `skopeo list-tags` does.
        let parts = [("every tag", TAGS, "≤ 2"), ("the five newest tags", 5, "≤ 2"), ("tags listed only", 0, "≤ 2")];
        let (mut lines, mut listing) = (Vec::new(), 0.0);
        for (what, tags, bar) in parts {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for turn in 0..SCANS {
                let form =
                    Form { name: format!("{what} {turn}"), registry: &address, tags, found: REPOSITORIES * tags };
                ours.push(scan(&store, console, &cookie, &form).await);
                theirs.push(bare(&address, tags).await);
            }
            let (ours, theirs) = (median(ours), median(theirs));
            lines.push(line(
                &format!("{what}, beside the same requests of a bare client"),
                ours,
                theirs,
                ours / theirs,
                bar,
            ));
            listing = ours;
        }
        match skopeo(&address, &names) {
            Some(listed) => {
                let what = "tags listed only; `skopeo list-tags` one after the other ÷ scan";
                lines.push(line(what, listing, listed, listed / listing, "≥ 5"));
            }
            None => eprintln!("left out: skopeo. To compare with it: script/install skopeo=skopeo"),
        }
        lines
    })
}

/// A registry of 200,000 tags, read and stored by one run: the most memory that the console takes meanwhile.
pub fn large(server: &Server) -> Vec<Line> {
    const EACH: usize = 1_000;
    runtime().block_on(async {
        let names: Vec<String> = (0..REPOSITORIES).map(|n| format!("team/app-{n:03}")).collect();
        let tags: Vec<String> = (0..EACH).map(|n| format!("1.{n}")).collect();
        let peer = Scripted::start(move |path| match path {
            "/v2/" => Reply::json(json!({})),
            path if path.starts_with("/v2/_catalog") => Reply::json(json!({"repositories": names})),
            path if path.contains("/tags/list") => Reply::json(json!({"tags": tags})),
            path => Reply::json(json!({"schemaVersion": 2, "manifests": [], "annotations": {"of": path}})),
        })
        .await;
        let store = server.store("large");
        let console = Running::with(&store, &["--egress-allow=127.0.0.0/8", "--log=error"]);
        let address = peer.url().parse().expect("an address");
        let form = Form { name: "large".to_owned(), registry: &address, tags: EACH, found: REPOSITORIES * EACH };
        let seconds = scan(&store, console.address(), &store.login(), &form).await;
        vec![Line {
            what: format!("Most resident memory in a scan of 200,000 tags, which took {seconds:.0} s"),
            ours: format!("{:.0} MiB", console.most_resident()),
            theirs: String::new(),
            ratio: String::new(),
            bar: "≤ 300 MB",
        }]
    })
}

fn line(what: &str, ours: f64, theirs: f64, ratio: f64, bar: &'static str) -> Line {
    Line {
        what: format!("Scan of {REPOSITORIES} repositories × {TAGS} tags, {what}"),
        ours: format!("{ours:.2} s"),
        theirs: format!("{theirs:.2} s"),
        ratio: format!("{ratio:.2}"),
        bar,
    }
}

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = diesel::sql_types::Double)]
    seconds: f64,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    found: i32,
}

/// An integration to add, and how many images its scan must find.
struct Form<'a> {
    name: String,
    registry: &'a url::Url,
    /// Tags of each repository that are read; none: no tag fits.
    tags: usize,
    found: usize,
}

/// Adds an integration through its form, and returns how many seconds its first run took, with what it stored.
async fn scan(store: &Store, console: SocketAddr, cookie: &str, form: &Form<'_>) -> f64 {
    let (cap, tag) = (form.tags.to_string(), if form.tags == 0 { "no-such-tag" } else { "" });
    let found = form.found;
    let registry = form.registry.as_str();
    let form = [("name", &*form.name), ("version", "docker_v2"), ("registry", registry), ("cap", &cap), ("tag", tag)];
    let request = client().post(format!("http://{console}/integrations")).form(&form);
    let request = request.header(COOKIE, cookie).header("sec-fetch-site", "same-origin");
    let answer = request.send().await.expect("a page");
    assert_eq!(answer.status(), 303, "{}", answer.text().await.expect("a page"));
    let place = answer.headers()[LOCATION].to_str().expect("an address").to_owned();
    let id = place.rsplit('/').next().expect("an id").to_owned();
    let mut conn = store.connect();
    let mut beat = tokio::time::interval(std::time::Duration::from_millis(20));
    loop {
        beat.tick().await;
        let ended: Vec<Ended> = diesel::sql_query(
            "SELECT state, extract(epoch FROM ended_at - started_at)::float8 AS seconds, found FROM runs
             WHERE integration_id = $1::uuid AND ended_at IS NOT NULL",
        )
        .bind::<Text, _>(&id)
        .load(&mut conn)
        .expect("the runs");
        if let Some(run) = ended.first() {
            assert_eq!((run.state.as_str(), run.found as usize), ("succeeded", found));
            return run.seconds;
        }
    }
}

/// Seconds of the scan's requests without the scan: the door, the catalogue, each list of tags, each manifest and the one
/// configuration; eight at once.
async fn bare(registry: &url::Url, tags: usize) -> f64 {
    #[derive(serde::Deserialize)]
    struct Names {
        #[serde(alias = "repositories")]
        tags: Vec<String>,
    }
    #[derive(serde::Deserialize)]
    struct Manifest {
        config: Config,
    }
    #[derive(serde::Deserialize)]
    struct Config {
        digest: String,
    }
    let (http, base) = (client(), Arc::new(registry.to_string()));
    let get = async |path: String| {
        let answer = http.get(format!("{base}v2/{path}")).header(ACCEPT, MANIFESTS).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.expect("a whole answer")
    };
    let names = |body: &[u8]| serde_json::from_slice::<Names>(body).expect("names").tags;
    let get = &get;
    let started = Instant::now();
    get(String::new()).await;
    let repositories = names(&get("_catalog?n=1000".to_owned()).await);
    let manifests: Vec<String> = futures_util::stream::iter(&repositories)
        .map(|repository| async move {
            let found = names(&get(format!("{repository}/tags/list?n=1000")).await);
            found.into_iter().take(tags).map(|tag| format!("{repository}/manifests/{tag}")).collect::<Vec<_>>()
        })
        .buffer_unordered(AT_ONCE)
        .flat_map(futures_util::stream::iter)
        .collect()
        .await;
    assert_eq!(manifests.len(), REPOSITORIES * tags);
    let mut bodies = futures_util::stream::iter(manifests).map(get).buffer_unordered(AT_ONCE);
    let mut first = None;
    while let Some(body) = bodies.next().await {
        first.get_or_insert(body);
    }
    if let Some(body) = first {
        let manifest: Manifest = serde_json::from_slice(&body).expect("a manifest");
        get(format!("{}/blobs/{}", repositories[0], manifest.config.digest)).await;
    }
    started.elapsed().as_secs_f64()
}

/// Seconds of `skopeo list-tags` for each repository in turn; `None` where it is not installed.
fn skopeo(registry: &url::Url, repositories: &[String]) -> Option<f64> {
    Command::new("skopeo").arg("--version").stdout(Stdio::null()).status().ok()?;
    let host = registry.authority();
    let started = Instant::now();
    for repository in repositories {
        let listed = Command::new("skopeo")
            .args(["list-tags", "--tls-verify=false", &format!("docker://{host}/{repository}")])
            .stdout(Stdio::null())
            .status();
        assert!(listed.expect("skopeo runs").success(), "{repository}");
    }
    Some(started.elapsed().as_secs_f64())
}
