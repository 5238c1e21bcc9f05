//! C and C++ programs that are compiled with the committed header, linked both ways, and run.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::sample::{release, NEAREST};

/// What a program links that links libportolan.a. Also in docs/c.md.
const STATIC_LIBRARIES: &str = "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc";

const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where cargo put libportolan for this test run.
pub fn library_folder() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

/// A missing tool is an error in CI and said aloud elsewhere.
pub fn missing(what: &str, tool: &str) {
    assert!(!matches!(std::env::var("CI").as_deref(), Ok("true" | "1")), "{what}: {tool} is missing");
    // Not `println!`: what a passing test prints is not shown.
    let _ = writeln!(std::io::stderr(), "SKIP {what}: {tool} is missing");
}

/// A compiler: the one the variable names, else the system's; `None`, said aloud, when there is none.
fn compiler(variable: &str, usual: &str) -> Option<String> {
    let name = std::env::var(variable).unwrap_or_else(|_| usual.into());
    if Command::new(&name).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Some(name);
    }
    missing("C programs", &name);
    None
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{stdout}{stderr}");
    stdout.into_owned()
}

/// Compiles a program of this repository; the path of the executable, and the folder that holds it.
fn compile(cc: &str, source: &str, link: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    let mut command = Command::new(cc);
    command.args(["-std=c11", "-pthread"]).args(STRICT);
    command.arg("-I").arg(root().join("include")).arg("-o").arg(&program).arg(root().join(source));
    command.arg("-L").arg(library_folder()).args(link);
    succeed(&mut command);
    (folder, program)
}

fn run(program: &Path, arguments: &[&str]) -> String {
    succeed(Command::new(program).args(arguments).env("LD_LIBRARY_PATH", library_folder()))
}

#[test]
fn the_headers_compile_strictly_as_c_and_as_cpp() {
    let languages = [
        ("PORTOLAN_CC", "cc", "c", "c99"),
        ("PORTOLAN_CC", "cc", "c", "c11"),
        ("PORTOLAN_CXX", "c++", "c++", "c++17"),
    ];
    for (variable, usual, language, standard) in languages {
        let Some(name) = compiler(variable, usual) else { return };
        for header in ["portolan.h", "portolan_format.h"] {
            let mut command = Command::new(&name);
            command.args(["-fsyntax-only", "-x", language]).arg(format!("-std={standard}")).args(STRICT);
            succeed(command.arg(root().join("include").join(header)));
        }
    }
}

#[test]
fn the_example_prints_the_nearest_rows() {
    let Some(cc) = compiler("PORTOLAN_CC", "cc") else { return };
    let folder = release();
    let (_kept, program) = compile(&cc, "examples/c/search.c", &["-lportolan"]);
    let output = run(&program, &[folder.path().to_str().unwrap()]);
    let nearest = output.lines().next().unwrap();
    assert_eq!(output.lines().count(), 10);
    assert!(nearest.starts_with("beasts") && nearest.ends_with("fly bird"), "{output}");
}

#[test]
fn statements_from_a_file_get_a_line_of_json_each() {
    let Some(cc) = compiler("PORTOLAN_CC", "cc") else { return };
    let folder = release();
    let statements = folder.path().join("statements");
    std::fs::write(
        &statements,
        format!("{NEAREST}\nSELECT id FROM \"no\x01such\"\n\nSELECT id FROM deeds LIMIT :n\t{{\"n\": 3}}\n"),
    )
    .unwrap();
    let arguments = [folder.path().to_str().unwrap(), statements.to_str().unwrap()];
    for link in [&["-lportolan"][..], &["-l:libportolan.a"]] {
        let link: Vec<&str> = link.iter().copied().chain(STATIC_LIBRARIES.split(' ')).collect();
        let (_kept, program) = compile(&cc, "tests/doors/query.c", &link);
        let output = run(&program, &arguments);
        let lines: Vec<serde_json::Value> =
            output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0]["row_ids"].as_array().unwrap().len(), 5);
        assert_eq!(lines[1]["error"]["code"], 2001, "{output}");
        assert_eq!(lines[2]["error"]["code"].as_u64().unwrap() / 1000, 1);
        assert_eq!(lines[3]["row_ids"].as_array().unwrap().len(), 3, "{output}");
    }
}

#[test]
fn the_manual_names_the_libraries_that_static_linking_needs() {
    let manual = std::fs::read_to_string(root().join("docs/c.md")).unwrap();
    assert!(manual.contains(STATIC_LIBRARIES));
}

#[test]
fn one_handle_serves_more_threads_than_cores() {
    let Some(cc) = compiler("PORTOLAN_CC", "cc") else { return };
    let folder = release();
    let (_kept, program) = compile(&cc, "tests/doors/threads.c", &["-lportolan"]);
    let output = run(&program, &[folder.path().to_str().unwrap(), NEAREST]);
    assert!(output.contains(" 0 wrong"), "{output}");
}

#[test]
fn wrong_calls_from_c_fail_as_the_header_says() {
    let Some(cc) = compiler("PORTOLAN_CC", "cc") else { return };
    let folder = release();
    let (_kept, program) = compile(&cc, "tests/doors/misuse.c", &["-lportolan"]);
    run(&program, &[folder.path().to_str().unwrap(), NEAREST]);
}

#[test]
fn parameters_of_every_type_are_bound_from_c() {
    let Some(cc) = compiler("PORTOLAN_CC", "cc") else { return };
    let folder = release();
    let (_kept, program) = compile(&cc, "tests/doors/params.c", &["-lportolan"]);
    run(&program, &[folder.path().to_str().unwrap()]);
}

#[test]
fn options_and_pages_work_from_c() {
    let Some(cc) = compiler("PORTOLAN_CC", "cc") else { return };
    let (folder, damaged) = (release(), release());
    let file = damaged.path().join("deeds.portolan");
    let altered: Vec<u8> = std::fs::read(&file).unwrap().iter().map(|byte| byte ^ 0x55).collect();
    std::fs::write(&file, altered).unwrap();
    let (_kept, program) = compile(&cc, "tests/doors/options.c", &["-lportolan"]);
    run(&program, &[folder.path().to_str().unwrap(), damaged.path().to_str().unwrap()]);
}

/// What any program can read that knows no more of the format than its header.
#[test]
fn a_file_is_read_from_c_with_only_the_header_of_the_format() {
    let Some(cc) = compiler("PORTOLAN_CC", "cc") else { return };
    let (_kept, program) = compile(&cc, "tests/doors/format.c", &[]);
    let golden = root().join("tests/golden/v1");
    let file = golden.join("types.portolan");
    let output = run(&program, &[file.to_str().unwrap(), "4"]);
    assert!(output.starts_with("rows 14\nsection 2 blocks 1 rows 14 bytes "), "{output}");
    assert!(output.ends_with("id row 06\n"), "{output}");
    for (name, row) in [("types", "14"), ("tiny", "0"), ("empty", "0")] {
        let file = golden.join(name).with_extension("portolan");
        let refused = Command::new(&program).arg(file).arg(row).output().unwrap();
        assert_eq!(refused.status.code(), Some(1), "{name}");
    }
}
