//! The table of credentials: requests a second beside a bare handler, and how little its size matters.

use std::time::Duration;

use crate::load::{self, Asker};
use crate::store::Server;
use crate::{Line, bare};

const CONNECTIONS: usize = 8;
const TIME: Duration = Duration::from_secs(4);

/// 50 of 100,000 rows, logged in, beside the bare handler; turn by turn, so that a busy machine hurts both.
pub fn throughput(server: &Server) -> Vec<Line> {
    eprintln!("filling 100,000 rows …");
    let store = server.store("pages");
    store.fill(100_000);
    let (console, _app) = store.console();
    let bare = bare::serve(&store.url, 8);
    let ours = load::request(console, "/credentials", &store.login());
    let rows = String::from_utf8_lossy(Asker::new(console, &ours).ask()).matches("key of team").count();
    // One of the fifty is the credential that the product ships with.
    assert!(rows >= 49, "the page shows its rows, not {rows}");
    let bares = ["/page", "/table"].map(|path| load::request(bare, path, ""));
    let mut rates = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..5 {
        rates[0].push(load::rate(console, &ours, CONNECTIONS, TIME));
        rates[1].push(load::rate(bare, &bares[0], CONNECTIONS, TIME));
        rates[2].push(load::rate(bare, &bares[1], CONNECTIONS, TIME));
    }
    let [ours, page, table] = rates.map(median);
    let line = |beside: &str, theirs: f64, bar| Line {
        what: format!("`GET /credentials`, 50 of 100,000 rows, logged in, beside {beside}"),
        ours: format!("{ours:.0} /s"),
        theirs: format!("{theirs:.0} /s"),
        ratio: format!("{:.2}", ours / theirs),
        bar,
    };
    vec![line("a bare handler of the same page", page, "≥ 0.9"), line("a bare handler of a plain table", table, "")]
}

/// The pages of every day, which should not know how many credentials there are.
pub fn dashboard(server: &Server) -> Vec<Line> {
    eprintln!("filling 1,000 and 1,000,000 rows …");
    let stores = [("few", 1_000), ("many", 1_000_000)].map(|(name, rows)| {
        let store = server.store(name);
        store.fill(rows);
        store
    });
    let consoles = stores.each_ref().map(|store| (store.console(), store.login()));
    let [((few_at, _one), few_cookie), ((many_at, _two), many_cookie)] = &consoles;
    let pages = [
        ("dashboard", "/"),
        ("first page", "/credentials"),
        ("names from the end", "/credentials?sort=name&dir=desc"),
        ("search “team 55”", "/credentials?q=team+55"),
        ("palette, “key”", "/search?q=key"),
        ("palette, “team 777”", "/search?q=team+777"),
        ("palette, “zzz”", "/search?q=zzz"),
    ];
    pages
        .map(|(what, path)| {
            let few = load::request(*few_at, path, few_cookie);
            let many = load::request(*many_at, path, many_cookie);
            beside_few(what, load::latencies([(*few_at, &few), (*many_at, &many)], 40))
        })
        .into()
}

fn beside_few(what: &str, [few, many]: [f64; 2]) -> Line {
    Line {
        what: format!("{what}, 1,000,000 rows beside 1,000"),
        ours: format!("{many:.2} ms"),
        theirs: format!("{few:.2} ms"),
        ratio: format!("{:.2}", many / few),
        bar: "≤ 1.5",
    }
}

/// The same pages with 1,000 and with 1,000,000 rows.
pub fn million(server: &Server) -> Vec<Line> {
    eprintln!("filling 1,000 and 1,000,000 rows …");
    let (small, large) = (server.store("small"), server.store("large"));
    small.fill(1_000);
    large.fill(1_000_000);
    let ((small_at, _one), (large_at, _two)) = (small.console(), large.console());
    let (small_cookie, large_cookie) = (small.login(), large.login());
    let mut lines = Vec::new();
    let mut pages: Vec<(String, String)> =
        vec![("dashboard".to_owned(), "/".to_owned()), ("first page".to_owned(), "/credentials".to_owned())];
    for sort in ["name", "kind", "identity", "age", "usages", "used", "editor"] {
        pages.push((format!("sorted by {sort}"), format!("/credentials?sort={sort}")));
        pages.push((format!("sorted by {sort}, descending"), format!("/credentials?sort={sort}&dir=desc")));
    }
    // Every row, every ninth, the last in name order, two words with few matches, one match, none, and identities.
    for word in ["key", "team 7", "of team 55", "team 777", "team 999", "zzz", "akia7"] {
        pages.push((format!("search “{word}”"), format!("/credentials?q={}", word.replace(' ', "+"))));
    }
    pages.push(("search “team 55” of a type".to_owned(), "/credentials?q=team+55&kind=aws".to_owned()));
    for word in ["key", "team 777", "zzz"] {
        pages.push((format!("palette, “{word}”"), format!("/search?q={}", word.replace(' ', "+"))));
    }
    for (what, path) in pages {
        let deep = |at, cookie: &str| deep_page(at, cookie, &path);
        let mut both = vec![(what.clone(), path.clone(), path.clone())];
        if path == "/credentials" {
            both.push(("deep page (10th)".to_owned(), deep(small_at, &small_cookie), deep(large_at, &large_cookie)));
        } else if path == "/credentials?q=key" {
            both.push((
                "search “key”, 10th page".to_owned(),
                deep(small_at, &small_cookie),
                deep(large_at, &large_cookie),
            ));
        }
        for (what, small_path, large_path) in both {
            let few = load::request(small_at, &small_path, &small_cookie);
            let many = load::request(large_at, &large_path, &large_cookie);
            lines.push(beside_few(&what, load::latencies([(small_at, &few), (large_at, &many)], 40)));
        }
    }
    lines
}

/// Follows *Next* nine times.
fn deep_page(at: std::net::SocketAddr, cookie: &str, path: &str) -> String {
    let mut path = path.to_owned();
    for _ in 0..9 {
        let body = String::from_utf8_lossy(Asker::new(at, &load::request(at, &path, cookie)).ask()).into_owned();
        let Some(end) = body.find("rel=\"next\"") else { break };
        let start = body[..end].rfind("href=\"").expect("a link") + 6;
        path = body[start..].split('"').next().unwrap_or("").replace("&amp;", "&").replace("&#38;", "&");
    }
    path
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
