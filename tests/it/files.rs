//! The rules of the evidence store.

use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use assay::files::{
    ALLOWED_MEDIA, DataKey, EvidenceReader, EvidenceStore, FilesError, Incoming, Limits, SealError,
    StorageName, Stored, SweepReport, extension_for, media_type_for_extension, open_bytes,
    seal_bytes,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use zeroize::Zeroizing;

const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
const HEADER: usize = 11;

#[test]
fn stored_file_reads_back_as_it_was_sent() {
    let files = Files::new();
    for size in [5, 6, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5] {
        let content = pdf(size);
        for piece in [1000, CHUNK, 70_001] {
            let stored = files.put_in_pieces("plan.pdf", &content, piece).unwrap();
            assert_eq!(stored.size, size as u64);
            assert_eq!(stored.media_type, "application/pdf");
            assert_eq!(stored.sha256, sha256(&content));
            assert_eq!(
                files.read(&stored.storage_name).unwrap(),
                content,
                "{size} bytes by {piece}"
            );
            let chunks: Vec<Vec<u8>> =
                files.chunks(&stored.storage_name).map(Result::unwrap).collect();
            assert_eq!(chunks.len(), size.div_ceil(CHUNK));
            assert_eq!(chunks.concat(), content);
        }
    }
}

#[test]
fn nothing_on_disk_can_be_read_without_the_key() {
    let files = Files::new();
    let stored = files.put("plan.pdf", &pdf(CHUNK * 2)).unwrap();
    let on_disk = fs::read(files.path(&stored.storage_name)).unwrap();
    assert!(!on_disk.windows(5).any(|window| window == b"%PDF-"));
    assert_eq!(on_disk.len(), HEADER + 2 * (CHUNK + TAG));

    let other = DataKey::random();
    let error =
        files.store.open_file(&stored.storage_name, &other).unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
}

#[test]
fn two_files_of_one_content_differ_on_disk() {
    let files = Files::new();
    let one = files.put("plan.pdf", &pdf(100)).unwrap();
    let two = files.put("plan.pdf", &pdf(100)).unwrap();
    assert_ne!(one.storage_name, two.storage_name);
    assert_eq!(one.sha256, two.sha256);
    assert_ne!(
        fs::read(files.path(&one.storage_name)).unwrap(),
        fs::read(files.path(&two.storage_name)).unwrap()
    );
}

#[test]
fn altered_file_is_refused() {
    const STORED: usize = CHUNK + TAG;
    check_altered("one bit", |bytes| bytes[HEADER + 5] ^= 1);
    check_altered("one bit of the last tag", |bytes| *bytes.last_mut().unwrap() ^= 0x80);
    check_altered("one bit of the prefix", |bytes| bytes[4] ^= 1);
    check_altered("one bit of the form", |bytes| bytes[0] ^= 1);
    check_altered("cut in the header", |bytes| bytes.truncate(6));
    check_altered("cut after the header", |bytes| bytes.truncate(HEADER));
    check_altered("cut at a chunk", |bytes| bytes.truncate(HEADER + STORED));
    check_altered("cut in a chunk", |bytes| bytes.truncate(HEADER + STORED + 100));
    check_altered("cut to a stump of a tag", |bytes| bytes.truncate(HEADER + STORED + 3));
    check_altered("one byte more", |bytes| bytes.push(0));
    check_altered("a chunk left out", |bytes| drop(bytes.drain(HEADER..HEADER + STORED)));
    check_altered("chunks exchanged", |bytes| {
        let (first, rest) = bytes[HEADER..].split_at_mut(STORED);
        first.swap_with_slice(&mut rest[..STORED]);
    });
    check_altered("last chunk repeated", |bytes| bytes.extend_from_within(HEADER + 2 * STORED..));
}

/// Stores three chunks, alters them on disk and expects that reading fails and then ends.
#[track_caller]
fn check_altered(what: &str, alter: impl FnOnce(&mut Vec<u8>)) {
    let files = Files::new();
    let content = pdf(3 * CHUNK - 7);
    let stored = files.put("plan.pdf", &content).unwrap();
    let path = files.path(&stored.storage_name);
    let mut bytes = fs::read(&path).unwrap();
    alter(&mut bytes);
    fs::write(&path, bytes).unwrap();
    let Ok(mut reader) = files.store.open_file(&stored.storage_name, &files.key) else { return };
    let mut given_out = Vec::new();
    let error = loop {
        match reader.next().unwrap_or_else(|| panic!("{what}: read to the end")) {
            Ok(chunk) => given_out.extend(chunk),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::InvalidData, "{what}");
    assert!(content.starts_with(&given_out), "{what}: gave out other bytes");
    assert!(reader.next().is_none(), "{what}: went on after the error");
}

#[test]
fn file_cannot_stand_in_for_another_of_the_same_submission() {
    let files = Files::new();
    let one = files.put("one.pdf", &pdf(100)).unwrap();
    let two = files.put("two.pdf", &pdf(200)).unwrap();
    fs::copy(files.path(&one.storage_name), files.path(&two.storage_name)).unwrap();
    assert_eq!(files.read(&two.storage_name).unwrap_err(), ErrorKind::InvalidData);
}

#[test]
fn limit_holds_to_the_byte_while_the_file_streams() {
    const LIMITS: Limits = Limits { video: 20_000, other: 10_000 };
    check_limit("a.pdf", &pdf(10_000), LIMITS, None);
    check_limit("a.pdf", &pdf(10_001), LIMITS, Some(10_000));
    check_limit("a.txt", "ä".repeat(5_000).as_bytes(), LIMITS, None);
    check_limit("a.txt", format!("{}.", "ä".repeat(5_000)).as_bytes(), LIMITS, Some(10_000));
    check_limit("a.mp4", &mp4(20_000), LIMITS, None);
    check_limit("a.mp4", &mp4(20_001), LIMITS, Some(20_000));
    // MPEG-4 may be a video as long as it streams; the name says that it is not.
    check_limit("a.m4a", &mp4(10_001), LIMITS, Some(10_000));
    // Smaller than what decides about the kind.
    check_limit("a.pdf", &pdf(100), Limits { video: 300, other: 100 }, None);
    check_limit("a.pdf", &pdf(101), Limits { video: 300, other: 100 }, Some(100));
}

/// Sends the file in one piece and in many, and expects the limit to be named, or none.
#[track_caller]
fn check_limit(name: &str, content: &[u8], limits: Limits, expected: Option<u64>) {
    let files = Files::new();
    for piece in [content.len(), 999, 1] {
        let mut incoming = files.store.begin(&files.key, limits).unwrap();
        let result = content
            .chunks(piece)
            .try_for_each(|piece| incoming.write(piece))
            .and_then(|()| incoming.finish(name, &ALLOWED_MEDIA));
        let found = match result {
            Ok(_) => None,
            Err(FilesError::TooLarge { limit }) => Some(limit),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(found, expected, "{name} by {piece}");
    }
}

#[test]
fn too_large_file_stops_before_it_is_whole() {
    let files = Files::new();
    let mut incoming =
        files.store.begin(&files.key, Limits { video: 1 << 30, other: 10_000 }).unwrap();
    incoming.write(&pdf(10_000)).unwrap();
    assert!(matches!(incoming.write(b"x"), Err(FilesError::TooLarge { limit: 10_000 })));
    assert!(matches!(incoming.write(b""), Err(FilesError::TooLarge { limit: 10_000 })));
    assert!(matches!(
        incoming.finish("a.pdf", &ALLOWED_MEDIA),
        Err(FilesError::TooLarge { limit: 10_000 })
    ));
    assert_eq!(files.count("incoming"), 0);
    assert_eq!(files.count("sealed"), 0);
}

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";

/// The beginning of an archive whose first entry has this name.
fn zip_of(name: &str) -> Vec<u8> {
    [b"PK\x03\x04".as_slice(), &[0; 26], name.as_bytes()].concat()
}

#[test]
fn kind_is_believed_when_content_and_name_agree() {
    for (name, content, expected) in [
        ("Plan.PDF", pdf(100), "application/pdf"),
        ("a.b.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0".to_vec(), "image/jpeg"),
        ("a.jpeg", b"\xff\xd8\xff\xe1\0\x10Exif\0".to_vec(), "image/jpeg"),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0".to_vec(), "image/png"),
        ("a.heic", ftyp(b"heic", &[b"mif1", b"heic"]), "image/heic"),
        ("a.heif", ftyp(b"mif1", &[b"heic"]), "image/heic"),
        ("a.mp4", ftyp(b"isom", &[b"iso2", b"avc1", b"mp41"]), "video/mp4"),
        ("a.mp4", ftyp(b"3gp5", &[]), "video/mp4"),
        ("a.mp4", ftyp(b"XYZ1", &[b"mp42"]), "video/mp4"),
        ("a.m4v", ftyp(b"M4V ", &[]), "video/mp4"),
        ("a.m4a", ftyp(b"M4A ", &[b"isom"]), "audio/mp4"),
        ("a.m4a", ftyp(b"mp42", &[]), "audio/mp4"),
        ("IMG_1.MOV", ftyp(b"qt  ", &[b"qt  "]), "video/quicktime"),
        ("a.mp3", b"ID3\x04\0\0\0\0\x02\x01rest".to_vec(), "audio/mpeg"),
        ("a.mp3", b"\xff\xfb\x90\x44\0\0".to_vec(), "audio/mpeg"),
        ("a.docx", zip_of("[Content_Types].xml"), DOCX),
        ("Plan.XLSX", zip_of("xl/workbook.xml"), XLSX),
        ("a.pptx", zip_of("_rels/.rels"), PPTX),
        ("a.txt", "\u{feff}Größe: 1 < 2\r\n\tfein".as_bytes().to_vec(), "text/plain"),
    ] {
        let stored = Files::new().put(name, &content).unwrap();
        assert_eq!(stored.media_type, expected, "{name}");
    }
}

#[test]
fn content_that_its_name_does_not_say_is_refused() {
    for (name, content, found) in [
        ("a.pdf", b"\x7fELF\x02\x01\x01\0".to_vec(), "a program"),
        ("a.pdf", b"MZ\x90\0\x03\0".to_vec(), "a program"),
        ("a.pdf", b"<!DOCTYPE html><p>%PDF-".to_vec(), "a web page"),
        ("a.pdf", b"PK\x03\x04\x14\0".to_vec(), "an archive"),
        ("a.pdf", zip_of("word/document.xml"), "an Office document"),
        ("a.docm", zip_of("word/document.xml"), "an Office document"),
        ("a.docx", zip_of("mimetypeapplication/vnd.oasis.opendocument.text"), "an archive"),
        (
            "a.docx",
            b"\xd0\xcf\x11\xe0".to_vec(),
            "an Office document that is old or has a password",
        ),
        ("a.pdf", b"\n%PDF-1.7 later".to_vec(), "text/plain"),
        ("a.pdf", b"\xff\xd8\xff\xe0".to_vec(), "image/jpeg"),
        ("a.jpg", pdf(100), "application/pdf"),
        ("a.txt", pdf(100), "application/pdf"),
        ("a.txt", b" \n<ScRiPt>alert(1)</script>".to_vec(), "a web page"),
        ("a.txt", b"<svg onload=x>".to_vec(), "a web page"),
        ("a.txt", b"\xff\xfeU\0T\0F\0".to_vec(), "of an unknown kind"),
        ("a.txt", b"cut \xc3".to_vec(), "of an unknown kind"),
        ("a.txt", b"bell \x07".to_vec(), "of an unknown kind"),
        ("a.txt", b"nothing \0".to_vec(), "of an unknown kind"),
        ("a.txt", "c1 \u{85}".as_bytes().to_vec(), "of an unknown kind"),
        ("a.docx", b"PK\x03\x04\x14\0".to_vec(), "an archive"),
        ("a.gif", b"GIF89a\x01\0".to_vec(), "a GIF image"),
        ("a.mp4", ftyp(b"qt  ", &[]), "video/quicktime"),
        ("a.mov", ftyp(b"isom", &[]), "MPEG-4"),
        ("a.m4a", ftyp(b"M4V ", &[]), "video/mp4"),
        ("a.heic", ftyp(b"avif", &[b"mif1"]), "an image of an unknown kind"),
        ("a.mp4", ftyp(b"XYZ1", &[b"XYZ2"]), "a video of an unknown kind"),
        ("a.mp4", b"\0\0\0\x07ftypisom\0\0\0\0".to_vec(), "of an unknown kind"),
        ("a.mp4", b"\xff\xff\xff\xffftypisom\0\0\0\0".to_vec(), "of an unknown kind"),
        ("a.mp3", b"\xff\xf1\x50\x80\0\0".to_vec(), "of an unknown kind"),
        ("a.mp3", b"ID3\x04\0\0\0\0\x82\x01rest".to_vec(), "of an unknown kind"),
        ("a", pdf(100), "application/pdf"),
        ("pdf", pdf(100), "application/pdf"),
        ("a.pdf.exe", pdf(100), "application/pdf"),
        ("", pdf(100), "application/pdf"),
        ("a.pdf\0", pdf(100), "application/pdf"),
        ("a.pdf/", pdf(100), "application/pdf"),
    ] {
        let files = Files::new();
        match files.put(name, &content) {
            Err(FilesError::UnsupportedType { found: label, allowed, .. }) => {
                assert_eq!(label, found, "{name}");
                assert_eq!(allowed, ALLOWED_MEDIA, "{name}");
            }
            other => panic!("{name} ({found}): {other:?}"),
        }
        assert_eq!(files.count("incoming") + files.count("sealed"), 0, "{name}");
    }
}

#[test]
fn kind_must_be_allowed_here() {
    let files = Files::new();
    let mut incoming = files.store.begin(&files.key, Limits::default()).unwrap();
    incoming.write(&pdf(100)).unwrap();
    let error = incoming.finish("plan.pdf", &["image/png", "image/jpeg"]).unwrap_err();
    insta::assert_snapshot!(error, @"the content is application/pdf and the name says application/pdf; accepted are image/png, image/jpeg");
}

#[test]
fn late_bytes_still_decide_that_text_is_no_text() {
    let files = Files::new();
    let text = "Zeile mit Umlauten: äöü\n".repeat(10_000);
    assert_eq!(files.put("a.txt", text.as_bytes()).unwrap().media_type, "text/plain");
    for late in [&b"\0"[..], b"\xc3", b"\xc3(", b"\x1b[2J"] {
        let content = [text.as_bytes(), late].concat();
        assert!(
            matches!(files.put("a.txt", &content), Err(FilesError::UnsupportedType { .. })),
            "{late:?}"
        );
    }
}

proptest! {
    #[test]
    fn text_is_text_however_it_is_cut(text in "([a-zé€😀\n\t\r]){1,40}", cuts in prop::collection::vec(1_usize..5, 1..20)) {
        prop_assert!(is_text(text.as_bytes(), &cuts));
    }

    #[test]
    fn broken_text_is_broken_however_it_is_cut(
        bytes in prop::collection::vec(any::<u8>(), 1..40),
        cuts in prop::collection::vec(1_usize..5, 1..20),
    ) {
        let clean = std::str::from_utf8(&bytes)
            .is_ok_and(|text| !text.chars().any(|c| c.is_control() && !"\t\n\r".contains(c)));
        // Nothing that short and random is markup or a file of another kind, but a space before "<p" might be.
        prop_assume!(!bytes.contains(&b'<'));
        prop_assert_eq!(is_text(&bytes, &cuts), clean);
    }
}

/// Whether the bytes, sent in pieces of these sizes, pass as text.
fn is_text(bytes: &[u8], cuts: &[usize]) -> bool {
    let files = Files::new();
    let mut incoming = files.store.begin(&files.key, Limits::default()).unwrap();
    let mut rest = bytes;
    for &cut in cuts.iter().cycle() {
        let (now, later) = rest.split_at(cut.min(rest.len()));
        incoming.write(now).unwrap();
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    incoming.finish("a.txt", &ALLOWED_MEDIA).is_ok()
}

#[test]
fn empty_file_is_refused() {
    let files = Files::new();
    assert!(matches!(files.put("a.txt", b""), Err(FilesError::Empty)));
    assert_eq!(files.count("incoming"), 0);
}

#[test]
fn dropped_upload_leaves_nothing() {
    let files = Files::new();
    let mut incoming = files.store.begin(&files.key, Limits::default()).unwrap();
    incoming.write(&pdf(3 * CHUNK)).unwrap();
    assert_eq!(files.count("incoming"), 1);
    drop(incoming);
    assert_eq!(files.count("incoming"), 0);
}

#[test]
fn only_the_service_may_look_into_the_folders() {
    let files = Files::new();
    let stored = files.put("a.pdf", &pdf(10)).unwrap();
    for path in ["incoming", "sealed"] {
        assert_eq!(mode(&files.folder.path().join(path)), 0o700, "{path}");
    }
    assert_eq!(mode(&files.path(&stored.storage_name)), 0o600);

    let sealed = files.folder.path().join("sealed");
    fs::set_permissions(&sealed, fs::Permissions::from_mode(0o755)).unwrap();
    EvidenceStore::open(files.folder.path().to_owned()).unwrap();
    assert_eq!(mode(&sealed), 0o700);
}

#[test]
fn storage_name_cannot_lead_out_of_its_folder() {
    for name in
        ["", ".", "..", "../sealed", "/etc/passwd", "0123456789abcdef0123456789abcde", "a/b"]
    {
        assert!(StorageName::parse(name).is_err(), "{name}");
    }
    assert!(StorageName::parse("0123456789abcdef0123456789abcdeF").is_err());
    assert!(StorageName::parse("0123456789abcdef0123456789abcde/").is_err());
    let name = StorageName::parse("0123456789abcdef0123456789abcdef").unwrap();
    assert_eq!(name.to_string(), "0123456789abcdef0123456789abcdef");
}

#[test]
fn removed_file_is_gone() {
    let files = Files::new();
    let stored = files.put("a.pdf", &pdf(10)).unwrap();
    assert!(files.store.remove(&stored.storage_name).unwrap());
    assert!(!files.store.remove(&stored.storage_name).unwrap());
    assert!(matches!(
        files.store.open_file(&stored.storage_name, &files.key),
        Err(FilesError::NotFound)
    ));
}

#[test]
fn sweep_finds_orphans_both_ways() {
    let files = Files::new();
    let kept = files.put("a.pdf", &pdf(10)).unwrap().storage_name;
    let orphan = files.put("b.pdf", &pdf(10)).unwrap().storage_name;
    let lost = files.put("c.pdf", &pdf(10)).unwrap().storage_name;
    files.store.remove(&lost).unwrap();
    // What a crash leaves: the process ends, and nothing is dropped.
    std::mem::forget(files.store.begin(&files.key, Limits::default()).unwrap());
    fs::write(files.folder.path().join("sealed/README"), "not ours").unwrap();

    let known = |name: &StorageName| *name == kept || *name == lost;
    let later = SystemTime::now() + Duration::from_secs(3600);
    let earlier = SystemTime::UNIX_EPOCH;
    let names = [kept.clone(), lost.clone()];
    assert_eq!(
        files.store.sweep(&known, earlier).unwrap(),
        SweepReport { removed_orphans: 0, removed_unfinished: 0, foreign: 1 }
    );
    assert_eq!(
        files.store.sweep(&known, later).unwrap(),
        SweepReport { removed_orphans: 1, removed_unfinished: 1, foreign: 1 }
    );
    assert_eq!(files.store.missing(&names).unwrap(), [lost]);
    assert!(files.path(&kept).exists());
    assert!(!files.path(&orphan).exists());
    assert!(files.folder.path().join("sealed/README").exists());
}

#[test]
fn sealed_value_opens_only_with_its_key_and_context() {
    let key = DataKey::random();
    let sealed = seal_bytes(&key, b"an answer", b"response 7").unwrap();
    assert_eq!(open_bytes(&key, &sealed, b"response 7").unwrap(), b"an answer");
    assert_ne!(sealed, seal_bytes(&key, b"an answer", b"response 7").unwrap());

    assert_eq!(open_bytes(&DataKey::random(), &sealed, b"response 7"), Err(SealError::Unauthentic));
    assert_eq!(open_bytes(&key, &sealed, b"response 8"), Err(SealError::Unauthentic));
    for length in 0..sealed.len() {
        assert_eq!(
            open_bytes(&key, &sealed[..length], b"response 7"),
            Err(SealError::Unauthentic),
            "{length}"
        );
    }
    for position in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[position] ^= 1;
        assert_eq!(
            open_bytes(&key, &altered, b"response 7"),
            Err(SealError::Unauthentic),
            "{position}"
        );
    }
}

#[test]
fn data_key_survives_its_wrapping_and_is_never_shown() {
    let key = DataKey::random();
    let sealed = seal_bytes(&key, b"x", b"").unwrap();
    let again = DataKey::from_bytes(Zeroizing::new(*key.as_bytes()));
    assert_eq!(open_bytes(&again, &sealed, b"").unwrap(), b"x");
    assert_eq!(format!("{again:?}"), "DataKey(..)");
    assert_ne!(key.as_bytes(), DataKey::random().as_bytes());
}

#[test]
fn every_allowed_kind_has_a_neutral_ending() {
    for media_type in ALLOWED_MEDIA {
        let extension = extension_for(media_type).unwrap();
        assert_eq!(media_type_for_extension(extension), Some(media_type));
    }
    assert_eq!(extension_for("text/html"), None);
    assert_eq!(media_type_for_extension("html"), None);
}

#[test]
fn files_may_move_between_threads() {
    let files = Files::new();
    let mut incoming: Incoming = files.store.begin(&files.key, Limits::default()).unwrap();
    let stored = thread::spawn(move || {
        incoming.write(&pdf(100)).unwrap();
        incoming.finish("a.pdf", &ALLOWED_MEDIA).unwrap()
    });
    let reader: EvidenceReader =
        files.store.open_file(&stored.join().unwrap().storage_name, &files.key).unwrap();
    let content = thread::spawn(move || reader.map(Result::unwrap).collect::<Vec<_>>().concat());
    assert_eq!(content.join().unwrap(), pdf(100));
}

/// A store of its own folder, with one submission's key.
struct Files {
    folder: TempDir,
    store: EvidenceStore,
    key: DataKey,
}

impl Files {
    fn new() -> Files {
        let folder = tempfile::tempdir().unwrap();
        let store = EvidenceStore::open(folder.path().to_owned()).unwrap();
        Files { folder, store, key: DataKey::random() }
    }

    fn put(&self, name: &str, content: &[u8]) -> Result<Stored, FilesError> {
        self.put_in_pieces(name, content, 10_000)
    }

    fn put_in_pieces(
        &self,
        name: &str,
        content: &[u8],
        piece: usize,
    ) -> Result<Stored, FilesError> {
        let mut incoming = self.store.begin(&self.key, Limits::default())?;
        for piece in content.chunks(piece) {
            incoming.write(piece)?;
        }
        incoming.finish(name, &ALLOWED_MEDIA)
    }

    fn read(&self, name: &StorageName) -> Result<Vec<u8>, ErrorKind> {
        let mut content = Vec::new();
        let mut reader = self.store.open_file(name, &self.key).unwrap();
        reader.read_to_end(&mut content).map_err(|error| error.kind())?;
        Ok(content)
    }

    fn chunks(&self, name: &StorageName) -> impl Iterator<Item = std::io::Result<Vec<u8>>> {
        self.store.open_file(name, &self.key).unwrap()
    }

    fn path(&self, name: &StorageName) -> PathBuf {
        self.folder.path().join("sealed").join(name.as_str())
    }

    fn count(&self, folder: &str) -> usize {
        fs::read_dir(self.folder.path().join(folder)).unwrap().count()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// So many bytes that begin like a PDF and never repeat at the length of a chunk.
fn pdf(size: usize) -> Vec<u8> {
    let body = (0..size).map(|i| (i % 251) as u8);
    b"%PDF-".iter().copied().chain(body).take(size).collect()
}

fn mp4(size: usize) -> Vec<u8> {
    let mut content = ftyp(b"mp42", &[b"isom"]);
    content.resize(size, 0);
    content
}

fn ftyp(major: &[u8; 4], compatible: &[&[u8; 4]]) -> Vec<u8> {
    let size = u32::try_from(16 + 4 * compatible.len()).unwrap();
    let mut content = size.to_be_bytes().to_vec();
    content.extend_from_slice(b"ftyp");
    content.extend_from_slice(major);
    content.extend_from_slice(&[0, 0, 2, 0]);
    content.extend(compatible.iter().copied().flatten());
    content.extend_from_slice(b"\0\0\0\x08free");
    content
}
