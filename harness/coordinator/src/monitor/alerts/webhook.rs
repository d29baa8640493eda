//! A POST over plain HTTP.

use std::fmt;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;

/// Where to, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    host: String,
    port: u16,
    authority: String,
    path: String,
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

impl Url {
    /// Reads an `http://` URL.
    ///
    /// # Errors
    /// What is wrong with it, and what to do where it is of another scheme.
    pub fn parse(text: &str) -> Result<Url, String> {
        let expected = "expected such as http://127.0.0.1:9093/alerts";
        let uri: Uri = text.parse().map_err(|e| format!("'{text}' is no URL: {e} ({expected})"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(format!("'{text}' needs TLS, which is not built in: use exec with curl, or a relay on this host"));
            }
            _ => return Err(format!("'{text}' is no http:// URL ({expected})")),
        }
        let authority = uri.authority().ok_or_else(|| format!("'{text}' names no host ({expected})"))?;
        if authority.as_str().contains('@') {
            return Err(format!("'{}' carries a password, which is not supported: use exec with curl", authority.host()));
        }
        Ok(Url {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().map_or("/", |p| p.as_str()).to_owned(),
        })
    }

    /// Posts `json`; any 2xx status is success. Takes as long as the peer does: the caller sets the limit.
    ///
    /// # Errors
    /// Why it was not accepted.
    pub(super) async fn post(&self, json: String) -> Result<(), String> {
        let stream = tokio::net::TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|e| format!("cannot connect: {e}"))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.path)
            .header(HOST, &self.authority)
            .header(USER_AGENT, concat!("poolbench/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(json)))
            .map_err(|e| e.to_string())?;
        // The connection moves the bytes beside us. It is ended with the exchange, so that a silent server keeps none.
        let moving = AbortOnDrop(tokio::spawn(connection));
        let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
        drop(moving);
        // What else it says is not read.
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("the server answered {status}")),
        }
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_refused_with_a_remedy() {
        let url = Url::parse("http://[::1]:9093/a?b=c").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.path.as_str()), ("::1", 9093, "/a?b=c"));
        assert_eq!(url.to_string(), "http://[::1]:9093/a?b=c");
        assert_eq!(Url::parse("http://relay").unwrap().to_string(), "http://relay/");
        for (text, said) in [
            ("https://x/y", "exec with curl"),
            ("ftp://x", "no http:// URL"),
            ("x y", "no URL"),
            ("/x", "no http:// URL"),
            ("http://a:b@c/", "password"),
        ] {
            let why = Url::parse(text).unwrap_err();
            assert!(why.contains(said), "{text}: {why}");
        }
    }
}
