//! Results, on standard output.

use crate::verify::progress::done;
use crate::verify::rounds::Row;

pub fn table(rows: &[Row]) {
    done();
    println!(
        "{:<46} {:>9} {:>9} {:>7} {:>15} {:>15}",
        "", "a second", "CPU each", "busy", "p50, p99 of 32", "p50, p99 of 1"
    );
    for row in rows {
        println!(
            "{:<46} {:>9.0} {:>6.2} us {:>6.0}% {:>6.0} {:>5.0} us {:>6.0} {:>5.0} us",
            row.name,
            row.per_second,
            row.cost,
            row.busy * 100.0,
            row.latency[0],
            row.latency[1],
            row.alone[0],
            row.alone[1]
        );
    }
}

/// The least of its processor that a server must have had for its answers a second to say something.
const BUSY_ENOUGH: f64 = 0.9;

/// Says so where servers were not at their limit: their answers a second then say something else.
pub fn warn_of_idleness(rows: &[Row]) {
    let least = rows.iter().map(|row| row.busy).fold(f64::INFINITY, f64::min);
    if least < BUSY_ENOUGH {
        println!(
            "NOT AT THEIR LIMIT: a server had {:.0}% of its processor; other programs or the load held it up. Only ratios by \
             processor time count.",
            least * 100.0
        );
    }
}

/// A row's ratios to all others.
pub fn ratios(row: &Row, others: &[Row]) {
    for other in others.iter().filter(|other| other.name != row.name) {
        println!(
            "  {:>5.1}% of {} (by processor time {:.1}%)",
            row.ratio(other) * 100.0,
            other.name,
            row.cost_ratio(other) * 100.0
        );
    }
}
