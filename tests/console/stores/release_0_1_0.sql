--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

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

--
-- Name: pg_trgm; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;


--
-- Name: EXTENSION pg_trgm; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';


--
-- Name: count_usages(); Type: FUNCTION; Schema: public; Owner: -
--

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


--
-- Name: keep_phrases(); Type: FUNCTION; Schema: public; Owner: -
--

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


--
-- Name: notify_sessions(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.notify_sessions() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('strongroom_sessions', '');
    RETURN NULL;
END $$;


--
-- Name: phrases_of(text); Type: FUNCTION; Schema: public; Owner: -
--

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


--
-- Name: shared_of(text[]); Type: FUNCTION; Schema: public; Owner: -
--

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

--
-- Name: __diesel_schema_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.__diesel_schema_migrations (
    version character varying(50) NOT NULL,
    run_on timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);


--
-- Name: alert_settings; Type: TABLE; Schema: public; Owner: -
--

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
    CONSTRAINT alert_settings_row_mac_check CHECK ((octet_length(row_mac) = 32)),
    CONSTRAINT alert_settings_single_check CHECK (single),
    CONSTRAINT alert_settings_stale_days_check CHECK (((stale_days >= 1) AND (stale_days <= 3650)))
);


--
-- Name: alerts; Type: TABLE; Schema: public; Owner: -
--

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
    CONSTRAINT alerts_subject_kind_check CHECK ((subject_kind = ANY (ARRAY['credential'::text, 'integration'::text, 'user'::text])))
);


--
-- Name: audit_lanes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_lanes (
    lane smallint NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    mac bytea NOT NULL,
    head_mac bytea NOT NULL
);


--
-- Name: channels; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.channels (
    integration_id uuid NOT NULL,
    refusals integer DEFAULT 0 NOT NULL,
    misses integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    not_before timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: credential_phrases; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.credential_phrases (
    phrase text NOT NULL COLLATE pg_catalog."C",
    credential_id uuid NOT NULL,
    shared smallint NOT NULL
);


--
-- Name: credentials; Type: TABLE; Schema: public; Owner: -
--

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
    CONSTRAINT credentials_row_mac_check CHECK ((octet_length(row_mac) = 32)),
    CONSTRAINT credentials_secret_version_check CHECK ((secret_version > 0)),
    CONSTRAINT credentials_stale_after_days_check CHECK (((stale_after_days >= 0) AND (stale_after_days <= 3650))),
    CONSTRAINT credentials_test_whole CHECK ((num_nonnulls(tested_at, test_verdict, test_sentence, tested_by) = ANY (ARRAY[0, 4]))),
    CONSTRAINT credentials_usage_count_check CHECK ((usage_count >= 0)),
    CONSTRAINT credentials_wrapped_dek_check CHECK ((octet_length(wrapped_dek) = 61))
);


--
-- Name: deliveries; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: delivery_lines; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.delivery_lines (
    delivery_id uuid NOT NULL,
    "position" integer NOT NULL,
    notice_id uuid NOT NULL
);


--
-- Name: deployment; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.deployment (
    single boolean DEFAULT true NOT NULL,
    id uuid NOT NULL,
    mac_check_value bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT deployment_mac_check_value_check CHECK ((octet_length(mac_check_value) = 32)),
    CONSTRAINT deployment_single_check CHECK (single)
);


--
-- Name: events; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: image_changes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.image_changes (
    run_id uuid NOT NULL,
    repository text NOT NULL,
    tag text NOT NULL,
    change text NOT NULL,
    CONSTRAINT image_changes_change_check CHECK ((change = ANY (ARRAY['added'::text, 'changed'::text, 'removed'::text])))
);


--
-- Name: images; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.images (
    integration_id uuid NOT NULL,
    repository text NOT NULL,
    tag text NOT NULL,
    digest text NOT NULL,
    size_bytes bigint NOT NULL,
    platforms text[] NOT NULL,
    pushed_at timestamp with time zone,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: integrations; Type: TABLE; Schema: public; Owner: -
--

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
    CONSTRAINT integrations_row_mac_check CHECK ((octet_length(row_mac) = 32))
);


--
-- Name: keks; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.keks (
    id integer NOT NULL,
    wraps integer,
    state text NOT NULL,
    key_check_value bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    activated_at timestamp with time zone,
    verified_at timestamp with time zone,
    CONSTRAINT keks_check CHECK ((wraps = id)),
    CONSTRAINT keks_check1 CHECK (((wraps IS NULL) = (state = 'retired'::text))),
    CONSTRAINT keks_id_check CHECK ((id > 0)),
    CONSTRAINT keks_key_check_value_check CHECK ((octet_length(key_check_value) = 16)),
    CONSTRAINT keks_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'active'::text, 'decrypt_only'::text, 'retired'::text])))
);


--
-- Name: login_failures; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.login_failures (
    id bigint NOT NULL,
    name_key text NOT NULL,
    network text NOT NULL,
    address text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: login_failures_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.login_failures ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.login_failures_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: notices; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: provider_facts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.provider_facts (
    credential_id uuid NOT NULL,
    secret_version integer NOT NULL,
    made_at timestamp with time zone,
    used_at timestamp with time zone,
    identity text
);


--
-- Name: recipients; Type: TABLE; Schema: public; Owner: -
--

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
    CONSTRAINT recipients_row_mac_check CHECK ((octet_length(row_mac) = 32))
);


--
-- Name: recovery_codes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.recovery_codes (
    user_id uuid NOT NULL,
    code_mac bytea NOT NULL,
    used_at timestamp with time zone
);


--
-- Name: replicas; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.replicas (
    id uuid NOT NULL,
    kek_ids integer[] NOT NULL,
    version text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: runs; Type: TABLE; Schema: public; Owner: -
--

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
    CONSTRAINT runs_cause_check CHECK ((cause = ANY (ARRAY['added'::text, 'asked'::text, 'schedule'::text]))),
    CONSTRAINT runs_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'stopped'::text])))
);


--
-- Name: sessions; Type: TABLE; Schema: public; Owner: -
--

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
    CONSTRAINT sessions_row_mac_check CHECK ((octet_length(row_mac) = 32)),
    CONSTRAINT sessions_token_hash_check CHECK ((octet_length(token_hash) = 32))
);


--
-- Name: setup_links; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.setup_links (
    token_hash bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL
);


--
-- Name: users; Type: TABLE; Schema: public; Owner: -
--

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
    CONSTRAINT users_check CHECK ((((totp_kek_id IS NULL) = (totp_payload IS NULL)) AND ((totp_kek_id IS NULL) = (totp_wrapped_dek IS NULL)))),
    CONSTRAINT users_check1 CHECK (((NOT totp_confirmed) OR (totp_payload IS NOT NULL))),
    CONSTRAINT users_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
    CONSTRAINT users_password_payload_check CHECK ((("substring"(password_payload, 1, 1) = '\x01'::bytea) AND (octet_length(password_payload) >= 93))),
    CONSTRAINT users_password_wrapped_dek_check CHECK ((octet_length(password_wrapped_dek) = 61)),
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['administrator'::text, 'operator'::text, 'auditor'::text]))),
    CONSTRAINT users_row_mac_check CHECK ((octet_length(row_mac) = 32)),
    CONSTRAINT users_theme_check CHECK ((theme = ANY (ARRAY['system'::text, 'light'::text, 'dark'::text]))),
    CONSTRAINT users_totp_payload_check CHECK ((("substring"(totp_payload, 1, 1) = '\x01'::bytea) AND (octet_length(totp_payload) >= 93))),
    CONSTRAINT users_totp_wrapped_dek_check CHECK ((octet_length(totp_wrapped_dek) = 61))
);


--
-- Data for Name: __diesel_schema_migrations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.__diesel_schema_migrations VALUES ('00000000000001', '2026-11-26 13:36:30.160934');
INSERT INTO public.__diesel_schema_migrations VALUES ('00000000000002', '2026-11-26 13:36:30.600185');
INSERT INTO public.__diesel_schema_migrations VALUES ('00000000000003', '2026-11-26 13:36:30.69464');
INSERT INTO public.__diesel_schema_migrations VALUES ('00000000000004', '2026-11-26 13:36:30.728517');
INSERT INTO public.__diesel_schema_migrations VALUES ('00000000000005', '2026-11-26 13:36:30.744444');
INSERT INTO public.__diesel_schema_migrations VALUES ('00000000000006', '2026-11-26 13:36:31.147989');


--
-- Data for Name: alert_settings; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.alert_settings VALUES (true, 60, '{"aws":30,"azure":45}', true, true, 2, '2026-11-26 13:36:34.285013+00', 'ada', 1, '\x800fc7f2264d924f555adf77a6ee597d11bcf964a8a2357f3875c40b3e1b7efc');


