/** Certificates of the cluster, issued by the `certificates` component of the Kubernetes binary. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { SandboxError } from '../sandbox-error.ts';

export interface CertificateRequest {
  /** File name without extension, unique within the cluster. */
  readonly name: string;
  /** The Kubernetes user, for a client certificate. */
  readonly commonName: string;
  /** The Kubernetes groups. Requests of group `holdfast:components` are not audited. */
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usages: readonly ('client' | 'server')[];
}

export interface CertificateFiles {
  readonly certificatePath: string;
  readonly keyPath: string;
}

export interface CertificateOrder {
  /** The multi-call binary. */
  readonly kubernetesBinary: string;
  readonly directory: string;
  /** Name of the authority that signs; it is made when it is missing. */
  readonly authority: string;
  /** Key pairs without a certificate: NAME.key and NAME.pub. */
  readonly keyPairs?: readonly string[];
  readonly certificates: readonly CertificateRequest[];
}

/** Members of this group are the sandbox's own machinery; the audit policy leaves them out. */
export const COMPONENTS_GROUP = 'holdfast:components';

export function certificateFiles(directory: string, name: string): CertificateFiles {
  return {
    certificatePath: join(directory, `${name}.crt`),
    keyPath: join(directory, `${name}.key`),
  };
}

/** Makes what is missing and keeps what is there, so that a repeated start changes no key. */
export async function issueCertificates(order: CertificateOrder): Promise<void> {
  const child = spawn(order.kubernetesBinary, ['certificates'], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  child.stdin.end(
    JSON.stringify({
      directory: order.directory,
      authority: order.authority,
      keyPairs: order.keyPairs ?? [],
      certificates: order.certificates.map(toOrderLine),
    }),
  );
  const [complaint, ended] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (ended[0] === 0) return;
  throw new SandboxError({
    code: 'SANDBOX_START_FAILED',
    message: `The cluster's certificates could not be issued: ${complaint.trim()}`,
    next: 'Run `holdfast sandbox down`, then `holdfast sandbox up`.',
  });
}

function toOrderLine(request: CertificateRequest): object {
  return {
    name: request.name,
    commonName: request.commonName,
    organizations: request.organizations ?? [],
    dnsNames: request.dnsNames ?? [],
    ipAddresses: request.ipAddresses ?? [],
    client: request.usages.includes('client'),
    server: request.usages.includes('server'),
  };
}
