import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type {
  EnvironmentMapping,
  EnvironmentsFile,
} from '../../contracts/shared/environments-file.ts';
import { codedFailure } from '../coded-failure.ts';

export interface AccessDeps {
  /** The parsed `environments.yaml`. */
  environments: EnvironmentsFile;
  /** Where relative paths start: the folder of the file. */
  directory: string;
}

/** Where the Prometheus of an environment is, and how to be let in. */
export interface PrometheusAccess {
  origin: string;
  /** Prefix of every path, without a slash at its end. */
  basePath: string;
  /** For errors: the address without anything secret. */
  subject: string;
  authorization?: string;
  /** Where its rule files are, as an absolute path. */
  rulesDirectory?: string;
}

type PrometheusMapping = NonNullable<EnvironmentMapping['metrics']>['prometheus'];

/** Looks up the mapping; credentials are read anew each time, because tokens are rotated. */
export const accessOf = async (
  environment: string,
  { environments, directory }: AccessDeps,
): Promise<PrometheusAccess> => {
  const mapping = mappingOf(environment, environments);
  const url = new URL(mapping.url);
  const basePath = url.pathname.replace(/\/+$/, '');
  const authorization = await authorizationOf(mapping, { environment, directory });
  return {
    origin: url.origin,
    basePath,
    subject: `${url.origin}${basePath}`,
    ...(authorization === undefined ? {} : { authorization }),
    ...(mapping.rulesDirectory === undefined
      ? {}
      : { rulesDirectory: path.resolve(directory, mapping.rulesDirectory) }),
  };
};

const mappingOf = (environment: string, { environments }: EnvironmentsFile): PrometheusMapping => {
  const mapping = environments[environment];
  if (mapping === undefined) {
    throw codedFailure({
      code: 'ENVIRONMENT_UNKNOWN',
      message: `The worker has no environment ${environment} in its environments.yaml; nothing was read.`,
      subject: environment,
    });
  }
  if (mapping.metrics !== undefined) return mapping.metrics.prometheus;
  throw codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `Environment ${environment} has no source of metrics; nothing was read.`,
    next: `Set environments.${environment}.metrics.prometheus.url in environments.yaml and restart the worker.`,
    subject: `environments.${environment}.metrics`,
  });
};

interface Where {
  environment: string;
  directory: string;
}

const authorizationOf = async (
  { tokenFile, basicAuth }: PrometheusMapping,
  where: Where,
): Promise<string | undefined> => {
  if (tokenFile !== undefined) {
    const token = await secretIn(tokenFile, 'tokenFile', where);
    // Nothing else may stand in a header, and the HTTP library's own error would quote it.
    if (/^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`;
    throw unreadable('tokenFile', 'the file must hold one word of ASCII', where);
  }
  if (basicAuth === undefined) return undefined;
  const { username, passwordFile } = basicAuth;
  const password = await secretIn(passwordFile, 'basicAuth.passwordFile', where);
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
};

const secretIn = async (file: string, field: string, where: Where): Promise<string> => {
  try {
    const text = await readFile(path.resolve(where.directory, file), 'utf8');
    return text.trim();
  } catch (error) {
    const { message } = Object(error) as { message?: unknown };
    throw unreadable(field, String(message), where);
  }
};

const unreadable = (field: string, reason: string, { environment }: Where): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `The credentials for the metrics of ${environment} cannot be used (${reason}); nothing was read.`,
    subject: `environments.${environment}.metrics.prometheus.${field}`,
  });
