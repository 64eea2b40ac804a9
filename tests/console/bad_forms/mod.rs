//! Ten thousand bad requests over all routes (R9): sizes, encodings, wrong choices, doubled and surplus fields, hostile
//! documents, queries and headers. Every answer is one that people understand, none is a 500, none repeats a secret,
//! and nothing is saved but what was answered as saved.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use reqwest::Method;
use strongroom::accounts::Role;
use strongroom::credentials::KINDS;
use strongroom::form::{Control, Field};
use strongroom::integrations::Family;
use strongroom::web::ROUTES;

use crate::support::app::{Page, TestApp, Visit};
use crate::support::binary::Strongroom;
use crate::support::one_of_each::OneOfEach;
use crate::support::process::Random;
use crate::support::scale::{self, R9_REQUESTS};
use crate::support::sql::count_on;
use crate::support::sweep::{Canaries, Sweep, canary};

mod kept;
pub mod values;

const AT_ONCE: usize = 4;
const ANSWERS: &[u16] = &[200, 302, 303, 400, 401, 403, 404, 405, 409, 410, 413, 415, 421, 422, 429];
/// Types whose test asks nobody outside.
const TESTED_HERE: [&str; 4] = ["basic", "api_token", "webhook", "certificate"];
/// Routes that hash a password, which is slow on purpose.
const HASHING: [&str; 7] = ["/login", "/setup", "/account", "/users", "/integrations", "/recipients", "/clients"];

/// A form as pairs of percent-encoded names and values.
type Form = Vec<(String, String)>;

fn pair(name: &str, value: &str) -> (String, String) {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect();
    (encoded(name), encoded(value))
}

/// A declared form, with a secret in each field for one.
fn base(fields: &[Field], secret: &str) -> Form {
    let value = |field: &Field| match field.control {
        Control::Choice(options) => options[0].0.to_owned(),
        Control::Number(least, _) => least.to_string(),
        control if control.is_secret() => secret.to_owned(),
        _ => String::new(),
    };
    fields.iter().map(|field| pair(field.name, &value(field))).collect()
}

/// The forms of all types of credentials and of all providers, channels included.
fn declared(secret: &str) -> Vec<(String, Form)> {
    let mut forms = Vec::new();
    for kind in KINDS {
        let mut form = vec![pair("kind", kind.slug), pair("name", "x"), pair("description", "")];
        form.extend(base(kind.fields, secret));
        if TESTED_HERE.contains(&kind.slug) {
            forms.push(("/credentials/test".to_owned(), form.clone()));
        }
        forms.push(("/credentials".to_owned(), form));
    }
    for spec in Family::ALL.iter().flat_map(|family| family.providers()) {
        let mut form = vec![pair("version", spec.slug), pair("name", "x"), pair("credential", "")];
        form.extend([pair("schedule", ""), pair("send_to", ""), pair("password", "")]);
        form.extend(base(spec.fields, secret));
        forms.push(("/integrations".to_owned(), form));
    }
    forms
}

/// The forms of every page, and an empty one for each route that no page has a form for.
async fn forms(visit: &mut Visit, things: &OneOfEach, secret: &str) -> Vec<(String, Form)> {
    let mut forms = declared(secret);
    for (_, route) in ROUTES.iter().filter(|(method, _)| *method == "get") {
        let path = things.path(route);
        for (action, fields) in visit.get(&path).await.forms() {
            let action = if action.is_empty() { path.clone() } else { action };
            forms.push((action, fields.iter().map(|(name, value)| pair(name, value)).collect()));
        }
    }
    let posted: BTreeSet<String> = forms.iter().map(|(path, _)| path.clone()).collect();
    for (_, route) in ROUTES.iter().filter(|(method, _)| *method == "post") {
        let path = things.path(route);
        if !posted.contains(&path) {
            let names = ["name", "password", "row_version", "username", "token", "code", "next"];
            forms.push((path, names.map(|name| pair(name, "")).into()));
        }
    }
    // Some are on every page.
    forms.sort();
    forms.dedup();
    forms
}

fn spoil(form: &mut Form, values: &[String], dice: &mut Random) {
    let at = dice.below(form.len());
    let value = values[dice.below(values.len())].clone();
    match dice.below(10) {
        0 => drop(form.remove(at)),
        1 => form.push(form[at].clone()),
        2 => form.push(("surplus".to_owned(), value)),
        3 => form[at].0 = format!("{}[]", form[at].0),
        4 => form[at].0 = value,
        _ => form[at].1 = value,
    }
}

