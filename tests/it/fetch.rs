//! The rules of the guarded client, against servers on loopback.

use std::error::Error as _;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, RwLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use assay::fetch::{Bounds, Client, FetchError, FetchPolicy, PUBLIC_SENTENCE, is_global};

const JSON: &str = "application/json";

#[test]
fn mapped_url_is_read_from_its_other_place() {
    let server = Server::start(|stream, _path| reply(stream, "200 OK", "", b"{\"a\":1}"));
    let client = mapped("https://badges.example/base", &format!("{}/deep/er/", server.url()));
    for (url, path) in [
        ("https://badges.example/base", "/deep/er"),
        ("https://badges.example/base/", "/deep/er/"),
        ("https://badges.example:443/base/a%20b?q=1#key-1", "/deep/er/a%20b?q=1"),
        ("HTTPS://BADGES.example/base/x/../y", "/deep/er/y"),
    ] {
        assert_eq!(client.get(url, JSON, 100).unwrap(), b"{\"a\":1}", "{url}");
        let seen = server.last();
        assert_eq!(seen.path, path, "{url}");
        assert!(seen.has_header("accept: application/json"), "{:?}", seen.headers);
        assert!(seen.has_header("accept-encoding: identity"), "{:?}", seen.headers);
        assert!(
            !seen.headers.iter().any(|header| header.starts_with("cookie")),
            "{:?}",
            seen.headers
        );
    }
}

#[test]
fn map_holds_for_whole_hosts_and_segments_only() {
    let server = Server::start(|stream, _path| reply(stream, "200 OK", "", b"no"));
    let client = mapped("https://badges.example/base", &server.url());
    for url in [
        "http://badges.example/base/x",
        "https://badges.example:8443/base/x",
        "https://user@badges.example/base/x",
        "https://badges.example.127.0.0.1/base/x",
    ] {
        assert!(client.get(url, JSON, 100).is_err(), "{url}");
    }
    let localhost = mapped("https://localhost/base", &server.url());
    for url in ["https://localhost/basement", "https://localhost/", "https://localhost/base/../x"] {
        let error = localhost.get(url, JSON, 100).unwrap_err();
        assert!(matches!(error, FetchError::AddressNotGlobal { .. }), "{url}: {error:?}");
    }
    assert_eq!(server.count(), 0);
}

#[test]
fn url_map_must_be_made_of_base_urls() {
    for url in [
        "",
        "badges.example",
        "ftp://a.example",
        "https://u@a.example",
        "https://a.example/?q",
        "https://a.example/#f",
    ] {
        for (from, to) in [(url, "http://127.0.0.1:1"), ("https://a.example", url)] {
            let policy = FetchPolicy {
                base_url_maps: vec![(from.into(), to.into())],
                ..FetchPolicy::default()
            };
            assert_eq!(Client::new(policy).unwrap_err().url, url);
        }
    }
}

#[test]
fn only_public_https_is_requested() {
    let server = Server::start(|stream, _path| reply(stream, "200 OK", "", b"no"));
    let port = server.address.port();
    let client = Client::new(FetchPolicy::default()).unwrap();
    let check = |url: &str, expected: fn(&FetchError) -> bool| {
        let error = client.get(url, JSON, 100).unwrap_err();
        assert!(expected(&error), "{url}: {error:?}");
        assert_eq!(error.to_string(), PUBLIC_SENTENCE);
    };
    check(&format!("http://127.0.0.1:{port}/"), |error| matches!(error, FetchError::Scheme));
    check(&format!("http://localhost:{port}/"), |error| matches!(error, FetchError::Scheme));
    check(&format!("https://localhost:{port}/"), |error| matches!(error, FetchError::Port));
    check("file:///etc/passwd", |error| matches!(error, FetchError::Scheme));
    check("https://badges.example:80/", |error| matches!(error, FetchError::Port));
    check("https://user:password@badges.example/", |error| matches!(error, FetchError::Userinfo));
    check("https://@127.0.0.1/", |error| matches!(error, FetchError::IpLiteral));
    for host in [
        "127.0.0.1",
        "[::1]",
        "0x7f.1",
        "2130706433",
        "017700000001",
        "127.1",
        "10.0.0.1",
        "8.8.8.8",
    ] {
        check(&format!("https://{host}/"), |error| matches!(error, FetchError::IpLiteral));
    }
    check("https://localhost/", |error| matches!(error, FetchError::AddressNotGlobal { .. }));
    check("https://LOCALHOST/", |error| matches!(error, FetchError::AddressNotGlobal { .. }));
    check("https://", |error| matches!(error, FetchError::InvalidUrl { .. }));
    check("no url", |error| matches!(error, FetchError::InvalidUrl { .. }));
    check(&format!("https://badges.example/{}", "a".repeat(3000)), |error| {
        matches!(error, FetchError::UrlTooLong)
    });
    assert_eq!(server.count(), 0);
}

