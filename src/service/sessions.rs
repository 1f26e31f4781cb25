//! Signing in and out.

use chrono::TimeDelta;

use super::audit::Change;
use super::context::{Cx, Proof, Resources, new_uuid};
use super::error::Error;
use super::keyring::{random_token, token_sha256};
use super::tokens;
use crate::domain::actor::{Actor, SignedIn};
use crate::domain::ids::{PersonId, SessionId};
use crate::domain::policy::Denied;
use crate::domain::timestamp::Timestamp;
use crate::store::people::Profile;
use crate::store::{self, DbConn};

/// How long a refresh token can be exchanged.
const REFRESH_LIFE: TimeDelta = TimeDelta::days(14);

/// The two tokens of a sign-in.
pub struct Tokens {
    /// For the `Authorization` header.
    pub access_token: String,
    /// To be exchanged once for the next pair.
    pub refresh_token: String,
}

/// Who the proof names: read afresh, membership states included.
///
/// # Errors
/// [`Error::SignInEnded`] for a token that is not valid or whose session has ended.
pub fn authenticate(
    conn: &mut DbConn,
    resources: &Resources,
    proof: Proof<'_>,
    now: Timestamp,
) -> Result<Actor, Error> {
    let (person, session) = match proof {
        Proof::None => return Ok(Actor::Anonymous),
        Proof::Continued(person, session) => (person, session),
        Proof::Token(token) => {
            let installation = store::installation::find(conn)?.ok_or(Error::SignInEnded)?;
            tokens::read(conn, resources, &installation.base_url, token, now)?
        }
    };
    if store::sessions::find_live(conn, session)? != Some(person) {
        return Err(Error::SignInEnded);
    }
    let facets = store::memberships::list_facets(conn, person)?;
    Ok(Actor::Person(SignedIn { person, session, facets }))
}

/// `POST /sessions`: e-mail address and password.
///
/// # Errors
/// [`Error::BadLogin`], the same words and the same time for an unknown account as for a wrong password.
pub fn create(cx: &mut Cx<'_>, email: &str, password: &str) -> Result<Tokens, Error> {
    let base_url = cx.installation()?.base_url;
    let address = normal_email(email);
    cx.resources.passwords.require_patience(&address, cx.now)?;
    let profile = store::people::find_profile_by_email(cx.conn, &address)?;
    let hash = match &profile {
        Some(profile) => store::people::find_password_hash(cx.conn, profile.person)?,
        None => None,
    };
    let is_right = cx.resources.passwords.verify(password, hash.as_deref())?;
    cx.resources.passwords.record(&address, is_right, cx.now);
    let Some(profile) = profile.filter(|_| is_right) else { return Err(Error::BadLogin) };
    let session = SessionId::from_uuid(new_uuid());
    let (now, refresh_token) = (cx.now, random_token());
    let person = profile.person;
    store::write(cx.conn, |conn| {
        store::sessions::create(conn, session, person, now)?;
        store::succession::clear_lost_mail(conn, person)?;
        store::sessions::create_refresh_token(
            conn,
            &token_sha256(&refresh_token),
            session,
            now.plus(REFRESH_LIFE),
            now,
        )?;
        let change =
            Change::new("create_session", super::audit::home_of(conn, person)?, "session", session);
        super::audit::append(conn, Some(person), &change, now)
    })?;
    let access_token = tokens::issue(cx.conn, cx.resources, &base_url, person, session, now)?;
    Ok(Tokens { access_token, refresh_token })
}

/// What an exchange of a refresh token came to, decided inside its transaction.
enum Exchange {
    Done(PersonId, SessionId),
    Refused,
}

/// `POST /sessions/refresh`: exchanges a refresh token. One that comes a second time was stolen from somebody: the whole sign-in ends.
///
/// # Errors
/// [`Error::SignInEnded`].
pub fn refresh(cx: &mut Cx<'_>, refresh_token: &str) -> Result<Tokens, Error> {
    let base_url = cx.installation()?.base_url;
    let (now, next) = (cx.now, random_token());
    let hash = token_sha256(refresh_token);
    // The refusal is a value and not an error: ending the sign-in must be committed.
    let exchange = store::write(cx.conn, |conn| {
        let Some(token) = store::sessions::find_refresh_token(conn, &hash)? else {
            return Ok(Exchange::Refused);
        };
        let Some(person) = store::sessions::find_live(conn, token.session)? else {
            return Ok(Exchange::Refused);
        };
        if token.is_used {
            store::sessions::end(conn, token.session, now)?;
            let home = super::audit::home_of(conn, person)?;
            let change = Change::new("refresh_reuse", home, "session", token.session);
            super::audit::append(conn, Some(person), &change, now)?;
            return Ok(Exchange::Refused);
        }
        if token.expires_at <= now {
            return Ok(Exchange::Refused);
        }
        store::sessions::use_refresh_token(conn, &hash, now)?;
        store::sessions::create_refresh_token(
            conn,
            &token_sha256(&next),
            token.session,
            now.plus(REFRESH_LIFE),
            now,
        )?;
        Ok::<Exchange, Error>(Exchange::Done(person, token.session))
    })?;
    let Exchange::Done(person, session) = exchange else { return Err(Error::SignInEnded) };
    let access_token = tokens::issue(cx.conn, cx.resources, &base_url, person, session, now)?;
    Ok(Tokens { access_token, refresh_token: next })
}

/// `DELETE /sessions/current`: ends the sign-in that the request was made with.
///
/// # Errors
/// [`Denied::Unauthenticated`] without one.
pub fn end(cx: &mut Cx<'_>) -> Result<(), Error> {
    let session = cx.signed_in()?.session;
    let (now, home) = (cx.now, cx.actor.home());
    cx.write(|conn| {
        store::sessions::end(conn, session, now)?;
        Ok(((), Change::new("end_session", home, "session", session)))
    })
}

/// `GET /me`: the person who has signed in.
///
/// # Errors
/// [`Denied::Unauthenticated`] without a sign-in.
pub fn me(cx: &mut Cx<'_>) -> Result<(Profile, SignedIn), Error> {
    let signed_in = cx.signed_in()?.clone();
    let profile =
        store::people::find_profile(cx.conn, signed_in.person)?.ok_or(Denied::Unauthenticated)?;
    Ok((profile, signed_in))
}

/// An address as it is stored and hashed: trimmed and in lower case (BADGES.md, 13).
#[must_use]
pub fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}
