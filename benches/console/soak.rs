//! An hour of everyday use of one console (R14): twenty requests a second of all sorts, a credential saved and deleted
//! every two seconds, a scan of a real registry every ten, while all jobs do their rounds. Nothing is sent by the outbox,
//! which has its own benchmark. Runs only when asked for: `cargo bench -- soak`; STRONGROOM_SOAK_MINUTES makes it shorter.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl};
use reqwest::header::{COOKIE, LOCATION};

use crate::Line;
use crate::process::Running;
use crate::providers::{client, runtime};
use crate::store::{Server, Store};
use crate::support::peers::registry::{Auth, Registry};

/// Requests a second, credentials in the store, minutes until memory counts as warm.
const RATE: u32 = 20;
const ROWS: usize = 300;
const WARM_MINUTES: usize = 10;

/// Pages that a person opens, in turn.
const PAGES: [&str; 13] = [
    "/",
    "/credentials",
    "/credentials?q=team",
    "/credentials?sort=age",
    "/credentials/new?kind=aws",
    "/integrations",
    "/integrations/new",
    "/alerts",
    "/alerts/settings",
    "/audit",
    "/users",
    "/account",
    "/livez",
];

/// What the process holds at a time.
#[derive(Clone, Copy, Debug)]
struct Held {
    resident: f64,
    descriptors: usize,
    connections: i64,
}

pub fn soak(server: &Server) -> Vec<Line> {
    let minutes = std::env::var("STRONGROOM_SOAK_MINUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    runtime().block_on(async {
        let registry = Registry::start(Auth::Htpasswd { user: "robot", password: "a password" }).await;
        for repository in 0..20 {
            registry.push_image(&format!("team/app-{repository}"), &["1.0", "1.1", "1.2"]).await;
        }
        let store = server.store("soak");
        let running = Running::with(&store, &["--egress-allow=127.0.0.0/8", "--log=error"]);
        let visitor = Visitor { at: running.address(), cookie: store.login(), http: client() };
        let integration = visitor.integrate(registry.direct().as_str()).await;
        for row in 0..ROWS {
            assert_eq!(visitor.save(&format!("key of team {row}")).await.0, 303);
        }
        let mut held = Vec::new();
        let mut answers: BTreeMap<u16, u64> = BTreeMap::new();
        for minute in 0..minutes {
            for (status, count) in visitor.minute(minute, &integration).await {
                *answers.entry(status).or_default() += count;
            }
            let now = Held {
                resident: running.resident(),
                descriptors: running.descriptors(),
                connections: connections(&store),
            };
            eprintln!("minute {minute}: {now:?}, answers {answers:?}");
            held.push(now);
        }
        lines(&held, &answers)
    })
}

struct Visitor {
    at: SocketAddr,
    cookie: String,
    http: reqwest::Client,
}

impl Visitor {
    async fn get(&self, path: &str) -> u16 {
        let request = self.http.get(format!("http://{}{path}", self.at)).header(COOKIE, &self.cookie);
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        answer.bytes().await.expect("a whole page");
        status
    }

    /// The status and where to go from there.
    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, String) {
        let request = self.http.post(format!("http://{}{path}", self.at)).form(form);
        let request = request.header(COOKIE, &self.cookie).header("sec-fetch-site", "same-origin");
        let answer = request.send().await.expect("an answer");
        let place = answer.headers().get(LOCATION).and_then(|place| place.to_str().ok()).unwrap_or_default().to_owned();
        let status = answer.status().as_u16();
        answer.bytes().await.expect("a whole page");
        (status, place)
    }

    async fn save(&self, name: &str) -> (u16, String) {
        let form = [("kind", "basic"), ("name", name), ("username", "robot"), ("password", "a password")];
        self.post("/credentials", &form).await
    }

    /// The page of an integration that scans with a credential of the store.
    async fn integrate(&self, registry: &str) -> String {
        let (status, credential) = self.save("robot").await;
        assert_eq!(status, 303);
        let credential = credential.rsplit('/').next().unwrap_or_default();
        let form = [("name", "team"), ("version", "docker_v2"), ("registry", registry), ("credential", credential)];
        let (status, place) = self.post("/integrations", &form).await;
        assert_eq!(status, 303, "the integration is saved");
        place
    }

    /// A minute of use; how often it was answered with which status.
    async fn minute(&self, minute: usize, integration: &str) -> BTreeMap<u16, u64> {
        let mut answers = BTreeMap::new();
        let mut beat = tokio::time::interval(Duration::from_secs(1) / RATE);
        let mut saved = String::new();
        for turn in 0..60 * RATE as usize {
            beat.tick().await;
            let status = match turn % 40 {
                7 => {
                    let (status, place) = self.save(&format!("robot {minute} {turn}")).await;
                    saved = place;
                    status
                }
                17 => self.get(&saved).await,
                27 => {
                    let name = format!("robot {minute} {}", turn - 20);
                    self.post(&format!("{saved}/delete"), &[("name", &name)]).await.0
                }
                31 if turn % 200 == 31 => self.post(&format!("{integration}/runs"), &[]).await.0,
                37 => self.get(integration).await,
                _ => self.get(PAGES[turn % PAGES.len()]).await,
            };
            *answers.entry(status).or_default() += 1;
        }
        answers
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Connections of the console to its database; the one that asks is not counted.
fn connections(store: &Store) -> i64 {
    let asked = "SELECT count(*) AS count FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    diesel::sql_query(asked).get_result::<Count>(&mut store.connect()).expect("a count").count
}

fn lines(held: &[Held], answers: &BTreeMap<u16, u64>) -> Vec<Line> {
    let warm = &held[WARM_MINUTES.min(held.len() / 2)..];
    let (first, last) = (warm[0], warm[warm.len() - 1]);
    let line = |what: &str, ours: String, bar| Line {
        what: format!("{} minutes of use: {what}", held.len()),
        ours,
        theirs: String::new(),
        ratio: String::new(),
        bar,
    };
    let failed: u64 = answers.iter().filter(|(status, _)| **status >= 400).map(|(_, count)| count).sum();
    let all: u64 = answers.values().sum();
    let span = |of: fn(&Held) -> i64| {
        let (least, most) = (warm.iter().map(of).min().unwrap_or(0), warm.iter().map(of).max().unwrap_or(0));
        format!("{least}–{most}")
    };
    vec![
        line("requests, and answers of 400 and more", format!("{all}, {failed}"), "0"),
        line(
            "growth of memory once warm, each 10 minutes",
            format!("{:+.2} MiB of {:.0}", 10.0 * slope(warm), last.resident),
            "< 1 MiB",
        ),
        line("file descriptors", span(|held| held.descriptors as i64), "flat"),
        line("connections to the database", span(|held| held.connections), "flat"),
        line("memory at the start and at the end", format!("{:.1} and {:.1} MiB", first.resident, last.resident), ""),
    ]
}

/// MiB a minute, by least squares.
fn slope(held: &[Held]) -> f64 {
    let count = held.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let mean = held.iter().map(|held| held.resident).sum::<f64>() / count;
    let both: f64 = held.iter().enumerate().map(|(at, held)| (at as f64 - middle) * (held.resident - mean)).sum();
    let own: f64 = (0..held.len()).map(|at| (at as f64 - middle).powi(2)).sum();
    both / own.max(1.0)
}