--
-- Data for Name: alerts; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.alerts VALUES ('bc43f0e4-adea-4e5c-ab1c-c099ecfb814c', 'failed_scan', 'integration', '01a21812-7c08-76d2-aef6-e5cc0c0b062b', 'mirror', 3, 1, '2026-11-26 13:36:37.936107+00', '2026-11-26 13:36:37.936107+00', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.alerts VALUES ('5410e342-0f2f-4c8c-a65d-60995bfea66b', 'failed_scan', 'integration', '01a21812-7c1d-77f3-87b8-08cfe890a31c', 'of altered', 3, 1, '2026-11-26 13:36:43.198711+00', '2026-11-26 13:36:43.198711+00', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.alerts VALUES ('5c458dd8-3097-4a9c-a269-83334f6d892a', 'integrity', 'credential', '01a21812-7962-77f9-a7d2-a46049db4d9e', 'altered', 3, 1, '2026-11-26 13:37:31.247338+00', '2026-11-26 13:37:31.247338+00', NULL, NULL, NULL, NULL, NULL, NULL);


--
-- Data for Name: audit_lanes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit_lanes VALUES (0, 8, '\xda83b18193be42cc9f5228e86f7455bbd33754bb4a2b710a5f8abfa91ecaefcd', '\x73160465e705f464832a729baa4c5f4dd1d7d171f8789923fc8c4c48b12e77dd');
INSERT INTO public.audit_lanes VALUES (1, 3, '\x90d73628e0c14b6fc8babae0ad1da3bbee9c03dd69ac84d743b8b8f8a72f50e4', '\x5c82c8cadf9e311fcf0b964dcd6b09b7137e2f79eebd28ffe8e895f21d160248');
INSERT INTO public.audit_lanes VALUES (2, 3, '\xeb670d34b302f5b5a90ab09db7c78ed2b803dc25329ba045156a789484caf13d', '\x43d5afb4e6821583311ed18bcb49081b04e7c8d41fbe57b0e48d2b27f2e916a8');
INSERT INTO public.audit_lanes VALUES (3, 3, '\x625165f83bf08180ecf5a4ddd0144ff46f9ddba9e97f987d4cfedc062eb4a72c', '\x8af6e32cefeb91e2318cf637df93eaef37c3efce98bb3d345599bc049cdd9832');
INSERT INTO public.audit_lanes VALUES (4, 3, '\xd7ff3715d570bf23756122062102d247c5b51b5d3b287a9823e335daec5ab2a2', '\x2e2b41ad553b50be5eb6f6fef5b30e037c9381f7d9f92bb7ab6c02d7a8c5b517');
INSERT INTO public.audit_lanes VALUES (5, 3, '\x0b6c4fa2096938ac4fb6180a7d5075fb548c0f03eca7497e3ba0075b8a17b504', '\x9ef060ad1e7157075cdc5743f59078618333b8e9bfaf34755fbecabe0de93bda');
INSERT INTO public.audit_lanes VALUES (6, 3, '\x84111271fa3d29f22d10dfdf06abed36726818d7d8ebd04c5667fa6d424be128', '\x6482da6335a2603a42aee399e001189c463e6e00b70673ea6fd6325425fbf640');
INSERT INTO public.audit_lanes VALUES (7, 3, '\x75109313e551837e27360192207c17be996abade27124b34d24653d9bd26b118', '\x88192d1ac39543ccbaf9b0d0139c6059f99555c61d3c70cdafc3a6cf9bacd55f');
INSERT INTO public.audit_lanes VALUES (8, 3, '\x10cf68ccafa3ee9cbd945503d09f8c53f6fa8f20710aff9c70c4826555b2549d', '\x16460cb41107fb457c440b18bdd3396e2d592a69be3e1a3d9c10f353c1d4fe7c');
INSERT INTO public.audit_lanes VALUES (9, 3, '\x9913e3e7c7810e2f15c5de7763fe190b5235bf14e2d5f6b28ef16932f0d3573b', '\xf8cf5d04d612c676eee5c93cc41e45372f078b17f2b076f9f11696002f41868e');
INSERT INTO public.audit_lanes VALUES (10, 3, '\x5a573d93f96e5ef17bf3c5fa9abe75511b6244dac046c0b394e066006ab05e25', '\x085d098211f54b5eafd0a50717f807c9a1c9546f91c3b22ccb299c969139d8a8');
INSERT INTO public.audit_lanes VALUES (11, 3, '\xdb821af2a6af319c0200a1df95799ad961049a0a19334a409d5f53828fe83a21', '\x532bcd063d4826b1093d7551f020b157827f808e91f4ae3b728a31ff79f34c41');
INSERT INTO public.audit_lanes VALUES (12, 3, '\xc799ad11011eea4941a6f1659614ae74c2658ba457014c9aa89e884a4e1ab7b0', '\x48408a5c005e907f0216f5136d47f011cc4586bb9fbbc0083424d9b2c93b20c9');
INSERT INTO public.audit_lanes VALUES (14, 3, '\xf1a50a62499108bbf4f9e9ff92bfe1cc9bc17cc2a683c6a010178aaa1ede1bd9', '\x4243a753e188912ec2b6fe65f2ea3b722de74b8d4128473c98485c0901211df9');
INSERT INTO public.audit_lanes VALUES (13, 3, '\x53d7ba1ab8a59b2fdae3369b8a2de3df4c82b3305294011e6856d3385d3c14d2', '\xa00d9ec96cb3e27295c84613ae8fb0af4ecca57b49b1d0b7ad88e8bceb35c905');
INSERT INTO public.audit_lanes VALUES (15, 3, '\x970ce7e1bd4049c74d68294f68684f3286285f61fb2c1d4ed51a685560a8f265', '\x95cecc39e947bdb38a5a162af3626090b17dbd5c6c6abf58b25df60dacc75838');


--
-- Data for Name: channels; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.channels VALUES ('01a21812-7c2d-74ec-9002-5ed2bb047028', 0, 4, '2026-11-26 13:36:39.05028+00', '2026-11-26 13:37:55.967063+00');
INSERT INTO public.channels VALUES ('01a21812-7c50-737d-9016-0775f685ab4f', 0, 4, '2026-11-26 13:36:34.660145+00', '2026-11-26 13:37:58.041941+00');


--
-- Data for Name: credential_phrases; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.credential_phrases VALUES ('environment', '01a21812-6fb8-733d-ae74-758219fbafa1', 0);
INSERT INTO public.credential_phrases VALUES ('iam role role of the environment', '01a21812-6fb8-733d-ae74-758219fbafa1', 0);
INSERT INTO public.credential_phrases VALUES ('of the environment', '01a21812-6fb8-733d-ae74-758219fbafa1', 0);
INSERT INTO public.credential_phrases VALUES ('role of the environment', '01a21812-6fb8-733d-ae74-758219fbafa1', 0);
INSERT INTO public.credential_phrases VALUES ('role role of the environment', '01a21812-6fb8-733d-ae74-758219fbafa1', 5);
INSERT INTO public.credential_phrases VALUES ('the environment', '01a21812-6fb8-733d-ae74-758219fbafa1', 0);
INSERT INTO public.credential_phrases VALUES ('akiaiosfodnn7example', '01a21812-7606-74b8-9f86-850ae7a9cc24', 0);
INSERT INTO public.credential_phrases VALUES ('ci akiaiosfodnn7example', '01a21812-7606-74b8-9f86-850ae7a9cc24', 0);
INSERT INTO public.credential_phrases VALUES ('prod ci akiaiosfodnn7example', '01a21812-7606-74b8-9f86-850ae7a9cc24', 0);
INSERT INTO public.credential_phrases VALUES ('token ', '01a21812-7611-7397-9d8b-d3f9e5e55326', 0);
INSERT INTO public.credential_phrases VALUES ('.0.0.1:9', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 0);
INSERT INTO public.credential_phrases VALUES ('.0.1:9', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 3);
INSERT INTO public.credential_phrases VALUES ('.1:9', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 1);
INSERT INTO public.credential_phrases VALUES ('0.0.1:9', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 0);
INSERT INTO public.credential_phrases VALUES ('0.1:9', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 2);
INSERT INTO public.credential_phrases VALUES ('127.0.0.1:9', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 0);
INSERT INTO public.credential_phrases VALUES ('1:9', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 1);
INSERT INTO public.credential_phrases VALUES ('9', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 0);
INSERT INTO public.credential_phrases VALUES (':9', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 0);
INSERT INTO public.credential_phrases VALUES ('hook 127.0.0.1:9', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 0);
INSERT INTO public.credential_phrases VALUES ('0123456789abcdef0123456789abcdef', '01a21812-763a-7352-b4ef-84ee1478db37', 0);
INSERT INTO public.credential_phrases VALUES ('ibm 0123456789abcdef0123456789abcdef', '01a21812-763a-7352-b4ef-84ee1478db37', 0);
INSERT INTO public.credential_phrases VALUES ('.com', '01a21812-765a-7443-96e1-b4f63f5fa4fa', 0);
INSERT INTO public.credential_phrases VALUES ('com', '01a21812-765a-7443-96e1-b4f63f5fa4fa', 0);
INSERT INTO public.credential_phrases VALUES ('forge github.com', '01a21812-765a-7443-96e1-b4f63f5fa4fa', 0);
INSERT INTO public.credential_phrases VALUES ('github.com', '01a21812-765a-7443-96e1-b4f63f5fa4fa', 0);
INSERT INTO public.credential_phrases VALUES ('.com', '01a21812-7665-763e-87a6-3fc6ef08ec10', 0);
INSERT INTO public.credential_phrases VALUES ('com', '01a21812-7665-763e-87a6-3fc6ef08ec10', 0);
INSERT INTO public.credential_phrases VALUES ('gitlab.com', '01a21812-7665-763e-87a6-3fc6ef08ec10', 0);
INSERT INTO public.credential_phrases VALUES ('lab gitlab.com', '01a21812-7665-763e-87a6-3fc6ef08ec10', 0);
INSERT INTO public.credential_phrases VALUES ('pair robot', '01a21812-77e0-70ed-9fb8-2f9995ac4e1d', 0);
INSERT INTO public.credential_phrases VALUES ('robot', '01a21812-77e0-70ed-9fb8-2f9995ac4e1d', 0);
INSERT INTO public.credential_phrases VALUES ('-1.iam.gserviceaccount.com', '01a21812-77ed-738f-9d54-e6dc9684a7d4', 0);
INSERT INTO public.credential_phrases VALUES ('.com', '01a21812-77ed-738f-9d54-e6dc9684a7d4', 0);
INSERT INTO public.credential_phrases VALUES ('.gserviceaccount.com', '01a21812-77ed-738f-9d54-e6dc9684a7d4', 1);
INSERT INTO public.credential_phrases VALUES ('.iam.gserviceaccount.com', '01a21812-77ed-738f-9d54-e6dc9684a7d4', 1);
INSERT INTO public.credential_phrases VALUES ('1.iam.gserviceaccount.com', '01a21812-77ed-738f-9d54-e6dc9684a7d4', 0);
INSERT INTO public.credential_phrases VALUES ('@demo-1.iam.gserviceaccount.com', '01a21812-77ed-738f-9d54-e6dc9684a7d4', 0);
INSERT INTO public.credential_phrases VALUES ('com', '01a21812-77ed-738f-9d54-e6dc9684a7d4', 0);
INSERT INTO public.credential_phrases VALUES ('demo-1.iam.gserviceaccount.com', '01a21812-77ed-738f-9d54-e6dc9684a7d4', 0);
INSERT INTO public.credential_phrases VALUES ('google robot@demo-1.iam.gserviceaccount.com', '01a21812-77ed-738f-9d54-e6dc9684a7d4', 0);
INSERT INTO public.credential_phrases VALUES ('gserviceaccount.com', '01a21812-77ed-738f-9d54-e6dc9684a7d4', 1);
INSERT INTO public.credential_phrases VALUES ('iam.gserviceaccount.com', '01a21812-77ed-738f-9d54-e6dc9684a7d4', 0);
INSERT INTO public.credential_phrases VALUES ('robot@demo-1.iam.gserviceaccount.com', '01a21812-77ed-738f-9d54-e6dc9684a7d4', 0);
INSERT INTO public.credential_phrases VALUES ('-1111-1111-1111-111111111111', '01a21812-7800-779b-b170-1bed219f2377', 0);
INSERT INTO public.credential_phrases VALUES ('-1111-1111-111111111111', '01a21812-7800-779b-b170-1bed219f2377', 15);
INSERT INTO public.credential_phrases VALUES ('-1111-111111111111', '01a21812-7800-779b-b170-1bed219f2377', 10);
INSERT INTO public.credential_phrases VALUES ('-111111111111', '01a21812-7800-779b-b170-1bed219f2377', 5);
INSERT INTO public.credential_phrases VALUES ('1111-1111-1111-111111111111', '01a21812-7800-779b-b170-1bed219f2377', 0);
INSERT INTO public.credential_phrases VALUES ('1111-1111-111111111111', '01a21812-7800-779b-b170-1bed219f2377', 14);
INSERT INTO public.credential_phrases VALUES ('1111-111111111111', '01a21812-7800-779b-b170-1bed219f2377', 9);
INSERT INTO public.credential_phrases VALUES ('11111111-1111-1111-1111-111111111111', '01a21812-7800-779b-b170-1bed219f2377', 4);
INSERT INTO public.credential_phrases VALUES ('111111111111', '01a21812-7800-779b-b170-1bed219f2377', 8);
INSERT INTO public.credential_phrases VALUES ('azure 11111111-1111-1111-1111-111111111111', '01a21812-7800-779b-b170-1bed219f2377', 0);
INSERT INTO public.credential_phrases VALUES ('.0.0.1:6443', '01a21812-7842-7750-ab75-f43c11c4dc3e', 0);
INSERT INTO public.credential_phrases VALUES ('.0.1:6443', '01a21812-7842-7750-ab75-f43c11c4dc3e', 3);
INSERT INTO public.credential_phrases VALUES ('.1:6443', '01a21812-7842-7750-ab75-f43c11c4dc3e', 1);
INSERT INTO public.credential_phrases VALUES ('0.0.1:6443', '01a21812-7842-7750-ab75-f43c11c4dc3e', 0);
INSERT INTO public.credential_phrases VALUES ('0.1:6443', '01a21812-7842-7750-ab75-f43c11c4dc3e', 2);
INSERT INTO public.credential_phrases VALUES ('127.0.0.1:6443', '01a21812-7842-7750-ab75-f43c11c4dc3e', 0);
INSERT INTO public.credential_phrases VALUES ('1:6443', '01a21812-7842-7750-ab75-f43c11c4dc3e', 1);
INSERT INTO public.credential_phrases VALUES ('6443', '01a21812-7842-7750-ab75-f43c11c4dc3e', 0);
INSERT INTO public.credential_phrases VALUES (':6443', '01a21812-7842-7750-ab75-f43c11c4dc3e', 0);
INSERT INTO public.credential_phrases VALUES ('cluster 127.0.0.1:6443', '01a21812-7842-7750-ab75-f43c11c4dc3e', 0);
INSERT INTO public.credential_phrases VALUES ('..aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '01a21812-7898-7420-bed7-ea2cacdb00d6', 0);
INSERT INTO public.credential_phrases VALUES ('.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '01a21812-7898-7420-bed7-ea2cacdb00d6', 1);
INSERT INTO public.credential_phrases VALUES ('.oc1..aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '01a21812-7898-7420-bed7-ea2cacdb00d6', 1);
INSERT INTO public.credential_phrases VALUES ('.user.oc1..aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '01a21812-7898-7420-bed7-ea2cacdb00d6', 1);
INSERT INTO public.credential_phrases VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '01a21812-7898-7420-bed7-ea2cacdb00d6', 0);
INSERT INTO public.credential_phrases VALUES ('oc1..aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '01a21812-7898-7420-bed7-ea2cacdb00d6', 0);
INSERT INTO public.credential_phrases VALUES ('ocid1.user.oc1..aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '01a21812-7898-7420-bed7-ea2cacdb00d6', 2);
INSERT INTO public.credential_phrases VALUES ('oracle ocid1.user.oc1..aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '01a21812-7898-7420-bed7-ea2cacdb00d6', 1);
INSERT INTO public.credential_phrases VALUES ('user.oc1..aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '01a21812-7898-7420-bed7-ea2cacdb00d6', 0);
INSERT INTO public.credential_phrases VALUES ('altered robot', '01a21812-7962-77f9-a7d2-a46049db4d9e', 0);
INSERT INTO public.credential_phrases VALUES ('robot', '01a21812-7962-77f9-a7d2-a46049db4d9e', 0);
INSERT INTO public.credential_phrases VALUES ('robot', '01a21812-7576-76e7-886a-163b985623f1', 0);
INSERT INTO public.credential_phrases VALUES ('robot robot', '01a21812-7576-76e7-886a-163b985623f1', 5);


--
-- Data for Name: credentials; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.credentials VALUES ('01a21812-6fb8-733d-ae74-758219fbafa1', 'aws', 'IAM Role', 'iam role', 'Comes with Strongroom: takes the role of the machine that Strongroom runs on. It holds no secret.', 'Role of the environment', '{"subtype":"IAM role","lines":[],"warnings":[],"policies":[],"values":{"method":"iam_role"},"secrets":[]}', false, NULL, true, 1, '\x0183c2aed501b6e7d1e1cbeb9b29c21ecba56d1d2757081f49f5cb8fc20ef46120b468a37a0558e4f22ed53193f42914e3b78b1f58a99d592f59bee410', '\x0139cd50db593ceb730d4c55c64f187a324293d3f92a4992808c04e35dfbec9d2f54924450b98749d24e1b3c8b55e2cacd234b1d828cff7cc6aca82f398fbe7eb514667fe68fe9705984fd88918f85685a38b73d135c2e33e2b2ccf1c2', 1, '2026-11-26 13:36:31.160355+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 13:36:31.160355+00', 'Strongroom', '2026-11-26 13:36:31.160355+00', 'Strongroom', 1, '\x9d17aa10e9c294d6e74a55f056ff3790aff1fe2e7cebde6acae389472c3b1eb0', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 17:19:16.363543+00', NULL);
INSERT INTO public.credentials VALUES ('01a21812-7606-74b8-9f86-850ae7a9cc24', 'aws', 'prod ci', 'prod ci', '', 'AKIAIOSFODNN7EXAMPLE', '{"subtype":"Access key","lines":[],"warnings":[],"policies":[],"values":{"access_key_id":"AKIAIOSFODNN7EXAMPLE","method":"access_key"},"secrets":["secret_access_key"]}', true, NULL, false, 1, '\x0197468ba5fccd693f5f02260b6d376cea4fc44e4fd0c94bb6a106a7803051284dea8e6bb1fe84b1fedb5d1981ae48a7703d87d7272aa96d48b6a91901', '\x01d181e142c50fcf7c07bb4e3f2ac8fdcdcc80171c25710e494526ee9a47a96da7f5945844029949e22046017dba67927bd0e5acd8a3c974935e91e05bc1ba52f97716701b77a9f20c85a1a5b8af1e2ee50ff4048711b0a31b01172272d514d9389580f92b064a5edd13fee5029df2b2c1dc5f8f9508bd27d81c7dd93c403603797ddd99117f9ca1672582cc4c3802b53a86e9a674afd164a638b050d70fd1ffb703fd575093b42d1eec82d6c2d7fb77b038b889a1d5711ccd16c10b0c0f4f0c9ee47324e089dc2a019583706a3931fc934982cd258f6032b4e77889c3', 1, '2026-11-26 13:36:32.774787+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 13:36:32.774787+00', 'ada', '2026-11-26 13:36:32.774787+00', 'ada', 1, '\x6ea0ff2219f0bb37326432dcd739ee13c882326bfe0452381e03b50435aecfbd', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 12:49:20.535153+00', NULL);
INSERT INTO public.credentials VALUES ('01a21812-763a-7352-b4ef-84ee1478db37', 'ibm_cloud', 'ibm', 'ibm', '', '0123456789abcdef0123456789abcdef', '{"subtype":null,"lines":[],"warnings":[],"policies":[],"values":{"account_guid":"0123456789abcdef0123456789abcdef"},"secrets":["api_key"]}', false, NULL, false, 1, '\x0151874bd2b74c20e54201d718060cde07cf637e8b92f6ded40cd186f874387585ecc5bf1c2c0835e90facff5fe97b091ca03c9874b504c54b62a4e348', '\x01a77228946805161332d2ea036d1dec82da232d8c78b2ebcd6bb32c551d055277611662125d61880f958049e8631c755f94cdccc8cb6e14a2389b3da219fc0a39bc410c9ea2895eaa3cfaf55a59120ba6e52f6004f61ffc4ee969f33d8e36aba5f2e35625861b465188b4e31c1581ac410515e2873b80e3a3716189f6aa13a4806c0f25ed83715396e189b9063c08493117caa6f4a142312c8b6d15bf', 1, '2026-11-26 13:36:32.824907+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 13:36:32.824907+00', 'ada', '2026-11-26 13:36:32.824907+00', 'ada', 1, '\x29e5926d6ce959a4b1a438bf2ae7ba1551e024a444334da280c67ec73e8b8de0', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 03:46:37.085835+00', NULL);
INSERT INTO public.credentials VALUES ('01a21812-765a-7443-96e1-b4f63f5fa4fa', 'github_token', 'forge', 'forge', '', 'github.com', '{"subtype":null,"lines":[["Token type","Classic personal access token"]],"warnings":[],"policies":[],"values":{},"secrets":["token"]}', false, NULL, false, 1, '\x014b696729be841ce987ab1d9521693301c7d37a9362840d5af674f81312d20d0ba284db80cae63403a908c405404f55d54a0c729398d5f84471718940', '\x01557371bb5452ca056b12310ae512a87241dbcadfa6b4809fbe0bf46bd7bc1c54131a1812b6a0ca299fc11b2a06bf88d5dbf1455213cdeb0cc36b5f177c8698831395b2ef5f4c8657d069d8aae20607313eb25ebb967ff5713f9bd748', 1, '2026-11-26 13:36:32.858078+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 13:36:32.858078+00', 'ada', '2026-11-26 13:36:32.858078+00', 'ada', 1, '\xc893bd5d575f8affbb36e6321a02df3199930a9b81cf036a1c060f4419d328cb', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 07:05:54.780847+00', NULL);
INSERT INTO public.credentials VALUES ('01a21812-7665-763e-87a6-3fc6ef08ec10', 'gitlab_token', 'lab', 'lab', '', 'gitlab.com', '{"subtype":null,"lines":[],"warnings":[],"policies":[],"values":{},"secrets":["token"]}', false, NULL, false, 1, '\x01fa401600394df9585f3d32af7a8ab27dde50ebfbc4b4a72114c71272244718fc80df0feb34f767ae6e919ace0fd3cb75501cc3004c56742cbbf1f7a8', '\x01564d830a7c56e5175aa2625927bfb3b5f5180dfe07116b4e78d9bfd407b5a123e457959cb530d3eff40691adb0832823a3a82222d87a9412557b750745faa1b6d544a3fb1962976ce92ca5b0290d061f3c29beddf9fc7f0de8f515bf', 1, '2026-11-26 13:36:32.869242+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 13:36:32.869242+00', 'ada', '2026-11-26 13:36:32.869242+00', 'ada', 1, '\x0355924df91d0da39ee1a5abb19c6320eee39f1d592e9b666faa3d68349a05f2', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 22:04:56.53736+00', NULL);
INSERT INTO public.credentials VALUES ('01a21812-77e0-70ed-9fb8-2f9995ac4e1d', 'certificate', 'pair', 'pair', '', 'robot', '{"subtype":null,"lines":[["Issuer","robot"],["Valid from","2026-11-26"]],"warnings":[],"policies":[],"values":{},"secrets":["certificate"]}', false, '2036-11-23 13:36:33+00', false, 1, '\x0159af2fd5d0a1d5c39751d013a564fc867f1fd02d14cf0db30905c0cb0f097856cb619e2052456832e73cce7a22a9345a1d1ea0d439764d6380b5de73', '\x01c1b782cc672bc901a1e80c39bff4d8ab59bfabd4b5b3c2414f13b7a2b1522fc9f3618e22a23784188fef6febfe590df3ad03e1f5fb65b3ce054c3f9dedc557c18f534ba4564fcc0c29a821187e7a35d44bec0c3111287d4d4f2ad343b66d1671490853de9717a4afe71ac256977fe14c1f973fd0ae8ae43d3cc89248e881e06dfcde3e10107baf2457149dc30e3b1b003452dff66c519c4e49b2fa18adbd46c92ee67a21aab199856fbb5da2a97066516ec5276ea9dc09ffcae829bd8f9179e2d4a73ff5db242afb2d47a09842baf127645fc8a15c8b79748a9782cf53ee3b13654fb4ab55b2f0793b2dc151975033d1c4d4f03a5fee31d42eed51708fe31aba52a1ea33759744e306d6e6e5e4be74a47f47b82105cf436914513e88e00df79e47ed6e2e2a04506272840ebd74e1810b7b6f7c3e0fc0bf370e05b1a4600b92e39e5ec35e23d16ff4f2997fa374d2bf31543b2e827d7b4f65026a6d0227f47e63518afe1af8c3a2fd603c430e4518e8c5652a9b7410602a27183a2773d15bb00ccc5afa201ee571e1faae17e24bb8507509923a225d03f44f984271635c9c0122cf551f12301485e3d24df2b3bcf55782c27ebea847a921b7a7f87818da188999b54a190afc7dee774c8e3282879f46a66ddccb8eb0fc68a9302c4a63248d5f760642c5b5269a23efe1c84a1e5749107549c731b86b718d48fb69073170795b087ae36c1eda41aabdde2e6064aff2aee3e523183833952c6764b9bbf0a24e539f3ac9a1687f3f6478010c8f61e9b5ee6877d6a1ac1b95750d804e48d3b9f2e002561da82ce7c6aad68b9f7874dd2a588c02f523e1c5702fdf5c758027840edf54183a7629602b4d0aa4beb4f87f8ac30676f0da5e3b695083b42d62ff130add83e3c5efc81f70d98665878fa8d970b47b841d0df2ad37094e18915943199b4620b79ec08af39581e010be6c55ed0c6f9eaaeb0fb2dd25813bc9a8fbfb68a3c58c44b53e449ae694053ebe1e069d5e5f7012b810d53caa7c281c5ef32d597f1820b4a743d10cfb4a30e8111cca14f8cce1a1ec52bc8696d46d3c8f816b5cf6d10d734055701740354f0a5dc2185e888d93edf442f46d0bed64d69cc085501258c193635ebdb111781e7269902a316504f4d47addefd3a8b5f5a1ee43361dc91dc3ddf665918907702dc192c28a922de3b288ef8f5cff3938a2a5bce8991f82530f64d225814e236ece5e49b4f4d9754faf71e56c04f2a6f71210aec1458b4a496f9884e57063609f2e2b5b11c0e357e3ab9cc11819d9dd012e86b7c3c1ab4d1916b6272d0cfc0e3f70d655e2d7a7463d954a16f9bc7043a65a306dfb04271e6220da3d2ab2026c97ab647154575c94d22a7dabb96be2516080881e53ad3acca66fa0c218b52a2781b04ea989628943ed9a63657c5ce272e7047cb9c6b5309df4d5d4bb5be512fc08f1e3f96e2959133feeb0c305447ca7e98420fe52feeb65ee04675aec4a866b61ca23440798123cc2b7c2d4deeadd6d7e8c2a37fb7cffe7708b67ad193278ee735c2d594dc42854c2bd52f40692a4a9151eb2e6d2d23f66bcb9ebedb74cf3e51f2aae58c271fee43354b583be0adf8557e5b23e30c6401e0951c71fa1c698f9288a64d68da40dad6c32ad8862fac8e7d916344797f704bf03833542ba42f34d9ffae62f132a62818e26ddf2b8326a9c057a6533c21c5531ad66529d0d6938657cbea10b95d9cb1165458b19f470315d8510610266b2f82c8f6eb8bd58b285cee1d48c92d0e5376b4d630dd0a27ee4055d31772d8c93783839dff96a89360c9682c2f52466505f7da4ad06d7015cc2fcd58aba6ebb751ec06a9675181a6ac6966ee45831451b5a7708c1999cce6f34f6ee73c179b1c0d47fbff2db3aab4e9a26ec04fdb7cc16ac54ff78b4d49dba6cd7223f17543c3bb0a4cbde9cf1acbf8927dc860061f804f3e0b705f621ebc13cd214acce31150e279c306f017b2f6d9d91c7c36d6033a50122ab63344bec8cfef10b904a5244aef85ce186584f191f83eb49142b3937a094421fec21bdab74a07980f0bad823fe32cd20f8090279c8c3da54512967c000332e7acc879fc29f0d8e579a2f261aa83dbcfd4eefc261f581f13962053ea172c0ee7d636a515436f25aebfef6b81ab496486bcf70d91da039b8c5a90ccd1f2172400ed0e068ba485583e9ae5180dbba7fc27d37712fbce060d421b28e912870c21418b2bca60844ef609d23e9789a480b5d12fe0444eb4fa8742bb625f17ef03f65d63f487821b790e5dea099cbb0e397121ed4947ac6a0c38ea5b9bbf8986a2159dd7d8ff9a12e2776ab814233889802a5be1a5e43bfedb1ac75417408c5754d051c4ea4cc762d2811cb3580198791bfda88d9abc3bebceec35ba639495c7c15e86a02ea76321b3dce832eba12a388fa8e88c32ca501cac4d67aaff605ddb9d4fdd2704d14764e2613f89775598b08ab1343b14702dc6e79d84c22ccfc77c90c1b576bc1e0403d6f0df65e84b529500d44de1e2d0989741362b095aa183a164cdffad7f1a5e1513469484df15a544426aa645a9c58936de9e1002063dfb7c9776eec60d689f0092e16cf8eab64880d96d9462bc828d9a9eddf023fa4fc68b595d4512b81a5df432a6f5a2ef69c79d62ae66f6559b686e15496b78ba19886e732610e31a06ecd92cb5b8e38f183ea513d51f4927e03f4b7d051e5a272f48b828a3fc3c305137470711435e37fe31cdd936c9af155cee5ba5738f6cacc7428c4e65e830bf528598215b513e526969835e7a1a40cd3c9d916fb79ae735731a29220c5bfd7414277ff0833764f6da28bbf50f6ec288e146150d8a64e2fab8d5422af01a1379cc4f3c2c29c83998b86ec7d87410efa1308fa646c8d1e7730fc2f47b52b1e7603a2b6c2877ac77a8653c925491e53edb97c39cfeee4614276a98f6a606ff46518769a73536215aca346c237aedf6d92b35454f1c7cb66992fcac1a3757057c49e0abc480f20d026e15e01a37f639136d57ba0659160f2f0efe531ed37129699f303e729625aff2ae04f0ec2fc6d65bff4a36347703260c4b4c08f35515f6be21f3c62cb7ab771ba760e11bfc46245d1a1de11613f9c0b05d13bfa30851aff85c7bf63cd58651c78476bcde4952435db704ddc1b39ce03262588f1e7f0cbc4418e9642e8350ffcc8862bbcec71429bcbf9634e163ccceccd7e4a9e6992b6db9cf8a326113950f675b7cb055a91d526b1ffc5d55bef46cd30ea1e60bb614a19b75ffb6453f8c3217c1249694735c12bb6ac26b81b968f35c2dcd9064a79acc81cac89e27462416c9bb1d3a176bd884125cf63bae9a62cde282ede767e9e0169db2753870c8edb8c916ce50b6cd81461670142ee2c4f4a30cca7a216cc09619c5f0d9b49b2e662cccd12ea0f7bd3df83283ccdca2f0ffea8f9e3340b6a1492d1869978223d23af86c829d0d5706020df9d5e97842f5d1c930e3302380d9b5b2a78105ed4d99ee166aa0dc8a0ea195ba471636cc6ee6c7c7d32a5bf0592e262762ae18a58c4d1724e1e47c73c545d176faca4a27d9786b58fdf3f32aad7b82269526d4983c5fd0453f982fe81a6be614bfcbcbc88ed6ffe70d59cedf10a995d53eb491e8d805597b7b60c3f2b3c36a37ee90b3f428dc44217477c993a4ba93243becfc05b977277f426a56c535879bd142c78b366c09a230b82692c2f0fd84a83a0aa9aae945bd448bf2489184cd79070331dee3541d9da1e6767b93010189dc7c65d2bd548917e99b8f2505b574c60aa821663963dc5878a355bcb7e7e70b11184682e33c2277c381c1b38b402716962878dc7b8e1f4e8510a2b1bfaeaee31cb1f165a7b873208d8a01b77dcf6cccc5f19ecb2bbba90644885523dea57914ad9ef579db04e87493a2432740acf47fdfff0acb6c37f9a20f944420af011ee5850eee40caf37164d2a5e3d286b497ab11ffb2ba38d1503fd04e6f4f1c75df0f5735194b639a0829cb0b55a65582533db080a919c99f5047f0125fcfcabeafa806312e711cd4967547a167c85c1978a75448441eacab7cbcbc97959c80b2a691b4c50bc703bbae1c3d6f5dee8a720d7d85f523148cbfbe69379d51f053e2939233f2b08564c2b0ece3a4c4200c1c96710e3292c32a229947f14dffebf5175aa1fd097d396343538f050769246bfbe49a777dde8492bcd3fe5988c89b5f63d82167469c0110904008119cff54af5e11427d758af0f3296804c94da1f1e7e9dc9767eeb25d7230aee4b77be1d4a90a394634b65b360383da5fed355d1108aedbacbe35cfd7046ad88f53363d4cf5fb746200310b16234a34e91ca3afcf15ba37b620d9863afc065cfd754ff6c709d0a', 1, '2026-11-26 13:36:33.248313+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 13:36:33.248313+00', 'ada', '2026-11-26 13:36:33.248313+00', 'ada', 1, '\x3d57113920ca9afe21c87343fe363acbecc011a2886a10b27a0cef93860ded3b', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 15:39:13.408253+00', NULL);
INSERT INTO public.credentials VALUES ('01a21812-77ed-738f-9d54-e6dc9684a7d4', 'gcp', 'google', 'google', '', 'robot@demo-1.iam.gserviceaccount.com', '{"subtype":null,"lines":[["Project","demo-1"],["Key ID","aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],["Level","Project"]],"warnings":[],"policies":[],"values":{"level":"project"},"secrets":["service_account"]}', false, NULL, false, 1, '\x011878299bed7f7d7e0cc19e5ac87494125d29a8014e6c58f8eae544806c8c0dec7932f5351e04ab17f1286df869a0b41161ff2efefaadab50a842ad03', '\x01ccee69443d64e7b0d78eb1c4da33f80a2f290c4ebb53938832ad7799789ce45609de11a8ca7182b9fb0b6212b2a13b8c884a1f59dee4351f2d027ec4901375062cd0c7aa43d22678059cefeb27852d0949e0c2e3db55fc88de073aca956a7c88e967dac5e8639473416734cfbe4cc5466202b9ca6458bfc5a7337d74deaf5a5f9f2b1a8b8c273ea27416545569c3e15fe8bfe9927a5ebce083446b6a345236175cf09c7134648f0a67c8295dd64ae758de17ba9f05332f7b76263ee588db2ff7cbc2278cd80ebb327cb9c9f479e44ca59ebee9a4a75656033761fe75f4a202925618b33d494d64184933bc3323df4d3cadb5b3e68da9aad00b07543e55053be7bb02d1faf13cd116f7fcda8b5f299a62ee453394d3b0865cc252b1d4ade5edf1774e7c3e633f1425966cd4712d5f416744540b5904b9a36c4c472b8936632e647f4a6be5a951a4e5c637e346a55103209898ecaffcdffd61fcfff7c943fa864e50d03dd7baa4c2129591bb2cf46fac2efb55d2cc4a28cd90169606b2111156656cde41d8024be574f841ec483c2ce7e4b35b5db8c89fdfc4eae7216dfb9faeb58d53395d058ec97695f196e37e5dd47d15c18d6e18310a6cff88c54296d6f5f14cf13ce9c1377edd2a44be599432d83093a3cdb1cbae8e6a335ac4aa732a774e8dcd22c399ad1ff4a0829aade2eace4842a14afa2af1363be2ecadde2e7b645340944dfeed1e57bd05080b6151c33a0981c420ab9db2be0d55e4a05b8fa76129bc1567ce7b955d98f1e64bfae010980a2bfa9090d0765162c1cf08416f05714b89862062b238b420d89e7870517d1a9cb681d1a4f40ce647b6116c5762943d694b0e62c79ca9a701f11038a7fe9ae48f02f3e1625378bcf1ddd01377e2289eb4aa75b3f60bc7f6284253e2869959a74c7f9e4b82d311bf4e9cc8e8ea9a7a7249b6ae256cb3e7a9dd1cf56e4eefec409b186a3f0028fffec899c882e9fa8b6a3b0fb04f6a634d6e2e0cf8f18ba0a1a9f64dcc3c3001bced62f90073b4bcf67f09f965823e332c816d5d84e3545ffd336d7ccd8e638def98bd244259b1c97cfc9f1844c30e4d5aa4f08aaa7df292b2476b751bdd9dc8d30057abecc28f6867949b3d7f89e2eb187437bb2bc2cf94f3b217642ee857ba3728d0bbd7e216204e5dbee7ee8bbd9bf5401df2ee6e514b6dd973067f8b10216ec7c0fb3f701774cf9a847d025d7de2048e2e2604db2a3d983a08b446d85183887b2a9817f42ea9cae25238128193e2a8373406189838984169290a97698f50c66310e59d9144c726f3ae1756f105e8589a45cb6014d4ace60b701a43fbab08c9be4dc78143e9068941467deeccc5ea3436601e42110333ec8548fbd5b10874d3a28f3a448fd9f706741e64602da892195ba225266b5101356241aa5155253351bdb70f82c6a50d07955b8e6f5f9298ad7ffbf96fa67241220c153856ffd405e8d86f96164a01b02ed7e391861fd254a7900ea830887c644b86c30f3fd043740ff21f887230f431eadee34e7247105c18c55ac519dc4079b630cb61f2f30afeae284b88a7744bddf8a8195597460012bac967f715d12d750befeb36826b61241ed159e87b0e6b35d4e56bf8dee356b93e81ee2f1f4f9bcc46e65fba35153bca6ee7953ea6b002a8c6a67c53c6fdcd21301f4ac6ec917a9251282473a494bf9c68a1639555b7c1ddba613b6cb9ab754d2994250fcdf39d68de79615f4e2daa5b4a1c22955dd26634a9426d5e3e68c43c8585bf723328bd01b7478c8ff319107997e7e449668f939847a4bfe2348c0e939a6bd2b960a8675dbf0a0285ccf61f9ca4c3cc49104aece139d9d478388578982a1a53e311c601adb7e65917fca1f03ce1be3617c08e4b217c6e3222490d42a29351d8706faaa33a756326b09d035e16b32c4d71a39f4eb8edd71f57a2acdf42f8a9edfd8d81172fc9fa60c137a2457e9873dbb854e4bedaff62ada34016e82cae8e6c4db7889bcd19bc35d8608acbdbc16fc69831de378ea86a9bd1dc94c268769df1f78ffa0219a19b4d614a5c991b21bec56d4bd04eb7f0e6eccad2689620fe55ffc9780863e11484304455b1f63c232f2f4aa8307bbc9f21d52d3d4520f399a717c4c1faad43b3b9d6a3e73635350d6c89b1a3a10d380472ca2ed7e3b7864672c0e112495531ebec261055ecbefaecda2261242224c290109b4447d9814f018e0c96e675e62de70d7abcb92d8cb5531e6ed0606c06d7feb89afef03d2efce402cecea978b3a8070d765f658096e77779c01de386fcf206f9f2143f67ea53ea5d39eecf912767794ea275b7a2f3fd1e7de45077d64b7f42f34e684f733d201aa6eed3fd663c9dfdc166377acc4a7c1020e4066b3a18dede2e7ce8b6e3b01c5c3d6879acb4d47cac2fc5003c29bcddb99f9f04a770f58f9dcd29c2dd501372eab47f6f7348c2a040b56e9f8345acafbee4635736cebf84292f65ef109de5c3aaac4fd5a2fbde421e3f76e0d6ac6d40267e5807772f76bf82a50ff9c904ecd2dc3c42cc38a765e01da678432c62a082fd3b73b557e2a4072fc4f4d16463ec6a087506ed7685b0a1bd01036b8571a9f44e8cc660d11e571ba982386a7b6aa752bafdbd1731fe5639b4eaefd68a41486b4aadda853bc9db26284489883d358795fc8bbe13b59dce754e23c47bee9be6713b5461e6f65236543d0a2f5da5761447486f11af51715e5f5d974579de614c708535d79f091100a0b53943cad9815093ddfb3e0d78ab580324e534042d90bcb5e3dfa90107c94f3d72481724a586c7f866231484958211521a2401c17318d4f7ea6480b5f060c53cfb16d825be7e7ddbf515cfb9cdb9f729499f1a7834aba6617f69aa0c8f7065cc7c0c0b29a80eb47809094598378492b96ebc9639c0aefa912b3acc4a522267', 1, '2026-11-26 13:36:33.261628+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 13:36:33.261628+00', 'ada', '2026-11-26 13:36:33.261628+00', 'ada', 1, '\xc964f71850aa3a978ec5494182948f7cf2bd7cf9598c18c26d1ddc52e5c2ccbf', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 04:42:39.299356+00', NULL);
INSERT INTO public.credentials VALUES ('01a21812-7800-779b-b170-1bed219f2377', 'azure', 'azure', 'azure', '', '11111111-1111-1111-1111-111111111111', '{"subtype":"Service key","lines":[["Cloud","Azure"],["Tenant","33333333-3333-3333-3333-333333333333"],["Subscription","22222222-2222-2222-2222-222222222222"]],"warnings":[],"policies":[],"values":{"method":"service_key"},"secrets":["service_key"]}', false, NULL, false, 1, '\x010d01ee2a90006fadd18990bfeb64ed5262c5db15b0988e1049756e93fe97038fccde95313cf7ca507a09bd400e3e98464fa6baede6b85ce2bcb330fd', '\x01d10ddc365efc2305a5a912ab966f4ce738791a79584804057ce528ecb806483cbf7ff08bc0299498b09bb3a9bcd250a04f012897da9937c8c6f13c424920d371013c8ad9fdde431d716ebbe47657c671dd86b94d211846cee99c450567706296c5d5e9fb31cd4a65c990453a3d2fda6879a3a3da1ffb5d5f48e4518fa0f786c6dc6a1d0fc46939563ae59c97fd3379e4792ae22ebcacd95228cc24d1a745c249c2c5ba92573c015cc0c2c5b6913ae461bfb9ce77f7c943ff94fa357b3313192619d589f53f23f01a59ce07d1feb4ead35ba69dc69adb3f80855aea4ddb7e91f126144475f672e55129d6109330f049c02b0d27cda700fe1c168a79a1fd99d170a63bc9d7248d07d6c76de90d3b516b72e63b51e6f9136aa32efdf2af536a577198f3fea94cbeac52fc437bed9c176aa9a2c7cc5b7fcbbac95974ba70a725509877b899bafaac0b199c6f7fbc503d895e3d2a4fb7ecc7f62bd2dc92aa', 1, '2026-11-26 13:36:33.280271+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 13:36:33.280271+00', 'ada', '2026-11-26 13:36:33.280271+00', 'ada', 1, '\xe29cbe5d2aa774650c5be9fb9cfb53e69c186c2f8665697e0fa4db98186d2057', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 06:02:06.577195+00', NULL);
INSERT INTO public.credentials VALUES ('01a21812-7842-7750-ab75-f43c11c4dc3e', 'kubeconfig', 'cluster', 'cluster', '', '127.0.0.1:6443', '{"subtype":null,"lines":[["Server","https://127.0.0.1:6443"],["Context","x"],["Namespace","default"],["Login","Token"]],"warnings":[],"policies":[],"values":{},"secrets":["kubeconfig"]}', false, NULL, false, 1, '\x01908239a682ed2452c7d55ba2a8bfa1380039b7ac3d7a7008c528e02e9297edbd663e6c029be0a5a6cc6f04a6cad4f7bd396f5ac8676ec78426f8430c', '\x011bf60a2da015ba1652b39b17b2a3009b6e68b17b6db72e4586e2bd9f38d9d0847915fbedca4441b7f3912f5cbf4aaab6d90beaf28fc97c57d02ee8f0d51f98e8ed760c838092dc08b8e01d62c0a347498c8afdac107b05b7cc293c8d93151bff9d26ab2cd279c88c08376708327472af70e31e8158a78cd11a6cc209d3b7eb065905b3c874a2a7fd18ca8e6a8ce52cddfb13ddb8bdad0de7dd97dc8743274777cb767e806abf8aacf844071355ace0f8596ef78dd175cb21daeffd5749d161d2ed31b69a98b245544318b95acbee62a537af6131611ec1ae465c5406e90e872c7f9b68214adee0f903913ec77a4cceca048d3034a93ae4be7f231fa669f20ef5ba7db6e13bca3e629902e9e2e9bc49b524dd188860d0e96f6cb3c3848e5aee97f6645cf7cfa7866ce7703ee3ba0884637987c00b55b2730dcea6361bc11751712f7774c276fdac8fbe6000c3fd4347208bca97aeff0406e6d2ac9190e4b1b2ca84e4f2767f88dd13264a59bbf417b47ff66a350c50fe836ca173e793034fd5edb721416af38d406dd3f8ffdceb698a4f2c37a26e2f76e1cb67ffe98a', 1, '2026-11-26 13:36:33.346645+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 13:36:33.346645+00', 'ada', '2026-11-26 13:36:33.346645+00', 'ada', 1, '\xdac018233a966ae646af91507ff1856a4d96ec41586940a837f6c992eaf08ade', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 03:21:49.973791+00', NULL);
INSERT INTO public.credentials VALUES ('01a21812-7611-7397-9d8b-d3f9e5e55326', 'api_token', 'token', 'token', '', '', '{"subtype":null,"lines":[],"warnings":[],"policies":[],"values":{},"secrets":["token"]}', false, NULL, false, 1, '\x016569b6eca5daab6631ada237cef7aa0f9b309abfef759281830e866fe837b34d25865d737031905ad06e5def30087d497cc16ea1620f0012459b3dba', '\x018980acca8c25da1af3a195d26825170538c7adb9d1deeb4d3b2af946d54cf23f31057d4110e7c7223e442001efd6f971285934774f8673394bd768f23ce26fba660b4a7845476e335fb0e8d7c7a6d2fb04c5b7b794da1c5aa0271949', 1, '2026-11-26 13:36:32.784989+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 13:36:32.784989+00', 'ada', '2026-11-26 13:36:32.784989+00', 'ada', 1, '\x239cc0b25fab30780812f974e39f4fe5860ed3b5fb077522b77152b34558f335', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 13:06:01.97522+00', 30);
INSERT INTO public.credentials VALUES ('01a21812-762c-74cd-a1eb-7cb0f1309b5c', 'webhook', 'hook', 'hook', '', '127.0.0.1:9', '{"subtype":null,"lines":[["Signed messages","No"]],"warnings":[],"policies":[],"values":{},"secrets":["url"]}', false, NULL, false, 1, '\x013766dcac87babd18215f5d80b46035c2ba6f6a9fa20d22eb1ac99ee81217f6b1c6d6a6f6c87e9df32658dfad6321b5e83a81deb871783e35ac75b7a6', '\x0116f4a0a4e2ac30bb59af29855034017608eda4ce7613ff3163f38f468815471b5f2c7c77117861f5d070e325c138ed2e81e96e2f4ef304dd0f325d17867f8498f4ae0315e329a2fd8b2d8a3bbb9ef64bc29cff4ed8267f8f4fa8446c', 1, '2026-11-26 13:36:32.812363+00', 1, '2026-11-26 13:37:15.733285+00', NULL, '2026-11-26 13:36:32.812363+00', 'ada', '2026-11-26 13:36:32.812363+00', 'ada', 1, '\x00fa149c7216b26926372fdc2ccde154e61098c5261cd213d2660b7901abf1fa', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 02:58:03.496362+00', NULL);
INSERT INTO public.credentials VALUES ('01a21812-7898-7420-bed7-ea2cacdb00d6', 'oci', 'oracle', 'oracle', '', 'ocid1.user.oc1..aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '{"subtype":null,"lines":[["Tenancy","ocid1.tenancy.oc1..bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"],["Fingerprint","cc:33:67:57:15:08:35:b8:a3:a9:df:e2:57:aa:7a:9f"]],"warnings":[],"policies":[],"values":{"fingerprint":"cc:33:67:57:15:08:35:b8:a3:a9:df:e2:57:aa:7a:9f","tenancy_ocid":"ocid1.tenancy.oc1..bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","user_ocid":"ocid1.user.oc1..aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"secrets":["private_key"]}', false, NULL, false, 1, '\x0164032c5548b94132f6aa6ba7a198d02874ec262450f2d98f8a92123e545edb392b0f101a886985f9d2a2555df0a15bb62b00aa166124940c1b212da7', '\x01351c3fad5ce12358750ee774e76b0f24c525c7efa99dde1fff24d74a6ca8a5b9c7bf859468be5bdc4fe332aa4ce62e37beed97b1741ca9a3e07cd97ffe61fcd7089ef001aaed73aca9d777fecac6eed5b431808be5ceb7bcdc08f3650f74748685b97cc62d78752541fee5d8cec7c2923a39ef7654162d383a565eb6a9aa8bda080c5f153d803335934faff61c201410605285ead108e8962d2b1bdafe122746f17e9806ce11943303ab4cb46464af52537a2111e2632fddb284065351854c10f9663274faba4261a102dd993694d4868f96317f00b014905e8c04b6de95712c206f7b6a91be70d3dda2d47c9dce42c9599d7df802bd4fc7acf1007b5d270a612b9ef86cea600280e1357a37a808fe281c2200a87b7c07b3d6f1cb981870573c141769b2b351a83c8c63200bddaed08a3aa6266b747dbb608c4a9de35f2112f8b302957b8dbf0b17f8c80f25d3b08c26b50a79f1e6edb1d5b8b901617b425bea4019c79ce8f0d4dc1c164720d84ff6612b4f7a9492ac6298ad2456a34e470102ead17f94f7b48c7aa2b6b66bc29adf2e8f5bd9f77bfe7fb32fb4a12b68125f524b1bb3b457d5a9708d4304d6f03a0744a99717660c3fc8246325c96cf7e3d7f24b234dd0a2a2112c0bc9c17880f2a02861e428fe9d3e6b0b35356030e8d91e9ecc7e7f740cce2c52ed009124fc66d11f44eb6353070cde91c53e55358551ddb520cbcace3ffa2c0ae546b1a6cec892fa5fa354f4ecb44204048041faf2e8beaa37d7b192c7f918fcbc4b32d661f56293675e9e4c5b7aa2556cf9b5cc6dc5055aed3641025709287c9a21a99132523b5e115f8263feff0ad18315e05dd20709dd3a94e5bc05d00a218e6004391240312b11a088d394f2df6d59a0d46da73fcad7d64cbc764187532804bab16e6866822849ee7f21706e378e541f95534d67db56e55c10a93405c308ca7c8490d356015077cc17b200bcdd3c3184fd0b0c0b00dc31b1db1b9eec943398924c7ddec4dc29a101009636b0846d6b2be8be348b342cf8b4277e0cd0c836a0637193ec6e974ae42cc5cff0ad12ff2c6ac403cc3c414ccbab0f1e46cc4244ab1283423f49e98898a74eed0fdc9b54eb862bc6d4265af7ec00da4d26ced598913f685f4463ef39865b36370d231ec354798dad25a74d02ca5cf0ac5c439f3b48ac864dd8997dddd802b03efef47b64beb9100f8315c8d02669e7cc61a335d33cd256f6910f567ab29fcc7eff3f7582655cadb564008a1aa6d1aadb28a58e4f07401868caaca64c796f004680453812bd566d7095a4a7d8514e3cf5dbf0c6c25943ae9032fadfd2fb9b303a6a9b57c50850c7ae39fc4bc8f3ccfaa49f0fbdce6a0f4a8e438b621a8d4c016e8a6c46bb8c979aab50bb99f6d59881293f422105f56f25197f2af773e27e2d271724720b34876e733f7b85586be60fc068fd4e88249a74a96411e3d57c6b73e013ac3e9a8c40f632de93ec3a798f3ba72f4b6e3d106a7a64c3d76e6cf9bc8ba3e313ae0906ab1b843bceb329e41d60fb4061d5b17a95a1ab08b88c7e4eaba7dfe51419fba765d7c8a22aa84ca8e5e4c09dd78d6a079dd177154aeff09c41d58c8faa2fa7a7a2149318fb889826042fcb52a47ebcd1fb205164a73cd7fe1ef588054bd2ef5abcbbdcf5a957687a1c0090e6997f1debadd8726f9114322bb12eed431e30b1423cca18e3a661ce0c9c47244ca79f184c580fbde62a0e5d1273957ef20343bffb08ddfd8b0dc2ba8ff5ed19fbfa97cff2e07e9c4d3b1459b16a84938b00df443c389d15cb82962c8bf97c2fcd5bdbefcb7e593a741910ed2cdc127bc24637e8a63c22713995fe61c77c8f3a8a837b057ed3c05c575e618d69fd157cc238a379f1b5f4e2998889fcc651f9c0e73c99b0fcc00d189f9269facc6ff53a6f08c93d2ee7d7a4b9ccb2999786cc95c9805ef38a3d002051e3bb365cea5b599d9465961bc7e51a427f404f38e09c47e209e9f89fc467813205b535baa21059702c5b40b4dba686d2482aa841831bc822e900c641ee9feec67ea8effa9921c81a070c39f76cb8ee515d02153299529d3997486fa48bb89969bbcce19532ed4e1a56d04d6c6497527b6462b10fe4a1b321fb79c8944bd7f543d3ec8665b7b0c4a38b961b9e51c1c5d4bddb0e944912206e9e308e05099df0c91598c4939495c22f16b55ad8ecd71a91635db35a1c936f6fb6694263448e9abb53eeb51f7ec8e744b373a2e53e62b3c937749e977b52fcd2f7edaa078b6c4eabbc0f16ccecdeff2de697299f009d70ed9157dec7726ff495cbb08ae3cb2f20135995b11e7c4f089f585c10de93bcbb1ec7c03e9ce2d12e38980d9b190134fff03c967583dd6d96e95becb211d803db5c553499c9eb846c56091bbc8d83d1e24695294b7d9f1c82116a7a82e3b77bdef2ac555586b092bac3056d92176a6f9200b494254fb810391460744d4c1304fd68807c391800316e2ec75e0167fbc898f5b809c8da70530679dbab94dc90ad6d4ef186926f59188747828c0fa6dfbc52e9357082294c24bdd80e2acf632a107abd75c34263abd6b20de837714b1f9a35c8331a0565a2ebfd60a9468c3f8844a388ca87dde366a3ae7a460620fba1317bcbf3012c5cc7d21724fe4e0fca7acadcba826c07b1d36e47209e142329dca2ccc738b810a1a05dc7573eb139aa52eb2412bfcdbded1d0bd33e0aa3f08a9bfd58a62e594c6924d03e8c125a009e1d3b7b9e1f288967a5308948aae0ae0dfed560f41507e9fab852c9e27397715ff50471c4ac719a905bf96c3ed09ccbbf415bca737d73af3eb653e3029e5ba59fa6a9f39fdc3220013805e8d7feff7df2aab9e6198b24c894cb734ad9c5ae004007b2af012ea9056783a4c23d52505b11d95132ec560430c8fe66a7e14dbd796250b682', 1, '2026-11-26 13:36:33.432502+00', 0, '1970-01-01 00:00:00+00', NULL, '2026-11-26 13:36:33.432502+00', 'ada', '2026-11-26 13:36:33.432502+00', 'ada', 1, '\x30c77f5cb7e117400cd6ae487e602645c0c1a5e51665896c053ef686edf6e094', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 06:57:45.629262+00', NULL);
INSERT INTO public.credentials VALUES ('01a21812-7576-76e7-886a-163b985623f1', 'basic', 'robot', 'robot', 'edited', 'robot', '{"subtype":null,"lines":[],"warnings":[],"policies":[],"values":{"username":"robot"},"secrets":["password"]}', false, NULL, false, 1, '\x01ef9dcee1e92096642007b38eea2d6830ff6454326fb57166c8684a2b71724043762eb86cc2480acafcf13ecf9a7b5154acf2b17120558f9447643596', '\x0164bbf1e4d2a8f073c86e65c57114536a44073c91c369b11cb5becc99b9f17a14b183ee44560adf0f5090e021235d51cc0e46987ecf99a9a867932d72e25aabd03dc7b664d6e490a5e64dd4cb2644c1d0cde1c0e29e682f4c64d0cc62', 2, '2026-11-26 13:36:34.05591+00', 1, '2026-11-26 13:36:40.044618+00', NULL, '2026-11-26 13:36:32.624966+00', 'ada', '2026-11-26 13:36:34.05591+00', 'ada', 2, '\xe6443bbcb29053422593a520fb8a935220c57dcb386cc049a4c927946d1a2166', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 17:31:37.681074+00', NULL);
INSERT INTO public.credentials VALUES ('01a21812-7962-77f9-a7d2-a46049db4d9e', 'basic', 'altered', 'altered', '', 'robot', '{"subtype":null,"lines":[],"warnings":[],"policies":[],"values":{"username":"robot"},"secrets":["password"]}', false, NULL, false, 1, '\x01b150b7b831b1f1cf6fff08b63931377ce95ba8e5227dbd16cdfc4013e13df58053e8c002376e547352472a4f9962f4dbcb7270e2b810b1adcd6ebf92', '\x01bd4b38ffd673e6230a11a64cbb69564a34c598080159bbfcbe3944c72a502870771b8673a46dd964536dd59ebb2801f1f1d93b5fbee77d744765c32fff131ece2169dd2b625e2a1acdc0607de09bad71c5c2a5fb182d17ad523a1393', 1, '2026-11-26 13:36:33.633883+00', 1, '2026-11-26 13:36:58.179576+00', '2026-11-26 13:37:31.253396+00', '2026-11-26 13:36:33.633883+00', 'ada', '2026-11-26 13:36:33.633883+00', 'ada', 1, '\x5256fae773c51829dace7ea52f494c585dffcb2fc71302e8b40d6c7783a21e00', DEFAULT, NULL, NULL, NULL, NULL, false, '2026-11-27 11:13:33.979944+00', NULL);


--
-- Data for Name: deliveries; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.deliveries VALUES ('57723289-848a-433b-9719-4d3843375ee5', 'digest', '01a21812-7c2d-74ec-9002-5ed2bb047028', NULL, '01a21812-a5e8-717d-9166-a39468f35d11', 0, 0, 'ready', '2026-11-26 13:36:44.987993+00', '2026-11-26 13:37:18.278177+00', 1, 0, '2026-11-26 13:37:15.261033+00', '80512c62-8a33-4a83-81b1-d6506b4dc358', NULL, '127.0.0.1:9 could not be reached. Check the address, and that the service is up.', NULL);
INSERT INTO public.deliveries VALUES ('4d8b6371-be48-408b-89fd-d00f6bf038ac', 'digest', '01a21812-7c2d-74ec-9002-5ed2bb047028', NULL, '01a21812-8d36-77cb-a0a6-7e82c8efd820', 0, 0, 'ready', '2026-11-26 13:36:38.691121+00', '2026-11-26 13:38:00.967063+00', 3, 1, '2026-11-26 13:37:35.733285+00', '6f5c9d0e-bec6-4d78-a14b-da1d756b7252', NULL, '127.0.0.1:9 could not be reached. Check the address, and that the service is up.', NULL);
INSERT INTO public.deliveries VALUES ('01a21812-7cf3-72b2-86b0-a57fcfeadc77', 'confirmation', '01a21812-7c50-737d-9016-0775f685ab4f', '01a21812-7cf1-71e2-ad92-8ad4b6f75bf7', NULL, 0, 0, 'ready', '2026-11-26 13:36:34.540605+00', '2026-11-26 13:38:03.041941+00', 4, 1, '2026-11-26 13:37:37.99592+00', '6f5c9d0e-bec6-4d78-a14b-da1d756b7252', NULL, '127.0.0.1:1 could not be reached. Check the address, and that the service is up.', NULL);


--
-- Data for Name: delivery_lines; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.delivery_lines VALUES ('4d8b6371-be48-408b-89fd-d00f6bf038ac', 0, 'cddba5d1-1ba0-440e-9ef4-dd17e4ffb2f8');
INSERT INTO public.delivery_lines VALUES ('57723289-848a-433b-9719-4d3843375ee5', 0, 'c61b040c-bfbc-4869-953e-49b0ad6fb466');


--
-- Data for Name: deployment; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.deployment VALUES (true, 'b03966e5-afae-44d3-a26f-df970ea750ec', '\xbb7a7798dd345cea6388125ec65ca64a084a64f615f510732000280931c1a2c0', '2026-11-26 13:36:31.152298+00');


--
-- Data for Name: events; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.events VALUES (0, 1, '2026-11-26 13:36:31.160355+00', 'Strongroom', 'credential.created', 'credential', '01a21812-6fb8-733d-ae74-758219fbafa1', 'IAM Role', 'type aws', '', '\xf7bb444e84976720dca8ee367f2e5ccf2a0d722ebdd9632b6d2346ae8438624d', 1);
INSERT INTO public.events VALUES (1, 1, '2026-11-26 13:36:32.033075+00', 'ada', 'user.created', 'user', '01a21812-7321-71ce-9b1a-0b1eab2467b7', 'ada', 'as administrator', '127.0.0.1', '\xd1a8d3bc79b7d26fbe343babb49ceef17aa518bd148c4dd6b83f8d021a74aed3', 1);
INSERT INTO public.events VALUES (2, 1, '2026-11-26 13:36:32.392013+00', 'ada', 'login.succeeded', 'user', '01a21812-7321-71ce-9b1a-0b1eab2467b7', 'ada', '', '127.0.0.1', '\xe894bc1d09118695b6aeafec7849d10acb493a50b3032b8f6b177e061afec782', NULL);
INSERT INTO public.events VALUES (3, 1, '2026-11-26 13:36:32.624966+00', 'ada', 'credential.created', 'credential', '01a21812-7576-76e7-886a-163b985623f1', 'robot', 'type basic', '127.0.0.1', '\x2ee6adea8296b9a6856776a2a570564785c0cc0bf1b9270ebde30b7a8db95713', 1);
INSERT INTO public.events VALUES (4, 1, '2026-11-26 13:36:32.774787+00', 'ada', 'credential.created', 'credential', '01a21812-7606-74b8-9f86-850ae7a9cc24', 'prod ci', 'type aws', '127.0.0.1', '\x8fcac657d99f84d5b32ef21e2f3e977175abb403ceed632d764dd3bcdaf3ac99', 1);
INSERT INTO public.events VALUES (5, 1, '2026-11-26 13:36:32.784989+00', 'ada', 'credential.created', 'credential', '01a21812-7611-7397-9d8b-d3f9e5e55326', 'token', 'type api_token', '127.0.0.1', '\x8bfd594cc7326a7f990128e5633062a42447307fffbe8699582ed519311b09fd', 1);
INSERT INTO public.events VALUES (6, 1, '2026-11-26 13:36:32.812363+00', 'ada', 'credential.created', 'credential', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 'hook', 'type webhook', '127.0.0.1', '\xe9087c419ec2d3db98aeb3d0efcd22a13af6024b8741907d538c28beb6ab5340', 1);
INSERT INTO public.events VALUES (7, 1, '2026-11-26 13:36:32.824907+00', 'ada', 'credential.created', 'credential', '01a21812-763a-7352-b4ef-84ee1478db37', 'ibm', 'type ibm_cloud', '127.0.0.1', '\xd76ac386b7a019b4cd48aaa7cd533f83dac95693e7f01cca141d017786f131d7', 1);
INSERT INTO public.events VALUES (8, 1, '2026-11-26 13:36:32.858078+00', 'ada', 'credential.created', 'credential', '01a21812-765a-7443-96e1-b4f63f5fa4fa', 'forge', 'type github_token', '127.0.0.1', '\xdd86103b4183122ce5a8826929642b054cff7cae73d97e5c29eae037e4acb00f', 1);
INSERT INTO public.events VALUES (9, 1, '2026-11-26 13:36:32.869242+00', 'ada', 'credential.created', 'credential', '01a21812-7665-763e-87a6-3fc6ef08ec10', 'lab', 'type gitlab_token', '127.0.0.1', '\x2bec81d3359e0ac0bc1c4896287d5bc44920898079a50cf27c4b7b24bc298d55', 1);
INSERT INTO public.events VALUES (10, 1, '2026-11-26 13:36:33.248313+00', 'ada', 'credential.created', 'credential', '01a21812-77e0-70ed-9fb8-2f9995ac4e1d', 'pair', 'type certificate', '127.0.0.1', '\x7efccb2901db81d1bc916fb277958a7d68608f415dd5bfde7c8690dc4e8646d3', 1);
INSERT INTO public.events VALUES (11, 1, '2026-11-26 13:36:33.261628+00', 'ada', 'credential.created', 'credential', '01a21812-77ed-738f-9d54-e6dc9684a7d4', 'google', 'type gcp', '127.0.0.1', '\xb6fe5b7ff03f4b46568308eec11d7e6e3f51e2b4967a0fd1259e04d1b52619e6', 1);
INSERT INTO public.events VALUES (12, 1, '2026-11-26 13:36:33.280271+00', 'ada', 'credential.created', 'credential', '01a21812-7800-779b-b170-1bed219f2377', 'azure', 'type azure', '127.0.0.1', '\x13c6dda4c20fc55639e2a9373f5a48f14a7c90f1096bfcf3bb0bd6a4dd432806', 1);
INSERT INTO public.events VALUES (13, 1, '2026-11-26 13:36:33.346645+00', 'ada', 'credential.created', 'credential', '01a21812-7842-7750-ab75-f43c11c4dc3e', 'cluster', 'type kubeconfig', '127.0.0.1', '\x4677c23413e1507263df2042b764dfe479b15708383d3cc960f96636151722eb', 1);
INSERT INTO public.events VALUES (14, 1, '2026-11-26 13:36:33.432502+00', 'ada', 'credential.created', 'credential', '01a21812-7898-7420-bed7-ea2cacdb00d6', 'oracle', 'type oci', '127.0.0.1', '\x2498a2f9a1650b33dfde7682f0eae6027dca90c4f5ae91a113e3e5fe041e848a', 1);
INSERT INTO public.events VALUES (15, 1, '2026-11-26 13:36:33.633883+00', 'ada', 'credential.created', 'credential', '01a21812-7962-77f9-a7d2-a46049db4d9e', 'altered', 'type basic', '127.0.0.1', '\x556d99f12598ad545dec7c47f8b3de7019e9e8cbb8a6e6acf96bcd076320af69', 1);
INSERT INTO public.events VALUES (0, 2, '2026-11-26 13:36:33.98369+00', 'ada', 'credential.opened', 'credential', '01a21812-7576-76e7-886a-163b985623f1', 'robot', 'edit', '127.0.0.1', '\x5709327c895cd036c8563c7e1fcfa613fb8c8b22ce940db6040ebb03e79ead35', NULL);
INSERT INTO public.events VALUES (1, 2, '2026-11-26 13:36:34.05591+00', 'ada', 'credential.edited', 'credential', '01a21812-7576-76e7-886a-163b985623f1', 'robot', 'description, secret replaced', '127.0.0.1', '\xed51df8f2ba3b2846a52a84624fdafe5adadf6870dcbda6f62f683f653059d45', 2);
INSERT INTO public.events VALUES (2, 2, '2026-11-26 13:36:34.217472+00', 'ada', 'credential.limit_changed', 'credential', '01a21812-7611-7397-9d8b-d3f9e5e55326', 'token', 'after 30 days instead of as its type says', '127.0.0.1', '\x1181072e58181d4519f4ba43948fbcc36f673784852f8addfffca8f58511888b', NULL);
INSERT INTO public.events VALUES (3, 2, '2026-11-26 13:36:34.285013+00', 'ada', 'alerts.settings_changed', 'settings', NULL, 'alerts', 'AWS access keys after 60 days; by type {"aws":30,"azure":45}', '127.0.0.1', '\xec415516924d3444bc66a483298421005a0cda8b57dad860416f28b5a65c368a', NULL);
INSERT INTO public.events VALUES (4, 2, '2026-11-26 13:36:34.3125+00', 'ada', 'integration.created', 'integration', '01a21812-7c08-76d2-aef6-e5cc0c0b062b', 'mirror', 'http://127.0.0.1:1 with robot', '127.0.0.1', '\xd7e053763de89205e451f8da404e8aad67661596f48ee09cfccb4b4c753a5dd3', 1);
INSERT INTO public.events VALUES (5, 2, '2026-11-26 13:36:34.31479+00', 'ada', 'integration.destination_allowed', 'integration', '01a21812-7c08-76d2-aef6-e5cc0c0b062b', 'mirror', 'robot to http://127.0.0.1:1', '127.0.0.1', '\xa1a68fd2413a5a7b5948ea08b402de8342676acbb6440954af3d509676d732c8', NULL);
INSERT INTO public.events VALUES (6, 2, '2026-11-26 13:36:34.333586+00', 'ada', 'integration.created', 'integration', '01a21812-7c1d-77f3-87b8-08cfe890a31c', 'of altered', 'http://127.0.0.1:1 with altered', '127.0.0.1', '\x30e5042f7d83d0b22822bbaf7f49baedd4b80d09c116b2cfbd2d754e3980c9d5', 1);
INSERT INTO public.events VALUES (7, 2, '2026-11-26 13:36:34.335277+00', 'ada', 'integration.destination_allowed', 'integration', '01a21812-7c1d-77f3-87b8-08cfe890a31c', 'of altered', 'altered to http://127.0.0.1:1', '127.0.0.1', '\xd3711b7d896a93a127c9f6ee8534e20ac1ba5e75311d779ee4f66657618b2747', NULL);
INSERT INTO public.events VALUES (8, 2, '2026-11-26 13:36:34.349013+00', 'ada', 'integration.created', 'integration', '01a21812-7c2d-74ec-9002-5ed2bb047028', 'chat', 'the address in the credential with hook', '127.0.0.1', '\x0b57707a4004f97e7c69406dd1117272432f0e322c50dcd850a1bdda2dd6ae8a', 1);
INSERT INTO public.events VALUES (9, 2, '2026-11-26 13:36:34.383948+00', 'ada', 'integration.created', 'integration', '01a21812-7c50-737d-9016-0775f685ab4f', 'mail', 'smtp-clear://127.0.0.1:1 without a credential', '127.0.0.1', '\x5b4d043862ffac14d4deb54fdf5b86e50cefc0d5cf718faa263ced119b111275', 1);
INSERT INTO public.events VALUES (10, 2, '2026-11-26 13:36:34.416506+00', 'ada', 'credential.opened', 'credential', '01a21812-7576-76e7-886a-163b985623f1', 'robot', 'for mirror to http://127.0.0.1:1', '', '\x172657b6a66cf4eed87747107d9e87ae7d7b10fc80159053a4ecb9aa51daec7f', NULL);
INSERT INTO public.events VALUES (11, 2, '2026-11-26 13:36:34.527726+00', 'ada', 'credential.opened', 'credential', '01a21812-7962-77f9-a7d2-a46049db4d9e', 'altered', 'for of altered to http://127.0.0.1:1', '', '\xe4a1c674eb61956c5fb360cf3a5a2f7a86c82e560e44f1f8d145f3db9b243714', NULL);
INSERT INTO public.events VALUES (12, 2, '2026-11-26 13:36:34.543046+00', 'ada', 'recipient.added', 'recipient', '01a21812-7cf1-71e2-ad92-8ad4b6f75bf7', 'ops@example.com', 'stale', '127.0.0.1', '\x3445887afc52393e2692c8c62d85defb5e13c3431ec84baf11f4506f409b32a1', 1);
INSERT INTO public.events VALUES (14, 2, '2026-11-26 13:36:34.572028+00', 'ada', 'scan.failed', 'integration', '01a21812-7c1d-77f3-87b8-08cfe890a31c', 'of altered', 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '', '\xc04b2cc4e9176bb132a05ce07bae30a985c9bbbcb964bbab51839603644e50ea', NULL);
INSERT INTO public.events VALUES (13, 2, '2026-11-26 13:36:34.571304+00', 'ada', 'scan.failed', 'integration', '01a21812-7c08-76d2-aef6-e5cc0c0b062b', 'mirror', 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '', '\x1d78e577c5d1a0a8e6d181cf01a38a5abe8b3907af9747b3d968df08703f33c8', NULL);
INSERT INTO public.events VALUES (15, 2, '2026-11-26 13:36:37.919322+00', 'ada', 'credential.opened', 'credential', '01a21812-7576-76e7-886a-163b985623f1', 'robot', 'for mirror to http://127.0.0.1:1', '', '\xd8d0574b179a75cfcc73e2514874b23e7c7f2cca62cc8b6571b567d5f8f90449', NULL);
INSERT INTO public.events VALUES (0, 3, '2026-11-26 13:36:37.936648+00', 'ada', 'scan.failed', 'integration', '01a21812-7c08-76d2-aef6-e5cc0c0b062b', 'mirror', 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '', '\x6ed1f5131fe2466b46bea2d9d6c50d0e1e1f896f3e6cd4f8d71d65740cb2d2be', NULL);
INSERT INTO public.events VALUES (1, 3, '2026-11-26 13:36:38.948621+00', 'Strongroom', 'credential.opened', 'credential', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 'hook', 'for 1 message through chat', '', '\x90d73628e0c14b6fc8babae0ad1da3bbee9c03dd69ac84d743b8b8f8a72f50e4', NULL);
INSERT INTO public.events VALUES (2, 3, '2026-11-26 13:36:39.968259+00', 'ada', 'credential.opened', 'credential', '01a21812-7576-76e7-886a-163b985623f1', 'robot', 'for mirror to http://127.0.0.1:1', '', '\xeb670d34b302f5b5a90ab09db7c78ed2b803dc25329ba045156a789484caf13d', NULL);
INSERT INTO public.events VALUES (3, 3, '2026-11-26 13:36:40.044957+00', 'ada', 'scan.failed', 'integration', '01a21812-7c08-76d2-aef6-e5cc0c0b062b', 'mirror', 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '', '\x625165f83bf08180ecf5a4ddd0144ff46f9ddba9e97f987d4cfedc062eb4a72c', NULL);
INSERT INTO public.events VALUES (4, 3, '2026-11-26 13:36:42.108624+00', 'ada', 'user.created', 'user', '01a21812-9a7d-758c-8f86-b54ec26a33b8', 'otto', 'as auditor', '127.0.0.1', '\xd7ff3715d570bf23756122062102d247c5b51b5d3b287a9823e335daec5ab2a2', 1);
INSERT INTO public.events VALUES (5, 3, '2026-11-26 13:36:42.519905+00', 'ada', 'user.created', 'user', '01a21812-9c18-77ba-b142-e06fcf3aebea', 'olga', 'as operator', '127.0.0.1', '\x0b6c4fa2096938ac4fb6180a7d5075fb548c0f03eca7497e3ba0075b8a17b504', 1);
INSERT INTO public.events VALUES (6, 3, '2026-11-26 13:36:42.580267+00', 'ada', 'user.two_step_on', 'user', '01a21812-7321-71ce-9b1a-0b1eab2467b7', 'ada', '', '127.0.0.1', '\x84111271fa3d29f22d10dfdf06abed36726818d7d8ebd04c5667fa6d424be128', 2);
INSERT INTO public.events VALUES (7, 3, '2026-11-26 13:36:42.854888+00', 'ada', 'user.recovery_code_used', 'user', '01a21812-7321-71ce-9b1a-0b1eab2467b7', 'ada', '9 left', '127.0.0.1', '\x75109313e551837e27360192207c17be996abade27124b34d24653d9bd26b118', NULL);
INSERT INTO public.events VALUES (8, 3, '2026-11-26 13:36:42.857894+00', 'ada', 'login.succeeded', 'user', '01a21812-7321-71ce-9b1a-0b1eab2467b7', 'ada', '', '127.0.0.1', '\x10cf68ccafa3ee9cbd945503d09f8c53f6fa8f20710aff9c70c4826555b2549d', NULL);
INSERT INTO public.events VALUES (9, 3, '2026-11-26 13:36:43.185056+00', 'ada', 'credential.opened', 'credential', '01a21812-7962-77f9-a7d2-a46049db4d9e', 'altered', 'for of altered to http://127.0.0.1:1', '', '\x9913e3e7c7810e2f15c5de7763fe190b5235bf14e2d5f6b28ef16932f0d3573b', NULL);
INSERT INTO public.events VALUES (10, 3, '2026-11-26 13:36:43.199965+00', 'ada', 'scan.failed', 'integration', '01a21812-7c1d-77f3-87b8-08cfe890a31c', 'of altered', 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '', '\x5a573d93f96e5ef17bf3c5fa9abe75511b6244dac046c0b394e066006ab05e25', NULL);
INSERT INTO public.events VALUES (11, 3, '2026-11-26 13:36:45.081428+00', 'Strongroom', 'credential.opened', 'credential', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 'hook', 'for 2 messages through chat', '', '\xdb821af2a6af319c0200a1df95799ad961049a0a19334a409d5f53828fe83a21', NULL);
INSERT INTO public.events VALUES (12, 3, '2026-11-26 13:36:55.26439+00', 'Strongroom', 'credential.opened', 'credential', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 'hook', 'for 1 message through chat', '', '\xc799ad11011eea4941a6f1659614ae74c2658ba457014c9aa89e884a4e1ab7b0', NULL);
INSERT INTO public.events VALUES (14, 3, '2026-11-26 13:36:58.116388+00', 'ada', 'user.recovery_code_used', 'user', '01a21812-7321-71ce-9b1a-0b1eab2467b7', 'ada', '8 left', '127.0.0.1', '\xf1a50a62499108bbf4f9e9ff92bfe1cc9bc17cc2a683c6a010178aaa1ede1bd9', NULL);
INSERT INTO public.events VALUES (13, 3, '2026-11-26 13:36:58.128998+00', 'ada', 'login.succeeded', 'user', '01a21812-7321-71ce-9b1a-0b1eab2467b7', 'ada', '', '127.0.0.1', '\x53d7ba1ab8a59b2fdae3369b8a2de3df4c82b3305294011e6856d3385d3c14d2', NULL);
INSERT INTO public.events VALUES (15, 3, '2026-11-26 13:36:58.176924+00', 'ada', 'credential.opened', 'credential', '01a21812-7962-77f9-a7d2-a46049db4d9e', 'altered', 'for of altered to http://127.0.0.1:1', '', '\x970ce7e1bd4049c74d68294f68684f3286285f61fb2c1d4ed51a685560a8f265', NULL);
INSERT INTO public.events VALUES (0, 4, '2026-11-26 13:36:58.180203+00', 'ada', 'scan.failed', 'integration', '01a21812-7c1d-77f3-87b8-08cfe890a31c', 'of altered', 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '', '\xdf3f94c902682db950a48d9b120b7f4b8b9921f24f31ff2ffe34e0bb73bb810a', NULL);
INSERT INTO public.events VALUES (0, 5, '2026-11-26 13:37:15.76199+00', 'Strongroom', 'credential.opened', 'credential', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 'hook', 'for 1 message through chat', '', '\xd511eb6f5b6a53670efd0a1c5b840a8c49693b93b59ededc44f19b12d4bd6cd9', NULL);
INSERT INTO public.events VALUES (0, 6, '2026-11-26 13:37:30.538788+00', 'ada', 'login.succeeded', 'user', '01a21812-7321-71ce-9b1a-0b1eab2467b7', 'ada', '', '127.0.0.1', '\x05604d206d815f0580dc3eb01045a12c3b0188486b539d2b5aeb82ab61353219', NULL);
INSERT INTO public.events VALUES (0, 7, '2026-11-26 13:37:31.253396+00', 'Strongroom', 'credential.integrity_failure', 'credential', '01a21812-7962-77f9-a7d2-a46049db4d9e', 'altered', 'use refused', '', '\x440b5f4f59163aa9ebe6a0ed88b1c7d82cd54338602925240c70d0198f545919', NULL);
INSERT INTO public.events VALUES (0, 8, '2026-11-26 13:37:31.279306+00', 'ada', 'scan.failed', 'integration', '01a21812-7c1d-77f3-87b8-08cfe890a31c', 'of altered', 'Opening the credential failed: what is stored is not what Strongroom saved (integrity error), so nothing was sent. The credential''s page says what to do.', '', '\xda83b18193be42cc9f5228e86f7455bbd33754bb4a2b710a5f8abfa91ecaefcd', NULL);


--
-- Data for Name: image_changes; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: images; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: integrations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.integrations VALUES ('01a21812-7c08-76d2-aef6-e5cc0c0b062b', 'registry_scan', 'docker_v2', 'mirror', 'mirror', '01a21812-7576-76e7-886a-163b985623f1', 'http://127.0.0.1:1', '{"registry":"http://127.0.0.1:1"}', true, 24, '2026-11-27 13:36:34.3125+00', '2026-11-26 13:36:34.3125+00', 'ada', '2026-11-26 13:36:34.3125+00', 'ada', 1, '\x408b974aa499cdea630a428d6df8033cbb5b862cf53df0e6de5c581f4f227175');
INSERT INTO public.integrations VALUES ('01a21812-7c1d-77f3-87b8-08cfe890a31c', 'registry_scan', 'docker_v2', 'of altered', 'of altered', '01a21812-7962-77f9-a7d2-a46049db4d9e', 'http://127.0.0.1:1', '{"registry":"http://127.0.0.1:1"}', true, NULL, NULL, '2026-11-26 13:36:34.333586+00', 'ada', '2026-11-26 13:36:34.333586+00', 'ada', 1, '\x4783d94df1d2e08a29c3f1380cac929dd5b08363b442bfb8b30eb4ff3f67c556');
INSERT INTO public.integrations VALUES ('01a21812-7c2d-74ec-9002-5ed2bb047028', 'alert_profile', 'webhook_channel', 'chat', 'chat', '01a21812-762c-74cd-a1eb-7cb0f1309b5c', 'the address in the credential', '{"on_failed_scan":"on","on_stale":"on"}', true, NULL, NULL, '2026-11-26 13:36:34.349013+00', 'ada', '2026-11-26 13:36:34.349013+00', 'ada', 1, '\x8d3769857b1ded5c9772a5709bf380b80089f6b911095bc8b6c3a1c3bf8725ac');
INSERT INTO public.integrations VALUES ('01a21812-7c50-737d-9016-0775f685ab4f', 'alert_profile', 'email', 'mail', 'mail', NULL, 'smtp-clear://127.0.0.1:1', '{"from":"a@example.com","from_name":"Strongroom","host":"127.0.0.1","port":"1","tls":"none"}', true, NULL, NULL, '2026-11-26 13:36:34.383948+00', 'ada', '2026-11-26 13:36:34.383948+00', 'ada', 1, '\x78476593a41271c07e49f4bf07fda0973be9f4d8f2d6d82f0fb18a52b4ce283b');


--
-- Data for Name: keks; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.keks VALUES (1, 1, 'active', '\xeaa84b34b7e35cd522d830017434b7d9', '2026-11-26 13:36:31.152298+00', '2026-11-26 13:36:31.152298+00', NULL);


--
-- Data for Name: login_failures; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: notices; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.notices VALUES ('cddba5d1-1ba0-440e-9ef4-dd17e4ffb2f8', 'bc43f0e4-adea-4e5c-ab1c-c099ecfb814c', 1, 'raised', 0, 0, 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '2026-11-26 13:36:37.936107+00', '01a21812-8d36-77cb-a0a6-7e82c8efd820');
INSERT INTO public.notices VALUES ('c61b040c-bfbc-4869-953e-49b0ad6fb466', '5410e342-0f2f-4c8c-a65d-60995bfea66b', 1, 'raised', 0, 0, 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '2026-11-26 13:36:43.198711+00', '01a21812-a5e8-717d-9166-a39468f35d11');
INSERT INTO public.notices VALUES ('7fd22363-206f-4efa-b09a-481886131767', '5c458dd8-3097-4a9c-a269-83334f6d892a', 1, 'raised', 0, 0, '', '2026-11-26 13:37:31.247338+00', '01a21813-6059-75af-a15b-114aaf2ed811');


--
-- Data for Name: provider_facts; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: recipients; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.recipients VALUES ('01a21812-7cf1-71e2-ad92-8ad4b6f75bf7', '01a21812-7c50-737d-9016-0775f685ab4f', 'ops@example.com', 'ops@example.com', 'stale', '2026-11-26 13:36:34.543046+00', 'ada', NULL, NULL, 1, '\xc610e5e34f282c6b91db883f3fd3112756fb4267833d7080f8f9aa54796dfec0');


--
-- Data for Name: recovery_codes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.recovery_codes VALUES ('01a21812-7321-71ce-9b1a-0b1eab2467b7', '\x8d246ba1fc6dbfa30df9081a760d94b1b7e83a08b41baa9a607d8377cdd8a89a', NULL);
INSERT INTO public.recovery_codes VALUES ('01a21812-7321-71ce-9b1a-0b1eab2467b7', '\xd87aefae91d8f4694b72dbdaf99b3e1dc59b0afe70b0a6aa63373b4444c5ab2f', NULL);
INSERT INTO public.recovery_codes VALUES ('01a21812-7321-71ce-9b1a-0b1eab2467b7', '\xe3c9b4b09ff4d3a66021860d610b30bdd5271af9fdba25c1b5aa2739aa0896c1', NULL);
INSERT INTO public.recovery_codes VALUES ('01a21812-7321-71ce-9b1a-0b1eab2467b7', '\x8dc3f23779a039593bdcfdeb72c2b4557c00f6060ac1b979f86dd2c5e407477e', NULL);
INSERT INTO public.recovery_codes VALUES ('01a21812-7321-71ce-9b1a-0b1eab2467b7', '\xcd80bc80d4957b3163eac6fb7a99e9f28a4d503cdd5ae2c75acc6bae61ed73aa', NULL);
INSERT INTO public.recovery_codes VALUES ('01a21812-7321-71ce-9b1a-0b1eab2467b7', '\x2b460c5207dd6b196c07cdad19f16a51c4e004ff0a22c41dd300d0cf0af072c7', NULL);
INSERT INTO public.recovery_codes VALUES ('01a21812-7321-71ce-9b1a-0b1eab2467b7', '\x08c4b0661362cef8ad6376e05c4548dafc9a00d6e3fc568fb461d8b9b45783f5', NULL);
INSERT INTO public.recovery_codes VALUES ('01a21812-7321-71ce-9b1a-0b1eab2467b7', '\xfe1a546f6c828499b79ca83af9cf8de50a016b25f4494914a7ad75fb834d0719', NULL);
INSERT INTO public.recovery_codes VALUES ('01a21812-7321-71ce-9b1a-0b1eab2467b7', '\x2f206b14cda17ecef0f52c211f8c417b44dd4706c23c13375473063f9e3dd71b', '2026-11-26 13:36:42.854028+00');
INSERT INTO public.recovery_codes VALUES ('01a21812-7321-71ce-9b1a-0b1eab2467b7', '\x7b66babf2f14a17dac97f9bcf4656969d8c194b78e9c5293c5056edbf7fa6b07', '2026-11-26 13:36:58.115432+00');


--
-- Data for Name: replicas; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: runs; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.runs VALUES ('01a21812-7c0b-7645-b1cb-aae6f8b8627f', '01a21812-7c08-76d2-aef6-e5cc0c0b062b', 'failed', 'added', 'ada', '2026-11-26 13:36:34.312348+00', '2026-11-26 13:36:34.312348+00', '2026-11-26 13:36:34.339924+00', '2026-11-26 13:36:34.571041+00', '2026-11-26 13:37:04.339924+00', '80512c62-8a33-4a83-81b1-d6506b4dc358', 1, false, '{}', 'Signing in', 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '01a21812-7576-76e7-886a-163b985623f1', 2, 0, 0, 0, 0);
INSERT INTO public.runs VALUES ('01a21812-7c1f-73a0-b8e8-7ebfa3d89726', '01a21812-7c1d-77f3-87b8-08cfe890a31c', 'failed', 'added', 'ada', '2026-11-26 13:36:34.333446+00', '2026-11-26 13:36:34.333446+00', '2026-11-26 13:36:34.358644+00', '2026-11-26 13:36:34.571832+00', '2026-11-26 13:37:04.358644+00', '80512c62-8a33-4a83-81b1-d6506b4dc358', 1, false, '{}', 'Signing in', 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '01a21812-7962-77f9-a7d2-a46049db4d9e', 1, 0, 0, 0, 0);
INSERT INTO public.runs VALUES ('01a21812-8922-72ff-a4ca-d8340edd857d', '01a21812-7c08-76d2-aef6-e5cc0c0b062b', 'failed', 'asked', 'ada', '2026-11-26 13:36:37.665773+00', '2026-11-26 13:36:37.665773+00', '2026-11-26 13:36:37.807045+00', '2026-11-26 13:36:37.936107+00', '2026-11-26 13:37:07.807045+00', '80512c62-8a33-4a83-81b1-d6506b4dc358', 1, false, '{}', 'Signing in', 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '01a21812-7576-76e7-886a-163b985623f1', 2, 0, 0, 0, 0);
INSERT INTO public.runs VALUES ('01a21812-91a6-711f-9090-fdcd5f663beb', '01a21812-7c08-76d2-aef6-e5cc0c0b062b', 'failed', 'asked', 'ada', '2026-11-26 13:36:39.846389+00', '2026-11-26 13:36:39.846389+00', '2026-11-26 13:36:39.858686+00', '2026-11-26 13:36:40.044618+00', '2026-11-26 13:37:09.858686+00', '80512c62-8a33-4a83-81b1-d6506b4dc358', 1, false, '{}', 'Signing in', 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '01a21812-7576-76e7-886a-163b985623f1', 2, 0, 0, 0, 0);
INSERT INTO public.runs VALUES ('01a21812-9eab-7793-8e2d-8540f58c52de', '01a21812-7c1d-77f3-87b8-08cfe890a31c', 'failed', 'asked', 'ada', '2026-11-26 13:36:43.178791+00', '2026-11-26 13:36:43.178791+00', '2026-11-26 13:36:43.181449+00', '2026-11-26 13:36:43.198711+00', '2026-11-26 13:37:13.181449+00', '80512c62-8a33-4a83-81b1-d6506b4dc358', 1, false, '{}', 'Signing in', 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '01a21812-7962-77f9-a7d2-a46049db4d9e', 1, 0, 0, 0, 0);
INSERT INTO public.runs VALUES ('01a21812-d93b-75c0-acc5-1ffcc79cfa6f', '01a21812-7c1d-77f3-87b8-08cfe890a31c', 'failed', 'asked', 'ada', '2026-11-26 13:36:58.171439+00', '2026-11-26 13:36:58.171439+00', '2026-11-26 13:36:58.173965+00', '2026-11-26 13:36:58.179576+00', '2026-11-26 13:37:28.17959+00', '80512c62-8a33-4a83-81b1-d6506b4dc358', 1, false, '{"step": "signing_in", "images": 0, "repositories_done": 0, "repositories_total": 0}', 'Signing in', 'Signing in failed: 127.0.0.1:1 could not be reached. Check the address, and that the service is up.', '01a21812-7962-77f9-a7d2-a46049db4d9e', 1, 0, 0, 0, 0);
INSERT INTO public.runs VALUES ('01a21813-5a4e-775c-8f23-13a8ccdfbf0b', '01a21812-7c1d-77f3-87b8-08cfe890a31c', 'failed', 'asked', 'ada', '2026-11-26 13:37:31.212897+00', '2026-11-26 13:37:31.212897+00', '2026-11-26 13:37:31.240387+00', '2026-11-26 13:37:31.279058+00', '2026-11-26 13:38:01.240387+00', '6f5c9d0e-bec6-4d78-a14b-da1d756b7252', 1, false, '{}', 'Opening the credential', 'Opening the credential failed: what is stored is not what Strongroom saved (integrity error), so nothing was sent. The credential''s page says what to do.', NULL, NULL, 0, 0, 0, 0);


--
-- Data for Name: sessions; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.sessions VALUES ('\x39298e248b140deb47e25cf35f74a89ff53a0282777d6f4828cec81bd7cb809f', '9905d2fe-d285-4df2-81b9-6f1b439a4d81', '01a21812-7321-71ce-9b1a-0b1eab2467b7', false, '2026-11-26 13:36:32.187472+00', '2026-11-26 13:36:32.187472+00', '2026-11-26 13:36:32.187472+00', '127.0.0.1', 'Python-urllib/3.11', '\x5a146741cb9db2a96ccb133c76578422c2334e7705215527e0c5b8497e613196');
INSERT INTO public.sessions VALUES ('\x80ed1ebe98d69766593806d59deca620ad5bd3d220dd05f1de7f585b7cd64b95', 'e1ae245c-4d17-458f-b272-3476bacfe9bb', '01a21812-7321-71ce-9b1a-0b1eab2467b7', false, '2026-11-26 13:36:42.856159+00', '2026-11-26 13:36:42.856159+00', '2026-11-26 13:36:42.856159+00', '127.0.0.1', 'Python-urllib/3.11', '\x2bab81cdd5f83e5bd0721be944f7e49e784f820eb844bc296abb17a78b036257');
INSERT INTO public.sessions VALUES ('\x1194001a295e77781fc1c0c3eaa56b31e125182251d1b3fea2f59c596cf593f8', 'e700e09b-c1fe-43b4-bcf1-fbb464b04641', '01a21812-7321-71ce-9b1a-0b1eab2467b7', false, '2026-11-26 13:36:58.125283+00', '2026-11-26 13:36:58.125283+00', '2026-11-26 13:36:58.125283+00', '127.0.0.1', 'Python-urllib/3.11', '\x17a6454075d9c89ec33e7fdb06993746a50382876c00944d351f627ec2e33514');
INSERT INTO public.sessions VALUES ('\x5ef24939f4082e75c87b4fa4425a0720213995cf580fb264e11972f88c72550b', 'b71c0493-1992-4a7a-a443-438fbd69a220', '01a21812-7321-71ce-9b1a-0b1eab2467b7', false, '2026-11-26 13:37:30.523802+00', '2026-11-26 13:37:30.523802+00', '2026-11-26 13:37:30.523802+00', '127.0.0.1', 'Python-urllib/3.11', '\x66426993be6707ddcc2ab29ce6beb567aa04961d41f1b1f8c1e55a8f16b425e0');


--
-- Data for Name: setup_links; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.users VALUES ('01a21812-9a7d-758c-8f86-b54ec26a33b8', 'otto', 'otto', 'auditor', false, 1, '\x01bbea624e13e56f43ecff7c06711a1765a850cbf9dfe12890e196dea43c38cbd0e6302722425c79b95cc627fbb55b786ef9cf5ab8c43ac98c34c4d979', '\x01da1ab42414e8ef106fbd976ea9a83c9d8abb0f4e9e6dbd1b9ed8791fffdb8cbcb0c86bdd535b5faf5d6a0924e5789cb6d7a721e3cd168d232d85e55318be3b4be2ff11ac68f89e71f4b9666c72c7783a15dec78bf1ccee677aab7a242c06e61c1d8b3920d8e0c5ec836279ae6db670a0a27e61d2a00d0e5a944e29dee4602cc5bc21d0e712ce78e7bab17faaef2f75a9d83f0894faddd31b61d62b9a', 1, '2026-11-26 13:36:42.108624+00', NULL, NULL, NULL, 0, false, false, 0, 'system', true, '2026-11-26 13:36:42.108624+00', NULL, 1, '\x0241047f101c38688ffc24da314bff12ac05a27ca50b193abbac01396c8ef7a4', true);
INSERT INTO public.users VALUES ('01a21812-9c18-77ba-b142-e06fcf3aebea', 'olga', 'olga', 'operator', false, 1, '\x01385fb5f61a11f452300254408c0198f390ca5a515add90ec8f61ffc52488434b83bdff408598df499aa9f01d63ee3672dec6e24b71d08d67948fd9f7', '\x01a0f6bc8e0b6886a3b93872d8ec7d4c92c4a271e765b70f1c35d7ed4c1d506098988f86f6ace5cf6b62d6d9e45d501ccd592ec9936a19c8b634e28af745d13a0d40d4ee165a5dd6773e3c45500088dec8685ba68e12b05ae077b6a56cbe04289c913e75f9a64ec0ff18a72de1eb508cc8633bf678fcb7116c36e7be4d12164befba8835fb260b4e847e5200a35a238f459cac8b10b091427d71762830', 1, '2026-11-26 13:36:42.519905+00', NULL, NULL, NULL, 0, false, false, 0, 'system', true, '2026-11-26 13:36:42.519905+00', NULL, 1, '\x7718b7215182dd462c6aa7e521a532c3c51c00100979e8a9eff229419453a776', true);
INSERT INTO public.users VALUES ('01a21812-7321-71ce-9b1a-0b1eab2467b7', 'ada', 'ada', 'administrator', false, 1, '\x01a2a36b820da9248a2b6decfee2844ce6d1df47680f35f78bd0786a8918396d92a3e06fbcc70b18f6589cdf2bc7bab3a7703a6487172b38e2f03f06e5', '\x01e11fd7663430eaf65b234346c7ac7278bb725389c610c0719b3b318f691a9d58ed74286721e7eeaf4be7fd77bc069ce08e0124899775cad67b508ad95b30b669b1fd2cbbdd110576e1cb178bbf23d2444d305321dd4cc8b533c722f0842a542142ac412ae8f729e0c5f998647b33f7f0f6cee5b5e87ca6b82857567d2e694591e6aab71ffb0f7c26ace414e200518ddcd8d5f94f48602f6f551c3e0d', 1, '2026-11-26 13:36:32.033075+00', 1, '\x012f561c8181d0e9e438b8858c621126a31dee65ac65b605594d1fb393ad3820716e93961d330623e80ab591f690870b3f2a20b1538abe861f685dbee5', '\x01a550bdccfdd434c53f49ae2c3204657a7f2fa44108d9f0f42a8d1a21b0264203740f0abf83963088b4bdfbedb2f2bb803cec618d9e3351703cccc57316f8f3b1a4bf82cc48e7d862434003bc026d664620fc339598f2fd82f6d88e65', 1, true, false, 59856675, 'system', true, '2026-11-26 13:36:32.033075+00', '2026-11-26 13:37:30.523802+00', 2, '\x7eefe2347d938678dd46bc591d93402be38a0770129b95a5e4df9cb780df2fab', false);


--
-- Name: login_failures_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.login_failures_id_seq', 6, true);


--
-- Name: __diesel_schema_migrations __diesel_schema_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.__diesel_schema_migrations
    ADD CONSTRAINT __diesel_schema_migrations_pkey PRIMARY KEY (version);


--
-- Name: alert_settings alert_settings_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert_settings
    ADD CONSTRAINT alert_settings_pkey PRIMARY KEY (single);


--
-- Name: alerts alerts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (id);


--
-- Name: audit_lanes audit_lanes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_lanes
    ADD CONSTRAINT audit_lanes_pkey PRIMARY KEY (lane);


--
-- Name: channels channels_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_pkey PRIMARY KEY (integration_id);


--
-- Name: credential_phrases credential_phrases_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.credential_phrases
    ADD CONSTRAINT credential_phrases_pkey PRIMARY KEY (phrase, credential_id) INCLUDE (shared);


--
-- Name: credentials credentials_name_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_name_key_key UNIQUE (name_key);


--
-- Name: credentials credentials_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_pkey PRIMARY KEY (id);


--
-- Name: deliveries deliveries_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (id);


--
-- Name: delivery_lines delivery_lines_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery_lines
    ADD CONSTRAINT delivery_lines_pkey PRIMARY KEY (delivery_id, "position");


--
-- Name: deployment deployment_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deployment
    ADD CONSTRAINT deployment_pkey PRIMARY KEY (single);


--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (lane, seq);


--
-- Name: image_changes image_changes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.image_changes
    ADD CONSTRAINT image_changes_pkey PRIMARY KEY (run_id, repository, tag);


--
-- Name: images images_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.images
    ADD CONSTRAINT images_pkey PRIMARY KEY (integration_id, repository, tag);


--
-- Name: integrations integrations_name_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.integrations
    ADD CONSTRAINT integrations_name_key_key UNIQUE (name_key);


--
-- Name: integrations integrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.integrations
    ADD CONSTRAINT integrations_pkey PRIMARY KEY (id);


--
-- Name: keks keks_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.keks
    ADD CONSTRAINT keks_pkey PRIMARY KEY (id);


--
-- Name: keks keks_wraps_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.keks
    ADD CONSTRAINT keks_wraps_key UNIQUE (wraps);


--
-- Name: login_failures login_failures_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.login_failures
    ADD CONSTRAINT login_failures_pkey PRIMARY KEY (id);


--
-- Name: notices notices_alert_id_number_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_alert_id_number_key UNIQUE (alert_id, number);


--
-- Name: notices notices_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (id);


--
-- Name: provider_facts provider_facts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.provider_facts
    ADD CONSTRAINT provider_facts_pkey PRIMARY KEY (credential_id);


--
-- Name: recipients recipients_integration_id_address_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recipients
    ADD CONSTRAINT recipients_integration_id_address_key_key UNIQUE (integration_id, address_key);


--
-- Name: recipients recipients_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recipients
    ADD CONSTRAINT recipients_pkey PRIMARY KEY (id);


--
-- Name: recovery_codes recovery_codes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, code_mac);


--
-- Name: replicas replicas_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.replicas
    ADD CONSTRAINT replicas_pkey PRIMARY KEY (id);


--
-- Name: runs runs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);


--
-- Name: sessions sessions_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_id_key UNIQUE (id);


--
-- Name: sessions sessions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (token_hash);


--
-- Name: setup_links setup_links_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.setup_links
    ADD CONSTRAINT setup_links_pkey PRIMARY KEY (token_hash);


--
-- Name: users users_name_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_name_key_key UNIQUE (name_key);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);


--
-- Name: alerts_closed; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alerts_closed ON public.alerts USING btree (closed_at DESC, id) WHERE (closed_at IS NOT NULL);


--
-- Name: alerts_one_open; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX alerts_one_open ON public.alerts USING btree (trigger, subject_id) WHERE (closed_at IS NULL);


--
-- Name: alerts_open; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alerts_open ON public.alerts USING btree (opened_at DESC, id) WHERE (closed_at IS NULL);


--
-- Name: alerts_remind; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alerts_remind ON public.alerts USING btree (told_at) WHERE (closed_at IS NULL);


--
-- Name: alerts_subject; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alerts_subject ON public.alerts USING btree (subject_id, opened_at DESC);


--
-- Name: credentials_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_age ON public.credentials USING btree (secret_set_at, id);


--
-- Name: credentials_editor; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_editor ON public.credentials USING btree (edited_by, id);


--
-- Name: credentials_expires; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_expires ON public.credentials USING btree (COALESCE(expires_at, 'infinity'::timestamp with time zone), id);


--
-- Name: credentials_expiry; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_expiry ON public.credentials USING btree (expires_at, id) WHERE (expires_at IS NOT NULL);


--
-- Name: credentials_identity; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_identity ON public.credentials USING btree (identity, id);


--
-- Name: credentials_kek; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_kek ON public.credentials USING btree (kek_id);


--
-- Name: credentials_kind; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_kind ON public.credentials USING btree (kind, name_key);


--
-- Name: credentials_kind_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_kind_age ON public.credentials USING btree (kind, secret_set_at);


--
-- Name: credentials_own_limit; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_own_limit ON public.credentials USING btree (secret_set_at) WHERE (stale_after_days > 0);


--
-- Name: credentials_prefix; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_prefix ON public.credentials USING btree (name_key text_pattern_ops);


--
-- Name: credentials_search; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_search ON public.credentials USING gin (search public.gin_trgm_ops);


--
-- Name: credentials_test_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_test_due ON public.credentials USING btree (kind, next_test_at);


--
-- Name: credentials_test_failed; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_test_failed ON public.credentials USING btree (tested_at DESC) WHERE test_failed;


--
-- Name: credentials_usages; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_usages ON public.credentials USING btree (usage_count, id);


--
-- Name: credentials_used; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX credentials_used ON public.credentials USING btree (last_used_at, id);


--
-- Name: deliveries_channel; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_channel ON public.deliveries USING btree (integration_id, created_at DESC);


--
-- Name: deliveries_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_due ON public.deliveries USING btree (integration_id, not_before) WHERE (state = 'ready'::text);


--
-- Name: deliveries_parked; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_parked ON public.deliveries USING btree (integration_id, ended_at DESC) WHERE (state = 'parked'::text);


--
-- Name: deliveries_ready; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_ready ON public.deliveries USING btree (integration_id, created_at, part) WHERE (state = 'ready'::text);


--
-- Name: deliveries_recipient; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_recipient ON public.deliveries USING btree (recipient_id);


--
-- Name: deliveries_sending; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_sending ON public.deliveries USING btree (lease_until) WHERE (state = 'sending'::text);


--
-- Name: delivery_lines_notice; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX delivery_lines_notice ON public.delivery_lines USING btree (notice_id);


--
-- Name: events_action; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_action ON public.events USING btree (action, at DESC);


--
-- Name: events_actor; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_actor ON public.events USING btree (actor, at DESC);


--
-- Name: events_subject; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_subject ON public.events USING btree (subject_id, at DESC);


--
-- Name: events_time; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_time ON public.events USING btree (at DESC, lane, seq);


--
-- Name: events_versions; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_versions ON public.events USING btree (subject_id, subject_version) WHERE (subject_version IS NOT NULL);


--
-- Name: integrations_credential; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX integrations_credential ON public.integrations USING btree (credential_id);


--
-- Name: integrations_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX integrations_due ON public.integrations USING btree (next_run_at) WHERE (active AND (next_run_at IS NOT NULL));


--
-- Name: keks_one_active; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX keks_one_active ON public.keks USING btree ((true)) WHERE (state = 'active'::text);


--
-- Name: login_failures_address; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX login_failures_address ON public.login_failures USING btree (address, at);


--
-- Name: login_failures_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX login_failures_name ON public.login_failures USING btree (name_key, network, at);


--
-- Name: notices_digest; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notices_digest ON public.notices USING btree (digest_id);


--
-- Name: notices_waiting; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notices_waiting ON public.notices USING btree (at) WHERE (digest_id IS NULL);


--
-- Name: runs_claim; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX runs_claim ON public.runs USING btree (not_before) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));


--
-- Name: runs_history; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX runs_history ON public.runs USING btree (integration_id, queued_at DESC);


--
-- Name: runs_one_unfinished; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX runs_one_unfinished ON public.runs USING btree (integration_id) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));


--
-- Name: runs_recent; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX runs_recent ON public.runs USING btree (queued_at DESC);


--
-- Name: sessions_user; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX sessions_user ON public.sessions USING btree (user_id);


--
-- Name: users_password_kek; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX users_password_kek ON public.users USING btree (password_kek_id);


--
-- Name: users_totp_kek; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX users_totp_kek ON public.users USING btree (totp_kek_id);


--
-- Name: credentials credentials_phrases; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER credentials_phrases AFTER INSERT OR DELETE OR UPDATE OF name, identity ON public.credentials FOR EACH ROW EXECUTE FUNCTION public.keep_phrases();


--
-- Name: integrations integrations_usages; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER integrations_usages AFTER INSERT OR DELETE OR UPDATE OF credential_id ON public.integrations FOR EACH ROW EXECUTE FUNCTION public.count_usages();


--
-- Name: sessions sessions_changed; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER sessions_changed AFTER DELETE OR UPDATE ON public.sessions FOR EACH ROW EXECUTE FUNCTION public.notify_sessions();


--
-- Name: users users_changed; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER users_changed AFTER DELETE OR UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.notify_sessions();


--
-- Name: channels channels_integration_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES public.integrations(id) ON DELETE CASCADE;


--
-- Name: credentials credentials_kek_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_kek_id_fkey FOREIGN KEY (kek_id) REFERENCES public.keks(wraps);


--
-- Name: deliveries deliveries_integration_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES public.integrations(id) ON DELETE CASCADE;


--
-- Name: deliveries deliveries_recipient_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_recipient_id_fkey FOREIGN KEY (recipient_id) REFERENCES public.recipients(id) ON DELETE CASCADE;


--
-- Name: delivery_lines delivery_lines_delivery_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery_lines
    ADD CONSTRAINT delivery_lines_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES public.deliveries(id) ON DELETE CASCADE;


--
-- Name: delivery_lines delivery_lines_notice_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.delivery_lines
    ADD CONSTRAINT delivery_lines_notice_id_fkey FOREIGN KEY (notice_id) REFERENCES public.notices(id) ON DELETE CASCADE;


--
-- Name: events events_lane_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_lane_fkey FOREIGN KEY (lane) REFERENCES public.audit_lanes(lane);


--
-- Name: image_changes image_changes_run_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.image_changes
    ADD CONSTRAINT image_changes_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id) ON DELETE CASCADE;


--
-- Name: images images_integration_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.images
    ADD CONSTRAINT images_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES public.integrations(id) ON DELETE CASCADE;


--
-- Name: integrations integrations_credential_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.integrations
    ADD CONSTRAINT integrations_credential_id_fkey FOREIGN KEY (credential_id) REFERENCES public.credentials(id) ON DELETE RESTRICT;


--
-- Name: notices notices_alert_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES public.alerts(id) ON DELETE CASCADE;


--
-- Name: provider_facts provider_facts_credential_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.provider_facts
    ADD CONSTRAINT provider_facts_credential_id_fkey FOREIGN KEY (credential_id) REFERENCES public.credentials(id) ON DELETE CASCADE;


--
-- Name: recipients recipients_integration_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recipients
    ADD CONSTRAINT recipients_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES public.integrations(id) ON DELETE CASCADE;


--
-- Name: recovery_codes recovery_codes_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: runs runs_integration_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES public.integrations(id) ON DELETE CASCADE;


--
-- Name: sessions sessions_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: users users_password_kek_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_password_kek_id_fkey FOREIGN KEY (password_kek_id) REFERENCES public.keks(wraps);


--
-- Name: users users_totp_kek_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_totp_kek_id_fkey FOREIGN KEY (totp_kek_id) REFERENCES public.keks(wraps);


--
-- PostgreSQL database dump complete
--


