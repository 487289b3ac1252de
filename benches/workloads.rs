//! The workloads of `precocial bench` under criterion: `cargo bench --bench workloads -- "W2"`.
//!
//! Names carry population, network and rows; throughput is genome-rows, genes or rows a second. After each workload its
//! share of the multiply-add peak, measured first, is printed where products are the limit.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use precocial::experiment::workload::{Load, workloads};
use precocial::math::kernel::limits;
use std::hint::black_box;
use std::time::Instant;

fn benches(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let start = Instant::now();
        let operations: u64 = pool.broadcast(|_| 2 * limits::multiply_adds(4_000_000)).into_iter().sum();
        let peak = operations as f64 / start.elapsed().as_secs_f64();
        for workload in workloads() {
            let name = format!("{} ({}), {threads} threads", workload.name, workload.title());
            let mut visit = |load: Load, run: &mut (dyn FnMut() -> f64 + Send)| {
                let mut group = criterion.benchmark_group("workloads");
                group.throughput(Throughput::Elements(load.work as u64)).sample_size(10);
                let mut fastest = f64::INFINITY;
                group.bench_function(&name, |bencher| {
                    bencher.iter_custom(|rounds| {
                        let elapsed = pool.install(|| {
                            let start = Instant::now();
                            (0..rounds).for_each(|_| _ = black_box(run()));
                            start.elapsed()
                        });
                        fastest = fastest.min(elapsed.as_secs_f64() / rounds as f64);
                        elapsed
                    });
                });
                if load.multiply_adds > 0.0 && fastest.is_finite() {
                    let share = 200.0 * load.multiply_adds / fastest / peak;
                    println!("{name}: {share:.0} % of the multiply-add peak, {:.0} GFLOP/s", peak / 1e9);
                }
                Ok(())
            };
            workload.with(None, &mut visit).expect("made arrays fit");
        }
    }
}

criterion_group!(timed, benches);
criterion_main!(timed);
