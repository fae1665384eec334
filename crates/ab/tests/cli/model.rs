//! `model` serves until it is told to stop; `completions` prints scripts.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[cfg(unix)]
#[test]
fn the_model_answers_and_stops() {
    let sandbox = Sandbox::new(&[]);
    let mut command = sandbox.command(&["model", "--listen", "127.0.0.1:0"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let address = lines.find_map(|line| Some(line.strip_prefix("Listening at http://")?.to_owned())).unwrap();

    let body = "{\"model\":\"llama2-chat\",\"prompt\":\"User: I am so sad today\\nnegative\\nUser: What a lovely surprise!\",\
                \"options\":{\"maxTokens\":6}}";
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "POST /infer HTTP/1.1\r\nhost: {address}\r\nauthorization: bearer x\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"text\":\"positive\""), "{answer}");

    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_address_in_use() {
    let mut sandbox = Sandbox::new(&[]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    sandbox.redact(port.to_string(), "[PORT]");
    assert_snapshot!(sandbox.ab(&format!("model --listen 127.0.0.1:{port}")).seen(), @r#"
    error: 127.0.0.1:[PORT] is in use by another program
    hint: stop it, or choose another address with --listen; port 0 takes a free one
    [exit status: 1]
    "#);
}
