//! Agreement statistics and scoring rules, as functions and as the commands `assay agreement` and `assay rules`.

mod command;
mod properties;
mod reference;
mod rules;
mod severity;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs the program with this on standard input, where there is no setting at all.
fn assay(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(args)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // The program may answer before it has read everything, and then does not read the rest.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// What the command says of this file, which it must understand.
#[track_caller]
fn answer(command: &str, file: &Value) -> Vec<Value> {
    let output = assay(&[command, "-", "--json"], file.to_string().as_bytes());
    assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The one record of a statistic with these qualifying members.
#[track_caller]
fn find<'a>(records: &'a [Value], statistic: &str, qualifiers: &[(&str, &str)]) -> &'a Value {
    let is_it = |record: &&Value| {
        record["statistic"] == statistic
            && qualifiers.iter().all(|(key, value)| record[*key] == *value)
    };
    let found: Vec<&Value> = records.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1, "{statistic} {qualifiers:?}: {found:?}");
    found[0]
}

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/it/fixtures/agreement/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
