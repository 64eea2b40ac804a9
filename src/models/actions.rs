//! The actions that the audit trail records, one per line, each with its words. Recording an action that is not listed
//! does not compile. There are no queries here.

/// Declares the actions: variant, stored name, label in the filter, verb between who and on what.
macro_rules! actions {
    ($($variant:ident $name:literal $label:literal $verb:literal;)*) => {
        /// One kind of event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Action {
            $($variant,)*
        }

        impl Action {
            /// As the filter lists them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As it is stored: `noun.verb`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// In the filter: *Credential changed*.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)*
                }
            }

            /// Between who and on what: *ada* **changed the credential** *prod*.
            pub const fn verb(self) -> &'static str {
                match self {
                    $(Self::$variant => $verb,)*
                }
            }
        }
    };
}

actions! {
    LoginSucceeded "login.succeeded" "Logged in" "logged in as";
    LoginConfirmed "login.confirmed" "Password confirmed" "confirmed the password of";
    LoginEnded "login.ended" "Logged out" "logged out";
    LoginFailed "login.failed" "Login failed" "failed to log in as";
    LoginLocked "login.locked" "Login locked" "failed too often and was locked out of";
    CredentialCreated "credential.created" "Credential added" "added the credential";
    CredentialEdited "credential.edited" "Credential changed" "changed the credential";
    CredentialDeleted "credential.deleted" "Credential deleted" "deleted the credential";
    CredentialDeleteRefused "credential.delete_refused" "Deletion refused" "tried to delete a credential in use:";
    CredentialOpened "credential.opened" "Credential used" "used the secret of";
    CredentialTested "credential.tested" "Credential tested" "tested the credential";
    CredentialLimitChanged "credential.limit_changed" "Age limit changed" "changed when to alert about the age of";
    CredentialLabelsChanged "credential.labels_changed" "Owner or tags of a credential changed"
        "changed the owner or tags of the credential";
    CredentialIntegrityFailure "credential.integrity_failure" "Credential tampered with"
        "detected tampering with the credential";
    IntegrationCreated "integration.created" "Integration added" "added the integration";
    IntegrationEdited "integration.edited" "Integration changed" "changed the integration";
    IntegrationLabelsChanged "integration.labels_changed" "Owner or tags of an integration changed"
        "changed the owner or tags of the integration";
    IntegrationActivated "integration.activated" "Integration switched on" "switched on the integration";
    IntegrationDeactivated "integration.deactivated" "Integration switched off" "switched off the integration";
    IntegrationDeleted "integration.deleted" "Integration deleted" "deleted the integration";
    IntegrationDestinationAllowed "integration.destination_allowed" "Destination allowed"
        "allowed a new destination for";
    IntegrationDestinationRefused "integration.destination_refused" "Destination refused"
        "was refused a new destination for";
    IntegrationIntegrityFailure "integration.integrity_failure" "Integration tampered with"
        "detected tampering with the integration";
    HookMade "hook.made" "Webhook address created" "created a webhook address for";
    HookRemoved "hook.removed" "Webhook removed" "removed the webhook address of";
    ScanSucceeded "scan.succeeded" "Scan succeeded" "scanned with";
    ScanPartly "scan.partly" "Scan with gaps" "scanned a part of the registry with";
    ScanFailed "scan.failed" "Scan failed" "failed to scan with";
    ScanStopped "scan.stopped" "Scan stopped" "stopped the scan of";
    ScanStopRequested "scan.stop_requested" "Scan stop requested" "asked to stop the scan of";
    Deployed "deployment.deployed" "Deployed" "deployed to the cluster of";
    DeployedPartly "deployment.not_ready" "Deployed, not ready" "deployed, without every node ready, to the cluster of";
    DeployFailed "deployment.failed" "Deployment failed" "failed to deploy to the cluster of";
    DeploymentStopped "deployment.stopped" "Deployment stopped" "stopped the deployment of";
    DeploymentChecked "deployment.checked" "Deployment checked" "checked the deployment of";
    DeploymentCheckFailed "deployment.check_failed" "Deployment check failed" "failed to check the deployment of";
    DeploymentRemoved "deployment.removed" "Deployment removed" "removed the deployment of";
    DeploymentRemovedPartly "deployment.removed_partly" "Deployment partly removed"
        "removed part of the deployment of";
    SyncApplied "sync.applied" "Secrets applied" "applied the Secrets of";
    SyncAppliedPartly "sync.applied_partly" "Secrets partly applied" "applied some of the Secrets of";
    SyncApplyFailed "sync.apply_failed" "Secrets not applied" "failed to apply the Secrets of";
    SyncStopped "sync.stopped" "Secret Sync stopped" "stopped the run of";
    SyncChecked "sync.checked" "Secrets checked" "checked the Secrets of";
    SyncCheckFailed "sync.check_failed" "Check of Secrets failed" "failed to check the Secrets of";
    SyncRemoved "sync.removed" "Secrets removed" "removed the Secrets of";
    SyncRemovedPartly "sync.removed_partly" "Secrets partly removed" "removed some of the Secrets of";
    SyncRemoveFailed "sync.remove_failed" "Secrets not removed" "failed to remove the Secrets of";
    SyncItemAdded "sync.item_added" "Secret added to a sync" "added a Secret to the sync";
    SyncItemEdited "sync.item_edited" "Secret of a sync changed" "changed a Secret of the sync";
    SyncItemDeleted "sync.item_deleted" "Secret taken from a sync" "took a Secret from the sync";
    SyncValueAllowed "sync.value_allowed" "Stored value released to a cluster"
        "lets a cluster get the stored value of";
    RolloutBegun "rollout.begun" "Upgrade started" "started the upgrade to";
    RolloutFinished "rollout.finished" "Upgrade finished" "finished the upgrade to";
    RolloutFailed "rollout.failed" "Upgrade stopped after a failure" "stopped, after a failure, the upgrade to";
    RolloutStopped "rollout.stopped" "Upgrade stopped" "stopped the upgrade to";
    DeploymentRemoveFailed "deployment.remove_failed" "Deployment not removed" "failed to remove the deployment of";
    ClientCreated "client.created" "Client added" "added the client";
    ClientEdited "client.edited" "Client changed" "changed the client";
    ClientEnabled "client.enabled" "Client enabled" "enabled the client";
    ClientDisabled "client.disabled" "Client disabled" "disabled the client";
    ClientDeleted "client.deleted" "Client deleted" "deleted the client";
    ClientLoginMade "client.login_made" "Client login added" "added a login to the client";
    ClientLoginRotated "client.login_rotated" "Client login rotated" "rotated a login of the client";
    ClientLoginEnded "client.login_ended" "Client login ended" "ended a login of the client";
    ClientRuleMade "client.rule_made" "Rule added" "added the rule";
    ClientRuleEdited "client.rule_edited" "Rule changed" "changed the rule";
    ClientRuleRefreshed "client.rule_refreshed" "Value refreshed" "refreshed the value of the rule";
    ClientRuleDeleted "client.rule_deleted" "Rule deleted" "deleted the rule";
    ClientValueAllowed "client.value_allowed" "Stored value released to a client"
        "lets a client fetch the stored value of";
    ClientLoggedIn "client.logged_in" "Client logged in" "logged in";
    ClientLoginFailed "client.login_failed" "Client login failed" "failed to log in as";
    ClientTokenRevoked "client.token_revoked" "Session token revoked" "revoked a session token of";
    ClientFetched "client.fetched" "Fetched by a client" "fetched";
    ClientFetchedAgain "client.fetched_again" "Fetched again by a client" "fetched again";
    ClientFetchFailed "client.fetch_failed" "Fetch failed" "failed to fetch";
    ClientIntegrityFailure "client.integrity_failure" "Client tampered with" "detected tampering with the client";
    AlertAcknowledged "alert.acknowledged" "Alert acknowledged" "acknowledged the alert about";
    AlertSnoozed "alert.snoozed" "Alert snoozed" "snoozed the alert about";
    CloudKeySnoozed "cloud_key.snoozed" "Cloud key snoozed" "snoozed the old keys:";
    CloudKeySnoozeStopped "cloud_key.snooze_stopped" "Cloud key no longer snoozed" "stopped snoozing the old keys:";
    AlertsSettingsChanged "alerts.settings_changed" "Alert settings changed" "changed the settings of";
    ViewShared "view.shared" "View shared" "shared the view";
    ViewRenamed "view.renamed" "Shared view renamed" "renamed the shared view";
    ViewRemoved "view.removed" "Shared view removed" "removed the shared view";
    FirstStepTicked "first_steps.ticked" "First step done" "ticked off the first step:";
    FirstStepsHidden "first_steps.hidden" "First steps hidden" "hid the list of";
    SampleLoaded "sample.loaded" "Sample data loaded" "loaded the";
    SampleRemoved "sample.removed" "Sample data removed" "removed the";
    DeliveryRetried "delivery.retried" "Delivery retried" "retried a message through";
    DeliveryDropped "delivery.dropped" "Delivery discarded" "discarded a message through";
    RecipientAdded "recipient.added" "Recipient added" "added the recipient";
    RecipientConfirmed "recipient.confirmed" "Recipient confirmed" "confirmed the address";
    RecipientUnsubscribed "recipient.unsubscribed" "Recipient unsubscribed" "unsubscribed the address";
    RecipientRemoved "recipient.removed" "Recipient removed" "removed the recipient";
    UserCreated "user.created" "User added" "added the user";
    UserRoleChanged "user.role_changed" "Role changed" "changed the role of";
    UserDisabled "user.disabled" "User disabled" "disabled the user";
    UserEnabled "user.enabled" "User enabled" "enabled the user";
    UserPasswordChanged "user.password_changed" "Password changed" "changed the password of";
    UserPasswordRehashed "user.password_rehashed" "Password hash upgraded" "upgraded the password hash of";
    UserTwoStepOn "user.two_step_on" "Two-step verification on" "turned on two-step verification for";
    UserTwoStepOff "user.two_step_off" "Two-step verification off" "turned off two-step verification for";
    UserTwoStepRequired "user.two_step_required" "Two-step verification required"
        "now requires two-step verification of";
    UserTwoStepOptional "user.two_step_optional" "Two-step verification optional"
        "no longer requires two-step verification of";
    UserEmailChanged "user.email_changed" "E-mail address changed" "changed the e-mail address of";
    UserInvited "user.invited" "User invited" "sent an invitation to";
    UserInvitationWithdrawn "user.invitation_withdrawn" "Invitation withdrawn" "withdrew the invitation of";
    UserResetAsked "user.reset_asked" "Password reset requested" "requested a password reset for";
    UserDeleted "user.deleted" "User deleted" "deleted the user";
    ApiTokenMade "api_token.made" "API token added" "added the API token";
    UserApiSessionsEnded "user.api_sessions_ended" "API sessions ended" "ended the API sessions of";
    ApiTokenEnded "api_token.ended" "API token revoked" "revoked the API token";
    UserRecoveryCodesMade "user.recovery_codes_made" "Recovery codes created" "created new recovery codes for";
    UserRecoveryCodeUsed "user.recovery_code_used" "Recovery code used" "used up a recovery code of";
    UserIntegrityFailure "user.integrity_failure" "User tampered with" "detected tampering with the user";
    SessionIntegrityFailure "session.integrity_failure" "Session tampered with" "refused";
    SessionEnded "session.ended" "Session ended" "ended a session of";
    KeyAdded "key.added" "Master key added" "added the";
    KeyActivated "key.activated" "Master key activated" "activated the";
    KeySuperseded "key.superseded" "Master key superseded" "no longer seals new values under the";
    KeyRewrapStarted "key.rewrap_started" "Rewrapping started" "started to rewrap the data keys of the";
    KeyVerified "key.verified" "Master key verified" "opened every value after rewrapping, for the";
    KeyRewrapped "key.rewrapped" "Master key rewrapped" "rewrapped the data keys under the";
    KeyRetired "key.retired" "Master key retired" "retired the";
    StoreVerificationStarted "store.verification_started" "Verification started" "started to verify";
    StoreVerified "store.verified" "Store verified" "verified";
    StoreVerificationFailed "store.verification_failed" "Verification failed" "found faults while verifying";
    AuditAccepted "audit.accepted" "Break of the trail accepted" "accepted breaks of";
    AuditExported "audit.exported" "Old events exported" "exported old events of";
    StoreSigned "store.signed" "Row checks renewed" "renewed the row checks of";
}

