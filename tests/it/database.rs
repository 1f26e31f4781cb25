//! The rules of the database: migrations both ways, twin folders, durability, and writes that meet.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use assay::config::{SettingArgs, Settings};
use assay::service::audit::{self, ChainReport, Change};
use assay::service::context::new_uuid;
use assay::store::connection::OpenError;
use assay::store::schema::{audit_head, idempotency_keys, organizations, outbox, people, sessions};
use assay::store::{Database, DatabaseSetting, DbConn, StoreError};
use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel::sql_types::Text;
use tempfile::TempDir;

use crate::harness::{Person, TestApp, TestDatabase};

fn setting(folder: &TempDir, database: &TestDatabase) -> DatabaseSetting {
    match database.url() {
        Some(url) => DatabaseSetting::Postgres(url),
        None => DatabaseSetting::Sqlite(folder.path().join("assay.sqlite")),
    }
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

#[track_caller]
fn words(conn: &mut DbConn, sql: &str) -> Vec<String> {
    let rows: Vec<Word> = diesel::sql_query(sql).load(conn).unwrap();
    rows.into_iter().map(|row| row.word).collect()
}

/// The columns of every table that is there now, but for the migrations' own.
fn columns(database: &Database) -> BTreeMap<String, Vec<String>> {
    let mut conn = database.connection().unwrap();
    let sql = match database.setting() {
        DatabaseSetting::Postgres(_) => {
            "SELECT table_name || '.' || column_name AS word FROM information_schema.columns
             WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
        }
        DatabaseSetting::Sqlite(_) => {
            "SELECT tables.name || '.' || columns.name AS word
             FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
             WHERE tables.type = 'table' ORDER BY tables.name, columns.cid"
        }
    };
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for word in words(&mut conn, sql) {
        let (table, column) = word.split_once('.').unwrap();
        found.entry(table.to_owned()).or_default().push(column.to_owned());
    }
    found.remove("__diesel_schema_migrations");
    found
}

fn migrations(backend: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend)
}

/// The versions of a migrations folder with their texts, up and down.
fn versions(backend: &str) -> BTreeMap<String, [String; 2]> {
    std::fs::read_dir(migrations(backend))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = |name: &str| std::fs::read_to_string(path.join(name)).unwrap();
            let version = path.file_name().unwrap().to_str().unwrap().to_owned();
            (version, [text("up.sql"), text("down.sql")])
        })
        .collect()
}

#[test]
fn migrations_go_up_and_down_and_up_again() {
    let (folder, own) = (TempDir::new().unwrap(), TestDatabase::empty());
    let database = Database::open(setting(&folder, &own)).unwrap();
    assert!(database.has_pending_migration().unwrap());
    let n_migrations = versions("sqlite").len();
    assert_eq!(database.migrate().unwrap(), n_migrations);
    assert!(!database.has_pending_migration().unwrap());
    let first = columns(&database);
    assert!(first.contains_key("submissions") && first.contains_key("audit_head"), "{first:?}");
    assert_eq!(database.migrate().unwrap(), 0);
    assert_eq!(database.revert_all().unwrap(), n_migrations);
    assert_eq!(columns(&database), BTreeMap::new());
    assert!(database.has_pending_migration().unwrap());
    assert_eq!(database.migrate().unwrap(), n_migrations);
    assert_eq!(columns(&database), first);
}

#[test]
fn migrations_go_up_and_down_with_data() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let (submission, award) = district.award(&district.earner, &family);
    district.revoke(&award).expect(200);
    let badge = app.anybody().get(&format!("/credentials/{award}")).bytes;
    let events = app.audit_events();
    // Up, where everything is up already: nothing is lost.
    assert_eq!(app.resources.database.migrate().unwrap(), 0);
    assert_eq!(app.audit_events(), events);
    assert_eq!(app.anybody().get(&format!("/credentials/{award}")).bytes, badge);
    let read = district.earner.get(&format!("/api/v1/submissions/{submission}")).expect(200);
    assert_eq!(read["decision"], "earned");
    // Down, with rows in every table that the main job fills: no reference is in the way.
    let n_migrations = versions("sqlite").len();
    assert_eq!(app.resources.database.revert_all().unwrap(), n_migrations);
    assert_eq!(columns(&app.resources.database), BTreeMap::new());
    assert_eq!(app.resources.database.migrate().unwrap(), n_migrations);
    let mut conn = app.resources.database.connection().unwrap();
    assert_eq!(people::table.count().get_result::<i64>(&mut *conn).unwrap(), 0);
    assert_eq!(audit::verify_chain(&mut conn).unwrap(), ChainReport::Whole { events: 0 });
}