/// One bad request: a form for most, else an address, a query or a method that does not fit.
struct Bad {
    method: Method,
    path: String,
    body: Option<String>,
    kind: &'static str,
    forwarded: Option<&'static str>,
}

impl Bad {
    fn new(forms: &[(String, Form)], paths: &[String], values: &[String], dice: &mut Random) -> Self {
        let forwarded = (dice.below(5) == 0).then(|| values::ADDRESSES[dice.below(values::ADDRESSES.len())]);
        let kind = ["multipart/form-data; boundary=x", "application/json", "text/plain"].get(dice.below(20));
        let kind = kind.copied().unwrap_or("application/x-www-form-urlencoded");
        if dice.below(10) < 2 {
            let mut path = paths[dice.below(paths.len())].clone();
            let value = values.iter().cycle().skip(dice.below(values.len())).find(|value| value.len() < 4_000);
            let name = ["q", "page", "sort", "kind", "version", "from", "next", "token", "after"][dice.below(9)];
            let join = if path.contains('?') { '&' } else { '?' };
            path.push_str(&format!("{join}{name}={}", value.map_or("", String::as_str)));
            let method =
                [Method::GET, Method::HEAD, Method::PUT, Method::DELETE][dice.below(20).saturating_sub(16)].clone();
            return Self { method, path, body: None, kind, forwarded };
        }
        let (path, form) = &forms[dice.below(forms.len())];
        let mut form = form.clone();
        for _ in 0..=dice.below(3) {
            if !form.is_empty() {
                spoil(&mut form, values, dice);
            }
        }
        let body: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Self { method: Method::POST, path: path.clone(), body: Some(body.join("&")), kind, forwarded }
    }

    async fn send(&self, visit: &mut Visit) -> Page {
        let mut request = visit.request(self.method.clone(), &self.path).header("sec-fetch-site", "same-origin");
        if let Some(address) = self.forwarded {
            request = request.header("x-forwarded-for", address);
        }
        if let Some(body) = &self.body {
            request = request.header("content-type", self.kind).body(body.clone());
        }
        let cookie = visit.cookie.clone();
        let page = visit.send(request).await;
        visit.cookie = cookie;
        page
    }
}

/// What came of some requests.
#[derive(Default)]
struct Tally {
    answers: BTreeMap<u16, usize>,
    took: Vec<Duration>,
    hashing: Vec<Duration>,
    saved: i64,
}

impl Tally {
    fn count(&mut self, bad: &Bad, page: &Page, took: Duration) {
        *self.answers.entry(page.status).or_default() += 1;
        let slow = bad.body.is_some() && HASHING.iter().any(|path| bad.path.starts_with(path));
        if slow {
            self.hashing.push(took)
        } else {
            self.took.push(took)
        }
        if page.status == 303 && bad.method == Method::POST {
            let made = ["/credentials", "/integrations"].contains(&bad.path.as_str());
            let made = made && page.location().starts_with(&format!("{}/", bad.path));
            // A session that has ended leads to the login.
            let gone = bad.path.ends_with("/delete") && ["/credentials", "/integrations"].contains(&page.location());
            self.saved += i64::from(made) - i64::from(gone);
        }
    }
}

/// A part of all requests, by one visitor; somebody else's session goes on where one was ended.
async fn some(
    strongroom: &Strongroom,
    (mut visit, task): (Visit, usize),
    (forms, paths): (&[(String, Form)], &[String]),
    (seed, secret): (u64, &SharedSweep),
) -> Tally {
    let (mut dice, values, mut tally) = (Random(seed.wrapping_add(task as u64)), values::hostile(), Tally::default());
    for number in 0..R9_REQUESTS.now() / AT_ONCE {
        let bad = Bad::new(forms, paths, &values, &mut dice);
        let start = Instant::now();
        let page = bad.send(&mut visit).await;
        tally.count(&bad, &page, start.elapsed());
        let body = bad.body.as_deref().unwrap_or("");
        let short: String = body.chars().take(2_000).collect();
        assert!(
            ANSWERS.contains(&page.status),
            "seed {seed}: {} {} answered {} to {short}",
            bad.method,
            bad.path,
            page.status
        );
        secret.look(&format!("{} {}", bad.method, bad.path), &page.body);
        if page.location().starts_with("/login") || page.status == 401 {
            let mut other = strongroom.visit(&format!("ada {task} {number}"), Role::Administrator);
            other.url.clone_from(&visit.url);
            visit = other;
        }
    }
    tally
}

