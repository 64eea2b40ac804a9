//! Hostile and random text in every field: refused fast, without a panic, and without a word of it in any answer.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::fixtures;
use crate::credentials::{KINDS, Kind, document};
use crate::form::{self, Errors, Field, Values};

/// Far above what an optimised build needs, since tests run unoptimised beside others.
const BOUND: Duration = Duration::from_secs(1);

fn bombs() -> Vec<(&'static str, String)> {
    let laughs: String = (1..12).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
    vec![
        ("billion laughs", format!("a0: &a0 [lol, lol]\n{laughs}")),
        ("aliases", format!("a: &a x\nb: [{}]", "*a,".repeat(60_000))),
        ("lists", "[".repeat(200 * 1024)),
        ("maps", "{\"a\":".repeat(40_000)),
        ("flow maps", "{a: ".repeat(40_000)),
        ("dashes", "- ".repeat(100_000)),
        ("question marks", "? ".repeat(100_000)),
        ("indented", (0..600).map(|n| format!("{}a:\n", " ".repeat(n))).collect()),
        ("members", format!("{{{}\"z\":1}}", (0..40_000).map(|n| format!("\"k{n}\":1,")).collect::<String>())),
        ("duplicate", "{\"a\": 1, \"a\": 2}".to_owned()),
        ("nested duplicate", "{\"a\": {\"b\": 1, \"b\": 2}}".to_owned()),
        ("duplicate in YAML", "server: a\nserver: b\n".to_owned()),
        ("merge key", "base: x\n<<: {server: b}\n".to_owned()),
        ("tag", "a: !!binary aGk=\n".to_owned()),
        ("own tag", "a: !include /etc/passwd\n".to_owned()),
        ("anchor", "a: &b c\n".to_owned()),
        ("directive", "%YAML 1.2\n---\na: b\n".to_owned()),
        ("two documents", "a: b\n---\na: c\n".to_owned()),
        ("long", "a".repeat(1 << 20)),
        ("long key", format!("{}: b", "a".repeat(100_000))),
        ("NUL", "a\0b".to_owned()),
        ("escape", "\u{1b}[31m".to_owned()),
        ("quotes", "\"".repeat(100_000)),
        ("PEM starts", "-----BEGIN CERTIFICATE-----\n".repeat(7_000)),
        ("empty PEM", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".repeat(2_000)),
        ("empty key", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n".to_owned()),
    ]
}

/// What the store does with posted values, up to sealing.
fn save(kind: &Kind, posted: &Values) -> Result<(), Errors> {
    let values = form::check(kind.fields, posted, None)?;
    (kind.examine)(&values)?;
    assert!((kind.parses)(&values), "{} accepted what its payload does not parse", kind.slug);
    Ok(())
}

fn with(values: &Values, name: &str, value: &str) -> Values {
    let mut changed = values.clone();
    changed.set(name, value);
    changed
}

#[test]
fn a_bomb_in_a_document_is_refused_fast_by_both_parsers() {
    for (name, bomb) in bombs() {
        let start = Instant::now();
        let (json, yaml) = (document::json(&bomb), document::yaml(&bomb));
        assert!(start.elapsed() < BOUND, "{name} took {:?}", start.elapsed());
        assert!(json.is_err(), "{name} passed as JSON");
        assert!(yaml.is_err(), "{name} passed as YAML");
    }
}

#[test]
fn a_bomb_in_any_field_of_any_kind_ends_fast_and_never_as_a_panic() {
    let bombs = bombs();
    for (kind, values) in fixtures::samples() {
        for field in kind.fields.iter().filter(|field| field.active(kind.fields, &values)) {
            for (name, bomb) in &bombs {
                let start = Instant::now();
                let _ = save(kind, &with(&values, field.name, bomb));
                let _ = (field.check)(bomb);
                assert!(start.elapsed() < BOUND, "{name} in {}.{} took {:?}", kind.slug, field.name, start.elapsed());
            }
        }
    }
}

/// Every text that could be thrown at a field with the canary as its content or next to a mistake.
fn canaries(canary: &str) -> Vec<String> {
    let user = |user: &str| fixtures::kubeconfig(user);
    vec![
        canary.to_owned(),
        format!("https://{canary}@evil.example.com/{canary}"),
        format!("http://{canary}"),
        format!("AKIA{canary}"),
        format!("ASIA{canary}"),
        format!("{{\"clientId\": 1, \"clientSecret\": \"{canary}\"}}"),
        format!("{{\"clientId\": \"{canary}/..\", \"clientSecret\": \"{canary}\", \"tenantId\": [\"{canary}\"]}}"),
        format!("{{\"appId\": \"a\", \"password\": \"{canary}\", \"tenant\": {{\"{canary}\": 1}}}}"),
        format!("{{\"{canary}\": 1, \"{canary}\": 2}}"),
        format!("{{\"clientId\": \"{canary}\" \"{canary}\""),
        format!("{{\"type\": \"{canary}\", \"private_key\": \"{canary}\"}}"),
        format!("{{\"type\": \"service_account\", \"private_key\": \"{canary}\", \"client_email\": \"{canary}\"}}"),
        format!("-----BEGIN {canary}-----\n{canary}\n-----END {canary}-----\n"),
        format!("-----BEGIN PRIVATE KEY-----\n{canary}\n-----END PRIVATE KEY-----\n"),
        format!("-----BEGIN CERTIFICATE-----\n{canary}\n-----END CERTIFICATE-----\n"),
        format!("ocid1.user.{canary}"),
        user(&format!("{{token: [{canary}]}}")),
        user(&format!("{{token: '{canary} {canary}'}}")),
        user(&format!("{{{canary}: {canary}}}")),
        user(&format!("{{exec: {{command: {canary}, args: [{canary}]}}}}")),
        user(&format!("{{auth-provider: {{name: {canary}}}}}")),
        user(&format!("{{tokenFile: /{canary}}}")),
        user(&format!("{{client-certificate-data: {canary}, client-key-data: {canary}}}")),
        user(&format!("{{token: {canary}, token: {canary}}}")),
        user(&format!("{{token: &{canary} {canary}}}")),
        user(&format!("{{token: !{canary} {canary}}}")),
        user(&format!("{{token: \"{canary}")),
        fixtures::kubeconfig_of(&format!("{{server: 'http://{canary}'}}"), "{token: a}"),
        fixtures::kubeconfig_of(&format!("{{server: 'https://a', proxy-url: '{canary}'}}"), "{token: a}"),
    ]
}

#[test]
fn no_error_ever_repeats_a_part_of_what_was_entered() {
    const CANARY: &str = "Zq7Kx2Wv9Jt4Hb6Yn8Mf3Rd5";
    for (kind, values) in fixtures::samples() {
        for field in kind.fields.iter().filter(|field| field.active(kind.fields, &values)) {
            for text in canaries(CANARY) {
                let Err(errors) = save(kind, &with(&values, field.name, &text)) else { continue };
                for (_, message) in errors.iter() {
                    for part in CANARY.as_bytes().windows(5) {
                        let part = std::str::from_utf8(part).expect("ASCII");
                        assert!(!message.contains(part), "{}.{}: {message}", kind.slug, field.name);
                    }
                }
            }
        }
    }
}

fn checks() -> Vec<(&'static str, &'static Field)> {
    KINDS.iter().flat_map(|kind| kind.fields.iter().map(|field| (kind.slug, field))).collect()
}

/// Whatever a check accepts, it accepts again, unchanged.
fn holds(text: &str) {
    for (slug, field) in checks() {
        if let Ok(canonical) = (field.check)(text) {
            let again = (field.check)(&canonical);
            assert!(again.as_deref() == Ok(canonical.as_str()), "{slug}.{} is not canonical", field.name);
        }
    }
}

/// Documents near to valid ones: known members and a few wild ones, with values of every type.
fn near_documents() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "clientId",
        "clientSecret",
        "tenantId",
        "subscriptionId",
        "appId",
        "password",
        "tenant",
        "type",
        "project_id",
        "activeDirectoryEndpointUrl",
        "private_key",
        "client_email",
        "apiVersion",
        "kind",
        "clusters",
        "users",
        "contexts",
        "current-context",
        "cluster",
        "user",
        "context",
        "name",
        "server",
        "token",
        "username",
        "exec",
    ]);
    let leaf = prop_oneof![
        any::<String>().prop_map(serde_json::Value::from),
        prop::sample::select(vec!["a", "v1", "Config", "service_account", "https://a.example.com", "x@y.z", "<<"])
            .prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(5, 40, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..8)
                .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
    .prop_map(|value| value.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text_in_any_field_never_panics_and_is_canonical_when_accepted(text in any::<String>()) {
        holds(&text);
    }

    #[test]
    fn documents_that_are_nearly_valid_never_panic_and_are_canonical_when_accepted(text in near_documents()) {
        holds(&text);
    }

    #[test]
    fn addresses_of_any_shape_are_canonical_when_accepted(rest in "[ -~]{0,40}") {
        holds(&format!("https://{rest}"));
    }

    #[test]
    fn names_tokens_and_passwords_of_any_text_survive_in_a_kubeconfig(
        context in any::<String>(), username in any::<String>(), password in any::<String>(), token in "[!-~]{1,60}",
    ) {
        let document = |user: serde_json::Value| serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": context,
            "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": "https://cluster.example.com"}}],
            "users": [{"name": "u", "user": user}],
        }).to_string();
        holds(&document(serde_json::json!({"username": username, "password": password})));
        holds(&document(serde_json::json!({"token": token})));
    }
}
