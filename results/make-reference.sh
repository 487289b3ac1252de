#!/usr/bin/env bash
# Runs every shipped experiment and keeps report, numbers and key plots under results/reference.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for file in experiments/*.ron; do
    name=$(sed -n 's/^ *name: "\(.*\)",.*/\1/p' "$file" | head -n 1)
    [ "$name" = my-table ] && continue
    ./target/release/precocial run "$file" --out "$scratch/$name" --no-report
    extra=""
    case "$name" in
        two-spirals) extra=",boundary" ;;
        diabetes | function-fit) extra=",regression" ;;
        iris-ga-vs-random) extra=",ecdf,fitness" ;;
        parity5) extra=",search-vs-training" ;;
    esac
    ./target/release/precocial report "$scratch/$name" --plots "convergence-budget,final-loss$extra" --format md,svg
    mkdir -p "results/reference/$name"
    cp -r "$scratch/$name/report.md" "$scratch/$name/statistics.json" "$scratch/$name/plots" "results/reference/$name/"
done
