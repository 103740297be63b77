import type { UpdateName } from '../../contracts/messages.ts';

/** Which release a command is about. */
export interface CommandTarget {
  service: string;
  environment: string;
  release: string;
}

/** `retryCompensation` is `retry-compensation` on the command line. */
export const verbCommand = (verb: string): string =>
  verb.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** What a message needs besides its reason. */
const extraFlags: Partial<Record<string, string>> = {
  setWeight: ' --weight N',
} satisfies Partial<Record<UpdateName, string>>;

/**
 * The command that sends a message to this release. It names the release: without that it would
 * go to whichever has the lock, and `abort` of one that waits would put another one back.
 */
export const messageCommand = (verb: string, target: CommandTarget): string => {
  const { service, environment, release } = target;
  const flags = `-e ${environment} --release ${release}${extraFlags[verb] ?? ''}`;
  return `holdfast ${verbCommand(verb)} ${service} ${flags} --reason "…"`;
};

export const lockCommand = (
  action: string,
  { service, environment }: Pick<CommandTarget, 'service' | 'environment'>,
): string => `holdfast lock ${service} -e ${environment} --${action} --reason "…"`;

/** The command that shows more of a release, e.g. `deploy explain`. */
export const lookCommand = (words: string, target: CommandTarget): string =>
  `holdfast ${words} ${target.service} -e ${target.environment} --release ${target.release}`;

/** The command that sends a message to a change of access. */
export const accessCommand = (verb: string, change: string): string =>
  `holdfast access ${verbCommand(verb)} ${change} --reason "…"`;
