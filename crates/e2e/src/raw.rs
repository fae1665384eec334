//! A connection on which a test says what it likes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::process::PATIENCE;

/// A TCP connection to the app.
#[derive(Debug)]
pub struct Raw {
    reader: BufReader<TcpStream>,
}

impl Raw {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { reader: BufReader::new(stream) }
    }

    /// Sends bytes. That the other side has stopped listening shows in what it answers.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let _ = self.reader.get_mut().write_all(bytes.as_ref());
        self
    }

    /// Whether the other side has closed the connection without an answer. Waits for either.
    pub fn is_closed(&mut self) -> bool {
        self.reader.fill_buf().unwrap().is_empty()
    }

    /// The status and the headers of an answer, each header a line in lower case. Its body is still to be read.
    pub fn head(&mut self) -> (u16, Vec<String>) {
        let mut line = || {
            let mut line = String::new();
            self.reader.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let status = line();
        let code = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let code = code.unwrap_or_else(|| panic!("this is no status line: {status:?}"));
        let headers = std::iter::from_fn(|| Some(line()).filter(|line| !line.is_empty()));
        (code, headers.map(|header| header.to_ascii_lowercase()).collect())
    }

    /// An answer whose length is known: its status and body.
    pub fn answer(&mut self) -> (u16, Vec<u8>) {
        let (status, headers) = self.head();
        let length = headers.iter().find_map(|header| header.strip_prefix("content-length: "));
        let length = length.unwrap_or_else(|| panic!("no content-length in {headers:?}")).parse().unwrap();
        (status, self.body(length))
    }

    /// So many bytes of a body.
    pub fn body(&mut self, length: usize) -> Vec<u8> {
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).unwrap();
        body
    }
}
