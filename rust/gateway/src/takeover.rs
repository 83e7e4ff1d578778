//! Replacing a running gateway: the listening socket is handed over a Unix socket, so that no connection is lost.
//!
//! The one who comes asks for the socket, begins to accept, and then says `stop`. If it goes away before, nothing has
//! happened.

use rustix::fs::{Mode, OFlags};
use rustix::net::{
    recvmsg, sendmsg, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::{UnixListener, UnixStream};

const STOP: u8 = b's';
const SOCKET: u8 = b'l';
/// For the other side to answer; it has nothing to do but that.
const ANSWER: Duration = Duration::from_secs(5);

/// The Unix socket at which a gateway can be asked for its listening socket.
pub struct Door {
    listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

/// A gateway whose listening socket one has and that has not been told to stop.
pub struct Predecessor(UnixStream);

impl Door {
    /// Opens the door for a listening address. A gateway that was there before has none from now on.
    ///
    /// # Errors
    /// Why there is no such door.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let path = path(address)?;
        let fresh = path.with_extension(std::process::id().to_string());
        let _ = std::fs::remove_file(&fresh);
        let listener = UnixListener::bind(&fresh)?;
        // In one step: whoever asks meets either the gateway before or this one.
        std::fs::rename(&fresh, &path)?;
        let inode = std::fs::metadata(&path)?.ino();
        Ok(Self { listener, path, inode })
    }

    /// Waits until a gateway has taken the listening socket and says that this one may stop.
    pub async fn replaced(&self, listening: BorrowedFd<'_>) {
        loop {
            let given = match self.listener.accept().await {
                Ok((stream, _)) => give(stream, listening).await,
                Err(error) => Err(error),
            };
            match given {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => {
                    eprintln!("the listening socket was not taken over: {error}");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // The one that took over has put its own in this place.
        if std::fs::metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Predecessor {
    /// The listening socket of the gateway that listens at the address, if there is one that can be asked.
    ///
    /// # Errors
    /// There is one, but it does not give its socket.
    pub async fn find(address: SocketAddr) -> io::Result<Option<(Self, TcpListener)>> {
        let path = path(address)?;
        let stream = match UnixStream::connect(&path).await {
            Ok(stream) => stream,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        check_peer(&stream)?;
        let listener = TcpListener::from(in_time(take(&stream)).await?);
        if listener.local_addr()? != address {
            return Err(io::Error::other(format!("it listens at {}", listener.local_addr()?)));
        }
        Ok(Some((Self(stream), listener)))
    }

    /// Tells it that its connections are accepted by another.
    pub async fn stop(self) -> io::Result<()> {
        in_time(send(&self.0, &[STOP], None)).await
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// Gives the socket to one that asks; whether it has said `stop`.
async fn give(mut stream: UnixStream, listening: BorrowedFd<'_>) -> io::Result<bool> {
    check_peer(&stream)?;
    in_time(send(&stream, &[SOCKET], Some(listening))).await?;
    let mut byte = [0];
    let read = in_time(stream.read(&mut byte)).await?;
    Ok(read == 1 && byte == [STOP])
}

async fn in_time<T>(work: impl std::future::Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(ANSWER, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn send(stream: &UnixStream, bytes: &[u8], socket: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let sent = stream.async_io(Interest::WRITABLE, || {
        let sockets = socket.as_slice();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        if !sockets.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(sockets)) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        Ok(sendmsg(stream, &[IoSlice::new(bytes)], &mut beside, SendFlags::NOSIGNAL)?)
    });
    sent.await.map(drop)
}

async fn take(stream: &UnixStream) -> io::Result<OwnedFd> {
    let received = stream.async_io(Interest::READABLE, || {
        let mut byte = [0];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let mut bytes = [IoSliceMut::new(&mut byte)];
        recvmsg(stream, &mut bytes, &mut beside, RecvFlags::CMSG_CLOEXEC)?;
        let mut sockets = beside.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut sockets) => sockets.next(),
            _ => None,
        });
        Ok(sockets.next())
    });
    received.await?.ok_or_else(|| io::Error::other("it gave no socket"))
}

/// Sockets are given to the same user only, and taken from nobody else.
fn check_peer(stream: &UnixStream) -> io::Result<()> {
    let (peer, own) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
    match peer == own {
        true => Ok(()),
        false => Err(io::Error::other(format!("user {peer} is at the other side, not user {own}"))),
    }
}

/// Where the door of an address is: in a folder that nobody else can write to.
fn path(address: SocketAddr) -> io::Result<PathBuf> {
    let name = format!("{}-{}.sock", address.ip(), address.port());
    Ok(folder()?.join(name))
}

fn folder() -> io::Result<PathBuf> {
    let uid = rustix::process::geteuid().as_raw();
    let folder = match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(folder) if Path::new(&folder).is_dir() => PathBuf::from(folder).join("penstock"),
        _ => std::env::temp_dir().join(format!("penstock-{uid}")),
    };
    match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // Another user may have made it first, and a link may lead elsewhere.
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::open(&folder, flags, Mode::empty())?;
    let found = rustix::fs::fstat(opened.as_fd())?;
    match found.st_uid == uid && found.st_mode & 0o077 == 0 {
        true => Ok(folder),
        false => Err(io::Error::other(format!(
            "`{}` can be used by other users; remove it",
            folder.display()
        ))),
    }
}
