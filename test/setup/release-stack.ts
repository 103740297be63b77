import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createFilesystemBlobStore } from '../../activities/store/filesystem-blob-store.ts';
import { sandboxUp, type Sandbox } from '../../sandbox/index.ts';
import { writeWorkflowBundle } from '../../workers/bundle.ts';
import { openAuditLog } from '../kill/audit-log.ts';
import type { Stack } from '../kill/release-lane.ts';

const stateOf = (level: 1 | 2): string =>
  path.resolve(import.meta.dirname, `../../.holdfast/test-level-${String(level)}`);

/** One sandbox of each level for all test files of a checkout; whoever comes first starts it. */
export const levelOneState = stateOf(1);
export const levelTwoState = stateOf(2);

/** The bundle that the test run made, or one of our own. */
const workflowBundle = async (directory: string): Promise<string> => {
  const shared = process.env['HOLDFAST_WORKFLOW_BUNDLE'];
  if (shared !== undefined) return shared;
  const file = path.join(directory, 'workflow-bundle.js');
  await writeWorkflowBundle(file);
  return file;
};

/** Host header of the one service of a namespace. */
export const hostOf = (namespace: string): string => `shop.${namespace}.local`;

const trafficOf = (sandbox: Sandbox, namespace: string): unknown =>
  sandbox.gateway === undefined ? 'none' : { url: sandbox.gateway.url, host: hostOf(namespace) };

/**
 * The stack for tests that drive whole releases: real Temporal and a real Kubernetes
 * control plane; pods are played by kwok on level 1 and real on level 2. `name` is
 * the folder of the caller's files.
 */
export const startReleaseStack = async (level: 1 | 2, name: string): Promise<Stack> => {
  const sandbox = await sandboxUp({
    level,
    stateDirectory: stateOf(level),
    // A file, so that a test can restart the server in the middle of a release.
    temporal: { persistence: 'file' },
    // Whoever runs the tests as root on a machine of their own has asked for level 2.
    confirm: () => Promise.resolve(true),
    onProgress: ({ step, message }) => {
      process.stderr.write(`${step}: ${message}\n`);
    },
  });
  const directory = path.join(sandbox.stateDirectory, 'tests', name);
  await mkdir(directory, { recursive: true });
  const blobsDirectory = path.join(directory, 'blobs');
  return {
    temporalAddress: sandbox.temporal.address,
    temporalNamespace: sandbox.temporal.namespace,
    kubeconfigPath: sandbox.kubernetes.kubeconfigPath,
    context: sandbox.kubernetes.context,
    auditLog: openAuditLog(sandbox.kubernetes.auditLogPath),
    gatewayUrl: sandbox.gateway?.url,
    directory,
    blobsDirectory,
    blobs: createFilesystemBlobStore({ directory: blobsDirectory }),
    workflowBundlePath: await workflowBundle(directory),
    trafficOf: (namespace) => trafficOf(sandbox, namespace),
  };
};