#[test]
fn back_filled_lost_mail_leaves_out_whom_mail_has_reached_or_who_has_signed_in_since() {
    let app = TestApp::new();
    let district = app.district();
    let conn = &mut *app.resources.database.connection().unwrap();
    diesel::delete(outbox::table).execute(conn).unwrap();
    let mut note = |person: &Person, state: &str, hours: i64| {
        let signed_in: NaiveDateTime = sessions::table
            .filter(sessions::person_id.eq(&person.id))
            .order(sessions::created_at.desc())
            .select(sessions::created_at)
            .first(conn)
            .unwrap();
        let at = signed_in + TimeDelta::hours(hours);
        let id = new_uuid().to_string();
        diesel::insert_into(outbox::table)
            .values((
                outbox::id.eq(&id),
                outbox::message_id.eq(format!("<{id}@example.org>")),
                outbox::kind.eq("invitation"),
                outbox::person_id.eq(&person.id),
                outbox::parameters.eq("{}"),
                outbox::state.eq(state),
                outbox::attempts.eq(1),
                outbox::next_attempt_at.eq(at),
                outbox::created_at.eq(at),
            ))
            .execute(conn)
            .unwrap();
    };
    note(&district.earner, "failed", -1);
    note(&district.assessor, "failed", -1);
    note(&district.assessor, "failed", 1);
    note(&district.coordinator, "failed", 1);
    note(&district.coordinator, "sent", 2);
    let backend = if app.database_url().is_some() { "postgres" } else { "sqlite" };
    let file = migrations(backend).join("2026-11-22-000081_lost_mail/up.sql");
    let text = std::fs::read_to_string(file).unwrap();
    let back_fill = &text[text.find("INSERT INTO lost_mail").unwrap()..];
    assert_eq!(diesel::sql_query(back_fill).execute(conn).unwrap(), 1);
    let found = words(conn, "SELECT person_id AS word FROM lost_mail");
    assert_eq!(found, std::slice::from_ref(&district.assessor.id));
}

/// The columns of a migration's text by table: what stands at the beginning of a line of a CREATE TABLE, what is added, and with a minus
/// what is dropped.
fn declared(up: &str) -> BTreeMap<String, Vec<String>> {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in up.lines() {
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            current = rest.split([' ', '(']).next().map(str::to_owned);
        } else if let Some(rest) = line.strip_prefix("DROP TABLE ") {
            // What is made anew afterwards begins with nothing.
            tables.insert(rest.trim_end_matches(';').to_owned(), vec!["-*".to_owned()]);
        } else if line.starts_with(')') {
            current = None;
        } else if let Some(table) = &current
            && let Some(column) = line.strip_prefix("    ")
            && column.starts_with(|first: char| first.is_ascii_lowercase())
        {
            let name = column.split(' ').next().unwrap().to_owned();
            tables.entry(table.clone()).or_default().push(name);
        } else if let Some(rest) = line.strip_prefix("ALTER TABLE ") {
            let words: Vec<&str> = rest.split(' ').collect();
            let [table, change @ ("ADD" | "DROP"), "COLUMN", name, ..] = words.as_slice() else {
                panic!("{line}")
            };
            let change = if *change == "DROP" { "-" } else { "" };
            let name = name.trim_end_matches(';');
            tables.entry((*table).to_owned()).or_default().push(format!("{change}{name}"));
        }
    }
    tables
}

/// The lines of a migration that are no comments.
fn statements(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim_start().starts_with("--")).collect()
}

#[test]
fn both_databases_have_the_same_migrations_and_columns() {
    let (sqlite, postgres) = (versions("sqlite"), versions("postgres"));
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>());
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (version, [up, down]) in &sqlite {
        let [twin_up, twin_down] = &postgres[version];
        // Bytes have two names; everything else is written once.
        assert_eq!(statements(up), statements(&twin_up.replace("BYTEA", "BLOB")), "{version}");
        assert_eq!(statements(down), statements(twin_down), "{version}");
        assert_eq!(declared(up), declared(twin_up), "{version}");
        for (table, columns) in declared(up) {
            let known = all.entry(table).or_default();
            for column in columns {
                match column.strip_prefix('-') {
                    Some("*") => known.clear(),
                    Some(gone) => known.retain(|one| one != gone),
                    None => known.push(column),
                }
            }
        }
    }
    all.retain(|_, columns| !columns.is_empty());
    assert!(all.len() > 30, "{all:?}");
    // And the database that the tests run on has exactly these.
    let (folder, own) = (TempDir::new().unwrap(), TestDatabase::empty());
    let database = Database::open(setting(&folder, &own)).unwrap();
    database.migrate().unwrap();
    assert_eq!(columns(&database), all);
}

