//! How fast the verifier answers, as ratios taken in one run: against the same server without a check, against nginx that
//! answers 200, and against Envoy's own `api_key_auth`; and how long a key that is switched off is still let in.
//!
//! Every server has one thread of work, and the load comes from this process's one thread. `make bench` starts the control
//! plane that the last part needs; `SECONDS` and `ROUNDS` set how long each subject is asked.

mod keys;
mod load;
mod others;
mod server;
mod switch_off;

use std::time::Duration;

use load::Measured;
use others::Process;

type Failure = Box<dyn std::error::Error>;

/// How many keys there are.
const KEYS: [usize; 3] = [100, 10_000, 100_000];

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(server::SUBCOMMAND) {
        let what = arguments.next().ok_or("what to serve")?;
        return server::serve(&what, arguments.next().ok_or("how many keys")?.parse()?);
    }
    let seconds = Duration::from_secs(number("SECONDS", 2)?);
    let rounds = number("ROUNDS", 3)?;
    println!("{} connections; median of {rounds} rounds of {seconds:?} each, in turn", load::CONNECTIONS);
    println!(
        "{:>7}  {:<32} {:>10} {:>9} {:>9} {:>14}",
        "keys", "subject", "answers/s", "p50", "p99", "CPU an answer"
    );
    for keys in KEYS {
        compare(keys, seconds, rounds)?;
    }
    switch_off::measure()
}

fn compare(keys: usize, seconds: Duration, rounds: u64) -> Result<(), Failure> {
    let subjects = [
        ("verifier", server::start("verifier", keys)?),
        ("same server, same answer unchecked", server::start("unchecked", keys)?),
        ("same server, bare 200", server::start("bare", keys)?),
        ("nginx, bare 200", others::nginx()?),
        ("Envoy, api_key_auth", others::envoy(keys)?),
    ];
    let resident = subjects[0].1.resident_megabytes()?;
    let requests = load::requests(keys);
    let mut taken: Vec<Vec<Measured>> = subjects.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for ((_, process), taken) in subjects.iter().zip(&mut taken) {
            taken.push(load::run(process, &requests, seconds)?);
        }
    }
    let medians: Vec<Measured> = taken.into_iter().map(median).collect();
    for ((name, _), measured) in subjects.iter().zip(&medians) {
        println!("{keys:>7}  {name:<32} {measured}");
    }
    let [own, unchecked, bare, nginx, envoy] = medians.as_slice() else {
        return Err("a subject is missing".into());
    };
    let ratio = |other: &Measured| own.per_second / other.per_second;
    println!(
        "{keys:>7}  verifier to: unchecked {:.2} (aim at 100000: 0.85), bare {:.2}, nginx {:.2}, Envoy {:.2}; resident with these \
         keys: {resident:.0} MB (aim at 100000: under 150), afterwards {:.0} MB",
        ratio(unchecked),
        ratio(bare),
        ratio(nginx),
        ratio(envoy),
        subjects[0].1.resident_megabytes()?,
    );
    Ok(())
}

fn median(mut measured: Vec<Measured>) -> Measured {
    measured.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    measured.swap_remove(measured.len() / 2)
}

/// A number out of the environment.
fn number(variable: &str, default: u64) -> Result<u64, Failure> {
    Ok(std::env::var(variable).ok().map_or(Ok(default), |text| text.parse())?)
}

/// A bench's own process.
fn this_program(arguments: &[&str]) -> Result<Process, Failure> {
    Process::start(std::process::Command::new(std::env::current_exe()?).args(arguments), None)
}
