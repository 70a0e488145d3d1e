//! Defects of peers that these cells brought to light.

/// What is wrong, and how to see it.
#[derive(Debug)]
pub(crate) struct Defect {
    pub(crate) package: &'static str,
    pub(crate) what: &'static str,
    /// The smallest way to see it.
    pub(crate) reproduction: &'static str,
}

/// All of them, by package.
pub(crate) const DEFECTS: &[Defect] = &[
    Defect {
        package: "@moq/net 0.3.4",
        what: "a broadcast that is published while an Announce stream is being answered is not announced \
               on it before the next change; our test client waits for 300 ms because of it",
        reproduction: "`const c = await Connection.connect(url, …); c.publish(path, producer)` at once: \
                       in about one of ten runs nobody sees `path`",
    },
    Defect {
        package: "@moq/net 0.3.4",
        what: "a second subscription to a track, in the same session, gets the groups that the first has \
               cached whatever its own `latencyMax`",
        reproduction: "publish groups at 0, 1 and 2 s, subscribe with `{ startGroup: 0, latencyMax: \
                       60000 }`, then with `{ startGroup: 0, latencyMax: 500 }`: group 0 comes again",
    },
    Defect {
        package: "@moq/net 0.3.4",
        what: "before draft 05 no PROBE stream is opened, because that waits for a SETUP, which these drafts \
               lack",
        reproduction: "connect with moq-lite-04 to a server that measures, and watch `connection.probe`: it \
                       stays empty",
    },
    Defect {
        package: "@moq/net 0.3.4",
        what: "before draft 05 a subscription to a track that its broadcast lacks is accepted and stays open",
        reproduction: "publish a broadcast with the track `a` over moq-lite-04, and subscribe to its track `b`: \
                       SUBSCRIBE_OK comes, then nothing",
    },
    Defect {
        package: "moq-relay 0.17.10",
        what: "`--drain-timeout` is said to be 10 s by default, but without it the drain is 0 s long: sessions \
               are closed and get no GOAWAY; our scenario gives it",
        reproduction: "`moq-relay --listen 127.0.0.1:4443 …`, connect, `kill -TERM`: its log says `draining \
                       sessions … window=0ns`",
    },
    Defect {
        package: "moq-net 0.3.18 (moq-relay 0.17.10, moq-rs 0.5.1)",
        what: "over drafts 01 and 02 a broadcast that was told in ANNOUNCE_INIT is never taken back; our \
               scenarios take back what was announced later",
        reproduction: "publish `a` at `moq-relay --listen-version moq-lite-02 …`, have a second client watch, \
                       then leave: the second client is not told",
    },
    Defect {
        package: "moq-rs 0.5.1",
        what: "after a GOAWAY, a subscription made while the old session ends fails instead of going to the \
               new one, though `status()` says CONNECTED; it has to be made again",
        reproduction: "have a server send GOAWAY, `await session.status()` until CONNECTED, subscribe at once: \
                       in about one of four runs `MoqProtocolError`",
    },
    Defect {
        package: "@moq/web-transport 0.1.4",
        what: "the native half for linux-x64 wants GLIBC 2.38, so it does not load on Debian 12, and the \
               package's entry is TypeScript, which Node does not read below `node_modules`; both are \
               worked around when it is installed",
        reproduction: "`npm install @moq/web-transport@0.1.4 && node -e \"import('@moq/web-transport')\"`",
    },
];
