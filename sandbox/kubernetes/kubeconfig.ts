/** Kubeconfig files with the credentials inside, so that one file can be handed on. */
import { readFile } from 'node:fs/promises';
import { writeFileAtomically } from '../state/atomic-file.ts';
import type { CertificateFiles } from './certificates.ts';

/** The context by which users and environments name the sandbox's cluster. */
export const SANDBOX_CONTEXT = 'holdfast-sandbox';

export interface KubeconfigContent {
  readonly path: string;
  readonly server: string;
  readonly authorityCertificatePath: string;
  readonly user: string;
  readonly certificate: CertificateFiles;
}

/** Writes JSON, which is YAML; every Kubernetes client reads it. */
export async function writeKubeconfig(content: KubeconfigContent): Promise<void> {
  const encoded = async (path: string): Promise<string> => readFile(path, 'base64');
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': SANDBOX_CONTEXT,
    clusters: [
      {
        name: SANDBOX_CONTEXT,
        cluster: {
          server: content.server,
          'certificate-authority-data': await encoded(content.authorityCertificatePath),
        },
      },
    ],
    users: [
      {
        name: content.user,
        user: {
          'client-certificate-data': await encoded(content.certificate.certificatePath),
          'client-key-data': await encoded(content.certificate.keyPath),
        },
      },
    ],
    contexts: [
      { name: SANDBOX_CONTEXT, context: { cluster: SANDBOX_CONTEXT, user: content.user } },
    ],
  };
  await writeFileAtomically(content.path, `${JSON.stringify(kubeconfig, null, 2)}\n`);
}
