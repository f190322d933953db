//! What others say, and how long they want us to wait, as people read it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Answer, Request};
use crate::process::Mask;

/// A text of somebody else: one line of so many characters, without control
/// characters and without those that turn or hide text.
#[must_use]
pub fn line(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    for c in text.chars() {
        let hides = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'..='\u{2029}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}');
        let c = if c.is_control() || hides { ' ' } else { c };
        if c == ' ' && (line.is_empty() || line.ends_with(' ')) {
            continue;
        }
        if count >= most {
            line.push('…');
            break;
        }
        line.push(c);
        count += 1;
    }
    line.trim_end().to_owned()
}

/// A time to wait, as people say it: `45 s`, `3 min`, `5 h 20 min`.
#[must_use]
pub fn wait_text(wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let (hours, minutes) = (seconds / 3600, seconds.div_ceil(60) % 60);
    match seconds {
        0..=99 => format!("{seconds} s"),
        100..=3540 => format!("{} min", seconds.div_ceil(60)),
        _ if minutes == 0 => format!("{} h", seconds.div_ceil(3600)),
        _ => format!("{hours} h {minutes} min"),
    }
}

/// What the API of GitHub or GitLab says to a request that it refuses, unshortened:
/// its `message` (a text, a list, or texts by field), and its errors. Of what is no
/// JSON the text, unless it is a page.
#[must_use]
pub fn message(answer: &Answer) -> String {
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        let text = String::from_utf8_lossy(&answer.body);
        return match text.trim_start() {
            page if page.starts_with('<') => String::new(),
            text => text.to_owned(),
        };
    };
    let mut words = Vec::new();
    for key in ["message", "errors", "error", "error_description"] {
        collect(body.get(key).unwrap_or(&Value::Null), &mut words);
    }
    words.join("; ")
}

/// The texts of a message, which may be one, a list, or in objects.
fn collect(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::String(text) => words.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|one| collect(one, words)),
        Value::Object(object) => match object.get("message") {
            Some(message) => collect(message, words),
            None => object.values().for_each(|one| collect(one, words)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a request shows of who asks. Servers may repeat it in their answers.
#[must_use]
pub fn secrets(request: &Request) -> Mask {
    let mut mask = Mask::default();
    for (name, value) in &request.headers {
        match (*name, value.split_once(' ')) {
            ("authorization", Some((scheme, rest))) => {
                mask.add(None, rest);
                let pair = scheme
                    .eq_ignore_ascii_case("basic")
                    .then(|| STANDARD.decode(rest).ok())
                    .flatten()
                    .and_then(|pair| String::from_utf8(pair).ok());
                if let Some((user, secret)) = pair.as_deref().and_then(|pair| pair.split_once(':'))
                {
                    mask.add(Some(user), secret);
                }
            }
            ("authorization" | "private-token", _) => mask.add(None, value),
            _ => {}
        }
    }
    mask
}

/// A body without secrets. What is shown of it is shortened later, and half a secret would
/// be known to no mask.
pub fn mask_body(answer: &mut Answer, mask: &Mask) {
    if let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) {
        if mask_texts(&mut body, mask) {
            answer.body = body.to_string().into_bytes();
        }
        return;
    }
    let text = String::from_utf8_lossy(&answer.body);
    let masked = mask.apply(&text);
    if masked != *text {
        answer.body = masked.into_bytes();
    }
}

/// Was there anything to mask?
fn mask_texts(value: &mut Value, mask: &Mask) -> bool {
    let any = |found: bool, one: &mut Value| mask_texts(one, mask) || found;
    match value {
        Value::String(text) => {
            let masked = mask.apply(text);
            let found = masked != *text;
            *text = masked;
            found
        }
        Value::Array(all) => all.iter_mut().fold(false, any),
        Value::Object(all) => all.values_mut().fold(false, any),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Url;

    #[test]
    fn secrets_that_a_server_repeats_are_masked_before_its_words_are_cut() {
        let url = Url::parse("https://h/").unwrap();
        let request = |name: &'static str, value: &str| {
            Request::new("GET", url.clone(), 1).header(name, value.to_owned())
        };
        let pair = STANDARD.encode("me:s3/cret-s3/cret");
        let basic = format!("Basic {pair}");
        for (request, secret) in [
            (
                request("authorization", "Bearer s3/cret-s3/cret"),
                "s3/cret-s3/cret",
            ),
            (
                request("private-token", "s3/cret-s3/cret"),
                "s3/cret-s3/cret",
            ),
            (request("authorization", &basic), "s3/cret-s3/cret"),
            (request("authorization", &basic), pair.as_str()),
        ] {
            let escaped = secret.replace('/', "\\u002f");
            for body in [
                format!(r#"{{"message":"xxxxxx {escaped}","n":1}}"#),
                format!(r#"{{"errors":[{{"message":"xxxxxx {secret}"}}]}}"#),
                format!("xxxxxx {secret}"),
            ] {
                let mut answer = Answer {
                    status: 422,
                    headers: Vec::new(),
                    body: body.clone().into(),
                };
                mask_body(&mut answer, &secrets(&request));
                assert_eq!(line(&message(&answer), 10), "xxxxxx ***", "{body}");
            }
        }
        let body = br#"{"b": 1, "a": "x"}"#;
        let mut answer = Answer {
            status: 404,
            headers: Vec::new(),
            body: body.to_vec(),
        };
        mask_body(&mut answer, &secrets(&request("accept", "x")));
        assert_eq!(answer.body, body);
    }

    #[test]
    fn waits_are_said_as_people_do() {
        for (seconds, is) in [
            (0, "0 s"),
            (1, "1 s"),
            (99, "99 s"),
            (100, "2 min"),
            (3540, "59 min"),
            (3541, "1 h"),
            (3600, "1 h"),
            (3601, "1 h 1 min"),
            (19_200, "5 h 20 min"),
            (21_599, "6 h"),
        ] {
            assert_eq!(wait_text(Duration::from_secs(seconds)), is, "{seconds}");
        }
        assert_eq!(wait_text(Duration::from_millis(200)), "1 s");
    }

    #[test]
    fn lines_are_short_and_plain() {
        assert_eq!(line("a\r\n\u{1b}[31mb\u{202e}c\u{200b}", 160), "a [31mb c");
        assert_eq!(line(&"x".repeat(500), 160).chars().count(), 161);
        assert_eq!(line("  \n ", 160), "");
    }

    #[test]
    fn messages_are_found_in_any_form() {
        for (body, said) in [
            (r#"{"message":"Not Found","status":"404"}"#, "Not Found"),
            (
                r#"{"message":"Validation Failed","errors":[{"message":"No commits"}]}"#,
                "Validation Failed; No commits",
            ),
            (
                r#"{"message":{"base":["Reference not found"]}}"#,
                "Reference not found",
            ),
            (
                r#"{"error":"insufficient_scope","error_description":"more is needed"}"#,
                "insufficient_scope; more is needed",
            ),
            ("Retry later\n", "Retry later\n"),
            (" <html>", ""),
            ("[1]", ""),
            ("", ""),
        ] {
            let answer = Answer {
                status: 400,
                headers: Vec::new(),
                body: body.into(),
            };
            assert_eq!(message(&answer), said, "{body}");
        }
    }
}
