


SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;


CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;



COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';



CREATE FUNCTION public.count_usages() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.credential_id IS NOT NULL
       AND (TG_OP = 'DELETE' OR NEW.credential_id IS DISTINCT FROM OLD.credential_id) THEN
        UPDATE credentials SET usage_count = usage_count - 1 WHERE id = OLD.credential_id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.credential_id IS NOT NULL
       AND (TG_OP = 'INSERT' OR NEW.credential_id IS DISTINCT FROM OLD.credential_id) THEN
        UPDATE credentials SET usage_count = usage_count + 1 WHERE id = NEW.credential_id;
    END IF;
    RETURN NULL;
END $$;



CREATE FUNCTION public.keep_phrases() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    phrases text[];
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM credential_phrases WHERE phrase = ANY (phrases_of(OLD.search)) AND credential_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        phrases := phrases_of(NEW.search);
        INSERT INTO credential_phrases SELECT unnest(phrases), NEW.id, unnest(shared_of(phrases));
    END IF;
    RETURN NULL;
END $$;



CREATE FUNCTION public.notify_sessions() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('strongroom_sessions', '');
    RETURN NULL;
END $$;



CREATE FUNCTION public.phrases_of(searched text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
DECLARE
    rest text := '';
    found text[] := '{}';
    pieces text[] := string_to_array(
        regexp_replace(searched, '([[:alnum:]]+|[^[:alnum:][:space:]])', E'\x01\\1', 'g'), E'\x01');
BEGIN
    FOR i IN REVERSE cardinality(pieces)..2 LOOP
        rest := pieces[i] || rest;
        found := found || left(rest, 60);
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT unnest(found) COLLATE "C" AS phrase ORDER BY phrase);
END $$;



CREATE FUNCTION public.shared_of(phrases text[]) RETURNS smallint[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
DECLARE
    shared smallint[] := '{}';
    n smallint;
BEGIN
    FOR i IN 1..cardinality(phrases) LOOP
        n := 0;
        WHILE i > 1 AND n < length(phrases[i - 1]) AND starts_with(phrases[i], left(phrases[i - 1], n + 1)) LOOP
            n := n + 1;
        END LOOP;
        shared := shared || n;
    END LOOP;
    RETURN shared;
END $$;


SET default_tablespace = '';

SET default_table_access_method = heap;


CREATE TABLE public.__diesel_schema_migrations (
    version character varying(50) NOT NULL,
    run_on timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);



CREATE TABLE public.alert_settings (
    single boolean DEFAULT true NOT NULL,
    stale_days integer,
    kind_days text NOT NULL,
    ahead boolean NOT NULL,
    remind boolean NOT NULL,
    failed_scans integer NOT NULL,
    edited_at timestamp with time zone NOT NULL,
    edited_by text NOT NULL,
    row_version bigint NOT NULL,
    row_mac bytea NOT NULL,
    CONSTRAINT alert_settings_failed_scans_check CHECK (((failed_scans >= 1) AND (failed_scans <= 100))),
    CONSTRAINT alert_settings_row_mac_check CHECK ((octet_length(row_mac) >= 32)),
    CONSTRAINT alert_settings_single_check CHECK (single),
    CONSTRAINT alert_settings_stale_days_check CHECK (((stale_days >= 1) AND (stale_days <= 3650)))
);



CREATE TABLE public.alerts (
    id uuid NOT NULL,
    trigger text NOT NULL,
    subject_kind text NOT NULL,
    subject_id uuid NOT NULL,
    subject_name text NOT NULL,
    stage smallint NOT NULL,
    notices integer DEFAULT 1 NOT NULL,
    told_at timestamp with time zone DEFAULT now() NOT NULL,
    opened_at timestamp with time zone DEFAULT now() NOT NULL,
    acknowledged_at timestamp with time zone,
    acknowledged_by text,
    snoozed_until timestamp with time zone,
    snoozed_by text,
    closed_at timestamp with time zone,
    closed_why text,
    CONSTRAINT alerts_check CHECK (((closed_at IS NULL) = (closed_why IS NULL))),
    CONSTRAINT alerts_check1 CHECK (((acknowledged_at IS NULL) = (acknowledged_by IS NULL))),
    CONSTRAINT alerts_check2 CHECK (((snoozed_until IS NULL) = (snoozed_by IS NULL))),
    CONSTRAINT alerts_stage_check CHECK ((stage > 0)),
    CONSTRAINT alerts_subject_kind_check CHECK ((subject_kind = ANY (ARRAY['credential'::text, 'integration'::text, 'user'::text, 'store'::text])))
);



CREATE TABLE public.audit_lanes (
    lane smallint NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    mac bytea NOT NULL,
    head_mac bytea NOT NULL
);



CREATE TABLE public.channels (
    integration_id uuid NOT NULL,
    refusals integer DEFAULT 0 NOT NULL,
    misses integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    not_before timestamp with time zone DEFAULT now() NOT NULL,
    row_mac bytea DEFAULT '\x'::bytea NOT NULL
);



CREATE TABLE public.credential_phrases (
    phrase text NOT NULL COLLATE pg_catalog."C",
    credential_id uuid NOT NULL,
    shared smallint NOT NULL
);



CREATE TABLE public.credentials (
    id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    identity text NOT NULL,
    facts text NOT NULL,
    ages boolean NOT NULL,
    expires_at timestamp with time zone,
    shipped boolean DEFAULT false NOT NULL,
    kek_id integer NOT NULL,
    wrapped_dek bytea NOT NULL,
    payload bytea NOT NULL,
    secret_version integer DEFAULT 1 NOT NULL,
    secret_set_at timestamp with time zone DEFAULT now() NOT NULL,
    usage_count integer DEFAULT 0 NOT NULL,
    last_used_at timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    integrity_failed_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    edited_at timestamp with time zone DEFAULT now() NOT NULL,
    edited_by text NOT NULL,
    row_version bigint DEFAULT 1 NOT NULL,
    row_mac bytea NOT NULL,
    search text GENERATED ALWAYS AS (lower(((name || ' '::text) || identity))) STORED NOT NULL,
    tested_at timestamp with time zone,
    test_verdict text,
    test_sentence text,
    tested_by text,
    test_failed boolean DEFAULT false NOT NULL,
    next_test_at timestamp with time zone DEFAULT (now() + (((0.5)::double precision + random()) * '1 day'::interval)) NOT NULL,
    stale_after_days integer,
    CONSTRAINT credentials_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT credentials_payload_check CHECK ((("substring"(payload, 1, 1) = '\x01'::bytea) AND (octet_length(payload) >= 93))),
    CONSTRAINT credentials_row_mac_check CHECK ((octet_length(row_mac) >= 32)),
    CONSTRAINT credentials_secret_version_check CHECK ((secret_version > 0)),
    CONSTRAINT credentials_stale_after_days_check CHECK (((stale_after_days >= 0) AND (stale_after_days <= 3650))),
    CONSTRAINT credentials_test_whole CHECK ((num_nonnulls(tested_at, test_verdict, test_sentence, tested_by) = ANY (ARRAY[0, 4]))),
    CONSTRAINT credentials_usage_count_check CHECK ((usage_count >= 0)),
    CONSTRAINT credentials_wrapped_dek_check CHECK ((octet_length(wrapped_dek) = 61))
);



CREATE TABLE public.deliveries (
    id uuid NOT NULL,
    kind text NOT NULL,
    integration_id uuid NOT NULL,
    recipient_id uuid,
    digest_id uuid,
    part integer DEFAULT 0 NOT NULL,
    more integer DEFAULT 0 NOT NULL,
    state text DEFAULT 'ready'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    not_before timestamp with time zone DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    put_offs integer DEFAULT 0 NOT NULL,
    lease_until timestamp with time zone,
    replica_id uuid,
    ended_at timestamp with time zone,
    error text,
    reference text,
    CONSTRAINT deliveries_kind_check CHECK ((kind = ANY (ARRAY['digest'::text, 'confirmation'::text, 'test'::text]))),
    CONSTRAINT deliveries_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'sending'::text, 'sent'::text, 'parked'::text, 'dropped'::text])))
);



CREATE TABLE public.delivery_lines (
    delivery_id uuid NOT NULL,
    "position" integer NOT NULL,
    notice_id uuid NOT NULL
);



CREATE TABLE public.deployment (
    single boolean DEFAULT true NOT NULL,
    id uuid NOT NULL,
    mac_check_value bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    row_mac bytea DEFAULT '\x'::bytea NOT NULL,
    CONSTRAINT deployment_mac_check_value_check CHECK ((octet_length(mac_check_value) = 32)),
    CONSTRAINT deployment_single_check CHECK (single)
);



CREATE TABLE public.events (
    lane smallint NOT NULL,
    seq bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject_kind text NOT NULL,
    subject_id uuid,
    subject_name text NOT NULL,
    detail text NOT NULL,
    address text NOT NULL,
    mac bytea NOT NULL,
    subject_version bigint,
    CONSTRAINT events_mac_check CHECK ((octet_length(mac) = 32))
);



CREATE TABLE public.image_changes (
    run_id uuid NOT NULL,
    repository text NOT NULL,
    tag text NOT NULL,
    change text NOT NULL,
    CONSTRAINT image_changes_change_check CHECK ((change = ANY (ARRAY['added'::text, 'changed'::text, 'removed'::text])))
);



CREATE TABLE public.images (
    integration_id uuid NOT NULL,
    repository text NOT NULL,
    tag text NOT NULL,
    digest text NOT NULL,
    size_bytes bigint NOT NULL,
    platforms text[] NOT NULL,
    pushed_at timestamp with time zone,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    kept boolean DEFAULT false NOT NULL
);



CREATE TABLE public.integrations (
    id uuid NOT NULL,
    family text NOT NULL,
    version text NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    credential_id uuid,
    host text NOT NULL,
    settings text NOT NULL,
    active boolean DEFAULT true NOT NULL,
    every_hours integer,
    next_run_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    edited_at timestamp with time zone DEFAULT now() NOT NULL,
    edited_by text NOT NULL,
    row_version bigint DEFAULT 1 NOT NULL,
    row_mac bytea NOT NULL,
    CONSTRAINT integrations_every_hours_check CHECK ((every_hours > 0)),
    CONSTRAINT integrations_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT integrations_row_mac_check CHECK ((octet_length(row_mac) >= 32))
);



CREATE TABLE public.keks (
    id integer NOT NULL,
    wraps integer,
    state text NOT NULL,
    key_check_value bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    activated_at timestamp with time zone,
    verified_at timestamp with time zone,
    row_version bigint DEFAULT 1 NOT NULL,
    row_mac bytea DEFAULT '\x'::bytea NOT NULL,
    CONSTRAINT keks_check CHECK ((wraps = id)),
    CONSTRAINT keks_check1 CHECK (((wraps IS NULL) = (state = 'retired'::text))),
    CONSTRAINT keks_id_check CHECK ((id > 0)),
    CONSTRAINT keks_key_check_value_check CHECK ((octet_length(key_check_value) = 16)),
    CONSTRAINT keks_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'active'::text, 'decrypt_only'::text, 'retired'::text])))
);



CREATE TABLE public.login_failures (
    id bigint NOT NULL,
    name_key text NOT NULL,
    network text NOT NULL,
    address text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);



ALTER TABLE public.login_failures ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.login_failures_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);



CREATE TABLE public.notices (
    id uuid NOT NULL,
    alert_id uuid NOT NULL,
    number integer NOT NULL,
    event text NOT NULL,
    days integer DEFAULT 0 NOT NULL,
    of_days integer DEFAULT 0 NOT NULL,
    words text DEFAULT ''::text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    digest_id uuid,
    CONSTRAINT notices_event_check CHECK ((event = ANY (ARRAY['ahead'::text, 'raised'::text, 'reminder'::text, 'closed'::text])))
);



CREATE TABLE public.provider_facts (
    credential_id uuid NOT NULL,
    secret_version integer NOT NULL,
    made_at timestamp with time zone,
    used_at timestamp with time zone,
    identity text
);



CREATE TABLE public.recipients (
    id uuid NOT NULL,
    integration_id uuid NOT NULL,
    address text NOT NULL,
    address_key text NOT NULL,
    triggers text NOT NULL,
    invited_at timestamp with time zone DEFAULT now() NOT NULL,
    invited_by text NOT NULL,
    confirmed_at timestamp with time zone,
    unsubscribed_at timestamp with time zone,
    row_version bigint DEFAULT 1 NOT NULL,
    row_mac bytea NOT NULL,
    CONSTRAINT recipients_address_check CHECK (((char_length(address) >= 3) AND (char_length(address) <= 320))),
    CONSTRAINT recipients_row_mac_check CHECK ((octet_length(row_mac) >= 32))
);



CREATE TABLE public.replicas (
    id uuid NOT NULL,
    kek_ids integer[] NOT NULL,
    version text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL
);



CREATE TABLE public.runs (
    id uuid NOT NULL,
    integration_id uuid NOT NULL,
    state text NOT NULL,
    cause text NOT NULL,
    requested_by text NOT NULL,
    queued_at timestamp with time zone DEFAULT now() NOT NULL,
    not_before timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    lease_until timestamp with time zone,
    replica_id uuid,
    attempts integer DEFAULT 0 NOT NULL,
    stop_requested boolean DEFAULT false NOT NULL,
    progress jsonb DEFAULT '{}'::jsonb NOT NULL,
    failed_step text,
    error text,
    credential_id uuid,
    secret_version integer,
    images integer DEFAULT 0 NOT NULL,
    added integer DEFAULT 0 NOT NULL,
    changed integer DEFAULT 0 NOT NULL,
    removed integer DEFAULT 0 NOT NULL,
    row_mac bytea DEFAULT '\x'::bytea NOT NULL,
    gaps integer DEFAULT 0 NOT NULL,
    named_gaps jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT runs_cause_check CHECK ((cause = ANY (ARRAY['added'::text, 'asked'::text, 'schedule'::text]))),
    CONSTRAINT runs_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'partly'::text, 'failed'::text, 'stopped'::text])))
);



CREATE TABLE public.sessions (
    token_hash bytea NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    awaits_code boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    authenticated_at timestamp with time zone DEFAULT now() NOT NULL,
    address text NOT NULL,
    agent text NOT NULL,
    row_mac bytea NOT NULL,
    user_version bigint NOT NULL,
    row_version bigint NOT NULL,
    login_lane smallint,
    login_seq bigint,
    CONSTRAINT sessions_check CHECK (((awaits_code = (login_lane IS NULL)) AND ((login_lane IS NULL) = (login_seq IS NULL)))),
    CONSTRAINT sessions_row_mac_check CHECK ((octet_length(row_mac) >= 32)),
    CONSTRAINT sessions_token_hash_check CHECK ((octet_length(token_hash) = 32))
);



CREATE TABLE public.setup_links (
    token_hash bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    row_mac bytea NOT NULL
);



CREATE TABLE public.users (
    id uuid NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    role text NOT NULL,
    disabled boolean DEFAULT false NOT NULL,
    password_kek_id integer NOT NULL,
    password_wrapped_dek bytea NOT NULL,
    password_payload bytea NOT NULL,
    password_version integer DEFAULT 1 NOT NULL,
    password_set_at timestamp with time zone DEFAULT now() NOT NULL,
    totp_kek_id integer,
    totp_wrapped_dek bytea,
    totp_payload bytea,
    totp_version integer DEFAULT 0 NOT NULL,
    totp_confirmed boolean DEFAULT false NOT NULL,
    totp_required boolean DEFAULT false NOT NULL,
    totp_last_step bigint DEFAULT 0 NOT NULL,
    theme text DEFAULT 'system'::text NOT NULL,
    shortcuts boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_login_at timestamp with time zone,
    row_version bigint DEFAULT 1 NOT NULL,
    row_mac bytea NOT NULL,
    password_temporary boolean DEFAULT false NOT NULL,
    recovery_codes bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    CONSTRAINT users_check CHECK ((((totp_kek_id IS NULL) = (totp_payload IS NULL)) AND ((totp_kek_id IS NULL) = (totp_wrapped_dek IS NULL)))),
    CONSTRAINT users_check1 CHECK (((NOT totp_confirmed) OR (totp_payload IS NOT NULL))),
    CONSTRAINT users_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
    CONSTRAINT users_password_payload_check CHECK ((("substring"(password_payload, 1, 1) = '\x01'::bytea) AND (octet_length(password_payload) >= 93))),
    CONSTRAINT users_password_wrapped_dek_check CHECK ((octet_length(password_wrapped_dek) = 61)),
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['administrator'::text, 'operator'::text, 'auditor'::text]))),
    CONSTRAINT users_row_mac_check CHECK ((octet_length(row_mac) >= 32)),
    CONSTRAINT users_theme_check CHECK ((theme = ANY (ARRAY['system'::text, 'light'::text, 'dark'::text]))),
    CONSTRAINT users_totp_payload_check CHECK ((("substring"(totp_payload, 1, 1) = '\x01'::bytea) AND (octet_length(totp_payload) >= 93))),
    CONSTRAINT users_totp_wrapped_dek_check CHECK ((octet_length(totp_wrapped_dek) = 61))
);



INSERT INTO public.__diesel_schema_migrations VALUES ('00000000000001', '2026-11-26 19:24:28.102301');
INSERT INTO public.__diesel_schema_migrations VALUES ('00000000000002', '2026-11-26 19:24:28.102301');
INSERT INTO public.__diesel_schema_migrations VALUES ('00000000000003', '2026-11-26 19:24:28.102301');
INSERT INTO public.__diesel_schema_migrations VALUES ('00000000000004', '2026-11-26 19:24:28.102301');
INSERT INTO public.__diesel_schema_migrations VALUES ('00000000000005', '2026-11-26 19:24:28.102301');
INSERT INTO public.__diesel_schema_migrations VALUES ('00000000000006', '2026-11-26 19:24:28.102301');
INSERT INTO public.__diesel_schema_migrations VALUES ('20261126120000', '2026-11-26 19:24:28.102301');
INSERT INTO public.__diesel_schema_migrations VALUES ('20261126140000', '2026-11-26 19:24:28.102301');



INSERT INTO public.alert_settings VALUES (true, NULL, '{"azure":45}', true, true, 2, '2026-11-26 19:24:29.426578+00', 'ada', 1, '\x0207815b91bd9974c1dfe3f2c33e4ab6450ca6e5bd9d3eca225221a0fa464087ff75f840f27d6530ba1a8b71eaab0ef372df17ecb718a8bf53b6ba5fa01d0a0838');



