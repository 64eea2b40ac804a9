//! The tables as Diesel sees them; `tests/console/schema_tests.rs` compares this file with a migrated database.

diesel::table! {
    deployment (single) {
        single -> Bool,
        id -> Uuid,
        mac_check_value -> Bytea,
        created_at -> Timestamptz,
        row_mac -> Bytea,
    }
}

diesel::table! {
    keks (id) {
        id -> Int4,
        wraps -> Nullable<Int4>,
        state -> Text,
        key_check_value -> Bytea,
        created_at -> Timestamptz,
        activated_at -> Nullable<Timestamptz>,
        verified_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        row_mac -> Bytea,
    }
}

diesel::table! {
    replicas (id) {
        id -> Uuid,
        kek_ids -> Array<Int4>,
        version -> Text,
        started_at -> Timestamptz,
        last_seen_at -> Timestamptz,
    }
}

diesel::table! {
    users (id) {
        id -> Uuid,
        name -> Text,
        name_key -> Text,
        role -> Text,
        disabled -> Bool,
        password_kek_id -> Int4,
        password_wrapped_dek -> Bytea,
        password_payload -> Bytea,
        password_version -> Int4,
        password_set_at -> Timestamptz,
        totp_kek_id -> Nullable<Int4>,
        totp_wrapped_dek -> Nullable<Bytea>,
        totp_payload -> Nullable<Bytea>,
        totp_version -> Int4,
        totp_confirmed -> Bool,
        totp_required -> Bool,
        totp_last_step -> Int8,
        theme -> Text,
        shortcuts -> Bool,
        created_at -> Timestamptz,
        last_login_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        row_mac -> Bytea,
        password_temporary -> Bool,
        recovery_codes -> Array<Bytea>,
        email -> Nullable<Text>,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    account_letters (id) {
        id -> Uuid,
        user_id -> Uuid,
        purpose -> Text,
        address -> Text,
        made_at -> Timestamptz,
        made_by -> Text,
        password_version -> Int4,
        token_hash -> Nullable<Bytea>,
        expires_at -> Nullable<Timestamptz>,
        row_mac -> Bytea,
        about -> Text,
    }
}

diesel::table! {
    sessions (token_hash) {
        token_hash -> Bytea,
        id -> Uuid,
        user_id -> Uuid,
        awaits_code -> Bool,
        created_at -> Timestamptz,
        last_seen_at -> Timestamptz,
        authenticated_at -> Timestamptz,
        address -> Text,
        agent -> Text,
        row_mac -> Bytea,
        user_version -> Int8,
        row_version -> Int8,
        login_lane -> Nullable<Int2>,
        login_seq -> Nullable<Int8>,
    }
}

diesel::table! {
    login_failures (id) {
        id -> Int8,
        name_key -> Text,
        network -> Text,
        address -> Text,
        at -> Timestamptz,
    }
}

diesel::table! {
    setup_links (token_hash) {
        token_hash -> Bytea,
        expires_at -> Timestamptz,
        row_mac -> Bytea,
    }
}

diesel::table! {
    credentials (id) {
        id -> Uuid,
        kind -> Text,
        name -> Text,
        name_key -> Text,
        note -> Text,
        identity -> Text,
        facts -> Text,
        ages -> Bool,
        expires_at -> Nullable<Timestamptz>,
        shipped -> Bool,
        secret_version -> Int4,
        secret_set_at -> Timestamptz,
        usage_count -> Int4,
        last_used_at -> Timestamptz,
        integrity_failed_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        created_by -> Text,
        edited_at -> Timestamptz,
        edited_by -> Text,
        row_version -> Int8,
        row_mac -> Bytea,
        tested_at -> Nullable<Timestamptz>,
        test_verdict -> Nullable<Text>,
        test_sentence -> Nullable<Text>,
        tested_by -> Nullable<Text>,
        test_failed -> Bool,
        stale_after_days -> Nullable<Int4>,
        made_at -> Nullable<Timestamptz>,
        aged_from -> Timestamptz,
        key_id -> Nullable<Text>,
        owner -> Text,
        tags -> Array<Text>,
    }
}

diesel::table! {
    secrets (credential_id, version) {
        credential_id -> Uuid,
        version -> Int4,
        state -> Text,
        key_id -> Text,
        kek_id -> Nullable<Int4>,
        wrapped_dek -> Nullable<Bytea>,
        payload -> Nullable<Bytea>,
        made_at -> Timestamptz,
    }
}

diesel::table! {
    provider_facts (credential_id) {
        credential_id -> Uuid,
        secret_version -> Int4,
        made_at -> Nullable<Timestamptz>,
        used_at -> Nullable<Timestamptz>,
        identity -> Nullable<Text>,
    }
}

diesel::table! {
    integrations (id) {
        id -> Uuid,
        family -> Text,
        version -> Text,
        name -> Text,
        name_key -> Text,
        settings -> Text,
        active -> Bool,
        every_hours -> Nullable<Int4>,
        next_run_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        created_by -> Text,
        edited_at -> Timestamptz,
        edited_by -> Text,
        row_version -> Int8,
        row_mac -> Bytea,
        owner -> Text,
        tags -> Array<Text>,
    }
}

diesel::table! {
    integration_lines (integration_id) {
        integration_id -> Uuid,
        family -> Text,
        name_key -> Text,
        rank -> Int2,
        state -> Text,
        last_at -> Timestamptz,
        error -> Nullable<Text>,
        credential_key -> Text,
        searched -> Text,
    }
}

diesel::table! {
    integration_counts (id) {
        id -> Int8,
        family -> Text,
        rank -> Int2,
        number -> Int8,
    }
}

diesel::table! {
    views (id) {
        id -> Uuid,
        list -> Text,
        name -> Text,
        name_key -> Text,
        user_id -> Nullable<Uuid>,
        made_by -> Uuid,
        maker -> Text,
        query -> Jsonb,
        made_at -> Timestamptz,
    }
}

diesel::table! {
    tags (subject_kind, tag, subject_id) {
        subject_kind -> Text,
        tag -> Text,
        subject_id -> Uuid,
    }
}

diesel::table! {
    usages (integration_id, role) {
        integration_id -> Uuid,
        role -> Text,
        credential_id -> Nullable<Uuid>,
        host -> Text,
    }
}

diesel::table! {
    deployments (integration_id) {
        integration_id -> Uuid,
        cluster -> Text,
        applied -> Text,
        before -> Text,
        handed_on -> Jsonb,
        state -> Jsonb,
        cluster_version -> Text,
        image -> Text,
        desired -> Int4,
        ready -> Int4,
        finished -> Bool,
        drifted -> Bool,
        removed -> Bool,
        seen_at -> Nullable<Timestamptz>,
        deployed_at -> Nullable<Timestamptz>,
        next_look_at -> Nullable<Timestamptz>,
        row_mac -> Bytea,
    }
}

diesel::table! {
    rollouts (id) {
        id -> Uuid,
        image -> Text,
        at_once -> Int4,
        integrations -> Array<Uuid>,
        requested_by -> Text,
        state -> Text,
        begun_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        row_mac -> Bytea,
    }
}

diesel::table! {
    rollout_steps (rollout_id, position) {
        rollout_id -> Uuid,
        position -> Int4,
        integration_id -> Uuid,
        run_id -> Nullable<Uuid>,
        state -> Text,
        detail -> Text,
    }
}

diesel::table! {
    runs (id) {
        id -> Uuid,
        integration_id -> Nullable<Uuid>,
        state -> Text,
        cause -> Text,
        requested_by -> Text,
        queued_at -> Timestamptz,
        not_before -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        lease_until -> Nullable<Timestamptz>,
        replica_id -> Nullable<Uuid>,
        attempts -> Int4,
        stop_requested -> Bool,
        progress -> Jsonb,
        failed_step -> Nullable<Text>,
        error -> Nullable<Text>,
        used_credential_id -> Nullable<Uuid>,
        used_secret_version -> Nullable<Int4>,
        found -> Int4,
        added -> Int4,
        changed -> Int4,
        removed -> Int4,
        row_mac -> Bytea,
        gaps -> Int4,
        named_gaps -> Jsonb,
        kept -> Int4,
        credential_id -> Nullable<Uuid>,
        action -> Text,
        places -> Nullable<Array<Text>>,
    }
}

diesel::table! {
    items (id) {
        id -> Uuid,
        integration_id -> Uuid,
        place -> Text,
        name -> Text,
        fingerprint -> Text,
        facts -> Jsonb,
        first_seen_at -> Timestamptz,
        kept -> Bool,
    }
}

diesel::table! {
    item_changes (run_id, place, name) {
        run_id -> Uuid,
        place -> Text,
        name -> Text,
        change -> Text,
    }
}

diesel::table! {
    audit_lanes (lane) {
        lane -> Int2,
        seq -> Int8,
        mac -> Bytea,
        head_mac -> Bytea,
    }
}

diesel::table! {
    exported_events (lane, first) {
        lane -> Int2,
        first -> Int8,
        last -> Int8,
        before_mac -> Bytea,
        last_mac -> Bytea,
        mac -> Bytea,
    }
}

diesel::table! {
    events (lane, seq) {
        lane -> Int2,
        seq -> Int8,
        at -> Timestamptz,
        actor -> Text,
        action -> Text,
        subject_kind -> Text,
        subject_id -> Nullable<Uuid>,
        subject_name -> Text,
        detail -> Text,
        address -> Text,
        mac -> Bytea,
        subject_version -> Nullable<Int8>,
    }
}

diesel::table! {
    alert_settings (single) {
        single -> Bool,
        stale_days -> Nullable<Int4>,
        kind_days -> Text,
        ahead -> Bool,
        remind -> Bool,
        failed_scans -> Int4,
        edited_at -> Timestamptz,
        edited_by -> Text,
        row_version -> Int8,
        row_mac -> Bytea,
    }
}

diesel::table! {
    alerts (id) {
        id -> Uuid,
        trigger -> Text,
        subject_kind -> Text,
        subject_id -> Uuid,
        subject_name -> Text,
        stage -> Int2,
        notices -> Int4,
        told_at -> Timestamptz,
        opened_at -> Timestamptz,
        acknowledged_at -> Nullable<Timestamptz>,
        acknowledged_by -> Nullable<Text>,
        snoozed_until -> Nullable<Timestamptz>,
        snoozed_by -> Nullable<Text>,
        closed_at -> Nullable<Timestamptz>,
        closed_why -> Nullable<Text>,
        row_mac -> Bytea,
        words -> Text,
        since -> Timestamptz,
        severity -> Int2,
    }
}

diesel::table! {
    notices (id) {
        id -> Uuid,
        alert_id -> Uuid,
        number -> Int4,
        event -> Text,
        days -> Int4,
        of_days -> Int4,
        words -> Text,
        at -> Timestamptz,
        digest_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    recipients (id) {
        id -> Uuid,
        integration_id -> Uuid,
        address -> Text,
        address_key -> Text,
        triggers -> Text,
        invited_at -> Timestamptz,
        invited_by -> Text,
        confirmed_at -> Nullable<Timestamptz>,
        unsubscribed_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        row_mac -> Bytea,
    }
}

diesel::table! {
    hooks (id) {
        id -> Uuid,
        integration_id -> Uuid,
        secret_hash -> Bytea,
        made_at -> Timestamptz,
        made_by -> Text,
        row_version -> Int8,
        row_mac -> Bytea,
        due_at -> Nullable<Timestamptz>,
        asked_at -> Nullable<Timestamptz>,
        whole -> Bool,
        places -> Array<Text>,
    }
}

diesel::table! {
    deliveries (id) {
        id -> Uuid,
        kind -> Text,
        integration_id -> Uuid,
        recipient_id -> Nullable<Uuid>,
        digest_id -> Nullable<Uuid>,
        part -> Int4,
        more -> Int4,
        state -> Text,
        created_at -> Timestamptz,
        not_before -> Timestamptz,
        attempts -> Int4,
        put_offs -> Int4,
        lease_until -> Nullable<Timestamptz>,
        replica_id -> Nullable<Uuid>,
        ended_at -> Nullable<Timestamptz>,
        error -> Nullable<Text>,
        reference -> Nullable<Text>,
        letter_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    delivery_lines (delivery_id, position) {
        delivery_id -> Uuid,
        position -> Int4,
        notice_id -> Uuid,
    }
}

diesel::table! {
    channels (integration_id) {
        integration_id -> Uuid,
        refusals -> Int4,
        misses -> Int4,
        failing_since -> Nullable<Timestamptz>,
        not_before -> Timestamptz,
        row_mac -> Bytea,
    }
}

diesel::table! {
    coverage (integration_id, scope) {
        integration_id -> Uuid,
        scope -> Text,
        whole -> Bool,
    }
}

diesel::table! {
    snoozed_keys (id) {
        id -> Uuid,
        integration_id -> Uuid,
        place -> Text,
        by_owner -> Bool,
        what -> Text,
        title -> Text,
        until -> Timestamptz,
        snoozed_by -> Text,
    }
}

diesel::table! {
    credential_words (word, credential_id) {
        word -> Text,
        credential_id -> Uuid,
        shared -> Int2,
    }
}

diesel::table! {
    credential_counts (id) {
        id -> Int8,
        kind -> Text,
        what -> Text,
        own_limit -> Int4,
        day -> Date,
        number -> Int8,
    }
}

diesel::table! {
    first_steps (step) {
        step -> Text,
        done_by -> Text,
        done_at -> Timestamptz,
    }
}

diesel::table! {
    daily_figures (day) {
        day -> Date,
        credentials -> Int8,
        stale -> Int8,
        failing -> Int8,
        expiring -> Int8,
        not_covered -> Int8,
    }
}

diesel::table! {
    sample_rows (subject_id) {
        subject_id -> Uuid,
        subject_kind -> Text,
        removed -> Bool,
    }
}

diesel::table! {
    clients (id) {
        id -> Uuid,
        name -> Text,
        name_key -> Text,
        description -> Text,
        active -> Bool,
        networks -> Array<Text>,
        token_minutes -> Int4,
        bound_to_address -> Bool,
        created_at -> Timestamptz,
        created_by -> Text,
        edited_at -> Timestamptz,
        edited_by -> Text,
        row_version -> Int8,
        row_mac -> Bytea,
        last_used_at -> Timestamptz,
        ends_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> Uuid,
        user_id -> Uuid,
        name -> Text,
        scope -> Text,
        secret_hash -> Bytea,
        made_at -> Timestamptz,
        expires_at -> Timestamptz,
        row_version -> Int8,
        row_mac -> Bytea,
        last_used_at -> Timestamptz,
        last_address -> Text,
    }
}

diesel::table! {
    client_logins (id) {
        id -> Uuid,
        client_id -> Uuid,
        method -> Text,
        secret_hash -> Nullable<Bytea>,
        settings -> Text,
        credential_id -> Nullable<Uuid>,
        made_at -> Timestamptz,
        made_by -> Text,
        expires_at -> Nullable<Timestamptz>,
        row_version -> Int8,
        row_mac -> Bytea,
        replaced_by -> Nullable<Uuid>,
    }
}

diesel::table! {
    client_rules (id) {
        id -> Uuid,
        client_id -> Uuid,
        name -> Text,
        credential_id -> Nullable<Uuid>,
        form -> Text,
        settings -> Text,
        allowed_by -> Nullable<Text>,
        allowed_at -> Nullable<Timestamptz>,
        made_at -> Timestamptz,
        made_by -> Text,
        row_version -> Int8,
        row_mac -> Bytea,
        store_id -> Nullable<Uuid>,
        refreshed_at -> Timestamptz,
    }
}

diesel::table! {
    client_uses (id) {
        id -> Int8,
        login_id -> Uuid,
        rule_id -> Nullable<Uuid>,
        used_at -> Timestamptz,
        address -> Text,
        uses -> Int8,
    }
}

diesel::table! {
    sync_entries (integration_id, item) {
        integration_id -> Uuid,
        item -> Text,
        store_id -> Uuid,
        entry -> Text,
    }
}

diesel::table! {
    spent_tokens (token_hash) {
        token_hash -> Bytea,
        until -> Timestamptz,
    }
}

diesel::joinable!(credential_words -> credentials (credential_id));
diesel::joinable!(secrets -> credentials (credential_id));
diesel::joinable!(usages -> credentials (credential_id));
diesel::joinable!(usages -> integrations (integration_id));
diesel::joinable!(provider_facts -> credentials (credential_id));
diesel::joinable!(runs -> integrations (integration_id));
diesel::joinable!(items -> integrations (integration_id));
diesel::joinable!(item_changes -> runs (run_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(account_letters -> users (user_id));
diesel::joinable!(events -> audit_lanes (lane));
diesel::joinable!(notices -> alerts (alert_id));
diesel::joinable!(recipients -> integrations (integration_id));
diesel::joinable!(hooks -> integrations (integration_id));
diesel::joinable!(api_tokens -> users (user_id));
diesel::joinable!(client_logins -> clients (client_id));
diesel::joinable!(client_logins -> credentials (credential_id));
diesel::joinable!(client_rules -> clients (client_id));
diesel::joinable!(client_rules -> credentials (credential_id));
diesel::joinable!(client_rules -> integrations (store_id));
diesel::joinable!(client_uses -> client_logins (login_id));
diesel::joinable!(deliveries -> integrations (integration_id));
diesel::joinable!(delivery_lines -> deliveries (delivery_id));
diesel::joinable!(delivery_lines -> notices (notice_id));
diesel::joinable!(channels -> integrations (integration_id));
diesel::joinable!(coverage -> integrations (integration_id));
diesel::joinable!(snoozed_keys -> integrations (integration_id));

diesel::allow_tables_to_appear_in_same_query!(
    account_letters,
    api_tokens,
    clients,
    client_logins,
    client_rules,
    client_uses,
    spent_tokens,
    sync_entries,
    credential_words,
    daily_figures,
    deployment,
    keks,
    replicas,
    rollout_steps,
    rollouts,
    sample_rows,
    users,
    sessions,
    login_failures,
    setup_links,
    credentials,
    secrets,
    provider_facts,
    integrations,
    usages,
    runs,
    items,
    item_changes,
    audit_lanes,
    events,
    exported_events,
    alert_settings,
    alerts,
    notices,
    recipients,
    hooks,
    deliveries,
    delivery_lines,
    channels,
    coverage,
    credential_counts,
    snoozed_keys,
    first_steps,
);
