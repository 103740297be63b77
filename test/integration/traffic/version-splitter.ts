import { Agent, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { startTarget, type HttpTarget } from './http-target.ts';

/** One version behind the splitter. */
export interface SplitVersion {
  version: string;
  /** Its share of the requests, 0–1; all shares make 1. */
  share: number;
  /** Answers in place of a plain 200; `number` counts the requests of this version. */
  answer?: (response: ServerResponse, number: number) => void;
}

export interface VersionSplitter {
  /** The entry of users. */
  entry: HttpTarget;
  /** One server for each version, which sends `X-Version`. */
  backends: Map<string, HttpTarget>;
  /** Answers 503 without a version where a backend does not answer, as a gateway does. */
  close(): Promise<void>;
}

/** A gateway on loopback that deals requests out evenly by share, in a fixed order. */
export const startSplitter = async (
  versions: readonly SplitVersion[],
): Promise<VersionSplitter> => {
  const agent = new Agent({ keepAlive: true });
  const backends = new Map<string, HttpTarget>();
  for (const { version, answer } of versions) {
    const backend = await startTarget((_request, response, number) => {
      if (version !== '') response.setHeader('X-Version', version);
      if (answer === undefined) response.end(`version ${version}`);
      else answer(response, number);
    });
    backends.set(version, backend);
  }
  const deal = dealByShare(versions);
  const entry = await startTarget((incoming, response) => {
    const port = backends.get(deal())?.port;
    forward(incoming, response, { host: '127.0.0.1', port, agent });
  });
  return {
    entry,
    backends,
    close: async () => {
      await Promise.all([entry, ...backends.values()].map((server) => server.close()));
      agent.destroy();
    },
  };
};

/** Gives each request to the version that lags furthest behind its share. */
const dealByShare = (versions: readonly SplitVersion[]): (() => string) => {
  const dealt = versions.map(({ version, share }) => ({ version, share, samples: 0 }));
  let total = 0;
  return () => {
    total += 1;
    const lag = (of: { share: number; samples: number }): number => of.share * total - of.samples;
    const [next] = dealt.toSorted((left, right) => lag(right) - lag(left));
    if (next === undefined) throw new Error('the splitter has no version');
    next.samples += 1;
    return next.version;
  };
};

const forward = (
  incoming: IncomingMessage,
  response: ServerResponse,
  to: { host: string; port: number | undefined; agent: Agent },
): void => {
  const outgoing = request({ ...to, path: incoming.url, headers: incoming.headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.on('aborted', () => response.destroy());
  });
  outgoing.on('error', () => {
    if (!response.headersSent) response.writeHead(503).end('no backend');
  });
  outgoing.end();
};