INSERT INTO public.alerts VALUES ('2e38d008-4387-4798-9229-0c83481b7ddb', 'failed_scan', 'integration', '01a21951-0634-75b1-87bb-171b65cc3a87', 'away', 3, 1, '2026-11-26 19:24:31.218469+00', '2026-11-26 19:24:31.218469+00', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.alerts VALUES ('91184de9-fe37-49d3-b4f6-1558d6f88f87', 'stale', 'credential', '01a21951-0239-707d-b7ab-7115dd87a9f0', 'azure 2', 3, 1, '2026-11-26 19:24:32.415793+00', '2026-11-26 19:24:32.415793+00', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.alerts VALUES ('da3db441-2c58-4f93-8dc9-750aa617c6cb', 'stale', 'credential', '01a21951-0279-77f2-925a-0da183d65a1d', 'azure 4', 3, 1, '2026-11-26 19:24:32.415793+00', '2026-11-26 19:24:32.415793+00', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.alerts VALUES ('c90150f5-393b-4b71-a2e1-18f7843ff472', 'stale', 'credential', '01a21951-025e-7018-94a9-df131ef28852', 'azure 3', 3, 1, '2026-11-26 19:24:32.415793+00', '2026-11-26 19:24:32.415793+00', NULL, NULL, NULL, NULL, NULL, NULL);



INSERT INTO public.audit_lanes VALUES (0, 23, '\xde38c2c2131138821cb9d924b50192238dffedc3bb29fe557c129a3f06729ecd', '\xab14d20f73715e64f18d90e78edbc5058ffa438153e5fc3ecf985d8276ace9a9');
INSERT INTO public.audit_lanes VALUES (1, 3, '\x5f73585488d73098ff97148755c8701cfc0a2bfb73575424a39a132e2e91b5fb', '\x83340645d62fdb785c0528eb67a762925749cc4c317e3a73cf25cdcd0a4fb6fb');
INSERT INTO public.audit_lanes VALUES (2, 3, '\xb8e818cb62cbe92db5ba4873aa866b9d8d0bad255d85276d46613a21d467ee44', '\x1c30f2a23db5adce74dd3e7d5324abded61859c19a6e76e4fce4156f7e72464e');
INSERT INTO public.audit_lanes VALUES (3, 3, '\xa2e2c4115620414f4786dd5539dd79aed3376b135b3fdd7c6b3537d4b9c18e61', '\x269b79a1557d1b203f6b5e51697a77229579e46a95c63f5f4b0d39dd347ce588');
INSERT INTO public.audit_lanes VALUES (4, 3, '\x234fadb8d02a2d75ff9df61eb4db270c74fc9047070b1bdf0340661387d4852c', '\x36d5101b367a1cfe662a3db76f1d57fbeab97985b65b476ac7ccffd8886fdc59');
INSERT INTO public.audit_lanes VALUES (5, 3, '\x907ff23fe272fdd7d9ac2bdb7ff2a3179d54b74ce64ba8943c3a5a5fda636d3f', '\xd0a5677c625e2d611f8b9daf31a84201f936d3958232a3515a391f958c411738');
INSERT INTO public.audit_lanes VALUES (6, 3, '\xd06c0e041ba6ef384b1091afa3f60d1330f1b0a90aff91857426652ecff95381', '\xe519eac29966c1ff5a6488f0527d8bc10af447c98a2a81ba254516002738fc7f');
INSERT INTO public.audit_lanes VALUES (7, 3, '\x292bc4bbc1a3be9c0ccc710cbf2602edbc3fcd9311c4197e29b44d4d96bfeb9f', '\x33e41d83b507fa11e8ed31b04269b4a95f61d5f5bf54a34f67aee7371c26973c');
INSERT INTO public.audit_lanes VALUES (8, 3, '\xd8e136f0597ee3c5a3671ae9453d89e5e32ca39f3a7b38971fc8e65c2a118a14', '\xbfb6e6bcea2d38f4f33ab9915f75eac9387380b6439ab5d801a6e1b15d09d082');
INSERT INTO public.audit_lanes VALUES (9, 3, '\x5e157a83390105dbee3fdd99f035ae8c91f0db9802cdbdc7f2ed136d6196a9dd', '\xfa469bc4b7c1a2d51828aa148e6ea746b11000c68adfcfdbf6a34274a339bc22');
INSERT INTO public.audit_lanes VALUES (10, 3, '\x7da8ad59aed1be736be58ed195e0e9e3b32423214cbbc1bdff6c99fbbd8dc55a', '\xb87d82ac5285bce0c6653d8788a39a94782313ca23f8f64bfc2e9f4e13109669');
INSERT INTO public.audit_lanes VALUES (11, 3, '\xa15fffe67f5300af32475c4e521e20f9b5ffdaecd167153f6ca8b462b93177b6', '\xdd2a78c47eeadc0e5dcf0b210063c47c7f697de7f07cbf4e1f0d4f6486c976fe');
INSERT INTO public.audit_lanes VALUES (12, 3, '\x4c378681ee8390ab45fb012b938fc32eac640b961ddd44091eb8ad2b0a561dfe', '\xd201c5eab2b4d9351dd7fbe0d264a1967ab5dd0c43b786682e1d596170d9cd3c');
INSERT INTO public.audit_lanes VALUES (13, 3, '\xc6b285c85dce6ef496ad77b1156a933ae8818e2a9692e6e3bab70f2f74efba4b', '\x40741a2965e6e8cf40979c8337926da455d1c1bc1070b36787604187a3c5be82');
INSERT INTO public.audit_lanes VALUES (14, 3, '\x01ed9fc4e58d49e74e5793acb9fd80cb428cd5709e939e3952ba1ac99cb0a8f8', '\x2858a6cd83625e4c29f7375f479209525a934ea26da450bc790b3c16540245d3');
INSERT INTO public.audit_lanes VALUES (15, 3, '\x06d353542406d7fc0bc834e82f51c89da3f5b8cffd26689e32c17fd98f09ae84', '\x9adffa0c292f33ecf96279d99650ab474d713264da05593ac885f49d8cb5d031');



INSERT INTO public.channels VALUES ('01a21951-03a0-7592-9ff2-9ec8a4da0124', 0, 1, '2026-11-26 19:24:29.647444+00', '2026-11-26 19:24:34.647444+00', '\x0267b7d083cb955fec31351318368b00760518e4f8514ffb8d4781c4204877d349');



INSERT INTO public.credential_phrases VALUES ('environment', '01a21950-ff6d-759d-919d-eed38beeceb3', 0);
INSERT INTO public.credential_phrases VALUES ('iam role role of the environment', '01a21950-ff6d-759d-919d-eed38beeceb3', 0);
INSERT INTO public.credential_phrases VALUES ('of the environment', '01a21950-ff6d-759d-919d-eed38beeceb3', 0);
INSERT INTO public.credential_phrases VALUES ('role of the environment', '01a21950-ff6d-759d-919d-eed38beeceb3', 0);
INSERT INTO public.credential_phrases VALUES ('role role of the environment', '01a21950-ff6d-759d-919d-eed38beeceb3', 5);
INSERT INTO public.credential_phrases VALUES ('the environment', '01a21950-ff6d-759d-919d-eed38beeceb3', 0);
INSERT INTO public.credential_phrases VALUES ('0 akiaiosfodnn7example', '01a21951-01f4-715b-b70a-d0d38c9fc86f', 0);
INSERT INTO public.credential_phrases VALUES ('akiaiosfodnn7example', '01a21951-01f4-715b-b70a-d0d38c9fc86f', 0);
INSERT INTO public.credential_phrases VALUES ('aws 0 akiaiosfodnn7example', '01a21951-01f4-715b-b70a-d0d38c9fc86f', 1);
INSERT INTO public.credential_phrases VALUES ('/scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 0);
INSERT INTO public.credential_phrases VALUES ('1 arn:aws:iam::123456789123:role/scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 0);
INSERT INTO public.credential_phrases VALUES ('123456789123:role/scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 1);
INSERT INTO public.credential_phrases VALUES (':123456789123:role/scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 0);
INSERT INTO public.credential_phrases VALUES ('::123456789123:role/scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 1);
INSERT INTO public.credential_phrases VALUES (':aws:iam::123456789123:role/scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 1);
INSERT INTO public.credential_phrases VALUES (':iam::123456789123:role/scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 1);
INSERT INTO public.credential_phrases VALUES (':role/scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 1);
INSERT INTO public.credential_phrases VALUES ('arn:aws:iam::123456789123:role/scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 0);
INSERT INTO public.credential_phrases VALUES ('aws 1 arn:aws:iam::123456789123:role/scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 1);
INSERT INTO public.credential_phrases VALUES ('aws:iam::123456789123:role/scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 3);
INSERT INTO public.credential_phrases VALUES ('iam::123456789123:role/scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 0);
INSERT INTO public.credential_phrases VALUES ('role/scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 0);
INSERT INTO public.credential_phrases VALUES ('scanner', '01a21951-0220-7293-9549-5e7cdd117f0b', 0);
INSERT INTO public.credential_phrases VALUES ('-49ec-ad81-80af157a944e', '01a21951-0239-707d-b7ab-7115dd87a9f0', 0);
INSERT INTO public.credential_phrases VALUES ('-80af157a944e', '01a21951-0239-707d-b7ab-7115dd87a9f0', 1);
INSERT INTO public.credential_phrases VALUES ('-ad81-80af157a944e', '01a21951-0239-707d-b7ab-7115dd87a9f0', 1);
INSERT INTO public.credential_phrases VALUES ('-e1bf-49ec-ad81-80af157a944e', '01a21951-0239-707d-b7ab-7115dd87a9f0', 1);
INSERT INTO public.credential_phrases VALUES ('2 ae01981e-e1bf-49ec-ad81-80af157a944e', '01a21951-0239-707d-b7ab-7115dd87a9f0', 0);
INSERT INTO public.credential_phrases VALUES ('49ec-ad81-80af157a944e', '01a21951-0239-707d-b7ab-7115dd87a9f0', 0);
INSERT INTO public.credential_phrases VALUES ('80af157a944e', '01a21951-0239-707d-b7ab-7115dd87a9f0', 0);
INSERT INTO public.credential_phrases VALUES ('ad81-80af157a944e', '01a21951-0239-707d-b7ab-7115dd87a9f0', 0);
INSERT INTO public.credential_phrases VALUES ('ae01981e-e1bf-49ec-ad81-80af157a944e', '01a21951-0239-707d-b7ab-7115dd87a9f0', 1);
INSERT INTO public.credential_phrases VALUES ('azure 2 ae01981e-e1bf-49ec-ad81-80af157a944e', '01a21951-0239-707d-b7ab-7115dd87a9f0', 1);
INSERT INTO public.credential_phrases VALUES ('e1bf-49ec-ad81-80af157a944e', '01a21951-0239-707d-b7ab-7115dd87a9f0', 0);
INSERT INTO public.credential_phrases VALUES ('-49ec-ad81-80af157a944e', '01a21951-025e-7018-94a9-df131ef28852', 0);
INSERT INTO public.credential_phrases VALUES ('-80af157a944e', '01a21951-025e-7018-94a9-df131ef28852', 1);
INSERT INTO public.credential_phrases VALUES ('-ad81-80af157a944e', '01a21951-025e-7018-94a9-df131ef28852', 1);
INSERT INTO public.credential_phrases VALUES ('-e1bf-49ec-ad81-80af157a944e', '01a21951-025e-7018-94a9-df131ef28852', 1);
INSERT INTO public.credential_phrases VALUES ('3 ae01981e-e1bf-49ec-ad81-80af157a944e', '01a21951-025e-7018-94a9-df131ef28852', 0);
INSERT INTO public.credential_phrases VALUES ('49ec-ad81-80af157a944e', '01a21951-025e-7018-94a9-df131ef28852', 0);
INSERT INTO public.credential_phrases VALUES ('80af157a944e', '01a21951-025e-7018-94a9-df131ef28852', 0);
INSERT INTO public.credential_phrases VALUES ('ad81-80af157a944e', '01a21951-025e-7018-94a9-df131ef28852', 0);
INSERT INTO public.credential_phrases VALUES ('ae01981e-e1bf-49ec-ad81-80af157a944e', '01a21951-025e-7018-94a9-df131ef28852', 1);
INSERT INTO public.credential_phrases VALUES ('azure 3 ae01981e-e1bf-49ec-ad81-80af157a944e', '01a21951-025e-7018-94a9-df131ef28852', 1);
INSERT INTO public.credential_phrases VALUES ('e1bf-49ec-ad81-80af157a944e', '01a21951-025e-7018-94a9-df131ef28852', 0);
INSERT INTO public.credential_phrases VALUES ('-assigned identity', '01a21951-0279-77f2-925a-0da183d65a1d', 0);
INSERT INTO public.credential_phrases VALUES ('4 system-assigned identity', '01a21951-0279-77f2-925a-0da183d65a1d', 0);
INSERT INTO public.credential_phrases VALUES ('assigned identity', '01a21951-0279-77f2-925a-0da183d65a1d', 0);
INSERT INTO public.credential_phrases VALUES ('azure 4 system-assigned identity', '01a21951-0279-77f2-925a-0da183d65a1d', 1);
INSERT INTO public.credential_phrases VALUES ('identity', '01a21951-0279-77f2-925a-0da183d65a1d', 0);
INSERT INTO public.credential_phrases VALUES ('system-assigned identity', '01a21951-0279-77f2-925a-0da183d65a1d', 0);
INSERT INTO public.credential_phrases VALUES ('-project.iam.gserviceaccount.com', '01a21951-0294-73e0-af8f-2e4d916fb045', 0);
INSERT INTO public.credential_phrases VALUES ('.com', '01a21951-0294-73e0-af8f-2e4d916fb045', 0);
INSERT INTO public.credential_phrases VALUES ('.gserviceaccount.com', '01a21951-0294-73e0-af8f-2e4d916fb045', 1);
INSERT INTO public.credential_phrases VALUES ('.iam.gserviceaccount.com', '01a21951-0294-73e0-af8f-2e4d916fb045', 1);
INSERT INTO public.credential_phrases VALUES ('5 svc@mycompany-project.iam.gserviceaccount.com', '01a21951-0294-73e0-af8f-2e4d916fb045', 0);
INSERT INTO public.credential_phrases VALUES ('@mycompany-project.iam.gserviceaccount.com', '01a21951-0294-73e0-af8f-2e4d916fb045', 0);
INSERT INTO public.credential_phrases VALUES ('com', '01a21951-0294-73e0-af8f-2e4d916fb045', 0);
INSERT INTO public.credential_phrases VALUES ('gcp 5 svc@mycompany-project.iam.gserviceaccount.com', '01a21951-0294-73e0-af8f-2e4d916fb045', 0);
INSERT INTO public.credential_phrases VALUES ('gserviceaccount.com', '01a21951-0294-73e0-af8f-2e4d916fb045', 1);
INSERT INTO public.credential_phrases VALUES ('iam.gserviceaccount.com', '01a21951-0294-73e0-af8f-2e4d916fb045', 0);
INSERT INTO public.credential_phrases VALUES ('mycompany-project.iam.gserviceaccount.com', '01a21951-0294-73e0-af8f-2e4d916fb045', 0);
INSERT INTO public.credential_phrases VALUES ('project.iam.gserviceaccount.com', '01a21951-0294-73e0-af8f-2e4d916fb045', 0);
INSERT INTO public.credential_phrases VALUES ('svc@mycompany-project.iam.gserviceaccount.com', '01a21951-0294-73e0-af8f-2e4d916fb045', 0);
INSERT INTO public.credential_phrases VALUES ('6 b1946ac92b5e4a3f9d1c0123456789ab', '01a21951-02ab-7026-a158-5b57c8c9abae', 0);
INSERT INTO public.credential_phrases VALUES ('_cloud 6 b1946ac92b5e4a3f9d1c0123456789ab', '01a21951-02ab-7026-a158-5b57c8c9abae', 0);
INSERT INTO public.credential_phrases VALUES ('b1946ac92b5e4a3f9d1c0123456789ab', '01a21951-02ab-7026-a158-5b57c8c9abae', 0);
INSERT INTO public.credential_phrases VALUES ('cloud 6 b1946ac92b5e4a3f9d1c0123456789ab', '01a21951-02ab-7026-a158-5b57c8c9abae', 0);
INSERT INTO public.credential_phrases VALUES ('ibm_cloud 6 b1946ac92b5e4a3f9d1c0123456789ab', '01a21951-02ab-7026-a158-5b57c8c9abae', 0);
INSERT INTO public.credential_phrases VALUES ('.com:6443', '01a21951-02ba-77ee-90a3-f0b1c81a85c4', 0);
INSERT INTO public.credential_phrases VALUES ('.example.com:6443', '01a21951-02ba-77ee-90a3-f0b1c81a85c4', 1);
INSERT INTO public.credential_phrases VALUES ('6443', '01a21951-02ba-77ee-90a3-f0b1c81a85c4', 0);
INSERT INTO public.credential_phrases VALUES ('7 cluster.example.com:6443', '01a21951-02ba-77ee-90a3-f0b1c81a85c4', 0);
INSERT INTO public.credential_phrases VALUES (':6443', '01a21951-02ba-77ee-90a3-f0b1c81a85c4', 0);
INSERT INTO public.credential_phrases VALUES ('cluster.example.com:6443', '01a21951-02ba-77ee-90a3-f0b1c81a85c4', 0);
INSERT INTO public.credential_phrases VALUES ('com:6443', '01a21951-02ba-77ee-90a3-f0b1c81a85c4', 1);
INSERT INTO public.credential_phrases VALUES ('example.com:6443', '01a21951-02ba-77ee-90a3-f0b1c81a85c4', 0);
INSERT INTO public.credential_phrases VALUES ('kubeconfig 7 cluster.example.com:6443', '01a21951-02ba-77ee-90a3-f0b1c81a85c4', 0);
INSERT INTO public.credential_phrases VALUES ('9 ', '01a21951-02d1-746e-a141-1538cfc5cfb8', 0);
INSERT INTO public.credential_phrases VALUES ('_token 9 ', '01a21951-02d1-746e-a141-1538cfc5cfb8', 0);
INSERT INTO public.credential_phrases VALUES ('api_token 9 ', '01a21951-02d1-746e-a141-1538cfc5cfb8', 0);
INSERT INTO public.credential_phrases VALUES ('token 9 ', '01a21951-02d1-746e-a141-1538cfc5cfb8', 0);
INSERT INTO public.credential_phrases VALUES ('.com', '01a21951-02dd-74cf-9489-8b0b7f0186af', 0);
INSERT INTO public.credential_phrases VALUES ('.example.com', '01a21951-02dd-74cf-9489-8b0b7f0186af', 1);
INSERT INTO public.credential_phrases VALUES ('10 hooks.example.com', '01a21951-02dd-74cf-9489-8b0b7f0186af', 0);
INSERT INTO public.credential_phrases VALUES ('com', '01a21951-02dd-74cf-9489-8b0b7f0186af', 0);
INSERT INTO public.credential_phrases VALUES ('example.com', '01a21951-02dd-74cf-9489-8b0b7f0186af', 0);
INSERT INTO public.credential_phrases VALUES ('hooks.example.com', '01a21951-02dd-74cf-9489-8b0b7f0186af', 0);
INSERT INTO public.credential_phrases VALUES ('webhook 10 hooks.example.com', '01a21951-02dd-74cf-9489-8b0b7f0186af', 0);
INSERT INTO public.credential_phrases VALUES ('11 strongroom', '01a21951-02e8-726c-b553-b5bbcca76d8d', 0);
INSERT INTO public.credential_phrases VALUES ('certificate 11 strongroom', '01a21951-02e8-726c-b553-b5bbcca76d8d', 0);
INSERT INTO public.credential_phrases VALUES ('strongroom', '01a21951-02e8-726c-b553-b5bbcca76d8d', 0);
INSERT INTO public.credential_phrases VALUES ('..aaaaaaaa65vwl75tewwm32rgqvm6i34unq', '01a21951-0301-7270-b55f-a04a69a62940', 0);
INSERT INTO public.credential_phrases VALUES ('.aaaaaaaa65vwl75tewwm32rgqvm6i34unq', '01a21951-0301-7270-b55f-a04a69a62940', 1);
INSERT INTO public.credential_phrases VALUES ('.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq', '01a21951-0301-7270-b55f-a04a69a62940', 1);
INSERT INTO public.credential_phrases VALUES ('.user.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq', '01a21951-0301-7270-b55f-a04a69a62940', 1);
INSERT INTO public.credential_phrases VALUES ('12 ocid1.user.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq', '01a21951-0301-7270-b55f-a04a69a62940', 0);
INSERT INTO public.credential_phrases VALUES ('aaaaaaaa65vwl75tewwm32rgqvm6i34unq', '01a21951-0301-7270-b55f-a04a69a62940', 0);
INSERT INTO public.credential_phrases VALUES ('oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq', '01a21951-0301-7270-b55f-a04a69a62940', 0);
INSERT INTO public.credential_phrases VALUES ('oci 12 ocid1.user.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq', '01a21951-0301-7270-b55f-a04a69a62940', 2);
INSERT INTO public.credential_phrases VALUES ('ocid1.user.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq', '01a21951-0301-7270-b55f-a04a69a62940', 3);
INSERT INTO public.credential_phrases VALUES ('user.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq', '01a21951-0301-7270-b55f-a04a69a62940', 0);
INSERT INTO public.credential_phrases VALUES ('.com', '01a21951-031d-749d-88ea-0bc73ae3e4e1', 0);
INSERT INTO public.credential_phrases VALUES ('.example.com', '01a21951-031d-749d-88ea-0bc73ae3e4e1', 1);
INSERT INTO public.credential_phrases VALUES ('13 github.example.com', '01a21951-031d-749d-88ea-0bc73ae3e4e1', 0);
INSERT INTO public.credential_phrases VALUES ('_token 13 github.example.com', '01a21951-031d-749d-88ea-0bc73ae3e4e1', 0);
INSERT INTO public.credential_phrases VALUES ('com', '01a21951-031d-749d-88ea-0bc73ae3e4e1', 0);
INSERT INTO public.credential_phrases VALUES ('example.com', '01a21951-031d-749d-88ea-0bc73ae3e4e1', 0);
INSERT INTO public.credential_phrases VALUES ('github.example.com', '01a21951-031d-749d-88ea-0bc73ae3e4e1', 0);
INSERT INTO public.credential_phrases VALUES ('github_token 13 github.example.com', '01a21951-031d-749d-88ea-0bc73ae3e4e1', 6);
INSERT INTO public.credential_phrases VALUES ('token 13 github.example.com', '01a21951-031d-749d-88ea-0bc73ae3e4e1', 0);
INSERT INTO public.credential_phrases VALUES ('.com', '01a21951-0333-77a9-9fdc-6914608f8a1e', 0);
INSERT INTO public.credential_phrases VALUES ('14 gitlab.com', '01a21951-0333-77a9-9fdc-6914608f8a1e', 0);
INSERT INTO public.credential_phrases VALUES ('_token 14 gitlab.com', '01a21951-0333-77a9-9fdc-6914608f8a1e', 0);
INSERT INTO public.credential_phrases VALUES ('com', '01a21951-0333-77a9-9fdc-6914608f8a1e', 0);
INSERT INTO public.credential_phrases VALUES ('gitlab.com', '01a21951-0333-77a9-9fdc-6914608f8a1e', 0);
INSERT INTO public.credential_phrases VALUES ('gitlab_token 14 gitlab.com', '01a21951-0333-77a9-9fdc-6914608f8a1e', 6);
INSERT INTO public.credential_phrases VALUES ('token 14 gitlab.com', '01a21951-0333-77a9-9fdc-6914608f8a1e', 0);
INSERT INTO public.credential_phrases VALUES ('robot', '01a21951-02c5-7072-a16e-375fef978746', 0);
INSERT INTO public.credential_phrases VALUES ('robot robot', '01a21951-02c5-7072-a16e-375fef978746', 5);



INSERT INTO public.credentials VALUES ('01a21950-ff6d-759d-919d-eed38beeceb3', 'aws', 'IAM Role', 'iam role', 'Comes with Strongroom: takes the role of the machine that Strongroom runs on. It holds no secret.', 'Role of the environment', '{"subtype":"IAM role","lines":[],"warnings":[],"policies":[],"values":{"method":"iam_role"},"secrets":[]}', false, NULL, true, 1, '\x013858b3f5765e2382049b38ff2ba3c05a0bc31a48a1060579ba6974daacd7cfc088ce7b9acbb185b1a146730309933fc685e6c279ae323e9b3c34f4fc', '\x0110ef80b9c7f8c6ac7b355f77de15dbd22f07b6dcdf8d6a2d566c26eb4f7674837223b58a4e4756f2a56f9979715d1ac37930d7bf37c2f66044d6abecd12ffc33e7eff93aa4a2d4fc215e3afe3a22b665541865723bf5b8d4e2e89288', 1, '2026-11-26 19:24:28.397232+00', 2, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:28.397232+00', 'Strongroom', '2026-11-26 19:24:28.397232+00', 'Strongroom', 1, '\x02f76e187dd13431bb39140d168f33eb91575f48d04d63261b03fb3612aa4ebfd857907f11af5669faa6fdbd6c86e8bfa6f801dd190cb4123510409b448d9c55b9', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 07:36:56.431071+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-01f4-715b-b70a-d0d38c9fc86f', 'aws', 'aws 0', 'aws 0', '', 'AKIAIOSFODNN7EXAMPLE', '{"subtype":"Access key","lines":[],"warnings":["AWS secret access keys have 40 characters. Check that this one was copied whole."],"policies":[],"values":{"access_key_id":"AKIAIOSFODNN7EXAMPLE","method":"access_key"},"secrets":["secret_access_key"]}', true, NULL, false, 1, '\x01ff20a6bc4b6fd04f97264a724d1cfc57cb75b7452d4aefcb89fed6c9c2add8921495bb250df5efca11c84ff6eb77bca351c5cd648d48eebb8c1a935d', '\x01b932b966754e41ec69195f56ce56acc8aa7c5ecc876a927706c2cb3b5619c5acf27bc5dff4e2ed2701276ba00523cfa1ea9202ade8d22c36f97845bebe6db3ffb5b3bbe3bdce95bae67d6b84a73ce3307e9ddd1ba10db1b1ea6dcd5866920c8e72b0d5efec90ec8a4e26809e68cc25d556b3115a5d3867bf479afe480a95dc8ccc7a354aff5b6e6fa6770ef5406cf7d929361115843e143cbfad6d13', 1, '2026-11-26 19:24:29.04393+00', 2, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.04393+00', 'ada', '2026-11-26 19:24:29.04393+00', 'ada', 1, '\x02ab42d1be8569538f1dc7af2946a7baa9dc2a19484ced63659f068e71d6fde83585555d3df2492e354e1c31e00c08ea6e4454f4917351fc93b30bd51ebe02fb63', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 13:06:47.795701+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-0220-7293-9549-5e7cdd117f0b', 'aws', 'aws 1', 'aws 1', '', 'arn:aws:iam::123456789123:role/scanner', '{"subtype":"IAM role","lines":[],"warnings":[],"policies":[["Policy of the environment''s role: may assume the role","{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"sts:AssumeRole\",\n      \"Resource\": \"arn:aws:iam::123456789123:role/scanner\"\n    }\n  ]\n}"],["Trust policy of the role: who may assume it","{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Principal\": { \"AWS\": \"arn:aws:iam::ACCOUNT:role/ROLE-OF-THE-ENVIRONMENT\" },\n      \"Action\": \"sts:AssumeRole\"\n    }\n  ]\n}"]],"values":{"method":"iam_role","role_arn":"arn:aws:iam::123456789123:role/scanner"},"secrets":[]}', false, NULL, false, 1, '\x016c220c57fec4d1ef247af72fa7b9dc1c90bb972c2025b97f74dc455d71c7a560c15c42fbc4ce70d31a4baa3dbc420254adbd94747218646d773eab7e', '\x012651a5bc33082d19d873173393d35aa518984a0f47a3e7df3e4c035f5bd720c835a3b1719f327627ed8a93dc2e5c34e4a0c68f1063a25eb70841754460d7b32fc2e4be307ef2cd804b65b06106a574426b9cf48612bcad6024b654452b2050619e3c24c6df03bb27f4c15e2cba08c4b05f66b2a91f576beed20afb17019a06cfa726cd56a83f63b27191e0447cc6e4f4a66aed3721afc6a8c1a3d041', 1, '2026-11-26 19:24:29.08869+00', 2, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.08869+00', 'ada', '2026-11-26 19:24:29.08869+00', 'ada', 1, '\x02eea8de8038563cbf466412bfc2a29a5ada55ea90c73ed40507d549367a2bc69227aa826e11706459d756872115d24d1055da713ee0215316e93609ef5468040c', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 09:02:33.422053+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-0294-73e0-af8f-2e4d916fb045', 'gcp', 'gcp 5', 'gcp 5', '', 'svc@mycompany-project.iam.gserviceaccount.com', '{"subtype":null,"lines":[["Project","mycompany-project"],["Key ID","abe29475a09fb22e709fdc622306a714e17cd1c0"],["Level","Organization"]],"warnings":[],"policies":[],"values":{"level":"organization"},"secrets":["service_account","api_token"]}', false, NULL, false, 1, '\x011cc09083056b2f33563a1a9faac5f30f0bcd01805aae71042a560df68f2cbe781424ef7abc57db401ed80e958fee85a25cccff6fe263561c83dd1e3b', '\x01710db13226cd16c5ab9053f783c8cb8a3b169c0a193a64e6d39f60bb289e717a003edd230591335dd0ebfac9479651e0a43922902f5a6449d7a39da5c3c93c8a6f13b9fdac8d4a30ebc7a71abb400dc4273784205a563ac4b7295cec18b9f731f3e635f282cc40fbcdff7df179dc21abc9062a6239383daf76602c0f9bf401cc6cdd7996a8e6e311bf1a1e1e52848112d14a5d259a33883952665b6a17bea5055576d7afc9e28dbc01845063988836e22cc16cb5e9ed0795e1b70ddc11af0796aab1c50d87713e9b60f2d155aa9e4bb1e7e667c994a2569f687887a8651ddaac2276c7029b32e3367ed919fbfca63f8078379f83424307277fb0a995c8030a5bd8d740d1162b90fb2e9f96bfbe9f24c08a7677a96b5378e08312c0ae16ef68c3b3384d019cfff3a1524e971e92dd869b34655c0c2e48b0513dfffb50f8e72ef07601bf42336cf05d7c00bd469dbaa6657d53d84fd12bb5d28e1a48aee9600e6c7f8182e0c058e61fcf4a8953504ee4464a50e3f37d2668c8a435f6866e6897ef1f0eaab256dfa74e615e5d4ad8ab94c93cf096d7cab82733d0c6b4f1d6db84a7a49dfccef5e81fbcb82230f3a7f194562b5dca2249eb6df46067e514e1886d32754a7686a51828e91c6c94af45bbf6261fefdc5f932253f3b7225980f01fedaacfa0995d9ddc7705e4c99ea7a324f221a0e47861f439551779e8f1b3d7c34f747462ae3bc441f53f726e804de861d02c21ebf2a05b5ed72870462291ebb4f6496c0d1d93d5097dad939ec3848ecef83404c8a31743c11314e0772bc5b7f773293cd6b151b3ea055d2e656822f9be01cc416447166f9fe9b97987faad6b22b42eca023319354d08110d33c7f43486c0f9a83fd85bd56d608f8e6c2a9bd7cc736afe1b08780dc73b1c854393c3b2379cecec8f0c1cff2c5f62964e81f7c4db8abc0dcd75f39c150bd7c9836a95547fd29d4167a6a5c6941d4b55d4b33e8ca8249c41bd414364fd35186d0505a80493a38429022bf45f5886848d484b214596a64e9ae1176fa8eda0ea0f97147082ed07aba60cf6b764d61547ee0a008e6e58415042096b66b5def38f1b525e1cace0c3dc2fd2205b3d12328b374fb12ac068dc275071b12a9c2cce57cfdb42854d1841bab788d9ce69472eccb984246d22b119c5914bc5b647aba57f8fc3700d0e4fb8a4c9a98ca09fdcaf7ee1fb70c4296913420622125e7dd9c6a5611b46d82e200ad07506c964666947cd02eb78933edee26c2752f734db122c8849469560e3afa8788f5d9d7564d193bd7a726e4886a6810c9b0153f2417b55800b0a4c33e3e4c46cddd307a77e5430dd8ac186bed8233c9823b2b3f26dd1f2fd34a37d019e47b945a470195b460ef34de68597a4af329832136a30295e2ed5779a234f6410cbaae29303d83bc32fd72e122a4ac1907303b8c04e8b280ce6fbe455668c3252289c350d581cd5563cc798f07cfa7ef87a971c24282e5bc692d19251e49e502742e8483eb2a9ebb26bab25c3029791b24ed8ef98a0603cb96c19876c8ad012f9bdf2bbbe93af7d61beb6441c06246862dda61c61bc5a0c069387b8812fdcd2d94f76e7f2b73f0185dd49140c6da04b19a21a7cabed250efa51831d08bfdc7885f7686ae2757ac85fc526c62bf315b92fb79a47827cf0eb54049322f85bb07faa3765d0c8a1c4399210c7af4203fb5657846e9f89f96877c3fb6355e8ae22f21e66ac5d316524aa8fd8b74faa56bcb6698bdc03fb1d477f9328aaf025788ac0a5589ca642d1df7f10e38e5176bad9cb07794738f509622792bbaeb8677bb06dcb75cb91ee2a1051a9c241cc5ec3977a0f8c539fe4e79327fbabe46ff76b75c6c2d0af8a8f74e178d1150a4451c653d1406c20cb12213fa8b1cd340807382d0a83875c424e7d384c652de2494e714a9b5df04d7b43a106f73d7f980159d908a536ab963b1e8471ad6bac23c507fbea29f1c6a206abdc52974a6bbeaf63dccf72cc2f2e37a4171b4d8ecfc46514264d96f564517440259b1ea19e55faa924a9a54595a2b0a4c0a545cd0c3416d874f19b57c718272b0334c67ae2452450b78675c6c60d4ea17b0d4769538e5411d8a7adde66cc386de32fab558480de692e74e9468566245822a9790c489c5bfe372c93c0443978d6802b733475d57fe524a5a1370ad6f9ba3311ca0d2c2a8550602ccaae70f0528db9149a33cfee97cafee83f6fde9bfda32b80d9176cd31133f83b54e2b0fbf88fa7e901e1f681014f23534e10ee95969127c8ab5a75f07f09a9b53e9856ab64c0245d13243cf8bfe16d2ac68453f05b9ed9780e3a838f27d6710c90a733bf089f76a0a05e74cf46c7242b7857250dfc0240b53a9e7b6bacdf569130e7407cc9bd68a04045cfe5b0858600d283bfee7807af18e2008363299fdc79e2a1cdc5f769b79098a6afad403535a8844581c5e827395c40ef8a1a3f330229ec702668c6ea9d108aff9481c2bfa3f5d707be71f95ae7a755bfd0c846cbf2069901d589a2428493d717d419c2ef129f6cd7f4b0c52bd89565a819130bd68d3348c5ea92b1de730ef82d7a23909d296ce8801f1aed540079a51193e8e447ba34233539348719cf7b19365c1dffba1528ba3a1ff2d8f0ef0cd2c60d595b083e4792442ddb4233f61b926f1b776ebf72e75b7696bc6a8022920368a8bc88527e1aceca1685a09912ca2a700347c6a757878bfddbfd1ddd754a43a76c55c9b8fb209494b7ac2dfbd34f1966b2a30d39cb662904313581cb652512d3285c792e0533f191d87e8ccc2dac665be0dd29418ba81434083e4f7208ef4d5e39f52a4ab32b5562b6964c64b26226c6e418043854aacf1dd7aae6a55255770dc8eae15824c7b1e3d1d76e3c791f3a10122c96d0c117e52962cced17a0d8f7ea6dd4e679575725e950b7a344e2d6887f7c8073b043424e5ce05fce81cd20ae15e06430228b7afa6f8bffc354a00937cd6e474bae5f914ee9bff05a2e1207498afd0da5270541dc61b02e1819b411ec2e8580d3bd2aa60b189b29c0cce00ac128348c4c853db90ac42e0ea82b5674cc4622e2682d53980a491e47b746e49f58066b1e3852edfbb4c05639c851c7d1070cf832b271be0eea0a6d6b5551ce3982360ee91e24754ff80f2f21c597e01e0bbd7c0286054c901dee2ec4f8010c835be3a1e8636efa0727ac9c396aaa3db658b0a7e1a1027b573e4b62dfee5fd0c5e5dadbc39b0a3424771b95711977f620e068c2f5d3207b81f071e834c0bd1be9b64f593b2434c459c5', 1, '2026-11-26 19:24:29.204895+00', 2, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.204895+00', 'ada', '2026-11-26 19:24:29.204895+00', 'ada', 1, '\x029556a78c96242015b427b96e62d4a19de79733604030d94b2d9a4aea9ea6e91b70dfde7821a48469c80fb1744828143cd41f35576e8f1dbd52c8863050097508', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 14:19:34.081816+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-02ab-7026-a158-5b57c8c9abae', 'ibm_cloud', 'ibm_cloud 6', 'ibm_cloud 6', '', 'b1946ac92b5e4a3f9d1c0123456789ab', '{"subtype":null,"lines":[],"warnings":[],"policies":[],"values":{"account_guid":"b1946ac92b5e4a3f9d1c0123456789ab"},"secrets":["api_key"]}', false, NULL, false, 1, '\x014d884b885197676abed0c900b36b00c5547760a4f9f69319ce80840f5267b2c324ac9d07c1a570c304412c912bdbe0a8f4474e197f0916345b6b4144', '\x013d52df629bba934e1149b23b8b701a70575b893bc639adf3dbe91f821a15ad880e7ea29e3077530f2b370c54dc2115b65d2e42fdbda63f1b32352ed7431fdfb507d791bcc88e62a35ac54200c0f59b5a41756d95b127a2fe3a3b1bad6a2177e423d4bd827234255cd35a246715d75efcd0c0b1771c9a0f4e88d7fa7d4d6802eca145be9ba99f7238aa9f8073bc4c9fdd3acc3176fde6827658a13e5a', 1, '2026-11-26 19:24:29.226362+00', 1, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.226362+00', 'ada', '2026-11-26 19:24:29.226362+00', 'ada', 1, '\x0257669dfd9e08301a0f710dda164d00ff4a632e5a283fb78fa65f82989283a9206e61a095b158499a365962046db902958d61c6b3346cff246291da313be0cbca', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-28 02:37:07.71795+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-02ba-77ee-90a3-f0b1c81a85c4', 'kubeconfig', 'kubeconfig 7', 'kubeconfig 7', '', 'cluster.example.com:6443', '{"subtype":null,"lines":[["Server","https://cluster.example.com:6443"],["Context","production"],["Namespace","default"],["Login","Token"]],"warnings":[],"policies":[],"values":{},"secrets":["kubeconfig"]}', false, NULL, false, 1, '\x0191e3da7f1c2fc332dcf5c9d68426d21a0637f64d8276b5e0debf0ac21823194e8f46ff10969d88d2454f4051c82235cb93e6d9ccee974d50a60f33b3', '\x013ab66a1f44e8b4dfb440e5bf2bc8f4b695f668c4761f353b8d2d528cc7ad3cd2655a10f142f18ad130691ed19b260183accf6aa99769c9fc1e994cdd253b217f76e00aa25c57bedd6a62f326648a8169cf404a404aa06bc0c15ecde3d186f61c0d012596ee191bb5ca22c3754ece3ede6b1a9be088f9a2339160bb5d50fd0e30ce0d6063eb6720a53c1f95341f46a6cddbb46d890abaeab2dfe8ca8f2adc23fa7d1523b682188400ee1d28554646537b13ae72996fcc124c4364dbc33a251aecdc8f4e7ccf79cc54a7330d9479f91033a213ce2810d65492d8f921d356cb7e8314c8e90e482da76f74ad5df825a5a8e056c4552210eaa063431f5780b17f1f7709eacdc24e92d0a478577ef654087793429c40383a87f9af0f0405446021422afb53310708ae433d02f8a4aca6c1ea13c3ac8ffc15a59bb479109ea4f71a3ac0bbabb006b431a360bd2770339824c73fb288fa1f4781048ed026994cac0b49b097bc894d1101c3b9abdbb3e72bf44525ed55ce8f1ecb74b5ba960bd8eac911d6149e5e23d8bea3e5640efdefb4b56b367510d4ab6e9f3571a7a38e9153c933792fc4e7f6fa8c1f0433b97a1d6fae56968982e0d199213e58f9350491a1e195d5b01eb86d7660b88468318ff534f54bf9895b466ccf4e0e0ea53f3257', 1, '2026-11-26 19:24:29.242038+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.242038+00', 'ada', '2026-11-26 19:24:29.242038+00', 'ada', 1, '\x027db8f993a5a70a72c6cf2aa9b0c976afde643a0fa4e9ad4c16b101ff5674005c5ff915ab140f2ec62a4933c7ad594ec5ef16666ea953fdb43f41a64b1c1b54b9', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 20:40:13.245419+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-0301-7270-b55f-a04a69a62940', 'oci', 'oci 12', 'oci 12', '', 'ocid1.user.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq', '{"subtype":null,"lines":[["Tenancy","ocid1.tenancy.oc1..aaaaaaaaba3pv6wkcr4jqae5f44n2b2m2yt2j6rx32uzr4h25vq"],["Fingerprint","ca:16:7e:96:71:30:76:9c:42:72:aa:24:fb:a7:c3:65"]],"warnings":[],"policies":[],"values":{"fingerprint":"ca:16:7e:96:71:30:76:9c:42:72:aa:24:fb:a7:c3:65","tenancy_ocid":"ocid1.tenancy.oc1..aaaaaaaaba3pv6wkcr4jqae5f44n2b2m2yt2j6rx32uzr4h25vq","user_ocid":"ocid1.user.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq"},"secrets":["private_key"]}', false, NULL, false, 1, '\x01f663b4bfdc9be4b3577e146bb74d3c750461024d7ba2e4f62e24b47746d643b5252352fafd3f566217112ca76d859d0635ef0edb5eb26d3ec358f02b', '\x018c1aecc73adb285a0e2d75fbda66112d0cb6b1fdce7dc5b0c958b52627e11cd1bc73a1aad99a339d899ed8df7b09bdc9cffff8444e6dd64836e02e4abe9ad72272067b361365b0aacc4b8b07e0f7a78ebe70def351a27d65da0838e448bbb07c2f0c7f22003c038ce10a7e5976f9b9783d4a9b23cd1438e71995edef7ecb851709b9f2c0121768b5d8feaa9db2dc60cd78e6e9cb7290608f2e4e6f9f913859c65ed5a6dec94daaf198803d3c650a75836e67da1183ae452c0f9a7ce5a1aac51a5df47ec5be0af5a920d6d35aaeb0b7358726c539b0e1c6e771614404c9c00becd19cfdd425b75c485756a3a2c39cc1b21e56619696a8109720de86c7ca176df9e92c328bdc04f89a1a4da93a835c25b026b5723f4d3ee2183059ea61baca80ae633386269729982df05cde783766903132e4ce57bf1d2fd510d5f5921296d9c8595d63bd4ed35e1e80486a86a43e19c39e55f77d5e52e32586aa60aa6c419881dc6037e94dd646e56056ab149411133b264c395525e19baea5590a989a8f7fc890edfa7eb91d07d17a3e94d80464afa3fb1522b0a96891f0823b406dbfcbfb7cdd767f86e5f29d12b9772c94e56327d11b47dbf1e8477a919f5bb3d12c7f2339db7858fec14bf7ee76a44c6a7b5d44d85a348fbc1c45bd377e9f7dfe3faad9aa42b69d4fbe12550bcf46b309acf35209de6b075e2a3dc69bbebffcf7284456476f35e40799d0fa0630243f8e8d1b3b5f733f078b2782764b2b209aa20899ae633071cd4d220c57cbabdaf36b4ba7abd6a5fdf28eef5a0353f1658b430d9d76edccb1747fd862903a732c9a967cbcdf58b64f4ebe1d438b9a409931c0662e53803b3b85b8bf398ce5eb322c0fad141c0adc2d268ef74943a0635d235246993e5fb67cecfd6335a797602a327d460f8295a2a1a814fde183bdffe1fdb7c2adc58088576c889fac3daaf91f8f33b01d38e558776e102c4f1e133a0a3d1caefe8e51f9f016ec788ba005fb22dc15e61c01713601d0dc1060b06ae6232453a4a4dd05ad24f13eab4fb068ad0fee69ef6b726adab54b4abfe94b1ac8bde360907013d2ee0be27d8f801cb3f331602107bb023c6ef68f75839cd89c672ebc689fca41bb32d56bcba29beda4110d2febb8d2e85e2e455e506569bd79c015544fd18cc1d410238204752df9226cc63d78acea2398a6a9cc5464c9eed797654a2d4285a84f828754dff13ed04debc850edcd328a7e2ab7c41c89803fbd0c0bb7724c126ff05ae7f14d7ff68897d915557da15f816ae1605aa7b463fa265c3dd6345cdec10599b3c7d10d2a96dd4cfc3cbbf65b5f3de09edb6ccca73451a2be38746c2b31bff62f4871665501bd2b4e758344ff4bf6e9641302d71c16c062fe3d6bf616642a82be108ed8230f8afa1710cf41eb0fb8fe68a5592b2ac0f25d1aacbcfa09756f7bb6f4cf7e4217947b52b852c2b4d00682735ac6110b6397c68942b309e22bf7bfaadf14127f87d5a5438435111bf9a36e11201e7fc5e34abff57fca74ff8305658dc440a12097607a9c09de00abcc8ddf03d89c410880691f067b0ede5e737453aa2a09218a594bf250e8a99abf1709cccc95315a9d3f824ecbb27d5f2672ab92b6b3dd8b6cc753247991fadd0a26a03fa4e111f2fdb80d5b7627b2ce2585b0cf0181065a9b84ca4fc98f63a66a1806621d530142b5fb035776e994c2e856a0c4d537068659882e05c32bc070a357f791e55911095c02b18ed69047e82bd09032e970e6877ed4cc011ae32f2bf024532e61ded727fc769ced47079af4e0e931345402f713e299380b2a41403b476afc6ffe70cbf1fd47638c9524cf1893f71c03e3b88db44a5981cd75b9c8ace5b84aa67616a07eda05327021af76674d747ad110a2c29f777ae91f8c856a0befef25f83956962594e0b2a3822ce9a57e58edaf36bbb5d58207408080154bff734dbb458f1b70fdeef0b6bbd5028b26417b86e809fe95e11eccade77eff3990577b637f005a73f636b8ac21171a00c08e01b155832e5c1fcbc0f28018fdf21a8fd6a831d9b7c9b78435d8f0226ac0f2565016213ca1ca887ece98b7c5104b94ca4b3a8037ed6cad0ca583f86e06ce68449ccc8bc07f9c8c5ab5f908f9cd5bbd0f67faa03adeffe017e777c7580bbd0011f5ade2ca9a40d2e07bf5a8d442a10075c8758e2ed1e7baf75f2a798f375a28b8d38324561868dc5ce9c014adb8abf595a3dbac23771e9f3761bb3fb8103f1fc8d7458a5e6afa6374433f1d31be227f103033729a2ed5bbb3ed34bcc16d8882194091600135052540613fef81bbd7b34235291e0cd701fa3e70dc1a6004f8f1f91149cc66bd557f7a0cc79b2f4626a70d2fd68edafed348bd6840848b3cfeed54f4ff09e3722435ec4ffb5aaff10066fb026312884fd2a78a6774eb2b256189a4ec38aad7f47cd3693437e8dfc8b332f1470395f7ccbaf592e2f5390dec169831e1ddb88274184100d8d80923259f0ff43c4a41940d0703e8a82148fdc2575a0815db28b534991e1d18f7d0e86dd6946bcb506ea523af4e1381f37ce39780dbda74f29edd7ce2da267a29eb3fed3060124893248f4bbcfb980d37276745e95f181395261b9705b2c1288620f1da79cca09089a17a2fda868db6b5ce2d4a353a70d74c0f1ab05cc1527a4212402ca6d59e23ddcf94bf2e6347bf2945223db35a26ecbe1171235ad013c1b8925b4a3440032bce2a748dbb331a167cbd4e328a1e7294dc7ecfb94bbcaa54f7d20727de23537981d25c222271652963562a524c04ea04b746f0aeac829f7d9ef1dfc23dd9e13b2f2d8b3f42e48ece4159cd1ec6c02d13079268ede74256563526d1bd9590b49de187f1ef195d690a37f8afb4c088ad40d590b1b51180aa662ef53163052695e8334887ef109320b8efae8d8e63', 1, '2026-11-26 19:24:29.310993+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.310993+00', 'ada', '2026-11-26 19:24:29.310993+00', 'ada', 1, '\x0221fb005f8b223efd2b4b2fd55667274fe8707c3d1675c37a632e5e1311f298817395f98ff6d841e6942ca5c2e025be611a76a39de3ce2c57763f112f0d8a0f8f', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-28 01:48:16.517507+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-031d-749d-88ea-0bc73ae3e4e1', 'github_token', 'github_token 13', 'github_token 13', '', 'github.example.com', '{"subtype":null,"lines":[["CA certificate","authority, valid until 2041-05-04"]],"warnings":[],"policies":[],"values":{"ca_certificate":"-----BEGIN CERTIFICATE-----\nMIIBKDCBzqADAgECAhRZNaYyRJE3d5NQlXjS8Vg8XkMTPTAKBggqhkjOPQQDAjAU\nMRIwEAYDVQQDDAlhdXRob3JpdHkwHhcNMjQwMTAxMDAwMDAwWhcNNDEwNTA0MDAw\nMDAwWjAUMRIwEAYDVQQDDAlhdXRob3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMB\nBwNCAAQnbjQAMYvv41xbYkcWz5rDac35ks9cuRILOKHKRR2u1PxmSo2Gt1bLlvPC\ntQJo4cUXLle9gezIoKIrLimrQIQrMAoGCCqGSM49BAMCA0kAMEYCIQC1rki6H/8U\nFOyk90Ggyw2WaibFa2KKzc1zMnd2N9w7aQIhALKspSkjqnABWU7uGLgpw8cd0QZO\nZJmNck658by5jDvz\n-----END CERTIFICATE-----\n","server_url":"https://github.example.com"},"secrets":["token"]}', false, NULL, false, 1, '\x0175bd84c118325b4bc2c7100a3c75c57a778412f9b5a249bea5effdd6da93b0f7e424169c82bd016eb3bbc26b9af490d5081d3205a84fe9e12fb2fa4e', '\x01ac29f620c80eca648410f23bb431111dacfba3d34e051933c856edccc1c5ee9a9f89d3e18d50665ad7d9482a8d4809ba33ec3e779b1d33a57bfe0c549d50e5306400191a1d9c3986366c2cc4c05d7fa657b2182708e2afa7a869d43707f3940b71d68813721ff9c0b36267b86995e2cc02426b2a31e80a407098d187769a1c2ebbc157a0a3016c01f215a28ccc450df3b7d31451aa2be11276524c45a39444311ad71b058754451915e971deb02a21660b887966594ece42a1ce4bfaf66dc62569136589f46490c19d9dd4ccf898ba93a82aa796042c84ea5e18eb947e7f976fc8967d19cdf4fe40bdfa7b4c888bd5e44ea456b7880eb3e269f5638ca91440c537b0faed1cd47224f6f3b9ebcab1e7b2b90746781c435954aae572eb776c988d1170a07a060fda75e784765078df18f9384587ed58f50ea63d0b296e2ac0de09c9fbcc1513ecc1ac9d87dbaa18959218dbfea9c1817aa6b803587a0157be37fe1794e33c3457fc7bf7a605d7f9be12c42db3277a86053e0696721c0144034a1adddb6b996997093bd64cf257ae7c6c76728f3584f4f74cc3fcbfea1bb3a991bd63b0cb9b165a834192cf0dbc1ccb36543c1334dc4a188020157848cd2917ad7f43d879f459ab26da22570f2dc6f0049899ee0ea622e860fe9245c2c268ff950ab803fe970f686f016b3cb90308f124938371fa0af0e1f11f5dfc4e29b41135122bdc6282a28fc8b1ac471f73e41ac3fae1fba84a38ef52602e708839078d46cdd0f7b9d8a3ec4ecc0c6b8b7ca728ef9ce4e75f1e625791c19ef19cdb7a19c4a21f136ca493d962b6ca58612bb5adcbb2cabc092e5a6fe4001bd5f46547e565d1fe34aee8993a358abd30906f39ca6ecf7d90655706a4b0bad9731007dd4f6c2c5e2e7d6141517f13a1b2c88f7839846868bc2087b75252e7e92d8aa9', 1, '2026-11-26 19:24:29.341088+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.341088+00', 'ada', '2026-11-26 19:24:29.341088+00', 'ada', 1, '\x0210d849c723b931198adf868b570b1312e967c30953eb69e301fa154bd7a90e02c8c956da6f001bb9d99091131c4c44a252885d61b411c8321d816f25ba7b38f9', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-28 05:16:30.18742+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-0333-77a9-9fdc-6914608f8a1e', 'gitlab_token', 'gitlab_token 14', 'gitlab_token 14', '', 'gitlab.com', '{"subtype":null,"lines":[],"warnings":[],"policies":[],"values":{},"secrets":["token"]}', false, NULL, false, 1, '\x01a8cd077be478c7ff19cb5469c429b989233bad8f3bd5c6167633d2db61b11f5ac0ff099637bd2ee4ad6e978dbaab9fef1dd551b84b6375b0c1e37115', '\x018de914eb8ef28f66df5dade7d5749f1474e882a4949a0b0f0d46fe3a2245dcf1f78647096bb1c8977a2abc687bdde9292414c45e24c25877d9588e519f0dcb39792058286332b76fb2670ff81e4ab17b316218265a4045358f3ba49e', 1, '2026-11-26 19:24:29.363226+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.363226+00', 'ada', '2026-11-26 19:24:29.363226+00', 'ada', 1, '\x02cfc5fbfe664d9d068513b863a9518d8ac175a6ea91ad97381c6c533eae77c69121d4fa08ae6ee5c809c31584d60506fbd5afc70b56322f3b118403c3ef6928c4', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 18:15:43.931559+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-02e8-726c-b553-b5bbcca76d8d', 'certificate', 'certificate 11', 'certificate 11', '', 'strongroom', '{"subtype":null,"lines":[["Issuer","strongroom"],["Valid from","2024-01-01"],["CA certificate","authority, valid until 2041-05-04"]],"warnings":[],"policies":[],"values":{"ca_certificate":"-----BEGIN CERTIFICATE-----\nMIIBKDCBzqADAgECAhRZNaYyRJE3d5NQlXjS8Vg8XkMTPTAKBggqhkjOPQQDAjAU\nMRIwEAYDVQQDDAlhdXRob3JpdHkwHhcNMjQwMTAxMDAwMDAwWhcNNDEwNTA0MDAw\nMDAwWjAUMRIwEAYDVQQDDAlhdXRob3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMB\nBwNCAAQnbjQAMYvv41xbYkcWz5rDac35ks9cuRILOKHKRR2u1PxmSo2Gt1bLlvPC\ntQJo4cUXLle9gezIoKIrLimrQIQrMAoGCCqGSM49BAMCA0kAMEYCIQC1rki6H/8U\nFOyk90Ggyw2WaibFa2KKzc1zMnd2N9w7aQIhALKspSkjqnABWU7uGLgpw8cd0QZO\nZJmNck658by5jDvz\n-----END CERTIFICATE-----\n"},"secrets":["certificate"]}', false, '2041-05-04 00:00:00+00', false, 1, '\x01ec769574ff43113b17d9126e3b147433369d6b7df89576a94f939adebc7ec9632c5237a62b7043807d8c5348b137c2a694c4a707067811545aba2c53', '\x011f728658d76adc537ae1389da5e9d13315c990d6a90f546ea5f3217e3a6231f173b75657216c3307d8b881cd3d3f00054dd5dc5f15227d57d070d69e8c6d631540f4cab923ed25418533a1d0487a5c309a913645de06891ca7c7d1d069800b48bcaf1aafa94a11a545531529e5a9e2d520eaed28552d5f3294783afe9fe074b6e2861e0baedfeae1957ba3249cfb8e13590f801fc7582eb7ddca8420443e7ec053fb3cc4d4337f590bcef55d6df691359932654f8b775259e845737c419c102a86654936de64735387e4b2291577952992e3b7d5e7456c0bd9867d82d9a936c7e2e4c31c3173c7bcd6559812c775d8a64cac3097a96356991c39bcb51905768ff4e4488a9f69267811b3b5f2e8518e22671f24524bdaf4f5692b90551e25a221935bde0a636ed8ce367ed4d981259f0462c19c19a445c281f1c15604a4c2ffedac6f7465695f6bd68bf5e51e51b0b6a200b7a610e1ae0e207c2267fbe85291e727e85f5edbcc214e759ff14125a6bae2657f2cfa9feeac1246fe4d7a08b186bd979be9d82e4c933e1fed34b3cd31d353cb75d8dcab2e3d97a997eab0aad01660a10c8f94c4c21bdbd5033763c939579969c89fca008b899d42949423c2580b5f3d321515bedba489767cf217fd93cccaad2a6b28894131e27eee99b02b9e0bb43737ace97a99488981b37bd490fd84a3d20f5b50e4ce94869efd0ffe46425e91b140ea53da6a1aa59e5d88ac072f1e13b9eec636535164a1d86dcaf703ae9c54dbeb83211f1fabe76d3c610821b91a307ce28f908d47bf79f2f11125ff4cc1e400cd90df4a4b3e8ca5eae95e0a1384f77ef740f914e6e45b3eee9ce1991f66df068efb40e112f2d864b32debf6664415de5317055265f76bd5a979792dc7a9ed5e08ebfd38a3bd7972a7ede359ab6f2e157de9e7367bdda1f2fee460355cd909931beada45434fe513f957e52cfcb4f31c90921cb43094598ce1e32d43c3b721cb700035c549e167d6b27d25a7b8faf862aa5d1e51bc000488716f2e250787633c2a849840f0e17227a54861e8268c26fe60b9b5911a76f897f4ad6c1f53be764ce82ee1a7a7e4f8fa14785a0d316e73379405ca27fb6754213e9605fa889af0e41e19f44a004d3f037fd7c3dfc9b02815a4f5ebd8aef000c445680e96539323351a1482f49f83d17b20662069ecb884ca0dc6b6be16daaf8dd0cf3ff1c0917dff06acd90d28d8b91414b1561933672f2fe57754bebdb41e6c472c874705f9cb658ea160eceb506acfb2811c9b0ec684abc181afeefc233e212376a1a8d3a666bceb2fdae42a37f41df0e2f3bf3bb60d4edf9ce6ab18a54ff05bdb99b532a2c2b2c16feeb3fd1c32073e89230b0a5b03575417025933a616f4d9d80145932a5da6bbf6599a7554a3fe44a302e81b5a4460573a05b4880174098fcbb98e45a2fdfa740b75206a9f41a34666f7702dade0d4ff4c413943ebd0d587cae528e7496199bbfae4192c318077564b4e7b5d60bc9af17c6d5e427851918b381c24f6c94f8d41ab339098b50303e7d7175a71c88a87cddb8074ea4c881cbb3419d385c2a90fb2ea451ee967dad317f04369b75b65cf1a1ea8faf8b0eb0b0b2cc6eda48587d898095a1f106f6ea5fd04b1f801bb3a972727e23b5cbec13c90c8b0a4e23a83eb57c1259379a808522f9b4c00752bf889226fd9dcc635bfd23af49852559e686eee6f33c14c83717fab41f3e13e216befdf3565cc9a7901427424a1761ec21f35da7c67dcaf12c69ee85b8cf64d353b3e1469a23d7fe6950c97c24e4c810c8f358aaac61262cfb8096405188d321014f3340476dfc6d93854569e07', 1, '2026-11-26 19:24:29.288125+00', 1, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.288125+00', 'ada', '2026-11-26 19:24:29.288125+00', 'ada', 1, '\x02d7fa3b963cd8a693c7d2182a0c80d06c928b91fb35590ca8d08678e81bd1e4147efefe4a6856e5020795f1550404baf8348f7a9ba6f2457fba8b95dc9ab8c8ff', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-28 05:47:10.904307+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-02c5-7072-a16e-375fef978746', 'basic', 'robot', 'robot', '', 'robot', '{"subtype":null,"lines":[],"warnings":[],"policies":[],"values":{"username":"robot"},"secrets":["password"]}', false, NULL, false, 1, '\x01128830b829512bbd14e458bffc20cd6cec3739753f13f44c4160e5bea95c1085070b74eabf3c7f565b13a215ffa045fc26251fce5c1798250aa53890', '\x015fe75c9423c72c2e063e93730f6ee1ab41fda98d1d51a828f9a580b81d84f79ffb72998af74ba2610c6927be3fc9e963359975689b275bc5fd5679adc9f1a5a1b3163a094d085366951fa0206d8f4e8bd5494557f160793e32b36a8d', 2, '2026-11-26 19:24:29.394568+00', 5, '2026-11-26 19:24:30.040245+00', NULL, '2026-11-26 19:24:29.253045+00', 'ada', '2026-11-26 19:24:29.394568+00', 'ada', 2, '\x023b3a2e39338993be37bf84fcd8450a845d4cdeebedc0092e23b4b7606df6b38cce707fb19a382389a37f2cd69c527c3f2f7a7dfd1d4af06c4df848019a56d42c', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 22:31:19.344033+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-02dd-74cf-9489-8b0b7f0186af', 'webhook', 'webhook 10', 'webhook 10', '', 'hooks.example.com', '{"subtype":null,"lines":[["Signed messages","No"]],"warnings":[],"policies":[],"values":{},"secrets":["url"]}', false, NULL, false, 1, '\x01cb88651f2c75c4cde48fd4f00cc622b2d7dde25931311e18c8965179b789de76c1de2df3a463be6312f7e4ae1618d50184c37a0bc91a4c6df11759c5', '\x0159d8e9f360459c066197455c11f8d0de9b4db38022b96d1bd812513aa0fc5a2ac21445e16558cbee50104cb113d331a95188cb910a44ebe15e43983eb2b12913bddafe6fb45179d52a138016202fa0fdb484ec09a3c6f5521787bf62336fe46955757740025f4b8331379a18a6f28e0ef61f7fe22506979167b466dbf99097d94583e8a092672676779f9a7c08b0efbdb2c42c7be4f8bb507b53eb21', 1, '2026-11-26 19:24:29.277829+00', 3, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.277829+00', 'ada', '2026-11-26 19:24:29.277829+00', 'ada', 1, '\x0276d31649531aced1be3859b6dadfd09bc3c3c6d2306a673338dfddcd217e8b96d00ed7ba18b4f6dec498fd07beced81fe8345053d3d3b8c8015218560bc0baf7', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 23:41:07.976791+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-02d1-746e-a141-1538cfc5cfb8', 'api_token', 'api_token 9', 'api_token 9', '', '', '{"subtype":null,"lines":[],"warnings":[],"policies":[],"values":{},"secrets":["token"]}', false, NULL, false, 1, '\x018151531ae59e8b5b9ced3ec80571f241bb48bff23140a7b66e6546022fe1f6769866db13732d523f13897ac668f5c4674e444727a5b27b7a55dcac17', '\x01f589e6be55370eebc6f55b6be52e6e917cccd572249b928b05194a54f623c48407360146f9a55552f696ff506123d5e87d910e5c4be90bdc0d6e33374f9255b99883af716980188a484514a1c2848d3e1e030eedf3d4a23fa4447d21', 1, '2026-11-26 19:24:29.265025+00', 5, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.265025+00', 'ada', '2026-11-26 19:24:29.265025+00', 'ada', 1, '\x02eb1d8f529926653c745b7c72d9a35a0fab0605725a123bab78a0d0f97c01737f485c1915fed302fcba7888f627db387d6ac1ea6d15775fab9b4ad4db73e0aa49', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-28 02:13:48.260397+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-0239-707d-b7ab-7115dd87a9f0', 'azure', 'azure 2', 'azure 2', '', 'ae01981e-e1bf-49ec-ad81-80af157a944e', '{"subtype":"Service key","lines":[["Cloud","Azure"],["Tenant","ae01981e-e1bf-49ec-ad81-80af157a944e"],["Subscription","ae01981e-e1bf-49ec-ad81-80af157a944e"]],"warnings":[],"policies":[],"values":{"method":"service_key"},"secrets":["service_key"]}', false, NULL, false, 1, '\x0158074461ef8707803dade0db5acaf2798a03f1c595e71f755572d74d845c908f83a2c0a976538c0b71b0584b019b6b8ceb8268b5437d7a79ea8dc69f', '\x01d5d25bee0c6120cea916affcf45b2513f5979f80327bbe058bb3c769f40eca82fcadaf91ba354c16bcb1dabbfc925f67b1e926fd168dba38afd82611c9deeb373ad41ac2c60f9d51c5f32017ddbb9a3a177aa6b688a63ac23c37578a67b5c4adf858a047581b0eee597a22a9dce5975163c479291863a6826db2ad1fd446b92f899b7cabde51f4bbea7a401bd90c03b64be515abc2839db31bb02ce8621918d2114ca469adda0728e7005ef90c77851ce2e4294ff674df196419ba75dd6bb8962c25214849f98848092dac02e9b7827e0353f39393a8173c43bfc35a7a6592540f4c52c4e2ebaa9ab5bcc3c20a4c8ef1ec6406e3e85195d9a98827d1a38f28695f98da5838f4a8da649535ef844c916d4577707c7f786342939ac656bdf8d17a57a38ac492bde0ff0f84ccfa6f551ea501c4a7a2b182398782dd1f3cad0323aabecc9f3fb7bccc80f9ad44ba926ed92adf939cabd602253917ef8a236d97aacdb3d0ed2bfa7d6fcef5d14bbf77aba3fff324f25c494ecc6f29623ee608f41607af2eb1a5b6615293925d2fd7807bbe77b049c75f17f60619d6ea6525', 1, '2026-05-10 19:24:29.517042+00', 1, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.111788+00', 'ada', '2026-11-26 19:24:29.111788+00', 'ada', 1, '\x026100a57230301531a4fcadfefa32918ebd4feea24713566ca456c2e7dd387fe055eb0b4a039dba51e0c73131c7a99cfdf4388332cb03402f6b4b195c4df7ec7e', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-28 01:42:47.968273+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-0279-77f2-925a-0da183d65a1d', 'azure', 'azure 4', 'azure 4', '', 'System-assigned identity', '{"subtype":"Managed identity","lines":[["Subscription","ae01981e-e1bf-49ec-ad81-80af157a944e"]],"warnings":[],"policies":[["Cloud discovery and Container Registry scans: role reader","az role assignment create --assignee PRINCIPAL --role reader --scope /subscriptions/ae01981e-e1bf-49ec-ad81-80af157a944e"],["Function Apps scans as well: role contributor","az role assignment create --assignee PRINCIPAL --role contributor --scope /subscriptions/ae01981e-e1bf-49ec-ad81-80af157a944e"]],"values":{"method":"managed_identity","subscription_id":"ae01981e-e1bf-49ec-ad81-80af157a944e"},"secrets":[]}', false, NULL, false, 1, '\x010a7ef911247df328f2a3d606b6da3fbe829a7789ee25e56a35f5da79ca7170d07291e2f330e0a888926673b46ec169e8ae506b842c3d9c988943d29b', '\x019ee8e60edf16f03c04d67254eed9611bc064d435c403dadd89e0c199bceab9ae0f9f707c0f437dace1da0d8769e29d88af46ff8b1ec6549445da9b17d5e123dac594f204ef637ed867c217237f817da2627bb7fc5993b95fb20a18e5d427aabc485d8fe48159fe48a223a20d40b8c361df3c144fddfa1675136086b65e3c8fbbc5ce4ac297ca77c643d74f0cc6f2645da2f4cf267fcdc8fcf4a15f4d', 1, '2026-05-10 19:24:29.517042+00', 1, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.171747+00', 'ada', '2026-11-26 19:24:29.171747+00', 'ada', 1, '\x02bbd75baa4a4096b87e00ee5dfe13deeeeee24ac881ee17d38a1eae2120e17bb4ee92c8c51860d0379da93178c67feb905ffb6450a170425f11eaa3f2c1d3d7f9', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 14:15:55.532563+00', NULL);
INSERT INTO public.credentials VALUES ('01a21951-025e-7018-94a9-df131ef28852', 'azure', 'azure 3', 'azure 3', '', 'ae01981e-e1bf-49ec-ad81-80af157a944e', '{"subtype":"Certificate","lines":[["Cloud","Azure"],["Tenant","ae01981e-e1bf-49ec-ad81-80af157a944e"],["Subscription","ae01981e-e1bf-49ec-ad81-80af157a944e"],["Certificate","principal"],["Valid from","2024-01-01"]],"warnings":[],"policies":[["Cloud discovery and Container Registry scans: role reader","az role assignment create --assignee ae01981e-e1bf-49ec-ad81-80af157a944e --role reader --scope /subscriptions/ae01981e-e1bf-49ec-ad81-80af157a944e"],["Function Apps scans as well: role contributor","az role assignment create --assignee ae01981e-e1bf-49ec-ad81-80af157a944e --role contributor --scope /subscriptions/ae01981e-e1bf-49ec-ad81-80af157a944e"]],"values":{"client_id":"ae01981e-e1bf-49ec-ad81-80af157a944e","cloud":"global","method":"certificate","subscription_id":"ae01981e-e1bf-49ec-ad81-80af157a944e","tenant_id":"ae01981e-e1bf-49ec-ad81-80af157a944e"},"secrets":["certificate"]}', false, '2041-05-04 00:00:00+00', false, 1, '\x01c172d593ef3499c6613e07cf689f814cd47c66ab654b9ff10f32336ac4ff05d8742c578c0933013c1a419ab68be1efbef23763c29f1ee2f1dee979f5', '\x01b5568f7b577238058e1da4fff109ed3bbda41ff25155bd6f7c2c0224aaaa3f40703cee05113fbe7e924ff4040c899cda2c81fa39575dbff74a6e5971a6fc12f411017659eba30580abf88a6fc8c27a5ec650ef12d9a6dc6d585f6a4c412198a05d35fdf5cf879959a203c18ccff3fa60402cda50efbccba5e544dc57a5454dc3b4b4e98f355cb07cf77a4643df1cb2e203795ab3f585fc6c0e72912a7a8ab071d533e6047c927b2a40b6b6572df7fe5ad3076fc90c49eecc41839c7a404ed55a2d2039eed9d7b66352a3c57a4e795ad12cf4f693b145d383646a1a2eb0a51e9856e7c0964fa24e03464ba5e4402b620b741b9a47d5cc250e168b787843741bd240977f698bc5ca693dce9b0d2c902c52f019dfeab577b646fa94240e3c25a5fe42b1f0d6cad72531d3c25ef2a36498d8872ee5c18485819650c921640e21691acf10518f0f0e0ade8513b18f6c2f8ee9c6719aa932f4147f04bdd5e887033edd9f7071a854ff3f39df3ce7b8e2055a4eeabefc8857d089975a6c6678f4c75001221dab00cc75fc7374ee200d26f79f2b760582448501e1799b5093dec270115cbbabad9e0f6cceff6a14e54e68fd7b682aec69fc3d02983e1164d75781f73725fa6a41b9ad6110bcfd3cd3bee14e4d7deb6d18b5778ad22d0a5f5f51e1bf6d37662bdd0b17e8691cbb346776e9fb0eef31194dbed2a5610a3abcb1d1b6201d0cfefdde7c0d47a2d5c7f051822261203e778f409a065adfe793df8ddcf0613411c57949ecaf93f28de80a20fc298ac46fd522053844441983ce3fd834027e50fcd07153666f30260a9c2898d5ca27e9451948929bcaacfd36525e355b2ea4e6889b83fcd6f220d916e4a89fe4e479e7a3285bbd5d033b2e435d0d78130ab5d275f2104bce4c9d61a1704dd0253b6eb01724c26d964f4a6db4d702c1843ff78b7335028dc220f04295a2cf13870cf99394613f43f890901e0fa92c4549ad85728d10b3ecdf2e1452cb508373db8d51ce1bd2472eac494453eb4cf04e314290cbb9f9bdc51cd9de2f7dd2528676290e1dfeb33a4386f850a7bfd78e23b8ef868bcb3b7d6c4551b7dcf725d6af5be1794dd8dc7cf09a98bedbe7cf87dc277898a913c7c81b633e82b341637d7ceb50ee1b68d5997ab542d01bba340b7b14f2b62d0613d0254dd3c148798e46ba5424fe97b147852f986dfb897d2400c1e4a6326b5d404d99e78ac2ecb13ddef6e3de2ae6abc7cc7f35d4763d8801f99b2ae54c55a80deac0eb92fa2e12f41815b6963bab5de839f5a3985a79c58e4e9fea348d310b163f8a7b9001bf81ce259f9e566ecc6a5760b19ab402c99de9363407e56b2f44c8ef86b3d127c8c98f1e39da80ef05baa62d6492ed5109cea5ebee003b22537f822cd46ec47a0c30ca1b51dd312f99d991930a13810bcbdceba9c4e2d10601baf5b6a6915aba8a76ade022074e22ec1a05499ab46288fb014ffee7998050492ef1d400e2660d85837ad7b585017baae1e8a87c59a1bf54c3033f0b3f5a8f72c44be408993597c4d65d944359e3cf3226df8ae6f9db99aba3ca147138869bfc78475139ae8a20f69e1bb3f203b8854bf65bd1b804562e08530d148f507112d22b9dd63dbcc287c59d9d6f3e2e1fb32fa0b5e993a6da731a9dba9116af7220ee56dfbe039f369a3748f3b837effaf929082cff1630a642f65b36e099dda64bb0b1a3f8956b6cae85ceae095de06b8ef14064ff1094b37c04e8cb5ea99f002cac7bdae8f5e088f85f6552d59b0a5fa7fd6a4faa848777c45961cf8f2570045b6a0c2a03fab6a43a8c9ea578aef7dc0c002bb580c4677b172ab1db2cd0999b8fa95ea52099cad11666bce952451cf448e57c39bef90c1eb1ab13dadac507275bf1c5352fb5437a90a28a7523d7848a2ce0f90e353a031d9733254450c945d8b1ab99cac8fcc700f858047c629fe1c35f5df08c445e51151e14939e5d1cc0a6e30e1d552a0938bbb12037faf6b1752686345510f22fff0827521f7c93452c62e40eab2791864fda24712f9a89f1846a8c23cf4e11d833bf5c7fa82690c65daaa64b6d7a5dbcc4c868dfd46146c8218440c6fa1429a723e8a9b04e393d966da4f51f7780d591ee88f1b35cca1a4c1c41dd420d032bf1e5e7d2dcdf3d2a7cdfa6909ec59eea12ead73407f812cab7ecf19d83b46dcb11e42b36141c435b508f14effce4d69d86fc7a4fdf3a4fb6ca16930e81cce09592f5b1b22792624a08312e307ec77127ee1cf65435c79e99320a1813fcc87f3825b5c46612a1ee062e559c49666227f2ad7c646633941fa96f168acaae53872d802f52d700276962ea511e17b2a458889a9f1c3584583d012acbe6143f5bea2ed08d4bdd01f60e2b824331ac8f4eeae403c3a5dd006f6ac1dde7964c9af38ce9e79c078a14a17b7b6d3b7c28b7a13789b36d5048c71dcaca22e5245445ef83a8ada0dab1cb93ddfd8154ffec18f763175075b0dba8f98b3879e53e096a95289ae7366cf8b7ecb50114d8ddeffa72403741bf166f94f1b645050c4602e2486525372b19353a8aa1391773f02a6ba0b0887da091b631fd53118015977da9b3922ad76f4003da75fcd1a0af9fd463b6a575c072c3fb3b352cc8dd661f819e38bcb5aca3c9ff1e1929add10a0348dbf287ea0fa95f557f22232b15b928cedc59556a79ab117f3c0c6fe92658f5e910a0f781dfaefcca3b8dc59624b1d75c4405ed737c5477aa0c03d8dac73b15f38f02d7438f4270129d5e3f03276dfdc2c51bc0a6ba6e0492ddf2987f8816475b7298b25ae015421235dbed668b72534c9cfe00642655bc3278caae332c1c662e96112a869e01fc232bfc78ea7a894f538d821446e1b703d005a80785447ef9cbb0dedd16e7a0ba8838a262e98cf979030c83c0f4df0e1c5904b77d86a16adc194288e912d7ce75fe49476eb2d75b58b4d6f0cb8a233d0761a1c6366cb21fe9210ae5a90e876b9a95a353adb4f6c39f83ebf3792e2f95f810ecd2a16492c97a670582297099aa63d1822337ea4585f7094249d089bb03aebffe626313f7a8c855449e1d276fa944346da3b5df1453568788f011d72c63245241b46af0730bb4f355280805c379a1dc21c1c326066ad36794e0491ddd9a72bc6533059d8260c8b6ca87e8ce13926c2efe8225c9536301b3f26e67a5f782bbcb7cb0d35ede887e8d18ed35b07d9c9bef4e7e8bb680877d90b22495e2752409e3746fbafbbead133f1f6abf1bbd9973fa0103854eab8a41007e947a78893a9b6e023651eaa4df8ae49387e1def4e7d98fc120faed4c4f8fbb2c25d6077fe65ab73db92f17c0291ffe4111f29e5af005dea05a4a9c4a761179cc35be368f908c5b52bd73b0c31f7d157fea1ddd019570c7bdbfdbf893f480d585ad2207680df25c47c3b6888fd33f8519e33eca3daf61b23c9c51c853ef0d8c1d6aa6a2052d2b1aa70b61737df05027e43a0e4a710a95bb7e6a7422594d1b52f68d356bb4f39ce3751de53753a9940363c14c24badd83dbffdb6d943b12434ff668437ae3edefdf19134a0d0ef6d6d26ff1368a6403a0587e0647e7cbc1b0992fd2dc976011415b7d761fa3ffa04a71593938ff58fb5481ac2060529efbc32a0015216909c6f732b855fab67044e1fa5ee4961f29821f72a4611612e909ebff9732108605be2636a05471de596633ccaaa9c80683538775fdc512bc3f831fa1761b0eb4b04527acf007584592bf2b87e94448b72a15ecdc6706e8cfdc4708ec3b33f3b22fedd5b809d642f79ab0755fb1f0d7868c09c43d0ace2e54214929ee4f47fa2a1fb08eb212fec9837cc3690f14901ca2643b92ada610b9ab23d8d5c940d691cf6b84dafc9974bd7595344d130cf7a9afb0177c94c5ca8959aa2c1f71133a84c26f5a913e150fd6918fd2d20324f90296b221eef682aa44f8ff816c2cb88508c72a7fc7b0b2a05850ddca81c2975850ef2df099bb39e54fd0b1db95e47cc133d56fa0adb57c78695601a1b4d3394b0102f7fa09b6fac85dc8c032266fad236b9c169609d7400d3750fe1cc6e2c447213946616146fad31cfcb570cc9c9073bb0f4c9135ee3c5731630c9261c63682aa73e8742bb48c926c87781e6cfd225b30e403e24b591d33d41e5eddff2fbe1ed5c63a942ec703626ab914d6f850ddfaf6818da62b335f9cdf6111a1638adae69824b8d1729692d8dbbd5a1f87ad17e63e0de67382226aea7c98e42297785b2cdbc16d19bedaa99b5fd570f4a35b2e9aa4e58329912facdc03d8f86196ed00530266073a7043bad3b33ef25a8f8fd41611aea6d5be39d8b981985a326729e92c5959cdfcc11b43360e30ebaecbbcffa47faf6dbcce4b87f7bf31bfef', 1, '2026-05-10 19:24:29.517042+00', 1, '1970-01-01 00:00:00+00', NULL, '2026-11-26 19:24:29.150036+00', 'ada', '2026-11-26 19:24:29.150036+00', 'ada', 1, '\x02476b9921f19899b604a6c0a1db76e79c06ff66d1b9316963c611b30fc0ee23d1c027e62379eb41cb926dc6d346df333cf92e7d84144f36e48f6b7092f6deaecf', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 11:20:53.220626+00', NULL);



INSERT INTO public.deliveries VALUES ('01a21951-03c0-7305-bcaa-ffa2e9301c04', 'confirmation', '01a21951-03a0-7592-9ff2-9ec8a4da0124', '01a21951-03bd-7367-b636-67d20dda01c1', NULL, 0, 0, 'dropped', '2026-11-26 19:24:29.498764+00', '2026-11-26 19:24:29.605611+00', 1, 0, '2026-11-26 19:24:49.596691+00', '6a88e131-fa76-4508-a100-96969aa307eb', '2026-11-26 19:24:29.605905+00', 'The address has been confirmed already.', NULL);
INSERT INTO public.deliveries VALUES ('01a21951-03cc-751d-bb93-cfe549b16641', 'confirmation', '01a21951-03a0-7592-9ff2-9ec8a4da0124', '01a21951-03cb-75ab-828e-4a1b0f85003b', NULL, 0, 0, 'ready', '2026-11-26 19:24:29.51414+00', '2026-11-26 19:24:35.647444+00', 1, 1, '2026-11-26 19:24:49.596691+00', '6a88e131-fa76-4508-a100-96969aa307eb', NULL, '127.0.0.1:1 could not be reached. 127.0.0.1 is the machine or container that Strongroom itself runs on. Enter the address at which the server is in your network; if it runs on this machine, check that it is up.', NULL);
INSERT INTO public.deliveries VALUES ('e9638fc8-3d0a-4d3b-b892-4ec6434691cd', 'digest', '01a21951-03a0-7592-9ff2-9ec8a4da0124', '01a21951-03bd-7367-b636-67d20dda01c1', '01a21951-0b8f-737d-98f4-66b996f09b0f', 0, 0, 'ready', '2026-11-26 19:24:31.48735+00', '2026-11-26 19:24:31.48735+00', 0, 0, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.deliveries VALUES ('f35b2c60-3468-4482-811b-1a2766a83217', 'digest', '01a21951-03a0-7592-9ff2-9ec8a4da0124', '01a21951-03bd-7367-b636-67d20dda01c1', '01a21951-0fb5-76d4-bd22-ef821a4929f4', 0, 0, 'ready', '2026-11-26 19:24:32.537074+00', '2026-11-26 19:24:32.537074+00', 0, 0, NULL, NULL, NULL, NULL, NULL);



INSERT INTO public.delivery_lines VALUES ('e9638fc8-3d0a-4d3b-b892-4ec6434691cd', 0, '0ae88fc9-7882-45e8-963b-e8cd6914410c');
INSERT INTO public.delivery_lines VALUES ('f35b2c60-3468-4482-811b-1a2766a83217', 0, 'bec32280-cb11-4719-a2a6-732e5354935c');
INSERT INTO public.delivery_lines VALUES ('f35b2c60-3468-4482-811b-1a2766a83217', 1, 'ca2cf5b6-01cf-4af9-8001-01ed5cbcbe3c');
INSERT INTO public.delivery_lines VALUES ('f35b2c60-3468-4482-811b-1a2766a83217', 2, 'da1ceca9-055e-40d3-bb39-dcac11cabb11');



INSERT INTO public.deployment VALUES (true, '8687652a-2dbb-4c65-860d-a73cbfeef6af', '\x8c7dbb211a067d94884d8cbe8d870cf5d289d53a30a468ad5faced980fab4df1', '2026-11-26 19:24:28.3773+00', '\x02f5807d2ed2bb4d9a13d03119a592b3b2a6f1bcaf45a15caa1a8509f3af2a00c0');



INSERT INTO public.events VALUES (0, 1, '2026-11-26 19:24:28.389778+00', 'Strongroom', 'key.added', 'key', '6b656b00-0000-0000-0000-000000000001', 'master key 1', '', '', '\xc34006dfd0affcedd2c208f1ea984d2bb5b52f9987379cb0f8e5aa8275e96b5e', 1);
INSERT INTO public.events VALUES (1, 1, '2026-11-26 19:24:28.397232+00', 'Strongroom', 'credential.created', 'credential', '01a21950-ff6d-759d-919d-eed38beeceb3', 'IAM Role', 'type aws', '', '\x1fbf4927268f6042938ec3287a6c7611a351dc2a61235a128d827be671ca2da1', 1);
INSERT INTO public.events VALUES (2, 1, '2026-11-26 19:24:28.563157+00', 'command line', 'user.created', 'user', '01a21951-001a-77eb-9ddb-517b9f3bf458', 'ada', 'as administrator', '', '\x07f1b4a6a1306efa5fa9b256d5be9c5c5930367e34608bc70817eb053f7f4143', 1);
INSERT INTO public.events VALUES (3, 1, '2026-11-26 19:24:28.60918+00', 'ada', 'login.succeeded', 'user', '01a21951-001a-77eb-9ddb-517b9f3bf458', 'ada', '', '127.0.0.1', '\x5a929558d8e0463a6d885db1fb24caf62db6470e8da84196859435098712d4a0', NULL);
INSERT INTO public.events VALUES (4, 1, '2026-11-26 19:24:28.673879+00', 'command line', 'user.created', 'user', '01a21951-0081-7764-ba8f-8364a0a012d5', 'otto', 'as operator', '', '\xc669bc7643a3115f5b4a230364580e1f84ac2d35216a231ee1c11f1e4ea0c8d2', 1);
INSERT INTO public.events VALUES (5, 1, '2026-11-26 19:24:28.696346+00', 'otto', 'login.succeeded', 'user', '01a21951-0081-7764-ba8f-8364a0a012d5', 'otto', '', '127.0.0.1', '\x1dd892b49a4df7dc599199456554c05b861823c5dfc812c95677a4e1dd135082', NULL);
INSERT INTO public.events VALUES (6, 1, '2026-11-26 19:24:28.732982+00', 'command line', 'user.created', 'user', '01a21951-00bf-707c-9ffb-8fb79b5039e8', 'olga', 'as auditor', '', '\xff08a394450642abb653d8197a1b22889bbc2b88e29511c2d4c43a3acd99a0e2', 1);
INSERT INTO public.events VALUES (7, 1, '2026-11-26 19:24:28.754877+00', 'olga', 'login.succeeded', 'user', '01a21951-00bf-707c-9ffb-8fb79b5039e8', 'olga', '', '127.0.0.1', '\xfb3701eb081b0c9276b136857fd5ac98d8dd6f0ba9846aaabb31da999f7d9a8e', NULL);
INSERT INTO public.events VALUES (8, 1, '2026-11-26 19:24:29.04393+00', 'ada', 'credential.created', 'credential', '01a21951-01f4-715b-b70a-d0d38c9fc86f', 'aws 0', 'type aws', '127.0.0.1', '\x8b7fa8341313f777bf68aca31b5949e2f90b18c65d35b55b80d47ffb32b96e80', 1);
INSERT INTO public.events VALUES (9, 1, '2026-11-26 19:24:29.08869+00', 'ada', 'credential.created', 'credential', '01a21951-0220-7293-9549-5e7cdd117f0b', 'aws 1', 'type aws', '127.0.0.1', '\x67337598e1bef2d23f6c32187cbbe1362151b282810bcd4d1472a8c54d8e78f5', 1);
INSERT INTO public.events VALUES (10, 1, '2026-11-26 19:24:29.111788+00', 'ada', 'credential.created', 'credential', '01a21951-0239-707d-b7ab-7115dd87a9f0', 'azure 2', 'type azure', '127.0.0.1', '\xb06e4563feb294fcb4de33b6860a94e89332b9892b8534c1e7219dde6a882670', 1);
INSERT INTO public.events VALUES (11, 1, '2026-11-26 19:24:29.150036+00', 'ada', 'credential.created', 'credential', '01a21951-025e-7018-94a9-df131ef28852', 'azure 3', 'type azure', '127.0.0.1', '\x2dcdd59f7894c1d874b3cb3140a82d908879e1767c102323fb6a11066cd42cd8', 1);
INSERT INTO public.events VALUES (12, 1, '2026-11-26 19:24:29.171747+00', 'ada', 'credential.created', 'credential', '01a21951-0279-77f2-925a-0da183d65a1d', 'azure 4', 'type azure', '127.0.0.1', '\xdbba117f9f51fa82f18e03600b8234e6451597a76b8b6ef4e1c3a8deaf387ff0', 1);
INSERT INTO public.events VALUES (13, 1, '2026-11-26 19:24:29.204895+00', 'ada', 'credential.created', 'credential', '01a21951-0294-73e0-af8f-2e4d916fb045', 'gcp 5', 'type gcp', '127.0.0.1', '\xa9f18e85f3786049e8e9a1c5c3daff402cb165aff6f87e0292c1cca066fd8a75', 1);
INSERT INTO public.events VALUES (14, 1, '2026-11-26 19:24:29.226362+00', 'ada', 'credential.created', 'credential', '01a21951-02ab-7026-a158-5b57c8c9abae', 'ibm_cloud 6', 'type ibm_cloud', '127.0.0.1', '\x0d69602a1f27b4cc006900f37644596ceeff6d94e5ae82e5baa7885622aa6bd9', 1);
INSERT INTO public.events VALUES (15, 1, '2026-11-26 19:24:29.242038+00', 'ada', 'credential.created', 'credential', '01a21951-02ba-77ee-90a3-f0b1c81a85c4', 'kubeconfig 7', 'type kubeconfig', '127.0.0.1', '\xe5d32baa4d0258fdcc93ca8bcedfff8eeb953e745a7da0d203d539fa48bfdb7d', 1);
INSERT INTO public.events VALUES (0, 2, '2026-11-26 19:24:29.253045+00', 'ada', 'credential.created', 'credential', '01a21951-02c5-7072-a16e-375fef978746', 'basic 8', 'type basic', '127.0.0.1', '\x6cac8f3e4b8a476b801c839ac3a93b8db47ea810b7005d2124965c93fdcf76ca', 1);
INSERT INTO public.events VALUES (1, 2, '2026-11-26 19:24:29.265025+00', 'ada', 'credential.created', 'credential', '01a21951-02d1-746e-a141-1538cfc5cfb8', 'api_token 9', 'type api_token', '127.0.0.1', '\x1074bf69714b79810c5d75e1211df22fdbb1a46b8e8b8a8b897bd4e3fe12d1f6', 1);
INSERT INTO public.events VALUES (2, 2, '2026-11-26 19:24:29.277829+00', 'ada', 'credential.created', 'credential', '01a21951-02dd-74cf-9489-8b0b7f0186af', 'webhook 10', 'type webhook', '127.0.0.1', '\xb467c0217e5bfcd0dce3625abc39efc6a15a666e51a5a95efe0f4dc9e375fcbf', 1);
INSERT INTO public.events VALUES (3, 2, '2026-11-26 19:24:29.288125+00', 'ada', 'credential.created', 'credential', '01a21951-02e8-726c-b553-b5bbcca76d8d', 'certificate 11', 'type certificate', '127.0.0.1', '\x4c74cf4667c45edbd38b51135fdecd5ece552653587ecfa9ff72fc083ed1799d', 1);
INSERT INTO public.events VALUES (4, 2, '2026-11-26 19:24:29.310993+00', 'ada', 'credential.created', 'credential', '01a21951-0301-7270-b55f-a04a69a62940', 'oci 12', 'type oci', '127.0.0.1', '\x0d09be6a741660a19a808d1dcf329f060a28c8e4a4dc9cde2bfc7bd777959960', 1);
INSERT INTO public.events VALUES (5, 2, '2026-11-26 19:24:29.341088+00', 'ada', 'credential.created', 'credential', '01a21951-031d-749d-88ea-0bc73ae3e4e1', 'github_token 13', 'type github_token', '127.0.0.1', '\x75a2192c88f6b44ff775f0edf396e17759a928ccead093bcf83be978c693e504', 1);
INSERT INTO public.events VALUES (6, 2, '2026-11-26 19:24:29.363226+00', 'ada', 'credential.created', 'credential', '01a21951-0333-77a9-9fdc-6914608f8a1e', 'gitlab_token 14', 'type gitlab_token', '127.0.0.1', '\x19a7e10510491c93ff6b1fae3586033300e74d6faf905a05628dbef1f4a7119f', 1);
INSERT INTO public.events VALUES (7, 2, '2026-11-26 19:24:29.392339+00', 'ada', 'credential.opened', 'credential', '01a21951-02c5-7072-a16e-375fef978746', 'basic 8', 'edit', '127.0.0.1', '\x518cf614aae4c1944bf8739f5ae2003efa9ad47a87a5e64c7568daa6d7df9cc1', NULL);
INSERT INTO public.events VALUES (8, 2, '2026-11-26 19:24:29.394568+00', 'ada', 'credential.edited', 'credential', '01a21951-02c5-7072-a16e-375fef978746', 'robot', 'renamed from basic 8, secret replaced', '127.0.0.1', '\x45ec176d5f7971a3a6e623c9ef1dd4132f8c559b2efbac76c12ada36123e6cd3', 2);
INSERT INTO public.events VALUES (9, 2, '2026-11-26 19:24:29.426578+00', 'ada', 'alerts.settings_changed', 'settings', '00000000-0000-0000-0000-00005e771465', 'alerts', 'failed scans in a row: 3 to 2, azure: the default to 45 days', '127.0.0.1', '\x51c77d79e63fadac479e0df5f561ae664c85661cc3fd6ab5e90a6947665c9f0b', 1);
INSERT INTO public.events VALUES (10, 2, '2026-11-26 19:24:29.47252+00', 'command line', 'integration.created', 'integration', '01a21951-03a0-7592-9ff2-9ec8a4da0124', 'On call', '127.0.0.1:1 without a credential', '', '\x771efed6e27b340476b4e168a8fdc1e936c536f6d3e5acf943c9860f29c9fa9e', 1);
INSERT INTO public.events VALUES (11, 2, '2026-11-26 19:24:29.498993+00', 'command line', 'recipient.added', 'recipient', '01a21951-03bd-7367-b636-67d20dda01c1', 'ops@example.com', 'stale,failed_scan,stale', '', '\xa6a823d6dc96748fb6cb2f2ace07f9170e935f7ca096fc87293e248875ddf4ad', 1);
INSERT INTO public.events VALUES (12, 2, '2026-11-26 19:24:29.515342+00', 'command line', 'recipient.added', 'recipient', '01a21951-03cb-75ab-828e-4a1b0f85003b', 'dev@example.com', 'stale,failed_scan,stale', '', '\x32c6ba00cda5b9b5e72184df78c96e4bf39228685df27d32e97960d965ffb676', 1);
INSERT INTO public.events VALUES (13, 2, '2026-11-26 19:24:29.585887+00', 'ada', 'integration.created', 'integration', '01a21951-0411-7724-9260-cadd14f84e83', 'mirror', 'http://127.0.0.1:33081 with robot', '127.0.0.1', '\xb092a17e7e97f64d0390359cd21fe0594d656a4a26b45089c0f202a4aa6f6e40', 1);
INSERT INTO public.events VALUES (14, 2, '2026-11-26 19:24:29.592917+00', 'ada', 'integration.destination_allowed', 'integration', '01a21951-0411-7724-9260-cadd14f84e83', 'mirror', 'robot to http://127.0.0.1:33081', '127.0.0.1', '\xc06ebdb584bdf05d53151ca013a321eeb5cd3ab638e6098aa5c1b73679eca12a', NULL);
INSERT INTO public.events VALUES (15, 2, '2026-11-26 19:24:29.609582+00', 'ada', 'credential.opened', 'credential', '01a21951-02c5-7072-a16e-375fef978746', 'robot', 'for mirror to http://127.0.0.1:33081', '', '\x9e52a45e426840440696e0e0b6f003e1c8db7b5a43392a9e531c92707d2e8457', NULL);
INSERT INTO public.events VALUES (0, 3, '2026-11-26 19:24:29.731602+00', 'ada', 'scan.succeeded', 'integration', '01a21951-0411-7724-9260-cadd14f84e83', 'mirror', '3 images', '', '\x138676bcfe483f0eaf7706a36c518927593278177c87fd9781c54e77c25b093c', NULL);
INSERT INTO public.events VALUES (1, 3, '2026-11-26 19:24:29.794826+00', 'ada', 'credential.opened', 'credential', '01a21951-02c5-7072-a16e-375fef978746', 'robot', 'for mirror to http://127.0.0.1:33081', '', '\x5f73585488d73098ff97148755c8701cfc0a2bfb73575424a39a132e2e91b5fb', NULL);
INSERT INTO public.events VALUES (2, 3, '2026-11-26 19:24:29.903612+00', 'ada', 'scan.succeeded', 'integration', '01a21951-0411-7724-9260-cadd14f84e83', 'mirror', '3 images', '', '\xb8e818cb62cbe92db5ba4873aa866b9d8d0bad255d85276d46613a21d467ee44', NULL);
INSERT INTO public.events VALUES (3, 3, '2026-11-26 19:24:29.972614+00', 'ada', 'credential.opened', 'credential', '01a21951-02c5-7072-a16e-375fef978746', 'robot', 'for mirror to http://127.0.0.1:33081', '', '\xa2e2c4115620414f4786dd5539dd79aed3376b135b3fdd7c6b3537d4b9c18e61', NULL);
INSERT INTO public.events VALUES (4, 3, '2026-11-26 19:24:30.04961+00', 'ada', 'scan.partly', 'integration', '01a21951-0411-7724-9260-cadd14f84e83', 'mirror', '2 images, 1 gap', '', '\x234fadb8d02a2d75ff9df61eb4db270c74fc9047070b1bdf0340661387d4852c', NULL);
INSERT INTO public.events VALUES (5, 3, '2026-11-26 19:24:30.132269+00', 'ada', 'integration.created', 'integration', '01a21951-0634-75b1-87bb-171b65cc3a87', 'away', 'http://127.0.0.1:1 without a credential', '127.0.0.1', '\x907ff23fe272fdd7d9ac2bdb7ff2a3179d54b74ce64ba8943c3a5a5fda636d3f', 1);
INSERT INTO public.events VALUES (6, 3, '2026-11-26 19:24:30.668804+00', 'ada', 'scan.failed', 'integration', '01a21951-0634-75b1-87bb-171b65cc3a87', 'away', 'Signing in failed: 127.0.0.1:1 could not be reached. 127.0.0.1 is the machine or container that Strongroom itself runs on. Enter the address at which the server is in your network; if it runs on this machine, check that it is up.', '', '\xd06c0e041ba6ef384b1091afa3f60d1330f1b0a90aff91857426652ecff95381', NULL);
INSERT INTO public.events VALUES (7, 3, '2026-11-26 19:24:31.218888+00', 'ada', 'scan.failed', 'integration', '01a21951-0634-75b1-87bb-171b65cc3a87', 'away', 'Signing in failed: 127.0.0.1:1 could not be reached. 127.0.0.1 is the machine or container that Strongroom itself runs on. Enter the address at which the server is in your network; if it runs on this machine, check that it is up.', '', '\x292bc4bbc1a3be9c0ccc710cbf2602edbc3fcd9311c4197e29b44d4d96bfeb9f', NULL);
INSERT INTO public.events VALUES (8, 3, '2026-11-26 19:24:31.788651+00', 'ada', 'scan.failed', 'integration', '01a21951-0634-75b1-87bb-171b65cc3a87', 'away', 'Signing in failed: 127.0.0.1:1 could not be reached. 127.0.0.1 is the machine or container that Strongroom itself runs on. Enter the address at which the server is in your network; if it runs on this machine, check that it is up.', '', '\xd8e136f0597ee3c5a3671ae9453d89e5e32ca39f3a7b38971fc8e65c2a118a14', NULL);
INSERT INTO public.events VALUES (9, 3, '2026-11-26 19:24:31.919739+00', 'command line', 'integration.created', 'integration', '01a21951-0d31-767e-af90-5994120a2c77', 'docker_v2 0', '127.0.0.1:1 with robot', '', '\x5e157a83390105dbee3fdd99f035ae8c91f0db9802cdbdc7f2ed136d6196a9dd', 1);
INSERT INTO public.events VALUES (10, 3, '2026-11-26 19:24:31.948647+00', 'command line', 'integration.created', 'integration', '01a21951-0d4c-71e3-b321-979499cc7c0f', 'docker_v2 1', '127.0.0.1:1 with api_token 9', '', '\x7da8ad59aed1be736be58ed195e0e9e3b32423214cbbc1bdff6c99fbbd8dc55a', 1);
INSERT INTO public.events VALUES (11, 3, '2026-11-26 19:24:31.952516+00', 'command line', 'integration.created', 'integration', '01a21951-0d50-732f-ada1-a505e200ef2c', 'docker_v2 2', '127.0.0.1:1 with certificate 11', '', '\xa15fffe67f5300af32475c4e521e20f9b5ffdaecd167153f6ca8b462b93177b6', 1);
INSERT INTO public.events VALUES (12, 3, '2026-11-26 19:24:31.967512+00', 'command line', 'integration.created', 'integration', '01a21951-0d5f-70e5-8cd5-1693c441c06c', 'docker_v2 3', '127.0.0.1:1 without a credential', '', '\x4c378681ee8390ab45fb012b938fc32eac640b961ddd44091eb8ad2b0a561dfe', 1);
INSERT INTO public.events VALUES (13, 3, '2026-11-26 19:24:31.991509+00', 'command line', 'integration.created', 'integration', '01a21951-0d77-7406-8993-5e908d13985e', 'ecr 0', '127.0.0.1:1 with IAM Role', '', '\xc6b285c85dce6ef496ad77b1156a933ae8818e2a9692e6e3bab70f2f74efba4b', 1);
INSERT INTO public.events VALUES (14, 3, '2026-11-26 19:24:32.014109+00', 'command line', 'integration.created', 'integration', '01a21951-0d8e-7368-94b2-18b7f4f473dc', 'ecr 1', '127.0.0.1:1 with aws 0', '', '\x01ed9fc4e58d49e74e5793acb9fd80cb428cd5709e939e3952ba1ac99cb0a8f8', 1);
INSERT INTO public.events VALUES (15, 3, '2026-11-26 19:24:32.017785+00', 'command line', 'integration.created', 'integration', '01a21951-0d93-73ed-98eb-43bdb17f563e', 'ecr 2', '127.0.0.1:1 with aws 1', '', '\x06d353542406d7fc0bc834e82f51c89da3f5b8cffd26689e32c17fd98f09ae84', 1);
INSERT INTO public.events VALUES (0, 4, '2026-11-26 19:24:32.055544+00', 'command line', 'integration.created', 'integration', '01a21951-0db7-7056-b321-3945debb3872', 'email 0', '127.0.0.1:1 with azure 2', '', '\xfa7e21883b574bd923be0ed1bee66701fc658432f0770c9d4396fa4347578251', 1);
INSERT INTO public.events VALUES (0, 5, '2026-11-26 19:24:32.073161+00', 'command line', 'integration.created', 'integration', '01a21951-0dc9-7447-afe4-36ddedc57e36', 'email 1', '127.0.0.1:1 with azure 3', '', '\xc5ac3de41bac7c1f6f3f3159529a4d211bb33b7ce31061a127a44a382c939722', 1);
INSERT INTO public.events VALUES (0, 6, '2026-11-26 19:24:32.099481+00', 'command line', 'integration.created', 'integration', '01a21951-0de4-7184-b0ae-33d26b18ab83', 'email 2', '127.0.0.1:1 with azure 4', '', '\x6987ed5848a62681eb0ca937e2022d834c696ae7a558e114431416a5dce13ce8', 1);
INSERT INTO public.events VALUES (0, 7, '2026-11-26 19:24:32.115685+00', 'command line', 'integration.created', 'integration', '01a21951-0df3-7753-80c2-1a7bf822af96', 'email 3', '127.0.0.1:1 with gcp 5', '', '\xe70230b017606e704cc6e104a222157bcaa3fec55fdf67c49355db84f9682ce9', 1);
INSERT INTO public.events VALUES (0, 8, '2026-11-26 19:24:32.152709+00', 'command line', 'integration.created', 'integration', '01a21951-0e18-73b9-b43c-dd7d0ca8b7a7', 'email 4', '127.0.0.1:1 with robot', '', '\x54d6f536983e0216daf2c6ea5408ce009c00389f7104162b76a4741a68b4adf2', 1);
INSERT INTO public.events VALUES (0, 9, '2026-11-26 19:24:32.164719+00', 'command line', 'integration.created', 'integration', '01a21951-0e24-7583-a86e-bdeefc3ebc47', 'email 5', '127.0.0.1:1 without a credential', '', '\xaffb79fe47989d9c00b299b13eab38dc9def4e5979475f4a4be451261f767a8a', 1);
INSERT INTO public.events VALUES (0, 10, '2026-11-26 19:24:32.19574+00', 'command line', 'integration.created', 'integration', '01a21951-0e43-7712-bea6-8b57ece65949', 'slack 0', '127.0.0.1:1 with api_token 9', '', '\xfe13ccf8f0f36c671d1da148d065ed9e76934b54a5a255c48d3fb66f1fb74838', 1);
INSERT INTO public.events VALUES (0, 11, '2026-11-26 19:24:32.201338+00', 'command line', 'integration.created', 'integration', '01a21951-0e49-752c-b62b-d386a64555c9', 'slack 1', '127.0.0.1:1 with webhook 10', '', '\x6a5929a965351ecb623af567b2694469e0aa582e9a3289f305cfbf4ff463f00d', 1);
INSERT INTO public.events VALUES (0, 12, '2026-11-26 19:24:32.209557+00', 'command line', 'integration.created', 'integration', '01a21951-0e51-7290-bef9-dcc4e80a88c5', 'teams 0', '127.0.0.1:1 with webhook 10', '', '\x8a5812bc865ea680098f8e29e254ed825aac03e3790d066d7f4455c7a2b668cd', 1);
INSERT INTO public.events VALUES (0, 13, '2026-11-26 19:24:32.222691+00', 'command line', 'integration.created', 'integration', '01a21951-0e5f-7093-85b9-d6cf7913bb58', 'servicenow 0', '127.0.0.1:1 with robot', '', '\xc962c972e9e2d4e0e05ace0e0b9661263615d43854256046729c2ea61cd5baef', 1);
INSERT INTO public.events VALUES (0, 14, '2026-11-26 19:24:32.249181+00', 'command line', 'integration.created', 'integration', '01a21951-0e79-75b5-b291-a2ae3e81cf03', 'jira 0', '127.0.0.1:1 with robot', '', '\x40048e9b14d06c5ea4849d71c2dd5081408459988f6bec636657ebea091eae10', 1);
INSERT INTO public.events VALUES (0, 15, '2026-11-26 19:24:32.252226+00', 'command line', 'integration.created', 'integration', '01a21951-0e7c-753f-858e-7db27c5ee926', 'jira 1', '127.0.0.1:1 with api_token 9', '', '\x2ee31b34582a45765c1b8cabe63ba662b583d405a7d286321c45e363264a0675', 1);
INSERT INTO public.events VALUES (0, 16, '2026-11-26 19:24:32.253343+00', 'command line', 'integration.created', 'integration', '01a21951-0e7d-7100-a9cb-27ce25389770', 'pagerduty 0', '127.0.0.1:1 with api_token 9', '', '\xb6725751778c80d961f2a3aa2593c85540bd97c2475bcf654f34fda61f0b5931', 1);
INSERT INTO public.events VALUES (0, 17, '2026-11-26 19:24:32.254243+00', 'command line', 'integration.created', 'integration', '01a21951-0e7e-7715-b843-9b3b24e44c1d', 'webhook_channel 0', '127.0.0.1:1 with webhook 10', '', '\x5d1954405958d1053d130902aa84fa7aa787ac76ae378368d1102e8f4203836c', 1);
INSERT INTO public.events VALUES (0, 18, '2026-11-26 19:24:32.255123+00', 'command line', 'integration.created', 'integration', '01a21951-0e7f-777c-8cdb-4fc5dcac7bd5', 'splunk 0', '127.0.0.1:1 with api_token 9', '', '\x9cacc22e890ee78fa04ef70b57ca1ae7b54ea6985c17abd643e5a1510ec9885d', 1);
INSERT INTO public.events VALUES (0, 19, '2026-11-26 19:24:32.256183+00', 'command line', 'integration.created', 'integration', '01a21951-0e80-71ac-a04b-e19890a8008e', 'security_hub 0', '127.0.0.1:1 with IAM Role', '', '\x5417ae6aabfe790bc06026d37dbda279167b668a17bdc49e04dceaa94ad4219a', 1);
INSERT INTO public.events VALUES (0, 20, '2026-11-26 19:24:32.25954+00', 'command line', 'integration.created', 'integration', '01a21951-0e83-7669-a9d1-af1429b5eb51', 'security_hub 1', '127.0.0.1:1 with aws 0', '', '\xe29c8f212dbe0287f63a2b2b16329fd7bad39cae66b61764c8543724e9ac7236', 1);
INSERT INTO public.events VALUES (0, 21, '2026-11-26 19:24:32.260611+00', 'command line', 'integration.created', 'integration', '01a21951-0e84-72b2-9b59-3baab3c677d4', 'security_hub 2', '127.0.0.1:1 with aws 1', '', '\x786ead58269580945f493a04b0bb51dfaa3873aa0a635c88e4d0f48715300b85', 1);
INSERT INTO public.events VALUES (0, 22, '2026-11-26 19:24:32.261426+00', 'command line', 'integration.created', 'integration', '01a21951-0e85-74af-b9a3-6bc2125ff835', 'google_pubsub 0', '127.0.0.1:1 with gcp 5', '', '\x4a434742e34bb6df93ec398446b0174f8a51f531a33ccdab8d3a03fcff30e75c', 1);
INSERT INTO public.events VALUES (0, 23, '2026-11-26 19:24:32.262224+00', 'command line', 'integration.created', 'integration', '01a21951-0e86-77c9-8bb5-aa36282206f7', 'ibm_findings 0', '127.0.0.1:1 with ibm_cloud 6', '', '\xde38c2c2131138821cb9d924b50192238dffedc3bb29fe557c129a3f06729ecd', 1);



INSERT INTO public.image_changes VALUES ('01a21951-0419-7785-8d3f-cb22a4085860', 'team/app', '1', 'added');
INSERT INTO public.image_changes VALUES ('01a21951-0419-7785-8d3f-cb22a4085860', 'team/app', '2', 'added');
INSERT INTO public.image_changes VALUES ('01a21951-0419-7785-8d3f-cb22a4085860', 'team/web', '1', 'added');
INSERT INTO public.image_changes VALUES ('01a21951-04d7-75a9-bcc4-481ac75c27f5', 'team/app', '2', 'removed');
INSERT INTO public.image_changes VALUES ('01a21951-04d7-75a9-bcc4-481ac75c27f5', 'team/web', '1', 'removed');
INSERT INTO public.image_changes VALUES ('01a21951-04d7-75a9-bcc4-481ac75c27f5', 'team/api', '1', 'added');
INSERT INTO public.image_changes VALUES ('01a21951-04d7-75a9-bcc4-481ac75c27f5', 'team/app', '1', 'changed');
INSERT INTO public.image_changes VALUES ('01a21951-04d7-75a9-bcc4-481ac75c27f5', 'team/app', '3', 'added');



INSERT INTO public.images VALUES ('01a21951-0411-7724-9260-cadd14f84e83', 'team/app', '1', 'sha256:5ad4b1803f874bcf94be611c009a1925ab902bf66347928ed57edd7506800d3c', 42, '{linux/arm64}', NULL, '2026-11-26 19:24:29.712639+00', false);
INSERT INTO public.images VALUES ('01a21951-0411-7724-9260-cadd14f84e83', 'team/app', '3', 'sha256:6488ff160aaa7b03c276c2da2fb9da818b4c842865afb43f82cf35949cd361ea', 42, '{linux/amd64}', NULL, '2026-11-26 19:24:29.888348+00', false);
INSERT INTO public.images VALUES ('01a21951-0411-7724-9260-cadd14f84e83', 'team/api', '1', 'sha256:6488ff160aaa7b03c276c2da2fb9da818b4c842865afb43f82cf35949cd361ea', 42, '{linux/amd64}', NULL, '2026-11-26 19:24:29.888348+00', true);



INSERT INTO public.integrations VALUES ('01a21951-03a0-7592-9ff2-9ec8a4da0124', 'alert_profile', 'email', 'On call', 'on call', NULL, '127.0.0.1:1', '{"host":"127.0.0.1","port":"1","tls":"none","from":"a@example.com","from_name":"Strongroom","on_stale":"on","on_failed_scan":"on"}', true, NULL, NULL, '2026-11-26 19:24:29.47252+00', 'command line', '2026-11-26 19:24:29.47252+00', 'command line', 1, '\x02395490892355a626e7a93ed8aaf1748d940e14e9939744b3abc3981653dfa739fb680652cb3c348f54ff2324d6e9d00a91a0ecdc02963f2ce9829a677189d9b3');
INSERT INTO public.integrations VALUES ('01a21951-0411-7724-9260-cadd14f84e83', 'registry_scan', 'docker_v2', 'mirror', 'mirror', '01a21951-02c5-7072-a16e-375fef978746', 'http://127.0.0.1:33081', '{"registry":"http://127.0.0.1:33081"}', true, 24, '2026-11-27 19:24:29.585887+00', '2026-11-26 19:24:29.585887+00', 'ada', '2026-11-26 19:24:29.585887+00', 'ada', 1, '\x02bac4bb7519d8d0aff278bb2b3a04050278a0396b7347af6d57bc6b4f3caaca29967b2e1f5e77d3c4cc24665c7fb90e03ec6d65d505711aab09d50d37e934ef58');
INSERT INTO public.integrations VALUES ('01a21951-0634-75b1-87bb-171b65cc3a87', 'registry_scan', 'docker_v2', 'away', 'away', NULL, 'http://127.0.0.1:1', '{"registry":"http://127.0.0.1:1"}', true, NULL, NULL, '2026-11-26 19:24:30.132269+00', 'ada', '2026-11-26 19:24:30.132269+00', 'ada', 1, '\x02448734f0bc54c19e9f7627217b2738853db730258cecbeb781f7e0101e71189395dc5bfe0913d08e31fe17890443ffb93a8ac429caa5b0705a9a7cf6f493bfe9');
INSERT INTO public.integrations VALUES ('01a21951-0d31-767e-af90-5994120a2c77', 'registry_scan', 'docker_v2', 'docker_v2 0', 'docker_v2 0', '01a21951-02c5-7072-a16e-375fef978746', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:31.919739+00', 'command line', '2026-11-26 19:24:31.919739+00', 'command line', 1, '\x026dacfd224a6b98c0de23beef7a927e68f7123f9d86f79d96b62fb16c430e17982a19d5bc5bdc777ecfc67a615cc78527165b53c35f27d8c97f753f068a0bd372');
INSERT INTO public.integrations VALUES ('01a21951-0d4c-71e3-b321-979499cc7c0f', 'registry_scan', 'docker_v2', 'docker_v2 1', 'docker_v2 1', '01a21951-02d1-746e-a141-1538cfc5cfb8', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:31.948647+00', 'command line', '2026-11-26 19:24:31.948647+00', 'command line', 1, '\x02aa0577165808db4b772eefa4f87b0911b4e71a8013b2c86a62527c55759a42c43a48cdf4d9f08eaa9a2bf888e0fd31bca73af3bbea31a8b6c2c9c35cae49e082');
INSERT INTO public.integrations VALUES ('01a21951-0d50-732f-ada1-a505e200ef2c', 'registry_scan', 'docker_v2', 'docker_v2 2', 'docker_v2 2', '01a21951-02e8-726c-b553-b5bbcca76d8d', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:31.952516+00', 'command line', '2026-11-26 19:24:31.952516+00', 'command line', 1, '\x028128ad5a73abda95173445e696cd8eb3071c4b3f477734faea8b02b76e8b5a57ba0bae331e2bd8c8d5e2d75a551bb6451d9da6fa6575bdbd5fc235e183a2e31d');
INSERT INTO public.integrations VALUES ('01a21951-0d5f-70e5-8cd5-1693c441c06c', 'registry_scan', 'docker_v2', 'docker_v2 3', 'docker_v2 3', NULL, '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:31.967512+00', 'command line', '2026-11-26 19:24:31.967512+00', 'command line', 1, '\x0204e2a515cd71138bf88273bfbdd6289d680b3d1534f7b99303a5c95d6ff234ede77ac94ebe2c2f69fb9892f2e347a1b4da7f05c657902ec5cbe9b3e9705c429c');
INSERT INTO public.integrations VALUES ('01a21951-0d77-7406-8993-5e908d13985e', 'registry_scan', 'ecr', 'ecr 0', 'ecr 0', '01a21950-ff6d-759d-919d-eed38beeceb3', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:31.991509+00', 'command line', '2026-11-26 19:24:31.991509+00', 'command line', 1, '\x024f8fd2c78e2c0eb9795d00d2e7f73a0d3cc6be5db9419c38dc1546ae8d745bbc556125ca4477bc9cecd50200082f67eacbfab98b6528ce298cda4d4dac85a44f');
INSERT INTO public.integrations VALUES ('01a21951-0d8e-7368-94b2-18b7f4f473dc', 'registry_scan', 'ecr', 'ecr 1', 'ecr 1', '01a21951-01f4-715b-b70a-d0d38c9fc86f', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.014109+00', 'command line', '2026-11-26 19:24:32.014109+00', 'command line', 1, '\x02dc4cd0c91d0f580006a6541e21b7afcab61bcdcee1fc9fd8abb1ede1e7d2c1d5a57df08901a9cbb3b1276d072c392b1a0489b64c3978ca0c927d6aa6ea448bad');
INSERT INTO public.integrations VALUES ('01a21951-0d93-73ed-98eb-43bdb17f563e', 'registry_scan', 'ecr', 'ecr 2', 'ecr 2', '01a21951-0220-7293-9549-5e7cdd117f0b', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.017785+00', 'command line', '2026-11-26 19:24:32.017785+00', 'command line', 1, '\x025ccc2b3033180f32ca03c619b0c1e7fe92d9c268919a727d80c15c63c1e5d0b28f3569be2ac80615812d8aa838502a42ca5f8dccbbdf93cfa91c83e92bd2337a');
INSERT INTO public.integrations VALUES ('01a21951-0db7-7056-b321-3945debb3872', 'alert_profile', 'email', 'email 0', 'email 0', '01a21951-0239-707d-b7ab-7115dd87a9f0', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.055544+00', 'command line', '2026-11-26 19:24:32.055544+00', 'command line', 1, '\x020abc6574f999a1764e6cdd4a96ca00ba8bc00649a24980d13f61a4ba26f3624ffa1a7a333799702f6c2f8cdeb7f41b199b75e0e2169f5291cbde3e504b30433c');
INSERT INTO public.integrations VALUES ('01a21951-0dc9-7447-afe4-36ddedc57e36', 'alert_profile', 'email', 'email 1', 'email 1', '01a21951-025e-7018-94a9-df131ef28852', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.073161+00', 'command line', '2026-11-26 19:24:32.073161+00', 'command line', 1, '\x02f07026e0babffe0cb707fff255857921b415a641ca8f17a63595b51d6455c4317327aa7ed61d725a740fbc257ca3c1d7cc48f6fdb4474ccb2c312f665a4103fc');
INSERT INTO public.integrations VALUES ('01a21951-0de4-7184-b0ae-33d26b18ab83', 'alert_profile', 'email', 'email 2', 'email 2', '01a21951-0279-77f2-925a-0da183d65a1d', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.099481+00', 'command line', '2026-11-26 19:24:32.099481+00', 'command line', 1, '\x022d1b21912b93192573e1481df1681ab14d0684fdc64d43c2d209a3e38c3dc32763b9a6cba45989599eb91fa531ed9dc2c514bd704e07dddf7f714860823d7b11');
INSERT INTO public.integrations VALUES ('01a21951-0df3-7753-80c2-1a7bf822af96', 'alert_profile', 'email', 'email 3', 'email 3', '01a21951-0294-73e0-af8f-2e4d916fb045', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.115685+00', 'command line', '2026-11-26 19:24:32.115685+00', 'command line', 1, '\x0204edee05df8c11e2f05dc8c64a6f249217857c5346b9995104f95e3bdf38296f614e970d3673b9562cad1ed3020bd3f7a0e38f92b2c28217e6c346e67dd3f3cd');
INSERT INTO public.integrations VALUES ('01a21951-0e18-73b9-b43c-dd7d0ca8b7a7', 'alert_profile', 'email', 'email 4', 'email 4', '01a21951-02c5-7072-a16e-375fef978746', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.152709+00', 'command line', '2026-11-26 19:24:32.152709+00', 'command line', 1, '\x02a897164772d76cf22365e37c7bd8e6d9c78eae9073a719f09e32c62a6adedb34a387b5349f01d4817fc8319e778b5322f876687390bd1fbe236bfcae5d3aa63f');
INSERT INTO public.integrations VALUES ('01a21951-0e24-7583-a86e-bdeefc3ebc47', 'alert_profile', 'email', 'email 5', 'email 5', NULL, '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.164719+00', 'command line', '2026-11-26 19:24:32.164719+00', 'command line', 1, '\x029cbb447a9090076262bf1ada3f7384ba58ccc984f7133eaf7324f81990f81bca48fb48cc7aa1b854a0d8a7a003db972dff63247f216717968cbff932f04c98c8');
INSERT INTO public.integrations VALUES ('01a21951-0e43-7712-bea6-8b57ece65949', 'alert_profile', 'slack', 'slack 0', 'slack 0', '01a21951-02d1-746e-a141-1538cfc5cfb8', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.19574+00', 'command line', '2026-11-26 19:24:32.19574+00', 'command line', 1, '\x0259d31dbf93d79ffe4c0200cfbf0a412f92048f93006e57d935302f8e8c464e0de3a5eb8f41a104350ff91ae6d13ec67705822945f343416c6ce3c733837cb2e3');
INSERT INTO public.integrations VALUES ('01a21951-0e49-752c-b62b-d386a64555c9', 'alert_profile', 'slack', 'slack 1', 'slack 1', '01a21951-02dd-74cf-9489-8b0b7f0186af', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.201338+00', 'command line', '2026-11-26 19:24:32.201338+00', 'command line', 1, '\x02169856d5f8647ee60f4e57df55a41b3099f845e65404a181e85f790ea4fe0e1d70bb2b4bf22556994cd785d6f0e78615d6e38a22ab7a7089cb93e46178633a25');
INSERT INTO public.integrations VALUES ('01a21951-0e51-7290-bef9-dcc4e80a88c5', 'alert_profile', 'teams', 'teams 0', 'teams 0', '01a21951-02dd-74cf-9489-8b0b7f0186af', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.209557+00', 'command line', '2026-11-26 19:24:32.209557+00', 'command line', 1, '\x0251be495cc88c2b0346e5ae5af7b5108f74fb9b631ced87cefc3dbe82b77bfd6807923e6b48e12b70027c3cde1b015e1b3c296b58ac3361dda91d58137a89aef2');
INSERT INTO public.integrations VALUES ('01a21951-0e5f-7093-85b9-d6cf7913bb58', 'alert_profile', 'servicenow', 'servicenow 0', 'servicenow 0', '01a21951-02c5-7072-a16e-375fef978746', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.222691+00', 'command line', '2026-11-26 19:24:32.222691+00', 'command line', 1, '\x02a33dad7ceab573c474090e7092c857f773fe6e4cd7db7229bd0380c6c3ee4ab641b4bd3c7453b91d400b2577867d3f0ee0addf5e900e0e48d63b705fac0d0d4a');
INSERT INTO public.integrations VALUES ('01a21951-0e79-75b5-b291-a2ae3e81cf03', 'alert_profile', 'jira', 'jira 0', 'jira 0', '01a21951-02c5-7072-a16e-375fef978746', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.249181+00', 'command line', '2026-11-26 19:24:32.249181+00', 'command line', 1, '\x0204707390fb9585a284b02ad0367f3641d97d9acc796fb17f76cd16926ad92f906d92104c960179d6ba0f12de13cd4eae4ae0da91d629eb8a64eae11471f8cb83');
INSERT INTO public.integrations VALUES ('01a21951-0e7c-753f-858e-7db27c5ee926', 'alert_profile', 'jira', 'jira 1', 'jira 1', '01a21951-02d1-746e-a141-1538cfc5cfb8', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.252226+00', 'command line', '2026-11-26 19:24:32.252226+00', 'command line', 1, '\x02ca69e224bb96c7e7e8a1f509f60c37edadcac8daad4027ef7c4f5cb80b9327eebd78dbad7ecf5a6d16667ff09f6882f17f2c0ad93f07cbbfda300b6239b90131');
INSERT INTO public.integrations VALUES ('01a21951-0e7d-7100-a9cb-27ce25389770', 'alert_profile', 'pagerduty', 'pagerduty 0', 'pagerduty 0', '01a21951-02d1-746e-a141-1538cfc5cfb8', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.253343+00', 'command line', '2026-11-26 19:24:32.253343+00', 'command line', 1, '\x02bfdf8df5687360ff9a06703d9686aae861d1fb663a7c707e1a1ab56513ff91a68709a51deb16ebe21ba9b813554af22106d0976477e290fd80c3122faf650b4b');
INSERT INTO public.integrations VALUES ('01a21951-0e7e-7715-b843-9b3b24e44c1d', 'alert_profile', 'webhook_channel', 'webhook_channel 0', 'webhook_channel 0', '01a21951-02dd-74cf-9489-8b0b7f0186af', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.254243+00', 'command line', '2026-11-26 19:24:32.254243+00', 'command line', 1, '\x027292fb6da958aacc0b9f22176648021951fb3179052162fc8ef4ad0be6008094f5496174c71bacb0c5f84fe7cd22dc557fb20bdf9ae1649bed9735fb86e704cf');
INSERT INTO public.integrations VALUES ('01a21951-0e7f-777c-8cdb-4fc5dcac7bd5', 'alert_profile', 'splunk', 'splunk 0', 'splunk 0', '01a21951-02d1-746e-a141-1538cfc5cfb8', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.255123+00', 'command line', '2026-11-26 19:24:32.255123+00', 'command line', 1, '\x0224f5a8baa41f3a02a7ce326fe28c1b559d1fc480512d34a8f55cf522f08c01f68c78619771cbac4c19accfc3e93f6d88a68dd1c2b01b93b16f2f1509338fde5b');
INSERT INTO public.integrations VALUES ('01a21951-0e80-71ac-a04b-e19890a8008e', 'alert_profile', 'security_hub', 'security_hub 0', 'security_hub 0', '01a21950-ff6d-759d-919d-eed38beeceb3', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.256183+00', 'command line', '2026-11-26 19:24:32.256183+00', 'command line', 1, '\x027c6dff2be725ef1db6d59f34d827e1576660fbbfdfb840bc204d5ae27549cfd1da1aaaf07f0d71ddf7f3dce7d79692a085b5bebd4e382a02fc71ddb852a54f7a');
INSERT INTO public.integrations VALUES ('01a21951-0e83-7669-a9d1-af1429b5eb51', 'alert_profile', 'security_hub', 'security_hub 1', 'security_hub 1', '01a21951-01f4-715b-b70a-d0d38c9fc86f', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.25954+00', 'command line', '2026-11-26 19:24:32.25954+00', 'command line', 1, '\x02b79cf8afe057a024e8ba9ab1b7e50804c363b7da46ee9b2558c176f9aa38143b4feb63cab88566ddfa6b5bb697300f8406fb4364a4d18526fc3f855e30ac44e7');
INSERT INTO public.integrations VALUES ('01a21951-0e84-72b2-9b59-3baab3c677d4', 'alert_profile', 'security_hub', 'security_hub 2', 'security_hub 2', '01a21951-0220-7293-9549-5e7cdd117f0b', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.260611+00', 'command line', '2026-11-26 19:24:32.260611+00', 'command line', 1, '\x0269a495d67c1d14ba6a3fb5d32e35862e9727819cd0440bb3dde5948cbe47c776471fe005433688a482e60823ba559093e731dda99a009a353ae029dafda00265');
INSERT INTO public.integrations VALUES ('01a21951-0e85-74af-b9a3-6bc2125ff835', 'alert_profile', 'google_pubsub', 'google_pubsub 0', 'google_pubsub 0', '01a21951-0294-73e0-af8f-2e4d916fb045', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.261426+00', 'command line', '2026-11-26 19:24:32.261426+00', 'command line', 1, '\x024b0049fa4b82dad5813c9bef700acb8ad17146f07baa4ab0c9e32423fb8deed491e63690a520d010d5e9d44d9a3b14148b69e32afe5c890a1cfb2f5e182d5649');
INSERT INTO public.integrations VALUES ('01a21951-0e86-77c9-8bb5-aa36282206f7', 'alert_profile', 'ibm_findings', 'ibm_findings 0', 'ibm_findings 0', '01a21951-02ab-7026-a158-5b57c8c9abae', '127.0.0.1:1', '{}', true, NULL, NULL, '2026-11-26 19:24:32.262224+00', 'command line', '2026-11-26 19:24:32.262224+00', 'command line', 1, '\x02456fb44aac4d352f575f94ee4aab2aa736160eaeb217de9aefbae8db7f2bb3e5d6db0caf7d52dcaaab66716896b6384ff17efea939bfce05dc0f2a0ed717f3b8');



INSERT INTO public.keks VALUES (1, 1, 'active', '\xdff93ef3c590db5c10e0c2437957d0a2', '2026-11-26 19:24:28.3773+00', '2026-11-26 19:24:28.3773+00', NULL, 1, '\x022b084a66211c7dc7529a04d76ffe57e1729181e9e6b10c894a0e27138b88b1d0');



INSERT INTO public.login_failures OVERRIDING SYSTEM VALUE VALUES (1, 'a', '1', '1', '2026-11-26 19:24:32.664563+00');



INSERT INTO public.notices VALUES ('0ae88fc9-7882-45e8-963b-e8cd6914410c', '2e38d008-4387-4798-9229-0c83481b7ddb', 1, 'raised', 0, 0, 'Signing in failed: 127.0.0.1:1 could not be reached. 127.0.0.1 is the machine or container that Strongroom itself runs on. Enter the address at which the server is in your network; if it runs on this machine, check that it is up.', '2026-11-26 19:24:31.218469+00', '01a21951-0b8f-737d-98f4-66b996f09b0f');
INSERT INTO public.notices VALUES ('bec32280-cb11-4719-a2a6-732e5354935c', '91184de9-fe37-49d3-b4f6-1558d6f88f87', 1, 'raised', 200, 45, '', '2026-11-26 19:24:32.415793+00', '01a21951-0fb5-76d4-bd22-ef821a4929f4');
INSERT INTO public.notices VALUES ('ca2cf5b6-01cf-4af9-8001-01ed5cbcbe3c', 'da3db441-2c58-4f93-8dc9-750aa617c6cb', 1, 'raised', 200, 45, '', '2026-11-26 19:24:32.415793+00', '01a21951-0fb5-76d4-bd22-ef821a4929f4');
INSERT INTO public.notices VALUES ('da1ceca9-055e-40d3-bb39-dcac11cabb11', 'c90150f5-393b-4b71-a2e1-18f7843ff472', 1, 'raised', 200, 45, '', '2026-11-26 19:24:32.415793+00', '01a21951-0fb5-76d4-bd22-ef821a4929f4');



INSERT INTO public.provider_facts VALUES ('01a21951-02c5-7072-a16e-375fef978746', 2, '2026-11-26 19:24:32.664563+00', NULL, 'r');



INSERT INTO public.recipients VALUES ('01a21951-03cb-75ab-828e-4a1b0f85003b', '01a21951-03a0-7592-9ff2-9ec8a4da0124', 'dev@example.com', 'dev@example.com', 'stale,failed_scan,stale', '2026-11-26 19:24:29.515342+00', 'command line', NULL, NULL, 1, '\x022034557f78647a297191006a821ddf1dd13f434bfcaab6d0af6b0b316120535313ed6bf4dd76aad5178cc5b51eb60849b73d92ae5427417884163e2f361aefe6');
INSERT INTO public.recipients VALUES ('01a21951-03bd-7367-b636-67d20dda01c1', '01a21951-03a0-7592-9ff2-9ec8a4da0124', 'ops@example.com', 'ops@example.com', 'stale,failed_scan,stale', '2026-11-26 19:24:29.498993+00', 'command line', '2026-11-26 19:24:29.517042+00', NULL, 1, '\x025cf9d5c7f7c99d2a2b788eb98cfb3d3f19bafbb98565549f3b7af0653396d94d4bc6346132b646ccae0249645e1640aa6ff5934d0bd6ce02fc232025d0471db1');



INSERT INTO public.runs VALUES ('01a21951-0419-7785-8d3f-cb22a4085860', '01a21951-0411-7724-9260-cadd14f84e83', 'succeeded', 'added', 'ada', '2026-11-26 19:24:29.585698+00', '2026-11-26 19:24:29.585698+00', '2026-11-26 19:24:29.598191+00', '2026-11-26 19:24:29.712639+00', '2026-11-26 19:24:59.715739+00', '6a88e131-fa76-4508-a100-96969aa307eb', 1, false, '{"gaps": 0, "step": "saving", "saved": 0, "images": 3, "waits_until": null, "repositories_done": 0, "repositories_total": 0}', NULL, NULL, '01a21951-02c5-7072-a16e-375fef978746', 2, 3, 3, 0, 0, '\x02769d7d14ab10ae7050f20f729cf605cbac71451ca633be0172ee72cb617b7c59', 0, '[]');
INSERT INTO public.runs VALUES ('01a21951-0875-760b-8f01-6f9d67e3a4fa', '01a21951-0634-75b1-87bb-171b65cc3a87', 'failed', 'asked', 'ada', '2026-11-26 19:24:30.708923+00', '2026-11-26 19:24:30.708923+00', '2026-11-26 19:24:30.711274+00', '2026-11-26 19:24:31.218469+00', '2026-11-26 19:25:00.7153+00', '6a88e131-fa76-4508-a100-96969aa307eb', 1, false, '{"gaps": 0, "step": "signing_in", "saved": 0, "images": 0, "waits_until": null, "repositories_done": 0, "repositories_total": 0}', 'Signing in', 'Signing in failed: 127.0.0.1:1 could not be reached. 127.0.0.1 is the machine or container that Strongroom itself runs on. Enter the address at which the server is in your network; if it runs on this machine, check that it is up.', NULL, NULL, 0, 0, 0, 0, '\x0244b9cc75a0353e1a5d33a7c7a0fb8e252c4f14cdcfe2ccffc3f236f743f42eb6', 0, '[]');
INSERT INTO public.runs VALUES ('01a21951-04d7-75a9-bcc4-481ac75c27f5', '01a21951-0411-7724-9260-cadd14f84e83', 'succeeded', 'asked', 'ada', '2026-11-26 19:24:29.782217+00', '2026-11-26 19:24:29.782217+00', '2026-11-26 19:24:29.790863+00', '2026-11-26 19:24:29.888348+00', '2026-11-26 19:24:59.890475+00', '6a88e131-fa76-4508-a100-96969aa307eb', 1, false, '{"gaps": 0, "step": "reading_manifests", "saved": 0, "images": 3, "waits_until": null, "repositories_done": 2, "repositories_total": 2}', NULL, NULL, '01a21951-02c5-7072-a16e-375fef978746', 2, 3, 2, 1, 2, '\x023c775c13804c4f4fc59a9fc45acab871ae6fd59ae3d46e05a841ce34b2c1dc38', 0, '[]');
INSERT INTO public.runs VALUES ('01a21951-0aa0-716d-af46-f41585d99ef6', '01a21951-0634-75b1-87bb-171b65cc3a87', 'failed', 'asked', 'ada', '2026-11-26 19:24:31.264254+00', '2026-11-26 19:24:31.264254+00', '2026-11-26 19:24:31.271489+00', '2026-11-26 19:24:31.788277+00', '2026-11-26 19:25:01.286398+00', '6a88e131-fa76-4508-a100-96969aa307eb', 1, false, '{"gaps": 0, "step": "signing_in", "saved": 0, "images": 0, "waits_until": null, "repositories_done": 0, "repositories_total": 0}', 'Signing in', 'Signing in failed: 127.0.0.1:1 could not be reached. 127.0.0.1 is the machine or container that Strongroom itself runs on. Enter the address at which the server is in your network; if it runs on this machine, check that it is up.', NULL, NULL, 0, 0, 0, 0, '\x021ba9168396f2dc8d6423131e2206a1fee41849c1a0c158c65b573988f90eb03e', 0, '[]');
INSERT INTO public.runs VALUES ('01a21951-1026-775d-b32e-4fa606395d2e', '01a21951-0411-7724-9260-cadd14f84e83', 'queued', 'asked', 'ada', '2026-11-26 19:24:32.678218+00', '2026-11-26 19:24:32.678218+00', NULL, NULL, NULL, NULL, 0, false, '{}', NULL, NULL, NULL, NULL, 0, 0, 0, 0, '\x02858f2bfe1883f8a01729c4662f9a8a4dce7228fd50eb44b4ec03f5b72a334fc6', 0, '[]');
INSERT INTO public.runs VALUES ('01a21951-057c-7322-991c-7c61d474c633', '01a21951-0411-7724-9260-cadd14f84e83', 'partly', 'asked', 'ada', '2026-11-26 19:24:29.945833+00', '2026-11-26 19:24:29.945833+00', '2026-11-26 19:24:29.954469+00', '2026-11-26 19:24:30.040245+00', '2026-11-26 19:25:00.045322+00', '6a88e131-fa76-4508-a100-96969aa307eb', 1, false, '{"gaps": 0, "step": "saving", "saved": 0, "images": 2, "waits_until": null, "repositories_done": 0, "repositories_total": 0}', NULL, 'Listing the tags of team/api failed: the registry does not allow this. Give the credential''s account read access, or choose a credential. Or add the repository to Repositories to exclude.', '01a21951-02c5-7072-a16e-375fef978746', 2, 2, 0, 0, 0, '\x021e671eb3cc3235938bf981058720462f20fe3413fc3822925c21f5896a574d97', 1, '[{"at": "team/api", "reason": "Listing the tags failed: the registry does not allow this. Give the credential''s account read access, or choose a credential. Or add the repository to Repositories to exclude."}]');
INSERT INTO public.runs VALUES ('01a21951-063e-73bd-a9ba-5d3609ca4d3c', '01a21951-0634-75b1-87bb-171b65cc3a87', 'failed', 'added', 'ada', '2026-11-26 19:24:30.131973+00', '2026-11-26 19:24:30.131973+00', '2026-11-26 19:24:30.144757+00', '2026-11-26 19:24:30.663351+00', '2026-11-26 19:25:00.668876+00', '6a88e131-fa76-4508-a100-96969aa307eb', 1, false, '{"gaps": 0, "step": "signing_in", "saved": 0, "images": 0, "waits_until": null, "repositories_done": 0, "repositories_total": 0}', 'Signing in', 'Signing in failed: 127.0.0.1:1 could not be reached. 127.0.0.1 is the machine or container that Strongroom itself runs on. Enter the address at which the server is in your network; if it runs on this machine, check that it is up.', NULL, NULL, 0, 0, 0, 0, '\x02d683933ad8f34675d220c3e5e78d71a2d528c14d356c7bb9fc0007ef16a207f8', 0, '[]');



INSERT INTO public.sessions VALUES ('\x7e6860fc5a7285cde59e95fc7419c5e27478f72ba850478e3c4a7528101d8c66', '4c10e00e-5348-4faa-b5c0-99629c7671eb', '01a21951-001a-77eb-9ddb-517b9f3bf458', false, '2026-11-26 19:24:28.60918+00', '2026-11-26 19:24:28.60918+00', '2026-11-26 19:24:28.60918+00', '127.0.0.1', 'test', '\x02fb8f84e2d04734addb73da9ab414b07cff110d43257858d60bd91cf2c098fcf1', 1, 1, 3, 1);
INSERT INTO public.sessions VALUES ('\x3920d3ec0449fa30dddb71d6b06767f5c3ee0286a24e05a24e896b525e9cfa29', '914caa23-74ed-4d46-a2ca-f9b0d8cb6312', '01a21951-0081-7764-ba8f-8364a0a012d5', false, '2026-11-26 19:24:28.696346+00', '2026-11-26 19:24:28.696346+00', '2026-11-26 19:24:28.696346+00', '127.0.0.1', 'test', '\x02ffdd6bf7c9f7875372f3dfbde284460abf3225ff1bb21590e75a73b597bfc47c', 1, 1, 5, 1);
INSERT INTO public.sessions VALUES ('\x461cccc4b52b8082505f53077fe9f7380f196752a3ef3afd6a2ba5cacf8edc01', '76b8b7ff-60a4-4b6e-9368-e6ae6ca7ee14', '01a21951-00bf-707c-9ffb-8fb79b5039e8', false, '2026-11-26 19:24:28.754877+00', '2026-11-26 19:24:28.754877+00', '2026-11-26 19:24:28.754877+00', '127.0.0.1', 'test', '\x026cbda8da434982abda20fceab36c4aa8bf11b4f2ab12a4f639d16b01b6d6d376', 1, 1, 7, 1);



INSERT INTO public.setup_links VALUES ('\xa0a87933de8d3e450cb227dbcaedb6ff05dad14dadadfae1a987e77cf6dc68b9', '2026-11-26 19:54:28.497546+00', '\x02187c3f4702062f45c84f8b9bdef196a6f54b5acc41a7fadec6b4b6a4486bdd29');



INSERT INTO public.users VALUES ('01a21951-001a-77eb-9ddb-517b9f3bf458', 'ada', 'ada', 'administrator', false, 1, '\x0199717e3756091d8fb85a39c88cdbd0e35d2818d792e771170b00a59a86331ad88c31a69062d5c486481d005195f4e12e8a198ac47cdc8635400de0b3', '\x0164cb63e7a2a239ff6ea5c941886413c695457d39a97c718b040bdf14ca3920f5cb0c014e79d9eda519f55718be4e234fdc32c81eb1d628baadb0bc2ed2270689369bc2c5d3f6c55a0ca2806df10005e36f087b6221bc2b8e6232bef744f1cb70a1028c5446623614a934617d2a407ef5e8bbf3510b720e4a9c67a7c8ac0746b9b12a20104e9c2db3840e1f99e3f0a49b10fce07263f45888d9b300cd', 1, '2026-11-26 19:24:28.563157+00', NULL, NULL, NULL, 0, false, false, 0, 'system', true, '2026-11-26 19:24:28.563157+00', '2026-11-26 19:24:28.60918+00', 1, '\x02d4a76670647646c6f100b54f2070e969674f01aff67f121fa7da6a97dabdb73c53f3cc4ee46e0ed5ae16b96cfe0b59acc5fb42df11724555af6cceef265b8cba', false, '{}');
INSERT INTO public.users VALUES ('01a21951-0081-7764-ba8f-8364a0a012d5', 'otto', 'otto', 'operator', false, 1, '\x017c69477b02beb6d5ca60bb5ce4180a12e804788849d73e1aa13e0684059de6014b15fc9057c5ad6b834d54f22d6ddaf7a2a77cccdef8f305adac0ad2', '\x0190f874a41c0959781491f92228665698ac3ef2d878d0d543a30d49001637695de876eef5adeb04eced31a405a72e29e88821afe9bf8998acdb7544a7d180aad7e0aa067adf0391d542400efed35e454c6c4a0c32d639a70604c1c7ed7d3785a05432c2c53d13f8b6a2d594653239cae0141c85ace4b0d9c3f09c354c0ce3d0a5390c7a702e0c9f04aa23d08e2f9bd13f4d6d824e739f76c1a3b9b2c9', 1, '2026-11-26 19:24:28.673879+00', NULL, NULL, NULL, 0, false, false, 0, 'system', true, '2026-11-26 19:24:28.673879+00', '2026-11-26 19:24:28.696346+00', 1, '\x023159dd4bff1bf43b345504813e51c8a078e36b3cce4a4e27059857605086f50e1a680356e3bcd50afaa30ee6ad4942f1bf6c90eba513ff6eed447b43741ac1eb', false, '{}');
INSERT INTO public.users VALUES ('01a21951-00bf-707c-9ffb-8fb79b5039e8', 'olga', 'olga', 'auditor', false, 1, '\x013ae76553895630b4dbcb758566cebc363a65b02a2971f2c9b6a661be3fcd0ab1163a09499338aa97fdbb2bbe6edf49a1a78e528219bcdfd86b15e65a', '\x0141480ddf14e8aab3edb6ea4c30bf24d158fb5ac7082cd126caa957f9bf4394e9f8437279314aa7fb779901aef319166b89c8369e1d4a19879470c6008e20eb7135682ab2cff2fd09a71ee032880b15f5d1b685ee083698e2639d7b8b3b90ff3fbf5f5dbc64a25a7cab343131cadb2eb59b1c14072dc2ebab7587ed0e6d03d9c0a824a2d1c4f099baa0fb9c2ddabc05e30cf0578487e2f0eb3678db81', 1, '2026-11-26 19:24:28.732982+00', NULL, NULL, NULL, 0, false, false, 0, 'system', true, '2026-11-26 19:24:28.732982+00', '2026-11-26 19:24:28.754877+00', 1, '\x025c5d36a5f44682675af0ddfde06e2be8d8227fe154bccb80e635716f515aef919a24148f3fee7c3fe5e34b8d3c880aa13c4d3702176b0bb4085f32a6e1a2e79a', false, '{}');



SELECT pg_catalog.setval('public.login_failures_id_seq', 1, true);



ALTER TABLE ONLY public.__diesel_schema_migrations
    ADD CONSTRAINT __diesel_schema_migrations_pkey PRIMARY KEY (version);



ALTER TABLE ONLY public.alert_settings
    ADD CONSTRAINT alert_settings_pkey PRIMARY KEY (single);



ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.audit_lanes
    ADD CONSTRAINT audit_lanes_pkey PRIMARY KEY (lane);



ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_pkey PRIMARY KEY (integration_id);



ALTER TABLE ONLY public.credential_phrases
    ADD CONSTRAINT credential_phrases_pkey PRIMARY KEY (phrase, credential_id) INCLUDE (shared);



ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_name_key_key UNIQUE (name_key);



ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.delivery_lines
    ADD CONSTRAINT delivery_lines_pkey PRIMARY KEY (delivery_id, "position");



ALTER TABLE ONLY public.deployment
    ADD CONSTRAINT deployment_pkey PRIMARY KEY (single);



ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (lane, seq);



ALTER TABLE ONLY public.image_changes
    ADD CONSTRAINT image_changes_pkey PRIMARY KEY (run_id, repository, tag);



ALTER TABLE ONLY public.images
    ADD CONSTRAINT images_pkey PRIMARY KEY (integration_id, repository, tag);



ALTER TABLE ONLY public.integrations
    ADD CONSTRAINT integrations_name_key_key UNIQUE (name_key);



ALTER TABLE ONLY public.integrations
    ADD CONSTRAINT integrations_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.keks
    ADD CONSTRAINT keks_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.keks
    ADD CONSTRAINT keks_wraps_key UNIQUE (wraps);



ALTER TABLE ONLY public.login_failures
    ADD CONSTRAINT login_failures_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_alert_id_number_key UNIQUE (alert_id, number);



ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.provider_facts
    ADD CONSTRAINT provider_facts_pkey PRIMARY KEY (credential_id);



ALTER TABLE ONLY public.recipients
    ADD CONSTRAINT recipients_integration_id_address_key_key UNIQUE (integration_id, address_key);



ALTER TABLE ONLY public.recipients
    ADD CONSTRAINT recipients_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.replicas
    ADD CONSTRAINT replicas_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);



ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_id_key UNIQUE (id);



ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (token_hash);



ALTER TABLE ONLY public.setup_links
    ADD CONSTRAINT setup_links_pkey PRIMARY KEY (token_hash);



ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_name_key_key UNIQUE (name_key);



ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);



CREATE INDEX alerts_closed ON public.alerts USING btree (closed_at DESC, id) WHERE (closed_at IS NOT NULL);



CREATE UNIQUE INDEX alerts_one_open ON public.alerts USING btree (trigger, subject_id) WHERE (closed_at IS NULL);



CREATE INDEX alerts_open ON public.alerts USING btree (opened_at DESC, id) WHERE (closed_at IS NULL);



CREATE INDEX alerts_remind ON public.alerts USING btree (told_at) WHERE (closed_at IS NULL);



CREATE INDEX alerts_subject ON public.alerts USING btree (subject_id, opened_at DESC);



CREATE INDEX credentials_age ON public.credentials USING btree (secret_set_at, id);



CREATE INDEX credentials_editor ON public.credentials USING btree (edited_by, id);



CREATE INDEX credentials_expires ON public.credentials USING btree (COALESCE(expires_at, 'infinity'::timestamp with time zone), id);



CREATE INDEX credentials_expiry ON public.credentials USING btree (expires_at, id) WHERE (expires_at IS NOT NULL);



CREATE INDEX credentials_identity ON public.credentials USING btree (identity, id);



CREATE INDEX credentials_kek ON public.credentials USING btree (kek_id);



CREATE INDEX credentials_kind ON public.credentials USING btree (kind, name_key);



CREATE INDEX credentials_kind_age ON public.credentials USING btree (kind, secret_set_at);



CREATE INDEX credentials_own_limit ON public.credentials USING btree (secret_set_at) WHERE (stale_after_days > 0);



CREATE INDEX credentials_prefix ON public.credentials USING btree (name_key text_pattern_ops);



CREATE INDEX credentials_search ON public.credentials USING gin (search public.gin_trgm_ops);



CREATE INDEX credentials_test_due ON public.credentials USING btree (kind, next_test_at);



CREATE INDEX credentials_test_failed ON public.credentials USING btree (tested_at DESC) WHERE test_failed;



CREATE INDEX credentials_usages ON public.credentials USING btree (usage_count, id);



CREATE INDEX credentials_used ON public.credentials USING btree (last_used_at, id);



CREATE INDEX deliveries_channel ON public.deliveries USING btree (integration_id, created_at DESC);



CREATE INDEX deliveries_due ON public.deliveries USING btree (integration_id, not_before) WHERE (state = 'ready'::text);



CREATE INDEX deliveries_parked ON public.deliveries USING btree (integration_id, ended_at DESC) WHERE (state = 'parked'::text);



CREATE INDEX deliveries_ready ON public.deliveries USING btree (integration_id, created_at, part) WHERE (state = 'ready'::text);



CREATE INDEX deliveries_recipient ON public.deliveries USING btree (recipient_id);



CREATE INDEX deliveries_sending ON public.deliveries USING btree (lease_until) WHERE (state = 'sending'::text);



CREATE INDEX delivery_lines_notice ON public.delivery_lines USING btree (notice_id);



CREATE INDEX events_action ON public.events USING btree (action, at DESC);



CREATE INDEX events_actor ON public.events USING btree (actor, at DESC);



CREATE INDEX events_subject ON public.events USING btree (subject_id, at DESC);



CREATE INDEX events_time ON public.events USING btree (at DESC, lane, seq);



CREATE INDEX events_versions ON public.events USING btree (subject_id, subject_version) WHERE (subject_version IS NOT NULL);



CREATE INDEX integrations_credential ON public.integrations USING btree (credential_id);



CREATE INDEX integrations_due ON public.integrations USING btree (next_run_at) WHERE (active AND (next_run_at IS NOT NULL));



CREATE UNIQUE INDEX keks_one_active ON public.keks USING btree ((true)) WHERE (state = 'active'::text);



CREATE INDEX login_failures_address ON public.login_failures USING btree (address, at);



CREATE INDEX login_failures_name ON public.login_failures USING btree (name_key, network, at);



CREATE INDEX notices_digest ON public.notices USING btree (digest_id);



CREATE INDEX notices_waiting ON public.notices USING btree (at) WHERE (digest_id IS NULL);



CREATE INDEX runs_claim ON public.runs USING btree (not_before) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));



CREATE INDEX runs_history ON public.runs USING btree (integration_id, queued_at DESC);



CREATE UNIQUE INDEX runs_one_unfinished ON public.runs USING btree (integration_id) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));



CREATE INDEX runs_recent ON public.runs USING btree (queued_at DESC);



CREATE INDEX sessions_user ON public.sessions USING btree (user_id);



CREATE INDEX users_password_kek ON public.users USING btree (password_kek_id);



CREATE INDEX users_totp_kek ON public.users USING btree (totp_kek_id);



CREATE TRIGGER credentials_phrases AFTER INSERT OR DELETE OR UPDATE OF name, identity ON public.credentials FOR EACH ROW EXECUTE FUNCTION public.keep_phrases();



CREATE TRIGGER integrations_usages AFTER INSERT OR DELETE OR UPDATE OF credential_id ON public.integrations FOR EACH ROW EXECUTE FUNCTION public.count_usages();



CREATE TRIGGER sessions_changed AFTER DELETE OR UPDATE ON public.sessions FOR EACH ROW EXECUTE FUNCTION public.notify_sessions();



CREATE TRIGGER users_changed AFTER DELETE OR UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.notify_sessions();



ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES public.integrations(id) ON DELETE CASCADE;



ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_kek_id_fkey FOREIGN KEY (kek_id) REFERENCES public.keks(wraps);



ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES public.integrations(id) ON DELETE CASCADE;



ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_recipient_id_fkey FOREIGN KEY (recipient_id) REFERENCES public.recipients(id) ON DELETE CASCADE;



ALTER TABLE ONLY public.delivery_lines
    ADD CONSTRAINT delivery_lines_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES public.deliveries(id) ON DELETE CASCADE;



ALTER TABLE ONLY public.delivery_lines
    ADD CONSTRAINT delivery_lines_notice_id_fkey FOREIGN KEY (notice_id) REFERENCES public.notices(id) ON DELETE CASCADE;



ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_lane_fkey FOREIGN KEY (lane) REFERENCES public.audit_lanes(lane);



ALTER TABLE ONLY public.image_changes
    ADD CONSTRAINT image_changes_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id) ON DELETE CASCADE;



ALTER TABLE ONLY public.images
    ADD CONSTRAINT images_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES public.integrations(id) ON DELETE CASCADE;



ALTER TABLE ONLY public.integrations
    ADD CONSTRAINT integrations_credential_id_fkey FOREIGN KEY (credential_id) REFERENCES public.credentials(id) ON DELETE RESTRICT;



ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES public.alerts(id) ON DELETE CASCADE;



ALTER TABLE ONLY public.provider_facts
    ADD CONSTRAINT provider_facts_credential_id_fkey FOREIGN KEY (credential_id) REFERENCES public.credentials(id) ON DELETE CASCADE;



ALTER TABLE ONLY public.recipients
    ADD CONSTRAINT recipients_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES public.integrations(id) ON DELETE CASCADE;



ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES public.integrations(id) ON DELETE CASCADE;



ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;



ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_password_kek_id_fkey FOREIGN KEY (password_kek_id) REFERENCES public.keks(wraps);



ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_totp_kek_id_fkey FOREIGN KEY (totp_kek_id) REFERENCES public.keks(wraps);



