//! A small HTTP server on loopback: one thread a connection, one request a
//! connection, every request remembered.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request as it came, its body whole.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the query, still encoded.
    pub(crate) path: String,
    /// What follows the `?`; empty without.
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a header, its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// `PATH?QUERY`, or just the path.
    pub(crate) fn target(&self) -> String {
        match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }
}

/// What a server does with a request.
pub(crate) enum Answer {
    /// Answers it.
    Full {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// Sends these bytes, whatever they are, and hangs up.
    Raw(Vec<u8>),
    /// Sends these bytes and then nothing more, with the line open.
    Hang(Vec<u8>),
}

impl Answer {
    /// A short answer of text.
    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self::Full {
            status,
            headers: vec![("content-type".into(), "text/plain".into())],
            body: body.into(),
        }
    }

    /// The same, with a header more.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Full { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// What goes over the line.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Raw(bytes) | Self::Hang(bytes) => bytes.clone(),
            Self::Full {
                status,
                headers,
                body,
            } => {
                let mut bytes = format!("HTTP/1.1 {status} Answer\r\n").into_bytes();
                for (name, value) in headers {
                    bytes.extend(format!("{name}: {value}\r\n").bytes());
                }
                let end = format!(
                    "content-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                bytes.extend(end.bytes());
                bytes.extend(body);
                bytes
            }
        }
    }
}

type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

/// A server; it ends when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// Starts one that answers by `handler`, on several threads at once.
    pub(crate) fn start(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let handler: Arc<Handler> = Arc::new(handler);
        let (all, ending) = (Arc::clone(&requests), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if ending.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (all, ending) = (Arc::clone(&all), Arc::clone(&ending));
                let handler = Arc::clone(&handler);
                thread::spawn(move || {
                    // Whoever asked may hang up at any time.
                    let _ = serve(stream, &*handler, &all, &ending);
                });
            }
        });
        Self {
            address,
            requests,
            stop,
            thread: Some(thread),
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far, in the order of their coming.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Forgets them.
    pub(crate) fn forget(&self) {
        self.requests.lock().unwrap().clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes what waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    stream: TcpStream,
    handler: &Handler,
    all: &Mutex<Vec<Request>>,
    ending: &AtomicBool,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    let Some(request) = read(&mut reader, &mut stream)? else {
        return Ok(());
    };
    all.lock().unwrap().push(request.clone());
    let answer = handler(&request);
    stream.write_all(&answer.bytes())?;
    stream.flush()?;
    if matches!(answer, Answer::Hang(_)) {
        while !ending.load(Ordering::SeqCst) && alive(&stream) {
            thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}

/// Has the other side not hung up?
fn alive(stream: &TcpStream) -> bool {
    let _ = stream.set_nonblocking(true);
    !matches!(stream.peek(&mut [0]), Ok(0))
}

fn read(
    reader: &mut BufReader<TcpStream>,
    stream: &mut TcpStream,
) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        request
            .headers
            .push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    if request.header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    if request.header("transfer-encoding") == Some("chunked") {
        request.body = chunks(reader)?;
    } else if let Some(length) = request.header("content-length") {
        request.body = vec![0; length.parse().unwrap_or(0)];
        reader.read_exact(&mut request.body)?;
    }
    Ok(Some(request))
}

fn chunks(reader: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16).unwrap_or(0);
        let mut chunk = vec![0; size];
        reader.read_exact(&mut chunk)?;
        reader.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(body);
        }
        body.extend(chunk);
    }
}
