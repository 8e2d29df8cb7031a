// `wasi:sockets`: a page has none. Every way to get one answers `not-supported`, as an error that a guest can handle.

const unsupported = (): never => {
  throw "not-supported";
};

class Network {}
class TcpSocket {}
class UdpSocket {}
class IncomingDatagramStream {}
class OutgoingDatagramStream {}
class ResolveAddressStream {}

export const network = { Network, networkErrorCode: () => undefined };
export const instanceNetwork = { instanceNetwork: () => new Network() };
export const tcp = { TcpSocket };
export const tcpCreateSocket = { createTcpSocket: unsupported };
export const udp = { UdpSocket, IncomingDatagramStream, OutgoingDatagramStream };
export const udpCreateSocket = { createUdpSocket: unsupported };
export const ipNameLookup = { ResolveAddressStream, resolveAddresses: unsupported };
