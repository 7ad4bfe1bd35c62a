//! What a person is told instead of the page: what happened, and what to do next.

use access::{Permission, Viewer};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use indelible::{AskError, Error};

use crate::answer::html;
use crate::frame::{Frame, Link, roles};

/// Why there is no page. Small, since it is the other half of many answers.
pub(crate) struct Fault(Box<Told>);

#[derive(Template)]
#[template(path = "fault.html")]
struct Told {
    frame: Frame,
    status: StatusCode,
    says: String,
    /// What to do next, in sentences.
    advice: Vec<String>,
    links: Vec<Link>,
}

impl Fault {
    fn new(status: StatusCode, title: &str, says: impl Into<String>) -> Fault {
        let (advice, links) = (Vec::new(), Vec::new());
        Fault(Box::new(Told { frame: Frame::closed(title), status, says: says.into(), advice, links }))
    }

    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Fault {
        self.0.advice.push(advice.into());
        self
    }

    pub(crate) fn lead(mut self, text: &str, place: &str) -> Fault {
        self.0.links.push(Link { text: text.to_owned(), place: place.to_owned(), is_here: false });
        self
    }

    /// With the frame of somebody who has signed in.
    pub(crate) fn framed(mut self, frame: impl FnOnce(&str) -> Frame) -> Fault {
        self.0.frame = frame(&self.0.frame.title);
        self
    }

    pub(crate) fn broken() -> Fault {
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "Something broke", "This page could not be made.")
            .advise("What went wrong is in the server's own log. Nothing that was recorded is affected.")
            .lead("Back to the search", "/search")
    }

    pub(crate) fn unavailable() -> Fault {
        let says = "Keys can't be checked, or what you do can't be recorded; and what can't be recorded is not answered.";
        Fault::new(StatusCode::SERVICE_UNAVAILABLE, "Not now", says)
            .advise("Try again in a moment. If it stays, the server's own log says why.")
    }

    pub(crate) fn unavailable_because(says: &str) -> Fault {
        Fault::new(StatusCode::SERVICE_UNAVAILABLE, "Not now", says)
    }

    pub(crate) fn foreign_form() -> Fault {
        let says = "What was sent did not come from one of our pages, or the page was open for too long. Nothing was changed.";
        Fault::new(StatusCode::FORBIDDEN, "Not taken", says)
            .advise("Go back, load the page again, and send it once more.")
            .lead("Back to the search", "/search")
    }

    pub(crate) fn unreadable_form(status: StatusCode) -> Fault {
        Fault::new(status, "Not taken", "What was sent can't be read, or is too large. Nothing was changed.")
    }

    pub(crate) fn wrong(says: impl Into<String>) -> Fault {
        Fault::new(StatusCode::BAD_REQUEST, "That can't be asked", says).lead("Start a new search", "/search")
    }

    pub(crate) fn not_found(says: impl Into<String>) -> Fault {
        Fault::new(StatusCode::NOT_FOUND, "Not here", says)
            .advise("Ids of ours and of the sender and positions are understood.")
            .advise(
                "If you were given a link, it may be about an organisation or an event that you may not see.",
            )
            .lead("Search for it", "/search")
    }

    /// A question that was not answered, for somebody.
    pub(crate) fn asked(error: AskError, viewer: &Viewer) -> Fault {
        match error {
            AskError::Denied(denied) => {
                let what = if changes(denied.permission) { "do" } else { "see" };
                let says = format!("You may not {what} this: {denied}.");
                let yours = format!("You are signed in as {}.", roles(viewer));
                Fault::new(StatusCode::FORBIDDEN, "Not for you", says)
                    .advise(yours)
                    .advise("Whoever administers this server can give you another role, or a key that belongs to you as a user. That you asked is on record.")
            }
            AskError::NotFound => Fault::not_found("There is no such event, or no such organisation."),
            AskError::Wrong(why) => Fault::wrong(sentence(&why)),
            AskError::Behind => Fault::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Not yet",
                "The index does not have the newest events yet.",
            )
            .advise("Try again in a moment."),
            AskError::NotRecorded(error) => {
                tracing::warn!(%error, "a question could not be recorded");
                Fault::unavailable()
            }
            AskError::Ledger(error) => Fault::ledger(error),
        }
    }

    fn ledger(error: Error) -> Fault {
        tracing::error!(%error, "couldn't read a ledger");
        match error {
            Error::Damaged(_) | Error::Incomplete(_) | Error::Tampered(_) | Error::RolledBack(_) => Fault::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The ledger is not what was written",
                "What was read contradicts its own checksum, hash or signature, and is not shown.",
            )
            .advise("Keep the data folder as it is, and run `indelible verify` beside it: it says what is wrong and where.")
            .advise("Tell whoever runs this server, and whoever keeps checkpoints outside of it."),
            _ => Fault::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The ledger can't be read now",
                "The disk, or a limit of the machine, is in the way.",
            )
            .advise("Try again in a moment. The server's own log says what it is."),
        }
    }
}

/// Whether it takes this to change something, and not only to look.
fn changes(permission: Permission) -> bool {
    use Permission::*;
    matches!(
        permission,
        RecordEvents
            | ManageKeys
            | ManageUsers
            | ManageOrganisations
            | ManageViews
            | ManageSettings
            | Quarantine
    )
}

/// With a capital and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        html(self.0.status, &*self.0)
    }
}

/// What a person is told whom the server turns away before any page is asked.
pub fn refuse(status: StatusCode, seconds: Option<u64>) -> Response {
    let wait = seconds.map(|seconds| format!("Try again in {seconds} s."));
    let mut fault = match status {
        StatusCode::NOT_FOUND => Fault::new(status, "Not here", "There is no page at this address.")
            .lead("To the search", "/search")
            .lead("The API, for programs", "/docs"),
        StatusCode::TOO_MANY_REQUESTS => Fault::new(
            status,
            "Too often",
            "More was asked from your address than this server takes at once.",
        ),
        StatusCode::SERVICE_UNAVAILABLE => {
            Fault::new(status, "Stopping", "The server is being stopped or restarted.")
        }
        status => Fault::new(status, "Not taken", "The server does not answer this."),
    };
    fault.0.advice.extend(wait);
    fault.into_response()
}
