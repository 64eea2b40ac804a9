//! The words for what is recorded in the audit trail, one line an action. No query lives here. Whoever records a new
//! action adds its line; a test finds the ones that are missing.

/// One kind of event, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// As it is stored: `noun.verb`.
    pub name: &'static str,
    /// In the filter.
    pub label: &'static str,
    /// Between who and on what: *ada* **changed the credential** *prod*.
    pub verb: &'static str,
}

const fn action(name: &'static str, label: &'static str, verb: &'static str) -> Action {
    Action { name, label, verb }
}

/// Every action that is ever recorded, as the filter lists them. A test compares them with the sources.
pub const ACTIONS: &[Action] = &[
    action("login.succeeded", "Logged in", "logged in as"),
    action("login.failed", "Login failed", "failed to log in as"),
    action("login.locked", "Login locked", "failed too often and was locked out of"),
    action("credential.created", "Credential added", "added the credential"),
    action("credential.edited", "Credential changed", "changed the credential"),
    action("credential.deleted", "Credential deleted", "deleted the credential"),
    action(
        "credential.delete_refused",
        "Credential in use, not deleted",
        "tried to delete, while it is in use, the credential",
    ),
    action("credential.opened", "Credential used", "used the secret of"),
    action("credential.tested", "Credential tested", "tested the credential"),
    action("credential.limit_changed", "Age limit changed", "changed when to alert about the age of"),
    action("credential.integrity_failure", "Credential altered", "found altered in the database the credential"),
    action("integration.created", "Integration added", "added the integration"),
    action("integration.edited", "Integration changed", "changed the integration"),
    action("integration.activated", "Integration switched on", "switched on the integration"),
    action("integration.deactivated", "Integration switched off", "switched off the integration"),
    action("integration.deleted", "Integration deleted", "deleted the integration"),
    action("integration.destination_allowed", "Destination allowed", "allowed a new destination for"),
    action("integration.destination_refused", "Destination refused", "was refused a new destination for"),
    action("integration.integrity_failure", "Integration altered", "found altered in the database the integration"),
    action("alert.acknowledged", "Alert acknowledged", "looks after the alert about"),
    action("alert.snoozed", "Alert snoozed", "changed the reminders of the alert about"),
    action("alerts.settings_changed", "Alert settings changed", "changed the settings of"),
    action("delivery.retried", "Delivery tried again", "asked for another try of a message through"),
    action("delivery.dropped", "Delivery given up", "gave up a message through"),
    action("recipient.added", "Recipient added", "added the recipient"),
    action("recipient.confirmed", "Recipient confirmed", "confirmed the address"),
    action("recipient.unsubscribed", "Recipient unsubscribed", "unsubscribed the address"),
    action("recipient.removed", "Recipient removed", "removed the recipient"),
    action("user.created", "User added", "added the user"),
    action("user.role_changed", "Role changed", "changed the role of"),
    action("user.disabled", "User disabled", "disabled the user"),
    action("user.enabled", "User enabled", "enabled the user"),
    action("user.password_changed", "Password changed", "changed the password of"),
    action(
        "user.password_rehashed",
        "Password hashed anew",
        "logged in, and gave today's strength to the password hash of",
    ),
    action("user.two_step_on", "Two-step verification on", "turned on two-step verification for"),
    action("user.two_step_off", "Two-step verification off", "turned off two-step verification for"),
    action("user.two_step_required", "Two-step verification required", "now requires two-step verification of"),
    action("user.two_step_optional", "Two-step verification optional", "no longer requires two-step verification of"),
    action("user.recovery_codes_made", "Recovery codes made", "made new recovery codes for"),
    action("user.recovery_code_used", "Recovery code used", "used up a recovery code of"),
    action("user.integrity_failure", "User altered", "found altered in the database the user"),
    action("session.ended", "Session ended", "ended a session of"),
    action("key.added", "Master key added", "added the"),
    action("key.activated", "Master key activated", "activated the"),
    action("key.rewrapped", "Master key rewrapped", "wrapped the data keys anew under the"),
    action("key.retired", "Master key retired", "retired the"),
];

impl Action {
    /// `None` for an action of a later version.
    pub fn find(name: &str) -> Option<&'static Self> {
        ACTIONS.iter().find(|action| action.name == name)
    }
}
