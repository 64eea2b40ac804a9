//! The names of a mount, folder by folder, and *Test connection*.

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};

use super::calls::{LISTING, of_all, of_folder, open, sign_in};
use super::plan::{Plan, joined};
use crate::integrations::context::Context;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Judge, Scan};
use crate::integrations::stores::entry::Facts;
use crate::integrations::stores::names::is_path;
use crate::providers::vault::{Kv, Session};
use crate::providers::{Failure, ProviderError};

/// Calls at once.
pub(super) const AT_ONCE: usize = 8;
/// More entries or folders than these are not taken in by one scan.
const MAX_ENTRIES: usize = 100_000;
const MAX_FOLDERS: usize = 20_000;
/// Folders inside of each other.
const DEEPEST: usize = 32;

pub(super) fn check<'a>(cx: &'a Context<'a>) -> BoxFuture<'a, Result<Option<String>, Failure>> {
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

pub(super) async fn walk(cx: &Context<'_>, session: &Session, plan: &Plan) -> Result<Scan, Gap> {
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
