//! The canary sweep: every secret that a person can give to the console, of every type and method, saved, edited,
//! mistyped and used by a scan, while it logs all it can. Then everything that the console ever gave out or wrote down
//! is searched.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use strongroom::postgres::Private;

use crate::credentials::samples;
use crate::support::app::{Page, Visit};
use crate::support::binary::{Ran, Strongroom};
use crate::support::peers::openbao::{OpenBao, ROOT};
use crate::support::peers::registry::{Auth, Registry};
use crate::support::process::wait_for;
use crate::support::sweep::{Canaries, Sweep, canary};

/// The name of a credential, which is no secret.
const SEEN: &str = "Harbor robot of the image team";
/// Types whose test calls nobody outside.
const TESTED_HERE: [&str; 4] = ["basic", "api_token", "webhook", "certificate"];
/// Pages of one path that differ in their query only.
const VARIANTS: usize = 20;

/// Everything that was given out or written down: (where, bytes).
#[derive(Default)]
struct Evidence(Vec<(String, Vec<u8>)>);

impl Evidence {
    fn page(&mut self, place: &str, page: &Page) {
        let headers =
            page.headers.iter().map(|(name, value)| [name.as_str().as_bytes(), b": ", value.as_bytes()].concat());
        self.0.push((format!("headers of {place}"), headers.collect::<Vec<_>>().join(&b'\n')));
        self.0.push((place.to_owned(), page.body.clone().into_bytes()));
    }

    fn ran(&mut self, command: &str, ran: &Ran) {
        self.0.push((format!("output of {command}"), format!("{}\n{}", ran.out, ran.err).into_bytes()));
    }
}

/// Somebody at the console whose every answer is kept.
struct Person {
    visit: Visit,
    canaries: Canaries,
    evidence: Evidence,
}

