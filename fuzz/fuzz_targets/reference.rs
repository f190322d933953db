//! Any text as an image reference: no panic, and the canonical spelling of one
//! is one, the same, and its own canonical spelling.
#![no_main]

use image_factory::dockerfile::ImageReference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(first) = ImageReference::parse(text) else {
        return;
    };
    let canonical = first.to_string();
    let second = ImageReference::parse(&canonical).expect("the canonical spelling is a reference");
    assert_eq!(second.to_string(), canonical);
    assert_eq!(
        (&first.registry, &first.path, &first.tag, &first.digest),
        (&second.registry, &second.path, &second.tag, &second.digest),
        "{text:?} {canonical:?}"
    );
    assert!(!(first.implicit_latest && first.tag.as_deref() != Some("latest")));
});
