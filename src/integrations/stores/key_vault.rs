//! Azure Key Vault: the form, the rights it needs, the names of a vault's secrets, and the current versions of single
//! ones.

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};

use super::entry::Facts;
use super::names::{ENTRIES, EXCLUDE};
use super::store::{Entry, Store, Unread, answers};
use crate::credentials;
use crate::credentials::azure::Payload;
use crate::form::{Errors, Field, Values};
use crate::integrations::Family;
use crate::integrations::azure::CLIENT;
use crate::integrations::context::Context;
use crate::integrations::patterns::Names;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Item, Scan};
use crate::integrations::spec::{Does, Grants, Host, Scanner, Selects, Spec, Use};
use crate::providers::azure::line::Way;
use crate::providers::azure::vault::{Refused, Vault, domain, is_name};
use crate::providers::oci_registry::Pages;
use crate::providers::{Failure, ProviderError, capital};

pub static KEY_VAULT: Spec = Spec {
    slug: "azure_key_vault",
    label: "Azure Key Vault",
    fields: FIELDS,
    uses: &[Use::main(&["azure"])],
    host: Host::Vendor(|settings| Some(settings.get("vault").to_owned()).filter(|host| !host.is_empty())),
    suits,
    grants,
    check: Some(|cx| Box::pin(check(cx))),
    does: Does::Store(&Secrets),
};

static FIELDS: &[Field] = &[
    Field::text("vault", "Vault")
        .placeholder("team-vault.vault.azure.net")
        .help("The vault's name or its URI.")
        .max(255)
        .check(vault)
        .identity(),
    ENTRIES.placeholder("team-*"),
    EXCLUDE,
];

/// The domains of all clouds.
const DOMAINS: [&str; 4] = ["vault.azure.net", "vault.azure.cn", "vault.usgovcloudapi.net", "vault.microsoftazure.de"];

/// The host of a vault: tokens go to Azure's own domains only.
fn vault(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_lowercase();
    let host = text.strip_prefix("https://").unwrap_or(&text);
    let host = host.split('/').next().unwrap_or_default();
    let (name, end) = host.split_once('.').unwrap_or((host, DOMAINS[0]));
    if is_name(name) && DOMAINS.contains(&end) {
        return Ok(format!("{name}.{end}"));
    }
    Err("Enter the name of a vault, or its URI such as https://team-vault.vault.azure.net.".to_owned())
}

fn suits(settings: &Values, _kind: &str, credential: &Values) -> Result<(), Errors> {
    let Some(payload) = credentials::payload::<Payload>(credential) else { return Ok(()) };
    match settings.get("vault").ends_with(domain(payload.cloud())) {
        true => Ok(()),
        false => Err(Errors::one("vault", "This vault is in another Azure cloud than the credential.")),
    }
}

struct Plan {
    host: String,
    names: Names,
}

impl Plan {
    /// The names of secrets are not told apart by case in Azure, and neither are the patterns.
    fn of(settings: &Values) -> Self {
        let pattern = |field: &Field| settings.get(field.name).to_ascii_lowercase();
        Self { host: settings.get("vault").to_owned(), names: Names::new(&pattern(&ENTRIES), &pattern(&EXCLUDE)) }
    }

    fn takes(&self, name: &str) -> bool {
        self.names.take(&name.to_ascii_lowercase())
    }

    /// `team-vault`
    fn place(&self) -> &str {
        self.host.split('.').next().unwrap_or_default()
    }

    fn name<'a>(&self, entry: &'a str) -> Option<&'a str> {
        let name = entry.strip_prefix(self.place())?.strip_prefix('/')?;
        (is_name(name) && self.takes(name)).then_some(name)
    }
}