type Fields = Vec<(&'static str, String)>;

impl Person {
    async fn get(&mut self, path: &str) -> Page {
        let page = self.visit.get(path).await;
        self.evidence.page(path, &page);
        page
    }

    async fn post(&mut self, path: &str, fields: &Fields) -> Page {
        let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = self.visit.post(path, &pairs).await;
        self.evidence.page(&format!("POST {path}"), &page);
        page
    }

    /// A sample's values, with secrets that nobody has used yet.
    fn fresh(&mut self, sample: usize, when: &str) -> Fields {
        let secret = canary();
        let (kind, values) = samples::all(&secret).swap_remove(sample);
        let name = format!("{kind} {sample}, {when}");
        for (_, value) in &values {
            if value.contains(&secret) {
                self.canaries.add(&name, &secret);
            }
            self.canaries.add_keys(&name, value);
        }
        values
    }

    /// Wrong in the field beside, shown again, saved; then the same with the edit, which also comes too late once.
    async fn save_and_edit(&mut self, sample: usize, kind: &str) -> String {
        let name = format!("{kind} {sample}");
        let too_long = [("kind", kind.to_owned()), ("name", "x".repeat(5_000))];
        let wrong = [&too_long[..], &self.fresh(sample, "mistyped")].concat();
        assert_eq!(self.post("/credentials", &wrong).await.status, 422, "{name}");
        let redrawn = [&wrong[..], &[("redraw", "1".to_owned())]].concat();
        assert_eq!(self.post("/credentials", &redrawn).await.status, 200, "{name}");
        let start = [("kind", kind.to_owned()), ("name", name.clone())];
        let right = [&start[..], &self.fresh(sample, "saved")].concat();
        let page = self.post("/credentials", &right).await;
        assert_eq!(page.status, 303, "{name}: {:?}", page.texts(".error-summary, .field__error"));
        let credential = page.location().to_owned();
        if TESTED_HERE.contains(&kind) {
            assert!(self.post("/credentials/test", &right).await.status < 500, "{name}");
            assert!(self.post(&format!("{credential}/test"), &Vec::new()).await.status < 500, "{name}");
        }

        let edit = format!("{credential}/edit");
        let version = self.get(&edit).await.attributes("input[name=row_version]", "value").remove(0);
        for (version, name, when, status) in [
            (version.clone(), String::new(), "mistyped in an edit", 422),
            (version.clone(), name.clone(), "edited", 303),
            (version, name.clone(), "edited too late", 409),
        ] {
            let start = [("row_version", version), ("name", name)];
            let fields = [&start[..], &self.fresh(sample, when)].concat();
            let page = self.post(&edit, &fields).await;
            assert_eq!(page.status, status, "{kind} {when}: {:?}", page.texts(".error-summary, .field__error"));
        }
        credential
    }

    /// Follows every link and asks for every fragment; returns how many pages there are.
    async fn crawl(&mut self) -> usize {
        let (mut seen, mut variants) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
        let mut next = VecDeque::from(["/".to_owned(), "/audit.csv".to_owned()]);
        while let Some(path) = next.pop_front() {
            let plain = path.split(['?', '#']).next().unwrap_or_default().to_owned();
            let ours = path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/static/");
            if !ours || !seen.insert(path.clone()) {
                continue;
            }
            let count = variants.entry(plain).or_default();
            *count += 1;
            if *count > VARIANTS {
                continue;
            }
            let page = self.get(&path).await;
            assert!(page.status < 500, "{path}: {}", page.status);
            let fragment = self.visit.fragment(&path).await;
            self.evidence.page(&format!("fragment of {path}"), &fragment);
            for name in ["href", "hx-get", "action"] {
                next.extend(page.attributes(&format!("[{name}]"), name));
            }
        }
        variants.len()
    }
}

async fn logged_in(strongroom: &Strongroom, url: &str) -> Person {
    let mut person = Person { visit: Visit::to(url), canaries: Canaries::default(), evidence: Evidence::default() };
    let password = canary();
    person.canaries.add("the administrator's password", &password);
    let added = strongroom.run_with(&["user", "add", "ada", "--role", "administrator"], &password);
    assert_eq!(added.status, 0, "{added:?}");
    person.evidence.ran("user add", &added);
    let wrong = canary();
    person.canaries.add("a wrong password", &wrong);
    for (password, status) in [(wrong, 422), (password, 303)] {
        let fields =
            [("username", "ada"), ("password", &password), ("next", "/")].map(|(name, value)| (name, value.to_owned()));
        assert_eq!(person.post("/login", &fields.into()).await.status, status);
    }
    person
}

/// Scans a registry with a password, and again with a wrong one; returns what the registry saw of it.
async fn scan(person: &mut Person) -> Vec<String> {
    // With everything in it that has to be escaped somewhere.
    let password: &'static str = Box::leak(format!("{}<&>\"'\\%/+ é", canary()).into_boxed_str());
    let wrong = canary();
    person.canaries.add("the registry's password", password);
    person.canaries.add("the registry's wrong password", &wrong);
    let registry = Registry::start(Auth::Htpasswd { user: "robot", password }).await;
    registry.push_image("team/app", &["1.0", "1.1"]).await;
    let owned =
        |fields: &[(&'static str, &str)]| fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let mut fields = vec![("kind", "basic"), ("name", SEEN), ("username", "robot"), ("password", password)];
    let credential = person.post("/credentials", &owned(&fields)).await.location().to_owned();
    let id = credential.rsplit('/').next().expect("an id").to_owned();
    let url = registry.url();
    let integration = [
        ("name", "Team images"),
        ("version", "docker_v2"),
        ("registry", &url),
        ("schedule", "off"),
        ("credential", &id),
    ];
    let page = person.post("/integrations", &owned(&integration)).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary, .field__error"));
    let integration = page.location().to_owned();
    says(person, &integration, "team/app").await;

    fields[0] = ("row_version", "1");
    fields[3] = ("password", &wrong);
    assert_eq!(person.post(&format!("{credential}/edit"), &owned(&fields)).await.status, 303);
    person.post(&format!("{integration}/runs"), &owned(&[])).await;
    says(person, &integration, "refused").await;
    registry.authorizations()
}

/// Lists a secret store, looks at its entries and imports one of them; the entries' values are secrets.
async fn store(person: &mut Person) {
    let bao = OpenBao::start().await;
    let values = ["imported", "looked at"].map(|name| {
        let secret = canary();
        person.canaries.add(&format!("an entry that was {name}"), &secret);
        secret
    });
    bao.holds("team/db", serde_json::json!({"username": "ada", "password": values[0]})).await;
    bao.holds("team/web", serde_json::json!({"token": values[1]})).await;
    let owned =
        |fields: &[(&'static str, &str)]| fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let token = [("kind", "api_token"), ("name", "Vault token"), ("token", ROOT)];
    let id = person.post("/credentials", &owned(&token)).await.location().rsplit('/').next().expect("an id").to_owned();
    let url = bao.url();
    let fields = [("name", "Team Vault"), ("version", "vault_kv"), ("address", &url), ("credential", &id)];
    let page = person
        .post("/integrations", &owned(&[&fields[..], &[("mount", "secret"), ("schedule", "off")]].concat()))
        .await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary, .field__error, .notice"));
    let store = page.location().split('?').next().expect("a path").to_owned();
    says(person, &store, "team/db").await;
    let import = format!("{store}/import");
    let both = [("entry.0", "secret/team/db"), ("entry.1", "secret/team/web")];
    assert_eq!(person.post(&import, &owned(&both)).await.attributes("[data-offer]", "data-offer").len(), 2);
    let chosen = [("pick.0", "on"), ("name.0", "Imported"), ("was.0", "basic secret/team/db"), ("add", "chosen")];
    let done = person.post(&import, &owned(&[&both[..], &chosen].concat())).await;
    assert_eq!(done.attributes("[data-imported]", "data-imported"), ["true"]);
}

async fn says(person: &mut Person, path: &str, text: &str) {
    let visit = person.visit.clone();
    let there = async || visit.clone().get(path).await.text("main").contains(text);
    wait_for(&format!("{path} says {text}"), Duration::from_secs(20), there).await;
    person.get(path).await;
}

/// What the kernel tells others about a process.
fn look_at_process(sweep: &mut Sweep, pid: u32) {
    for file in ["environ", "cmdline"] {
        // Not to be read by others at all: so much the better.
        sweep.look(&format!("/proc/{pid}/{file}"), std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default());
    }
}

#[actix_web::test]
async fn no_secret_is_in_any_answer_log_dump_file_or_process() {
    let mut strongroom = Strongroom::private();
    let serving = strongroom.try_serve(&["--log=trace", "--egress-allow=127.0.0.0/8"]).expect("the console starts");
    serving.ready().await;
    let mut person = logged_in(&strongroom, &serving.url).await;
    let kinds: Vec<&str> = samples::all("").into_iter().map(|(kind, _)| kind).collect();
    for (sample, kind) in kinds.iter().enumerate() {
        person.save_and_edit(sample, kind).await;
    }
    let authorizations = scan(&mut person).await;
    store(&mut person).await;
    let pages = person.crawl().await;
    assert!(pages > 30, "{pages} pages are not the console");
    for command in [&["verify"][..], &["key", "list"], &["audit", "verify"]] {
        let ran = strongroom.run(command);
        assert_eq!(ran.status, 0, "{ran:?}");
        person.evidence.ran(&command.join(" "), &ran);
    }

    let Person { canaries, evidence, .. } = person;
    let mut sweep = canaries.sweep();
    sweep.look("the registry's log", authorizations.join("\n"));
    assert!(sweep.found.len() > 1, "the sweep finds what was sent to the registry, where it belongs");
    sweep.found.clear();
    for (place, bytes) in evidence.0 {
        sweep.look(&place, bytes);
    }
    look_at_process(&mut sweep, serving.pid());
    let database = Private::join(&strongroom.directory.path, None).expect("the console's Postgres is shared");
    strongroom.url = Some(database.url());
    strongroom.sql("CHECKPOINT");
    sweep.look("pg_dump", strongroom.dump());
    // A control: what may be seen is found where the secrets are not.
    let mut control = Canaries::default();
    control.add("a name", SEEN);
    let mut control = control.sweep();
    control.look("pg_dump", strongroom.dump());
    let in_dump = control.found.len();
    let place = strongroom.directory.path.canonicalize().expect("a directory");
    let cluster = place.join("postgres").canonicalize().expect("a cluster");
    let files = sweep.look_below(&place) + sweep.look_below(&cluster);
    assert!(files > 900, "{files} files are no cluster");
    control.look_below(&cluster);
    assert!(in_dump > 0 && control.found.len() > in_dump, "names are in the dump and in the files");
    let ran = serving.stop();
    assert!(ran.err.contains("\"level\":\"TRACE\"") || ran.err.contains("\"level\":\"DEBUG\""), "it logs all it can");
    sweep.look("the log", &ran.err);
    sweep.look("standard output", &ran.out);
    println!("{pages} pages, {files} files, {} bytes", sweep.bytes);
    sweep.found.sort();
    sweep.found.dedup();
    assert!(sweep.found.is_empty(), "{:#?}", sweep.found);
}
