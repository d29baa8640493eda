//! The trial of a contender: one way of doing a job, in batches on this thread, then its limit, then its answers.
//!
//! Neither tokio nor the rows of requests are on the path: an operation may take less than a row costs. A batch is timed as a whole and
//! gives one value, its wall time by its operations.

mod limit;

use std::collections::BTreeMap;

use bytes::Bytes;
use contenders::{Batch, Contender, JOBS, Job, Opening, Refusal, Way};
use model::plan::Case;
use model::record::{ContenderFigures, Cpu, Record, Status};
use model::{Histogram, Located};
use pool::clock::{Clock, MonotonicClock, Nanos};
use profiler::SAMPLERS;
use xxhash_rust::xxh3::Xxh3;

use crate::evidence;
use crate::host;
use crate::payload;
use crate::prepare::{PreparedCase, Problem};
use crate::schedule::stream;
use crate::sys;
use crate::trial::{Finished, Order, profile_hz};

/// Documents of a contender unless `contender.documents` says otherwise: as many as payloads of a request.
const DOCUMENTS: usize = payload::VARIANTS;
/// Memory that the documents of a contender may take, bytes; one is made in any case.
const DOCUMENTS_BYTES: usize = 4 << 20;

/// A job and the way of doing it, from their tables.
#[derive(Clone, Copy)]
pub struct Chosen {
    /// The job.
    pub job: &'static Job,
    /// The way.
    pub way: &'static Way,
}

impl std::fmt::Debug for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.job.name, self.way.name)
    }
}

/// Finds what a case names, and refuses a load that a contender does not have.
///
/// # Errors
/// The first problem, by file and line.
pub(crate) fn choose(case: &Case) -> Result<Chosen, Problem> {
    let job = given(case, "contender.job", "a job, such as 'file-read'")?;
    let job =
        *JOBS.iter().find(|j| j.name == job.value).ok_or_else(|| Problem::unknown(job, "job", &job.value, JOBS.iter().map(|j| j.name)))?;
    let name = given(case, "contender.way", "a way of doing the job")?;
    let way = job
        .way(&name.value)
        .ok_or_else(|| Problem::unknown(name, &format!("way of '{}'", job.name), &name.value, job.ways.iter().map(|w| w.name)))?;
    let load = &case.load;
    let refuse = |place: &Located, what: &str| Err(Problem::at(place, format!("a contender has one client that waits for nobody: {what}")));
    let arrivals = &load.arrivals.kind;
    match () {
        () if arrivals.value != "closed" => {
            refuse(arrivals, &format!("'{}' is no load for it (expected kind = \"closed\")", arrivals.value))
        }
        () if load.clients != 1 => refuse(arrivals, &format!("{} clients (expected clients = 1)", load.clients)),
        () if load.mix.len() != 1 => refuse(arrivals, &format!("{} sorts of request (expected one [[load.mix]])", load.mix.len())),
        () if load.sessions > 0 => refuse(arrivals, "it knows no sessions (expected no load.sessions)"),
        () => Ok(Chosen { job, way }),
    }
}

fn given<'a>(case: &'a Case, key: &str, what: &str) -> Result<&'a Located, Problem> {
    case.settings.get(key).filter(|text| text.value != "none").ok_or_else(|| {
        let mut problem = Problem::at(&case.target, format!("the target 'contender' needs the setting {key} (expected {what})"));
        problem.help = Some("`poolbench list --jobs` prints the jobs and the ways of doing them".to_owned());
        problem
    })
}

/// The documents of a case: of the load's one payload, as many as fit in memory's bound.
///
/// # Errors
/// A payload that cannot be made.
pub(crate) fn documents(prepared: &PreparedCase, seed: u64) -> Result<Vec<Bytes>, String> {
    let mix = prepared.case.load.mix.first().ok_or("the load has no [[load.mix]]")?;
    let bytes = mix.payload_bytes as usize;
    let asked = prepared.case.settings.get("contender.documents").and_then(|asked| asked.value.parse().ok());
    let many = (DOCUMENTS_BYTES / bytes.max(1)).clamp(1, asked.unwrap_or(DOCUMENTS));
    let mut rng = stream(seed, "payload");
    let make = |_| payload::make(&mix.shape.value, bytes, &mut rng).ok_or_else(|| format!("no payload of shape '{}'", mix.shape.value));
    let mut documents = (0..many).map(make).collect::<Result<Vec<_>, _>>()?;
    // A corpus is the same each time.
    documents.dedup();
    Ok(documents)
}

