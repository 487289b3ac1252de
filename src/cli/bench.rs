//! `precocial bench`: what this machine can do, and what precocial makes of it.

use super::terminal::Terminal;
use precocial::error::Kind;
use precocial::experiment::workload::{Load, Workload, scaling, workloads};
use precocial::math::kernel::{AlignedBuffer, limits};
use precocial::report::performance::{self, Point, Rate};
use precocial::{Error, Result, files};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub struct Bench {
    /// Only workloads whose name or title contains this, such as `W2` or `Adam`
    #[arg(value_name = "NAME")]
    only: Option<String>,
    /// Only the workload with exactly this name
    #[arg(long, requires = "only")]
    exact: bool,
    /// Numbers of threads to measure; 1 and all processors unless said otherwise
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: Vec<u16>,
    /// Seconds for each workload and number of threads
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    seconds: f64,
    /// Measure how the rate of forward losses grows with population, rows, width and depth instead
    #[arg(long)]
    scaling: bool,
    /// Write the numbers (`rates.json`, `scaling.csv`) and the picture of `--scaling` into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Compare with a `rates.json` of this machine: what got slower by more than 10 % is named, and the exit code is 6
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Use the arrays in this folder instead of made ones (see benches/peers)
    #[arg(long, value_name = "DIR")]
    arrays: Option<PathBuf>,
    /// Draw the picture of a table of ratios to other programs (see benches/peers) and measure nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scaling", "baseline", "arrays"])]
    ratios: Option<PathBuf>,
}

/// What got slower by more than this share is reported.
const SLOWER: f64 = 0.10;

/// What a machine can do at most on so many threads.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Limits {
    threads: usize,
    /// Floating-point operations a second, two for each multiply-add.
    flops: f64,
    /// Bytes a second between processor and memory: two arrays read, one written.
    bytes: f64,
}

/// `rates.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Rates {
    version: String,
    processor: String,
    instruction_set: String,
    limits: Vec<Limits>,
    rates: Vec<Rate>,
}

