//! The texts of problems in German.

use std::borrow::Cow;

use super::messages::Text;
use super::refusal::Code;

/// Returns a text in German.
pub(super) fn text(text: Text<'_>) -> Option<Cow<'static, str>> {
    match text {
        Text::Title(code) => title(code).map(Cow::Borrowed),
        Text::Detail { key, name, number } => detail(key, name.unwrap_or_default(), number),
    }
}

fn title(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::MissingToken => "es wurden keine Anmeldedaten gesendet",
        Code::InvalidToken => "das Token ist nicht gültig",
        Code::TokenExpired => "das Token ist abgelaufen",
        Code::InvalidCredentials => "die Anmeldedaten sind nicht gültig",
        Code::InvalidGrant => "das Refresh-Token ist nicht gültig",
        Code::InsufficientUserAuthentication => {
            "eine neuere oder stärkere Anmeldung ist erforderlich"
        }
        Code::InsufficientScope => "dem Token fehlt eine Berechtigung",
        Code::Forbidden => "das ist für den Aufrufer nicht erlaubt",
        Code::Csrf => "die Anfrage kam von einer anderen Website",
        Code::InvalidRequest => "die Anfrage ist fehlerhaft",
        Code::NotFound => "hier gibt es nichts",
        Code::MethodNotAllowed => "die Methode ist hier nicht erlaubt",
        Code::PayloadTooLarge => "der Inhalt ist zu groß",
        Code::UnsupportedMediaType => "der Inhalt hat einen anderen Medientyp",
        Code::TooManyRequests => "zu viele Anfragen",
        Code::InternalError => "dem Server ist ein Fehler unterlaufen",
        Code::Unavailable => "das kann gerade nicht entschieden werden",
    })
}

fn detail(key: &str, name: &str, number: Option<usize>) -> Option<Cow<'static, str>> {
    let text = match key {
        "not_json" => "der Inhalt ist kein JSON",
        "not_an_object" => "der Inhalt ist kein JSON-Objekt",
        "not_a_form" => "der Inhalt ist kein Formular mit den erwarteten Feldern",
        "incomplete" => "der Inhalt ist nicht angekommen",
        "missing" => return Some(format!("`{name}` fehlt").into()),
        "twice" => return Some(format!("`{name}` kommt mehrmals vor").into()),
        "unfit" => {
            return Some(format!("`{name}` hat einen anderen Typ oder ist zu lang").into());
        }
        "unfit_member" => "ein Feld fehlt, oder hat einen anderen Typ oder eine andere Länge",
        "two_credentials" => "es wurden mehrere Anmeldedaten gesendet",
        "no_device" => "`device_id` fehlt",
        "unfit_input" => "der Pfad, die Abfrage oder das Formular hat andere Felder",
        "lone_bearer_protocol" => "neben dem Protokoll mit dem Token fehlt ein zweites",
        "unfit_header" => {
            return Some(format!("der Header `{name}` hat einen unbekannten Wert").into());
        }
        "password_too_short" => {
            let chars = number.unwrap_or_default();
            return Some(format!("das Passwort braucht mindestens {chars} Zeichen").into());
        }
        "password_too_long" => "das Passwort ist zu lang",
        "password_guessable" => "das Passwort ist leicht zu erraten",
        "password_listed" => "das Passwort ist Angreifern bekannt",
        "not_an_upgrade" => "die Anfrage öffnet keinen Websocket",
        "no_such_page" => "`after` ist keine Kennung eines Eintrags dieser Liste",
        _ => return None,
    };
    Some(text.into())
}
