//! A web server for one test: files with or without `Range`, the package, the statements, and a place to post answers.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use super::setting::Failure;

/// What a running server knows. It serves until the test's process ends.
pub struct Server {
    /// `http://127.0.0.1:port`
    pub origin: String,
    /// The bodies of posted answers.
    pub posted: Receiver<String>,
}

/// What is served: the longest prefix of a path decides.
#[derive(Default)]
pub struct Site {
    /// URL prefixes and the folders behind them.
    pub folders: BTreeMap<&'static str, PathBuf>,
    /// Prefixes whose files are always sent whole.
    pub whole: Vec<&'static str>,
    /// What `/statements` gives.
    pub statements: String,
    /// The Content-Security-Policy of every page.
    pub policy: &'static str,
}

struct Request {
    path: String,
    range: Option<(u64, u64)>,
    body: Vec<u8>,
}

impl Server {
    /// Starts serving on a free port of this machine.
    pub fn start(site: Site) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let origin = format!("http://{}", listener.local_addr()?);
        let (sender, posted) = mpsc::channel();
        let site = Arc::new(site);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (site, sender) = (site.clone(), sender.clone());
                // A client that goes away in the middle is not the server's trouble.
                thread::spawn(move || serve(stream, &site, &sender));
            }
        });
        Ok(Self { origin, posted })
    }
}

fn serve(stream: TcpStream, site: &Site, posted: &Sender<String>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = read_request(&mut reader)? {
        let reply = answer(&request, site, posted);
        (&stream).write_all(&reply)?;
    }
    Ok(())
}

fn read_request(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let (mut range, mut length) = (None, 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "range" => range = parse_range(value.trim()),
            "content-length" => length = value.trim().parse().unwrap_or(0),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { path, range, body }))
}

/// `bytes=first-last`, half open.
fn parse_range(value: &str) -> Option<(u64, u64)> {
    let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse::<u64>().ok()? + 1))
}

fn answer(request: &Request, site: &Site, posted: &Sender<String>) -> Vec<u8> {
    match request.path.as_str() {
        "/answers" => {
            // The test may have ended already.
            let _ = posted.send(String::from_utf8_lossy(&request.body).into_owned());
            reply("204 No Content", "", b"")
        }
        "/statements" => {
            reply("200 OK", "content-type: text/plain; charset=utf-8\r\n", site.statements.as_bytes())
        }
        path => file(path, request.range, site),
    }
}

fn file(path: &str, range: Option<(u64, u64)>, site: &Site) -> Vec<u8> {
    let missing = || reply("404 Not Found", "", b"");
    let folder =
        site.folders.iter().rev().find_map(|(prefix, folder)| Some((folder, path.strip_prefix(prefix)?)));
    let Some((folder, name)) = folder.filter(|(_, name)| !name.contains("..")) else { return missing() };
    let Ok(bytes) = fs::read(folder.join(name)) else { return missing() };
    let kind = format!("content-type: {}\r\ncontent-security-policy: {}\r\n", kind(name), site.policy);
    match range.filter(|_| !site.whole.iter().any(|prefix| path.starts_with(prefix))) {
        None => reply("200 OK", &kind, &bytes),
        Some((start, end)) => part(&kind, &bytes, start, end),
    }
}

fn part(kind: &str, bytes: &[u8], start: u64, end: u64) -> Vec<u8> {
    let all = bytes.len() as u64;
    let end = end.min(all);
    if start >= end {
        return reply("416 Range Not Satisfiable", &format!("content-range: bytes */{all}\r\n"), b"");
    }
    let headers = format!("{kind}content-range: bytes {start}-{}/{all}\r\n", end - 1);
    reply("206 Partial Content", &headers, bytes.get(start as usize..end as usize).unwrap_or_default())
}

fn kind(name: &str) -> &'static str {
    match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
