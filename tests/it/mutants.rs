//! Three thousand mutants of good badges: never valid, never a panic, never over a second or 64 MiB of memory.
//!
//! They are judged in a process of their own, one after the other, so that time and memory are those of one verdict and nothing
//! else. That process is this test binary again, told by an environment variable.

mod good;
mod images;
mod kinds;
mod members;
mod signing;
mod text;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::{Duration, Instant};

use assay::credential::verify::{Outcome, Verdict, VerdictWord, VerifyOptions, verify};
use serde_json::{Value, json};

pub use self::good::prove;
use self::good::{Carrier, Good, Pages, goods, itxt, png, svg};
use self::kinds::{Kind, Mutant, says_the_same};
use crate::harness::scale;
use crate::lints::at;

const MUTANTS: usize = 3_000;
const LONGEST: Duration = Duration::from_secs(1);
const MOST_MEMORY: u64 = 64 * 1024 * 1024;
/// What the process is told with.
const ORDER: &str = "ASSAY_MUTANTS";

fn judge(bytes: &[u8], pages: &Pages) -> Option<Verdict> {
    verify(bytes, pages, &VerifyOptions::at(at(14))).ok()
}

fn is_valid(verdict: Option<&Verdict>) -> bool {
    verdict.is_some_and(|verdict| verdict.verdict == VerdictWord::Valid)
}

/// The codes of the checks that did not pass.
fn codes(verdict: Option<&Verdict>) -> Vec<String> {
    let Some(verdict) = verdict else { return vec!["no-verdict".to_owned()] };
    let checks = verdict.checks.iter().filter(|check| {
        matches!(check.outcome, Outcome::Fail | Outcome::Unknown) && check.code != "not-checked"
    });
    checks.map(|check| check.code.clone()).collect()
}

/// What the system says about this process: a line of its status, in bytes.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

/// The memory in use now. The peak begins anew where the system allows that.
fn rest() -> u64 {
    match std::fs::write("/proc/self/clear_refs", "5") {
        Ok(()) => status("VmRSS:"),
        Err(_) => status("VmHWM:"),
    }
}

