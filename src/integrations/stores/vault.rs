//! HashiCorp Vault and OpenBao, by their key/value engine: the form, the rights it needs, the list of one mount below a
//! path, and the values of single entries.

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use secrecy::SecretString;
use url::Url;

use super::entry::Facts;
use super::names::{self, ENTRIES, EXCLUDE, is_path};
use super::store::{Entry, Store, Unread, answers};
use crate::form::{Field, Values};
use crate::integrations::context::{Context, Secret};
use crate::integrations::patterns::{Names, is_below};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Judge, Scan};
use crate::integrations::spec::{Does, Grants, Host, Scanner, Selects, Spec, Use, suits_all};
use crate::integrations::{Family, ca_certificate, service_address};
use crate::providers::egress::Tls;
use crate::providers::tls_faults::Form;
use crate::providers::vault::{Kv, Login, Server, Session, Version};
use crate::providers::{Failure, ProviderError, Sent};

pub static VAULT: Spec = Spec {
    slug: "vault_kv",
    label: "HashiCorp Vault or OpenBao",
    fields: FIELDS,
    uses: &[Use::main(&["api_token", "basic", "certificate"])],
    host: Host::Chosen(address),
    suits: suits_all,
    grants,
    check: Some(check),
    does: Does::Store(&Mounts),
};

static FIELDS: &[Field] = &[
    Field::text("address", "Address")
        .placeholder("https://vault.example.com:8200")
        .help("The address of the server. A token signs in with an API token, an AppRole with Basic authentication (role ID and secret ID).")
        .check(checked_address)
        .identity(),
    Field::text("mount", "Mount").default("secret").help("Where the key/value engine is mounted.").max(255).check(path),
    Field::text("path", "Path").optional().placeholder("team").help("Only entries below it. Leave blank for all.").max(512).check(path),
    Field::text("namespace", "Namespace").optional().placeholder("admin/team").max(255).check(path),
    ENTRIES,
    EXCLUDE,
    Field::choice("kv", "Engine version", &[("auto", "Ask the server"), ("2", "KV version 2"), ("1", "KV version 1")]).advanced(),
    Field::text("login_mount", "Login mount")
        .optional()
        .placeholder("approle")
        .help("Where AppRole or the certificate login is mounted. Leave blank for approle or cert.")
        .max(255)
        .check(path)
        .advanced(),
    ca_certificate::FIELD,
];

/// What browsers and clients show behind the address is left out.
fn checked_address(text: &str) -> Result<String, String> {
    let mut url = service_address(text)?;
    let path = url.path().to_owned();
    let cut = ["/ui", "/v1"].iter().filter_map(|end| {
        let at = path.find(end)?;
        let rest = &path[at + end.len()..];
        (rest.is_empty() || rest.starts_with('/')).then_some(at)
    });
    let end = cut.min().unwrap_or(path.len());
    url.set_path(&path[..end]);
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn address(settings: &Values) -> Option<Url> {
    service_address(settings.get("address")).ok()
}

/// Without the slashes around it.
fn path(text: &str) -> Result<String, String> {
    let path = text.trim().trim_matches('/');
    match is_path(path) {
        true => Ok(path.to_owned()),
        false => Err("Enter a path such as team/prod.".to_owned()),
    }
}

/// What the settings ask for.
struct Plan {
    mount: String,
    path: String,
    names: Names,
    version: Option<Version>,
}

impl Plan {
    fn of(settings: &Values) -> Self {
        let version = match settings.get("kv") {
            "1" => Some(Version::One),
            "2" => Some(Version::Two),
            _ => None,
        };
        Self {
            mount: settings.get("mount").to_owned(),
            path: settings.get("path").to_owned(),
            names: names::selected(settings),
            version,
        }
    }

    fn takes(&self, name: &str) -> bool {
        (self.path.is_empty() || name == self.path || is_below(name, &self.path)) && self.names.take(name)
    }

    /// The name in the mount of an entry that the settings select.
    fn name<'a>(&self, entry: &'a str) -> Option<&'a str> {
        let name = entry.strip_prefix(&self.mount)?.strip_prefix('/')?;
        (is_path(name) && self.takes(name)).then_some(name)
    }

    /// The path that a right on the names of a folder is about.
    fn listed(&self, version: Version, folder: &str) -> String {
        let parts = match version {
            Version::One => [&*self.mount, "", folder],
            Version::Two => [&*self.mount, "metadata", folder],
        };
        joined(&parts)
    }

    fn read(&self, version: Version, name: &str) -> String {
        match version {
            Version::One => joined(&[&self.mount, name]),
            Version::Two => joined(&[&self.mount, "data", name]),
        }
    }

    /// The least policy, in the language of Vault.
    fn policy(&self, version: Version) -> String {
        let rule = |path: String, right: &str| format!("path \"{path}\" {{\n  capabilities = [\"{right}\"]\n}}");
        let (listed, read) = (self.listed(version, &self.path), self.read(version, &self.path));
        match version {
            Version::Two => {
                [rule(format!("{listed}/*"), "list"), rule(listed, "list"), rule(format!("{read}/*"), "read")]
                    .join("\n")
            }
            Version::One => format!(
                "path \"{read}/*\" {{\n  capabilities = [\"list\", \"read\"]\n}}\n{}",
                rule(read.clone(), "list")
            ),
        }
    }
}

