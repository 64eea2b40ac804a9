//! The help page of a provider of integrations, from what it declares: its form, the credentials it signs in with, the
//! rights it needs, what its scan finds or its message carries, and what it fails with.

use std::time::Duration;

use super::topic::{Block, Link, Section, Topic};
use super::{fields, paths, rights};
use crate::credentials;
use crate::integrations::alerts::{Channel, TRIGGER_FIELDS};
use crate::integrations::deployments::syncs::MOST_SECRETS;
use crate::integrations::inventory::Inventory;
use crate::integrations::registries::hooks::Hook;
use crate::integrations::registries::selection::{MAX_IMAGES, MAX_REPOSITORIES};
use crate::integrations::spec::Host;
use crate::integrations::{Family, Spec};
use crate::providers;
use crate::web::integrations::shown::{counted, grouped};

pub fn topic(spec: &'static Spec) -> Topic {
    let family = spec.family();
    let mut sections = vec![
        Section::new("does", "What it does", does(spec)),
        Section::new("credential", "What it signs in with", signs_in(spec)),
        Section::new("rights", "Rights it needs", rights_of(spec)),
    ];
    // The alerts that a channel can be told of are the same for all, and have a page.
    let is_own = |name: &str| TRIGGER_FIELDS.iter().all(|field| field.name != name);
    let own: Vec<_> = spec.fields.iter().filter(|field| is_own(field.name)).copied().collect();
    if !own.is_empty() {
        sections.push(Section::new("form", "On the form", vec![fields::terms(&own)]));
    }
    sections.push(Section::new("faults", "What can go wrong", faults(spec)));
    sections.push(Section::new("limits", "Limits", limits(spec)));
    Topic {
        href: paths::of_spec(spec.slug),
        group: family.plural(),
        mark: spec.slug,
        title: spec.label.to_owned(),
        lead: family.summary().to_owned(),
        sections,
        add: Some((format!("/integrations/new?version={}", spec.slug), "Add integration")),
    }
}

const DEPLOYS: &str = "It deploys an agent to the nodes of the cluster, after a preview of what would change there, shows how it \
    runs on each node, and alerts when it drifts or its pods fail.";

const SYNCS: &str = "It writes stored credentials into the cluster as Secrets, after a preview, keeps them up to date when \
    they are rotated, and alerts when someone changes them.";

fn does(spec: &Spec) -> Vec<Block> {
    let mut blocks = Vec::new();
    match (spec.family().inventory(), spec.channel()) {
        _ if spec.is_sync() => {
            blocks.push(Block::text(SYNCS));
            blocks.push(Block::Links(vec![Link::new(paths::SYNCS, "How Secret syncs work")]));
        }
        _ if spec.deployment().is_some() => {
            blocks.push(Block::text(DEPLOYS));
            blocks.push(Block::Links(vec![Link::new(paths::DEPLOYMENTS, "How deployments work")]));
        }
        (Some(inventory), _) if spec.store().is_some() => {
            blocks.push(Block::text(finds(inventory)));
            blocks.push(Block::Links(vec![Link::new(paths::STORES, "How secret stores work")]));
        }
        (Some(inventory), _) => blocks.push(Block::text(finds(inventory))),
        (None, Some(channel)) => blocks.push(Block::text(carries(channel))),
        (None, None) => {}
    }
    if let Some(hook) = Hook::of(spec.slug) {
        blocks.push(Block::text(format!(
            "It can call a webhook of the console, so that what changed is scanned within seconds. {}",
            hook.enter
        )));
    }
    blocks.push(Block::text(match (spec.check.is_some(), spec.channel().is_some()) {
        (true, false) => "Test connection signs in and reads a little. It changes nothing.",
        (true, true) => "Test connection signs in. It sends nothing that a person sees; Send test alert does.",
        (false, true) => "This service has no call that only tests: use Send test alert.",
        (false, false) => "It has no test of its own: the first scan shows whether it works.",
    }));
    blocks.extend(destination(spec).map(Block::Text));
    blocks
}

/// Where the credential goes; `None` without one.
fn destination(spec: &Spec) -> Option<String> {
    if spec.uses.is_empty() {
        return None;
    }
    Some(match spec.host {
        Host::Chosen(_) => {
            "The credential is sent to the address on the form. A new address asks for your password first.".to_owned()
        }
        Host::OfCredential if spec.cluster().is_some() => {
            "The credential is sent to the server that it names.".to_owned()
        }
        Host::OfCredential => "Messages are sent to the address that the credential is.".to_owned(),
        Host::Vendor(host) => match host(&rights::example(spec))? {
            host if host.contains(' ') => format!("Messages are sent to {host}."),
            host => format!("The credential is sent to {host}."),
        },
    })
}

fn finds(inventory: &Inventory) -> String {
    let facts: Vec<String> = inventory.columns.iter().map(|column| column.head.to_lowercase()).collect();
    let facts = if facts.is_empty() { String::new() } else { format!(" Of each it shows: {}.", facts.join(", ")) };
    format!(
        "A scan lists every {} that the settings select, when you ask and on the schedule. It changes nothing there.{facts}",
        inventory.noun
    )
}

