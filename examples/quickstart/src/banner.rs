//! Prints commands to try when the program starts.

/// Prints lines for another terminal.
pub(crate) fn print(port: u16) {
    println!("{}", LINES.replace("PORT", &port.to_string()));
}

const LINES: &str = r#"listening on http://127.0.0.1:PORT
Swagger UI: http://127.0.0.1:PORT/docs/swagger

Try this in another terminal, line by line:

# sign in as an admin
answer=$(curl -s http://127.0.0.1:PORT/auth/signin -H 'content-type: application/json' -d '{"email": "ada@example.com", "password": "correct horse battery staple"}'); echo "$answer"

# a helper that takes one member out of the last answer
part() { printf '%s' "$answer" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }

# who am I, and what only admins may see
curl -si http://127.0.0.1:PORT/me -H "authorization: Bearer $(part access_token)"; echo
curl -si http://127.0.0.1:PORT/admin/report -H "authorization: Bearer $(part access_token)"; echo

# new tokens
answer=$(curl -s http://127.0.0.1:PORT/auth/refresh-access -H 'content-type: application/json' -d "{\"refresh_token\": \"$(part refresh_token)\"}"); echo "$answer"

# sign out, after which the token is dead
curl -si -X POST http://127.0.0.1:PORT/auth/signout -H "authorization: Bearer $(part access_token)"
curl -si http://127.0.0.1:PORT/me -H "authorization: Bearer $(part access_token)"; echo

# an editor may not see the report
answer=$(curl -s http://127.0.0.1:PORT/auth/signin -H 'content-type: application/json' -d '{"email": "grace@example.com", "password": "correct horse battery staple"}'); echo "$answer"
curl -si http://127.0.0.1:PORT/admin/report -H "authorization: Bearer $(part access_token)"; echo
"#;
