//! `precocial explain`: more about a message than fits under it.

use super::terminal::Terminal;
use precocial::{Error, Result};
use serde_json::json;

#[derive(clap::Args)]
pub struct Explain {
    /// A code such as P0107
    code: Option<String>,
}

impl Explain {
    pub fn perform(&self, terminal: &Terminal) -> Result<()> {
        let Some(code) = &self.code else {
            let lines: Vec<String> = CODES.iter().map(|(code, title, _)| format!("{code}  {title}")).collect();
            CODES.iter().try_for_each(|(code, title, _)| terminal.object(&json!({"code": code, "title": title})))?;
            return terminal.print(&lines.join("\n"));
        };
        let wanted = code.trim().to_uppercase();
        let wanted = wanted.trim_start_matches(['E', 'P', '[', '0']).trim_end_matches(']');
        let found = CODES.iter().find(|(code, ..)| code.trim_start_matches(['P', '0']) == wanted);
        let Some((code, title, text)) = found else {
            let shown: String = code.chars().take(20).flat_map(char::escape_debug).collect();
            return Err(Error::experiment("P0109", format!("no message has the code `{shown}`"))
                .help("`precocial explain` lists all codes"));
        };
        terminal.object(&json!({"code": code, "title": title, "text": text}))?;
        terminal.print(&format!("{code}: {title}\n\n{text}"))
    }
}

