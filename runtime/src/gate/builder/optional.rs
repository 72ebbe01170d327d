//! The optional parts of a builder: a method for each setting.

use std::time::Duration;

use crate::settings::{
    BindingMode, Cidr, Consistency, ForwardedHeader, OnRefresh, OnStale, RefreshCookie,
    RefreshPolicy, Registry, SameSite, Service, ThrottleSettings,
};
use crate::store::OnLimit;

use super::GateBuilder;

impl<B, I, A, K, S, E> GateBuilder<B, I, A, K, S, E> {
    /// Sets the claim `client_id`: `first-party` by default.
    pub fn client_id(self, client_id: impl Into<String>) -> Self {
        let client_id = client_id.into();
        self.with(|settings| settings.client_id = client_id)
    }

    /// Sets the address of the routes as clients see it: `public_url`.
    pub fn public_url(self, url: impl Into<String>) -> Self {
        let url = url.into();
        self.with(|settings| settings.public_url = Some(url))
    }

    /// Adds a service that may ask about tokens; there may be several: `introspection.services`.
    pub fn service(self, service: Service) -> Self {
        self.with(|settings| settings.introspection.services.push(service))
    }

    /// Sets the largest difference between clocks that is tolerated: `leeway`, at most 2 minutes.
    pub fn leeway(self, leeway: Duration) -> Self {
        self.with(move |settings| settings.leeway = leeway)
    }

    /// Sets the lifetime of an access token: `access.ttl`.
    pub fn access_ttl(self, ttl: Duration) -> Self {
        self.with(move |settings| settings.access.ttl = ttl)
    }

    /// Sets the longest lifetime of any token that is issued or accepted: `access.max_ttl`.
    pub fn access_max_ttl(self, max_ttl: Duration) -> Self {
        self.with(move |settings| settings.access.max_ttl = Some(max_ttl))
    }

    /// Sets whether the earlier access tokens of a session stay valid after a refresh:
    /// `access.on_refresh`.
    pub fn on_refresh(self, on_refresh: OnRefresh) -> Self {
        self.with(move |settings| settings.access.on_refresh = on_refresh)
    }

    /// Sets the header that carries the access token: `access.header`.
    pub fn access_header(self, header: impl Into<String>) -> Self {
        let header = header.into();
        self.with(|settings| settings.access.header = header)
    }

    /// Sets the schemes in that header: `access.schemes`.
    pub fn access_schemes<T: Into<String>>(self, schemes: impl IntoIterator<Item = T>) -> Self {
        let schemes = schemes.into_iter().map(Into::into).collect();
        self.with(|settings| settings.access.schemes = schemes)
    }

    /// Sets the memory of a node for verified tokens, in bytes: `access.cache`. A token in it is
    /// not verified again; 0 for none.
    pub fn access_cache(self, bytes: u32) -> Self {
        self.with(move |settings| settings.access.cache = bytes)
    }

    /// Sets the time after a refresh in which the replaced token still gets the same successor:
    /// `refresh.window`, at most 1 minute.
    pub fn refresh_window(self, window: Duration) -> Self {
        self.with(move |settings| settings.refresh.window = window)
    }

    /// Sets the time after a refresh in which the replaced token gets another successor if the
    /// first one was never used: `refresh.lost_response_window`.
    pub fn lost_response_window(self, window: Duration) -> Self {
        self.with(move |settings| settings.refresh.lost_response_window = window)
    }

    /// Sets which reuse of a refresh token is tolerated: `refresh.policy`.
    pub fn refresh_policy(self, policy: RefreshPolicy) -> Self {
        self.with(move |settings| settings.refresh.policy = policy)
    }

    /// Sets the time without a refresh after which a session ends: `session.idle`.
    pub fn session_idle(self, idle: Duration) -> Self {
        self.with(move |settings| settings.session.idle = idle)
    }

    /// Sets the time after its sign-in at which a session ends in any case: `session.absolute`.
    pub fn session_absolute(self, absolute: Duration) -> Self {
        self.with(move |settings| settings.session.absolute = absolute)
    }

    /// Sets the number of live sessions that a subject may have, and what a further sign-in does:
    /// `session.device_limit`, `session.on_limit`.
    pub fn device_limit(self, max: u32, on_limit: OnLimit) -> Self {
        self.with(move |settings| {
            settings.session.device_limit = Some(max);
            settings.session.on_limit = on_limit;
        })
    }