fn joined(parts: &[&str]) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

fn grants(settings: &Values, _name: &str) -> Grants {
    let plan = Plan::of(settings);
    let versions = plan.version.map_or(vec![Version::Two, Version::One], |version| vec![version]);
    let caption = |version: Version| format!("Policy for a mount of {} (strongroom.hcl)", version.label());
    Grants { role: None, policies: versions.into_iter().map(|of| (caption(of), plan.policy(of))).collect() }
}

const LISTING: Step = Step { label: "Listing entries", doing: "Listing the entries" };
const WHO: &str = "Vault";
/// What to do when the server wants a client certificate.
const CLIENT_CERTIFICATE: &str = "Choose a certificate credential that it trusts.";
/// Calls at once.
const AT_ONCE: usize = 8;
/// More entries or folders than these are not taken in by one scan.
const MAX_ENTRIES: usize = 100_000;
const MAX_FOLDERS: usize = 20_000;
/// Folders inside of each other.
const DEEPEST: usize = 32;

async fn sign_in(cx: &Context<'_>) -> Result<Session, ProviderError> {
    let address = address(cx.settings).ok_or(ProviderError::InvalidAddress)?;
    let form = Form { client: Some(CLIENT_CERTIFICATE), ..Form::CA_FIELD };
    let mut tls = Tls { form, ..ca_certificate::tls(cx.settings) };
    let Secret { kind, values, .. } = cx.main().ok_or(ProviderError::WrongCredential)?;
    let mount = |usual: &str| match cx.settings.get("login_mount") {
        "" => usual.to_owned(),
        chosen => chosen.to_owned(),
    };
    let login = match kind.slug {
        "api_token" => Login::Token(SecretString::from(values.get("token"))),
        "basic" => Login::AppRole {
            mount: mount("approle"),
            role: values.get("username").to_owned(),
            secret: SecretString::from(values.get("password")),
        },
        "certificate" => {
            tls.ca_certificates.extend(ca_certificate::pasted(values));
            tls.identity = Some(SecretString::from(values.get("certificate")));
            Login::Certificate { mount: mount("cert") }
        }
        _ => return Err(ProviderError::WrongCredential),
    };
    let client = cx.outside.egress.client(tls)?;
    Server { client, address, namespace: cx.settings.get("namespace").to_owned() }.sign_in(login).await
}

/// The cause and the way out. `right` is what the policy has to allow: `list` on a path.
fn because(cause: &ProviderError, right: (&str, &str)) -> String {
    match cause {
        ProviderError::Forbidden => {
            format!("Vault denied it. Allow “{}” on {} in the policy of the credential.", right.0, right.1)
        }
        ProviderError::NotFound => "Vault doesn't have it, or it was deleted. Check its name and the mount.".to_owned(),
        ProviderError::NoInterface { .. } => {
            "this mount is not of the key/value engine, or of a version that Strongroom doesn't know. Check Mount."
                .to_owned()
        }
        ProviderError::Unauthorized { sent: Sent::Password } => {
            "Vault refused the role ID or secret ID. Check the credential, whether the secret ID has expired or is \
             used up, and Login mount."
                .to_owned()
        }
        ProviderError::Unauthorized { sent: Sent::Certificate } => {
            "Vault refused the client certificate. Check that a certificate role trusts its issuer, and Login mount."
                .to_owned()
        }
        ProviderError::Unauthorized { .. } => {
            "Vault refused the token. Check that it has not expired, and edit the credential.".to_owned()
        }
        ProviderError::ServerError { status: 503 } => {
            "Vault is sealed or not ready (503). Unseal it, or try again later.".to_owned()
        }
        ProviderError::TooLarge => format!("{} Choose a narrower Path.", cause.sentence(WHO)),
        _ => cause.sentence(WHO),
    }
}

