//! Hospitals that work through two nodes at once: what is not answered is sent again under the same id, to the other node.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use banyan::sandbox::his::Connection;
use banyan::sandbox::his::His;
use banyan::sandbox::his::Line;
use banyan::sandbox::his::NoAnswer;
use banyan::sandbox::play;
use banyan::sandbox::population::Insured;
use banyan::sandbox::stays::Stay;
use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;
use tokio::time::timeout;

use crate::balancer::Balancer;
use crate::balancer::Passed;
use crate::support::answer::Answer;
use crate::tally::Tally;

pub(crate) const PATH: &str = "/fsi/api/rsfComIfsService/callService";
/// Settings of the nodes: the longest wait for the ledger, of which a call has three at most: to look, to write, and to
/// ask what became of it.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// No call may take longer, whatever fails: the three waits, and what a busy machine adds.
pub(crate) const CALL_WITHIN: Duration = Duration::from_secs(9);
/// However often it must be sent.
const MESSAGE_WITHIN: Duration = Duration::from_secs(90);
/// A hospital does not send again at once.
const PAUSE: Duration = Duration::from_millis(50);
/// People who are treated at the same time.
const DESKS: usize = 8;

/// What a hospital is told when it shall send the same message again.
const AGAIN: [&str; 6] =
    ["ledger-unavailable", "try-again", "timed-out", "overloaded", "draining", "broken-off"];

pub(crate) struct Patient {
    pub(crate) insured: Insured,
    pub(crate) stay: Stay,
    pub(crate) hospital: usize,
}

/// A message and how it ended.
pub(crate) struct Sent {
    pub(crate) infno: &'static str,
    pub(crate) msgid: String,
    pub(crate) body: Bytes,
    pub(crate) answer: Answer,
}

/// All that was sent for somebody.
pub(crate) struct Story {
    pub(crate) patient: Patient,
    pub(crate) sent: Vec<Sent>,
}

pub(crate) struct Hospital {
    pub(crate) his: His,
    /// To each node.
    pub(crate) lines: [Line; 2],
    kept: [Mutex<Vec<Connection>>; 2],
}

impl Hospital {
    pub(crate) fn new(his: His, lines: [Line; 2]) -> Hospital {
        Hospital { his, lines, kept: Default::default() }
    }

    /// `None` when nobody is there, or the call breaks off. A connection that was closed while it lay idle has had no call.
    async fn post(&self, node: usize, body: Bytes) -> Option<Answer> {
        loop {
            let kept = self.kept[node].lock().unwrap().pop();
            let lay_idle = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => self.lines[node].open().await.ok()?,
            };
            match connection.post(PATH, &[], body.clone()).await {
                Ok((_, bytes)) => {
                    self.kept[node].lock().unwrap().push(connection);
                    return Some(Answer::read(bytes));
                }
                Err(NoAnswer::Broken(cause)) if lay_idle && (cause.is_canceled() || cause.is_closed()) => {}
                Err(_) => return None,
            }
        }
    }
}

pub(crate) struct Hospitals {
    pub(crate) all: Vec<Hospital>,
    pub(crate) tally: Tally,
    waiting: Mutex<VecDeque<Patient>>,
}

impl Hospitals {
    pub(crate) fn new(all: Vec<Hospital>) -> Hospitals {
        Hospitals { all, tally: Tally::new(), waiting: Mutex::default() }
    }

    pub(crate) fn take_in(&self, patients: impl IntoIterator<Item = Patient>) {
        self.waiting.lock().unwrap().extend(patients);
    }

