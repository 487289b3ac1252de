#!/usr/bin/env bash
# Runs every shipped experiment and suite and keeps report, numbers and key plots under results/reference,
# results/classics and results/suite. With the argument `classics` it makes those alone, in two minutes; with `all`, the
# reference search for a recipe too.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked --quiet
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for file in experiments/classics/*.ron; do
    name=$(sed -n 's/^ *name: "\(.*\)",.*/\1/p' "$file" | head -n 1)
    ./target/release/precocial run "$file" --out "$scratch/$name" --no-report
    case "$name" in
        universal-approximation) plots="error-against-size,fitted-curve" ;;
        depth-against-width) plots="error-against-size" ;;
        descent-paths) plots="convergence-budget" ;;
        xor-hidden-space) plots="hidden-space" ;;
        perceptron | perceptron-xor) plots="mistakes" ;;
        autoencoder-digits) plots="reconstruction" ;;
        layerwise-pretraining) plots="convergence-budget" ;;
        bad-starts) plots="saturation,convergence-budget" ;;
        *) plots="boundary" ;;
    esac
    ./target/release/precocial report "$scratch/$name" --plots "$plots" --format md,svg
    to="results/classics/$name"
    mkdir -p "$to"
    cp -r "$scratch/$name/report.md" "$scratch/$name/plots" "$to/"
    tr -s ' \n' ' ' <"$scratch/$name/statistics.json" >"$to/statistics.json"
    if [ "$name" = descent-paths ]; then
        ./target/release/precocial analyze "$scratch/$name"
        cp "$scratch/$name/analysis/plots/descent-paths.svg" "$to/plots/"
    fi
done
sed -i 's| --out [^ ]*||' results/classics/*/report.md
[ "${1:-}" = classics ] && exit
for file in experiments/*.ron; do
    name=$(sed -n 's/^ *name: "\(.*\)",.*/\1/p' "$file" | head -n 1)
    # The one is a template, the other has too few rows for a verdict.
    case "$name" in my-table | nine-samples-lm) continue ;; esac
    # Half an hour on two cores.
    [ "$name" = recipe-search-reference ] && [ "${1:-}" != all ] && continue
    ./target/release/precocial run "$file" --out "$scratch/$name" --no-report
    if grep -q '^RecipeSearch(' "$file"; then
        ./target/release/precocial report "$scratch/$name" --format md,svg
        mkdir -p "results/reference/$name/test"
        cp -r "$scratch/$name"/{report.md,recipe.ron,plots} "results/reference/$name/"
        cp -r "$scratch/$name"/test/{report.md,plots} "results/reference/$name/test/"
        continue
    fi
    if grep -q '^TopologySearch(' "$file"; then
        ./target/release/precocial report "$scratch/$name" --plots network,shared-weight,levels --format md,svg
        mkdir -p "results/reference/$name"
        cp -r "$scratch/$name/report.md" "$scratch/$name/results.csv" "$scratch/$name/plots" "results/reference/$name/"
        continue
    fi
    extra=""
    case "$name" in
        diabetes) extra=",final-loss" ;;
        function-fit) extra=",regression" ;;
        function-fit-lm) extra=",performance,training-state,regression,error-histogram" ;;
        fitness-audit) extra=",proxy-rank" ;;
        iris-ga-vs-random) extra=",ecdf,fitness" ;;
        parity5) extra=",search-vs-training" ;;
    esac
    ./target/release/precocial report "$scratch/$name" --plots "convergence-budget$extra" --format md,svg
    mkdir -p "results/reference/$name"
    cp -r "$scratch/$name/report.md" "$scratch/$name/plots" "results/reference/$name/"
    if [ "$name" = iris-ga-vs-random ]; then
        ./target/release/precocial analyze "$scratch/$name" --plots population-components
        cp "$scratch/$name/analysis/plots/population-components.svg" "results/reference/$name/plots/"
    fi
    # One line instead of thousands.
    tr -s ' \n' ' ' <"$scratch/$name/statistics.json" >"results/reference/$name/statistics.json"
done
for file in experiments/suite/*.ron; do
    stem=$(basename "$file" .ron)
    [ "$stem" = quick ] && continue
    ./target/release/precocial run "$file" --out "$scratch/suite-$stem" --no-report
    ./target/release/precocial report "$scratch/suite-$stem" --format md,svg
    mkdir -p "results/suite/$stem"
    cp -r "$scratch/suite-$stem"/{report.md,comparisons.csv,finalists.csv,plots} "results/suite/$stem/"
done
# Where the runs were written is nobody's business.
sed -i 's| --out [^ ]*||' results/reference/*/report.md results/reference/*/test/report.md results/suite/*/report.md
