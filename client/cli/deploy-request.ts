import { text } from 'node:stream/consumers';
import type { ServiceDefinition } from '../../contracts/delivery/service-definition.ts';
import type { DeployServiceRequest } from '../index.ts';
import type { DeployFlags } from './deploy-verb.ts';
import { loadServiceDefinition, readManifests } from './files/index.ts';
import type { Terminal } from './terminal.ts';

/** Reads the files that a command names, and makes one request of them. */
export const readDeployRequest = async (
  terminal: Pick<Terminal, 'stdin'>,
  flags: DeployFlags,
): Promise<DeployServiceRequest> => {
  const { definition, directory } = await loadServiceDefinition(flags.file);
  const manifests = await readManifests({
    paths: definition.manifests,
    directory,
    readStdin: async () => text(terminal.stdin),
  });
  const { environment, reason, queue } = flags;
  const release = flags.release ?? definition.release;
  return {
    ...requestOf(definition),
    manifests,
    ...(environment === undefined ? {} : { environment }),
    ...(release === undefined ? {} : { release }),
    ...(queue === undefined ? {} : { queue }),
    ...(reason === undefined ? {} : { requestedBy: { reason } }),
    adopt: flags.adopt === true,
  };
};

/** The definition in the words of the contract: lengths of time in milliseconds, checks flat. */
export const requestOf = (
  definition: ServiceDefinition,
): Omit<DeployServiceRequest, 'manifests' | 'release'> => {
  const { service, environment, strategy, queue, deadline, onFailure, notify } = definition;
  const { stable, compensationDeadline, bake, commit } = definition;
  return {
    ...{ service, environment, strategy, queue, onFailure, notify, deadlineMs: deadline },
    smoke: definition.smoke,
    approvals: definition.approvals.map(({ expiresAfter, ...approval }) => ({
      ...approval,
      ...(expiresAfter === undefined ? {} : { expiresAfterMs: expiresAfter }),
    })),
    ...(bake === undefined ? {} : { bake: bakeOf(bake) }),
    ...(commit === undefined
      ? {}
      : { commit: { sha: commit.sha, committedAtMs: commit.committedAt } }),
    ...givenOf(definition),
    ...(stable === undefined ? {} : { stableMs: stable }),
    ...(compensationDeadline === undefined ? {} : { compensationDeadlineMs: compensationDeadline }),
  };
};

/** Fields that the contract has in the same words. */
const sameFields = [
  'verification',
  'analysis',
  'alerts',
  'budget',
  'versionHeader',
  'previewHeader',
  'drain',
] as const;

const givenOf = (
  definition: ServiceDefinition,
): Pick<DeployServiceRequest, (typeof sameFields)[number]> =>
  Object.fromEntries(
    sameFields.flatMap((name) =>
      definition[name] === undefined ? [] : [[name, definition[name]]],
    ),
  );

const bakeOf = (bake: NonNullable<ServiceDefinition['bake']>) => {
  const { path, requestsPerSecond, minSamples } = bake;
  return {
    path,
    forMs: bake.for,
    maxFailureRatio: bake.failIf,
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
    ...(minSamples === undefined ? {} : { minSamples }),
  };
};
