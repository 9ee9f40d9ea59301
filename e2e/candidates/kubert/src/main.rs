//! A leader-elected program on kubert's LeaseManager as it is: what a claim says is taken at its word until it expires.
//! Each step of its election is a JSON line on standard output.

use std::{collections::HashMap, io::Write, time::Duration};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::{
    Api, Client, Config,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
};
use kubert::lease::{ClaimParams, LeaseManager};
use rustix::time::{ClockId, clock_gettime};
use tokio::signal::unix::{SignalKind, signal};

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let flags = Flags::parse();
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    let kubeconfig = Kubeconfig::read_from(flags.text("kubeconfig")?)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let leases = Api::namespaced(Client::try_from(config)?, flags.text("namespace")?);
    let (name, identity) = (flags.text("lease")?, flags.text("id")?);
    let lease_duration = flags.duration("lease-duration")?;
    let params = ClaimParams {
        lease_duration,
        // It renews when this much is left.
        renew_grace_period: lease_duration - flags.duration("retry-period")?,
    };
    let mut stop = signal(SignalKind::terminate())?;
    say("started", None)?;

    create_missing(&leases, name).await?;
    let manager = LeaseManager::init(leases, name).await?;
    // A standby that is told to stop while its first request is under way holds nothing that it knows of.
    let (mut claims, election) = tokio::select! {
        spawned = manager.spawn(identity, params) => spawned?,
        _ = stop.recv() => return Ok(()),
    };
    let mut leader = String::new();
    let mut is_leading = false;
    loop {
        let claim = claims.borrow_and_update().clone();
        if claim.holder != leader {
            leader.clone_from(&claim.holder);
            say("newLeader", Some(&leader))?;
        }
        let leads = claim.is_current_for(identity);
        if leads != is_leading {
            is_leading = leads;
            say(if leads { "leading" } else { "stopped" }, None)?;
        }
        tokio::select! {
            // The clock before the news: after a pause the claim is over.
            biased;
            _ = claim.expire(), if is_leading => {}
            _ = stop.recv() => break,
            changed = claims.changed() => if changed.is_err() { break },
        }
    }
    if is_leading {
        say("stopped", None)?;
    }
    // It releases its claim when nobody listens.
    drop(claims);
    if election.is_finished() || flags.has("release-on-cancel") {
        election.await??;
    }
    Ok(())
}

/// kubert claims Leases that somebody else has created.
async fn create_missing(leases: &Api<Lease>, name: &str) -> Result<(), Failure> {
    let mut lease = Lease {
        spec: Some(LeaseSpec::default()),
        ..Lease::default()
    };
    lease.metadata.name = Some(name.into());
    match leases.create(&PostParams::default(), &lease).await {
        Err(kube::Error::Api(refusal)) if refusal.code == 409 => Ok(()),
        created => created.map(drop).map_err(Failure::from),
    }
}

/// In one write: the process may be killed at any moment.
fn say(event: &str, leader: Option<&str>) -> Result<(), Failure> {
    let millis = |clock| {
        let now = clock_gettime(clock);
        now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
    };
    let mut line = serde_json::json!({
        "event": event,
        // The clock that all processes of a machine share, and that no step of the wall clock moves.
        "monotonicMillis": millis(ClockId::Monotonic),
        "wallMillis": millis(ClockId::Realtime),
    });
    if let Some(leader) = leader {
        line["leader"] = leader.into();
    }
    std::io::stdout().write_all(format!("{line}\n").as_bytes())?;
    Ok(())
}

/// `--name=value` and `--name`.
struct Flags(HashMap<String, String>);

impl Flags {
    fn parse() -> Self {
        let pair = |flag: String| {
            let (name, value) = flag.split_once('=').unwrap_or((&flag, ""));
            (name.trim_start_matches("--").to_owned(), value.to_owned())
        };
        Self(std::env::args().skip(1).map(pair).collect())
    }

    fn text(&self, name: &str) -> Result<&str, Failure> {
        let value = self.0.get(name).ok_or_else(|| format!("--{name} is missing"))?;
        Ok(value)
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// In seconds, as in `1.5s`.
    fn duration(&self, name: &str) -> Result<Duration, Failure> {
        Ok(Duration::from_secs_f64(self.text(name)?.trim_end_matches('s').parse()?))
    }
}
