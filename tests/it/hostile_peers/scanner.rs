//! The scanner that does nothing wrong: a C-ECHO every few hundred milliseconds, each on
//! an association of its own, each to be answered within a second.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::speech::{COMMAND, ECHO, Request, echo_command, p_data, release, responses};

const EVERY: Duration = Duration::from_millis(200);
const DEADLINE: Duration = Duration::from_secs(1);

/// How a scanner speaks TLS: its settings and the name that it expects.
pub type Tls = (Arc<rustls::ClientConfig>, rustls::pki_types::ServerName<'static>);

/// What it met.
#[derive(Default, Clone)]
pub struct Scanner {
    answered: u32,
    late: Vec<String>,
    worst: Duration,
}

/// A scanner at work.
pub struct Working {
    stop: watch::Sender<bool>,
    task: JoinHandle<Scanner>,
}

impl Scanner {
    /// Starts asking, when the first answer has come.
    pub async fn start(gateway: SocketAddr, tls: Option<Tls>) -> Working {
        echo(gateway, tls.as_ref()).await.expect("an answer before anything happens");
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut scanner = Self::default();
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if *stopped.borrow_and_update() {
                    return scanner;
                }
                scanner.ask(gateway, tls.as_ref()).await;
            }
        });
        Working { stop, task }
    }

    async fn ask(&mut self, gateway: SocketAddr, tls: Option<&Tls>) {
        let asked = Instant::now();
        match timeout(DEADLINE, echo(gateway, tls)).await {
            Ok(Ok(())) => self.answered += 1,
            Ok(Err(why)) => self.late.push(why),
            Err(_) => self.late.push(format!("no answer within {DEADLINE:?}")),
        }
        self.worst = self.worst.max(asked.elapsed());
    }

    pub fn unanswered(&self) -> usize {
        self.late.len()
    }
}

impl Working {
    pub async fn stop(self) -> Scanner {
        self.stop.send_replace(true);
        self.task.await.unwrap()
    }
}

impl fmt::Display for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} C-ECHO answered, the slowest in {:?}, not answered: {:?}", self.answered, self.worst, self.late)
    }
}

async fn echo(gateway: SocketAddr, tls: Option<&Tls>) -> Result<(), String> {
    let stream = TcpStream::connect(gateway).await.map_err(|e| format!("connecting: {e}"))?;
    stream.set_nodelay(true).map_err(|e| e.to_string())?;
    match tls {
        None => converse(stream).await,
        Some((config, name)) => {
            let connector = tokio_rustls::TlsConnector::from(Arc::clone(config));
            converse(connector.connect(name.clone(), stream).await.map_err(|e| format!("TLS: {e}"))?).await
        }
    }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), String> {
    let mut heard = Vec::new();
    for (said, expected) in [(Request::new().bytes(), 2), (p_data(ECHO, COMMAND, &echo_command()), 4), (release(), 6)] {
        stream.write_all(&said).await.map_err(|e| format!("sending: {e}"))?;
        let before = responses(&heard).0.len();
        while responses(&heard).0.len() == before {
            let mut buffer = [0; 4096];
            let n = stream.read(&mut buffer).await.map_err(|e| format!("receiving: {e}"))?;
            if n == 0 {
                return Err(format!("closed after {:?}", responses(&heard)));
            }
            heard.extend(&buffer[..n]);
        }
        let (kinds, statuses) = responses(&heard);
        if kinds.last() != Some(&expected) || statuses.iter().any(|(_, status)| *status != 0) {
            return Err(format!("answered with {kinds:?} {statuses:?}"));
        }
    }
    Ok(())
}