#[test]
fn failure_shows_one_sentence_and_keeps_its_cause() {
    let error = Client::new(FetchPolicy::default()).unwrap().get("no url", JSON, 1).unwrap_err();
    assert_eq!(error.to_string(), PUBLIC_SENTENCE);
    assert!(error.source().is_some());
}

#[test]
fn offline_client_opens_no_connection() {
    let server = Server::start(|stream, _path| reply(stream, "200 OK", "", b"no"));
    let policy = FetchPolicy { offline: true, ..policy("https://a.example", &server.url()) };
    let client = Client::new(policy).unwrap();
    assert!(matches!(client.get("https://a.example/x", JSON, 100), Err(FetchError::Offline)));
    assert_eq!(server.count(), 0);
}

#[test]
fn document_may_have_the_limit_and_not_one_byte_more() {
    for with_length in [true, false] {
        let server = Server::start(move |stream, _path| {
            if with_length {
                reply(stream, "200 OK", "", &[b'x'; 5000]);
            } else {
                let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
                let _ = stream.write_all(&[head.as_bytes(), &[b'x'; 5000]].concat());
            }
        });
        let client = mapped("https://a.example", &server.url());
        assert_eq!(client.get("https://a.example/", JSON, 5000).unwrap().len(), 5000);
        let error = client.get("https://a.example/", JSON, 4999).unwrap_err();
        assert!(matches!(error, FetchError::TooLarge { limit: 4999 }), "{error:?}");
    }
}

#[test]
fn endless_document_is_cut_off() {
    let server = Server::start(|stream, _path| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let error = mapped("https://a.example", &server.url())
        .get("https://a.example/", JSON, 100_000)
        .unwrap_err();
    assert!(matches!(error, FetchError::TooLarge { limit: 100_000 }), "{error:?}");
}

#[test]
fn compressed_document_is_refused() {
    let server = Server::start(|stream, _path| {
        reply(stream, "200 OK", "Content-Encoding: gzip\r\n", b"\x1f\x8b")
    });
    let error = mapped("https://a.example", &server.url())
        .get("https://a.example/", JSON, 100)
        .unwrap_err();
    assert!(matches!(error, FetchError::Encoded), "{error:?}");
}

#[test]
fn other_status_than_200_is_no_document() {
    for (line, status) in [
        ("404 Not Found", 404),
        ("206 Partial Content", 206),
        ("500 Oops", 500),
        ("304 Not Modified", 304),
    ] {
        let server = Server::start(move |stream, _path| reply(stream, line, "", b""));
        let error = mapped("https://a.example", &server.url())
            .get("https://a.example/", JSON, 100)
            .unwrap_err();
        assert!(
            matches!(error, FetchError::Status { status: found } if found == status),
            "{error:?}"
        );
    }
}

#[test]
fn deadline_covers_the_whole_exchange() {
    // Never answers.
    check_deadline(|stream, _path| drop(stream.read(&mut [0])));
    // Answers and then falls silent.
    check_deadline(|stream, _path| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx");
        let _ = stream.read(&mut [0]);
    });
    // Each byte comes in time, the whole does not.
    check_deadline(|stream, _path| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        dribble(stream);
    });
    // So do the redirects.
    check_deadline(|stream, _path| {
        pause(stream);
        pause(stream);
        pause(stream);
        reply(stream, "302 Found", "Location: /next\r\n", b"");
    });
}

#[test]
fn nothing_goes_on_long_after_the_deadline() {
    let (hung_up, hang_ups) = mpsc::channel();
    check_deadline(move |stream, _path| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        dribble(stream);
        hung_up.send(()).unwrap();
    });
    hang_ups.recv_timeout(Duration::from_secs(5)).unwrap();
}

/// Fetches with a deadline of 300 ms and expects that it is kept.
#[track_caller]
fn check_deadline(serve: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) {
    let server = Server::start(serve);
    let policy = FetchPolicy {
        deadline: Duration::from_millis(300),
        ..policy("https://a.example", &server.url())
    };
    let client = Client::new(policy).unwrap();
    let started = Instant::now();
    let error = client.get("https://a.example/", JSON, 100_000).unwrap_err();
    let took = started.elapsed();
    assert!(matches!(error, FetchError::Deadline), "{error:?}");
    assert!((Duration::from_millis(290)..Duration::from_secs(2)).contains(&took), "{took:?}");
}

