//! Ten thousand bad forms: sizes, encodings, wrong choices, doubled and surplus fields, hostile documents. Every answer is
//! one that people understand, none is a 500, and nothing is saved but what was answered as saved.

use std::collections::BTreeMap;

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl};
use strongroom::credentials::KINDS;
use strongroom::form::{Control, Field};
use strongroom::integrations::registries::VERSIONS;

use crate::support::app::{TestApp, Visit};

const FORMS: usize = 10_000;
const AT_ONCE: usize = 4;
const ANSWERS: &[u16] = &[303, 400, 404, 405, 409, 413, 422];

/// A small generator (SplitMix64), so that a seed tells the whole story.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % sides as u64) as usize
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}

/// Percent-encoded bytes of hostile values.
fn hostile() -> Vec<String> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let mut values: Vec<String> = vec![
        "%00".into(),
        "a%00b".into(),
        "%ff%fe".into(),
        "%c3%28".into(),
        "%".into(),
        "%zz".into(),
        "%E2%80%AEprod".into(),
    ];
    let texts = [
        "",
        " ",
        "\t\r\n",
        "-1",
        "0",
        "99999999999999999999",
        "1e309",
        "NaN",
        "null",
        "true",
        "[]",
        "{}",
        "x\r\nBcc: e@e",
        "' OR 1=1 --",
        "'; DROP TABLE credentials; --",
        "\"><img src=x onerror=alert(1)>",
        "{{7*7}}",
        "${7*7}",
        "{% raw %}",
        "../../etc/passwd",
        "/proc/self/environ",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://169.254.169.254/",
        "https://127.0.0.1:1/",
        "https://user:password@host/",
        "\u{202e}gnp.exe",
        "a\u{200b}b",
        "\u{feff}x",
        "\u{0}",
        "\u{1b}[31m",
        "AKIA",
        "ASIAIOSFODNN7EXAMPLE",
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "{\"type\":\"service_account\"}",
        "{\"type\":\"external_account\",\"type\":\"service_account\"}",
        "{\"a\":1,\"a\":2}",
        "apiVersion: v1\nkind: Config\ncurrent-context: a\n",
        "a: &a [x]\nb: *a\n",
        "!!python/object:os.system x",
        "? ? ? ? :",
        "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\nd: [*c,*c,*c]\n",
        "users:\n- name: x\n  user:\n    exec:\n      command: touch\n      args: [/tmp/pwn]\n",
    ];
    values.extend(texts.iter().map(|text| encoded(text)));
    values.extend([
        encoded(&"[".repeat(60_000)),
        encoded(&"{\"a\":".repeat(10_000)),
        "x".repeat(70_000),
        "y".repeat(300_000),
    ]);
    values
}

/// A form as pairs of percent-encoded names and values.
type Form = Vec<(String, String)>;

fn base(fields: &[Field]) -> Form {
    let value = |field: &Field| match field.control {
        Control::Choice(options) => options[0].0.to_owned(),
        Control::Number(least, _) => least.to_string(),
        _ => String::new(),
    };
    fields.iter().map(|field| (field.name.to_owned(), value(field))).collect()
}

fn forms() -> Vec<(&'static str, Form)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut forms = Vec::new();
    for kind in KINDS {
        let mut form = vec![pair("kind", kind.slug), pair("name", "x"), pair("description", "")];
        form.extend(base(kind.fields));
        forms.push(("/credentials", form));
    }
    for version in VERSIONS {
        let mut form =
            vec![pair("version", version.slug()), pair("name", "x"), pair("credential", ""), pair("schedule", "")];
        form.extend(base(version.fields()));
        forms.push(("/integrations", form));
    }
    forms.push(("/login", vec![pair("username", "x"), pair("password", "x"), pair("next", "/")]));
    forms.push((
        "/setup",
        vec![pair("token", "x"), pair("username", "x"), pair("password", "x"), pair("password_again", "x")],
    ));
    forms
}

fn spoil(form: &mut Form, values: &[String], dice: &mut Dice) {
    let at = dice.roll(form.len());
    match dice.roll(10) {
        0 => drop(form.remove(at)),
        1 => form.push(form[at].clone()),
        2 => form.push(("surplus".to_owned(), dice.pick(values).clone())),
        3 => form[at].0 = format!("{}[]", form[at].0),
        4 => form[at].0 = dice.pick(values).clone(),
        _ => form[at].1 = dice.pick(values).clone(),
    }
}

async fn send(visit: &mut Visit, path: &str, form: &Form, kind: &'static str) -> u16 {
    let body: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = visit
        .request(reqwest::Method::POST, path)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", kind)
        .body(body.join("&"));
    visit.send(request).await.status
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

fn rows(app: &TestApp) -> i64 {
    let sql = "SELECT (SELECT count(*) FROM credentials) + (SELECT count(*) FROM integrations) + (SELECT count(*) FROM users) AS rows";
    diesel::sql_query(sql).get_result::<Count>(&mut app.connect()).expect("a count").rows
}

#[actix_web::test]
async fn ten_thousand_bad_forms_bring_no_500_and_change_nothing() {
    let app = TestApp::start();
    let seed = u64::from_le_bytes(strongroom::vault::random::<8>());
    println!("seed {seed}");
    let visit = app.administrator();
    let before = rows(&app);
    let tasks = (0..AT_ONCE).map(|task| {
        let mut visit = visit.clone();
        async move {
            let (mut dice, values, forms) = (Dice(seed.wrapping_add(task as u64)), hostile(), forms());
            let mut answers: BTreeMap<u16, usize> = BTreeMap::new();
            for _ in 0..FORMS / AT_ONCE {
                let (path, form) = dice.pick(&forms);
                let mut form = form.clone();
                for _ in 0..=dice.roll(3) {
                    if !form.is_empty() {
                        spoil(&mut form, &values, &mut dice);
                    }
                }
                let kinds = ["application/x-www-form-urlencoded"; 9];
                let kind = kinds.get(dice.roll(10)).copied().unwrap_or("multipart/form-data; boundary=x");
                let cookie = visit.cookie.clone();
                let status = send(&mut visit, path, &form, kind).await;
                visit.cookie = cookie;
                let throttled = status == 429 && *path == "/login";
                assert!(ANSWERS.contains(&status) || throttled, "seed {seed}: {path} answered {status} to {form:?}");
                // A login or a redraw saves nothing.
                *answers.entry(if status == 303 && *path == "/login" { 0 } else { status }).or_default() += 1;
            }
            answers
        }
    });
    let answers = futures_util::future::join_all(tasks).await;
    let saved: usize = answers.iter().map(|answers| answers.get(&303).copied().unwrap_or(0)).sum();
    println!("{answers:?}");
    assert_eq!(rows(&app), before + saved as i64, "seed {seed}: something was saved that was not answered so");
    assert_eq!(visit.clone().get("/").await.status, 200);
}