impl Bench {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        if let Some(table) = &self.ratios {
            return self.draw_ratios(table, terminal);
        }
        let baseline = self.baseline.as_deref().map(read_rates).transpose()?;
        let threads: Vec<usize> = match &self.threads[..] {
            [] => {
                let all = precocial::experiment::available_threads();
                if all > 1 { vec![1, all] } else { vec![1] }
            }
            chosen => chosen.iter().map(|threads| usize::from(*threads)).collect(),
        };
        let wanted = |workload: &Workload| {
            self.only.as_ref().is_none_or(|only| match self.exact {
                true => workload.name == *only,
                false => workload.name.contains(only) || workload.title().contains(only),
            })
        };
        let chosen: Vec<Workload> = workloads().into_iter().filter(wanted).collect();
        if chosen.is_empty() {
            let names: Vec<String> = workloads().into_iter().map(|workload| workload.name).collect();
            let only = self.only.as_deref().unwrap_or_default();
            return Err(Error::experiment("P0109", format!("no workload is named `{only}`"))
                .note(format!("workloads are {}", names.join(", "))));
        }
        let processor = precocial::experiment::processor();
        let set = limits::instruction_set();
        terminal.print(&format!("{processor}, {set}"))?;
        let mut measured = Vec::new();
        for &threads in &threads {
            let limits = measure_limits(threads, self.seconds)?;
            terminal.print(&format!(
                "at most, {}: {:.0} GFLOP/s multiply-add, {:.1} GB/s memory",
                counted(threads),
                limits.flops / 1e9,
                limits.bytes / 1e9
            ))?;
            terminal.object(
                &json!({ "event": "limits", "threads": threads, "flops": limits.flops, "bytes": limits.bytes }),
            )?;
            measured.push(limits);
        }
        if self.scaling {
            return self.scale(&measured, terminal);
        }
        let mut rates = Vec::new();
        for workload in chosen {
            terminal.print(&format!("\n{}  {}", workload.name, workload.title()))?;
            for limits in &measured {
                let rate = self.time(&workload, limits)?;
                let share =
                    rate.share.map_or(String::new(), |share| format!("   {:>3.0} % of {}", 100.0 * share, rate.limit));
                terminal.print(&format!(
                    "  {:<10} {:>9} {}/s{share}",
                    counted(limits.threads),
                    amount(rate.rate),
                    rate.unit
                ))?;
                terminal.object(&json!({
                    "event": "rate", "workload": rate.workload, "threads": rate.threads, "rate": rate.rate,
                    "unit": rate.unit, "seconds": rate.seconds, "share": rate.share, "limit": rate.limit, "check": rate.check,
                }))?;
                rates.push(rate);
            }
        }
        let rates = Rates {
            version: env!("CARGO_PKG_VERSION").into(),
            processor,
            instruction_set: set.into(),
            limits: measured,
            rates,
        };
        if let Some(folder) = &self.out {
            create(folder)?;
            let text = serde_json::to_string_pretty(&rates).expect("rates are plain data");
            files::replace(&folder.join("rates.json"), text.as_bytes())?;
        }
        match baseline {
            Some(baseline) => compare(&baseline, &rates, terminal),
            None => Ok(()),
        }
    }

    /// The median of several timings, each long enough for the clock.
    fn time(&self, workload: &Workload, limits: &Limits) -> Result<Rate> {
        let pool = pool(limits.threads)?;
        let mut rate = None;
        let mut visit = |load: Load, run: &mut (dyn FnMut() -> f64 + Send)| {
            let (seconds, check) = pool.install(|| {
                let check = run();
                (median_seconds(run, self.seconds), check)
            });
            let (share, limit) = if load.multiply_adds > 0.0 {
                (Some(2.0 * load.multiply_adds / seconds / limits.flops), "multiply-add peak")
            } else {
                (Some(load.bytes / seconds / limits.bytes), "memory bandwidth")
            };
            rate = Some(Rate {
                workload: workload.name.clone(),
                threads: limits.threads,
                rate: load.work / seconds,
                unit: workload.unit().into(),
                seconds,
                share,
                limit: limit.into(),
                check,
            });
            Ok(())
        };
        workload.with(self.arrays.as_deref(), &mut visit)?;
        rate.ok_or_else(|| Error::internal("a workload did not run"))
    }

    fn scale(&self, measured: &[Limits], terminal: &Terminal) -> Result<()> {
        let mut points = Vec::new();
        for curve in scaling() {
            terminal.print(&format!("\nforward loss against {}: share of the multiply-add peak", curve.what))?;
            for (value, workload) in &curve.points {
                let mut line = format!("  {value:>7}");
                for limits in measured {
                    let rate = self.time(workload, limits)?;
                    let share = rate.share.unwrap_or(f64::NAN);
                    line.push_str(&format!("  {:>5.1} % on {}", 100.0 * share, counted(limits.threads)));
                    points.push(Point {
                        curve: curve.what.into(),
                        value: *value as f64,
                        threads: limits.threads,
                        share,
                    });
                }
                terminal.print(&line)?;
            }
        }
        if let Some(folder) = &self.out {
            create(folder)?;
            let drawing = performance::scaling(&points);
            write_drawing(folder, "scaling", &drawing)?;
            terminal.print(&format!("\n  picture  {}", folder.join("scaling.svg").display()))?;
        }
        Ok(())
    }

    fn draw_ratios(&self, table: &Path, terminal: &Terminal) -> Result<()> {
        let bytes = std::fs::read(table).map_err(|cause| Error::io("reading", table, &cause))?;
        let ratios = performance::read_ratios(&bytes).map_err(|error| error.in_file(table))?;
        let folder = self.out.clone().unwrap_or_else(|| table.parent().map_or_else(PathBuf::new, Path::to_path_buf));
        create(&folder)?;
        let figure = performance::ratios(&ratios);
        files::replace(&folder.join("ratios.svg"), figure.to_svg().as_bytes())?;
        files::replace(&folder.join("ratios.png"), &figure.to_png())?;
        terminal.print(&format!("  picture  {}", folder.join("ratios.svg").display()))
    }
}

fn create(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|cause| Error::io("creating", folder, &cause))
}

fn write_drawing(folder: &Path, name: &str, drawing: &precocial::report::plot::Drawing) -> Result<()> {
    files::replace(&folder.join(format!("{name}.svg")), drawing.figure.to_svg().as_bytes())?;
    files::replace(&folder.join(format!("{name}.png")), &drawing.figure.to_png())?;
    files::replace(&folder.join(format!("{name}.csv")), &drawing.numbers.to_csv())
}

fn seconds(text: &str) -> std::result::Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds".to_owned())?;
    if (0.001..=3600.0).contains(&seconds) { Ok(seconds) } else { Err("from 0.001 to 3600 seconds".to_owned()) }
}

fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| Error::internal(format!("no threads: {error}")))
}

fn median_seconds(run: &mut (dyn FnMut() -> f64 + Send), seconds: f64) -> f64 {
    let once = timed(run, 1).max(1e-9);
    // Each timing lasts a tenth of the whole or one call, whatever is longer; 5 timings at least.
    let calls = (seconds / 10.0 / once).max(1.0) as usize;
    let deadline = Instant::now() + Duration::from_secs_f64(seconds);
    let mut timings = Vec::new();
    while timings.len() < 5 || Instant::now() < deadline {
        timings.push(timed(run, calls));
    }
    timings.sort_by(f64::total_cmp);
    timings[timings.len() / 2]
}

/// Seconds of one call, over `calls` calls.
fn timed(run: &mut (dyn FnMut() -> f64 + Send), calls: usize) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        std::hint::black_box(run());
    }
    start.elapsed().as_secs_f64() / calls as f64
}

fn measure_limits(threads: usize, seconds: f64) -> Result<Limits> {
    let pool = pool(threads)?;
    const ROUNDS: usize = 400_000;
    let mut operations = 0;
    let arithmetic = median_seconds(
        &mut || {
            operations = 2 * pool.broadcast(|_| limits::multiply_adds(ROUNDS)).into_iter().sum::<u64>();
            0.0
        },
        seconds / 2.0,
    );
    // 3 × 64 MiB: more than caches hold.
    let length = (16 << 20) / threads;
    let mut arrays: Vec<[AlignedBuffer; 3]> =
        (0..threads).map(|_| [(); 3].map(|()| AlignedBuffer::zeros(length))).collect();
    // What was never written reads as one and the same page.
    arrays.as_flattened_mut().iter_mut().for_each(|array| array.fill(1.0));
    let memory = median_seconds(
        &mut || {
            pool.scope(|scope| {
                for [a, b, c] in &mut arrays {
                    scope.spawn(|_| limits::triad(a, b, c));
                }
            });
            0.0
        },
        seconds / 2.0,
    );
    Ok(Limits { threads, flops: operations as f64 / arithmetic, bytes: (12 * length * threads) as f64 / memory })
}

fn read_rates(path: &Path) -> Result<Rates> {
    let text = std::fs::read_to_string(path).map_err(|cause| Error::io("reading", path, &cause))?;
    serde_json::from_str(&text).map_err(|error| {
        Error::data("P0306", format!("no table of rates: {error}"))
            .in_file(path)
            .help("write one with `precocial bench --out DIR`; it is DIR/rates.json")
    })
}

/// Names what got slower.
fn compare(baseline: &Rates, now: &Rates, terminal: &Terminal) -> Result<()> {
    if (&baseline.processor, &baseline.instruction_set) != (&now.processor, &now.instruction_set) {
        terminal.note(&format!(
            "the baseline was measured on {}, {}: rates of different machines do not compare",
            baseline.processor, baseline.instruction_set
        ));
    }
    let mut slower = Vec::new();
    for rate in &now.rates {
        let same = |other: &&Rate| other.workload == rate.workload && other.threads == rate.threads;
        let Some(before) = baseline.rates.iter().find(same) else { continue };
        let ratio = rate.rate / before.rate;
        if ratio < 1.0 - SLOWER {
            slower.push(format!("{} on {}: {:.2} of the baseline", rate.workload, counted(rate.threads), ratio));
        }
    }
    if slower.is_empty() {
        return terminal.print("\nNothing got slower by more than 10 % than the baseline.");
    }
    let message = format!("slower than the baseline by more than 10 %: {}", slower.join("; "));
    let error = Error::new(Kind::Difference, "P0604", message);
    Err(error.help("measure again on a quiet machine; if it stays, look what changed"))
}

fn counted(threads: usize) -> String {
    if threads == 1 { "1 thread".into() } else { format!("{threads} threads") }
}

/// `197 M`, `10.2 M`, `538 k`.
fn amount(rate: f64) -> String {
    let (number, unit) = match rate {
        rate if rate >= 1e9 => (rate / 1e9, " G"),
        rate if rate >= 1e6 => (rate / 1e6, " M"),
        rate if rate >= 1e3 => (rate / 1e3, " k"),
        rate => (rate, ""),
    };
    if number >= 100.0 { format!("{number:.0}{unit}") } else { format!("{number:.3}")[..4].to_owned() + unit }
}
