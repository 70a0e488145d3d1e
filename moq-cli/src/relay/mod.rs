//! `moq relay`: arguments, files and a banner for the relay of moq-relay.

mod banner;

use anyhow::Context as _;
use moq_relay::{Certificate, Public, Relay, StartError, State};

use crate::args::{RelayArgs, TlsArgs};
use crate::exit::{Exit, Failure};
use crate::progress::Console;
use crate::signal::Signals;

/// Runs the command until a signal ends it.
pub(crate) async fn run(
    args: RelayArgs,
    console: &Console,
    signals: &mut Signals,
) -> anyhow::Result<Exit> {
    let public = public(&args)?;
    let state = open_state(&args, console)?;
    let certificate = obtain(&args.tls, state.clone())?;
    let mut builder = Relay::builder()
        .admission(public.clone())
        .certificate(certificate.clone())
        .versions(args.versions().to_vec())
        .web_origins(args.web_origin.iter().cloned())
        .sessions_per_address(args.max_sessions_per_address)
        .limits(args.limits())
        .engine(args.engine.into())
        .workers(args.workers);
    if let Some(state) = &state {
        builder = builder.reset_key(state.reset_key()?);
    }
    for addr in args.listen.iter().flat_map(|listen| listen.addrs()) {
        builder = builder.listen(addr);
    }
    let mut relay = start(builder)?;
    console.banner(&banner::text(&relay, &certificate, &public));
    let served = serve_until(relay.stopped(), signals.next()).await;
    relay.close().await;
    served.map(|()| Exit::Ok)
}

/// Starts a relay, and says what to do if that fails.
///
/// # Errors
/// If an address is taken.
pub(crate) fn start(builder: moq_relay::Builder) -> anyhow::Result<Relay> {
    builder.start().map_err(|error| match error {
        StartError::Address {
            protocol,
            addr,
            source,
        } => {
            let what = format!("cannot listen on {protocol} {addr}");
            let hint = "choose another address with --listen, or stop what listens there";
            let failure = Failure::new(Exit::Failed, what).with_hint(hint);
            anyhow::Error::new(source).context(failure)
        }
        error => error.into(),
    })
}

/// Serves until it is told to stop.
///
/// # Errors
/// If it stops serving by itself.
async fn serve_until(stopped: impl Future<Output = ()>, stop: impl Future) -> anyhow::Result<()> {
    tokio::select! {
        _ = stop => Ok(()),
        () = stopped => {
            let failure = Failure::new(Exit::Failed, "the relay cannot serve any longer");
            Err(failure.with_hint("start it again").into())
        }
    }
}

/// The patterns of the command line, or everything if only this machine can connect.
///
/// # Errors
/// If others can connect and no pattern is given.
fn public(args: &RelayArgs) -> anyhow::Result<Public> {
    let lists = [
        &args.auth_public,
        &args.auth_public_publish,
        &args.auth_public_subscribe,
    ];
    if lists.iter().any(|list| !list.is_empty()) {
        return Ok(Public::new(args.auth_public.iter().cloned())
            .with_publish(args.auth_public_publish.iter().cloned())
            .with_subscribe(args.auth_public_subscribe.iter().cloned()));
    }
    if let Some(open) = args.listen.iter().find(|listen| !listen.is_loopback()) {
        let what = format!("{open} is open to others, and nothing says what they may do");
        let hint = "give --auth-public 'room/**', or '**' for everything";
        return Err(Failure::new(Exit::Usage, what).with_hint(hint).into());
    }
    Ok(Public::everything())
}

/// Loads or generates the certificate that the arguments ask for.
fn obtain(args: &TlsArgs, state: Option<State>) -> anyhow::Result<Certificate> {
    if let (Some(cert), Some(key)) = (&args.tls_cert, &args.tls_key) {
        return Certificate::load(cert, key).with_context(|| {
            let what = format!("cannot use the certificate {}", cert.display());
            Failure::new(Exit::Failed, what)
                .with_hint("give PEM files of a chain and its key with --tls-cert and --tls-key")
        });
    }
    let hosts = if args.tls_generate.is_empty() {
        LOCAL.map(String::from).to_vec()
    } else {
        args.tls_generate.clone()
    };
    Ok(Certificate::generate(&hosts, state)?)
}

/// The state directory; none if the user's own cannot be had and none was asked for.
fn open_state(args: &RelayArgs, console: &Console) -> anyhow::Result<Option<State>> {
    if let Some(dir) = &args.state {
        return Ok(Some(State::open(dir)?));
    }
    let opened = State::default_dir().context("there is no home directory");
    match opened.and_then(|dir| Ok(State::open(&dir)?)) {
        Ok(state) => Ok(Some(state)),
        Err(error) => {
            let line = crate::exit::line(&error);
            let why = line.strip_prefix("moq: ").unwrap_or(&line);
            console.note(format_args!(
                "nothing is kept for the next start: {why}; give --state DIR"
            ));
            Ok(None)
        }
    }
}

/// What a certificate is generated for unless asked otherwise.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command};

    /// What the arguments of `moq relay` make public.
    fn of(flags: &[&str]) -> anyhow::Result<String> {
        let cli = Cli::try_parse_from([&["moq", "relay"], flags].concat()).unwrap();
        let Command::Relay(args) = cli.command else {
            unreachable!("it is `moq relay`")
        };
        public(&args).map(|public| public.to_string())
    }

    #[test]
    fn only_a_loopback_relay_is_open_by_itself() {
        let local = ["--listen", "localhost:4443,127.0.0.1:0"];
        assert_eq!(of(&local).unwrap(), "**");
        let error = of(&["--listen", "localhost:4443,0.0.0.0:4443"]).unwrap_err();
        assert_eq!(crate::exit::code(&error), Exit::Usage);
        assert!(crate::exit::line(&error).contains("--auth-public"));
        let open = ["--listen", "0.0.0.0:4443", "--auth-public", "room/**"];
        assert_eq!(of(&open).unwrap(), "room/**");
    }

    #[test]
    fn publishing_and_subscribing_are_opened_apart() {
        let flags = [
            "--auth-public-publish",
            "in/**",
            "--auth-public-subscribe",
            "out",
        ];
        assert_eq!(of(&flags).unwrap(), "publish in/**; subscribe out");
    }

    #[tokio::test]
    async fn a_relay_that_stops_by_itself_has_failed() {
        let told = serve_until(std::future::pending(), std::future::ready(()));
        assert!(told.await.is_ok());
        let stopped = serve_until(std::future::ready(()), std::future::pending::<()>());
        let error = stopped.await.unwrap_err();
        assert!(crate::exit::line(&error).contains("cannot serve any longer"));
    }
}
