//! A gate without the type of its backend: handlers and extractors work with it.

use std::sync::Arc;
#[cfg(feature = "cookies")]
use std::sync::OnceLock;

use crate::flow::Flows;
use crate::realm::LiveGate;
use crate::session::Unwritten;
use crate::store::{Store, StoreError};

#[cfg(feature = "axum")]
use crate::{
    error::{Error, Messages},
    event::Event,
    keys::KeySetRef,
    session::{Admission, Connections, KeyRetired},
    settings::Settings,
};

#[cfg(feature = "axum")]
use super::cookie::{CookieNames, RefreshCookieRule};
#[cfg(feature = "cookies")]
use super::pages::PagesState;
use super::tasks::Tasks;
#[cfg(feature = "axum")]
use super::{backend::RouteConfig, keys::Keys, sessions::SessionList, tokens::TokenList};

/// The flows of a gate, and the tasks beside them.
pub(crate) struct Running {
    flows: Flows,
    tasks: Tasks,
    /// The store with all realms, for another gate.
    store: Store,
    /// The entries that tell other gates on the store and the ring that this one is in use.
    _presences: Vec<Arc<LiveGate>>,
    /// Paths, names and presence of the routes.
    #[cfg(feature = "axum")]
    pub(crate) routes: &'static RouteConfig,
    /// The scheme that challenges name: the first of the schemes that are accepted.
    #[cfg(feature = "axum")]
    pub(crate) scheme: Arc<str>,
    /// The languages of problems.
    #[cfg(feature = "axum")]
    pub(crate) messages: Arc<Messages>,
    /// The names of the cookies.
    #[cfg(feature = "axum")]
    pub(crate) cookies: CookieNames,
    /// The rule for the name of the refresh cookie, where no pages are renewed.
    #[cfg(feature = "axum")]
    refresh_cookie: RefreshCookieRule,
    /// The pages, from the moment on that the program has some.
    #[cfg(feature = "cookies")]
    pub(super) pages: OnceLock<PagesState>,
}

impl Running {
    /// Starts the tasks.
    pub(super) fn start(
        flows: Flows,
        unwritten: Unwritten,
        (store, presences): (Store, Vec<Arc<LiveGate>>),
        #[cfg(feature = "axum")] routes: &'static RouteConfig,
        #[cfg(feature = "axum")] refresh_cookie: RefreshCookieRule,
        #[cfg(feature = "axum")] messages: Messages,
    ) -> Self {
        #[cfg(feature = "axum")]
        let scheme = flows
            .engine
            .settings
            .access
            .schemes
            .first()
            .map_or("Bearer", String::as_str)
            .into();
        Self {
            tasks: Tasks::start(&flows.engine, unwritten),
            store,
            _presences: presences,
            #[cfg(feature = "axum")]
            routes,
            #[cfg(feature = "axum")]
            scheme,
            #[cfg(feature = "axum")]
            messages: Arc::new(messages),
            #[cfg(feature = "axum")]
            cookies: CookieNames::new(flows.engine.realm.as_ref()),
            #[cfg(feature = "axum")]
            refresh_cookie,
            #[cfg(feature = "cookies")]
            pages: OnceLock::new(),
            flows,
        }
    }

    /// Returns the use cases.
    pub(crate) fn flows(&self) -> &Flows {
        &self.flows
    }

    /// Returns the store with all realms.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the settings.
    #[cfg(feature = "axum")]
    pub(crate) fn settings(&self) -> &Settings {
        &self.flows.engine.settings
    }

    /// Returns the name of the realm; `None` is the default one.
    #[cfg(feature = "axum")]
    pub(crate) fn realm(&self) -> Option<&crate::realm::RealmName> {
        self.flows.engine.realm.as_ref()
    }

    /// Returns whether two gates share a key ring.
    #[cfg(feature = "axum")]
    pub(crate) fn has_ring_of(&self, other: &Self) -> bool {
        self.flows.engine.ring.is(&other.flows.engine.ring)
    }

    /// Returns the part that decides about access tokens.
    #[cfg(feature = "axum")]
    pub(crate) fn admission(&self) -> &Admission {
        &self.flows.engine.admission
    }

    /// Returns the connections that outlive their request.
    #[cfg(feature = "axum")]
    pub(crate) fn connections(&self) -> &Connections {
        &self.flows.engine.connections
    }

    /// Returns the keys that are in use.
    #[cfg(feature = "axum")]
    pub(crate) fn keys(&self) -> KeySetRef {
        self.flows.engine.ring.set()
    }

    /// Returns which name the refresh cookie has.
    #[cfg(feature = "axum")]
    pub(crate) fn refresh_cookie(&self) -> RefreshCookieRule {
        #[cfg(feature = "cookies")]
        if self.has_pages() {
            return self.refresh_cookie.with_pages();
        }
        self.refresh_cookie
    }

    /// Returns whether pages are renewed.
    #[cfg(feature = "axum")]
    pub(crate) fn has_pages(&self) -> bool {
        #[cfg(feature = "cookies")]
        let has_pages = self.pages.get().is_some();
        #[cfg(not(feature = "cookies"))]
        let has_pages = false;
        has_pages
    }

    /// Returns the sessions of the gate's users.
    #[cfg(feature = "axum")]
    pub(crate) fn sessions(&self) -> SessionList<'_> {
        SessionList::new(&self.flows.engine)
    }

    /// Returns the keys, to change them.
    #[cfg(feature = "axum")]
    pub(crate) fn ring(&self) -> Keys<'_> {
        Keys::new(&self.flows.engine)
    }

    /// Ends what a key made, and returns where the other nodes learn of it.
    #[cfg(feature = "axum")]
    pub(crate) async fn retire_key(&self, name: &str) -> Result<KeyRetired, Error> {
        self.flows.engine.retire_key(name).await
    }

    /// Returns whether the ring may have a key of this name, retired or not.
    #[cfg(feature = "axum")]
    pub(crate) async fn may_have_key(&self, name: &str) -> bool {
        self.flows.engine.ring.may_have(name).await
    }

    /// Returns the registry of tokens.
    #[cfg(feature = "axum")]
    pub(crate) fn tokens(&self) -> TokenList<'_> {
        TokenList::new(&self.flows.engine)
    }

    /// Stops issuing and verifying wherever the store reaches, or goes on.
    #[cfg(feature = "axum")]
    pub(crate) async fn set_paused(&self, paused: bool) -> Result<(), StoreError> {
        self.flows.engine.set_paused(paused).await
    }

    /// Reports an event to the gate's handlers.
    #[cfg(feature = "axum")]
    pub(crate) fn report(&self, event: &Event) {
        self.flows.engine.events.emit(event);
    }

    /// Stops the tasks, writes what is waiting, and lets the handlers of events finish.
    pub(super) async fn stop(&self) -> Result<(), StoreError> {
        self.tasks.stop().await
    }
}
