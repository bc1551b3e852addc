//! Owns a clerk of the clearing center in small: brings filings in over HTTP as a region's system does.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::Full;
use hyper::Request;
use hyper::StatusCode;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::sandbox::his::NoAnswer;

/// Posts one filing to the desk on this machine; gives the status and the answer.
pub async fn post_filing(address: SocketAddr, filing: &Value) -> Result<(StatusCode, Value), NoAnswer> {
    let failed = |cause| NoAnswer::Connect { address, cause };
    let socket = TcpStream::connect(address).await.map_err(failed)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(NoAnswer::Broken)?;
    tokio::spawn(connection);
    let request = Request::post("/center/v1/filings")
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(filing.to_string())))
        .map_err(|cause| NoAnswer::Malformed(cause.to_string()))?;
    let answer = sender.send_request(request).await.map_err(NoAnswer::Broken)?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(NoAnswer::Broken)?.to_bytes();
    let value = serde_json::from_slice(&body).map_err(|cause| NoAnswer::Malformed(cause.to_string()))?;
    Ok((status, value))
}
