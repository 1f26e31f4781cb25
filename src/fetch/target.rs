//! Where a request may go.

use url::{Host, Origin, Url};

use crate::fetch::client::{FetchError, FetchPolicyError};

/// The most bytes of a URL that is looked at.
const MAX_URL_BYTES: usize = 2048;

/// A URL that may be requested.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// On the public internet: https, port 443, and this host name. Its addresses are not checked yet.
    Public { url: Url, host: String },
    /// Under a base URL that the operator chose.
    Mapped { url: Url, base: Base },
}

impl Target {
    /// Judges a URL that a caller or a document named. Returns its origin as well, as it was named.
    pub(super) fn parse(url: &str, maps: &Maps) -> Result<(Target, Origin), FetchError> {
        if url.len() > MAX_URL_BYTES {
            return Err(FetchError::UrlTooLong);
        }
        let url = Url::parse(url).map_err(|source| FetchError::InvalidUrl { source })?;
        let origin = url.origin();
        Ok((Target::judge(url, maps)?, origin))
    }

    /// Judges where a redirect from here leads. It stays on `only_origin`, if there is one: the origin that was
    /// named, or the place to which the operator has mapped it.
    pub(super) fn redirect(
        &self,
        location: &str,
        maps: &Maps,
        only_origin: Option<&Origin>,
    ) -> Result<Target, FetchError> {
        if location.len() > MAX_URL_BYTES {
            return Err(FetchError::UrlTooLong);
        }
        let next = self.url().join(location).map_err(|source| FetchError::InvalidUrl { source })?;
        let leaves_origin = || only_origin.is_some_and(|only| next.origin() != *only);
        match self {
            Target::Public { .. } if leaves_origin() => Err(FetchError::RedirectLeavesOrigin),
            Target::Public { .. } => Target::judge(next, maps),
            Target::Mapped { base, .. } => {
                refuse_userinfo(&next)?;
                if base.contains(&next) {
                    Ok(Target::Mapped { url: without_fragment(next), base: base.clone() })
                } else if leaves_origin() {
                    Err(FetchError::RedirectLeavesOrigin)
                } else {
                    // The server behind the map may speak of itself by its public name.
                    maps.apply(&next).ok_or(FetchError::RedirectLeavesMap)
                }
            }
        }
    }

    /// The URL to request.
    pub(super) fn url(&self) -> &Url {
        match self {
            Target::Public { url, .. } | Target::Mapped { url, .. } => url,
        }
    }

    fn judge(url: Url, maps: &Maps) -> Result<Target, FetchError> {
        refuse_userinfo(&url)?;
        if let Some(target) = maps.apply(&url) {
            return Ok(target);
        }
        if url.scheme() != "https" {
            return Err(FetchError::Scheme);
        }
        let host = match url.host() {
            Some(Host::Domain(host)) => host.to_owned(),
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => return Err(FetchError::IpLiteral),
            None => return Err(FetchError::NoHost),
        };
        if url.port_or_known_default() != Some(443) {
            return Err(FetchError::Port);
        }
        Ok(Target::Public { url: without_fragment(url), host })
    }
}

/// The operator's maps from one base URL to another. The first that fits is taken.
#[derive(Debug)]
pub(super) struct Maps(Vec<(Base, Base)>);

impl Maps {
    pub(super) fn new(maps: &[(String, String)]) -> Result<Maps, FetchPolicyError> {
        maps.iter()
            .map(|(from, to)| Ok((Base::parse(from)?, Base::parse(to)?)))
            .collect::<Result<Vec<_>, _>>()
            .map(Maps)
    }

    fn apply(&self, url: &Url) -> Option<Target> {
        self.0.iter().find_map(|(from, to)| {
            let rest = from.rest_of(url)?;
            let mut mapped = to.url.clone();
            mapped.set_path(&format!("{}{rest}", to.path()));
            mapped.set_query(url.query());
            Some(Target::Mapped { url: mapped, base: to.clone() })
        })
    }
}

/// A URL under which others lie: an origin, and whole path segments.
#[derive(Clone, Debug)]
pub(super) struct Base {
    url: Url,
}

impl Base {
    fn parse(text: &str) -> Result<Base, FetchPolicyError> {
        let refused = || FetchPolicyError { url: text.to_owned() };
        let url = Url::parse(text).map_err(|_error| refused())?;
        let is_base = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if is_base { Ok(Base { url }) } else { Err(refused()) }
    }

    fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// The path of `url` below this base: empty, or from a slash on.
    fn rest_of<'a>(&self, url: &'a Url) -> Option<&'a str> {
        if url.origin() != self.url.origin() {
            return None;
        }
        let rest = url.path().strip_prefix(self.path())?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    }

    fn contains(&self, url: &Url) -> bool {
        self.rest_of(url).is_some()
    }
}

fn refuse_userinfo(url: &Url) -> Result<(), FetchError> {
    if url.username().is_empty() && url.password().is_none() {
        Ok(())
    } else {
        Err(FetchError::Userinfo)
    }
}

fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}
