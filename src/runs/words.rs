//! The words of the audit trail for the results of runs.

use crate::integrations::Family;
use crate::models::events::Action;
use crate::models::integrations::Integration;
use crate::models::runs::{Run, RunAction};
use crate::names;

pub fn is_of_deployment(run: &Run) -> bool {
    matches!(run.action, RunAction::Deploy | RunAction::Observe | RunAction::Remove)
}

/// The audit trail's words for the end of a run.
pub struct Words {
    pub succeeded: Action,
    pub partly: Action,
    pub failed: Action,
    pub stopped: Action,
}

/// The words for a run of the integration.
pub fn words(integration: &Integration, action: RunAction) -> Words {
    match Family::find(&integration.family) {
        Some(Family::SecretSync) => of_sync(action),
        _ => of_others(action),
    }
}

fn of_sync(action: RunAction) -> Words {
    let stopped = Action::SyncStopped;
    match action {
        RunAction::Deploy => Words {
            succeeded: Action::SyncApplied,
            partly: Action::SyncAppliedPartly,
            failed: Action::SyncApplyFailed,
            stopped,
        },
        RunAction::Remove => Words {
            succeeded: Action::SyncRemoved,
            partly: Action::SyncRemovedPartly,
            failed: Action::SyncRemoveFailed,
            stopped,
        },
        RunAction::Scan | RunAction::ScanPlaces | RunAction::Observe => Words {
            succeeded: Action::SyncChecked,
            partly: Action::SyncChecked,
            failed: Action::SyncCheckFailed,
            stopped,
        },
    }
}

fn of_others(action: RunAction) -> Words {
    let stopped = Action::DeploymentStopped;
    match action {
        RunAction::Scan | RunAction::ScanPlaces => Words {
            succeeded: Action::ScanSucceeded,
            partly: Action::ScanPartly,
            failed: Action::ScanFailed,
            stopped: Action::ScanStopped,
        },
        RunAction::Deploy => {
            Words { succeeded: Action::Deployed, partly: Action::DeployedPartly, failed: Action::DeployFailed, stopped }
        }
        RunAction::Observe => Words {
            succeeded: Action::DeploymentChecked,
            partly: Action::DeploymentChecked,
            failed: Action::DeploymentCheckFailed,
            stopped,
        },
        RunAction::Remove => Words {
            succeeded: Action::DeploymentRemoved,
            partly: Action::DeploymentRemovedPartly,
            failed: Action::DeploymentRemoveFailed,
            stopped,
        },
    }
}

/// `images`, `images of team/app`, `images of 3 places`
pub fn counted(run: &Run, noun: &str) -> String {
    let items = names::plural(noun);
    match run.places.as_deref().filter(|_| !is_of_deployment(run)) {
        None => items,
        Some([place]) => format!("{items} of {place}"),
        Some(places) => format!("{items} of {} places", places.len()),
    }
}

/// The noun for one item of the integration's family.
pub fn noun(integration: &Integration) -> &'static str {
    Family::find(&integration.family).and_then(Family::inventory).map_or("item", |inventory| inventory.noun)
}