/// A sweep that several visitors share.
struct SharedSweep(std::sync::Mutex<Sweep>);

impl SharedSweep {
    fn look(&self, place: &str, bytes: &str) {
        self.0.lock().expect("a lock").look(place, bytes);
    }
}

/// A console with one of everything in it, as a process.
fn with_one_of_each() -> (Strongroom, OneOfEach) {
    let app = TestApp::start();
    let things = OneOfEach::in_console(&app);
    let mut strongroom = Strongroom::private();
    strongroom.url = Some(app.database.url().to_owned());
    strongroom.database = Some(app.database.clone());
    std::fs::copy(crate::support::app::keyring(), strongroom.keyring()).expect("the key ring");
    (strongroom, things)
}

fn rows(strongroom: &Strongroom) -> i64 {
    let mut conn = strongroom.connect();
    count_on(&mut conn, "credentials") + count_on(&mut conn, "integrations")
}

#[actix_web::test]
async fn ten_thousand_bad_requests_bring_no_500_and_change_nothing() {
    let seed = u64::from_le_bytes(strongroom::vault::random::<8>()) | 1;
    println!("seed {seed}");
    let (strongroom, things) = with_one_of_each();
    // A form for Docker Hub needs no more than a name: what it asks for must stay on this machine.
    let flags = ["--trusted-proxies=127.0.0.1", "--test-credentials=off", "--endpoints=docker-hub=http://127.0.0.1:1"];
    let serving = strongroom.try_serve(&flags).expect("the console starts");
    serving.ready().await;
    let mut visit = strongroom.visit("ada", Role::Administrator);
    visit.url.clone_from(&serving.url);
    let secret = canary();
    let mut canaries = Canaries::default();
    canaries.add("a secret", &secret);
    let sweep = SharedSweep(std::sync::Mutex::new(canaries.sweep()));
    let forms = forms(&mut visit, &things, &secret).await;
    let paths: Vec<String> =
        ROUTES.iter().filter(|(method, _)| *method == "get").map(|(_, route)| things.path(route)).collect();
    let posted: BTreeSet<&String> = forms.iter().map(|(path, _)| path).collect();
    println!("{} forms at {} addresses, {} pages", forms.len(), posted.len(), paths.len());
    let (before, memory) = (rows(&strongroom), serving.resident());
    let tasks = (0..AT_ONCE).map(|task| some(&strongroom, (visit.clone(), task), (&forms, &paths), (seed, &sweep)));
    let mut all = Tally::default();
    for tally in futures_util::future::join_all(tasks).await {
        tally.answers.into_iter().for_each(|(status, count)| *all.answers.entry(status).or_default() += count);
        all.took.extend(tally.took);
        all.hashing.extend(tally.hashing);
        all.saved += tally.saved;
    }
    println!("{:?}", all.answers);
    assert_eq!(rows(&strongroom), before + all.saved, "seed {seed}: something was saved that was not answered so");
    assert_eq!(visit.get("/livez").await.status, 200);
    let grown = serving.resident() - memory;
    let ran = serving.stop();
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(!ran.err.contains("panicked"), "seed {seed}: {}", ran.err);
    sweep.look("the log", &ran.err);
    let found = sweep.0.into_inner().expect("a lock").found;
    assert!(found.is_empty(), "seed {seed}: {found:#?}");
    judge(&mut all, grown, posted.len() + paths.len());
}

fn judge(all: &mut Tally, grown: f64, addresses: usize) {
    let (requests, hashing) = (all.took.len() + all.hashing.len(), scale::percentile(&mut all.hashing, 0.99));
    let p99 = scale::percentile(&mut all.took, 0.99);
    scale::report(
        "R9",
        &[
            ("bad requests", &requests),
            ("addresses", &addresses),
            ("500", &0),
            ("panics", &0),
            ("secrets repeated", &0),
            ("p99", &scale::millis(p99)),
            ("p99 of those that may hash a password", &scale::millis(hashing)),
            ("memory", &format!("{grown:+.1} MiB")),
        ],
    );
    scale::below("p99 in ms", p99.as_secs_f64() * 1_000.0, 200.0);
    scale::below("growth of memory in MiB", grown, 50.0);
}
