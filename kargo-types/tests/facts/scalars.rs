//! Durations, quantities and expressions.

use kargo_types::{Expr, GoDuration, OrExpr, Quantity};
use proptest::prelude::*;

#[test]
fn durations_are_read_and_written_as_go_does() {
    for (text, written) in [
        ("24h", "24h0m0s"),
        ("5m", "5m0s"),
        ("90s", "1m30s"),
        ("1h0.5s", "1h0m0.5s"),
        ("1.5h", "1h30m0s"),
        (".5s", "500ms"),
        ("1.s", "1s"),
        ("0", "0s"),
        ("-0", "0s"),
        ("-5m", "-5m0s"),
        ("+1s", "1s"),
        ("1us", "1µs"),
        ("1500us", "1.5ms"),
        ("1ns", "1ns"),
        ("1m1m", "2m0s"),
        ("2562047h47m16.854775807s", "2562047h47m16.854775807s"),
        ("-2562047h47m16.854775808s", "-2562047h47m16.854775808s"),
    ] {
        let read: GoDuration = text.parse().unwrap();
        assert_eq!(read.to_string(), written, "{text}");
    }
    for text in [
        "",
        "-",
        "5",
        "1d",
        "s",
        ".s",
        "1..5s",
        "1h ",
        " 1h",
        "1e3s",
        "1S",
        "99999999h",
        "7 dogs",
        "1h-1m",
    ] {
        assert!(text.parse::<GoDuration>().is_err(), "{text}");
    }
    assert_eq!(
        GoDuration::from_secs(86_400).unwrap().to_string(),
        "24h0m0s"
    );
    assert_eq!(GoDuration::from_secs(u64::MAX), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(nanos: i64) {
        let duration = GoDuration::from_nanos(nanos);
        prop_assert_eq!(duration.to_string().parse(), Ok(duration));
    }
}

#[test]
fn quantities_are_those_of_kubernetes() {
    for text in ["1", "100m", "1.5Gi", "2e3", "1E", "2E+2", "-.5k", "5."] {
        assert_eq!(text.parse::<Quantity>().unwrap().as_str(), text);
    }
    for text in [
        "", ".", "1gi", "1KiB", "e3", "1 G", "--1", "1e", "0x1", "1K",
    ] {
        assert!(text.parse::<Quantity>().is_err(), "{text}");
    }
}

#[test]
fn an_expression_stands_for_any_scalar() {
    let force: OrExpr<bool> = Expr::of("vars.force").into();
    assert_eq!(serde_json::to_value(&force).unwrap(), "${{ vars.force }}");
    assert_eq!(OrExpr::from(true).value(), Some(&true));
    assert_eq!(Expr::new("plain"), None);
    assert!(Expr::new("a ${% b %}").is_some());
}