#[test]
fn three_redirects_are_followed_and_a_fourth_is_not() {
    let server = Server::start(|stream, path| {
        let left: u32 = path.trim_start_matches('/').parse().unwrap();
        if left == 0 {
            reply(stream, "200 OK", "", b"there");
        } else {
            let status =
                ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
                    [left as usize % 5];
            reply(stream, status, &format!("Location: /{}\r\n", left - 1), b"");
        }
    });
    let client = mapped("https://a.example", &server.url());
    assert_eq!(client.get("https://a.example/3", JSON, 100).unwrap(), b"there");
    assert_eq!(server.count(), 4);
    let error = client.get("https://a.example/4", JSON, 100).unwrap_err();
    assert!(matches!(error, FetchError::TooManyRedirects), "{error:?}");
    assert_eq!(server.count(), 8);
}

#[test]
fn redirect_cannot_leave_the_map() {
    let other = Server::start(|stream, _path| reply(stream, "200 OK", "", b"secret"));
    let other_url = other.url();
    let server = Server::start(move |stream, path| {
        let location = match path {
            "/base/loopback" => format!("{other_url}/x"),
            "/base/private" => "https://10.0.0.1/x".to_owned(),
            "/base/metadata" => "http://169.254.169.254/latest/meta-data".to_owned(),
            "/base/public" => "https://elsewhere.example/x".to_owned(),
            "/base/up" => "/x".to_owned(),
            "/base/dots" => "../x".to_owned(),
            "/base/login" => "//user@localhost/".to_owned(),
            "/base/file" => "file:///etc/passwd".to_owned(),
            "/base/itself" => "https://a.example/end".to_owned(),
            "/base/relative" => "end".to_owned(),
            _ => return reply(stream, "200 OK", "", b"end"),
        };
        reply(stream, "302 Found", &format!("Location: {location}\r\n"), b"");
    });
    let client = mapped("https://a.example", &format!("{}/base", server.url()));
    for path in ["loopback", "private", "metadata", "public", "up", "dots", "file"] {
        let error = client.get(&format!("https://a.example/{path}"), JSON, 100).unwrap_err();
        assert!(matches!(error, FetchError::RedirectLeavesMap), "{path}: {error:?}");
    }
    let error = client.get("https://a.example/login", JSON, 100).unwrap_err();
    assert!(matches!(error, FetchError::Userinfo), "{error:?}");
    for path in ["itself", "relative"] {
        assert_eq!(
            client.get(&format!("https://a.example/{path}"), JSON, 100).unwrap(),
            b"end",
            "{path}"
        );
    }
    assert_eq!(other.count(), 0);
}

#[test]
fn redirect_cannot_leave_the_origin_where_that_matters() {
    let other = Server::start(|stream, _path| reply(stream, "200 OK", "", b"other"));
    let server = Server::start(|stream, path| {
        let location = match path {
            "/base/host" => "https://b.example/x",
            "/base/port" => "https://a.example:8443/x",
            "/base/scheme" => "http://a.example/x",
            "/base/above" => "/x",
            "/base/itself" => "https://a.example/end",
            "/base/relative" => "end",
            _ => return reply(stream, "200 OK", "", b"end"),
        };
        reply(stream, "302 Found", &format!("Location: {location}\r\n"), b"");
    });
    let base_url_maps = ["https://b.example", "https://a.example:8443", "http://a.example"]
        .map(|from| (from.to_owned(), other.url()))
        .into_iter()
        .chain([("https://a.example".to_owned(), format!("{}/base", server.url()))])
        .collect();
    let client = Client::new(FetchPolicy { base_url_maps, ..FetchPolicy::default() }).unwrap();
    let get = |path: &str, same_origin| {
        let bounds = Bounds { accept: JSON, max_bytes: 100, same_origin, until: None };
        client.get_within(&format!("https://a.example/{path}"), &bounds)
    };
    for path in ["host", "port", "scheme"] {
        assert_eq!(get(path, false).unwrap(), b"other", "{path}");
    }
    assert_eq!(other.count(), 3);
    for path in ["host", "port", "scheme", "above"] {
        let error = get(path, true).unwrap_err();
        assert!(matches!(error, FetchError::RedirectLeavesOrigin), "{path}: {error:?}");
    }
    assert_eq!(other.count(), 3);
    for path in ["itself", "relative", "end"] {
        assert_eq!(get(path, true).unwrap(), b"end", "{path}");
    }
}

