import { Agent, type Dispatcher } from 'undici';
import type { ProbeAddress } from './probe-address.ts';

/** More of a body than this is neither read nor searched. */
const maxBodyBytes = 1_000_000;
const shownBodyChars = 200;

/** What came back for one request; `status` is null when no whole answer came. */
export interface Answer {
  status: number | null;
  body: string;
  /** For a reader: the status and the start of the body, or why there is none. */
  text: string;
  latencyMs: number;
}

export interface Connections {
  /** Sends one GET; every second one on a new connection. Never throws. */
  get(address: ProbeAddress, path: string, timeoutMs: number): Promise<Answer>;
  /** Drops everything, also requests that are under way. */
  close(): Promise<void>;
}

/**
 * Kept and new connections take turns, because they fail in different ways: a
 * kept one meets a pod that goes away in mid-life, a new one meets routing that
 * still points to it.
 */
export const openConnections = (): Connections => {
  const kept = new Agent({ pipelining: 1, keepAliveTimeout: 10_000 });
  const fresh = new Agent({ pipelining: 0 });
  let turn = 0;
  return {
    get: (address, path, timeoutMs) => {
      turn += 1;
      return exchange(turn % 2 === 1 ? kept : fresh, {
        origin: address.origin,
        path: `${address.basePath}${path}`,
        method: 'GET',
        headers: {
          'user-agent': 'holdfast-prober',
          ...(address.host === undefined ? {} : { host: address.host }),
        },
        signal: AbortSignal.timeout(timeoutMs),
      });
    },
    close: async () => {
      await Promise.all([kept.destroy(), fresh.destroy()]);
    },
  };
};

const exchange = async (agent: Dispatcher, request: Dispatcher.RequestOptions): Promise<Answer> => {
  const startedAtMs = performance.now();
  const latency = (): number => performance.now() - startedAtMs;
  try {
    const response = await agent.request(request);
    const body = await readBody(response.body);
    const text = `HTTP ${String(response.statusCode)}: ${shorten(body)}`;
    return { status: response.statusCode, body, text, latencyMs: latency() };
  } catch (error) {
    return { status: null, body: '', text: describeFailure(error), latencyMs: latency() };
  }
};

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
