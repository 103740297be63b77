/** Calls by gRPC at a steady rate, all on one connection, as clients of gRPC keep it. */
import type { IncomingHttpHeaders } from 'node:http';
import { connect, constants, type ClientHttp2Session } from 'node:http2';
import { sendAtPace } from './steady-pace.ts';

export interface CallReport {
  readonly sent: number;
  readonly failures: readonly string[];
  /** Answers by the version that gave them. */
  readonly byVersion: Readonly<Record<string, number>>;
}

/** Calls shop.Shop/Greet `perSecond` times a second while `work` runs. */
export async function callWhile(
  target: { readonly url: string; readonly authority: string; readonly perSecond: number },
  work: () => Promise<void>,
): Promise<CallReport> {
  const session = connect(target.url);
  const failures: string[] = [];
  const byVersion: Record<string, number> = {};
  let sent = 0;
  const callOne = async (): Promise<void> => {
    sent += 1;
    try {
      const { status, version, answer } = await call(session, target.authority);
      byVersion[version] = (byVersion[version] ?? 0) + 1;
      if (status !== '0') failures.push(`gRPC status ${status} from version ${version}: ${answer}`);
    } catch (error) {
      failures.push(String(error));
    }
  };
  await sendAtPace(target.perSecond, callOne, work);
  session.destroy();
  return { sent, failures, byVersion };
}

interface Called {
  /** Status of HTTP, and what the body said where it was no message. */
  readonly answer: string;
  readonly status: string;
  readonly version: string;
}

/** A message without fields: a frame that says that nothing follows. */
const emptyFrame = Buffer.alloc(5);

async function call(session: ClientHttp2Session, authority: string): Promise<Called> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: '/shop.Shop/Greet',
      [constants.HTTP2_HEADER_AUTHORITY]: authority,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const body: Buffer[] = [];
    let httpStatus = 'none';
    let version = 'none';
    let status = 'none';
    stream.on('response', (headers) => {
      httpStatus = String(headers[constants.HTTP2_HEADER_STATUS]);
      version = String(headers['x-version'] ?? 'none');
      // A call that failed at once has its status there.
      status = String(headers['grpc-status'] ?? 'none');
    });
    stream.on('trailers', (trailers: IncomingHttpHeaders) => {
      status = String(trailers['grpc-status'] ?? 'none');
    });
    stream.on('error', reject);
    stream.on('end', () => {
      const answer = `HTTP ${httpStatus} ${Buffer.concat(body).toString('utf8', 0, 200)}`;
      resolve({ status, version, answer });
    });
    stream.on('data', (part: Buffer) => body.push(part));
    stream.end(emptyFrame);
  });
}