/// Digest of the documents.
pub(crate) fn fingerprint(documents: &[Bytes]) -> String {
    let mut digest = Xxh3::new();
    for document in documents {
        digest.update(&(document.len() as u64).to_le_bytes());
        digest.update(document);
    }
    format!("{:016x}", digest.digest())
}

/// What a window did.
#[derive(Default)]
struct Window {
    response: Histogram,
    batches: u64,
    done: Sums,
    begin: Nanos,
    end: Nanos,
    host: (host::Counters, host::Counters),
    /// CPU time of this process, what lies between batches included.
    own_ns: Nanos,
    warmup: u64,
}

/// Sums over batches.
#[derive(Clone, Copy, Default)]
struct Sums {
    operations: u64,
    bytes_in: u64,
    bytes_out: u64,
    wall_ns: u64,
    cpu_ns: u64,
}

/// A trial made ready.
pub(crate) struct Trial {
    order: Order,
    chosen: Chosen,
    way: String,
    contender: Result<Box<dyn Contender>, String>,
    fingerprint: String,
    documents: u64,
    started_unix_ms: u64,
    descriptors: u64,
    window: Option<Window>,
    profile: Option<profiler::Profile>,
}

impl Trial {
    /// Makes the documents, opens the contender.
    ///
    /// # Errors
    /// Why it cannot be made ready; that it is not available on this host is none.
    pub(crate) fn prepare(order: Order, prepared: &PreparedCase, chosen: Chosen, started_unix_ms: u64) -> Result<Trial, String> {
        let documents = documents(prepared, order.seed)?;
        let fingerprint = fingerprint(&documents);
        let ours = |key: &str| ["contender.", "store.", "compress."].iter().any(|group| key.starts_with(group));
        let settings: BTreeMap<String, String> =
            order.case.settings.iter().filter(|(key, _)| ours(key)).map(|(key, value)| (key.clone(), value.value.clone())).collect();
        let way = settings.get("contender.way").cloned().unwrap_or_else(|| chosen.way.name.to_owned());
        let descriptors = host::descriptors();
        let documents: Vec<Vec<u8>> = documents.iter().map(|d| d.to_vec()).collect();
        let many = documents.len() as u64;
        let opening = Opening { dir: order.dir.clone(), documents, seed: order.seed, settings };
        let contender = match (chosen.way.open)(&opening) {
            Ok(contender) => Ok(contender),
            Err(Refusal::NotHere(why)) => Err(why),
            Err(Refusal::Failed(why)) => return Err(format!("{} by {}: {why}", chosen.job.name, chosen.way.name)),
        };
        Ok(Trial { order, chosen, way, contender, fingerprint, documents: many, started_unix_ms, descriptors, window: None, profile: None })
    }

    /// Digest of the documents.
    pub(crate) fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    /// Runs batches for the warm-up, then for the window; operations of the window and how many per second of the time in batches.
    ///
    /// # Errors
    /// When a batch fails or the profiler cannot run.
    pub(crate) fn slice(&mut self, warmup_ns: u64, length_ns: u64, profiled: bool) -> Result<(u64, f64), String> {
        let Ok(contender) = &mut self.contender else {
            self.window = Some(Window::default());
            return Ok((0, 0.0));
        };
        let mut window = Window::default();
        let until = MonotonicClock.now().saturating_add(warmup_ns);
        let mut unused = Sums::default();
        while MonotonicClock.now() < until {
            one(contender.as_mut(), &mut unused)?;
        }
        window.warmup = unused.operations;
        let session = profiled.then(|| SAMPLERS[0].start(profile_hz())).transpose().map_err(|e| e.to_string())?;
        window.host.0 = host::Counters::read();
        let own = sys::process_cpu_ns();
        window.begin = MonotonicClock.now();
        let until = window.begin.saturating_add(length_ns);
        // At least one batch, however long it takes.
        loop {
            let (ns, operations) = one(contender.as_mut(), &mut window.done)?;
            window.batches += 1;
            window.response.record((ns + operations / 2) / operations);
            window.end = MonotonicClock.now();
            if window.end >= until {
                break;
            }
        }
        window.own_ns = sys::process_cpu_ns().saturating_sub(own);
        window.host.1 = host::Counters::read();
        self.profile = session.map(profiler::Session::stop).transpose().map_err(|e| e.to_string())?;
        let done = window.done;
        self.window = Some(window);
        Ok((done.operations, done.operations as f64 * 1e9 / done.wall_ns.max(1) as f64))
    }

