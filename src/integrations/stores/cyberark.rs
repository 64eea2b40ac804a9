//! CyberArk's Central Credential Provider: the form, and the accounts of a safe that the settings name. It has no list,
//! so a scan asks for each of them, and drops what it gets.

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use secrecy::SecretString;
use url::Url;

use super::entry::Facts;
use super::store::{Entry, Store, Unread, answers};
use crate::form::{Field, Values};
use crate::integrations::context::{Context, Secret};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Judge, Scan};
use crate::integrations::spec::{Does, Grants, Host, Scanner, Selects, Spec, Use, suits_all};
use crate::integrations::{Family, ca_certificate, service_address};
use crate::providers::cyberark::{Account, Query, Refused, account};
use crate::providers::egress::{Client, Tls};
use crate::providers::tls_faults::Form;
use crate::providers::{Failure, ProviderError, Sent, capital};

pub static CYBERARK: Spec = Spec {
    slug: "cyberark_ccp",
    label: "CyberArk Central Credential Provider",
    fields: FIELDS,
    uses: &[Use::main(&["certificate"])],
    host: Host::Chosen(address),
    suits: suits_all,
    grants,
    check: Some(|cx| Box::pin(check(cx))),
    does: Does::Store(&Safe),
};

/// The web service, unless the address has a path of its own.
const SERVICE: &str = "/AIMWebService";
/// More accounts than this are not asked for one by one.
const MOST: usize = 500;

static FIELDS: &[Field] = &[
    Field::text("address", "Address")
        .placeholder("https://ccp.example.com")
        .help("The web service is expected at /AIMWebService, unless the address has a path.")
        .check(checked_address)
        .identity(),
    Field::text("application", "Application ID").placeholder("Strongroom").max(127).check(word),
    Field::text("safe", "Safe").placeholder("Team").max(28).check(word),
    Field::text("folder", "Folder").optional().placeholder("Root").max(170).check(word),
    Field::text("objects", "Objects")
        .placeholder("db-prod, web-prod")
        .help("The accounts to use, by their object names, separated by commas. CyberArk can't list them.")
        .max(16_384)
        .check(objects),
    ca_certificate::FIELD,
];

fn checked_address(text: &str) -> Result<String, String> {
    let mut url = service_address(text)?;
    let path = url.path().trim_end_matches('/').to_owned();
    let at = path.to_ascii_lowercase().find("/api/accounts");
    let path = at.map_or(path.as_str(), |at| &path[..at]);
    let path = if path.is_empty() { SERVICE } else { path }.to_owned();
    url.set_path(&path);
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn address(settings: &Values) -> Option<Url> {
    service_address(settings.get("address")).ok()
}

/// CyberArk takes some characters in no value of a query.
fn word(text: &str) -> Result<String, String> {
    let bad = |c: char| c.is_control() || "+&%;,/\"".contains(c);
    match text.trim() {
        text if text.chars().any(bad) => Err("CyberArk takes none of + & % ; , / \" in a name.".to_owned()),
        text => Ok(text.to_owned()),
    }
}

/// In their canonical form, each once.
fn objects(text: &str) -> Result<String, String> {
    let mut names: Vec<String> = Vec::new();
    for name in text.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty()) {
        let name = word(name)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.len() {
        0 => Err("Enter the names of accounts.".to_owned()),
        MOST.. => Err(format!("Enter fewer than {MOST} accounts.")),
        _ => Ok(names.join(", ")),
    }
}

struct Plan<'a> {
    application: &'a str,
    safe: &'a str,
    folder: &'a str,
    objects: Vec<&'a str>,
}

impl<'a> Plan<'a> {
    fn of(settings: &'a Values) -> Self {
        Self {
            application: settings.get("application"),
            safe: settings.get("safe"),
            folder: settings.get("folder"),
            objects: settings.get("objects").split(", ").filter(|name| !name.is_empty()).collect(),
        }
    }

    fn object<'b>(&self, entry: &'b str) -> Option<&'b str> {
        let name = entry.strip_prefix(self.safe)?.strip_prefix('/')?;
        self.objects.contains(&name).then_some(name)
    }
}

