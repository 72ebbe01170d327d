//! Prints commands to try when the program starts.

/// Prints lines for another terminal.
pub(crate) fn print(port: u16) {
    println!("{}", LINES.replace("PORT", &port.to_string()));
}

const LINES: &str = r#"listening on http://127.0.0.1:PORT

Try this in another terminal, line by line:

# a helper that takes one member out of an answer
part() { printf '%s' "$1" | sed "s/.*\"$2\":\"\([^\"]*\)\".*/\1/"; }

# a customer signs in, and so does somebody of the staff: both are number 1
ada=$(curl -s http://127.0.0.1:PORT/auth/signin -H 'content-type: application/json' -d '{"email": "ada@example.com", "password": "correct horse battery staple"}'); echo "$ada"
grace=$(curl -s http://127.0.0.1:PORT/staff/auth/signin -H 'content-type: application/json' -d '{"email": "grace@example.com", "password": "correct horse battery staple"}'); echo "$grace"

# each at their own door
curl -si http://127.0.0.1:PORT/me -H "authorization: Bearer $(part "$ada" access_token)"; echo
curl -si http://127.0.0.1:PORT/staff/me -H "authorization: Bearer $(part "$grace" access_token)"; echo

# and not at the other's
curl -si http://127.0.0.1:PORT/staff/me -H "authorization: Bearer $(part "$ada" access_token)"; echo
curl -si http://127.0.0.1:PORT/me -H "authorization: Bearer $(part "$grace" access_token)"; echo

# a new customer, who is signed in at once
curl -si http://127.0.0.1:PORT/register -H 'content-type: application/json' -d '{"email": "new@example.com", "password": "a long and quiet sentence"}'; echo

# one document describes both
curl -si http://127.0.0.1:PORT/openapi.json; echo
"#;
