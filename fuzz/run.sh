#!/usr/bin/env sh
# Fuzzes targets one after the other on one core, with the stable toolchain: ./run.sh SECONDS TARGET...
set -eu
cd "$(dirname "$0")"
seconds=$1
shift
host=$(rustc -vV | sed -n 's/^host: //p')
# What cargo-fuzz passes, less the address sanitizer, which needs the nightly toolchain. A target triple keeps the flags
# away from build scripts.
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares" cargo build --release --target "$host"
for target in "$@"; do
    mkdir -p "corpus/$target" "artifacts/$target"
    [ "$target" = experiment ] && cp ../experiments/*.ron corpus/experiment
    dictionary=
    [ -f "dictionaries/$target" ] && dictionary="-dict=dictionaries/$target"
    found=
    [ -d "../tests/regressions/$target" ] && found="../tests/regressions/$target"
    "target/$host/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256 \
        -max_len=4096 $dictionary -artifact_prefix="artifacts/$target/" "corpus/$target" "seeds/$target" \
        $found
done
