//! Functions of many accounts, and pages of many items: the scans beside the same requests of a bare client, the page of
//! 200,000 items beside that of 1,000.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Double};
use diesel::{QueryableByName, RunQueryDsl};
use futures_util::StreamExt;
use reqwest::header::{COOKIE, LOCATION};
use serde_json::{Value, json};

use crate::Line;
use crate::load;
use crate::providers::{client, runtime, saved_key};
use crate::reading;
use crate::store::{Server, Store};
use crate::support::peers::scripted::{Reply, Scripted};

const ACCOUNTS: usize = 20;
/// Those that an account has unless somebody switches more on.
const REGIONS: [&str; 17] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-north-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
];
const FUNCTIONS: usize = 500;
/// Functions of a page, as many as Lambda gives.
const PAGE: usize = 50;
/// Accounts that are scanned at once, as by default.
const RUNS: usize = 4;

/// 20 accounts × 17 regions × 500 functions at a stand-in, from the first claim to the last stored inventory.
pub fn scanning(server: &Server) -> Vec<Line> {
    runtime().block_on(async {
        let pages: Vec<Vec<u8>> =
            (0..FUNCTIONS / PAGE).map(|page| serde_json::to_vec(&listed(page)).unwrap()).collect();
        let peer = Scripted::start(move |path| match path.split_once("Marker=") {
            Some((_, rest)) => {
                let page =
                    rest.split('&').next().and_then(|page| page.parse::<usize>().ok()).expect("a marker of ours");
                Reply::json(json!({})).body(pages[page].clone())
            }
            None if path.contains("/functions") => Reply::json(json!({})).body(pages[0].clone()),
            None => Reply::status(404),
        })
        .await;
        let store = server.store("functions");
        let (console, _app) =
            store.console_with(&[&format!("--aws-endpoint-url={}", peer.url()), "--egress-allow=127.0.0.0/8"]);
        let (key, cookie) = (saved_key(&store).to_string(), store.login());
        let names = REGIONS.join(",");
        for account in 0..ACCOUNTS {
            let name = format!("account {account}");
            let form = [
                ("version", "lambda"),
                ("name", &name),
                ("regions", "chosen"),
                ("region_names", &names),
                ("credential", &key),
            ];
            let request = client().post(format!("http://{console}/integrations")).form(&form);
            let request = request.header(COOKIE, &cookie).header("sec-fetch-site", "same-origin");
            let answer = request.send().await.expect("a page");
            assert!(answer.headers().contains_key(LOCATION), "{}", answer.text().await.expect("a page"));
        }
        let ours = ended(&store).await;
        let read = reading::lambda(&peer.url(), &names, (ACCOUNTS, RUNS), REGIONS.len() * FUNCTIONS).await;
        let theirs = bare(&peer.url()).await;
        let scan = format!("{ACCOUNTS} accounts × {} regions × {FUNCTIONS} functions", REGIONS.len());
        let line = |what: &str, ours: f64, bar| Line {
            what: format!("Scan of {scan}{what}, beside the same requests of a bare client"),
            ours: format!("{ours:.1} s"),
            theirs: format!("{theirs:.1} s"),
            ratio: format!("{:.2}", ours / theirs),
            bar,
        };
        vec![line(", read alone", read, "≤ 1.5"), line(", read and stored", ours, "")]
    })
}

fn listed(page: usize) -> Value {
    let function = |number: usize| {
        json!({"FunctionName": format!("function-{number:05}"), "Version": "$LATEST", "Runtime": "nodejs24.x",
               "PackageType": "Zip", "CodeSize": 4096, "LastModified": "2026-11-01T10:00:00.000+0000",
               "Role": "arn:aws:iam::123456789012:role/service-role/reader", "Architectures": ["arm64"],
               "CodeSha256": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="})
    };
    let last = (page + 1) * PAGE == FUNCTIONS;
    let next = if last { Value::Null } else { json!((page + 1).to_string()) };
    json!({"Functions": (page * PAGE..(page + 1) * PAGE).map(function).collect::<Vec<_>>(), "NextMarker": next})
}

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = BigInt)]
    runs: i64,
    #[diesel(sql_type = BigInt)]
    found: i64,
    #[diesel(sql_type = Double)]
    seconds: f64,
}

