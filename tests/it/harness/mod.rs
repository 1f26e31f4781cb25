//! A whole service for one test: its own database, its own folder, a real server on loopback, people who sign in.
//!
//! With `TEST_DATABASE_URL` the database is a fresh copy of a migrated PostgreSQL template, else a SQLite file.

pub mod canaries;
mod client;
mod database;
mod district;
mod seed;
pub mod served;
mod smtp;
pub mod statements;
pub mod world;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use assay::cli::resources;
use assay::config::{SettingArgs, Settings};
use assay::domain::organization::OrganizationKind;
use assay::http::server;
use assay::service::Resources;
use assay::service::installation::{NewInstallation, initialize};
use assay::service::passwords::Passwords;
use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;

pub use client::{Answer, Person};
pub use database::TestDatabase;
pub use district::{District, complete_charter, definition};
pub use smtp::{Answers, Delivered, SmtpServer};
pub use world::World;

/// The base URL that test installations sign with.
pub const BASE_URL: &str = "https://badges.example.org";
/// The password of everybody in the tests.
pub const PASSWORD: &str = "a long enough phrase";

/// A service with its server.
pub struct TestApp {
    /// What use cases run with, for looking behind the API.
    pub resources: Arc<Resources>,
    /// Where the server listens, `http://127.0.0.1:…`.
    pub origin: String,
    offset: Arc<AtomicI64>,
    stop: Option<Box<dyn FnOnce() + Send + Sync>>,
    server: Option<JoinHandle<()>>,
    folder: TempDir,
    // Dropped last: the pool must be gone before the database is.
    database: TestDatabase,
}

/// What a test may change before the service starts.
#[derive(Default)]
pub struct TestSettings {
    /// A mail server.
    pub smtp_url: Option<String>,
    /// Another base URL than [`BASE_URL`].
    pub base_url: Option<String>,
    /// Leave the installation out.
    pub is_bare: bool,
    /// Where documents under other base URLs are read: `(base URL, origin)`.
    pub base_url_maps: Vec<(String, String)>,
}

/// Settings for a fresh data folder and this database.
pub fn settings(folder: &TempDir, database: &TestDatabase, smtp_url: Option<String>) -> Settings {
    Settings::check(SettingArgs {
        data_dir: folder.path().to_owned(),
        bind: "127.0.0.1:0".to_owned(),
        database_url: database.url(),
        smtp_url,
        mail_from: Some("Assay <no-reply@badges.example.org>".to_owned()),
        log: "off".to_owned(),
        ..SettingArgs::default()
    })
    .unwrap()
}

impl TestApp {
    /// A service that is set up: one district with one administrator, `admin@example.org`.
    pub fn new() -> TestApp {
        TestApp::with(TestSettings::default())
    }