fn grants(settings: &Values, _name: &str) -> Grants {
    let plan = Plan::of(settings);
    let text = format!(
        "Application {}: authentication by the certificate's serial number or subject\n\
         Safe {}: the application and the provider's user may List accounts and Retrieve accounts",
        plan.application, plan.safe
    );
    Grants { role: None, policies: vec![("What to set up in CyberArk".to_owned(), text)] }
}

const READING: Step = Step { label: "Reading accounts", doing: "Reading the account" };
const WHO: &str = "CyberArk";
/// What to do when the server wants another client certificate.
const CLIENT_CERTIFICATE: &str = "Choose a certificate credential that it trusts.";
const AT_ONCE: usize = 4;

fn because(refused: &Refused, application: &str) -> String {
    match refused {
        Refused::Application => format!(
            "CyberArk doesn't let the application {application} in. Check its ID, and that its authentication allows this \
             certificate and the address of Strongroom."
        ),
        Refused::Missing => format!(
            "CyberArk finds no such account. Check safe, folder and object, and that the application {application} and the \
             provider may retrieve accounts of the safe."
        ),
        Refused::Several => "CyberArk finds several accounts. Enter the Folder, too.".to_owned(),
        Refused::Changing => "CyberArk is changing its password. Try again in a few minutes.".to_owned(),
        Refused::VaultAway => "CyberArk's provider doesn't reach its vault. Try again later.".to_owned(),
        Refused::Other(cause) => cause.sentence(WHO),
    }
}

fn cause(refused: Refused) -> ProviderError {
    match refused {
        Refused::Application => ProviderError::Forbidden,
        Refused::Missing | Refused::Several => ProviderError::NotFound,
        Refused::Changing => ProviderError::Throttled { retry_after: None },
        Refused::VaultAway => ProviderError::ServerError { status: 500 },
        Refused::Other(cause) => cause,
    }
}

fn gap(plan: &Plan<'_>, object: &str, refused: Refused) -> Gap {
    let because = because(&refused, plan.application);
    let hides = match object {
        "" => Hides::All,
        _ => Hides::Items { place: plan.safe.to_owned(), names: vec![object.to_owned()] },
    };
    let at = if object.is_empty() { String::new() } else { super::entry_name(plan.safe, object) };
    Gap::new(READING, at, cause(refused), because).hiding(hides)
}

/// The way there, and its address.
fn open(cx: &Context<'_>) -> Result<(Client, Url), ProviderError> {
    let address = address(cx.settings).ok_or(ProviderError::InvalidAddress)?;
    let form = Form { client: Some(CLIENT_CERTIFICATE), ..Form::CA_FIELD };
    let mut tls = Tls { form, ..ca_certificate::tls(cx.settings) };
    let Secret { values, .. } = cx.main().ok_or(ProviderError::WrongCredential)?;
    tls.ca_certificates.extend(ca_certificate::pasted(values));
    tls.identity = Some(SecretString::from(values.get("certificate")));
    Ok((cx.outside.egress.client(tls)?, address))
}

async fn ask(way: &(Client, Url), plan: &Plan<'_>, object: &str) -> Result<Account, Refused> {
    let query = Query { application: plan.application, safe: plan.safe, folder: plan.folder, object };
    account(&way.0, &way.1, &query).await
}

async fn check(cx: &Context<'_>) -> Result<Option<String>, Failure> {
    let plan = Plan::of(cx.settings);
    let way = open(cx).map_err(|cause| gap(&plan, "", cause.into()))?;
    let Some(first) = plan.objects.first() else { return Ok(None) };
    ask(&way, &plan, first).await.map_err(|refused| gap(&plan, first, refused))?;
    let others = match plan.objects.len() - 1 {
        0 => String::new(),
        1 => " One other account will be read too.".to_owned(),
        several => format!(" {several} other accounts will be read too."),
    };
    Ok(Some(format!("CyberArk let Strongroom read {first} of {}.{others}", plan.safe)))
}

