//! Help pages about discovery, cloud keys and deployments.

use super::paths;
use super::topic::{Block, Section, Topic};

pub fn all() -> Vec<Topic> {
    vec![discovery(), cloud_keys(), deployments()]
}

fn discovery() -> Topic {
    let found = "A cloud scan lists the registries, functions and clusters of an account, subscription or project, by region. \
                 What two credentials see of the same account stands there once.";
    let covered = "Covered is what an active integration scans or deploys to: the same service, account and region, and a pattern \
                   that selects it. The page of each line names that integration.";
    let add = "Add scan opens the form of an integration, filled in with the same credential, role and region. Nothing is added \
               before you save it.";
    let unread = "A region that is denied, an API that is switched off or a zone that does not answer is named above the table, \
                  with its reason. What an earlier scan found there stays.";
    Topic::concept(
        paths::DISCOVERY,
        "Discovery",
        "What your cloud accounts hold, and what of it is covered.",
        vec![
            Section::new("found", "What is listed", vec![Block::text(found)]),
            Section::new("covered", "Covered or not", vec![Block::text(covered), Block::text(add)]),
            Section::new("unread", "What could not be read", vec![Block::text(unread)]),
            Section::new("see", "See also", vec![Block::links(&[("/discovery", "Discovery")])]),
        ],
    )
}

fn cloud_keys() -> Topic {
    let found = "A cloud scan with Keys switched on lists every long-term key of the account: access keys of IAM users and of \
                 root, secrets and certificates of applications, keys of service accounts, access tokens. It reads dates and \
                 owners only, and changes nothing.";
    let stored = "A key is stored here when a credential has the same key ID. That credential then has the age that the provider \
                  gives, so that a key has one age everywhere.";
    let old = "A key that is active, older than the limit of its type and not stored here raises one alert for its account. Snooze \
               a key, or all keys of its owner, to leave it out for a while.";
    let store = "Store it here opens the form of a credential with what is known. A secret cannot be read from the provider: enter \
                 it, or create a new key there.";
    Topic::concept(
        paths::CLOUD_KEYS,
        "Cloud keys",
        "Keys in your cloud accounts, stored here or not.",
        vec![
            Section::new("found", "What is listed", vec![Block::text(found)]),
            Section::new("stored", "Stored here or not", vec![Block::text(stored), Block::text(store)]),
            Section::new("old", "Old keys", vec![Block::text(old)]),
            Section::new("see", "See also", vec![Block::links(&[("/cloud-keys", "Cloud keys")])]),
        ],
    )
}

fn deployments() -> Topic {
    let made = "A deployment is a DaemonSet with a service account, a cluster role and its binding, and a Secret for each \
                credential that is handed on. The namespace is created if it doesn't exist. Every object carries the label \
                app.kubernetes.io/managed-by=strongroom and the ID of its integration.";
    let preview = [
        "Preview asks the cluster what would be created and changed, and what the login may do. It changes nothing.",
        "A field that somebody else manages is a conflict: it is taken over only where you tick it.",
        "A field that cannot change needs the object to be deleted and created again, which is asked first.",
        "A value of a Secret is never shown. The preview says whether it changes.",
    ];
    let after = [
        "Deploying is done when every node that should run the agent has a ready pod of the new settings, and there is one.",
        "Undo goes back to the settings that were deployed before.",
        "Drift is what differs from what was deployed. It raises an alert; Restore shows it in a preview.",
        "When a credential that is handed on gets a new secret, the new one is deployed by itself, and the pods restart.",
    ];
    let removal = "Remove deletes only what carries the mark of its integration. A namespace goes if Strongroom created it and \
                   nothing else lives there; one that hangs is explained, and never forced. Deleting an integration leaves \
                   the agent in the cluster unless you tick that it goes too.";
    let secrets = "A pull secret and an agent secret are written into the cluster, where its administrators can read them. Only \
                   an administrator of Strongroom chooses them, or another cluster or namespace for them, and confirms it \
                   with a password.";
    let many = "The page Clusters lists every deployment. Tick some and choose Upgrade to give them another image, so many at \
                once. The first that fails stops the upgrade: those after it keep their settings.";
    Topic::concept(
        paths::DEPLOYMENTS,
        "Deployments",
        "How an agent gets onto the nodes of a cluster, and off again.",
        vec![
            Section::new("made", "What is created", vec![Block::text(made)]),
            Section::new("preview", "Preview", vec![Block::points(&preview)]),
            Section::new("after", "After that", vec![Block::points(&after)]),
            Section::new("removal", "Removal", vec![Block::text(removal)]),
            Section::new("secrets", "Credentials in the cluster", vec![Block::text(secrets)]),
            Section::new("many", "Many clusters", vec![Block::text(many), Block::links(&[("/clusters", "Clusters")])]),
        ],
    )
}
