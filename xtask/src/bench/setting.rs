//! Where and with what was measured.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::options::Options;
use super::{lite, workload};

/// Names and values for the top of the page.
pub(super) fn describe(options: &Options) -> Vec<(&'static str, String)> {
    let mut setting = vec![
        ("machine", machine()),
        (
            "cores",
            "kept from halting, by loops at idle priority".to_owned(),
        ),
        ("memory", memory()),
        ("network", network()),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        (
            "commit",
            output("git", &["describe", "--always", "--dirty"]),
        ),
        ("compiler", output("rustc", &["--version"])),
    ];
    if let Some(peer) = &options.peer {
        setting.push(("peer", version(peer)));
    }
    setting.push(("protocol", String::from_utf8_lossy(lite::ALPN).into_owned()));
    setting.push(("cipher", "TLS_AES_128_GCM_SHA256 for all".into()));
    let pairs = format!("{} windows per relay, in alternating order", options.pairs);
    setting.push(("pairs", pairs));
    for workload in &options.workloads {
        let name = workload::ALL.iter().find(|known| known.id == workload.id);
        if let Some(known) = name {
            setting.push((known.id, format!("{}: {}", known.name, workload.load)));
        }
    }
    setting
}

fn machine() -> String {
    let info = read("/proc/cpuinfo");
    let models = info
        .lines()
        .filter_map(|line| line.strip_prefix("model name"));
    let models: Vec<_> = models
        .map(|line| line.trim_start_matches(['\t', ' ', ':']))
        .collect();
    format!(
        "{} × {}",
        models.len(),
        models.first().unwrap_or(&"unknown")
    )
}

fn memory() -> String {
    let info = read("/proc/meminfo");
    let total = info.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    total.unwrap_or("unknown").trim().to_owned()
}

fn network() -> String {
    let mtu = read("/sys/class/net/lo/mtu");
    let receive = read("/proc/sys/net/core/rmem_max");
    let send = read("/proc/sys/net/core/wmem_max");
    format!("loopback, MTU {mtu}, socket buffers of at most {receive} B in and {send} B out")
}

fn version(program: &Path) -> String {
    output(&program.display().to_string(), &["--version"])
}

fn read(path: &str) -> String {
    fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// The first line that a program says, which is nothing if it cannot be run.
fn output(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let said = said.unwrap_or_default();
    said.lines().next().unwrap_or("unknown").to_owned()
}
