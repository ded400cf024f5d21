//! The runs, and what stays the same in all of them. What is measured, and against what, is in `subject` and
//! `serve`.

mod client;
mod keys;
mod load;
mod processors;
mod progress;
mod real;
mod report;
mod rounds;
mod serve;
mod subject;
mod switch_off;

use std::rc::Rc;
use std::time::Duration;

use keyward_dev::{Gateway, Gateways};
use load::{Load, Order};
use processors::Processors;
use progress::{done, progress};
use rounds::{BUSY, Rounds, Row, Series, measure, rows};
use subject::{Bench, Subject};

use crate::support::{Failure, number};

const COUNTS: [usize; 3] = [100, 10_000, 100_000];

const BARE: &str = "(a) the same port, 200 without a check";
const BARE_HEADERS: &str = "    the same with the nine headers";
const NGINX: &str = "(b) nginx, return 200";
const ENVOY: &str = "(c) Envoy, api_key_auth";
const VERIFIER: &str = "the verifier";
const VERIFIER_RESOURCE: &str = "the verifier, asked for a resource and role";

/// Serves where the arguments say so, as a subject does in a process of its own; otherwise measures.
pub fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve", address, role @ ..] => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            // As the program does it: the port's loop on the first thread, connections on the workers.
            runtime.block_on(serve(address.parse()?, role))
        }
        _ => run(),
    }
}

async fn serve(address: std::net::SocketAddr, role: &[&str]) -> Result<(), Failure> {
    match role {
        ["bare"] => serve::bare(address, false).await,
        ["headers"] => serve::bare(address, true).await,
        ["verifier", keys] => serve::verifier(address, keys.parse()?).await,
        _ => Err("no such role".into()),
    }
}

fn run() -> Result<(), Failure> {
    let starts = number("STARTS", 3)?;
    let rounds = Rounds {
        count: number("ROUNDS", 10)?,
        length: Duration::from_millis(number("MILLISECONDS", 500)?.try_into()?),
    };
    let gateways = Gateways::ensure(&[Gateway::Nginx, Gateway::Envoy])?;
    let processors = Processors::choose()?;
    let folder = tempfile::tempdir()?;
    println!(
        "each server has one processor and one worker, the load another{}; {BUSY} connections, or one; medians of {} rounds of {:.1} s \
         with each of {starts} processes, each subject in turn",
        if processors.shared() { " (NOT here: there is one processor only)" } else { "" },
        rounds.count,
        rounds.length.as_secs_f64()
    );
    for keys in counts()? {
        let bench = Bench { processors: &processors, gateways: &gateways, folder: folder.path(), keys };
        let series = (0..starts).map(|_| in_memory(&bench, &rounds)).collect::<Result<Vec<_>, _>>()?;
        print(keys, &rows(series.into_iter().flatten().collect()));
    }
    real::run(&processors, folder.path(), &rounds)
}

/// [`COUNTS`], or those that `COUNTS` names, as `COUNTS=100,100000`.
fn counts() -> Result<Vec<usize>, Failure> {
    match std::env::var("COUNTS") {
        Ok(text) if !text.is_empty() => text.split(',').map(|count| Ok(count.parse()?)).collect(),
        _ => Ok(COUNTS.to_vec()),
    }
}

/// All subjects with that many keys, each in a new process.
fn in_memory(bench: &Bench<'_>, rounds: &Rounds) -> Result<Vec<Series>, Failure> {
    const PATH: &str = "/auth";
    let keys = bench.keys;
    progress(&format!("{keys} keys: starting the servers"));
    let resource = format!("{PATH}/for/{}/Viewer", keys::RESOURCE);
    let requests = Rc::new(keys::requests(PATH, keys)?);
    let verifier = bench.verifier(VERIFIER, &requests)?;
    let filled = verifier.process.resident_megabytes()?;
    let first_use = first_use(&verifier)?;
    verifier.checks(PATH, keys, true)?;
    verifier.checks(&resource, keys, true)?;
    let mut subjects = vec![
        bench.bare(BARE, "bare", &requests)?,
        bench.bare(BARE_HEADERS, "headers", &requests)?,
        bench.nginx(NGINX, &requests)?,
    ];
    match bench.envoy(ENVOY, &requests) {
        Ok(envoy) => {
            envoy.checks(PATH, keys, false)?;
            subjects.push(envoy);
        }
        Err(error) => println!("NOT MEASURED with {keys} keys: {error}"),
    }
    let asking = bench.verifier(VERIFIER_RESOURCE, &Rc::new(keys::requests(&resource, keys)?))?;
    first_use_of(&asking)?;
    subjects.extend([verifier, asking]);
    let series = measure(&subjects, rounds)?;
    done();
    println!("\n{VERIFIER} with {keys} keys");
    println!("  each key's first use in a minute, with its audit line: {first_use:.0} a second");
    let used = subjects.iter().find(|subject| subject.name == VERIFIER).ok_or("no verifier")?;
    println!("  resident: {filled:.1} MB filled, {:.1} MB at the end", used.process.resident_megabytes()?);
    Ok(series)
}

fn print(keys: usize, rows: &[Row]) {
    println!("\n{keys} keys of {} service accounts", keys::service_accounts(keys));
    report::table(rows);
    report::warn_of_idleness(rows);
    if let Some(row) = rows.iter().find(|row| row.name == VERIFIER) {
        println!("{} reaches", row.name);
        report::ratios(row, rows);
    }
}

/// Uses each key once. Says how many a second.
fn first_use(subject: &Subject) -> Result<f64, Failure> {
    Ok(first_use_of(subject)?.per_second())
}

fn first_use_of(subject: &Subject) -> Result<load::Measured, Failure> {
    progress(&format!("{}: first use of each key", subject.name));
    let load =
        Load { address: subject.address, requests: &subject.requests, connections: BUSY, order: Order::Each };
    load.run()
}
