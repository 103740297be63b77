import { readFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';

/**
 * Reads a Kubernetes API with nothing but a kubeconfig and Node. The checker is
 * the second opinion about what a release did, so it shares no code with the product.
 */
export interface ApiReader {
  get(apiPath: string): Promise<unknown>;
  /** TLS material and address, for tools that must speak for the same user. */
  readonly connection: Connection;
  close(): void;
}

export interface Connection {
  server: URL;
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

interface Kubeconfig {
  contexts: { name: string; context: { cluster: string; user: string } }[];
  clusters: { name: string; cluster: Record<string, string> }[];
  users: { name: string; user: Record<string, string> }[];
}

const bytesOf = (entry: Record<string, string>, field: string, folder: string): Buffer => {
  const inline = entry[`${field}-data`];
  if (inline !== undefined) return Buffer.from(inline, 'base64');
  const file = entry[field];
  if (file === undefined) throw new Error(`the kubeconfig has no ${field}`);
  return readFileSync(path.resolve(folder, file));
};

export const readConnection = (kubeconfigPath: string, contextName: string): Connection => {
  const config = parse(readFileSync(kubeconfigPath, 'utf8')) as Kubeconfig;
  const context = config.contexts.find((entry) => entry.name === contextName)?.context;
  const cluster = config.clusters.find((entry) => entry.name === context?.cluster)?.cluster;
  const user = config.users.find((entry) => entry.name === context?.user)?.user;
  if (cluster === undefined || user === undefined) {
    throw new Error(`context ${contextName} is not complete in ${kubeconfigPath}`);
  }
  const folder = path.dirname(kubeconfigPath);
  return {
    server: new URL(cluster['server'] ?? ''),
    ca: bytesOf(cluster, 'certificate-authority', folder),
    cert: bytesOf(user, 'client-certificate', folder),
    key: bytesOf(user, 'client-key', folder),
  };
};

const readBody = async (response: AsyncIterable<Buffer>): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
};

export interface ApiCall {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  body?: unknown;
  contentType?: string;
}

interface Answer {
  status: number;
  text: string;
  retryAfterMs: number;
}

const send = (connection: Connection, agent: https.Agent, call: ApiCall): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = https.request(
      new URL(call.path, connection.server),
      {
        agent,
        method: call.method,
        ca: connection.ca,
        cert: connection.cert,
        key: connection.key,
        headers: {
          accept: 'application/json',
          'user-agent': 'holdfast-checker',
          ...(call.body === undefined
            ? {}
            : { 'content-type': call.contentType ?? 'application/json' }),
        },
      },
      (response) => {
        const retryAfterMs = Number(response.headers['retry-after'] ?? 1) * 1_000;
        readBody(response).then((text) => {
          resolve({ status: response.statusCode ?? 0, text, retryAfterMs });
        }, reject);
      },
    );
    request.on('error', reject);
    request.end(call.body === undefined ? undefined : JSON.stringify(call.body));
  });

/** One request; any status outside 2xx is an error that quotes the answer. */
export const callApi = async (
  connection: Connection,
  agent: https.Agent,
  call: ApiCall,
): Promise<unknown> => {
  for (;;) {
    const { status, text, retryAfterMs } = await send(connection, agent, call);
    if (status >= 200 && status < 300) return JSON.parse(text);
    if (status !== 429) {
      throw new Error(`${call.method} ${call.path}: ${String(status)} ${text.slice(0, 300)}`);
    }
    // The server asks to come back later, e.g. while the storage of a new kind is being prepared.
    await delay(retryAfterMs);
  }
};

export const createApiReader = (kubeconfigPath: string, contextName: string): ApiReader => {
  const connection = readConnection(kubeconfigPath, contextName);
  const agent = new https.Agent({ keepAlive: true, maxSockets: 4 });
  return {
    connection,
    get: (apiPath) => callApi(connection, agent, { method: 'GET', path: apiPath }),
    close: () => {
      agent.destroy();
    },
  };
};
