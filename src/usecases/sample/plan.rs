//! What sample data there is: an organisation of a few teams with credentials of every type, some of them old, some that
//! end soon, and integrations that use them.

use crate::providers::probe::Verdict;

/// A credential.
pub struct Key {
    pub kind: &'static str,
    pub name: &'static str,
    pub owner: &'static str,
    /// Beside the tag that all have.
    pub tag: &'static str,
    /// Days since its secret was made.
    pub age: i64,
    /// Days until it ends; `None` for one that does not.
    pub ends: Option<i64>,
    /// What its last test says; `None` for one that was not tested.
    pub test: Option<Test>,
}

#[derive(Clone, Copy)]
pub enum Test {
    Good,
    /// The sentence of the provider.
    Bad(Verdict, &'static str),
}

/// An integration, which is switched off.
pub struct User {
    pub version: &'static str,
    pub name: &'static str,
    /// The name of the credential; empty: none.
    pub credential: &'static str,
    pub owner: &'static str,
    pub tag: &'static str,
    pub settings: &'static [(&'static str, &'static str)],
}

const fn key(kind: &'static str, name: &'static str, owner: &'static str, tag: &'static str, age: i64) -> Key {
    Key { kind, name, owner, tag, age, ends: None, test: None }
}

impl Key {
    const fn ends(mut self, days: i64) -> Self {
        self.ends = Some(days);
        self
    }

    const fn good(mut self) -> Self {
        self.test = Some(Test::Good);
        self
    }

    const fn bad(mut self, verdict: Verdict, sentence: &'static str) -> Self {
        self.test = Some(Test::Bad(verdict, sentence));
        self
    }
}

const PLATFORM: &str = "Platform team";
const PAYMENTS: &str = "Payments";
const DATA: &str = "Data";
const MOBILE: &str = "Mobile";

pub const KEYS: &[Key] = &[
    key("aws", "Billing deploy key, production", PAYMENTS, "production", 212).good(),
    key("aws", "Legacy importer", DATA, "production", 181).bad(Verdict::BadKey, "AWS does not know the access key."),
    key("aws", "Mobile build uploads", MOBILE, "ci", 143).good(),
    key("aws", "Nightly backups", PLATFORM, "production", 121).good(),
    key("aws", "Payments deploy key, staging", PAYMENTS, "staging", 97).good(),
    key("aws", "Report exporter", DATA, "production", 88).good(),
    key("aws", "Artifact publisher", PLATFORM, "ci", 79).good(),
    key("aws", "Load tests, sandbox", PLATFORM, "sandbox", 61),
    key("aws", "Log shipper", PLATFORM, "production", 44).good(),
    key("aws", "Search indexer", DATA, "production", 27).good(),
    key("aws", "Billing deploy key, staging", PAYMENTS, "staging", 12).good(),
    key("aws", "New joiner sandbox", MOBILE, "sandbox", 3),
    key("azure", "Alert mailbox", PLATFORM, "production", 64).ends(24).good(),
    key("azure", "Data lake reader", DATA, "production", 150).ends(3).good(),
    key("azure", "Container registry reader", PLATFORM, "ci", 35).ends(140),
    key("gcp", "Analytics exporter", DATA, "production", 96).good(),
    key("gcp", "Mobile crash reports", MOBILE, "production", 52),
    key("gcp", "Translation service", MOBILE, "staging", 18).good(),
    key("ibm_cloud", "Findings writer", PLATFORM, "production", 70),
    key("kubeconfig", "Cluster payments, production", PAYMENTS, "production", 40),
    key("kubeconfig", "Cluster data, staging", DATA, "staging", 9),
    key("basic", "Harbor robot, production", PLATFORM, "production", 133),
    key("basic", "Harbor robot, CI", PLATFORM, "ci", 58),
    key("basic", "Nexus reader", DATA, "ci", 84),
    key("basic", "Ticket writer", PLATFORM, "production", 101),
    key("basic", "Mirror pull account", MOBILE, "ci", 22),
    key("basic", "Partner registry", PAYMENTS, "production", 176),
    key("api_token", "Event collector", PLATFORM, "production", 66),
    key("api_token", "Registry token, tools", PLATFORM, "ci", 31),
    key("api_token", "Artifactory reader", MOBILE, "ci", 5),
    key("webhook", "Incident room", PLATFORM, "production", 110),
    key("webhook", "Release announcements", MOBILE, "ci", 15),
    key("certificate", "mTLS client, ledger", PAYMENTS, "production", 340).ends(11).good(),
    key("certificate", "mTLS client, logistics", DATA, "production", 367)
        .ends(-2)
        .bad(Verdict::Expired, "The certificate has expired."),
    key("certificate", "mTLS client, sandbox", MOBILE, "sandbox", 30).ends(335).good(),
    key("oci", "Archive signer", DATA, "production", 75),
    key("github_token", "Image puller, main organisation", PLATFORM, "ci", 48).ends(42).good(),
    key("github_token", "Release bot", MOBILE, "ci", 87)
        .ends(7)
        .bad(Verdict::BadKey, "GitHub refused the token: it was withdrawn."),
    key("gitlab_token", "Group registry reader", DATA, "ci", 20).ends(160).good(),
    key("gitlab_token", "Docs pipeline", PLATFORM, "sandbox", 1),
];

/// Each points to a reserved name.
pub const USERS: &[User] = &[
    registry("harbor", "Harbor, all teams", "Harbor robot, production", "production", HARBOR),
    registry(
        "harbor",
        "Harbor, CI images",
        "Harbor robot, CI",
        "ci",
        &[("registry", "https://harbor-ci.sample.example")],
    ),
    registry("docker_v2", "Partner images", "Partner registry", "production", PARTNER),
    registry(
        "docker_v2",
        "Tools registry",
        "Registry token, tools",
        "ci",
        &[("registry", "https://tools.sample.example")],
    ),
    registry("nexus", "Nexus, data images", "Nexus reader", "ci", &[("registry", "https://nexus.sample.example")]),
    registry("docker_v2", "Ledger images over mTLS", "mTLS client, ledger", "production", LEDGER),
    registry("ghcr", "GitHub images", "Image puller, main organisation", "ci", GITHUB),
    User {
        version: "email",
        name: "Mail to the platform team",
        credential: "Alert mailbox",
        owner: PLATFORM,
        tag: "production",
        settings: &[("host", "smtp.sample.example"), ("from", "alerts@sample.example")],
    },
    User {
        version: "splunk",
        name: "Splunk, security index",
        credential: "Event collector",
        owner: PLATFORM,
        tag: "production",
        settings: &[("url", "https://splunk.sample.example:8088")],
    },
    User {
        version: "webhook_channel",
        name: "Incident room",
        credential: "Incident room",
        owner: PLATFORM,
        tag: "production",
        settings: &[],
    },
];

const HARBOR: &[(&str, &str)] = &[("registry", "https://harbor.sample.example")];
const PARTNER: &[(&str, &str)] = &[("registry", "https://registry.partner.sample.example")];
const GITHUB: &[(&str, &str)] = &[("registry", "https://containers.github.sample.example")];
const LEDGER: &[(&str, &str)] = &[("registry", "https://ledger.sample.example")];

const fn registry(
    version: &'static str,
    name: &'static str,
    credential: &'static str,
    tag: &'static str,
    settings: &'static [(&'static str, &'static str)],
) -> User {
    User { version, name, credential, owner: PLATFORM, tag, settings }
}
