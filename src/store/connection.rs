//! Connections: which database, how it is opened, and the one function that writes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::r2d2::{ManageConnection, Pool, PooledConnection};
use diesel::{Connection, PgConnection, QueryResult, RunQueryDsl, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use parking_lot::FairMutex;

use super::error::{StoreError, WriteError};

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// How often a transaction that met another one is tried again.
const TRIES: u32 = 40;

/// How often it is tried beside others, before it is tried alone.
const TRIES_BESIDE_OTHERS: u32 = 3;

/// How long a request waits for a connection before it answers 503.
const POOL_WAIT: Duration = Duration::from_secs(2);

/// How long a writer of the embedded database waits for its turn; as long as for a writer of another process.
const TURN_WAIT: Duration = Duration::from_secs(5);

pub use either::DbConn;
pub(crate) use either::MultiBackend;

// A module of its own keeps the public items that the derive writes beside the enum out of the documentation.
mod either {
    use diesel::{PgConnection, SqliteConnection};

    /// One connection to either database. Queries are written once, against this.
    #[derive(diesel::MultiConnection)]
    pub enum DbConn {
        /// PostgreSQL, in production.
        Postgres(PgConnection),
        /// The embedded database.
        Sqlite(SqliteConnection),
    }
}

/// Which database the settings name.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseSetting {
    /// The file of the embedded database.
    Sqlite(PathBuf),
    /// A PostgreSQL URL.
    Postgres(String),
}

/// The URL may hold a password: only the kind is shown.
impl std::fmt::Debug for DatabaseSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DatabaseSetting::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            DatabaseSetting::Postgres(_) => f.write_str("Postgres"),
        }
    }
}

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The server does not answer, or refuses the login.
    #[error("the PostgreSQL server of DATABASE_URL cannot be reached or refuses the login: {0}")]
    Unreachable(String),
    /// The file cannot be opened.
    #[error("the embedded database {path} cannot be opened: {reason}")]
    File {
        /// Which file.
        path: String,
        /// What the operating system says.
        reason: String,
    },
    /// A migration failed or one is missing.
    #[error("the tables cannot be brought up to date: {0}")]
    Migration(String),
    /// A setting that durability depends on did not take.
    #[error(
        "the embedded database runs with {pragma} = {found}, which can lose data; expected {expected}"
    )]
    Unsafe {
        /// The setting.
        pragma: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
    /// No connection in time.
    #[error("no connection to the database in time")]
    Busy,
}

struct Manager(DatabaseSetting);

impl ManageConnection for Manager {
    type Connection = DbConn;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<DbConn, diesel::r2d2::Error> {
        match &self.0 {
            DatabaseSetting::Postgres(url) => {
                let mut conn =
                    PgConnection::establish(url).map_err(diesel::r2d2::Error::ConnectionError)?;
                conn.batch_execute("SET TIME ZONE 'UTC'; SET statement_timeout = '30s'")
                    .map_err(diesel::r2d2::Error::QueryError)?;
                Ok(DbConn::Postgres(conn))
            }
            DatabaseSetting::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&path.to_string_lossy())
                    .map_err(diesel::r2d2::Error::ConnectionError)?;
                conn.batch_execute(
                    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
                )
                .map_err(diesel::r2d2::Error::QueryError)?;
                Ok(DbConn::Sqlite(conn))
            }
        }
    }

    fn is_valid(&self, conn: &mut DbConn) -> Result<(), diesel::r2d2::Error> {
        diesel::sql_query("SELECT 1")
            .execute(conn)
            .map(|_| ())
            .map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut DbConn) -> bool {
        std::thread::panicking()
            || match conn {
                DbConn::Postgres(c) => AnsiTransactionManager::is_broken_transaction_manager(c),
                DbConn::Sqlite(c) => AnsiTransactionManager::is_broken_transaction_manager(c),
            }
    }
}

/// A connection on loan from the pool. Only its holder begins a transaction ([`write()`]); work inside of one gets the connection alone, so
/// that no transaction can begin within another.
pub struct Lease {
    conn: PooledConnection<Manager>,
    writers: Option<Arc<FairMutex<()>>>,
}

impl std::ops::Deref for Lease {
    type Target = DbConn;
    fn deref(&self) -> &DbConn {
        &self.conn
    }
}

impl std::ops::DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut DbConn {
        &mut self.conn
    }
}

/// The database that the service runs on.
#[derive(Clone)]
pub struct Database {
    pool: Pool<Manager>,
    setting: DatabaseSetting,
    /// Where writers of the embedded database stand in line. It has one writer at a time and lets those who wait try again and again, so
    /// that one among many could wait for ever; in line, whoever came first writes first.
    writers: Option<Arc<FairMutex<()>>>,
}

