//! Two kinds of users in one program: customers at `/auth`, staff at `/staff/auth`.

mod banner;
mod people;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use axum::Json;
use people::{Customer, CustomerClaims, Desk, Employee, EmployeeClaims, People, Shop};
use serde::Deserialize;
use tokio::net::TcpListener;
use tollgate::prelude::*;
use tollgate::routing::{get, post};

/// The state of the handlers: the gate of each kind.
#[derive(Clone, GateState)]
struct App {
    #[gate(user = Customer)]
    shop: Gate<Shop>,
    #[gate(user = Employee)]
    desk: Gate<Desk>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("{error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprint!(": {error}");
                cause = error.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT")
        .map_or(Ok(3000), |port| port.parse())
        .map_err(|_| "PORT must be a number up to 65535")?;
    let folder = PathBuf::from(
        env::var_os("DATA_DIR")
            .filter(|name| !name.is_empty())
            .unwrap_or("./two-kinds-data".into()),
    );
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let app = App::open(&folder).await?;

    let router = ProtectedRouter::new()
        .route("/register", post(register))
        .route("/me", get(me))
        .route("/staff/me", get(staff_me))
        .route("/orders", get(orders));
    let router = tollgate::install(router, (&app.shop, &app.desk)).with_state(app.clone());

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| format!("port {port}: {error}"))?;
    let stopped = stopped()?;
    banner::print(listener.local_addr()?.port());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stopped)
        .await?;
    app.desk.shutdown().await?;
    app.shop.shutdown().await?;
    Ok(())
}

impl App {
    /// Opens the users, and starts both gates on one store and one ring.
    async fn open(folder: &std::path::Path) -> Result<Self, Box<dyn Error>> {
        let passwords = Passwords::new();
        let people = People::open(&folder.join("app.db"), passwords.clone()).await;
        let people = people.map_err(|error| match error {
            AuthError::Unavailable(cause) => format!("the users cannot be opened: {cause}"),
            refused => format!("the users cannot be opened: {refused:?}"),
        })?;
        let mut settings = Settings::load()?;
        settings.issuer.get_or_insert(ISSUER.to_owned());
        settings.audience.get_or_insert("shop".to_owned());
        let shop = Shop(people.clone())
            .gate()
            .settings(settings)
            .passwords(&passwords)
            .keys(KeyRing::open(folder.join("keys")).await?)
            .store(SqliteStore::open(folder.join("tollgate.db")).await?)
            .build()
            .await?;
        let desk = Desk(people)
            .gate()
            .share(&shop)
            .realm("staff")
            .audience("desk")
            .passwords(&passwords)
            .build()
            .await?;
        Ok(Self { shop, desk })
    }
}

/// The name of this issuer, which stays the same on another port: tokens and the store know it.
const ISSUER: &str = "http://127.0.0.1:3000";

/// The body of a registration.
#[derive(Deserialize)]
struct Registration {
    email: String,
    password: Password,
}

/// Opens an account and signs in at once, with the same answer as `POST /auth/signin`.
async fn register(
    _: Public,
    flow: AuthFlow<Shop>,
    Json(form): Json<Registration>,
) -> Result<SignedIn, Rejection> {
    let allowed = flow.allow("register", &form.email).await?;
    let shop = flow.gate().backend();
    let customer = shop.register(&form.email, &form.password).await?;
    let customer = customer.ok_or(Code::InvalidCredentials)?;
    flow.open(allowed, &customer).await
}

/// Customers alone.
async fn me(customer: Auth<Customer>) -> Json<CustomerClaims> {
    Json(customer.into_claims())
}

/// Staff alone.
async fn staff_me(employee: Auth<Employee>) -> Json<EmployeeClaims> {
    Json(employee.into_claims())
}

/// Either of them.
async fn orders(caller: OneOf<Auth<Customer>, Auth<Employee>>) -> String {
    match caller {
        OneOf::First(customer) => format!("the orders of {}\n", customer.email()),
        OneOf::Second(employee) => format!("all orders, for {}\n", employee.desk()),
    }
}

/// Returns what waits for Ctrl-C, or for the signal with which a supervisor ends a process. It
/// listens from now on, so that no signal ends the process in another way.
#[cfg(unix)]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { _ = tokio::signal::ctrl_c().await })
}
