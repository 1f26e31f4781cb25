//! `assay export --static`: the public documents as plain files that any web host can serve. `assay export --organization`: what an
//! organization has made, in open formats.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{resources, say};
use crate::config::Settings;
use crate::domain::audit::hex;
use crate::domain::ids::OrganizationId;
use crate::service::district_records::{self, Fill, RecordFiles, RecordOptions};
use crate::service::static_export::{PublicFile, write_all};
use crate::service::{Error, district_export};

/// The list of the files, and the mark of a folder that an export may renew.
const MANIFEST: &str = "assay-export.json";
/// Where the records of people lie.
const RECORDS: &str = "records";
/// What whoever puts the files on a web host has to know.
const NOTE: &str = "README.txt";

/// What is written, and where.
#[derive(Args)]
pub struct ExportArgs {
    /// The folder for the files: a new or empty one, or one of an earlier export, which is renewed.
    #[arg(long = "static", value_name = "FOLDER", required_unless_present = "organization")]
    folder: Option<PathBuf>,
    /// What this organization and those below it have made, instead of the public documents: definitions, rubrics, frameworks, stacks,
    /// charters, templates, endorsements, proposals and badges.
    #[arg(long, value_name = "ID", requires = "to", conflicts_with = "folder")]
    organization: Option<OrganizationId>,
    /// The folder for that: a new or empty one, or one of an earlier export.
    #[arg(long, value_name = "FOLDER", requires = "organization")]
    to: Option<PathBuf>,
    /// With --organization: also people, programmes with invitees, submissions with decisions, readings, awards, credit and the trail.
    /// They hold personal data; that they were written is noted in the audit trail.
    #[arg(long, requires = "organization")]
    records: bool,
    /// With --records: who read what. Without, readers have pseudonyms, and events that would tell are withheld.
    #[arg(long, requires = "records")]
    with_names: bool,
    /// With --records: the files that were handed in, decrypted.
    #[arg(long, requires = "records")]
    evidence: bool,
    /// Write the badges as well. They are public by their address, and a web host may list addresses.
    #[arg(long)]
    with_credentials: bool,
    /// Print the list of files as JSON.
    #[arg(long)]
    json: bool,
}

