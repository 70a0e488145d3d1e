//! Puts a session in the place of the recorded end and plays the other one to it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moq_session::{
    AcceptError, Budget, Config, Established, Grant, OriginProducer, Session, SessionError,
};
use moq_session::{BroadcastPath, ConnectError};
use tokio::time::{Instant, sleep};

use crate::Outcome;
use crate::cast::Cast;
use crate::compare::{Difference, differences, key};
use crate::known::Known;
use crate::plan::{Action, Plan, Scene};
use crate::recording::{End, Event, Recording, Side, What};
use crate::tape::Tape;

/// A session on the stage.
pub(crate) struct Stage<'a> {
    recording: &'a Recording,
    script: Side,
    began: Instant,
    pub(crate) tape: Tape,
    /// The streams of the recording, as the tape has them.
    pub(crate) lines: Vec<Option<usize>>,
    cast: Cast,
    session: Arc<Mutex<Option<Outcome<Session>>>>,
}

/// Plays a recording to a session until it has done as recorded, or exactly what is known to be
/// better, or neither for a long while. Says what was different in the end.
pub(crate) async fn perform(
    recording: &Recording,
    known: Option<&Known>,
) -> Outcome<Vec<Difference>> {
    let script = recording.scripted.ok_or("nobody to play")?;
    let scene = Scene::new(recording, script.other());
    let plan = scene.plan();
    let mut stage = Stage::new(recording, script, &plan);
    stage.cast.act_all(plan.before.clone())?;
    stage.begin(&plan);
    stage.play(plan.later).await?;
    sleep(SETTLE).await;
    let is_cut = known.is_some_and(Known::is_cut);
    let mut waited = SETTLE;
    loop {
        let found = stage.differences(is_cut)?;
        let is_fine = match known {
            Some(known) => known.explains(&found),
            None => found.is_empty(),
        };
        if is_fine || waited >= PATIENCE {
            return Ok(found);
        }
        sleep(STEP).await;
        waited += STEP;
    }
}

impl<'a> Stage<'a> {
    fn new(recording: &'a Recording, script: Side, plan: &Plan) -> Self {
        let tape = Tape::new(&recording.protocol, plan.setup_path.clone());
        let session = Arc::default();
        Self {
            recording,
            script,
            began: Instant::now(),
            lines: vec![None; recording.streams.len()],
            cast: Cast::new(plan.hop, tape.clone(), Arc::clone(&session)),
            tape,
            session,
        }
    }

    /// Starts the session in the background.
    fn begin(&self, plan: &Plan) {
        let mut config = Config::default().with_versions([self.recording.version]);
        config = config.with_publish(self.cast.published.clone());
        if plan.is_subscriber {
            let learned = OriginProducer::with(plan.hop, Budget::default());
            config = config.with_subscribe(learned);
        }
        if let Some(role) = plan.role {
            config = config.with_role(role);
        }
        let (tape, slot) = (self.tape.clone(), self.session.clone());
        let is_server = self.script == Side::Client;
        tokio::spawn(async move {
            let session = match is_server {
                true => accept(tape, config).await,
                false => connect(tape, config).await,
            };
            if let Some(session) = session.transpose() {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
            }
        });
    }

    /// Plays the script and lets the application act, in the recorded order and with the recorded
    /// time between.
    async fn play(&mut self, actions: Vec<(Duration, usize, Action)>) -> Outcome {
        let mut now = Duration::ZERO;
        let (recording, script) = (self.recording, self.script);
        let mut actions = actions.into_iter().peekable();
        let events = recording.events.iter().enumerate();
        for (at, event) in events.filter(|(_, event)| event.from == script) {
            let is_before = |(time, order, _): &(_, _, _)| (*time, *order) < (event.at, at);
            while let Some((time, _, action)) = actions.next_if(is_before) {
                pass(&mut now, time).await;
                self.act(action).await?;
            }
            pass(&mut now, event.at).await;
            if !self.feed(event).await? {
                return Ok(());
            }
        }
        for (time, _, action) in actions {
            pass(&mut now, time).await;
            self.act(action).await?;
        }
        let last = recording.events.last().map(|event| event.at);
        pass(&mut now, last.unwrap_or_default()).await;
        Ok(())
    }

    /// Lets the application act, once there is a session if it needs one.
    async fn act(&mut self, action: Action) -> Outcome {
        let mut waited = Duration::ZERO;
        while action.needs_session() && !self.cast.has_session() && waited < PATIENCE {
            sleep(MOMENT).await;
            waited += MOMENT;
        }
        self.cast.act(action)
    }

