//! A database for one test.

use std::sync::OnceLock;

use assay::store::{Database, DatabaseSetting};
use diesel::prelude::*;

/// A database that is gone when this is dropped: with `TEST_DATABASE_URL` a PostgreSQL one, else nothing but a file in the test's folder.
pub struct TestDatabase(Option<String>);

/// The server's URL with another database.
fn url_of(name: &str) -> String {
    let mut url = url::Url::parse(&server().unwrap()).unwrap();
    url.set_path(name);
    url.to_string()
}

#[expect(clippy::disallowed_methods, reason = "the tests are told here which database to use")]
fn server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty())
}

fn run_on_server(sql: &str) {
    let mut conn = PgConnection::establish(&server().unwrap())
        .expect("TEST_DATABASE_URL names a server that answers");
    diesel::sql_query(sql).execute(&mut conn).unwrap();
}

/// A migrated database to copy, made once a process.
fn template() -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = format!("assay_template_{}", std::process::id());
        run_on_server(&format!("DROP DATABASE IF EXISTS {name}"));
        run_on_server(&format!("CREATE DATABASE {name}"));
        let database = Database::open(DatabaseSetting::Postgres(url_of(&name))).unwrap();
        database.migrate().unwrap();
        name
    })
}

impl TestDatabase {
    /// A migrated database of this test's own.
    pub fn new() -> TestDatabase {
        TestDatabase::made(true)
    }

    /// A database without tables.
    pub fn empty() -> TestDatabase {
        TestDatabase::made(false)
    }

    fn made(is_migrated: bool) -> TestDatabase {
        if server().is_none() {
            return TestDatabase(None);
        }
        let name = format!("assay_test_{}", uuid::Uuid::new_v4().simple());
        if is_migrated {
            run_on_server(&format!("CREATE DATABASE {name} TEMPLATE {}", template()));
        } else {
            run_on_server(&format!("CREATE DATABASE {name}"));
        }
        TestDatabase(Some(name))
    }

    /// Waits until the server has ended what processes that are gone have left. SQLite's locks end with the process.
    pub fn wait_until_alone(&self) {
        let Some(url) = self.url() else { return };
        let mut conn = PgConnection::establish(&url).unwrap();
        let began = std::time::Instant::now();
        let others = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        // The number of rows; asking takes the server's time, so this does not spin.
        while diesel::sql_query(others).execute(&mut conn).unwrap() > 0 {
            assert!(began.elapsed().as_secs() < 60, "somebody is still connected to {url}");
        }
    }

    /// The URL for the settings; none for SQLite.
    pub fn url(&self) -> Option<String> {
        self.0.as_deref().map(url_of)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some(name) = &self.0 {
            run_on_server(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}
