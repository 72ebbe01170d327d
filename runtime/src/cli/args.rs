//! The arguments of the command line, one struct a command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Operates a deployment of tollgate: keys, sessions, tokens, store and settings.
///
/// Settings come from `tollgate.toml` and the environment, as the program reads them.
///
/// Exit codes: 0 done; 1 the answer is no (an invalid token, a problem that doctor found); 2 wrong
/// arguments, settings or files; 3 the store or the keys cannot be used, try again; 4 there is no
/// such session, key, setting or realm. After 1 to 4 nothing was changed, unless the message says
/// how far it came.
#[derive(Debug, Parser)]
#[command(
    name = "tollgate",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub(super) struct Common {
    /// The file of the settings; otherwise TOLLGATE_CONFIG, else `tollgate.toml`
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<String>,
    /// The realm; otherwise the default one
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) realm: Option<String>,
    /// The store, in place of `store.url`
    #[arg(long, global = true, value_name = "URL")]
    pub(super) store: Option<String>,
    /// The folder of the key ring
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        conflicts_with = "ring_secret"
    )]
    pub(super) keys: Option<PathBuf>,
    /// The environment variable with the secret of the ring in the store
    #[arg(long, global = true, value_name = "VARIABLE")]
    pub(super) ring_secret: Option<String>,
    /// The algorithm of the ring in the store
    #[arg(long, global = true, value_name = "NAME", default_value = "EdDSA")]
    pub(super) algorithm: String,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Do not ask before doing something that cannot be undone
    #[arg(long, global = true)]
    pub(super) yes: bool,
}

/// A command.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write settings, a backend and a program to start from; never overwrites a file
    Init(Init),
    /// Check settings, keys, store, clock, proxies and cookies, and say what to do
    Doctor(Doctor),
    /// Show and change the keys
    Keys {
        #[command(subcommand)]
        command: Keys,
    },
    /// Show and end sessions
    Sessions {
        #[command(subcommand)]
        command: Sessions,
    },
    /// Read, check, make and list tokens
    Tokens {
        #[command(subcommand)]
        command: Tokens,
    },
    /// Delete what ended long ago
    Archive(Archive),
    /// Bring the tables of the store to this version
    Migrate(Migrate),
    /// Answer every request with 503, on every node, until `resume`
    Pause(Everywhere),
    /// End a pause
    Resume(Everywhere),
    /// Show the settings
    Settings {
        #[command(subcommand)]
        command: Settings,
    },
    /// Write the OpenAPI document of the auth routes
    Openapi(Openapi),
    /// Write completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Arguments of `init`.
#[derive(Args, Debug)]
pub(super) struct Init {
    /// The folder of the program
    #[arg(default_value = ".")]
    pub(super) folder: PathBuf,
    /// Depend on a copy of tollgate's source instead of a release
    #[arg(long, value_name = "FOLDER")]
    pub(super) path: Option<PathBuf>,
}

/// Arguments of `doctor`.
#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// Exit with 1 also after a warning
    #[arg(long)]
    pub(super) strict: bool,
}

/// Commands below `keys`.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// List the keys with their states
    List,
    /// Make the next keys current
    Rotate,
    /// End a key and everything it signed
    Retire {
        /// The name that `keys list` shows
        #[arg(allow_hyphen_values = true)]
        name: String,
    },
    /// Write the public keys as a JWK set
    Jwks,
}

/// Commands below `sessions`.
#[derive(Debug, Subcommand)]
pub(super) enum Sessions {
    /// List the live sessions of a subject
    List {
        /// The subject, as in the claim `sub`
        #[arg(allow_hyphen_values = true)]
        subject: String,
        /// Also show where each one was used from before, as far as the store
        /// has it
        #[arg(long)]
        history: bool,
    },
    /// End sessions, on every node
    End(EndSessions),
}

/// Arguments of `sessions end`.
#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct EndSessions {
    #[command(flatten)]
    pub(super) which: Which,
    /// With `--everything`: in every realm of the store
    #[arg(long, requires = "everything", conflicts_with = "realm")]
    pub(super) all_realms: bool,
}

/// Which sessions are ended: exactly one of them is given.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct Which {
    /// The id of a session
    #[arg(allow_hyphen_values = true)]
    pub(super) session: Option<String>,
    /// Every session of a subject
    #[arg(long, value_name = "SUBJECT", allow_hyphen_values = true)]
    pub(super) subject: Option<String>,
    /// Every session of a client
    #[arg(long, value_name = "CLIENT_ID", allow_hyphen_values = true)]
    pub(super) client: Option<String>,
    /// Every session, and everything that was ever issued
    #[arg(long)]
    pub(super) everything: bool,
}

/// Commands below `tokens`.
#[derive(Debug, Subcommand)]
pub(super) enum Tokens {
    /// Show header and claims of a token, without checking it
    Inspect {
        /// The token; `-` reads it from the standard input, so that it is not in the shell's
        /// history
        #[arg(allow_hyphen_values = true)]
        token: String,
    },
    /// Check whether an access token is valid
    Verify {
        /// The token; `-` reads it from the standard input, so that it is not in the shell's
        /// history
        #[arg(allow_hyphen_values = true)]
        token: String,
    },
    /// Sign an access token without a session
    Mint(Mint),
    /// List the tokens of the registry
    List(ListTokens),
}

