//! The rules of mail: what the letters say, and how they leave.

mod award_letters;
mod process_letters;

use std::error::Error as _;
use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::{Duration, Instant, UNIX_EPOCH};

use assay::mail::templates::{self, Badge, Decision, Invitation, SubmissionReceived};
use assay::mail::{
    MailError, MailSettingError, Mailer, Message, MessageId, PermanentCause, TransientCause,
};
use chrono::NaiveDate;
use insta::assert_snapshot;
use tempfile::TempDir;

use crate::harness::{Answers, SmtpServer};

const FROM: &str = "Assay <no-reply@badges.example.org>";
const LINK: &str = "https://badges.example.org/invitations#token=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4=equals=3D";

#[test]
fn letter_reaches_the_mail_server_whole() {
    let server = SmtpServer::start(Answers::default());
    let mailer = mailer(&server, "");
    mailer.send(&letter()).unwrap();
    let delivered = server.delivered();
    assert_eq!(delivered.len(), 1);
    assert_eq!(delivered[0].from, "<no-reply@badges.example.org>");
    assert_eq!(delivered[0].to, ["<ana@school.example.org>"]);
    assert_snapshot!(delivered[0].data, @r#"
    Message-ID: <0190b6c0-7a1e-7000-8000-000000000001@badges.example.org>
    Date: Wed, 18 Nov 2026 11:06:40 +0000
    From: Assay <no-reply@badges.example.org>
    To: "Ana Ruiz" <ana@school.example.org>
    Subject: You are invited to join Riverbend School District
    Auto-Submitted: auto-generated
    MIME-Version: 1.0
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: 7bit

    Hello Ana Ruiz,

    Grace Okafor has invited you to join Riverbend School District as an earner and an assessor.

    To accept, open this link and choose a password:

    https://badges.example.org/invitations#token=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4=equals=3D

    The link is yours alone, so please do not pass it on. It works until
    28 November 2026; after that, ask Riverbend School District for a new one.

    If you did not expect this invitation, you can ignore it. Nothing happens
    unless you accept.
    "#);
}

#[test]
fn second_try_carries_the_same_message_id() {
    let server = SmtpServer::start(Answers::default());
    let mailer = mailer(&server, "");
    mailer.send(&letter()).unwrap();
    mailer.send(&letter()).unwrap();
    let delivered = server.delivered();
    assert_eq!(delivered.len(), 2);
    assert_eq!(
        delivered[0].header("Message-ID"),
        "<0190b6c0-7a1e-7000-8000-000000000001@badges.example.org>"
    );
    assert_eq!(delivered[0].data, delivered[1].data);
}

#[test]
fn refusal_is_permanent_and_putting_off_is_not() {
    let refused = |code| {
        matches!(code, MailError::Permanent { cause: PermanentCause::Refused { code: 550 } })
    };
    check_answer(
        Answers { to: "550 5.1.1 <ana@school.example.org>: no such user", ..Answers::default() },
        refused,
    );
    check_answer(
        Answers { data: "554 5.7.1 spam from ana@school.example.org", ..Answers::default() },
        |error| {
            matches!(error, MailError::Permanent { cause: PermanentCause::Refused { code: 554 } })
        },
    );
    check_answer(
        Answers { to: "451 4.7.1 greylisted, ana@school.example.org", ..Answers::default() },
        |error| {
            matches!(error, MailError::Transient { cause: TransientCause::PutOff { code: 451 } })
        },
    );
    check_answer(Answers { from: "421 4.3.2 shutting down", ..Answers::default() }, |error| {
        matches!(error, MailError::Transient { cause: TransientCause::PutOff { code: 421 } })
    });
    // About us, not about the letter: it must not be given up.
    check_answer(
        Answers { from: "530 5.7.0 authentication required", ..Answers::default() },
        |error| {
            matches!(error, MailError::Transient { cause: TransientCause::Login { code: 530 } })
        },
    );
    check_answer(Answers { from: "hello?", ..Answers::default() }, |error| {
        matches!(error, MailError::Transient { cause: TransientCause::Protocol })
    });
}

/// Sends to a server that answers so, and expects such an error, without the address in it.
#[track_caller]
fn check_answer(answers: Answers, expected: impl Fn(MailError) -> bool) {
    let server = SmtpServer::start(answers);
    let error = mailer(&server, "").send(&letter()).unwrap_err();
    let mut words = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    assert!(!words.contains("ana@") && !words.contains("school"), "{words}");
    assert!(expected(error), "{words}");
    assert_eq!(server.delivered().len(), 0);
}

#[test]
fn mail_server_out_of_reach_is_transient_and_quick() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outbox = tempfile::tempdir().unwrap();
    let mailer =
        Mailer::from_setting(Some(&format!("smtp://{gone}")), outbox.path(), FROM).unwrap();
    let started = Instant::now();
    let error = mailer.send(&letter()).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5));
    let MailError::Transient { cause: TransientCause::Connection { kind } } = error else {
        panic!("{error:?}")
    };
    assert_eq!(kind, ErrorKind::ConnectionRefused);
}

