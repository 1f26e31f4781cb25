//! `kill -9` in the middle of issuing: one credential for each earned decision, none twice, none lost, the audit chain whole.
//!
//! The process that is killed is this test binary again, told by environment variables to issue what waits. It tells its way on
//! standard error, a line at each boundary, and stands still where it was told to, so that the kill hits exactly there. Other kills
//! come at random moments. Two of three are followed by a look at the database and a restart that picks up at once; after the third
//! it is the next process that picks up, and is killed as well.

mod child;
mod invitations;
mod ledger;
mod served_list;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use assay::cli::resources;
use assay::config::{SettingArgs, Settings};
use assay::service::context::{Boundary, system_clock};
use assay::service::{Resources, issuance, outbox};
use chrono::{DateTime, TimeDelta, Utc};
use rand::seq::SliceRandom;
use tempfile::TempDir;

use crate::harness::{TestDatabase, World, scale};
use child::{Child, Line, Order, Stop};
use ledger::Ledger;

const BOUNDARIES: [Boundary; 4] =
    [Boundary::Intent, Boundary::Sign, Boundary::Store, Boundary::Outbox];
/// How often each boundary is hit in a full run.
const AT_EACH_BOUNDARY: usize = 30;
/// How many kills come at random moments in a full run.
const AT_RANDOM: usize = 80;
/// How many lines a process can be waited for before a random kill: those of two awards; the pause after them may reach the mails.
const MOST_LINES: usize = 8;

fn settings(data_dir: &Path, database_url: Option<String>) -> Settings {
    Settings::check(SettingArgs {
        data_dir: data_dir.to_owned(),
        bind: "127.0.0.1:0".to_owned(),
        database_url,
        mail_from: Some("Assay <no-reply@badges.example.org>".to_owned()),
        log: "off".to_owned(),
        ..SettingArgs::default()
    })
    .unwrap()
}

/// A data folder and a database that live through many processes.
struct Place {
    folder: TempDir,
    database: TestDatabase,
    began: DateTime<Utc>,
}

impl Place {
    fn new() -> Place {
        Place {
            folder: TempDir::new().unwrap(),
            database: TestDatabase::new(),
            began: system_clock()(),
        }
    }

    /// Opens the service as a restart does. The clock of this side stands still, so that sign-ins last through a long run.
    fn open(&self) -> Resources {
        self.open_at(self.began)
    }

    fn open_at(&self, moment: DateTime<Utc>) -> Resources {
        // What a dead process was doing may still be on its way through the server.
        self.database.wait_until_alone();
        let settings = settings(self.folder.path(), self.database.url());
        Resources { clock: Arc::new(move || moment), ..resources::open(&settings).unwrap() }
    }

    /// A process that issues what waits, and stops where it is told to.
    fn start(&self, stop: Option<Stop>) -> Child {
        Child::start(&Order {
            data_dir: self.folder.path().to_owned(),
            database_url: self.database.url(),
            stop,
        })
    }
}

/// Issues what waits, as the worker does after a restart.
fn pick_up(resources: &Resources) {
    while resources.as_system(issuance::issue_pending).unwrap() > 0 {}
}

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// Standing still at a boundary, the first or the second time it comes there.
    At(Stop),
    /// Running, some time after so many lines.
    After(usize),
}

/// All moments of a run, in random order.
fn moments() -> Vec<Moment> {
    let mut all = Vec::new();
    for boundary in BOUNDARIES {
        for number in 0..scale(AT_EACH_BOUNDARY) {
            all.push(Moment::At(Stop { boundary, nth: 1 + number % 2 }));
        }
    }
    for _ in 0..scale(AT_RANDOM) {
        all.push(Moment::After(rand::random_range(0..=MOST_LINES)));
    }
    all.shuffle(&mut rand::rng());
    all
}

#[test]
fn every_earned_decision_has_one_credential_whenever_the_process_is_killed() {
    let place = Place::new();
    let mut ledger = Ledger::default();
    let mut resources = place.open();
    let mut world = World::new(&resources);
    let (mut at_boundary, mut at_random) = (BTreeMap::new(), BTreeMap::new());
    let moments = moments();
    for (number, moment) in moments.iter().enumerate() {
        world.switch_issuing(&resources, world.district, true);
        let n_decisions = match moment {
            Moment::At(stop) => stop.nth,
            Moment::After(_) => 2,
        };
        for _ in 0..n_decisions {
            let turn = world.next_turn(&resources);
            ledger.expect(world.earn(&resources, &turn));
        }
        world.switch_issuing(&resources, world.district, false);
        // The next process must find the files as a dead one leaves them, not as a living neighbour keeps them.
        drop(resources);
        match *moment {
            Moment::At(stop) => {
                place.start(Some(stop)).kill_where_it_stands(stop);
                *at_boundary.entry(Line::At(stop.boundary).to_string()).or_insert(0) += 1;
            }
            Moment::After(lines) => {
                let last = place.start(None).kill_after(lines);
                let last = last.map_or_else(|| "starting".to_owned(), |line| line.to_string());
                *at_random.entry(last).or_insert(0) += 1;
            }
        }
        resources = place.open();
        ledger.check(&mut resources.database.connection().unwrap());
        if number % 3 < 2 {
            pick_up(&resources);
            ledger.check_all_issued(&mut resources.database.connection().unwrap());
        }
    }
    drop(resources);
    // A day later: every claim of a dead process on a mail has run out.
    let resources = place.open_at(system_clock()() + TimeDelta::days(1));
    pick_up(&resources);
    while outbox::send_next(&resources).unwrap() {}
    ledger.check_all_issued(&mut resources.database.connection().unwrap());
    ledger.check_documents(&resources);
    ledger.check_mail(
        &mut resources.database.connection().unwrap(),
        &place.folder.path().join("mail"),
    );

    let kills: usize = at_boundary.values().sum::<usize>() + at_random.values().sum::<usize>();
    assert_eq!(kills, 4 * scale(AT_EACH_BOUNDARY) + scale(AT_RANDOM));
    assert!(BOUNDARIES.iter().all(|boundary| {
        at_boundary.get(&Line::At(*boundary).to_string()) >= Some(&scale(AT_EACH_BOUNDARY).max(2))
    }));
    report(&format!(
        "{kills} kills, {} awards; standing at {at_boundary:?}; running, last seen at {at_random:?}",
        ledger.n_expected()
    ));
}

#[expect(
    clippy::print_stdout,
    reason = "the counts of a full run are reported; shown with --show-output"
)]
fn report(text: &str) {
    println!("{text}");
}