/// One role of Azure's own has both actions and nothing else.
fn grants(settings: &Values, _name: &str) -> Grants {
    let plan = Plan::of(settings);
    let by_role = format!(
        "az role assignment create --assignee {CLIENT} --role \"Key Vault Secrets User\" \\\n  --scope $(az keyvault show \
         --name {} --query id --output tsv)",
        plan.place()
    );
    let by_policy =
        format!("az keyvault set-policy --name {} --spn {CLIENT} --secret-permissions list get", plan.place());
    Grants {
        role: None,
        policies: vec![
            (format!("Role of {CLIENT}: may list and read the secrets of the vault"), by_role),
            ("The same for a vault that uses access policies instead of Azure RBAC".to_owned(), by_policy),
        ],
    }
}

const LISTING: Step = Step { label: "Listing entries", doing: "Listing the entries" };
const WHO: &str = "Azure Key Vault";
const AT_ONCE: usize = 8;
/// More entries than this are not taken in by one scan.
const MAX_ENTRIES: usize = 100_000;

/// The cause and the way out. `right` is `list` or `get`.
fn because(refused: &Refused, right: &str) -> String {
    match refused {
        Refused::Denied => format!(
            "the vault doesn't let the credential {right} secrets. Give its principal the role Key Vault Secrets User on \
             the vault, or the secret permission “{right}” in its access policies."
        ),
        Refused::Firewall => {
            "the vault's firewall keeps Strongroom out. Allow the address that Strongroom's calls come \
                              from under Networking of the vault."
                .to_owned()
        }
        Refused::Disabled => "Azure doesn't give it out: it is disabled, has expired, or isn't valid yet.".to_owned(),
        Refused::Token => {
            "the vault refused the credential's token. Check that the vault is in the tenant and the cloud of \
                           the credential."
                .to_owned()
        }
        Refused::Other(ProviderError::NotFound) => {
            "Azure doesn't have it, or it was deleted. Check its name.".to_owned()
        }
        Refused::Other(cause) => cause.sentence(WHO),
    }
}

fn cause(refused: Refused) -> ProviderError {
    match refused {
        Refused::Denied | Refused::Firewall => ProviderError::Forbidden,
        Refused::Disabled => ProviderError::NotFound,
        Refused::Token => ProviderError::Unauthorized { sent: crate::providers::Sent::Token },
        Refused::Other(cause) => cause,
    }
}

fn gap(step: Step, refused: Refused) -> Gap {
    let because = because(&refused, "list");
    Gap::new(step, "", cause(refused), because)
}

async fn open<'a>(cx: &'a Context<'a>, plan: &Plan) -> Result<Vault<'a>, Gap> {
    let failed = |cause: ProviderError| gap(Step::SIGNING_IN, cause.into());
    let secret = cx.main().ok_or(ProviderError::WrongCredential).map_err(failed)?;
    let outside = cx.outside;
    let way = Way {
        egress: outside.egress,
        endpoints: outside.endpoints,
        tokens: outside.tokens,
        values: secret.values,
        stored: secret.stored,
        stop: cx.stop.clone(),
    };
    Vault::open(way, &plan.host).await.map_err(failed)
}

async fn check(cx: &Context<'_>) -> Result<Option<String>, Failure> {
    let plan = Plan::of(cx.settings);
    let vault = open(cx, &plan).await?;
    let listed = vault.secrets(Pages::First).await.map_err(|refused| gap(LISTING, refused))?;
    let listed = match listed.secrets.len() {
        0 => "no secrets".to_owned(),
        1 => "1 secret".to_owned(),
        several => format!("{several} secrets on the first page"),
    };
    Ok(Some(format!("{} let Strongroom in and lists {listed}.", plan.host)))
}

