import type { Dispatcher } from 'undici';
import { openAgent, sendRequest, type HttpRequest } from '../http-agent.ts';
import type { ProbeAddress } from './probe-address.ts';
import { maxVersionChars } from './watch-limits.ts';

/** More of a body than this is neither read nor searched. */
const maxBodyBytes = 1_000_000;
const shownBodyChars = 200;

/** What came back for one request; `status` is null when no whole answer came. */
export interface Answer {
  status: number | null;
  body: string;
  /** What the version header said, also of an answer that broke off; `''` without one. */
  version: string;
  /** For a reader: the status and the start of the body, or why there is none. */
  text: string;
  latencyMs: number;
}

export interface Connections {
  /** Sends one GET, over a kept or a new connection. Never throws. */
  get(address: ProbeAddress, path: string, timeoutMs: number): Promise<Answer>;
  /** Drops everything, also requests that are under way. */
  close(): Promise<void>;
}

export interface ConnectionSettings {
  /** Share of the requests that open a connection of their own, 0–100. */
  newConnectionPercent: number;
  /** Response header that names the version. */
  versionHeader?: string | undefined;
}

/**
 * Kept and new connections are both used, because they fail in different ways: a
 * kept one meets a pod that goes away in mid-life, a new one meets routing that
 * still points to it.
 */
export const openConnections = (settings: ConnectionSettings): Connections => {
  const kept = openAgent({ pipelining: 1, keepAliveTimeout: 10_000 });
  const fresh = openAgent({ pipelining: 0 });
  const versionHeader = settings.versionHeader?.toLowerCase();
  let turn = 0;
  return {
    get: (address, path, timeoutMs) => {
      turn += 1;
      const request = {
        origin: address.origin,
        path: `${address.basePath}${path}`,
        method: 'GET' as const,
        headers: {
          'user-agent': 'holdfast-prober',
          ...(address.host === undefined ? {} : { host: address.host }),
          ...(address.header === undefined ? {} : { [address.header.name]: address.header.value }),
        },
        signal: AbortSignal.timeout(timeoutMs),
      };
      const agent = isNewConnection(turn, settings.newConnectionPercent) ? fresh : kept;
      return exchange(agent, request, versionHeader);
    },
    close: async () => {
      await Promise.all([kept.destroy(), fresh.destroy()]);
    },
  };
};

const goldenRatio = (1 + Math.sqrt(5)) / 2;

/**
 * Multiples of the golden ratio spread evenly for every share and never fall into a period. In
 * strict turns the prober could fall in step with a gateway that deals requests out in turns, and
 * would then meet one of the versions over one kind of connection only.
 */
export const isNewConnection = (turn: number, newConnectionPercent: number): boolean =>
  (turn * goldenRatio) % 1 < newConnectionPercent / 100;

const exchange = async (
  agent: Dispatcher,
  request: HttpRequest,
  versionHeader: string | undefined,
): Promise<Answer> => {
  const startedAtMs = performance.now();
  const latency = (): number => performance.now() - startedAtMs;
  let version = '';
  try {
    const { statusCode: status, headers, body: stream } = await sendRequest(agent, request);
    if (versionHeader !== undefined) version = readVersion(headers[versionHeader]);
    const body = await readBody(stream);
    const text = `HTTP ${String(status)}: ${shorten(body)}`;
    return { status, body, version, text, latencyMs: latency() };
  } catch (error) {
    return { status: null, body: '', version, text: describeFailure(error), latencyMs: latency() };
  }
};

/** The first, where a gateway added one of its own. */
const readVersion = (header: string | string[] | undefined): string =>
  ((Array.isArray(header) ? header[0] : header) ?? '').slice(0, maxVersionChars);

/** Reads to the end, because an answer that breaks off in its body is a failure too. */
const readBody = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes >= maxBodyBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
};

const shorten = (body: string): string =>
  // Control characters would garble the terminal of whoever reads the evidence.
  body
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, shownBodyChars)
    .trim() || '(empty body)';

/** By shape, not by class: aborts are DOMExceptions, which another realm's `Error` does not know. */
const describeFailure = (error: unknown): string => {
  const { name, code, message } = Object(error) as {
    name?: string;
    code?: string;
    message?: string;
  };
  if (name === 'TimeoutError') return 'no answer in time';
  const kind = code ?? name ?? 'unknown';
  return `no answer: ${(message ?? '').slice(0, shownBodyChars) || kind} (${kind})`;
};