/// Code, what it says, and what stands behind it.
const CODES: &[(&str, &str, &str)] = &[
    (
        "P0001",
        "a bug in precocial",
        "A promise within the program was broken. Nothing in your files is at fault. Please report the message with the\nexperiment file. Runs that had finished are in the result folder.",
    ),
    (
        "P0100",
        "the experiment file cannot be read",
        "The text is no RON at the marked place. Often a bracket or quote is missing a little earlier.\n`precocial schema` prints what may be written; `precocial new iris` writes an example.",
    ),
    (
        "P0101",
        "the file is in another format",
        "Experiments are written in RON, which knows choices with settings: `Adam(learning_rate: 0.01)`. JSON, TOML and YAML\ndo not. `precocial new iris` writes an example to begin with.",
    ),
    (
        "P0102",
        "the file is not UTF-8 text",
        "Save it as UTF-8. Most editors offer that under \"Save as\" or \"Encoding\". Binary files are no experiments.",
    ),
    (
        "P0103",
        "unknown field",
        "A field is not one that its group has; unknown fields are never ignored, since a typing error would then silently\nmean a default. Example: `populaton: 40` in `Genetic(…)` is `population: 40`.\n`precocial schema WORD` finds where a field belongs.",
    ),
    (
        "P0104",
        "unknown choice",
        "Choices are names with a capital letter, such as `Tanh` or `Tournament(size: 3)`. The message lists those that are\nknown. Example: `activation: tanh` is `activation: Tanh`.",
    ),
    (
        "P0105",
        "a field is missing",
        "Fields without a default must be written. `precocial schema` marks the others with their defaults.\nExample: `Genetic(population: 40, scheme: GlorotUniform)` lacks `generations: 25`.",
    ),
    (
        "P0106",
        "a value of the wrong type",
        "Whole numbers have no decimal point and no exponent (`40`, `1_000_000`), texts stand in double quotes, lists in [ ],\ngroups in ( ), choices without quotes. Example: `population: \"40\"` is `population: 40`.",
    ),
    (
        "P0107",
        "something is set twice",
        "A field or a name of an arm stands there twice, and only one can count. Keep one.",
    ),
    (
        "P0108",
        "another version of the format",
        "`schema` names the version of the file format. This program reads version 1.",
    ),
    (
        "P0109",
        "an option cannot be understood",
        "`--set` takes a path and a value: `--set budget=RowPasses(100_000)`, `--set arms[2].method.population=80`, items\ncounted from 0. `--seeds` takes `1..30` (both included) or `1,2,5`.",
    ),
    (
        "P0110",
        "a bracket, comma or quote",
        "RON puts commas between fields, also at line ends, and every bracket and quote is closed. The message names the line\nof the bracket that stays open; a closing line that stands further left often shows where one is missing.",
    ),
    ("P0111", "a decimal comma", "Numbers have a decimal point: `0.15`. A comma separates fields."),
    ("P0112", "a percent sign", "Shares and rates are numbers between 0 and 1: 70 % is `0.70`."),
    (
        "P0113",
        "a backslash in a text",
        "A backslash begins an escape such as `\\n`. Paths are written \"C:/data/iris.csv\", or r\"C:\\data\\iris.csv\" with an r.",
    ),
    (
        "P0120",
        "a start or an arm that does not serve the network",
        "Some starts were made for certain activations. Recipes were found for hidden layers of Tanh and of Relu; `Lsuv()` and\n`Orthogonal()` serve every activation. The arm `Graft` replaces units of the\nlast hidden layer, so there must be one.",
    ),
    (
        "P0121",
        "a number out of range",
        "The message says what the setting may be. Rates and shares lie between 0 and 1, counts are at least 1.\nExample: `rate: 10` for ten percent is `rate: 0.1`.",
    ),
    ("P0122", "not a finite number", "NaN and infinity are no settings; a number such as 1e999 is infinite."),
    (
        "P0131",
        "shares that do not sum to 1",
        "`train`, `validation` and `test` divide all rows among them.\nExample: `Stratified(train: 0.70, validation: 0.15, test: 0.15)`.",
    ),
    (
        "P0132",
        "a name of no arm",
        "`baseline`, `candidates`, `FillBudgetOf` and `of` name arms of the same file, by their `name`. References must not run\nin a circle.",
    ),
    (
        "P0133",
        "a search that eats the budget",
        "Search and training share one budget, equal for all arms. If the search alone needs all of it, nothing is left to train\nwith, and the comparison says nothing. Raise `budget`, or lower `population`, `generations` or `steps`.",
    ),
    (
        "P0134",
        "a layer without units",
        "Each hidden layer needs one unit or more, and the data at least one input column.",
    ),
    (
        "P0135",
        "loss and outputs that do not fit",
        "`CrossEntropy` wants probabilities: `output: Softmax` or `Logistic`, and a classification. `MeanSquared` goes with\n`Linear`, `Logistic` and `Tanh`.",
    ),
    ("P0136", "an empty interval", "`low` must lie below `high`."),
    (
        "P0137",
        "training settings that do not fit",
        "Some optimizers need all rows at each step: `batch: Full` (Rprop, LevenbergMarquardt, ScaledConjugateGradient, Lbfgs,\nNewton). So do arms that compare losses from step to step (Graft, ResetOnPlateau, RestartOnStagnation). `Patience` watches\nvalidation rows, which the split must provide.",
    ),
    (
        "P0138",
        "units that cannot learn",
        "A `Step` unit has derivative 0 everywhere, so gradients never pass it. `Tanh` and `Logistic` are smooth steps.\nHidden layers may have such units only in arms that train nothing: `Untrained(scheme: Given(weights: […]))`. A single layer\nof them, `hidden: []` with `output: Step`, is trained by `Perceptron()`.",
    ),
    ("P0139", "a seed listed twice", "Equal seeds give equal runs, and statistics would count one observation as two."),
    (
        "P0140",
        "too large",
        "The plan or the data needs more memory than may be used. `--memory-limit` moves the limit; a smaller population, fewer\nthreads or fewer columns need less. The message shows the sum.",
    ),
    (
        "P0141",
        "a file that is too large",
        "Experiment files may have 1 MiB, data files what `max_bytes` says (1 GiB). Nothing beyond that is read.",
    ),
    (
        "P0142",
        "a network that does not fit the environment",
        "A controller has one input for each observation and one output for each action of its environment.",
    ),
    (
        "P0143",
        "a way of tuning that does not fit the task",
        "`Gradient` follows the slope of a loss on rows; a control task has no rows. `Evolution` compares the returns of\nepisodes; a data set has no episodes. Without `tuning` each task gets the one that fits.",
    ),
    (
        "P0145",
        "a training method that does not fit",
        "LevenbergMarquardt, ScaledConjugateGradient, Lbfgs and Newton choose the length of their steps: they take no `schedule`\nand no `clip`, and do not tune graphs. LevenbergMarquardt is made for `loss: MeanSquared`. `MaxDamping` watches the\ndamping of LevenbergMarquardt, ScaledConjugateGradient and Newton.",
    ),
    (
        "P0146",
        "arms that cannot share what they share",
        "An arm may have a `network` and a `train` of its own. Arms that refer to another one (`FillBudgetOf`, `Drift`,\n`ShuffledWinner`) need the same as that one, and all networks of an experiment end in the same `output`, since losses\nof different outputs do not compare.",
    ),
    (
        "P0151",
        "not a feed-forward graph",
        "Links of a graph run from inputs, the bias and hidden nodes to hidden nodes and outputs; no link stands there twice, and\nno path leads back to where it began. The message names the link or node.",
    ),
    (
        "P0160",
        "the parts of a suite or recipe search do not go together",
        "A suite writes down before it runs what could be chosen afterwards. Its pilot, selection and final have no seed in\ncommon; it has candidates and classics; its pilot names an arm, and passes that ascend up to the budget at most; no arm\nrefers to another one. A search for a recipe has six lists of seeds with none in common, tests on tasks that it does not\ntrain on, and has hidden units of one kind in all of them. The message says which of these is not so.",
    ),
    (
        "P0161",
        "a task without a target",
        "The targets of a suite are the median training losses of its pilot arm. On the named task more than half of the\npilot's runs had no finite loss by then: they diverged, or had not begun. Another arm, trainer or number of passes helps.",
    ),
    (
        "P0162",
        "a target that the control never reaches",
        "The cost of the control is the unit in which a search for a recipe scores. At the validation seeds none of its runs\nreached the named target within the budget. A larger budget, an earlier target, or other trainers or tasks help.",
    ),
    (
        "P0201",
        "a malformed table",
        "Every row has as many cells as the header; cells that hold the delimiter or a line end stand in double quotes; names of\ncolumns differ; the text is UTF-8.",
    ),
    (
        "P0202",
        "another delimiter",
        "The table has a single column because its cells are separated by something else than the file says.\nExample: `Csv(path: \"a.csv\", target: Name(\"y\"), delimiter: ';')`.",
    ),
    (
        "P0203",
        "a cell that is no number",
        "Inputs are numbers unless they are named in `categorical: [Name(\"colour\")]`; columns to leave out are named in `drop`.\nDecimal commas need `decimal: ','`.",
    ),
    (
        "P0204",
        "a missing value",
        "Empty cells, NA, NaN, null and ? count as missing. They are refused unless `missing: DropRows` leaves such rows out, or\n`missing: Impute(with: Median)` fills them with what the training rows tell.",
    ),
    (
        "P0205",
        "a number far too large",
        "Beyond 1e300, or 1e18 after scaling, single precision cannot compute. Correct the cell, or use `scaling: Standardize`.",
    ),
    ("P0206", "a table of another width", "A model reads exactly the inputs that it was trained on."),
    (
        "P0207",
        "an unknown column",
        "Columns are named as in the header, or by place: `Index(1)` is the first. The message lists the columns.",
    ),
    (
        "P0208",
        "a damaged array file",
        "An IDX, npy or npz file does not hold what its first bytes promise, or its images and labels differ in number.\nFetch it again, or write it again with the program it came from.",
    ),
    (
        "P0209",
        "targets of the wrong kind",
        "`Classification` needs one column with classes, at least two of them; `Regression` needs columns with numbers;\n`Autoencoding` needs none, its rows are their own targets.",
    ),
    (
        "P0210",
        "a class that is too rare",
        "A stratified split puts each class into each part, so each class needs as many rows as there are parts.\nUse `split: Random(…)`, merge the class with another one, or add rows.\nMade data are drawn again, 20 times at most, until every class has a tenth of an equal share.",
    ),
    ("P0211", "too few rows", "The split needs at least one row in each part that has a share."),
    (
        "P0212",
        "a split that does not fit the task",
        "`Stratified` keeps the shares of classes, which a regression and rows without labels do not have. Use `Random` or `ByOrder`.",
    ),
    (
        "P0301",
        "not a model",
        "Models are the `.pcl` files in the folder `models` of a result folder. Files of safetensors, NumPy (npz), ONNX\nand JSON are taken too, told by their content.",
    ),
    (
        "P0302",
        "a damaged model",
        "Its checksum does not fit its content: it was cut off or changed. Copy it again, or run the experiment again; equal\nseeds give the same model.",
    ),
    (
        "P0303",
        "a file of another version",
        "Models and runs say which format, and which version of the random streams, they were written with. Use the version of\nprecocial that wrote them, or a newer one for newer formats.",
    ),
    (
        "P0304",
        "a damaged result folder",
        "A table or the manifest cannot be read. Run the experiment again; equal seeds give the same numbers.",
    ),
    (
        "P0305",
        "not a result folder",
        "Result folders hold a file `manifest.json`. `precocial run FILE.ron` writes them to results/. Some verbs want a whole run\nof one kind, with its models: the message says which, and what to do.",
    ),
    (
        "P0306",
        "a table of speed that cannot be read",
        "`--baseline` takes the `rates.json` that `precocial bench --out DIR` writes; `--ratios` the table of benches/peers.",
    ),
    (
        "P0309",
        "another experiment than the one that was started",
        "A run goes on only with the experiment that it began with, or its numbers would be of two kinds. Notes, statistics,\nreport and checkpoint may change in the folder's experiment.ron, and seeds may be added. Anything else is a new run.",
    ),
    (
        "P0310",
        "changed data",
        "A data file is not the one that the run began with: its SHA-256 stands in manifest.json. Put the old file back, or begin\na new run.",
    ),
    (
        "P0311",
        "a format that cannot tell what a model computes",
        "`precocial export` writes nothing that would compute something else. Keras names eight of the activations that\nnetworks here may have; the message lists the formats that can tell them all, such as ONNX, which composes them.",
    ),
    (
        "P0312",
        "a file that does not tell what its network computes",
        "Weights alone say nothing of activations: name them with `precocial import FILE --hidden tanh --output softmax`, or\nwith `--like MODEL.pcl` if the file holds new weights of a model of yours. Archives of square matrices do not tell\neither whether inputs or units come first: call the arrays `kernel_0`, … or `weight_0`, ….",
    ),
    (
        "P0313",
        "a network that cannot be taken",
        "Models are chains of fully connected layers, each with one activation, that fit each other and what was said of them.\n`precocial import --help` shows what the files of other programs may hold.",
    ),
    (
        "P0314",
        "a budget that a run cannot be given",
        "`precocial resume DIR --budget …` takes a larger budget in the unit of the old one, for experiments alone. All runs\nbegin anew, because arms plan with their budget; the old folder is moved aside, as by `run --replace`. Searches of\nnetworks are as long as their generations, and what suites and searches for recipes may spend is told beforehand.",
    ),
    (
        "P0411",
        "a search without anybody to go on with",
        "No individual of a generation had a finite fitness, and none of the next one either, which was drawn anew. Draw\nsmaller weights (`scheme`), or take smaller steps in the fitness (`learning_rate`). The run counts as a failure at this\nseed; other seeds and arms went on.",
    ),
    (
        "P0501",
        "a file that does not exist",
        "Paths in an experiment start at the folder of the experiment file, paths on the command line where you are.",
    ),
    (
        "P0502",
        "no space left",
        "Everything that was finished is safe. Free some space, or choose another folder with --out.",
    ),
    (
        "P0503",
        "something is there already",
        "Nothing is ever overwritten. Choose another name or folder; `--replace` moves an old result folder aside.",
    ),
    (
        "P0504",
        "the file system refused",
        "The message says what was tried and what the system answered; often rights are missing.",
    ),
    (
        "P0505",
        "a result folder in use",
        "Another process writes into the folder. `precocial status DIR` says how far it is. When that process ends or dies,\nthe folder is free at once.",
    ),
    (
        "P0601",
        "unequal budgets",
        "Who may spend more ends lower, whatever the method. Run one of the experiments again with the other's budget.\n`--allow-unequal` compares all the same: costs to a target are then still true, final losses are not fair.",
    ),
    (
        "P0602",
        "nothing to pair",
        "Arms are held against each other seed by seed, on the same rows. These folders share no seed whose training,\nvalidation and test rows are equal. Give both experiments the same `seeds`, `data` and `split`.",
    ),
    (
        "P0603",
        "no such arm to compare with",
        "`--baseline` names one arm: `ARM` if only one folder has it, else `FOLDER.ARM`. The message lists the arms.",
    ),
    (
        "P0604",
        "slower than before",
        "`precocial bench --baseline` found workloads whose rate fell by more than 10 %. Measure again with nothing else running;\nif it stays, the change made them slower, or the processor clocks lower.",
    ),
    (
        "P0605",
        "seeds that came out different",
        "`precocial verify` ran seeds again and found other numbers than the tables hold. Either somebody edited the tables, or\nthe program or a processor computes wrongly.",
    ),
    (
        "P0606",
        "a machine that cannot be trusted",
        "`precocial doctor` computes something with a known outcome on every thread with every instruction set, and writes a\nfile. Something of that failed: a faulty processor or memory, or a disk that is full or not writable.",
    ),
    (
        "P0607",
        "no such instruction set",
        "The environment variable PRECOCIAL_ISA chooses the instruction set of the kernels: `scalar`, `avx2` or `avx512`, as\nfar as the processor has them. Results have the same bits on each; only the time differs. `unset PRECOCIAL_ISA` chooses\nthe fastest.",
    ),
    (
        "P0608",
        "a format that this report does not have",
        "TensorBoard and JSON Lines tell the runs of an experiment look by look. Suites and searches keep no looks: their tables\nhold costs to targets, or generations, and are plain CSV.",
    ),
    (
        "P0701",
        "interrupted",
        "The run was stopped by a signal. What had finished is in the tables, what was under way is in the folder checkpoints;\n`precocial resume DIR` goes on, and the result has the same bits as a run that was never interrupted.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn codes_in(folder: &Path, codes: &mut std::collections::BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                codes_in(&path, codes);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("cli/explain.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for (at, _) in text.match_indices("\"P0") {
                    let code: String = text[at + 1..].chars().take(5).collect();
                    if text[at + 6..].starts_with('"') && code[1..].bytes().all(|byte| byte.is_ascii_digit()) {
                        codes.insert(code);
                    }
                }
            }
        }
    }

    #[test]
    fn every_code_of_the_crate_is_explained_and_no_other() {
        let mut used = std::collections::BTreeSet::new();
        codes_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
        assert!(used.len() > 30, "{used:?}");
        let missing: Vec<_> = used.iter().filter(|code| !CODES.iter().any(|(known, ..)| known == code)).collect();
        assert!(missing.is_empty(), "add to `precocial explain`: {missing:?}");
        let idle: Vec<_> = CODES.iter().filter(|(code, ..)| !used.contains(*code)).map(|(code, ..)| code).collect();
        assert!(idle.is_empty(), "no message has {idle:?}");
        assert!(CODES.is_sorted_by_key(|(code, ..)| code));
    }
}