/// Writes the files. Each is moved to its place whole, so that a host that serves the folder meanwhile never serves half of one.
pub fn run(settings: &Settings, args: &ExportArgs) -> anyhow::Result<ExitCode> {
    crate::telemetry::start("warn");
    let resources = resources::open(settings)?;
    let Some(folder) = args.folder.as_ref().or(args.to.as_ref()) else {
        bail!("name a folder with --static or --to");
    };
    let earlier = prepare(folder)?;
    let mut listed: Vec<Value> = Vec::new();
    let base_url = resources.as_system(|cx| Ok(cx.installation()?.base_url))?;
    if earlier.is_empty() {
        // From now on it is a folder of ours, so that an export that breaks off can be begun anew.
        let begun = json!({ "base_url": base_url, "files": [] });
        write_whole(&folder.join(MANIFEST), format!("{begun:#}\n").as_bytes())?;
    }
    resources.as_system(|cx| {
        let mut emit = |file: PublicFile| {
            put(folder, &file).map_err(|error| Error::internal(format!("{error:#}")))?;
            listed.push(json!({
                "path": file.path,
                "media_type": file.media_type,
                "sha256": hex(&Sha256::digest(&file.bytes)),
            }));
            Ok(())
        };
        match args.organization {
            Some(organization) => district_export::write_all(cx, organization, &mut emit)?,
            None => write_all(cx, args.with_credentials, &mut emit)?,
        }
        match args.organization.filter(|_| args.records) {
            Some(organization) => {
                let options =
                    RecordOptions { with_names: args.with_names, with_evidence: args.evidence };
                let mut files = Records { folder, listed: &mut listed };
                district_records::write_all(cx, organization, options, &mut files)
            }
            None => Ok(()),
        }
    })?;
    let now: Vec<&str> = listed.iter().filter_map(|file| file["path"].as_str()).collect();
    for old in earlier.iter().filter(|old| !now.contains(&old.as_str())) {
        // A key that was given up meanwhile must not be published any more.
        let path = folder.join(old);
        if path.is_file() {
            std::fs::remove_file(&path)
                .with_context(|| format!("{} cannot be removed", path.display()))?;
        }
    }
    if args.organization.is_some() {
        // An export that broke off has left files that no list names, and these are about people.
        sweep(&folder.join(RECORDS), folder, &now.iter().copied().collect())?;
    }
    let words = match args.organization {
        Some(_) if args.records => format!("{OWN_NOTE}{RECORDS_NOTE}"),
        Some(_) => format!("{OWN_NOTE}{MADE_NOTE}"),
        None => note(&base_url),
    };
    write_whole(&folder.join(NOTE), words.as_bytes())?;
    let manifest = json!({ "base_url": base_url, "files": listed });
    write_whole(&folder.join(MANIFEST), format!("{manifest:#}\n").as_bytes())?;
    if args.json {
        say(&manifest.to_string());
    } else if args.organization.is_some() {
        say(&format!("{} files written to {} (see {NOTE})", listed.len(), folder.display()));
    } else {
        say(&format!(
            "{} files written to {}; serve the folder at {base_url}/ (see {NOTE})",
            listed.len(),
            folder.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Removes every file below a folder that is not listed, and the folders that are empty then.
fn sweep(below: &Path, folder: &Path, listed: &BTreeSet<&str>) -> anyhow::Result<()> {
    if !below.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(below)? {
        let path = entry?.path();
        let name = path.strip_prefix(folder).ok().and_then(Path::to_str);
        if path.is_dir() && !path.is_symlink() {
            sweep(&path, folder, listed)?;
        } else if !name.is_some_and(|name| listed.contains(name)) {
            std::fs::remove_file(&path)
                .with_context(|| format!("{} cannot be removed", path.display()))?;
        }
    }
    if std::fs::read_dir(below)?.next().is_none() {
        std::fs::remove_dir(below)
            .with_context(|| format!("{} cannot be removed", below.display()))?;
    }
    Ok(())
}

/// Files of records in a folder. They are for nobody but the operator to read.
struct Records<'a> {
    folder: &'a Path,
    listed: &'a mut Vec<Value>,
}

impl RecordFiles for Records<'_> {
    fn file(
        &mut self,
        path: &str,
        media_type: &'static str,
        fill: &mut Fill<'_>,
    ) -> Result<(), Error> {
        let target = self.folder.join(path);
        let cannot = |error: &dyn std::fmt::Display| {
            Error::internal(format!("{} cannot be written: {error}", target.display()))
        };
        let parent = target.parent().unwrap_or(self.folder);
        std::fs::create_dir_all(parent).map_err(|error| cannot(&error))?;
        let file = tempfile::NamedTempFile::new_in(parent).map_err(|error| cannot(&error))?;
        let mut out = Hashing { to: std::io::BufWriter::new(file), hasher: Sha256::new() };
        fill(&mut out)?;
        let file = out.to.into_inner().map_err(|error| cannot(&error))?;
        file.as_file().sync_all().map_err(|error| cannot(&error))?;
        file.persist(&target).map_err(|error| cannot(&error))?;
        let sha256 = hex(&out.hasher.finalize());
        self.listed.push(json!({ "path": path, "media_type": media_type, "sha256": sha256 }));
        Ok(())
    }
}

/// What is written, with the hash of it.
struct Hashing {
    to: std::io::BufWriter<tempfile::NamedTempFile>,
    hasher: Sha256,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n_bytes = self.to.write(bytes)?;
        self.hasher.update(bytes.get(..n_bytes).unwrap_or(bytes));
        Ok(n_bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

/// Makes the folder, or reads which files an earlier export has left in it.
fn prepare(folder: &Path) -> anyhow::Result<Vec<String>> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    let manifest = folder.join(MANIFEST);
    if manifest.is_file() {
        let text = std::fs::read(&manifest)
            .with_context(|| format!("{} cannot be read", manifest.display()))?;
        let manifest: Value = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not the list of an export", manifest.display()))?;
        let files = manifest["files"].as_array().into_iter().flatten();
        let paths = files.filter_map(|file| file["path"].as_str()).filter(|path| is_below(path));
        return Ok(paths.map(str::to_owned).collect());
    }
    if std::fs::read_dir(folder)?.next().is_some() {
        bail!(
            "{} is not empty and holds no earlier export; name a new or empty folder",
            folder.display()
        );
    }
    Ok(Vec::new())
}

/// Whether a path of a manifest stays below its folder.
fn is_below(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

fn put(folder: &Path, file: &PublicFile) -> anyhow::Result<()> {
    let path = folder.join(&file.path);
    let parent = path.parent().unwrap_or(folder);
    // An issuer that has got a did:web since is a folder now, and the other way round.
    if parent.is_file() {
        std::fs::remove_file(parent)?;
    }
    if path.is_dir() {
        std::fs::remove_dir_all(&path)?;
    }
    std::fs::create_dir_all(parent)
        .with_context(|| format!("the folder {} cannot be made", parent.display()))?;
    write_whole(&path, &file.bytes)
}

fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let cannot = || format!("{} cannot be written", path.display());
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
    file.write_all(bytes).with_context(cannot)?;
    // Unlike a temporary file, these are for everybody to read.
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).with_context(cannot)?;
    file.as_file().sync_all().with_context(cannot)?;
    file.persist(path).with_context(cannot)?;
    Ok(())
}

/// What whoever gets an organization's own work has to know.
const OWN_NOTE: &str = "What an organization and those below it have made.\n\
    \n\
    definitions/ follow micro-credential.schema.json, rubrics/ and frameworks/ are packages of CASE 1.1, stacks/ and charters/ follow their\n\
    schemas, templates/ and endorsements/ are signed (a detached JWS over the RFC 8785 form), credentials/ are badges of Open Badges 3.0 as\n\
    they were signed, awards.csv has a line for each.\n\
    \n\
    assay-export.json lists every file with its SHA-256. Keys are not in it: see assay key export. Badges are public by their address;\n\
    whoever has this folder has all of them.\n";

/// What is said where records were not asked for.
const MADE_NOTE: &str = "\n\
    People are in it by ids alone, and what belongs to earners (submissions, evidence, feedback) is not in it; --records adds it.\n";

/// What each file of the records is.
const RECORDS_NOTE: &str = "\n\
    records/ is what people have done. It holds personal data of earners and staff, and free text in which they may name others: keep it\n\
    as you keep personnel files, and delete it when it is no longer needed.\n\
    \n\
    people.csv            a line for each membership: person, name, address, organization, state, roles. The one file that turns ids\n\
    \x20                     into names; leave it out when you hand the others on.\n\
    programs/ID/          invitees.csv, changes.ndjson, and figures.json with the figures as everybody of the programme is told them.\n\
    submissions.ndjson    a JSON object a line: states, answers, items of evidence with their SHA-256, decision with levels and feedback,\n\
    \x20                     cases. answers are null where the time for keeping them is over, or nothing was handed in.\n\
    reviews.ndjson        a line for each reading, with its sheet once it is locked. reader is a pseudonym of this export, with --with-names\n\
    \x20                     the person's id.\n\
    evidence/, .csv       with --evidence: the files as they were handed in, under the names they are stored by, and a table of them.\n\
    awards.csv            every award with its earner, its submission or stack, and where it stands.\n\
    credit-ledger.csv     what was given for awards in minor units; negative in lines of what was taken back.\n\
    audit-events.ndjson   the trail of these organizations. hash is SHA-256 over previous_hash, seq, id, happened_at, actor_id,\n\
    \x20                     organization_id, verb, object_kind, object_id and detail, each preceded by its length in bytes and a colon (null\n\
    \x20                     is empty). Where withheld is true, the event would tell who read what, or which work is known.\n\
    audit-links.csv       the hash of every event of the installation: that of seq N is the previous_hash of seq N + 1.\n\
    \n\
    Known work of assessors and its levels, passwords, tokens and keys are in none of it. Files are read one after the other: run the\n\
    export while the service stands still if all of it has to be of one moment.\n";

fn note(base_url: &str) -> String {
    format!(
        "The public documents of {base_url}, for verifying badges without the service that issued them.\n\
         \n\
         Serve this folder so that each file answers at {base_url}/ and its path, for instance\n\
         {base_url}/status-lists/... for status-lists/... . Files without a suffix are JSON: if your host\n\
         can be told media types, {MANIFEST} has the right one of each file; verifiers do not need it.\n\
         Where an issuer is a folder, its profile is the folder's index.html, which holds JSON as well.\n\
         Let other origins read the files (Access-Control-Allow-Origin: *) for verifiers in browsers.\n\
         \n\
         Nothing here is secret. The status lists say which badges are revoked as of the export: run the export\n\
         again after each revocation for as long as the service lives. contexts/ holds the JSON-LD contexts and the\n\
         schema that badges name, for verifiers that keep copies.\n"
    )
}