#[test]
fn caller_may_have_less_time_than_the_client() {
    let server = Server::start(|stream, _path| drop(stream.read(&mut [0])));
    let client = mapped("https://a.example", &server.url());
    let get = |until| {
        let bounds =
            Bounds { accept: JSON, max_bytes: 100, same_origin: false, until: Some(until) };
        client.get_within("https://a.example/", &bounds).unwrap_err()
    };
    let started = Instant::now();
    assert!(matches!(get(started), FetchError::Deadline));
    assert_eq!(server.count(), 0);
    assert!(matches!(get(started + Duration::from_millis(300)), FetchError::Deadline));
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[test]
fn redirect_needs_a_place_to_go() {
    let server = Server::start(|stream, _path| reply(stream, "302 Found", "", b""));
    let error = mapped("https://a.example", &server.url())
        .get("https://a.example/", JSON, 100)
        .unwrap_err();
    assert!(matches!(error, FetchError::RedirectWithoutLocation), "{error:?}");
}

#[test]
fn connection_that_breaks_is_an_error_of_its_own() {
    let server = Server::start(|stream, _path| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this");
    });
    let error = mapped("https://a.example", &server.url())
        .get("https://a.example/", JSON, 5000)
        .unwrap_err();
    assert!(matches!(error, FetchError::Read { .. }), "{error:?}");

    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = mapped("https://a.example", &format!("http://{gone}"))
        .get("https://a.example/", JSON, 5000)
        .unwrap_err();
    assert!(matches!(error, FetchError::Http { .. }), "{error:?}");
}

#[test]
fn fetches_under_way_are_bounded() {
    let (arrived, arrivals) = mpsc::channel();
    let gate = Arc::new(RwLock::new(()));
    let closed = gate.write().unwrap();
    let waiting = Arc::clone(&gate);
    let server = Server::start(move |stream, _path| {
        arrived.send(()).unwrap();
        drop(waiting.read().unwrap());
        reply(stream, "200 OK", "", b"fine");
    });
    let deadline = Duration::from_secs(60);
    let client =
        Client::new(FetchPolicy { deadline, ..policy("https://a.example", &server.url()) })
            .unwrap();
    let get = || client.clone().get("https://a.example/", JSON, 100);
    thread::scope(|scope| {
        let under_way: Vec<_> = (0..32).map(|_| scope.spawn(get)).collect();
        arrivals.iter().take(32).for_each(drop);
        let error = get().unwrap_err();
        assert!(matches!(error, FetchError::Busy), "{error:?}");
        drop(closed);
        for fetch in under_way {
            assert_eq!(fetch.join().unwrap().unwrap(), b"fine");
        }
    });
    assert_eq!(get().unwrap(), b"fine");
}

#[actix_web::test]
async fn fetch_is_safe_within_a_runtime() {
    let server = Server::start(|stream, _path| reply(stream, "200 OK", "", b"fine"));
    let client = mapped("https://a.example", &server.url());
    assert_eq!(client.get("https://a.example/", JSON, 100).unwrap(), b"fine");
}

#[test]
fn only_public_addresses_are_global() {
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "192.175.48.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "::8.8.8.8",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "2620:4f:8000::1",
        "3fff::1",
        "3fff:fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ] {
        assert!(!is_global(address.parse().unwrap()), "{address}");
    }
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.0.1",
        "169.255.0.1",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.0.1",
        "192.169.0.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a00:1450::1",
        "3ffe::1",
    ] {
        assert!(is_global(address.parse().unwrap()), "{address}");
    }
}

fn policy(from: &str, to: &str) -> FetchPolicy {
    FetchPolicy { base_url_maps: vec![(from.to_owned(), to.to_owned())], ..FetchPolicy::default() }
}

fn mapped(from: &str, to: &str) -> Client {
    Client::new(policy(from, to)).unwrap()
}

/// One request as the server saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    path: String,
    headers: Vec<String>,
}

impl Seen {
    fn has_header(&self, header: &str) -> bool {
        self.headers.iter().any(|seen| seen == header)
    }
}

/// An HTTP server on loopback: one request a connection.
pub struct Server {
    address: SocketAddr,
    connections: Arc<Mutex<usize>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub fn start(serve: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(Mutex::new(0));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (counted, recorded, serve) =
            (Arc::clone(&connections), Arc::clone(&seen), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                *counted.lock().unwrap() += 1;
                let (recorded, serve) = (Arc::clone(&recorded), Arc::clone(&serve));
                thread::spawn(move || {
                    let Some(request) = read_head(&stream) else { return };
                    recorded.lock().unwrap().push(request.clone());
                    serve(&mut stream, &request.path);
                });
            }
        });
        Server { address, connections, seen }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn count(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    fn last(&self) -> Seen {
        self.seen.lock().unwrap().last().unwrap().clone()
    }
}

fn read_head(stream: &TcpStream) -> Option<Seen> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers =
        lines.take_while(|line| !line.is_empty()).map(|line| line.to_ascii_lowercase()).collect();
    Some(Seen { path, headers })
}

pub fn reply(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n",
        body.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

/// Sends a byte now and then until the client has had enough.
fn dribble(stream: &mut TcpStream) {
    while pause(stream) && stream.write_all(b"x").is_ok() {}
}

/// Waits for a moment. Returns whether the client is still there.
fn pause(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    stream
        .read(&mut [0])
        .is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}
