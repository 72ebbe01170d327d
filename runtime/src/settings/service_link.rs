//! Variables that Kubernetes sets for each Service of a namespace ("service links"); for a Service
//! called `tollgate` they look like settings.

use std::net::IpAddr;

/// Returns whether a variable is a service link: its name and its value have a form that Kubernetes
/// writes (`EnvVar`s of `pkg/kubelet/envvars`).
pub(super) fn is_service_link(name: &str, value: &str) -> bool {
    form(name).is_some_and(|form| form.holds(value))
}

/// Returns whether a name has a form that Kubernetes gives to service links, whatever the value.
pub(super) fn has_link_name(name: &str) -> bool {
    form(name).is_some()
}

/// The form of a service link's value.
#[derive(Clone, Copy)]
enum LinkForm {
    /// An address: `10.0.0.1`.
    Address,
    /// A port: `80`.
    Port,
    /// A protocol: `tcp`.
    Protocol,
    /// Protocol, address and port: `tcp://10.0.0.1:80`.
    Endpoint,
}

impl LinkForm {
    fn holds(self, value: &str) -> bool {
        match self {
            Self::Address => value.parse::<IpAddr>().is_ok(),
            Self::Port => is_port(value),
            Self::Protocol => is_protocol(value),
            Self::Endpoint => value.split_once("://").is_some_and(|(protocol, rest)| {
                is_protocol(protocol)
                    && rest.rsplit_once(':').is_some_and(|(host, port)| {
                        let host = host
                            .strip_prefix('[')
                            .and_then(|host| host.strip_suffix(']'))
                            .unwrap_or(host);
                        is_port(port) && host.parse::<IpAddr>().is_ok()
                    })
            }),
        }
    }
}

/// Returns the form of the values of this name; `None` for a name that Kubernetes does not use.
///
/// The names of a Service `tollgate-api` with a port `web` are `TOLLGATE_API_SERVICE_HOST`,
/// `…_SERVICE_PORT`, `…_SERVICE_PORT_WEB`, `…_PORT`, `…_PORT_80_TCP`, and `…_PORT_80_TCP_PROTO`,
/// `…_PORT` and `…_ADDR`.
fn form(name: &str) -> Option<LinkForm> {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if !name.bytes().all(plain) {
        return None;
    }
    if name.ends_with("_SERVICE_HOST") {
        return Some(LinkForm::Address);
    }
    if name.ends_with("_SERVICE_PORT") || name.contains("_SERVICE_PORT_") {
        return Some(LinkForm::Port);
    }
    let words: Vec<&str> = name.split('_').collect();
    let is_end = |end: &[&str]| matches!(end, ["PORT", port, protocol] if is_port(port) && is_protocol(&protocol.to_lowercase()));
    match words.as_slice() {
        [_, .., port, number, protocol] if is_end(&[port, number, protocol]) => {
            Some(LinkForm::Endpoint)
        }
        [_, .., port, number, protocol, what] if is_end(&[port, number, protocol]) => match *what {
            "PROTO" => Some(LinkForm::Protocol),
            "PORT" => Some(LinkForm::Port),
            "ADDR" => Some(LinkForm::Address),
            _ => None,
        },
        [_, .., "PORT"] => Some(LinkForm::Endpoint),
        _ => None,
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_protocol(text: &str) -> bool {
    matches!(text, "tcp" | "udp" | "sctp")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names and values that a cluster sets for a Service `tollgate` and for a Service
    /// `tollgate-api` with two named ports, over IPv4 and IPv6.
    #[test]
    fn what_kubernetes_sets_for_a_service_is_a_service_link() {
        for (name, value) in [
            ("TOLLGATE_SERVICE_HOST", "10.96.12.7"),
            ("TOLLGATE_SERVICE_HOST", "fd00:10:96::7"),
            ("TOLLGATE_SERVICE_PORT", "80"),
            ("TOLLGATE_SERVICE_PORT_HTTP", "80"),
            ("TOLLGATE_SERVICE_PORT_GRPC_WEB", "9090"),
            ("TOLLGATE_PORT", "tcp://10.96.12.7:80"),
            ("TOLLGATE_PORT", "tcp://[fd00:10:96::7]:80"),
            ("TOLLGATE_PORT_80_TCP", "tcp://10.96.12.7:80"),
            ("TOLLGATE_PORT_80_TCP_PROTO", "tcp"),
            ("TOLLGATE_PORT_80_TCP_PORT", "80"),
            ("TOLLGATE_PORT_80_TCP_ADDR", "10.96.12.7"),
            ("TOLLGATE_API_SERVICE_HOST", "10.96.12.7"),
            ("TOLLGATE_API_PORT_53_UDP", "udp://10.96.12.7:53"),
            ("TOLLGATE_API_PORT_53_UDP_PROTO", "udp"),
            ("TOLLGATE_API_PORT_3868_SCTP", "sctp://10.96.12.7:3868"),
        ] {
            assert!(is_service_link(name, value), "{name}={value}");
        }
    }

    #[test]
    fn what_only_resembles_one_is_none() {
        for (name, value) in [
            ("TOLLGATE_PORT", "80"),
            ("TOLLGATE_PORT", "tcp://tollgate:80"),
            ("TOLLGATE_PORT", "http://10.96.12.7:80"),
            ("TOLLGATE_PORT", "tcp://10.96.12.7"),
            ("TOLLGATE_PORT", "tcp://10.96.12.7:0"),
            ("TOLLGATE_SERVICE_HOST", "tollgate.default.svc"),
            ("TOLLGATE_SERVICE_PORT", "+80"),
            ("TOLLGATE_SERVICE_PORT", "65536"),
            ("TOLLGATE_SERVICE_PORT", ""),
            ("TOLLGATE_PORT_80_TCP_PROTO", "TCP"),
            ("TOLLGATE_PORT_80_TCP_NAME", "tcp"),
            ("TOLLGATE_PORT_X_TCP", "tcp://10.96.12.7:80"),
            ("TOLLGATE_SUPPORT", "tcp://10.96.12.7:80"),
            ("TOLLGATE_service_host", "10.96.12.7"),
            ("TOLLGATE_ISSUER", "10.96.12.7"),
        ] {
            assert!(!is_service_link(name, value), "{name}={value}");
        }
        assert!(has_link_name("TOLLGATE_PORT") && !has_link_name("TOLLGATE_SUPPORT"));
    }
}
