//! The migrations, and `src/models/schema.rs` against the tables that they make. Data in a database that is migrated
//! is the business of each migration's own test.

use std::collections::BTreeMap;
use std::fs;

use diesel::pg::PgConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use crate::support::db::Database;

/// Table → its key and columns, each as `name -> Type`.
type Tables = BTreeMap<String, Table>;

#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    key: Vec<String>,
    columns: Vec<String>,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    relname: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    attname: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    typname: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    attnotnull: bool,
    /// Its place in the primary key, from 1; 0: not in it.
    #[diesel(sql_type = diesel::sql_types::Integer)]
    in_key: i32,
}

/// Columns that only SQL names. Diesel's types know 32 columns a table; more of them cost every build a minute.
const UNNAMED: [(&str, &str); 2] = [("credentials", "search"), ("credentials", "next_test_at")];

/// The tables of a database, from Postgres' catalogue, in Diesel's words.
fn made(connection: &mut PgConnection) -> Tables {
    let columns: Vec<Column> = sql_query(
        "SELECT c.relname::text, a.attname::text, t.typname::text, a.attnotnull,
                coalesce(array_position(k.conkey, a.attnum), 0)::int AS in_key
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
         LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> '__diesel_schema_migrations'
         ORDER BY c.relname, a.attnum",
    )
    .load(connection)
    .expect("the catalogue");
    let mut tables = Tables::new();
    let mut keys: BTreeMap<String, BTreeMap<i32, String>> = BTreeMap::new();
    for column in columns.into_iter().filter(|column| !UNNAMED.contains(&(&column.relname, &column.attname))) {
        let element = column.typname.strip_prefix('_');
        let mut kind = diesel_type(element.unwrap_or(&column.typname));
        if element.is_some() {
            kind = format!("Array<{kind}>");
        }
        if !column.attnotnull {
            kind = format!("Nullable<{kind}>");
        }
        if column.in_key > 0 {
            keys.entry(column.relname.clone()).or_default().insert(column.in_key, column.attname.clone());
        }
        tables.entry(column.relname).or_default().columns.push(format!("{} -> {kind}", column.attname));
    }
    for (table, key) in keys {
        tables.entry(table).or_default().key = key.into_values().collect();
    }
    tables
}

/// Diesel's name of a Postgres type: its own, capitalised, but for the few that Diesel calls otherwise.
fn diesel_type(name: &str) -> String {
    match name {
        "bpchar" => "Bpchar".to_owned(),
        "oid" => "Oid".to_owned(),
        other => other[..1].to_uppercase() + &other[1..],
    }
}

/// The tables that a schema.rs declares, read line by line as `diesel print-schema` writes it.
fn declared(schema: &str) -> Tables {
    let aliases = [
        ("Integer", "Int4"),
        ("BigInt", "Int8"),
        ("SmallInt", "Int2"),
        ("Binary", "Bytea"),
        ("VarChar", "Varchar"),
        ("Double", "Float8"),
    ];
    let mut tables = Tables::new();
    let (mut table, mut real_name) = (None::<String>, None::<String>);
    for line in schema.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("#[sql_name = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            real_name = Some(name.to_owned());
        } else if let Some((name, rest)) = line.split_once(" (")
            && let Some(key) = rest.strip_suffix(") {")
        {
            let name = real_name.take().unwrap_or_else(|| name.to_owned());
            tables.entry(name.clone()).or_default().key = key.split(", ").map(str::to_owned).collect();
            table = Some(name);
        } else if let Some((column, kind)) = line.split_once(" -> ")
            && let (Some(table), Some(kind)) = (&table, kind.strip_suffix(','))
        {
            let mut kind = kind.replace("Array<Nullable<", "Array<").replace(">>>", ">>");
            if kind.starts_with("Array<") {
                kind = kind.replace(">>", ">");
            }
            for (alias, name) in aliases {
                kind = kind.replace(alias, name);
            }
            let column = real_name.take().unwrap_or_else(|| column.to_owned());
            tables.entry(table.clone()).or_default().columns.push(format!("{column} -> {kind}"));
        } else if line == "}" {
            table = None;
        }
    }
    tables
}

