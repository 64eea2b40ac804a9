//! Help pages about discovery, cloud keys, deployments and secret stores.

use super::paths;
use super::topic::{Block, Section, Topic};

pub fn all() -> Vec<Topic> {
    vec![discovery(), cloud_keys(), deployments(), stores(), syncs()]
}

fn discovery() -> Topic {
    let found = "A cloud scan lists the registries, functions and clusters of an account, subscription or project, by region. \
                 If two credentials see the same account, it is listed once.";
    let covered = "A resource is covered if an active integration scans it or deploys to it: in the same service, account and \
                   region, and matched by its pattern. The resource's page names that integration.";
    let add = "Add scan opens the form of an integration, filled in with the same credential, role and region. Nothing is added \
               until you save it.";
    let unread = "Denied regions, disabled APIs and zones that do not answer are listed above the table with the reason. What an \
                  earlier scan found there is kept.";
    Topic::concept(
        paths::DISCOVERY,
        "Discovery",
        "What your cloud accounts contain, and what is covered.",
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
    let stored = "A key is stored here when a credential has the same key ID. The credential then shows the age that the provider \
                  reports, so that a key has the same age everywhere.";
    let old = "A key that is active, older than the limit of its type and not stored here raises one alert for its account. Snooze \
               a key, or all keys of its owner, to leave it out for a while.";
    let store = "Store it here opens the form of a credential, filled in with what is known. The secret cannot be read from the \
                 provider: enter it, or create a new key there.";
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

fn syncs() -> Topic {
    let kept = "Each item of a sync is one Secret, in one or several namespaces. Its value comes from a stored credential or from an entry of a secret store: all \
                keys as they are, or only those under Keys, each with the name that you give it. The types \
                kubernetes.io/dockerconfigjson, tls and basic-auth are built from the values that they need. Every Secret \
                has the label app.kubernetes.io/managed-by=strongroom and the integration's ID. Other Secrets are never \
                read or listed.";
    let leaves = [
        "This takes a stored value out of Strongroom, so only an administrator adds or changes an item, with their password and \
         the credential's name typed. Every administrator with an address is told.",
        "The operator of this console has to allow it with STRONGROOM_RELEASE_VALUES.",
        "An item is bound to its cluster, namespaces and name. If the sync is led elsewhere, it writes nothing until the \
         item is confirmed again.",
        "It counts as a usage: the credential or the store can't be deleted while an item uses it.",
        "An entry of a secret store is passed on: an administrator chooses it, and nothing of it is kept here.",
    ];
    let after = [
        "Preview shows what would be created, changed or restarted, and which rights are missing. It never shows a value.",
        "When the credential is rotated, the new value is applied automatically; a new value of a store with the next check.",
        "With Restart workloads, the Deployments, StatefulSets and DaemonSets that use the Secret get an annotation with its \
         version, so that their pods start again. No hash of a value is written.",
        "Drift is any difference from what was applied. It raises an alert. A Secret or a field that someone else manages is \
         taken over only if you tick it.",
    ];
    let removal = "Remove deletes only Secrets with the label of its integration. An item that you delete is deleted from the \
                   cluster with the next apply. If a finalizer holds one, you see which; it is never removed.";
    Topic::concept(
        paths::SYNCS,
        "Secret syncs",
        "How to keep Kubernetes Secrets up to date.",
        vec![
            Section::new("kept", "What it keeps", vec![Block::text(kept)]),
            Section::new("leaves", "Values leave Strongroom", vec![Block::points(&leaves)]),
            Section::new("after", "After that", vec![Block::points(&after)]),
            Section::new("removal", "Removal", vec![Block::text(removal)]),
        ],
    )
}

fn deployments() -> Topic {
    let made = "A deployment is a DaemonSet and a service account, a ClusterRole and its binding if the agent uses the \
                Kubernetes API, and a Secret for each pull secret or agent secret. The namespace is created if it doesn't \
                exist. Every created object has the label app.kubernetes.io/managed-by=strongroom and the integration's ID.";
    let preview = [
        "Preview asks the cluster what would be created or changed, and which rights the login has. It changes nothing.",
        "A field that another manager owns is a conflict. It is taken over only if you tick it.",
        "If an immutable field has to change, the object is deleted and created again, but only if you agree.",
        "Values of a Secret are never shown. The preview only says whether they change.",
    ];
    let after = [
        "A deployment is finished when every matching node, at least one, has an available pod with the new settings.",
        "Undo deploys the previous settings again.",
        "Drift is any difference from what was deployed. It raises an alert. Restore opens a preview that would undo it.",
        "When a pull secret or agent secret is rotated here, the new value is deployed automatically, and the pods restart.",
    ];
    let removal = "Remove deletes only objects with the label of its integration. A namespace is deleted only if Strongroom created \
                   it and it is empty. If it hangs, you see why; finalizers are never removed. Deleting an integration \
                   leaves the agent in the cluster, unless you tick that it is removed first.";
    let secrets = "Pull secrets and agent secrets are written into the cluster, where its administrators can read them. Only an \
                   administrator of Strongroom can choose them, or change the cluster or namespace they go to, and \
                   confirms it with a password.";
    let many = "The page Clusters lists every deployment. Select some and choose Upgrade to give them a new image, a few at a \
                time. After the first failure no further one is started: the rest keep their settings.";
    Topic::concept(
        paths::DEPLOYMENTS,
        "Deployments",
        "How to deploy an agent to the nodes of a cluster, and remove it again.",
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

fn stores() -> Topic {
    let listed = "A scan lists the names of a store's entries, on the schedule and when you ask. It reads no values, except at \
                  CyberArk, which has no list: there each account that the settings name is asked for, and what comes is dropped.";
    let names = "An entry is spelled as its page lists it: the place, a slash, the entry. The place is the mount, region, project, \
                 vault or safe. A parameter of AWS loses its leading slash: eu-central-1/prod/db.";
    let values = "A value is read when it is passed on, or when you import the entry. It is in memory only: it is not stored, \
                  logged or shown. Each read is in the audit trail, with the names of the entries.";
    let keys = "An entry that is a JSON object has its members as keys. Anything else is one key, value. Bytes that are no text \
                are in base64.";
    let selected = "Only entries that the settings select can be read. The rights on the page of each store are enough to list and \
                    read them. Once an entry is passed on, only an administrator changes the settings of its store or \
                    the credential.";
    let import = [
        "As an administrator, choose entries on the store's page under Import entries.",
        "They are read, and you see the type that fits each one: an AWS key pair, a Google or Azure key, a kubeconfig, a \
         certificate, a user name and password, or else a token. Values are not shown, and nothing is kept.",
        "Import selected. They are read once more; one that has changed its type meanwhile is left out.",
        "From then on they are credentials of Strongroom: a later change in the store does not reach them.",
    ];
    Topic::concept(
        paths::STORES,
        "Secret stores",
        "Entries of your secret stores, by name, and how their values are passed on.",
        vec![
            Section::new("listed", "What is listed", vec![Block::text(listed), Block::text(names)]),
            Section::new("values", "What is read", vec![Block::text(values), Block::text(keys), Block::text(selected)]),
            Section::new("import", "Import entries", vec![Block::points(&import)]),
            Section::new(
                "see",
                "See also",
                vec![Block::links(&[("/integrations?family=secret_store", "Secret stores")])],
            ),
        ],
    )
}