/// Vault as a whole failed at a step.
fn of_all(step: Step, cause: ProviderError, plan: &Plan) -> Gap {
    let because = because(&cause, ("read", &plan.read(Version::Two, "*")));
    Gap::new(step, "", cause, because)
}

fn of_folder(kv: &Kv<'_>, plan: &Plan, folder: &str, cause: ProviderError) -> Gap {
    let because = because(&cause, ("list", &plan.listed(kv.version, folder)));
    let hides = match folder {
        "" => Hides::Place(plan.mount.clone()),
        _ => Hides::Below { place: plan.mount.clone(), paths: vec![folder.to_owned()] },
    };
    Gap::new(LISTING, joined(&[&plan.mount, folder]), cause, because).hiding(hides)
}

fn check<'a>(cx: &'a Context<'a>) -> BoxFuture<'a, Result<Option<String>, Failure>> {
    Box::pin(async move {
        let plan = Plan::of(cx.settings);
        let session = sign_in(cx).await.map_err(|cause| of_all(Step::SIGNING_IN, cause, &plan))?;
        let found = look(&session, &plan).await;
        session.end().await;
        Ok(Some(found?))
    })
}

/// The names of one folder, counted in a sentence.
async fn look(session: &Session, plan: &Plan) -> Result<String, Gap> {
    let kv = open(session, plan).await?;
    let names = kv.list(&plan.path).await.map_err(|cause| of_folder(&kv, plan, &plan.path, cause))?;
    let (folders, entries): (Vec<&String>, Vec<&String>) = names.iter().partition(|name| name.ends_with('/'));
    let counted = |number: usize, one: &str, more: &str| match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {more}"),
    };
    Ok(format!(
        "Vault let Strongroom in: {} is {} and lists {} and {}.",
        joined(&[&plan.mount, &plan.path]),
        kv.version.label(),
        counted(entries.len(), "entry", "entries"),
        counted(folders.len(), "folder", "folders"),
    ))
}

async fn open<'a>(session: &'a Session, plan: &Plan) -> Result<Kv<'a>, Gap> {
    let failed = |cause: ProviderError| {
        let said = match cause {
            ProviderError::Forbidden | ProviderError::NotFound => format!(
                "Vault doesn't say what {} is. Check Mount and Namespace, and that the credential's policy allows \
                 something below it; or choose the Engine version.",
                plan.mount
            ),
            _ => because(&cause, ("list", &plan.mount)),
        };
        Gap::new(LISTING, plan.mount.clone(), cause, said)
    };
    Kv::open(session, &plan.mount, plan.version).await.map_err(failed)
}

async fn walk(cx: &Context<'_>, session: &Session, plan: &Plan) -> Result<Scan, Gap> {
    let kv = &open(session, plan).await?;
    let (judge, mut scan, mut folders, mut read) = (Judge::default(), Scan::default(), vec![plan.path.clone()], 0);
    let mut empty = false;
    cx.report.parts(LISTING, 1, 0);
    for _ in 0..DEEPEST {
        let work = std::mem::take(&mut folders).into_iter().map(|folder| async {
            let listed = kv.list(&folder).await;
            judge.judged(listed, |cause| of_folder(kv, plan, &folder, cause)).map(|listed| (folder, listed))
        });
        let mut listed = stream::iter(work).buffer_unordered(AT_ONCE);
        while let Some(found) = listed.next().await {
            let (folder, listed) = found?;
            read += 1;
            match listed {
                Ok(names) => {
                    empty |= names.is_empty();
                    folders.extend(taken(&mut scan, kv, plan, &folder, names));
                }
                Err(gap) => scan.gaps.push(gap),
            }
            cx.report.part(LISTING, scan.items.len(), scan.gaps.len());
        }
        if scan.items.len() > MAX_ENTRIES || read + folders.len() > MAX_FOLDERS {
            return Err(of_folder(kv, plan, &plan.path, ProviderError::TooLarge));
        }
        if folders.is_empty() {
            return scan.finished(empty);
        }
        cx.report.parts(LISTING, read + folders.len(), scan.gaps.len());
    }
    scan.gaps.extend(folders.iter().map(|folder| of_folder(kv, plan, folder, ProviderError::TooLarge)));
    scan.finished(empty)
}

