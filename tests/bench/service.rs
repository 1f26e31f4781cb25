//! What one submission costs, from its draft to the signed badge, beside the bare commit of one row.

use std::cell::RefCell;

use assay::cli::resources;
use assay::config::{SettingArgs, Settings};
use assay::service::{Error, Resources, micro_credentials};
use assay::store;
use divan::{Bencher, black_box};
use tempfile::TempDir;

use crate::world::World;

/// How many submissions the figure of CPU time is the mean of.
const SUBMISSIONS: u32 = 200;

/// A district on the embedded database, in a folder of its own.
fn open() -> (TempDir, Resources, World) {
    let folder = TempDir::new().unwrap();
    let settings = Settings::check(SettingArgs {
        data_dir: folder.path().to_owned(),
        bind: "127.0.0.1:0".to_owned(),
        log: "off".to_owned(),
        ..SettingArgs::default()
    });
    let resources = resources::open(&settings.unwrap()).unwrap();
    let world = World::new(&resources);
    (folder, resources, world)
}

/// Draft, answers, evidence, hand-in, claim, sheet, lock, decision, intent, signature: all steps of the main job.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn submission_to_award(bencher: Bencher<'_, '_>) {
    let (_folder, resources, world) = open();
    let world = RefCell::new(world);
    bencher
        .with_inputs(|| world.borrow_mut().next_turn(&resources))
        .bench_local_values(|turn| world.borrow().earn(&resources, &turn));
}

/// What almost every step begins with: the stored definition, read and checked.
#[divan::bench]
fn stored_definition(bencher: Bencher<'_, '_>) {
    let (_folder, resources, mut world) = open();
    let turn = world.next_turn(&resources);
    let version = resources.as_system(|cx| micro_credentials::find(cx, turn.family)).unwrap();
    bencher.bench_local(|| micro_credentials::parse_stored(black_box(&version)).unwrap());
}

/// The floor: one row, written as durably as everything is.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn bare_commit(bencher: Bencher<'_, '_>) {
    let (_folder, resources, world) = open();
    let mut lease = resources.database.connection().unwrap();
    bencher.bench_local(|| {
        store::write(&mut lease, |conn| {
            store::organizations::switch_issuing(conn, world.district, false).map_err(Error::from)
        })
        .unwrap();
    });
}

/// User and system time of this process so far, in clock ticks of 10 ms; none where the kernel does not tell.
fn cpu_ticks() -> Option<(u64, u64)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name before may hold anything; after its bracket the state is the first field.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Prints the CPU time of a submission, which does not depend on what else the machine does.
#[expect(clippy::print_stdout, reason = "this is what the benchmark is run for")]
pub fn report_cpu_time() {
    let (_folder, resources, mut world) = open();
    let turns: Vec<_> = (0..SUBMISSIONS).map(|_| world.next_turn(&resources)).collect();
    let Some((user, system)) = cpu_ticks() else { return };
    for turn in &turns {
        world.earn(&resources, turn);
    }
    let Some((user_after, system_after)) = cpu_ticks() else { return };
    let mean = |ticks: u64| ticks as f64 * 10.0 / f64::from(SUBMISSIONS);
    println!(
        "CPU time of one submission_to_award, mean of {SUBMISSIONS}: {:.1} ms user, {:.1} ms system",
        mean(user_after - user),
        mean(system_after - system)
    );
}