    /// Does what the script did; false if the session never opened the stream to do it on.
    async fn feed(&mut self, event: &Event) -> Outcome<bool> {
        match &event.what {
            What::Open(stream) => {
                let is_bi = self.recording.streams[*stream].is_bi;
                self.lines[*stream] = Some(self.tape.play_open(is_bi));
            }
            What::Datagram(at) => {
                let (_, payload) = &self.recording.datagrams[*at];
                self.tape.play_datagram(payload.clone());
            }
            What::Close(code, reason) => self.tape.play_close(*code, reason),
            What::Write(stream, _)
            | What::Finish(stream)
            | What::Reset(stream, _)
            | What::Stop(stream, _) => {
                let Some(line) = self.line(*stream).await? else {
                    return Ok(false);
                };
                match &event.what {
                    What::Write(_, range) => {
                        let half = self.recording.streams[*stream].half(self.script);
                        let bytes = half.and_then(|half| half.bytes.get(range.clone()));
                        self.tape.play_write(line, bytes.unwrap_or_default());
                    }
                    What::Finish(_) => self.tape.play_end(line, End::Fin),
                    What::Reset(_, code) => self.tape.play_end(line, End::Reset(*code)),
                    What::Stop(_, code) => self.tape.play_stop(line, *code),
                    _ => {}
                }
            }
        }
        Ok(true)
    }

    /// The session's counterpart of a recorded stream, once there is one.
    async fn line(&mut self, stream: usize) -> Outcome<Option<usize>> {
        let mut waited = Duration::ZERO;
        loop {
            self.assign();
            if let Some(line) = self.lines[stream] {
                return Ok(Some(line));
            }
            if waited >= PATIENCE {
                return Ok(None);
            }
            self.started()?;
            sleep(STEP).await;
            waited += STEP;
        }
    }

    /// Finds the session's streams for those of the recorded end, by what they were opened for.
    fn assign(&mut self) {
        let version = self.recording.version;
        let own = self.script.other();
        for (at, stream) in self.recording.streams.iter().enumerate() {
            if stream.opener != own || self.lines[at].is_some() {
                continue;
            }
            let recorded = stream.half(own).map_or(&[][..], |half| &half.bytes);
            let wanted = key(recorded, stream.is_bi, version);
            let lines = &self.lines;
            let found = self.tape.look(|streams, _, _| {
                streams.iter().enumerate().position(|(line, ours)| {
                    let sent = ours.sent.as_ref().map_or(&[][..], |half| &half.bytes);
                    ours.is_ours
                        && ours.is_bi == stream.is_bi
                        && !lines.contains(&Some(line))
                        && key(sent, ours.is_bi, version) == wanted
                })
            });
            self.lines[at] = found;
        }
    }

    /// # Errors
    /// Why the session could not start, if that is not for what the script did.
    fn started(&self) -> Outcome {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        match &*session {
            Some(Err(error)) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    fn differences(&mut self, is_cut: bool) -> Outcome<Vec<Difference>> {
        self.started()?;
        self.assign();
        let closed = self.tape.closed_at().filter(|_| is_cut);
        let cut = closed.map(|closed| closed - self.began);
        Ok(differences(self.recording, &self.tape, &self.lines, cut))
    }
}

/// Lets virtual time pass, in which the session does what it can.
async fn pass(now: &mut Duration, until: Duration) {
    if let Some(time) = until.checked_sub(*now).filter(|time| !time.is_zero()) {
        sleep(time).await;
        *now = until;
    }
}

/// `None` where the peer did not get as far as a session.
async fn accept(tape: Tape, config: Config) -> Outcome<Option<Session>> {
    let request = match Session::accept(Established::new(tape), config).await {
        Ok(request) => request,
        Err(AcceptError::Session(SessionError::Peer(_) | SessionError::Transport(_))) => {
            return Ok(None);
        }
        Err(error) => return Err(format!("the session does not start: {error}")),
    };
    let session = request
        .accept(Grant::everything(BroadcastPath::root()))
        .await;
    Ok(session.ok())
}

async fn connect(tape: Tape, config: Config) -> Outcome<Option<Session>> {
    match Session::connect_with(tape, config).await {
        Ok(session) => Ok(Some(session)),
        Err(ConnectError::Session(SessionError::Peer(_) | SessionError::Transport(_))) => Ok(None),
        Err(error) => Err(format!("the session does not start: {error}")),
    }
}

/// After the last event.
const SETTLE: Duration = Duration::from_secs(2);
/// For a session to begin.
const MOMENT: Duration = Duration::from_millis(1);
const STEP: Duration = Duration::from_millis(250);
/// How long a session may take for what it has to do: longer than any of its own limits.
const PATIENCE: Duration = Duration::from_secs(45);
