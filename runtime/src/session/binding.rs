//! Compares the device id and the network of a token's use with those of its session. A difference
//! never ends anything (rotation.md section 2).

use std::net::IpAddr;
use std::sync::Arc;

use crate::device::{Client, Device};
use crate::error::{Code, Malformed, Refusal};
use crate::event::{BoundTo, BoundToken, Emitter, Event, EventKind};
use crate::id::SessionId;
use crate::settings::{BindingMode, Cidr, Settings};
use crate::store::Session;
use crate::token::{TokenBinding, TokenInfo};

/// The device and the network on which a token is used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place<'a> {
    /// The id that the client gives its device.
    pub(crate) device_id: Option<&'a str>,
    /// The client's address.
    pub(crate) ip: Option<IpAddr>,
}

/// Compares tokens with the device and network on which they are used, as `binding.*` says.
#[derive(Clone, Debug)]
pub(crate) struct Bindings {
    settings: Arc<Settings>,
    events: Emitter,
}

/// Returns the binding of an access token of this session; `None` if the settings compare
/// nothing.
pub(super) fn bind(settings: &Settings, sid: SessionId, device: &Device) -> Option<TokenBinding> {
    let settings = &settings.binding;
    let id = device
        .id
        .as_deref()
        .filter(|_| settings.access_device != BindingMode::Off);
    let network = network_of(device).filter(|_| settings.access_network != BindingMode::Off);
    (id.is_some() || network.is_some()).then(|| TokenBinding::of(sid, id, network))
}

impl Bindings {
    pub(super) fn new(settings: &Arc<Settings>, events: &Emitter) -> Self {
        Self {
            settings: Arc::clone(settings),
            events: events.clone(),
        }
    }

    /// Compares an access token with the device and network of its use. `place` is called only if
    /// the token is bound.
    pub(super) fn check_access<'a>(
        &self,
        token: &TokenInfo,
        place: impl FnOnce() -> Place<'a>,
    ) -> Result<(), Refusal> {
        let (Some(binding), Some(sid)) = (token.binding(), token.sid()) else {
            return Ok(());
        };
        let (settings, place) = (&self.settings.binding, place());
        let here = TokenBinding::of(sid, place.device_id, place.ip.map(Cidr::around));
        let about = (token.subject(), sid, place.ip);
        let device = (
            settings.access_device,
            BoundTo::Device,
            binding.allows_device(&here),
        );
        let network = (
            settings.access_network,
            BoundTo::Network,
            binding.allows_network(&here),
        );
        self.judge_binding(BoundToken::Access, [device, network], about)
            .map_err(|()| Code::InvalidToken.into())
    }

    /// Compares a refresh token's session with the device and network of its use.
    pub(crate) fn check_refresh(&self, session: &Session, place: Place<'_>) -> Result<(), Refusal> {
        let settings = &self.settings.binding;
        let same_device =
            session.device.id.is_none() || session.device.id.as_deref() == place.device_id;
        let recorded = network_of(&session.device);
        let same_network = recorded.is_none() || recorded == place.ip.map(Cidr::around);
        let about = (session.subject.as_str(), session.sid, place.ip);
        let device = (settings.refresh_device, BoundTo::Device, same_device);
        let network = (settings.refresh_network, BoundTo::Network, same_network);
        self.judge_binding(BoundToken::Refresh, [device, network], about)
            .map_err(|()| Code::InvalidGrant.into())
    }

    /// Reports every difference, and refuses where one of them is enforced.
    fn judge_binding(
        &self,
        token: BoundToken,
        parts: [(BindingMode, BoundTo, bool); 2],
        (subject, sid, ip): (&str, SessionId, Option<IpAddr>),
    ) -> Result<(), ()> {
        let mut fine = Ok(());
        for (bind, to, holds) in parts {
            if bind != BindingMode::Off && !holds {
                let enforced = bind == BindingMode::Enforce;
                let kind = EventKind::BindingMismatch {
                    token,
                    to,
                    enforced,
                };
                self.events
                    .emit(&Event::new(kind).subject(subject).sid(sid).ip(ip));
                if enforced {
                    fine = Err(());
                }
            }
        }
        fine
    }

    /// Refuses a sign-in without the values that its tokens would be bound to, where that is
    /// enforced.
    pub(crate) fn require_bindable(&self, client: &Client) -> Result<(), Refusal> {
        let settings = &self.settings.binding;
        if settings.device() == BindingMode::Enforce && client.device.id.is_none() {
            return Err(Malformed::NoDevice.into());
        }
        if settings.network() == BindingMode::Enforce && client.ip.is_none() {
            return Err(Refusal::unavailable(
                "tokens are bound to networks, and the client's address is not known: serve with \
                 `into_make_service_with_connect_info::<SocketAddr>()`",
            ));
        }
        Ok(())
    }
}

/// Returns the network of a session's sign-in.
fn network_of(device: &Device) -> Option<Cidr> {
    device.ip.as_deref()?.parse().ok().map(Cidr::around)
}
