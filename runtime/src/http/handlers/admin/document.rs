//! The words of the document about the routes for administrators.

use http::Method;

use super::super::super::answer::SessionEntry;
use super::super::super::member::{
    AnswerMember, MemberKind, OwnAnswer, OwnBody, OwnRouteDoc, QueryKind, example,
};

pub(super) const ROUTES: &[OwnRouteDoc] = &[
    OwnRouteDoc {
        path: "/keys",
        method: Method::GET,
        summary: "Shows the keys",
        query: &[],
        answers: &[OwnAnswer {
            status: "200",
            about: "The id of the key that signs, and the public keys",
            body: OwnBody::Object(
                "AuthKeys",
                &[
                    AnswerMember::text("current", "L0mGyOl6kmJXtxdV"),
                    AnswerMember::new("keys", MemberKind::Keys, "[]"),
                ],
            ),
        }],
        problems: &[],
    },
    OwnRouteDoc {
        path: "/keys/rotate",
        method: Method::POST,
        summary: "Puts the next keys into use",
        query: &[],
        answers: &[OwnAnswer {
            status: "200",
            about: "The id of the key that signs from now on",
            body: OwnBody::Object(
                "AuthCurrentKey",
                &[AnswerMember::text("current", "L0mGyOl6kmJXtxdV")],
            ),
        }],
        problems: &[],
    },
    OwnRouteDoc {
        path: "/keys/{name}",
        method: Method::DELETE,
        summary: "Retires a key, and everything that it made",
        query: &[],
        answers: &[
            DONE,
            OwnAnswer {
                status: "202",
                about: "It is done, and the other servers follow within so many seconds",
                body: OwnBody::Object("AuthWithin", &[AnswerMember::number("within", "10")]),
            },
        ],
        problems: &["404"],
    },
    OwnRouteDoc {
        path: "/pause",
        method: Method::POST,
        summary: "Answers every request with 503",
        query: &[],
        answers: &[DONE],
        problems: &[],
    },
    OwnRouteDoc {
        path: "/resume",
        method: Method::POST,
        summary: "Ends a pause",
        query: &[],
        answers: &[DONE],
        problems: &[],
    },
    OwnRouteDoc {
        path: "/subjects/{subject}/sessions",
        method: Method::GET,
        summary: "Lists the live sessions of a subject",
        query: &[
            (
                "after",
                QueryKind::Id,
                "The last `session_id` of the page before",
            ),
            ("client_id", QueryKind::Text, "Those of this client"),
            DEVICE,
            (
                "address",
                QueryKind::Text,
                "Those that were opened or used from this IP address",
            ),
            (
                "seen_since",
                QueryKind::Seconds,
                "Those that were used at this time or later, in seconds since 1970",
            ),
        ],
        answers: &[OwnAnswer {
            status: "200",
            about: "A hundred of them, oldest first",
            body: OwnBody::List("AuthSession", &SessionEntry::MEMBERS),
        }],
        problems: &["404"],
    },
    OwnRouteDoc {
        path: "/subjects/{subject}/sessions",
        method: Method::DELETE,
        summary: "Ends the sessions of a subject",
        query: &[],
        answers: &[OwnAnswer {
            status: "200",
            about: "The number of sessions that ended",
            body: OwnBody::Object("AuthEnded", &[AnswerMember::number("sessions", "2")]),
        }],
        problems: &["404"],
    },
    OwnRouteDoc {
        path: "/sessions/{id}",
        method: Method::DELETE,
        summary: "Ends a session",
        query: &[],
        answers: &[DONE],
        problems: &["404"],
    },
    OwnRouteDoc {
        path: "/subjects/{subject}/tokens",
        method: Method::GET,
        summary: "Lists the tokens of a subject in the registry",
        query: &[
            (
                "after",
                QueryKind::Id,
                "The last `token_id` of the page before",
            ),
            (
                "active",
                QueryKind::Bool,
                "`true`: those that are valid; `false`: the others",
            ),
            (
                "kind",
                QueryKind::Word(&["access", "refresh"]),
                "Those of this kind",
            ),
            DEVICE,
            (
                "issued_since",
                QueryKind::Seconds,
                "Those that were issued at this time or later, in seconds since 1970",
            ),
            (
                "issued_before",
                QueryKind::Seconds,
                "Those that were issued before this time, in seconds since 1970",
            ),
        ],
        answers: &[OwnAnswer {
            status: "200",
            about: "A hundred of them, oldest first",
            body: OwnBody::List(
                "AuthStoredToken",
                &[
                    AnswerMember::text("token_id", example::SESSION_ID),
                    AnswerMember::new("kind", MemberKind::Word(&["access", "refresh"]), "access"),
                    AnswerMember::maybe("session_id", example::SESSION_ID),
                    AnswerMember::maybe("parent", example::SESSION_ID),
                    AnswerMember::maybe("device_id", "7f3c"),
                    AnswerMember::number("issued_at", example::TIME),
                    AnswerMember::number("expires_at", example::TIME),
                    AnswerMember::new("revoked_at", MemberKind::MaybeNumber, "null"),
                ],
            ),
        }],
        problems: &["404"],
    },
    OwnRouteDoc {
        path: "/tokens/{id}",
        method: Method::DELETE,
        summary: "Revokes a token of the registry",
        query: &[],
        answers: &[DONE],
        problems: &["404"],
    },
];

const DONE: OwnAnswer = OwnAnswer {
    status: "204",
    about: "It is done, and the other servers follow within about a second",
    body: OwnBody::Empty,
};

const DEVICE: (&str, QueryKind, &str) = (
    "device_id",
    QueryKind::Text,
    "Those with this device id, which their client gave",
);
