//! What fuzzing found, and what it began with, goes through the readers again without a panic.

mod entries;

use std::path::Path;

#[test]
fn what_fuzzing_found_stays_mended() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (target, entry) in entries::ENTRIES {
        let mut replayed = 0;
        for folder in [root.join("tests/regressions").join(target), root.join("fuzz/seeds").join(target)] {
            let Ok(files) = std::fs::read_dir(folder) else { continue };
            for file in files {
                let path = file.unwrap().path();
                println!("{}", path.display()); // shown beside a panic
                entry(&std::fs::read(&path).unwrap());
                replayed += 1;
            }
        }
        assert!(replayed > 0, "{target} has no inputs");
    }
}