fn migrations() -> FileBasedMigrations {
    FileBasedMigrations::from_path(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).expect("the migrations")
}

#[test]
fn the_migrations_make_the_tables_that_the_code_believes_in() {
    let database = Database::empty();
    let mut connection = database.connect();
    connection.run_pending_migrations(migrations()).expect("up");
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/models/schema.rs")).expect("schema.rs");
    let (made, declared) = (made(&mut connection), declared(&schema));
    assert!(!made.is_empty());
    for (table, columns) in &made {
        assert_eq!(
            declared.get(table),
            Some(columns),
            "table {table}: schema.rs on the left, the database on the right"
        );
    }
    assert_eq!(declared.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
}

/// Of two that share one, Diesel runs the first alone.
#[test]
fn each_migration_has_a_number_of_its_own() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let names = fs::read_dir(folder).expect("the migrations").flatten().map(|entry| entry.file_name());
    let mut numbers: Vec<String> =
        names.filter_map(|name| Some(name.to_str()?.split_once('_')?.0.replace('-', ""))).collect();
    let all = numbers.len();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), all);
}

#[test]
fn the_migrations_go_down_to_nothing_and_up_to_the_same_again() {
    let database = Database::empty();
    let mut connection = PgConnection::establish(database.url()).expect("the database answers");
    connection.run_pending_migrations(migrations()).expect("up");
    let first = made(&mut connection);
    connection.revert_all_migrations(migrations()).expect("down");
    assert_eq!(made(&mut connection), Tables::new());
    connection.run_pending_migrations(migrations()).expect("up again");
    assert_eq!(made(&mut connection), first);
}

#[test]
fn a_schema_as_diesel_writes_it_is_understood() {
    let text = "diesel::table! {\n    runs (id, part) {\n        id -> Uuid,\n        part -> Int4,\n        #[sql_name = \"type\"]\n        \
                type_ -> Nullable<Text>,\n        tags -> Nullable<Array<Nullable<Text>>>,\n        names -> Array<Nullable<Text>>,\n    }\n}\n\
                diesel::joinable!(runs -> integrations (integration_id));\n";
    let database = Database::empty();
    let mut connection = database.connect();
    let sql =
        "CREATE TABLE runs (id uuid, part int, type text, tags text[], names text[] NOT NULL, PRIMARY KEY (id, part))";
    sql_query(sql).execute(&mut connection).expect("a table");
    assert_eq!(declared(text), made(&mut connection));
}

#[test]
fn the_tests_migration_keeps_every_credential_and_spreads_their_days() {
    let database = Database::empty();
    let mut connection = PgConnection::establish(database.url()).expect("the database answers");
    connection.run_next_migration(migrations()).expect("the store");
    for statement in [
        "INSERT INTO keks (id, wraps, state, key_check_value) VALUES (1, 1, 'active', decode(repeat('00', 16), 'hex'))",
        "INSERT INTO credentials (id, kind, name, name_key, identity, facts, ages, kek_id, wrapped_dek, payload, created_by,
             edited_by, row_mac)
         SELECT gen_random_uuid(), 'basic', n, n, '', '{}', false, 1, decode(repeat('00', 61), 'hex'),
             decode(repeat('01', 93), 'hex'), 'ada', 'ada', decode(repeat('00', 32), 'hex')
         FROM generate_series(1, 100) n",
    ] {
        sql_query(statement).execute(&mut connection).expect(statement);
    }
    connection.run_next_migration(migrations()).expect("the tests");
    let count = |connection: &mut PgConnection, what: &str| -> i64 {
        #[derive(QueryableByName)]
        struct Number {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            number: i64,
        }
        let query = sql_query(format!("SELECT count({what}) AS number FROM credentials"));
        query.get_result::<Number>(connection).expect("a count").number
    };
    assert_eq!(count(&mut connection, "*"), 100);
    assert_eq!(count(&mut connection, "tested_at"), 0);
    assert!(count(&mut connection, "DISTINCT next_test_at") > 90);
    connection.revert_last_migration(migrations()).expect("down");
    assert_eq!(count(&mut connection, "*"), 100);
}
