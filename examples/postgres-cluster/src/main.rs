//! Three nodes of one program behind a round robin, on one PostgreSQL or one Redis, started by one
//! command.

mod accounts;
mod cluster;
mod figures;
mod node;
mod proxy;

use std::env;
use std::error::Error;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => cluster::run(cluster::On::Postgres).await,
        ["--redis"] => cluster::run(cluster::On::Redis).await,
        ["node"] => node::run(cluster::stopped()).await,
        _ => Err("usage: postgres-cluster [--redis | node]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&*error);
            ExitCode::FAILURE
        }
    }
}

fn tell(error: &dyn Error) {
    eprint!("{error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprint!(": {error}");
        cause = error.source();
    }
    eprintln!();
}