impl Action {
    /// Whether it is recorded also while a broken trail holds the store: logging in and out, refusals, and what is found.
    pub const fn is_kept_while_held(self) -> bool {
        matches!(
            self,
            Self::LoginSucceeded
                | Self::LoginConfirmed
                | Self::LoginEnded
                | Self::LoginFailed
                | Self::LoginLocked
                | Self::SessionEnded
                | Self::UserApiSessionsEnded
                | Self::UserRecoveryCodeUsed
                | Self::ClientLoginFailed
                | Self::ClientIntegrityFailure
                | Self::CredentialIntegrityFailure
                | Self::IntegrationIntegrityFailure
                | Self::UserIntegrityFailure
                | Self::SessionIntegrityFailure
                | Self::StoreVerificationStarted
                | Self::StoreVerified
                | Self::StoreVerificationFailed
                | Self::AuditAccepted
        )
    }

    /// Whether its events may be exported and removed when they are old: what was used or looked at, and who came in.
    pub const fn is_routine(self) -> bool {
        matches!(
            self,
            Self::LoginSucceeded
                | Self::LoginConfirmed
                | Self::LoginEnded
                | Self::LoginFailed
                | Self::SessionEnded
                | Self::CredentialOpened
                | Self::CredentialTested
                | Self::ScanSucceeded
                | Self::ScanPartly
                | Self::ScanFailed
                | Self::ScanStopped
                | Self::ScanStopRequested
                | Self::DeploymentChecked
                | Self::DeploymentCheckFailed
                | Self::SyncChecked
                | Self::SyncCheckFailed
                | Self::DeliveryRetried
                | Self::StoreVerificationStarted
                | Self::StoreVerified
                | Self::ClientLoggedIn
                | Self::ClientLoginFailed
                | Self::ClientFetched
                | Self::ClientFetchedAgain
                | Self::ClientFetchFailed
        )
    }

    /// `None` for an action of a later release.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}