impl Database {
    /// Opens the database and checks what durability depends on. Makes the file of the embedded database where there is none;
    /// never makes anything when a PostgreSQL server does not answer.
    ///
    /// # Errors
    /// [`OpenError`], in words for the operator.
    pub fn open(setting: DatabaseSetting) -> Result<Database, OpenError> {
        if let DatabaseSetting::Sqlite(path) = &setting
            && let Some(folder) = path.parent()
        {
            std::fs::create_dir_all(folder).map_err(|error| file_error(path, error))?;
        }
        let manager = Manager(setting.clone());
        // One connection by hand first: the pool would only say that it timed out.
        let mut first = manager.connect().map_err(|error| match &setting {
            DatabaseSetting::Postgres(_) => OpenError::Unreachable(error.to_string()),
            DatabaseSetting::Sqlite(path) => file_error(path, error),
        })?;
        assert_durable(&mut first)?;
        let size = match setting {
            DatabaseSetting::Postgres(_) => 10,
            DatabaseSetting::Sqlite(_) => 6,
        };
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .test_on_check_out(matches!(setting, DatabaseSetting::Postgres(_)))
            .connection_timeout(POOL_WAIT)
            .build_unchecked(manager);
        let writers = match setting {
            DatabaseSetting::Postgres(_) => None,
            DatabaseSetting::Sqlite(_) => Some(Arc::new(FairMutex::new(()))),
        };
        Ok(Database { pool, setting, writers })
    }

    /// Which database it is.
    #[must_use]
    pub const fn setting(&self) -> &DatabaseSetting {
        &self.setting
    }

    /// A connection from the pool.
    ///
    /// # Errors
    /// [`StoreError::Busy`] after two seconds.
    pub fn connection(&self) -> Result<Lease, StoreError> {
        let conn = self.pool.get().map_err(|error| {
            tracing::warn!(%error, "no database connection in time");
            StoreError::Busy
        })?;
        Ok(Lease { conn, writers: self.writers.clone() })
    }

    /// Brings the tables up to date.
    ///
    /// # Errors
    /// [`OpenError::Migration`].
    pub fn migrate(&self) -> Result<usize, OpenError> {
        let mut conn = self.connection().map_err(|_busy| OpenError::Busy)?;
        let done = match &mut *conn {
            DbConn::Postgres(c) => {
                c.run_pending_migrations(POSTGRES_MIGRATIONS).map(|done| done.len())
            }
            DbConn::Sqlite(c) => c.run_pending_migrations(SQLITE_MIGRATIONS).map(|done| done.len()),
        };
        done.map_err(|error| OpenError::Migration(error.to_string()))
    }

    /// Takes every migration back, the newest first. For tests of the way down; nothing in the service calls it with data.
    ///
    /// # Errors
    /// [`OpenError::Migration`].
    pub fn revert_all(&self) -> Result<usize, OpenError> {
        let mut conn = self.connection().map_err(|_busy| OpenError::Busy)?;
        let done = match &mut *conn {
            DbConn::Postgres(c) => {
                c.revert_all_migrations(POSTGRES_MIGRATIONS).map(|done| done.len())
            }
            DbConn::Sqlite(c) => c.revert_all_migrations(SQLITE_MIGRATIONS).map(|done| done.len()),
        };
        done.map_err(|error| OpenError::Migration(error.to_string()))
    }

    /// Whether a migration is pending.
    ///
    /// # Errors
    /// [`OpenError`] when the database does not answer.
    pub fn has_pending_migration(&self) -> Result<bool, OpenError> {
        let mut conn = self.connection().map_err(|_busy| OpenError::Busy)?;
        let pending = match &mut *conn {
            DbConn::Postgres(c) => c.has_pending_migration(POSTGRES_MIGRATIONS),
            DbConn::Sqlite(c) => c.has_pending_migration(SQLITE_MIGRATIONS),
        };
        pending.map_err(|error| OpenError::Migration(error.to_string()))
    }
}

fn file_error(path: &Path, error: impl std::fmt::Display) -> OpenError {
    OpenError::File { path: path.display().to_string(), reason: error.to_string() }
}

#[derive(diesel::QueryableByName)]
struct Pragma {
    #[diesel(sql_type = diesel::sql_types::Text)]
    value: String,
}