    /// Begins to treat whoever waits, several at a time.
    pub(crate) fn begin(self: &Arc<Hospitals>) -> Work {
        let stop = Arc::new(AtomicBool::new(false));
        let desks = (0..DESKS).map(|_| {
            let (hospitals, stop) = (Arc::clone(self), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut told = Vec::new();
                while !stop.load(SeqCst) {
                    let next = hospitals.waiting.lock().unwrap().pop_front();
                    let patient = next.expect("there are patients enough for every round");
                    told.push(hospitals.treat(patient).await);
                }
                told
            })
        });
        Work { desks: desks.collect(), stop }
    }

    /// From the door to the settlement, which is undone and made anew. Most is sent to both nodes at once, as the same
    /// message or as another one for the same person.
    async fn treat(&self, patient: Patient) -> Story {
        let stay = &patient.stay;
        let admitted = self.both(&patient, "2401", &play::admit(stay)).await;
        let id = admitted.answer.mdtrt_id();
        let mut sent = vec![admitted];
        let (some, others) = stay.lines.split_at(stay.lines.len() / 2);
        let uploads = [some, others].map(|lines| play::upload(stay, &id, lines));
        sent.extend(self.apart(&patient, "2301", &uploads).await);
        sent.push(self.both(&patient, "2402", &play::discharge(stay, &id)).await);
        let bill = play::settle(stay, &id, &stay.medfee_sumamt);
        let settled = self.apart(&patient, "2304", &[bill.clone(), bill.clone()]).await;
        let done: Vec<_> = settled.iter().filter(|sent| sent.answer.ok()).collect();
        assert_eq!(done.len(), 1, "one of two settlements: {:?} {:?}", settled[0].answer, settled[1].answer);
        let setl_id = done[0].answer.setl_id();
        sent.extend(settled);
        sent.push(self.both(&patient, "2305", &play::reverse(stay, &id, &setl_id)).await);
        sent.push(self.both(&patient, "2304", &bill).await);
        Story { patient, sent }
    }

    /// Through a balancer, each message once: a stay that is settled and reversed until told to stop. Each call must be
    /// done.
    pub(crate) async fn treat_through(
        &self,
        balancers: &mut [Balancer],
        passed: &Passed,
        done: &AtomicUsize,
        stop: &AtomicBool,
    ) {
        let next = self.waiting.lock().unwrap().pop_front();
        let patient = next.expect("there is a patient for each client");
        let stay = &patient.stay;
        let mut call = async |infno, input: Value| {
            let (msgid, body) = self.message(&patient, infno, &input);
            let answer = balancers[patient.hospital].post(&body, passed).await;
            done.fetch_add(1, SeqCst);
            answer.unwrap_or_else(|cause| panic!("{infno} {msgid} failed: {cause:?}")).done()
        };
        let id = call("2401", play::admit(stay)).await.mdtrt_id();
        call("2301", play::upload(stay, &id, &stay.lines)).await;
        call("2402", play::discharge(stay, &id)).await;
        while !stop.load(SeqCst) {
            let bill = play::settle(stay, &id, &stay.medfee_sumamt);
            let setl_id = call("2304", bill).await.setl_id();
            call("2305", play::reverse(stay, &id, &setl_id)).await;
        }
    }

    /// The same message to both nodes at once. It is done, and answered alike.
    async fn both(&self, patient: &Patient, infno: &'static str, input: &Value) -> Sent {
        let (msgid, body) = self.message(patient, infno, input);
        let at = patient.hospital;
        let (answer, other) = tokio::join!(self.until_told(at, 0, &body), self.until_told(at, 1, &body));
        assert_eq!(answer.bytes, other.bytes, "{infno} {msgid}: the same message, answered alike");
        let answer = answer.done();
        Sent { infno, msgid, body, answer }
    }

    /// A message to each node at once.
    async fn apart(&self, patient: &Patient, infno: &'static str, inputs: &[Value; 2]) -> [Sent; 2] {
        let [one, other] = inputs.each_ref().map(|input| self.message(patient, infno, input));
        let at = patient.hospital;
        let told = tokio::join!(self.until_told(at, 0, &one.1), self.until_told(at, 1, &other.1));
        let sent = |(msgid, body), answer| Sent { infno, msgid, body, answer };
        [sent(one, told.0), sent(other, told.1)]
    }

    fn message(&self, patient: &Patient, infno: &str, input: &Value) -> (String, Bytes) {
        let his = &self.all[patient.hospital].his;
        let msgid = his.next_msgid();
        let message = his.envelope(infno, &msgid, play::insured_region(&patient.stay), input);
        (msgid, message.to_string().into())
    }

    /// To one node and the other in turn, until the answer is final.
    pub(crate) async fn until_told(&self, hospital: usize, first: usize, body: &Bytes) -> Answer {
        let (begun, mut node) = (Instant::now(), first);
        loop {
            let sent = Instant::now();
            let answer = timeout(CALL_WITHIN, self.all[hospital].post(node, body.clone())).await;
            let answer = answer.unwrap_or_else(|_| panic!("no answer by node {node} within {CALL_WITHIN:?}"));
            match answer {
                None => self.tally.tell(node, sent, false, |counts| counts.broken[node] += 1),
                Some(answer) if AGAIN.contains(&answer.code()) => {
                    self.tally.tell(node, sent, false, |counts| counts.again[node] += 1);
                }
                Some(answer) => {
                    let done = answer.ok();
                    self.tally.tell(node, sent, done, |counts| counts.done[node] += usize::from(done));
                    return answer;
                }
            }
            assert!(begun.elapsed() < MESSAGE_WITHIN, "never told: {}", String::from_utf8_lossy(body));
            tokio::time::sleep(PAUSE).await;
            node = 1 - node;
        }
    }
}

/// Desks at work.
pub(crate) struct Work {
    desks: Vec<tokio::task::JoinHandle<Vec<Story>>>,
    stop: Arc<AtomicBool>,
}

impl Work {
    /// Whoever is being treated is treated to the end.
    pub(crate) async fn end(self) -> Vec<Story> {
        self.stop.store(true, SeqCst);
        let mut all = Vec::new();
        for desk in self.desks {
            all.extend(desk.await.unwrap());
        }
        all
    }
}