fn carries(channel: &Channel) -> String {
    match (channel.has_recipients, channel.lines_at_once) {
        (true, _) => {
            "Each recipient gets one letter with all that is new. Nothing is sent to an address before its owner \
                      has confirmed it; every letter has a link to unsubscribe."
                .to_owned()
        }
        (false, 1) => {
            "Each alert is one entry there. A reminder and the end of an alert go to the same entry.".to_owned()
        }
        (false, lines) => format!("New alerts are sent together, up to {lines} in a message."),
    }
}

fn signs_in(spec: &Spec) -> Vec<Block> {
    if spec.uses.is_empty() {
        return vec![Block::text("It needs no credential.")];
    }
    let optional = match spec.needs_credential() {
        true => "It needs a credential of one of these types. Each page says how to create it:",
        false => {
            "It works without a credential where the service allows that. Else it signs in with one of these types:"
        }
    };
    let links = |kinds: &[&str]| {
        let kinds = kinds.iter().filter_map(|slug| credentials::find(slug));
        Block::Links(kinds.map(paths::to_kind).collect())
    };
    let mut blocks = vec![Block::text(optional), links(spec.credential_kinds())];
    for used in spec.further() {
        blocks.push(Block::Text(format!(
            "{}, if you choose one, is written into the cluster as a Secret. It can be of one of these types:",
            used.label
        )));
        blocks.push(links(used.kinds));
    }
    blocks
}

fn rights_of(spec: &Spec) -> Vec<Block> {
    let policies = rights::policies(spec);
    if policies.is_empty() {
        if spec.uses.is_empty() {
            return vec![Block::text("None.")];
        }
        let kinds = spec.credential_kinds().iter().filter_map(|slug| credentials::find(slug));
        let link = |kind: &credentials::Kind| Link {
            href: format!("{}#create", paths::of_kind(kind.slug)),
            ..paths::to_kind(kind)
        };
        let text = "There is no policy to copy. How to create the credential names the least that it needs:";
        return vec![Block::text(text), Block::Links(kinds.map(link).collect())];
    }
    let code = |(caption, text)| Block::Code(caption, text);
    let mut blocks = vec![Block::text(
        "The least that it works with, for the settings of a new form. The page of your credential has the same with your \
         own names.",
    )];
    blocks.extend(policies.into_iter().map(code));
    let role = rights::into_role(spec);
    if !role.is_empty() {
        blocks
            .push(Block::text("With a role to assume, the policy above belongs to the role, and these lead into it:"));
        blocks.extend(role.into_iter().map(code));
    }
    blocks
}

fn faults(spec: &Spec) -> Vec<Block> {
    let mut blocks = Vec::new();
    let known = spec.faults();
    if !known.is_empty() {
        blocks.push(Block::text("Its page says what failed, and what to do:"));
        blocks.push(Block::faults(known));
    }
    let mut links = Vec::new();
    let kinds = spec.credential_kinds().iter().filter_map(|slug| credentials::find(slug));
    for kind in kinds.filter(|kind| !providers::refusals(kind.slug).is_empty()) {
        let refused = format!("Why a credential is refused: {}", kind.label);
        links.push(Link { mark: kind.slug, ..Link::new(format!("{}#faults", paths::of_kind(kind.slug)), refused) });
    }
    links.push(Link::new(paths::CONNECTIONS, "When a service can't be reached"));
    match spec.channel() {
        Some(_) => links.push(Link::new(format!("{}#delivery", paths::ALERTS), "When a message isn't delivered")),
        None if spec.is_sync() => links.push(Link::new(paths::SYNCS, "About Secret syncs")),
        None if spec.deployment().is_some() => {
            links.push(Link::new(format!("{}#preview", paths::DEPLOYMENTS), "About the preview"));
        }
        None => links.push(Link::new(format!("{}#gaps", paths::SCANS), "When a scan reads only a part")),
    }
    blocks.push(Block::Links(links));
    blocks
}

fn limits(spec: &Spec) -> Vec<Block> {
    let size = match (spec.family(), spec.channel()) {
        (Family::RegistryScan, _) => format!(
            "One scan takes {} repositories and {} images. What is beyond that is named as a gap.",
            grouped(MAX_REPOSITORIES as i64),
            grouped(MAX_IMAGES as i64)
        ),
        (_, Some(channel)) => {
            format!("A message that isn't accepted within {} is sent again later.", waited(channel.patience))
        }
        (Family::SecretSync, _) => format!("One sync keeps up to {MOST_SECRETS} Secrets."),
        (Family::DaemonSet, _) => {
            "After ten minutes without progress, or sooner if pods fail, a rollout is shown as not ready.".to_owned()
        }
        _ => "A service that asks for fewer calls is waited for, for as long as it asks.".to_owned(),
    };
    vec![Block::text(size)]
}

/// `40 seconds`, `2 hours`
fn waited(time: Duration) -> String {
    match time.as_secs() as i64 {
        hours if hours % 3_600 == 0 => counted(hours / 3_600, "hour"),
        minutes if minutes % 60 == 0 => counted(minutes / 60, "minute"),
        seconds => counted(seconds, "second"),
    }
}