/// Adds the entries of a folder; returns the folders in it.
fn taken(scan: &mut Scan, kv: &Kv<'_>, plan: &Plan, folder: &str, names: Vec<String>) -> Vec<String> {
    let (mut folders, mut odd) = (Vec::new(), None);
    for name in names {
        let whole = joined(&[folder, name.trim_end_matches('/')]);
        match (is_path(&whole), name.ends_with('/')) {
            (false, _) => odd = Some(name),
            (true, true) => folders.push(whole),
            (true, false) if plan.takes(&whole) => {
                let facts = Facts { kind: kv.version.label().to_owned(), ..Facts::default() };
                scan.items.push(Item::new(plan.mount.clone(), whole, String::new(), &facts));
            }
            _ => {}
        }
    }
    if let Some(name) = odd {
        let name = name.chars().filter(|c| !c.is_control()).take(64).collect();
        scan.gaps.push(of_folder(kv, plan, folder, ProviderError::OddName { name }).hiding(Hides::Nothing));
    }
    folders
}

struct Mounts;

impl Scanner for Mounts {
    fn family(&self) -> Family {
        Family::SecretStore
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
        Box::pin(async move {
            let plan = Plan::of(cx.settings);
            cx.report.step(Step::SIGNING_IN);
            let stopped = |step| of_all(step, ProviderError::Stopped, &plan);
            let signed_in = cx.stop.run_until_cancelled(sign_in(cx)).await;
            let session = signed_in.ok_or_else(|| stopped(Step::SIGNING_IN))?;
            let session = session.map_err(|cause| of_all(Step::SIGNING_IN, cause, &plan))?;
            let found = cx.stop.run_until_cancelled(walk(cx, &session, &plan)).await;
            session.end().await;
            found.unwrap_or_else(|| Err(stopped(LISTING)))
        })
    }

    fn selects(&self, settings: &Values) -> Selects {
        let plan = Plan::of(settings);
        Box::new(move |mount, name| mount == plan.mount && plan.takes(name))
    }
}

impl Store for Mounts {
    fn read<'a>(
        &'a self,
        cx: &'a Context<'a>,
        entries: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Result<Entry, Failure>>, Failure>> {
        Box::pin(async move {
            let plan = &Plan::of(cx.settings);
            let session = sign_in(cx).await.map_err(|cause| of_all(Step::SIGNING_IN, cause, plan))?;
            let read = async {
                let kv = &open(&session, plan).await?;
                let mut work = Vec::with_capacity(entries.len());
                for entry in entries {
                    work.push(read_one(kv, plan, entry));
                }
                Ok(stream::iter(work).buffered(AT_ONCE).collect().await)
            };
            let read: Result<Vec<Result<Entry, Unread>>, Gap> = read.await;
            session.end().await;
            answers(read?)
        })
    }

    fn known_faults(&self) -> Vec<String> {
        let causes = [
            ProviderError::Forbidden,
            ProviderError::NotFound,
            ProviderError::Unauthorized { sent: Sent::Token },
            ProviderError::Unauthorized { sent: Sent::Password },
            ProviderError::Unauthorized { sent: Sent::Certificate },
            ProviderError::ServerError { status: 503 },
        ];
        let right = ("list", "secret/metadata/team");
        causes.iter().map(|cause| crate::providers::capital(&because(cause, right))).collect()
    }
}

async fn read_one(kv: &Kv<'_>, plan: &Plan, entry: &str) -> Result<Entry, Unread> {
    let Some(name) = plan.name(entry) else { return Err(Unread::not_selected(entry)) };
    match kv.read(name).await {
        Ok(read) => Ok(Entry::of_members(read.data, read.version.map(|number| number.to_string()).unwrap_or_default())),
        Err(cause) => {
            let because = because(&cause, ("read", &plan.read(kv.version, name)));
            Err(Unread::new(entry, cause, &because))
        }
    }
}
