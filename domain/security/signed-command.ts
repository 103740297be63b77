/**
 * What a caller signs: one action on one run, with every byte of the message. Pure, so that the
 * validator of a message can look at it inside the workflow; signatures are checked in an activity.
 */
export interface Command {
  workflowId: string;
  /** Absent for a start, which has no run yet, and for an entity, which has many. */
  runId?: string;
  /** `deployService.approve`. */
  action: string;
  /** The plan that was read, for a decision about one. */
  planDigest?: string;
  /** sha256 of the canonical JSON of the message, or of the input, without its proof. */
  contentDigest: string;
  /** Random; a run takes each one once. */
  nonce: string;
  issuedAtMs: number;
  expiresAtMs: number;
}

/** A proof as it travels: `command` is the text that was signed, or that the seal holds again. */
export interface CommandProof {
  command: string;
  /** Id of the access key and its signature over `command`. */
  key?: string;
  signature?: string;
  /** An access token with the command, sealed for the workers. */
  sealed?: string;
}

/** Where and when a command arrives. */
export interface CommandPlace {
  workflowId: string;
  /** Absent where commands need not name a run. */
  runId?: string;
  action: string;
  planDigest?: string;
  atMs: number;
}

const version = 1;
const longestLifetimeMs = 86_400_000;
/** Clocks of callers may go before ours by this much. */
const clockSkewMs = 120_000;

export const writeProof = (proof: CommandProof): string =>
  JSON.stringify({ holdfast: version, ...proof });

export const writeCommand = (command: Command): string => JSON.stringify(command);

/** Undefined for a text that is no proof of ours. */
export const readProof = (text: string): CommandProof | undefined => {
  const { holdfast, command, key, signature, sealed } = recordOf(text);
  if (holdfast !== version || typeof command !== 'string') return undefined;
  const credential = isText(sealed) ? { sealed } : signedBy(key, signature);
  return credential === undefined ? undefined : { command, ...credential };
};

const signedBy = (key: unknown, signature: unknown): Partial<CommandProof> | undefined =>
  isText(key) && isText(signature) ? { key, signature } : undefined;

/** Undefined unless every field is there with its type. */
export const readCommand = (text: string): Command | undefined => {
  const read = recordOf(text);
  const texts = [read['workflowId'], read['action'], read['contentDigest'], read['nonce']];
  const times = [read['issuedAtMs'], read['expiresAtMs']];
  const perhaps = [read['runId'], read['planDigest']];
  const isWhole =
    texts.every(isText) &&
    times.every((time) => Number.isSafeInteger(time)) &&
    perhaps.every((value) => value === undefined || isText(value));
  return isWhole ? (read as unknown as Command) : undefined;
};

/** Why the command is not for this place or time, as the end of a sentence. */
export const commandProblem = (command: Command, place: CommandPlace): string | undefined => {
  const { workflowId, runId, action, planDigest } = command;
  if (workflowId !== place.workflowId) return `the proof is for the run ${workflowId}`;
  if (runId !== place.runId) return `the proof is for another run of ${workflowId}`;
  if (action !== place.action) return `the proof is for ${action}, not for ${place.action}`;
  if (planDigest !== place.planDigest) return `the proof is for plan ${planDigest ?? 'none'}`;
  return commandTimeProblem(command, place.atMs);
};

/** Why the command is not for this time, as the end of a sentence. */
export const commandTimeProblem = (
  { issuedAtMs, expiresAtMs }: Command,
  atMs: number,
): string | undefined => {
  if (expiresAtMs <= atMs) return `the proof expired at ${isoTime(expiresAtMs)}`;
  if (issuedAtMs > atMs + clockSkewMs)
    return `the proof is from ${isoTime(issuedAtMs)}, later than now`;
  return expiresAtMs - issuedAtMs > longestLifetimeMs
    ? 'the proof is valid for more than a day'
    : undefined;
};

const isoTime = (atMs: number): string => {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? String(atMs) : date.toISOString();
};

/** A message or an input without its proof: what its digest is made of. */
export const withoutProof = (content: unknown): unknown => {
  if (!isRecord(content)) return content;
  const { proof: _proof, requestedBy, ...rest } = content;
  return {
    ...rest,
    ...(requestedBy === undefined ? {} : { requestedBy: withoutProof(requestedBy) }),
  };
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const recordOf = (text: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
};
