//! HashiCorp Vault and OpenBao, by their key/value engine: the form, the list of one mount below a path, and the values
//! of single entries.

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};

use super::names::{ENTRIES, EXCLUDE};
use super::store::{Entry, Store, Unread, answers};
use crate::form::{Field, Values};
use crate::integrations::context::Context;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Scan};
use crate::integrations::spec::{Does, Host, Scanner, Selects, Spec, Use, suits_all};
use crate::integrations::{Family, ca_certificate, service_address};
use crate::providers::vault::Kv;
use crate::providers::{Failure, ProviderError, Sent};

mod calls;
mod list;
mod plan;

use calls::{LISTING, because, of_all, open, sign_in};
use list::{AT_ONCE, check, walk};
use plan::{Plan, address, grants, path};

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
        .help(
            "A token signs in as an API token, an AppRole as Basic authentication: the role ID is the user name, the \
             secret ID the password.",
        )
        .check(checked_address)
        .identity(),
    Field::text("mount", "Mount").default("secret").help("Where the key/value engine is mounted.").max(255).check(path),
    Field::text("path", "Path")
        .optional()
        .placeholder("team")
        .help("Only entries below it. Leave blank for all.")
        .max(512)
        .check(path),
    Field::text("namespace", "Namespace").optional().placeholder("admin/team").max(255).check(path),
    ENTRIES,
    EXCLUDE,
    Field::choice("kv", "Engine version", &[("auto", "Ask the server"), ("2", "KV version 2"), ("1", "KV version 1")])
        .advanced(),
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
