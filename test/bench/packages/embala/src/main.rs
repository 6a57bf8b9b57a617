//! Packages a folder: package-one TREE TARGET.
use embala_pkg::{build, FileSpec, PkgSpec};
use std::{env, fs, path::Path};

fn collect(folder: &Path, prefix: &str, files: &mut Vec<FileSpec>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let dest = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a type").is_dir() {
            collect(&entry.path(), &format!("{dest}/"), files);
        } else {
            files.push(FileSpec { src: entry.path(), dest, mode: None });
        }
    }
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let mut files = Vec::new();
    collect(Path::new(&arguments[1]), "", &mut files);
    let spec = PkgSpec {
        name: "Tree".into(),
        display_name: "Tree".into(),
        identifier: "com.example.tree".into(),
        version: "1.0".into(),
        install_location: "/Library".into(),
        enable_user_home: false,
        files,
        directories: Vec::new(),
        scripts: None,
    };
    build(&spec, Path::new(&arguments[2])).expect("a package");
}