/// Seconds from the first start to the last end of all runs.
async fn ended(store: &Store) -> f64 {
    let mut conn = store.connect();
    let mut beat = tokio::time::interval(Duration::from_millis(50));
    loop {
        beat.tick().await;
        let ended: Ended = diesel::sql_query(
            "SELECT count(*) AS runs, coalesce(sum(found), 0)::bigint AS found,
                 coalesce(extract(epoch FROM max(ended_at) - min(started_at)), 0)::float8 AS seconds
             FROM runs WHERE ended_at IS NOT NULL",
        )
        .get_result(&mut conn)
        .expect("the runs");
        if ended.runs as usize == ACCOUNTS {
            assert_eq!(ended.found as usize, ACCOUNTS * REGIONS.len() * FUNCTIONS);
            return ended.seconds;
        }
    }
}

/// Seconds of the pages alone: four accounts at once, all regions of one at once, a region's pages one after the other.
async fn bare(peer: &str) -> f64 {
    let http = &client();
    let region = |account: usize| async move {
        let mut marker = String::new();
        loop {
            let url =
                format!("{peer}/2015-03-31/functions/?FunctionVersion=&MaxItems={PAGE}&account={account}{marker}");
            let answer = http.get(url).send().await.expect("an answer").bytes().await.expect("a whole answer");
            let page: Value = serde_json::from_slice(&answer).expect("a page");
            assert_eq!(page["Functions"].as_array().map(Vec::len), Some(PAGE));
            match page["NextMarker"].as_str() {
                Some(next) => marker = format!("&Marker={next}"),
                None => return,
            }
        }
    };
    let account = |account: usize| async move {
        futures_util::stream::iter(REGIONS).for_each_concurrent(None, |_| region(account)).await;
    };
    let started = Instant::now();
    futures_util::stream::iter(0..ACCOUNTS).for_each_concurrent(RUNS, account).await;
    started.elapsed().as_secs_f64()
}

/// The page of an inventory of 200,000 images beside one of 1,000: its start, a search, and far behind.
pub fn pages(server: &Server) -> Vec<Line> {
    let store = server.store("inventories");
    let (console, _app) = store.console_with(&["--egress-allow=127.0.0.0/8"]);
    let cookie = store.login();
    let [small, large] = [1_000, 200_000].map(|items| runtime().block_on(filled(&store, console, &cookie, items)));
    store.connect().batch_execute("VACUUM ANALYZE items").expect("a tidy table");
    let pages = [
        ("first page", "", ""),
        ("search “app-07”", "?q=app-07", "?q=app-07"),
        ("far behind", "?after=team%2Fapp-05%3A1.10", "?after=team%2Fapp-05%3A1.10"),
    ];
    let line = |(what, few, many): (&str, &str, &str)| {
        let [few, many] = [(small.as_str(), few), (large.as_str(), many)]
            .map(|(page, query)| load::request(console, &format!("{page}{query}"), &cookie));
        let [few, many] = load::latencies([(console, &few), (console, &many)], 40);
        Line {
            what: format!("Page of an inventory, {what}, 200,000 items beside 1,000"),
            ours: format!("{many:.2} ms"),
            theirs: format!("{few:.2} ms"),
            ratio: format!("{:.2}", many / few),
            bar: "≤ 1.5",
        }
    };
    pages.into_iter().map(line).collect()
}

/// The page of a registry whose scan found so many images, 100 repositories of them.
async fn filled(store: &Store, console: std::net::SocketAddr, cookie: &str, items: usize) -> String {
    let repositories: Vec<String> = (0..100).map(|number| format!("team/app-{number:02}")).collect();
    let tags: Vec<String> = (0..items / 100).map(|number| format!("1.{number}")).collect();
    let peer = Scripted::start(move |path| match path {
        "/v2/" => Reply::json(json!({})),
        path if path.starts_with("/v2/_catalog") => Reply::json(json!({"repositories": repositories})),
        path if path.contains("/tags/list") => Reply::json(json!({"tags": tags})),
        path => Reply::json(json!({"schemaVersion": 2, "manifests": [], "annotations": {"of": path}})),
    })
    .await;
    let form = [("version", "docker_v2"), ("name", &items.to_string()), ("registry", &peer.url()), ("cap", "0")];
    let request = client().post(format!("http://{console}/integrations")).form(&form);
    let answer = request.header(COOKIE, cookie).header("sec-fetch-site", "same-origin").send().await.expect("a page");
    let place = answer.headers()[LOCATION].to_str().expect("an address").to_owned();
    let mut conn = store.connect();
    let mut beat = tokio::time::interval(Duration::from_millis(200));
    loop {
        beat.tick().await;
        let counted: Ended = diesel::sql_query(
            "SELECT count(*) AS runs, coalesce(sum(found), 0)::bigint AS found, 0::float8 AS seconds
             FROM runs WHERE ended_at IS NULL",
        )
        .get_result(&mut conn)
        .expect("the runs");
        if counted.runs == 0 {
            return place;
        }
    }
}
