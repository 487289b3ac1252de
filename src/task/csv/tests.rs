//! Tables that load, and the one message of each that does not.

use super::super::tests::parse;
use super::super::{Data, Scaler, Scaling, Targets};
use super::*;
use proptest::prelude::*;

/// Loads `text` as the file `t.csv` with these settings of the experiment file.
fn load(text: impl AsRef<[u8]>, settings: &str, kind: TargetKind) -> Result<Dataset> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), text).unwrap();
    let data =
        parse(&format!("Csv(path: \"t.csv\", {settings})")).unwrap_or_else(|error| panic!("{settings}: {error}"));
    data.load(&LoadContext { folder: folder.path(), kind })
}

fn classes(text: impl AsRef<[u8]>) -> Result<Dataset> {
    load(text, "target: Name(\"y\")", TargetKind::Classes)
}

/// The message without the folder, which differs from run to run.
fn message(result: Result<Dataset>) -> String {
    let text = result.unwrap_err().to_string();
    let lines = text.lines().map(|line| match line.strip_prefix("  --> ") {
        Some(place) => format!("  --> {}", &place[place.find("t.csv").unwrap()..]),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Checks that `text` with a class `y` gives exactly this message.
fn refused(text: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(message(classes(text)), expected);
}

#[test]
fn settings_read_as_in_an_experiment() {
    let text = r#"Csv(path: "data/penguins.csv", delimiter: ';', header: true, target: Name("species"),
        drop: [Name("row_id")], categorical: [Name("island"), Index(3)], missing: Impute(with: Median), decimal: ',')"#;
    let data = parse(text).unwrap();
    let Data::Csv(csv) = &data else { panic!() };
    assert_eq!(csv.categorical, [Column::Name("island".into()), Column::Index(Count::new(3).unwrap())]);
    assert_eq!(csv.missing, Missing::Impute { with: Statistic::Median });
    let short = parse(r#"Csv(path: "a.csv", target: Columns([Name("a"), Index(2)]))"#).unwrap();
    let target = Target::Columns(vec![Column::Name("a".into()), Column::Index(Count::new(2).unwrap())]);
    assert_eq!(short, Data::Csv(Csv::new("a.csv", target)));
    assert!(parse(r#"Csv(path: "a.csv", target: Index(0))"#).is_err());
    assert!(parse(r#"Csv(path: "a.csv", target: Index(1), seperator: ';')"#).is_err());
}

#[test]
fn twins_load_like_the_clean_table() {
    let clean = classes("a,b,y\n1,2,u\n3,4.5,v\n").unwrap();
    assert_eq!(clean.inputs, ndarray::array![[1.0, 2.0], [3.0, 4.5]]);
    assert_eq!(clean.input_names, ["a", "b"]);
    assert_eq!(clean.targets, Targets::Classes { labels: vec![0, 1], names: vec!["u".into(), "v".into()] });
    assert_eq!((clean.name.as_str(), clean.files[0].name.as_str(), clean.files[0].bytes), ("t", "t.csv", 20));
    // sha256sum (GNU coreutils 9).
    assert_eq!(clean.files[0].sha256, "ee3979de47d75a4d1bd52e982c0e7204ac757eda20249f3a6baae8981c4c6191");
    for twin in [
        "a,b,y\n1,2,u\n3,4.5,v",
        "a,b,y\r\n1,2,u\r\n3,4.5,v\r\n",
        "a,b,y\r1,2,u\r3,4.5,v\r",
        "a,b,y\n1,2,u\r\n3,4.5,v\r",
        "\u{FEFF}a,b,y\n1,2,u\n3,4.5,v\n",
        "\n\na,b,y\n\n1,2,u\n\n3,4.5,v\n\n",
        "a, b ,y \n 1,\t2, u\n3,4.5 ,v\n",
        "\"a\",\"b\",\"y\"\n\"1\",\"2\",\"u\"\n3,\"4.5\",v\n",
        "a,b,y\n+1,2.,u\n3.0,45e-1,v\n",
    ] {
        let found = classes(twin).unwrap_or_else(|error| panic!("{twin:?}: {error}"));
        assert_eq!(
            (found.inputs, found.input_names, found.targets),
            (clean.inputs.clone(), clean.input_names.clone(), clean.targets.clone()),
            "{twin:?}"
        );
    }
    let semicolons =
        load("a;b;y\n1;2;u\n3;4,5;v\n", "delimiter: ';', decimal: ',', target: Index(3)", TargetKind::Classes);
    assert_eq!(semicolons.unwrap().inputs, clean.inputs);
    let tabs = load("1\t2\tu\n3\t4.5\tv\n", "delimiter: '\\t', header: false, target: Index(3)", TargetKind::Classes);
    let tabs = tabs.unwrap();
    assert_eq!((tabs.inputs, tabs.input_names), (clean.inputs, vec!["column 1".to_owned(), "column 2".into()]));
    // An unnamed last column, from a delimiter at the end of each line, can be dropped.
    load("a,y,\n1,u,\n2,v,\n", "target: Name(\"y\"), drop: [Index(3)]", TargetKind::Classes).unwrap();
}

#[test]
fn shapes_from_one_row_to_ten_thousand_columns() {
    let one = load("a,y\n1,2\n", "target: Name(\"y\")", TargetKind::Values).unwrap();
    assert_eq!((one.rows(), one.features()), (1, 1));
    let wide: Vec<String> = (0..10_000).map(|column| format!("c{column}")).collect();
    let row = vec!["1"; 10_000].join(",");
    let wide = load(format!("{}\n{row}\n", wide.join(",")), "target: Index(10_000)", TargetKind::Values).unwrap();
    assert_eq!(wide.features(), 9_999);
    let long = (0..1_000).map(|row| format!("{row},{}\n", row % 3)).collect::<String>();
    let long = classes(format!("a,y\n{long}")).unwrap();
    assert_eq!((long.rows(), long.outputs()), (1_000, 3));
    assert_eq!(long.inputs[[999, 0]], 999.0);
    let several =
        load("a,b,c\n1,2,3\n4,5,6\n", "target: Columns([Name(\"c\"), Name(\"a\")])", TargetKind::Values).unwrap();
    let Targets::Values { values, names } = several.targets else { panic!() };
    assert_eq!((values, names), (ndarray::array![[1.0, 3.0], [4.0, 6.0]], vec!["a".to_owned(), "c".into()]));
}

#[test]
fn malformed_tables_are_refused_at_their_place() {
    refused("", "error[P0201]: the table is empty\n  --> t.csv");
    refused("\u{FEFF}", "error[P0201]: the table is empty\n  --> t.csv");
    refused("a,y\n", "error[P0201]: the table has a header but no rows\n  --> t.csv");
    refused(
        "a,b,y\n1,2,u\n3,v\n",
        "error[P0201]: row 2 has 2 cells, the header has 3\n  --> t.csv:3:3\n   = help: add the cells that are missing; they \
         may be empty",
    );
    refused(
        "a,y\n1,u,\n",
        "error[P0201]: row 1 has 3 cells, the header has 2\n  --> t.csv:2:3\n   = help: remove the delimiter at the end of \
         the line, or add one to the header",
    );
    refused(
        "a,y\n1,u,2\n",
        "error[P0201]: row 1 has 3 cells, the header has 2\n  --> t.csv:2:3\n   = help: put cells that hold the delimiter \
         into quotes",
    );
    refused(
        "a,y\n1,\"u\n2,v\n3,w\n",
        "error[P0201]: a quote is opened here and never closed\n  --> t.csv:2:3\n   = help: close it, or write it twice \
         (\"\") if it belongs to the text",
    );
    refused(
        "a,y\n1,u\n\0,v\n",
        "error[P0201]: the table holds a NUL byte, so it is not plain text\n  --> t.csv:3:1\n   = help: save it again as \
         UTF-8 text with cells between delimiters",
    );
    refused(
        "a,a,y\n1,2,u\n",
        "error[P0201]: columns 1 and 2 are both called \"a\"\n  --> t.csv:1:3\n   = help: rename one of them; if the first \
         line holds no names, add `header: false`",
    );
    refused(
        b"a,y\n1,\xE9\n",
        "error[P0201]: row 1, column 2 (\"y\") is not UTF-8 text\n  --> t.csv:2:3\n   = help: save the table again as UTF-8; \
         spreadsheets call that \"CSV UTF-8\"",
    );
    let wide: Vec<u8> = "\u{FEFF}a,y\n1,u\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let help = "   = help: save it again as UTF-8 text; spreadsheets call that \"CSV UTF-8\"";
    refused(wide, &format!("error[P0201]: the table is written in UTF-16, not in UTF-8\n  --> t.csv:1:1\n{help}"));
    let wide: Vec<u8> = "\u{FEFF}a,y\n1,u\n".chars().flat_map(|letter| (letter as u32).to_le_bytes()).collect();
    refused(wide, &format!("error[P0201]: the table is written in UTF-32, not in UTF-8\n  --> t.csv:1:1\n{help}"));
    refused(
        "a,y\n1,u\n2,u\n",
        "error[P0209]: the target column \"y\" holds one class only\n  --> t.csv\n   = note: every row is \"u\"\n   = help: two \
         classes are needed at least",
    );
}

#[test]
fn a_wrong_delimiter_is_named_with_what_it_would_give() {
    refused(
        "length;width;y\n5,1;3,5;u\n4,9;3;v\n",
        "error[P0202]: the table has only one column; it looks separated by `;`\n  --> t.csv:1:1\n   = note: with `;` the \
         columns would be length, width, y\n   = note: 3 cells use a decimal comma, which is then understood only with \
         `decimal: ','`\n   = help: add `delimiter: ';'`",
    );
    refused(
        "a\ty\n1\tu\n",
        "error[P0202]: the table has only one column; it looks separated by `\\t`\n  --> t.csv:1:1\n   = note: with `\\t` the \
         columns would be a, y\n   = help: add `delimiter: '\\t'`",
    );
    refused(
        "y\n1\n2\n",
        "error[P0202]: the table has only one column; a target needs an input beside it\n  --> t.csv:1:1\n   = help: if there \
         are more columns, say with `delimiter: '…'` what stands between them",
    );
    for wrong in ["delimiter: 'a'", "delimiter: '§'", "delimiter: '\"'", "delimiter: ',', decimal: ','", "decimal: ';'"]
    {
        let error = load("a,y\n1,u\n", &format!("target: Name(\"y\"), {wrong}"), TargetKind::Classes).unwrap_err();
        assert_eq!(error.code(), "P0121", "{wrong}");
    }
}

#[test]
fn cells_that_are_no_numbers_are_named_with_two_ways_out() {
    refused(
        "island_id,y\nAdelie,u\n",
        "error[P0203]: \"Adelie\" in column 1 (\"island_id\") is not a number\n  --> t.csv:2:1\n   = help: if it is a category, \
         add `categorical: [Name(\"island_id\")]`\n   = help: if it should be ignored, add `drop: [Name(\"island_id\")]`",
    );
    refused(
        "a,y\n1,u\n\"1,5\",v\n",
        "error[P0203]: \"1,5\" in column 1 (\"a\") is not a number\n  --> t.csv:3:1\n   = help: if `,` stands before the decimals, \
         add `decimal: ','`\n   = help: if it stands between thousands, remove it from the table",
    );
    let error = message(load("a;y\n1.5;u\n", "delimiter: ';', decimal: ',', target: Name(\"y\")", TargetKind::Classes));
    assert!(error.contains("if `.` stands before the decimals, add `decimal: '.'`"), "{error}");
    let error = message(load("1,x\n", "header: false, target: Index(1)", TargetKind::Values));
    assert!(error.contains("categorical: [Index(2)]"), "{error}");
    let error = message(load("a,y\n1,red\n", "target: Name(\"y\")", TargetKind::Values));
    assert!(error.contains("if the target is a class, use `task: Classification(…)`"), "{error}");
    for spelling in ["inf", "-inf", "Infinity", "+INF", "1e999", "-1e999", "-nan", "+NaN"] {
        let expected = format!(
            "error[P0203]: \"{spelling}\" in column 2 (\"b\") is not a finite number\n  --> t.csv:3:3\n   = help: correct the \
             cell; if it means a missing value, leave it empty"
        );
        refused(format!("a,b,y\n1,2,u\n1,{spelling},v\n"), &expected);
        let target = load(format!("a,y\n1,{spelling}\n"), "target: Name(\"y\")", TargetKind::Values);
        assert_eq!(target.unwrap_err().code(), "P0203");
    }
    for text in ["0x10", "1_000", "1 000", "1e", "--1", "½", "=1+1"] {
        assert_eq!(classes(format!("a,y\n{text},u\n")).unwrap_err().code(), "P0203", "{text}");
    }
}

#[test]
fn missing_cells_are_counted_in_the_message() {
    refused(
        "a,depth,y\n1,2,u\n1,,v\n1,2,u\nNA,?,v\n",
        "error[P0204]: row 2, column 2 (\"depth\") is empty\n  --> t.csv:3:3\n   = note: 2 of 4 rows have missing values, in a, \
         depth\n   = help: choose `missing: DropRows` or `missing: Impute(with: Median)`",
    );
    for marker in ["NA", "n/a", "?", "NaN", "nan", "null", "NULL"] {
        let error = message(classes(format!("a,y\n{marker},u\n")));
        assert!(
            error.starts_with(&format!("error[P0204]: row 1, column 1 (\"a\") is missing (\"{marker}\")")),
            "{error}"
        );
    }
    let text = "a,colour,y\n1,red,u\n,blue,v\n3,,u\n4,green,\n5,blue,v\n";
    let load_with = |missing| {
        let settings = format!("target: Name(\"y\"), categorical: [Name(\"colour\")], missing: {missing}");
        load(text, &settings, TargetKind::Classes).unwrap()
    };
    let dropped = load_with("DropRows");
    assert_eq!(dropped.inputs, ndarray::array![[1.0, 0.0, 1.0], [5.0, 1.0, 0.0]]);
    assert_eq!(dropped.input_names, ["a", "colour=blue", "colour=red"]);
    assert_eq!(dropped.notes, ["3 of 5 rows were left out for missing values, in a, colour, y"]);
    assert_eq!(dropped.impute, None);
    let filled = load_with("Impute(with: Mean)");
    assert_eq!(filled.rows(), 4);
    let holes: Vec<usize> = filled.inputs.iter().enumerate().filter(|(_, x)| x.is_nan()).map(|(at, _)| at).collect();
    assert_eq!(holes, [3, 7, 8]);
    assert_eq!(filled.notes.len(), 2);
    let scaler = Scaler::fit(Scaling::None, filled.inputs.view(), &[0, 1, 2, 3], filled.impute.as_ref()).unwrap();
    let mut row = [0.0; 3];
    scaler.transform(filled.inputs.row(2), &mut row);
    assert_eq!(row, [3.0, 1.0, 0.0]);
    let settings = "target: Name(\"y\"), categorical: [Name(\"b\")], missing: Impute(with: Median)";
    let error = message(load("a,b,y\n1,,u\n2,?,v\n", settings, TargetKind::Classes));
    assert_eq!(error, "error[P0204]: column \"b\" holds no value at all\n  --> t.csv\n   = help: drop the column");
    let error = message(load("a,y\n,u\n,v\n", "target: Name(\"y\"), missing: DropRows", TargetKind::Classes));
    assert!(error.starts_with("error[P0201]: each of the 2 rows has missing values"), "{error}");
}

#[test]
fn columns_that_are_not_there_are_refused_with_those_that_are() {
    let wrong = |settings: &str| message(load("length,width,species\n1,2,u\n", settings, TargetKind::Classes));
    assert_eq!(
        wrong("target: Name(\"speces\")"),
        "error[P0207]: no column is called \"speces\"\n  --> t.csv:1:1\n   = note: columns are length, width, species\n   = help: \
         did you mean \"species\"?"
    );
    assert!(wrong("target: Index(4)").starts_with("error[P0207]: there is no column 4; the table has 3"));
    assert!(wrong("target: Index(3), drop: [Name(\"age\")]").starts_with("error[P0207]: no column is called \"age\""));
    assert_eq!(
        wrong("target: Index(3), drop: [Name(\"species\")]"),
        "error[P0207]: column \"species\" stands in `target` and in `drop`\n   = help: name it in one place only"
    );
    assert!(wrong("target: Index(3), drop: [Index(1), Index(2)]").starts_with("error[P0207]: no input column is left"));
    assert!(wrong("target: Columns([])").starts_with("error[P0209]: `target` names no column"));
    assert!(
        wrong("target: Columns([Index(1), Index(2)])").starts_with("error[P0209]: a classification has one target")
    );
    let many: String = (0..1001).map(|row| format!("{row},{row}\n")).collect();
    let error = message(classes(format!("a,y\n{many}")));
    assert!(
        error.starts_with("error[P0209]: column 2 (\"y\") has more than 1000 classes\n  --> t.csv:1002:6"),
        "{error}"
    );
}

#[test]
fn rows_that_are_their_own_targets_need_none_and_keep_classes_as_labels() {
    let labels = |text: &str, settings: &str| {
        let dataset = load(text, settings, TargetKind::Inputs).unwrap().reconstructing();
        assert_eq!(dataset.target_names(), dataset.input_names);
        let Targets::Inputs { labels, classes } = dataset.targets else { panic!() };
        (dataset.input_names.join(" "), labels, classes)
    };
    let table = "a,b,y\n1,2,u\n3,4,v\n5,6,\n";
    // A label may be missing: nobody learns it.
    let (inputs, found, classes) = labels(table, "target: Name(\"y\")");
    assert_eq!((inputs.as_str(), found, classes), ("a b", vec![1, 2, 0], vec!["".into(), "u".into(), "v".into()]));
    let none = |inputs: &str| (inputs.to_owned(), Vec::new(), Vec::new());
    assert_eq!(labels(table, "drop: [Name(\"y\")]"), none("a b"));
    assert_eq!(labels(table, "target: Columns([Name(\"y\"), Name(\"b\")])"), none("a"));
    assert_eq!(labels("a,y\n1,u\n2,u\n", "target: Name(\"y\")"), none("a"), "one label tells nothing apart");
    let many: String = (0..1001).map(|row| format!("{row},{row}.5\n")).collect();
    assert_eq!(labels(&format!("a,y\n{many}"), "target: Name(\"y\")"), none("a"));
    for kind in [TargetKind::Classes, TargetKind::Values] {
        assert_eq!(
            message(load("a,y\n1,u\n", "delimiter: ','", kind)),
            "error[P0209]: `target` is missing, and nothing is left to be learned\n   = help: write `target: \
             Name(\"…\")`\n   = help: or let the rows be their own targets: `task: Autoencoding(…)`"
        );
    }
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("d.csv")).unwrap();
    std::fs::write(folder.path().join("big.csv"), "a,y\n1,u\n2,v\n").unwrap();
    let code = |settings: &str| {
        let data = parse(&format!("Csv({settings}, target: Name(\"y\"))")).unwrap();
        let error = data.load(&LoadContext { folder: folder.path(), kind: TargetKind::Classes }).unwrap_err();
        (error.code(), error.kind())
    };
    use crate::error::Kind;
    assert_eq!(code("path: \"none.csv\""), ("P0501", Kind::Data));
    assert_eq!(code("path: \"d.csv\""), ("P0501", Kind::Data));
    assert_eq!(code("path: \"big.csv\", max_bytes: 11"), ("P0141", Kind::Data));
}

#[test]
fn control_characters_of_a_file_never_reach_a_message() {
    let error = message(classes("a\u{1b}[31m,y\nx,u\n"));
    assert!(!error.contains('\u{1b}') && error.contains("\\u{1b}[31m"), "{error}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop::collection::vec(prop::sample::select(&b"ay1,.;\"\n\r \0\xEF\xBB\xBF\xFFNA?-e"[..]), 0..60),
        header: bool, impute: bool, values: bool,
    ) {
        let missing = if impute { "Impute(with: Median)" } else { "Reject" };
        let settings = format!("target: Index(2), header: {header}, missing: {missing}");
        let kind = if values { TargetKind::Values } else { TargetKind::Classes };
        if let Ok(dataset) = load(&bytes, &settings, kind) {
            prop_assert!(dataset.rows() > 0);
            prop_assert!(impute || dataset.inputs.iter().all(|x| x.is_finite()));
        }
    }

    #[test]
    fn what_was_written_is_read(rows in prop::collection::vec((-1e6_f64..1e6, "[c-m \",\n]{0,8}[c-m]"), 2..20)) {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(["x", "y", "z"]).unwrap();
        for (x, text) in &rows {
            writer.write_record([&x.to_string(), text, "1"]).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let read = load(&bytes, "target: Name(\"z\"), categorical: [Name(\"y\")]", TargetKind::Values).unwrap();
        for ((x, text), row) in rows.iter().zip(read.inputs.rows()) {
            prop_assert_eq!(row[0], *x);
            let column = read.input_names.iter().position(|name| *name == format!("y={}", text.trim())).unwrap();
            prop_assert_eq!((row[column], row.iter().skip(1).sum::<f64>()), (1.0, 1.0));
        }
    }
}