/// How long this thread has been on a processor; what else the machine does is not counted. Where the system does not tell, the
/// time that has passed.
fn own_time(since: Instant) -> Duration {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// A measure that sees nothing would let everything pass.
fn check_measures() {
    let (before, began) = (rest(), Instant::now());
    let time_before = own_time(began);
    let taken = vec![7_u8; usize::try_from(MOST_MEMORY).unwrap()];
    assert!(status("VmHWM:") - before >= MOST_MEMORY * 9 / 10, "{} bytes", taken.len());
    while own_time(began) == time_before {
        std::hint::black_box(&taken);
    }
}

/// What became of the mutants of one kind.
#[derive(Default)]
struct Tally {
    n_judged: usize,
    codes: BTreeMap<String, usize>,
    longest: Duration,
    most_memory: u64,
}

/// Judges one mutant. The message names everything that is needed to make it again, and shows it.
fn judge_mutant(kind: Kind, seed: u64, goods: &[Good], tally: &mut Tally) -> Result<(), String> {
    let (good, mutant) = kind.mutate(goods, seed);
    let pages = mutant.pages.as_ref().unwrap_or(&good.pages);
    let shown = || {
        let text = mutant.text.as_ref().unwrap_or(&mutant.bytes);
        let list = mutant.pages.as_ref().and_then(|pages| pages.0.get(good.list_url));
        let list = list.map(|list| String::from_utf8_lossy(list));
        format!(
            "{kind:?} of {} with seed {seed}:\n{}\n{list:?}",
            good.name,
            String::from_utf8_lossy(text)
        )
    };
    let (before, began) = (rest(), Instant::now());
    let time_before = own_time(began);
    let verdict = catch_unwind(AssertUnwindSafe(|| judge(&mutant.bytes, pages)));
    let took = own_time(began).saturating_sub(time_before);
    let memory = status("VmHWM:").saturating_sub(before);
    let Ok(verdict) = verdict else { return Err(format!("a panic: {}", shown())) };
    tally.n_judged += 1;
    tally.longest = tally.longest.max(took);
    tally.most_memory = tally.most_memory.max(memory);
    for code in codes(verdict.as_ref()) {
        *tally.codes.entry(code).or_default() += 1;
    }
    if is_valid(verdict.as_ref()) {
        return Err(format!("valid: {}", shown()));
    }
    if took >= LONGEST {
        return Err(format!("{took:?}: {}", shown()));
    }
    if memory >= MOST_MEMORY {
        return Err(format!("{memory} bytes of memory: {}", shown()));
    }
    Ok(())
}

/// Judges them all, and tells on standard error what became of each kind.
#[expect(clippy::print_stderr, reason = "this is how the process answers")]
fn judge_all() -> Result<(), Vec<String>> {
    check_measures();
    let goods = goods();
    // Everything that is made once is made before memory is measured.
    for good in &goods {
        assert!(is_valid(judge(&good.bytes(), &good.pages).as_ref()), "{}", good.name);
    }
    let mut faults = Vec::new();
    let mut tallies: BTreeMap<Kind, Tally> = BTreeMap::new();
    for n in 0..scale(MUTANTS) {
        let kind = Kind::ALL[n % Kind::ALL.len()];
        let tally = tallies.entry(kind).or_default();
        faults.extend(judge_mutant(kind, n as u64, &goods, tally).err());
    }
    let n_all: usize = tallies.values().map(|tally| tally.n_judged).sum();
    for kind in Kind::ALL {
        let tally = tallies.entry(kind).or_default();
        eprintln!(
            "{kind:?}: {} judged, {:?} and {} KiB at most, {:?}",
            tally.n_judged,
            tally.longest,
            tally.most_memory / 1024,
            tally.codes
        );
        if tally.n_judged < n_all / Kind::ALL.len() {
            faults.push(format!("{kind:?} has not its share"));
        }
        for code in kind.expected().iter().filter(|code| !tally.codes.contains_key(**code)) {
            faults.push(format!("{kind:?} never led to {code}"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Judges all mutants when it is told to; as one test among the others it checks that every good badge is valid.
#[test]
#[expect(clippy::disallowed_methods, reason = "the process is told its work here")]
fn good_badges_are_valid() {
    if std::env::var(ORDER).is_ok() {
        match judge_all() {
            Ok(()) => return,
            Err(faults) => panic!("{} faults\n{}", faults.len(), faults.join("\n\n")),
        }
    }
    for good in goods() {
        let verdict = judge(&good.bytes(), &good.pages);
        assert!(is_valid(verdict.as_ref()), "{}: {verdict:#?}", good.name);
    }
}

#[test]
fn mutants_are_never_valid_and_cost_little() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "mutants::good_badges_are_valid", "--nocapture", "--test-threads=1"])
        .env(ORDER, "all")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    // The process has done what it was told, not only the test that it is otherwise.
    let n_judged: usize = told
        .lines()
        .filter_map(|line| line.split_once(": ")?.1.split_once(" judged")?.0.parse::<usize>().ok())
        .sum();
    assert_eq!(n_judged, scale(MUTANTS), "{told}");
}

#[test]
fn what_is_only_written_in_another_way_is_no_mutant_and_stays_valid() {
    let mut n_checked = 0;
    for good in goods() {
        let mut texts = vec![format!("\n {}\t\r\n", good.text)];
        if !good.is_token() {
            let document = good.document();
            texts.push(serde_json::to_string_pretty(&document).unwrap());
            texts.push(good.text.replace("issuer", "\\u0069ssuer"));
            let mut turned = document;
            turned["issuer"]["type"] = json!("Profile");
            turned["issuer"].as_object_mut().unwrap().remove("url").unwrap();
            for pointer in
                ["/credentialSubject/result", "/credentialSubject/achievement/resultDescription"]
            {
                turned.pointer_mut(pointer).unwrap().as_array_mut().unwrap().reverse();
            }
            texts.push(turned.to_string());
        }
        for text in texts {
            let mutant = Mutant::of_text(&good, text);
            assert!(says_the_same(&good, &mutant));
            if good.carrier == Carrier::Svg && good.is_token() {
                // White space in an attribute is not there for everybody.
                continue;
            }
            let verdict = judge(&mutant.bytes, &good.pages);
            assert!(is_valid(verdict.as_ref()), "{}: {verdict:#?}", good.name);
            n_checked += 1;
        }
        let other = match good.carrier {
            Carrier::Plain => continue,
            // Other chunks with texts, and a language that means nothing.
            Carrier::Png => {
                let language = [good::KEYWORD, b"\0\0en\0Badge\0", good.text.as_bytes()].concat();
                png(&[good::chunk(b"iTXt", &language)], &[good::chunk(b"tEXt", b"Author\0x")])
            }
            Carrier::Svg if good.is_token() => {
                svg(&good.element(&good.text).replace('"', "'")).into()
            }
            Carrier::Svg => {
                let text =
                    good.text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&#34;");
                svg(&format!("<openbadges:credential>{text}</openbadges:credential>")).into_bytes()
            }
        };
        assert!(is_valid(judge(&other, &good.pages).as_ref()), "{}", good.name);
        n_checked += 1;
    }
    assert!(n_checked >= 25, "{n_checked}");
    assert_ne!(png(&[itxt(b"{}")], &[]), png(&[], &[itxt(b"{}")]));
}

#[test]
fn a_changed_value_is_never_taken_for_the_same() {
    let goods = goods();
    let good = &goods[0];
    let with = |change: fn(&mut Value)| {
        let mut document = good.document();
        change(&mut document);
        says_the_same(good, &Mutant::of_text(good, document.to_string()))
    };
    assert!(with(|_| {}));
    assert!(!with(|document| document["name"] = json!("x")));
    assert!(!with(|document| document["@context"].as_array_mut().unwrap().reverse()));
    assert!(!with(|document| document["issuer"]["name"] = json!("x")));
    assert!(!with(|document| document["issuer"]["id"] = json!("x")));
    assert!(!with(|document| {
        document["credentialSubject"]["result"].as_array_mut().unwrap().pop();
    }));
    let twice = good.text.replacen('{', "{\"type\":[],", 1);
    assert!(!says_the_same(good, &Mutant::of_text(good, twice)));
}