#[test]
fn no_letter_leaves_when_required_encryption_is_missing() {
    let server = SmtpServer::start(Answers::default());
    let error = mailer(&server, "?tls=required").send(&letter()).unwrap_err();
    assert!(matches!(error, MailError::Transient { cause: TransientCause::Protocol }), "{error:?}");
    assert!(
        !server.commands().iter().any(|command| command.starts_with("MAIL")),
        "{:?}",
        server.commands()
    );

    mailer(&server, "?tls=opportunistic").send(&letter()).unwrap();
    assert_eq!(server.delivered().len(), 1);
}

#[test]
fn setting_is_a_url_that_keeps_logins_encrypted() {
    let outbox = tempfile::tempdir().unwrap();
    let check = |url: &str, expected: Option<MailSettingError>| {
        assert_eq!(Mailer::from_setting(Some(url), outbox.path(), FROM).err(), expected, "{url}");
    };
    check("smtp://mail.example.org", None);
    check("smtp://user:pass@mail.example.org", None);
    check("smtp://user:p%40ss@mail.example.org:2525/ehlo.example.org?tls=required", None);
    check("smtps://user:pass@mail.example.org", None);
    check("smtp://mail.example.org?tls=none", None);
    check("smtp://user:pass@localhost:2525", None);
    check("smtp://user:pass@[::1]", None);
    check("smtp://user:pass@mail.example.org?tls=none", Some(MailSettingError::LoginWithoutTls));
    check(
        "smtp://user:pass@mail.example.org?tls=opportunistic",
        Some(MailSettingError::LoginWithoutTls),
    );
    check("smtp://mail.example.org?tls=maybe", Some(MailSettingError::Parameter));
    check("smtp://mail.example.org?ssl=1", Some(MailSettingError::Parameter));
    check("smtp://mail.example.org?tls=none&tls=required", Some(MailSettingError::Parameter));
    check("https://mail.example.org", Some(MailSettingError::Scheme));
    check("smtp:mail.example.org", Some(MailSettingError::Host));
    check("mail.example.org", Some(MailSettingError::Url));
    let sender = Mailer::from_setting(None, outbox.path(), "nobody");
    assert_eq!(sender.err(), Some(MailSettingError::Sender));
    let mailer =
        Mailer::from_setting(Some("smtps://user:secret@mail.example.org"), outbox.path(), FROM)
            .unwrap();
    assert_eq!(format!("{mailer:?}"), "Mailer(smtp)");
}

