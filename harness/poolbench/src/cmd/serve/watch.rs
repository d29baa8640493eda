//! Who watches a server: the monitor's HTTP endpoints, and alerts.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use coordinator::Coordinator;
use coordinator::monitor::alerts::{self, Alerts, LogTo, Rule};
use coordinator::monitor::http::{self, Server};

use crate::exit::Complaint;

/// What was started, to be stopped when the pool is closed: until then it tells of the drain.
pub(super) struct Watch {
    server: Option<Server>,
    alerts: Option<Alerts>,
}

impl Watch {
    pub(super) fn start(coordinator: &Coordinator, address: Option<SocketAddr>, rules: Vec<Rule>, log: Option<PathBuf>) -> Result<Watch> {
        let server = address.map(|address| listen(coordinator, address)).transpose()?;
        let log = log.map_or_else(|| LogTo::Writer(Box::new(std::io::stderr())), LogTo::File);
        let alerts = match rules.is_empty() {
            true => None,
            false => Some(alerts::start(rules, coordinator.monitor(), log).map_err(|e| {
                Complaint::system(format!("alerts: {e}"), "docs/MONITORING.md explains alerts; server.alert-log names their log")
            })?),
        };
        Ok(Watch { server, alerts })
    }

    pub(super) async fn stop(self) {
        if let Some(alerts) = self.alerts {
            alerts.stop().await;
        }
        if let Some(server) = self.server {
            server.stop().await;
        }
    }
}

fn listen(coordinator: &Coordinator, address: SocketAddr) -> Result<Server> {
    let help = "give a free address such as --monitor 127.0.0.1:9464, or none";
    let server = http::serve(address, coordinator.monitor()).map_err(|e| Complaint::system(format!("monitor: {e}"), help))?;
    tracing::info!(address = %server.address(), "health and metrics are served");
    Ok(server)
}