    /// Measures the limit, compares the answers and makes the record.
    ///
    /// # Errors
    /// When no slice was run, the limit cannot be measured, or an answer was wrong.
    pub(crate) fn finish(self) -> Result<Finished, String> {
        let window = self.window.ok_or("no slice was run")?;
        let order = &self.order;
        let mut record = Record::without_figures(&order.case.id, order.round, order.kind, order.seed, Status::Measured);
        record.started_unix_ms = self.started_unix_ms;
        record.fingerprint = self.fingerprint;
        put_load(&mut record, &window);
        let mut figures = ContenderFigures {
            job: self.chosen.job.name.to_owned(),
            way: self.way,
            cpu_bound: self.chosen.job.cpu_bound,
            trap: self.chosen.way.trap.to_owned(),
            batches: window.batches,
            operations: window.done.operations,
            wall_ns: window.done.wall_ns,
            cpu_ns: window.done.cpu_ns,
            bytes_in: window.done.bytes_in,
            bytes_out: window.done.bytes_out,
            ..ContenderFigures::default()
        };
        match self.contender {
            Err(why) => figures.not_here = Some(why),
            Ok(contender) => {
                figures.limit = contender.limit().map(|limit| limit::measure(limit, &order.dir)).transpose()?;
                // One answer per document: what a contender promises to compare at its end.
                record.answers.bodies = self.documents;
                figures.facts = contender.finish().map_err(|why| format!("{} by {}: {why}", figures.job, figures.way))?;
            }
        }
        record.contender = Some(figures);
        record.deaths.children_left = host::children();
        record.left.descriptors = host::descriptors().saturating_sub(self.descriptors);
        record.memory_peak_bytes = host::memory_peak_bytes();
        let folded = self.profile.map(|profile| {
            record.profile = Some(evidence::profile(&profile, 0));
            profile.stacks.to_string()
        });
        Ok(Finished { record, folded })
    }
}

/// Prepares, runs and times one batch: its wall time and its operations, added to the sums.
fn one(contender: &mut dyn Contender, sums: &mut Sums) -> Result<(Nanos, u64), String> {
    contender.between()?;
    // The clock of the whole process, since some ways work on other threads, and outermost, since reading it takes a system call.
    let cpu = sys::process_cpu_ns();
    let begin = MonotonicClock.now();
    let Batch { operations, bytes_in, bytes_out } = contender.batch()?;
    let wall_ns = MonotonicClock.now().saturating_sub(begin);
    sums.cpu_ns += sys::process_cpu_ns().saturating_sub(cpu);
    let operations = u64::from(operations.max(1));
    sums.wall_ns += wall_ns;
    sums.operations += operations;
    sums.bytes_in += bytes_in;
    sums.bytes_out += bytes_out;
    Ok((wall_ns, operations))
}

/// The figures that any trial has. The window's length is the time in batches: what happens between them is not the job.
fn put_load(record: &mut Record, window: &Window) {
    let done = window.done;
    record.window_ns = done.wall_ns;
    record.until_last_ns = done.wall_ns;
    let counts = &mut record.counts;
    (counts.intended, counts.sent, counts.finished) = (done.operations, done.operations, done.operations);
    (counts.ok_in_deadline, counts.ok_arrived_in_window, counts.warmup) = (done.operations, done.operations, window.warmup);
    if done.operations > 0 {
        record.outcomes.insert("ok".to_owned(), done.operations);
        record.histograms.insert("response".to_owned(), window.response.clone());
    }
    (record.bytes.encoded, record.bytes.sent) = if done.bytes_out > 0 { (done.bytes_in, done.bytes_out) } else { (0, 0) };
    record.cpu = Cpu { process_ns: done.cpu_ns, ..Cpu::default() };
    record.host = window.host.0.since(&window.host.1, window.end.saturating_sub(window.begin), window.own_ns);
}

#[cfg(test)]
mod tests;
