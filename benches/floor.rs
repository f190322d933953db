//! The least that any program like `synth` has to do: read the same input files,
//! write as many bytes as it writes. Nothing is parsed and nothing rendered.
//!
//! `floor ROOT OUT FILE:BYTES…` reads images.yaml and state/ below ROOT and
//! writes each FILE with that many bytes below OUT. See `benches/side_by_side.py`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program that only measures"
)]

use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// A line as long as those of a manifest usually are.
const LINE: &[u8] = b"      imageSelectionStrategy\n";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(root), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("usage: floor ROOT OUT FILE:BYTES…".into());
    };
    let root = Path::new(&root);
    let mut texts = vec![fs::read(root.join("images.yaml"))?];
    for folder in ["state/images", "state/base-images"] {
        let mut paths: Vec<_> = fs::read_dir(root.join(folder))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        paths.sort();
        for path in paths {
            texts.push(fs::read(path)?);
        }
    }
    fs::create_dir_all(&out)?;
    let mut written = 0;
    for file in arguments {
        let (name, size) = file.split_once(':').ok_or("FILE:BYTES")?;
        let size: usize = size.parse()?;
        let mut bytes = LINE.repeat(size / LINE.len() + 1);
        bytes.truncate(size);
        fs::write(Path::new(&out).join(name), &bytes)?;
        written += size;
    }
    let read: usize = texts.iter().map(Vec::len).sum();
    println!(
        "{read} bytes read from {} files, {written} written",
        texts.len()
    );
    Ok(())
}