async fn walk(cx: &Context<'_>) -> Result<Scan, Gap> {
    cx.report.step(Step::SIGNING_IN);
    let plan = Plan::of(cx.settings);
    let vault = open(cx, &plan).await?;
    cx.report.parts(LISTING, 1, 0);
    let listed = vault.secrets(Pages::All).await.map_err(|refused| gap(LISTING, refused))?;
    if listed.secrets.len() > MAX_ENTRIES {
        return Err(gap(LISTING, ProviderError::TooLarge.into()));
    }
    let mut scan = Scan::default();
    for secret in listed.secrets.into_iter().filter(|secret| plan.takes(&secret.name)) {
        let state = if secret.enabled { "" } else { "Disabled" };
        let facts =
            Facts { kind: "Secret".to_owned(), changed: secret.changed, state: state.to_owned(), ..Facts::default() };
        let print = secret.changed.map(|at| at.to_rfc3339()).unwrap_or_default();
        scan.items.push(Item::new(plan.place().to_owned(), secret.name, print, &facts));
    }
    scan.items.sort_by(|a, b| a.name.cmp(&b.name));
    scan.items.dedup_by(|a, b| a.name == b.name);
    let empty = listed.rest.is_none();
    scan.gaps.extend(listed.rest.map(|refused| gap(LISTING, refused)));
    cx.report.part(LISTING, scan.items.len(), scan.gaps.len());
    scan.finished(empty)
}

struct Secrets;

impl Scanner for Secrets {
    fn family(&self) -> Family {
        Family::SecretStore
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
        Box::pin(async move {
            let stopped = || Err(gap(LISTING, ProviderError::Stopped.into()));
            cx.stop.run_until_cancelled(walk(cx)).await.unwrap_or_else(stopped)
        })
    }

    fn selects(&self, settings: &Values) -> Selects {
        let plan = Plan::of(settings);
        Box::new(move |place, name| place == plan.place() && plan.takes(name))
    }
}

impl Store for Secrets {
    fn read<'a>(
        &'a self,
        cx: &'a Context<'a>,
        entries: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Result<Entry, Failure>>, Failure>> {
        Box::pin(async move {
            let plan = Plan::of(cx.settings);
            let vault = open(cx, &plan).await?;
            let mut work = Vec::with_capacity(entries.len());
            for entry in entries {
                work.push(read_one(&vault, &plan, entry));
            }
            answers(stream::iter(work).buffered(AT_ONCE).collect().await)
        })
    }

    fn known_faults(&self) -> Vec<String> {
        let all = [
            Refused::Denied,
            Refused::Firewall,
            Refused::Token,
            Refused::Disabled,
            Refused::Other(ProviderError::NotFound),
        ];
        all.iter().map(|refused| capital(&because(refused, "list"))).collect()
    }
}

async fn read_one(vault: &Vault<'_>, plan: &Plan, entry: &str) -> Result<Entry, Unread> {
    let Some(name) = plan.name(entry) else { return Err(Unread::not_selected(entry)) };
    match vault.secret(name).await {
        Ok(held) => Ok(Entry::of_text(&held.text, held.version)),
        Err(refused) => {
            let because = because(&refused, "get");
            Err(Unread::new(entry, cause(refused), &because))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_case_of_a_name_is_no_way_around_a_pattern() {
        let settings = [("vault", "team.vault.azure.net"), ("entries", "DB-*"), ("exclude_entries", "db-Root")];
        let plan = Plan::of(&settings.into_iter().collect());
        for taken in ["team/db-app", "team/Db-App"] {
            assert!(plan.name(taken).is_some(), "{taken}");
        }
        for left in ["team/db-root", "team/DB-ROOT", "team/Db-Root", "team/web"] {
            assert!(plan.name(left).is_none(), "{left}");
        }
    }

    #[test]
    fn a_vault_is_named_or_pasted_and_never_outside_of_azure() {
        for good in ["team-vault", "https://Team-Vault.vault.azure.net/", "team-vault.vault.azure.net/secrets/x"] {
            assert_eq!(vault(good).as_deref(), Ok("team-vault.vault.azure.net"), "{good}");
        }
        assert_eq!(vault("t.vault.azure.cn").as_deref(), Ok("t.vault.azure.cn"));
        for bad in
            ["", "a.example.com", "http://team.vault.azure.net", "a.b.vault.azure.net", "team.vault.azure.net:8443"]
        {
            assert!(vault(bad).is_err(), "{bad}");
        }
    }
}