#[test]
fn every_connection_is_set_to_lose_nothing() {
    let (folder, own) = (TempDir::new().unwrap(), TestDatabase::new());
    let database = Database::open(setting(&folder, &own)).unwrap();
    let mut held: Vec<_> = (0..3).map(|_| database.connection().unwrap()).collect();
    for conn in &mut held {
        match database.setting() {
            DatabaseSetting::Sqlite(_) => {
                for (pragma, column, expected) in [
                    ("journal_mode", "journal_mode", "wal"),
                    ("synchronous", "synchronous", "2"),
                    ("foreign_keys", "foreign_keys", "1"),
                    ("busy_timeout", "timeout", "5000"),
                ] {
                    let sql = format!("SELECT CAST({column} AS TEXT) AS word FROM pragma_{pragma}");
                    assert_eq!(words(conn, &sql), [expected], "{pragma}");
                }
            }
            DatabaseSetting::Postgres(_) => {
                for (name, expected) in [("TimeZone", "UTC"), ("statement_timeout", "30s")] {
                    let sql = format!("SELECT current_setting('{name}') AS word");
                    assert_eq!(words(conn, &sql), [expected], "{name}");
                }
            }
        }
    }
}

#[test]
fn write_is_serializable() {
    let (folder, own) = (TempDir::new().unwrap(), TestDatabase::new());
    let database = Database::open(setting(&folder, &own)).unwrap();
    let level = assay::store::write(&mut database.connection().unwrap(), |conn| {
        Ok::<_, StoreError>(match database.setting() {
            DatabaseSetting::Postgres(_) => {
                words(conn, "SELECT current_setting('transaction_isolation') AS word")
            }
            // One writer at a time: the write lock is there before the first statement.
            DatabaseSetting::Sqlite(path) => {
                let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
                let refused = diesel::sql_query("BEGIN IMMEDIATE").execute(&mut other).unwrap_err();
                assert!(refused.to_string().contains("locked"), "{refused}");
                vec!["serializable".to_owned()]
            }
        })
    });
    assert_eq!(level.unwrap(), ["serializable"]);
}

#[test]
fn writes_that_meet_are_all_done() {
    const EACH: usize = 50;
    let app = TestApp::new();
    let before = app.audit_events();
    let start = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let (start, resources) = (&start, &app.resources);
            scope.spawn(move || {
                let mut conn = resources.database.connection().unwrap();
                start.wait();
                for turn in 0..EACH {
                    assay::store::write(&mut conn, |conn| {
                        let change =
                            Change::new("count", None, "writer", writer).with("turn", turn);
                        audit::append(conn, None, &change, resources.now())
                    })
                    .unwrap();
                }
            });
        }
    });
    assert_eq!(app.audit_events(), before + 2 * i64::try_from(EACH).unwrap());
    let mut conn = app.resources.database.connection().unwrap();
    let head: i64 = audit_head::table.select(audit_head::seq).first(&mut *conn).unwrap();
    assert_eq!(head, app.audit_events());
}

#[test]
fn long_write_gets_through_among_many_short_ones() {
    const LONG: usize = 10;
    let app = TestApp::new();
    let before = app.audit_events();
    let resources = &app.resources;
    let count = |conn: &mut DbConn, writer: usize| {
        let change = Change::new("count", None, "writer", writer);
        audit::append(conn, None, &change, resources.now())
    };
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let n_short = std::thread::scope(|scope| {
        let is_over = &is_over;
        let short: Vec<_> = (0..3)
            .map(|writer| {
                scope.spawn(move || {
                    let mut conn = resources.database.connection().unwrap();
                    let mut n_done = 0;
                    while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
                        assay::store::write(&mut conn, |conn| count(conn, writer)).unwrap();
                        n_done += 1;
                    }
                    n_done
                })
            })
            .collect();
        let mut conn = resources.database.connection().unwrap();
        let long: Vec<bool> = (0..LONG)
            .map(|_| {
                let done = assay::store::write(&mut conn, |conn| {
                    // It has seen the head before the others move it on.
                    for _ in 0..300 {
                        let head = audit_head::table.select(audit_head::seq);
                        head.first::<i64>(conn).map_err(StoreError::from)?;
                    }
                    count(conn, 3)
                });
                done.is_ok()
            })
            .collect();
        is_over.store(true, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(long, [true; LONG]);
        short.into_iter().map(|thread| thread.join().unwrap()).sum::<i64>()
    });
    assert_eq!(app.audit_events(), before + n_short + i64::try_from(LONG).unwrap());
}

