//! TLS, with certificates that change.

use super::world::{prediction, read_answer, Answer, Gateway, World, ROW};
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

/// Writes a new certificate and its key; returns the certificate.
fn certify(world: &World) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    world.put("key.pem", made.signing_key.serialize_pem().as_bytes());
    let certificate = made.cert.pem();
    world.put("cert.pem", certificate.as_bytes());
    certificate
}

fn start(world: &World) -> Gateway {
    let (certificate, key) = (world.path("cert.pem"), world.path("key.pem"));
    world.start(&["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()])
}

/// Asks as one who trusts only this certificate; returns the protocol that was agreed on as well.
fn ask(
    gateway: &Gateway,
    certificate: &str,
    protocols: &[&[u8]],
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<(Option<Vec<u8>>, Answer)> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(("127.0.0.1", gateway.port))?;
    let mut stream = BufReader::new(StreamOwned::new(client, socket));
    stream.get_mut().write_all(prediction(ROW, "").as_bytes())?;
    let answer = read_answer(&mut stream)?;
    let protocol = stream.get_ref().conn.alpn_protocol().map(<[u8]>::to_vec);
    Ok((protocol, answer))
}

#[test]
fn predictions_come_over_tls_1_2_and_1_3() {
    let world = World::new();
    let certificate = certify(&world);
    let gateway = start(&world);
    for version in [&TLS12, &TLS13] {
        let (protocol, answer) = ask(&gateway, &certificate, &[b"http/1.1"], version).unwrap();
        assert_eq!((answer.status, protocol.unwrap().as_slice()), (200, &b"http/1.1"[..]));
    }
    assert!(gateway.told.concat().contains("listening at https://"));
}

#[test]
fn who_can_speak_http_2_does() {
    let world = World::new();
    let certificate = certify(&world);
    let gateway = start(&world);
    // The request is none of HTTP/2, so that the answer is an error; what was agreed on is what counts.
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    while client.is_handshaking() {
        client.complete_io(&mut socket).unwrap();
    }
    assert_eq!(client.alpn_protocol(), Some(&b"h2"[..]));
}

#[test]
fn a_new_certificate_is_shown_and_a_bad_one_leaves_the_old() {
    let world = World::new();
    let old = certify(&world);
    let mut gateway = start(&world);
    assert_eq!(ask(&gateway, &old, &[], &TLS13).unwrap().1.status, 200);
    world.put("cert.pem", b"-----BEGIN CERTIFICATE-----\nno\n");
    assert!(gateway.tells("not reloaded").unwrap().contains("cert.pem"));
    assert_eq!(ask(&gateway, &old, &[], &TLS13).unwrap().1.status, 200);
    let new = certify(&world);
    gateway.tells("reloaded: ").unwrap();
    assert_eq!(ask(&gateway, &new, &[], &TLS13).unwrap().1.status, 200);
    assert!(ask(&gateway, &old, &[], &TLS13).is_err());
}