/// Arguments of `tokens mint`.
#[derive(Args, Debug)]
pub(super) struct Mint {
    /// The subject, as in the claim `sub`
    #[arg(allow_hyphen_values = true)]
    pub(super) subject: String,
    /// The lifetime, such as `10m`; otherwise `access.ttl`
    #[arg(long, value_name = "DURATION")]
    pub(super) lifetime: Option<String>,
    /// A claim, such as `roles=["admin"]`; a value that is not JSON is taken as text
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    pub(super) claims: Vec<String>,
    /// Encrypt it, for a gate whose tokens are encrypted
    #[arg(long)]
    pub(super) encrypted: bool,
    /// Leave it out of the registry: it can then be revoked by its `jti` only
    #[arg(long)]
    pub(super) unregistered: bool,
}

/// Arguments of `tokens list`.
#[derive(Args, Debug)]
pub(super) struct ListTokens {
    /// Only tokens of this subject
    #[arg(long, value_name = "SUBJECT", allow_hyphen_values = true)]
    pub(super) subject: Option<String>,
    /// Only tokens of this session
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(super) session: Option<String>,
    /// Only valid tokens
    #[arg(long, conflicts_with = "expired")]
    pub(super) active: bool,
    /// Only tokens that are not valid any more
    #[arg(long)]
    pub(super) expired: bool,
    /// The largest number of tokens to list
    #[arg(long, default_value_t = 100)]
    pub(super) limit: u32,
}

/// Arguments of `archive`.
#[derive(Args, Debug)]
pub(super) struct Archive {
    /// The time since the end, such as `7d`; otherwise `archive.age`
    #[arg(long, value_name = "DURATION")]
    pub(super) age: Option<String>,
    /// In every realm of the store
    #[arg(long, conflicts_with = "realm")]
    pub(super) all_realms: bool,
}

/// Arguments of `migrate`.
#[derive(Args, Debug)]
pub(super) struct Migrate {
    /// Write the SQL for an empty database, and touch none
    #[arg(long)]
    pub(super) print: bool,
}

/// Arguments of `pause` and `resume`.
#[derive(Args, Debug)]
pub(super) struct Everywhere {
    /// Every realm of the store
    #[arg(long, conflicts_with = "realm")]
    pub(super) all_realms: bool,
}

/// Commands below `settings`.
#[derive(Debug, Subcommand)]
pub(super) enum Settings {
    /// Write the JSON schema of `tollgate.toml`, for editors
    Schema,
    /// Show each setting, its value and where that comes from
    Explain {
        /// The name of a setting or of a group, such as `access`
        name: Option<String>,
    },
}

/// Arguments of `openapi`.
#[derive(Args, Debug)]
pub(super) struct Openapi {
    /// The kind of login
    #[arg(long, value_enum, default_value_t = Login::Email)]
    pub(super) login: Login,
}

/// The kind of login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Login {
    /// With an e-mail address and a password.
    Email,
    /// With a name and a password.
    Username,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Command, CommandFactory as _};

    use super::Arguments;

    /// Returns the options of a text: words that begin with `--`.
    fn options(text: &str) -> BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let option = |word: &str| Some(word.strip_prefix("--")?.to_owned());
        words.filter_map(option).collect()
    }

    fn own(command: &Command) -> BTreeSet<String> {
        let own = command.get_arguments().filter(|arg| !arg.is_global_set());
        let long = own.filter_map(|arg| arg.get_long());
        long.map(str::to_owned).collect()
    }

    /// Collects the commands that do something, with their options.
    fn leaves(command: &Command, path: &str, all: &mut Vec<(String, BTreeSet<String>)>) {
        let mut below = command.get_subcommands().peekable();
        if below.peek().is_none() {
            all.push((path.to_owned(), own(command)));
        }
        for command in below {
            let path = format!("{path} {}", command.get_name());
            leaves(command, path.trim(), all);
        }
    }

    #[test]
    fn every_command_and_option_is_on_its_page() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../docs/reference/command-line.md"
        );
        let page = std::fs::read_to_string(path).unwrap();
        let command = Arguments::command();
        let mut commands = Vec::new();
        leaves(&command, "", &mut commands);
        assert!(commands.len() > 15, "{commands:?}");
        let rows: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| line.split(" | ").next().unwrap())
            .collect();
        for (name, options_of) in &commands {
            // `pause` and `resume` have a row together, `migrate --print` has one of its own.
            let of = rows.iter().filter(|row| {
                let words = |text: &str| text.starts_with(name.as_str());
                row.split('`').skip(1).step_by(2).any(words)
            });
            let of: Vec<&str> = of.copied().collect();
            assert!(!of.is_empty(), "`{name}` is not on the page");
            assert_eq!(&options(&of.join(" ")), options_of, "the row of `{name}`");
        }
        let (_, common) = page.split_once("Options of every command:").unwrap();
        let (common, _) = common.split_once("\n\n").unwrap();
        let global = command.get_arguments().filter(|arg| arg.is_global_set());
        let global = global.filter_map(|arg| arg.get_long());
        let global: BTreeSet<String> = global.map(str::to_owned).collect();
        assert_eq!(options(common), global);
    }
}