    /// The same with other settings.
    pub fn with(wanted: TestSettings) -> TestApp {
        let (folder, database) = (TempDir::new().unwrap(), TestDatabase::new());
        let settings = settings(&folder, &database, wanted.smtp_url);
        let mut resources = resources::open(&settings).unwrap();
        // This is the tests' own program, which takes nothing apart.
        resources.stripper = assay::files::Stripper::new(env!("CARGO_BIN_EXE_assay").into());
        // The tests sign thousands of people in, and none of them is about how long guessing takes.
        resources.passwords = Passwords::with_params(cheapest()).unwrap();
        resources.fetch = assay::fetch::Client::new(assay::fetch::FetchPolicy {
            base_url_maps: wanted.base_url_maps,
            ..assay::fetch::FetchPolicy::default()
        })
        .unwrap();
        let offset = Arc::new(AtomicI64::new(0));
        let shift = Arc::clone(&offset);
        resources.clock =
            Arc::new(move || real_time() + TimeDelta::seconds(shift.load(Ordering::SeqCst)));
        let resources = Arc::new(resources);
        if !wanted.is_bare {
            let new = NewInstallation {
                organization: "Riverbend District".to_owned(),
                kind: OrganizationKind::District,
                name: "Admin".to_owned(),
                email: "admin@example.org".to_owned(),
                password: PASSWORD.to_owned(),
                base_url: wanted.base_url.unwrap_or_else(|| BASE_URL.to_owned()),
                is_demo: false,
            };
            resources.as_system(|cx| initialize(cx, &new)).unwrap();
        }
        let (sender, receiver) = mpsc::channel();
        let served = Arc::clone(&resources);
        let bind = settings.bind;
        let server = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let (server, _app, address) = server::bind(served, bind).unwrap();
                sender.send((server.handle(), address)).unwrap();
                server.await.unwrap();
            });
        });
        let (handle, address) = receiver.recv().unwrap();
        let stop: Box<dyn FnOnce() + Send + Sync> = Box::new(move || {
            // The future is done once the message is sent; the thread that runs the server does the rest.
            actix_web::rt::System::new().block_on(handle.stop(false));
        });
        TestApp {
            resources,
            origin: format!("http://{address}"),
            offset,
            stop: Some(stop),
            server: Some(server),
            folder,
            database,
        }
    }

    /// The URL of the PostgreSQL database; none for SQLite.
    pub fn database_url(&self) -> Option<String> {
        self.database.url()
    }

    /// Settings for another process on the same data.
    pub fn settings(&self) -> Settings {
        settings(&self.folder, &self.database, None)
    }

    /// Moves the service's clock on.
    pub fn advance(&self, delta: TimeDelta) {
        self.offset.fetch_add(delta.num_seconds(), Ordering::SeqCst);
    }

    /// The data folder.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Sends everything that waits in the outbox.
    pub fn send_mail(&self) {
        while assay::service::outbox::send_next(&self.resources).unwrap() {}
    }

    /// Somebody who has not signed in.
    pub fn anybody(&self) -> Person {
        Person::anonymous(&self.origin)
    }

    /// Signs in.
    #[track_caller]
    pub fn sign_in(&self, email: &str) -> Person {
        Person::sign_in(&self.origin, email, PASSWORD)
    }

    /// The administrator that the installation began with.
    pub fn admin(&self) -> Person {
        self.sign_in("admin@example.org")
    }

    /// Invites somebody by mail, takes the secret as the mail has it, accepts and signs in.
    #[track_caller]
    pub fn invite(&self, by: &Person, organization: &str, email: &str, roles: &[&str]) -> Person {
        let body = serde_json::json!({ "email": email, "name": email, "roles": roles });
        let invited = by
            .post(&format!("/api/v1/organizations/{organization}/invitations"), &body)
            .expect(201);
        let token = self.resources.keyring.invitation_token(invited["id"].as_str().unwrap());
        let body = serde_json::json!({ "token": token, "password": PASSWORD });
        self.anybody().post("/api/v1/invitations/accept", &body).expect(200);
        self.sign_in(email)
    }

    /// How many events the audit chain has; panics when it is broken.
    pub fn audit_events(&self) -> i64 {
        let report =
            assay::service::audit::verify_chain(&mut self.resources.database.connection().unwrap())
                .unwrap();
        match report {
            assay::service::audit::ChainReport::Whole { events } => events,
            broken => panic!("{broken:?}"),
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop();
        }
        if let Some(server) = self.server.take() {
            server.join().unwrap();
        }
    }
}

/// The least that argon2 can cost.
fn cheapest() -> argon2::Params {
    argon2::Params::new(argon2::Params::MIN_M_COST, argon2::Params::MIN_T_COST, 1, None).unwrap()
}

/// How many rounds a heavy test goes: a tenth, at least one, unless `ASSAY_TEST_SCALE` is `full`.
#[expect(clippy::disallowed_methods, reason = "the tests are told here how heavy they shall be")]
pub fn scale(full: usize) -> usize {
    match std::env::var("ASSAY_TEST_SCALE").as_deref() {
        Ok("full") => full,
        Ok(_) | Err(_) => (full / 10).max(1),
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests' clock is the computer's, shifted")]
fn real_time() -> DateTime<Utc> {
    Utc::now()
}
