//! A client for one question at a time, over one connection that it keeps.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::Failure;

/// No answer may take longer.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer without its body.
pub struct Answer {
    pub status: u16,
    head: String,
}

impl Answer {
    /// A header's text; empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut values = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim()).unwrap_or_default()
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Asks, and reads the whole answer.
    pub fn ask(&mut self, request: &str) -> Result<Answer, Failure> {
        self.stream.write_all(request.as_bytes())?;
        self.buffer.clear();
        let head_end = loop {
            if let Some(at) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            self.read()?;
        };
        let head = String::from_utf8_lossy(self.buffer.get(..head_end).unwrap_or_default()).into_owned();
        let status = head.split(' ').nth(1).unwrap_or_default().parse()?;
        let answer = Answer { status, head };
        let body: usize = answer.header("content-length").parse().unwrap_or_default();
        while self.buffer.len() < head_end + body {
            self.read()?;
        }
        Ok(answer)
    }

    fn read(&mut self) -> Result<(), Failure> {
        let mut part = [0; 4096];
        match self.stream.read(&mut part)? {
            0 => Err("the connection was closed".into()),
            read => {
                self.buffer.extend_from_slice(part.get(..read).unwrap_or_default());
                Ok(())
            }
        }
    }
}
