//! The product from outside: one test binary, one file a noun, mirroring `src/web`. What several files need lies in
//! `support`.

#![allow(clippy::disallowed_methods, reason = "tests start peers, visit pages and kill processes")]

mod access;
mod account;
mod alerts;
mod audit;
mod aws;
mod azure_cloud;
mod bad_forms;
mod canary;
mod channels;
mod cloud_keys;
mod commands;
mod credentials;
mod dashboard;
mod database;
mod discovery;
mod functions;
mod fuzz_seeds;
mod gallery;
mod google_cloud;
mod hostile_text;
mod house_rules;
mod integrations;
mod journeys;
mod login;
mod mail;
mod oracle_cloud;
mod outbox;
mod postgres_tests;
mod providers;
mod recipients;
mod registries;
mod requests;
mod routes;
mod schema_tests;
mod screens;
mod sealed_columns;
mod search;
mod step_up;
mod story;
mod support;
mod trust;
mod upgrade;
mod users;