fn assert_durable(conn: &mut DbConn) -> Result<(), OpenError> {
    let DbConn::Sqlite(c) = conn else { return Ok(()) };
    for (pragma, expected) in [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")]
    {
        let query = format!("SELECT CAST({pragma} AS TEXT) AS value FROM pragma_{pragma}");
        let found: Pragma = diesel::sql_query(query)
            .get_result(c)
            .map_err(|error| OpenError::Unsafe { pragma, found: error.to_string(), expected })?;
        if found.value != expected {
            return Err(OpenError::Unsafe { pragma, found: found.value, expected });
        }
    }
    Ok(())
}

fn begin(conn: &mut DbConn) -> QueryResult<()> {
    match conn {
        DbConn::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(
            c,
            "BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        ),
        DbConn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
    }
}

/// Waits for whoever writes alone, or until nobody else writes and keeps others from beginning. Either ends with the transaction.
///
/// It has to come first: what a serializable transaction sees is fixed by its first query, but not by this, so that whoever has waited
/// sees what they have waited for. The embedded database has one writer at a time anyway.
fn wait_for_writers(conn: &mut DbConn, is_alone: bool) -> QueryResult<()> {
    match conn {
        DbConn::Postgres(c) if is_alone => {
            c.batch_execute("LOCK TABLE audit_head IN SHARE ROW EXCLUSIVE MODE")
        }
        DbConn::Postgres(c) => c.batch_execute("LOCK TABLE audit_head IN ROW EXCLUSIVE MODE"),
        DbConn::Sqlite(_) => Ok(()),
    }
}

fn commit(conn: &mut DbConn) -> QueryResult<()> {
    match conn {
        DbConn::Postgres(c) => AnsiTransactionManager::commit_transaction(c),
        DbConn::Sqlite(c) => AnsiTransactionManager::commit_transaction(c),
    }
}

fn roll_back(conn: &mut DbConn) {
    let rolled_back = match conn {
        DbConn::Postgres(c) => AnsiTransactionManager::rollback_transaction(c),
        DbConn::Sqlite(c) => AnsiTransactionManager::rollback_transaction(c),
    };
    if let Err(error) = rolled_back {
        // The pool throws the connection away (`has_broken`), and with it the transaction.
        tracing::warn!(%error, "a transaction could not be rolled back");
    }
}

/// Runs `work` in one write transaction: immediate on SQLite, serializable on PostgreSQL.
///
/// When another transaction was in the way, `work` is run again from its beginning, up to forty times with a growing random pause. It
/// must therefore be repeatable: no effect outside the database, no value carried from one try to the next.
///
/// Every writer ends at the head of the audit chain. So on PostgreSQL a long transaction fails whenever a short one was committed
/// meanwhile, and among many short ones it would never get through: after three tries it waits for the others, and runs alone.
///
/// # Errors
/// What `work` returns, or the [`StoreError`] of the transaction itself. Nothing is written then.
pub fn write<T, E: WriteError>(
    lease: &mut Lease,
    mut work: impl FnMut(&mut DbConn) -> Result<T, E>,
) -> Result<T, E> {
    let mut tries = 0;
    loop {
        let is_alone = tries >= TRIES_BESIDE_OTHERS;
        let error = match try_in_turn(lease, is_alone, &mut work) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        tries += 1;
        if !matches!(error.store_error(), Some(StoreError::Conflict(_))) {
            return Err(error);
        }
        if tries >= TRIES {
            return Err(E::from(StoreError::Busy));
        }
        // Two that met once meet again unless one waits longer.
        let pause = rand::random_range(1..=u64::from(tries.min(10)) * 5);
        std::thread::sleep(Duration::from_millis(pause));
    }
}

fn try_in_turn<T, E: WriteError>(
    lease: &mut Lease,
    is_alone: bool,
    work: &mut impl FnMut(&mut DbConn) -> Result<T, E>,
) -> Result<T, E> {
    let Some(writers) = lease.writers.clone() else {
        return try_once(&mut lease.conn, is_alone, work);
    };
    let turn = writers.try_lock_for(TURN_WAIT);
    turn.ok_or_else(|| E::from(StoreError::Busy))
        .and_then(|_turn| try_once(&mut lease.conn, is_alone, work))
}

fn try_once<T, E: WriteError>(
    conn: &mut DbConn,
    is_alone: bool,
    work: &mut impl FnMut(&mut DbConn) -> Result<T, E>,
) -> Result<T, E> {
    begin(conn).map_err(|error| E::from(StoreError::from(error)))?;
    let admitted = wait_for_writers(conn, is_alone);
    match admitted.map_err(|error| E::from(StoreError::from(error))).and_then(|()| work(conn)) {
        Ok(value) => match commit(conn) {
            Ok(()) => Ok(value),
            Err(error) => Err(E::from(StoreError::from(error))),
        },
        Err(error) => {
            roll_back(conn);
            Err(error)
        }
    }
}
