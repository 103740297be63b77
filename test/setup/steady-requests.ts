/** Requests at a steady rate, whether earlier ones were answered or not. */
import { Agent, request } from 'node:http';
import { sendAtPace } from './steady-pace.ts';

export interface RequestReport {
  readonly sent: number;
  /** What went wrong with each failed request. */
  readonly failures: readonly string[];
  /** Answers by the version that gave them. */
  readonly byVersion: Readonly<Record<string, number>>;
  /** Half of the requests ask on connections that are kept, half each on one of its own. */
  readonly newConnections: number;
}

const ANSWER_WITHIN_MS = 10_000;

/** Sends `perSecond` requests per second to the gateway while `work` runs. */
export async function sendWhile(
  target: { readonly url: string; readonly host: string; readonly perSecond: number },
  work: () => Promise<void>,
): Promise<RequestReport> {
  const kept = new Agent({ keepAlive: true, maxSockets: 64 });
  const fresh = new Agent({ keepAlive: false, maxSockets: 64 });
  const failures: string[] = [];
  const byVersion: Record<string, number> = {};
  let sent = 0;
  let newConnections = 0;
  const sendOne = async (): Promise<void> => {
    sent += 1;
    const agent = sent % 2 === 0 ? kept : fresh;
    if (agent === fresh) newConnections += 1;
    try {
      const { status, version } = await ask(target.url, { agent, host: target.host });
      byVersion[version] = (byVersion[version] ?? 0) + 1;
      if (status !== 200) failures.push(`HTTP ${status} from version ${version}`);
    } catch (error) {
      failures.push(String(error));
    }
  };
  await sendAtPace(target.perSecond, sendOne, work);
  kept.destroy();
  fresh.destroy();
  return { sent, failures, byVersion, newConnections };
}

export interface Answer {
  readonly status: number;
  readonly version: string;
}

/** One request to the gateway for the service behind `host`. */
export async function ask(
  url: string,
  options: { readonly host: string; readonly agent?: Agent },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { host, agent } = options;
    const outgoing = request(url, {
      headers: { host },
      timeout: ANSWER_WITHIN_MS,
      ...(agent === undefined ? {} : { agent }),
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      response.resume();
      response.on('error', reject);
      response.on('end', () => {
        const version = String(response.headers['x-version'] ?? 'none');
        resolve({ status: response.statusCode ?? 0, version });
      });
    });
    outgoing.end();
  });
}