#[test]
fn header_stays_one_header_whatever_people_type() {
    let outbox = Outbox::new();
    outbox
        .send(&Message {
            to_name: "Ana\r\nBcc: eve@example.org\r\n".into(),
            subject: "Hello\r\nX-Evil: 1\r\n\r\nbody\u{0}\u{85}".into(),
            ..letter()
        })
        .unwrap();
    let eml = outbox.only_file();
    let (head, body) = eml.split_once("\r\n\r\n").unwrap();
    let names: Vec<&str> = head
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split_once(':').unwrap().0)
        .collect();
    assert_eq!(
        names,
        [
            "Message-ID",
            "Date",
            "From",
            "To",
            "Subject",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type",
            "Content-Transfer-Encoding"
        ]
    );
    assert!(head.contains(" <ana@school.example.org>\r\nSubject:"), "{head}");
    assert!(head.contains("\r\nSubject: Hello X-Evil: 1 body\r\n"), "{head}");
    assert!(body.starts_with("Hello Ana"), "{body}");

    let error = outbox
        .send(&Message {
            to_address: "ana@school.example.org\r\nBcc: eve@example.org".into(),
            ..letter()
        })
        .unwrap_err();
    assert!(matches!(error, MailError::Permanent { cause: PermanentCause::Address }), "{error:?}");
}

#[test]
fn malformed_address_is_permanent() {
    let outbox = Outbox::new();
    for address in [
        "",
        "ana",
        "ana@",
        "@school.example.org",
        "ana@a b",
        "<ana@b.example>",
        "a@b.example, c@d.example",
    ] {
        let error = outbox.send(&Message { to_address: address.into(), ..letter() }).unwrap_err();
        assert!(
            matches!(error, MailError::Permanent { cause: PermanentCause::Address }),
            "{address}: {error:?}"
        );
    }
    assert_eq!(outbox.files().len(), 0);
}

#[test]
fn outbox_holds_each_letter_once() {
    let outbox = Outbox::new();
    outbox.send(&letter()).unwrap();
    outbox.send(&Message { text: "Second try".into(), ..letter() }).unwrap();
    assert_eq!(outbox.files(), ["0190b6c0-7a1e-7000-8000-000000000001@badges.example.org.eml"]);
    assert!(outbox.only_file().ends_with("Second try"));
    outbox
        .send(&Message {
            message_id: MessageId::new("other", "badges.example.org").unwrap(),
            ..letter()
        })
        .unwrap();
    assert_eq!(outbox.files().len(), 2);
}

#[test]
fn link_can_be_copied_from_the_file() {
    let outbox = Outbox::new();
    for name in ["Ana", "Zoë Ñandú", "李 雷"] {
        let (subject, text) =
            templates::invitation(&Invitation { name, ..an_invitation() }).unwrap();
        outbox.send(&Message { to_name: name.into(), subject, text, ..letter() }).unwrap();
        let eml = outbox.only_file();
        assert!(eml.contains(&format!("\r\n{LINK}\r\n")), "{eml}");
        let expected = if name.is_ascii() { "7bit" } else { "8bit" };
        assert!(eml.contains(&format!("\r\nContent-Transfer-Encoding: {expected}\r\n")), "{eml}");
    }
}

#[test]
fn text_that_cannot_travel_as_it_is_is_encoded() {
    let server = SmtpServer::start(Answers::default());
    let mailer = mailer(&server, "");
    for (text, encoding) in [
        ("plain\n.\nstill the same letter\n".to_owned(), "7bit"),
        ("x".repeat(998), "7bit"),
        ("x".repeat(999), "quoted-printable"),
        ("Viele liebe Grüße".to_owned(), "quoted-printable"),
        ("你好，世界".to_owned(), "base64"),
    ] {
        mailer.send(&Message { text, ..letter() }).unwrap();
        assert_eq!(
            server.delivered().last().unwrap().header("Content-Transfer-Encoding"),
            encoding
        );
    }
    assert!(server.delivered()[0].data.ends_with("\n\nplain\n.\nstill the same letter\n"));

    let outbox = Outbox::new();
    outbox.send(&Message { text: "one\rtwo\0\u{1b}[2J\r\nthree".into(), ..letter() }).unwrap();
    assert!(outbox.only_file().ends_with("\r\n\r\nonetwo[2J\r\nthree"));
}

