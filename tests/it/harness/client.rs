//! People who talk to the service over HTTP.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder};
use serde_json::{Value, json};

/// Somebody with an HTTP client, signed in or not.
#[derive(Clone)]
pub struct Person {
    /// Their id; empty for strangers.
    pub id: String,
    /// Their address; empty for strangers.
    pub email: String,
    /// Their access token; empty for strangers.
    pub token: String,
    /// The token to refresh it with.
    pub refresh_token: String,
    origin: String,
    client: Client,
}

/// What the service answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body as JSON; null when it is none.
    pub json: Value,
    /// The body as bytes.
    pub bytes: Vec<u8>,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
}

impl Answer {
    /// The body, if the status is this.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self.json
    }

    /// The code of a problem document, which is checked to be a whole one of the answer's status.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert_eq!(
            self.headers.get("content-type").map(String::as_str),
            Some("application/problem+json"),
            "{self:?}"
        );
        assert_eq!(self.json["status"], self.status);
        for member in ["type", "title", "detail", "request_id"] {
            assert!(
                self.json[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member} of {}",
                self.json
            );
        }
        let code = self.json["code"].as_str().unwrap().to_owned();
        assert_eq!(self.json["type"], format!("/problems/{code}"));
        assert_eq!(
            self.headers.get("x-request-id").map(String::as_str),
            self.json["request_id"].as_str()
        );
        code
    }

    /// The codes of a problem's single faults, with their pointers.
    pub fn faults(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let errors = self.json["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
    }

    /// The entity tag.
    #[track_caller]
    pub fn etag(&self) -> String {
        self.headers.get("etag").expect("an ETag").clone()
    }
}

impl Person {
    /// A stranger.
    pub fn anonymous(origin: &str) -> Person {
        // The service is asked over plain HTTP. Without roots of its own, each of a few thousand clients would read all those of the
        // system first.
        let client = Client::builder()
            .tls_certs_only([])
            .timeout(Duration::from_secs(60))
            // The service closes what lies idle; a request must not be sent into a connection that is being closed just then.
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        Person {
            id: String::new(),
            email: String::new(),
            token: String::new(),
            refresh_token: String::new(),
            origin: origin.to_owned(),
            client: client.build().unwrap(),
        }
    }

    /// Signs in.
    #[track_caller]
    pub fn sign_in(origin: &str, email: &str, password: &str) -> Person {
        let stranger = Person::anonymous(origin);
        let body = json!({ "email": email, "password": password });
        let tokens = stranger.post("/api/v1/sessions", &body).expect(201);
        let token = tokens["access_token"].as_str().unwrap().to_owned();
        let refresh_token = tokens["refresh_token"].as_str().unwrap().to_owned();
        let person = Person { token, refresh_token, email: email.to_owned(), ..stranger };
        let id = person.get("/api/v1/me").expect(200)["id"].as_str().unwrap().to_owned();
        Person { id, ..person }
    }

    /// The same person with other tokens.
    pub fn with_tokens(&self, token: &str, refresh_token: &str) -> Person {
        let (token, refresh_token) = (token.to_owned(), refresh_token.to_owned());
        Person { token, refresh_token, ..self.clone() }
    }

    /// A request with the person's token, to be finished by the caller.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.origin));
        if self.token.is_empty() { request } else { request.bearer_auth(&self.token) }
    }

    /// Sends a request.
    #[track_caller]
    pub fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().unwrap();
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let bytes = response.bytes().unwrap().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Answer { status, json, bytes, headers }
    }

    /// `GET`
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path))
    }

    /// `GET` in a form.
    #[track_caller]
    pub fn get_as(&self, path: &str, accept: &str) -> Answer {
        self.send(self.request(Method::GET, path).header("accept", accept))
    }

    /// `GET` with no more headers than a request must have; the client itself would send `Accept: */*`.
    #[track_caller]
    pub fn bare_get(&self, path: &str) -> Answer {
        use std::io::{Read, Write};
        let address = self.origin.strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).unwrap();
        let end = received.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(received[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let bytes = received[end + 4..].to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Answer { status, json, bytes, headers }
    }

    /// `POST` with a JSON body.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body))
    }

    /// `POST` without a body.
    #[track_caller]
    pub fn act(&self, path: &str) -> Answer {
        self.send(self.request(Method::POST, path))
    }

    /// `PUT` with the entity tag that was read.
    #[track_caller]
    pub fn put(&self, path: &str, etag: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).header("if-match", etag).json(body))
    }

    /// `PATCH` with the entity tag that was read.
    #[track_caller]
    pub fn patch(&self, path: &str, etag: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).header("if-match", etag).json(body))
    }

    /// `DELETE`
    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path))
    }

    /// Uploads a file as evidence.
    #[track_caller]
    pub fn upload(
        &self,
        submission: &str,
        requirement: &str,
        file_name: &str,
        bytes: &[u8],
    ) -> Answer {
        let part = reqwest::blocking::multipart::Part::bytes(bytes.to_vec())
            .file_name(file_name.to_owned());
        let form = reqwest::blocking::multipart::Form::new()
            .text("requirement_id", requirement.to_owned())
            .part("file", part);
        let path = format!("/api/v1/submissions/{submission}/evidence");
        self.send(self.request(Method::POST, &path).multipart(form))
    }
}