async fn walk(cx: &Context<'_>) -> Result<Scan, Gap> {
    let plan = &Plan::of(cx.settings);
    let way = &open(cx).map_err(|cause| gap(plan, "", cause.into()))?;
    cx.report.parts(READING, plan.objects.len(), 0);
    let (judge, mut scan) = (Judge::default(), Scan::default());
    let mut work = Vec::with_capacity(plan.objects.len());
    for object in &plan.objects {
        work.push(async move { (*object, ask(way, plan, object).await.map(drop)) });
    }
    let mut work = stream::iter(work).buffer_unordered(AT_ONCE);
    while let Some((object, asked)) = work.next().await {
        match asked {
            Ok(()) => {
                judge.answered();
                let facts = Facts { kind: "Account".to_owned(), ..Facts::default() };
                scan.items.push(Item::new(plan.safe.to_owned(), object.to_owned(), String::new(), &facts));
            }
            Err(refused) => scan.gaps.push(judge.gap(gap(plan, object, refused))?),
        }
        cx.report.part(READING, scan.items.len(), scan.gaps.len());
    }
    scan.finished(false)
}

struct Safe;

impl Scanner for Safe {
    fn family(&self) -> Family {
        Family::SecretStore
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
        Box::pin(async move {
            let stopped = || Err(gap(&Plan::of(cx.settings), "", ProviderError::Stopped.into()));
            cx.stop.run_until_cancelled(walk(cx)).await.unwrap_or_else(stopped)
        })
    }

    fn selects(&self, settings: &Values) -> Selects {
        let settings = settings.clone();
        Box::new(move |safe, name| {
            let plan = Plan::of(&settings);
            plan.safe == safe && plan.objects.contains(&name)
        })
    }
}

impl Store for Safe {
    fn read<'a>(
        &'a self,
        cx: &'a Context<'a>,
        entries: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Result<Entry, Failure>>, Failure>> {
        Box::pin(async move {
            let plan = Plan::of(cx.settings);
            let way = open(cx).map_err(|cause| gap(&plan, "", cause.into()))?;
            let mut work = Vec::with_capacity(entries.len());
            for entry in entries {
                work.push(read_one(&way, &plan, entry));
            }
            answers(stream::iter(work).buffered(AT_ONCE).collect().await)
        })
    }

    fn known_faults(&self) -> Vec<String> {
        let certificate = Refused::Other(ProviderError::Unauthorized { sent: Sent::Certificate });
        let all = [
            Refused::Application,
            Refused::Missing,
            Refused::Several,
            Refused::Changing,
            Refused::VaultAway,
            certificate,
        ];
        all.iter().map(|refused| capital(&because(refused, "Strongroom"))).collect()
    }
}

async fn read_one(way: &(Client, Url), plan: &Plan<'_>, entry: &str) -> Result<Entry, Unread> {
    let Some(object) = plan.object(entry) else { return Err(Unread::not_selected(entry)) };
    match ask(way, plan, object).await {
        Ok(account) => {
            let named = [
                ("password", account.content.as_str()),
                ("username", &account.user_name),
                ("address", &account.address),
                ("database", &account.database),
                ("port", &account.port),
            ];
            let keys = named.into_iter().filter(|(name, value)| *name == "password" || !value.is_empty()).collect();
            Ok(Entry { keys, version: String::new() })
        }
        Err(refused) => {
            let because = because(&refused, plan.application);
            Err(Unread::new(entry, cause(refused), &because))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_completed_and_a_pasted_call_cut() {
        assert_eq!(checked_address("ccp.example.com").as_deref(), Ok("https://ccp.example.com/AIMWebService"));
        let pasted = "https://ccp.example.com/Aim2/api/Accounts";
        assert_eq!(checked_address(pasted).as_deref(), Ok("https://ccp.example.com/Aim2"));
    }

    #[test]
    fn objects_are_each_named_once_and_have_no_signs_of_a_query() {
        assert_eq!(objects(" a b,c\na b").as_deref(), Ok("a b, c"));
        for bad in ["", "a&b", "a%20b", "a/b", "a;b"] {
            assert!(objects(bad).is_err(), "{bad}");
        }
    }
}