    /// Sets whether a node asks the store before it accepts a token: `revocation.consistency`.
    pub fn consistency(self, consistency: Consistency) -> Self {
        self.with(move |settings| settings.revocation.consistency = consistency)
    }

    /// Sets the age at which the view of the revocations is stale, and what happens then:
    /// `revocation.stale_limit`, `revocation.on_stale`.
    pub fn stale_limit(self, limit: Duration, on_stale: OnStale) -> Self {
        self.with(move |settings| {
            settings.revocation.stale_limit = limit;
            settings.revocation.on_stale = on_stale;
        })
    }

    /// Allows a gate with new keys to start beside live sessions, all of which it ends:
    /// `keys.accept_new`.
    pub fn accept_new_keys(self) -> Self {
        self.with(|settings| settings.keys.accept_new = true)
    }

    /// Sets the proxies that are trusted to report a client's address, and the header in which they
    /// write it: `client.proxies`, `client.header`.
    pub fn trusted_proxies(
        self,
        proxies: impl IntoIterator<Item = Cidr>,
        header: ForwardedHeader,
    ) -> Self {
        let proxies = proxies.into_iter().collect();
        self.with(move |settings| {
            settings.client.proxies = proxies;
            settings.client.header = header;
        })
    }

    /// Turns cookies on, and sets the path under which browsers see the auth routes:
    /// `cookies.path`. Needs the feature `cookies`.
    pub fn cookies(self, path: impl Into<String>) -> Self {
        let path = path.into();
        self.with(|settings| settings.cookies.path = Some(path))
    }

    /// Sets which of its two names the refresh cookie has: `cookies.refresh`.
    pub fn refresh_cookie(self, refresh: RefreshCookie) -> Self {
        self.with(move |settings| settings.cookies.refresh = Some(refresh))
    }

    /// Sets which requests of other sites carry the access cookie: `cookies.same_site`.
    pub fn cookie_same_site(self, same_site: SameSite) -> Self {
        self.with(move |settings| settings.cookies.same_site = same_site)
    }

    /// Sets the other origins whose pages may send requests with cookies: `cookies.origins`.
    pub fn cookie_origins<T: Into<String>>(self, origins: impl IntoIterator<Item = T>) -> Self {
        let origins = origins.into_iter().map(Into::into).collect();
        self.with(|settings| settings.cookies.origins = origins)
    }

    /// Sets whether access tokens are bound to the device id and to the network of their sign-in:
    /// `binding.access_device`, `binding.access_network`.
    pub fn bind_access(self, device: BindingMode, network: BindingMode) -> Self {
        self.with(move |settings| {
            (
                settings.binding.access_device,
                settings.binding.access_network,
            ) = (device, network);
        })
    }

    /// Sets whether refresh tokens are bound to the device id and to the network of their sign-in:
    /// `binding.refresh_device`, `binding.refresh_network`.
    pub fn bind_refresh(self, device: BindingMode, network: BindingMode) -> Self {
        self.with(move |settings| {
            (
                settings.binding.refresh_device,
                settings.binding.refresh_network,
            ) = (device, network);
        })
    }

    /// Sets the header in which a request with an access token names its device:
    /// `binding.device_header`.
    pub fn device_header(self, header: impl Into<String>) -> Self {
        let header = header.into();
        self.with(|settings| settings.binding.device_header = header)
    }

    /// Sets the numbers of allowed attempts, and where they are counted: `throttle.*`.
    pub fn throttle(self, throttle: ThrottleSettings) -> Self {
        self.with(|settings| settings.throttle = throttle)
    }

    /// Sets which tokens the store lists one by one: `registry`.
    pub fn registry(self, registry: Registry) -> Self {
        self.with(move |settings| settings.registry = registry)
    }

    /// Sets the time between two deletions of ended rows, zero for never, and the time for which an
    /// ended session is kept: `archive.interval`, `archive.age`.
    pub fn archive(self, interval: Duration, age: Duration) -> Self {
        self.with(move |settings| {
            settings.archive.interval = interval;
            settings.archive.age = age;
        })
    }
}