#[test]
fn message_id_is_safe_as_header_and_as_file_name() {
    for (local, host) in [
        ("", "h"),
        ("a", ""),
        ("a/b", "h"),
        ("..", "h"),
        (".a", "h"),
        ("a", "h>"),
        ("a b", "h"),
        ("a\r\n", "h"),
        ("ä", "h"),
        ("a@b", "h"),
    ] {
        assert!(MessageId::new(local, host).is_err(), "{local}@{host}");
    }
    assert!(MessageId::new(&"a".repeat(101), "h").is_err());
    assert!(MessageId::parse("no-at-sign").is_err());
    assert_eq!(MessageId::parse("a-1@h.example").unwrap().as_str(), "a-1@h.example");
}

#[test]
fn message_is_not_shown_in_logs() {
    assert_snapshot!(format!("{:?}", letter()), @r#"Message { message_id: MessageId("0190b6c0-7a1e-7000-8000-000000000001@badges.example.org"), .. }"#);
}

#[test]
fn invitation_says_who_what_and_until_when() {
    let (subject, text) = templates::invitation(&an_invitation()).unwrap();
    assert_snapshot!(subject, @"You are invited to join Riverbend School District");
    assert_snapshot!(text, @r"
    Hello Ana Ruiz,

    Grace Okafor has invited you to join Riverbend School District as an earner and an assessor.

    To accept, open this link and choose a password:

    https://badges.example.org/invitations#token=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4=equals=3D

    The link is yours alone, so please do not pass it on. It works until
    28 November 2026; after that, ask Riverbend School District for a new one.

    If you did not expect this invitation, you can ignore it. Nothing happens
    unless you accept.
    ");
    let (_, text) =
        templates::invitation(&Invitation { inviter: None, roles: &[], ..an_invitation() })
            .unwrap();
    assert_snapshot!(text.lines().nth(2).unwrap(), @"Riverbend School District has invited you to join as a member.");
}

#[test]
fn receipt_promises_a_day() {
    let received = SubmissionReceived {
        name: "Ana Ruiz",
        title: "Facilitating Number Talks",
        attempt: 1,
        due_on: NaiveDate::from_ymd_opt(2026, 12, 4).unwrap(),
        link: "https://badges.example.org/submissions/1",
    };
    let (subject, text) = templates::submission_received(&received).unwrap();
    assert_snapshot!(subject, @r#"We have your submission for "Facilitating Number Talks""#);
    assert_snapshot!(text, @r#"
    Hello Ana Ruiz,

    Thank you for sharing your work. Your submission for "Facilitating Number Talks" has arrived safely.

    What happens next: trained assessors read it against the public rubric. They
    do not know who you are, and you will not know who they are. You will hear
    from us by 4 December 2026.

    You can see how far it has come at any time:

    https://badges.example.org/submissions/1

    There is nothing more for you to do now.
    "#);
    let (_, text) =
        templates::submission_received(&SubmissionReceived { attempt: 2, ..received }).unwrap();
    assert_snapshot!(text.lines().nth(2).unwrap(), @r#"Thank you for sharing your work. Your submission for "Facilitating Number Talks" (attempt 2) has arrived safely."#);
}

#[test]
fn decision_is_told_with_respect() {
    let decision = Decision {
        name: "Ana Ruiz",
        title: "Facilitating Number Talks",
        earned: true,
        is_held: false,
        link: "https://badges.example.org/submissions/1",
    };
    let (_, held) = templates::decision(&Decision { is_held: true, ..decision }).unwrap();
    assert!(held.contains("You hold this badge already") && !held.contains("signed"), "{held}");
    let (subject, text) = templates::decision(&decision).unwrap();
    assert_snapshot!(subject, @r#"You have earned "Facilitating Number Talks""#);
    assert_snapshot!(text, @r#"
    Hello Ana Ruiz,

    Congratulations! Your work met the rubric, and you have earned "Facilitating Number Talks".

    The assessors' feedback is waiting for you here:

    https://badges.example.org/submissions/1

    What happens next: your badge is being prepared and signed. It will reach you
    in a mail of its own within one working day. There is nothing more for you
    to do.
    "#);
    let (subject, text) = templates::decision(&Decision { earned: false, ..decision }).unwrap();
    assert_snapshot!(subject, @r#"Your feedback for "Facilitating Number Talks" is ready"#);
    assert_snapshot!(text, @r#"
    Hello Ana Ruiz,

    Your submission for "Facilitating Number Talks" has been read with care.
    It does not yet show everything that the rubric asks for. The feedback is
    ready. It says what is already strong, and what is still missing:

    https://badges.example.org/submissions/1

    What happens next is up to you. You may hand in new work whenever you are
    ready.

    If you think that the review went wrong, you may appeal within 30 days of
    this decision. The page behind the link shows how.
    "#);
}

#[test]
fn badge_comes_with_its_public_page() {
    let badge = Badge {
        name: "Ana Ruiz",
        title: "Facilitating Number Talks",
        organization: "Riverbend School District",
        link: "https://badges.example.org/credentials/1",
    };
    let (subject, text) = templates::badge(&badge).unwrap();
    assert_snapshot!(subject, @"Your badge: Facilitating Number Talks");
    assert_snapshot!(text, @r#"
    Hello Ana Ruiz,

    Here is your badge for "Facilitating Number Talks", issued by Riverbend School District:

    https://badges.example.org/credentials/1

    The page is yours to share. Put its link in an application, a profile or a
    mail. From the page you can also download the badge as a file and keep it in
    any Open Badges wallet.

    Anybody you show it to can check it, free of charge and without an account:
    the page says whether the badge is valid today, what you did to earn it and
    how it was assessed.
    "#);
}

#[test]
fn name_cannot_pretend_to_be_a_paragraph() {
    let name = "Ana,\n\nyour account is locked. Go to\nhttps://evil.example.org\n";
    let (subject, text) =
        templates::invitation(&Invitation { name, organization: name, ..an_invitation() }).unwrap();
    assert_eq!(subject.lines().count(), 1);
    assert!(
        text.starts_with("Hello Ana, your account is locked. Go to https://evil.example.org,\n\n"),
        "{text}"
    );
    assert!(!text.lines().any(|line| line.starts_with("https://evil")), "{text}");
}

fn letter() -> Message {
    let (subject, text) = templates::invitation(&an_invitation()).unwrap();
    Message {
        message_id: MessageId::new("0190b6c0-7a1e-7000-8000-000000000001", "badges.example.org")
            .unwrap(),
        date: UNIX_EPOCH + Duration::from_secs(1_795_000_000),
        to_name: "Ana Ruiz".into(),
        to_address: "ana@school.example.org".into(),
        subject,
        text,
    }
}

fn an_invitation() -> Invitation<'static> {
    Invitation {
        name: "Ana Ruiz",
        organization: "Riverbend School District",
        inviter: Some("Grace Okafor"),
        roles: &["an earner", "an assessor"],
        link: LINK,
        expires_on: NaiveDate::from_ymd_opt(2026, 11, 28).unwrap(),
    }
}

/// A mailer that sends to this server.
fn mailer(server: &SmtpServer, query: &str) -> Mailer {
    let outbox = tempfile::tempdir().unwrap();
    Mailer::from_setting(Some(&server.url(query)), outbox.path(), FROM).unwrap()
}

/// A mailer that writes into a folder of its own.
struct Outbox {
    folder: TempDir,
    mailer: Mailer,
}

impl Outbox {
    fn new() -> Outbox {
        let folder = tempfile::tempdir().unwrap();
        let mailer = Mailer::from_setting(None, &folder.path().join("mail"), FROM).unwrap();
        Outbox { folder, mailer }
    }

    fn send(&self, message: &Message) -> Result<(), MailError> {
        self.mailer.send(message)
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("mail")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn only_file(&self) -> String {
        let names = self.files();
        assert_eq!(names.len(), 1);
        fs::read_to_string(self.folder.path().join("mail").join(&names[0])).unwrap()
    }
}