#[test]
fn failed_write_leaves_nothing() {
    let app = TestApp::new();
    let mut conn = app.resources.database.connection().unwrap();
    let count =
        |conn: &mut DbConn| idempotency_keys::table.count().get_result::<i64>(conn).unwrap();
    let events = app.audit_events();
    let failed = assay::store::write(&mut conn, |conn| {
        let change = Change::new("count", None, "writer", 1);
        audit::append(conn, None, &change, app.resources.now())?;
        diesel::update(organizations::table)
            .set(organizations::name.eq("Somebody else's"))
            .execute(conn)
            .map_err(StoreError::from)?;
        Err::<(), _>(assay::service::Error::Stale)
    });
    assert!(matches!(failed, Err(assay::service::Error::Stale)));
    assert_eq!(app.audit_events(), events);
    assert_eq!(count(&mut conn), 0);
    let names: Vec<String> =
        organizations::table.select(organizations::name).load(&mut *conn).unwrap();
    assert_eq!(names, ["Riverbend District"]);
    // The connection is as good as new.
    assay::store::write(&mut conn, |conn| {
        let change = Change::new("count", None, "writer", 2);
        audit::append(conn, None, &change, app.resources.now())
    })
    .unwrap();
    assert_eq!(app.audit_events(), events + 1);
}

#[test]
fn url_that_is_none_of_postgresql_is_refused_by_name() {
    for url in [
        "mysql://user:hunter2@localhost/assay",
        "sqlite:///tmp/assay.sqlite",
        "host=localhost user=assay password=hunter2 dbname=assay",
        "/tmp/assay.sqlite",
        "assay.sqlite",
        "postgres:hunter2",
        "postgres",
    ] {
        let folder = TempDir::new().unwrap();
        let bad = Settings::check(SettingArgs {
            data_dir: folder.path().join("data"),
            bind: "127.0.0.1:0".to_owned(),
            database_url: Some(url.to_owned()),
            log: "off".to_owned(),
            ..SettingArgs::default()
        });
        let Err(faults) = bad else { panic!("{url} was taken") };
        assert_eq!(faults.0.len(), 1, "{faults}");
        let text = faults.to_string();
        assert!(text.starts_with("DATABASE_URL: ") && text.contains("postgres://"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
        let output = serve(&folder, url);
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        assert_eq!(files_below(folder.path()), BTreeSet::new(), "{url}");
    }
}

/// `assay serve` with a database that it cannot have.
fn serve(folder: &TempDir, url: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(["serve", "--bind", "127.0.0.1:0", "--log", "off", "--data-dir"])
        .arg(folder.path().join("data"))
        .env_clear()
        .env("DATABASE_URL", url)
        .output()
        .unwrap()
}

fn files_below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { assert!(found.insert(path)) }
        }
    }
    found
}

#[test]
fn database_out_of_reach_is_a_clear_error_and_makes_no_file() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("postgres://assay:hunter2@{gone}/assay");
    let Err(error) = Database::open(DatabaseSetting::Postgres(url.clone())) else {
        panic!("nobody listens there");
    };
    assert!(matches!(error, OpenError::Unreachable(_)), "{error:?}");
    assert!(error.to_string().contains("DATABASE_URL"), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");

    let folder = TempDir::new().unwrap();
    let output = serve(&folder, &url);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("DATABASE_URL") && !told.contains("hunter2"), "{told}");
    assert_eq!(files_below(folder.path()), BTreeSet::new(), "not even an empty database");
}

#[test]
fn database_file_that_cannot_be_opened_is_a_clear_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("assay.sqlite");
    std::fs::write(&path, b"this is a letter and no database, whatever its name says").unwrap();
    let Err(error) = Database::open(DatabaseSetting::Sqlite(path.clone())) else {
        panic!("it is no database");
    };
    assert!(matches!(error, OpenError::File { .. } | OpenError::Unsafe { .. }), "{error:?}");
    assert!(error.to_string().contains("database"), "{error}");
    let kept = std::fs::read(&path).unwrap();
    assert!(kept.starts_with(b"this is a letter"), "somebody's file was overwritten");
}

#[test]
fn setting_is_shown_without_its_password() {
    let shown = format!("{:?}", DatabaseSetting::Postgres("postgres://a:hunter2@h/d".to_owned()));
    assert_eq!(shown, "Postgres");
}
