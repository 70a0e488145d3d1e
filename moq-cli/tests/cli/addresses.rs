//! Where a relay listens, in networks that lack something.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::program::{Program, Relay, Scratch};

/// A network of its own, with nothing but loopback. It is gone when dropped.
struct Network {
    holder: Child,
}

impl Network {
    /// Makes one, with IPv6 or without; `None`, which is said, where the system does not let this
    /// process.
    fn new(has_ipv6: bool) -> Option<Self> {
        let off = u8::from(!has_ipv6);
        let prepare = format!(
            "echo {off} > /proc/sys/net/ipv6/conf/all/disable_ipv6 && \
             ip link set lo up && echo ready && exec cat"
        );
        let holder = Command::new("unshare")
            .args(["-r", "-n", "sh", "-c", &prepare])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut said = String::new();
        let mut network = holder.ok().map(|holder| Self { holder });
        if let Some(network) = &mut network {
            let output = network.holder.stdout.take().unwrap();
            BufReader::new(output).read_line(&mut said).unwrap();
        }
        if said != "ready\n" {
            eprintln!("SKIPPED: this process may not make a network of its own");
            return None;
        }
        network
    }

    /// Starts the program in this network.
    fn start<S: AsRef<str>>(&self, args: &[S]) -> Program {
        let mut command = Command::new("nsenter");
        command
            .args(["--preserve-credentials", "-U", "-n", "-t"])
            .arg(self.holder.id().to_string())
            .arg(env!("CARGO_BIN_EXE_moq"));
        Program::spawn(command, args)
    }

    /// Sends a line from a publisher to a subscriber, who connect to these URLs.
    fn flow(&self, to_publish: &str, to_subscribe: &str, flags: &[&str]) {
        let mut subscriber = self.start(&[&["subscribe", to_subscribe, "chat"], flags].concat());
        subscriber.line("waiting for");
        let publisher = self.start(&[&["publish", to_publish, "chat"], flags].concat());
        publisher.input(b"hello\n").end().expect(0);
        let ended = subscriber.end().expect(0);
        assert_eq!(ended.stdout, b"hello\n");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

#[test]
fn a_relay_serves_where_there_is_no_ipv6() {
    let Some(network) = Network::new(false) else {
        return;
    };
    let state = Scratch::new();
    let mut relay = network.start(&["relay", "--state", state.path().to_str().unwrap()]);
    let listening = relay.line("listening on");
    assert!(listening.ends_with("on 127.0.0.1:4443"), "{listening}");
    let missing = relay.line("not on");
    assert!(
        missing.contains("[::1]:4443: this machine has no IPv6"),
        "{missing}"
    );
    let pin = relay.line("raw QUIC");
    let pin = pin.rsplit(' ').next().unwrap();

    network.flow("http://localhost:4443", "http://127.0.0.1:4443", &[]);
    let raw = "moqt://localhost:4443";
    network.flow(raw, raw, &["--tls-fingerprint", pin]);
    let only_there = network.start(&["relay", "--listen", "[::1]:4444"]);
    let refused = only_there.end().expect(1).stderr.join("\n");
    assert!(
        refused.contains("cannot listen on UDP [::1]:4444"),
        "{refused}"
    );
}

#[test]
fn all_of_ipv6_is_all_of_ipv4_too() {
    let Some(network) = Network::new(true) else {
        return;
    };
    let state = Scratch::new();
    let flags = ["--listen", "[::]:4443", "--auth-public", "**"];
    let dir = ["relay", "--state", state.path().to_str().unwrap()];
    let mut relay = network.start(&[&dir[..], &flags].concat());
    let listening = relay.line("listening on");
    assert!(
        listening.ends_with("on [::]:4443, 0.0.0.0:4443"),
        "{listening}"
    );
    relay.line("raw QUIC");
    network.flow("http://[::1]:4443", "http://127.0.0.1:4443", &[]);
}

/// Two that are to share their port among workers do not share it with each other.
#[test]
fn a_port_is_one_relays() {
    let relay = Relay::start(&["--workers", "2"]);
    let flags = ["--workers", "2", "--listen", relay.addr.as_str()];
    let second = Program::start(&[&["relay"], &flags[..]].concat());
    let refused = second.end().expect(1).stderr.join("\n");
    let line = format!("cannot listen on UDP {}", relay.addr);
    assert!(refused.contains(&line), "{refused}");
}
