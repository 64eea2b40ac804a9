//! The page of a sync: what it keeps, how that stands in the cluster, and the roles that it needs. For htmx it answers with
//! a part of the page, as the page of a deployment does.

use actix_web::HttpResponse;
use askama::Template;

use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::deployments::State;
use crate::integrations::deployments::syncs::{self, Item};
use crate::models::runs::RunState;
use crate::models::{CredentialId, IntegrationId};
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::integrations::deployment::panel::Panel;
use crate::web::integrations::deployment::show::Read;
use crate::web::integrations::exports::Exports;
use crate::web::integrations::facts::facts;
use crate::web::integrations::inventory::{self, Listed};
use crate::web::integrations::shown::{self, Going, Past, counted};
use crate::web::page::{self, Shell, When};
use crate::web::params::Params;

#[derive(Template)]
#[template(path = "syncs/show.html", blocks = ["live", "run", "results"])]
struct Show {
    shell: Shell,
    id: IntegrationId,
    name: String,
    kind: String,
    host: String,
    active: bool,
    doubt: Option<String>,
    panel: Panel,
    going: Option<Going>,
    /// Why the last finished run failed.
    failed: Option<String>,
    items: Vec<Kept>,
    search: String,
    inventory: Listed,
    exports: Exports,
    history: Vec<Past>,
    credential: Option<(CredentialId, String)>,
    role: Option<String>,
    facts: Vec<(&'static str, String)>,
    /// The roles with exactly the rights that the items need; blank without items.
    manifest: String,
    owner: String,
    tags: Vec<String>,
    edited: (String, When),
}

/// A Secret that it keeps.
struct Kept {
    item: Item,
    /// Page and name of the credential or the store; `None` if it is gone.
    source: Option<(String, String)>,
}

impl Kept {
    fn new(item: Item, further: &[(String, CredentialId, String)]) -> Self {
        let source = match &item.entry {
            Some(of) => Some((format!("/integrations/{}", of.store), of.entry.clone())),
            None => {
                let found = further.iter().find(|(role, ..)| *role == item.role());
                found.map(|(_, id, name)| (format!("/credentials/{id}"), name.clone()))
            }
        };
        Self { source, item }
    }

    /// `Registry login (dockerconfigjson)`
    fn kind(&self) -> &str {
        let fields = syncs::FIELDS.iter().find(|field| field.name == "type");
        let options = match fields.map(|field| field.control) {
            Some(crate::form::Control::Choice(options)) => options,
            _ => &[],
        };
        options.iter().find(|(slug, _)| *slug == self.item.kind).map_or(self.item.kind.as_str(), |(_, label)| label)
    }

    fn keys(&self) -> String {
        let shown = |(key, name): &(String, String)| if key == name { key.clone() } else { format!("{key} as {name}") };
        self.item.keys.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}

/// The page, or the part of it that htmx asks for.
pub fn show(shell: Shell, asked: bool, read: Read, params: &Params) -> Result<HttpResponse, Error> {
    let page = Show::new(shell, read, params);
    if !asked {
        return page::html(&page);
    }
    match (params.get("part"), &page.going) {
        ("run", Some(_)) => page::html(&page.as_run()),
        ("run", None) => {
            let mut response = page::html(&page.as_live())?;
            htmx::retarget(&mut response, "#live", "outerMorph");
            Ok(response)
        }
        _ => page::html(&page.as_results()),
    }
}

/// The panel of a deployment in the words of a sync.
fn panel(read: &Read) -> Panel {
    let mut panel = Panel::new(&read.row, read.deployment.as_ref(), read.now);
    let row = read.deployment.as_ref();
    let state: State = row.and_then(|row| serde_json::from_value(row.state.clone()).ok()).unwrap_or_default();
    panel.past = "Applied";
    panel.ready = match state.desired {
        _ if panel.seen.is_none() || state.removed => String::new(),
        desired => format!("{} of {} in sync", state.ready, counted(desired.into(), "Secret")),
    };
    panel.standing.1 = match panel.standing.1 {
        "Ready" => "In sync",
        "Not ready" | "Rolling out" => "Not in sync",
        "Not deployed" => "Not applied",
        other => other,
    };
    panel
}

impl Show {
    fn new(shell: Shell, read: Read, params: &Params) -> Self {
        let panel = panel(&read);
        let Read { row, doubt, credential, further, runs, items, total, leads_to, now, .. } = read;
        let family = inventory::of(&row.family);
        let settings = Values::from_json(row.settings.as_bytes()).unwrap_or_default();
        let going = runs.first().filter(|run| run.unfinished()).map(|run| Going::new(run, family));
        let finished = runs.iter().find(|run| !run.unfinished());
        let (path, kept) = (format!("/integrations/{}", row.id), syncs::items(&settings));
        Self {
            shell,
            id: row.id,
            kind: shown::kind(&row.family, &row.version),
            host: leads_to,
            active: row.active,
            doubt,
            panel,
            going,
            failed: finished.filter(|run| run.state == RunState::Failed).and_then(|run| run.error.clone()),
            search: params.get("q").to_owned(),
            inventory: Listed::new(family, items, total, &path, params, now),
            exports: Exports::new(&row, &path, params),
            history: runs.iter().filter(|run| !run.unfinished()).map(|run| Past::new(run, family, now)).collect(),
            credential,
            role: Spec::find(&row.version).and_then(|spec| spec.role(&settings)),
            facts: facts(&row, &settings, None),
            manifest: syncs::manifest(&kept, syncs::subject(&row.version)),
            items: kept.into_iter().map(|item| Kept::new(item, &further)).collect(),
            owner: row.owner.clone(),
            tags: row.tags.clone(),
            edited: (row.edited_by.clone(), page::when(row.edited_at, now)),
            name: row.name,
        }
    }
}
