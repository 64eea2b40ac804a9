//! The help page of a type of credentials, from what the type declares: its form, its guide, what uses it, and what its
//! provider refuses.

use super::topic::{Block, Link, Section, Topic};
use super::{fields, paths, rights};
use crate::credentials::Kind;
use crate::integrations::{Family, Spec};
use crate::providers;

pub fn topic(kind: &'static Kind) -> Topic {
    let users = users(kind);
    let mut sections = vec![
        Section::new("does", "What it does", does(kind, &users)),
        Section::new("create", "How to create it", guide(kind)),
        Section::new("rights", "Rights it needs", rights_of(kind, &users)),
        Section::new("form", "On the form", vec![fields::terms(kind.fields)]),
    ];
    sections.push(Section::new("faults", "What can go wrong", faults(kind)));
    Topic {
        href: paths::of_kind(kind.slug),
        group: "Credentials",
        mark: kind.slug,
        title: kind.label.to_owned(),
        lead: kind.summary.to_owned(),
        sections,
        add: Some((format!("/credentials/new?kind={}", kind.slug), "Add credential")),
    }
}

/// The providers that sign in with a type.
fn users(kind: &Kind) -> Vec<&'static Spec> {
    let all = Family::ALL.iter().flat_map(|family| family.providers()).copied();
    all.filter(|spec| spec.uses.iter().any(|used| used.kinds.contains(&kind.slug))).collect()
}

fn does(kind: &Kind, users: &[&'static Spec]) -> Vec<Block> {
    let test = match providers::has_test(kind) {
        true => "Test asks the provider whether it works, before or after you save it. It is also tested once a day.",
        false => "It can't be tested on its own: test it with an integration that uses it.",
    };
    let mut blocks = vec![Block::text(test)];
    if users.is_empty() {
        blocks.push(Block::text(
            "No integration uses this type today. It can be kept, tested and watched for its expiry.",
        ));
    } else {
        blocks.push(Block::text("These integrations use it:"));
        blocks.push(Block::Links(users.iter().map(|spec| paths::to_spec(spec)).collect()));
    }
    blocks
}

fn guide(kind: &Kind) -> Vec<Block> {
    let guide = &kind.guide;
    let steps = Block::Steps(guide.steps.iter().map(|step| (*step).to_owned()).collect());
    let snippets = guide.snippets.iter().map(|(caption, text)| Block::Code((*caption).to_owned(), (*text).to_owned()));
    std::iter::once(steps).chain(snippets).chain([Block::Source(guide.source)]).collect()
}

fn rights_of(kind: &Kind, users: &[&'static Spec]) -> Vec<Block> {
    let granted: Vec<Link> = users
        .iter()
        .filter(|spec| !rights::policies(spec).is_empty())
        .map(|spec| Link { href: format!("{}#rights", paths::of_spec(spec.slug)), ..paths::to_spec(spec) })
        .collect();
    let own = "A saved credential's page has the least policies with your own names, for everything that uses it.";
    if users.is_empty() {
        let text = "Nothing uses it today, so logging in is enough. Its test says which of the rights above it has.";
        return vec![Block::text(text)];
    }
    match (granted.is_empty(), kind.guide.snippets.is_empty()) {
        (false, _) => {
            vec![Block::text("Each integration needs rights of its own:"), Block::Links(granted), Block::text(own)]
        }
        (true, false) => vec![Block::text("Those named in the steps and lines above, and no more.")],
        (true, true) => vec![Block::text("Those named in the steps above, and no more.")],
    }
}

fn faults(kind: &Kind) -> Vec<Block> {
    let known = providers::refusals(kind.slug);
    let mut blocks = Vec::new();
    if !known.is_empty() {
        blocks.push(Block::text("A test or an integration says why a credential is refused, and what to do:"));
        blocks.push(Block::faults(known));
    }
    blocks.push(Block::Links(vec![Link::new(paths::CONNECTIONS, "When a service can't be reached")]));
    blocks
}
